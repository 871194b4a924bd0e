"""Runs whose log consists of several files: one training continued, or several trainings."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, cast

import numpy as np

from epochord.runlog.arrow import arrow_array, numbers
from epochord.runlog.run.run import Run
from epochord.runlog.run.series import Series

__all__ = ["Segments", "split_segments"]

Segments = Literal["auto", "all", "split", "last"]


def split_segments(run: Run, mode: Segments = "auto") -> list[Run]:
    """Take a run apart where its files are trainings of their own.

    Parameters
    ----------
    run : Run
        Its series say of each measurement from which file it comes.
    mode : {"auto", "all", "split", "last"}
        ``auto`` begins a new run at each file that does a step of some tag
        again (restarts, other seeds and resumed trainings look alike, and all
        overlap); ``all`` leaves everything together; ``split`` makes a run of
        each file; ``last`` takes only the last file that has measurements.

    Returns
    -------
    list of Run
        The run itself, if nothing is to be taken apart; else runs named
        ``<name>@1``, ``<name>@2``, …
    """
    held = [number for number in range(len(run.segments)) if _holds(run, number)]
    if mode == "all" or len(held) < 2:
        return [run]
    if mode == "last":
        return [_part(run, held[-1:], run.name)]
    groups = _chains(run, held) if mode == "auto" else [[number] for number in held]
    if len(groups) == 1:
        return [run]
    return [_part(run, group, f"{run.name}@{n}") for n, group in enumerate(groups, start=1)]


def _holds(run: Run, segment: int) -> bool:
    return any((series.segments == segment).any() for series in run.series.values())


def _chains(run: Run, segments: Sequence[int]) -> list[list[int]]:
    """Group segments that continue each other."""
    chains: list[list[int]] = []
    last: dict[str, int] = {}  # by tag: the last step of the chain
    for segment in segments:
        spans = {
            tag: series.steps[series.segments == segment] for tag, series in run.series.items()
        }
        overlaps = any(
            len(steps) and tag in last and steps.min() <= last[tag] for tag, steps in spans.items()
        )
        if overlaps or not chains:
            chains.append([])
            last = {}
        chains[-1].append(segment)
        last |= {tag: int(steps.max()) for tag, steps in spans.items() if len(steps)}
    return chains


def _part(run: Run, segments: Sequence[int], name: str) -> Run:
    series = {
        tag: cast(Series, each[np.isin(each.segments, segments)])
        for tag, each in run.series.items()
    }
    tables = {
        tag: table.filter(arrow_array(np.isin(numbers(table["segment"]), segments)))
        if "segment" in table.column_names
        else table
        for tag, table in run.tables.items()
    }
    return replace(
        run,
        name=name,
        series={tag: each for tag, each in series.items() if len(each)},
        tables=tables,
    )
