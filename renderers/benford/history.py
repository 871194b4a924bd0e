"""First digits over training: how the shares change, and how far they are from Benford's law."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from epochord.renderers.benford.distributions import benford
from epochord.renderers.results.output import writing
from epochord.runlog import Run
from epochord.runlog.digits.tables import LAYER_DIGITS, open_layer_digits

__all__ = ["DigitHistory", "histories", "history_figure", "write_distances"]

Shares = npt.NDArray[np.float64]

COLUMNS = 4
PANEL = (3.4, 2.6)  # inches
DPI = 100
GREATEST = 0.5  # share with the last colour; the law's greatest is 0.301
INK = "#333333"


@dataclass(frozen=True)
class DigitHistory:
    """The first digits of one thing, step by step.

    Parameters
    ----------
    name : str
        A layer.
    kind : str
        Of which tensor: gradient or weight.
    steps : np.ndarray [shape=(n,), int64]
        Ascending.
    counts : np.ndarray [shape=(n, 9)]
        Of the digits 1 to 9.
    sigma : np.ndarray [shape=(n,)]
        Standard deviation of the numbers.
    """

    name: str
    kind: str
    steps: npt.NDArray[np.int64]
    counts: npt.NDArray[Any]
    sigma: Shares

    @property
    def shares(self) -> Shares:
        """Shares of the digits [shape=(n, 9)]; NaN at steps without any."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self.counts / self.counts.sum(axis=1, keepdims=True), np.float64)

    @property
    def distance(self) -> Shares:
        """Total variation from Benford's law [shape=(n,)], from 0 to 1."""
        return np.asarray(np.abs(self.shares - benford()).sum(axis=1) / 2)


def histories(run: Run) -> dict[str, list[DigitHistory]]:
    """Return the digits of layers that a run's recorder counted, by kind; nothing without them.

    Raises
    ------
    LogError
        If there are some that cannot be understood.
    """
    if not any(name.startswith(LAYER_DIGITS) for name in run.tables):
        return {}
    return {
        kind: [
            DigitHistory(name, kind, found.steps, found.values[:, :9], found.values[:, -1])
            for name, found in layers.items()
        ]
        for kind, layers in open_layer_digits(run).items()
        if layers
    }


def history_figure(histories: Sequence[DigitHistory], heading: str) -> Figure:
    """Draw a heat map of shares for each, and the distances of all to Benford's law.

    Parameters
    ----------
    histories : sequence of DigitHistory
        One or more, of one kind.
    heading : str
        Above all of them.
    """
    panels = len(histories) + 1
    columns = min(COLUMNS, panels)
    rows = -(-panels // columns)
    figure = Figure(
        figsize=(PANEL[0] * columns, PANEL[1] * rows + 0.6), dpi=DPI, layout="constrained"
    )
    FigureCanvasAgg(figure)
    figure.suptitle(heading, x=0.01, ha="left", fontsize=13, color=INK)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for unused in grid[panels:]:
        unused.remove()
    for axes, history in zip(grid, histories, strict=False):
        image = _draw_shares(axes, history)
    figure.colorbar(image, ax=list(grid[: len(histories)]), label="share", shrink=0.8)
    _draw_distances(grid[len(histories)], histories)
    return figure


def write_distances(histories: Sequence[DigitHistory], path: Path) -> None:
    """Write the distances as a table that Epochord reads as a log, so that they can be heard.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    steps = np.unique(np.concatenate([history.steps for history in histories]))
    columns: dict[str, pa.Array] = {"step": pa.array(steps)}
    for history in histories:
        values = np.full(len(steps), np.nan)
        place = np.searchsorted(steps, history.steps)
        values[place] = history.distance
        missing = ~np.isin(steps, history.steps)
        columns[f"benford_distance/{history.kind}/{history.name}"] = pa.array(values, mask=missing)
    with writing(path) as temporary:
        pq.write_table(pa.table(columns), temporary, compression="zstd")


def _draw_shares(axes: Axes, history: DigitHistory) -> Any:
    steps = history.steps.astype(np.float64)
    image = axes.pcolormesh(
        steps, np.arange(1, 10), np.ma.masked_invalid(history.shares.T), shading="nearest",
        cmap="cividis", vmin=0, vmax=GREATEST, rasterized=True,
    )  # fmt: skip
    axes.set(yticks=[1, 3, 5, 7, 9], xlabel="step", ylabel="first digit")
    axes.set_title(history.name.replace("$", r"\$"), loc="left", fontsize=10, color=INK)
    return image


def _draw_distances(axes: Axes, histories: Sequence[DigitHistory]) -> None:
    for history in histories:
        axes.plot(history.steps, history.distance, label=history.name.replace("$", r"\$"))
    axes.set(xlabel="step", ylim=(0, None))
    axes.set_title("distance to Benford's law", loc="left", fontsize=10, color=INK)
    axes.legend(frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
