"""What one ensemble's part of the picture can do."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from epochord.renderers.ensemble.layout import Box
from epochord.renderers.ensemble.overview import Overview
from epochord.renderers.ensemble.settings import EnsembleSettings

__all__ = ["Cell"]


class Cell(Protocol):
    """One ensemble's part of the picture."""

    @property
    def overview(self) -> Overview:
        """Of which ensemble."""

    @property
    def front(self) -> Sequence[Artist]:
        """What lies over all that moves; all of it is visible."""

    @property
    def notes(self) -> Sequence[Text]:
        """What is said in it and changes: which member is seen, how many are beyond an edge."""

    def __init__(
        self,
        figure: Figure,
        box: Box,
        overview: Overview,
        settings: EnsembleSettings,
        limits: tuple[float, float],
    ) -> None:
        """Draw what does not move."""

    @classmethod
    def keys(
        cls,
        overview: Overview,
        settings: EnsembleSettings,
        limits: tuple[float, float],
        epochs: slice,
    ) -> Sequence[Any]:
        """Return what the legend explains: that which is seen in these epochs."""

    @property
    def areas(self) -> Sequence[Axes]:
        """Where something moves."""

    def draw(self, place: int) -> None:
        """Draw one epoch with matplotlib."""

    def paint(self, picture: npt.NDArray[np.uint8], place: float, frame: int) -> None:
        """Paint one epoch over a picture of what does not move.

        Parameters
        ----------
        picture : np.ndarray [shape=(height, width, 3), uint8]
            The whole picture.
        place : float
            Which of the recorded epochs; 1.5 is halfway between the second and the third.
        frame : int
            Of the video, for what moves within an epoch.
        """

    def notes_at(self, place: float, frame: int) -> Sequence[str]:
        """Return what the notes say in a frame."""
