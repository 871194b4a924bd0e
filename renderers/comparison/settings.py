"""How runs or sounds are to be compared."""

import math
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["ComparisonSettings"]

LEAST_RATIO, MOST_RATIO = 1.0001, 1e6  # beyond, rounding would part, or nothing but zero


@dataclass(frozen=True)
class ComparisonSettings:
    """How runs or sounds are to be compared.

    Parameters
    ----------
    threshold : float
        Difference of two sounds in dB, beyond which they have parted.
    ratio : float
        Factor between two logged values, beyond which they have parted: above 1.0001
        and at most a million, below which a value counts as zero.
    dtw : bool
        Whether to estimate by how much one sound lags behind the other.

    Raises
    ------
    ValueError
        If a setting makes no sense.
    """

    threshold: float = 3.0
    ratio: float = 1.1
    dtw: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.threshold) and self.threshold > 0):
            raise ValueError(f"threshold is {self.threshold} dB; expected more than 0 dB")
        if not LEAST_RATIO < self.ratio <= MOST_RATIO:
            raise ValueError(
                f"ratio is {self.ratio}; expected a factor above {LEAST_RATIO} and at most "
                f"{MOST_RATIO:,.0f}, such as 1.1"
            )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)
