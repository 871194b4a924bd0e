"""What a voice's ordinary level is around each frame."""

import numpy as np

from epochord.renderers.findings.stretches import Floats

__all__ = ["logarithms", "running_median"]

AROUND = 15  # frames


def logarithms(values: Floats) -> Floats:
    """Return natural logarithms; NaN of what is not positive or not finite."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(values.astype(np.float64))
    return np.where(np.isfinite(logs), logs, np.nan)


def running_median(values: Floats) -> Floats:
    """Return the median of the frames around each: before the first, that; behind the last, none.

    Parameters
    ----------
    values : np.ndarray [shape=(frames,)]
        NaN counts nothing, and stays.
    """
    # Runs often begin high; what is high at the end alone is a spike.
    padded = np.pad(np.pad(values, (AROUND // 2, 0), mode="edge"), (0, AROUND // 2),
                    constant_values=np.nan)  # fmt: skip
    windows = np.lib.stride_tricks.sliding_window_view(padded, AROUND)
    known = np.isfinite(values)
    level = np.full(len(values), np.nan)
    level[known] = np.nanmedian(windows[known], axis=1)
    return level
