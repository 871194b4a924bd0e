"""What all recorders do around their measuring: logged values, batches, and a good end."""

import os
import platform
import threading
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Literal, Self, get_args

import numpy as np
import torch

from epochord.recorders import endings
from epochord.recorders.logged import is_name, logged_number
from epochord.recorders.rows import RowBuffer, Taken
from epochord.runlog.errors import RunExistsError, described, warn
from epochord.runlog.locations import expanded
from epochord.runlog.run.metadata import Format, RunMetadata
from epochord.runlog.run.rows import METRICS_TABLE, RESERVED
from epochord.runlog.writing.start import RunLog, checked_resume, next_step

__all__ = [
    "BUFFERED_VALUES",
    "OnError",
    "Recorder",
    "rows_for",
    "versions",
    "whole_number",
    "writes",
]

# A buffer of rows may take this many values (16 MiB of float32), however wide they are.
BUFFERED_VALUES = 1 << 22
BUFFERED_ROWS = 4096
SOON = 0.01  # s; to look more often would keep training from its own work

OnError = Literal["warn", "raise"]
Reduce = Literal["last", "mean"]
_REDUCE = get_args(Reduce)


class Recorder:
    """A run that is being recorded, whatever is measured; a context manager, or not.

    Leaving the ``with`` block closes the log; an exception on its way out is noted in it.
    Without a block, the end of the program closes it.  Of several processes that train
    together, only rank 0 writes; a forked child records nothing.

    Parameters
    ----------
    directory : path-like
        The run's directory.
    metadata : RunMetadata
        What is known at the start; name and versions are filled in.
    rows : RowBuffer
        Takes what is logged.
    format : {"parquet", "tensorboard", "both"}
        How the log is written.
    resume : bool or int
        Go on with the run in `directory`, if there is one: after its last step, or with
        the step given.
    overwrite : bool
        Remove the run in `directory`, if there is one.
    on_error : {"warn", "raise"}
        What becomes of a log that cannot be written.
    signals : bool
        Whether SIGTERM and SIGHUP bring everything to the disk.
    flush_seconds : float
        Rows are handed to the writer at least this often.

    Attributes
    ----------
    step : int
        The last step; -1 before the first one.
    path : Path
        The run's directory.
    """

    _RESUMES: ClassVar[bool] = True  # whether a run can be gone on with
    # How tags begin that the recorder writes itself.
    _OWN: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        directory: str | os.PathLike[str],
        metadata: RunMetadata,
        rows: RowBuffer,
        *,
        format: Format,
        resume: bool | int = False,
        overwrite: bool = False,
        on_error: OnError = "warn",
        signals: bool = True,
        flush_seconds: float,
    ) -> None:
        if on_error not in get_args(OnError):
            raise ValueError(f"on_error is {on_error!r}; expected 'warn' or 'raise'")
        if not isinstance(flush_seconds, int | float) or not flush_seconds >= 0:
            raise ValueError(f"flush_seconds is {flush_seconds!r}; expected seconds, at least 0")
        self.path = expanded(directory).absolute()  # whoever trains may change directories
        self.signals = signals
        self._rows = rows
        self._flush_seconds = flush_seconds
        self._raises = on_error == "raise"
        self._closed = self._closing = self._forked = False
        self._lock = threading.RLock()  # the writer's thread takes rows, too
        self._refused = False  # whether the open row found no room
        self._said: set[str] = set()
        self._row_step = -1  # the step whose row is open
        self._known_tags: set[str] = set()
        self._early: set[str] = set()  # tags that belong to the coming step
        self._drained_at = time.monotonic()
        self._error_before = id(endings.last_error())
        self._log: RunLog | None = None
        if writes():
            self._log = self._start(metadata, format, resume, overwrite)
            self._begin_at(self._log.next_step)
            endings.remember(self)
            if flush_seconds < threading.TIMEOUT_MAX:
                # A row waits for the second look after its last change.
                self._log.writer.every(max(SOON, flush_seconds / 2), self._tick)
        else:
            self._begin_at(_next_step(self.path, checked_resume(resume, overwrite)))

    def _begin_at(self, step: int) -> None:
        self._first_step = step
        self.step = step - 1

    def _start(
        self, metadata: RunMetadata, format: Format, resume: bool | int, overwrite: bool
    ) -> RunLog:
        again = overwrite or checked_resume(resume, overwrite) is not False
        still_open = endings.open_at(self.path)
        if still_open and again:
            still_open.close()  # a cell of a notebook that runs again
        elif still_open:
            raise RunExistsError(
                f"{self.path}: this process is recording there; close that recorder, record into "
                "another directory, or pass overwrite=True to end it and begin anew"
            )
        return RunLog(
            self.path,
            metadata.replace(name=self.path.resolve().name, versions=versions()),
            format=format,
            resume=resume,
            overwrite=overwrite,
            resumable=self._RESUMES,
            raises=self._raises,
        )

    def __enter__(self) -> Self:
        return self

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # a copy of the model that it lies on is not another run

    def __reduce__(self) -> tuple[type["Absent"], tuple[()]]:
        return Absent, ()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        left = isinstance(error, GeneratorExit)  # whoever trained has been left at a yield
        if error is None or left or (isinstance(error, SystemExit) and not error.code):
            self.close()
            return
        try:
            self.close(error=described(error))
        except Exception as problem:  # noqa: BLE001 - the error on its way matters more
            if problem is not error:
                error.add_note(f"the log could not be completed either: {problem}")

    def log(self, tag: str, value: float | torch.Tensor, *, reduce: Reduce = "last") -> None:
        """Log a number; it belongs to the step just done, or to the epoch just recorded.

        Between a backward pass and its step it belongs to the coming step.  So does, each
        time, a tag that is logged before the first backward pass: its loop logs first and
        trains then.  Whatever is logged too late, or under
        a name that is the recorder's own, is warned of once and left out.

        Parameters
        ----------
        tag : str
            Any name but the recorder's own.
        value : float or torch.Tensor [one element]
            A tensor is kept on its device; this does not wait for it.
        reduce : {"last", "mean"}
            What counts where a tag is logged several times in a step.

        Raises
        ------
        ValueError
            If a tensor has more than one element, or `reduce` is none of these.
        TypeError
            If `value` is no real number, or `tag` no text.
        """
        if not isinstance(tag, str):
            raise TypeError(f"log({tag!r}): the tag is {type(tag).__name__}; expected text")
        number = logged_number(tag, value)
        if reduce not in _REDUCE:
            raise ValueError(f"log({tag!r}): reduce is {reduce!r}; expected 'last' or 'mean'")
        if (self._idle or self._raises) and not self._records("log()"):
            return
        if tag not in self._known_tags and not self._admit(tag):
            return
        with self._lock:
            coming = tag in self._early or self._awaits_step()
            if not coming:
                self._open_row()
            self._rows.log(tag, number, mean=reduce == "mean", coming=coming)

    def flush(self) -> bool:
        """Wait until everything up to now is safe on disk, or cannot be brought there.

        Returns
        -------
        bool
            Whether all of it is safe; of a process that does not write, True.

        Raises
        ------
        Exception
            What went wrong while writing, now or earlier, where ``on_error="raise"``.
        """
        if self._log is None or self._closed or self._forked:
            return not self._forked
        with self._lock:
            self._finish_tables()
            self._refused = False
            self._hand_over(self._rows.take_all())
            self._drained_at = time.monotonic()
            refused = self._refused
        return self._log.writer.flush() and not refused

    def close(self, *, error: str | None = None) -> None:
        """Write what is left and complete the log; training is left alone from now on.

        Parameters
        ----------
        error : str, optional
            Why the run failed; by default it finished.

        Raises
        ------
        Exception
            What went wrong while writing, where ``on_error="raise"``; all rows written
            before stay readable.
        """
        if self._forked:
            return  # first of all: the lock may have been held when the process was forked
        with self._lock:
            if self._closed:
                return
            self._closed = self._closing = True
        try:
            self._detach()
            if self._log is not None:
                self._complete(self._log, error)
        finally:
            self._closing = False
            endings.forget(self)

    def _complete(self, log: RunLog, error: str | None) -> None:
        try:
            try:
                if error is None:
                    self._measure_end()
            finally:
                with self._lock:
                    self._keep_coming()
                    self._finish_tables()
                    self._hand_over(self._rows.take_done())
        except BaseException as problem:
            error = error or described(problem)
            raise
        finally:
            log.close(self.step + 1, error=error)

    @property
    def busy(self) -> bool:
        """Whether this thread is in the middle of something, or any in closing it."""
        return self._closing or self._lock._is_owned()  # type: ignore[attr-defined]

    def wait(self) -> None:
        """Wait until nobody is."""
        while self._closing:
            time.sleep(SOON)
        with self._lock:
            pass

    def _keep_coming(self) -> None:
        """Keep what was logged for a step that has not come."""
        if self._rows.expected and self.step < self._first_step and self._first_step:
            self._warn_once(
                "no step has come since it was resumed; what was logged before one is left out"
            )
        elif self._rows.expected:
            self.step = max(self.step, 0)
            self._open_row()
            self._rows.join_coming()

    @property
    def orphaned(self) -> bool:
        """Whether nothing is left that could be recorded."""
        return False

    def end_with_program(self) -> None:
        """Complete the log as the program ends: failed if by an exception after the last step."""
        error = endings.last_error()
        if id(error) == self._error_before:  # training went on after it
            error = None
        error = error or endings.error_on_its_way()
        if isinstance(error, SystemExit) and not error.code:
            error = None
        self.close(error=described(error) if error else None)

    def abandon(self) -> None:
        """Leave the log to the process that this one was forked from; record nothing."""
        self._forked = True

    def _records(self, what: str) -> bool:
        """Tell whether anything is recorded; warn once where that may be a surprise."""
        if self._forked:
            self._warn_once("forked from the process that records; nothing is recorded here")
        elif self._closed:
            self._warn_once(f"{what} after close() is not recorded")
        elif self._log and self._raises:
            self._log.writer.raise_again()
        return not self._idle

    @property
    def _idle(self) -> bool:
        return self._log is None or self._forked or self._closed

    def _warn_once(self, message: str) -> None:
        if message not in self._said:
            self._said.add(message)
            warn(f"{self.path}: {message}")

    def _detach(self) -> None:
        """Let go of what is measured."""

    def _measure_end(self) -> None:
        """Measure what there is to measure when training ended well."""

    def _finish_tables(self) -> None:
        """End what the other tables have begun."""

    def _open_row(self) -> None:
        if self._row_step == self.step and self._rows.opened:
            return
        if self._rows.full:
            self._hand_over(self._rows.take_done())
        self._rows.open(self.step, time.time())
        self._row_step = self.step

    def _tick(self) -> None:
        """Hand over what there is (in the writer's thread): the next step may be far away."""
        try:
            with self._lock:
                # What lies on another device is left to the training's own thread, whose streams
                # and graphs a call from here could break.
                failed = self._log is None or self._log.writer.failed
                if not (self._closed or failed) and self._rows.on_host:
                    self._hand_over(self._rows.take_settled())
        except Exception as error:  # noqa: BLE001 - the training's thread meets it, too
            self._warn_once(f"rows could not be handed over ({described(error)})")

    def _drain_if_due(self) -> None:
        """Hand over rows that lie on another device."""
        now = time.monotonic()
        if now - self._drained_at >= self._flush_seconds:
            self._drained_at = now
            self._hand_over(self._rows.take_done())

    def _hand_over(self, taken: Sequence[Taken]) -> None:
        for batch in taken:
            if not self._submit(batch, METRICS_TABLE) and batch.open:
                self._refused = True
                self._rows.changed()  # there was no room: it comes again

    def _submit(self, taken: Taken, table: str) -> bool:
        assert self._log is not None
        return self._log.writer.submit(
            taken.rows, table, steps=taken.steps, size=taken.size, again=taken.open
        )

    def _admit(self, tag: str) -> bool:
        """Take a tag that is new, if it is not the recorder's own."""
        if not is_name(tag):
            self._warn_once(f"log({tag!r}) is not recorded: that is no name")
            return False
        if tag in RESERVED or tag.startswith(self._OWN):
            names = ", ".join(sorted(RESERVED))
            prefixes = " or ".join(map(repr, self._OWN))
            self._warn_once(
                f"log({tag!r}) is not recorded: {names} and names that begin with {prefixes} "
                "are the recorder's own"
            )
            return False
        self._known_tags.add(tag)
        if not self._begun():
            self._early.add(tag)
        return True

    def _begun(self) -> bool:
        """Tell whether anything has been done that a value could belong to."""
        return self.step >= self._first_step

    def _awaits_step(self) -> bool:
        """Tell whether what is logged now belongs to the coming step, whatever its tag."""
        return self.step < self._first_step


class Absent:
    """What a recorder is in another process, or in a file: it records nothing."""

    step = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def log(self, *_: Any, **__: Any) -> None:
        """Do nothing."""

    def flush(self) -> bool:
        """Do nothing."""
        return False

    def close(self, **_: Any) -> None:
        """Do nothing."""

    capture = record = log


def whole_number(name: str, value: Any) -> int:
    """Return an argument that has to be a whole number from 1.

    Raises
    ------
    ValueError
        If it is not.
    """
    try:
        if int(value) == value >= 1:
            return int(value)
    except (OverflowError, TypeError, ValueError):  # infinite, NaN, or no number at all
        pass
    raise ValueError(f"{name} is {value!r}; expected an integer of at least 1")


def rows_for(values: int) -> RowBuffer:
    """Make a buffer of as many rows as are sensible for so many values a row."""
    return RowBuffer(max(16, min(BUFFERED_ROWS, BUFFERED_VALUES // max(1, values))))


def versions() -> dict[str, str]:
    """Return what `run.json` is to say of the versions in use."""
    return {
        "epochord": version("epochord"),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }


def _next_step(path: Path, resume: bool | int) -> int:
    """Return the first step of a process that does not write."""
    if isinstance(resume, bool):
        return next_step(path) if resume else 0
    return resume


def writes() -> bool:
    """Tell whether this process writes the log: of several that train together, rank 0."""
    distributed = torch.distributed
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank() == 0
    return os.environ.get("RANK", "0") == "0"  # torchrun's, before there is a group
