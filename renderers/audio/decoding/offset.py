"""Where in a file the sound begins.

Encoders put some silence before it: LAME 576 samples, whose decoders add 529.
libsndfile takes both away from an MP3 file again, as from Ogg, so that sounds
written and read by soundfile begin with the first sample.  Other decoders may not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from epochord.renderers.audio.decoding.estimation import Frames, fit_frames
from epochord.renderers.audio.decoding.holds import checked
from epochord.renderers.audio.decoding.layout import Floats, Layout, Sound

__all__ = ["find_offset"]

FRAMES = 12  # that are looked at
STEPS_A_GLIDE = 2  # of the search
FINEST = 64  # steps a glide: more would not be heard
RISE = 2.0  # of what is left, at either end of where the holds fit
LEAST_GLIDE = 8  # samples; a search that is finer takes too long
ROUNDS = 2  # each begins nearer to where they fit best, where less is left


def find_offset(samples: Sound, layout: Layout) -> int:
    """Find the first frame's first sample.

    Parameters
    ----------
    samples : np.ndarray [shape=(n, 2) or (n,)]
        The sound, with silence before or behind it.
    layout : Layout
        Where its voices can be.

    Returns
    -------
    int
        From 0 to the samples that there are too many; right to a small part of a
        glide, which does no harm: a glide is nearly flat where it ends.

    Raises
    ------
    ValueError
        If the sound has another shape, ends too early or is not finite.
    """
    sound = checked(samples, layout)
    most = len(sound) - layout.samples
    if not most or not layout.samples:
        return 0
    glide = max(layout.glide_length, LEAST_GLIDE)
    # The holds fit a little too early and too late, too; the middle of that is wanted.
    trial = _Trial(np.pad(sound, ((glide, glide), (0, 0))), layout)
    near = min(range(glide, most + glide + 1, max(1, glide // STEPS_A_GLIDE)), key=trial.cost)
    frames = trial.loud(near)

    def left(offset: int) -> float:
        return trial.left(offset, frames)

    around = near + np.linspace(-glide / 2, glide / 2, 9).astype(int)
    inside = min(np.clip(around, 0, most + 2 * glide).tolist(), key=left)
    finest = max(1, glide // FINEST)
    for _ in range(ROUNDS):
        enough = RISE * left(inside)
        first = _edge(left, enough, inside, max(0, inside - glide), finest)
        last = _edge(left, enough, inside, min(most + 2 * glide, inside + glide), finest)
        inside = (first + last) // 2
    return int(np.clip(inside - glide, 0, most))


def _edge(
    left: Callable[[int], float], enough: float, inside: int, outside: int, finest: int
) -> int:
    """Return how far from `inside` towards `outside` no more than enough is left."""
    while abs(outside - inside) > finest:
        middle = (inside + outside) // 2
        if left(middle) <= enough:
            inside = middle
        else:
            outside = middle
    return inside


@dataclass(frozen=True, eq=False)
class _Trial:
    """How well a layout fits a sound [shape=(n, channels)] from some sample on."""

    sound: Sound
    layout: Layout

    @cached_property
    def energy(self) -> Floats:
        """Energy before each sample [shape=(n + 1,)]."""
        squares = np.square(self.sound, dtype=np.float64).sum(axis=1)
        return np.concatenate([[0.0], np.cumsum(squares)])

    def cost(self, offset: int) -> float:
        """Return the energy that lies outside of all frames, or that voices cannot explain."""
        layout, end = self.layout, min(offset + self.layout.samples, len(self.sound))
        outside = self.energy[offset] + self.energy[-1] - self.energy[end]
        return float(outside) + self.left(offset, self.loud(offset)) * layout.samples

    def left(self, offset: int, frames: Frames) -> float:
        """Return what voices cannot explain in some frames: mean square a sample."""
        active = np.ones((len(frames), self.layout.voices), np.bool_)
        return float(fit_frames(self.sound[offset:], self.layout, frames, active).left.mean())

    def loud(self, offset: int) -> Frames:
        """Choose some of the louder half of the frames, but neither the first nor the last."""
        length, count = self.layout.frame_length, self.layout.frames
        there = min(count, (len(self.sound) - offset) // length)
        energy = np.diff(self.energy[offset + length * np.arange(there + 1)])
        inner = np.arange(min(1, there - 1), max(1, count - 1))
        loud = np.sort(inner[np.argsort(energy[inner], kind="stable")[len(inner) // 2 :]])
        return loud[np.linspace(0, len(loud) - 1, min(FRAMES, len(loud))).astype(np.int64)]
