"""The score: which voice sounds how high, how loud and where, frame by frame."""

import json
from dataclasses import asdict, dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from epochord.renderers.audio.scoring.events import Event, Utterance
from epochord.renderers.findings import Finding
from epochord.renderers.timeline.reduction import Frames
from epochord.runlog.arrow import arrow_array, texts
from epochord.runlog.words import short_repr

__all__ = ["EVENTS", "Anchor", "Glide", "Score", "State", "Tones", "states", "write_score"]


ROWS_A_GROUP = 1 << 14  # bounds the memory of a long score

EVENTS = "epochord.events"
SCHEMA = pa.schema(
    {
        "time": pa.float64(),
        "step": pa.int64(),
        "tag": pa.dictionary(pa.int32(), pa.string()),
        "value": pa.float64(),
        "pitch": pa.float64(),
        "gain": pa.float32(),
        "pan": pa.float32(),
        "state": pa.dictionary(pa.int8(), pa.string()),
    }
)


class State(IntEnum):
    """What a value is to a voice."""

    SOUNDING = 0
    HELD = 1  # beyond the voice's range: its top or bottom tone
    NAN = 2
    POSITIVE_INFINITY = 3
    NEGATIVE_INFINITY = 4
    MISSING = 5  # not measured
    ZERO = 6  # exactly: silence


STATES = texts([state.name.lower() for state in State])


@dataclass(frozen=True)
class Tones:
    """Voices in turn: in each frame a tone a voice, its phase beginning at zero.

    Parameters
    ----------
    length, ramp : int
        Of a tone, and of its rise and its fall, in samples.
    onsets : tuple of int
        Samples from the beginning of the frame, one a voice.
    """

    length: int
    onsets: tuple[int, ...]
    ramp: int = 0


@dataclass(frozen=True)
class Glide:
    """Voices all at once, gliding into each frame's pitch (see `synthesis.glide`).

    Parameters
    ----------
    length : int
        Samples at the beginning of each frame.
    release : int
        Samples behind the last frame in which its tones fade away.
    """

    length: int
    release: int = 0


class Anchor(NamedTuple):
    """A pitch in Hz, and the value that is heard there."""

    hertz: float
    value: float


@dataclass(frozen=True, repr=False, eq=False)
class Score:
    """Voices × frames, as plain data.

    Parameters
    ----------
    frames : Frames
        What is heard.
    voicing : str
        Who made this score.
    sample_rate : int
        Hz.
    channels : int
        1, or 2 for stereo.
    frame_length : int
        Samples.
    articulation : Tones or Glide
        Whether the voices sound in turn or at once.
    pitch : np.ndarray [shape=(voices, frames)]
        Hz; finite also where a voice is silent.
    gain : np.ndarray [shape=(voices, frames), float32]
        Amplitude of the fundamental; full scale is 1.
    pan : np.ndarray [shape=(voices,) or (voices, frames), float32]
        -1 left, 0 middle, 1 right.
    state : np.ndarray [shape=(voices, frames), int8]
        `State` of each value.
    partials : tuple of float
        Amplitudes of the harmonics, relative to the fundamental's.
    brightness : np.ndarray [shape=(voices, frames), float32], optional
        How much of the harmonics sounds, from 0 to 1; by default all.
    events : tuple of Event
        Earcons, in the order of time.
    speech : tuple of Utterance
        What is said, in the order of time.
    findings : tuple of Finding
        What happened in the run, in the order of steps.
    registers : np.ndarray [shape=(voices, 2)], optional
        Lowest and highest pitch of each voice in Hz: the ends of its scale.
    phase : np.ndarray [shape=(voices,)], optional
        Where each gliding voice begins, in cycles; by default at zero.
    anchors : tuple of Anchor or None, optional
        Where each voice lies that moves by an octave for a factor of ten.
    """

    frames: Frames
    voicing: str
    sample_rate: int
    channels: int
    frame_length: int
    articulation: Tones | Glide
    pitch: npt.NDArray[np.floating[Any]]
    gain: npt.NDArray[np.float32]
    pan: npt.NDArray[np.float32]
    state: npt.NDArray[np.int8]
    partials: tuple[float, ...] = (1.0,)
    brightness: npt.NDArray[np.float32] | None = None
    events: tuple[Event, ...] = ()
    speech: tuple[Utterance, ...] = ()
    findings: tuple[Finding, ...] = ()
    registers: npt.NDArray[np.float64] | None = None
    phase: npt.NDArray[np.float64] | None = None
    anchors: tuple[Anchor | None, ...] | None = None

    def __repr__(self) -> str:
        voices, frames = len(self.frames.names), self.frames.count
        size = f"{voices} voices × {frames} frames, {self.duration:.2f} s"
        return f"<Score {short_repr(self.voicing)}: {size}>"

    @property
    def samples(self) -> int:
        """Length of the sound in samples."""
        release = self.articulation.release if isinstance(self.articulation, Glide) else 0
        return self.frames.count * self.frame_length + release

    @property
    def duration(self) -> float:
        """Length of the sound in seconds."""
        return self.samples / self.sample_rate

    @property
    def places(self) -> npt.NDArray[np.float32]:
        """Place in the stereo field of each voice in each frame [shape=(voices, frames)]."""
        pan = self.pan if self.pan.ndim == 2 else self.pan[:, None]
        return np.broadcast_to(pan, self.pitch.shape)

    def counts(self) -> dict[str, int]:
        """Count the values that are not simply heard, by `State` in lower case; each once."""
        once = np.unique(self.frames.steps, return_index=True)[1]
        found = np.bincount(self.state[:, once].ravel(), minlength=len(State))
        return {state.name.lower(): int(found[state]) for state in State if state}


def states(frames: Frames) -> npt.NDArray[np.int8]:
    """Classify frames; a finite one is `State.SOUNDING`.

    Parameters
    ----------
    frames : Frames
        The values.

    Returns
    -------
    np.ndarray [shape=(voices, frames), int8]
        `State` of each: NaN if any of its steps is NaN, else an infinity if any is.
    """
    state = np.full(frames.values.shape, State.SOUNDING, dtype=np.int8)
    state[frames.measured == 0] = State.MISSING
    state[frames.negative_infinity > 0] = State.NEGATIVE_INFINITY
    state[frames.positive_infinity > 0] = State.POSITIVE_INFINITY
    state[frames.nan > 0] = State.NAN
    return state


def write_score(score: Score, path: Path) -> None:
    """Write a score as a long table: one row a frame and voice.

    Parameters
    ----------
    score : Score
        The score.
    path : Path
        Parquet file with the columns time (s), step, tag, value (null where
        nothing was measured), pitch (Hz), gain, pan and state; in its metadata,
        under `EVENTS`, the events as JSON.
    """
    voices = max(1, len(score.frames.names))
    frames = max(1, ROWS_A_GROUP // voices)
    heard = score.frames.values
    events = json.dumps([asdict(event) for event in score.events])
    schema = SCHEMA.with_metadata({EVENTS: events})
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for start in range(0, score.frames.count, frames):
            stop = min(start + frames, score.frames.count)
            writer.write_table(_rows(score, heard[:, start:stop], start, stop, schema))


def _rows(
    score: Score, heard: npt.NDArray[np.floating[Any]], start: int, stop: int, schema: pa.Schema
) -> pa.Table:
    frames, span = score.frames, slice(start, stop)
    voices = len(frames.names)
    onsets = score.articulation.onsets if isinstance(score.articulation, Tones) else (0,) * voices
    begins = np.arange(start, stop)[:, None] * score.frame_length
    tag = np.tile(np.arange(voices, dtype=np.int32), stop - start)
    state = score.state[:, span].T.ravel()
    values = _as_logged(heard, score.state[:, span])
    columns = [
        arrow_array((begins + np.array(onsets)).ravel() / score.sample_rate),
        arrow_array(np.repeat(frames.steps[span], voices)),
        pa.DictionaryArray.from_arrays(arrow_array(tag), texts(frames.names)),
        arrow_array(values.T.ravel(), state == State.MISSING),
        arrow_array(score.pitch[:, span].T.ravel().astype(np.float64)),
        arrow_array(score.gain[:, span].T.ravel()),
        arrow_array(score.places[:, span].T.ravel()),
        pa.DictionaryArray.from_arrays(arrow_array(state), STATES),
    ]
    return pa.table(columns, schema=schema)


def _as_logged(
    values: npt.NDArray[np.floating[Any]], state: npt.NDArray[np.int8]
) -> npt.NDArray[np.float64]:
    """Put back what is not finite, which the frames count instead of holding it."""
    logged = values.astype(np.float64)
    nothing = ~np.isfinite(logged)
    logged[nothing & (state == State.POSITIVE_INFINITY)] = np.inf
    logged[nothing & (state == State.NEGATIVE_INFINITY)] = -np.inf
    return logged
