"""Whether the recorder is right under other people's optimizers.

``python -m benchmarks.optimizers [MODULE…]``; about four minutes for all.

Every optimizer in the packages that are installed trains a small net, in every way
in which it can be stepped; the script notes the gradients itself, in float64, and
compares the log with them.  Without the recorder the weights must be bit for bit the same.
``pip install --no-deps`` any of `PACKAGES` beside torch; those that are not there are left out.
"""

import random
import signal
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from inspect import Parameter, isclass, signature
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn
from torch.optim import Optimizer

from benchmarks import machine
from benchmarks.tables import table
from epochord.recorders import GradientRecorder
from epochord.runlog import open_run
from epochord.runlog.run.run import GRAD_NORM

__all__ = ["report"]

# Where the optimizers are: module and distribution.
PACKAGES = {
    "torch.optim": "torch",
    "pytorch_optimizer": "pytorch-optimizer",
    "timm.optim": "timm",
    "schedulefree": "schedulefree",
    "torch_optimizer": "torch-optimizer",
    "heavyball": "heavyball",
    "optimi": "torch-optimi",
    "dadaptation": "dadaptation",
    "adam_atan2_pytorch": "adam-atan2-pytorch",
    "prodigyplus": "prodigy-plus-schedule-free",
    "pytorch_ranger": "pytorch-ranger",
    "kron_torch": "kron-torch",
    "ncg_optimizer": "ncg-optimizer",
    "ranger21": "ranger21",
    "muon": "muon-optimizer",
    "madgrad": "madgrad",
    "adopt": "torch-adopt",
    "adabelief_pytorch": "adabelief-pytorch",
    "adam_mini": "adam-mini",
    "adan_pytorch": "adan-pytorch",
    "came_pytorch": "came-pytorch",
    "grokadamw": "grokadamw",
    "grokfast_pytorch": "grokfast-pytorch",
    "lion_pytorch": "lion-pytorch",
    "prodigyopt": "prodigyopt",
    "rangerlite": "rangerlite",
}

STEPS = 6
MOST_SECONDS = 60  # an optimizer and way of stepping
RIGHT = 1e-6  # relative


class Outcome(NamedTuple):
    """What came of one optimizer, stepped in one way."""

    name: str
    way: str
    rows: int = 0
    error: float = float("inf")  # the worst, relative
    same: bool = False  # whether training was what it is without the recorder
    reason: str = ""  # why it could not be tried, or what the recorder raised
    refused: bool = False  # by the recorder, before anything was there

    @property
    def right(self) -> bool:
        """Whether there is a row a step, right, and training is undisturbed."""
        return self.rows == STEPS and self.error <= RIGHT and self.same


class Loop:
    """A net in training, and the norms of what its optimizer was given, a row a step."""

    def __init__(self, kind: type[Optimizer]) -> None:
        for seed in (random.seed, np.random.seed, torch.manual_seed):
            seed(0)
        self.model = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 4))
        self.batches = torch.randn(STEPS, 12, 8).unbind()
        self.optimizer = _built(kind, self.model)
        self.norms: list[dict[str, float]] = []
        if callable(getattr(self.optimizer, "train", None)):
            self.optimizer.train()  # schedule-free ones know two modes

    def loss(self, step: int) -> torch.Tensor:
        """Compute a step's loss."""
        batch = self.batches[step]
        return (self.model(batch) - batch[:, :4]).square().mean()

    def backward(self, step: int, **settings: bool) -> torch.Tensor:
        """Fill in the gradients and note them; what was noted before at this step is replaced."""
        with torch.enable_grad():
            self.optimizer.zero_grad()
            loss = self.loss(step)
            loss.backward(**settings)
        self.note(step)
        return loss

    def note(self, step: int) -> None:
        """Note the norms of the gradients that are there now."""
        self.norms[step:] = [
            {
                name: torch.linalg.vector_norm(p.grad.detach().double()).item()
                for name, p in self.model.named_parameters()
                if p.grad is not None
            }
        ]


def _plain(loop: Loop, step: int) -> None:
    loop.backward(step)
    loop.optimizer.step()


def _with_graph(loop: Loop, step: int) -> None:
    loop.backward(step, create_graph=True)
    loop.optimizer.step()


def _closure(loop: Loop, step: int) -> None:
    loop.backward(step)  # for those that begin with a gradient, such as SAM
    loop.optimizer.step(lambda: loop.backward(step))


def _two_passes(loop: Loop, step: int) -> None:
    loop.backward(step)
    loop.optimizer.first_step(zero_grad=True)
    loop.backward(step)
    # Some mix the gradients of both passes: what counts is what the base optimizer is given.
    given = loop.optimizer.base_optimizer.register_step_pre_hook(lambda *_: loop.note(step))
    loop.optimizer.second_step(zero_grad=True)
    given.remove()


def _several_losses(loop: Loop, step: int) -> None:
    loop.optimizer.zero_grad()
    loop.optimizer.pc_backward([loop.loss(step), loop.loss(step - 1)])
    loop.note(step)
    loop.optimizer.step()


WAYS: dict[str, Callable[[Loop, int], None]] = {
    "plain": _plain,
    "with a graph": _with_graph,
    "closure": _closure,
    "two passes": _two_passes,
    "several losses": _several_losses,
}


def report(modules: Iterable[str] = tuple(PACKAGES)) -> str:
    """Try all optimizers of some packages and return the tables."""
    tried, left_out = [], []
    for module in modules:
        try:
            kinds = _optimizers(module)
        except ImportError as error:
            left_out.append(Outcome(module, "", reason=_words(error)))
            continue
        for name, kind in kinds.items():
            known = [_tried(f"{_label(module)} {name}", kind, way) for way in WAYS]
            works = [outcome for outcome in known if outcome]
            tried += [outcome for outcome in works if outcome.way]
            left_out += [] if any(o.way for o in works) else works[:1]
            print(".", end="", file=sys.stderr, flush=True)
    return f"{_table(tried)}\n\n{_left_out(left_out)}\n\n{_summary(tried, left_out)}"


def _optimizers(module: str) -> dict[str, type[Optimizer]]:
    """Return a package's own optimizers by name."""
    kinds: dict[str, type[Optimizer]] = {}
    for name, kind in vars(import_module(module)).items():
        own = isclass(kind) and kind.__module__.startswith(module.partition(".")[0])
        if own and issubclass(kind, Optimizer) and kind is not Optimizer:
            kinds.setdefault(name, kind)
    return {name: kind for name, kind in kinds.items() if kind.step is not Optimizer.step}


def _built(kind: type[Optimizer], model: nn.Module) -> Optimizer:
    """Build an optimizer, giving it what it asks for by the name of what it asks for."""
    weights = [p for p in model.parameters() if p.dim() > 1]
    biases = [p for p in model.parameters() if p.dim() < 2]
    known: dict[str, Any] = {
        "params": list(model.parameters()),
        "named_parameters": list(model.named_parameters()),
        "model": model,
        "lr": 1e-3,
        "base_optimizer": torch.optim.SGD,
        "wrapped_optimizer": torch.optim.SGD,
        "muon_params": weights,
        "polar_params": weights,
        "param_groups": [
            {"params": weights, "use_muon": True},
            {"params": biases, "use_muon": False},
        ],
        **dict.fromkeys(("num_data", "num_iterations", "num_epochs", "num_batches_per_epoch"), 8),
    }
    if "muon_params" in (wanted := signature(kind).parameters) or "polar_params" in wanted:
        known["params"] = biases
    needed = {
        name: known[name]
        for name, each in wanted.items()
        if name in known
        and (each.default is Parameter.empty or name.startswith("num_"))
        and each.kind is not Parameter.VAR_KEYWORD
    }
    # Off by default in many; on, it is what they add to gradients in place.
    wished = {"weight_decay": 0.1, "momentum": 0.9}
    more = needed | {name: wished[name] for name in wished if name in wanted}
    attempts = [
        lambda: kind(**more),
        lambda: kind(**needed),
        lambda: kind(optimizer=torch.optim.SGD(model.parameters(), 0.1)),
        lambda: kind(**{**needed, "base_optimizer": torch.optim.SGD(model.parameters(), 0.1)}),
        lambda: kind(**needed, lr=1e-3),
        lambda: kind(known["param_groups"]),
        lambda: kind(weights),
    ]
    first: Exception | None = None
    for attempt in attempts:
        try:
            return attempt()
        except Exception as error:  # noqa: BLE001 - whatever a package raises, it cannot be built so
            first = first or error
    raise first or AssertionError


def _tried(name: str, kind: type[Optimizer], way: str) -> Outcome | None:
    """Train without and with the recorder; None if this is no way to step such an optimizer."""
    if way == "with a graph" and "essian" not in name and "ophia" not in name:
        return None  # PyTorch warns of leaks, so only for those that need it
    try:
        with _limited():
            bare = _trained(Loop(kind), way)
    except Exception as error:  # noqa: BLE001 - the same
        return Outcome(name, "", reason=_words(error))
    with tempfile.TemporaryDirectory() as folder, _limited():
        try:
            loop = Loop(kind)
            with GradientRecorder(loop.model, loop.optimizer, Path(folder, "run")):
                _trained(loop, way)
        except Exception as error:  # noqa: BLE001 - it worked without the recorder
            refused = not Path(folder, "run").exists()
            return Outcome(name, way, reason=_words(error), refused=refused)
        return Outcome(name, way, *_compared(loop, Path(folder, "run")), same=_same(loop, bare))


def _trained(loop: Loop, way: str) -> Loop:
    for step in range(STEPS):
        WAYS[way](loop, step)
    return loop


def _compared(loop: Loop, directory: Path) -> tuple[int, float]:
    """Return how many rows a run has, and the worst relative error of all its norms."""
    run = open_run(directory)
    worst = 0.0
    for name in loop.norms[0]:
        series = run.series.get(GRAD_NORM + name)
        if series is None or series.steps.tolist() != list(range(STEPS)):
            return len(run.steps), float("inf")
        true = np.array([row[name] for row in loop.norms])
        worst = max(worst, float(np.max(np.abs(series.values - true) / true)))
    return len(run.steps), worst


def _same(one: Loop, other: Loop) -> bool:
    pairs = zip(one.model.parameters(), other.model.parameters(), strict=True)
    return all(torch.equal(p, q) for p, q in pairs)


@contextmanager
def _limited() -> Iterator[None]:
    """Give up after a while, and keep packages' warnings to themselves."""

    def give_up(*_: object) -> None:
        raise TimeoutError(f"takes more than {MOST_SECONDS} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(MOST_SECONDS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _words(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0][:80]}".rstrip(" :").replace("|", "/")


def _label(module: str) -> str:
    try:
        return f"{PACKAGES[module]} {version(PACKAGES[module])}"
    except PackageNotFoundError:
        return PACKAGES[module]


def _table(tried: list[Outcome]) -> str:
    rows = []
    for name in dict.fromkeys(each.name for each in tried):
        own = [each for each in tried if each.name == name]
        groups = [[o for o in own if o.right], *([o] for o in own if not o.right)]
        rows += [_line(group) for group in groups if group]
    head = ["optimizer", "stepped", "rows of steps", "worst relative error", "weights", ""]
    return table("What the log has of other people's optimizers", head, rows)


def _line(alike: list[Outcome]) -> list[str]:
    """Describe what came of one optimizer in ways that are all right, or in one."""
    worst = max(alike, key=lambda each: each.error)
    return [
        worst.name,
        ", ".join(each.way for each in alike),
        f"{worst.rows} of {STEPS}",
        worst.reason or f"{worst.error:.1e}",
        "as without" if worst.same or worst.refused else "others",
        "right" if worst.right else "refused" if worst.refused else "wrong",
    ]


def _left_out(left_out: list[Outcome]) -> str:
    return table("Not tried", ["optimizer", "why"], [[o.name, o.reason] for o in left_out])


def _summary(tried: list[Outcome], left_out: list[Outcome]) -> str:
    optimizers = {each.name for each in tried}
    wrong = {each.name for each in tried if not each.right and not each.refused}
    refused = {each.name for each in tried if each.refused}
    return (
        f"- {len(optimizers)} optimizers in {len(tried)} loops; wrong with {len(wrong)}: "
        f"{', '.join(sorted(wrong)) or 'none'}; refused: {', '.join(sorted(refused)) or 'none'}; "
        f"{len(left_out)} not tried."
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(machine.describe(), flush=True)
    print(f"\n## optimizers\n\n{report(sys.argv[1:] or tuple(PACKAGES))}", flush=True)
