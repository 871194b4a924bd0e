"""E|X - X'| / 2 of mixtures of Gaussians, X and X' both drawn from one: linear in its members.

It is the sum over all pairs of members in closed form; and, equal to that, the integral of
F (1 - F), which the trapezoid rule gives to the last digits: it converges faster than
exponentially for such functions (Trefethen & Weideman, SIAM Review 56, 2014).
"""

from math import ceil, erf, exp, floor, inf, pi, sqrt
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

__all__ = ["overlaps"]

Doubles = npt.NDArray[np.float64]

STEP = 0.5  # sd: the rule is off by exp(-(2π / STEP)² / 4) = exp(-39)
REACH = 8.5  # sd: beyond, a Gaussian's distribution function is 0 or 1 but for 1e-17
PAIRS_UP_TO = 16  # members: with so few, pairs are the quicker way


def overlaps(errors: Doubles, sds: Doubles, members: npt.NDArray[np.intp]) -> Doubles:
    """Return E|X - X'| / 2 of some mixtures with equal weights [shape=(points,)].

    Parameters
    ----------
    errors : np.ndarray [shape=(points, members)]
        Means, ascending.
    sds : np.ndarray [shape=(points, members)]
        Standard deviations, positive.
    members : np.ndarray [shape=(points,)]
        How many of them count, from the first.
    """
    found: Doubles = _overlaps(np.ascontiguousarray(errors), np.ascontiguousarray(sds), members)
    return found


@numba.njit(cache=True, nogil=True)
def _overlaps(errors: Any, sds: Any, members: Any) -> Any:
    found = np.empty(len(members))
    for point in range(len(members)):
        count = members[point]
        means, widths = errors[point, :count], sds[point, :count]
        if count <= PAIRS_UP_TO or _work(widths) > 0.5 * count * count:
            found[point] = _by_pairs(means, widths)
        else:
            found[point] = _by_integral(means, widths)
    return found


@numba.njit(cache=True, nogil=True)
def _work(widths: Any) -> Any:
    """Return about how many values of a Gaussian's distribution function the integral takes."""
    return 2 * REACH / STEP * widths.sum() / widths.min()


@numba.njit(cache=True, nogil=True)
def _by_pairs(means: Any, widths: Any) -> Any:
    count = len(means)
    total = 0.0
    for one in range(count):
        total += widths[one] / sqrt(pi)  # with itself
        for other in range(one):
            sd = sqrt(widths[one] ** 2 + widths[other] ** 2)
            apart = (means[one] - means[other]) / sd
            if apart > REACH:
                total += means[one] - means[other]
            else:
                density = exp(-0.5 * apart * apart) / sqrt(2 * pi)
                total += sd * (2 * density + apart * erf(apart / sqrt(2.0)))
    return total / (count * count)


@numba.njit(cache=True, nogil=True)
def _by_integral(means: Any, widths: Any) -> Any:
    """Add up groups of members that lie close together; between these, F is flat."""
    count, total = len(means), 0.0
    room = REACH * widths.max()
    first = 0
    for last in range(count):
        gap = means[last + 1] - means[last] if last + 1 < count else inf
        if gap > 2 * room:
            total += _trapezoid(means, widths, first, last + 1)
            share = (last + 1) / count
            if last + 1 < count:
                total += (gap - 2 * room) * share * (1 - share)
            first = last + 1
    return total


@numba.njit(cache=True, nogil=True)
def _trapezoid(means: Any, widths: Any, first: Any, end: Any) -> Any:
    """Integrate F (1 - F) from far below the first member of a group to far above the last."""
    count, room = len(means), REACH * widths.max()
    start = means[first]
    length = means[end - 1] - start + 2 * room
    cells = ceil(length / (STEP * widths.min()))
    step = length / cells
    shares, passed = np.zeros(cells + 1), np.zeros(cells + 2)
    for member in range(first, end):
        centre = (means[member] - start + room) / step  # in cells
        reach = REACH * widths[member] / step
        low, high = max(0, ceil(centre - reach)), min(cells, floor(centre + reach))
        scale = step / (sqrt(2.0) * widths[member])
        for node in range(low, high + 1):
            shares[node] += 0.5 + 0.5 * erf((node - centre) * scale)
        passed[high + 1] += 1
    below, total = float(first), 0.0
    for node in range(cells + 1):
        below += passed[node]
        share = (below + shares[node]) / count
        total += share * (1 - share) * (0.5 if node in (0, cells) else 1.0)
    return total * step
