"""The typeface: what it has, that its digits are of equal width, and what comes in its place."""

import itertools

import numpy as np
from fontTools.ttLib import TTFont

from epochord.renderers.pictures import typeface
from epochord.renderers.pictures.typeface import FALLBACK, FILES, FOLDER, STRONG, TEXT, families

NEEDED = "ABCxyzÄéñß αβγσμΩ 0123456789 −–—±×≥≤≈→…%’“”₁₂²σ√∞"


def test_it_has_what_pictures_say():
    """Latin, Greek and the symbols of both weights; with their licence."""
    for name in FILES.values():
        letters = TTFont(FOLDER / name).getBestCmap()
        assert {letter for letter in NEEDED if ord(letter) not in letters} == set()
    assert "SIL OPEN FONT LICENSE" in (FOLDER / "OFL.txt").read_text()
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 200_000


def test_digits_are_of_equal_width():
    """A number that changes stays where it is."""
    for name in FILES.values():
        font = TTFont(FOLDER / name)
        letters, widths = font.getBestCmap(), font["hmtx"]
        own = [widths[letters[ord(digit)]][0] for digit in "0123456789"]
        assert max(own) <= 1.002 * min(own)  # a fiftieth of a pixel


def test_matplotlib_finds_it(recwarn):
    """And draws what it lacks from its own, without a warning."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    pictures = []
    for name in (TEXT, STRONG, None):
        figure = Figure(figsize=(4, 1))
        family = [FALLBACK] if name is None else list(families(name))
        figure.text(0.1, 0.5, "epoch 7 ☃", family=family)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        pictures.append(np.asarray(canvas.buffer_rgba()).copy())
    assert not recwarn.list
    assert all((a != b).any() for a, b in itertools.pairwise(pictures))


def test_without_its_file_there_is_matplotlibs(monkeypatch, tmp_path):
    """A picture comes about all the same."""
    monkeypatch.setattr(typeface, "FOLDER", tmp_path)
    assert families.__wrapped__(TEXT) == (FALLBACK,)
