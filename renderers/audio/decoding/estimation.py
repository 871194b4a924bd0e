"""All frames' voices: a first estimate, a joint fit, and another try where that went wrong."""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.decoding.holds import cut, low_pass, low_passed, marked, response
from epochord.renderers.audio.decoding.joint import Fit, Mask, Problem, fit
from epochord.renderers.audio.decoding.layout import Floats, Layout, Sound
from epochord.renderers.audio.decoding.silence import silent_voices, usual_amplitude
from epochord.renderers.audio.decoding.start import first_frequencies

__all__ = ["Frames", "Progress", "fit_all", "fit_frames", "spans"]

Progress = Callable[[int, int], None]
Frames = npt.NDArray[np.int64]

SAMPLES_A_BATCH = 1 << 18
MARGIN = 0.1  # cycles over the hold by which a pitch may leave its register, in noise

# A fit has failed that leaves so much more than others do, and more than codecs do
# (in squares of a voice's amplitude).
FAILED_RATIO, FAILED_SHARE = 1.15, 3e-4
GOOD = 0.1  # of the frames, whatever else happens, have not failed
TRIES = 64  # of 122 failures in 8,000 frames 9 were left after 16 tries, none after 32
FEW, SHARE = 8, 10  # so many frames, or a tenth of them, may use up all tries, whatever they hold
REDRAWN = 0.5  # of the voices in narrow registers, at each try
NARROW = 4.0  # cycles over the hold; in narrower registers the first estimate can be wrong


def spans(count: int, layout: Layout) -> Iterator[slice]:
    """Divide so many frames into batches of bounded size."""
    batch = max(1, SAMPLES_A_BATCH // layout.frame_length)
    for begin in range(0, count, batch):
        yield slice(begin, min(begin + batch, count))


def fit_all(sound: Sound, layout: Layout, progress: Progress | None = None) -> Fit:
    """Estimate all frames.

    Parameters
    ----------
    sound : np.ndarray [shape=(n, channels)]
        As long as the layout, or longer.
    layout : Layout
        Where its voices can be.
    progress : callable, optional
        Called with the frames done and the frames in all.

    Returns
    -------
    Fit
        Silent voices have the amplitude zero.
    """
    frames = np.arange(layout.frames)
    everyone = np.ones((layout.frames, layout.voices), np.bool_)
    found = fit_frames(sound, layout, frames, everyone, progress=progress)
    _try_again(sound, layout, found)
    silent = silent_voices(found.amplitude)
    some = np.flatnonzero(silent.any(axis=1))
    _put(found, some, fit_frames(sound, layout, some, ~silent[some], found.frequency[some]))
    return found


def fit_frames(
    sound: Sound,
    layout: Layout,
    frames: Frames,
    active: Mask,
    start: Floats | None = None,
    progress: Progress | None = None,
) -> Fit:
    """Estimate some frames.

    Parameters
    ----------
    sound, layout, progress
        As for `fit_all`.
    frames : np.ndarray [shape=(n,)]
        Which.
    active : np.ndarray [shape=(n, voices)]
        Voices that sound.
    start : np.ndarray [shape=(n, voices)], optional
        Frequencies to begin with, in radians a sample; by default they are looked for.
    """
    found = _empty(len(frames), layout.voices)
    for span in spans(len(frames), layout):
        holds = cut(sound, layout, frames[span])
        behind = marked(holds, layout)
        for rows, filtered in ((~behind, False), (behind, True)):
            if rows.any():
                begin = None if start is None else start[span][rows]
                part = _fit(holds[rows], layout, active[span][rows], begin, filtered)
                _put(found, np.arange(span.start, span.stop)[rows], part)
        if progress:
            progress(span.stop, len(frames))
    return found


def _fit(holds: Floats, layout: Layout, active: Mask, start: Floats | None, filtered: bool) -> Fit:
    """Estimate some holds, if need be with what lies above the voices filtered out."""
    sides, bands = layout.sides(holds.shape[1]), layout.bands()
    taps = low_pass(holds.shape[2], layout.sample_rate) if filtered else np.ones(1)
    holds = low_passed(holds, taps) if filtered else holds
    if start is None:
        start = first_frequencies(holds, bands, sides)
    found = fit(Problem(holds, active, _limits(layout), sides), start)
    return Fit(
        found.frequency,
        found.amplitude / response(taps, found.frequency),
        found.left / np.square(taps).sum(),  # as if white noise had not been filtered
    )


def _limits(layout: Layout) -> Floats:
    """Return where voices may be found, in radians a sample [shape=(2, voices)]."""
    bands = layout.bands()
    edges = np.sort(bands.ravel())
    guards = edges[2::2] - edges[1:-1:2]
    margin = min(MARGIN * 2 * np.pi / layout.hold_length, guards.min(initial=np.inf) / 4)
    return np.asarray(bands.T + np.array([[-margin], [margin]]))


def _try_again(sound: Sound, layout: Layout, found: Fit) -> None:
    """Fit failed frames from other starts, and keep what is better.

    What fails are neighbours less than a cycle apart in narrow registers, so
    these voices' starts are drawn at random.
    """
    bands = layout.bands()
    narrow = np.ptp(bands, axis=1) * layout.hold_length < NARROW * 2 * np.pi
    if not narrow.any():
        return
    codec = FAILED_SHARE * usual_amplitude(found.amplitude) ** 2
    noise = FAILED_RATIO * np.quantile(found.left, GOOD) if len(found.left) > FEW else 0.0
    fits = max(FEW * TRIES, len(found.left) * TRIES // SHARE)
    random = np.random.default_rng(0)
    for _ in range(TRIES):
        failed = np.flatnonzero(found.left > max(noise, codec))[:fits]
        if not len(failed):
            break
        fits -= len(failed)
        shape = (len(failed), layout.voices)
        redrawn = narrow & (random.random(shape) < REDRAWN)
        drawn = random.uniform(bands[:, 0], bands[:, 1], shape)
        start = np.where(redrawn, drawn, found.frequency[failed])
        tried = fit_frames(sound, layout, failed, np.ones(shape, np.bool_), start)
        better = tried.left < found.left[failed]
        _put(found, failed[better], Fit(*(part[better] for part in tried)))


def _empty(frames: int, voices: int) -> Fit:
    return Fit(np.empty((frames, voices)), np.empty((frames, voices)), np.empty(frames))


def _put(found: Fit, rows: Frames, part: Fit) -> None:
    for whole, new in zip(found, part, strict=True):
        whole[rows] = new
