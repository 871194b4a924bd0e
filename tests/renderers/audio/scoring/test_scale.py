"""A scale maps values to a range and back, and its range is what most values fill."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from epochord.renderers.audio.scoring.scale import Sample, Scale, common, robust, sample, shared

finite = st.floats(allow_nan=False, allow_infinity=False)
sets = arrays.arrays(np.float64, st.integers(1, 60))


@st.composite
def scales(draw) -> Scale:
    kind = draw(st.sampled_from(["log", "linear"]))
    ends = st.floats(1e-30, 1e30) if kind == "log" else st.floats(-1e30, 1e30)
    low, high = sorted([draw(ends), draw(ends)])
    assume(high > low + 1e-6 * abs(low))
    return Scale(low, high, kind)


def lognormal(size, spread=1.0, seed=0):
    return np.random.default_rng(seed).lognormal(0, spread, size)


@given(scales(), arrays.arrays(np.float64, 10, elements=st.floats(0, 1)))
def test_positions_and_values_round_trip(scale, positions):
    """What is between the ends comes back, up to rounding."""
    values = scale.values(positions)
    assert ((values >= scale.low * (1 - 1e-9 * np.sign(scale.low))) | (positions > 0)).all()
    np.testing.assert_allclose(scale.positions(values), positions, atol=1e-8)


@given(scales(), arrays.arrays(np.float64, 20, elements=st.floats(allow_nan=False)))
def test_positions_rise_with_the_values_and_never_leave_the_range(scale, values):
    """Zeros, negative values, subnormals and the infinities included."""
    positions = scale.positions(np.sort(values))
    assert (np.diff(positions) >= 0).all()
    assert ((positions >= 0) & (positions <= 1)).all()


@given(scales())
def test_the_ends_lie_at_the_ends_and_nan_stays_nan(scale):
    """What is beyond them is held at them."""
    beyond = scale.positions([-np.inf, scale.low, scale.high, np.inf, np.nan])
    np.testing.assert_allclose(beyond, [0, 0, 1, 1, np.nan], atol=1e-12)


def test_equal_ratios_are_equal_distances_on_a_logarithmic_scale():
    """And equal differences on a linear one."""
    np.testing.assert_allclose(Scale(1e-3, 10).positions([1e-3, 0.1, 1, 10]), [0, 0.5, 0.75, 1])
    np.testing.assert_allclose(Scale(-1, 3, "linear").positions([-1, 0, 1]), [0, 0.25, 0.5])


@pytest.mark.parametrize(
    ("low", "high", "kind", "message"),
    [
        (2.0, 1.0, "linear", r"range is 2\.0:1\.0; expected LO:HI with LO < HI"),
        (1.0, 1.0, "log", r"range is 1\.0:1\.0"),
        (np.nan, 1.0, "linear", "range is nan:1"),
        (0.0, np.inf, "linear", "range is 0.0:inf"),
        (-1.7e308, 1.7e308, "linear", r"LO < HI, both within ±1e\+300"),
        (0.0, 1.0, "log", r"range is 0\.0:1\.0; a logarithmic one has LO > 0"),
    ],
)
def test_ends_that_make_no_range_are_refused(low, high, kind, message):
    """With what they are and what they may be."""
    with pytest.raises(ValueError, match=message):
        Scale(low, high, kind)


@given(sets, st.sampled_from([np.float32, np.float64]))
def test_a_range_is_found_for_any_values(values, dtype):
    """NaN, infinities, zeros, subnormals, the largest number, constants: never an error."""
    with np.errstate(over="ignore"):
        values = values.astype(dtype)
    scale = robust([values])
    known = values[np.isfinite(values)]
    assert scale.low < scale.high
    assert scale.kind == ("log" if (known >= 0).all() and known.size else "linear")
    positions = scale.positions(known[known > 0] if scale.kind == "log" else known)
    assert not positions.size or np.ptp(known) == 0 or (np.diff(np.sort(positions)) >= 0).all()


@pytest.mark.parametrize("spread", [0.01, 0.3, 1.0, 3.0])
def test_without_an_explosion_everything_lies_in_the_range(spread):
    """The least and the greatest value are its ends, to the bit, so that neither counts as held."""
    rng = np.random.default_rng(1)
    for values in (10 ** rng.uniform(-spread, spread, 1000), rng.uniform(-spread, spread, 1000)):
        scale = robust([values])
        assert scale.low <= values.min()
        assert scale.high >= values.max()
        if scale.high / scale.low > 2 or scale.kind == "linear":
            assert scale.low == pytest.approx(values.min(), rel=1e-12)
            assert scale.high == pytest.approx(values.max(), rel=1e-12)


@pytest.mark.parametrize("explosion", [1e6, 1e17, -1e17, 1e300, 1.7e308, np.inf, np.nan])
@pytest.mark.parametrize("low", [0.0, -5.0])
def test_an_explosion_does_not_stretch_the_range(explosion, low):
    """It lies at the end, and the ordinary values keep their places."""
    ordinary = low + lognormal(1000, 0.5)
    exploded = np.append(ordinary, explosion if low < 0 else abs(explosion))
    assert robust([exploded]) == robust([ordinary])
    if not np.isnan(explosion):
        assert robust([ordinary]).positions(exploded)[-1] == (explosion > 0 or low == 0)


@pytest.mark.parametrize("value", [1.0, 1e-45, 1e-300, 1e30, 1.7e308, -1.0, -5e-324, -1.7e308])
def test_a_constant_lies_within_its_range(value):
    """Small noise on it does not fill the range: that spans a quarter of a decade at least."""
    scale = robust([np.full(50, value)])
    assert scale.low <= max(min(value, 1e300), -1e300) <= scale.high
    if 0 < value < 1e300:
        assert scale.positions(value) == pytest.approx(0.5, abs=0.01)
        assert scale.high / scale.low == pytest.approx(10**0.25)


def test_zeros_do_not_count_on_a_logarithmic_scale():
    """Nor do they make it linear, even where there is nothing else."""
    values = lognormal(100)
    assert robust([np.append(values, np.zeros(900))]) == robust([values])
    assert robust([np.zeros(5)]).kind == "log"


def test_small_signed_values_fill_their_range():
    """A mean gradient of 1e-15 is no less a signal than one of 1."""
    values = np.random.default_rng(0).normal(0, 1, 200)
    np.testing.assert_allclose(
        robust([1e-15 * values]).positions(1e-15 * values), robust([values]).positions(values)
    )


def test_a_value_that_most_steps_share_does_not_hide_the_others():
    """A learning rate in three stages; norms that are mostly clipped to one."""
    rate = np.repeat([0.1, 0.01, 0.001], [80, 10, 10])
    assert robust([rate]).positions(rate[[0, 80, 90]]) == pytest.approx([1, 0.5, 0])
    clipped = np.minimum(lognormal(1000, 0.5, seed=2) * 2, 1.0)
    scale = robust([clipped])
    assert (clipped == 1.0).mean() > 0.75
    assert scale.low == pytest.approx(clipped.min())


@given(st.lists(sets, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_a_shared_scale_does_not_depend_on_the_order_of_the_runs(runs, random):
    """To the bit, so that renders of one command are equal whatever comes first."""
    samples = [{"norm": Sample(sample(run))} for run in runs]
    shuffled = random.sample(samples, len(samples))
    assert common(samples) == common(shuffled)


def of(*runs):
    return common([{"": Sample(sample(run))} for run in runs])[""]


def test_every_run_weighs_the_same_on_a_shared_scale():
    """However long it is: logging ten times as often changes nothing."""
    calm, wild = lognormal(200, 0.3), 1e4 * lognormal(3000, 0.3, seed=1)
    short = of(calm, wild)
    for times in (5, 50):
        long = of(np.repeat(calm, times), wild)
        assert long.low == pytest.approx(short.low)
        assert long.high == pytest.approx(short.high)
    # A hundred exploded values of a long run do not outvote a short run.
    few, many = lognormal(50, 0.3), 1e9 * lognormal(100_000, 0.3, seed=2)
    both = of(few, many)
    assert both.low <= few.min()
    assert both.high >= np.quantile(many, 0.999)


def test_healthy_runs_are_heard_over_all_of_their_own_ranges():
    """From the lowest to the highest end; one that is ill does not stretch what they share."""
    low, high = lognormal(300, 0.3), 5 * lognormal(300, 0.3, seed=1)
    ill = {"": Sample(sample(np.geomspace(1e-9, 1e18, 300)), healthy=False)}
    made = common([{"": Sample(sample(low))}, {"": Sample(sample(high))}, ill])[""]
    assert (made.low, made.high) == (robust([low]).low, robust([high]).high)
    assert common([ill, ill])[""] == robust([ill[""].values])


def test_groups_have_scales_of_their_own():
    """Each from all runs that have it; with negative values it is linear."""
    loss, rate = Sample(np.array([1.0, 2.0])), Sample(np.array([0.1]))
    made = common([{"loss": loss}, {"lr": rate, "loss": Sample(np.array([-8.0, 0.0]))}])
    assert made["lr"] == robust([rate.values])
    assert made["loss"] == Scale(-8.0, 2.0, "linear")


def test_the_middle_is_where_most_values_are():
    """Not halfway along a range of twenty decades; of several runs, the middle one of theirs."""
    values = np.r_[np.full(90, 2e-5), 1e-12, np.geomspace(1, 1e8, 9)]
    assert robust([values]).ordinary == pytest.approx(2e-5)
    runs = [Sample(np.full(9, middle)) for middle in (0.1, 3.0, 1e3)]
    assert shared(runs).ordinary == pytest.approx(3.0)
    assert Scale(0.1, 1000.0).ordinary == pytest.approx(10)
    assert "middle" not in Scale(0.1, 1000.0).to_dict()
