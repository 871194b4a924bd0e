"""The entries of the field guide, from `entries.toml`."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

__all__ = ["SEEDS", "UNSEEN", "Entry", "entries"]

SEEDS = (0, 1, 2)  # that are heard, and that the rules of diagnoses were tuned on
UNSEEN = (10, 11, 12)  # that they are tried on


@dataclass(frozen=True)
class Entry:
    """One trouble, as a training that has it.

    Parameters
    ----------
    training : str
        The name of the training.
    title : str
        What it is called.
    what, why, do : str
        What it is, why it sounds so, and what to do.
    beside : str
        The training that is heard beside it; none for the healthy one.
    beside_title : str
        What that one is called.
    trouble : str
        The key of the diagnosis that is to be made; empty if none is.
    """

    training: str
    title: str
    what: str
    why: str
    do: str
    beside: str = ""
    beside_title: str = "healthy"
    trouble: str = ""

    @property
    def trainings(self) -> tuple[str, ...]:
        """The names of its trainings."""
        return (self.training, self.beside) if self.beside else (self.training,)


def entries() -> list[Entry]:
    """Return all entries, in the order of the page."""
    text = Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
    return [Entry(**entry) for entry in tomllib.loads(text)["entry"]]
