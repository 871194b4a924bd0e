"""A recorder that is killed while it starts on a run that is there: at each step of its way."""

import json
from pathlib import Path

import pytest

from epochord.runlog import open_run
from epochord.runlog.run.run import GRAD_NORM

# A run of six steps, finished, or killed with each of them in a part of its own; then, on a copy of
# it each, recorders that are killed at their first, second, … change to the file system, until one
# comes through.
KILLING = """
import shutil
from pathlib import Path
from benchmarks.forks import ended, forked

format, settings = sys.argv[2], json.loads(sys.argv[3])
output = Path(directory) / "output.txt"

def record():
    recorder = GradientRecorder(model, optimizer, directory + "/whole", format=format)
    for _ in range(6):
        step(recorder)
        recorder.flush()
    if sys.argv[4] == "finished":
        recorder.close()
        os._exit(0)
    os.kill(os.getpid(), signal.SIGKILL)

def start(copy, change):
    left = change
    def killing(call):
        def changed(*arguments, **named):
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **named)
        return changed
    for name in ("unlink", "rmdir", "rename", "replace", "mkdir", "fsync"):
        setattr(os, name, killing(getattr(os, name)))
    GradientRecorder(model, optimizer, copy, format=format, **settings)
    os._exit(0)

assert ended(forked(record, output)) in (0, -signal.SIGKILL)
change, code = 0, None
while code != 0:
    change += 1
    copy = f"{directory}/{change}"
    shutil.copytree(directory + "/whole", copy)
    code = ended(forked(lambda: start(copy, change), output))
    assert code in (0, -signal.SIGKILL), output.read_text()
say(change)
"""


def steps_of(directory: Path) -> list[int]:
    """Return a run's steps, if it has any, after seeing that their values are theirs."""
    if not (directory / "run.json").exists() and not (directory / "metrics.parts").exists():
        return []
    norms = open_run(directory).get(GRAD_NORM + "p")
    if norms is None:
        return []
    assert norms.values.tolist() == [step + 0.5 for step in norms.steps.tolist()]
    return norms.steps.tolist()


def copies_of(programs, folder: Path, format: str, how: str, **settings: object) -> list[Path]:
    """Give the runs whose recorders were killed, and last the one whose was not."""
    program = programs.run(KILLING, folder, format, json.dumps(settings), how)
    assert program.code == 0, program.output
    return [folder / str(change) for change in range(1, int(program.output) + 1)]


@pytest.mark.parametrize("format", ["parquet", "both"])
def test_overwriting_is_done_or_not_done(format, programs, tmp_path):
    """The old run is there with all of its steps, or with none: never a part of them."""
    *killed, last = copies_of(programs, tmp_path, format, "killed", overwrite=True)
    for copy in killed:
        assert steps_of(copy) in ([], list(range(6))), copy
    assert steps_of(last) == []


@pytest.mark.parametrize("how", ["killed", "finished"])
@pytest.mark.parametrize("format", ["parquet", "tensorboard"])
def test_rewinding_loses_nothing(format, how, programs, tmp_path):
    """The run ends where it is to go on, or where it did; what is behind is kept in any case."""
    *killed, last = copies_of(programs, tmp_path, format, how, resume=3)
    for copy in [*killed, last]:
        own = steps_of(copy)
        aside = [step for segment in copy.glob("segment-*") for step in steps_of(segment)]
        assert own in (list(range(3)), list(range(6))), copy
        assert {*own, *aside} == set(range(6)), copy
        after = open_run(copy).metadata.steps or 0
        assert after <= len(own), copy  # else a run that is gone on with would have a gap
    assert steps_of(last) == list(range(3))


REWOUND_TO_NOTHING = """
for settings, steps, error in (({}, 4, None), ({"resume": 0}, 0, "ValueError: no"), ({}, 2, None)):
    recorder = GradientRecorder(model, optimizer, directory, **settings)
    for _ in range(steps):
        step(recorder)
    recorder.close(error=error)
"""


def test_what_a_failed_start_has_put_aside_is_kept(programs, tmp_path):
    """A run that failed before its first step may be begun anew; what it was before stays."""
    programs.run(REWOUND_TO_NOTHING, tmp_path / "mine")
    kept = [steps_of(segment) for segment in (tmp_path / "mine").glob("segment-*")]
    assert kept == [[0, 1, 2, 3]]
