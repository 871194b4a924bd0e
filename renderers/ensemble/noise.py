"""The noise of the observations: given, logged, the members' own, or estimated, and from what."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

from epochord.renderers.ensemble.predictive import mixtures, nll
from epochord.renderers.ensemble.statistics import mean_of, quiet

__all__ = ["OWN", "Noise", "most_likely_sd"]

Floats = npt.NDArray[np.floating[Any]]
Bools = npt.NDArray[np.bool_]

LEAST = 1e-3  # of the errors' root mean square: members that hit all points leave some noise
CANDIDATES = 40
OWN = "each member's own"


@dataclass(frozen=True)
class Noise:
    """Of the observations around what is predicted.

    Parameters
    ----------
    sd : float, optional
        Standard deviation, in the target's unit; None where each member has its own.
    source : str
        Where it is from, in words, such as ``"estimated out of bag"``.
    known : bool
        False if there was nothing to go by.
    """

    sd: float | None
    source: str
    known: bool = True

    def __str__(self) -> str:
        size = "" if self.sd is None else f" {self.sd:.3g}"
        return f"noise sd{size}, {self.source}"


@quiet
def most_likely_sd(
    predictions: Floats, targets: Floats, counts: Bools | None = None
) -> float | None:
    """Return the noise under which the observations are most likely, members being equally right.

    Parameters
    ----------
    predictions : np.ndarray [shape=(members, points)]
        Of the last epoch.
    targets : np.ndarray [shape=(points,)]
        What was observed.
    counts : np.ndarray of bool [shape=(members, points)], optional
        Which members count where; one is enough.

    Returns
    -------
    float or None
        Standard deviation, in the target's unit; None where there is nothing to go by.
    """
    these = mixtures(predictions, targets, noise_sd=1.0, counts=counts, least=1)
    squares = np.nansum(these.errors**2, axis=1) / these.members
    largest = float(np.sqrt(mean_of(squares)))  # no likelihood is greater beyond
    if not 0 < largest < np.inf:
        return None

    def unlikely(logarithm: float) -> float:
        widths = np.full_like(these.sds, largest * np.exp(logarithm))
        return mean_of(nll(these._replace(sds=widths)))

    # There may be several maxima: the best of some candidates first, then between its neighbours.
    candidates = np.linspace(np.log(LEAST), 0, CANDIDATES)
    best = int(np.argmin([unlikely(each) for each in candidates]))
    bounds = candidates[max(best - 1, 0)], candidates[min(best + 1, CANDIDATES - 1)]
    found = minimize_scalar(unlikely, bounds=bounds, method="bounded", options={"xatol": 1e-6})
    return largest * float(np.exp(found.x))
