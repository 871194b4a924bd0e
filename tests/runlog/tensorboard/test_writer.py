"""Event files of ours are read by TensorBoard, tbparse and ourselves; ours equal Parquet's."""

import re
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tbparse import SummaryReader
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event

from epochord.runlog import RunMetadata, open_run
from epochord.runlog.parquet import ParquetWriter
from epochord.runlog.run.rows import rows_table
from epochord.runlog.tensorboard import TensorBoardWriter, event_files, last_step

ABOUT = RunMetadata("mine")
number = st.none() | st.floats(width=32)
columns = st.dictionaries(
    st.sampled_from(["loss", "grad_norm/a.weight", "ü/x y.z"]),
    st.lists(number, min_size=4, max_size=4),
    min_size=1,
)


def table(data, first: int = 0):
    return rows_table(
        np.arange(first, first + 4),
        1e9 + np.arange(4) / 3,
        {
            tag: (
                np.array([0 if v is None else v for v in values], np.float32),
                np.array([v is not None for v in values]),
            )
            for tag, values in data.items()
        },
    )


def written(directory: Path, *batches) -> Path:
    directory.mkdir(exist_ok=True, parents=True)
    writer = TensorBoardWriter(directory)
    for place, batch in enumerate(batches):
        writer.write(table(batch, first=4 * place))
    writer.complete(ABOUT)
    writer.close()
    return directory


@given(columns)
def test_a_run_in_both_formats_reads_back_equal(tmp_path_factory, data):
    """Tags, steps, values, wall times and hash do not depend on the format."""
    folder = tmp_path_factory.mktemp("run")
    events = open_run(written(folder / "e", data)).series if any_value(data) else {}
    (folder / "p").mkdir()
    parquet_writer = ParquetWriter(folder / "p", ABOUT)
    parquet_writer.write(table(data))
    ABOUT.save(folder / "p")
    parquet_writer.complete(ABOUT)
    parquet_writer.close()
    parquet = open_run(folder / "p").series
    assert sorted(events) == sorted(parquet)
    for tag, series in parquet.items():
        np.testing.assert_array_equal(events[tag].steps, series.steps)
        np.testing.assert_array_equal(events[tag].values, series.values)
        np.testing.assert_array_equal(events[tag].wall_times, series.wall_times)
        assert events[tag].dtype == series.dtype == np.float32


def any_value(data) -> bool:
    return any(v is not None for values in data.values() for v in values)


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # tbparse's
def test_tensorboard_and_tbparse_read_our_files(tmp_path):
    """Two independent readers see the values, NaN included."""
    run = written(tmp_path, {"loss": [1.5, None, float("nan"), 4.0], "lr": [0.5] * 4})
    accumulator = EventAccumulator(str(run))
    accumulator.Reload()
    assert sorted(accumulator.Tags()["scalars"]) == ["loss", "lr"]
    points = [(event.step, event.value) for event in accumulator.Scalars("loss")]
    assert repr(points) == "[(0, 1.5), (2, nan), (3, 4.0)]"
    frame = SummaryReader(str(run)).scalars
    assert frame[frame.tag == "lr"].step.tolist() == [0, 1, 2, 3]


def test_one_event_carries_all_tags_of_a_step(tmp_path):
    """A step costs one record, however many tags it has."""
    run = written(tmp_path, {"a": [1.0] * 4, "b": [2.0, None, 2.0, 2.0]})
    (file,) = run.glob("events.out.tfevents.*")
    events = [Event.FromString(raw) for raw in RawEventFileLoader(str(file)).Load()]
    assert events[0].file_version == "brain.Event:2"
    assert [[value.tag for value in event.summary.value] for event in events[1:]] == [
        ["a", "b"], ["a"], ["a", "b"], ["a", "b"],
    ]  # fmt: skip


def test_a_row_written_again_adds_only_what_is_new(tmp_path):
    """An open row that was flushed and then completed has no value twice."""
    writer = TensorBoardWriter(tmp_path)
    row = table({"a": [1.0] * 4, "b": [None, None, None, 2.0]})
    writer.write(row.slice(3).drop_columns("b"))
    writer.write(row.slice(3))
    writer.complete(ABOUT)
    writer.close()
    run = open_run(tmp_path)
    assert run["a"].steps.tolist() == [3]
    assert run["b"].steps.tolist() == [3]


@pytest.mark.parametrize("cut", [1, 3, 11, 30])
def test_what_a_kill_left_is_read_to_its_last_whole_record(tmp_path, cut):
    """A process that was killed leaves part of a record at the end."""
    run = written(tmp_path, {"a": [1.0, 2.0, 3.0, 4.0]})
    (file,) = event_files(run)
    file.write_bytes(file.read_bytes()[:-cut])
    read = open_run(run)
    assert read["a"].values.tolist() == [1.0, 2.0, 3.0]
    assert re.search(r"not read: \d+ bytes behind the last whole record$", read.damage[0])


def test_a_flipped_byte_costs_its_row_only(tmp_path):
    """The CRC finds it; the rows behind it are read."""
    run = written(tmp_path, {"a": [1.0, 2.0, 3.0, 4.0]})
    (file,) = event_files(run)
    data = bytearray(file.read_bytes())
    data[data.index(struct.pack("<f", 2.0))] ^= 1
    file.write_bytes(data)
    read = open_run(run)
    assert read["a"].steps.tolist() == [0, 2, 3]
    assert read.damage == (f"{file}: not read: 1 × wrong CRC",)


def test_a_resumed_run_is_continued_in_a_file_of_its_own(tmp_path):
    """Its name comes after the others', however short the time between them was."""
    for first in (0, 4, 8):
        writer = TensorBoardWriter(tmp_path)
        writer.write(table({"a": [1.0, 2.0, 3.0, 4.0]}, first))
        writer.close()
    run = open_run(tmp_path)
    assert run["a"].steps.tolist() == list(range(12))
    assert run["a"].segments.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert run.segments == tuple(file.name for file in event_files(tmp_path))
    assert last_step(tmp_path) == 11
