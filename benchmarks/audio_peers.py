"""Other ways to hear four series at once as pitch over time, each as its documentation does it.

Each takes the task and returns its samples.  What one needs is imported when it
is called, so that the others run without it: ``pip install strauss pya mir_eval``.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.audio_original import loop

__all__ = ["LOOP", "PEERS", "STRAUSS", "SharedTask", "failures"]

SAMPLE_RATE = 44_100  # Hz
STRAUSS, LOOP = "strauss", "original loop"

# What a package raises that is not there, or that does not get on with the others.
FAILURES = (ImportError, AttributeError, TypeError, ValueError, RuntimeError, OSError)

Samples = npt.NDArray[np.floating[Any]]


class SharedTask(NamedTuple):
    """Values [shape=(4, points), positive] that are to become so many seconds of sound."""

    values: npt.NDArray[np.float32]
    seconds: int

    def positions(self) -> npt.NDArray[np.float64]:
        """Return where the values lie in their common range, from 0 to 1, by their logarithms."""
        logarithms = np.log(self.values.astype(np.float64))
        low, high = logarithms.min(), logarithms.max()
        return (logarithms - low) / (high - low)

    def pitches(self) -> npt.NDArray[np.float64]:
        """Return a pitch in Hz for each value, an octave for each series."""
        return 110 * 2 ** (np.arange(len(self.values))[:, None] + self.positions())

    def times(self) -> npt.NDArray[np.float64]:
        """Return when each value is heard, in seconds."""
        return np.linspace(0, self.seconds, self.values.shape[1])


def failures(task: SharedTask) -> dict[str, str]:
    """Try all peers; return why, by name, some of them cannot be measured."""
    found = {}
    for name, peer in PEERS.items():
        try:
            _require_sound(peer(task), task)
        except FAILURES as error:
            found[name] = f"{type(error).__name__}: {error}".splitlines()[0]
    return found


def _require_sound(samples: Samples, task: SharedTask) -> None:
    seconds = len(samples) / SAMPLE_RATE
    if abs(seconds - task.seconds) > 1 or not np.isfinite(samples).all() or not samples.any():
        raise ValueError(f"makes no sound of {task.seconds} s: nothing to compare")


def _strauss(task: SharedTask) -> Samples:
    """Follow its example `SonifyingData1D`: evolving objects, the preset for pitch, in stereo."""
    with _without_ipython():
        from strauss.generator import Synthesizer
        from strauss.score import Score
        from strauss.sonification import Sonification
        from strauss.sources import Objects

    voices, points = task.values.shape
    data = {
        "pitch": list(range(voices)),
        "time_evo": [np.linspace(0, 1, points)] * voices,
        "azimuth": [0.25, 0.1, 0.9, 0.75],  # turns
        "polar": [0.5] * voices,
        "pitch_shift": list(task.positions()),
    }
    sources = Objects(data.keys())
    sources.fromdict(data)
    sources.apply_mapping_functions(param_lims={"pitch_shift": (0, 12)})  # semitones
    generator = Synthesizer(samprate=SAMPLE_RATE)
    generator.load_preset("pitch_mapper")
    notes = Score([["A2", "A3", "A4", "A5"]], task.seconds)
    sonification = Sonification(notes, sources, generator, "stereo", samprate=SAMPLE_RATE)
    sonification.render()
    return np.stack([each.values for each in sonification.out_channels.values()], axis=1)


@contextmanager
def _without_ipython() -> Iterator[None]:
    """Stand in for IPython, which strauss imports to show players in notebooks and for no more."""
    names = [] if find_spec("IPython") else ["IPython", "IPython.display"]
    for name in names:
        sys.modules[name] = ModuleType(name)
    if names:
        sys.modules["IPython"].display = sys.modules["IPython.display"]
        sys.modules["IPython.display"].display = print
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]


def _pya(task: SharedTask) -> Samples:
    """Make a signal of each series, place it and add it; its own oscillators have a fixed pitch."""
    from pya import Asig

    clock = np.arange(task.seconds * SAMPLE_RATE) / SAMPLE_RATE
    mixed = Asig(np.zeros((len(clock), 2)), SAMPLE_RATE)
    for pitch, pan in zip(task.pitches(), (-0.8, -0.27, 0.27, 0.8), strict=True):
        phase = 2 * np.pi * np.cumsum(np.interp(clock, task.times(), pitch)) / SAMPLE_RATE
        mixed = mixed + Asig(np.sin(phase), SAMPLE_RATE).pan2(pan)
    return mixed.norm(0.5).sig


def _mir_eval(task: SharedTask) -> Samples:
    """Add its pitch contours; they are mono."""
    from mir_eval.sonify import pitch_contour

    length = task.seconds * SAMPLE_RATE
    return sum(
        pitch_contour(task.times(), pitch, SAMPLE_RATE, length=length) for pitch in task.pitches()
    )


def _loop(task: SharedTask) -> Samples:
    """Hear every so many steps, for it has no other way to be shorter."""
    rows = task.values.T
    seconds_a_row = 0.01 * rows.shape[1] + 0.02
    return loop(rows[:: round(len(rows) * seconds_a_row / task.seconds)])


PEERS: dict[str, Callable[[SharedTask], Samples]] = {
    STRAUSS: _strauss,
    "pya": _pya,
    "mir_eval.sonify": _mir_eval,
    LOOP: _loop,
}
"""By name."""
