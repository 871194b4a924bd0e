"""First digits of runs as pictures: which are taken, what is said of them, what is written."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from epochord.renderers.benford import render_benford, render_constants
from epochord.renderers.benford.distributions import benford
from epochord.renderers.benford.subjects import constants, subjects
from epochord.runlog import LogError, OutputError, Run, RunMetadata


def digits_table(**models):
    """Return a table as recorders write it, of one prompt: shares by model and estimator."""
    rows = [
        {
            "step": 0, "model": model, "prompt": "about", "estimator": estimator, "digit": digit,
            "probability": share, "log_probability": float(np.log(share)),
            "mass": 0.25, "zero_mass": 0.125, "no_space_mass": 0.5,
        }
        for model, shares in models.items()
        for estimator in ("sum", "single")
        for digit, share in enumerate(shares, start=1)
    ]  # fmt: skip
    return Run("lm", RunMetadata("lm"), tables={"first_digits": pa.Table.from_pylist(rows)})


@pytest.fixture
def norms(make_run):
    """Return a run with two layers, one of which follows the law and one that does not."""
    rng = np.random.default_rng(0)
    return make_run(
        {
            "a.weight": 10 ** rng.uniform(-3, 3, 2000),
            "b.weight": rng.uniform(4, 5, 2000),
        }
    )


def test_layers_are_judged_one_by_one(norms):
    """A log-uniform layer conforms, a narrow one does not, in words."""
    a, b = subjects(norms)
    assert (a.name, b.name) == ("a", "b")
    assert a.statistics.verdict == "conforms"
    assert b.statistics.verdict == "does not conform"
    assert b.shares[3] == 1
    assert a.caption == "2,000 values"


def test_what_has_no_digit_is_counted_apart(make_run):
    """Zeros, NaN and infinities are said in the caption and count for nothing."""
    (one,) = subjects(make_run({"a.weight": [1.0, 20.0, 0.0, 0.0, np.nan, -np.inf]}))
    assert one.caption == "2 values, 2 zero, 2 not finite"
    assert one.shares[:2].tolist() == [0.5, 0.5]
    assert one.statistics.verdict == "too few values"


def test_all_zero_is_a_picture_of_nothing_that_says_so(make_run, tmp_path):
    """Values all zero have no leading digit; the sentence counts them."""
    run = make_run({"a.weight": np.zeros(100)})
    made = render_benford(run, tmp_path)
    assert "0 with a leading digit; 100 are zero" in made.description["subjects"][0]["sentence"]


def test_tags_choose(make_run):
    """Globs choose series; one that matches nothing is an error with what there is."""
    run = make_run({"a.weight": [1.0, 2.0]}, loss=[3.0, 4.0])
    assert [one.name for one in subjects(run, ["loss"])] == ["loss"]
    with pytest.raises(LogError, match="no tag that matches 'nothing'"):
        subjects(run, ["nothing"])
    with pytest.raises(LogError, match="no measurement at all, so it has no digits"):
        subjects(Run("empty", RunMetadata("empty")))


def test_a_language_model_stands_beside_its_baselines():
    """The model's probabilities, the mean of the random seeds, and the masses; no p-value."""
    law = benford()
    tilted = np.linspace(0.2, 0.0222, 9)
    tilted /= tilted.sum()
    other = tilted[::-1].copy()
    models = {"tiny": law, "uniform": np.full(9, 1 / 9), "random-0": tilted, "random-1": other}
    (one,) = subjects(digits_table(**models))
    assert one.name == "“about”"
    assert np.allclose(one.shares, law)
    assert set(one.baselines) == {"uniform", "random", "single-digit tokens"}
    assert np.allclose(one.baselines["random"], (tilted + other) / 2)
    assert "numbers: 0.25, beginning with 0: 0.12, without a space: 0.5" in one.caption
    assert "p_value" not in one.to_dict()
    assert one.statistics.verdict == "conforms"


def test_a_model_that_says_nan_is_refused():
    """Nothing finite is nothing to draw, which is said in one line."""
    with pytest.raises(LogError, match="none of its probabilities of first digits is a finite"):
        subjects(digits_table(tiny=np.full(9, np.nan)))


def test_constants_are_the_classic_set():
    """CODATA's constants conform as far as so few can tell."""
    one = constants()
    assert one.statistics.verdict == "conforms"
    assert one.statistics.counts.n > 300


def test_results_are_described_and_made_once(norms, tmp_path):
    """PNG, SVG and JSON; equal bytes for equal logs, and nothing is written twice."""
    one, other = (render_benford(norms, tmp_path / name) for name in "ab")
    for a, b in zip(one.paths, other.paths, strict=True):
        assert a.read_bytes() == b.read_bytes()
    about = json.loads((tmp_path / "a/benford.json").read_text())
    assert [row["name"] for row in about["subjects"]] == ["a", "b"]
    assert about["subjects"][0]["counts"] == subjects(norms)[0].statistics.counts.counts.tolist()
    assert not render_benford(norms, tmp_path / "a").made
    assert render_benford(norms, tmp_path / "a", tags=["*a*"]).made
    assert render_constants(tmp_path / "c").paths[0].stat().st_size > 5000


def test_tags_are_text_and_nothing_else(make_run, tmp_path):
    """Dollars, braces and markup in a tag are drawn as they are."""
    name = r"$\frac{1}{<b>&"
    assert render_benford(make_run({}, **{name: [1.0, 2.0]}), tmp_path, tags=["*"]).made


def test_pictures_go_where_the_command_puts_them(norms, tmp_path, monkeypatch):
    """Or under the stem of a picture that is named."""
    monkeypatch.chdir(tmp_path)
    here = [str(path) for path in render_benford(norms).paths]
    assert here == ["renders/mine/benford.png", "renders/mine/benford.svg"]
    assert str(render_constants().paths[0]) == "renders/constants/benford.png"
    render_benford(norms, "x/digits.png")
    assert {path.name for path in Path("x").iterdir()} == {
        "digits.png", "digits.svg", "digits.json",
    }  # fmt: skip
    assert not render_benford(norms, Path("x/digits.svg")).made
    with pytest.raises(OutputError, match=r"\.wav is not made here; expected \.png, \.svg, \.json"):
        render_benford(norms, "x/digits.wav")
