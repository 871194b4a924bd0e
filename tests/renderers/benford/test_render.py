"""First digits of runs as pictures: which are taken, what is said of them, what is written."""

import json
import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from scipy.constants import find

from epochord.renderers.benford import render_benford, render_constants
from epochord.renderers.benford.digit import FIRST, digit
from epochord.renderers.benford.distributions import benford
from epochord.renderers.benford.plots import digits_figure
from epochord.renderers.benford.subject import constants
from epochord.renderers.benford.subjects import in_short, subjects
from epochord.runlog import LogError, OutputError, Run, RunMetadata


def digits_table(mass=0.25, prompts=("about",), **models):
    """Return a table as recorders write it: shares by model and estimator, of each prompt."""
    rows = [
        {
            "step": 0, "model": model, "prompt": prompt, "estimator": estimator, "digit": digit,
            "probability": share, "log_probability": float(np.log(share)),
            "mass": mass, "zero_mass": 0.125, "no_space_mass": 0.5,
        }
        for model, shares in models.items()
        for prompt in prompts
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
    """A log-uniform layer cannot be told from the law, a narrow one differs."""
    a, b = subjects(norms)
    assert (a.name, b.name) == ("a", "b")
    assert a.statistics.verdict == "cannot be told"
    assert b.statistics.verdict == "differs"
    assert b.shares[3] == 1
    assert a.caption.startswith("2,000 values · ")
    assert "\n" not in a.caption
    assert in_short([a, b]) == "1 of 2 differ from Benford's law, each tested at 5 %"


def test_what_has_no_digit_is_counted_apart(make_run):
    """Zeros, NaN and infinities are said in the caption and count for nothing."""
    (one,) = subjects(make_run({"a.weight": [1.0, 20.0, 0.0, 0.0, np.nan, -np.inf]}))
    assert one.caption.startswith("2 values · 2 zero · 2 not finite")
    assert one.shares[:2].tolist() == [0.5, 0.5]
    assert one.statistics.verdict == "too few values"


def test_all_zero_is_a_picture_of_nothing_that_says_so(make_run, tmp_path):
    """Values all zero have no leading digit; the sentence counts them."""
    run = make_run({"a.weight": np.zeros(100)})
    made = render_benford(run, tmp_path)
    assert "0 with this digit; 100 are zero" in made.description["subjects"][0]["sentence"]


def test_tags_choose(make_run):
    """Globs choose series; one that matches nothing is an error with what there is."""
    run = make_run({"a.weight": [1.0, 2.0]}, loss=[3.0, 4.0])
    assert [one.name for one in subjects(run, ["loss"])] == ["loss"]
    with pytest.raises(LogError, match="no tag that matches 'nothing'"):
        subjects(run, ["nothing"])
    with pytest.raises(LogError, match="no measurement at all, so it has no digits"):
        subjects(Run("empty", RunMetadata("empty")))


def test_values_that_follow_each_other_closely_are_said_to_depend(make_run):
    """A walk does, what is drawn anew does not."""
    rng = np.random.default_rng(3)
    walk, drawn = 10 ** np.cumsum(rng.normal(0, 0.1, 400)), 10 ** rng.uniform(0, 4, 400)
    one, other, same = subjects(
        make_run({"a.weight": walk, "b.weight": drawn, "c.weight": np.full(400, 5.0)})
    )
    assert "each with the one before it, correlation 0.9" in one.statistics.sentence
    assert not other.statistics.dependence
    assert same.statistics.dependence == "nearly all are equal"


def test_a_language_model_stands_beside_its_baselines():
    """Equal tokens and equal digits by two names, untrained networks as a range; no p-value."""
    law = benford()
    tilted = np.linspace(0.2, 0.0222, 9)
    tilted /= tilted.sum()
    even = np.full(9, 1 / 9)
    models = {"tiny": 0.9 * law + 0.1 * even, "uniform": 0.5 * law + 0.5 * even}
    (one,) = subjects(digits_table(**models, **{"random-0": tilted, "random-1": tilted[::-1]}))
    assert one.name == "“about”"
    assert set(one.baselines) == {"equal tokens", "untrained networks"}
    assert set(one.statistics.baselines) == {"equal digits", *one.baselines}
    assert np.allclose(one.baselines["untrained networks"], [tilted, tilted[::-1]])
    assert one.caption == "25 % of the mass · 0.60 points"
    assert one.numbers["begins with 0"] == "12 %"
    assert one.numbers["single-digit tokens"] == "0.60"
    assert "p_value" not in one.to_dict()
    assert one.statistics.verdict == "nearer than its baselines"
    assert "uniform" not in json.dumps(one.to_dict())


def test_prompts_come_in_order_of_distance_and_little_mass_is_said_first():
    """The nearest first, and what rests on 1.2 % says so before anything else."""
    law, even = benford(), np.full(9, 1 / 9)
    far, near = (digits_table(0.012, (name,), tiny=(1 - t) * law + t * even).tables["first_digits"]
                 for name, t in (("far", 0.5), ("near", 0.1)))  # fmt: skip
    run = Run("lm", RunMetadata("lm"), tables={"first_digits": pa.concat_tables([far, near])})
    found = subjects(run)
    assert [one.name for one in found] == ["“near”", "“far”"]
    assert found[0].statistics.sentence.startswith("Rests on 1.2 % of the mass: 0.60 percentage")
    assert in_short(found) == (
        "Of 2 prompts 2 rest on less than 5 % of the mass; 2 are nearer to Benford's law than "
        "equal digits (6.0 points). Nearest first."
    )


def test_a_model_has_first_digits_alone(make_run):
    """Another digit needs values; layers' series have them, a model's prompts have none."""
    run = digits_table(tiny=benford())
    with pytest.raises(LogError, match="no values, so there is no second digit; leave --digit"):
        subjects(run, (), digit("second"))
    (one,) = subjects(make_run({"a.weight": [7.0, 12.5, 31.0]}), (), digit("second"))
    assert one.shares.tolist() == [0, 0.5, 0.5, *7 * [0]]
    assert "1 too short" in one.caption


def test_a_model_that_says_nan_is_refused():
    """Nothing finite is nothing to draw, which is said in one line."""
    with pytest.raises(LogError, match="none of its probabilities of first digits is a finite"):
        subjects(digits_table(tiny=np.full(9, np.nan)))


def test_constants_depend_on_each_other():
    """They are CODATA's present ones, and many are others in another unit; that is said."""
    one = constants()
    assert one.statistics.counts.n == len(find())
    assert one.statistics.verdict in ("cannot be told", "differs")
    assert re.search(r"depend on each other \(1\d\d are others in another", one.statistics.sentence)
    assert "conform" not in json.dumps(one.to_dict()).replace("nonconformity", "")


def test_a_grid_has_one_scale_and_what_rests_on_little_is_pale(norms, make_run):
    """Values fewer than 1,000 set no scale beside others, and alone are drawn as ever."""
    many = subjects(make_run({"a.weight": 10 ** np.random.default_rng(0).uniform(0, 4, 2000)}))
    few = subjects(make_run({"b.weight": np.full(65, 5.0)}))
    figure = digits_figure([*many, *few], "both")
    one, other = figure.axes
    assert one.get_ylim() == other.get_ylim()
    assert one.get_ylim()[1] < 0.4
    assert one.patches[0].get_facecolor() != other.patches[0].get_facecolor()
    assert "100 %" in [text.get_text() for text in other.texts]  # the bar that leaves the scale
    (alone,) = digits_figure(few, "alone").axes
    assert alone.patches[0].get_facecolor() == one.patches[0].get_facecolor()
    assert alone.get_ylim()[1] > 1
    assert subjects(norms)[0].digit == FIRST


def test_no_text_is_cut_or_overlaps(make_run):
    """Everything that is written lies within the picture, with long names too."""
    rng = np.random.default_rng(0)
    run = make_run({f"encoder.block.{i}.{'deep.' * i}weight": 10 ** rng.uniform(0, 4, 300)
                    for i in range(7)})  # fmt: skip
    prompts = [f"The number of {'very ' * i}many people in this country is" for i in range(5)]
    model = digits_table(prompts=prompts, tiny=benford(), uniform=np.full(9, 1 / 9))
    for found in (
        subjects(model),
        subjects(run),
        subjects(run)[:1],
        [constants()],
        subjects(run, (), digit("3")),
    ):
        figure = digits_figure(found, "a heading", in_short(found))
        figure.canvas.draw()
        every = [*figure.texts, *figure.legends[0].get_texts()]
        for axes in figure.axes:
            every += [*axes.texts, axes.xaxis.label, axes.yaxis.label]
        boxes = [text.get_window_extent() for text in every if text.get_text()]
        assert all(box.x0 >= 0 and box.x1 <= figure.bbox.width for box in boxes)
        assert all(box.y0 >= 0 and box.y1 <= figure.bbox.height for box in boxes)
        pairs = combinations(boxes, 2)
        assert not any(min(a.x1, b.x1) > max(a.x0, b.x0) + 1
                       and min(a.y1, b.y1) > max(a.y0, b.y0) + 3 for a, b in pairs)  # fmt: skip


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
    other_digit = render_benford(norms, tmp_path / "a", digit="3")
    assert other_digit.made
    assert other_digit.description["subjects"][0]["digit"] == "3"
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
