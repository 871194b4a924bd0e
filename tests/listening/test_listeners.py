"""Listeners decide by what is there, err as much as their noise says, and know nothing else."""

import numpy as np
import pytest

from tests.listening.contours import Contours, Voices
from tests.listening.features import MEMORY, PEAK, TREND, features, of_voices
from tests.listening.listeners import novice, trained, who

FRAMES = 200
STILL = np.tile([[40.0], [15.0], [3000.0], [-2.0], [-3.0]], FRAMES)


def remembered(rows, draws=1, seed=0):
    return features(Contours(rows, None), np.random.default_rng(seed), draws)


def test_noise_is_as_large_as_what_is_just_noticed():
    """Of a sound that stays, nothing but that is remembered as its change."""
    found = remembered(STILL, draws=4000)[:, :, TREND]
    np.testing.assert_allclose(found.std(axis=0), MEMORY, rtol=0.05)
    np.testing.assert_allclose(found.mean(axis=0) / MEMORY, 0, atol=0.06)


def test_a_change_of_one_just_noticeable_difference_is_heard_three_times_in_four():
    """Two noisy memories, one of them so much higher: d' 1, an area of 0.76."""
    risen = STILL + MEMORY[:, None] * np.linspace(-0.125, 1.125, FRAMES)
    steps = remembered(risen, 3000)[:, 2, TREND][:, None] > remembered(STILL, 3000, 1)[:, 2, TREND]
    assert steps.mean() == pytest.approx(0.76, abs=0.03)


def test_one_frame_stands_out_where_it_is_far_from_those_around():
    """However slowly everything moves."""
    slope = STILL + np.linspace(0, 1000, FRAMES) * np.array([[0], [0], [1], [0], [0]])
    spike = slope.copy()
    spike[2, 100] += 1200
    assert remembered(spike)[0, 2, PEAK] > 800 > 100 > remembered(slope)[0, 2, PEAK]


def runs(rows, many, first=0):
    return np.stack([remembered(rows, 3, first + n) for n in range(many)])


def test_what_is_plain_is_heard_and_what_is_not_is_not():
    """By the trained, and by novices, whose cue has a direction."""
    falling = STILL - 20 * MEMORY[:, None] * np.linspace(0, 1, FRAMES)
    still = runs(STILL, 32)
    assert trained(still, runs(falling, 16, 100)) > 0.99
    assert trained(still, runs(STILL, 16, 100)) == pytest.approx(0.5, abs=0.15)
    assert novice("fall3", still, runs(falling, 16, 100)) > 0.99
    assert novice("fall3", still, runs(2 * STILL - falling, 16, 100)) < 0.01


def voices(pan, place, concerned, rng):
    """Make voices with some jitter, one of which drifts by an octave."""
    pitch = place[:, None] + 20 * rng.standard_normal((len(place), FRAMES))
    pitch[concerned] += 1200 * np.linspace(0, 1, FRAMES)
    return of_voices(Voices(np.ones_like(pitch), pitch, pan), rng)


@pytest.mark.parametrize(
    ("spread", "places", "least", "most"),
    [(0.8, 3600, 0.9, 1.0), (0.8, 0, 0.6, 1.0), (0.0, 3600, 0.9, 1.0), (0.0, 0, 0.0, 0.5)],
)
def test_a_voice_is_named_by_its_pitch_or_its_place(spread, places, least, most):
    """Where all have the same of both, nobody can say which it was: a quarter by chance."""
    rng = np.random.default_rng(3)
    pan, place = np.linspace(-spread, spread, 4), np.linspace(0, places, 4)
    concerned = [(int(rng.integers(4)),) for _ in range(40)]
    found = who([voices(pan, place, one[0], rng) for one in concerned], concerned)
    assert least <= found <= most
