"""What the pictures of ensembles say: no more than is seen, and nothing is left unsaid."""

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.lines import Line2D
from matplotlib.text import Text

from epochord.renderers.ensemble import EnsembleSettings, overview, render_ensemble, shared_limits
from epochord.renderers.ensemble.captions import title
from epochord.renderers.ensemble.figure import ensemble_figure
from epochord.renderers.ensemble.film import frames
from epochord.renderers.ensemble.layout import MARGIN
from epochord.renderers.ensemble.limits import unseen_data
from epochord.renderers.ensemble.look import Size
from epochord.renderers.ensemble.noise import Noise
from epochord.renderers.ensemble.settings import LAYERS
from epochord.renderers.ensemble.stills import stills
from epochord.renderers.ensemble.view import Lines
from epochord.runlog import LogError
from epochord.runlog.ensemble import EnsembleSetup, Predictions
from epochord.runlog.reading.ensemble import open_ensemble

ALL = EnsembleSettings(layers=LAYERS)
WIDTH, HEIGHT = Size(1280, 720)
NONE = np.empty((3, 0), "f4")


def seen(*arguments, **options):
    return overview(open_ensemble(*arguments, **options))


def picture(*overviews, settings=ALL, **options):
    return ensemble_figure(overviews, settings, shared_limits(overviews, settings), **options)


def still(one, name, settings=ALL):
    return dict(stills(one, settings, shared_limits([one], settings)))[name]


def texts(figure):
    """Return all text of a figure that is not empty."""
    figure.canvas.draw()
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def legend(figure):
    """Return what the legend of the functions says, without that of the strip."""
    said = [text.get_text() for each in figure.legends for text in each.get_texts()]
    return [each for each in said if each not in ("outside the data", "among them")]


def panels(figure):
    """Return the axes of a still by their titles."""
    return {axes.get_title() or axes.get_title("left"): axes for axes in figure.axes}


@pytest.fixture
def flat(write_ensemble, tmp_path):
    """Write an ensemble of three flat functions of one or two inputs, at 0, 1 and 2."""

    def make(epochs=2, *, name="flat", data=((0.5,),), targets=(1.0,), level=1.0, **about):
        setup = EnsembleSetup(
            grid=np.linspace(0, 1, 5)[:, None], data=np.array(data), targets=np.array(targets)
        )
        rows = {
            epoch: Predictions(
                np.full((3, 5), level, "f4") * np.arange(3)[:, None].astype("f4"),
                np.zeros((3, len(targets)), "f4"),
                NONE,
            )
            for epoch in range(epochs)
        }
        return write_ensemble(tmp_path / "flat" / name, rows, setup, **about)

    return make


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ensemble-prior", "ensemble-prior, 3 members"),
        ("ensemble-prior-2", "ensemble-prior-2, prior, 3 members"),
        ("mine", "mine, prior, 3 members"),
    ],
)
def test_the_setting_is_named_unless_the_name_says_it(flat, name, expected):
    """Whatever a run's folder is called, its heading says the setting, once."""
    place = flat(name=name, hyperparameters={"setting": "prior"})
    assert title(open_ensemble(place)) == expected


def test_ensembles_of_others_say_what_their_log_holds(make_ensemble):
    """Without a named setting: whether there are priors and a bootstrap; one is `1 member`."""
    heading = title(open_ensemble(make_ensemble(members=1)))
    assert heading == "lines, prior and bootstrap, 1 member, β = 0.3, seed 0"
    heading = title(open_ensemble(make_ensemble("plain", prior=False)))
    assert heading == "plain, bootstrap, 12 members, seed 0"


def test_who_ended_early_says_so(make_ensemble):
    """In a panel the run of 13 epochs says that it ended at epoch 12; the others do not."""
    several = [
        seen(make_ensemble(name, epochs=epochs))
        for name, epochs in (("one", 21), ("short", 13), ("two", 21))
    ]
    headings = [t for t in texts(picture(*several).figure) if t.startswith("prior and bootstrap")]
    assert [heading.endswith(", ended at epoch 12") for heading in headings] == [False, True, False]
    assert "ended" not in " ".join(texts(picture(several[1]).figure))


def test_members_one_at_a_time_are_named(make_ensemble):
    """The caption says whose turn it is, in the still and in each frame of the video."""
    one = seen(make_ensemble())
    settings = EnsembleSettings(layers=("hop",))
    drawn = picture(one, settings=settings)
    (cell,) = drawn.cells
    assert [cell.notes_at(20, frame) for frame in (0, 11, 12, 143, 144)] == [
        ["member 0"], ["member 0"], ["member 1"], ["member 11"], ["member 0"],
    ]  # fmt: skip
    box = cell.axes.bbox
    left = int(box.x0) + 10
    corner = np.s_[HEIGHT - int(box.y1) : HEIGHT - int(box.y1) + 40, left : left + 120]
    shown = [f[corner].copy() for f in frames(drawn, [np.full(26, 20)], moving=True)]
    changes = [bool((a != b).any()) for a, b in pairwise(shown)]
    assert np.flatnonzero(changes).tolist() == [11, 23]
    assert "member 0" in texts(still(one, "uncertainty", settings))


def test_limits_hold_what_is_drawn(make_ensemble):
    """All of f and of p at the last epoch lies within the axes that show them; members too."""
    one = seen(make_ensemble())
    last, p = one.ensemble.at(-1).grid, 0.3 * one.ensemble.setup.prior.grid
    parts = {"f": last - p, "p": p}
    for layers in (("f",), ("p",), ("f", "p")):
        low, high = shared_limits([one], EnsembleSettings(layers=layers))
        for layer in layers:
            assert low < parts[layer].min()
            assert parts[layer].max() < high
    for name in ("members", "by_member"):
        fixed = still(one, name, EnsembleSettings(limits=(-1.0, 1.0)))
        assert {axes.get_ylim() for axes in fixed.axes} == {(-1.0, 1.0)}
    for axes in still(one, "by_member", EnsembleSettings()).axes:
        low, high = axes.get_ylim()
        for line in axes.get_lines():
            assert low < line.get_ydata().min()
            assert line.get_ydata().max() < high


def test_one_wild_member_does_not_flatten_the_others(flat, write_ensemble, tmp_path):
    """A member that is a thousand times off at the end leaves the limits to the others."""
    ensemble = open_ensemble(flat())
    far = ensemble.at(1)
    grid = np.concatenate([np.tile(far.grid, (100, 1)), [[1e3, 0, 0, 0, 0]]]).astype("f4")
    wild = Predictions(grid, np.zeros((301, 1), "f4"), np.empty((301, 0), "f4"))
    low, high = seen(write_ensemble(tmp_path / "wild", {0: wild}, ensemble.setup)).limits()
    assert -1 < low < 0
    assert 2 < high < 3


@pytest.mark.parametrize(
    ("made", "absent"),
    [
        ({"members": 1}, {"±1 and ±2 sd", "±2 sd with noise", "5–95 % and 25–75 %", "members"}),
        ({"prior": False}, {"prior βp", "trained part f"}),
        (
            {"members": 2, "broken": {0: 0, 1: 0}},
            {
                "members",
                "mean",
                "±1 and ±2 sd",
                "±2 sd with noise",
                "5–95 % and 25–75 %",
                "one member after the other",
                "trained part f",
            },
        ),
    ],
)
def test_legends_list_only_what_is_drawn(make_ensemble, made, absent):
    """What an ensemble does not have is in no legend; all else that was chosen is."""
    everything = set(legend(picture(seen(make_ensemble("whole"))).figure))
    assert {"prior βp", "mean", "members", "training data", "±1 and ±2 sd"} < everything
    found = set(legend(picture(seen(make_ensemble("odd", **made))).figure))
    assert found - {"the only member"} == everything - absent


def test_the_legend_of_a_still_is_that_of_its_epoch(make_ensemble):
    """Members that are lost at the end are in the video's legend, not in the last still's."""
    gone = seen(make_ensemble(members=2, broken={0: 3, 1: 3}, prior=False))
    settings = EnsembleSettings()
    assert "members" in legend(picture(gone, settings=settings).figure)
    assert legend(still(gone, "uncertainty", settings)) == ["training data"]


def test_data_outside_the_limits_are_said(flat, tmp_path):
    """How many, of how many, and why; in the description too, and not in the legend."""
    one = seen(flat(data=((0.2,), (0.5,), (7.0,), (0.7,)), targets=(1.0, 50.0, 1.0, np.nan)))
    settings = EnsembleSettings(limits=(2.0, 3.0), video=False)
    made = render_ensemble([one], tmp_path / "out", settings)
    expected = [
        "1 of 4 training data are outside of the grid and not seen",
        "1 of 4 training data are not finite and not seen",
        "2 of 4 training data are outside of the limits 2 to 3 and not seen",
    ]
    assert made.description["runs"][0]["notes"] == expected
    about = json.loads((tmp_path / "out/ensemble.json").read_text())
    assert about["runs"][0]["notes"] == expected
    assert "training data" not in legend(picture(one, settings=settings).figure)
    assert unseen_data(one.ensemble.setup, (0.0, 60.0)) == expected[:2]


def test_data_at_the_edge_are_drawn_whole(flat):
    """Points at the ends of the grid and of the limits are not cut in half, others not drawn."""
    one = seen(flat(data=((0.0,), (1.0,), (0.5,), (0.5,)), targets=(0.0, 1.0, 2.0, 2.1)))
    settings = EnsembleSettings(layers=("data",), limits=(0.0, 2.0))
    (cell,) = picture(one, settings=settings).cells
    (points,) = (artist for artist in cell.front if artist.get_label() == "training data")
    assert points.get_xydata().tolist() == [[0, 0], [1, 1], [0.5, 2]]
    assert not points.get_clip_on()
    first, *_ = still(one, "by_member", settings).axes
    (points,) = first.collections
    assert points.get_offsets().tolist() == [[0, 0], [1, 1], [0.5, 2]]
    assert not points.get_clip_on()
    (alone,) = still(one, "members", settings).axes
    (points,) = alone.get_lines()
    assert points.get_xydata().tolist() == [[0, 0], [1, 1], [0.5, 2]]
    assert not points.get_clip_on()


def test_parts_that_a_run_does_not_have_are_refused_or_said(make_ensemble, tmp_path):
    """Of a run without priors, f and p alone would be an empty picture."""
    naive = seen(make_ensemble("naive", prior=False))
    for layers in (("f", "p"), ("p", "data")):
        with pytest.raises(LogError, match=r"run 'naive' has no priors, so it has no .* --show"):
            render_ensemble([naive], tmp_path, EnsembleSettings(layers=layers, video=False))
    assert not list(tmp_path.glob("*.png"))
    settings = EnsembleSettings(layers=("mean", "p"), video=False)
    notes = render_ensemble([naive], tmp_path, settings).description["runs"][0]["notes"]
    assert notes == ["it has no priors, so no p is drawn"]


def test_the_scores_are_labelled(make_ensemble):
    """Nominal levels stand at their lines, contraction is logarithmic, epochs are whole."""
    drawn = panels(still(seen(make_ensemble()), "scores"))
    coverage = drawn["Coverage of central intervals"]
    levels = {text.get_text(): text.get_position()[1] for text in coverage.texts}
    assert levels == {"50 %": 0.5, "68 %": 0.68, "95 %": 0.95}
    contraction = drawn["Spread left by training"]
    assert contraction.get_yscale() == "log"
    assert contraction.get_ylabel() == "sd at epoch 20 / epoch 0"
    assert len(drawn) == 8
    assert all(axes.get_xlabel() and axes.get_ylabel() for axes in drawn.values())


def test_the_scores_say_what_the_noise_is(make_ensemble, write_ensemble, tmp_path):
    """Which size, and where it is from, in the picture and in the description."""
    one = seen(make_ensemble())
    assert "noise sd 0.5, from the log" in texts(still(one, "scores"))
    bare = write_ensemble(tmp_path / "bare", dict(enumerate(one.ensemble)), one.ensemble.setup)
    estimated = seen(bare)
    said = f"noise sd {estimated.noise.sd:.3g}, estimated out of bag"
    assert said in texts(still(estimated, "scores"))
    about = render_ensemble(estimated, tmp_path / "o", EnsembleSettings(video=False)).description
    assert about["runs"][0]["noise_source"] == said


def test_lines_that_so_few_members_cannot_reach_are_not_drawn(make_ensemble):
    """Four members with next to no noise show no coverage of 95 %: it says what they can show."""
    opened = open_ensemble(make_ensemble(members=4))
    one = overview(opened, noise=1e-3)
    axes = panels(still(one, "scores"))["Coverage of central intervals"]
    levels = [line.get_ydata()[0] for line in axes.get_lines() if len(set(line.get_xdata())) == 2]
    assert 0.95 not in levels
    most = max(reach[2] for reach in one.reach.values())
    assert f"95 %:\n≤ {100 * most:.0f}" in [text.get_text() for text in axes.texts]
    calibration = panels(still(one, "scores"))["Calibration (below line: too sure)"]
    assert [0, 100] not in [list(line.get_ydata()) for line in calibration.get_lines()]


def test_the_band_with_noise_lies_around_that_of_the_members(make_ensemble):
    """It is as wide as both together, two standard deviations; unknown noise has none."""
    one = seen(make_ensemble())
    settings = EnsembleSettings(layers=("predictive", "sd"))
    drawn = picture(one, settings=settings)
    drawn.draw([20])
    outer, inner, _ = (patch.get_xy()[:, 1] for patch in drawn.cells[0].axes.patches)
    view = Lines(one.ensemble, one.noise).at(20)
    assert outer.max() == pytest.approx((view.mean + 2 * np.hypot(view.sd, 0.5)).max())
    assert outer.max() - outer.min() > inner.max() - inner.min()
    unknown = replace(one, noise=Noise(1.0, "assumed", known=False))
    bare = picture(unknown, settings=settings)
    bare.draw([20])
    assert len(bare.cells[0].axes.patches) == 2
    assert "±2 sd with noise" not in legend(bare.figure)


@pytest.mark.parametrize("epochs", [1, 2, 3, 4, 7])
def test_epochs_are_whole_numbers(make_ensemble, epochs):
    """No tick of an axis of epochs lies between two of them."""
    one = seen(make_ensemble(epochs=epochs))
    axes = [picture(one).strip]
    axes += [a for a in still(one, "scores").axes if a.get_xlabel() == "epoch"]
    assert len(axes) == 6
    for each in axes:
        each.figure.canvas.draw()
        ticks = each.get_xticks()
        assert len(ticks)
        assert (ticks == np.rint(ticks)).all()


@pytest.mark.parametrize(
    ("made", "titles", "reason"),
    [
        ({"members": 1}, 0, "they take two members or more, and this ensemble has one"),
        ({"epochs": 1}, 7, "no contraction: only one epoch is recorded"),
        (
            {"members": 3, "broken": dict.fromkeys(range(3), 0)},
            0,
            "at no held-out or out-of-bag point",
        ),
    ],
)
def test_no_panel_of_scores_is_empty(make_ensemble, made, titles, reason):
    """What cannot be drawn is left out, and the picture says why."""
    figure = still(seen(make_ensemble(**made)), "scores")
    assert len(figure.axes) == titles
    assert any(reason in text for text in texts(figure))
    for axes in figure.axes:
        curves = [line for line in axes.get_lines() if len(line.get_xdata()) and line.get_label()]
        assert axes.patches or any(np.isfinite(line.get_ydata()).any() for line in curves)


def test_without_points_to_score_the_picture_says_so(flat):
    """Neither held-out points nor a bootstrap: no scores, which is said beside the contraction."""
    figure = still(seen(flat()), "scores", EnsembleSettings())
    assert list(panels(figure)) == ["Spread left by training"]
    assert "no scores: the log has neither held-out points nor a bootstrap" in texts(figure)


def test_scores_that_a_damaged_log_lost_are_left_out(make_ensemble, write_ensemble, tmp_path):
    """Held-out predictions of NaN alone make neither curves nor an entry of the legend."""
    ensemble = open_ensemble(make_ensemble())
    lost = {
        epoch: each._replace(held_out=np.full_like(each.held_out, np.nan))
        for epoch, each in enumerate(ensemble)
    }
    one = seen(write_ensemble(tmp_path / "lost", lost, ensemble.setup))
    figure = still(one, "scores")
    assert "out of bag" in texts(figure)
    assert "held-out points" not in texts(figure)


def test_lost_members_are_said_in_every_still(make_ensemble):
    """How many are not finite at the end stands beside the scores and the members."""
    broken = seen(make_ensemble(members=4, broken={1: 5, 3: 7}))
    for name in ("scores", "members", "by_member"):
        assert any("2 of 4 members not finite" in text for text in texts(still(broken, name)))
    empty = [axes for axes in still(broken, "by_member").axes if axes.texts]
    assert [axes.get_title("left") for axes in empty] == ["member 1", "member 3"]
    assert "2 not finite   epoch 20 of 20" in texts(still(broken, "uncertainty"))


def test_a_strip_without_a_spread_says_why(make_ensemble):
    """One member has no spread: words instead of an empty curve, and no legend for it."""
    strip = picture(seen(make_ensemble(members=1))).strip
    assert [text.get_text() for text in strip.texts] == [
        "no spread: that takes two members that are finite"
    ]
    assert strip.get_legend() is None


def test_values_of_a_single_epoch_are_told_apart(make_ensemble):
    """Where there are no lines, dots differ in their form, as the keys say, and none is cut."""
    one = seen(make_ensemble(epochs=1))
    figure = still(one, "scores")
    dots = panels(figure)["Sharpness: predicted sd"].get_lines()
    forms = {dot.get_marker() for dot in dots}
    keys = {key.get_marker() for legend in figure.legends for key in legend.get_lines()}
    assert len(forms) == 3
    assert forms <= keys
    for name in ("CRPS, fair (plain: dotted)", "Sharpness: predicted sd"):
        axes = panels(figure)[name]
        figure.canvas.draw()
        highest = max(line.get_window_extent().y1 for line in axes.get_lines())
        assert highest < axes.get_window_extent().y1
    lines = {line.get_label(): line for line in picture(one).figure.findobj(Line2D)}
    names = "outside the data", "among them"
    assert [lines[name].get_fillstyle() for name in names] == ["full", "none"]


def test_both_inputs_are_labelled(write_ensemble, tmp_path):
    """Maps of two inputs name their axes and what the colours are, in every still."""
    x, y = np.meshgrid(np.linspace(0, 1, 4), np.linspace(0, 2, 3))
    grid = np.column_stack([x.ravel(), y.ravel()])
    values = np.linspace(1, 2, 3)[:, None] * (1 + grid.sum(axis=1))
    one = Predictions(values.astype("f4"), NONE, NONE)
    setup = EnsembleSetup(grid=grid, prior=Predictions(values, NONE, NONE))
    maps = seen(write_ensemble(tmp_path / "maps", {0: one, 1: one}, setup))
    for name in ("uncertainty", "members", "priors", "scores"):
        assert {"x₁", "x₂"} < set(texts(still(maps, name))), name
    assert {"mean", "sd"} < set(texts(still(maps, "uncertainty")))
    made = render_ensemble([maps], tmp_path / "out", EnsembleSettings(layers=("p",), video=False))
    assert made.description["runs"][0]["notes"] == ["of two inputs mean and sd are drawn, not p"]


@pytest.mark.parametrize("count", [1, 4, 9])
def test_long_names_stay_within_the_picture(make_ensemble, count):
    """Headings of any length are made to fit: they end before the clock, or their neighbour."""
    name = "an-ensemble-with-a-name-that-is-far-too-long-for-any-heading-of-a-picture"
    several = [seen(make_ensemble(f"{name}-{i}", epochs=2 + i, members=3)) for i in range(count)]
    drawn = picture(*several)
    drawn.draw([1] * count)
    drawn.figure.canvas.draw()
    for text in drawn.figure.texts:
        box = text.get_window_extent()
        assert text.get_text() in ("", drawn.clock.get_text()) or box.x0 >= MARGIN - 1
        assert box.x1 <= WIDTH - MARGIN + 1
    clock = drawn.clock.get_window_extent()
    beside = [t.get_window_extent() for t in drawn.figure.texts if t is not drawn.clock]
    assert not any(box.overlaps(clock) for box in beside if box.width)
    box = drawn.figure.get_tightbbox()  # of all that is drawn, in inches
    width, height = drawn.figure.get_size_inches()
    assert min(box.x0, box.y0, width - box.x1, height - box.y1) * 100 >= 16
