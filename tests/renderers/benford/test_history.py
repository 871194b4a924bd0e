"""First digits over training: shares, distances, pictures, and a log that can be heard."""

import sys
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from matplotlib.colors import to_rgb

from epochord.renderers.benford import render_benford
from epochord.renderers.benford.distributions import benford, gaussian
from epochord.renderers.benford.film import _figure, film
from epochord.renderers.benford.history import DigitHistory, histories, largest, write_distances
from epochord.renderers.benford.history_plots import history_figure
from epochord.renderers.benford.look import FAINT, INK, OBSERVED, QUIET
from epochord.renderers.benford.subjects import subjects
from epochord.renderers.pictures.video import VideoUnavailableError
from epochord.renderers.timeline.choice import Choice, choose
from epochord.runlog import Run, RunMetadata, open_run
from epochord.runlog.digits.tables import LAYER_DIGITS, digit_rows


def counted(steps=6):
    """Return a run whose layer begins with ones only and ends at Benford's law."""
    rows = []
    for step in range(steps):
        share = step / (steps - 1)
        counts = 1e6 * (share * benford() + (1 - share) * np.eye(9)[0])
        row = np.concatenate([counts, [3, 0, 1e6, 0.1]])
        rows.append(digit_rows(10 * step, 0.0, {"gradient": {"a": row}, "weight": {"a": row}}))
    return Run("digits", RunMetadata("digits"), tables={LAYER_DIGITS: pa.concat_tables(rows)})


def test_the_distance_falls_to_nothing_as_the_law_is_reached():
    """Total variation is 1 - log10(2) for ones only, and 0 for the law."""
    ((history,), (weights,)) = histories(counted()).values()
    assert history.distance[0] == pytest.approx(1 - np.log10(2))
    assert history.distance[-1] == pytest.approx(0, abs=1e-9)
    assert (np.diff(history.distance) < 0).all()
    assert weights.kind == "weight"
    assert np.allclose(history.shares.sum(axis=1), 1)


def test_the_reference_is_a_gaussian_of_the_same_sigma():
    """It depends on the fraction of log10(sigma) alone, and is NaN where there is no sigma."""
    sigma = np.array([0.1, 0.01, 3.0, 0.0, np.nan])
    history = DigitHistory("a", "weight", np.arange(5), np.ones((5, 9)), sigma)
    expected = np.abs(gaussian(3.0) - benford()).sum() / 2
    assert history.gaussian_distance[2] == pytest.approx(expected)
    assert history.gaussian_distance[0] == pytest.approx(history.gaussian_distance[1])
    assert np.isnan(history.gaussian_distance[3:]).all()


def test_layers_are_judged_at_the_last_step_beside_the_first():
    """The subject is the end of training; where it began is a mark."""
    gradient, weight = subjects(counted())
    assert (gradient.name, weight.name) == ("a, gradients", "a, weights")
    assert gradient.statistics.verdict == "cannot be told"
    assert "products of the same few factors" in gradient.statistics.sentence
    assert not weight.statistics.dependence
    assert gradient.baselines["first step"][0, 0] == 1
    assert set(gradient.baselines) == {"first step", "Gaussian of this σ"}


def test_pictures_and_distances_of_a_run(tmp_path):
    """A picture a kind over training, and distances that read back as a run."""
    made = render_benford(counted(), tmp_path)
    assert [path.name for path in made.paths] == [
        "benford.png", "benford.svg", "benford.gradient.png", "benford.gradient.svg",
        "benford.weight.png", "benford.weight.svg", "benford.distances.parquet",
        "benford.gradient.mp4", "benford.weight.mp4",
    ]  # fmt: skip
    heard = open_run(tmp_path / "benford.distances.parquet")
    assert heard["benford_distance/gradient/a"].steps.tolist() == [0, 10, 20, 30, 40, 50]
    assert heard["benford_distance/weight/a"].values[0] == pytest.approx(1 - np.log10(2), rel=1e-6)
    gaussians = heard["gaussian_distance/weight/a"].values
    assert gaussians == pytest.approx(np.abs(gaussian(0.1) - benford()).sum() / 2, rel=1e-6)
    assert not render_benford(counted(), tmp_path).made


def test_distances_can_be_heard(tmp_path):
    """The table is a log: its voices are the layer's distances, or with a tag these alone."""
    made = render_benford(counted(), tmp_path, video=False)
    run = open_run(made.paths[-1])
    voices = choose(run, Choice(tags=("benford_distance/*",))).voices
    assert [voice.name for voice in voices] == [
        "benford_distance/gradient/a", "benford_distance/weight/a",
    ]  # fmt: skip


def test_steps_without_numbers_are_gaps(tmp_path):
    """Nothing counted is NaN in shares and distance, and does not stop the picture."""
    none = DigitHistory("a", "gradient", np.array([0, 1]), np.zeros((2, 9)), np.zeros(2))
    some = DigitHistory("b", "gradient", np.array([1, 2]), np.ones((2, 9)), np.ones(2))
    assert np.isnan(none.distance).all()
    history_figure([none, some], "both").canvas.draw()
    write_distances([none, some], tmp_path / "d.parquet")
    assert open_run(tmp_path / "d.parquet")["benford_distance/gradient/b"].steps.tolist() == [1, 2]


def test_a_frame_is_what_matplotlib_draws():
    """The bars of the last frame lie where matplotlib has them, to a part of a pixel."""
    ((history,), _) = histories(counted()).values()
    *_, last = (frame.copy() for frame in film([history], "digits"))
    figure, (axes,) = _figure([history], "digits")
    digits = np.arange(1, 10)
    axes.bar(digits, history.shares[-1], color=OBSERVED, width=0.8, zorder=1.5)
    axes.hlines(gaussian(0.1), digits - 0.4, digits + 0.4, color=QUIET, linewidth=1.4, zorder=1.6)
    figure.text(0.988, 0.985, "step 50", ha="right", va="top", fontsize=13, color=INK)
    figure.canvas.draw()
    theirs = np.asarray(figure.canvas.buffer_rgba())[:, :, :3].astype(int)
    assert np.abs(theirs - last).mean() < 0.5


def test_small_layers_set_no_scale_and_are_pale():
    """A layer of 65 weights that are all ones leaves the others' scale as it is."""
    steps = np.array([0, 1])
    counts = 1e4 * np.stack([benford(), benford()])
    large = DigitHistory("large", "weight", steps, counts, np.ones(2))
    small = DigitHistory("small", "weight", steps, 65 * np.stack(2 * [np.eye(9)[0]]), np.ones(2))
    figure, (one, other) = _figure([large, small], "both")
    assert one.get_ylim() == other.get_ylim() == pytest.approx((0, 1.05 * gaussian(1.0)[0]))
    assert [axes.get_title(loc="left") for axes in (one, other)] == ["large", "small"]
    named = [text.get_text() for text in figure.legends[0].get_texts()]
    assert named == [
        "observed", "fewer than 1,000 numbers (set no scale)", "Benford's law",
        "a Gaussian of the same σ",
    ]  # fmt: skip
    *_, last = (frame.copy() for frame in film([large, small], "both"))
    pale = np.rint(255 * np.array(to_rgb(FAINT)))
    there = (last == pale).all(axis=2)
    top = figure.bbox.height - other.bbox.y1
    assert there.any()
    assert np.flatnonzero(there.any(axis=1)).min() >= round(top) - 1  # nothing above the frame


def test_still_pictures_have_one_scale_that_small_layers_do_not_set():
    """All panels of distances are alike, and the small one is as pale as it is uncertain."""
    steps = np.array([0, 1])
    large = DigitHistory("large", "weight", steps, 1e4 * np.stack(2 * [benford()]), np.ones(2))
    small = DigitHistory("small", "weight", steps, 65 * np.stack(2 * [np.eye(9)[8]]), np.ones(2))
    figure = history_figure([large, small], "both")
    below = [axes for axes in figure.axes if axes.lines]
    gaussian_alone = np.abs(gaussian(1.0) - benford()).sum() / 2
    assert all(axes.get_ylim() == pytest.approx((0, 1.08 * gaussian_alone)) for axes in below)
    assert any("up to 95 %" in text.get_text() for text in below[1].texts)
    assert [axes.lines[1].get_alpha() for axes in below] == [1.0, 0.35]
    assert "pale: 1 of fewer than 1,000 numbers" in " ".join(t.get_text() for t in figure.texts)


def test_of_many_layers_the_largest_are_shown_in_their_order():
    """The others are left to the stills, and the heading says how many there are."""
    sizes = [65, 5000, 10, 7000]
    each = [
        DigitHistory(str(n), "weight", np.array([0]), np.full((1, 9), n / 9), np.ones(1))
        for n in sizes
    ]
    assert [history.name for history in largest(each, 2)] == ["5000", "7000"]


def test_the_film_goes_through_all_steps_and_holds_the_last():
    """Two frames a step, and two seconds at the end; the bars move."""
    ((history,), _) = histories(counted()).values()
    frames = [frame.copy() for frame in film([history], "digits")]
    assert len(frames) == 2 * 6 + 60
    moves = [(a != b).any() for a, b in pairwise(frames)]
    assert np.flatnonzero(moves).tolist() == [1, 3, 5, 7, 9]


def test_without_ffmpeg_everything_else_is_there(tmp_path, monkeypatch):
    """The error says how to get it, and stills alone are no failure."""
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    monkeypatch.delenv("IMAGEIO_FFMPEG_EXE", raising=False)
    with pytest.raises(VideoUnavailableError, match="ffmpeg"):
        render_benford(counted(), tmp_path)
    assert (tmp_path / "benford.gradient.png").exists()
    assert render_benford(counted(), tmp_path, video=False).made
