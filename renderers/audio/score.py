"""The score: which voice sounds how high, how loud and where, frame by frame."""

from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from renderers.timeline import Timeline

__all__ = ["Score", "State", "states", "write_score"]


ROWS_A_GROUP = 1 << 16  # bounds the memory of a long score

SCHEMA = pa.schema(
    {
        "time": pa.float64(),
        "step": pa.int64(),
        "tag": pa.dictionary(pa.int32(), pa.string()),
        "value": pa.float64(),
        "pitch": pa.float32(),
        "gain": pa.float32(),
        "pan": pa.float32(),
        "state": pa.dictionary(pa.int8(), pa.string()),
    }
)


class State(IntEnum):
    """What a value is to a voice."""

    SOUNDING = 0
    HELD = 1  # beyond the voice's range: its top tone
    NAN = 2
    POSITIVE_INFINITY = 3
    NEGATIVE_INFINITY = 4
    MISSING = 5  # not measured


@dataclass(frozen=True)
class Score:
    """Voices × frames, as plain data.

    A frame lasts `frame_length` samples.  In it, voice v sounds for
    `tone_length` samples from `onsets[v]` on, its phase beginning at zero.

    Parameters
    ----------
    timeline : Timeline
        What is heard.
    voicing : str
        Who made this score.
    sample_rate : int
        Hz.
    frame_length, tone_length : int
        Samples.
    onsets : tuple of int
        Samples from the beginning of the frame, one a voice.
    pitch : np.ndarray [shape=(voices, frames), float32]
        Hz.
    gain : np.ndarray [shape=(voices, frames), float32]
        Amplitude of the sine; full scale is 1.
    pan : np.ndarray [shape=(voices,), float32]
        -1 left, 0 middle, 1 right.
    state : np.ndarray [shape=(voices, frames), int8]
        `State` of each value.
    """

    timeline: Timeline
    voicing: str
    sample_rate: int
    frame_length: int
    tone_length: int
    onsets: tuple[int, ...]
    pitch: npt.NDArray[np.float32]
    gain: npt.NDArray[np.float32]
    pan: npt.NDArray[np.float32]
    state: npt.NDArray[np.int8]

    @property
    def samples(self) -> int:
        """Length of the sound in samples."""
        return self.timeline.frames * self.frame_length

    @property
    def duration(self) -> float:
        """Length of the sound in seconds."""
        return self.samples / self.sample_rate

    def counts(self) -> dict[str, int]:
        """Count the values that are not simply heard, by `State` in lower case."""
        found = np.bincount(self.state.ravel(), minlength=len(State))
        return {state.name.lower(): int(found[state]) for state in State if state}


def states(timeline: Timeline) -> npt.NDArray[np.int8]:
    """Classify the values of a timeline; what is finite is `State.SOUNDING`.

    Parameters
    ----------
    timeline : Timeline
        The values.

    Returns
    -------
    np.ndarray [shape=(series, frames), int8]
        `State` of each.
    """
    state = np.full(timeline.values.shape, State.SOUNDING, dtype=np.int8)
    state[np.isnan(timeline.values)] = State.NAN
    state[np.isposinf(timeline.values)] = State.POSITIVE_INFINITY
    state[np.isneginf(timeline.values)] = State.NEGATIVE_INFINITY
    state[~timeline.measured] = State.MISSING
    return state


def write_score(score: Score, path: Path) -> None:
    """Write a score as a long table: one row a frame and voice.

    Parameters
    ----------
    score : Score
        The score.
    path : Path
        Parquet file with the columns time (s), step, tag, value (null where
        nothing was measured), pitch (Hz), gain, pan and state.
    """
    voices = max(1, len(score.timeline.names))
    frames = max(1, ROWS_A_GROUP // voices)
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        for start in range(0, score.timeline.frames, frames):
            writer.write_table(_rows(score, start, min(start + frames, score.timeline.frames)))


def _rows(score: Score, start: int, stop: int) -> pa.Table:
    timeline, span = score.timeline, slice(start, stop)
    voices = len(timeline.names)
    begins = np.arange(start, stop)[:, None] * score.frame_length
    tag = np.tile(np.arange(voices, dtype=np.int32), stop - start)
    state = score.state[:, span].T.ravel()
    columns = [
        (begins + np.array(score.onsets)).ravel() / score.sample_rate,
        np.repeat(timeline.steps[span], voices),
        pa.DictionaryArray.from_arrays(tag, list(timeline.names)),
        pa.array(
            timeline.values[:, span].T.ravel().astype(np.float64),
            mask=~timeline.measured[:, span].T.ravel(),
        ),
        score.pitch[:, span].T.ravel(),
        score.gain[:, span].T.ravel(),
        np.tile(score.pan, stop - start),
        pa.DictionaryArray.from_arrays(state, [each.name.lower() for each in State]),
    ]
    return pa.table(columns, schema=SCHEMA)
