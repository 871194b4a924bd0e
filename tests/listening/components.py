"""From a score to what sounds: a table of partials, moment by moment.

A moment is a frame; of voices in turn, each stretch of a frame between two onsets or ends.
Levels are those of the product played so that -23 LUFS, to which it brings every sound, is
70 dB SPL.  Glides, rises and falls are shorter than what an ear adds up, and left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.scoring.events import Event, Kind
from epochord.renderers.audio.scoring.score import Score, Tones
from epochord.renderers.audio.synthesis.blocks import HIGHEST
from epochord.renderers.audio.synthesis.earcons import earcon
from tests.listening.auditory import cams
from tests.listening.playback import MIX_DB, loudness_lufs

__all__ = ["EARCON", "Components", "components"]

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

EARCON = -1  # the voice of what is none
FAINT_DB = 80.0  # below the mix: left out
BANDS_A_CAM = 4  # of an earcon's spectrum
EVENTS_LUFS = -23.0
EARCON_DB = 40.0  # below an earcon's strongest band: left out


@dataclass(frozen=True, eq=False)
class Components:
    """Partials, in the order of moments and in each of voices.

    Parameters
    ----------
    frequency, level, pan : np.ndarray [shape=(n,)]
        Hz; dB SPL, both channels together; from -1 (left) to 1.
    voice : np.ndarray [shape=(n,), int64]
        Whose each is; `EARCON` for that of an event.
    fundamental : np.ndarray [shape=(n,), bool]
    moment : np.ndarray [shape=(n,), int64]
        In which each sounds, ascending.
    event : np.ndarray [shape=(n,), int64]
        Which of the score's events each belongs to; -1 for voices.
    frame : np.ndarray [shape=(moments,), int64]
        In which each moment lies.
    share : np.ndarray [shape=(moments,)]
        Of its frame, how much each moment takes.
    voices : int
    """

    frequency: Floats
    level: Floats
    pan: Floats
    voice: Whole
    fundamental: npt.NDArray[np.bool_]
    moment: Whole
    event: Whole
    frame: Whole
    share: Floats
    voices: int

    @property
    def frames(self) -> int:
        """Number of frames."""
        return int(self.frame[-1]) + 1

    def only(self, chosen: npt.NDArray[np.bool_]) -> "Components":
        """Return those that are chosen [shape=(n,)], in all the moments."""
        table = {name: getattr(self, name)[chosen] for name in COLUMNS}
        return Components(**table, frame=self.frame, share=self.share, voices=self.voices)


COLUMNS = ("frequency", "level", "pan", "voice", "fundamental", "moment", "event")


def components(score: Score) -> Components:
    """Take a score apart.

    Parameters
    ----------
    score : Score
        Of any voicing.

    Returns
    -------
    Components
        Without what lies 80 dB below the mix.
    """
    begins, ends = _stretches(score)
    parts = [*_voices(score, begins, ends), *_earcons(score, begins, ends)]
    table = {name: np.concatenate([part[name] for part in parts]) for name in COLUMNS}
    share = np.tile((ends - begins) / score.frame_length, score.frames.count)
    frame = np.repeat(np.arange(score.frames.count), len(begins))
    own = table["event"] < 0
    loud = loudness_lufs(
        table["frequency"][own], table["level"][own], table["moment"][own], share,
        seconds=score.frame_length / score.sample_rate, sample_rate=score.sample_rate,
    )  # fmt: skip
    # Only the voices are levelled; the events' levels are those in a sound of -23 LUFS.
    table["level"] = table["level"] + MIX_DB - np.where(own, loud, EVENTS_LUFS)
    kept = table["level"] > MIX_DB - FAINT_DB
    order = np.lexsort((table["voice"], table["moment"]))
    order = order[kept[order]]
    table = {name: column[order] for name, column in table.items()}
    return Components(**table, frame=frame, share=share, voices=len(score.pitch))


def _stretches(score: Score) -> tuple[Whole, Whole]:
    """Return where the moments of each frame begin and end, in samples."""
    tones = score.articulation
    edges = {0, score.frame_length}
    if isinstance(tones, Tones):
        edges |= {edge for onset in tones.onsets for edge in (onset, onset + tones.length)}
    sorted_edges = np.array(sorted(edge for edge in edges if edge <= score.frame_length))
    return sorted_edges[:-1], sorted_edges[1:]


def _voices(score: Score, begins: Whole, ends: Whole) -> Iterator[dict[str, npt.NDArray]]:
    frames = np.arange(score.frames.count)
    tones = score.articulation
    for voice, places in enumerate(score.places):
        if isinstance(tones, Tones):
            onset = tones.onsets[voice]
            within = np.flatnonzero((begins >= onset) & (ends <= onset + tones.length))
        else:
            within = np.arange(len(begins))
        moment = (frames[:, None] * len(begins) + within).ravel()
        for number, amplitude in enumerate(score.partials, start=1):
            if not amplitude:
                continue
            pitch = score.pitch[voice].astype(np.float64) * number
            share = 1.0 if number == 1 or score.brightness is None else score.brightness[voice]
            gain = np.abs(score.gain[voice] * amplitude * share).astype(np.float64)
            gain = np.where(pitch > HIGHEST * score.sample_rate, 0, gain)
            level = 10 * np.log10(gain**2 / 2 + 1e-30)
            many = len(within)
            yield _column(
                np.repeat(pitch, many), np.repeat(level, many), np.repeat(places, many),
                voice, number == 1, moment, -1,
            )  # fmt: skip


def _earcons(score: Score, begins: Whole, ends: Whole) -> Iterator[dict[str, npt.NDArray]]:
    """Yield the bands of each event in each moment that it reaches."""
    starts, length = begins, score.frame_length
    for number, event in enumerate(score.events):
        first, last = event.sample // length, (event.sample + event.length - 1) // length
        for frame in range(first, min(last, score.frames.count - 1) + 1):
            for place in range(len(starts)):
                begin = frame * length + begins[place] - event.sample
                end = frame * length + ends[place] - event.sample
                pitch, level = _bands(event, int(begin), int(end), score.sample_rate)
                moment = np.full(len(pitch), frame * len(starts) + place)
                pan = np.full(len(pitch), _place(score, event))
                yield _column(
                    pitch, level + 20 * np.log10(max(event.level, 1e-12)), pan,
                    EARCON, False, moment, number,
                )  # fmt: skip


def _place(score: Score, event: Event) -> float:
    return float(score.places[event.voice].mean()) if event.voice >= 0 else 0.0


def _bands(event: Event, begin: int, end: int, sample_rate: int) -> tuple[Floats, Floats]:
    return _spectrum(
        event.kind, event.length, sample_rate, max(begin, 0), min(end, event.length), end - begin
    )


@cache
def _spectrum(
    kind: Kind, length: int, sample_rate: int, begin: int, end: int, over: int
) -> tuple[Floats, Floats]:
    """Return Hz and dB of the bands of a part of an earcon, its power spread over a moment."""
    part = earcon(kind, length, sample_rate)[begin:end].astype(np.float64)
    if not part.any():
        return np.empty(0), np.empty(0)
    size = max(len(part), sample_rate // 20)
    power = np.abs(np.fft.rfft(part, size)) ** 2
    power *= np.square(part).sum() / over / power.sum()
    frequency = np.fft.rfftfreq(size, 1 / sample_rate)
    band = np.round(cams(frequency) * BANDS_A_CAM).astype(np.int64)
    total = np.bincount(band, power)
    centre = np.bincount(band, power * frequency) / np.maximum(total, 1e-30)
    kept = (total > total.max() * 10 ** (-EARCON_DB / 10)) & (centre > 20)
    return centre[kept], 10 * np.log10(total[kept])


def _column(
    frequency: Floats,
    level: Floats,
    pan: npt.NDArray[np.floating],
    voice: int,
    fundamental: bool,
    moment: Whole,
    event: int,
) -> dict[str, npt.NDArray]:
    many = len(moment)
    return {
        "frequency": frequency,
        "level": level,
        "pan": pan.astype(np.float64),
        "voice": np.full(many, voice),
        "fundamental": np.full(many, fundamental),
        "moment": moment,
        "event": np.full(many, event),
    }
