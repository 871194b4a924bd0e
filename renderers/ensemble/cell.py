"""What one ensemble's part of the picture can do."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from matplotlib.text import Text

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
    def caption(self) -> Text | None:
        """What says which member is seen, where these change within an epoch."""

    def __init__(
        self,
        figure: Figure,
        spec: SubplotSpec,
        overview: Overview,
        settings: EnsembleSettings,
        limits: tuple[float, float],
        heading: str,
    ) -> None:
        """Draw what does not move."""

    def keys(self, epochs: slice) -> Sequence[Any]:
        """Return what the legend explains: that which is seen in these epochs."""

    def fit(self) -> None:
        """Make the heading fit, once the figure is laid out."""

    def draw(self, place: int) -> None:
        """Draw one epoch with matplotlib."""

    def paint(self, picture: npt.NDArray[np.uint8], place: int, frame: int) -> None:
        """Paint one epoch over a picture of what does not move.

        Parameters
        ----------
        picture : np.ndarray [shape=(height, width, 3), uint8]
            The whole picture.
        place : int
            Which of the recorded epochs.
        frame : int
            Of the video, for what moves within an epoch.
        """

    def caption_at(self, frame: int) -> str:
        """Return what the caption says in a frame."""
