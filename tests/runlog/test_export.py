"""A long table holds every measurement, exactly, in the order of the log."""

import csv
import json
import math

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochord.runlog import Run, RunMetadata, Series, open_run
from epochord.runlog.export import export

FORMATS = ["parquet", "csv", "tsv", "jsonl"]
DELIMITERS = {".csv": ",", ".tsv": "\t"}
point = st.tuples(
    st.integers(-(2**62), 2**62), st.floats(), st.none() | st.floats(0, 2e9), st.integers(0, 1)
)
logs = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8).filter(
        lambda tag: tag == tag.strip()
    ),
    st.lists(point, min_size=1, max_size=6),
    min_size=1,
    max_size=3,
)


def run_of(points, name="r", dtype=np.float64, segments=("one", "two")) -> Run:
    series = {}
    for tag, rows in points.items():
        steps, values, times, files = zip(*rows, strict=True)
        times = [math.nan if time is None else time for time in times]
        series[tag] = Series(tag, steps, np.array(values, dtype), times, files)
    return Run(name, RunMetadata(name), series, segments=segments)


def parsed(path) -> list[tuple]:
    """Read a table with the standard library (Parquet: with pyarrow)."""
    if path.suffix == ".parquet":
        rows = pq.read_table(path).to_pylist()
    elif path.suffix in DELIMITERS:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter=DELIMITERS[path.suffix]))
    else:
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    number = {"": None, None: None}
    return [
        (
            row["run"], row["tag"], row["segment"], int(row["step"]),
            None if row["wall_time"] in number else float(row["wall_time"]), float(row["value"]),
        )
        for row in rows
    ]  # fmt: skip


@pytest.mark.parametrize("format", FORMATS)
@given(points=logs)
def test_what_is_read_back_is_what_the_log_held(tmp_path_factory, format, points):
    """To the bit, NaN and the infinities included; a wall time that is not known is null."""
    path = tmp_path_factory.mktemp("export") / f"x.{format}"
    run = run_of(points)
    expected = [
        ("r", tag, ("one", "two")[file], step, None if time is None else time, value)
        for tag, rows in points.items()
        for step, value, time, file in rows
    ]
    assert export([run], path, format) == len(expected)
    assert repr(parsed(path)) == repr(expected)


@pytest.mark.parametrize("format", FORMATS)
def test_an_export_can_be_opened_as_a_run(tmp_path, format):
    """Tags, steps, values, wall times and segments come back."""
    points = {"a": [(0, math.nan, 1.0, 0), (5, 0.1, 2.0, 1)], "b": [(3, -math.inf, None, 1)]}
    run = run_of(points)
    export([run], tmp_path / f"x.{format}", format)
    back = open_run(tmp_path / f"x.{format}")
    assert list(back.series) == ["a", "b"]
    assert back.segments == ("one", "two")
    for tag, series in run.series.items():
        for field in ("steps", "values", "wall_times", "segments"):
            np.testing.assert_array_equal(getattr(back[tag], field), getattr(series, field))


def test_a_float32_is_written_as_the_number_that_it_is(tmp_path):
    """0.1 as float32 is 0.10000000149011612."""
    run = run_of({"a": [(0, 0.1, 0.0, 0)]}, dtype=np.float32, segments=())
    export([run], tmp_path / "x.csv", "csv")
    assert (tmp_path / "x.csv").read_text().splitlines() == [
        '"run","tag","segment","step","wall_time","value"',
        '"r","a","",0,0,0.10000000149011612',
    ]


def test_several_runs_and_large_ones_go_into_one_table(tmp_path):
    """One after the other, in batches without a seam."""
    long = Series("loss", np.arange(200_000), np.arange(200_000) / 7)
    runs = [Run(name, RunMetadata(name), {"loss": long}) for name in ("x", "y")]
    assert export(runs, tmp_path / "x.parquet", "parquet") == 400_000
    table = pq.read_table(tmp_path / "x.parquet")
    assert table["run"].unique().to_pylist() == ["x", "y"]
    np.testing.assert_array_equal(table["value"].to_numpy()[200_000:], long.values)
    assert list(open_run(tmp_path / "x.parquet").series) == ["x/loss", "y/loss"]
