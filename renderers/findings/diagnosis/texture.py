"""Troubles that show from one step to the next: noise, and oscillations."""

from collections.abc import Iterator

import numpy as np

from epochord.renderers.findings.diagnosis.curves import Curve
from epochord.renderers.findings.diagnosis.signs import Signs
from epochord.renderers.findings.diagnosis.trouble import Diagnosis, Trouble
from epochord.renderers.findings.levels import logarithms

__all__ = ["noisy", "oscillation"]

UNLEARNT = 0.4  # of the loss at first; below it every loss is noisy, on a ratio scale
FEWEST = 50  # steps
NOISE = 0.3  # of the level, from one step to the next; batches of ten have 0.24 at most
AROUND = 1 / 20  # of the run, whose mean is the level
TREND = 1 / 10  # of the run, whose mean is taken away before a period is looked for
TROUGH, PEAK = -0.45, 0.4  # of the autocorrelation, half a period and a period away
LONGEST = 1 / 4  # of the run: half a period


def noisy(signs: Signs) -> Iterator[Diagnosis]:
    """Look for a loss that leaps from step to step while there is still much to learn."""
    loss = signs.loss.finite
    if len(loss) < FEWEST:
        return
    level = loss.smooth(AROUND)
    first = float(np.median(loss.values[: FEWEST // 10]))
    much = (level > UNLEARNT * first)[1:] & (level[1:] > 0)
    leaps = np.abs(np.diff(loss.values))[much] / level[1:][much]
    if len(leaps) >= FEWEST and (leap := float(np.median(leaps))) > NOISE:
        yield Diagnosis(
            Trouble.NOISY,
            f"from one step to the next the loss changes by {leap:.0%} of its level, as a median "
            f"of the {len(leaps)} steps in which it is above {UNLEARNT:.0%} of its beginning",
        )


def oscillation(signs: Signs) -> Iterator[Diagnosis]:
    """Look for gradients or a loss that swing with a period."""
    voices: dict[str, Curve] = {"the norm of all gradients": signs.total, "the loss": signs.loss}
    if signs.layers is not None:
        rows = np.asarray(signs.layers.values, np.float64)
        for name, values in zip(signs.layers.names, rows, strict=True):
            norms = np.asarray(values, np.float64)
            voices[f"the gradient of {name}"] = Curve(signs.layers.steps, norms)
    found = [(swing, name) for name, curve in voices.items() if (swing := _swing(curve))]
    if found:
        (peak, period), name = max(found)
        yield Diagnosis(
            Trouble.OSCILLATION,
            f"{name} swings with a period of about {period} steps (autocorrelation {peak:.2f} a "
            "period apart)",
        )


def _swing(curve: Curve) -> tuple[float, int] | None:
    """Return the autocorrelation a period apart, and that period, where there is one."""
    logs = logarithms(curve.values)
    known = np.isfinite(logs)
    if known.sum() < FEWEST or not known.mean() > 0.9:
        return None
    whole = Curve(curve.steps[known], logs[known].astype(np.float64))
    rest = whole.values - whole.smooth(TREND)
    if not rest.any():
        return None
    spectrum = np.fft.rfft(rest, 2 * len(rest))
    correlation = np.fft.irfft(np.abs(spectrum) ** 2)[: len(rest)]
    correlation /= correlation[0]
    low = np.flatnonzero(correlation[: int(LONGEST * len(rest))] < TROUGH)
    if not len(low):
        return None
    below = low[: 1 + int((np.diff(low, append=len(rest)) > 1).argmax())]  # the first trough
    half = int(below[correlation[below].argmin()])
    after = correlation[int(1.6 * half) : int(2.4 * half) + 1]
    if half < 2 or after.max() < PEAK:
        return None
    period = int(1.6 * half) + int(after.argmax())
    return float(after.max()), period * int(np.median(np.diff(whole.steps)))
