"""Classifiers, and ensembles that cannot be drawn, get their own pictures and all their scores."""

import json
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from epochord.renderers.ensemble import EnsembleSettings, render_ensemble, why_not_drawn
from epochord.renderers.ensemble.classes.class_map import ClassMap
from epochord.renderers.ensemble.classes.film import _frames
from epochord.renderers.ensemble.classes.look import STRONGEST, class_colours, mixed
from epochord.renderers.ensemble.classes.overview import class_overview
from epochord.renderers.ensemble.classes.score_still import class_scores_still
from epochord.renderers.ensemble.classes.scores import score_classes
from epochord.renderers.ensemble.look import DARK, Size, styled
from epochord.renderers.ensemble.overview import overview
from epochord.renderers.ensemble.pacing import FADE, FPS, timed
from epochord.renderers.ensemble.settings import SIZES
from epochord.runlog import LogError
from epochord.runlog.ensemble import EnsembleSetup, Predictions
from epochord.runlog.reading.ensemble import open_ensemble

SIZE = Size(1280, 720)
LATTICE = np.stack(np.meshgrid(np.linspace(-1, 1, 9), np.linspace(-1, 1, 7)), -1).reshape(-1, 2)


def rising(x, slope):
    """Give the probability of class 1 right of 0, the surer the steeper."""
    second = 1 / (1 + np.exp(-slope * x[:, 0]))
    return np.stack([1 - second, second], -1)


@pytest.fixture
def classifier(write_ensemble, tmp_path):
    """Write classifiers of two classes, split at x = 0, that become surer for three epochs."""

    def make(name="classes", grid=LATTICE, **change):
        rng = np.random.default_rng(0)
        inputs = {"grid": grid, "data": rng.uniform(-1, 1, (20, grid.shape[1]))}
        inputs["held_out"] = rng.uniform(-1, 1, (30, grid.shape[1]))
        inputs["ood"] = np.zeros((10, grid.shape[1]))  # on the boundary: the least sure
        setup = EnsembleSetup(
            **inputs,
            targets=(inputs["data"][:, 0] > 0) * 1.0,
            held_out_targets=(inputs["held_out"][:, 0] > 0) * 1.0,
            task="classification",
            outputs=2,
        )
        setup = replace(setup, **change)
        epochs = {
            epoch: Predictions(
                *(
                    np.stack([rising(x, 3.0 * epoch + k) for k in range(4)]).astype("f4")
                    for x in inputs.values()
                )
            )
            for epoch in range(3)
        }
        return open_ensemble(
            write_ensemble(
                tmp_path / "runs" / name, epochs, setup, hyperparameters={"classes": ["no", "yes"]}
            )
        )

    return make


def test_an_epoch_is_scored_at_every_place(classifier):
    """Columns are the scores of each epoch's predictions; what is out of distribution is found."""
    ensemble = classifier(indices=np.tile(np.arange(10), (4, 2)))
    found = class_overview(ensemble)
    assert set(found.scores) == {"held_out", "out_of_bag"}
    for place, predictions in enumerate(ensemble):
        own = score_classes(predictions.held_out, ensemble.setup.held_out_targets)
        assert found.columns["held_out/nll"][place] == own.nll
        bag = score_classes(predictions.data[:, 10:], ensemble.setup.targets[10:])
        assert found.columns["out_of_bag/brier"][place] == pytest.approx(bag.brier)
    assert found.columns["ood/auroc_entropy"][-1] == 1.0
    assert np.array_equal(found.confidences["ood"], np.full(10, 0.5))
    assert (np.diff(found.columns["held_out/nll"]) < 0).all()


def test_the_map_shows_each_class_in_its_colour_and_its_files_are_told(classifier, tmp_path):
    """Left of the boundary the one, right of it the other; scores are a table that is a log."""
    still = EnsembleSettings(video=False)
    made = render_ensemble(classifier(), tmp_path / "out", still)
    names = [path.name for path in made.paths]
    assert names[:1] == ["classes.png"]
    assert {"scores.png", "ensemble.scores.parquet"} <= set(names)
    picture = np.asarray(Image.open(tmp_path / "out/classes.png").convert("RGB")) / 255
    middle, left, right = picture.shape[0] // 2, 0.08, 0.47
    for share, number in ((left, 0), (right, 1)):
        row = picture[middle - 60 : middle + 60, round(share * picture.shape[1])]
        near = np.abs(row - (1 - STRONGEST * (1 - class_colours(2)[number]))).max(axis=1)
        assert (near < 0.1).mean() > 0.5
    about = json.loads((tmp_path / "out/ensemble.json").read_text())
    assert about["runs"][0]["classes"] == ["no", "yes"]
    assert about["runs"][0]["notes"] == [
        "its classes are drawn; --output K draws the probability of class K alone"
    ]
    assert sum(about["reliability"]["held_out"]["counts"]) == 30
    table = pq.read_table(tmp_path / "out/ensemble.scores.parquet").to_pydict()
    assert table["step"] == [0, 1, 2]
    assert table["held_out/accuracy"][-1] == about["at_last_epoch"]["held_out/accuracy"]
    again = render_ensemble(open_ensemble(tmp_path / "runs/classes"), tmp_path / "out", still)
    assert not again.made
    assert {path.name for path in again.paths} == set(names)


def test_one_class_alone_is_drawn_as_any_function_is(classifier, tmp_path):
    """Its probability over the lattice, with the stills of a regression."""
    made = render_ensemble(classifier().output(1), tmp_path / "out", EnsembleSettings(video=False))
    assert "uncertainty.png" in {path.name for path in made.paths}


@pytest.mark.parametrize("inputs", [1, 5])
def test_without_a_lattice_there_are_scores(inputs, classifier, monkeypatch, tmp_path):
    """Of one input, and of many."""
    monkeypatch.chdir(tmp_path)  # where results go by default
    grid = np.linspace(-1, 1, 6 * inputs).reshape(6, -1)
    made = render_ensemble(classifier(grid=grid))
    assert [path.suffix for path in made.paths if path.stem == "scores"]
    assert not [path for path in made.paths if path.stem == "classes"]


def test_colours_are_white_where_nothing_is_sure_and_grey_where_nothing_is_known():
    """And those of the class where it is sure; many classes have as many colours."""
    sure = np.eye(3)
    assert np.allclose(mixed(sure), 1 - STRONGEST * (1 - class_colours(3)))
    assert np.allclose(mixed(np.full((1, 3), 1 / 3)), 1)
    assert np.allclose(mixed(np.full((1, 3), np.nan)), 0.8)
    assert len(np.unique(class_colours(40).round(3), axis=0)) == 40


@pytest.fixture
def numbers(write_ensemble, tmp_path):
    """Write a regression whose grid is as is asked for."""

    def make(grid, inputs, outputs=1):
        rng = np.random.default_rng(0)
        shape = (outputs,) if outputs > 1 else ()
        setup = EnsembleSetup(
            grid=grid,
            held_out=rng.normal(size=(12, inputs)),
            held_out_targets=rng.normal(size=(12, *shape)),
            outputs=outputs,
        )
        epochs = {
            epoch: Predictions(
                *(rng.normal(size=(5, n, *shape)).astype("f4") for n in (len(grid), 0, 12))
            )
            for epoch in range(2)
        }
        return open_ensemble(write_ensemble(tmp_path / "numbers", epochs, setup))

    return make


UNDRAWN = {
    "none": (np.empty((0, 3)), 3, "no film: it has no grid"),
    "ten inputs": (np.random.default_rng(1).normal(size=(8, 10)), 10, "its grid has 10 inputs"),
    "images": (np.empty((8, 0)), 0, "its grid has more inputs than are stored"),
    "scattered": (np.random.default_rng(1).normal(size=(8, 2)), 2, "8 points, 8 different x"),
    "one point": (np.zeros((3, 1)), 1, "its grid has 1 different point; expected 2 or more"),
}


@pytest.mark.parametrize(("case", "outputs"), [*((case, 1) for case in UNDRAWN), ("none", 3)])
def test_what_has_no_drawable_grid_is_scored_all_the_same(case, outputs, numbers, tmp_path):
    """The scores are those that it would have with a grid; the reason for no film is said."""
    grid, inputs, message = UNDRAWN[case]
    ensemble = numbers(grid, inputs, outputs)
    assert message in why_not_drawn(ensemble)
    made = render_ensemble(ensemble, tmp_path / "out")
    notes = made.description["runs"][0]["notes"]
    assert message in notes[0]
    assert len(notes) == (2 if outputs > 1 else 1)
    assert {path.name for path in made.paths} >= {"scores.png", "ensemble.scores.parquet"}
    line = open_ensemble(tmp_path / "numbers").output(0).with_grid_at("held_out")
    line = line.with_setup(
        replace(line.setup, grid=np.zeros((12, 1)), held_out=np.zeros((12, 1)))
    ) if inputs == 0 else line  # fmt: skip
    expected = overview(line).columns()
    table = pq.read_table(tmp_path / "out/ensemble.scores.parquet").to_pydict()
    assert table["held_out/crps"] == pytest.approx(expected["held_out/crps"].tolist())


def test_it_has_no_place_beside_others(classifier):
    """A panel shows functions."""
    with pytest.raises(LogError, match=r"its classes are drawn.*; render it by itself"):
        render_ensemble([classifier(), classifier("two")])


def test_a_list_of_one_is_one(classifier, tmp_path):
    """As for ensembles that are drawn as functions."""
    made = render_ensemble([classifier()], tmp_path / "out", EnsembleSettings(video=False))
    assert "classes.png" in {path.name for path in made.paths}


def test_the_film_is_the_still_at_the_end_and_moves_as_the_classes_do(classifier):
    """Painted and drawn alike, but for the edges of cells; time goes to movement."""
    overview = class_overview(classifier(grid=np.round(LATTICE, 6)))
    drawn = ClassMap(overview, SIZE)
    drawn.draw(2)
    canvas = drawn.figure.canvas
    canvas.draw()
    still = np.asarray(canvas.buffer_rgba())[..., :3].astype(int)
    (painted,) = _frames(ClassMap(overview, SIZE), np.array([2.0]), np.empty(0))
    different = (np.abs(still - painted) > 8).any(axis=-1)
    assert different.mean() < 0.02
    halfway, ends = (
        ClassMap(overview, SIZE).at(0.5),
        [ClassMap(overview, SIZE).at(k) for k in (0, 1)],
    )
    for name in ("by_class", "aleatoric", "disputed"):
        both = [getattr(each, name) for each in ends]
        assert np.allclose(getattr(halfway, name), np.mean(both, axis=0))


@given(moved=arrays(float, st.integers(1, 8), elements=st.floats(1e-3, 0.3)))
def test_time_goes_to_movement(moved):
    """In each frame it moves equally far, or as far as it must to be seen at all."""
    edges = np.arange(len(moved) + 1.0)
    paced = timed(edges, moved, len(edges), EnsembleSettings(duration=3.0), most=2e-3)
    training = paced.moments[round((FADE + 1) * FPS) : -FPS]
    assert len(training) == 3 * FPS
    way = np.interp(training, edges, np.concatenate([[0.0], np.cumsum(moved)]))
    assert np.diff(way, prepend=0.0).max() <= paced.movement * (1 + 1e-9)


def test_the_film_fades_from_its_end_to_its_beginning(classifier):
    """What players show of it before it is played is the end."""
    drawn = ClassMap(class_overview(classifier()), SIZE)
    first, halfway, begin, end = _frames(drawn, np.array([0.0, 0, 0, 2]), np.array([0.0, 0.5]))
    assert np.array_equal(first, end)
    assert not np.array_equal(begin, end)
    assert np.abs(halfway - (begin.astype(float) + end) / 2).max() <= 0.5


@pytest.mark.parametrize("size", ["square", "vertical", "1920x1080"])
def test_pictures_of_classes_are_as_large_and_as_dark_as_asked_for(size, classifier, tmp_path):
    """And what is left of the ground is the theme's."""
    settings = EnsembleSettings(video=False, size=size, theme="dark")
    render_ensemble(classifier(), tmp_path / "out", settings)
    picture = Image.open(tmp_path / "out/classes.png").convert("RGB")
    assert picture.size == SIZES[size]
    for name in ("classes", "scores"):
        image = Image.open(tmp_path / f"out/{name}.png").convert("RGB")
        assert image.getpixel((3, 3)) == tuple(bytes.fromhex(DARK.ground[1:]))
    with styled(settings):
        unsure = 255 * mixed(np.full((1, 2), 0.5))
    assert np.allclose(unsure, list(bytes.fromhex(DARK.ground[1:])))


def test_a_film_of_classes_is_beside_its_stills(classifier, tmp_path):
    """An MP4 and a small animation; the description counts the frames."""
    made = render_ensemble(classifier(), tmp_path / "out", EnsembleSettings(duration=0.2))
    names = [path.name for path in made.paths]
    assert names[:3] == ["ensemble.mp4", "ensemble.webp", "classes.png"]
    about = json.loads((tmp_path / "out/ensemble.json").read_text())
    assert about["complete"]
    assert about["frames"] == round((2 + FADE) * FPS) + 12
    assert set(about["files"]) == set(names)


def test_classifiers_obey_the_theme(classifier, tmp_path):
    """Nothing but dots and text is bright where the theme is dark."""
    for theme, ground in (("light", (255, 255, 255)), ("dark", (16, 19, 24))):
        settings = EnsembleSettings(video=False, theme=theme)
        paths = render_ensemble(classifier(theme), tmp_path / theme, settings).paths
        for path in paths:
            if path.suffix == ".png":
                pixels = np.asarray(Image.open(path).convert("RGB"))
                assert (pixels[[0, -1]] == ground).all()
                assert (pixels == ground).all(axis=-1).mean() > 0.4


def test_every_entropy_is_in_the_key(classifier):
    """A line that no key names cannot be read."""
    figure = class_scores_still(class_overview(classifier()))
    (axes,) = (a for a in figure.axes if a.get_title(loc="left") == "Uncertainty over training")
    names = {text.get_text() for text in axes.get_legend().get_texts()}
    assert {line.get_label() for line in axes.get_lines()} == names
    assert "disagreement, out of distribution" in names
