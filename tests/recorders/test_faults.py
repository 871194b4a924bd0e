"""A disk that fails for a while costs a training nothing, and its log as little as can be."""

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest

from benchmarks.disk_faults import FAULTS, TooLarge
from epochord.runlog import open_run
from epochord.runlog.run.run import GRAD_NORM

FORMATS = ["parquet", "tensorboard", "both"]

# The first outage lasts until it has been noticed, each for 50 more steps.
OUTAGES = """
from pathlib import Path
from benchmarks.disk_faults import *

fault = eval(sys.argv[3])
found = {"flushed": []}
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    recorder = GradientRecorder(
        model, optimizer, directory, format=sys.argv[2], flush_seconds=0.01
    )
    for _ in range(2):
        for _ in range(20):
            step(recorder)
        found["flushed"].append(recorder.flush())
        fault.begin()
        while not caught:
            step(recorder)
            time.sleep(0.001)
        for _ in range(50):
            step(recorder)
            time.sleep(0.001)
        fault.end()
        while not recorder.flush():
            pass
        for _ in range(20):
            step(recorder)
    found["flushed"].append(recorder.flush())
    recorder.close()
found["warned"] = [(each.category.__name__, str(each.message)) for each in caught]
found["steps"] = recorder.step + 1
say(json.dumps(found))
"""


def assert_whole_after(program, directory: Path, whole_steps) -> list[str]:
    """Assert that all steps are there in spite of two outages; return what was warned of, once."""
    assert program.code == 0, program.output
    found = json.loads(program.output.splitlines()[-1])
    assert found["flushed"] == [True] * 3
    assert [kind for kind, _ in found["warned"]] == ["RecordingWarning"]
    assert whole_steps(directory) == found["steps"]
    assert open_run(directory).metadata.status == "finished"
    assert json.loads((directory / "run.json").read_text()).get("holes", []) == []
    return [said for _, said in found["warned"]]


@pytest.mark.parametrize(
    ("fault", "number", "format"),
    [
        ("NoDescriptors()", errno.EMFILE, "parquet"),  # an event file is open already
        ("NoDescriptors()", errno.EMFILE, "both"),
        *(("TooLarge()", errno.EFBIG, format) for format in FORMATS),
        *(("EveryNow(1.0)", errno.EIO, format) for format in FORMATS),
        *(("EveryNow(0.3)", errno.EIO, format) for format in FORMATS),
    ],
)
def test_a_disk_that_fails_for_a_while(fault, number, format, programs, whole_steps, tmp_path):
    """Training goes on, one warning gives the reason of two outages in a row, no row is lost."""
    program = programs.run(OUTAGES, tmp_path / "mine", format, fault)
    for said in assert_whole_after(program, tmp_path / "mine", whole_steps):
        assert os.strerror(number) in said
        assert str(tmp_path / "mine") in said
        assert "\n" not in said


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_system_that_is_full(format, programs, whole_steps, tmp_path):
    """ENOSPC from the kernel itself, where this system lets us mount one that is small."""
    with FAULTS["ENOSPC"](tmp_path) as (disk, fault):
        if isinstance(fault, TooLarge):
            pytest.skip("no file system can be mounted here")
        program = programs.run(OUTAGES, disk / "mine", format, f"Full(Path({str(disk)!r}))")
        for said in assert_whole_after(program, disk / "mine", whole_steps):
            assert os.strerror(errno.ENOSPC) in said


HANGING = """
import epochord.runlog.writing.background as background
from benchmarks.disk_faults import Hanging
from pathlib import Path

recorder = GradientRecorder(model, optimizer, directory, format=sys.argv[2], flush_seconds=0.0)
for _ in range(20):
    step(recorder)
recorder.flush()
background.WAITING_BYTES = int(sys.argv[3])
fault = Hanging()
fault.begin()
while not fault.waits.is_set():
    step(recorder)
for _ in range(int(sys.argv[4])):  # if one of them waited for the disk, none would come after it
    step(recorder)
fault.end()
first = recorder.flush()
for _ in range(20):
    step(recorder)
say(json.dumps([recorder.step + 1, first, recorder.flush()]))
recorder.close()
"""


@pytest.mark.parametrize("format", FORMATS)
def test_no_step_waits_for_a_disk_that_hangs(format, programs, whole_steps, tmp_path):
    """Many steps are done while it hangs; afterwards all of them are there."""
    program = programs.run(HANGING, tmp_path / "mine", format, 1 << 26, 2_000)
    assert program.code == 0, program.output
    assert json.loads(program.output) == [whole_steps(tmp_path / "mine"), True, True]


@pytest.mark.parametrize("format", FORMATS)
def test_what_finds_no_room_is_a_hole_with_a_name(format, programs, tmp_path):
    """With more rows than may wait, the log says which are lost; all others are there, whole."""
    program = programs.run(HANGING, tmp_path / "mine", format, 20_000, 10_000)
    assert program.code == 0, program.output
    *_, last = program.output.splitlines()
    steps, first, second = json.loads(last)
    assert (first, second) == (False, True)
    run = open_run(tmp_path / "mine")
    holes = json.loads((tmp_path / "mine" / "run.json").read_text())["holes"]
    lost = {step for hole in holes for step in range(hole["first"], hole["last"] + 1)}
    there = run[GRAD_NORM + "p"].steps.tolist()
    assert lost
    assert sorted(lost | set(there)) == list(range(steps))
    # Of the step that was open when it was written, something may have come later.
    assert lost & set(there) <= {hole["first"] for hole in holes}
    assert set(range(20)) <= set(there)
    np.testing.assert_array_equal(run[GRAD_NORM + "p"].values, np.array(there) + 0.5)
    assert {*there} - {*run["x"].steps.tolist()} <= lost
    assert len(run.damage) == len(holes)
    for said, hole in zip(run.damage, holes, strict=True):
        assert f"steps {hole['first']} to {hole['last']}" in said
    assert run.metadata.status == "finished"


ENDING = """
import epochord.runlog.writing.background as background
from benchmarks.disk_faults import Hanging

background.PATIENCE = 0.2
recorder = GradientRecorder(model, optimizer, directory, flush_seconds=0.0)
for _ in range(20):
    step(recorder)
recorder.flush()
fault = Hanging()
fault.begin()
while not fault.waits.is_set():
    step(recorder)
if sys.argv[2] == "signal":
    os.kill(os.getpid(), signal.SIGTERM)
say(recorder.flush())
if sys.argv[2] == "close":
    recorder.close()
"""


@pytest.mark.parametrize("how", ["close", "leave", "signal"])
def test_an_end_while_the_disk_hangs(how, programs, whole_steps, tmp_path):
    """Nothing waits for ever: a program ends, and what was safe before stays so."""
    program = programs.run(ENDING, tmp_path / "mine", how)
    assert program.code == (-15 if how == "signal" else 0), program.output
    if how != "signal":
        assert program.output.splitlines()[0] == "False"
        assert "RecordingWarning" in program.output
    assert whole_steps(tmp_path / "mine") >= 20


RAISING = """
from benchmarks.disk_faults import EveryNow

recorder = GradientRecorder(
    model, optimizer, directory, format=sys.argv[2], flush_seconds=0.0, on_error="raise"
)
for _ in range(5):
    step(recorder)
recorder.flush()
fault = EveryNow()
fault.begin()
try:
    with recorder:
        if sys.argv[3] == "step":
            for _ in range(1000):
                step(recorder)
                time.sleep(0.001)
            say("not while it trains, but")
        step(recorder)
        if sys.argv[3] == "flush":
            recorder.flush()
except OSError as error:
    say(error.errno)
fault.end()
recorder.close()
"""


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("where", ["step", "flush", "close"])
def test_who_wants_errors_gets_them(where, format, programs, tmp_path):
    """With on_error="raise" the next step, flush or close raises what the system said."""
    program = programs.run(RAISING, tmp_path / "mine", format, where)
    assert (program.code, program.output.split()) == (0, [str(errno.EIO)]), program.output
    run = open_run(tmp_path / "mine")
    there = run[GRAD_NORM + "p"].steps.tolist()
    assert there[:5] == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(run[GRAD_NORM + "p"].values, np.array(there) + 0.5)
