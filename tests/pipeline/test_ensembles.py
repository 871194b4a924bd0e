"""The ensembles of the original posts: trained at once as one by one, and what they show."""

import numpy as np
import pytest
import torch
from torch import nn

from epochord.pipeline.experiments.ensemble_settings import (
    SETTINGS,
    EnsembleRecording,
    bootstrap,
    grid,
    held_out_data,
    training_data,
)
from epochord.pipeline.experiments.ensembles import (
    MLP,
    JointTraining,
    ModelWithPrior,
    SinePrior,
    make_members,
    selu,
    train,
)
from epochord.recorders import EnsembleRecorder
from epochord.runlog.reading.ensemble import Ensemble, open_ensemble

EPOCHS = 100
X, Y = (torch.as_tensor(values) for values in training_data())
GRID = torch.as_tensor(grid()).unsqueeze(1)
INSIDE = np.abs(grid()) <= 2


@pytest.fixture(autouse=True)
def one_thread():
    """Keep threads that share cores with other tests from waiting for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class PlainMLP(nn.Module):
    """The post's network, written down again."""

    def __init__(self) -> None:
        super().__init__()
        self.l1, self.l2, self.l3 = nn.Linear(1, 20), nn.Linear(20, 20), nn.Linear(20, 1)

    def forward(self, inputs):
        x = torch.nn.functional.selu(self.l1(inputs))
        x = torch.nn.functional.selu(self.l2(x))
        return self.l3(x)


def plain_loop(members, prior: str | None, scale: float, indices, epochs: int) -> np.ndarray:
    """Train each member alone: Q = f + β·p, its own Adam 0.05, full batch [epochs, members, grid].

    After the post's definition; only the initial weights and the indices are given.
    """
    histories = []
    for member, own in zip(members, indices, strict=True):
        f = PlainMLP().double()
        f.load_state_dict((member if prior is None else member.base_model).state_dict())
        if prior == "MLP":
            p = PlainMLP().double()
            p.load_state_dict(member.prior_model.state_dict())

        def q(inputs, f=f, p=p if prior == "MLP" else None):
            with torch.no_grad():
                fixed = torch.sin(3 * inputs) if prior == "sin(3x)" else p(inputs) if p else 0
            return f(inputs) + scale * fixed

        optimizer = torch.optim.Adam(f.parameters(), lr=0.05)
        x, y = X[own].unsqueeze(1), Y[own].unsqueeze(1)
        history = [q(GRID).detach()]
        for _ in range(epochs):
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(q(x), y).backward()
            optimizer.step()
            history.append(q(GRID).detach())
        histories.append(torch.stack(history)[:, :, 0])
    return torch.stack(histories, dim=1).numpy()


def recorded(directory, name: str, **settings) -> Ensemble:
    train(EnsembleRecording(SETTINGS[name], directory, **settings), lambda done, loss: None)  # noqa: ARG005
    return open_ensemble(directory)


@pytest.mark.parametrize("name", SETTINGS)
def test_members_trained_at_once_are_those_trained_one_by_one(name):
    """In float64, over 100 epochs, at every grid point: to within 1e-9."""
    setting = SETTINGS[name]
    members = [each.double() for each in make_members(setting, 8, prior_scale=0.7, seed=5)]
    indices = bootstrap(8, 5) if setting.bootstrap else np.tile(np.arange(10), (8, 1))
    training = JointTraining(members, X.unsqueeze(1), Y)
    mine = []
    for epoch in range(EPOCHS + 1):
        with torch.no_grad():
            mine.append(training.predict(GRID).numpy())
        if epoch < EPOCHS:
            training.step(training.losses(torch.as_tensor(indices)))
    plain = plain_loop(members, setting.prior, 0.7, indices, EPOCHS)
    assert np.abs(np.stack(mine) - plain).max() <= 1e-9
    assert np.abs(plain[-1] - plain[0]).max() > 0.5  # it does train


def test_the_recorded_predictions_are_those_of_the_training(tmp_path):
    """The whole way in float64: what is in the log is the plain loop's, rounded to float32."""
    setting = SETTINGS["prior-bootstrap"]
    recording = EnsembleRecording(setting, tmp_path / "mine", members=4, epochs=12, seed=2)
    train(recording, lambda done, loss: None, dtype=torch.float64)  # noqa: ARG005
    ensemble = open_ensemble(tmp_path / "mine")
    members = [each.double() for each in make_members(setting, 4, seed=2)]
    plain = plain_loop(members, setting.prior, 1.0, bootstrap(4, 2), 12)
    assert ensemble.epochs.tolist() == list(range(13))
    found = np.stack([predictions.grid for predictions in ensemble])
    np.testing.assert_allclose(found, plain, rtol=1e-6, atol=1e-7)
    np.testing.assert_array_equal(ensemble.setup.indices, bootstrap(4, 2))
    with torch.no_grad():
        prior = torch.stack([each.prior_model(GRID)[:, 0] for each in members]).numpy()
    np.testing.assert_allclose(ensemble.setup.prior.grid, prior, atol=1e-12)
    for epoch, predictions in enumerate(ensemble):
        own = np.take_along_axis(predictions.data, bootstrap(4, 2), axis=1)
        losses = ((own - Y.numpy()[bootstrap(4, 2)]) ** 2).mean(1)
        mean = ensemble.run["loss"].values[epoch]
        assert mean == pytest.approx(losses.mean(), rel=1e-5)  # of the same state


def spread_of(name: str, seed: int, redrawn: bool = False) -> tuple[float, float]:
    """Return the mean standard deviation inside and outside the data after 100 epochs."""
    setting = SETTINGS[name]
    x, y, places = X.float(), Y.float(), GRID.float()
    training = JointTraining(make_members(setting, 40, seed=seed), x.unsqueeze(1), y)
    indices = torch.as_tensor(bootstrap(40, seed)) if setting.bootstrap else None
    for epoch in range(EPOCHS):
        if redrawn:
            indices = torch.as_tensor(bootstrap(40, 1000 * (seed + 1) + epoch))
        training.step(training.losses(indices))
    with torch.no_grad():
        sd = training.predict(places).numpy().std(0)
    return float(sd[INSIDE].mean()), float(sd[~INSIDE].mean())


def test_the_originals_finding_in_numbers():
    """Beyond the data members disagree more; a bootstrap redrawn each epoch undoes most of it."""
    fixed = np.mean([spread_of("prior-bootstrap", seed) for seed in range(3)], axis=0)
    sine = np.mean([spread_of("sine-bootstrap", seed) for seed in range(3)], axis=0)
    redrawn = np.mean([spread_of("prior-bootstrap", s, redrawn=True) for s in range(3)], axis=0)
    naive = np.mean([spread_of("naive", seed) for seed in range(3)], axis=0)
    for inside, outside in (fixed, sine, redrawn, naive):
        assert outside > 1.5 * inside
    assert fixed == pytest.approx([1.13, 2.47], rel=0.2)  # the original's, measured
    assert (redrawn < 2 / 3 * fixed).all()
    assert (naive < 1 / 2 * fixed).all()


def test_the_data_are_the_originals():
    """Ten points from NumPy's legacy generator, seeded with 10."""
    x, y = training_data()
    np.testing.assert_allclose(x, np.linspace(-2, 2, 10))
    np.testing.assert_allclose(
        y,
        [0.663173, -0.124998, -4.201912, -0.683434, 1.020450, -1.217949, 1.197690, 1.328208,
         1.564138, 1.650800],
        atol=5e-7,
    )  # fmt: skip
    held_out = held_out_data()
    assert (held_out.x.min(), held_out.x.max(), len(held_out.y)) == (-3, 3, 100)
    assert 1.6 < np.std(held_out.y - held_out.x) < 2.4
    assert (grid()[0], grid()[-1], len(grid())) == (-3, 3, 300)


def test_settings_share_what_they_have_in_common():
    """Equal seeds: the same networks to train, the same indices, however many members."""
    naive, prior = (make_members(SETTINGS[name], 3, seed=1) for name in ("naive", "prior"))
    sine = make_members(SETTINGS["sine-bootstrap"], 3, seed=1)
    many = make_members(SETTINGS["naive"], 5, seed=1)
    for place, plain in enumerate(naive):
        for other in (prior[place].base_model, sine[place].base_model, many[place]):
            assert torch.equal(plain.l2.weight, other.l2.weight)
    assert not torch.equal(prior[0].prior_model.l2.weight, prior[0].base_model.l2.weight)
    assert isinstance(sine[0].prior_model, SinePrior)
    np.testing.assert_array_equal(bootstrap(3, 7), bootstrap(5, 7)[:3])


def test_making_members_uses_up_no_random_numbers():
    """Whoever imports the experiment keeps the own seed."""
    state = torch.get_rng_state()
    make_members(SETTINGS["prior"], 2)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_prior_gets_no_gradient_and_is_scaled_once():
    """Q = f + β·p, of which only f is trained."""
    base, prior = MLP(), MLP()
    model = ModelWithPrior(base, prior, 3.0)
    places = torch.linspace(-1, 1, 7).unsqueeze(1)
    model(places).sum().backward()
    assert all(p.grad is None for p in prior.parameters())
    assert all(p.grad is not None for p in base.parameters())
    with torch.no_grad():
        torch.testing.assert_close(model(places), base(places) + 3 * prior(places))
        torch.testing.assert_close(SinePrior()(places), (3 * places).sin())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_quick_selu_is_torchs(dtype):
    """Over all that a network meets, with NaN and the infinities, and nothing is overwritten."""
    x = torch.cat([torch.linspace(-30, 30, 4001), torch.tensor([0.0, -1e30, 1e30])]).to(dtype)
    odd = torch.tensor([torch.nan, torch.inf, -torch.inf], dtype=dtype)
    before = x.clone()
    with torch.no_grad():
        quick = selu(x)
        torch.testing.assert_close(selu(odd), torch.nn.functional.selu(odd), equal_nan=True)
    eps = torch.finfo(dtype).eps
    torch.testing.assert_close(quick, torch.nn.functional.selu(x), rtol=8 * eps, atol=8 * eps)
    assert torch.equal(x, before)


def test_equal_seeds_give_equal_logs_and_other_seeds_do_not(tmp_path):
    """In every format."""
    small = {"members": 3, "epochs": 4}
    first = recorded(tmp_path / "a", "sine-bootstrap", **small)
    again = recorded(tmp_path / "b", "sine-bootstrap", format="tensorboard", **small)
    other = recorded(tmp_path / "c", "sine-bootstrap", seed=1, **small)
    assert first.log_hash() == again.log_hash() != other.log_hash()
    assert first.run.log_hash() == again.run.log_hash() != other.run.log_hash()


@pytest.mark.parametrize("name", SETTINGS)
def test_the_log_says_what_the_ensemble_was(name, tmp_path):
    """One member and one epoch make a log, too; β is what was asked for."""
    ensemble = recorded(tmp_path / "mine", name, members=1, epochs=1, prior_scale=2.0, seed=3)
    assert ensemble.epochs.tolist() == [0, 1]
    assert ensemble.members == 1
    about = ensemble.run.metadata
    assert about.hyperparameters["setting"] == name
    assert about.dataset["noise_sd"] == 2.0
    setting, setup = SETTINGS[name], ensemble.setup
    assert (setup.indices is not None) == setting.bootstrap
    assert (setup.prior is not None) == (setting.prior is not None)
    if setting.prior == "sin(3x)":
        np.testing.assert_allclose(setup.prior.grid[0], np.sin(3 * grid()), atol=1e-6)
        assert setup.prior_scale == 2.0
    assert len(setup.held_out) == 100
    assert ensemble.run["loss"].values[0] == ensemble.run["loss/00"].values[0]


def test_the_recorder_warns_of_the_loader_that_redraws(tmp_path):
    """The post's DataLoader, iterated every epoch, bootstraps anew: the recorder tells."""
    members = make_members(SETTINGS["prior-bootstrap"], 3)
    training = JointTraining(members, X.float().unsqueeze(1), Y.float())
    recorder = EnsembleRecorder(
        training.predict, tmp_path / "mine", grid=GRID.float(), data=(X, Y), prior=training.prior
    )

    def epoch(number: int) -> None:
        indices = bootstrap(3, number)
        losses = training.losses(torch.as_tensor(indices))
        recorder.record(losses, indices=indices)
        training.step(losses)

    with recorder:
        epoch(0)
        with pytest.warns(UserWarning, match="draw them once a member"):
            epoch(1)
        epoch(2)
    assert open_ensemble(tmp_path / "mine").run.metadata.hyperparameters["indices_changed_at"] == 1
