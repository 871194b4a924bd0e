"""Runs of layers whose gradients wander, and timelines of them."""

from collections.abc import Callable

import numpy as np
import pytest

from epochord.renderers.timeline.timeline import Timeline


def walk(rng, frames, deviation, memory):
    """Return an autoregressive process of order one."""
    noise = rng.standard_normal(frames) * deviation * np.sqrt(1 - memory**2)
    values = np.zeros(frames)
    for place in range(1, frames):
        values[place] = memory * values[place - 1] + noise[place]
    return values


@pytest.fixture
def healthy() -> Callable[..., np.ndarray]:
    """Make norms of layers [shape=(voices, steps)] that have a course in common and their own."""

    def make(seed: int, voices: int = 4, steps: int = 300) -> np.ndarray:
        rng = np.random.default_rng([seed, voices])
        deviation, memory = rng.uniform(0.1, 0.25), rng.uniform(0.5, 0.95)
        trend = np.linspace(0, rng.normal(-0.3, 0.5), steps)
        course = walk(rng, steps, deviation, memory) + trend
        own = np.stack([walk(rng, steps, deviation, memory) for _ in range(voices)])
        return np.exp(rng.normal(-1, 0.7, (voices, 1)) + course + own)

    return make


@pytest.fixture
def line() -> Callable[..., Timeline]:
    """Make a timeline; its voices are gradients unless something else is said."""

    def make(values, quantity: str = "gradient", every: int = 1) -> Timeline:
        rows = np.atleast_2d(np.asarray(values, np.float64))
        names = tuple(f"layer{row}" for row in range(len(rows)))
        steps = np.arange(rows.shape[1]) * every
        known = np.ones(rows.shape, bool)
        return Timeline(steps, names, rows, known, quantities=(quantity,) * len(rows))

    return make
