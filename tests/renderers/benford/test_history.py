"""First digits over training: shares, distances, pictures, and a log that can be heard."""

import sys
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from epochord.renderers.benford import render_benford
from epochord.renderers.benford.distributions import benford
from epochord.renderers.benford.film import _figure, film
from epochord.renderers.benford.history import (
    DigitHistory,
    histories,
    history_figure,
    write_distances,
)
from epochord.renderers.benford.plots import BARS, INK
from epochord.renderers.benford.subjects import subjects
from epochord.renderers.pictures.video import VideoUnavailableError
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


def test_layers_are_judged_at_the_last_step_beside_the_first():
    """The subject is the end of training; where it began is a mark."""
    gradient, weight = subjects(counted())
    assert (gradient.name, weight.name) == ("a, gradients", "a, weights")
    assert gradient.statistics.verdict == "conforms"
    assert gradient.baselines["first step"][0] == 1
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
    assert not render_benford(counted(), tmp_path).made


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
    axes.bar(np.arange(1, 10), history.shares[-1], color=BARS, width=0.8, zorder=1.5)
    figure.text(0.988, 0.985, "step 50", ha="right", va="top", fontsize=13, color=INK)
    figure.canvas.draw()
    theirs = np.asarray(figure.canvas.buffer_rgba())[:, :, :3].astype(int)
    assert np.abs(theirs - last).mean() < 0.5


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
