"""The troubles that have a name, and one that a run looks like."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

__all__ = ["Diagnosis", "Trouble"]


class Trouble(StrEnum):
    """What can be wrong with a training; the text is how it is called in a sentence."""

    OVERFLOW = "an overflow of half precision"
    UNDEFINED = "an undefined operation, such as the logarithm of zero"
    FROZEN = "a frozen layer"
    DEAD_FROM_START = "units dead from the start"
    DYING = "dying units"
    EXPLODING = "exploding gradients"
    RATE_TOO_HIGH = "a learning rate that is too high"
    BROKEN_BATCH = "a broken batch"
    NO_WARM_UP = "a missing warm-up"
    CLIPPED = "clipped gradients"
    VANISHING = "vanishing gradients"
    OSCILLATION = "an oscillation, as of too much momentum"
    WRONG_LABELS = "wrong labels, or strong regularisation"
    OVERFITTING = "overfitting"
    PLATEAU = "a plateau and its escape"
    RATE_TOO_LOW = "a learning rate that is too low"
    NOISY = "batches that are too small"


@dataclass(frozen=True)
class Diagnosis:
    """A trouble that a run looks like.

    Parameters
    ----------
    trouble : Trouble
        Its name.
    because : str
        What was measured that led to it.
    """

    trouble: Trouble
    because: str

    @property
    def sentence(self) -> str:
        """What it looks like, and why; it says no more than what was measured."""
        return f"looks like {self.trouble}: {self.because}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; a trouble's key is its name in lower case."""
        return {
            "trouble": self.trouble.name.lower(),
            "because": self.because,
            "sentence": self.sentence,
        }
