"""How ensembles look in every size and theme: within the margins, one colour one meaning."""

import colorsys

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.text import Text

from epochord.renderers.ensemble import (
    EnsembleSettings,
    overview,
    panel_limits,
    shared_limits,
)
from epochord.renderers.ensemble.figure import ensemble_figure
from epochord.renderers.ensemble.film import Painter, frames
from epochord.renderers.ensemble.layout import MARGIN, units
from epochord.renderers.ensemble.limits import USED
from epochord.renderers.ensemble.look import DARK, LIGHT, Size, styled
from epochord.renderers.ensemble.settings import LAYERS, SIZES
from epochord.renderers.ensemble.stills import stills
from epochord.renderers.pictures.typeface import STRONG, TEXT
from epochord.runlog.reading.ensemble import open_ensemble
from tests.renderers.ensemble.memory import seen_in_memory

BORDER = 16  # pixels at 720 lines
HUES_APART = 20  # degrees


@pytest.fixture(scope="module")
def one():
    """Thirty members that move over eight epochs, and data."""
    rng = np.random.default_rng(0)
    x = np.linspace(-3, 3, 60)
    values = [
        x + (1 - k / 8) * rng.normal(size=(30, 1)) * np.sin(x + rng.normal(size=(30, 1)))
        for k in range(8)
    ]
    return seen_in_memory(values, grid=x[:, None], data=[-1.0, 0.0, 1.0], targets=[-1.0, 0.3, 1.0])


def drawn(*overviews, **options):
    settings = EnsembleSettings(**options)
    return ensemble_figure(overviews, settings, panel_limits(overviews, settings))


def ground(figure):
    return np.rint(255 * np.array(to_rgb(figure.get_facecolor())))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", ["1280x720", "1920x1080", "square", "vertical"])
@pytest.mark.parametrize("count", [1, 4])
def test_nothing_is_near_the_border(one, size, theme, count):
    """Not in the first frame, not in the last one; and the picture has the size it should."""
    made = drawn(*[one] * count, size=size, theme=theme, layers=LAYERS)
    for picture in frames(made, [np.array([0.0, 6.5])] * count):
        width, height = SIZES[size]
        assert picture.shape == (height, width, 3)
        inked = (picture != ground(made.figure)).any(axis=2)
        across, up = np.flatnonzero(inked.any(axis=0)), np.flatnonzero(inked.any(axis=1))
        off = min(across[0], up[0], width - 1 - across[-1], height - 1 - up[-1])
        assert off >= BORDER * min(width, height) / 720


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_stills_keep_off_the_border_too(make_ensemble, theme):
    """Each of them, in both themes."""
    seen = overview(open_ensemble(make_ensemble(epochs=4)))
    settings = EnsembleSettings(theme=theme)
    with styled(settings):
        for name, figure in stills(seen, settings, seen.limits()):
            figure.canvas.draw()
            picture = np.asarray(figure.canvas.buffer_rgba())[:, :, :3]
            inked = (picture != ground(figure)).any(axis=2)
            across, up = np.flatnonzero(inked.any(axis=0)), np.flatnonzero(inked.any(axis=1))
            off = across[0], up[0], 1279 - across[-1], 719 - up[-1]
            assert min(off) >= BORDER, (name, off)


@pytest.mark.parametrize("size", list(SIZES))
def test_text_has_one_left_edge(one, size):
    """Title, what it is, legends, labels of both axes: all begin at the margin."""
    made = drawn(one, size=size)
    pixels = made.figure.dpi / 100
    begins = {
        text.get_text(): text.get_window_extent().x0 / pixels
        for text in made.figure.texts
        if text is not made.clock and text.get_text()
    }
    assert {"prediction", "x", "epoch", "spread: mean sd of the members"} < set(begins)
    for axes in (made.cells[0].axes, made.strip):
        begins |= {
            label.get_text(): label.get_window_extent().x0 / pixels
            for label in axes.get_yticklabels()
            if label.get_text() and axes.bbox.y0 <= label.get_window_extent().y1 <= axes.bbox.y1
        }
    assert min(begins.values()) >= MARGIN - 1
    assert max(begins.values()) <= MARGIN + 3  # a letter has some room to its left


def test_every_letter_is_of_our_typeface(one):
    """No text of a picture asks for matplotlib's default first."""
    for each in drawn(one, one, layers=LAYERS).figure.findobj(Text):
        if each.get_text():
            assert each.get_fontfamily()[0] in (TEXT, STRONG), each


def hue(colour):
    """Degrees, and how far from grey."""
    h, _, s = colorsys.rgb_to_hls(*to_rgb(colour))
    return 360 * h, s


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_one_colour_has_one_meaning(theme):
    """What tells runs apart is grey, or of a hue that no layer and no data have."""
    layers = [
        theme.stroke(name).colour for name in ("members", "mean", "sd", "quantiles", "f", "p")
    ]
    for run in theme.runs:
        of_run, grey = hue(run)[0], hue(run)[1] < 0.15
        for other in [*layers, theme.data]:
            apart = abs((hue(other)[0] - of_run + 180) % 360 - 180)
            assert grey or apart >= HUES_APART, (run, other)
    blue = [hue(theme.stroke(name).colour)[0] for name in ("members", "mean", "sd")]
    assert max(blue) - min(blue) < HUES_APART
    assert min(abs((hue(theme.data)[0] - b + 180) % 360 - 180) for b in blue) > 90


def test_twelve_runs_are_told_apart(one):
    """By colour and dashes; each heading has the line of its curve."""
    made = drawn(*[one] * 12)
    styles = {(line.get_color(), line.get_linestyle()) for line in made.strip.get_lines()}
    assert len({(c, str(s)) for c, s in styles}) >= 4
    curves = [line for line in made.strip.get_lines() if line is not made.now]
    assert len({(line.get_color(), str(line._unscaled_dash_pattern)) for line in curves}) == 12


def test_a_far_member_leaves_the_picture_and_is_counted():
    """The range is that of the others; how many are beyond stands at the edge."""
    values = np.tile(np.linspace(-1, 1, 20)[:, None], (3, 1, 9))
    values[-1, 3, 4:] = 40.0
    values[-1, 5:7, :2] = -30.0
    seen = seen_in_memory(values)
    low, high = seen.limits()
    assert -2 < low < -1
    assert 1 < high < 2
    (cell,) = drawn(seen).cells
    assert cell.notes_at(2.0, 0) == ["1 member above", "2 members below"]
    assert cell.notes_at(0.0, 0) == ["", ""]
    made = drawn(seen)
    made.draw([2])
    assert {"1 member above", "2 members below"} < {t.get_text() for t in made.figure.findobj(Text)}


@pytest.mark.parametrize("scales", [(1.0, 1.2), (1.0, 9.0), (0.01, 1.0, 100.0)])
def test_members_and_data_use_the_height(scales):
    """Of each panel 60 % or more; on one range if that holds in it, else on ranges of their own."""
    shape = np.linspace(-1, 1, 20)[:, None] * np.ones(9)
    several = [seen_in_memory([5 * scale * shape, scale * shape]) for scale in scales]
    settings = EnsembleSettings()
    each = panel_limits(several, settings)
    for one, (low, high) in zip(several, each, strict=True):
        last = np.clip(one.ensemble.at(-1).grid, low, high)
        assert (last.max() - last.min()) / (high - low) >= USED
    shared = shared_limits(several, settings)
    fits = all(2 * scale / (shared[1] - shared[0]) >= USED for scale in scales)
    assert (len(set(each)) == 1) == fits
    made = ensemble_figure(several, settings, each)
    said = " ".join(text.get_text() for text in made.figure.texts)
    assert ("axes of its own" in said) != fits
    fixed = EnsembleSettings(limits=(-1.0, 3.0))
    assert set(panel_limits(several, fixed)) == {(-1.0, 3.0)}


@pytest.mark.parametrize(
    "text", ["epoch 3 of 7", "12 not finite   epoch 0 of 7", "epoch 1111 of 9"]
)
def test_the_clock_is_what_matplotlib_draws(one, text):
    """Painted over the picture and drawn with it: a grey level or two apart at most."""
    made = drawn(one)
    painter = Painter(made)
    painter.clock.put_onto(painter.picture, text)
    made.clock.set_text(text)
    made.figure.canvas.draw()
    theirs = np.asarray(made.figure.canvas.buffer_rgba())[:, :, :3].astype(int)
    box = made.clock.get_window_extent()
    height = len(theirs)
    area = np.s_[height - int(box.y1) : height - int(box.y0), int(box.x0) : int(box.x1)]
    assert (theirs[area] < 128).any()
    assert np.abs(painter.picture[area] - theirs[area]).max() <= 2


def test_the_same_drawing_at_any_resolution(one):
    """A picture of 2160 lines has the layout of one of 720 lines."""
    small, large = (drawn(one, size=size) for size in ("1280x720", "3840x2160"))
    assert units(small.figure) == units(large.figure)
    for a, b in zip(small.figure.axes, large.figure.axes, strict=True):
        np.testing.assert_allclose(a.get_position().bounds, b.get_position().bounds)
    assert Size(3840, 2160).dpi == 3 * Size(1280, 720).dpi
