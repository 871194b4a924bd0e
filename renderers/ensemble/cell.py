"""What one ensemble's part of the picture can do."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec

from renderers.ensemble.overview import Overview
from renderers.ensemble.settings import EnsembleSettings

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
    def keys(self) -> Sequence[Any]:
        """What the legend explains."""

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
