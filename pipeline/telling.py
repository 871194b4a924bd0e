"""What is said of a sound that was made: what is in it, and what happened in its run."""

from collections.abc import Mapping, Sequence
from typing import Any

from epochord.runlog.words import plural

__all__ = ["told", "told_of"]

MOST_VOICES = 3  # whose extremes are said, where each has a scale of its own
MOST_FINDINGS = 6


def told(about: Mapping[str, Any]) -> list[str]:
    """Return lines on a sound.

    Parameters
    ----------
    about : mapping
        Its description, as `audio.json` has it.

    Returns
    -------
    list of str
        What was chosen; the extremes of the log with their steps, however many steps
        each frame of the sound stands for; and what happened, in the order of steps.
    """
    return [*about["notes"], *_extremes(about), *told_of(about["findings"], MOST_FINDINGS)]


def told_of(findings: Sequence[Mapping[str, Any]], most: int) -> list[str]:
    """Return a line a finding.

    Parameters
    ----------
    findings : sequence of mapping
        As `Finding.to_dict` gives them.
    most : int
        Of more than these, the number is said, and who tells them all.
    """
    found = [finding["sentence"] for finding in findings]
    more = plural(len(found) - most, "finding")
    return [*found[:most], *([f"{more} more: epochord describe"] if len(found) > most else [])]


def _extremes(about: Mapping[str, Any]) -> list[str]:
    voices = about["extremes"]
    if not voices:
        return []
    if about["unit"]:
        low = min(voices, key=lambda voice: voice["low"])
        high = max(voices, key=lambda voice: voice["high"])
        return [
            f"least {low['low']:.4g} ({low['voice']}, step {low['low_step']}), "
            f"greatest {high['high']:.4g} ({high['voice']}, step {high['high_step']})"
        ]
    more = len(voices) - MOST_VOICES
    return [_of_each(voices[:MOST_VOICES]) + (f"; {more} more in the JSON" if more > 0 else "")]


def _of_each(voices: Sequence[Mapping[str, Any]]) -> str:
    return "; ".join(
        f"{voice['voice']}: least {voice['low']:.4g} (step {voice['low_step']}), "
        f"greatest {voice['high']:.4g} (step {voice['high_step']})"
        for voice in voices
    )
