"""Record the gradient norm of every parameter, step by step, without disturbing training."""

import atexit
import os
import platform
import time
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import torch
from torch import nn
from torch.optim import Optimizer

from recorders.assignment import Assignment
from recorders.parameters import model_layers, named_parameters, refuse_sharded
from recorders.rows import RowBuffer
from runlog.errors import described
from runlog.metadata import Format, RunMetadata
from runlog.rows import RESERVED
from runlog.run import GRAD_NORM
from runlog.writing import RunLog, next_step

__all__ = ["GradientRecorder"]

# A buffer of norms may take this many values (16 MiB), however large the model.
BUFFERED_VALUES = 1 << 22
BUFFERED_ROWS = 4096


class GradientRecorder:
    """Writes a run's gradient norms, and what else is logged, while it trains.

    A step is a call of the (first) optimizer's ``step`` that was not skipped,
    counted from 0.  After each one the 2-norm of every parameter's gradient is
    measured on the gradient's device and kept there; rows go to the log in
    batches, from a thread of its own.  Nothing waits for the device (but for
    sparse gradients), and training computes what it would have computed without the recorder.

    Parameters
    ----------
    model : torch.nn.Module
        All its parameters are recorded; one whose gradient is None at a step is
        null there.
    optimizer : torch.optim.Optimizer, or a sequence of them
        Of several, the first one counts the steps; a further one's norms go
        into the row of the step just done; if it steps again before the next
        one, the last norms count, but for a row that was flushed.
    directory : path-like
        The run's directory, such as ``"runs/mine"``; its name is the run's name.
    every : int
        Measure norms at steps 0, `every`, 2·`every`, …; `log` works at all steps.
    format : {"parquet", "tensorboard", "both"}
        How the log is written.
    resume : bool
        Go on with the run in `directory`, if there is one: steps continue after
        its last one.
    seed : int, optional
        Noted in `run.json`.
    hyperparameters, dataset : mapping, optional
        Noted in `run.json`; plain JSON values.
    flush_seconds : float
        Rows are handed to the writer at least this often, at the next step.

    Attributes
    ----------
    step : int
        The step just done; -1 before the first one.

    Raises
    ------
    RunExistsError
        If there is a run in `directory` and `resume` is false, or if it is of
        another model or format.
    OutputError
        If `directory` cannot be written to.
    LogError
        If `directory` holds a log that cannot be read.
    NotImplementedError
        If parameters are sharded (DTensor, FSDP).
    ValueError
        If an argument makes no sense, or model and optimizer share no parameter.

    Notes
    -----
    Gradients are measured as the optimizer saw them: averaged by
    DistributedDataParallel (of which only rank 0 writes), unscaled by
    ``torch.amp.GradScaler``, and clipped.  Call `capture` before clipping to
    record them unclipped.  A step that a GradScaler skips is no step, but for
    fused optimizers, which are called nevertheless.  On CUDA, call `flush` and
    `close` in the stream in which the optimizer steps.

    Examples
    --------
    >>> with GradientRecorder(model, optimizer, "runs/mine") as recorder:
    ...     for batch, target in loader:
    ...         optimizer.zero_grad()
    ...         loss = criterion(model(batch), target)
    ...         loss.backward()
    ...         optimizer.step()
    ...         recorder.log("loss", loss)
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: Optimizer | Sequence[Optimizer],
        directory: str | os.PathLike[str],
        *,
        every: int = 1,
        format: Format = "parquet",
        resume: bool = False,
        seed: int | None = None,
        hyperparameters: Mapping[str, Any] | None = None,
        dataset: Mapping[str, Any] | None = None,
        flush_seconds: float = 5.0,
    ) -> None:
        if every < 1:
            raise ValueError(f"every is {every}; expected an integer of at least 1")
        optimizers = [optimizer] if isinstance(optimizer, Optimizer) else list(optimizer)
        refuse_sharded(model)
        parameters = named_parameters(model)
        per_row = max(1, len(parameters))
        self._rows = RowBuffer(max(16, min(BUFFERED_ROWS, BUFFERED_VALUES // per_row)))
        self._assignment = Assignment(parameters, optimizers, self._rows)
        self._every = every
        self._flush_seconds = flush_seconds
        self._closed = False
        self._row_step = -1  # the step whose row is open
        self._row_tags: set[str] = set()
        self._known_tags: set[str] = set()
        self._optimizers = optimizers
        self._captured_ahead = [False] * len(optimizers)
        self._drained_at = time.monotonic()
        path = Path(directory)
        self._log: RunLog | None = None
        if _writes():
            metadata = RunMetadata(
                name=path.resolve().name,
                seed=seed,
                every=every,
                hyperparameters={**_settings(optimizers[0]), **(hyperparameters or {})},
                dataset=dataset or {},
                layers=model_layers(model),
                versions=_versions(),
            )
            self._log = RunLog(path, metadata, format=format, resume=resume)
            atexit.register(self._at_exit)
        self._first_step = self._log.next_step if self._log else next_step(path) if resume else 0
        self.step = self._first_step - 1
        self._hooks = [
            each.register_step_post_hook(partial(self._after_step, place))
            for place, each in enumerate(optimizers)
        ]

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
        """Log a number of the step just done.

        Parameters
        ----------
        tag : str
            Any name that does not begin with ``grad_norm/``.
        value : float or torch.Tensor [one element]
            A tensor is kept on its device; this does not wait for it.

        Raises
        ------
        RuntimeError
            Before the first optimizer step, or after `close`.
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
                f"log({tag!r}) before the first step: a value belongs to the step just done, "
                "so log it after optimizer.step()"
            )
        if tag not in self._known_tags:
            self._admit(tag)
        number = _number(tag, value)
        self._open_row()
        if tag in self._row_tags:
            raise ValueError(f"log({tag!r}): step {self.step} already has a value of this tag")
        self._row_tags.add(tag)
        self._rows.log(tag, number)

    def capture(self, optimizer: Optimizer | None = None) -> None:
        """Measure the gradients as they are now, for the coming step of an optimizer.

        Call it between ``backward()`` and clipping; the step then does not
        measure again.  With a GradScaler, after ``unscale_``.

        Parameters
        ----------
        optimizer : torch.optim.Optimizer, optional
            Whose; needed where the recorder has several.

        Raises
        ------
        ValueError
            If it is needed and missing, or not one of the recorder's.
        """
        if optimizer is None and len(self._optimizers) > 1:
            raise ValueError(
                "capture(): there are several optimizers; name the one that steps next"
            )
        if optimizer is not None and optimizer not in self._optimizers:
            raise ValueError("capture(): this optimizer is not one of the recorder's")
        place = self._optimizers.index(optimizer) if optimizer else 0
        coming = self.step + 1 if place == 0 else max(self.step, 0)
        if self._log is None or self._closed or (place == 0 and coming % self._every):
            return
        for columns in self._assignment.of(place):
            columns.capture_ahead()
        self._captured_ahead[place] = True

    def flush(self) -> None:
        """Wait until everything up to now is safe on disk.

        Raises
        ------
        Exception
            What went wrong while writing, now or earlier.
        """
        if self._log is None or self._closed:
            return
        for batch in self._rows.take_all():
            self._log.writer.submit(batch)
        self._log.writer.flush()
        self._drained_at = time.monotonic()

    def close(self, *, error: str | None = None) -> None:
        """Detach from the optimizer, write what is left and complete the log.

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
        for hook in self._hooks:
            hook.remove()
        if self._log is None:
            return
        atexit.unregister(self._at_exit)
        try:
            self._drain()
        except BaseException as problem:
            error = error or described(problem)
            raise
        finally:
            self._log.close(self.step + 1, error=error)

    def _after_step(self, place: int, optimizer: Optimizer, *_: Any) -> None:
        """Measure what an optimizer has just used (its step post hook)."""
        ahead, self._captured_ahead[place] = self._captured_ahead[place], False
        if place == 0:
            self.step += 1
        if self._log is None:
            return
        if place == 0:
            self._drain_if_due()
        if max(self.step, 0) % self._every:
            return
        if place == 0:
            self._open_row()
        if ahead:
            self._rows.adopt(self._assignment.of(place))
        else:
            self._rows.capture(self._assignment.of(place), _left_scaled(optimizer))

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
        assert self._log is not None
        for batch in self._rows.take_done():
            self._log.writer.submit(batch)

    def _admit(self, tag: str) -> None:
        if not tag or tag in RESERVED or tag.startswith(GRAD_NORM):
            raise ValueError(
                f"log({tag!r}): reserved; {', '.join(sorted(RESERVED))} and names that begin with "
                f"{GRAD_NORM!r} are the recorder's own"
            )
        self._known_tags.add(tag)

    def _at_exit(self) -> None:
        if self._log is not None and self._log.writer.owned:
            self.close(error="the program ended without closing the recorder")


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


def _left_scaled(optimizer: Optimizer) -> torch.Tensor | None:
    """Return what a fused optimizer's gradients are still multiplied with.

    Fused optimizers unscale while they step; one that finds an infinity returns
    early and leaves all gradients scaled (torch.amp.GradScaler.step).
    """
    scale = getattr(optimizer, "grad_scale", None)
    found = getattr(optimizer, "found_inf", None)
    if scale is None or found is None:
        return None
    return torch.where(found > 0, scale, torch.ones_like(scale))


def _settings(optimizer: Optimizer) -> dict[str, Any]:
    """Return an optimizer's name and its plain settings that are not switched off."""
    plain = {
        name: value
        for name, value in optimizer.defaults.items()
        if isinstance(value, int | float | str) and value is not False
    }
    return {"optimizer": type(optimizer).__name__, **plain}


def _versions() -> dict[str, str]:
    return {
        "earshot": version("earshot"),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }


def _writes() -> bool:
    """Tell whether this process writes the log: of several that train together, rank 0."""
    distributed = torch.distributed
    together = distributed.is_available() and distributed.is_initialized()
    return not together or distributed.get_rank() == 0
