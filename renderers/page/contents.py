"""What a page holds, as plain JSON values that its scripts read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.level.measure import Level
from epochord.renderers.audio.mixing import levels
from epochord.renderers.audio.scoring.score import Score, State
from epochord.renderers.audio.scoring.style import groups
from epochord.renderers.page.curves import curves
from epochord.renderers.page.document import base64_of
from epochord.renderers.page.events import listed_events
from epochord.renderers.page.extras import Extra, Extras
from epochord.renderers.page.pace import Pace
from epochord.renderers.page.picture import RANGE_DB, Picture, loudest, picture, spectrograms
from epochord.renderers.page.sounds import Track, tracks
from epochord.renderers.timeline.timeline import Timeline
from epochord.runlog import Run
from epochord.runlog.extras import needing

__all__ = ["Part", "Progress", "run_contents", "shared_contents"]

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Part:
    """One run of a page.

    Parameters
    ----------
    run : Run
        The log.
    line : Timeline
        Its voices, on the axis of all runs.
    score : Score
        What sounds when, on the scale of all runs.
    extras : Extras
        Pictures and videos.
    """

    run: Run
    line: Timeline
    score: Score
    extras: Extras

    @property
    def notes(self) -> list[str]:
        """What was chosen or left out, in a line each."""
        return [*self.line.notes, *self.extras.notes]


def shared_contents(part: Part) -> dict[str, Any]:
    """Return what all runs of a page have in common, as any of them has it: axis and voices."""
    score, line, pace = part.score, part.line, Pace.of(part.score)
    return {
        "axis": {
            "total": line.frames,
            "last": int(line.steps[-1]),
            "places": _numbers(pace.places),
            "times": _numbers(pace.times),
        },
        "sound": {"samples": score.samples, "rate": score.sample_rate},
        "unit": line.unit,
        "several_groups": len(set(groups(line))) > 1,
        "groups": list(groups(line)),
        "voices": [
            {"name": name, "register": None if score.registers is None else [*score.registers[v]]}
            for v, name in enumerate(line.names)
        ],
        "states": {state.name.lower(): int(state) for state in State},
        "palettes": _palettes(),
    }


def run_contents(
    parts: Sequence[Part], lufs: float, *, stems: bool, progress: Progress | None
) -> dict[str, Any]:
    """Return the runs: sounds at one gain, spectrograms, curves and events.

    Parameters
    ----------
    parts : sequence of Part
        The runs of one page.
    lufs : float
        Loudness of the loudest.
    stems : bool
        Whether each voice has a track.
    progress : callable, optional
        Called with the samples done and the samples in all.
    """
    voices = len(parts[0].line.names)
    # Each sound is made to be measured (twice if it has earcons), to be drawn, and to be encoded.
    passes = 2 + (voices + 1 if stems else 1)
    counted = _counter(
        sum((passes + bool(part.score.events)) * part.score.samples for part in parts), progress
    )
    scores = [part.score for part in parts]
    gains = levels([[score] for score in scores], lufs, counted)
    seen = spectrograms(scores, gains, counted)
    top = loudest(seen)
    pictures = [picture(one, top) for one in seen]
    runs = [
        _run(part, level, [*tracks(part.score, level, stems=stems, progress=counted)], drawn)
        for part, level, drawn in zip(parts, gains, pictures, strict=True)
    ]
    first = pictures[0]
    legend = {
        "low_db": top - RANGE_DB,
        "high_db": top,
        "lowest_hz": first.lowest,
        "highest_hz": first.highest,
    }
    return {"runs": runs, "spectrogram": legend}


def _counter(total: int, progress: Progress | None) -> Callable[[int], None]:
    done = 0

    def counted(samples: int) -> None:
        nonlocal done
        done += samples
        if progress:
            progress(min(done, total), total)

    return counted


def _run(part: Part, level: Level, sounds: Sequence[Track], seen: Picture) -> dict[str, Any]:
    curve = curves(part.line)
    return {
        "steps": _numbers(curve.steps.astype(np.float64)),
        "low": _numbers(curve.low),
        "high": _numbers(curve.high),
        "state": base64_of(curve.state.tobytes()),
        "summaries": [asdict(summary) for summary in curve.summaries],
        "level": level.to_dict(),
        "tracks": [{"name": track.name, "mp3": base64_of(track.mp3)} for track in sounds],
        "picture": {"png": base64_of(seen.png), "start": seen.start, "end": seen.end},
        **listed_events(part.score, part.line),
        "extras": [_embedded(extra) for extra in part.extras.found],
    }


def _numbers(values: npt.NDArray[np.floating[Any]]) -> dict[str, str]:
    little = values.astype(values.dtype.newbyteorder("<"))
    return {"type": values.dtype.name, "base64": base64_of(little.tobytes())}


def _embedded(extra: Extra) -> dict[str, str]:
    return {
        "title": extra.title,
        "file": extra.path.name,
        "type": extra.media_type,
        "base64": base64_of(extra.path.read_bytes()),
    }


def _palettes() -> Mapping[str, str]:
    """Return 256 colours each for a light and for a dark page: from what is soft to what is loud.

    Both are matplotlib's `magma`, whose lightness grows evenly.
    """
    with needing("a page", "pictures"):
        from matplotlib import colormaps

    return {
        theme: base64_of(colormaps[name](np.arange(256), bytes=True)[:, :3].tobytes())
        for theme, name in (("dark", "magma"), ("light", "magma_r"))
    }
