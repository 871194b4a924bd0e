"""What lies beside a sound and in it: its description, its tags, its cue points."""

import json
from collections import Counter
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from epochord.renderers.audio.files.write import Cue
from epochord.renderers.audio.scoring.compose import Scales
from epochord.renderers.audio.scoring.scale import Scale
from epochord.renderers.audio.scoring.score import Glide, Score
from epochord.renderers.audio.scoring.settings import AudioSettings
from epochord.renderers.audio.scoring.style import groups
from epochord.renderers.findings import What
from epochord.renderers.findings.course import courses
from epochord.renderers.results.destination import Destination, StrPath
from epochord.runlog import LogError, Run
from epochord.runlog.errors import described
from epochord.runlog.locations import expanded

__all__ = [
    "DESCRIPTION",
    "MIDI",
    "SCORE",
    "STEM",
    "clock",
    "cues",
    "described_before",
    "description",
    "files_before",
    "place_of",
    "stored_scales",
    "tags",
]

STEM = "audio"
SCORE, MIDI, DESCRIPTION = (
    ".score.parquet",
    ".mid",
    ".json",
)  # what lies beside a sound ends in these
SCHEMA_VERSION = 4
UNMARKED = (
    What.SPIKE,
    What.EXPLOSION,
    What.RISE,
    What.FALL,
    What.STUCK,
)  # those that have no earcon
TEN_CENTS = 10 / 1200  # octaves; about what an ear tells apart in steady tones


def place_of(result: StrPath) -> Destination:
    """Return where an earlier result lies.

    Parameters
    ----------
    result : str or PathLike
        Its folder, its sound, or what lies beside that.
    """
    path = expanded(result)
    if path.is_dir() or not path.suffix:
        return Destination(path, STEM)
    return Destination(path.parent, path.name.removesuffix(SCORE).removesuffix(path.suffix))


def stored_scales(result: StrPath) -> dict[str, Scale]:
    """Read the scale that an earlier result was made with.

    Parameters
    ----------
    result : str or PathLike
        Its folder, or its sound file.

    Raises
    ------
    LogError
        If there is none.
    """
    beside = place_of(result).path(DESCRIPTION)
    if not beside.is_file():
        raise LogError(
            f"{result}: no result with a scale, since there is no {beside.name} in it; expected a "
            "folder, or a sound, that 'epochord render audio' has written"
        )
    try:
        about = json.loads(beside.read_text(encoding="utf-8"))
        scales = {group: Scale(**one) for group, one in about["scale"].items()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LogError(
            f"{result}: no result with a scale ({described(error)}); expected {beside.name}, as "
            "'epochord render audio' writes it"
        ) from error
    if not scales:
        raise LogError(f"{result}: was rendered without a scale; use one of another voicing")
    return scales


def cues(score: Score, offset: int) -> list[Cue]:
    """Name earcons, and what else happened in the run, where they begin."""
    names, frames = score.frames.names, score.frames
    marks = [
        Cue(
            event.sample + offset,
            f"{names[event.voice]}: {event.kind}" if event.voice >= 0 else str(event.kind),
        )
        for event in score.events
        if event.mark
    ]
    happened = [
        Cue(frames.at(found.step) * score.frame_length + offset, found.sentence)
        for found in score.findings
        if found.what in UNMARKED
    ]
    return sorted(marks + happened, key=lambda cue: cue.sample)


def tags(run: Run, about: Mapping[str, Any]) -> dict[str, str]:
    """Say in the file itself what it is: run, voicing, scale and log hash."""
    scale = "; ".join(
        f"{group or 'value'} {one['low']:.4g} to {one['high']:.4g}"
        for group, one in about["scale"].items()
    )
    voicing = about["settings"]["voicing"]
    comment = f"voicing {voicing}; scale {scale or 'none'}; log {about['log_hash']}"
    return {"title": run.name, "comment": comment, "software": "Epochord"}


def described_before(beside: Path) -> dict[str, Any]:
    """Read what an earlier call wrote, without the sizes of its files."""
    made: dict[str, Any] = json.loads(beside.read_text(encoding="utf-8"))
    made.pop("files")
    return made


def files_before(beside: Path) -> set[str]:
    """Return the names of the files that an earlier call made; none if that is not known."""
    try:
        return set(json.loads(beside.read_text(encoding="utf-8"))["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def description(run: Run, settings: AudioSettings, score: Score, scales: Scales) -> dict[str, Any]:
    """Say what a sound is made from, and what of it is not simply heard, as plain JSON values."""
    more: dict[str, Any] = {"clock": clock(score)} if settings.time == "wall" else {}
    if settings.speak:
        more["speech"] = _spoken(score)
    return {
        "schema_version": SCHEMA_VERSION,
        "run": run.name,
        "log_hash": run.log_hash(),
        "settings": settings.to_dict(),
        "scale": {group: scale.to_dict() for group, scale in scales.items()},
        "voices": list(score.frames.names),
        "lanes": _lanes(score, scales),
        "unit": score.frames.unit,
        "steps": score.frames.total,
        "last_step": int(score.frames.axis[-1]),
        "frames": score.frames.count,
        "frames_once": len(np.unique(score.frames.steps)),
        "frame_samples": score.frame_length,
        "glide_samples": score.articulation.length if isinstance(score.articulation, Glide) else 0,
        "sample_rate": score.sample_rate,
        "channels": score.channels,
        "duration": score.duration,
        "counts": score.counts(),
        "events": dict(Counter(str(event.kind) for event in score.events if event.mark)),
        "extremes": [course.to_dict() for course in courses(score.frames.once())],
        "findings": [found.to_dict() for found in score.findings],
        "notes": list(score.frames.notes),
        **more,
    }


def clock(score: Score) -> str:
    """Hash what sounds when: of wall times, the log's hash says nothing."""
    return sha256(score.frames.steps.tobytes()).hexdigest()


def _spoken(score: Score) -> dict[str, Any]:
    """Say what is said when, in seconds from the score's beginning, and by which program."""
    sound = sha256()
    for each in score.speech:
        sound.update(each.clip.samples.tobytes())
    return {
        "program": score.speech[0].clip.program if score.speech else None,
        "sound": sound.hexdigest(),
        "sentences": [
            {"time": each.sample / score.sample_rate, "text": each.clip.text}
            for each in score.speech
        ],
    }


def _lanes(score: Score, scales: Scales) -> list[dict[str, Any]]:
    """Say of each voice where it lies, and how fine it can be heard."""
    if score.registers is None:
        return []
    anchors = score.anchors or (None,) * len(score.frames.names)
    named = zip(score.frames.names, groups(score.frames), anchors, strict=True)
    lanes = []
    for voice, (name, group, anchor) in enumerate(named):
        low, high = map(float, score.registers[voice])
        lane = {"voice": name, "group": group, "low_hz": low, "high_hz": high}
        lane["pan"] = float(score.places[voice].mean())
        if anchor:
            fine = 10**TEN_CENTS - 1
            lanes.append(lane | anchor._asdict() | {"ten_cents_are_percent": 100 * fine})
        elif score.anchors:
            lanes.append(lane)
        else:
            lanes.append(lane | {"ten_cents_are_percent": _ten_cents(low, high, scales[group])})
    return lanes


def _ten_cents(low: float, high: float, scale: Scale) -> float:
    """Return how many per cent of the value, or of a linear range, ten cents of pitch are."""
    share = TEN_CENTS / np.log2(high / low)
    span = np.log(scale.high) - np.log(scale.low) if scale.kind == "log" else None
    return 100 * float(np.expm1(share * span) if span else share)
