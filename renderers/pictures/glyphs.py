"""Text in which only digits change, from pieces that are drawn once.

Digits are of equal width in our typeface, so that all texts that differ in digits alone have one
layout.  It is drawn once with each digit in all places where there is one, and cut at their edges:
ten drawings are enough for every number, pixel by pixel as matplotlib draws it.
"""

import re
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.text import Text

from epochord.renderers.pictures.overlay import Overlay

__all__ = ["Glyphs"]

Edges = npt.NDArray[np.float64]


class Glyphs:
    """What one place of a figure says.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Laid out, with an Agg canvas.
    place : matplotlib.text.Text
        In it; of one line, not turned.
    """

    def __init__(self, figure: Figure, place: Text) -> None:
        self._figure, self._place = figure, place
        self._pieces: dict[tuple[str, str], list[Overlay]] = {}
        self._edges: dict[str, Edges] = {}

    def put_onto(self, picture: npt.NDArray[np.uint8], text: str) -> None:
        """Put a text over a picture [shape=(height, width, 3)], in place."""
        layout = re.sub(r"\d", "0", text)
        digits = re.findall(r"\d", text)
        rest, *_ = self._drawn(layout, digits[0] if digits else "0")
        rest.put_onto(picture)
        for number, digit in enumerate(digits, start=1):
            self._drawn(layout, digit)[number].put_onto(picture)

    def _drawn(self, layout: str, digit: str) -> list[Overlay]:
        """Return a layout's letters, and this digit in each place where there is one."""
        key = layout, digit
        if key not in self._pieces:
            if layout not in self._edges:
                self._edges[layout] = self._measured(layout)
            self._place.set_text(layout.replace("0", digit))
            whole = Overlay.of(self._figure, [self._place])
            columns = whole.pixels % int(self._figure.bbox.width)
            slots = np.digitize(columns, self._edges[layout])
            begins = [found.start() for found in re.finditer("0", layout)]
            self._pieces[key] = [
                whole.part(np.isin(slots, [1 + at for at in begins], invert=True)),
                *(whole.part(slots == 1 + at) for at in begins),
            ]
        return self._pieces[key]

    def _measured(self, layout: str) -> Edges:
        """Return where each letter begins, and the last one ends, in pixels."""
        canvas: Any = self._figure.canvas
        renderer, font = canvas.get_renderer(), self._place.get_fontproperties()
        widths = [
            renderer.get_text_width_height_descent(layout[:end], font, False)[0]
            for end in range(len(layout) + 1)
        ]
        self._place.set_text(layout)
        right = float(self._place.get_window_extent().x1)
        edges: Edges = right - widths[-1] + np.array(widths)
        return edges
