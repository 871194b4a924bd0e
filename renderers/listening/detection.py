"""What yes and no are worth: sensitivity, bias, shares and how sure they are."""

from dataclasses import dataclass
from statistics import NormalDist

__all__ = ["Detection", "Share"]

NORMAL = NormalDist()
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Share:
    """So many of so many.

    Parameters
    ----------
    count, of : int
        The first at most the second.
    """

    count: int
    of: int

    @property
    def value(self) -> float | None:
        """From 0 to 1; None of nothing."""
        return self.count / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float]:
        """Where the true share lies, with 95 % confidence: the score interval.

        E. B. Wilson, "Probable inference, the law of succession, and statistical
        inference", Journal of the American Statistical Association 22 (1927), 209–212.
        """
        if not self.of:
            return 0.0, 1.0
        z2 = NORMAL.inv_cdf((1 + CONFIDENCE) / 2) ** 2
        middle = (self.count + z2 / 2) / (self.of + z2)
        half = (z2 * (self.count * (1 - self.count / self.of) + z2 / 4)) ** 0.5 / (self.of + z2)
        return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True)
class Detection:
    """How well something is told from nothing.

    Its numbers take the rates with the log-linear correction, half a case added to each
    count and one to each number of trials, so that they are finite where nothing was
    missed: M. J. Hautus, "Corrections for extreme proportions and their biasing effects
    on estimated values of d'", Behavior Research Methods, Instruments, & Computers 27
    (1995), 46–51.

    Parameters
    ----------
    hits : Share
        Of what was there: how often that was said.
    false_alarms : Share
        Of what was not: the same.
    """

    hits: Share
    false_alarms: Share

    @property
    def d_prime(self) -> float:
        """Sensitivity: 0 by chance."""
        return _z(self.hits) - _z(self.false_alarms)

    @property
    def criterion(self) -> float:
        """Bias: above 0 of those who rather say that nothing is there."""
        return -(_z(self.hits) + _z(self.false_alarms)) / 2

    @property
    def area(self) -> float:
        """Area under the ROC curve of such a d', which the model ear's figures are.

        D. M. Green and J. A. Swets, Signal Detection Theory and Psychophysics (1966):
        the normal distribution at d' / √2, where both kinds vary alike.
        """
        return NORMAL.cdf(self.d_prime / 2**0.5)


def _z(share: Share) -> float:
    return NORMAL.inv_cdf((share.count + 0.5) / (share.of + 1))
