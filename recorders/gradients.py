"""Record the gradient norm of every parameter, step by step, without disturbing training."""

import os
from collections.abc import Mapping, Sequence
from typing import Any
from weakref import ref

from torch import nn
from torch.nn.parameter import is_lazy
from torch.optim import Optimizer

from epochord.recorders.assignment import Assignment, Trained
from epochord.recorders.backward import GradientsSeen
from epochord.recorders.columns import NormColumns
from epochord.recorders.devices import capturing
from epochord.recorders.digit_counts import DigitRows
from epochord.recorders.endings import last_error
from epochord.recorders.parameters import (
    model_layers,
    named_parameters,
    refuse_sharded,
)
from epochord.recorders.recorder import OnError, Recorder, rows_for, whole_number
from epochord.recorders.steps import StepHooks, inner_optimizers
from epochord.runlog.digits.tables import LAYER_DIGITS
from epochord.runlog.errors import described
from epochord.runlog.run.metadata import Format, RunMetadata
from epochord.runlog.run.run import GRAD_NORM

__all__ = ["GradientRecorder"]


class GradientRecorder(Recorder):
    """Writes a run's gradient norms, and what else is logged, while it trains.

    A step is a call of an optimizer's ``step`` that was not skipped, counted from 0; what
    it calls in turn, such as ``super().step()`` or a wrapped optimizer's, is part of it.  The
    2-norm of every parameter's gradient is measured as the optimizer is given it: before it
    runs, or if it has a closure, after that was called last.  Norms stay on the gradients'
    device; rows go to the log in batches, from a thread of its own.  Nothing waits for the device
    (but for sparse gradients) or for the disk, and training computes what it would have
    computed without the recorder.

    Parameters
    ----------
    model : torch.nn.Module
        All its parameters are recorded, also those that join later; one whose gradient
        is None at a step is null there.
    optimizer : torch.optim.Optimizer, something that wraps some, or a sequence of them
        Any other optimizer that trains parameters of the model is recorded, too, from its
        first step on, such as one that takes another's place.
    directory : path-like
        The run's directory, such as ``"runs/mine"``; its name is the run's name.
    every : int
        Measure norms at steps 0, `every`, 2·`every`, …; `log` works at all steps.
    format : {"parquet", "tensorboard", "both"}
        How the log is written.
    resume : bool or int
        Go on with the run in `directory`, if there is one: with True after its last step;
        with the step that comes next, where training starts again from a checkpoint.  What
        the log holds from there on becomes a run of its own, ``segment-1``, in `directory`.
    overwrite : bool
        Remove the run in `directory`, if there is one.
    on_error : {"warn", "raise"}
        What becomes of a log that cannot be written.  By default there is one warning, rows
        wait in memory (64 MiB) and are tried again, and what is lost is named in the log; else
        the next call raises what went wrong.
    signals : bool
        Whether SIGTERM and SIGHUP complete the log before the process ends of them; where a
        handler is there, all is brought to the disk before it is called.
    seed : int, optional
        Noted in `run.json`.
    hyperparameters, dataset : mapping, optional
        Noted in `run.json`; plain JSON values.
    flush_seconds : float
        Rows go to the disk at least this often, those on other devices at the next step.
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
        If there is a run in `directory` and neither `resume` nor `overwrite`, if it is of
        another model or format, or if somebody is recording it.
    OutputError
        If `directory` cannot be written to.
    LogError
        If `directory` holds a log that cannot be read.
    NotImplementedError
        If parameters are sharded (DTensor, FSDP).
    TypeError
        If `optimizer` is no optimizer of PyTorch's, and wraps none.
    ValueError
        If an argument makes no sense, or model and optimizer share no parameter.

    Notes
    -----
    Of several optimizers a row holds at most one step each: it begins with a step of the
    one that stepped first of all, or of any that trains a parameter that has been stepped in
    the row before.  So it is one iteration where all of them step in each, in the same
    order, also within ``backward()``; where they step at different rates, each step of the
    most frequent one has a row, and the others' stand beside it.

    Gradients are averaged by DistributedDataParallel (of which only rank 0 writes),
    unscaled by ``torch.amp.GradScaler``, and clipped.  Call `capture` before clipping to
    record them unclipped.  A step that a GradScaler skips is no step, but for
    fused optimizers, which are called nevertheless.  Steps within a CUDA graph are not
    seen.

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
        optimizer: Any,
        directory: str | os.PathLike[str],
        *,
        every: int = 1,
        format: Format = "parquet",
        resume: bool | int = False,
        overwrite: bool = False,
        on_error: OnError = "warn",
        signals: bool = True,
        seed: int | None = None,
        hyperparameters: Mapping[str, Any] | None = None,
        dataset: Mapping[str, Any] | None = None,
        flush_seconds: float = 5.0,
        first_digits: int | None = None,
    ) -> None:
        every = whole_number("every", every)
        refuse_sharded(model)
        parameters = named_parameters(model)
        optimizers = _optimizers(optimizer, parameters)
        self._digits = None if first_digits is None else DigitRows(list(parameters), first_digits)
        rows = rows_for(len(parameters))
        self._model = ref(model)  # to be let go when nobody else has it
        self._lazy = sum(map(is_lazy, parameters.values()))  # parameters without a shape yet
        self._captured: set[frozenset[int]] = set()  # whose next gradients have been measured
        self._assignment = Assignment(model, optimizers, rows.columns, rows.capacity + 1)
        self._every = every
        self._leader: Trained | None = None
        self._stepped: frozenset[int] = frozenset()  # parameters, in the open row
        self._seen = GradientsSeen()
        metadata = RunMetadata(
            name="",
            seed=seed,
            every=every,
            hyperparameters={**_settings(optimizers[0]), **(hyperparameters or {})},
            dataset=dataset or {},
            layers=model_layers(model),
        )
        self._hooks: StepHooks | None = None
        super().__init__(
            directory,
            metadata,
            rows,
            format=format,
            resume=resume,
            overwrite=overwrite,
            on_error=on_error,
            signals=signals,
            flush_seconds=flush_seconds,
        )
        self._hooks = StepHooks(self)

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
            If it is needed and missing, or trains nothing of the model.
        """
        if not self._records("capture()"):
            return
        with self._lock:
            if optimizer is None:
                trained = self._assignment.only()
                if trained is None:
                    raise ValueError(
                        "capture(): there are several optimizers; name the one that steps next"
                    )
            else:
                found = [self._assignment.of(each) for each in inner_optimizers(optimizer)]
                trained = next(filter(None, found), None)
                if trained is None:
                    raise ValueError("capture(): this optimizer trains no parameter of the model")
            self._capture_ahead(trained)
            self._captured.add(trained.key)

    def trained(self, optimizer: Optimizer) -> Trained | None:
        """Return what an optimizer trains of the model (asked at each step)."""
        if self._forked or self._closed:
            self._records("a step")
            self._detach()
            return None
        settled = self._assignment.settled(optimizer)
        if settled is not None:
            return settled
        try:
            with self._lock:
                trained = self._assignment.of(optimizer)
                self._rows.on_host &= all(columns.on_host for columns in self._rows.columns)
                return trained
        except Exception as error:  # whoever's it is, it must be able to step
            if self._raises:
                raise
            self._warn_once(f"an optimizer could not be looked at ({described(error)})")
            return None

    def before(self, optimizer: Optimizer, trained: Trained) -> None:
        """Measure what an optimizer is about to use."""
        self._guarded(self._begin, optimizer, trained, None)

    def evaluated(self, trained: Trained) -> None:
        """Measure what a closure has computed for an optimizer."""
        self._guarded(self._note_evaluation, trained)

    def after(self, optimizer: Optimizer, trained: Trained, closure: bool, evaluated: bool) -> None:
        """Count a step with a closure, and look at weights."""
        if closure:
            self._guarded(self._begin, optimizer, trained, evaluated)
        self._guarded(self._look, optimizer)
        if self._digits:
            self._guarded(self._count_weights, trained)

    def _guarded(self, measure: Any, *given: Any) -> None:
        """Measure something; what goes wrong there must not stop a training."""
        if self._assignment.on_cuda and capturing():
            self._warn_once("a step within a CUDA graph cannot be seen; it is not recorded")
            return
        try:
            with self._lock:
                measure(*given)
        except Exception as error:
            if self._raises:
                raise
            self._warn_once(f"something could not be measured ({described(error)})")

    def _begin(self, optimizer: Optimizer, trained: Trained, evaluated: bool | None) -> None:
        """Open a row where a step begins one, and measure into it.

        `evaluated` is None where there is no closure, else whether it was called.
        """
        self._error_before = id(last_error())
        begins = trained is self._leader or self._begins_row(trained)
        if begins:
            self.step += 1
            self._stepped = trained.key
        else:
            self._stepped = self._stepped | trained.key
        ahead = bool(evaluated)
        if self._captured:
            ahead = ahead or trained.key in self._captured
            self._captured.discard(trained.key)
        if self._log is None:
            return
        if self._raises:
            self._log.writer.raise_again()
        rows = self._rows
        if begins and not rows.on_host:
            self._drain_if_due()
        measured = self.step % self._every == 0
        if measured or rows.expected:
            self._open_row()
            if rows.expected:
                rows.join_coming()
        if not measured:
            return
        scale = None if ahead else getattr(optimizer, "grad_scale", None)
        for chosen in trained.chosen:
            if ahead:
                chosen.adopt(rows.row)
            else:
                chosen.capture(rows.row, scale)
        rows.changed()
        if self._digits and self._digits.due(self.step):
            self._digits.open(self.step)
            self._digits.capture_gradients(trained.key, trained.named, scale)
        if self._assignment.model_changed or (self._lazy and self._lazy != self._still_lazy()):
            self._note_model()

    def _begins_row(self, trained: Trained) -> bool:
        if self._leader is None or trained.key == self._leader.key:
            self._leader = trained
            return True
        return not trained.key.isdisjoint(self._stepped)

    def _note_evaluation(self, trained: Trained) -> None:
        if trained.key not in self._captured and self._log is not None:
            self._capture_ahead(trained)

    def _capture_ahead(self, trained: Trained) -> None:
        """Measure for a step that is still to come."""
        for chosen in trained.chosen:
            chosen.capture(NormColumns.AHEAD)
        if self._digits:
            self._digits.capture_ahead(trained.key, trained.named)

    def _look(self, optimizer: Optimizer) -> None:
        """Remember how a step has left gradients, to tell when a backward pass has come since.

        Those of the optimizer that steps, and of the one that begins the rows: what belongs to
        the steps of others is of the same row.
        """
        leader = self._leader.optimizer if self._leader else None
        if leader is None or leader is optimizer:
            self._seen.look([optimizer])
        else:
            self._seen.look([optimizer, leader])

    def _awaits_step(self) -> bool:
        if not self._seen:
            return super()._awaits_step()
        return self._seen.changed

    def _begun(self) -> bool:
        return super()._begun() or any(
            parameter.grad is not None for parameter in self._assignment.named.values()
        )

    def _count_weights(self, trained: Trained) -> None:
        due = self._log is not None and self.step % self._every == 0
        if due and self._digits and self._digits.due(self.step):
            self._digits.capture_weights(trained.key, trained.named)

    def _note_model(self) -> None:
        """Note what the model's parameters are by now."""
        assert self._log is not None
        self._assignment.model_changed = False
        self._lazy = self._still_lazy()
        if self._digits:
            self._digits.know(list(self._assignment.named))
        model = self._model()
        if model is not None:
            self._log.note(layers=model_layers(model))

    def _still_lazy(self) -> int:
        return sum(map(is_lazy, self._assignment.named.values()))

    def _measure_end(self) -> None:
        model = self._model()
        if model is not None and self._log is not None:
            self._log.note(layers=model_layers(model))  # layers may have been unfrozen

    @property
    def orphaned(self) -> bool:
        """Whether no parameter is left that could be trained."""
        return not self._assignment.named

    def _detach(self) -> None:
        if self._hooks:
            self._hooks.remove()

    def _finish_tables(self) -> None:
        if self._digits:
            self._digits.finish()

    def _hand_over(self, taken: Sequence[Any]) -> None:
        super()._hand_over(taken)  # first: a run goes on after the last step that has norms
        digits = self._digits.take() if self._digits else None
        if digits:
            self._submit(digits, LAYER_DIGITS)


def _optimizers(given: Any, parameters: Mapping[str, nn.Parameter]) -> list[Optimizer]:
    """Return the optimizers that were passed, or that what was passed wraps."""
    several = list(given) if isinstance(given, list | tuple) else [given]
    if not several:
        raise ValueError("no optimizer: pass at least one")
    ids = {id(parameter) for parameter in parameters.values()}
    found: list[Optimizer] = []
    for each in several:
        inner = inner_optimizers(each)
        kind = type(each).__name__
        if not inner:
            raise TypeError(
                f"optimizer is {kind} ({type(each).__module__}), whose steps cannot be seen; "
                "expected a torch.optim.Optimizer, or something that wraps one"
            )
        own = [o for o in inner if any(id(p) in ids for g in o.param_groups for p in g["params"])]
        if not own:
            raise ValueError(
                f"the {kind} optimizer holds no parameter of this model; "
                "pass the model that it trains"
            )
        found += own
    return found


def _settings(optimizer: Optimizer) -> dict[str, Any]:
    """Return an optimizer's name and its plain settings that are not switched off."""
    plain = {
        name: value
        for name, value in optimizer.defaults.items()
        if isinstance(value, int | float | str) and value is not False
    }
    return {"optimizer": type(optimizer).__name__, **plain}
