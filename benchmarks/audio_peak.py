"""How much of a sound the true-peak meter interpolates, and how much faster that makes it."""

from collections.abc import Callable
from functools import partial
from itertools import chain

import numpy as np
import numpy.typing as npt

from benchmarks.audio_speed import POINTS, SECONDS
from benchmarks.measure import interleaved, ratios, spread
from benchmarks.norms import run_of_norms
from benchmarks.tables import table
from benchmarks.targets import Part
from epochord.renderers.audio import AudioSettings
from epochord.renderers.audio.level.true_peak import TruePeakMeter
from epochord.renderers.audio.scoring.compose import audio_score
from epochord.renderers.audio.synthesis.blocks import blocks
from epochord.runlog import Run

__all__ = ["measured"]

ROUNDS = 7
RATE = 44_100  # Hz
STEADY = {  # Hz
    "a sine of 440 Hz": [440.1],
    "a sine of 3 kHz": [3000.1],
    "a sine of 10 kHz": [10_000.1],
    "three steady sines": [440.1, 1234.5, 3210.7],
}
EVERYWHERE = 1e300  # a bound on bends that lets no place be passed over

Blocks = list[npt.NDArray[np.float32]]


def measured() -> Part:
    """Measure each sound both ways and return the table."""
    sounds = _sounds()
    works: dict[str, Callable[[], object]] = {}
    for name, sound in sounds.items():
        works[name] = partial(_peak, sound)
        works[_every(name)] = partial(_peak, sound, EVERYWHERE)
        if abs(_peak(sound) / _peak(sound, EVERYWHERE) - 1) > 1e-12:
            raise AssertionError(f"{name}: the peaks differ")
    times = interleaved(works, rounds=ROUNDS)
    rows = []
    for name in sounds:
        ways = [spread(1e3 * times[way]).text(1) for way in (_every(name), name)]
        rows.append([name, *ways, ratios(times, _every(name), to=name).text(1)])
    head = ["sound", "every point, CPU ms", "where it could be higher, CPU ms", "every ÷ where"]
    title = f"The true peak of {SECONDS} s in stereo, {ROUNDS} rounds: median (quartiles)"
    return Part([table(title, head, rows)])


def _every(name: str) -> str:
    return f"{name}, every point"


def _peak(sound: Blocks, bent: float | None = None) -> float:
    meter = TruePeakMeter(2)
    if bent is not None:
        meter._bent = bent
    for block in sound:
        meter.add(block)
    return meter.peak()


def _sounds() -> dict[str, Blocks]:
    run = run_of_norms(POINTS)
    one = Run(run.name, run.metadata, dict([next(iter(run.series.items()))]))
    made = {
        "lanes": _made(run, "lanes"),
        "lanes, warm": _made(run, "lanes", timbre="warm"),
        "sequence": _made(run, "sequence"),
        "lanes of one voice": _made(one, "lanes"),
        "lanes of one voice, warm": _made(one, "lanes", timbre="warm"),
    }
    time = np.arange(SECONDS * RATE) / RATE
    steady = {
        name: sum(np.sin(2 * np.pi * pitch * time) for pitch in pitches) / len(pitches)
        for name, pitches in STEADY.items()
    }
    noise = 0.1 * np.random.default_rng(0).normal(size=len(time))
    return made | {
        name: np.array_split(np.stack([wave, wave], axis=1).astype(np.float32), SECONDS)
        for name, wave in chain(steady.items(), [("white noise", noise)])
    }


def _made(run: Run, voicing: str, timbre: str = "sine") -> Blocks:
    score, _ = audio_score(run, AudioSettings(voicing=voicing, duration=SECONDS, timbre=timbre))
    return list(blocks(score))
