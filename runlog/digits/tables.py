"""Leading digits of layers to rows of the log's table `layer_digits`, and back.

One row a step, kind and layer: step, wall_time, layer, kind ("gradient" or "weight"), counts (of
the digits 1 to 9), zero, non_finite, n (numbers that have leading digits) and sigma; null where
nothing was measured.  In event files each step has a tensor of rank 2 a kind, a row a layer with
`COLUMNS` and NaN for null, under ``layer_digits/<kind>``; which layers these are, `run.json` says.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from epochord.runlog.arrow import arrow_array, flags, numbers, parts, texts
from epochord.runlog.errors import LogError
from epochord.runlog.run.layers import group_by_module
from epochord.runlog.run.run import STEP, WALL_TIME, Run

__all__ = [
    "COLUMNS",
    "KINDS",
    "LAYER_DIGITS",
    "DigitSeries",
    "digit_rows",
    "digit_tensors",
    "digits_layers",
    "layer_digits_rows",
    "open_layer_digits",
]

LAYER_DIGITS = "layer_digits"
KINDS = ("gradient", "weight")
COLUMNS = (*"123456789", "zero", "non_finite", "n", "sigma")
DIGITS = 9

Floats = npt.NDArray[np.float64]


class DigitSeries(NamedTuple):
    """The leading digits of one layer's gradients or weights over training.

    Attributes
    ----------
    steps : np.ndarray of int64 [shape=(steps,)]
        Ascending; only those at which something was measured.
    values : np.ndarray of float64 [shape=(steps, 13)]
        What `COLUMNS` says.
    """

    steps: npt.NDArray[np.int64]
    values: Floats


def digits_layers(parameters: list[str]) -> dict[str, list[str]]:
    """Return the parameters of each layer, which is a module that owns some."""
    return group_by_module(parameters, max(1, len(parameters)))


def digit_rows(
    step: int, wall_time: float, measured: Mapping[str, Mapping[str, Floats | None]]
) -> pa.Table:
    """Return the rows of one step.

    Parameters
    ----------
    step : int
        The step.
    wall_time : float
        Seconds since the epoch of 1970.
    measured : mapping of str to mapping of str to (np.ndarray [shape=(13,)] or None)
        By kind and layer: `COLUMNS`, or None where nothing was measured.
    """
    rows = [(kind, name, row) for kind in measured for name, row in measured[kind].items()]
    missing = np.array([row is None for *_, row in rows], bool)
    empty = np.zeros(len(COLUMNS))
    values = np.array([empty if row is None else row for *_, row in rows])
    counts = arrow_array(values[:, :DIGITS].ravel())
    mask = arrow_array(missing)
    columns = {
        STEP: arrow_array(np.full(len(rows), step, np.int64)),
        WALL_TIME: arrow_array(np.full(len(rows), wall_time)),
        "layer": texts([name for _, name, _ in rows]),
        "kind": texts([kind for kind, *_ in rows]),
        "counts": pa.FixedSizeListArray.from_arrays(counts, DIGITS, mask=mask),
    }
    for place, name in enumerate(COLUMNS[DIGITS:-1], DIGITS):
        columns[name] = arrow_array(np.rint(values[:, place]).astype(np.int64), missing)
    return pa.table({**columns, COLUMNS[-1]: arrow_array(values[:, -1], missing)})


def digit_tensors(rows: pa.Table) -> Iterator[tuple[int, float, str, Floats]]:
    """Yield step, wall time, tag and array [shape=(layers, 13)] of rows, for an event file."""
    for step, at_step in parts(rows, STEP):
        for kind, own in parts(at_step, "kind"):
            yield step, own[WALL_TIME][0].as_py(), f"{LAYER_DIGITS}/{kind}", _values(own)


def open_layer_digits(run: Run) -> dict[str, dict[str, DigitSeries]]:
    """Return the leading digits that a run's recorder counted, from either format.

    Parameters
    ----------
    run : Run
        As `open_run` gives it.

    Returns
    -------
    dict of str to dict of str to DigitSeries
        By kind and layer; a layer of which nothing was measured is absent.

    Raises
    ------
    LogError
        If the run has no such table, or one that does not fit its layers.
    """
    try:
        found = _from_rows(run.tables[LAYER_DIGITS]) if LAYER_DIGITS in run.tables else {}
        for kind in KINDS:
            if f"{LAYER_DIGITS}/{kind}" in run.tables:
                found[kind] = _from_tensors(run.tables[f"{LAYER_DIGITS}/{kind}"], _layers(run))
    except (KeyError, ValueError, pa.ArrowException) as error:
        raise LogError(
            f"run {run.name!r}: its table {LAYER_DIGITS} cannot be understood ({error})"
        ) from error
    if not found:
        raise LogError(
            f"run {run.name!r} has no table {LAYER_DIGITS}; GradientRecorder(..., first_digits=k) "
            "writes it"
        )
    return found


def layer_digits_rows(run: Run) -> pa.Table | None:
    """Return a run's table of leading digits as rows, from either format; None if it has none.

    Raises
    ------
    LogError
        If it does not fit the layers in run.json.
    """
    if LAYER_DIGITS in run.tables:
        return run.tables[LAYER_DIGITS]
    layers = _layers(run)
    by_step: dict[int, tuple[float, dict[str, dict[str, Floats | None]]]] = {}
    for kind in KINDS:
        if f"{LAYER_DIGITS}/{kind}" not in run.tables:
            continue
        try:
            found = _arrays(run.tables[f"{LAYER_DIGITS}/{kind}"], layers)
        except (KeyError, ValueError, pa.ArrowException) as error:
            raise LogError(
                f"run {run.name!r}: its table {LAYER_DIGITS} cannot be understood ({error})"
            ) from error
        for step, when, values in zip(*found, strict=True):
            rows = [None if np.isnan(row[0]) else row for row in values]
            _, kinds = by_step.setdefault(int(step), (float(when), {}))
            kinds[kind] = dict(zip(layers, rows, strict=True))
    tables = [digit_rows(step, *by_step[step]) for step in sorted(by_step)]
    return pa.concat_tables(tables) if tables else None


def _layers(run: Run) -> list[str]:
    return list(digits_layers([p.name for layer in run.metadata.layers for p in layer.parameters]))


def _values(rows: pa.Table) -> Floats:
    """Return the columns of rows as one array, NaN where they are null."""
    counts = rows["counts"].combine_chunks()
    values = np.full((rows.num_rows, len(COLUMNS)), np.nan)
    present = flags(counts.is_valid())
    values[present, :DIGITS] = numbers(counts.flatten()).reshape(-1, DIGITS)
    for place, name in enumerate(COLUMNS[DIGITS:], DIGITS):
        values[:, place] = numbers(rows[name].cast(pa.float64()))
    return values


def _from_rows(rows: pa.Table) -> dict[str, dict[str, DigitSeries]]:
    found: dict[str, dict[str, DigitSeries]] = {}
    for kind, of_kind in parts(rows, "kind"):
        steps, values = numbers(of_kind[STEP]), _values(of_kind)
        names = np.array(of_kind["layer"].to_pylist(), object)
        layers = {name: names == name for name in dict.fromkeys(names.tolist())}
        found[kind] = _measured({n: (steps[own], values[own]) for n, own in layers.items()})
    return found


def _from_tensors(table: pa.Table, layers: list[str]) -> dict[str, DigitSeries]:
    steps, _, values = _arrays(table, layers)
    return _measured({n: (steps, values[:, place]) for place, n in enumerate(layers)})


def _arrays(
    table: pa.Table, layers: list[str]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], Floats]:
    """Return steps, wall times and values [shape=(steps, layers, 13)] of tensors."""
    shapes = {tuple(shape) for shape in table["shape"].to_pylist()}
    if shapes != {(len(layers), len(COLUMNS))}:
        raise ValueError(
            f"shapes {sorted(shapes)}; expected {(len(layers), len(COLUMNS))} for the "
            "layers in run.json"
        )
    flat = numbers(table["value"].combine_chunks().flatten())
    values = flat.reshape(-1, len(layers), len(COLUMNS))
    # A step that was done again after a kill counts as it was first.
    steps, first = np.unique(numbers(table[STEP]), return_index=True)
    return steps, numbers(table[WALL_TIME])[first], values[first]


def _measured(
    layers: Mapping[str, tuple[npt.NDArray[np.int64], Floats]],
) -> dict[str, DigitSeries]:
    present = {name: ~np.isnan(values[:, 0]) for name, (_, values) in layers.items()}
    return {
        name: DigitSeries(steps[present[name]], values[present[name]])
        for name, (steps, values) in layers.items()
        if present[name].any()
    }
