"""One worker thread between a training loop and its log.

The loop hands over batches and goes on; the worker turns them into Arrow tables
and writes them, in order.  The queue is bounded, so a disk that is too slow
slows training down and does not fill the memory.  An error comes up in the
training loop at its next call.
"""

import atexit
import os
import queue
import threading
from collections.abc import Callable, Sequence

import pyarrow as pa

from epochord.runlog.run.metadata import RunMetadata
from epochord.runlog.run.rows import METRICS_TABLE, LogWriter

__all__ = ["BackgroundWriter"]

Batch = Callable[[], pa.Table]


class BackgroundWriter:
    """Writes batches of rows in a thread of its own.

    Parameters
    ----------
    writers : sequence of LogWriter
        Each batch goes to all of them.
    capacity : int
        How many batches may wait; `submit` blocks when there are so many.
    """

    def __init__(self, writers: Sequence[LogWriter], *, capacity: int = 8) -> None:
        self._writers = writers
        self._queue: queue.Queue[tuple[Batch, str] | None] = queue.Queue(capacity)
        self._error: BaseException | None = None
        self._pid = os.getpid()
        self._worker = threading.Thread(target=self._work, name="epochord-log", daemon=True)
        self._worker.start()
        atexit.register(self._drain_at_exit)

    def submit(self, batch: Batch, table: str = METRICS_TABLE) -> None:
        """Hand over a batch.

        Parameters
        ----------
        batch : callable
            Returns the rows; it is called in the worker thread, so that waiting
            for a device and converting cost the training loop nothing.
        table : str
            The table of the log that the rows belong to.

        Raises
        ------
        Exception
            What went wrong with an earlier batch; later rows are not accepted.
        """
        self._raise_again()
        self._queue.put((batch, table))

    def flush(self) -> None:
        """Wait until all batches handed over are safe on disk.

        Raises
        ------
        Exception
            What went wrong with one of them.
        """
        self._queue.join()
        self._raise_again()

    @property
    def owned(self) -> bool:
        """Whether this is the process that writes; a forked child has no worker thread."""
        return os.getpid() == self._pid

    def close(self, metadata: RunMetadata) -> None:
        """Write what is left and bring the log into its final form.

        Parameters
        ----------
        metadata : RunMetadata
            As it stands at the end.

        Raises
        ------
        Exception
            What went wrong; what was written before stays readable.
        """
        self._stop()
        try:
            self._raise_again()
            for writer in self._writers:
                writer.complete(metadata)
        finally:
            for writer in self._writers:
                writer.close()

    def _work(self) -> None:
        while (work := self._queue.get()) is not None:
            try:
                if self._error is None:
                    batch, table = work
                    self._write(batch(), table)
            except BaseException as error:  # noqa: BLE001 - raised again in the training loop
                self._error = error
            finally:
                self._queue.task_done()
        self._queue.task_done()

    def _write(self, rows: pa.Table, table: str) -> None:
        for writer in self._writers:
            writer.write(rows, table)

    def _raise_again(self) -> None:
        if self._error is not None:
            raise self._error

    def _stop(self) -> None:
        atexit.unregister(self._drain_at_exit)
        if self._worker.is_alive():
            self._queue.put(None)
            self._worker.join()

    def _drain_at_exit(self) -> None:
        if self.owned:
            self._stop()
