"""What all recorders do around their measuring: logged values, batches, and a good end."""

import atexit
import os
import platform
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from types import TracebackType
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import torch

from epochord.recorders.rows import RowBuffer
from epochord.runlog.errors import described
from epochord.runlog.locations import expanded
from epochord.runlog.run.metadata import Format, RunMetadata
from epochord.runlog.run.rows import RESERVED
from epochord.runlog.writing.start import RunLog, next_step

__all__ = ["BUFFERED_VALUES", "Recorder", "rows_for", "versions", "whole_number"]

# A buffer of rows may take this many values (16 MiB of float32), however wide they are.
BUFFERED_VALUES = 1 << 22
BUFFERED_ROWS = 4096


class Recorder:
    """A run that is being recorded, whatever is measured; a context manager.

    Leaving the ``with`` block closes the log; an exception on its way out is
    noted in it.  Of several processes that train together, only rank 0 writes.

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
    resume : bool
        Go on with the run in `directory`, if there is one.
    flush_seconds : float
        Rows are handed to the writer at least this often, at the next one.

    Attributes
    ----------
    step : int
        The last step; -1 before the first one.
    """

    # For messages: what a row is, and after which call there is one.
    _ROW: ClassVar[str] = "step"
    _STATE: ClassVar[str] = "step just done"
    _AFTER: ClassVar[str] = "optimizer.step()"
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
        resume: bool = False,
        flush_seconds: float,
    ) -> None:
        self._rows = rows
        self._flush_seconds = flush_seconds
        self._closed = False
        self._row_step = -1  # the step whose row is open
        self._row_tags: set[str] = set()
        self._known_tags: set[str] = set()
        self._drained_at = time.monotonic()
        path = expanded(directory)
        self._log: RunLog | None = None
        if _writes():
            whole = metadata.replace(name=path.resolve().name, versions=versions())
            self._log = RunLog(path, whole, format=format, resume=resume, resumable=self._RESUMES)
            atexit.register(self._at_exit)
        self._first_step = self._log.next_step if self._log else next_step(path) if resume else 0
        self.step = self._first_step - 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None or (isinstance(error, SystemExit) and not error.code):
            self.close()
            return
        try:
            self.close(error=described(error))
        except Exception as problem:  # noqa: BLE001 - the error on its way matters more
            if problem is not error:
                error.add_note(f"the log could not be completed either: {problem}")

    def log(self, tag: str, value: float | torch.Tensor) -> None:
        """Log a number; it belongs to the step just done, or to the epoch just recorded.

        Parameters
        ----------
        tag : str
            Any name but the recorder's own.
        value : float or torch.Tensor [one element]
            A tensor is kept on its device; this does not wait for it.

        Raises
        ------
        RuntimeError
            Before the first step or epoch, or after `close`.
        ValueError
            If this step already has a value of this tag, the tag is reserved, or
            the tensor has more than one element.
        TypeError
            If `value` is no real number.
        """
        if self._log is None:
            return
        if self._closed:
            raise RuntimeError(f"log({tag!r}): this recorder is closed")
        if self.step < self._first_step:
            raise RuntimeError(
                f"log({tag!r}) before the first {self._ROW}: a value belongs to the "
                f"{self._STATE}, so log it after {self._AFTER}"
            )
        if tag not in self._known_tags:
            self._admit(tag)
        number = _number(tag, value)
        self._open_row()
        if tag in self._row_tags:
            raise ValueError(
                f"log({tag!r}): {self._ROW} {self.step} already has a value of this tag"
            )
        self._row_tags.add(tag)
        self._rows.log(tag, number)

    def flush(self) -> None:
        """Wait until everything up to now is safe on disk.

        Raises
        ------
        Exception
            What went wrong while writing, now or earlier.
        """
        if self._log is None or self._closed:
            return
        self._hand_over(self._rows.take_all())
        self._log.writer.flush()
        self._drained_at = time.monotonic()

    def close(self, *, error: str | None = None) -> None:
        """Write what is left and complete the log; training is left alone from now on.

        Parameters
        ----------
        error : str, optional
            Why the run failed; by default it finished.

        Raises
        ------
        Exception
            What went wrong while writing; all rows written before stay readable.
        """
        if self._closed:
            return
        self._closed = True
        self._detach()
        if self._log is None:
            return
        atexit.unregister(self._at_exit)
        try:
            try:
                if error is None:
                    self._measure_end()
            finally:
                self._drain()
        except BaseException as problem:
            error = error or described(problem)
            raise
        finally:
            self._log.close(self.step + 1, error=error)

    def _detach(self) -> None:
        """Let go of what is measured."""

    def _measure_end(self) -> None:
        """Measure what there is to measure when training ended well."""

    def _open_row(self) -> None:
        if self._row_step == self.step:
            return
        if self._rows.full:
            self._drain()
        self._rows.open(self.step, time.time())
        self._row_step = self.step
        self._row_tags.clear()

    def _drain_if_due(self) -> None:
        now = time.monotonic()
        if now - self._drained_at >= self._flush_seconds:
            self._drain()
            self._drained_at = now

    def _drain(self) -> None:
        """Hand over all rows; only between a step and the row that it opens."""
        self._hand_over(self._rows.take_done())

    def _hand_over(self, batches: Sequence[Callable[[], pa.Table]]) -> None:
        assert self._log is not None
        for batch in batches:
            self._log.writer.submit(batch)

    def _admit(self, tag: str) -> None:
        if not tag or tag in RESERVED or tag.startswith(self._OWN):
            names = ", ".join(sorted(RESERVED))
            prefixes = " or ".join(map(repr, self._OWN))
            raise ValueError(
                f"log({tag!r}): reserved; {names} and names that begin with {prefixes} are the "
                "recorder's own"
            )
        self._known_tags.add(tag)

    def _at_exit(self) -> None:
        if self._log is not None and self._log.writer.owned:
            self.close(error="the program ended without closing the recorder")


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


def _number(tag: str, value: Any) -> float | torch.Tensor:
    if isinstance(value, torch.Tensor):
        if value.numel() != 1:
            raise ValueError(
                f"log({tag!r}): got a tensor of shape {tuple(value.shape)}; expected one element"
            )
        if not (value.is_cpu or value.is_complex()):
            return value.detach().reshape(()).to(torch.float32, copy=True)
        value = value.item()
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(
            f"log({tag!r}): got {type(value).__name__} {value!r}; expected a real number or a "
            "tensor of one"
        ) from None


def versions() -> dict[str, str]:
    """Return what `run.json` is to say of the versions in use."""
    return {
        "epochord": version("epochord"),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }


def _writes() -> bool:
    """Tell whether this process writes the log: of several that train together, rank 0."""
    distributed = torch.distributed
    together = distributed.is_available() and distributed.is_initialized()
    return not together or distributed.get_rank() == 0
