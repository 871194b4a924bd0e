"""Runs to one page."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from renderers.audio import AudioSettings
from renderers.audio.level import Level
from renderers.audio.score import Score, State
from renderers.audio.scoring import Scales, scores_together
from renderers.audio.style import groups
from renderers.output import writing
from renderers.page.curves import curves
from renderers.page.document import base64_of, document, fingerprint, fingerprint_of
from renderers.page.extras import Extra, Extras
from renderers.page.picture import RANGE_DB, Picture, loudest, picture, spectrogram
from renderers.page.sounds import Track, levels, tracks
from renderers.side_by_side import shared_timelines
from renderers.timeline import Timeline
from runlog import OutputError, Run

__all__ = ["LONGEST", "MOST_RUNS", "PageResult", "render_page"]

SCHEMA_VERSION = 1
LONGEST = 1200.0  # s; a browser holds all of it in memory, 21 MB a minute
MOST_RUNS = 9  # what the digits of a keyboard choose from
MOST_EVENTS = 1000  # of a run

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class PageResult:
    """What was made.

    Parameters
    ----------
    path : Path
        The HTML file.
    made : bool
        False if it was there already, from the same logs and settings.
    notes : tuple of str
        What was chosen or left out, in a line each.
    """

    path: Path
    made: bool
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Part:
    """One run of a page."""

    run: Run
    line: Timeline
    score: Score
    extras: Extras


def render_page(
    runs: Sequence[Run],
    path: Path,
    settings: AudioSettings | None = None,
    *,
    stems: bool = False,
    scales: Scales | None = None,
    extras: Sequence[Extras] = (),
    progress: Progress | None = None,
) -> PageResult:
    """Render a page to listen to runs and to look at them.

    Parameters
    ----------
    runs : sequence of Run
        One to nine, with measurements.  Several have a tag in common, and share
        one axis, one scale and one gain.
    path : Path
        The HTML file, which needs no other file and no network.
    settings : AudioSettings, optional
        How the runs are to be heard.  The sounds in the page are MP3.
    stems : bool
        One track a voice, so that voices can be muted.
    scales : mapping of str to Scale, optional
        By default one that these runs share.
    extras : sequence of Extras, optional
        Pictures and videos of each run.
    progress : callable, optional
        Called with the samples done and the samples in all.

    Returns
    -------
    PageResult
        Nothing is written if the same page is there already.

    Raises
    ------
    LogError
        If a run has nothing to hear, or the runs have no tag in common.
    OutputError
        If the sound is too long for a page, there are too many runs, or the file
        cannot be written.
    """
    settings = settings or AudioSettings()
    if len(runs) > MOST_RUNS:
        raise OutputError(f"{path}: {len(runs)} runs; a page holds at most {MOST_RUNS}")
    lines = shared_timelines(runs, settings.choice, steps=settings.steps)
    scores, used = scores_together(runs, settings, scales, lines)
    if scores[0].duration > LONGEST:
        raise OutputError(
            f"{path}: {scores[0].duration / 60:.1f} min of sound; a page holds at most "
            f"{LONGEST / 60:g}: make it shorter with --duration or --steps"
        )
    beside = [*extras, *[Extras()] * (len(runs) - len(extras))]
    parts = [_Part(*each) for each in zip(runs, lines, scores, beside, strict=True)]
    about = _about(parts, settings, used, stems)
    notes = tuple(note for part in parts for note in _notes(part))
    inputs = fingerprint(about)
    if fingerprint_of(path) == inputs:
        return PageResult(path, made=False, notes=notes)
    title = " · ".join(run.name for run in runs)
    data = about | _shared(parts[0], settings, used) | _sounding(parts, settings, stems, progress)
    with writing(path) as temporary:
        temporary.write_text(document(title, data, inputs), encoding="utf-8")
    return PageResult(path, made=True, notes=notes)


def _about(
    parts: Sequence[_Part], settings: AudioSettings, scales: Scales, stems: bool
) -> dict[str, Any]:
    """Say what a page is made from."""
    return {
        "schema_version": SCHEMA_VERSION,
        "settings": settings.to_dict(),
        "stems": stems,
        "scales": {group: scale.to_dict() for group, scale in scales.items()},
        "about": [
            {
                "name": part.run.name,
                "log_hash": part.run.log_hash(),
                "status": part.run.metadata.status,
                "hyperparameters": json.dumps(part.run.metadata.hyperparameters, default=str),
                "extra_digests": [extra.digest() for extra in part.extras.found],
                "notes": _notes(part),
            }
            for part in parts
        ],
    }


def _notes(part: _Part) -> list[str]:
    return [*part.line.notes, *part.extras.notes]


def _shared(part: _Part, settings: AudioSettings, scales: Scales) -> dict[str, Any]:
    """Return what all runs of a page have in common: axis and voices."""
    score, line = part.score, part.line
    several = len(set(groups(line))) > 1
    return {
        "axis": {
            "total": line.frames,
            "last": int(line.steps[-1]),
            "seconds": score.frames.count * score.frame_length / score.sample_rate,
        },
        "sound": {"samples": score.samples, "rate": score.sample_rate},
        "unit": line.unit,
        "several_groups": several,
        "groups": list(groups(line)),
        "voices": [
            {"name": name, "register": None if score.registers is None else [*map(float, band)]}
            for name, band in zip(
                line.names,
                score.registers if score.registers is not None else [()] * len(line.names),
                strict=True,
            )
        ],
        "states": {state.name.lower(): int(state) for state in State},
        "palettes": _palettes(),
        "polarity": settings.polarity,
        "has_scale": bool(scales),
    }


def _sounding(
    parts: Sequence[_Part], settings: AudioSettings, stems: bool, progress: Progress | None
) -> dict[str, Any]:
    """Return the runs: sounds, spectrograms, curves and events."""
    voices = len(parts[0].line.names)
    # Each sound is made to be measured, to be drawn, and to be encoded.
    passes = 2 + (voices + 1 if stems else 1)
    counted = _counter(sum(passes * part.score.samples for part in parts), progress)
    gains = levels([part.score for part in parts], settings.lufs, counted)
    seen = [
        spectrogram(part.score, level.gain, counted)
        for part, level in zip(parts, gains, strict=True)
    ]
    top = loudest(seen)
    pictures = [picture(one, top) for one in seen]
    runs = [
        _run(part, level, [*tracks(part.score, level.gain, stems=stems, progress=counted)], drawn)
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


def _run(part: _Part, level: Level, sounds: Sequence[Track], seen: Picture) -> dict[str, Any]:
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
        **_events(part.score),
        "extras": [_embedded(extra) for extra in part.extras.found],
    }


def _numbers(values: "np.ndarray[Any, np.dtype[np.floating[Any]]]") -> dict[str, str]:
    little = values.astype(values.dtype.newbyteorder("<"))
    return {"type": values.dtype.name, "base64": base64_of(little.tobytes())}


def _events(score: Score) -> dict[str, Any]:
    """Return what is marked in a sound, in order."""
    marked = [event for event in score.events if event.mark]
    frames = score.frames
    return {
        "events": [
            {
                "time": event.sample / score.sample_rate,
                "step": int(frames.steps[event.sample // score.frame_length]),
                "kind": str(event.kind),
                "voice": event.voice,
            }
            for event in marked[:MOST_EVENTS]
        ],
        "more_events": max(0, len(marked) - MOST_EVENTS),
    }


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
    from matplotlib import colormaps

    return {
        theme: base64_of(colormaps[name](np.arange(256), bytes=True)[:, :3].tobytes())
        for theme, name in (("dark", "magma"), ("light", "magma_r"))
    }
