"""One worker thread between a training loop and its log.

The loop hands over batches and goes on, whatever the disk does: the worker turns them
into Arrow tables and writes them, in order.  What cannot be written waits, in bounded
memory, and is tried again; what finds no room is lost, which the log names.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Protocol

import pyarrow as pa

from epochord.runlog.errors import described, warn
from epochord.runlog.run.rows import METRICS_TABLE, LogWriter

__all__ = ["BackgroundWriter", "Batch", "Desk", "Steps"]

Batch = Callable[[], pa.Table]
Steps = tuple[int, int]
"""The first and the last step of some rows."""

WAITING_BYTES = 1 << 26
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 5.0  # s between attempts
BETWEEN_WARNINGS = 60.0  # s; some disks fail again and again
PATIENCE = 30.0  # s that `flush` and `close` wait for a disk that does nothing
LAST_ATTEMPTS = 5.0  # s that `close` goes on trying where the disk says no

_OUTAGE = (OSError, pa.ArrowException)


class Desk(Protocol):
    """What the worker has to ask or to tell; all of it is called in its thread."""

    def holds(self) -> bool:
        """Tell whether the log is still ours to write."""

    def lost(self, steps: Steps, reason: str) -> None:
        """Note that rows could not be written."""

    def save(self) -> None:
        """Bring to the disk what was noted."""


@dataclass
class _Work:
    """A batch on its way."""

    batch: Batch
    table: str
    steps: Steps
    size: int
    writers: list[LogWriter]  # that have not written it yet
    rows: pa.Table | None = None  # once the batch has been asked


class BackgroundWriter:
    """Writes batches of rows in a thread of its own.

    Parameters
    ----------
    writers : sequence of LogWriter
        Each batch goes to all of them.
    desk : Desk
        Keeps what is known of the log as a whole.
    where : str
        What is written, for warnings.
    raises : bool
        Keep the first error for the training loop's next call and write no more,
        instead of warning and trying again.
    """

    def __init__(
        self, writers: Sequence[LogWriter], desk: Desk, *, where: str, raises: bool
    ) -> None:
        self._writers = writers
        self._desk = desk
        self._where = where
        self._raises = raises
        self._error: BaseException | None = None  # to be raised again
        self._queue: deque[_Work] = deque()
        self._waiting = 0  # bytes
        self._whole = True  # whether nothing has been lost since the last flush
        self._noted = self._saved = 0  # how often something was, and how much of that is on disk
        self._ending: Callable[[], None] | None = None
        self._outage = ""  # what makes it wait
        self._pause = FIRST_PAUSE
        self._retry_at = 0.0
        self._refusals = 0  # attempts that failed
        self._warned_at = -inf
        self._moved_at = time.monotonic()  # when something last succeeded
        self._stopped = False
        self._broken = False  # whether the log could not be ended
        self._taken = False  # whether somebody else records there now
        self._tick: tuple[Callable[[], None], float] | None = None
        self._tick_at = inf
        self._changed = threading.Condition()
        self._worker = threading.Thread(target=self._work, name="epochord-log", daemon=True)
        self._worker.start()

    def every(self, seconds: float, tick: Callable[[], None]) -> None:
        """Have something called in the thread about so often, between two batches."""
        with self._changed:
            self._tick, self._tick_at = (tick, seconds), time.monotonic() + seconds
            self._changed.notify_all()

    def submit(
        self,
        batch: Batch,
        table: str = METRICS_TABLE,
        *,
        steps: Steps,
        size: int = 0,
        again: bool = False,
    ) -> bool:
        """Hand over a batch; this never waits.

        Parameters
        ----------
        batch : callable
            Returns the rows; it is called in the worker thread, so that waiting
            for a device and converting cost the training loop nothing.
        table : str
            The table of the log that the rows belong to.
        steps : tuple of int
            First and last step of the rows.
        size : int
            Bytes that they take while they wait.
        again : bool
            Whether these rows will come again if they are not taken now.

        Returns
        -------
        bool
            Whether there was room.

        Raises
        ------
        Exception
            What went wrong with an earlier batch, if errors are to be raised.
        """
        self.raise_again()
        with self._changed:
            room = not self._taken and (not self._queue or self._waiting + size <= WAITING_BYTES)
            if room:
                self._queue.append(_Work(batch, table, steps, size, list(self._writers)))
                self._waiting += size
            self._changed.notify_all()
        if not room and not again:
            self._lose(steps)
        return room

    def note(self) -> None:
        """Have what was noted brought to the disk."""
        with self._changed:
            self._noted += 1
            self._changed.notify_all()

    def flush(self) -> bool:
        """Wait until all batches handed over are safe on disk, or cannot be.

        Returns
        -------
        bool
            Whether all since the last flush are safe.

        Raises
        ------
        Exception
            What went wrong, if errors are to be raised.
        """
        done = self._finish(0.0)
        whole, self._whole = self._whole and done, True
        self.raise_again()
        return whole

    def close(self, ending: Callable[[], None]) -> bool:
        """Write what is left, end the log, and end the thread.

        Parameters
        ----------
        ending : callable
            Brings the log into its final form; called in the thread, until it succeeds
            or nothing is left to hope for.

        Returns
        -------
        bool
            Whether it succeeded.

        Raises
        ------
        Exception
            What went wrong, if errors are to be raised.
        """
        done = self._finish(LAST_ATTEMPTS)
        with self._changed:
            left, self._queue = list(self._queue), deque()
            self._ending = ending
        for work in left:
            self._lose(work.steps)
        if self._error is None and (done or self._outage):
            done = self._finish(LAST_ATTEMPTS if done else 0.0)
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._worker.join(1.0)
        self.raise_again()
        done = done and not self._broken
        if not done and not self._taken:
            warn(f"{self._where}: the log could not be completed ({self._reason})")
        return done and not self._taken

    @property
    def _reason(self) -> str:
        return self._outage or "the disk does not answer"

    @property
    def _busy(self) -> bool:
        if self._error is not None or self._taken:
            return False
        return bool(self._queue) or self._saved < self._noted or self._ending is not None

    def _finish(self, attempts_for: float) -> bool:
        """Wait until nothing is left to do; give up where that leads nowhere."""
        with self._changed:
            began = self._moved_at = time.monotonic()
            refusals = self._refusals
            self._retry_at = 0.0
            self._changed.notify_all()
            while self._busy:
                now = time.monotonic()
                refused = self._refusals > refusals
                if (refused and now - began >= attempts_for) or now - self._moved_at > PATIENCE:
                    return False
                if refused:
                    self._retry_at = min(self._retry_at, now + 0.2)
                self._changed.wait(0.1)
            return not self._taken

    def _work(self) -> None:
        while (task := self._next()) is not None:
            try:
                task()
            except _OUTAGE as error:
                self._refused(error)
            except BaseException as error:  # noqa: BLE001 - to try again would not help
                self._give_up(error)

    def _next(self) -> Callable[[], None] | None:
        """Wait for something to do; None at the end."""
        with self._changed:
            while not self._stopped:
                now = time.monotonic()
                if self._busy and now >= self._retry_at:
                    return self._attempt
                if self._tick and now >= self._tick_at:
                    self._tick_at = now + self._tick[1]
                    return self._tick[0]
                due = min(self._retry_at if self._busy else inf, self._tick_at)
                self._changed.wait(None if due == inf else max(0.0, due - now))
        return None

    def _attempt(self) -> None:
        if not self._desk.holds():
            self._step_back()
            return
        while not self._stopped and self._queue:
            work = self._queue[0]
            if work.rows is None:
                work.rows = work.batch()
            while work.writers:
                work.writers[0].write(work.rows, work.table)
                del work.writers[0]
            self._past(work)
        noted = self._noted
        if self._saved < noted:
            self._desk.save()
            self._saved = noted
        if self._ending and not self._queue:
            self._ending()
        with self._changed:
            if not self._queue:
                self._ending = None
            self._outage, self._pause, self._retry_at = "", FIRST_PAUSE, 0.0
            self._changed.notify_all()

    def _past(self, work: _Work) -> None:
        with self._changed:
            if self._queue and self._queue[0] is work:
                self._queue.popleft()
                self._waiting -= work.size
            self._moved_at = time.monotonic()
            self._changed.notify_all()

    def _refused(self, error: BaseException) -> None:
        """Wait before the next attempt, or give up where errors are to be raised."""
        with self._changed:
            fresh = not self._outage
            self._outage = described(error)
            self._refusals += 1
            self._retry_at = time.monotonic() + self._pause
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
            self._keep(error)
            now = time.monotonic()
            fresh = fresh and not self._raises and now - self._warned_at > BETWEEN_WARNINGS
            self._warned_at = now if fresh else self._warned_at
            self._changed.notify_all()
        if fresh:
            warn(
                f"{self._where}: cannot be written ({self._outage}); training goes on, rows are "
                "kept in memory and tried again"
            )

    def _give_up(self, error: BaseException) -> None:
        """Leave a batch out that cannot be had, or end with the error."""
        with self._changed:
            self._outage = described(error)
            work = self._queue[0] if self._queue else None
            if not work:
                self._ending, self._broken = None, True
            self._refusals += 1
            self._keep(error)
            self._changed.notify_all()
        if work:
            self._past(work)
            self._lose(work.steps)
        if not self._raises:
            warn(f"{self._where}: something could not be recorded ({self._outage})")

    def _keep(self, error: BaseException) -> None:
        """Keep an error that is to be raised again; nothing is done after it."""
        if self._raises:
            self._error = self._error or error
            self._tick, self._tick_at = None, inf

    def _step_back(self) -> None:
        with self._changed:
            self._taken = True
            self._queue.clear()
            self._changed.notify_all()
        warn(f"{self._where}: somebody else records there now; this training no longer does")

    def _lose(self, steps: Steps) -> None:
        self._whole = False
        self._desk.lost(steps, self._reason)
        self.note()

    @property
    def failed(self) -> bool:
        """Whether there is an error to be raised."""
        return self._error is not None

    def raise_again(self) -> None:
        """Raise what went wrong, if errors are to be raised."""
        if self._error is not None:
            raise self._error
