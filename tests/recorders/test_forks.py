"""A forked child has none of its parent's recorder: whatever it does, the log does not notice."""

import json
import signal

import pytest

from epochord.runlog import open_run

FORMATS = ["parquet", "tensorboard", "both"]

# The parent stands still with some rows that it has not written yet, forks one child after another,
# and says how each ended and whether it changed anything; then it goes on.
PARENT = """
from functools import partial
from pathlib import Path
from benchmarks.forks import ended, forked

def snapshot():
    found = [(str(path), path.stat()) for path in sorted(Path(directory).rglob("*"))]
    return [(name, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns) for name, s in found]

def uses():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(100):
            step(recorder)
        recorder.flush()
        recorder.close()
        recorder.log("x", 1.0)
    assert len(caught) == 1, [str(each.message) for each in caught]
    assert "fork" in str(caught[0].message), caught[0].message

def leaves():
    with recorder:
        step(recorder)

def raises():
    with recorder:
        raise RuntimeError("of a child")

def records():
    from epochord.runlog import open_run
    with GradientRecorder(model, optimizer, directory + "-child") as own:
        for _ in range(3):
            step(own)
    assert len(open_run(directory + "-child")["x"]) == 3

def asks_for_the_same():
    from epochord.runlog import RunExistsError
    for settings in ({}, {"resume": True}, {"resume": 2}, {"overwrite": True}):
        try:
            GradientRecorder(model, optimizer, directory, **settings)
        except RunExistsError as error:
            assert len(str(error).splitlines()) == 1
            continue
        raise AssertionError(settings)

def in_a_thread_that_stays():
    threading.Thread(target=time.sleep, args=(0.05,)).start()

def sleeps():
    time.sleep(1000)

children = {
    "does nothing": lambda: None,
    "sys.exit": lambda: sys.exit(3),
    "os._exit": lambda: os._exit(4),
    "uses": uses,
    "leaves": leaves,
    "raises": raises,
    "records": records,
    "asks for the same": asks_for_the_same,
    "has a thread": in_a_thread_that_stays,
}
recorder = GradientRecorder(model, optimizer, directory, format=sys.argv[2], flush_seconds=1000)
for _ in range(10):
    step(recorder)
recorder.flush()
for _ in range(10):
    step(recorder)
found = {}
before = snapshot()
for number, (name, child) in enumerate(children.items()):
    output = Path(f"{directory}.{number}.txt")
    found[name] = [ended(forked(child, output), 20), snapshot() == before, output.read_text()]
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGKILL):
    child = forked(sleeps, Path(f"{directory}.slept.txt"))
    time.sleep(0.05)
    os.kill(child, number)
    found[number.name] = [ended(child, 20), snapshot() == before, ""]
for _ in range(10):
    step(recorder)
recorder.close()
say(json.dumps(found))
"""

CODES = {
    "does nothing": 0,
    "sys.exit": 3,
    "os._exit": 4,
    "uses": 0,
    "leaves": 0,
    "raises": 1,
    "records": 0,
    "asks for the same": 0,
    "has a thread": 0,
    "SIGTERM": -signal.SIGTERM,
    "SIGHUP": -signal.SIGHUP,
    "SIGKILL": -signal.SIGKILL,
}


@pytest.fixture(scope="module")
def parents(programs, tmp_path_factory) -> dict:
    """Give what became of a parent's children, by format, and where it recorded."""
    folder = tmp_path_factory.mktemp("parents")
    found = {}
    for format in FORMATS:
        program = programs.run(PARENT, folder / format, format)
        assert program.code == 0, program.output
        found[format] = (folder / format, json.loads(program.output.splitlines()[-1]))
    return found


@pytest.mark.parametrize("child", CODES)
@pytest.mark.parametrize("format", FORMATS)
def test_a_child_ends_as_it_would_and_changes_nothing(format, child, parents):
    """However it ends and whatever it calls: it does not hang, and no file has changed."""
    code, unchanged, output = parents[format][1][child]
    assert code == CODES[child], output
    assert unchanged, output


@pytest.mark.parametrize("format", FORMATS)
def test_the_parent_goes_on(format, parents, whole_steps):
    """All its rows are there, before and after its children, and it has finished."""
    directory, _ = parents[format]
    assert whole_steps(directory) == 30
    assert open_run(directory).metadata.status == "finished"


AT_ANY_MOMENT = """
from pathlib import Path
from benchmarks.forks import ended, forked

def child():
    with recorder:  # which closes it, as far as that is for the child to do
        step(recorder)
    recorder.flush()
    recorder.close()

recorder = GradientRecorder(model, optimizer, directory, flush_seconds=0.001)
codes = set()
for _ in range(40):
    step(recorder)
    codes.add(ended(forked(child, Path(directory + ".txt")), 10))
    if None in codes:
        break
recorder.close()
say(json.dumps(list(codes)))
"""


def test_a_fork_in_the_middle_of_writing(programs, whole_steps, tmp_path):
    """Whatever the writer's thread is doing and holding at the moment, the child does not hang."""
    program = programs.run(AT_ANY_MOMENT, tmp_path / "mine")
    assert (program.code, program.output) == (0, "[0]\n")
    assert whole_steps(tmp_path / "mine") == 40


OUTLIVING = """
recorder = GradientRecorder(model, optimizer, directory)
for _ in range(3):
    step(recorder)
recorder.flush()
if os.fork() == 0:
    say("child")
    time.sleep(20)
    os._exit(0)
time.sleep(1000)
"""

TAKING_OVER = """
with GradientRecorder(model, optimizer, directory, resume=True) as recorder:
    step(recorder)
"""


def test_a_child_that_outlives_its_parent_holds_no_lock(programs, whole_steps, tmp_path):
    """When the parent has been killed, the run can be gone on with at once."""
    parent = programs.start(OUTLIVING, tmp_path / "mine")
    parent.said("child")
    parent.send(signal.SIGKILL)
    assert parent.wait() == -signal.SIGKILL
    following = programs.run(TAKING_OVER, tmp_path / "mine")
    assert following.code == 0, following.output
    assert whole_steps(tmp_path / "mine") == 4


WORKERS = """
from torch.utils.data import DataLoader

if __name__ == "__main__":
    data = [torch.tensor([float(number)]) for number in range(24)]
    with GradientRecorder(model, optimizer, directory, flush_seconds=0.0) as recorder:
        for persistent in (False, True):
            loader = DataLoader(data, 4, num_workers=2, multiprocessing_context="fork",
                                persistent_workers=persistent, timeout=30)
            for _ in range(2):
                for batch in loader:
                    step(recorder)
        loader._iterator._workers[0].terminate()
        loader._iterator._workers[0].join(20)
        say(loader._iterator._workers[0].exitcode)
        step(recorder)
"""


def test_workers_of_a_loader_while_recording(programs, whole_steps, tmp_path):
    """Forked workers come and go, and one is terminated, without a row more or less."""
    program = programs.run(WORKERS, tmp_path / "mine")
    assert program.code == 0, program.output
    assert program.output == "0\n"  # so torch has it, which handles the signal in a worker
    assert whole_steps(tmp_path / "mine") == 25
    assert open_run(tmp_path / "mine").metadata.status == "finished"
