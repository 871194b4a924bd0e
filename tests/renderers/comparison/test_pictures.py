"""What pictures show, and what they say of it."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from epochord.renderers.audio.scoring.axis import Axis
from epochord.renderers.comparison import panels
from epochord.renderers.comparison.figures import farthest
from epochord.renderers.comparison.matrix import Matrix
from epochord.renderers.comparison.panels import ASTRAY, NEITHER, draw_series, is_signed
from epochord.renderers.comparison.series import SeriesDifference, compare_series
from epochord.runlog import Series

STEPS = np.arange(6)
AXIS = Axis(1.0, STEPS)


def _differing(one: list[float], other: list[float], tag: str = "loss") -> SeriesDifference:
    first, second = (Series(tag, STEPS[: len(x)], np.array(x, float)) for x in (one, other))
    return compare_series(first, second, 1.1)


@pytest.fixture
def draw():
    """Draw series; gives the colour at the middle of each step, title, legend and row labels."""

    def draw(*series: SeriesDifference):
        axes = Figure().add_subplot()
        draw_series(axes, series, AXIS, 6.0, "values")
        (image,) = axes.get_images()
        picture = image.get_array()
        places = [round((step + 0.5) / 6 * panels.COLUMNS) for step in STEPS]
        labels = axes.get_legend_handles_labels()[1]
        return picture[:, places], labels, [each.get_text() for each in axes.get_yticklabels()]

    return draw


def _colour(code: str) -> list[float]:
    return [int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)] + [1]


def test_what_is_not_finite_has_colours_of_its_own(draw) -> None:
    """Black where values are apart, grey where both are the same; what both lack is hatched."""
    nan, inf = np.nan, np.inf
    ((row,), labels, _) = draw(_differing([1, nan, nan, nan, inf], [1, nan, inf, 1, -inf]))
    np.testing.assert_allclose(row[1], _colour(NEITHER))
    for step in (2, 3, 4):
        np.testing.assert_allclose(row[step], _colour(ASTRAY))
    assert row[0, :3].min() > 0.95
    assert row[5, 3] == 0
    assert [label.split(":")[0] for label in labels] == ["black", "grey", "not in both logs"]


def test_only_what_is_to_be_seen_is_explained(draw) -> None:
    """No legend for plain values."""
    assert draw(_differing([1] * 6, [1, 2, 3, 1, 1, 1]))[1] == []


def test_series_with_negative_values_are_not_called_ratios(draw) -> None:
    """Beside others they are marked, and it is said what their colours mean."""
    positive, signed = _differing([1] * 6, [2] * 6), _differing([-1] * 6, [3] * 6, "margin")
    assert [is_signed(each) for each in (positive, signed)] == [False, True]
    _, labels, rows = draw(positive, signed)
    assert rows == ["loss", "± margin"]
    assert labels[-1].startswith("± has negative values")
    assert draw(signed)[1:] == ([], ["margin"])


def test_the_series_that_are_farthest_apart_are_drawn() -> None:
    """In their own order; what is never finite in either, and apart, counts as far."""
    factors = [1, 50, 1, 3, np.inf]
    series = [_differing([1] * 6, [f] * 6, f"s{n}") for n, f in enumerate(factors)]
    series.append(_differing([np.nan] * 6, [np.inf] * 6, "s5"))
    assert [each.tag for each in farthest(series, 4)] == ["s1", "s3", "s4", "s5"]
    assert farthest(series, 14) == series


def test_distances_are_in_powers_of_ten() -> None:
    """Which is what decades are, for those who do not know the word."""
    none = np.zeros((2, 2))
    assert [unit for _, unit, _ in Matrix(("a", "b"), none, none).parts] == ["dB", "powers of ten"]
