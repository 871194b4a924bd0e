"""The pictures of ensembles: what is painted is what matplotlib draws; files are as promised."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from epochord.renderers.ensemble import EnsembleSettings, overview, render_ensemble, shared_limits
from epochord.renderers.ensemble.figure import ensemble_figure
from epochord.renderers.ensemble.film import frames
from epochord.renderers.ensemble.look import Size
from epochord.renderers.ensemble.settings import LAYERS
from epochord.runlog import LogError, OutputError, open_run
from epochord.runlog.ensemble import EnsembleSetup, Predictions
from epochord.runlog.reading.ensemble import open_ensemble

STILLS = ("uncertainty", "members", "priors", "scores", "by_member")
WIDTH, HEIGHT = Size(1280, 720)
QUICK = EnsembleSettings(duration=0.2, animation="none")


@pytest.fixture
def seen(make_ensemble):
    """Return an ensemble with everything: priors, bootstrap, held-out points."""
    return overview(open_ensemble(make_ensemble()))


def drawn_by_matplotlib(overviews, settings, places):
    """Draw an epoch with matplotlib alone."""
    drawn = ensemble_figure(overviews, settings, shared_limits(overviews, settings))
    drawn.draw(places)
    drawn.figure.canvas.draw()
    return np.asarray(drawn.figure.canvas.buffer_rgba())[:, :, :3].astype(int)


def painted(overviews, settings, places):
    """Paint the same epoch as a frame of a video."""
    drawn = ensemble_figure(overviews, settings, shared_limits(overviews, settings))
    return next(frames(drawn, [np.array([place]) for place in places])).astype(int)


@pytest.mark.parametrize("layers", [LAYERS[:4], LAYERS[4:7], LAYERS, ("mean",)])
def test_a_frame_is_what_matplotlib_draws(seen, layers):
    """Any layers, painted: less than half a grey level off on average, few pixels by much."""
    settings = EnsembleSettings(layers=layers, member=3)
    difference = np.abs(painted([seen], settings, [9]) - drawn_by_matplotlib([seen], settings, [9]))
    assert difference.mean() < 0.5
    assert (difference.max(axis=2) > 48).mean() < 0.002


def test_a_panel_is_what_matplotlib_draws(make_ensemble):
    """Several runs side by side, each at its own epoch, on one clock."""
    several = [overview(open_ensemble(make_ensemble(f"e{i}", seed=i))) for i in range(3)]
    settings = EnsembleSettings()
    places = [5, 9, 20]
    ours = painted(several, settings, places)
    assert np.abs(ours - drawn_by_matplotlib(several, settings, places)).mean() < 0.5


def test_axes_are_equal_in_a_panel(make_ensemble):
    """All cells have one range, which holds every run's data."""
    several = [overview(open_ensemble(make_ensemble(f"e{i}", seed=i))) for i in range(4)]
    drawn = ensemble_figure(several, EnsembleSettings(), shared_limits(several, EnsembleSettings()))
    ranges = {(*cell.axes.get_xlim(), *cell.axes.get_ylim()) for cell in drawn.cells}
    assert len(ranges) == 1
    *_, low, high = ranges.pop()
    targets = np.concatenate([one.ensemble.setup.targets for one in several])
    assert low < targets.min() <= targets.max() < high


def test_nothing_of_the_picture_is_clipped(make_ensemble):
    """Every text lies within the picture: titles, ticks, labels, legends, the clock."""
    name = "an-ensemble-with-a-rather-long-name"
    several = [overview(open_ensemble(make_ensemble(f"{name}-{i}"))) for i in range(4)]
    for group in (several[:1], several):
        drawn = ensemble_figure(group, EnsembleSettings(layers=LAYERS, member=1), (-9.5, 12.5))
        drawn.draw([20] * len(group))
        drawn.figure.canvas.draw()
        box = drawn.figure.get_tightbbox()  # of all that is drawn, in inches
        width, height = drawn.figure.get_size_inches()
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= width
        assert box.y1 <= height


def test_frames_change_only_where_something_moves(seen):
    """Axes, titles and legend are the same pixels in every frame; the functions are not."""
    drawn = ensemble_figure([seen], EnsembleSettings(), seen.limits())
    first, last = (f.copy() for f in frames(drawn, [np.array([0, 20])]))
    box = drawn.cells[0].axes.bbox
    inside = np.zeros((HEIGHT, WIDTH), bool)
    inside[HEIGHT - int(box.y1) : HEIGHT - int(box.y0), int(box.x0) : int(box.x1)] = True
    changed = (first != last).any(axis=2)
    assert changed[inside].mean() > 0.02
    strip = drawn.strip.bbox
    below = slice(HEIGHT - int(strip.y0) + 1, HEIGHT)
    assert not changed[below].any()


def test_a_broken_member_is_not_drawn_and_is_said(make_ensemble):
    """Its line is missing from the frame on, and the clock counts it."""
    broken = overview(open_ensemble(make_ensemble("broken", members=2, broken={1: 5})))
    drawn = ensemble_figure([broken], EnsembleSettings(layers=("members",)), broken.limits())
    assert drawn.at([4])[1] == "epoch 4 of 20"
    assert drawn.at([5])[1] == "1 not finite   epoch 5 of 20"
    before, after = (f.copy() for f in frames(drawn, [np.array([4, 5])]))
    box = drawn.cells[0].axes.bbox
    rows = slice(HEIGHT - int(box.y1), HEIGHT - int(box.y0))
    blue = [(f[rows, int(box.x0) : int(box.x1)] != 255).sum() for f in (before, after)]
    assert blue[1] < blue[0]


def test_members_one_at_a_time(seen):
    """With hop, frames of one epoch differ: another member every fifth of a second."""
    drawn = ensemble_figure([seen], EnsembleSettings(layers=("hop",)), seen.limits())
    still = np.full(26, 20)
    pictures = [f.copy() for f in frames(drawn, [still], moving=True)]
    different = [(a != b).any() for a, b in pairwise(pictures)]
    assert np.flatnonzero(different).tolist() == [11, 23]


def test_many_members_are_a_density(make_ensemble):
    """Above 200 members the picture is a density, alike in frames and stills."""
    many = overview(open_ensemble(make_ensemble(members=250, epochs=2)))
    settings = EnsembleSettings(layers=("members",))
    ours, theirs = painted([many], settings, [1]), drawn_by_matplotlib([many], settings, [1])
    assert np.abs(ours - theirs).mean() < 4  # the still is drawn finer, then scaled down
    assert (ours < 60).all(axis=2).mean() < 0.05


def test_the_results_of_one_run(seen, tmp_path):
    """Stills, as SVG too on request, scores as a log of their own, and a description of all."""
    settings = EnsembleSettings(video=False, svg=True)
    made = render_ensemble([seen], tmp_path / "out", settings)
    names = {path.name for path in made.paths}
    assert names == {f"{s}.{k}" for s in STILLS for k in ("png", "svg")} | {
        "ensemble.scores.parquet"
    }
    for path in made.paths:
        if path.suffix == ".png":
            with Image.open(path) as picture:
                assert picture.size == (WIDTH, HEIGHT)
    about = json.loads((tmp_path / "out/ensemble.json").read_text())
    assert about["runs"][0]["log_hash"] == seen.ensemble.log_hash()
    scores = pd.read_parquet(tmp_path / "out/ensemble.scores.parquet")
    assert scores["held_out/crps"].iloc[-1] == about["runs"][0]["at_last_epoch"]["held_out/crps"]
    heard = open_run(tmp_path / "out/ensemble.scores.parquet")
    assert np.array_equal(heard["spread"].values, seen.spread)


def test_equal_logs_give_equal_bytes_and_are_rendered_once(seen, tmp_path):
    """PNG, SVG and scores do not depend on when or how often they are made."""
    settings = EnsembleSettings(video=False, svg=True)
    one, other = (render_ensemble([seen], tmp_path / n, settings) for n in "ab")
    for a, b in zip(one.paths, other.paths, strict=True):
        assert a.read_bytes() == b.read_bytes(), a.name
    assert not render_ensemble([seen], tmp_path / "a", settings).made
    again = render_ensemble([seen], tmp_path / "a", EnsembleSettings(video=False, noise=1.0))
    assert again.made


def test_two_inputs_are_drawn_as_maps(write_ensemble, tmp_path):
    """Mean and sd of an ensemble over two inputs, painted as matplotlib draws them."""
    x, y = np.meshgrid(np.linspace(0, 1, 30), np.linspace(0, 2, 20))
    grid = np.column_stack([x.ravel(), y.ravel()])
    shuffled = np.random.default_rng(0).permutation(grid)
    setup = EnsembleSetup(grid=shuffled, data=np.array([[0.5, 1.0]]), targets=np.array([1.0]))
    slopes = np.linspace(0.5, 1.5, 6)[:, None]
    values = (slopes * shuffled[:, 0] + shuffled[:, 1]).astype("f4")
    one = Predictions(values, np.ones((6, 1), "f4"), np.empty((6, 0), "f4"))
    map_seen = overview(open_ensemble(write_ensemble(tmp_path / "m", {0: one, 1: one}, setup)))
    settings = EnsembleSettings(video=False)
    theirs = drawn_by_matplotlib([map_seen], settings, [1])
    assert np.abs(painted([map_seen], settings, [1]) - theirs).mean() < 1
    assert render_ensemble([map_seen], tmp_path / "out", settings).made


def test_a_grid_that_is_no_lattice_is_refused(write_ensemble, tmp_path):
    """Two inputs at scattered places cannot be a map, which is said in one line."""
    grid = np.random.default_rng(0).normal(size=(9, 2))
    none = np.empty((2, 0), "f4")
    one = Predictions(np.zeros((2, 9), "f4"), none, none)
    place = write_ensemble(tmp_path / "m", {0: one}, EnsembleSetup(grid=grid))
    with pytest.raises(LogError, match="9 points, 9 different x and 9 different y"):
        render_ensemble([overview(open_ensemble(place))], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_one_point_of_the_grid_is_no_picture(write_ensemble, tmp_path):
    """A function needs two places to be drawn between."""
    none = np.empty((2, 0), "f4")
    one = Predictions(np.zeros((2, 1), "f4"), none, none)
    place = write_ensemble(tmp_path / "m", {0: one}, EnsembleSetup(grid=np.zeros((1, 1))))
    with pytest.raises(LogError, match="its grid has 1 different point; expected 2 or more"):
        render_ensemble([overview(open_ensemble(place))], tmp_path / "out")


@pytest.mark.parametrize(("members", "epochs"), [(1, 3), (3, 1), (1, 1)])
def test_one_member_and_one_epoch(make_ensemble, tmp_path, members, epochs):
    """The smallest ensembles are drawn too; what is undefined is left out."""
    smallest = overview(open_ensemble(make_ensemble(members=members, epochs=epochs)))
    assert render_ensemble([smallest], tmp_path, EnsembleSettings(video=False)).made
    assert painted([smallest], EnsembleSettings(layers=LAYERS), [0]).shape == (HEIGHT, WIDTH, 3)


def test_all_members_broken_is_an_empty_picture(make_ensemble, tmp_path):
    """Nothing can be drawn, but the axes are there and the count says why."""
    broken = dict.fromkeys(range(3), 0)
    gone = overview(open_ensemble(make_ensemble(members=3, epochs=2, broken=broken)))
    assert render_ensemble([gone], tmp_path, EnsembleSettings(video=False)).made
    assert gone.missing.tolist() == [3, 3]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"layers": ("lines",)}, "expected some of members, mean"),
        ({"layers": ()}, "expected some of members, mean"),
        ({"member": -1}, "member is -1"),
        ({"duration": 0}, "duration is 0 s"),
        ({"limits": (2, 1)}, "lower one first"),
        ({"limits": (0, np.inf)}, "limits are .*inf"),
        ({"limits": (1e308, 2e308)}, "limits are"),
        ({"limits": (np.nan, 4)}, "limits are .*nan"),
        ({"noise": -1.0}, "noise is -1"),
        ({"noise": np.inf}, "noise is inf"),
        ({"animation": "png"}, "expected one of webp, gif, none"),
    ],
)
def test_settings_that_make_no_sense_are_refused(setting, message):
    """Each with the value it got and what was expected."""
    with pytest.raises(ValueError, match=message):
        EnsembleSettings(**setting)


def test_a_member_that_is_not_there_is_refused(seen, tmp_path):
    """Asking for member 99 of 12 is one line."""
    with pytest.raises(LogError, match="has no member 99; it has 12, counted from 0"):
        render_ensemble([seen], tmp_path, EnsembleSettings(member=99))


def test_an_ensemble_is_drawn_as_it_was_opened(make_ensemble, tmp_path, monkeypatch):
    """Where the command puts it, or under the stem of a video that is named."""
    monkeypatch.chdir(tmp_path)
    opened = open_ensemble(make_ensemble("lines"))
    quick = replace(QUICK, video=False)
    made = render_ensemble(opened, None, quick)
    assert {path.parent for path in made.paths} == {Path("renders/lines")}
    assert not render_ensemble([overview(opened)], Path("renders", "lines"), quick).made
    several = render_ensemble([opened, overview(opened)], None, quick)
    assert {path.parent for path in several.paths} == {Path("renders/ensemble-panel")}
    named = render_ensemble(opened, "x/sine.mp4", QUICK)
    assert {path.name for path in Path("x").iterdir()} == {
        "sine.mp4", "sine.scores.parquet", "sine.json", *(
            f"sine.{still}.png" for still in STILLS
        )
    }  # fmt: skip
    assert all(path.is_file() for path in named.paths)
    again = render_ensemble(opened, "x/sine.webp", QUICK)
    assert (again.made, again.paths) == (False, named.paths)
    less = render_ensemble(opened, "x/sine.mp4", quick)
    assert less.removed == ("sine.mp4",)


@pytest.mark.parametrize("problem", [KeyboardInterrupt(), OutputError("the disk is full")])
def test_stills_stay_where_a_film_is_not_finished(seen, tmp_path, monkeypatch, problem):
    """They are there before it is begun, as their description says; then it can be made."""
    out = tmp_path / "out"
    there = []

    def fails(*_, **__):
        there.extend(sorted(path.name for path in out.iterdir() if path.is_file()))
        raise problem

    with monkeypatch.context() as patched:
        patched.setattr("epochord.renderers.ensemble.render.write_video", fails)
        with pytest.raises(type(problem)):
            render_ensemble(seen, out, QUICK)
    expected = {f"{still}.png" for still in STILLS} | {"ensemble.scores.parquet"}
    assert set(there) == expected | {"ensemble.json"} == {path.name for path in out.iterdir()}
    about = json.loads((out / "ensemble.json").read_text())
    assert set(about["files"]) == expected
    assert about["complete"] is False
    before = (out / "scores.png").stat().st_mtime_ns
    again = render_ensemble(seen, out, QUICK)
    assert again.made
    assert (out / "ensemble.mp4").is_file()
    assert {path.name for path in again.paths} == expected | {"ensemble.mp4"}
    assert (out / "scores.png").stat().st_mtime_ns == before
    assert json.loads((out / "ensemble.json").read_text())["complete"] is True
    assert not render_ensemble(seen, out, QUICK).made
