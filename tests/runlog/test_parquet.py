"""What is written to a Parquet log is read back; what is damaged is named and passed over."""

import shutil
from pathlib import Path

import duckdb
import numpy as np
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochord.runlog import LogError, RunMetadata, open_run
from epochord.runlog.parquet import METADATA_KEY, METRICS, PARTS, ParquetWriter, read_parquet
from epochord.runlog.run.rows import rows_table
from epochord.runlog.run.run import series_from_rows

ABOUT = RunMetadata("mine", status="running")
number = st.none() | st.floats(width=32, allow_nan=True, allow_infinity=True)
batches = st.lists(
    st.dictionaries(
        st.sampled_from(["loss", "grad_norm/a.weight", "ü/x y.z"]),
        st.lists(number, min_size=3, max_size=3),
        min_size=1,
    ),
    min_size=1,
    max_size=5,
)


def table(first: int, columns: dict[str, list[float | None]]):
    rows = len(next(iter(columns.values())))
    return rows_table(
        np.arange(first, first + rows),
        np.linspace(0, 1, rows),
        {
            tag: (
                np.array([0 if v is None else v for v in values], np.float32),
                np.array([v is not None for v in values]),
            )
            for tag, values in columns.items()
        },
    )


def expected(written) -> dict[str, list[tuple[int, float]]]:
    """Model of a log: (step, value) by tag."""
    model: dict[str, list[tuple[int, float]]] = {}
    for place, batch in enumerate(written):
        for tag, values in batch.items():
            points = [(3 * place + i, v) for i, v in enumerate(values) if v is not None]
            if points:
                model.setdefault(tag, []).extend(points)
    return model


def as_model(directory: Path) -> dict[str, list[tuple[int, float]]]:
    rows, damage = read_parquet(directory)
    assert damage == []
    return {
        tag: list(zip(series.steps.tolist(), series.values.tolist(), strict=True))
        for tag, series in series_from_rows(rows).items()
    }


@given(batches)
def test_read_equals_written_before_and_after_merging(tmp_path, written):
    """Tags may come and go from batch to batch; null, NaN and infinities stay apart."""
    shutil.rmtree(tmp_path)
    tmp_path.mkdir()
    writer = ParquetWriter(tmp_path, ABOUT)
    for place, batch in enumerate(written):
        writer.write(table(3 * place, batch))
    assert repr(as_model(tmp_path)) == repr(expected(written))
    writer.complete(ABOUT)
    writer.close()
    assert not (tmp_path / PARTS).exists()
    assert repr(as_model(tmp_path)) == repr(expected(written))


def test_many_parts_are_joined_while_recording_and_nothing_is_lost(tmp_path):
    """A long recording does not leave thousands of files."""
    writer = ParquetWriter(tmp_path, ABOUT)
    for step in range(300):
        writer.write(table(step, {"t": [float(step)]}))
    assert len(list((tmp_path / PARTS).iterdir())) < 150
    assert as_model(tmp_path)["t"] == [(step, float(step)) for step in range(300)]
    writer.complete(ABOUT)
    writer.close()
    assert as_model(tmp_path)["t"] == [(step, float(step)) for step in range(300)]


def test_a_part_with_the_same_first_step_replaces_the_earlier_one(tmp_path):
    """An open row that was flushed is written again when it is complete."""
    writer = ParquetWriter(tmp_path, ABOUT)
    writer.write(table(0, {"a": [1.0, 2.0]}))
    writer.write(table(2, {"a": [3.0]}))
    writer.write(table(2, {"a": [3.0, 4.0], "b": [9.0, None]}))
    assert as_model(tmp_path) == {
        "a": [(0, 1.0), (1, 2.0), (2, 3.0), (3, 4.0)],
        "b": [(2, 9.0)],
    }


def test_parts_left_over_after_merging_are_not_counted_twice(tmp_path):
    """A kill between renaming the merged file and removing its parts loses and doubles nothing."""
    writer = ParquetWriter(tmp_path, ABOUT)
    for step in range(4):
        writer.write(table(step, {"a": [float(step)]}))
    shutil.copytree(tmp_path / PARTS, tmp_path / "kept")
    writer.complete(ABOUT)
    writer.close()
    shutil.move(tmp_path / "kept", tmp_path / PARTS)
    assert as_model(tmp_path) == {"a": [(step, float(step)) for step in range(4)]}


def test_other_programs_read_the_log_with_nulls_and_nans_apart(tmp_path, write_run):
    """Pandas (Arrow), polars and duckdb agree on a log with null, NaN and infinity."""
    columns = {"a": [1.0, None, float("nan"), float("inf")], "b": [0.0, 1.0, 2.0, 3.0]}
    path = write_run(tmp_path / "r", columns) / METRICS
    assert repr(polars.read_parquet(path)["a"].to_list()) == "[1.0, None, nan, inf]"
    rows = duckdb.sql(f"select a from '{path}'").fetchall()
    assert repr(rows) == "[(1.0,), (None,), (nan,), (inf,)]"
    column = open_run(path.parent).frame()["a"]
    assert column.isna().tolist() == [False, True, False, False]
    assert repr(column.to_numpy(np.float32, na_value=0).tolist()) == "[1.0, 0.0, nan, inf]"


def test_parts_are_readable_by_others_while_recording(tmp_path):
    """The parts folder holds nothing but whole Parquet files."""
    writer = ParquetWriter(tmp_path, ABOUT)
    for step in range(3):
        writer.write(table(step, {"a": [float(step)]}))
    assert polars.read_parquet(tmp_path / PARTS / "*.parquet")["a"].to_list() == [0.0, 1.0, 2.0]


def test_the_file_has_the_encodings_checksums_and_metadata_of_the_design(tmp_path, write_run):
    """Floats split by byte, steps as deltas, zstd, no dictionary, run.json inside."""
    run = write_run(tmp_path / "r", {"a": [1.0, 2.0]}, seed=7)
    file = pq.ParquetFile(run / METRICS)
    group = file.metadata.row_group(0)
    columns = {group.column(i).path_in_schema: group.column(i) for i in range(group.num_columns)}
    assert {column.compression for column in columns.values()} == {"ZSTD"}
    assert "BYTE_STREAM_SPLIT" in columns["a"].encodings
    assert "BYTE_STREAM_SPLIT" in columns["wall_time"].encodings
    assert "DELTA_BINARY_PACKED" in columns["step"].encodings
    assert not any(column.has_dictionary_page for column in columns.values())
    assert str(file.schema_arrow.field("a").type) == "float"
    stored = RunMetadata.from_json(file.schema_arrow.metadata[METADATA_KEY].decode(), where="")
    assert stored == RunMetadata.from_json((run / "run.json").read_text(), where="")


def test_every_flipped_byte_is_noticed_or_harmless(tmp_path, write_run):
    """Page checksums: no flipped byte turns into a wrong value."""
    values = np.random.default_rng(0).normal(size=400).tolist()
    run = write_run(tmp_path / "r", {"a": values, "b": values})
    whole = (run / METRICS).read_bytes()
    truth = as_model(run)
    rng = np.random.default_rng(1)
    noticed = 0
    for place in rng.integers(4, len(whole) - 8, 200):
        broken = bytearray(whole)
        broken[place] ^= 0x10
        (run / METRICS).write_bytes(broken)
        rows, damage = read_parquet(run)
        noticed += bool(damage)
        for tag, series in series_from_rows(rows).items():
            points = zip(series.steps.tolist(), series.values.tolist(), strict=True)
            assert tag not in truth or set(points) <= set(truth[tag])
    assert noticed > 100


def test_a_damaged_part_is_named_and_the_others_are_used(tmp_path):
    """One bad file costs its own rows only; the recording is not merged over it."""
    writer = ParquetWriter(tmp_path, ABOUT)
    for step in range(3):
        writer.write(table(step, {"a": [float(step)]}))
    bad = tmp_path / PARTS / "000000000001.parquet"
    bad.write_bytes(b"PAR1 this is no Parquet file PAR1")
    ABOUT.save(tmp_path)
    run = open_run(tmp_path)
    assert run["a"].steps.tolist() == [0, 2]
    assert len(run.damage) == 1
    assert str(bad) in run.damage[0]
    with pytest.raises(LogError, match="000000000001"):
        writer.complete(ABOUT)
    assert open_run(tmp_path)["a"].steps.tolist() == [0, 2]


def test_damage_in_one_column_costs_that_column_only(tmp_path, write_run):
    """Where the page of one tag is broken, the other tags of the rows are still read."""
    values = np.random.default_rng(0).normal(size=2000).tolist()
    run = write_run(tmp_path / "r", {"a": values, "b": values})
    column = pq.ParquetFile(run / METRICS).metadata.row_group(0).column(2)
    assert column.path_in_schema == "a"
    broken = bytearray((run / METRICS).read_bytes())
    broken[column.data_page_offset + column.total_compressed_size // 2] ^= 0xFF
    (run / METRICS).write_bytes(broken)
    read = open_run(run)
    assert "a" not in read.series
    assert read["b"].values.tolist() == np.float32(values).tolist()
    assert "a is left out" in read.damage[0]


def test_a_reader_that_meets_the_merge_sees_all_rows(tmp_path, monkeypatch):
    """Parts that vanish while they are read are found again in the merged file."""
    writer = ParquetWriter(tmp_path, ABOUT)
    for step in range(3):
        writer.write(table(step, {"a": [float(step)]}))
    opened = pq.ParquetFile

    def merge_first(source, **options):
        monkeypatch.setattr(pq, "ParquetFile", opened)
        writer.complete(ABOUT)
        return opened(source, **options)

    monkeypatch.setattr(pq, "ParquetFile", merge_first)
    assert as_model(tmp_path) == {"a": [(0, 0.0), (1, 1.0), (2, 2.0)]}


@pytest.mark.parametrize("columns", [{"a": [1.0]}, {"step": ["x"], "a": [1.0]}])
def test_a_parquet_file_of_something_else_is_named(tmp_path, columns):
    """No column of steps: no log of ours."""
    pq.write_table(pa.table(columns), tmp_path / METRICS)
    with pytest.raises(LogError, match=r"nothing of this log can be read; .*no column 'step'"):
        open_run(tmp_path)


def test_columns_that_are_no_numbers_are_no_series(tmp_path):
    """Someone added a column of text."""
    columns = {"step": [0, 1], "wall_time": [0.0, 1.0], "note": ["x", "y"], "a": [1.0, 2.0]}
    pq.write_table(pa.table(columns), tmp_path / METRICS)
    assert list(open_run(tmp_path).series) == ["a"]


def test_a_log_that_cannot_be_read_at_all_is_an_error(tmp_path, write_run):
    """There is no silence to render."""
    run = write_run(tmp_path / "r", {"a": [1.0]})
    (run / METRICS).write_bytes((run / METRICS).read_bytes()[:-20])
    with pytest.raises(LogError, match=r"r: nothing of this log can be read; .*metrics\.parquet"):
        open_run(run)
