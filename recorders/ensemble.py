"""Record what every member of an ensemble predicts, epoch by epoch, while it is trained."""

import os
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from epochord.recorders.answers import Answers, as_array
from epochord.recorders.asking import Asked, Members, Reply
from epochord.recorders.devices import to_host
from epochord.recorders.ensemble_places import (
    Places,
    Points,
    refuse_unreadable,
    with_prior,
)
from epochord.recorders.ensemble_rows import (
    Pending,
    Waiting,
    as_losses,
    beyond_half,
    form_of,
    refuse_other_form,
    refuse_other_shape,
    rows_of,
)
from epochord.recorders.ensemble_task import decide, warn_of_lone_targets
from epochord.recorders.recorder import OnError, Recorder, rows_for, whole_number
from epochord.recorders.rows import Taken
from epochord.runlog.ensemble import EnsembleSetup
from epochord.runlog.ensemble.tables import ENSEMBLE, ENSEMBLE_SETUP, setup_rows
from epochord.runlog.run.metadata import Format, RunMetadata
from epochord.runlog.run.run import GRAD_NORM

__all__ = ["EnsembleRecorder"]

# Epochs go to the writer in batches of about so many numbers: 8 MiB of float32.
BATCHED_VALUES = 1 << 21
# Where `every` passes over an epoch, the members are asked at about so many points,
# so that closing can tell whether training has gone on since.
PROBED_POINTS = 8

LOSS = "loss"


class EnsembleRecorder(Recorder):
    """Writes what an ensemble predicts on a grid, its losses, and what else is logged.

    An epoch is a call of `record`, counted from 0; its predictions are those of the
    members as they then are, so the first call belongs before the first
    optimizer step.  All places are asked in one call, answers stay on their device and
    go to the log in batches, from a thread of its own.  Training computes what it
    would have computed without the recorder.  A run is recorded in one go: it cannot be
    resumed.

    Parameters
    ----------
    members : callable, sequence or mapping of members, or an ensemble of estimators
        Modules, functions, or fitted estimators of scikit-learn's kind (their `predict_proba` or
        `predict`), one a member, each giving [shape=(points,), (points, 1) or (points, outputs)]
        at inputs [shape=(points, ...)].  Or one function for all of them, giving [shape=(members,
        points), (members, points, 1) or (members, points, outputs)].  In torch or NumPy.  What
        they give is Q, their prior included.  Modules are evaluated in eval mode.  A mapping names
        its members.  A whole ensemble of estimators (forest, bagging, voting) stands for its
        members, a boosted one for its stages; `MCDropout` for the draws of a network.

        In place of numbers a member may give (mean, variance), a `torch.distributions`
        distribution, or what laplace-torch, torch-uncertainty and lightning-uq-box return.

        Who is there is looked at anew in each epoch: lists, mappings and ensembles may grow and
        shrink.  A member of a list is known by its object, of a mapping by its name, else by its
        position.
    directory : path-like
        The run's directory, such as ``"runs/mine"``; its name is the run's name.
    grid : torch.Tensor or array-like [shape=(points,) or (points, ...)], optional
        Where the members are asked, to be drawn: of one input or two.  Functions get a tensor if
        this is one, else an array, in the shape of a table or of images; modules get tensors of
        their own precision and device.  Not needed where there are other points; inputs of
        more than 64 numbers a point are not stored.
    data, held_out : tuple of (inputs, targets), optional
        What the ensemble is trained on, and what nobody is trained on: inputs as `grid`, and
        targets [shape=(n,), (n, 1) or (n, outputs)]; of a classification, labels.  The members
        are asked there too.
    ood : as `grid`, optional
        Inputs known to be out of distribution.
    task : {"regression", "classification"}, optional
        What several outputs are.  By default classes if the members say so (classifiers,
        categorical distributions) or the targets do (one label each), else target dimensions.
        Of a classification one number is the probability of class 1.
    logits : bool
        Whether members give logits of classes, of which the softmax is recorded.
    classes : sequence, optional
        The labels of the classes, in the order of the members' columns; by default what the
        classifiers or the targets say.
    indices : array-like of int [shape=(members, draws)], optional
        Which of `data` each member is trained on, where they differ.
    prior : as `members`, optional
        The members' fixed prior functions p, without their scale; asked once.
    prior_scale : float
        β of Q = f + β·p.
    every : int
        Keep the predictions of epochs 0, `every`, 2·`every`, … and of the last one;
        losses and `log` work at all epochs.
    format : {"parquet", "tensorboard", "both"}
        How the log is written.
    half : bool
        Keep predictions in float16: half the size, three digits, infinite above 65,504,
        which is warned of where it happens.
    overwrite : bool
        Remove the run in `directory`, if there is one.
    on_error : {"warn", "raise"}
        What becomes of a log that cannot be written: one warning, rows that wait and are tried
        again, and a hole named in the log; or the next call raises what went wrong.
    signals : bool
        Whether SIGTERM and SIGHUP complete the log before the process ends of them.
    seed : int, optional
        Noted in `run.json`.
    hyperparameters, dataset : mapping, optional
        Noted in `run.json`; plain JSON values.  ``noise_sd`` in `dataset`, the standard
        deviation of the targets' noise, makes predictions of the members.
    flush_seconds : float
        What there is is handed to the writer at least this often, at the next epoch.

    Attributes
    ----------
    step : int
        The epoch recorded last; -1 before the first one.
    members : int
        How many there ever were.

    Raises
    ------
    RunExistsError
        If there is a run in `directory`.
    OutputError
        If `directory` cannot be written to.
    LogError
        If `directory` holds a log that cannot be read.
    ValueError
        If an argument makes no sense, the members cannot be asked, shapes do not fit,
        probabilities are none, or copies of one module come out equal.
    TypeError
        If members are no functions, or give no real numbers.

    Notes
    -----
    On leaving the block the members are asked once more.  If they answer otherwise than
    in the last epoch, training has gone on since, and this is one epoch more, without
    losses.  So both loops are complete: ``record`` before each step, and ``record``
    after each, with one before the first.  After an exception they are not asked.

    Examples
    --------
    >>> with EnsembleRecorder(members, "runs/mine", grid=x, data=(x0, y0)) as recorder:
    ...     for epoch in range(100):
    ...         losses = torch.stack([criterion(member(x0), y0) for member in members])
    ...         recorder.record(losses)
    ...         optimizer.zero_grad()
    ...         losses.sum().backward()
    ...         optimizer.step()
    """

    _RESUMES = False
    _OWN = (GRAD_NORM, f"{LOSS}/", f"{ENSEMBLE}/", f"{ENSEMBLE_SETUP}/")

    def __init__(
        self,
        members: Members,
        directory: str | os.PathLike[str],
        *,
        grid: Points | None = None,
        data: tuple[Points, Points] | None = None,
        held_out: tuple[Points, Points] | None = None,
        ood: Points | None = None,
        task: str | None = None,
        logits: bool = False,
        classes: Sequence[Any] | None = None,
        indices: Points | None = None,
        prior: Members | None = None,
        prior_scale: float = 1.0,
        every: int = 1,
        format: Format = "parquet",
        half: bool = False,
        overwrite: bool = False,
        on_error: OnError = "warn",
        signals: bool = True,
        seed: int | None = None,
        hyperparameters: Mapping[str, Any] | None = None,
        dataset: Mapping[str, Any] | None = None,
        flush_seconds: float = 5.0,
    ) -> None:
        every = whole_number("every", every)
        if not isfinite(prior_scale):
            raise ValueError(f"prior_scale is {prior_scale}; expected a finite number")
        places = Places(grid, data, held_out, ood)
        inputs, expected = places.inputs, bool(task == "classification" or logits or classes)
        self._asked = Asked(members, inputs, classes=expected)
        probe = inputs[:: max(1, len(inputs) // PROBED_POINTS)]
        known = self._asked.identities
        self._probed = Asked(members, probe, classes=expected, identities=known)
        first = self._asked.checked()
        self._form = form_of(first.answer)
        self._task = decide(first.answer, places.targets, task=task, logits=logits, classes=classes)
        setup = places.setup(self._task)
        self.members = len(first.identities)
        self._setup = with_prior(setup, prior, prior_scale, inputs, first.answer)
        warn_of_lone_targets(setup)
        if indices is not None:
            self._setup = self._drawn(as_array(indices))
        if format != "parquet":
            refuse_unreadable(self._setup, self.members)
        self._width = max(2, len(str(self.members - 1)))  # of the numbers in names of losses
        self._every = every
        self._dtype = (torch.float16, np.float16) if half else (torch.float32, np.float32)
        self._changed = False  # whether the indices have
        self._spilt: list[tuple[int, Waiting]] = []  # by epoch: what float16 cannot hold
        self._warned = False  # of that
        self._seen: Waiting | None = None  # what the members said in the last epoch
        self._pending: list[Pending] = []
        self._pending_values = 0
        metadata = RunMetadata(
            name="",
            seed=seed,
            every=every,
            hyperparameters={
                "members": self.members,
                **self._task.about(),
                **self._named(),
                **(hyperparameters or {}),
            },
            dataset=dataset or {},
        )
        rows = rows_for(self.members + 1)
        super().__init__(
            directory,
            metadata,
            rows,
            format=format,
            overwrite=overwrite,
            on_error=on_error,
            signals=signals,
            flush_seconds=flush_seconds,
        )

    def record(self, losses: Points | None = None, *, indices: Points | None = None) -> None:
        """Record the ensemble as it is now, as the next epoch.

        Parameters
        ----------
        losses : torch.Tensor or array-like [shape=(members,)], optional
            Each member's loss, logged as ``loss/00``, …, and their mean as ``loss``.
        indices : array-like of int [shape=(members, draws)], optional
            Which of the data each member is trained on in this epoch.  They should be
            those of the first epoch: a bootstrap that is drawn anew in each is warned of.

        Raises
        ------
        RuntimeError
            After `close`.
        ValueError
            If a shape does not fit, the members give outputs or variances that they did not give
            when recording began, or none any more, or the first indices come too late.
        TypeError
            If something is no real number.
        Exception
            What went wrong while writing earlier epochs.
        """
        if self._closed:
            raise RuntimeError("record(): this recorder is closed")
        if self._forked:
            self._records("record()")
            return
        values = None if losses is None else as_losses(losses)
        if indices is not None:
            self._compare(as_array(indices))
        if self._log is None:
            self.step += 1
            return
        measured = (self.step + 1) % self._every == 0
        reply = self._ask(probed=not measured)
        if values is not None:
            refuse_other_shape(values, len(reply.identities))
        self.step += 1
        if self.step == 0:
            batch = partial(setup_rows, self._setup, time.time())
            self._submit(Taken(batch, (0, 0), 0), ENSEMBLE_SETUP)
        with self._lock:
            self._drain_if_due()
            self._open_row()
            if values is not None:
                self._log_losses(values, reply.identities)
            if measured:
                self._measure(reply)
            else:
                self._seen = self._stored(reply.answer.values)

    def _ask(self, *, probed: bool = False) -> Reply:
        reply = (self._probed if probed else self._asked)()
        refuse_other_form(reply.answer, self._form)
        return reply

    def _log_losses(self, values: Answers, identities: npt.NDArray[np.int64]) -> None:
        if isinstance(values, torch.Tensor) and not values.is_cpu:
            wide = values.to(torch.float32, copy=True)
            numbers: Sequence[Any] = [wide.mean(), *wide.unbind()]
        else:
            plain = as_array(values).astype(np.float64)
            with np.errstate(invalid="ignore", over="ignore"):  # of infinities
                numbers = [float(plain.mean()), *plain.tolist()]
        tags = [LOSS, *(f"{LOSS}/{each:0{self._width}}" for each in identities.tolist())]
        for tag, number in zip(tags, numbers, strict=True):
            self._rows.log(tag, number)

    def _compare(self, indices: npt.NDArray[Any]) -> None:
        """Take the first epoch's indices for the run's; warn once if later ones differ."""
        first = self._setup.indices
        if first is not None and np.array_equal(first, indices):
            return
        setup = self._drawn(indices)
        if first is None and self.step < 0:
            self._setup = setup
        elif first is None:
            raise ValueError(
                f"record(): indices come in epoch {self.step + 1} for the first time; give them "
                "from the first epoch on, so that they are logged"
            )
        elif not self._changed:
            self._changed = True
            if self._log is not None:
                self._log.note(hyperparameters={"indices_changed_at": self.step + 1})
            warnings.warn(
                f"the bootstrap indices of epoch {self.step + 1} are not those of the first epoch: "
                "drawn anew in each epoch, they train all members on all data, and the spread "
                "falls to less than half; draw them once a member",
                UserWarning,
                stacklevel=3,
            )

    def _drawn(self, indices: npt.NDArray[Any]) -> EnsembleSetup:
        """Return the setup with indices, if they are any."""
        if indices.ndim != 2 or len(indices) != self.members or indices.dtype.kind not in "iu":
            raise ValueError(
                f"indices are {indices.dtype} of shape {indices.shape}; expected integers "
                f"({self.members}, draws), a row a member"
            )
        if not len(self._setup.data):
            raise ValueError("indices are of no data; pass the training data as data=(x, y)")
        return replace(self._setup, indices=indices.astype(np.int64))

    def _stored(self, answers: Answers) -> Waiting:
        """Start copying answers as they will be stored; the function returned waits for them."""
        in_torch, in_numpy = self._dtype
        if isinstance(answers, torch.Tensor):
            return to_host(answers.detach().to(in_torch))
        with np.errstate(over="ignore"):  # beyond the precision is infinite in the log
            copy: npt.NDArray[np.floating[Any]] = answers.astype(in_numpy)
        return lambda: copy

    def _measure(self, reply: Reply) -> None:
        answer = self._task.of(reply.answer)
        self._seen = self._stored(reply.answer.values)
        stored = self._stored(answer.values)
        if self._dtype[1] == np.float16 and not self._warned:
            self._spilt.append((self.step, beyond_half(answer.values)))
        variances = None if answer.variances is None else self._stored(answer.variances)
        self._pending.append(Pending(self.step, time.time(), stored, variances, reply.identities))
        self._note_members()
        self._pending_values += int(np.prod(answer.values.shape)) * (1 if variances is None else 2)
        if self._pending_values >= BATCHED_VALUES:
            self._send_predictions()

    def _note_members(self) -> None:
        """Note in `run.json` who has come."""
        known = self._asked.identities.count
        if known > self.members and self._log is not None:
            self.members = known
            self._log.note(hyperparameters={"members": known, **self._named()})

    def _named(self) -> dict[str, list[str]]:
        names = self._asked.identities.names
        return {"member_names": names} if names else {}

    def _measure_end(self) -> None:
        """Measure the last epoch if it is not yet, or one more if training has gone on."""
        if self._seen is None:
            return
        measured = self.step % self._every == 0
        reply = self._ask(probed=not measured)
        now = self._stored(reply.answer.values)
        moved = not np.array_equal(self._seen(), now(), equal_nan=True)
        if moved:
            self.step += 1
        if moved or not measured:
            self._measure(reply if measured else self._ask())

    def _hand_over(self, taken: Sequence[Taken]) -> None:
        super()._hand_over(taken)
        self._send_predictions()

    def _warn_of_overflow(self) -> None:
        """Warn once of predictions that float16 cannot hold; this waits for the last epoch."""
        counts = [(epoch, int(count())) for epoch, count in self._spilt]
        self._spilt = []
        epoch, count = next(((e, c) for e, c in counts if c), (0, 0))
        if not count or self._warned:
            return
        self._warned = True
        assert self._log is not None
        self._log.note(hyperparameters={"half_overflows_at": epoch})
        warnings.warn(
            f"epoch {epoch}: of the predictions, {count} are beyond 65,504 and so infinite in "
            "float16; record without half to keep them",
            UserWarning,
            stacklevel=2,
        )

    def _send_predictions(self) -> None:
        if self._pending:
            self._warn_of_overflow()
            batch = partial(rows_of, self._pending, self._setup)
            steps = (self._pending[0].step, self._pending[-1].step)
            size = self._pending_values * np.dtype(self._dtype[1]).itemsize
            self._submit(Taken(batch, steps, size), ENSEMBLE)
            self._pending, self._pending_values = [], 0
