"""The files of one run: in their order, with restarts, and among files that are none."""

import gzip
import io
import os
import time
from itertools import permutations

import numpy as np
import pytest
from tensorboard.compat.proto.event_pb2 import Event, SessionLog

from epochord.runlog import LogError, find_runs, open_run
from epochord.runlog.tensorboard import candidates, event_files, last_step, read_event_files

NAME = "events.out.tfevents."
FEW, MANY = 8, 120  # events that are read one by one, and all at once


def session(step: int, status: int = SessionLog.START) -> Event:
    return Event(step=step, session_log=SessionLog(status=status))


def test_files_are_segments_in_the_order_of_time_pid_and_counter(scalar, write, check, tmp_path):
    """Numbers are no text: 10 comes after 9."""
    names = [
        f"{NAME}{stamp}.my.host.{pid}.{count}{end}"
        for stamp in (99, 100)
        for pid in (9, 10)
        for count, end in ((2, ""), (11, ".v2"))
    ]
    for place in (5, 0, 3, 7, 2, 6, 1, 4):
        write(scalar(place, 10 * place), name=names[place])
    assert [path.name for path in event_files(tmp_path)] == names
    run = open_run(tmp_path)
    assert run.segments == tuple(names)
    assert run["loss"].steps.tolist() == run["loss"].segments.tolist() == list(range(8))
    assert run["loss"].values.tolist() == [10 * place for place in range(8)]
    check(run, tmp_path)


def test_names_without_numbers_have_an_order_too(scalar, write, tmp_path):
    """CatBoost's have no time stamp, and others no pid."""
    names = ["events.out.tfevents", "my.tfevents.run", f"{NAME}7", f"{NAME}8.host", f"{NAME}9.h.1"]
    for name in names:
        write(scalar(0, 1.0), name=name)
    assert [path.name for path in candidates(tmp_path)] == names


def test_a_series_says_of_each_point_from_which_file_it_comes(scalar, write, check, tmp_path):
    """Also where tags are in some of the files only."""
    write(scalar(0, 1.0, "a"), scalar(0, 2.0, "b"), name=f"{NAME}1")
    write(scalar(1, 3.0, "c"), name=f"{NAME}2")
    write(scalar(0, 4.0, "a"), scalar(2, 5.0, "c"), scalar(3, 5.5, "a"), name=f"{NAME}3")
    run = open_run(tmp_path)
    assert run["a"].segments.tolist() == [0, 2, 2]
    assert run["b"].segments.tolist() == [0]
    assert run["c"].segments.tolist() == [1, 2]
    assert [report.points for report in run.files] == [2, 1, 3]
    check(run, tmp_path)


@pytest.mark.parametrize("count", [FEW, MANY])
@pytest.mark.parametrize("shape", [(), (3,)])
def test_metadata_of_one_file_hold_for_the_others(
    scalar, tensor, write, check, tmp_path, shape, count
):
    """A tag belongs to one plugin in all files of a run."""
    value = np.ones(shape, "f4")
    write(tensor(0, value, "x", "hparams"), scalar(0, 1.0), name=f"{NAME}1")
    write(*(tensor(n, value, "x") for n in range(count)), name=f"{NAME}2")
    run = open_run(tmp_path)
    assert (list(run.series), list(run.tables)) == (["loss"], [])
    assert [report.others for report in run.files] == [{"hparams": 1}, {"hparams": count}]
    check(run, tmp_path)


@pytest.mark.parametrize("count", [FEW, MANY])
def test_a_restart_supersedes_what_earlier_files_did(scalar, tensor, write, check, tmp_path, count):
    """SessionLog START at a step purges it and later ones, of every tag and table."""
    for stamp in (1, 2, 3):
        begin = 0 if stamp == 1 else count // 2
        events = [session(begin)]
        for step in range(begin, begin + count):
            events += [scalar(step, stamp), scalar(step, stamp, "lr")]
            events.append(tensor(step, np.full(2, stamp, "f4"), "table"))
        write(*events, name=f"{NAME}{stamp}")
    run = open_run(tmp_path)
    for tag in ("loss", "lr"):
        assert run[tag].steps.tolist() == list(range(count // 2 + count))
        assert run[tag].values.tolist() == [1] * (count // 2) + [3] * count
    assert run.tables["table"]["step"].to_pylist() == list(range(count // 2 + count))
    assert run.tables["table"]["segment"].to_pylist() == [0] * (count // 2) + [2] * count
    assert [report.purged_steps for report in run.files] == [count - count // 2, count, 0]
    assert [report.points for report in run.files] == [2 * (count // 2), 0, 2 * count]
    check(run, tmp_path)


@pytest.mark.parametrize("count", [FEW, MANY])
def test_a_restart_within_a_file_supersedes_what_lies_in_front_of_it(scalar, write, check, count):
    """What lies behind it stays, whatever its steps are."""
    events = [scalar(step, 1.0) for step in range(count)]
    again = [scalar(step, 2.0) for step in range(3, count)]
    folder = write(*events, session(5), *again)
    run = open_run(folder)
    assert run["loss"].steps.tolist() == [*range(5), *range(3, count)]
    assert run["loss"].values.tolist() == [1.0] * 5 + [2.0] * (count - 3)
    assert run.files[0].purged_steps == count - 5
    check(run, folder)


def test_a_session_that_starts_first_purges_nothing(scalar, write, check):
    """TF1's Supervisor begins each file with it."""
    folder = write(session(0), *(scalar(step, 1.0) for step in range(5)))
    run = open_run(folder)
    assert run["loss"].steps.tolist() == list(range(5))
    assert run.files[0].purged_steps == 0
    check(run, folder)


@pytest.mark.parametrize("status", [SessionLog.STOP, SessionLog.CHECKPOINT])
def test_only_a_start_purges(scalar, write, check, status):
    """A checkpoint or an end supersedes nothing."""
    folder = write(scalar(3, 1.0), session(0, status), scalar(4, 1.0))
    assert open_run(folder)["loss"].steps.tolist() == [3, 4]
    check(open_run(folder), folder)


def test_a_tag_that_is_purged_altogether_is_absent(scalar, write, check):
    """A series has at least one point."""
    folder = write(scalar(5, 1.0, "gone"), scalar(4, 1.0), session(5), scalar(5, 2.0))
    run = open_run(folder)
    assert list(run.series) == ["loss"]
    assert run.files[0].purged_steps == 1
    check(run, folder)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "is a Git LFS pointer"),
        (b"fileFormatVersion: 2\nguid: 0123456789abcdef\n", "is a Unity .meta file"),
        (gzip.compress(b"anything", mtime=0), "is compressed with gzip"),
        (b"PK\x03\x04" + bytes(100), "is a zip archive"),
        (b"lost", r"is no event file \(4 bytes, less than one record\)"),
        (bytes(100), r"is no event file \(no record with a valid length and CRC\)"),
        (b"step,loss\n0,1.0\n1,0.5\n", r"is no event file \(no record"),
    ],
    ids=["git lfs", "unity", "gzip", "zip", "short", "zeros", "text"],
)
def test_what_is_no_event_file_is_named_and_the_others_are_read(
    scalar, write, check, tmp_path, content, reason
):
    """Alone it is an error; among others a line about damage."""
    (tmp_path / f"{NAME}2.meta").write_bytes(content)
    with pytest.raises(LogError, match=rf"nothing of this log can be read; .*2\.meta: {reason}"):
        open_run(tmp_path)
    with pytest.raises(LogError, match=rf"2\.meta: {reason}"):
        open_run(tmp_path / f"{NAME}2.meta")
    write(scalar(0, 1.0), name=f"{NAME}1")
    write(scalar(1, 1.0), name=f"{NAME}3")
    run = open_run(tmp_path)
    assert run["loss"].steps.tolist() == [0, 1]
    assert run.segments == (f"{NAME}1", f"{NAME}3")
    (line,) = run.damage
    assert reason.split("(")[0].strip("\\ ") in line
    check(run, tmp_path)
    assert [path.name for path in event_files(tmp_path)] == [f"{NAME}1", f"{NAME}3"]


def test_an_empty_file_is_no_damage(scalar, write, check, tmp_path):
    """A training that has just begun; it is counted as what it is."""
    write(name=f"{NAME}1")
    assert open_run(tmp_path).series == {}
    write(scalar(3, 1.0), name=f"{NAME}2")
    run = open_run(tmp_path)
    assert (run["loss"].steps.tolist(), run.damage) == ([3], ())
    assert [report.others for report in run.files] == [{"empty file": 1}, {}]
    check(run, tmp_path)


def test_a_missing_version_record_is_normal(scalar, write, check, tmp_path):
    """Old tensorboardX writes none; others write it first, or twice."""
    version = Event(wall_time=1.0, file_version="brain.Event:2")
    write(scalar(0, 1.0), name=f"{NAME}1")
    write(version, version, scalar(1, 1.0), version, name=f"{NAME}2")
    run = open_run(tmp_path)
    assert (run["loss"].steps.tolist(), run.damage) == ([0, 1], ())
    check(run, tmp_path)


def test_folders_and_dead_links_among_event_files_are_named(scalar, write, tmp_path):
    """They cost nothing else."""
    write(scalar(0, 1.0), name=f"{NAME}1")
    (tmp_path / f"{NAME}2").mkdir()
    (tmp_path / f"{NAME}3").symlink_to("nowhere")
    (tmp_path / f"{NAME}4").symlink_to(f"{NAME}4")
    run = open_run(tmp_path)
    assert run["loss"].steps.tolist() == [0]
    reasons = [
        "is a folder, or no regular file",
        "cannot be read (No such file or directory)",
        "cannot be read (Too many levels of symbolic links)",
    ]
    for line, number, reason in zip(run.damage, (2, 3, 4), reasons, strict=True):
        assert line.endswith(f"{NAME}{number}: {reason}")


def test_a_loop_of_links_ends(scalar, write, tmp_path):
    """Each folder with event files is one run, under its own name."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    write(scalar(0, 1.0), name=f"a/b/{NAME}1")
    write(scalar(0, 1.0), name=f"a/{NAME}1")
    (tmp_path / "a" / "b" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "again").symlink_to("b")
    runs = find_runs(tmp_path)
    assert [source.name for source in runs] == ["a", "a/b"]
    assert all(source.open()["loss"].steps.tolist() == [0] for source in runs)


def test_files_that_cannot_be_read_are_skipped_with_their_reason(
    scalar, write, tmp_path, monkeypatch
):
    """A bad sector at the beginning, or only in the middle."""
    for stamp in range(3):
        write(*(scalar(100 * stamp + n, 1.0) for n in range(100)), name=f"{NAME}{stamp}")

    class BadSector(io.FileIO):
        def read(self, *count):
            if self.tell() >= sectors[self.name.name]:
                raise OSError(5, os.strerror(5))
            return super().read(*count)

    class Opened(type(tmp_path)):
        def open(self, *how, **others):
            return BadSector(self) if self.name in sectors else super().open(*how, **others)

    for place in (0, 1000):
        sectors = {f"{NAME}1": place}
        monkeypatch.setattr("epochord.runlog.tensorboard.records.WINDOW_BYTES", 1000)
        found = read_event_files([Opened(path) for path in candidates(tmp_path)])
        assert found.series["loss"].steps.tolist() == [*range(100), *range(200, 300)]
        assert found.segments == (f"{NAME}0", f"{NAME}2")
        assert found.files[1].problem == "cannot be read (Input/output error)"


def test_a_file_that_shrinks_while_it_is_read_is_read_as_far_as_it_goes(
    scalar, write, tmp_path, monkeypatch
):
    """Someone copies another file over it."""
    folder = write(*(scalar(n, 1.0) for n in range(200)))
    (file,) = candidates(folder)
    monkeypatch.setattr("epochord.runlog.tensorboard.records.WINDOW_BYTES", 1000)

    class Shrinking(io.FileIO):
        def read(self, *count):
            data = super().read(*count)
            os.truncate(file, 2000)
            return data

    class Opened(type(tmp_path)):
        def open(self, *_how, **_others):
            return Shrinking(self)

    found = read_event_files([Opened(file)])
    steps = found.series["loss"].steps.tolist()
    assert steps == list(range(len(steps)))
    assert 20 < len(steps) < 60


def test_the_last_step_is_that_of_any_tag_in_any_file(scalar, write, tmp_path):
    """It is -1 where there is none."""
    write(Event(file_version="brain.Event:2"), name=f"{NAME}1")
    assert last_step(tmp_path) == -1
    write(scalar(8, 1.0, "a"), scalar(9, 1.0, "b"), scalar(2, 1.0, "b"), name=f"{NAME}0")
    write(scalar(4, 1.0, "a"), name=f"{NAME}2")
    assert last_step(tmp_path) == 9


def test_many_small_files_are_read_quickly(scalar, record, tmp_path):
    """The cost of a file beside its points stays below a few milliseconds."""
    data = b"".join(record(scalar(step, 1.0)) for step in range(5))
    for number in range(500):
        (tmp_path / f"{NAME}{number}.host.1.0").write_bytes(data)
    start = time.process_time()
    found = read_event_files(candidates(tmp_path))
    assert time.process_time() - start < 5  # s
    assert len(found.series["loss"]) == 2500


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_purges_do_not_depend_on_how_files_are_listed(scalar, write, check, tmp_path, order):
    """Their names say which continues which."""
    for stamp in order:
        write(session(stamp), scalar(stamp, stamp), scalar(stamp + 1, stamp), name=f"{NAME}{stamp}")
    run = open_run(tmp_path)
    assert run["loss"].steps.tolist() == [0, 1, 2, 3]
    assert run["loss"].values.tolist() == [0, 1, 2, 2]
    check(run, tmp_path)
