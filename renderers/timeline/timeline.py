"""From a run to the series that are to be rendered, on one axis of steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from epochord.renderers.timeline.alignment import AlignmentError, on_steps_of, reference
from epochord.renderers.timeline.choice import (
    Choice,
    NothingToHearError,
    Quantity,
    Voice,
    choose,
)
from epochord.runlog import LogError, Run
from epochord.runlog.run.steps import once

__all__ = ["StepRange", "Timeline", "root_sum_of_squares", "timeline"]

StepRange = tuple[int | None, int | None]
"""First step, and the step before which to stop."""


@dataclass(frozen=True)
class Timeline:
    """Series on one axis.

    Parameters
    ----------
    steps : np.ndarray [shape=(frames,), int64]
        Ascending.
    names : tuple of str
        One a series, in the order in which they are to be heard.
    values : np.ndarray [shape=(series, frames), float32 or float64]
        NaN and the infinities are measurements.
    measured : np.ndarray [shape=(series, frames), bool]
        False where there is no measurement, nor an earlier one that still
        holds; the value there means nothing.
    unit : str
        What the values are.
    notes : tuple of str
        What was chosen or moved, in a line each.
    logged : np.ndarray [shape=(series, frames), bool], optional
        Where a value was written at this very step, and is not an earlier one
        that still holds; by default wherever there is a measurement.
    quantities : tuple of str, optional
        What each series measures (see `choice.Quantity`).
    wall : np.ndarray [shape=(frames,), float64], optional
        When each step was written, in seconds since the epoch; NaN where it is not known.
    """

    steps: npt.NDArray[np.int64]
    names: tuple[str, ...]
    values: npt.NDArray[np.floating[Any]]
    measured: npt.NDArray[np.bool_]
    unit: str = ""
    notes: tuple[str, ...] = ()
    logged: npt.NDArray[np.bool_] | None = None
    quantities: tuple[Quantity, ...] = ()
    wall: npt.NDArray[np.float64] | None = None

    @property
    def frames(self) -> int:
        """Number of steps on the axis."""
        return len(self.steps)

    def logged_only(self) -> "Timeline":
        """Return only the steps at which anything was written."""
        if self.logged is None or (there := self.logged.any(axis=0)).all():
            return self
        return replace(
            self,
            steps=self.steps[there],
            values=self.values[:, there],
            measured=self.measured[:, there],
            logged=self.logged[:, there],
            wall=None if self.wall is None else self.wall[there],
        )

    def on(self, axis: npt.NDArray[np.int64]) -> "Timeline":
        """Return the same series on another axis, each value held until its next step.

        Parameters
        ----------
        axis : np.ndarray [shape=(frames,), int64]
            Ascending.
        """
        place = np.searchsorted(self.steps, axis, side="right") - 1
        at = np.maximum(place, 0)
        measured = (place >= 0) & self.measured[:, at]
        own = self.measured if self.logged is None else self.logged
        logged = own[:, at] & (self.steps[at] == axis)
        wall = None if self.wall is None else np.interp(axis, self.steps, self.wall)
        return Timeline(
            axis, self.names, self.values[:, at], measured, self.unit, self.notes, logged,
            self.quantities, wall,
        )  # fmt: skip


def timeline(
    run: Run, choice: Choice | None = None, *, steps: StepRange = (None, None)
) -> Timeline:
    """Put what is chosen of a run on one axis.

    The axis has every step at which anything chosen was measured.  A value holds
    until its series' next step, and the last one for as long as its series'
    steps usually lie apart; before a series' first step there is nothing.  Of
    several values in one step the last one written counts.

    Parameters
    ----------
    run : Run
        Any run.
    choice : Choice, optional
        Which series; by default what a newcomer wants to hear.
    steps : (int or None, int or None)
        First step, and the step before which to stop; by default all.

    Raises
    ------
    NothingToHearError
        If the run has no measurement, or none between these steps.
    LogError
        If nothing matches the choice, or a series that was asked for lies on
        another x and cannot be placed.
    """
    choice = choice or Choice()
    chosen = choose(run, choice)
    voices, notes = _aligned(run, chosen.voices, asked=bool(choice.tags or choice.voices))
    axis = _axis(run, voices, steps)
    grids = _grids(voices)
    placements = {key: _Placement.of(grid, axis) for key, grid in grids.items()}
    rows = [_on_axis(voice, placements) for voice in voices]
    values, measured, logged = (np.stack(part) for part in zip(*rows, strict=True))
    names = tuple(voice.name for voice in voices)
    notes = [*filter(None, [chosen.note]), *notes, *_several_a_step(voices)]
    quantities = tuple(voice.quantity for voice in voices)
    return Timeline(
        axis, names, values, measured, chosen.unit, tuple(notes), logged, quantities,
        _wall_times(voices, axis),
    )  # fmt: skip


def root_sum_of_squares(norms: Sequence[npt.ArrayLike]) -> npt.NDArray[np.floating[Any]]:
    """Join the norms of parts to the norm of the whole.

    Parameters
    ----------
    norms : sequence of array-like [shape=(n,)]
        2-norms of disjoint parts of one vector.

    Returns
    -------
    np.ndarray [shape=(n,)]
        Of the norms' type.  Computed in float64, where no square of a float32
        overflows; a single part comes back unchanged, to the bit.
    """
    if len(norms) == 1:
        return np.asarray(norms[0])
    parts = np.asarray(norms)
    total = np.square(parts, dtype=np.float64).sum(axis=0)
    with np.errstate(over="ignore"):  # a sum of float32 norms can exceed float32
        return np.asarray(np.sqrt(total).astype(parts.dtype))


def _aligned(run: Run, voices: Sequence[Voice], *, asked: bool) -> tuple[list[Voice], list[str]]:
    """Bring all series to the steps of the longest one; leave out what cannot be."""
    leader = reference([series for voice in voices for series in voice.members])
    aligned: list[Voice] = []
    notes: list[str] = []
    for voice in voices:
        try:
            members = tuple(on_steps_of(leader, series) for series in voice.members)
        except AlignmentError as error:
            if asked:
                raise LogError(f"run {run.name!r}: {error}; choose one of them alone") from error
            notes.append(f"left out: {error}")
            continue
        aligned.append(Voice(voice.name, members))
        if any(new is not old for new, old in zip(members, voice.members, strict=True)):
            notes.append(
                f"{voice.name} counts something else than {leader.tag}: placed by wall time"
            )
    return aligned, notes


def _grids(voices: Sequence[Voice]) -> dict[int, npt.NDArray[np.int64]]:
    """Return the different arrays of steps; the series of one table share theirs."""
    return {id(series.steps): series.steps for voice in voices for series in voice.members}


def _axis(run: Run, voices: Sequence[Voice], steps: StepRange) -> npt.NDArray[np.int64]:
    every = once(np.concatenate([once(grid) for grid in _grids(voices).values()]))
    first, stop = steps
    wanted = np.ones(len(every), dtype=bool)
    if first is not None:
        wanted &= every >= first
    if stop is not None:
        wanted &= every < stop
    if not wanted.any():
        asked = f"{'' if first is None else first}:{'' if stop is None else stop}"
        raise NothingToHearError(
            f"run {run.name!r} has nothing in the steps {asked}; its steps are "
            f"{every[0]}…{every[-1]}"
        )
    return every[wanted]


def _wall_times(voices: Sequence[Voice], axis: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return when each step was written, as the longest series that says so has it."""
    for series in sorted((each for voice in voices for each in voice.members), key=len)[::-1]:
        known = np.isfinite(series.wall_times)
        if known.any():
            steps, first = np.unique(series.steps[known], return_index=True)
            times = series.wall_times[known][first]
            return np.asarray(np.interp(axis, steps, times, left=np.nan, right=np.nan))
    return np.full(len(axis), np.nan)


class _Placement(NamedTuple):
    """Which point of a series holds at each step of the axis; where there is one, and a new one."""

    point: npt.NDArray[np.intp]
    known: npt.NDArray[np.bool_]
    fresh: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, steps: npt.NDArray[np.int64], axis: npt.NDArray[np.int64]) -> "_Placement":
        """Hold each point until the next one."""
        if np.array_equal(steps, axis):
            everywhere = np.ones(len(axis), dtype=bool)
            return cls(np.arange(len(axis)), everywhere, everywhere)
        order = np.argsort(steps, kind="stable")  # the last one written stays the last
        ascending = steps[order]
        place = np.searchsorted(ascending, axis, side="right") - 1
        gaps = np.diff(once(ascending))
        until = ascending[-1] + (int(np.median(gaps)) if len(gaps) else 1)
        point = order[np.maximum(place, 0)]
        return cls(point, (place >= 0) & (axis < until), steps[point] == axis)


def _on_axis(
    voice: Voice, placements: Mapping[int, _Placement]
) -> tuple[npt.NDArray[np.floating[Any]], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Put a voice on the axis; it is measured, and logged, where any of its members is."""
    norms, known, fresh = [], [], []
    for series in voice.members:
        placement = placements[id(series.steps)]
        held = series.values[placement.point]
        norms.append(np.where(placement.known, held, held.dtype.type(0)))
        known.append(placement.known)
        fresh.append(placement.fresh)
    either = np.logical_or.reduce
    return root_sum_of_squares(norms), either(known), either(fresh)


def _several_a_step(voices: Sequence[Voice]) -> list[str]:
    spare = {key: len(steps) - len(once(steps)) for key, steps in _grids(voices).items()}
    count = sum(spare[id(series.steps)] for voice in voices for series in voice.members)
    if not count:
        return []
    values = "1 value shares its step" if count == 1 else f"{count} values share their step"
    return [f"{values} with a later one of {'its' if count == 1 else 'their'} tag, which is heard"]
