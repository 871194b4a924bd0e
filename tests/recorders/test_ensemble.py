"""An ensemble is recorded as it predicts, whatever its members are, in every format."""

import copy
import json
import math
import warnings

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import nn

from epochord.recorders import EnsembleRecorder
from epochord.runlog import open_run
from epochord.runlog.reading.ensemble import open_ensemble

FORMATS = ["parquet", "tensorboard", "both"]
GRID = torch.linspace(-3, 3, 21)
DATA = (torch.linspace(-2, 2, 6), torch.linspace(-1, 1, 6))
HELD_OUT = (np.linspace(-3, 3, 9), np.zeros(9))
INDICES = np.array([[0, 0, 1], [2, 3, 4], [5, 5, 5]])


def net(inputs: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, 5), nn.Tanh(), nn.Linear(5, 1))


@pytest.fixture
def members() -> list[nn.Module]:
    """Give three small networks."""
    torch.manual_seed(0)
    return [net() for _ in range(3)]


def asked(members, inputs) -> np.ndarray:
    """Ask the members directly, in eval mode, without the recorder."""
    column = torch.as_tensor(inputs, dtype=torch.float32).reshape(len(inputs), -1)
    with torch.no_grad():
        return np.stack([copy.deepcopy(m).eval()(column)[:, 0].numpy() for m in members])


def losses_of(members) -> torch.Tensor:
    x, y = DATA
    return torch.stack([(m(x[:, None])[:, 0] - y).square().mean() for m in members])


def train(members, recorder, epochs: int, optimizer_of=torch.optim.SGD) -> list[np.ndarray]:
    """Record before each step; return what was predicted on the grid, and at the end."""
    parameters = [p for member in members for p in member.parameters()]
    optimizer = optimizer_of(parameters, 0.1)
    seen = []
    for _ in range(epochs):
        seen.append(asked(members, GRID))
        losses = losses_of(members)
        recorder.record(losses)
        optimizer.zero_grad()
        losses.sum().backward()
        optimizer.step()
    return [*seen, asked(members, GRID)]


@pytest.mark.parametrize("format", FORMATS)
def test_what_is_read_back_is_what_the_members_said(format, members, tmp_path):
    """Predictions everywhere, losses, setup and metadata; the state after the last step too."""
    priors = [net() for _ in members]
    recorder = EnsembleRecorder(
        members, tmp_path / "mine", grid=GRID, data=DATA, held_out=HELD_OUT, indices=INDICES,
        prior=priors, prior_scale=0.5, format=format, seed=4, hyperparameters={"lr": 0.1},
        dataset={"name": "d", "noise_sd": 0.25},
    )  # fmt: skip
    with recorder:
        first_losses = losses_of(members).detach().numpy()
        seen = train(members, recorder, 4)
        recorder.log("lr", 0.1)
    ensemble = open_ensemble(tmp_path / "mine")
    assert ensemble.epochs.tolist() == [0, 1, 2, 3, 4]
    for predictions, expected in zip(ensemble, seen, strict=True):
        np.testing.assert_allclose(predictions.grid, expected, rtol=1e-6, atol=1e-6)
    last = ensemble.at(-1)
    np.testing.assert_allclose(last.data, asked(members, DATA[0]), atol=1e-6)
    np.testing.assert_allclose(last.held_out, asked(members, HELD_OUT[0]), atol=1e-6)
    setup = ensemble.setup
    np.testing.assert_allclose(setup.prior.grid, asked(priors, GRID), atol=1e-6)
    np.testing.assert_array_equal(setup.indices, INDICES)
    np.testing.assert_allclose(setup.data[:, 0], DATA[0])
    np.testing.assert_array_equal(setup.held_out_targets, HELD_OUT[1])
    assert setup.prior_scale == 0.5
    run = ensemble.run
    assert run.damage == ()
    assert set(run.series) == {"loss", "loss/00", "loss/01", "loss/02", "lr"}
    assert run["loss/02"].steps.tolist() == [0, 1, 2, 3]
    assert [run[f"loss/0{k}"].values[0] for k in range(3)] == first_losses.tolist()
    assert run["loss"].values[0] == pytest.approx(first_losses.mean())
    about = run.metadata
    assert (about.status, about.steps, about.seed) == ("finished", 5, 4)
    assert about.hyperparameters == {"members": 3, "lr": 0.1}
    assert about.dataset["noise_sd"] == 0.25


def test_formats_have_one_hash_and_half_precision_is_off_by_its_rounding(members, tmp_path):
    """Parquet and event files read back equal, float32 and float16; half is half's rounding."""
    found = {}
    for format in FORMATS:
        for half in (False, True):
            directory = tmp_path / f"{format}{half}"
            with EnsembleRecorder(members, directory, grid=GRID, format=format, half=half) as r:
                for _ in range(3):
                    r.record([1.0, 2.0, 3.0])
            found[format, half] = open_ensemble(directory)
    for half in (False, True):
        assert len({found[format, half].log_hash() for format in FORMATS}) == 1
    single, half = found["parquet", False].at(1).grid, found["parquet", True].at(1).grid
    np.testing.assert_array_equal(half, single.astype(np.float16).astype(np.float32))
    stored = pq.read_schema(tmp_path / "parquetTrue" / "ensemble.parquet").field("grid").type
    assert str(stored.value_type) == "halffloat"


def test_training_is_undisturbed_bit_for_bit(tmp_path):
    """Dropout draws what it would have drawn, batch norm keeps its statistics, modes stay."""

    def run(recorded: bool):
        torch.manual_seed(3)
        members = [
            nn.Sequential(nn.Linear(1, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 1))
            for _ in range(3)
        ]
        members[1][1].eval()  # a frozen layer in a model that trains
        modes = [[m.training for m in member.modules()] for member in members]
        if recorded:
            with EnsembleRecorder(members, tmp_path / "mine", grid=GRID, every=2) as recorder:
                train(members, recorder, 6, torch.optim.Adam)
        else:

            class Nothing:
                def record(self, losses):
                    pass

            train(members, Nothing(), 6, torch.optim.Adam)
        assert [[m.training for m in member.modules()] for member in members] == modes
        states = [value for member in members for value in member.state_dict().values()]
        assert all(p.grad is not None for p in members[0].parameters())
        return states, torch.get_rng_state()

    bare, recorded = run(False), run(True)
    assert all(torch.equal(a, b) for a, b in zip(bare[0], recorded[0], strict=True))
    assert torch.equal(bare[1], recorded[1])
    assert open_ensemble(tmp_path / "mine").epochs.tolist() == [0, 2, 4, 6]


def test_a_member_that_draws_random_numbers_does_not_use_them_up(tmp_path):
    """Monte-Carlo dropout samples when it is asked; training's random numbers stay."""

    def noisy(inputs: torch.Tensor) -> torch.Tensor:
        return torch.randn(2, len(inputs))

    torch.manual_seed(1)
    state = torch.get_rng_state()
    with EnsembleRecorder(noisy, tmp_path / "mine", grid=GRID) as recorder:
        recorder.record()
        assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    "kind", ["list", "function", "numpy", "numpy list", "module", "ModuleList"]
)
def test_members_may_be_anything_that_answers(kind, members, tmp_path):
    """A list or a function, torch or NumPy, with or without a last axis of one: one log."""
    grid = GRID.numpy() if "numpy" in kind else GRID

    class Together(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.all = nn.ModuleList(members)

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            return torch.stack([member(inputs) for member in self.all])

    def function(inputs: torch.Tensor) -> torch.Tensor:
        assert isinstance(inputs, torch.Tensor)
        return torch.stack([member(inputs)[:, 0] for member in members])

    def in_numpy(inputs: np.ndarray) -> np.ndarray:
        assert isinstance(inputs, np.ndarray)
        return function(torch.as_tensor(inputs)).numpy()

    given_members = {
        "list": members,
        "function": function,
        "numpy": in_numpy,
        "numpy list": [lambda x, k=k: in_numpy(x)[k][:, None] for k in range(3)],
        "module": Together(),
        "ModuleList": nn.ModuleList(members),
    }[kind]
    with EnsembleRecorder(given_members, tmp_path / "mine", grid=grid, prior=given_members) as r:
        assert r.members == 3
        r.record(np.array([1.0, 2.0, 3.0]))
    ensemble = open_ensemble(tmp_path / "mine")
    np.testing.assert_allclose(ensemble.at(0).grid, asked(members, GRID), atol=1e-6)
    np.testing.assert_allclose(ensemble.setup.prior.grid, asked(members, GRID), atol=1e-6)


def test_a_grid_may_have_two_inputs(tmp_path):
    """Points of the plane, with data in it; float64 modules get float64."""
    torch.manual_seed(0)
    members = [net(2).double() for _ in range(2)]
    grid = torch.cartesian_prod(torch.linspace(-1, 1, 5), torch.linspace(-1, 1, 4))
    data = (np.zeros((3, 2)), np.zeros((3, 1)))
    with EnsembleRecorder(members, tmp_path / "mine", grid=grid, data=data) as recorder:
        recorder.record()
    ensemble = open_ensemble(tmp_path / "mine")
    assert ensemble.setup.grid.shape == (20, 2)
    with torch.no_grad():
        expected = torch.stack([m(grid.double())[:, 0] for m in members]).numpy()
    np.testing.assert_allclose(ensemble.at(0).grid, expected, atol=1e-6)
    assert ensemble.at(0).data.shape == (2, 3)


@pytest.mark.parametrize("every", [1, 2, 3, 4])
@pytest.mark.parametrize("epochs", [1, 4, 5])
def test_the_last_epoch_is_kept_in_either_loop(every, epochs, tmp_path):
    """Recorded before each step there is one epoch more, recorded after each there is none."""
    for name, steps_after in (("before", True), ("after", False)):
        value = torch.zeros(2, len(GRID))
        with EnsembleRecorder(
            lambda x, v=value: v[:, : len(x)], tmp_path / name, grid=GRID, every=every
        ) as recorder:
            for epoch in range(epochs):
                recorder.record()
                if steps_after or epoch < epochs - 1:
                    value += 1
        last = epochs if steps_after else epochs - 1
        ensemble = open_ensemble(tmp_path / name)
        assert ensemble.epochs.tolist() == sorted({*range(0, last + 1, every), last})
        assert [p.grid[0, 0] for p in ensemble] == ensemble.epochs.tolist()
        assert ensemble.run.metadata.steps == last + 1


@given(
    values=arrays(
        np.float32, (2, 3), elements=st.floats(width=32, allow_nan=True, allow_infinity=True)
    )
)
def test_any_numbers_survive(values, tmp_path_factory):
    """NaN and the infinities are predictions as others are."""
    directory = tmp_path_factory.mktemp("any") / "mine"
    with EnsembleRecorder(lambda x: values[:, : len(x)], directory, grid=[0.0, 1.0, 2.0]) as r:
        r.record([math.nan, math.inf])
    ensemble = open_ensemble(directory)
    np.testing.assert_array_equal(ensemble.at(0).grid, values)
    assert len(ensemble.epochs) == 1  # NaN has not changed
    np.testing.assert_array_equal(ensemble.run["loss/00"].values, [np.nan])


def test_the_answer_is_kept_though_its_memory_is_used_again(tmp_path):
    """A function may return one and the same buffer at each call."""
    buffer = torch.zeros(1, len(GRID))
    array = np.zeros((1, len(GRID)))
    for name, answer in (("torch", buffer), ("numpy", array)):
        with EnsembleRecorder(lambda _, a=answer: a, tmp_path / name, grid=GRID) as recorder:
            for epoch in range(4):
                answer[:] = epoch
                recorder.record()
        assert [p.grid[0, 0] for p in open_ensemble(tmp_path / name)] == [0, 1, 2, 3]


def test_losses_may_come_now_and_then(tmp_path, members):
    """An epoch without losses has predictions; a loss's name has as many digits as it takes."""
    with EnsembleRecorder(members, tmp_path / "mine", grid=GRID) as recorder:
        recorder.record(torch.ones(3))
        recorder.record()
        recorder.log("x", 7)
        recorder.record([2, 2, 2])
    run = open_run(tmp_path / "mine")
    assert run["loss/01"].steps.tolist() == [0, 2]
    assert run["x"].steps.tolist() == [1]
    many = [lambda x: x[:, 0]] * 101
    with EnsembleRecorder(many, tmp_path / "many", grid=GRID) as recorder:
        recorder.record(np.arange(101))
    assert open_run(tmp_path / "many")["loss/100"].values.tolist() == [100.0]
    assert open_run(tmp_path / "many")["loss/007"].values.tolist() == [7.0]


def test_epochs_go_to_the_log_in_batches_of_a_few_megabytes(tmp_path, monkeypatch, members):
    """Whatever the batches are, all epochs are there, and can be read while recording."""
    monkeypatch.setattr("epochord.recorders.ensemble.BATCHED_VALUES", 5 * 3 * len(GRID))
    with EnsembleRecorder(members, tmp_path / "mine", grid=GRID) as recorder:
        for _ in range(12):
            recorder.record()
        recorder._log.writer.flush()
        assert open_ensemble(tmp_path / "mine").epochs.tolist() == list(range(10))
        recorder.flush()
        assert open_ensemble(tmp_path / "mine").epochs.tolist() == list(range(12))
        assert open_run(tmp_path / "mine").metadata.status == "running"
    assert open_ensemble(tmp_path / "mine").epochs.tolist() == list(range(12))


def test_indices_that_change_are_warned_of_once_and_noted(tmp_path, members):
    """The first ones are logged; run.json says from which epoch on they were others."""
    other = INDICES[::-1]
    with EnsembleRecorder(members, tmp_path / "mine", grid=GRID, data=DATA) as recorder:
        recorder.record(indices=INDICES)
        recorder.record(indices=torch.as_tensor(INDICES))
        with pytest.warns(UserWarning, match=r"epoch 2 .* less than half; draw them once") as said:
            recorder.record(indices=other)
        assert said[0].filename == __file__
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            recorder.record(indices=other)
        recorder.flush()
        running = json.loads((tmp_path / "mine" / "run.json").read_text())
    assert running["hyperparameters"]["indices_changed_at"] == 2
    ensemble = open_ensemble(tmp_path / "mine")
    np.testing.assert_array_equal(ensemble.setup.indices, INDICES)
    assert ensemble.run.metadata.hyperparameters["indices_changed_at"] == 2
    assert ensemble.run.metadata.status == "finished"


@pytest.mark.parametrize("kind", [torch.as_tensor, np.asarray])
def test_half_precision_that_overflows_is_warned_of_once_and_noted(tmp_path, kind):
    """Finite predictions that are infinite in float16 are counted; infinite ones are no loss."""
    grid = kind(np.linspace(0.0, 1.0, 5)[:, None])
    scale = [np.inf]

    def members(x):
        return kind(np.stack([np.full(len(x), 65_504.0), scale[0] * np.ones(len(x))]))

    with EnsembleRecorder(members, tmp_path / "mine", grid=grid, half=True) as recorder:
        recorder.record()
        scale[0] = 1.0
        recorder.record()
        recorder.flush()
        scale[0] = -7e4
        for _ in range(2):
            recorder.record()
        with pytest.warns(
            UserWarning, match=r"epoch 2: of the predictions, 5 are .*65,504"
        ) as all_:
            recorder.flush()
        assert len(all_) == 1
        recorder.record()
    read = open_ensemble(tmp_path / "mine")
    assert read.run.metadata.hyperparameters["half_overflows_at"] == 2
    assert read.run.metadata.status == "finished"
    assert (read.at(1).grid == [[65_504], [1]] * np.ones((2, 5))).all()


def test_numbers_that_fit_float16_are_not_warned_of(tmp_path):
    """Nor are those of a run that is not kept in half precision."""
    for name, value, half in (("small", 6e4, True), ("single", 1e6, False)):
        many = torch.full((2, len(GRID)), value)
        with EnsembleRecorder(
            lambda _, many=many: many, tmp_path / name, grid=GRID, half=half
        ) as r:
            r.record()
        assert "half_overflows_at" not in open_run(tmp_path / name).metadata.hyperparameters


def test_every_may_be_any_whole_number(tmp_path, members):
    """NumPy's integers and whole floats count as what they are."""
    for every in (2, np.int64(2), 2.0):
        place = tmp_path / type(every).__name__
        with EnsembleRecorder(members, place, grid=GRID, every=every) as recorder:
            for _ in range(3):
                recorder.record()
        assert open_ensemble(place).epochs.tolist() == [0, 2]
        assert json.loads((place / "run.json").read_text())["every"] == 2
