"""Options that are more than a word or a number."""

import re
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from epochord.renderers.timeline.timeline import StepRange

__all__ = ["listed", "parse_range", "parse_steps"]


def parse_steps(text: str) -> "StepRange":
    """Understand ``A:B``, where either end may be left out.

    Raises
    ------
    typer.BadParameter
        If it is something else.
    """
    match = re.fullmatch(r"(-?\d*):(-?\d*)", text.strip() or ":")
    ends = [int(end) if end else None for end in match.groups()] if match else []
    expected = "expected A:B, such as 100:200 or :1000"
    if not match:
        raise typer.BadParameter(f"--steps is {text!r}; {expected}")
    if None not in ends and ends[0] >= ends[1]:  # type: ignore[operator]
        raise typer.BadParameter(
            f"--steps is {text!r}, whose end does not lie behind its beginning; {expected}"
        )
    return ends[0], ends[1]


def parse_range(text: str, option: str) -> tuple[float, float] | None:
    """Understand ``LO:HI``; None if nothing is given.

    Raises
    ------
    typer.BadParameter
        If it is something else.
    """
    if not text:
        return None
    low, colon, high = text.partition(":")
    try:
        if colon:
            return float(low), float(high)
    except ValueError:
        pass
    raise typer.BadParameter(f"{option} is {text!r}; expected LO:HI, such as 0.001:100")


def listed(text: str) -> tuple[str, ...]:
    """Understand ``A,B,…``."""
    return tuple(name.strip() for name in text.split(",") if name.strip())
