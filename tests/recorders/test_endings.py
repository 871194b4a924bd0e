"""How a run ends that nobody closes: as its program did, whatever went wrong on the way."""

import subprocess
import sys

import pytest

from epochord.runlog import open_run
from epochord.runlog.run.run import GRAD_NORM

# One process imports torch and forks; each child falls out of the loop and ends by itself.
PROGRAM = """
import gc, os, sys, threading, torch
from torch import nn
from epochord.recorders import watch

folder = sys.argv[1]
torch.set_num_threads(1)
torch.optim.SGD([nn.Parameter(torch.zeros(1))]).step()  # torch imports more at a first step
gc.freeze()  # else each child collects all of torch as it ends, which takes a second
for how in sys.argv[2:]:
    child = os.fork()
    if child == 0:
        break
    os.waitpid(child, 0)
else:
    sys.exit()
sys.stderr = open(os.devnull, "w")

class Training:
    def __init__(self, name):
        self.model = nn.ParameterDict({"p": nn.Parameter(torch.zeros(1))})
        self.optimizer = torch.optim.SGD(self.model.parameters(), 0.0)
        self.recorder = watch(self.model, self.optimizer, f"{folder}/{how}/{name}")
    def steps(self, first, last):
        for step in range(first, last):
            self.model["p"].grad = torch.tensor([step + 0.5])
            self.optimizer.step()

def shown(text):  # what a notebook or the prompt leaves of an exception
    try:
        raise ValueError(text)
    except ValueError as error:
        sys.last_value = error

def fail(*_):
    raise ValueError("caught")

if how == "shown before":
    shown("from another cell")
one = Training("one")
one.steps(0, 3)
if how == "caught":
    hook = one.optimizer.register_step_pre_hook(fail)
    try:
        one.steps(3, 4)
    except ValueError:
        hook.remove()
elif how in ("shown and trained on", "shown at the end"):
    shown(how)
elif how == "in a thread":
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
elif how == "closed before":
    one.steps(3, 6)
    one.recorder.close()
    raise ValueError("too late")
elif how == "within another":
    try:
        fail()
    except ValueError:
        raise OSError("in\\nlines")
elif how == "interrupted":
    raise KeyboardInterrupt
elif how == "two":
    two = Training("two")
    two.steps(0, 2)
    one.steps(3, 6)
    raise ValueError("of both")
elif how == "two, one closed":
    two = Training("two")
    one.steps(3, 6)
    one.recorder.close()
    two.steps(0, 2)
    raise ValueError("of the other")
elif how == "two, one trained on":
    two = Training("two")
    two.steps(0, 2)
    shown("between")
elif how == "exit in a block":
    with one.recorder:
        one.steps(3, 6)
        sys.exit(0)
elif how == "exit by a word":
    with one.recorder:
        one.steps(3, 6)
        sys.exit("no data")
if how != "shown at the end":
    one.steps(3, 6)
"""

FINISHED = ("finished", None)
# By program: how its run has ended, and the other one, if there are two.
ENDINGS = {
    "normal": [FINISHED],
    "caught": [FINISHED],
    "shown before": [FINISHED],
    "shown and trained on": [FINISHED],
    "shown at the end": [("failed", "ValueError: shown at the end")],
    "in a thread": [FINISHED],
    "closed before": [FINISHED],
    "within another": [("failed", "OSError: in lines")],
    "interrupted": [("failed", "KeyboardInterrupt")],
    "two": [("failed", "ValueError: of both")] * 2,
    "two, one closed": [FINISHED, ("failed", "ValueError: of the other")],
    "two, one trained on": [FINISHED, ("failed", "ValueError: between")],
    "exit in a block": [FINISHED],
    "exit by a word": [("failed", "SystemExit: no data")],
}
SHORT = {"shown at the end": 3, "within another": 3, "interrupted": 3}


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """Give the folder in which all the programs have recorded and ended."""
    folder = tmp_path_factory.mktemp("ended")
    script = folder / "script.py"
    script.write_text(PROGRAM, encoding="utf-8")
    command = [sys.executable, str(script), str(folder), *ENDINGS]
    subprocess.run(command, check=True, timeout=120)
    return folder


@pytest.mark.parametrize("how", ENDINGS)
def test_a_run_ends_as_its_program(how, ended):
    """Failed only by what ended it: not by what was caught, came before, or was trained past."""
    found = []
    for name in ("one", "two")[: len(ENDINGS[how])]:
        run = open_run(ended / how / name)
        found.append((run.metadata.status, run.metadata.error))
        steps = 2 if name == "two" else SHORT.get(how, 6)
        values = run[GRAD_NORM + "p"].values.tolist()
        assert values == [step + 0.5 for step in range(steps)]
        assert run.damage == ()
    assert found == ENDINGS[how]
