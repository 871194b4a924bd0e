"""Runs on any steps and at any wall times, and gradients that nothing happens to."""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import pytest

from epochord.renderers.timeline.timeline import Timeline
from epochord.runlog import Run, RunMetadata, Series


@pytest.fixture
def logged() -> Callable[..., Run]:
    """Make a run of series by tag, all on the same steps."""

    def make(
        values: Mapping[str, npt.ArrayLike],
        steps: npt.ArrayLike | None = None,
        wall: npt.ArrayLike | None = None,
        name: str = "mine",
    ) -> Run:
        series = {}
        for tag, row in values.items():
            numbers = np.asarray(row, np.float32)
            own = np.arange(len(numbers)) if steps is None else np.asarray(steps, np.int64)
            times = np.full(len(numbers), np.nan) if wall is None else np.asarray(wall, np.float64)
            series[tag] = Series(tag, own, numbers, times)
        return Run(name, RunMetadata(name), series)

    return make


@pytest.fixture
def calm() -> Callable[..., dict[str, npt.NDArray[np.float64]]]:
    """Make the gradient norms of layers, by tag, that stay near 1."""

    def make(
        layers: int = 4, steps: int = 300, seed: int = 0
    ) -> dict[str, npt.NDArray[np.float64]]:
        noise = np.random.default_rng(seed).normal(0, 0.05, (layers, steps))
        return {f"grad_norm/l{n:02d}.weight": np.exp(row) for n, row in enumerate(noise)}

    return make


@pytest.fixture
def quantified() -> Callable[..., Timeline]:
    """Make a timeline of values [shape=(voices, steps)] whose quantities are given."""

    def make(values: npt.ArrayLike, quantities: tuple[str, ...], unit: str = "") -> Timeline:
        rows = np.atleast_2d(np.asarray(values, np.float64))
        names = tuple(f"voice{row}" for row in range(len(rows)))
        known = np.ones(rows.shape, bool)
        return Timeline(np.arange(rows.shape[1]), names, rows, known, unit, quantities=quantities)

    return make
