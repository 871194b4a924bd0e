"""What is held at an end is marked, a death has a knell, and a run that goes on is never silent."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from epochord.renderers.audio import AudioSettings, render_audio
from epochord.renderers.audio.scoring.compose import audio_score, scores_together
from epochord.renderers.audio.scoring.events import Kind
from epochord.renderers.audio.scoring.marks import finding_events, held_events, running_events
from epochord.renderers.audio.scoring.scale import Scale
from epochord.renderers.audio.scoring.score import State
from epochord.renderers.audio.scoring.style import Style
from epochord.renderers.audio.scoring.voicings import lanes
from epochord.renderers.findings import Finding, What

RATE = 44_100  # Hz
LAYERS = [f"grad_norm/l{n:02d}.weight" for n in range(4)]
FLOOR_DB = -45.0


@pytest.fixture
def in_lanes(make_frames):
    """Score values as lanes from 0.1 to 10."""
    return lambda values, **style: lanes(
        make_frames(np.atleast_2d(values)),
        Style(**({"scales": {"norm": Scale(0.1, 10.0)}} | style)),
    )


def scored(run, **settings):
    return audio_score(run, AudioSettings.of(**settings))[0]


@given(st.lists(st.sampled_from([0.01, 1.0, 100.0]), min_size=1, max_size=80), st.floats(0.02, 0.7))
def test_what_is_held_is_marked_once_a_second(in_lanes, values, frame):
    """Where it leaves its range, up or down; no mark begins within 1 s behind such a stretch."""
    score = in_lanes(values, frame=frame)
    seconds = score.frame_length / RATE
    expected, last = [], -np.inf
    for at, value in enumerate(values):
        # Above and below are two stretches only where something lies between them.
        if value != 1:
            if (at == 0 or values[at - 1] == 1) and (at - last) * seconds >= 1 - 1e-9:
                expected.append((at * score.frame_length, "above" if value > 1 else "below"))
            last = at + 1
    events = held_events(score)
    assert [(event.sample, str(event.kind)) for event in events] == expected
    assert all(event.voice == 0 and event.mark for event in events)


def test_voices_are_marked_for_themselves(in_lanes):
    """Those at once, which add up in phase, are together as loud as two others."""
    values = np.ones((3, 20))
    values[0, 5] = values[1, 5] = values[2, 7] = 50
    events = held_events(in_lanes(values))
    assert [(event.voice, event.sample // 2646, event.kind) for event in events] == [
        (0, 5, Kind.ABOVE), (1, 5, Kind.ABOVE), (2, 7, Kind.ABOVE),
    ]  # fmt: skip
    first, second, third = (event.level for event in events)
    assert first == second
    assert first + second == pytest.approx(2**0.5 * third)


def test_without_registers_nothing_is_held(in_lanes):
    """Of somebody's voicing that has none."""
    score = in_lanes([100.0, 1.0])
    assert held_events(score)
    assert held_events(replace(score, registers=None)) == ()


def test_each_death_has_a_knell(in_lanes):
    """At its step and its voice's place; twelve at once, in phase, are 3 dB louder than one."""
    score = in_lanes(np.ones((12, 30)))
    names = score.frames.names
    one = Finding(What.DEAD, names[3:4], 7, None, 0.0)
    all_of_them = Finding(What.DEAD, names, 20, None, 0.0, all_voices=True)
    spike = Finding(What.SPIKE, names[:1], 10, 10, 5.0, 10)
    single, *crowd = finding_events([one, spike, all_of_them], score.frames, 2646, RATE)
    assert (single.sample, single.kind, single.voice) == (7 * 2646, Kind.DEAD, 3)
    assert [event.voice for event in crowd] == list(range(12))
    assert {event.sample for event in crowd} == {20 * 2646}
    assert sum(event.level for event in crowd) == pytest.approx(2**0.5 * single.level)
    assert single.length / RATE == pytest.approx(0.6, abs=0.001)


@given(
    st.lists(st.sampled_from([None, 0.0, np.nan, 1.0]), min_size=1, max_size=60), st.floats(0.05, 1)
)
def test_each_half_second_of_silence_breathes(in_lanes, values, frame):
    """Up to the last frame in which anything was measured, and in no frame that sounds."""
    score = in_lanes([values], frame=frame)
    there = [at for at, value in enumerate(values) if value is not None]
    last = (max(there) + 1 if there else 0) * score.frame_length
    silent = np.repeat(score.gain[0] <= 0, score.frame_length)
    covered = np.zeros(len(silent), int)
    for event in running_events(score):
        assert event.kind is Kind.RUNNING
        assert not event.mark
        covered[event.sample : event.sample + event.length] += 1
    assert not covered[~silent].any()
    assert not covered[last:].any()
    assert covered.max(initial=0) <= 1
    rest = 0
    for sample in range(0, last, 100):
        rest = rest + 100 if silent[sample] and not covered[sample] else 0
        assert rest <= 0.5 * RATE + 200


def loudness_by_second(path, hop=0.1):
    """RMS in dBFS of all channels together, of each second from each tenth of one on."""
    samples, rate = soundfile.read(path, always_2d=True)
    power = np.concatenate([[0], np.cumsum(np.square(samples).sum(axis=1))])
    begins = np.arange(0, max(1, len(samples) - rate + 1), round(hop * rate))
    ends = np.minimum(begins + rate, len(samples))
    return 10 * np.log10(np.maximum(1e-12, (power[ends] - power[begins]) / (ends - begins)))


def troubles():
    """Norms of four layers [shape=(4, 300)] and steps, by what is wrong with them."""
    rng = np.random.default_rng(0)
    usual = np.exp(np.cumsum(rng.normal(0, 0.05, (4, 300)), axis=1))
    dead, nan, inf, zeros = usual.copy(), usual.copy(), usual.copy(), np.zeros_like(usual)
    dead[:, 150:] = 0
    nan[:, 150:] = np.nan
    inf[:, 100:280] = np.inf
    in_turn = usual.copy()
    for layer in range(4):
        in_turn[layer, 40 + 40 * layer :] = 0
    one_left = usual.copy()
    one_left[1:, 60:] = 0
    vanishing = usual * np.geomspace(1, 1e-12, 300)
    steps = np.arange(300)
    gap = steps + 900 * (steps > 120)
    return {
        "usual": (usual, steps), "all die": (dead, steps), "all are NaN": (nan, steps),
        "only NaN": (np.full_like(usual, np.nan), steps), "only zeros": (zeros, steps),
        "infinite for long": (inf, steps), "die in turn": (in_turn, steps),
        "one is left": (one_left, steps), "vanishing": (vanishing, steps), "gap": (usual, gap),
        "gap in NaN": (nan, gap), "two gaps": (usual, gap + 500 * (steps > 290)),
    }  # fmt: skip


@pytest.mark.parametrize("voicing", ["roll", "lanes", "sequence"])
@pytest.mark.parametrize("trouble", troubles())
def test_no_second_of_a_run_that_goes_on_is_silent(logged, tmp_path, trouble, voicing):
    """In the file itself: nothing below -45 dBFS, whatever happens to the voices."""
    norms, steps = troubles()[trouble]
    run = logged(dict(zip(LAYERS, norms, strict=True)), steps)
    time = "steps" if "gap" in trouble else "logged"
    result = render_audio(run, tmp_path, AudioSettings.of(voicing=voicing, time=time))
    assert loudness_by_second(result.path).min() > FLOOR_DB


def test_behind_the_end_of_a_shorter_run_there_is_silence(logged, calm):
    """It does not go on."""
    norms = calm()
    short = {tag: row[:100] for tag, row in norms.items()}
    (_, ended), _ = scores_together([logged(norms), logged(short, name="short")], AudioSettings())
    assert (ended.state[:, 100:] == State.MISSING).all()
    assert not ended.gain[:, 100:].any()
    assert not [event for event in ended.events if event.kind is Kind.RUNNING]


def test_a_run_that_dies_first_and_then_ends_breathes_until_its_end(logged, calm):
    """And not behind it."""
    norms = calm()
    short = {tag: np.where(np.arange(200) < 100, row[:200], 0) for tag, row in norms.items()}
    (_, ended), _ = scores_together([logged(norms), logged(short, name="short")], AudioSettings())
    breaths = [event for event in ended.events if event.kind is Kind.RUNNING]
    assert breaths
    begin, end = (ended.frames.at(step) * ended.frame_length for step in (100, 200))
    assert all(begin <= event.sample <= end - event.length for event in breaths)


def test_a_held_value_is_marked_on_a_shared_scale(logged):
    """An explosion beside a healthy run, in the sound and in what lies beside it."""
    healthy = np.geomspace(2, 0.5, 200)
    broken = np.where(np.arange(200) < 150, healthy, healthy * 1e6)
    runs = [logged({"loss": healthy}), logged({"loss": broken}, name="broken")]
    scores, _ = scores_together(runs, AudioSettings.of(voicing="lanes"))
    kinds = [[event.kind for event in score.events] for score in scores]
    assert Kind.ABOVE not in kinds[0]
    assert kinds[1].count(Kind.ABOVE) == 1
    (mark,) = [event for event in scores[1].events if event.kind is Kind.ABOVE]
    assert scores[1].frames.steps[mark.sample // scores[1].frame_length] == 150
