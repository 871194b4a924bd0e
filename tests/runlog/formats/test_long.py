"""One measurement a row, in any table format: series by tag, run and segment."""

import csv
import io
import json
import math

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochord.runlog import LogError
from epochord.runlog.formats import delimited, jsonl, parquet, recognise

COLUMNS = ("run", "tag", "segment", "step", "wall_time", "value")
SCHEMA = pa.schema(
    {
        "run": pa.string(),
        "tag": pa.string(),
        "segment": pa.string(),
        "step": pa.int64(),
        "wall_time": pa.float64(),
        "value": pa.float64(),
    }
)
ROWS = [
    ("a", "loss", "one", 3, 1.5, 0.5),
    ("b", "loss", "one", 3, math.nan, math.nan),
    ("a", "lr", "two", 3, 2.5, 1e-3),
    ("a", "loss", "two", 2, 3.5, -math.inf),
    ("b", "loss", "two", 4, 4.5, None),
]
word = st.sampled_from(["x", "train/loss", "NA", "ü 1"])
rows = st.lists(
    st.tuples(
        word.map(lambda text: text.replace("/", "-")),
        word,
        word,
        st.integers(-(2**62), 2**62),
        st.floats(0, 1e10),
        st.none() | st.floats(),
    ),
    min_size=1,
    max_size=9,
).filter(lambda each: any(row[-1] is not None for row in each))


def written(path, table):
    """Write rows in the format that a file's name says."""
    if path.suffix == ".parquet":
        columns = list(map(list, zip(*table, strict=True)))
        pq.write_table(pa.table(columns, schema=SCHEMA), path)
    elif path.suffix == ".jsonl":
        records = (dict(zip(COLUMNS, row, strict=True)) for row in table)
        path.write_text("\n".join(map(json.dumps, records)))
    else:
        text = io.StringIO()
        csv.writer(text).writerows([COLUMNS, *table])
        path.write_text(text.getvalue())
    return path


def model(table):
    """(step, wall time, segment, value) by tag."""
    runs = {row[0] for row in table}
    found = {}
    for run, tag, segment, step, time, value in table:
        if value is not None:
            name = f"{run}/{tag}" if len(runs) > 1 else tag
            found.setdefault(name, []).append((step, time, segment, value))
    return found


def read(path):
    contents = recognise(path).read(path)
    assert contents.notes == ()
    return {
        tag: list(
            zip(
                series.steps.tolist(),
                series.wall_times.tolist(),
                [contents.segments[number] for number in series.segments],
                series.values.tolist(),
                strict=True,
            )
        )
        for tag, series in contents.series.items()
    }


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
@given(rows)
def test_read_equals_written(tmp_path, suffix, table):
    """Tag, run, segment, step, time and value of every row come back, in file order."""
    path = written(tmp_path / f"log.{suffix}", table)
    found, expected = read(path), model(table)
    assert repr(sorted(found.items())) == repr(sorted(expected.items()))


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_the_order_of_tags(tmp_path, suffix):
    """Runs come one after another, tags in the order of first appearance."""
    found = read(written(tmp_path / f"log.{suffix}", ROWS))
    assert list(found) == ["a/loss", "a/lr", "b/loss"]
    assert repr(sorted(found.items())) == repr(sorted(model(ROWS).items()))


def test_three_columns_are_enough(save, points):
    """Without run, segment and wall time there is one run in one piece."""
    contents = delimited.read(save("tag,step,value\na,0,1\nb,0,2\na,1,3\n"))
    assert points(contents) == {"a": [(0, 1.0), (1, 3.0)], "b": [(0, 2.0)]}
    assert contents.segments == ()


def test_rows_without_tag_or_step_are_counted(save, points):
    """What cannot be placed is not guessed."""
    contents = delimited.read(save("tag,step,value,segment\na,0,1,\n,1,2,\na,,3,x\na,4,5,\n"))
    assert points(contents) == {"a": [(0, 1.0), (4, 5.0)]}
    assert contents.files[0].skipped == {"row without a step": 1, "row without a tag": 1}
    assert contents.segments == ("", "x")
    assert contents.files[0].records == 4


def test_names_that_fall_together_are_not_mixed(save, points):
    """Where run and tag give one name twice, the second is left out and counted."""
    contents = delimited.read(save("run,tag,step,value\nr,a/b,0,1\nr/a,b,0,2\nr/a,b,1,3\n"))
    assert points(contents) == {"r/a/b": [(0, 1.0)]}
    assert contents.files[0].skipped == {"row of a second series called r/a/b": 2}


def test_float32_stays(tmp_path):
    """Our own values are float32, and stay so through Parquet."""
    columns = {"tag": ["a"], "step": [0], "value": pa.array([0.1], pa.float32())}
    pq.write_table(pa.table(columns), tmp_path / "log.parquet")
    assert parquet.read(tmp_path / "log.parquet").series["a"].dtype == "float32"


def test_labels_that_are_no_text(tmp_path):
    """Segments may be numbers, and tags categories."""
    columns = {
        "tag": pa.array(["a", "a"]).dictionary_encode(),
        "segment": [7, 8],
        "step": [0, 1],
        "value": [1.0, 2.0],
    }
    pq.write_table(pa.table(columns), tmp_path / "log.parquet")
    assert parquet.read(tmp_path / "log.parquet").segments == ("7", "8")
    path = tmp_path / "log.jsonl"
    path.write_text('{"tag": 5, "step": 0, "value": 1, "segment": 7}\n')
    assert list(jsonl.read(path).series) == ["5"]


def test_values_that_are_no_numbers(save):
    """One value of text leaves nothing to hear."""
    with pytest.raises(LogError, match="no measurements"):
        delimited.read(save("tag,step,value\na,0,1\na,1,x\n"))


def test_a_file_in_memory(memory):
    """What fsspec opens is read as from disk."""
    path = memory / "log.csv"
    path.write_text("run,tag,segment,step,wall_time,value\nr,a,s,0,1.5,2.5\n")
    assert read(path) == {"a": [(0, 1.5, "s", 2.5)]}
