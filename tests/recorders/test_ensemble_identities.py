"""Members are who they are in every epoch, whatever they are made of and whoever looks."""

import numpy as np
import pytest
import torch
from torch import nn

from epochord.recorders.dropout import MCDropout
from epochord.recorders.ensemble import EnsembleRecorder
from epochord.runlog.reading.ensemble import open_ensemble

X = torch.linspace(-1, 1, 40)[:, None]


class Constant:
    """A member that says one number."""

    def __init__(self, number):
        self.number = number

    def __call__(self, inputs):
        return np.full(len(inputs), self.number)


def test_losses_stay_with_their_members_in_epochs_whose_predictions_are_not_kept(tmp_path):
    first, second, third = (Constant(number) for number in (1.0, 2.0, 3.0))
    members = [first, second]
    with EnsembleRecorder(members, tmp_path / "run", grid=X.numpy(), every=3) as recorder:
        recorder.record([1.0, 2.0])
        members[:] = [third, second]
        recorder.record([3.0, 2.0])
        members[:] = [second, first]
        recorder.record([2.0, 1.0])
        members[:] = [second, third]
        recorder.record([2.0, 3.0])
    read = open_ensemble(tmp_path / "run")
    for tag, number in (("loss/00", 1.0), ("loss/01", 2.0), ("loss/02", 3.0)):
        assert set(read.run.series[tag].values.tolist()) == {number}
    assert read.present.tolist() == [[True, True, False], [False, True, True]]
    assert read.at(1).grid[2].tolist() == [3.0] * len(X)


@pytest.mark.parametrize("logits", [False, True])
def test_members_in_bfloat16_are_recorded(logits, tmp_path):
    nets = [nn.Linear(1, 3 if logits else 1).bfloat16() for _ in range(2)]
    prior = None if logits else [nn.Linear(1, 1).bfloat16() for _ in range(2)]
    with EnsembleRecorder(nets, tmp_path / "run", grid=X, logits=logits, prior=prior) as recorder:
        recorder.record()
    with torch.no_grad():
        said = torch.stack([net(X.bfloat16()) for net in nets]).float()
    expected = said.softmax(-1) if logits else said[..., 0]
    np.testing.assert_allclose(open_ensemble(tmp_path / "run").at(0).grid, expected, atol=0.01)


class Named(nn.Module):
    """A network that calls its dropout by the name of its input."""

    def __init__(self):
        super().__init__()
        self.dropout = nn.Dropout(0.5)
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, inputs):
        return self.weight * self.dropout(input=inputs.expand(-1, 200)).mean(1)


def test_dropout_may_be_called_by_name():
    both = MCDropout(Named(), samples=2)(torch.ones(3, 1))
    assert [len(set(each.tolist())) for each in both] == [1, 1]  # the same at all points
    assert not torch.equal(*both)


def test_sampling_seeds_no_device_but_that_of_the_network(monkeypatch):
    """`torch.manual_seed` seeds all devices, of which only the network's is put back."""
    seeded = []
    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeded.append)
    monkeypatch.setattr(torch.mps, "manual_seed", seeded.append)
    net = nn.Sequential(nn.Linear(1, 8), nn.AlphaDropout(0.5), nn.Dropout(0.5), nn.Linear(8, 1))
    before = torch.get_rng_state()
    asked = MCDropout(net, samples=3)
    for one, other in zip(asked(X), asked(X), strict=True):
        assert torch.equal(one, other)
    assert torch.equal(before, torch.get_rng_state())
    assert seeded == []


@pytest.mark.parametrize("kind", ["AdaBoostClassifier", "AdaBoostRegressor"])
def test_boosted_ensembles_whose_learners_are_no_models_alone_are_taken_by_stages(kind, tmp_path):
    ensemble = pytest.importorskip("sklearn.ensemble")
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (60, 2))
    y = (x[:, 0] * x[:, 1] > 0).astype(int)
    boosted = getattr(ensemble, kind)(n_estimators=4, random_state=0).fit(x, y)
    with EnsembleRecorder(boosted, tmp_path / "run", held_out=(x, y)) as recorder:
        recorder.record()
    said = open_ensemble(tmp_path / "run").at(0).held_out
    whole = boosted.predict_proba(x) if kind.endswith("Classifier") else boosted.predict(x)
    np.testing.assert_allclose(said[-1], whole, rtol=1e-6)


@pytest.mark.parametrize(
    ("later", "message"),
    [
        (lambda v: (v, v + 1), r"give 1 output with variances; when recording began, 1 output$"),
        (lambda v: np.stack([v, v], -1), r"give 2 outputs; when recording began, 1 output$"),
    ],
)
def test_answers_of_another_form_are_refused_and_spoil_no_epoch(later, message, tmp_path):
    forms = [lambda v: v]
    both = EnsembleRecorder(
        lambda inputs: forms[-1](np.zeros((2, len(inputs)))), tmp_path / "run", grid=X.numpy()
    )
    with both as recorder:
        recorder.record()
        forms.append(later)
        with pytest.raises(ValueError, match=message):
            recorder.record()
        forms.pop()
    assert len(open_ensemble(tmp_path / "run").epochs) == 1
