"""The files of one run to its series: continued, and without what was superseded."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from epochord.runlog.arrow import arrow_array
from epochord.runlog.run.contents import Contents
from epochord.runlog.run.series import Series
from epochord.runlog.tensorboard.files import candidates
from epochord.runlog.tensorboard.points import Chunk, Points, Tensor
from epochord.runlog.tensorboard.reader import EventFile

__all__ = ["last_step", "read_event_files"]

Parts = dict[str, list[tuple[int, Chunk]]]  # by tag: segment and measurements


def read_event_files(paths: Sequence[Path]) -> Contents:
    """Read the event files of one run.

    Parameters
    ----------
    paths : sequence of Path
        In the order in which they continue each other; each is a segment.

    Returns
    -------
    Contents
        Series by tag, in write order: float32, or float64 where a number is of a
        type that float32 does not hold.  TF1's simple values and TF2's tensors
        of one element are one series; tensors of rank 1 and 2 are tables.  Steps
        that a restart superseded (`SessionLog` START) are left out.
    """
    files = [EventFile(path) for path in paths]
    reports = [file.read() for file in files]
    used = [place for place, report in enumerate(reports) if not report.problem]
    points = [files[place].points for place in used]
    restarts = _Restarts(points)
    plugins: dict[str, str] = {}
    for each in points:
        plugins = each.plugins | plugins
    parts = _parts(points, plugins, restarts)
    tables = _tables(points, plugins, restarts)
    for segment, place in enumerate(used):
        reports[place] = replace(
            reports[place],
            points=sum(len(c.steps) for part in parts.values() for s, c in part if s == segment),
            purged_steps=len(restarts.superseded[segment]),
            others={**reports[place].others, **+points[segment].others},
        )
    names = tuple(files[place].path.name for place in used)
    series = {tag: _series(tag, part) for tag, part in parts.items()}
    return Contents(series, tables, names, tuple(reports))


def last_step(directory: Path) -> int:
    """Return the last step with a scalar in a directory's event files; -1 if there is none."""
    series = read_event_files(candidates(directory)).series
    return max((int(each.steps.max()) for each in series.values()), default=-1)


class _Restarts:
    """The steps that later restarts of the training have done again.

    Attributes
    ----------
    superseded : list of set of int
        Those of each segment of which something was left out.
    """

    def __init__(self, points: Sequence[Points]) -> None:
        self.superseded: list[set[int]] = [set() for _ in points]
        self._all = [
            (segment, order, step)
            for segment, each in enumerate(points)
            for order, step in each.restarts
        ]

    def keep(
        self, segment: int, order: npt.NDArray[np.int64], steps: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.bool_]:
        """Tell which measurements stand, given their segment, place in it, and step."""
        kept = np.ones(len(steps), dtype=bool)
        for restarted, place, step in self._all:
            earlier = order < place if restarted == segment else np.bool_(segment < restarted)
            kept &= ~(earlier & (steps >= step))
        self.superseded[segment].update(steps[~kept].tolist())
        return kept


def _parts(points: Sequence[Points], plugins: Mapping[str, str], restarts: _Restarts) -> Parts:
    """Return the measurements by tag, the tags in the order of their first appearance."""
    parts: Parts = {}
    for segment, each in enumerate(points):
        found = sorted(each.measured(plugins), key=lambda pair: int(pair[1].order[0]))
        for tag, chunk in found:
            kept = restarts.keep(segment, chunk.order, chunk.steps)
            if kept.any():
                parts.setdefault(tag, []).append((segment, chunk.at(kept)))
    return parts


def _series(tag: str, part: Sequence[tuple[int, Chunk]]) -> Series:
    segments, chunks = zip(*part, strict=True)
    counts = [len(chunk.steps) for chunk in chunks]
    columns = zip(*chunks, strict=True)
    _, steps, wall_times, values = (np.concatenate(column) for column in columns)
    numbers = segments[0] if len(part) == 1 else np.repeat(segments, counts)
    return Series(tag, steps, values, wall_times, numbers)


def _tables(
    points: Sequence[Points], plugins: Mapping[str, str], restarts: _Restarts
) -> dict[str, pa.Table]:
    """Return the tensors by tag, one row each, with their elements in row-major order."""
    found: dict[str, list[tuple[int, Tensor]]] = {}
    for segment, each in enumerate(points):
        for tag, tensors in each.tables(plugins).items():
            order, steps, *_ = zip(*tensors, strict=True)
            kept = restarts.keep(segment, np.array(order), np.array(steps))
            standing = [tensor for tensor, stands in zip(tensors, kept, strict=True) if stands]
            found.setdefault(tag, []).extend((segment, tensor) for tensor in standing)
    return {tag: _table(rows) for tag, rows in found.items() if rows}


def _table(rows: Sequence[tuple[int, Tensor]]) -> pa.Table:
    values = [tensor.value.ravel() for _, tensor in rows]
    elements = np.concatenate(values)
    offsets = np.cumsum([0, *(value.size for value in values)])
    ranks = np.cumsum([0, *(tensor.value.ndim for _, tensor in rows)]).astype(np.int32)
    shapes = np.concatenate([tensor.value.shape for _, tensor in rows]).astype(np.int32)
    return pa.table(
        {
            "step": arrow_array(np.array([tensor.step for _, tensor in rows], np.int64)),
            "wall_time": arrow_array(np.array([tensor.wall_time for _, tensor in rows])),
            "segment": arrow_array(np.array([segment for segment, _ in rows], np.int32)),
            "shape": pa.ListArray.from_arrays(arrow_array(ranks), arrow_array(shapes)),
            "value": pa.LargeListArray.from_arrays(arrow_array(offsets), arrow_array(elements)),
        }
    )
