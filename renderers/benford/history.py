"""First digits over training: their shares, and how far they are from Benford's law.

Beside each distance stands that of a Gaussian of the same standard deviation: it knows the scale
of the numbers and nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from epochord.renderers.benford.distributions import benford, gaussian
from epochord.renderers.results.output import writing
from epochord.runlog import Run
from epochord.runlog.digits.tables import LAYER_DIGITS, open_layer_digits

__all__ = ["DigitHistory", "histories", "largest", "write_distances"]

Shares = npt.NDArray[np.float64]


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

    @property
    def gaussian(self) -> Shares:
        """Shares of a Gaussian of the same sigma [shape=(n, 9)]; NaN where there is none."""
        none = np.full(9, np.nan)
        each = [gaussian(s) if 0 < s < np.inf else none for s in self.sigma.tolist()]
        return np.array(each).reshape(-1, 9)

    @property
    def gaussian_distance(self) -> Shares:
        """Total variation of that Gaussian from Benford's law [shape=(n,)]: the scale alone."""
        return np.asarray(np.abs(self.gaussian - benford()).sum(axis=1) / 2)

    @property
    def size(self) -> int:
        """How many numbers had a digit, at most."""
        return round(float(np.nansum(self.counts, axis=1).max(initial=0)))


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


def largest(histories: Sequence[DigitHistory], most: int) -> list[DigitHistory]:
    """Return those with the most numbers, in the order given."""
    sizes = [history.size for history in histories]
    kept = sorted(range(len(sizes)), key=lambda place: -sizes[place])[:most]
    return [histories[place] for place in sorted(kept)]


def write_distances(histories: Sequence[DigitHistory], path: Path) -> None:
    """Write the distances as a table that Epochord reads as a log, so that they can be heard.

    ``benford_distance/<kind>/<layer>`` is the layer's, ``gaussian_distance/<kind>/<layer>`` that
    of a Gaussian of the same sigma.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    steps = np.unique(np.concatenate([history.steps for history in histories]))
    columns: dict[str, pa.Array] = {"step": pa.array(steps)}
    for history in histories:
        tag = f"{history.kind}/{history.name}"
        columns[f"benford_distance/{tag}"] = _at(steps, history.steps, history.distance)
        columns[f"gaussian_distance/{tag}"] = _at(steps, history.steps, history.gaussian_distance)
    with writing(path) as temporary:
        pq.write_table(pa.table(columns), temporary, compression="zstd")


def _at(steps: npt.NDArray[np.int64], own: npt.NDArray[np.int64], values: Shares) -> pa.Array:
    """Return values at steps, null at those that are not their own."""
    placed = np.full(len(steps), np.nan)
    placed[np.searchsorted(steps, own)] = values
    return pa.array(placed, mask=~np.isin(steps, own))
