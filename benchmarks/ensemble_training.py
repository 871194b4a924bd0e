"""Training and recording an ensemble at once, against a loop over its members, in CPU time.

Both train forty members of the original setting ``prior-bootstrap`` for a hundred
epochs, and record all of them at 300 grid points before the first step and after each,
in the same log format.  In the loop each member is a module of its own, written as
in the original post, with an Adam of its own.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import torch
from torch import nn

from benchmarks.measure import CpuTimes, interleaved, ratios, spread
from benchmarks.tables import table
from benchmarks.targets import Part, at_least
from epochord.pipeline.experiments.ensemble_settings import (
    EPOCHS,
    LEARNING_RATE,
    MEMBERS,
    SETTINGS,
    bootstrap,
    grid,
    training_data,
)
from epochord.pipeline.experiments.ensembles import JointTraining, ModelWithPrior, make_members
from epochord.recorders import EnsembleRecorder

__all__ = ["measured", "report"]

AT_ONCE, LOOP = "at once", "loop"
BARE = ", not recorded"
ROUNDS = 7
LEAST_GAIN = 8  # times less CPU time

SETTING = SETTINGS["prior-bootstrap"]


class PostMLP(nn.Module):
    """The network as the post has it, with torch's own SELU."""

    def __init__(self) -> None:
        super().__init__()
        self.l1 = nn.Linear(1, 20)
        self.l2 = nn.Linear(20, 20)
        self.l3 = nn.Linear(20, 1)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        x = nn.functional.selu(self.l1(inputs))
        x = nn.functional.selu(self.l2(x))
        return self.l3(x)


class Unrecorded:
    """Stands in for a recorder."""

    def __enter__(self) -> "Unrecorded":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def record(self, losses: torch.Tensor) -> None:
        pass


def report() -> str:
    """Measure and return the table."""
    return "\n\n".join(measured().tables)


def measured() -> Part:
    """Measure both in turn, with a log and without."""
    with _one_thread(), tempfile.TemporaryDirectory() as folder:
        start = Start(Path(folder, "run"))
        # The first round warms up: it imports what torch, pyarrow and pandas import late.
        times = interleaved(
            {
                AT_ONCE: partial(_at_once, start, True),
                AT_ONCE + BARE: partial(_at_once, start, False),
                LOOP: partial(_loop, start, True),
                LOOP + BARE: partial(_loop, start, False),
            },
            rounds=ROUNDS,
            after_round=start.prepare,
        )
    gain = ratios(times, LOOP, to=AT_ONCE)
    target = at_least("training and recording an ensemble, loop ÷ at once", gain.median, LEAST_GAIN)
    notes = [
        "Drawing the initial weights is not timed; creating, writing and completing the log is.",
        "The ensemble's SELU is built on exp; the loop uses torch's own, on expm1, which torch "
        "does not vectorise on every processor.",
    ]
    return Part([_table(times)], [target], notes)


def _table(times: CpuTimes) -> str:
    rows = []
    for what in ("", BARE):
        seconds = [f"{spread(times[name + what]).median:.3f}" for name in (AT_ONCE, LOOP)]
        gain = ratios(times, LOOP + what, to=AT_ONCE + what).text(1)
        rows.append([f"training{what or ' and recording'}", *seconds, gain])
    title = f"{MEMBERS} members, {EPOCHS} epochs, {len(grid())} grid points, CPU time: median"
    head = ["what", f"{AT_ONCE}, s", f"{LOOP}, s", f"{LOOP} ÷ {AT_ONCE} (quartiles)"]
    return table(f"{title}, {ROUNDS} rounds", head, rows)


class Start:
    """What every training starts from, prepared while nobody measures.

    Parameters
    ----------
    log : Path
        The run's directory.
    """

    def __init__(self, log: Path) -> None:
        x, y = (torch.as_tensor(values).float() for values in training_data())
        self.x, self.y = x.unsqueeze(1), y
        self.grid = torch.as_tensor(grid()).float()
        self.indices = torch.as_tensor(bootstrap(MEMBERS, 0))
        self.members = make_members(SETTING, MEMBERS)
        self.log = log
        self.prepare()

    def prepare(self, _: int = 0) -> None:
        """Make members for two loops, which train them in place."""
        self.for_loops = [[_as_in_the_post(each) for each in self.members] for _ in range(2)]

    def recorder(self, members: object, prior: object, recorded: bool) -> object:
        if not recorded:
            return Unrecorded()
        shutil.rmtree(self.log, ignore_errors=True)
        return EnsembleRecorder(members, self.log, grid=self.grid, prior=prior)


def _at_once(start: Start, recorded: bool) -> None:
    training = JointTraining(start.members, start.x, start.y)
    with start.recorder(training.predict, training.prior, recorded) as recorder:
        for epoch in range(EPOCHS + 1):
            losses = training.losses(start.indices)
            recorder.record(losses)
            if epoch < EPOCHS:
                training.step(losses)


def _loop(start: Start, recorded: bool) -> None:
    members = start.for_loops.pop()
    optimizers = [torch.optim.Adam(m.base_model.parameters(), LEARNING_RATE) for m in members]
    own = [(start.x[chosen], start.y[chosen]) for chosen in start.indices]
    priors = [member.prior_model for member in members]
    with start.recorder(members, priors, recorded) as recorder:
        for epoch in range(EPOCHS + 1):
            losses = [
                (member(inputs).squeeze(-1) - targets).square().mean()
                for member, (inputs, targets) in zip(members, own, strict=True)
            ]
            recorder.record(torch.stack([loss.detach() for loss in losses]))
            if epoch == EPOCHS:
                break
            for loss, optimizer in zip(losses, optimizers, strict=True):
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()


def _as_in_the_post(member: ModelWithPrior) -> ModelWithPrior:
    base, prior = PostMLP(), PostMLP()
    base.load_state_dict(member.base_model.state_dict())
    prior.load_state_dict(member.prior_model.state_dict())
    return ModelWithPrior(base, prior, member.prior_scale)


@contextmanager
def _one_thread() -> Iterator[None]:
    # Two threads on two shared cores wait for each other, and waiting burns CPU time.
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
