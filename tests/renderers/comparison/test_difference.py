"""Where two sounds part: laws, and the simplest possible count as the oracle."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from epochord.renderers.audio.scoring.axis import Axis
from epochord.renderers.comparison.difference import FULL_DB, compare_sounds, decibel_difference
from epochord.renderers.comparison.listening import HEARD_DB, Framing, Heard, listen

RATE = 22_050
FRAMING = Framing.fitting(RATE, RATE)

DECIBELS = arrays(np.float32, (3, 12), elements=st.floats(-100, 40, width=32))


def _heard(decibels: np.ndarray, level: float = -20.0, name: str = "x") -> Heard:
    return Heard(name, decibels, np.arange(len(decibels)), {}, 1.0, level, decibels.tobytes().hex())


def _listened(sound: np.ndarray) -> Heard:
    return listen("x", [sound.astype(np.float32)], FRAMING)


def _compare(one: Heard, other: Heard, threshold: float = 3.0):
    return compare_sounds(one, other, FRAMING, Axis(), threshold)


def _tone(seconds: float, change: float) -> np.ndarray:
    """Two tones, the upper one of which changes its pitch at some time."""
    time = np.arange(round(seconds * RATE)) / RATE
    upper = np.where(time < change, np.sin(2 * np.pi * 880 * time), np.sin(2 * np.pi * 1320 * time))
    return 0.1 * np.sin(2 * np.pi * 220 * time) + 0.1 * upper


@given(DECIBELS)
def test_what_is_equal_does_not_differ(decibels: np.ndarray) -> None:
    """Exactly zero: no parting, no second above, no distance."""
    found = _compare(_heard(decibels), _heard(decibels))
    assert not found.curve.any()
    assert (found.first, found.seconds, found.rms, found.level) == (None, 0, 0, 0)
    assert found.identical


@given(DECIBELS, DECIBELS)
def test_swapped_they_differ_as_much_the_other_way(one: np.ndarray, other: np.ndarray) -> None:
    """Differences change their sign, distances do not change."""
    there = _compare(_heard(one, -20), _heard(other, -12))
    back = _compare(_heard(other, -12), _heard(one, -20))
    np.testing.assert_array_equal(there.curve, back.curve)
    assert (there.first, there.seconds, there.rms) == (back.first, back.seconds, back.rms)
    assert there.level == -back.level == 8
    np.testing.assert_array_equal(decibel_difference(one, other), -decibel_difference(other, one))


@given(DECIBELS, DECIBELS, st.floats(0.1, 60))
def test_the_first_parting_is_the_first(
    one: np.ndarray, other: np.ndarray, threshold: float
) -> None:
    """Counted frame by frame and band by band, as the definition says."""
    found = _compare(_heard(one), _heard(other), threshold)
    curve = []
    for a, b in zip(one.T.astype(float), other.T.astype(float), strict=True):
        weights = [
            min(max((max(x, y) - HEARD_DB) / (FULL_DB - HEARD_DB), 0), 1)
            for x, y in zip(a, b, strict=True)
        ]
        squares = [w * (y - x) ** 2 for w, x, y in zip(weights, a, b, strict=True)]
        curve.append((sum(squares) / max(1, sum(weights))) ** 0.5)
    np.testing.assert_allclose(found.curve, curve, rtol=1e-4, atol=1e-4)
    above = [i for i, value in enumerate(found.curve) if value > threshold]
    assert found.seconds == pytest.approx(len(above) * FRAMING.hop_seconds)
    if above:
        assert found.first is not None
        ahead = FRAMING.reach if above[0] else 0
        assert found.first.time == pytest.approx(above[0] * FRAMING.hop_seconds + ahead)
        assert found.first.decibels == found.curve[above[0]]
    else:
        assert found.first is None
    assert found.largest.decibels == found.curve.max()
    covered = {
        i
        for first, last in found.spans
        for i in range(round(first / FRAMING.hop_seconds), round(last / FRAMING.hop_seconds) + 1)
    }
    assert covered == set(above)


@given(st.floats(-24, 24).filter(lambda db: abs(db) > 0.1))
def test_a_copy_differs_by_exactly_its_level(decibels: float) -> None:
    """In every frame, in its level, in its distance; and is known for a copy."""
    noise = np.random.default_rng(0).normal(0, 0.1, RATE // 2)
    found = _compare(_listened(noise), _listened(noise * 10 ** (decibels / 20)))
    np.testing.assert_allclose(
        found.curve[: -FRAMING.window // FRAMING.hop], abs(decibels), atol=2e-3
    )
    assert found.level == pytest.approx(decibels, abs=1e-3)
    assert found.rms == pytest.approx(abs(decibels), abs=1e-3)
    assert found.copy
    assert not found.identical


def test_a_change_three_seconds_later_is_three_seconds_of_difference() -> None:
    """At 30 s in one and 33 s in the other: it begins there, and a window is added."""
    found = _compare(_listened(_tone(40, 30)), _listened(_tone(40, 33)))
    assert found.first is not None
    assert found.first.time == pytest.approx(30, abs=2 * FRAMING.hop_seconds)
    assert found.seconds == pytest.approx(3 + 2 * FRAMING.reach, abs=2 * FRAMING.hop_seconds)
    assert len(found.spans) == 1
    assert not found.copy


def test_what_only_one_has_is_no_difference() -> None:
    """A sound and its first half are alike, in level too, as long as both last; that is told."""
    tone = _tone(4, 9)
    found = _compare(_listened(tone), _listened(tone[: 2 * RATE]))
    assert found.first is None
    assert found.seconds == found.rms == 0
    assert found.level == pytest.approx(0, abs=1e-9)
    assert found.between == (0, pytest.approx(2, abs=2 * FRAMING.reach))
    assert np.isnan(found.curve[round(2.1 / FRAMING.hop_seconds) :]).all()


def test_the_cut_at_the_end_is_no_parting() -> None:
    """Two tones that differ in phase only: how they are cut off is not what they sound like."""
    time = np.arange(RATE) / RATE
    one, other = (_listened(0.3 * np.sin(2 * np.pi * 440 * time + p)) for p in (0, 1.5))
    found = _compare(one, other)
    assert np.isnan(found.curve[-1])
    assert [last for _, last in found.spans if last > 0.5] == []
    assert found.between is None
    assert found.level == pytest.approx(0, abs=0.01)
    assert not found.identical


def test_the_time_of_a_parting_is_that_of_its_step() -> None:
    """A frame hears half a window ahead: so step and time say; from the start, both are zero."""
    axis = Axis(0.05, np.arange(100))
    sound = np.random.default_rng(0).normal(0, 0.1, 2 * RATE)
    time = np.arange(2 * RATE) / RATE
    late = compare_sounds(
        _listened(sound), _listened(np.where(time < 0.5, sound, 9 * sound)), FRAMING, axis, 3.0
    )
    assert late.first is not None
    assert late.first.step == 10
    assert late.first.time == pytest.approx(0.5, abs=FRAMING.hop_seconds)
    assert late.first.time >= 0.5
    whole = compare_sounds(_listened(sound), _listened(9 * sound), FRAMING, axis, 3.0)
    assert whole.first is not None
    assert (whole.first.time, whole.first.step) == (0, 0)


def test_what_does_not_overlap_is_compared_with_silence() -> None:
    """Where there is nothing in common, all of both is a difference."""
    tone = _listened(_tone(4, 9))
    first, second = replace(tone, end=1.0), replace(tone, begin=3.0)
    found = _compare(first, second)
    assert found.between is None
    assert not np.isnan(found.curve).any()


def test_silence_has_no_level_to_compare() -> None:
    """Neither with silence, from which it does not differ, nor with a sound."""
    silence, tone = _listened(np.zeros(RATE)), _listened(_tone(1, 9))
    assert _compare(silence, silence).level is None
    assert _compare(silence, silence).first is None
    assert _compare(silence, tone).level is None
    assert _compare(silence, tone).largest.decibels > 60
