"""Runs are found wherever they lie, under names that stay apart."""

import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from epochord.runlog import LogError, RunMetadata, find_runs, open_run
from epochord.runlog.parquet import ParquetWriter
from epochord.runlog.reading.sources import holds_run, log_files
from epochord.runlog.run.rows import rows_table
from epochord.runlog.run.run import log_hash
from epochord.runlog.tensorboard import TensorBoardWriter, event_files, read_event_files
from epochord.runlog.writing.rewinding import rewind
from epochord.runlog.writing.start import RunLog


def names(path) -> list[str]:
    return [source.name for source in find_runs(path)]


def test_a_run_goes_by_its_folder_and_runs_in_a_folder_by_their_path(tmp_path, write_run):
    """Nested runs keep their relative path."""
    write_run(tmp_path / "runs" / "a", {"t": [1.0]})
    write_run(tmp_path / "runs" / "sweep" / "b", {"t": [1.0]})
    assert names(tmp_path / "runs" / "a") == ["a"]
    assert names(tmp_path / "runs") == ["a", "sweep/b"]


def test_runs_below_a_run_are_found_too(tmp_path, write_run):
    """A logdir may hold event files of its own beside train/ and eval/."""
    write_run(tmp_path / "log", {"t": [1.0]})
    write_run(tmp_path / "log" / "eval", {"t": [1.0]})
    assert names(tmp_path / "log") == ["eval", "log"]


def test_a_loop_of_links_ends(tmp_path, write_run):
    """Each folder is visited once."""
    write_run(tmp_path / "runs" / "a", {"t": [1.0]})
    (tmp_path / "runs" / "loop").symlink_to(tmp_path / "runs")
    (tmp_path / "runs" / "again").symlink_to(tmp_path / "runs" / "a")
    assert len(names(tmp_path / "runs")) == 1


@pytest.mark.parametrize(
    ("make", "message", "opened"),
    [
        (lambda _: None, "no such file or folder", "no such file or folder"),
        (lambda path: path.mkdir(), "no run here or below", "not a run"),
        (lambda path: path.write_text("x"), "is a file of no known kind", "not a run"),
    ],
)
def test_what_is_no_run_is_refused_with_what_was_expected(tmp_path, make, message, opened):
    """The message says where, what was found and what was expected."""
    path = tmp_path / "thing"
    make(path)
    with pytest.raises(LogError, match=f"thing: {message}.*; expected a run"):
        find_runs(path)
    with pytest.raises(LogError, match=f"thing: {opened}; expected run.json"):
        open_run(path)


def test_text_files_that_look_like_event_files_are_named_when_they_are_opened(tmp_path):
    """Unity writes .meta files whose names contain tfevents; the recorder knows better."""
    file = tmp_path / "r" / "events.out.tfevents.1.host.meta"
    file.parent.mkdir()
    file.write_text("fileFormatVersion: 2\nguid: 0123456789abcdef")
    (source,) = find_runs(tmp_path)
    assert source.name == "r"
    with pytest.raises(
        LogError, match=r"nothing of this log can be read; .*is a Unity \.meta file"
    ):
        source.open()
    assert not holds_run(file.parent)
    assert log_files(file.parent) == []


def test_a_single_event_file_is_a_run(tmp_path):
    """It goes by its own name; others beside it are not read."""
    for first in (0, 1):
        writer = TensorBoardWriter(tmp_path)
        values = (np.float32([first]), np.ones(1, dtype=bool))
        writer.write(rows_table(np.arange(first, first + 1), np.zeros(1), {"a": values}))
        writer.close()
    for step, file in enumerate(event_files(tmp_path)):
        (source,) = find_runs(file)
        assert source.name == file.name
        assert source.open()["a"].steps.tolist() == [step]


def test_a_link_does_not_take_a_runs_name(tmp_path, write_run):
    """The folder itself comes before the link `latest` to it."""
    write_run(tmp_path / "runs" / "sgd", {"t": [1.0]})
    (tmp_path / "runs" / "latest").symlink_to("sgd")
    assert names(tmp_path / "runs") == ["sgd"]


def test_a_run_is_called_as_its_folder_wherever_it_is_opened(tmp_path, write_run):
    """A run that was moved or copied goes by its new name."""
    write_run(tmp_path / "old", {"t": [1.0]}).rename(tmp_path / "new")
    assert open_run(tmp_path / "new").name == "new"
    assert find_runs(tmp_path / "new")[0].open().name == "new"


def test_an_unreadable_folder_is_named_and_the_others_are_found(tmp_path, write_run):
    """Permissions of one folder do not hide the rest."""
    write_run(tmp_path / "runs" / "a", {"t": [1.0]})
    locked = write_run(tmp_path / "runs" / "locked", {"t": [1.0]})
    script = """
import os, sys
sys.argv = ["epochord", "inspect"]
from epochord.pipeline.cli import main
try:
    main()  # once, so that all modules are loaded before this process may read less
except SystemExit:
    pass
sys.stdout.flush()
os.chmod("runs/locked", 0)
if os.getuid() == 0:
    os.chroot(".")
    os.chdir("/")
    os.setuid(65534)
print("again")
main()
"""
    (tmp_path / "runs").chmod(0o755)
    tmp_path.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    locked.chmod(0o700)
    assert done.returncode == 1, done.stderr
    assert done.stdout.split("again\n")[1].startswith("a finished")
    assert "runs/locked" in done.stderr
    assert "Permission denied" in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_event_file_that_cannot_be_read_is_named_and_the_others_are_read(tmp_path, monkeypatch):
    """A bad sector under one file."""
    writer = TensorBoardWriter(tmp_path)
    one = np.ones(1, dtype=bool)
    writer.write(rows_table(np.arange(1), np.zeros(1), {"a": (np.float32([1.5]), one)}))
    writer.close()
    spoilt = tmp_path / "events.out.tfevents.1.host"
    spoilt.write_bytes(bytes(1000))

    class BadSector(io.FileIO):
        def read(self, *_):
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    intact = Path.open
    monkeypatch.setattr(
        Path,
        "open",
        lambda path, *how, **others: (
            BadSector(path) if path == spoilt else intact(path, *how, **others)
        ),
    )
    run = open_run(tmp_path)
    assert run["a"].values.tolist() == [1.5]
    assert run.damage == (f"{spoilt}: cannot be read (Input/output error)",)
    # A recorder that goes on with this run, or removes it, is to know of the file.
    assert spoilt in log_files(tmp_path)


@pytest.mark.parametrize("lost", ["metrics.parquet", "the rest of it"])
def test_where_both_formats_were_written_one_makes_up_for_the_other(tmp_path, lost):
    """Damage to the Parquet file costs nothing while the events are whole."""
    log = RunLog(tmp_path / "r", RunMetadata("r"), format="both")
    steps = np.arange(8000)
    values = np.random.default_rng(0).normal(size=8000).astype(np.float32)
    measured = np.ones(8000, dtype=bool)
    rows = {"a": (values, measured)}
    log.writer.submit(lambda: rows_table(steps, steps * 1.0, rows), steps=(0, 7999))
    log.close(8000)
    file = tmp_path / "r" / "metrics.parquet"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0xFF
    file.write_bytes(b"" if lost == "metrics.parquet" else data)
    run = open_run(tmp_path / "r")
    assert run["a"].steps.tolist() == steps.tolist()
    np.testing.assert_array_equal(run["a"].values, values)
    assert "metrics.parquet" in run.damage[0]


def test_resuming_both_formats_after_a_kill_between_them_fills_the_gap(tmp_path):
    """The event files get the rows that only Parquet has."""

    def rows(first: int):
        steps = np.arange(first, first + 3)
        one = np.ones(3, dtype=bool)
        return lambda: rows_table(steps, steps * 1.0, {"a": (steps.astype(np.float32), one)})

    log = RunLog(tmp_path / "r", RunMetadata("r"), format="both")
    log.writer.submit(rows(0), steps=(0, 2))
    log.writer.flush()
    ParquetWriter(tmp_path / "r", RunMetadata("r")).write(rows(3)())  # then it was killed
    log.close(0)  # lets the run go
    again = RunLog(tmp_path / "r", RunMetadata("r"), format="both", resume=True)
    assert again.next_step == 6
    again.writer.submit(rows(6), steps=(6, 8))
    again.close(9)
    series = read_event_files(event_files(tmp_path / "r")).series
    assert series["a"].steps.tolist() == list(range(9))
    assert open_run(tmp_path / "r").log_hash() == log_hash(series)


def test_a_kill_between_rewinding_and_its_event_file_mixes_no_rows(tmp_path):
    """What was rewound counts in neither format, also when somebody else goes on."""

    def rows(first: int, value: float):
        steps = np.arange(first, first + 3)
        values = np.full(3, value, np.float32), np.ones(3, dtype=bool)
        return lambda: rows_table(steps, steps * 1.0, {"a": values})

    first = RunLog(tmp_path / "r", RunMetadata("r"), format="both")
    first.writer.submit(rows(0, 1.0), steps=(0, 2))
    first.close(3)
    rewind(tmp_path / "r", open_run(tmp_path / "r"), 1)  # then it was killed
    again = RunLog(tmp_path / "r", RunMetadata("r"), format="both", resume=True)
    assert again.next_step == 1
    again.writer.submit(rows(1, 2.0), steps=(1, 3))
    again.close(4)
    series = read_event_files(event_files(tmp_path / "r")).series
    assert series["a"].steps.tolist() == [0, 1, 2, 3]
    assert series["a"].values.tolist() == [1.0, 2.0, 2.0, 2.0]


def test_a_folder_that_is_named_like_an_event_file_makes_no_run(tmp_path, write_run):
    """Only files are event files; what lies in the folder is found all the same."""
    write_run(tmp_path / "logs" / "tfevents" / "a", {"t": [1.0]})
    assert names(tmp_path / "logs") == ["tfevents/a"]
