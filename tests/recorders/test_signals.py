"""What a signal ends is whole, and says so; what a signal does otherwise stays as it was."""

import json
import os
import signal
import time

import pytest

from epochord.runlog import EpochordError, open_run
from epochord.runlog.run.run import GRAD_NORM

SIGNALS = [signal.SIGTERM, signal.SIGHUP]
FORMATS = ["parquet", "tensorboard", "both"]

TRAINING = """
recorder = GradientRecorder(model, optimizer, directory, format=sys.argv[2], flush_seconds=1000)
done = os.open(directory + ".done", os.O_WRONLY | os.O_CREAT)
while True:
    step(recorder)
    os.pwrite(done, str(recorder.step + 1).encode(), 0)  # so many steps are behind us
    if recorder.step == 20:
        say("ready")
"""


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("number", SIGNALS)
def test_what_a_batch_system_ends_is_whole(number, format, programs, whole_steps, tmp_path):
    """Every step that was done is there, the run names the signal, the program dies of it."""
    program = programs.start(TRAINING, tmp_path / "mine", format)
    program.said("ready")
    program.send(number)
    assert program.wait() == -number, program.output
    done = int((tmp_path / "mine.done").read_text())
    assert whole_steps(tmp_path / "mine") in (done, done + 1)
    about = open_run(tmp_path / "mine").metadata
    assert about.status == "failed"
    assert number.name in about.error
    assert "Traceback" not in program.output


# A child for every twelfth line of ours that a step, a log and a flush go through: there it gets a
# signal, when the writer's thread has had time to want what the training's thread holds.
AT_EVERY_LINE = """
from pathlib import Path
from benchmarks.forks import ended, forked

def train(directory, place):
    left = place
    def trace(frame, event, argument):
        nonlocal left
        if "epochord" not in frame.f_code.co_filename:
            return None
        left -= event == "line"
        if left == 0:
            time.sleep(0.02)
            os.kill(os.getpid(), signal.SIGTERM)
        return trace
    recorder = GradientRecorder(model, optimizer, directory, flush_seconds=0.01)
    for _ in range(3):
        step(recorder)
    sys.settrace(trace)
    step(recorder)
    recorder.flush()
    sys.settrace(None)
    os._exit(0)

codes = []
while not codes or codes[-1] == -signal.SIGTERM:
    place = 12 * len(codes) + 1
    child = forked(lambda: train(f"{directory}/{place}", place), Path(f"{directory}/{place}.txt"))
    codes.append(ended(child, 10))
say(json.dumps(codes))
"""


def test_a_signal_anywhere_in_a_step(programs, tmp_path):
    """Nothing hangs, no step that was done is lost, and none has a value that is not its own."""
    program = programs.run(AT_EVERY_LINE, tmp_path)
    assert program.code == 0, program.output
    codes = json.loads(program.output.splitlines()[-1])
    assert codes == [*len(codes[:-1]) * [-signal.SIGTERM], 0]
    assert len(codes) > 10
    for place in range(1, 12 * len(codes) - 12, 12):
        run = open_run(tmp_path / str(place))
        for tag, true in ((GRAD_NORM + "p", [0.5, 1.5, 2.5, 3.5]), ("x", [0, -1, -2, -3])):
            values = run[tag].values.tolist()
            assert values in (true[:3], true), place
            assert run[tag].steps.tolist() == list(range(len(values))), place
        assert run.metadata.status == "failed", place


WHILE_CLOSING = """
def slow(descriptor, sync=os.fsync):
    say("syncs")
    time.sleep(0.1)
    sync(descriptor)

recorder = GradientRecorder(model, optimizer, directory, flush_seconds=1000)
for _ in range(5):
    step(recorder)
os.fsync = slow
if sys.argv[2] == "closes":
    recorder.close()
else:
    os.kill(os.getpid(), signal.SIGTERM)
say("closed")
"""


@pytest.mark.parametrize("how", ["closes", "signalled"])
def test_a_signal_while_the_log_is_being_closed(how, programs, whole_steps, tmp_path):
    """Who is impatient loses nothing either: the log is completed first."""
    program = programs.start(WHILE_CLOSING, tmp_path / "mine", how)
    program.said("syncs")
    program.send(signal.SIGTERM)
    assert program.wait() == -signal.SIGTERM, program.output
    assert whole_steps(tmp_path / "mine") == 5
    assert open_run(tmp_path / "mine").metadata.status != "running"


HANDLED = """
def earlier(number, frame):
    say("earlier", number)
    from epochord import open_run
    assert len(open_run(directory)["x"]) == 10  # kill -9 may be next
    if sys.argv[2] == "exits":
        sys.exit(7)

signal.signal(signal.SIGTERM, earlier)
with GradientRecorder(model, optimizer, directory, flush_seconds=1000) as recorder:
    for _ in range(10):
        step(recorder)
    os.kill(os.getpid(), signal.SIGTERM)
    for _ in range(5):
        step(recorder)
say("after", signal.getsignal(signal.SIGTERM) is earlier)
"""


def test_an_earlier_handler_has_the_last_word(programs, whole_steps, tmp_path):
    """It is called once, with all rows safe; what it makes of the signal is what happens."""
    program = programs.run(HANDLED, tmp_path / "exits", "exits")
    assert (program.code, program.output.split()) == (7, ["earlier", "15"])
    assert whole_steps(tmp_path / "exits") == 10
    about = open_run(tmp_path / "exits").metadata
    assert about.status == "failed"
    assert "SystemExit: 7" in about.error or "SIGTERM" in about.error
    program = programs.run(HANDLED, tmp_path / "returns", "returns")
    assert (program.code, program.output.split()) == (0, ["earlier", "15", "after", "True"])
    assert whole_steps(tmp_path / "returns") == 15  # it may only have asked for a checkpoint


IGNORED = """
signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
with GradientRecorder(model, optimizer, directory, flush_seconds=1000) as recorder:
    for _ in range(10):
        step(recorder)
    os.kill(os.getpid(), signal.SIGHUP)
    for _ in range(10):
        step(recorder)
say(signal.getsignal(signal.SIGHUP) is signal.SIG_IGN)
"""


def test_what_is_ignored_stays_ignored(programs, whole_steps, tmp_path):
    """Under nohup a training goes on when its terminal has gone, and so does its log."""
    program = programs.run(IGNORED, tmp_path / "mine")
    assert (program.code, program.output) == (0, "True\n")
    assert whole_steps(tmp_path / "mine") == 20
    assert open_run(tmp_path / "mine").metadata.status == "finished"


HANDLERS = """
def handlers():
    return [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)]

def mine(*_):
    pass

found = {}
before = handlers()
recorder = GradientRecorder(model, optimizer, directory + "/switched off", signals=False)
found["signals=False"] = handlers() == before
recorder.close()

def record():
    with GradientRecorder(model, optimizer, directory + "/thread") as recorder:
        step(recorder)
        found["in a thread"] = handlers() == before

thread = threading.Thread(target=record)
thread.start()
thread.join()

recorders = [GradientRecorder(model, optimizer, f"{directory}/{n}") for n in range(3)]
found["Ctrl-C"] = handlers()[2] == before[2]
for place in (1, 0, 2):
    recorders[place].close()
found["after several"] = handlers() == before

recorder = GradientRecorder(model, optimizer, directory + "/replaced")
signal.signal(signal.SIGTERM, mine)
recorder.close()
found["somebody else's"] = signal.getsignal(signal.SIGTERM) is mine
say(json.dumps(found))
"""


def test_handlers_are_left_as_they_were(programs, tmp_path):
    """Switched off, in a thread, or after closing: every handler is what it was."""
    program = programs.run(HANDLERS, tmp_path)
    assert program.code == 0, program.output
    found = json.loads(program.output.splitlines()[-1])
    assert found == dict.fromkeys(found, True)
    assert len(found) == 5


SEVERAL = """
recorders, trained = [], []
for number in range(3):
    model = nn.ParameterDict({"p": nn.Parameter(torch.zeros(1))})
    optimizer = torch.optim.SGD(model.parameters(), 0.0)
    trained.append((model, optimizer))
    recorders.append(GradientRecorder(model, optimizer, f"{directory}/{number}"))
    for _ in range(number + 1):
        step(recorders[-1])
recorders[1].close()
os.kill(os.getpid(), signal.SIGTERM)
"""


def test_all_that_are_open_are_closed(programs, whole_steps, tmp_path):
    """A program that records several runs loses no row of any."""
    program = programs.run(SEVERAL, tmp_path)
    assert program.code == -signal.SIGTERM, program.output
    for number, status in enumerate(["failed", "finished", "failed"]):
        assert whole_steps(tmp_path / str(number)) == number + 1
        assert open_run(tmp_path / str(number)).metadata.status == status


STANDING = """
recorder = GradientRecorder(model, optimizer, directory, format=sys.argv[2], flush_seconds=0.05)
for _ in range(7):
    step(recorder)
say("ready")
time.sleep(1000)
"""


@pytest.mark.parametrize("format", FORMATS)
def test_rows_reach_the_disk_when_no_step_comes_any_more(format, programs, whole_steps, tmp_path):
    """After `flush_seconds` they survive kill -9, though training stands still."""
    program = programs.start(STANDING, tmp_path / "mine", format)
    program.said("ready")
    limit = time.monotonic() + 30
    while _steps(tmp_path / "mine") < 7 and time.monotonic() < limit:
        time.sleep(0.02)
    program.send(signal.SIGKILL)
    assert program.wait() == -signal.SIGKILL
    assert whole_steps(tmp_path / "mine") == 7
    assert open_run(tmp_path / "mine").metadata.status == "running"


def _steps(directory: os.PathLike[str]) -> int:
    try:
        return len(open_run(directory).get("x", ()))
    except EpochordError:
        return 0
