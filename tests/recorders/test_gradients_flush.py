"""A flush makes rows safe while recording goes on; nothing is lost by it, nothing doubled."""

import pytest

from epochord.recorders import GradientRecorder
from epochord.runlog import open_run
from epochord.runlog.run.contents import damage_lines
from epochord.runlog.run.run import GRAD_NORM
from epochord.runlog.tensorboard import event_files, read_event_files

FORMATS = ["parquet", "tensorboard", "both"]


def logs_of(directory, format: str):
    """Read every log that a run has, each by its own reader."""
    found = []
    if format != "tensorboard":
        found.append(open_run(directory).series)
    if format != "parquet":
        contents = read_event_files(event_files(directory))
        assert not damage_lines(contents.files)
        found.append(contents.series)
    return found


def points(series) -> list[tuple[int, float]]:
    return list(zip(series.steps.tolist(), series.values.tolist(), strict=True))


@pytest.mark.parametrize("format", FORMATS)
def test_flushed_rows_are_on_disk_while_recording(format, one, tmp_path):
    """Once flush() has returned, another reader sees all rows, the open one too."""
    model, optimizer, step = one
    with GradientRecorder(model, optimizer, tmp_path / "mine", format=format) as recorder:
        recorder.flush()  # nothing yet
        for number in range(12):
            step(number)
            recorder.log("x", 2 * number)
            if number % 4 == 2:
                recorder.flush()
                recorder.flush()
                for log in logs_of(tmp_path / "mine", format):
                    rows = range(number + 1)
                    assert points(log[GRAD_NORM + "p"]) == [(s, s + 0.5) for s in rows]
                    assert points(log["x"]) == [(s, 2.0 * s) for s in rows]
                assert open_run(tmp_path / "mine").metadata.status == "running"


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("each", [1, 3])
def test_logging_to_the_same_step_after_a_flush(each, format, one, tmp_path):
    """The step that was open when flushed takes further values; each stands in the log once."""
    model, optimizer, step = one
    steps = 9
    with GradientRecorder(model, optimizer, tmp_path / "mine", format=format) as recorder:
        for number in range(steps):
            step(number)
            recorder.log("early", number)
            if number % each == 0:
                recorder.flush()
            recorder.log("late", -number)
            if number % each == 0:
                recorder.flush()
            recorder.log("last", 10 * number)
    for log in logs_of(tmp_path / "mine", format):
        assert points(log[GRAD_NORM + "p"]) == [(s, s + 0.5) for s in range(steps)]
        assert points(log["early"]) == [(s, float(s)) for s in range(steps)]
        assert points(log["late"]) == [(s, -float(s)) for s in range(steps)]
        assert points(log["last"]) == [(s, 10.0 * s) for s in range(steps)]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("late", [False, True])
def test_hundreds_of_flushes(late, format, one, tmp_path):
    """Parts are joined on the way (every 128 of them), whatever is logged after each flush."""
    model, optimizer, step = one
    steps = 300
    with GradientRecorder(model, optimizer, tmp_path / "mine", format=format) as recorder:
        for number in range(steps):
            step(number)
            recorder.flush()
            if late:
                recorder.log("late", number)
            if number == 280:
                recorder.flush()
                for log in logs_of(tmp_path / "mine", format):
                    assert points(log[GRAD_NORM + "p"]) == [(s, s + 0.5) for s in range(281)]
    for log in logs_of(tmp_path / "mine", format):
        assert points(log[GRAD_NORM + "p"]) == [(s, s + 0.5) for s in range(steps)]
        if late:
            assert points(log["late"]) == [(s, float(s)) for s in range(steps)]


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_run_has_one_hash_in_every_format(format, one, tmp_path):
    """Flushed or not, in whatever format: the log's hash is that of a plain Parquet run."""
    model, optimizer, step = one
    for name, settings in (("plain", {}), ("other", {"format": format})):
        with GradientRecorder(model, optimizer, tmp_path / name, **settings) as recorder:
            for number in range(10):
                step(number)
                recorder.log("x", number / 3)
                if name == "other" and number % 3 == 1:
                    recorder.flush()
                if number % 2:
                    recorder.log("odd", float("nan"))
    plain, other = open_run(tmp_path / "plain"), open_run(tmp_path / "other")
    assert plain.log_hash() == other.log_hash()


def test_flushing_between_rows_with_every(one, tmp_path):
    """Rows that are thinned out are flushed, reopened and continued alike."""
    model, optimizer, step = one
    with GradientRecorder(model, optimizer, tmp_path / "mine", every=3) as recorder:
        for number in range(10):
            step(number)
            if number % 2:
                recorder.log("odd", number)
            recorder.flush()
            if number % 3 == 1:
                recorder.log("late", number)
    run = open_run(tmp_path / "mine")
    assert points(run[GRAD_NORM + "p"]) == [(s, s + 0.5) for s in (0, 3, 6, 9)]
    assert points(run["odd"]) == [(s, float(s)) for s in (1, 3, 5, 7, 9)]
    assert points(run["late"]) == [(s, float(s)) for s in (1, 4, 7)]
