"""Several runs on one axis of steps, with the same voices: what comparing them rests on."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain

import numpy as np
import numpy.typing as npt

from epochord.renderers.timeline.choice import MAX_VOICES, Choice, Quantity
from epochord.renderers.timeline.timeline import StepRange, Timeline, timeline
from epochord.runlog import LogError, Run

__all__ = ["shared_timelines", "side_by_side", "usual_gap"]

MOST_NAMED = 4  # runs in a message


def shared_timelines(
    runs: Sequence[Run], choice: Choice | None = None, *, steps: StepRange = (None, None)
) -> list[Timeline]:
    """Choose voices of several runs and put all on one axis.

    Parameters
    ----------
    runs : sequence of Run
        Any runs with measurements.
    choice : Choice, optional
        Which series, of each run; by default what a newcomer wants to hear, or
        where that differs from run to run, the same among the tags that all have.
    steps : (int or None, int or None)
        First step, and the step before which to stop; by default all.

    Returns
    -------
    list of Timeline
        One a run (see `side_by_side`).

    Raises
    ------
    NothingToHearError
        If a run has no measurement, or none between these steps.
    LogError
        If several runs have no voice in common.
    """
    choice = choice or Choice()
    lines = [timeline(run, choice, steps=steps) for run in runs]
    if len(runs) < 2 or _shared(line.names for line in lines):
        return side_by_side(lines)
    tags = _shared(run.series for run in runs)
    if not tags or choice.tags or choice.layers or choice.voices:
        raise LogError(_nothing_shared(runs, lines))
    only = [replace(run, series={tag: run[tag] for tag in tags}) for run in runs]
    lines = [timeline(run, choice, steps=steps) for run in only]
    heard = ", ".join(lines[0].names[:4]) + (" …" if len(lines[0].names) > 4 else "")
    said = f"heard: {heard}, of what all of these have; --tags GLOB chooses others"
    notes = [[note for note in line.notes if not note.startswith("heard:")] for line in lines]
    return side_by_side(
        [replace(line, notes=(said, *kept)) for line, kept in zip(lines, notes, strict=True)]
    )


def side_by_side(lines: Sequence[Timeline]) -> list[Timeline]:
    """Put timelines on one axis, with the same voices in the same order.

    Parameters
    ----------
    lines : sequence of Timeline
        One a run.

    Returns
    -------
    list of Timeline
        On every step that any of the runs has.  A value holds until its run's
        next step, and the last one for as long as the run's steps usually lie
        apart: behind it the run is not measured, nor is a voice that it does not
        have.  Of more than twelve voices, those that the most runs have.
    """
    names = _voices(lines)
    axis = np.unique(np.concatenate([line.steps for line in lines]))
    unit = lines[0].unit if len({line.unit for line in lines}) == 1 else ""
    known = {
        name: quantity
        for line in lines
        for name, quantity in zip(line.names, line.quantities, strict=bool(line.quantities))
    }
    quantities = tuple(known.get(name, "") for name in names)
    return [_placed(line, names, axis, unit, quantities) for line in lines]


def _voices(lines: Sequence[Timeline]) -> tuple[str, ...]:
    """Return all names in order, or of too many those that the most runs have."""
    every = list(dict.fromkeys(chain.from_iterable(line.names for line in lines)))
    count = {name: sum(name in line.names for line in lines) for name in every}
    most = sorted(every, key=count.__getitem__, reverse=True)[:MAX_VOICES]
    return tuple(name for name in every if name in most)


def _placed(
    line: Timeline,
    names: Sequence[str],
    axis: npt.NDArray[np.int64],
    unit: str,
    quantities: tuple[Quantity, ...],
) -> Timeline:
    held = line.on(axis)
    ended = axis >= line.steps[-1] + usual_gap(line.steps)
    values = np.zeros((len(names), len(axis)), held.values.dtype)
    measured, logged = np.zeros((2, *values.shape), bool)
    for row, name in enumerate(names):
        if name in line.names:
            own = line.names.index(name)
            values[row] = held.values[own]
            measured[row] = held.measured[own] & ~ended
            logged[row] = measured[row] if held.logged is None else held.logged[own]
    return Timeline(
        axis, tuple(names), values, measured, unit, line.notes, logged, quantities, held.wall
    )


def usual_gap(steps: npt.NDArray[np.int64]) -> int:
    """Return the median distance of ascending steps; 1 of a single one."""
    return int(np.median(np.diff(steps))) if len(steps) > 1 else 1


def _shared(several: Iterable[Iterable[str]]) -> list[str]:
    """Return what all have, in the order of the first."""
    first, *others = map(list, several)
    return [each for each in first if all(each in other for other in others)]


def _nothing_shared(runs: Sequence[Run], lines: Sequence[Timeline]) -> str:
    each = "; ".join(
        f"{run.name!r} has {', '.join(line.names[:4])}" + (" …" if len(line.names) > 4 else "")
        for run, line in zip(runs[:MOST_NAMED], lines, strict=False)
    )
    each += f"; … {len(runs) - MOST_NAMED} more" if len(runs) > MOST_NAMED else ""
    return f"no tag in common to compare: {each}; name runs of one kind, or choose with --tags"
