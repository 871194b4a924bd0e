"""Runs for one page or one comparison: those that were named, and what goes with them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from epochord.pipeline.console import note
from epochord.pipeline.inputs import Found, open_aloud
from epochord.pipeline.rendering import require_layers
from epochord.runlog import Run
from epochord.runlog.errors import EpochordError
from epochord.runlog.run.segments import Segments, split_segments

if TYPE_CHECKING:
    from epochord.renderers.audio import AudioSettings

__all__ = ["Opened", "going_together", "opened_parts"]

MOST_SAID = 8  # names of runs that are passed over for one reason


@dataclass(frozen=True)
class Opened:
    """A run, or a part of one, and where it was found."""

    run: Run
    found: Found


def opened_parts(
    found: Iterable[Found], segments: Segments, x: str | None, errors: list[EpochordError]
) -> Iterator[Opened]:
    """Read runs, each in its parts, and say what is amiss.

    Parameters
    ----------
    found : iterable of Found
        The runs.
    segments : {"auto", "all", "split", "last"}
        See `epochord.runlog.run.segments.split_segments`.
    x : str, optional
        Of tables: the column that holds the step.
    errors : list of EpochordError
        What cannot be read is added to it.
    """
    for one in found:
        try:
            run = open_aloud(one, x=x)
        except EpochordError as error:
            errors.append(error)
        else:
            yield from (Opened(part, one) for part in split_segments(run, segments))


def going_together(
    parts: Iterable[Opened],
    settings: "AudioSettings",
    errors: list[EpochordError],
    *,
    most: int | None = None,
) -> list[Opened]:
    """Choose runs that can be heard side by side; what is passed over is said.

    Parameters
    ----------
    parts : iterable of Opened
        Read one after the other; only the chosen ones are kept.
    settings : AudioSettings
        What of them is to be heard.
    errors : list of EpochordError
        What a run that was named lacks is added to it.
    most : int, optional
        How many runs at most, of those that were not named.

    Returns
    -------
    list of Opened
        All runs that were named, and those of folders that share a voice with them.
    """
    from epochord.renderers.timeline.choice import NothingToHearError
    from epochord.renderers.timeline.timeline import timeline

    chosen: list[Opened] = []
    shared: set[str] = set()
    passed_over: dict[str, list[str]] = {}  # names by reason
    for one in parts:
        try:
            require_layers(one.run, settings)
            names = set(timeline(one.run, settings.choice, steps=settings.steps).names)
        except EpochordError as error:
            if one.found.named or not isinstance(error, NothingToHearError):
                errors.append(error)
            else:
                passed_over.setdefault("nothing to hear", []).append(one.run.name)
            continue
        reason = ""
        if shared and not shared & names:
            reason = f"no voice in common with {chosen[0].run.name}; --tags chooses others"
        elif most is not None and len(chosen) >= most:
            reason = f"at most {most} runs go together"
        if reason and not one.found.named:
            passed_over.setdefault(reason, []).append(one.run.name)
        else:
            chosen.append(one)
            shared = shared & names or names
    for reason, several in passed_over.items():
        more = f" and {len(several) - MOST_SAID} more" if len(several) > MOST_SAID else ""
        note(f"passed over ({reason}): {', '.join(several[:MOST_SAID])}{more}")
    return chosen
