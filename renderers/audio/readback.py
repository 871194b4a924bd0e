"""From a rendered sound back to the numbers: the proof that they are in it.

Only the layout of the score is used (registers, places, frame lengths, scale),
never its values; these are then compared with what was read.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile  # type: ignore[import-untyped]

from epochord.renderers.audio.decoding import Layout, Method, decode
from epochord.renderers.audio.description import DESCRIPTION, SCORE, place_of
from epochord.renderers.audio.scoring.events import Event, Kind
from epochord.renderers.audio.scoring.scale import Scale
from epochord.renderers.audio.scoring.score import EVENTS
from epochord.renderers.audio.synthesis.earcons import overlay
from epochord.renderers.audio.synthesis.glide import pan_gains
from epochord.renderers.results.destination import AUDIO, StrPath
from epochord.runlog import LogError
from epochord.runlog.errors import described
from epochord.runlog.locations import expanded
from epochord.runlog.words import short_repr

__all__ = ["ReadBack", "read_back"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, repr=False, eq=False)
class ReadBack:
    """What was read of one voice, and how far it is from the log.

    Parameters
    ----------
    voice : str
        Its name.
    values, logged : np.ndarray [shape=(frames,)]
        Read, and as the score has it; NaN where the voice is silent.
    """

    voice: str
    values: Floats
    logged: Floats

    def __repr__(self) -> str:
        worst = f"error at most {self.errors.max():.2g} %" if self.errors.size else "silent"
        return f"<ReadBack of {short_repr(self.voice)}: {len(self.values)} frames, {worst}>"

    @property
    def errors(self) -> Floats:
        """Errors in % of the value, of the frames in which both sound."""
        both = np.isfinite(self.values) & np.isfinite(self.logged) & (self.logged != 0)
        return np.asarray(100 * np.abs(self.values[both] / self.logged[both] - 1))

    @property
    def missed(self) -> int:
        """Frames that sound in one and are silent in the other."""
        return int((np.isfinite(self.values) != np.isfinite(self.logged)).sum())


def read_back(
    audio: StrPath,
    *,
    method: Method = "joint",
    progress: Callable[[int, int], None] | None = None,
) -> list[ReadBack]:
    """Read a sound of the voicing `lanes` back.

    Parameters
    ----------
    audio : str or PathLike
        A sound that `render_audio` has written, with its score and description beside it.
    method : {"joint", "fft"}
        See `epochord.renderers.audio.decoding.decode`.
    progress : callable, optional
        Called with the frames done and the frames in all.

    Raises
    ------
    LogError
        If it is no such result.
    """
    audio, place = expanded(audio), place_of(audio)
    beside, scored = place.path(DESCRIPTION), place.path(SCORE)
    _require_files(audio, beside, scored)
    try:
        about = json.loads(beside.read_text(encoding="utf-8"))
        score = pq.read_table(scored)
        samples, rate = soundfile.read(audio, always_2d=True)
    except (OSError, ValueError, soundfile.LibsndfileError) as error:
        raise LogError(
            f"{audio}: cannot be read back ({described(error)}); expected a sound beside its "
            f"{beside.name} and {scored.name}"
        ) from error
    if audio.name not in about.get("files", {}):
        of = next((name for name in about.get("files", {}) if name != scored.name), "another sound")
        raise LogError(
            f"{audio}: was made by an earlier call than {beside.name}, which is of {of}; read that "
            "one back, or render this one again"
        )
    voicing = about["settings"]["voicing"]
    if voicing != "lanes":
        raise LogError(f"{audio}: the voicing is {voicing!r}; only lanes can be read back")
    timbre = about["settings"]["timbre"]
    if timbre != "sine":
        raise LogError(
            f"{audio}: the timbre is {timbre!r}, whose harmonics hide the other voices; render it "
            "with --timbre sine"
        )
    layout = _layout(about, rate)
    sound = _without_earcons(samples[about["legend_samples"] :], about, score, rate)
    found = decode(sound, layout, method=method, progress=progress)
    return _compared(about, score, found.pitch)


def _require_files(audio: Path, *beside: Path) -> None:
    """Refuse what is no sound with its description and its score."""
    expected = "expected a sound that 'epochord render audio' has written"
    if audio.is_dir():
        there = _sound_below(audio)
        remedy = f"such as {there}" if there else "and there is none in it"
        raise LogError(f"{audio}: is a folder; {expected}, {remedy}")
    if not audio.is_file():
        raise LogError(f"{audio}: no such file; {expected}")
    if audio.suffix.lower() not in AUDIO:
        raise LogError(f"{audio}: is no sound file; {expected} ({', '.join(AUDIO)})")
    for each in beside:
        if not each.is_file():
            raise LogError(
                f"{audio}: cannot be read back without {each.name} beside it; {expected}, in its "
                "folder"
            )


def _sound_below(folder: Path) -> Path | None:
    """Return the first sound in a folder, or further below, that has its score beside it."""
    for score in sorted(folder.rglob(f"*{SCORE}")):
        sounds = (score.with_name(score.name.removesuffix(SCORE) + suffix) for suffix in AUDIO)
        if found := next((sound for sound in sounds if sound.is_file()), None):
            return found
    return None


def _without_earcons(sound: Floats, about: dict[str, Any], score: pa.Table, rate: int) -> Floats:
    """Take away the earcons, which hide the voices: they are the same in every sound."""
    level = 10 ** (about["loudness"]["marks_db"] / 20)
    events = [
        Event(**one | {"kind": Kind(one["kind"]), "level": one["level"] * level})
        for one in json.loads(score.schema.metadata.get(EVENTS.encode(), "[]"))
    ]
    sides = pan_gains([lane["pan"] for lane in about["lanes"]])
    nothing = [np.zeros((len(sound), 2), np.float32)]
    (added,) = overlay(nothing, events, sides, rate)
    return np.asarray(sound - (added if sound.shape[1] == 2 else added.mean(axis=1, keepdims=True)))


def _layout(about: dict[str, Any], rate: int) -> Layout:
    lanes = about["lanes"]
    return Layout(
        registers=[[lane["low_hz"], lane["high_hz"]] for lane in lanes],
        pan=[lane["pan"] for lane in lanes],
        frame_length=about["frame_samples"],
        glide_length=about["glide_samples"],
        sample_rate=rate,
        frames=about["frames"],
    )


def _compared(about: dict[str, Any], score: Any, pitch: Floats) -> list[ReadBack]:
    voices, frames = pitch.shape
    logged = score["value"].to_numpy().reshape(frames, voices).T
    gain = score["gain"].to_numpy().reshape(frames, voices).T
    compared = []
    for voice, lane in enumerate(about["lanes"]):
        octaves = np.log2(lane["high_hz"] / lane["low_hz"])
        position = np.log2(pitch[voice] / lane["low_hz"]) / octaves
        if about["settings"]["polarity"] == "-":
            position = 1 - position
        scale = Scale(**about["scale"][lane["group"]])
        # What lies beyond the range is heard at its end: the sound cannot say more.
        heard = gain[voice] > 0
        ends = np.clip(logged[voice], scale.low, scale.high)
        compared.append(
            ReadBack(lane["voice"], scale.values(position), np.where(heard, ends, np.nan))
        )
    return compared
