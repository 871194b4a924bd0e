"""From contours to what is left of a sound in memory, with the ear's internal noise.

Each difference that is taken has noise as large as what is just noticed, at two places
in a moment or between now and the beginning of a sound, which is remembered worse:

- loudness 1 dB (W. Jesteadt, C. C. Wier and D. M. Green, J. Acoust. Soc. Am. 61 (1977)
  169-177), about a phon; twice that in memory;
- pitch 25 and 70 cents: the limit of 2 to 5 for single tones (C. C. Wier, W. Jesteadt and
  D. M. Green, J. Acoust. Soc. Am. 61 (1977) 178-184) is ten times as large among tones that
  move, and worse after others (D. Deutsch, Science 168 (1970) 1604-1605);
- roughness 17 % (H. Fastl and E. Zwicker, Psychoacoustics, 3rd ed., 2007, ch. 11);
- centroid 0.15 and 0.3 Cams, some 3 and 6 % of frequency at 1 kHz, and onsets 25 and 30 %,
  which are ours, on the side of caution.
"""

import numpy as np
import numpy.typing as npt

from tests.listening.contours import Contours, Voices

__all__ = ["DIP", "JUMPS", "LATE", "LIVELIER", "MEMORY", "MOMENT", "PEAK", "STATISTICS", "TREND",
           "features", "of_voices"]  # fmt: skip

Floats = npt.NDArray[np.floating]

MOMENT = np.array([1.0, 0.15, 25.0, 0.25, 0.17])  # phons, Cams, cents, ln, ln
MEMORY = np.array([2.0, 0.3, 70.0, 0.3, 0.3])
LIVELINESS = 0.25  # ln: how much something moves is remembered to a quarter
SURPRISE = 0.15  # of a jump's own size
AROUND = 15  # frames, about a second: what is usual just now

# What is remembered of each contour: the change from the first to the last fifth, the bend
# between them, the change at the very end, how much it moves, how much more it does at last,
# and its farthest excursions up and down.
STATISTICS = 7
TREND, BEND, LATE, JUMPS, LIVELIER, PEAK, DIP = range(STATISTICS)


def features(heard: Contours, rng: np.random.Generator, draws: int = 1) -> Floats:
    """Remember contours, as often as wanted.

    Parameters
    ----------
    heard : Contours
        Of a sound.
    rng : np.random.Generator
        Of the internal noise.
    draws : int
        How many independent listeners.

    Returns
    -------
    np.ndarray [shape=(draws, 5, 7)]
        By contour and statistic.
    """
    rows = heard.rows
    away = rows - _usual(rows, AROUND)
    smooth, steps = _usual(rows, 3), np.diff(rows, axis=1)
    count = rows.shape[1]
    fifth = max(1, count // 5)
    early, late = smooth[:, :fifth].mean(1), smooth[:, -fifth:].mean(1)
    middle = smooth[:, 2 * fifth : 3 * fifth].mean(1)
    before = smooth[:, int(0.6 * count) : max(int(0.88 * count), 1)].mean(1)
    end = smooth[:, -max(1, count // 20) :].mean(1)
    early_moves, late_moves = steps[:, : 2 * fifth].std(1), steps[:, -2 * fifth :].std(1)
    peak, dip = away.max(1), -away.min(1)
    flat = np.full(len(rows), LIVELINESS)
    kept = [
        (late - early, MEMORY),
        (middle - (early + late) / 2, MEMORY),
        (end - before, MEMORY),
        (np.log(steps.std(1) + MOMENT), flat),
        (np.log((late_moves + MOMENT) / (early_moves + MOMENT)), flat),
        (peak, MOMENT + SURPRISE * np.abs(peak)),
        (dip, MOMENT + SURPRISE * np.abs(dip)),
    ]
    value, noise = (np.stack(each, axis=1) for each in zip(*kept, strict=True))
    return value + noise * rng.standard_normal((draws, *value.shape))


# How surely a voice is told from another by where it usually is; of untrained listeners.
PLACE_CENTS, PLACE_PAN = 150.0, 0.15
NEAR = 0.2  # of all loudness: a voice that gains so much comes forward
FAINTEST = 1e-2  # sones


def of_voices(voices: Voices, rng: np.random.Generator) -> Floats:
    """Remember how each voice differed from the others.

    Attention is divided: the smaller a voice's share of all loudness, the less is noticed
    of it (D. Huron, Music Perception 6 (1989) 361-382).  What happens to a voice is
    ascribed in part to those that are usually near it in pitch and place.

    Parameters
    ----------
    voices : Voices
        Contours of each.
    rng : np.random.Generator
        Of the internal noise.

    Returns
    -------
    np.ndarray [shape=(voices, features)]
        Differences from the median voice.
    """
    share = voices.loudness / np.maximum(voices.loudness.sum(axis=0), FAINTEST)
    usual = np.median(share, axis=1)
    forward = _usual(share, 3) - usual[:, None]
    level, pitch = 10 * np.log2(np.maximum(voices.loudness, FAINTEST)), voices.pitch
    away, louder = pitch - _usual(pitch, AROUND), level - _usual(level, AROUND)
    divided = 1 / np.sqrt(np.clip(usual, 0.02, 1))
    fifth = max(1, pitch.shape[1] // 5)
    moves = np.abs(np.diff(pitch, axis=1))
    calmer = np.log((moves[:, : 2 * fifth].mean(1) + 25) / (moves[:, -2 * fifth :].mean(1) + 25))
    kept = [
        (np.log(forward.max(axis=1) + 0.05), 0.25),
        (np.log(np.maximum(forward - NEAR, 0).mean(axis=1) + 0.002), 0.25),
        (np.abs(_change(pitch, fifth)), MEMORY[2] * divided),
        (np.abs(_change(level, fifth)), MEMORY[0] * divided),
        (_change(level, fifth), MEMORY[0] * divided),
        (np.abs(away).max(axis=1), MOMENT[2] * divided),
        (louder.max(axis=1), MOMENT[0] * divided),
        (-louder.min(axis=1), MOMENT[0] * divided),
        (calmer, LIVELINESS * divided),
    ]
    noise = [error * rng.standard_normal(len(usual)) for _, error in kept]
    value = _confused(voices) @ np.stack([each for each, _ in kept], axis=1)
    value += np.stack(noise, axis=1)
    return np.asarray(value - np.median(value, axis=0))


def _confused(voices: Voices) -> Floats:
    """Return how much of what each voice does is taken for another's [shape=(voices, voices)].

    Their places are learnt from the first fifth.
    """
    place = np.median(voices.pitch[:, : max(1, voices.pitch.shape[1] // 5)], axis=1)
    apart = (place[:, None] - place) / PLACE_CENTS
    beside = (voices.pan[:, None] - voices.pan) / PLACE_PAN
    alike = np.exp(-(apart**2 + beside**2) / 2)
    return np.asarray(alike / alike.sum(axis=1, keepdims=True))


def _change(rows: Floats, fifth: int) -> Floats:
    return np.asarray(rows[:, -fifth:].mean(axis=1) - rows[:, :fifth].mean(axis=1))


def _usual(rows: Floats, width: int) -> Floats:
    """Return the running median of each row."""
    padded = np.pad(rows, ((0, 0), (width // 2, width // 2)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, width, axis=1)
    middle = width // 2
    return np.asarray(np.partition(windows, middle, axis=2)[..., middle])
