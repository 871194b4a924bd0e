"""Lines, bands and densities are what matplotlib draws, and what brute force counts."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Polygon

from epochord.renderers.ensemble.raster import Viewport, paint_band, paint_density, paint_lines

BLACK = (0, 0, 0)
GREYS = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
HEIGHT, WIDTH = 40, 60  # pixels of a small picture
LEFT, TOP, RIGHT, BOTTOM = 7, 5, 51, 34  # its rectangle


def white(height=HEIGHT, width=WIDTH):
    return np.full((height, width, 3), 255, np.uint8)


def pixel_view(x, left=LEFT, top=TOP, right=RIGHT, bottom=BOTTOM) -> Viewport:
    """Return a viewport whose data are pixels: x from the picture's left, y from its top."""
    return Viewport(
        left, top, right, bottom, x_limits=(left, right), y_limits=(bottom, top), grid=x
    )


def line_cover(x, y, width=1.0):
    """Return the coverage of a black line [shape=(HEIGHT, WIDTH)]."""
    picture = white()
    paint_lines(picture, pixel_view(x), [y], BLACK, width=width)
    return 1 - picture[..., 0] / 255


def band_cover(x, low, high):
    """Return the coverage of a black band [shape=(HEIGHT, WIDTH)]."""
    picture = white()
    paint_band(picture, pixel_view(x), low, high, BLACK)
    return 1 - picture[..., 0] / 255


def sampled(inside, fine=16):
    """Return the share of each pixel's fine × fine samples inside a shape and the rectangle."""
    x, y = np.meshgrid(
        (np.arange(WIDTH * fine) + 0.5) / fine, (np.arange(HEIGHT * fine) + 0.5) / fine
    )
    seen = inside(x, y) & (x > LEFT) & (x < RIGHT) & (y > TOP) & (y < BOTTOM)
    return seen.reshape(HEIGHT, fine, WIDTH, fine).mean(axis=(1, 3))


def stroked(xs, ys, width):
    """Return a function that says which points lie within a stroke with projecting caps."""
    nodes = np.stack([xs, ys], axis=1).astype(float)
    for end, other in ((0, 1), (-1, -2)):
        along = nodes[end] - nodes[other]
        nodes[end] += along / np.hypot(*along) * width / 2

    def inside(x, y):
        found = np.zeros(x.shape, bool)
        for k, (a, b) in enumerate(pairwise(nodes)):
            length = np.hypot(*(b - a))
            ux, uy = (b - a) / length
            along, across = (x - a[0]) * ux + (y - a[1]) * uy, (x - a[0]) * uy - (y - a[1]) * ux
            found |= (along >= 0) & (along <= length) & (np.abs(across) <= width / 2)
            if k:
                found |= np.hypot(x - a[0], y - a[1]) <= width / 2
        return found

    return inside


def functions(rng, n, grid, roughness=0.0):
    """Return random functions on -3 to 3 [shape=(grid,) and (n, grid)]."""
    x = np.linspace(-3, 3, grid)
    waves = [
        rng.normal(0, 1 / (k + 1), (n, 1)) * np.sin((k + 1) * x + rng.uniform(0, 6, (n, 1)))
        for k in range(5)
    ]
    return x, x + sum(waves) + roughness * rng.normal(size=(n, grid))


def finite_runs(values):
    """Return slices of at least two finite values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], np.isfinite(values), [False]])))
    return [slice(a, b) for a, b in edges.reshape(-1, 2) if b - a > 1]


@pytest.mark.parametrize(
    ("grid", "roughness", "simplify", "most"),
    [
        (300, 0, False, 12),
        (300, 0, True, 40),
        (300, 0.3, False, 12),
        (12, 0.5, False, 12),
        (3000, 0.1, False, 20),
    ],
)
def test_matplotlib_draws_the_same(grid, roughness, simplify, most):
    """Members, bands with a gap and a thick mean, drawn by Agg.

    Agg rounds colours down at every layer, and `path.simplify` moves lines of 128
    points or more by up to a ninth of a pixel.  (Not fill_between: matplotlib draws
    its polygon as a marker, half a pixel to the right and down.)
    """
    rng = np.random.default_rng(grid)
    x, y = functions(rng, 10, grid, roughness)
    mean, sd = y.mean(axis=0), y.std(axis=0)
    y[3, grid // 2] = mean[grid // 3] = np.nan
    colours = rng.uniform(0, 1, (10, 3))
    with rc_context({"path.simplify": simplify}):
        figure = Figure(figsize=(6.4, 3.61), dpi=100)
        canvas, axes = FigureCanvasAgg(figure), figure.add_axes((0.11, 0.13, 0.847, 0.804))
        axes.set(xlim=(-3, 2.9), ylim=(-4, 4), xticks=[], yticks=[], facecolor="#b0d0f0")
        axes.spines[:].set_visible(False)

        def drawn():
            canvas.draw()
            return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., :3])

        background = drawn()
        for times, alpha in ((2, 0.2), (1, 0.3)):
            for run in finite_runs(mean):
                edge = np.concatenate([(mean - times * sd)[run], (mean + times * sd)[run][::-1]])
                corners = np.stack([np.concatenate([x[run], x[run][::-1]]), edge], axis=1)
                axes.add_patch(Polygon(corners, color="tab:blue", alpha=alpha, linewidth=0))
        for line, colour in zip(y, colours, strict=True):
            axes.plot(x, line, color=colour, alpha=0.4, linewidth=0.72)
        axes.plot(x, mean, color="black", linewidth=2)
        theirs = drawn()
    ours, viewport = background.copy(), Viewport.of_axes(axes, x)
    for times, alpha in ((2, 0.2), (1, 0.3)):
        blue = (0x1F / 255, 0x77 / 255, 0xB4 / 255)
        paint_band(ours, viewport, mean - times * sd, mean + times * sd, blue, alpha=alpha)
    paint_lines(ours, viewport, y, colours, width=1, alpha=0.4)
    paint_lines(ours, viewport, mean[None], BLACK, width=2 / 0.72)
    difference = np.abs(ours.astype(int) - theirs)
    touched = (ours != background).any(axis=2) | (theirs != background).any(axis=2)
    assert touched.mean() > 0.1
    assert difference.mean() <= 0.5
    assert difference[touched].mean() <= 2
    assert difference.max() <= most


@given(
    arrays.arrays(float, st.integers(2, 14), elements=st.floats(-5, 45, width=16)),
    st.sampled_from([0.7, 1.0, 2.5, 6.0]),
    st.floats(-4, 12),
)
def test_a_line_covers_what_is_near_it(y, width, begin):
    """All within half its width, also at corners, ends, and when cut off by the rectangle."""
    x = np.linspace(begin, 55, len(y))
    brute = sampled(stroked(x, y, width))
    difference = np.abs(line_cover(x, y, width) - brute)
    assert difference.mean() < 0.004
    assert difference.max() < 0.2  # a round join is a few chords, as in Agg


@given(arrays.arrays(float, (2, 9), elements=st.floats(-10, 50, width=16)))
def test_a_band_covers_what_lies_between_its_edges(edges):
    """Wherever they cross."""
    x = np.linspace(3, 57, 9)

    def inside(px, py):
        low, high = (np.interp(px, x, edge) for edge in edges)
        return (py > np.minimum(low, high)) & (py < np.maximum(low, high))

    difference = np.abs(band_cover(x, *edges) - sampled(inside))
    assert difference.mean() < 0.004
    assert difference.max() < 0.07


@given(arrays.arrays(float, 8, elements=st.floats(0.1, 0.9)), st.sampled_from([0.6, 1.0, 3.0]))
def test_the_ink_of_a_line_is_its_width_times_its_length(steps, width):
    """Of the part that crosses the rectangle, which it leaves only left and right."""
    x = np.linspace(-20, 80, 9)
    y = 20 + np.concatenate([[0], np.cumsum((steps - 0.5) * 5)])
    inside = np.linspace(LEFT, RIGHT, 100_001)
    length = np.hypot(np.diff(inside), np.diff(np.interp(inside, x, y))).sum()
    assert line_cover(x, y, width).sum() == pytest.approx(width * length, rel=0.01)


@given(arrays.arrays(float, (3, 9), elements=st.floats(-10, 50, width=16)))
def test_two_halves_of_a_band_cover_what_the_whole_covers(edges):
    """Within rounding."""
    low, middle, high = np.sort(edges, axis=0)
    x = np.linspace(3, 57, 9)
    halves = band_cover(x, low, middle) + band_cover(x, middle, high)
    np.testing.assert_allclose(halves, band_cover(x, low, high), atol=1.6 / 255)
    np.testing.assert_array_equal(band_cover(x, high, low), band_cover(x, low, high))


gaps = st.lists(st.sampled_from([np.nan, np.inf, -np.inf]), min_size=2, max_size=2)


@given(arrays.arrays(float, (2, 24), elements=st.floats(0, 40)), gaps, st.integers(0, 21))
def test_a_value_that_is_not_finite_is_a_gap(y, values, at):
    """As if the finite parts had been painted one by one."""
    y[0, at : at + 2] = values
    x = np.linspace(-30, 90, 24)
    whole, parts = white(), white()
    paint_band(whole, pixel_view(x), *y, BLACK, alpha=0.4)
    paint_lines(whole, pixel_view(x), y[:1], BLACK, width=2, alpha=0.6)
    for run in finite_runs(y[0]):
        paint_band(parts, pixel_view(x[run]), *y[:, run], BLACK, alpha=0.4)
    for run in finite_runs(y[0]):
        paint_lines(parts, pixel_view(x[run]), y[:1, run], BLACK, width=2, alpha=0.6)
    np.testing.assert_array_equal(whole, parts)


def test_lines_are_painted_one_over_another():
    """In their order, each with its colour, as if one by one."""
    rng = np.random.default_rng(0)
    x, y = np.linspace(0, 60, 20), rng.uniform(0, 40, (9, 20))
    colours = rng.uniform(0, 1, (9, 3))
    at_once, in_turn, backwards = white(), white(), white()
    paint_lines(at_once, pixel_view(x), y, colours, width=3, alpha=0.8)
    for line, colour in zip(y, colours, strict=True):
        paint_lines(in_turn, pixel_view(x), [line], colour, width=3, alpha=0.8)
    paint_lines(backwards, pixel_view(x), y[::-1], colours[::-1], width=3, alpha=0.8)
    np.testing.assert_array_equal(at_once, in_turn)
    assert (at_once != backwards).any()


@given(st.integers(0, 9), st.integers(0, 6), st.sampled_from([0.0, 0.25, 0.5, 0.625]))
def test_moved_by_whole_pixels_the_picture_is_the_same(right, down, fraction):
    """Also if the rectangle does not begin at a whole pixel."""
    x, y = functions(np.random.default_rng(2), 4, 30, 0.2)

    def painted(across, along):
        picture, box = white(), np.array([7, 5, 50, 33]) + fraction
        box += [across, along, across, along]
        viewport = Viewport(*box, x_limits=(-2.5, 3), y_limits=(-4, 4), grid=x)
        paint_band(picture, viewport, y[0], y[1], (0.1, 0.5, 0.9), alpha=0.3)
        paint_lines(picture, viewport, y, (0.9, 0.2, 0.3), width=1.3, alpha=0.7)
        paint_density(picture, viewport, y, GREYS)
        return picture

    moved = np.roll(painted(0, 0), (down, right), axis=(0, 1))
    np.testing.assert_array_equal(painted(right, down), moved)


anything = st.one_of(
    st.floats(),
    st.floats(-10, 50),
    st.sampled_from([1e30, -1e30, 1.7e308, -1.7e308, 5e-324, np.nan, np.inf, -np.inf]),
)


@given(
    st.integers(2, 40).flatmap(lambda n: arrays.arrays(float, (3, n), elements=anything)),
    st.floats(0.1, 30),
    st.sampled_from([(-50.0, 110.0), (7.0, 51.0), (20.0, 20.001), (-1e9, 1e12), (90.0, 99.0)]),
)
def test_any_values_stay_in_the_rectangle_and_leave_nothing_behind(y, width, ends):
    """Nothing is painted outside, and what is painted next is as in a fresh viewport."""
    x = np.linspace(*ends, y.shape[1])
    outside = np.ones((HEIGHT, WIDTH), bool)
    outside[TOP:BOTTOM, LEFT:RIGHT] = False
    used, picture = pixel_view(x), white()
    paint_lines(picture, used, y, BLACK, width=width, alpha=0.5)
    paint_band(picture, used, y[0], y[1], BLACK, alpha=0.5)
    paint_density(picture, used, y, GREYS)
    assert (picture[outside] == 255).all()
    known = np.linspace(0, 45, 3 * len(x)).reshape(3, -1)
    pictures = []
    for viewport in (used, pixel_view(x)):
        pictures.append(white())
        paint_density(pictures[-1], viewport, known, GREYS)
        paint_lines(pictures[-1], viewport, known, BLACK, width=2, alpha=0.5)
        paint_band(pictures[-1], viewport, known[0], known[1], BLACK, alpha=0.5)
    np.testing.assert_array_equal(*pictures)


@pytest.mark.parametrize("far", [1e3, 1e6, 1e30, 1e300])
@pytest.mark.parametrize("sign", [-1, 1])
def test_a_line_to_very_far_is_a_vertical_line(far, sign):
    """From the near value on, at its place, as wide as any other; a band ends there."""
    x, y = np.array([20.0, 60.0, 100.0]), np.array([15.0, sign * far, sign * far])
    expected = np.zeros((HEIGHT, WIDTH))
    rows = slice(15, BOTTOM) if sign > 0 else slice(TOP, 15)
    expected[rows, 19:21] = 1
    expected[14 if sign > 0 else 15, 19:21] = 1  # the cap
    slack = 60 * 40 / far  # the line is not quite vertical
    np.testing.assert_allclose(line_cover(x, y, 2), expected, atol=slack + 0.01)
    picture = white()
    paint_density(picture, pixel_view(x), [y], np.zeros((256, 3), np.uint8))
    ink = (1 - picture[..., 0] / 255).sum()
    assert ink == pytest.approx((BOTTOM - 15 if sign > 0 else 15 - TOP), abs=1 + slack)
    band = band_cover(x, y, np.full(3, 15.0))
    expected[:] = 0
    expected[rows, 20:RIGHT] = 1
    np.testing.assert_allclose(band, expected, atol=20 * slack + 0.01)


@pytest.mark.parametrize("width", [1, 4])
def test_the_number_of_nodes_does_not_matter(width):
    """A function on ten thousand nodes, hundreds of them a pixel, or on a few."""

    def waves(x):
        return 20 + 9 * np.sin(x / 6), 20 + 9 * np.cos(x / 5)

    few, many = np.linspace(0, 60, 400), np.sort(np.random.default_rng(0).uniform(-5, 65, 10_000))
    dense = line_cover(many, waves(many)[0], width)
    np.testing.assert_allclose(dense, line_cover(few, waves(few)[0], width), atol=1.1 / 255)
    dense = band_cover(many, *waves(many))
    np.testing.assert_allclose(dense, band_cover(few, *waves(few)), atol=1.1 / 255)


def test_a_rough_function_on_many_nodes_covers_what_is_near_it():
    """Where segments are much shorter than the line is wide; at its edge a little more, as in Agg.

    There what two segments cover of a pixel is added up, though it may be the same part.
    """
    x = np.linspace(0, 60, 1500)
    y = 20 + 3 * np.random.default_rng(5).normal(size=1500)
    brute = sampled(stroked(x, y, 1), 8)
    difference = line_cover(x, y, 1) - brute
    assert (np.abs(difference) < 0.1)[(brute == 0) | (brute == 1)].all()
    assert difference.min() > -0.1
    assert difference.mean() < 0.02


@given(st.floats(0, 1), st.floats(0, 1))
def test_colours_are_mixed_to_the_nearest_byte(shade, alpha):
    """Whatever was there before."""
    picture = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(16, 16, 3)
    before = picture.astype(float)
    viewport = Viewport(0, 0, 16, 16, x_limits=(0, 1), y_limits=(0, 1), grid=[0, 1])
    paint_band(picture, viewport, [-1, -1], [2, 2], (shade,) * 3, alpha=alpha)
    exact = before + (np.rint(shade * 255) - before) * alpha
    assert np.abs(picture - exact).max() <= 0.501


def test_many_layers_do_not_darken():
    """A picture's own colour, painted over it a hundred times, leaves it as it is."""
    x, y = functions(np.random.default_rng(3), 100, 30, 0.3)
    picture = np.full((HEIGHT, WIDTH, 3), 51, np.uint8)
    viewport = Viewport(LEFT, TOP, RIGHT, BOTTOM, x_limits=(-3, 3), y_limits=(-4, 4), grid=x)
    paint_lines(picture, viewport, y, (0.2, 0.2, 0.2), width=1.5, alpha=0.3)
    assert (picture == 51).all()


def brushed(x, y, fine=200):
    """Return the lines' ink in each pixel, by a brush one pixel high [shape=(HEIGHT, WIDTH)]."""
    px = (np.arange(WIDTH * fine) + 0.5) / fine
    rows = np.arange(HEIGHT)[:, None]
    ink = np.zeros((HEIGHT, WIDTH))
    for line in y:
        centre = np.interp(px, x, line, left=np.nan, right=np.nan)
        slope = (np.diff(line) / np.diff(x))[np.clip(np.searchsorted(x, px) - 1, 0, len(x) - 2)]
        covered = np.clip(1 - np.abs(centre - 0.5 - rows), 0, 1) * np.hypot(1, slope)
        ink += np.nan_to_num(covered).reshape(HEIGHT, WIDTH, fine).mean(axis=2)
    ink[:TOP] = ink[BOTTOM:] = ink[:, :LEFT] = ink[:, RIGHT:] = 0
    return ink


@pytest.mark.parametrize("peak", [None, 15.0])
def test_a_density_shows_how_many_lines_pass(peak):
    """On a logarithmic scale, and in part where there is less than one."""
    x = np.linspace(0, 60, 12)
    y = np.random.default_rng(4).normal(20, 7, (80, 12))
    picture = white()
    paint_density(picture, pixel_view(x), y, GREYS, peak=peak)
    ink = brushed(x, y)
    share = np.clip(np.log1p(ink) / np.log1p(peak or 80), 0, 1)
    expected = 255 + (255 * share - 255) * np.minimum(ink, 1)
    assert ink.max() > 15
    assert np.abs(picture - expected[..., None]).max() < 3


def test_a_densitys_colours_do_not_depend_on_what_is_elsewhere():
    """So that a film does not flicker; nor on the order of the lines."""
    x = np.linspace(0, 60, 12)
    y = np.random.default_rng(4).uniform(5, 34, (30, 12))
    y[:10] = y[:10] / 4 + 5  # in the upper half
    y[10:] = y[10:] / 4 + 22
    some, more, back = white(), white(), white()
    paint_density(some, pixel_view(x), y[:10], GREYS, peak=30)
    paint_density(more, pixel_view(x), y, GREYS)
    paint_density(back, pixel_view(x), y[::-1], GREYS)
    np.testing.assert_array_equal(some[:18], more[:18])
    assert np.abs(more.astype(int) - back).max() <= 1


def test_the_axes_of_a_figure_within_a_figure_are_found():
    """At its place in the whole picture."""
    figure = Figure(figsize=(4, 3), dpi=100)
    canvas = FigureCanvasAgg(figure)
    axes = figure.subfigures(2, 2)[1, 0].add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set(xlim=(0, 1), ylim=(0, 1))
    canvas.draw()
    picture = white(300, 400)
    paint_band(picture, Viewport.of_axes(axes, [0, 1]), [0, 0], [1, 1], BLACK)
    expected = white(300, 400)
    expected[150:, :200] = 0
    np.testing.assert_array_equal(picture, expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"grid": [0, 1, 1]}, "must ascend"),
        ({"grid": [0]}, "two finite numbers"),
        ({"grid": [0, np.nan]}, "two finite numbers"),
        ({"x_limits": (1, 1)}, "span nothing"),
        ({"y_limits": (2, 2)}, "span nothing"),
        ({"right": 7.2}, "No rectangle"),
        ({"left": -3}, "No rectangle"),
    ],
)
def test_a_viewport_that_shows_nothing_is_refused(change, message):
    """With what is wrong with it."""
    given_values = {"left": 7, "top": 5, "right": 51, "bottom": 34, "x_limits": (0, 1)}
    given_values |= {"y_limits": (0, 1), "grid": [0, 1]} | change
    with pytest.raises(ValueError, match=message):
        Viewport(**given_values)


@pytest.mark.parametrize(
    ("paint", "message"),
    [
        (lambda p, v: paint_lines(p[:, :, :2], v, [[1, 2]], BLACK, width=1), "bytes: uint8"),
        (lambda p, v: paint_lines(p.astype(float), v, [[1, 2]], BLACK, width=1), "bytes: float64"),
        (lambda p, v: paint_lines(p[:, ::-1], v, [[1, 2]], BLACK, width=1), "C-contiguous"),
        (lambda p, v: paint_lines(p[:30], v, [[1, 2]], BLACK, width=1), "rectangle ends"),
        (lambda p, v: paint_lines(p, v, [1, 2], BLACK, width=1), r"\(2,\) does not"),
        (lambda p, v: paint_lines(p, v, [[1, 2, 3]], BLACK, width=1), r"\(1, 3\) does not"),
        (lambda p, v: paint_lines(p, v, [[1, 2]], BLACK, width=0), "some width"),
        (lambda p, v: paint_lines(p, v, [[1, 2]], (255, 0, 0), width=1), "from 0 to 1"),
        (lambda p, v: paint_band(p, v, [1, 2], [1, 2], BLACK, alpha=1.5), "Opacity"),
        (lambda p, v: paint_density(p, v, [[1, 2]], GREYS[:9]), "256 colours"),
        (lambda p, v: paint_density(p, v, [[1, 2]], GREYS, peak=0), "peak above 0"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_painted(paint, message):
    """With what is wrong with it."""
    picture = white()
    with pytest.raises(ValueError, match=message):
        paint(picture, pixel_view([0, 60]))
    assert (picture == 255).all()


def test_logarithmic_axes_are_refused():
    """Their lines between nodes are not straight."""
    figure = Figure()
    axes = figure.add_subplot()
    axes.set_yscale("log")
    with pytest.raises(ValueError, match="Not linear"):
        Viewport.of_axes(axes, [0, 1])
