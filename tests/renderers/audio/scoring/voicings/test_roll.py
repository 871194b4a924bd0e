"""An octave is a factor of ten in every run; layers keep still, until one of them leaves."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochord.renderers.audio import AudioSettings
from epochord.renderers.audio.scoring.compose import audio_score, scores_together
from epochord.renderers.audio.scoring.mapping import VoiceMapping
from epochord.renderers.audio.scoring.registers import registers
from epochord.renderers.audio.scoring.scale import Scale, robust
from epochord.renderers.audio.scoring.score import State
from epochord.renderers.audio.scoring.style import TIMBRES, Style, groups
from epochord.renderers.audio.scoring.voicings import SHIPPED, roll
from epochord.renderers.audio.scoring.voicings.contract import checked
from epochord.renderers.timeline.reduction import reduce

QUANTITIES = ("gradient", "total", "loss", "rate", "ratio", "")


def scored(run, **settings):
    return audio_score(run, AudioSettings.of(**settings))[0]


def rolled(line, **style):
    """Score a timeline on its own scales."""
    frames = reduce(line)
    rows = list(zip(groups(frames), line.values, strict=True))
    scales = {
        group: robust([row for name, row in rows if name == group]) for group in groups(frames)
    }
    return roll(frames, Style(**({"scales": scales} | style)))


def octaves(pitch):
    return np.log2(np.asarray(pitch) / 440)


@given(
    st.floats(-6, 6),
    st.lists(st.floats(-1.2, 1.2), min_size=2, max_size=30),
)
def test_an_octave_is_a_decade_wherever_a_run_lies(quantified, level, decades):
    """And at 440 Hz, or octaves from it, is a power of ten."""
    loss = 10 ** (level + np.asarray(decades))
    score = rolled(quantified(loss, ("loss",)))
    sounding = score.state[0] == State.SOUNDING
    pitch, exact = octaves(score.pitch[0]), np.log10(loss)
    away = pitch - exact
    assert np.ptp(away[sounding]) < 1e-9 if sounding.any() else True
    np.testing.assert_allclose(away[sounding] % 1 % (1 - 1e-9), 0, atol=1e-9)
    assert sounding.mean() > 0.5 or np.ptp(decades) > 2


@given(st.floats(-5, 5), st.floats(-5, 5), st.floats(0.1, 10))
def test_a_factor_is_one_interval_in_every_run(quantified, one, other, factor):
    """Whatever else is in them."""
    rng = np.random.default_rng(0)
    heard = []
    for level in (one, other):
        loss = 10**level * np.exp(rng.normal(0, 0.2, 50))
        loss[21] = loss[20] * factor
        score = rolled(quantified(loss, ("loss",)))
        heard.append(np.log2(score.pitch[0, 21] / score.pitch[0, 20]))
    np.testing.assert_allclose(heard, np.log10(factor), atol=1e-9)


def test_it_is_one_interval_on_a_shared_scale_and_on_any_given_one(logged):
    """Of a run of its own, beside another, and with the scale of an earlier result."""
    loss = np.geomspace(5, 0.5, 100)
    run, other = logged({"loss": loss}), logged({"loss": 1e3 * loss}, name="other")
    alone = scored(run)
    together, scales = scores_together([run, other], AudioSettings())
    given_scale = audio_score(run, AudioSettings(), {"loss": Scale(1.0, 1e3)})[0]
    for score in (alone, *together, given_scale):
        held = score.state[0] != State.SOUNDING
        steps = np.diff(np.log2(score.pitch[0]))
        between = ~(held[1:] | held[:-1])
        assert between.sum() > 40
        np.testing.assert_allclose(steps[between], np.log10(0.1) / 99, atol=1e-6)
    both = octaves(together[1].pitch[0]) - octaves(together[0].pitch[0])
    heard = (together[0].state[0] == State.SOUNDING) & (together[1].state[0] == State.SOUNDING)
    assert heard.any()
    np.testing.assert_allclose(both[heard], 3, atol=1e-6)
    assert set(scales) == {"loss"}


def test_the_gap_of_train_and_validation_is_the_interval(quantified):
    """A validation loss twice as high lies log10(2) octaves higher: 3.6 semitones."""
    train = np.geomspace(2, 0.5, 80)
    factor = np.geomspace(1, 2, 80)
    score = rolled(quantified([train, train * factor], ("loss", "loss")))
    np.testing.assert_allclose(
        np.log2(score.pitch[1] / score.pitch[0]), np.log10(factor), atol=1e-9
    )
    np.testing.assert_array_equal(score.registers[0], score.registers[1])


@given(st.floats(-8, 0), st.integers(0, 3))
def test_a_ratio_of_update_to_weight_rests_on_a_thousandth(quantified, level, others):
    """It is in the middle of its register at 1e-3, and an octave a decade from there."""
    row = np.full(20, 10.0**level)
    line = quantified(np.tile(row, (1 + others, 1)), ("ratio",) + ("loss",) * others)
    score = rolled(line)
    low, high = score.registers[0]
    expected = np.clip((low * high) ** 0.5 * 2 ** (level + 3), low, high)
    np.testing.assert_allclose(score.pitch[0], expected)


def test_a_rate_falls_as_a_rate(quantified):
    """It begins at the top of its register and falls an octave for a factor of ten."""
    score = rolled(quantified(np.geomspace(3e-4, 3e-6, 60), ("rate",)))
    low, high = score.registers[0]
    np.testing.assert_allclose(score.pitch[0], high * 2 ** -np.linspace(0, 2, 60), rtol=1e-9)
    assert (score.pitch[0] >= low).all()


@given(
    st.integers(1, 12),
    st.sampled_from([1, -1]),
    st.sampled_from(list(TIMBRES)),
    st.data(),
)
def test_any_values_and_quantities_fulfil_the_contract(quantified, voices, polarity, timbre, data):
    """NaN, infinities, zeros, negative numbers and none at all, in one to twelve voices."""
    quantities = tuple(data.draw(st.sampled_from(QUANTITIES)) for _ in range(voices))
    number = st.one_of(st.floats(1e-12, 1e12), st.just(0.0), st.floats(), st.just(None))
    steps = data.draw(st.integers(1, 12))
    rows = [[data.draw(number) for _ in range(steps)] for _ in range(voices)]
    line = quantified([[0.0 if x is None else x for x in row] for row in rows], quantities)
    known = np.array([[x is not None for x in row] for row in rows])
    line = replace(line, measured=known)
    score = rolled(line, polarity=polarity, timbre=timbre)
    checked(score, "roll", score.frames)
    values = score.frames.values
    assert not score.gain[~np.isfinite(values)].any()
    assert (score.pitch >= score.registers[:, :1] * (1 - 1e-9)).all()
    assert (score.pitch <= score.registers[:, 1:] * (1 + 1e-9)).all()


@pytest.mark.parametrize("voicing", list(SHIPPED))
@pytest.mark.parametrize("layers", [1, 2, 4, 12])
@pytest.mark.parametrize("trouble", ["none", "nan", "dead", "inf", "gap"])
def test_every_shipped_voicing_fulfils_the_contract(logged, calm, voicing, layers, trouble):
    """With calls and stretched time, as somebody's voicing would have to."""
    norms = calm(layers, 60)
    first = norms["grad_norm/l00.weight"]
    first[20:] *= {"none": 1, "nan": np.nan, "dead": 0, "inf": np.inf, "gap": 1}[trouble]
    steps = np.arange(60) + 200 * (np.arange(60) > 30) * (trouble == "gap")
    time = "logged" if voicing == "original" else "steps"
    score = scored(logged(norms, steps), voicing=voicing, time=time)
    assert checked(score, voicing, score.frames).voicing == voicing


def layered(quantified, values, **style):
    """Score layers below their total."""
    values = np.asarray(values)
    total = np.linalg.norm(np.nan_to_num(values), axis=0)
    rows = np.concatenate([total[None], values])
    return rolled(quantified(rows, ("total", *["gradient"] * len(values)), unit="norm"), **style)


def noise(layers, steps=300, seed=0, spread=0.05):
    rng = np.random.default_rng(seed)
    return np.exp(rng.normal(0, 1, (layers, 1)) + rng.normal(0, spread, (layers, steps)))


@pytest.mark.parametrize("layers", [3, 4, 8, 11])
def test_layers_of_a_healthy_run_keep_still(quantified, layers):
    """Each at a pitch and a place of its own, however all of them move together; 14 dB down."""
    course = np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.1, 300)))
    score = layered(quantified, noise(layers) * course)
    assert (np.ptp(score.pitch[1:], axis=1) == 0).all()
    np.testing.assert_allclose(score.pitch[1:, 0], np.sqrt(registers(layers).prod(axis=1)))
    assert len(set(score.pan[1:].tolist())) == layers
    power = np.square(score.gain[1:], dtype=np.float64).sum(axis=0)
    summary = np.square(score.gain[0], dtype=np.float64)
    np.testing.assert_allclose(10 * np.log10(power / summary), -14, atol=1.5)
    moved = np.log2(score.pitch[0] / score.pitch[0, 0])
    total = np.log10(score.frames.values[0] / score.frames.values[0, 0])
    np.testing.assert_allclose(moved, total, atol=1e-6)


def test_a_layer_is_the_softer_the_smaller_its_gradient_was_at_first(quantified):
    """By 8 dB for a factor of ten beside the ordinary one; vanished layers can hardly be heard."""
    jitter = np.exp(np.random.default_rng(0).normal(0, 0.05, (5, 300)))
    score = layered(quantified, jitter * np.array([1e-6, 0.1, 1, 1, 3])[:, None])
    level = 20 * np.log10(np.median(score.gain[1:], axis=1))
    np.testing.assert_allclose(level - level[2], [-18, -8, 0, 0, 8 * np.log10(3)], atol=0.8)


@pytest.mark.parametrize("layers", [4, 8, 11])
@pytest.mark.parametrize("factor", [1e6, 30.0, 1 / 30, 1e-3])
@pytest.mark.parametrize("polarity", [1, -1])
def test_a_layer_that_leaves_bends_by_two_semitones_at_most(quantified, layers, factor, polarity):
    """Up where it grows, or down with the other polarity; it comes forward, alone."""
    values = noise(layers)
    values[2, 150:] *= factor
    score = layered(quantified, values, polarity=polarity)
    semitones = 12 * np.log2(score.pitch[1:] / score.pitch[1:, :1])
    assert np.abs(semitones).max() <= 2 + 1e-9
    sign = polarity * (1 if factor > 1 else -1)
    assert sign * semitones[2, 200] > 1
    assert np.abs(np.delete(semitones, 2, axis=0)).max() == 0
    decibels = 20 * np.log10(score.gain[1:, 200] / score.gain[1:, 100])
    assert decibels[2] > 12
    np.testing.assert_allclose(np.delete(decibels, 2), 0, atol=1e-3)
    low, high = score.registers[1:].T
    assert (score.pitch[3] >= low[2]).all()
    assert (score.pitch[3] <= high[2]).all()


def test_a_layer_beside_a_frozen_one_comes_forward(quantified):
    """One that never had a gradient says nothing of the others."""
    values = noise(5)
    values[0] = 0
    values[2, 150:] *= 30
    score = layered(quantified, values)
    assert score.pitch[3, 200] > score.pitch[3, 100]
    assert not score.gain[1].any()
    assert (score.state[1] == State.ZERO).all()


@pytest.mark.parametrize("left", [0.0, 1e-6, np.nan])
def test_a_layer_that_is_gone_is_silent(quantified, left):
    """And those that are there sound on."""
    values = noise(4)
    values[1, 150:] *= left
    score = layered(quantified, values)
    assert not score.gain[2, 150:].any()
    assert score.gain[2, :150].all()
    assert score.gain[[0, 1, 3, 4]].all()


@pytest.mark.parametrize("polarity", [1, -1])
@pytest.mark.parametrize("quantity", ["loss", "ratio", "rate", ""])
def test_polarity_turns_everything_round(quantified, polarity, quantity):
    """More is higher, or lower."""
    score = rolled(quantified(np.geomspace(1e-3, 3e-3, 20), (quantity,)), polarity=polarity)
    assert (polarity * np.diff(score.pitch[0]) >= 0).all()
    assert polarity * (score.pitch[0, -1] - score.pitch[0, 0]) > 0


def test_negative_losses_move_in_their_own_range(quantified):
    """There is no factor between them: linear, from the low to the high end."""
    score = rolled(quantified(np.linspace(-3, -1, 21), ("loss",)))
    low, high = score.registers[0]
    np.testing.assert_allclose(score.pitch[0], np.geomspace(low, high, 21))
    assert score.gain.all()


@pytest.mark.parametrize(("polarity", "end"), [(1, 0), (-1, 1)])
def test_a_negative_loss_on_a_logarithmic_scale_is_held_at_its_end(quantified, polarity, end):
    """Such as that of other runs, which have none."""
    line = quantified([1.0, 2.0, -0.5, 3.0], ("loss",))
    score = roll(reduce(line), Style(scales={"voice0": Scale(0.5, 5.0)}, polarity=polarity))
    assert score.state[0].tolist() == [State.SOUNDING, State.SOUNDING, State.HELD, State.SOUNDING]
    assert score.pitch[0, 2] == pytest.approx(score.registers[0, end])
    assert score.gain[0].all()


def test_zero_is_silent_and_says_so(quantified):
    """It has no place on a logarithmic axis."""
    score = rolled(quantified([1.0, 0.0, 2.0], ("loss",)))
    assert (score.gain[0] > 0).tolist() == [True, False, True]
    assert score.state[0, 1] == State.ZERO
    np.testing.assert_array_equal(score.pitch[0, 1], score.pitch[0, 0])


def test_a_range_that_was_asked_for_comes_first(logged, calm):
    """The loss goes from end to end of a register, as in lanes, and gradients have no total."""
    loss = np.geomspace(0.1, 10, 41)
    score = scored(logged({"loss": loss}), range=(0.1, 10.0))
    low, high = score.registers[0]
    np.testing.assert_allclose(score.pitch[0], np.geomspace(low, high, 41), rtol=1e-6)
    norms = logged(calm())
    ranged, lanes = (scored(norms, voicing=name, range=(0.1, 10.0)) for name in ("roll", "lanes"))
    assert ranged.frames.names == lanes.frames.names
    np.testing.assert_allclose(ranged.pitch, lanes.pitch)


def test_a_voice_of_a_mapping_has_the_range_that_it_asks_for(logged):
    """And the one beside it, which does not, is heard as a loss."""
    loss = np.geomspace(0.1, 10, 41)
    voices = (VoiceMapping("loss", range=(0.01, 100.0)), VoiceMapping("other_loss"))
    score = scored(logged({"loss": loss, "other_loss": loss}), voices=voices)
    low, high = score.registers[0]
    assert score.registers[0].tolist() != score.registers[1].tolist()
    along = np.log(score.pitch[0] / low) / np.log(high / low)
    np.testing.assert_allclose(along, np.linspace(0.25, 0.75, 41), atol=1e-6)
    assert octaves(score.pitch[1, -1]) - octaves(score.pitch[1, 0]) == pytest.approx(2)


@pytest.mark.parametrize("tags", [("loss",), ("grad_norm/*",)])
def test_other_tags_still_drive_loudness_and_brightness(logged, calm, tags):
    """From 18 dB down to as it was, and from a sine to all that there is."""
    run = logged(calm() | {"loss": np.ones(300), "lr": np.geomspace(0.01, 1, 300)})
    plain = scored(run, tags=tags)
    loud = scored(run, tags=tags, loudness="lr")
    decibels = 20 * np.log10(loud.gain[0] / plain.gain[0])
    np.testing.assert_allclose(decibels, np.linspace(-18, 0, 300), atol=0.2)
    bright = scored(run, tags=tags, brightness="lr")
    share = bright.brightness[0] / plain.brightness[0]
    np.testing.assert_allclose(share, np.linspace(0, 1, 300), atol=0.02)
    np.testing.assert_array_equal(bright.pitch, plain.pitch)


@pytest.mark.parametrize("layers", [1, 2, 12])
def test_a_summary_needs_layers_below_it(logged, calm, layers):
    """One layer alone is the summary itself; of more there is their total; all sound."""
    score = scored(logged(calm(layers)))
    assert len(score.frames.names) == (1 if layers == 1 else layers + 1)
    assert score.frames.quantities[0] == ("gradient" if layers == 1 else "total")
    assert score.gain.all()
    assert (score.gain[0] >= score.gain[1:].max(axis=0, initial=0)).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0])
def test_twelve_layers_without_a_logarithmic_range_sound(logged, calm, value):
    """All NaN, or negative where no norm can be: thirteen voices are no error."""
    norms = calm(12, 50)
    for row in norms.values():
        row[:] = value
    score = scored(logged(norms))
    assert len(score.frames.names) == 13
    checked(score, "roll", score.frames)
    assert bool(score.gain.any()) == (value == -1)


def test_a_summary_of_more_than_six_decades_goes_from_end_to_end(quantified):
    """At an octave a decade most of it would be held; the factor is smaller, and no anchor said."""
    score = rolled(quantified(np.geomspace(1e-7, 1e13, 41), ("loss",)))
    low, high = score.registers[0]
    np.testing.assert_allclose(score.pitch[0], np.geomspace(low, high, 41))
    assert score.anchors == (None,)
    assert set(score.state[0].tolist()) == {State.SOUNDING}
