"""What a subject's parts report, and whether their targets are met."""

from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.tables import table

__all__ = ["Part", "Target", "at_least", "at_most", "joined"]


class Target(NamedTuple):
    """A figure beside what it is to be."""

    what: str
    measured: str
    target: str
    met: bool


class Part(NamedTuple):
    """Some of a subject's tables, with the targets that they decide and notes in a line each."""

    tables: Sequence[str]
    targets: Sequence[Target] = ()
    notes: Sequence[str] = ()


def at_least(what: str, measured: float, least: float) -> Target:
    """Return a target that a figure reaches from below."""
    return Target(what, _short(measured), f"≥ {_short(least)}", measured >= least)


def at_most(what: str, measured: float, most: float) -> Target:
    """Return a target that a figure must not pass."""
    return Target(what, _short(measured), f"≤ {_short(most)}", measured <= most)


def joined(parts: Sequence[Part]) -> str:
    """Return all tables, then one of the targets, then the notes."""
    rows = [
        [each.what, each.measured, each.target, "met" if each.met else "missed"]
        for part in parts
        for each in part.targets
    ]
    return "\n\n".join(
        [
            *(each for part in parts for each in part.tables),
            table("Targets", ["what", "measured", "target", ""], rows),
            "\n".join(f"- {note}" for part in parts for note in part.notes),
        ]
    )


def _short(figure: float) -> str:
    return f"{figure:,.0f}" if abs(figure) >= 100 else f"{figure:.3g}"
