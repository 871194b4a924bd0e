"""A run made of nothing but gradient norms, as long as wanted; needs no torch."""

import numpy as np

from epochord.runlog import Run, RunMetadata, Series
from epochord.runlog.run.run import GRAD_NORM

__all__ = ["LAYERS", "SECONDS_A_STEP", "run_of_norms"]

LAYERS = 4
SECONDS_A_STEP = LAYERS * 0.01 + 0.02  # of sound, as the original voicing makes it


def run_of_norms(steps: int) -> Run:
    """Return a run whose layers' norms wander between about 0.1 and 10, the same at each call."""
    random = np.random.default_rng(0)
    axis, times = np.arange(steps), np.arange(steps) * 0.01
    axis.flags.writeable = times.flags.writeable = False  # shared, as by the series of one table
    series = {}
    for layer in range(LAYERS):
        tag = f"{GRAD_NORM}layer{layer}.weight"
        wander = np.sin(axis * (layer + 1) / 500) + 0.1 * random.normal(size=steps)
        series[tag] = Series(tag, axis, (10**wander).astype(np.float32), times)
    return Run("norms", RunMetadata("norms"), series)
