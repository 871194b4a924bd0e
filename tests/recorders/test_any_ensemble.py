"""Whatever ensembles people have is recorded as it predicts: each kind against its own answers."""

import copy
import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_iris, make_moons
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.multioutput import MultiOutputRegressor
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier
from torch import distributions, nn

from epochord.recorders import EnsembleRecorder, MCDropout
from epochord.runlog.reading.ensemble import open_ensemble

GRID = torch.linspace(-2, 2, 7)
X = np.linspace(-2, 2, 30)[:, None]
Y = np.sin(X[:, 0])
RNG = np.random.default_rng(0)
MEAN, WIDE = torch.as_tensor(RNG.normal(size=(3, 7))), torch.as_tensor(RNG.random((3, 7)) + 0.1)
WEIGHTS = torch.softmax(torch.as_tensor(RNG.normal(size=(3, 7, 4))), -1)


@pytest.fixture
def recorded(tmp_path):
    """Record members once (and once more where closing finds that they changed); open the log."""

    def record(members, **arguments):
        arguments = {"grid": GRID} | arguments if "held_out" not in arguments else arguments
        with EnsembleRecorder(members, tmp_path / "mine", **arguments) as recorder:
            recorder.record()
        return open_ensemble(tmp_path / "mine")

    return record


def close(mine, theirs):
    np.testing.assert_allclose(mine, np.asarray(theirs), rtol=1e-6, atol=1e-6)


NORMAL = {
    "a tuple": lambda m, v: (m, v),
    "a list": lambda m, v: [m, v],
    "a column each": lambda m, v: (m[:, None], v[:, None]),
    "laplace-torch": lambda m, v: (m[:, None], v[:, None, None]),
    "arrays": lambda m, v: (m.numpy(), v.numpy()),
    "Normal": lambda m, v: distributions.Normal(m, v.sqrt()),
    "Independent": lambda m, v: distributions.Independent(distributions.Normal(m, v.sqrt()), 1),
    "a joint normal": lambda m, v: distributions.MultivariateNormal(m, torch.diag(v)),
    "a mixture": lambda m, v: distributions.MixtureSameFamily(
        distributions.Categorical(torch.ones(len(m), 2)),
        distributions.Normal(torch.stack([m, m], -1), torch.stack([v, v], -1).sqrt()),
    ),
    "torch-uncertainty": lambda m, v: {"loc": m[:, None], "scale": v[:, None].sqrt()},
    "lightning-uq-box": lambda m, v: {"pred": m[:, None], "pred_uct": v.sqrt()},
}


@pytest.mark.parametrize("form", NORMAL)
def test_a_member_may_give_its_own_variance(form, recorded):
    """In any form: what is read are the means and the variances."""
    give = NORMAL[form]
    read = recorded([lambda x, k=k: give(MEAN[k, : len(x)], WIDE[k, : len(x)]) for k in range(3)])
    assert (read.task, read.outputs, read.members) == ("regression", 1, 3)
    close(read.at(0).grid, MEAN)
    close(read.variances(0).grid, WIDE)


TOGETHER = {
    "tuple": lambda m, v: (m, v),
    "Normal": lambda m, v: distributions.Normal(m, v.sqrt()),
    "below each other": lambda m, v: {"loc": m.reshape(-1, 1), "scale": v.sqrt().reshape(-1, 1)},
    "draws last": lambda m, v: {
        "samples": torch.stack([m.T, v.log().T], 1), "pred": m.mean(0), "aleatoric_uct": v.mean(0),
    },
    "a list of pairs": lambda m, v: list(zip(m, v, strict=True)),
}  # fmt: skip


@pytest.mark.parametrize("form", TOGETHER)
def test_one_function_may_give_the_variances_of_all(form, recorded):
    """As other libraries put them: members first, below each other, or last."""
    give = TOGETHER[form]
    read = recorded(lambda x: give(MEAN[:, : len(x)], WIDE[:, : len(x)]))
    close(read.at(0).grid, MEAN)
    np.testing.assert_allclose(read.variances(0).grid, WIDE, rtol=1e-4)


def test_one_model_that_says_its_variance_is_an_ensemble_of_one(recorded):
    """laplace-torch: f_mu and f_var, with covariances of the outputs."""
    covariance = torch.diag_embed(torch.stack([WIDE[0], WIDE[1]], -1)) + 0.01
    both = torch.stack([MEAN[0], MEAN[1]], -1)
    read = recorded(lambda x: (both[: len(x)], covariance[: len(x)]))
    assert (read.members, read.outputs) == (1, 2)
    close(read.at(0).grid[0], both)
    close(read.variances(0).grid[0, :, 1], WIDE[1] + 0.01)


CLASSES = {
    "probabilities": (lambda p: p, {"task": "classification"}),
    "logits": (lambda p: p.log() + 3, {"logits": True}),
    "named": (lambda p: p, {"classes": ["a", "b", "c", "d"]}),
    "Categorical": (lambda p: distributions.Categorical(p), {}),
    "logits in it": (lambda p: distributions.Categorical(logits=p.log()), {}),
    "a dictionary": (lambda p: {"pred": p, "pred_uct": p[..., 0], "logits": p.log()}, {}),
    "logits alone": (lambda p: {"logits": p.log()}, {}),
}


@pytest.mark.parametrize("form", CLASSES)
@pytest.mark.parametrize("together", [False, True])
def test_classes_are_recorded_as_probabilities(form, together, recorded):
    """However they come."""
    give, arguments = CLASSES[form]
    members = [lambda x, k=k: give(WEIGHTS[k, : len(x)]) for k in range(3)]
    if together:
        members = lambda x: give(WEIGHTS[:, : len(x)])  # noqa: E731
    read = recorded(members, **arguments)
    assert (read.task, read.outputs, read.variances(0)) == ("classification", 4, None)
    close(read.at(0).grid, WEIGHTS)
    assert read.classes == (tuple("abcd") if form == "named" else tuple("0123"))


def test_classes_may_come_below_each_other_or_from_one_model_alone(recorded, tmp_path):
    """As torch-uncertainty gives logits, and laplace-torch the probabilities of one model."""
    read = recorded(lambda x: WEIGHTS[:, : len(x)].log().reshape(-1, 4), logits=True)
    close(read.at(0).grid, WEIGHTS)
    with EnsembleRecorder(
        lambda x: WEIGHTS[0, : len(x)], tmp_path / "one", grid=GRID, task="classification"
    ) as recorder:
        recorder.record()
    close(open_ensemble(tmp_path / "one").at(0).grid, WEIGHTS[:1])


@pytest.mark.parametrize("column", [False, True])
@pytest.mark.parametrize("logits", [False, True])
def test_a_single_number_is_the_probability_of_class_1(column, logits, recorded):
    """Then class 0 has the rest."""
    second = WEIGHTS[..., 0]
    said = second.logit() if logits else second
    said = said[..., None] if column else said
    read = recorded(
        [lambda x, k=k: said[k, : len(x)] for k in range(3)], task="classification", logits=logits
    )
    close(read.at(0).grid, torch.stack([1 - second, second], -1))


def test_labels_of_the_targets_decide_what_several_outputs_are(recorded, tmp_path):
    """One label a point: classes.  A number a point and output: outputs."""
    members = [lambda x, k=k: WEIGHTS[k, : len(x)] for k in range(3)]
    labels = np.array([0, 1, 2, 3, 0, 1, 2])
    assert recorded(members, held_out=(GRID, labels)).task == "classification"
    with EnsembleRecorder(members, tmp_path / "b", held_out=(GRID, WEIGHTS[0])) as recorder:
        recorder.record()
    read = open_ensemble(tmp_path / "b")
    assert (read.task, read.outputs) == ("regression", 4)
    close(read.setup.held_out_targets, WEIGHTS[0])
    assert json.loads((tmp_path / "b" / "run.json").read_text())["hyperparameters"]["outputs"] == 4


def test_one_target_of_several_outputs_is_warned_of(tmp_path):
    """It is the first output's; a remedy is said for what may have been meant."""
    with pytest.warns(UserWarning, match=r"give \(mean, variance\) if the second is a variance"):
        recorder = EnsembleRecorder(
            [lambda x: torch.cat([x, x], 1)], tmp_path / "mine", held_out=(GRID, GRID)
        )
    with recorder:
        recorder.record()
    targets = open_ensemble(tmp_path / "mine").setup.held_out_targets
    assert np.isfinite(targets).all(axis=0).tolist() == [True, False]


REFUSED = {
    "logits": (
        [lambda x: x.new_tensor([[1.0, -2.0]] * len(x))], {"task": "classification"},
        r"no probabilities of classes at point 0: 1, -2, which sum to -1; .* pass logits=True",
    ),
    "half of it": (
        [lambda x: x.new_full((len(x), 2), 0.25)], {"task": "classification"}, "which sum to 0.5",
    ),
    "other labels": (
        [lambda x: x.new_full((len(x), 2), 0.5)],
        {"task": "classification", "data": (GRID[:3], [0, 1, 7])},
        "targets of data hold the class 7; the members' classes are 0, 1: pass classes=",
    ),
    "few names": (
        [lambda x: x.new_full((len(x), 2), 0.5)], {"classes": ["a"]}, "classes are 1; the mem",
    ),
    "a task": ([lambda x: x], {"task": "ranking"}, "task is 'ranking'; expected 'regression'"),
    "both": ([lambda x: x], {"task": "regression", "logits": True}, "are of a classification"),
    "three": ([lambda x: (x, x, x)], {}, r"a tuple of 3; expected \(mean, variance\)"),
    "two targets": (
        DecisionTreeClassifier().fit(X, np.stack([Y > 0, Y > 0.5], 1)), {},
        "DecisionTreeClassifier classifies 2 targets at once",
    ),
    "a strange mapping": ([lambda x: {"loss": x}], {}, "a dictionary of loss; expected one of"),
    "no variance": (
        [lambda x: distributions.TransformedDistribution(distributions.Normal(x, 1), [])], {},
        "TransformedDistribution, which has no mean and variance",
    ),
    "outputs that differ": (
        [lambda x: x, lambda x: torch.cat([x, x], 1)], {}, "member 1 gives 2 outputs and member 0",
    ),
    "a variance of some": (
        [lambda x: (x, x + 9), lambda x: x], {}, "member 0 and member 1 only one gives a variance",
    ),
    "logarithms": ([lambda x: (x, x - 9)], {}, "give variances below 0; expected variances"),
    "a broken grid": ([lambda x: x], {"grid": GRID * float("nan")}, "grid has inputs that are not"),
    "nowhere": ([lambda x: x], {"grid": None}, "no points at which the members could be asked"),
    "unfitted": ([LinearRegression()], {}, "LinearRegression is not fitted; call its fit"),
    "an unfitted forest": (RandomForestRegressor(), {}, "is not fitted; call its fit"),
    "one net often": (
        [nn.Linear(1, 1)] * 3, {}, "are one module several times, so they come out equal; pass it",
    ),
    "priors of others": (
        [lambda x: torch.cat([x, x], 1)], {"prior": [lambda x: x]}, "prior gives 1 outputs; the m",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_makes_no_sense_is_refused_in_one_line(case, tmp_path):
    """With what it got, what it expected, and a remedy where there is one."""
    members, arguments, message = REFUSED[case]
    with pytest.raises(ValueError, match=message) as caught:
        EnsembleRecorder(members, tmp_path / "mine", **{"grid": GRID, **arguments})
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def dropping():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(1, 30), nn.BatchNorm1d(30), nn.ReLU(), nn.Dropout(0.3), nn.Linear(30, 1)
    )


@pytest.mark.parametrize("copies", [False, True])
def test_copies_with_dropout_are_refused_with_the_remedy(copies, tmp_path):
    """In eval mode nothing is dropped, so all would be equal."""
    net = dropping()
    members = [copy.deepcopy(net) if copies else net for _ in range(5)]
    with pytest.raises(ValueError, match=r"come out equal; .*epochord.MCDropout\(net, samples=5\)"):
        EnsembleRecorder(members, tmp_path / "mine", grid=GRID)


def test_dropout_draws_functions_that_are_the_same_in_each_epoch(recorded):
    """Members differ, are drawn again alike, elsewhere too; their mean is about eval's."""
    net = dropping()
    samples = MCDropout(net, samples=400)
    first = torch.stack(samples(GRID[:, None]))
    assert torch.equal(first, torch.stack(samples(GRID[:, None])))
    assert torch.allclose(torch.stack(samples(GRID[2:4, None])), first[:, 2:4], atol=1e-6)
    assert not torch.equal(first, torch.stack(MCDropout(net, samples=400, seed=1)(GRID[:, None])))
    assert (first.std(0) > 0.01).all()
    with torch.no_grad():
        plain = copy.deepcopy(net).eval()(GRID[:, None])
    error = first.std(0) / 400**0.5
    assert ((first.mean(0) - plain).abs() < 5 * error).all()
    read = recorded(samples)
    assert read.members == 400
    assert read.epochs.tolist() == [0]  # nothing has changed when it is closed
    close(read.at(0).grid, first[..., 0])


def test_dropout_leaves_training_alone(tmp_path):
    """Modes, batch statistics and random numbers are what they would be."""
    net = dropping()
    net[1].eval()
    modes = [each.training for each in net.modules()]
    state = copy.deepcopy(net.state_dict())
    torch.manual_seed(3)
    before = torch.get_rng_state()
    with EnsembleRecorder(MCDropout(net, 4), tmp_path / "mine", grid=GRID) as recorder:
        recorder.record()
    assert torch.equal(torch.get_rng_state(), before)
    assert [each.training for each in net.modules()] == modes
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())


LAYERS = {
    "channels": (nn.Sequential(nn.Conv1d(3, 5, 1), nn.Dropout1d(0.5)), (4, 3, 6)),
    "planes": (nn.Sequential(nn.Conv2d(1, 5, 3), nn.Dropout2d(0.5)), (4, 1, 8, 8)),
    "alpha": (nn.Sequential(nn.Linear(3, 20), nn.AlphaDropout(0.5)), (4, 3)),
    "a transformer": (nn.TransformerEncoderLayer(4, 2, 8, 0.5, batch_first=True), (4, 3, 4)),
}


@pytest.mark.parametrize("case", LAYERS)
def test_every_kind_of_dropout_is_on(case):
    """And whole channels fall where the layer drops channels."""
    net, shape = LAYERS[case]
    said = torch.stack([each.detach() for each in MCDropout(net, 6)(torch.ones(shape))])
    assert not torch.equal(said[0], said[1])
    assert torch.equal(said, torch.stack(MCDropout(net, 6)(torch.ones(shape))))
    if case in ("channels", "planes"):
        gone = (said == 0).flatten(3)
        assert (gone.all(-1) == gone.any(-1)).all()
        assert gone.any()


def test_a_network_without_dropout_has_no_samples():
    """They would be equal."""
    with pytest.raises(ValueError, match="no layer of dropout with p above 0"):
        MCDropout(nn.Sequential(nn.Linear(1, 1), nn.Dropout(0.0)))
    with pytest.raises(ValueError, match="samples is 0"):
        MCDropout(dropping(), 0)
    with pytest.raises(TypeError, match="net is list"):
        MCDropout([dropping()])


ENSEMBLES = {
    "forest": RandomForestRegressor(5, random_state=0).fit(X, Y),
    "voting": VotingRegressor(
        [("a", LinearRegression()), ("b", RandomForestRegressor(3, random_state=0))]
    ).fit(X, Y),
}


@pytest.mark.parametrize("name", ENSEMBLES)
@pytest.mark.parametrize("form", ["whole", "estimators_", "predict"])
def test_estimators_are_asked_as_they_are(name, form, recorded):
    """As an ensemble, as its members, or as their methods."""
    whole = ENSEMBLES[name]
    given_ = {"whole": whole, "estimators_": whole.estimators_}
    given_["predict"] = [each.predict for each in whole.estimators_]
    read = recorded(given_[form], grid=X, held_out=(X, Y))
    assert (read.task, read.members) == ("regression", len(whole.estimators_))
    close(read.at(0).grid, [each.predict(X) for each in whole.estimators_])


IRIS = load_iris()
NAMES = IRIS.target_names[IRIS.target]
FEW = [("a", LogisticRegression(max_iter=500)), ("b", GaussianNB())]
CLASSIFIERS = {
    "forest": RandomForestClassifier(5, random_state=0),
    "trees": ExtraTreesClassifier(5, random_state=0),
    "bagging": BaggingClassifier(
        DecisionTreeClassifier(), 6, max_samples=4, max_features=2, random_state=0
    ),
    "voting": VotingClassifier(FEW, voting="soft"),
    "hard voting": VotingClassifier(FEW),
    "ridge": RidgeClassifier(),
}


@pytest.mark.parametrize("labels", [IRIS.target, IRIS.target + 1, NAMES], ids=["0", "1", "names"])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classes_are_the_same_whatever_they_are_called(name, labels, recorded):
    """Members that know encoded labels, or only some, have their columns where they belong."""
    whole = CLASSIFIERS[name].fit(IRIS.data, labels)
    read = recorded(whole, held_out=(IRIS.data, labels))
    assert (read.task, read.outputs) == ("classification", 3)
    assert read.classes == tuple(map(str, whole.classes_))
    assert np.array_equal(read.setup.held_out_targets, IRIS.target)
    said = read.at(0).held_out
    close(said.sum(-1), np.ones(said.shape[:2]))
    mean = said.mean(0)
    if name == "ridge":
        assert np.array_equal(whole.classes_[mean.argmax(-1)], whole.predict(IRIS.data))
    elif name != "hard voting":
        close(mean, whole.predict_proba(IRIS.data))
    assert (mean.argmax(-1) == IRIS.target).mean() > 0.4


@pytest.mark.parametrize("labels", [IRIS.target, NAMES], ids=["numbers", "names"])
def test_members_of_a_forest_know_its_classes_by_number(labels, recorded):
    """Given by themselves, with targets in words: these are meant, in their order."""
    forest = RandomForestClassifier(4, random_state=0).fit(IRIS.data, labels)
    read = recorded(
        [each.predict_proba for each in forest.estimators_], held_out=(IRIS.data, labels)
    )
    assert read.classes == tuple(map(str, forest.classes_))
    assert np.array_equal(read.setup.held_out_targets, IRIS.target)
    close(read.at(0).held_out.mean(0), forest.predict_proba(IRIS.data))


@pytest.mark.parametrize("kind", [GradientBoostingRegressor, GradientBoostingClassifier])
def test_a_boosted_ensemble_is_taken_by_its_stages_and_may_grow(kind, tmp_path):
    """A member a stage; those that came later are absent before."""
    classify = kind is GradientBoostingClassifier
    x, y = (IRIS.data, IRIS.target) if classify else (X, Y)
    boosted = kind(n_estimators=2, warm_start=True, random_state=0).fit(x, y)
    with EnsembleRecorder(boosted, tmp_path / "mine", held_out=(x, y)) as recorder:
        for stages in (2, 4):
            boosted.set_params(n_estimators=stages).fit(x, y)
            recorder.record(np.arange(stages))
        assert recorder.members == 4
    read = open_ensemble(tmp_path / "mine")
    assert read.present.tolist() == [[True, True, False, False], [True] * 4]
    staged = boosted.staged_predict_proba(x) if classify else boosted.staged_predict(x)
    close(read.at(1).held_out, list(staged))
    assert read.run["loss/03"].values.tolist() == [3.0]
    assert read.run.metadata.hyperparameters["members"] == 4


def test_estimators_that_say_more_are_asked_for_it(recorded, tmp_path):
    """A Gaussian process its standard deviation, one for several targets all of them."""
    process = GaussianProcessRegressor(alpha=0.1).fit(X[::3], Y[::3])
    read = recorded([process], grid=X)
    mean, sd = process.predict(X, return_std=True)
    close(read.at(0).grid[0], mean)
    np.testing.assert_allclose(read.variances(0).grid[0], sd**2, rtol=1e-5)
    both = MultiOutputRegressor(LinearRegression()).fit(X, np.stack([Y, -Y], 1))
    with EnsembleRecorder(both, tmp_path / "both", grid=X) as recorder:
        recorder.record()
    close(open_ensemble(tmp_path / "both").at(0).grid[0], both.predict(X))


@given(
    turns=st.lists(
        st.lists(st.integers(0, 5), min_size=1, max_size=4, unique=True), min_size=1, max_size=5
    ),
    kind=st.sampled_from(["list", "mapping", "answers"]),
)
def test_members_keep_their_identity_though_they_come_and_go(turns, kind, tmp_path_factory):
    """By object, by name, or by the names in what is answered."""
    level = torch.arange(6.0)
    known = [lambda x, k=k: level[k] + x[:, 0] for k in range(6)]
    there = {} if kind == "mapping" else []

    def set_out(turn):
        there.clear()
        if kind == "mapping":
            there.update({f"m{k}": known[k] for k in turn})
        else:
            there.extend(known[k] for k in turn)

    def answers(x):
        return {f"m{known.index(each)}": each(x) for each in there}

    set_out(turns[0])
    members = answers if kind == "answers" else there
    directory = tmp_path_factory.mktemp("any") / "mine"
    with EnsembleRecorder(members, directory, grid=GRID) as recorder:
        for turn in turns:
            set_out(turn)
            recorder.record([float(k) for k in turn])
    read = open_ensemble(directory)
    order = list(dict.fromkeys(k for turn in turns for k in turn))
    assert read.members == len(order)
    if kind != "list":
        assert read.names == tuple(f"m{k}" for k in order)
    for place, turn in enumerate(turns):
        assert [order[i] for i in np.flatnonzero(read.present[place])] == [
            k for k in order if k in turn
        ]
        for k in turn:
            close(read.at(place).grid[order.index(k)], k + GRID)
            tag = f"loss/{order.index(k):02}"
            assert read.run[tag].values[read.run[tag].steps.tolist().index(place)] == k


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 9), (70,), (5,)])
def test_inputs_keep_their_shape(shape, tmp_path):
    """Images and tables come to the members as they are; more than 64 numbers are not stored."""
    torch.manual_seed(0)
    size = int(np.prod(shape))
    members = [nn.Sequential(nn.Flatten(), nn.Linear(size, 3)) for _ in range(2)]
    seen = torch.rand(4, *shape)
    away = torch.rand(2, *shape) + 5
    with EnsembleRecorder(
        members, tmp_path / "mine", held_out=(seen, [0, 1, 2, 0]), ood=away, logits=True
    ) as recorder:
        recorder.record()
    read = open_ensemble(tmp_path / "mine")
    assert read.setup.places == {"held_out": 4, "ood": 2}
    assert read.setup.held_out.shape == (4, size if size <= 64 else 0)
    with torch.no_grad():
        expected = torch.stack([member(away).softmax(-1) for member in members])
    close(read.at(0).ood, expected)


def test_a_predict_of_ones_own_gets_what_the_grid_is(recorded):
    """Only estimators of scikit-learn's kind are asked in NumPy."""

    class Own:
        def predict(self, inputs):
            assert isinstance(inputs, torch.Tensor)
            return inputs[:, 0] + 1

    close(recorded([Own(), Own().predict]).at(0).grid, np.stack([GRID + 1] * 2))


def test_binary_labels_of_any_kind(recorded):
    """Words in their order; the column of class 1 is the second one's."""
    x, y = make_moons(60, noise=0.2, random_state=0)
    words = np.array(["no", "yes"])[y]
    model = LogisticRegression().fit(x, words)
    read = recorded([model, model.predict_log_proba], held_out=(x, words), ood=x + 9)
    assert read.classes == ("no", "yes")
    assert np.array_equal(read.setup.held_out_targets, y)
    close(read.at(0).held_out[1], model.predict_proba(x))
    close(read.at(0).ood[0], model.predict_proba(x + 9))
