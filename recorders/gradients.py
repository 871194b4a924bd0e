"""Record the gradient norm of every parameter, step by step, without disturbing training."""

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import pyarrow as pa
import torch
from torch import nn
from torch.optim import Optimizer

from epochord.recorders.assignment import Assignment
from epochord.recorders.digit_counts import DigitRows
from epochord.recorders.parameters import model_layers, named_parameters, refuse_sharded
from epochord.recorders.recorder import Recorder, rows_for, whole_number
from epochord.runlog.digits.tables import LAYER_DIGITS
from epochord.runlog.run.metadata import Format, RunMetadata
from epochord.runlog.run.run import GRAD_NORM

__all__ = ["GradientRecorder"]


class GradientRecorder(Recorder):
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
    first_digits : int, optional
        Count the leading digits of each layer's gradients, and of its weights after the
        step, at steps 0, `first_digits`, 2·`first_digits`, … of those that `every`
        measures; `epochord.runlog.digits.tables` says what the log has of them.

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

    _OWN = (GRAD_NORM,)

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
        first_digits: int | None = None,
    ) -> None:
        every = whole_number("every", every)
        optimizers = [optimizer] if isinstance(optimizer, Optimizer) else list(optimizer)
        refuse_sharded(model)
        parameters = named_parameters(model)
        self._digits = None if first_digits is None else DigitRows(parameters, first_digits)
        rows = rows_for(len(parameters))
        self._assignment = Assignment(parameters, optimizers, rows)
        self._every = every
        self._optimizers = optimizers
        self._captured_ahead = [False] * len(optimizers)
        metadata = RunMetadata(
            name="",
            seed=seed,
            every=every,
            hyperparameters={**_settings(optimizers[0]), **(hyperparameters or {})},
            dataset=dataset or {},
            layers=model_layers(model),
        )
        super().__init__(
            directory, metadata, rows, format=format, resume=resume, flush_seconds=flush_seconds
        )
        self._hooks = [
            each.register_step_post_hook(partial(self._after_step, place))
            for place, each in enumerate(optimizers)
        ]

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
        if self._digits and self._digits.due(coming):
            self._digits.capture_ahead(place, self._names(place))
        self._captured_ahead[place] = True

    def _detach(self) -> None:
        for hook in self._hooks:
            hook.remove()

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
        scale = None if ahead else _left_scaled(optimizer)
        if ahead:
            self._rows.adopt(self._assignment.of(place))
        else:
            self._rows.capture(self._assignment.of(place), scale)
        if self._digits and self._digits.due(max(self.step, 0)):
            if place == 0:
                self._digits.open(self.step)
            self._digits.capture(place, self._names(place), scale)

    def _names(self, place: int) -> list[str]:
        return [name for columns in self._assignment.of(place) for name in columns.names]

    def _hand_over(self, batches: Sequence[Callable[[], pa.Table]]) -> None:
        super()._hand_over(batches)  # first: a run goes on after the last step that has norms
        digits = self._digits.take() if self._digits else None
        if digits and self._log is not None:
            self._log.writer.submit(digits, LAYER_DIGITS)


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
