"""Ensembles that lie in memory."""

import numpy as np

from epochord.renderers.ensemble import Overview, overview
from epochord.runlog import Run, RunMetadata
from epochord.runlog.ensemble import EnsembleSetup
from epochord.runlog.ensemble.tables import Epoch
from epochord.runlog.reading.ensemble import Ensemble


class _Epochs:
    """What the log would give."""

    def __init__(self, epochs, values, data) -> None:
        self.epochs, self._values, self._data = np.asarray(epochs), values, data
        self.identities = [np.arange(len(values[0]))] * len(self.epochs)

    def at(self, place: int) -> Epoch:
        grid = np.asarray(self._values[place], "f4")
        data = np.zeros((len(grid), self._data), "f4")
        return Epoch(self.identities[place], {"grid": grid, "data": data})


def in_memory(values, *, epochs=None, grid=None, data=(), targets=(), **about) -> Ensemble:
    """Return an ensemble from its values [shape=(epochs, members, grid)]."""
    values = np.asarray(values, float)
    setup = EnsembleSetup(
        grid=np.linspace(0, 1, values.shape[2])[:, None] if grid is None else grid,
        data=np.reshape(data, (len(targets), -1)) if len(targets) else np.empty((0, 1)),
        targets=np.asarray(targets, float),
    )
    epochs = np.arange(len(values)) if epochs is None else epochs
    source = _Epochs(epochs, values, len(targets))
    return Ensemble(Run("toy", RunMetadata("toy", **about)), setup, source)


def seen_in_memory(values, **about) -> Overview:
    """Return the overview of an ensemble in memory."""
    return overview(in_memory(values, **about))
