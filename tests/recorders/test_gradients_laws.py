"""Whatever is done in whatever order, the log is what a plain Python model of it says."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from epochord.recorders import GradientRecorder
from epochord.runlog import open_run
from epochord.runlog.run.run import GRAD_NORM

FORMATS = ["parquet", "tensorboard"]
Points = dict[str, list[tuple[int, float]]]

# Halves are exact in float32, and so are the norms of vectors with one of them.
HALVES = st.integers(-99, 99).map(lambda n: n / 2)
GRADIENTS = st.tuples(*[st.none() | HALVES] * 2)
STEP = st.tuples(st.just("step"), GRADIENTS)
CAPTURED = st.tuples(st.just("captured"), GRADIENTS, st.booleans())
LOG = st.tuples(st.just("log"), st.sampled_from("abc"), HALVES, st.booleans())
FLUSH = st.tuples(st.just("flush"))
SECOND = st.tuples(st.just("second"), st.none() | HALVES)


class Model:
    """What the log should hold, in a few lines of plain Python."""

    def __init__(self, every: int) -> None:
        self.every = every
        self.step = -1
        self.rows: dict[str, dict[int, float]] = {}
        self.coming: dict[str, float] = {}
        self.early: set[str] = set()
        self.known: set[str] = set()
        self.leader: tuple[str, ...] = ()
        self.stepped: set[str] = set()

    def norms(self, gradients, names) -> None:
        """Note the norms of a step that is measured; None is null."""
        self.leader = self.leader or names
        if names == self.leader or self.stepped.intersection(names):
            self.step += 1
            self.stepped = set()
        self.stepped.update(names)
        for tag, value in self.coming.items():
            self.rows.setdefault(tag, {})[self.step] = value
        self.coming = {}
        if self.step % self.every:
            return
        for name, gradient in zip(names, gradients, strict=True):
            if gradient is not None:
                self.rows.setdefault(GRAD_NORM + name, {})[self.step] = abs(gradient)

    def log(self, tag: str, value: float) -> None:
        """Note a value: of the coming step, if the tag was logged before the first one."""
        if tag not in self.known and self.step < 0:
            self.early.add(tag)
        self.known.add(tag)
        if tag in self.early:
            self.coming[tag] = value
        else:
            self.rows.setdefault(tag, {})[self.step] = value

    def end(self) -> None:
        """Put what no step came for into the last one."""
        for tag, value in self.coming.items():
            self.rows.setdefault(tag, {})[max(self.step, 0)] = value

    def points(self) -> Points:
        return {tag: sorted(rows.items()) for tag, rows in self.rows.items() if rows}


class Training:
    """Parameters of two elements, whose gradients a test sets, and their optimizers."""

    def __init__(self, directory: Path, second: bool = False, **settings) -> None:
        self.model = nn.ParameterDict({n: nn.Parameter(torch.zeros(2)) for n in ("p", "q", "r")})
        first = [self.model["p"], self.model["q"]] + ([] if second else [self.model["r"]])
        self.optimizers = [torch.optim.SGD(first, 0.0)]
        if second:
            self.optimizers.append(torch.optim.SGD([self.model["r"]], 0.0))
        self.recorder = GradientRecorder(self.model, self.optimizers, directory, **settings)
        self.expected = Model(settings["every"])

    def set_gradients(self, gradients, names=("p", "q")) -> None:
        for name, value in zip(names, gradients, strict=True):
            grad = None if value is None else torch.tensor([0.0, value])
            self.model[name].grad = grad

    def step(self, gradients) -> None:
        self.set_gradients(gradients)
        self.optimizers[0].step()
        self.expected.norms(gradients, ("p", "q"))

    def captured(self, gradients, flush: bool) -> None:
        self.set_gradients(gradients)
        self.recorder.capture()
        if flush:
            self.recorder.flush()
        self.set_gradients([1000.0, None])
        self.optimizers[0].step()
        self.expected.norms(gradients, ("p", "q"))

    def second(self, gradient) -> None:
        self.set_gradients([gradient], ["r"])
        self.optimizers[1].step()
        self.expected.norms([gradient], ["r"])

    def log(self, tag: str, value: float, as_tensor: bool) -> None:
        self.expected.log(tag, value)
        self.recorder.log(tag, torch.tensor(value) if as_tensor else value)

    def flush(self) -> None:
        assert self.recorder.flush()


def replay(operations, check: Callable[[Points, Points], None], **settings) -> None:
    """Do the operations in both formats; check what is read back, and that the hashes agree."""
    hashes = set()
    with tempfile.TemporaryDirectory() as folder:
        for format in FORMATS:
            directory = Path(folder, format)
            training = Training(directory, format=format, **settings)
            for name, *arguments in operations:
                getattr(training, name)(*arguments)
            training.recorder.close()
            training.expected.end()
            run = open_run(directory)
            assert run.damage == ()
            found = {
                tag: list(zip(series.steps.tolist(), series.values.tolist(), strict=True))
                for tag, series in run.series.items()
            }
            check(found, training.expected.points())
            hashes.add(run.log_hash())
    assert len(hashes) == 1


def equal(found: Points, expected: Points) -> None:
    assert found == expected


@given(
    operations=st.lists(STEP | CAPTURED | LOG | LOG | FLUSH, max_size=40),
    every=st.integers(1, 3),
    flush_seconds=st.sampled_from([0.0, 3600.0]),
)
@settings(max_examples=80)
def test_any_sequence_reads_back_as_the_model_says(operations, every, flush_seconds):
    """Steps, captured steps, logged values and flushes in any order, in both formats."""
    replay(operations, equal, every=every, flush_seconds=flush_seconds)


@given(
    operations=st.lists(STEP | SECOND | SECOND | LOG | FLUSH, max_size=30), every=st.integers(1, 3),
    flush_seconds=st.sampled_from([0.0, 3600.0]),
)  # fmt: skip
@settings(max_examples=100)
def test_any_interleaving_of_two_optimizers(operations, every, flush_seconds):
    """A row begins with the one that stepped first, or with one that has stepped in it already."""
    replay(operations, equal, every=every, flush_seconds=flush_seconds, second=True)
