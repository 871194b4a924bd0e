"""What a notebook shows of runs and series: small, escaped, and with every extreme."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochord.runlog import Run, RunMetadata, Series
from epochord.runlog.run.html import COLUMNS, HEIGHT, sparkline


def run_of(*series: Series, name: str = "mine") -> Run:
    return Run(name, RunMetadata(name), {s.tag: s for s in series})


class Text(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags, self.cells = [], []
        self.feed(html)

    def handle_starttag(self, tag, _attributes):
        self.tags.append(tag)

    def handle_data(self, data):
        self.cells.append(data)


def heights(svg: str) -> list[list[float]]:
    """Return the heights of the line's pieces, as shares of the picture from below."""
    line = re.search(r'<path d="([^"]*)"/><g', svg)[1]
    pieces = [piece for piece in line.split("M") if piece]
    return [
        [1 - float(point.split()[1]) / HEIGHT for point in piece.split("L")] for piece in pieces
    ]


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=2000), st.integers(0, 1999), st.booleans()
)
def test_a_sparkline_keeps_the_extremes(values, place, up):
    """However many values there are, a single spike reaches the edge."""
    numbers = np.array(values)
    spike = place % len(numbers)
    numbers[spike] = 1e9 if up else -1e9
    drawn = np.concatenate([np.array(piece) for piece in heights(sparkline(numbers))])
    if len(numbers) > 1:
        edge = drawn.max() if up else 1 - drawn.min()
        assert edge == pytest.approx(1 - 2 / HEIGHT, abs=0.01)


def test_the_line_has_a_gap_where_a_value_is_not_finite():
    """NaN and the infinities alike; a tick says that there is something."""
    values = [1.0, 2.0, np.nan, 3.0, 4.0, np.inf, 5.0]
    svg = sparkline(values)
    assert len(heights(svg)) == 3
    assert svg.count("v-4") == 2


def test_one_nan_in_a_long_run_leaves_a_gap():
    """It is not lost among the others of its column."""
    values = np.linspace(0, 1, 100 * COLUMNS)
    values[3456] = np.nan
    assert len(heights(sparkline(values))) > 1 == sparkline(values).count("v-4")


@pytest.mark.parametrize(
    "values", [[], [np.nan], [5.0], [1e308, -1e308], [True, False], np.arange(3)]
)
def test_any_values_can_be_drawn(values):
    """None, nothing finite, one, nearly beyond float64, truth values, integers."""
    assert "nan" not in sparkline(values)


def test_a_run_is_a_table_of_its_series():
    """With how many values there are, where, and their extremes."""
    run = run_of(Series("loss", [0, 5], np.float32([2.5, 0.5])))
    shown = Text(run._repr_html_())
    assert shown.cells[-6:] == ["loss", "2", "0…5", "0.5", "2.5", "0.5"]
    assert Text(run["loss"]._repr_html_()).cells[-6:] == shown.cells[-6:]


def test_of_many_series_thirty_are_shown_and_the_others_counted():
    """And it is said how to see them."""
    run = run_of(*(Series(f"t{i:03}", [0], [1.0]) for i in range(100)))
    html = run._repr_html_()
    assert html.count("<tr>") == 1 + 30
    assert "70 more tags" in html
    assert "list(run)" in html


def test_text_of_a_log_is_no_markup():
    """A tag or a name can hold anything."""
    evil = "<script>alert('&')</script>"
    shown = Text(run_of(Series(evil, [0], [1.0]), name=evil)._repr_html_())
    assert "script" not in shown.tags
    assert shown.cells.count(evil) == 2


@pytest.mark.parametrize("values", [["a", "b"], [1 + 2j, 3j], [None, 1]])
def test_a_series_of_anything_can_be_shown(values):
    """What is no real number has no line."""
    assert "svg" not in Series("x", [0, 1], np.array(values))._repr_html_()


def test_reprs_are_short():
    """Whatever the names."""
    name = "x" * 5000
    series = Series(name, [0], [1.0])
    assert len(repr(series)) < 200
    assert len(repr(run_of(series, name=name))) < 200
