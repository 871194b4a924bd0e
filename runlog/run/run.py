"""A run in memory: its metadata, its series by tag, and what was damaged in its log."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from epochord.runlog.arrow import flags, numbers
from epochord.runlog.errors import LogError
from epochord.runlog.extras import needing
from epochord.runlog.given import as_texts
from epochord.runlog.run.contents import FileReport
from epochord.runlog.run.metadata import RunMetadata
from epochord.runlog.run.series import Series
from epochord.runlog.run.steps import once
from epochord.runlog.words import did_you_mean, plural, short_repr

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GRAD_NORM", "STEP", "WALL_TIME", "NoTagError", "Run", "log_hash", "series_from_rows"]

GRAD_NORM = "grad_norm/"  # prefix of the tags that hold a parameter's gradient norm
STEP = "step"
WALL_TIME = "wall_time"


class NoTagError(KeyError):
    """A run was asked for a tag that it does not have.

    Parameters
    ----------
    run, tag : str
        Names of the run and of what it was asked for.
    known : tuple of str
        All its tags.
    """

    def __init__(self, run: str, tag: object, known: tuple[str, ...]) -> None:
        super().__init__(run, tag, known)

    # Only here, since most of those who ask, such as `Run.get`, do not want to know.
    def __str__(self) -> str:
        run, tag, known = self.args
        near = did_you_mean(str(tag), known)
        said = f"run {run!r} has no tag {tag!r}{near}"
        return (
            f"{said}{'' if near else ';'} it has {plural(len(known), 'tag')}, list(run) names all"
        )


@dataclass(frozen=True, repr=False, eq=False)
class Run(Mapping[str, Series]):
    """One training run, as its log tells it: a mapping of its tags to their series.

    ``run["loss"]`` is a `Series`, ``"loss" in run``, ``len(run)``, ``list(run)`` and
    ``run.items()`` speak of tags in the order of the log.  Runs are equal only to
    themselves (`log_hash` tells whether two hold the same), and can be members of sets.

    Parameters
    ----------
    name : str
        The run's name; for nested runs the path below the folder given, with
        ``/`` between its parts.
    metadata : RunMetadata
        Settings, layers, status; mostly empty for logs that others wrote.
    series : mapping of str to Series
        The measurements by tag.  A tag without a single measurement is absent.
    tables : mapping of str to pyarrow.Table
        The other recorders' tables by name.
    damage : sequence of str
        One line for each piece of the log that could not be used.
    notes : sequence of str
        One line for each thing that could have been understood otherwise.
    segments : sequence of str
        The files that `Series.segments` counts, where a log has several.
    files : sequence of FileReport
        What was read of each file, for logs that others wrote.
    """

    name: str
    metadata: RunMetadata
    series: Mapping[str, Series] = field(default_factory=dict)
    tables: Mapping[str, pa.Table] = field(default_factory=dict)
    damage: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    files: tuple[FileReport, ...] = ()

    def __getitem__(self, tag: str) -> Series:
        try:
            return self.series[tag]
        except KeyError:
            raise NoTagError(self.name, tag, tuple(self.series)) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.series)

    def __len__(self) -> int:
        return len(self.series)

    def __contains__(self, tag: object) -> bool:
        return tag in self.series

    __eq__ = object.__eq__  # series compare element by element, which is no answer for a run
    __hash__ = object.__hash__

    def __repr__(self) -> str:
        status = [] if self.metadata.status == "unknown" else [self.metadata.status]
        about = [*status, plural(len(self.steps), "step"), plural(len(self), "tag")]
        return f"<Run {short_repr(self.name)}: {', '.join(about)}>"

    def _repr_html_(self) -> str:
        from epochord.runlog.run.html import run_html

        return run_html(self)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self.series)

    @property
    def parameters(self) -> list[str]:
        """Parameters whose gradient norm was recorded, in registration order."""
        recorded = {tag.removeprefix(GRAD_NORM): None for tag in self.series if _is_norm(tag)}
        registered = {p.name: None for layer in self.metadata.layers for p in layer.parameters}
        known = [name for name in registered if name in recorded]
        return known + [name for name in recorded if name not in registered]

    @property
    def steps(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Every step that has a measurement, in order, once (int64)."""
        grids = {id(series.steps): series.steps for series in self.series.values()}
        if not grids:
            return np.empty(0, np.int64)
        return once(np.concatenate(list(grids.values())))

    def matching(self, globs: Sequence[str]) -> list[str]:
        """Return the tags that globs choose, in the order of the log.

        Parameters
        ----------
        globs : str or sequence of str
            ``*`` also matches ``/``; a glob with ``!`` in front leaves tags out.
            Without any other glob, all tags are wanted.

        Raises
        ------
        LogError
            If a glob matches nothing, or nothing is left.
        """
        globs = as_texts("globs", globs)
        wanted = [glob for glob in globs if not glob.startswith("!")] or ["*"]
        unwanted = [glob[1:] for glob in globs if glob.startswith("!")]
        for glob in wanted:
            if self.series and not _matches(self.series, [glob]):
                raise LogError(
                    f"run {self.name!r} has no tag that matches {glob!r}{self._instead_of([glob])}"
                )
        excluded = _matches(self.series, unwanted)
        found = [tag for tag in _matches(self.series, wanted) if tag not in excluded]
        if self.series and not found:
            raise LogError(f"run {self.name!r}: {' '.join(globs)} leaves no tag; {self.contents}")
        return found

    @property
    def contents(self) -> str:
        """What tags there are, in one line for messages."""
        tags = list(self.series)
        more = f" and {len(tags) - 8} more ('epochord inspect --tags' lists all)"
        return f"it has {', '.join(tags[:8]) or 'none'}{more if len(tags) > 8 else ''}"

    def lacks(self, tags: Sequence[str]) -> LogError:
        """Return what is to be said if some tags that were asked for are not there.

        Parameters
        ----------
        tags : sequence of str
            Those that are missing.
        """
        named = ", ".join(map(repr, tags))
        return LogError(f"run {self.name!r} has no tag {named}{self._instead_of(tags)}")

    def _instead_of(self, names: Sequence[str]) -> str:
        near = next(filter(None, (did_you_mean(name, self.series) for name in names)), ";")
        return f"{near} {self.contents}"

    def frame(self, tags: Iterable[str] | None = None) -> "pd.DataFrame":
        """Return series side by side, indexed by step.

        Parameters
        ----------
        tags : iterable of str, optional
            Which series, in which order; by default all.  One tag may stand alone.

        Returns
        -------
        pandas.DataFrame
            One column a tag, with Arrow dtypes: null where a tag was not
            measured at that step, NaN where NaN was measured.  Of several
            values in one step, the last one written.

        Raises
        ------
        LogError
            If the run has no such tag.
        """
        with needing("a frame", "pandas"):
            import pandas as pd

        chosen = [tags] if isinstance(tags, str) else list(self.series if tags is None else tags)
        missing = [tag for tag in chosen if tag not in self.series]
        if missing:
            raise self.lacks(missing)
        index = Run(self.name, self.metadata, {tag: self.series[tag] for tag in chosen}).steps
        columns = {tag: _on_axis(self.series[tag], index) for tag in chosen}
        frame: pd.DataFrame = pa.table(columns).to_pandas(types_mapper=pd.ArrowDtype)
        return frame.set_index(pd.Index(index, name=STEP))

    def log_hash(self) -> str:
        """Return the SHA-256 of tags, steps and values (see `log_hash`)."""
        return log_hash(self.series)


def log_hash(series: Mapping[str, Series]) -> str:
    """Hash what was measured, not when and not in which format.

    Parameters
    ----------
    series : mapping of str to Series
        A run's series.

    Returns
    -------
    str
        SHA-256, hexadecimal, over the tags in code-point order, each with its
        steps (int64) and values (float32, every NaN alike), little-endian.
    """
    digest = hashlib.sha256()
    for tag in sorted(series):
        name = tag.encode()
        with np.errstate(over="ignore"):  # a float64 beyond float32 counts as infinite
            values = np.asarray(series[tag].values, dtype="<f4")
        values = np.where(np.isnan(values), np.float32(np.nan), values).astype("<f4")
        digest.update(len(name).to_bytes(8, "little") + name)
        digest.update(len(values).to_bytes(8, "little"))
        digest.update(np.asarray(series[tag].steps, dtype="<i8").tobytes())
        digest.update(values.tobytes())
    return digest.hexdigest()


def series_from_rows(rows: pa.Table) -> dict[str, Series]:
    """Split a table of rows into series; nulls are left out.

    Parameters
    ----------
    rows : pyarrow.Table
        Columns `step` and `wall_time` and one column a tag.

    Returns
    -------
    dict of str to Series
        The tags that have at least one measurement, in column order.
    """
    steps = numbers(rows[STEP])
    times = numbers(rows[WALL_TIME])
    series = {}
    for tag in rows.column_names:
        column = rows[tag]
        numeric = pa.types.is_floating(column.type) or pa.types.is_integer(column.type)
        if tag in (STEP, WALL_TIME) or not numeric or column.null_count == len(column):
            continue
        if column.null_count == 0:
            series[tag] = Series(tag, steps, numbers(column), times)
            continue
        measured = flags(column.is_valid())
        values = numbers(column.drop_null())
        series[tag] = Series(tag, steps[measured], values, times[measured])
    return series


def _matches(tags: Iterable[str], globs: Sequence[str]) -> list[str]:
    return [tag for tag in tags if any(fnmatchcase(tag, glob) for glob in globs)]


def _is_norm(tag: str) -> bool:
    return tag.startswith(GRAD_NORM)


def _on_axis(series: Series, index: np.ndarray[tuple[int], np.dtype[np.int64]]) -> pa.Array:
    values = np.zeros(len(index), dtype=series.dtype)
    missing = np.ones(len(index), dtype=bool)
    place = np.searchsorted(index, series.steps)
    values[place] = series.values
    missing[place] = False
    return pa.array(values, mask=missing)
