"""From an ensemble's disagreement to sound, in step with its video.

Each run is a choir with a voice a member.  How high it sings is the logarithm of
the spread: the standard deviation over the members, mean over the grid.  Each
voice is off that pitch by how far its member is from the ensemble's mean: an
ensemble that agrees sings in unison, one that does not a cluster that beats.

What a run's voices add up to depends on their phases: forty in phase are 16 dB
louder than forty that are independent, and others cancel each other.  The phases
are known beforehand, so a gain that changes slowly keeps every run as loud as
independent voices would be, and leaves fast beats as they are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.ndimage import convolve1d
from scipy.signal.windows import hann

from epochord.renderers.audio.description import cues
from epochord.renderers.audio.files.write import write_audio
from epochord.renderers.audio.level.loudness import TARGET_LUFS
from epochord.renderers.audio.mixing import levels, mixed
from epochord.renderers.audio.scoring.events import Event
from epochord.renderers.audio.scoring.marks import state_events
from epochord.renderers.audio.scoring.pitching import WIDEST, held
from epochord.renderers.audio.scoring.registers import registers
from epochord.renderers.audio.scoring.scale import Scale, robust, sample
from epochord.renderers.audio.scoring.score import Glide, Score, State
from epochord.renderers.audio.synthesis.glide import pan_gains, phases
from epochord.renderers.ensemble.pacing import FPS
from epochord.renderers.results.output import writing
from epochord.renderers.timeline.reduction import Frames, reduce
from epochord.renderers.timeline.timeline import Timeline

__all__ = ["MOST_SEMITONES", "MOST_VOICES", "Disagreement", "ensemble_score", "write_sound"]

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.int64]

SAMPLE_RATE = 44_100  # Hz
GLIDE_SHARE = 0.4  # of a step: 7 ms at 60 frames a second
LEVEL = 0.25  # RMS of all voices together, over both channels, before it is levelled
MOST_VOICES = 64  # a run
SEMITONES = 1.0  # that a member is off if it deviates by the top of the scale of spreads
MOST_SEMITONES = 3.0  # that any is off
GAP = 0.1  # between the places of two runs, as a share of each
EARCON = 0.12  # s
STEADY = 1.0  # s; levels are kept over about half of this, and faster beats are left alone
LEAST_POWER = 0.01  # of independent voices: what cancels further is not raised any more


@dataclass(frozen=True)
class Disagreement:
    """How much the members of one ensemble disagree, epoch by epoch.

    Parameters
    ----------
    name : str
        Of the run.
    spread : np.ndarray [shape=(epochs,)]
        Standard deviation over the members, mean over the grid; zero, or NaN
        where there is none, sounds as the lowest tone.
    deviation : np.ndarray [shape=(members, epochs)]
        Of each member from the ensemble's mean, mean over the grid, with its
        sign; NaN for a member that is not finite, whose voice is then silent.

    Raises
    ------
    ValueError
        If the shapes do not fit, or there is no member or no epoch.
    """

    name: str
    spread: Floats
    deviation: Floats

    def __post_init__(self) -> None:
        shape = np.shape(self.deviation)
        if len(shape) != 2 or 0 in shape or np.shape(self.spread) != shape[1:]:
            raise ValueError(
                f"{self.name}: spread has shape {np.shape(self.spread)}, deviation {shape}; "
                "expected (epochs,) and (members, epochs), at least one of each"
            )

    @property
    def heard(self) -> Ints:
        """The members that have a voice: all, or `MOST_VOICES` of them at evenly spaced ranks.

        Ranked by their mean deviation over all epochs, so that few voices stand
        for the whole ensemble, and each for the same member throughout.
        """
        members = len(self.deviation)
        if members <= MOST_VOICES:
            return np.arange(members)
        finite = np.isfinite(self.deviation)
        total = np.where(finite, self.deviation, 0).sum(axis=1)
        count = finite.sum(axis=1)
        mean = np.where(count, total / np.maximum(count, 1), np.inf)
        ranks = np.linspace(0, members - 1, MOST_VOICES).round().astype(np.int64)
        return np.sort(np.argsort(mean, kind="stable")[ranks])


def ensemble_score(
    parts: Sequence[Disagreement], shown: npt.ArrayLike, fps: int = FPS, *, fading: int = 0
) -> Score:
    """Score the disagreement of one or several ensembles.

    All share one scale of spreads, from the lowest to the highest tone of each
    one's register (see `epochord.renderers.audio.scoring.registers`); a member that deviates by
    the scale's highest spread is off by `SEMITONES`.  Runs lie from low and left
    to high and right, the members of each side by side.  A register is lower by
    the widest detuning than for voices alone, and no detuning reaches the
    neighbour's.

    Parameters
    ----------
    parts : sequence of Disagreement
        One a run, 1 to 12.
    shown : array-like [shape=(parts, frames) or (frames,)]
        Which of its epochs each run shows in each frame of the video, counted
        from 0, 1.5 halfway between the second and the third; one row for all that
        share it.  The sound falls in the last frame.
    fps : int
        Frames of the video a second; it divides 44,100.
    fading : int
        In how many frames the picture fades to the first epoch; the sound swells in them.

    Returns
    -------
    Score
        Exactly as long as the video, with the fade at either end in it.

    Raises
    ------
    ValueError
        If the clock does not fit the epochs or the samples.
    """
    if fps < 1 or SAMPLE_RATE % fps:
        raise ValueError(f"fps is {fps}; expected a number that divides {SAMPLE_RATE}")
    clock = _checked(parts, np.asarray(shown, np.float64))
    pace = _Pace(SAMPLE_RATE // fps)
    scale = robust(sample(part.spread) for part in parts)
    choirs = [
        _choir(part, epochs, scale, place, pace)
        for part, epochs, place in zip(parts, clock, _places(len(parts)), strict=True)
    ]
    gain = np.concatenate([choir.gain for choir in choirs]) * (LEVEL / len(parts) ** 0.5)
    gain[:, :fading] *= np.arange(fading) / max(fading, 1)
    gain[:, -1] = 0  # what is before fades in it
    return Score(
        frames=_frames(choirs, _notes(parts, choirs, scale)),
        voicing="ensemble",
        sample_rate=SAMPLE_RATE,
        channels=2,
        frame_length=pace.step,
        articulation=Glide(pace.glide),
        pitch=np.concatenate([choir.pitch for choir in choirs]),
        gain=gain.astype(np.float32),
        pan=np.concatenate([choir.pan for choir in choirs]),
        state=np.concatenate([choir.state for choir in choirs]),
        events=_events(parts, clock, pace),
        registers=np.concatenate([np.tile(each.register, (len(each.pan), 1)) for each in choirs]),
        phase=np.concatenate([choir.phase for choir in choirs]),
    )


def write_sound(score: Score, path: Path, *, lufs: float = TARGET_LUFS) -> dict[str, Any]:
    """Write a score as a WAV file of 16 bit, levelled.

    Parameters
    ----------
    score : Score
        See `ensemble_score`.
    path : Path
        The file.
    lufs : float
        Integrated loudness; the true peak stays below -1 dBTP all the same.

    Returns
    -------
    dict of str to Any
        ``gain_db``, ``lufs`` and ``true_peak_dbtp``, as plain JSON values; None
        where there is none.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    rate, channels = score.sample_rate, score.channels
    (level,) = levels([[score]], lufs)
    with writing(path) as temporary:
        write_audio(
            temporary,
            mixed([score], level),
            samples=score.samples,
            sample_rate=rate,
            channels=channels,
            cues=cues(score, 0),
        )
    return level.to_dict()


class _Pace(NamedTuple):
    """Samples of a step of the score."""

    step: int

    @property
    def glide(self) -> int:
        return max(1, round(GLIDE_SHARE * self.step))


class _Place(NamedTuple):
    """Where a run is: its register in Hz, its sides, and the most semitones that a voice is off."""

    register: npt.NDArray[np.float64]
    sides: tuple[float, float]
    most: float


class _Choir(NamedTuple):
    """One run's voices × steps; gains are relative to a level of 1."""

    names: tuple[str, ...]
    values: Floats
    state: npt.NDArray[np.int8]
    pitch: Floats
    gain: Floats
    pan: npt.NDArray[np.float32]
    phase: Floats
    register: Floats


def _checked(parts: Sequence[Disagreement], shown: Floats) -> Floats:
    """Return the clock with a row a run."""
    if not parts or shown.ndim not in (1, 2) or not shown.shape[-1]:
        raise ValueError(f"{len(parts)} runs, shown {shown.shape}; expected some of both")
    clock = np.broadcast_to(shown, (len(parts), shown.shape[-1]))
    for part, epochs in zip(parts, clock, strict=True):
        count = len(part.spread)
        if epochs.min() < 0 or epochs.max() >= count:
            raise ValueError(
                f"{part.name}: epochs {epochs.min():g} to {epochs.max():g} are shown; "
                f"expected 0 to {count - 1}"
            )
    return clock


def _places(runs: int) -> Iterator[_Place]:
    """Divide pitch and the stereo field between the runs."""
    bands = registers(runs)
    gap = np.log2(bands[1:, 0] / bands[:-1, 1]).min(initial=np.inf) * 12
    most = min(MOST_SEMITONES, float(gap) / 2)
    edges = np.linspace(-WIDEST, WIDEST, runs + 1)
    room = GAP / 2 * (edges[1] - edges[0]) if runs > 1 else 0.0
    for number, band in enumerate(bands):
        sides = float(edges[number] + room), float(edges[number + 1] - room)
        yield _Place(band / 2 ** (most / 12), sides, most)


def _choir(part: Disagreement, places: Floats, scale: Scale, place: _Place, pace: _Pace) -> _Choir:
    """Let one run sing."""
    heard = part.heard
    deviation = part.deviation[heard].astype(np.float64)
    pitch, state = _pitched(part.spread, deviation, scale, place)
    low, high = place.register
    with np.errstate(invalid="ignore"):
        pitch = np.exp2(_between(np.log2(pitch), places))
    pitch = np.stack([held(row, (low * high) ** 0.5) for row in pitch])
    state = state[:, _nearest(places)]
    voices = len(heard)
    pan = np.linspace(*place.sides, voices) if voices > 1 else np.array([np.mean(place.sides)])
    phase = _first_phases(voices)
    alive = (state != State.NAN).astype(np.float64)
    return _Choir(
        names=tuple(f"{part.name}, member {member}" for member in heard),
        values=_between(deviation, places),
        state=state,
        pitch=pitch,
        gain=alive * (2 / voices) ** 0.5 * _evenly(pitch, alive, pan, phase, pace),
        pan=pan.astype(np.float32),
        phase=phase,
        register=place.register,
    )


def _nearest(places: Floats) -> Ints:
    """Return the epochs that are seen where a member is in only one of two, as in the picture."""
    nearest: Ints = np.floor(places + 0.5).astype(np.int64)
    return nearest


def _between(rows: Floats, places: Floats) -> Floats:
    """Return rows [shape=(voices, epochs)] at places between epochs, linearly."""
    before = places.astype(np.int64)
    after = np.minimum(before + 1, rows.shape[1] - 1)
    with np.errstate(invalid="ignore"):
        mixed = rows[:, before] + (places - before) * (rows[:, after] - rows[:, before])
    return np.where(np.isfinite(mixed), mixed, rows[:, _nearest(places)])


def _pitched(
    spread: Floats, deviation: Floats, scale: Scale, place: _Place
) -> tuple[Floats, npt.NDArray[np.int8]]:
    """Return pitch, NaN for silence, and state of each member in each epoch."""
    low, high = place.register
    known = np.where(np.isnan(spread), 0.0, spread)  # of a single member there is no spread
    middle = low * (high / low) ** scale.positions(known)
    with np.errstate(over="ignore"):
        off = SEMITONES * deviation / scale.high
    pitch = middle * 2 ** (np.clip(off, -place.most, place.most) / 12)
    beyond = (known < scale.low) | (known > scale.high) | (np.abs(off) > place.most)
    state = np.where(beyond, State.HELD, State.SOUNDING)
    silent = ~np.isfinite(deviation)
    return np.where(silent, np.nan, pitch), np.where(silent, State.NAN, state).astype(np.int8)


def _first_phases(voices: int) -> Floats:
    """Return phases, in cycles, with which voices in unison are as loud as independent ones.

    The magnitude of a Gauss sum over n terms is the square root of n (Chu,
    IEEE Transactions on Information Theory 18, 1972).
    """
    number = np.arange(voices)
    return (number * (number + voices % 2) / (2 * voices)) % 1.0


def _evenly(pitch: Floats, alive: Floats, pan: Floats, phase: Floats, pace: _Pace) -> Floats:
    """Return the gain in each step that keeps the voices as loud as independent ones."""
    start = phases(
        pitch,
        frame_length=pace.step,
        glide_length=pace.glide,
        sample_rate=SAMPLE_RATE,
        phase=phase,
    )
    both = pan_gains(pan) @ (alive * np.exp(2j * np.pi * start))  # left and right
    window = hann(round(STEADY * SAMPLE_RATE / pace.step) | 1, sym=True)
    power = convolve1d(np.square(np.abs(both)).sum(axis=0), window, mode="constant")
    wanted = convolve1d(alive.sum(axis=0), window, mode="constant")
    least = np.maximum(power, LEAST_POWER * wanted)
    return np.sqrt(np.divide(wanted, least, out=np.ones_like(wanted), where=least > 0))


def _frames(choirs: Sequence[_Choir], notes: tuple[str, ...]) -> Frames:
    values = np.concatenate([choir.values for choir in choirs])
    names = tuple(name for choir in choirs for name in choir.names)
    steps = np.arange(values.shape[1])
    return reduce(Timeline(steps, names, values, np.ones(values.shape, bool), "deviation", notes))


def _notes(
    parts: Sequence[Disagreement], choirs: Sequence[_Choir], scale: Scale
) -> tuple[str, ...]:
    """Say what is heard where."""
    notes = [
        f"{part.name}: a mean sd of {scale.low:.3g} to {scale.high:.3g} is heard at "
        f"{choir.register[0]:.0f} to {choir.register[1]:.0f} Hz, "
        f"a deviation of {scale.high:.3g} as {SEMITONES:g} semitone"
        for part, choir in zip(parts, choirs, strict=True)
    ]
    fewer = [
        f"{part.name}: {len(choir.names)} of {len(part.deviation)} members have a voice"
        for part, choir in zip(parts, choirs, strict=True)
        if len(choir.names) < len(part.deviation)
    ]
    return (*notes, *fewer)


def _events(parts: Sequence[Disagreement], clock: Floats, pace: _Pace) -> tuple[Event, ...]:
    """Mark each member that is not finite: at its voice, or in the middle if it has none."""
    rows, voices, first = [], [], 0
    for part, epochs in zip(parts, clock, strict=True):
        finite = np.isfinite(part.deviation[:, _nearest(epochs)])
        rows.append(np.where(finite, State.SOUNDING, State.NAN).astype(np.int8))
        voice = np.full(len(finite), -1)
        voice[part.heard] = first + np.arange(len(part.heard))
        voices.append(voice)
        first += len(part.heard)
    voice, end = np.concatenate(voices), clock.shape[1] * pace.step
    length = round(EARCON * SAMPLE_RATE)
    return tuple(
        replace(event, voice=int(voice[event.voice]), length=min(length, end - event.sample))
        for event in state_events(np.concatenate(rows), pace.step, SAMPLE_RATE)
    )
