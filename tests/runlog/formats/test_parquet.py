"""Parquet tables of any origin: numbers of every width, nulls apart from NaN."""

import datetime
import decimal
import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochord.runlog import LogError
from epochord.runlog.formats import parquet, recognise

KINDS = {
    pa.float16(): st.floats(width=16),
    pa.float32(): st.floats(width=32),
    pa.float64(): st.floats(),
    pa.int8(): st.integers(-128, 127),
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.uint64(): st.integers(0, 2**64 - 1),
    pa.decimal128(20, 3): st.decimals(-(10**6), 10**6, places=3),
    pa.decimal256(50, 3): st.decimals(-(10**6), 10**6, places=3),
}
ROWS = 7
columns = st.dictionaries(
    st.text("abc./é", min_size=1, max_size=4),
    st.sampled_from(list(KINDS)).flatmap(
        lambda kind: st.tuples(
            st.just(kind), st.lists(st.none() | KINDS[kind], min_size=ROWS, max_size=ROWS)
        )
    ),
    min_size=1,
    max_size=4,
)


def table(**columns):
    return pa.table({"step": pa.array(range(len(next(iter(columns.values()))))), **columns})


@pytest.fixture
def stored(tmp_path):
    """Give a function that writes a table and returns the file."""

    def write(rows: pa.Table, **options):
        pq.write_table(rows, tmp_path / "log.parquet", **options)
        return tmp_path / "log.parquet"

    return write


@given(columns, st.integers(1, ROWS))
def test_read_equals_written(stored, points, written, group):
    """Integers, floats and decimals of any width come back; only float32 keeps its type."""
    path = stored(
        table(**{tag: pa.array(values, kind) for tag, (kind, values) in written.items()}),
        row_group_size=group,
    )
    expected = {
        tag: [(step, float(value)) for step, value in enumerate(values) if value is not None]
        for tag, (_, values) in written.items()
    }
    expected = {tag: column for tag, column in expected.items() if column}
    if not expected:
        with pytest.raises(LogError, match="no measurements"):
            parquet.read(path)
        return
    contents = parquet.read(path)
    assert repr(points(contents)) == repr(expected)
    for tag, series in contents.series.items():
        assert series.dtype == (np.float32 if written[tag][0] == pa.float32() else np.float64)


def test_what_is_no_number_is_left_out_and_counted(stored):
    """Text, truth values, lists and dates are named by what they are."""
    day = datetime.datetime(2024, 1, 1)
    contents = parquet.read(
        stored(
            table(
                a=pa.array([1, None]),
                nothing=pa.nulls(2),
                text=["x", "y"],
                category=pa.array(["x", "y"]).dictionary_encode(),
                numbers=pa.array([1.5, 2.5]).dictionary_encode(),
                flag=[True, False],
                many=[[1.0], [2.0]],
                day=pa.array([day, day], pa.timestamp("ms")),
            )
        )
    )
    assert list(contents.series) == ["a", "numbers"]
    assert contents.series["numbers"].values.tolist() == [1.5, 2.5]
    assert contents.files[0].others == {
        "text column": 2,
        "bool column": 1,
        "column of type list<element: double>": 1,
        "column of type timestamp[ms]": 1,
    }


def test_a_clock_of_dates(stored):
    """Dates in a clock's column are wall times, to the microsecond."""
    moment = datetime.datetime(2024, 1, 1, 12, 0, 0, 250_000, tzinfo=datetime.UTC)
    for kind in (pa.timestamp("ns", "UTC"), pa.timestamp("ms")):
        times = pa.array([moment, None], kind)
        series = parquet.read(stored(table(a=[1.0, 2.0], timestamp=times))).series
        assert list(series) == ["a"]
        assert repr(series["a"].wall_times.tolist()) == repr([moment.timestamp(), math.nan])


def test_columns_of_one_name(tmp_path, points):
    """The first of several counts, and the rest is counted."""
    rows = pa.Table.from_arrays(
        [pa.array([3, 4]), pa.array([1.0, 2.0]), pa.array([8.0, 9.0])], ["step", "a", "a"]
    )
    pq.write_table(rows, tmp_path / "log.parquet")
    contents = parquet.read(tmp_path / "log.parquet")
    assert points(contents) == {"a": [(3, 1.0), (4, 2.0)]}
    assert contents.files[0].others == {"duplicate column": 1}


def test_missing_and_odd_steps(stored, points):
    """Steps may be floats or decimals, as long as they are whole; a null has none."""
    for kind in (pa.float64(), pa.float16(), pa.uint64(), pa.decimal128(5, 1)):
        steps = [4, None, 2]
        values = [None if s is None else decimal.Decimal(s) for s in steps]
        held = pa.array(values, kind) if pa.types.is_decimal(kind) else pa.array(steps).cast(kind)
        contents = parquet.read(stored(pa.table({"iteration": held, "a": [1.0, 2.0, 3.0]})))
        assert points(contents) == {"a": [(4, 1.0), (2, 3.0)]}
        assert contents.files[0].skipped == {"row without a step": 1}
        assert contents.notes == ("steps are the column 'iteration'",)


def test_unsigned_steps_beyond_int64_are_none(stored):
    """Hashes are whole numbers too, but do not fit."""
    path = stored(pa.table({"step": pa.array([2**63], pa.uint64()), "a": [1.0]}))
    with pytest.raises(LogError, match="holds 9223372036854775808, but steps"):
        parquet.read(path, x="step")


def test_a_damaged_row_group_is_left_out(stored, points):
    """Checksums tell which rows to leave out; the others are used."""
    path = stored(
        table(a=np.arange(300.0)),
        row_group_size=100,
        write_page_checksum=True,
        compression="none",
        use_dictionary=False,
    )
    content = path.read_bytes()
    place = content.index(np.float64(150).tobytes())
    path.write_bytes(content[:place] + b"\xff" + content[place + 1 :])
    contents = parquet.read(path)
    assert [step for step, _ in points(contents)["a"]] == [*range(100), *range(200, 300)]
    assert contents.files[0].skipped == {"damaged row group": 1}


def test_a_file_without_its_end_is_refused(stored):
    """A Parquet file that was cut off says nothing about its columns."""
    path = stored(table(a=[1.0]))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(LogError, match="damaged Parquet file") as error:
        parquet.read(path)
    assert "\n" not in str(error.value)


def test_an_empty_table_is_refused(stored):
    """A table of no rows is no log."""
    with pytest.raises(LogError, match="holds no rows"):
        parquet.read(stored(pa.table({"step": pa.array([], pa.int64())})))


def test_a_run_of_ours_by_its_file(write_run, tmp_path, points):
    """Our own wide log reads as any other table, with its wall times."""
    run = write_run(tmp_path / "r", {"loss": [1.0, None, 3.0]})
    contents = parquet.read(run / "metrics.parquet")
    assert points(contents) == {"loss": [(0, 1.0), (2, 3.0)]}
    assert contents.series["loss"].dtype == np.float32
    assert contents.series["loss"].wall_times.tolist() == [0.0, 2.0]


def test_a_file_is_known_by_its_first_bytes(stored, tmp_path):
    """A Parquet file under another name is one still."""
    path = stored(table(a=[1.0])).rename(tmp_path / "log.dat")
    assert recognise(path) is parquet


def test_a_file_in_memory(stored, memory, points):
    """What fsspec opens is read as from disk."""
    path = memory / "log.parquet"
    path.write_bytes(stored(table(a=[1.0, 2.0])).read_bytes())
    assert recognise(path) is parquet
    assert points(parquet.read(path)) == {"a": [(0, 1.0), (1, 2.0)]}
