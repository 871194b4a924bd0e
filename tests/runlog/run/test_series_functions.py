"""Every function of NumPy gives for a Series what it gives for its values (the oracle)."""

import re
from collections.abc import Callable
from operator import attrgetter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import overrides

from epochord.runlog import Series
from epochord.runlog.run import array_functions

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NaN, overflow, no values

Call = Callable[[Any], Any]

WITHOUT_STEPS = {  # whose result has none
    *(np.mean, np.sum, np.std, np.var, np.min, np.max, np.median, np.prod, np.ptp, np.average),
    *(np.nanmean, np.nansum, np.nanstd, np.nanvar, np.nanmin, np.nanmax, np.nanmedian, np.nanprod),
    *(np.any, np.all, np.count_nonzero, np.argmin, np.argmax, np.linalg.norm),
    *(np.percentile, np.quantile, np.nanpercentile, np.nanquantile),
    *(np.flip, np.sort, np.unique, np.argsort, np.histogram, np.roll, np.pad, np.ediff1d),
    *(np.fft.rfft, np.stack, np.split, np.nonzero, np.flatnonzero, np.shape, np.array_repr),
    *(np.append, np.take, np.outer, np.tile, np.repeat, np.result_type, np.trim_zeros),
}

CALLS: dict[Callable[..., Any], Call] = {  # of functions that need more than the values
    np.append: lambda x: np.append(x, 1),
    np.astype: lambda x: np.astype(x, np.float64),
    np.choose: lambda x: np.choose(x > 0, [x, -1]),
    np.clip: lambda x: np.clip(x, -1, max=1),
    np.emath.logn: lambda x: np.emath.logn(2, x),
    np.emath.power: lambda x: np.emath.power(x, p=2),
    np.empty_like: lambda x: np.isnan(np.empty_like(x, dtype=int)),  # its values mean nothing
    np.full_like: lambda x: np.full_like(x, 3),
    np.isclose: lambda x: np.isclose(x, 0.5, equal_nan=True),
    np.nanpercentile: lambda x: np.nanpercentile(x, [5, 95]),
    np.nanquantile: lambda x: np.nanquantile(x, 0.5),
    np.outer: lambda x: np.outer(x, x),
    np.pad: lambda x: np.pad(x, 1),
    np.percentile: lambda x: np.percentile(x, 50),
    np.piecewise: lambda x: np.piecewise(x, [x < 0, x > 1], [-1, 1, lambda y: y + 1]),
    np.quantile: lambda x: np.quantile(x, [0.25, 0.5]),
    np.repeat: lambda x: np.repeat(x, 2),
    np.roll: lambda x: np.roll(x, 1),
    np.round: lambda x: np.round(x, decimals=1),
    np.select: lambda x: np.select([x < 0, x > 1], [x, -x], 7),
    np.split: lambda x: np.split(x, [2]),
    np.stack: lambda x: np.stack([x, x]),
    np.take: lambda x: np.take(x, [0]),
    np.tile: lambda x: np.tile(x, 2),
    np.where: lambda x: np.where(x > 0, x, 0),
    np.digitize: lambda x: np.digitize(x, [0, 1]),
    np.interp: lambda x: np.interp(x, [0, 1], [200, 800]),
    np.isin: lambda x: np.isin(x, [0, 1]),
    np.polyval: lambda x: np.polyval([1, 2, 3], x),
    np.searchsorted: lambda x: np.searchsorted([0, 1], v=x),
    np.allclose: lambda x: np.allclose(x, x, equal_nan=True),
    np.average: lambda x: np.average(x, weights=x),
    np.dot: lambda x: np.dot(x, x),
    np.histogram2d: lambda x: np.histogram2d(x, x, bins=2, range=[[0, 1], [0, 1]]),
    np.inner: lambda x: np.inner(x, x),
    np.linalg.vecdot: lambda x: np.linalg.vecdot(x, x),
    np.polyfit: lambda x: np.polyfit(x, x, 0),
    np.vdot: lambda x: np.vdot(x, x),
}

MEET: dict[Callable[..., Any], Callable[[Any, Any], Any]] = {
    np.average: lambda a, b: np.average(a, weights=b),
    np.choose: lambda a, b: np.choose(a > 0, [b, 0]),
    np.clip: lambda a, b: np.clip(a, min=b, max=None),
    np.gradient: np.gradient,
    np.emath.logn: np.emath.logn,
    np.emath.power: np.emath.power,
    np.full_like: np.full_like,
    np.isclose: np.isclose,
    np.nan_to_num: lambda a, b: np.nan_to_num(a, nan=b),
    np.piecewise: lambda a, b: np.piecewise(a, [b > 0], [1, 2]),
    np.polyfit: lambda a, b: np.polyfit(a, b, 1),
    np.select: lambda a, b: np.select([a > 0], [b], 0),
    np.sum: lambda a, b: np.add.reduce(a, where=b > 0),
    np.where: lambda a, b: np.where(a > 0, 1, b),
    **{function: function for function in array_functions.PAIRED - {np.average, np.polyfit}},
}

UFUNCS = sorted(overrides.get_overridable_numpy_ufuncs(), key=attrgetter("__name__"))


def named(functions: Any) -> list[Any]:
    return sorted(functions, key=lambda each: f"{each.__module__}.{each.__name__}")


def numbers(dtype: type) -> st.SearchStrategy[np.ndarray]:
    return arrays(dtype, st.integers(0, 12))


@st.composite
def measurements(draw: st.DrawFn) -> Series:
    """Part of a series with gaps between its steps and in two segments."""
    values = draw(st.one_of(numbers(np.float32), numbers(np.float64), numbers(np.int64)))
    steps = draw(st.integers(0, 5)) + 3 * np.arange(len(values))
    whole = Series("loss", steps, values, steps / 10, steps % 2)
    return whole[draw(st.slices(len(values)))]


def outcome(call: Callable[..., Any], *args: Any) -> Any:
    """Return the result, or the type of the error."""
    try:
        return call(*args)
    except (TypeError, ValueError, LookupError, AttributeError, ZeroDivisionError) as error:
        return type(error)


def assert_plain(result: Any, expected: Any) -> None:
    """Check that all is equal and of the same type, and nothing is a Series."""
    assert type(result) is type(expected)
    if isinstance(expected, list | tuple):
        for one, other in zip(result, expected, strict=True):
            assert_plain(one, other)
    elif isinstance(expected, np.ndarray | np.generic):
        assert result.dtype == expected.dtype
        np.testing.assert_array_equal(result, expected)
    else:
        assert result == expected


def assert_on_steps_of(x: Series, result: Any, expected: Any) -> None:
    """Check for a Series of the expected values on the steps of another, or the same error."""
    if isinstance(expected, tuple):
        for one, other in zip(result, expected, strict=True):
            assert_on_steps_of(x, one, other)
    elif not isinstance(expected, np.ndarray):
        assert result is expected  # both refuse
    else:
        assert isinstance(result, Series)
        assert result.tag == x.tag
        assert_plain(result.values, expected)
        assert_plain(result.steps, x.steps)
        assert_plain(result.wall_times, x.wall_times)
        assert_plain(result.segments, x.segments)


@pytest.mark.parametrize(
    "function",
    named({*array_functions.ONE_VALUE_A_STEP, *array_functions.STEPS_OF_ONE_ARGUMENT}),
    ids=attrgetter("__name__"),
)
@given(x=measurements())
@settings(max_examples=25)
def test_what_has_one_value_a_step_keeps_tag_steps_times_and_segments(function, x):
    """The values are NumPy's, the rest is the operand's."""
    call = CALLS.get(function, function)
    assert_on_steps_of(x, outcome(call, x), outcome(call, x.values))


@pytest.mark.parametrize("ufunc", UFUNCS, ids=attrgetter("__name__"))
@given(x=measurements(), number=st.sampled_from([2, -0.5, np.float32(3), True]))
@settings(max_examples=10)
def test_all_elementwise_ufuncs_keep_the_steps(ufunc, x, number):
    """Whether the other operands are numbers, arrays or Series of the same steps."""
    check = assert_plain if ufunc.signature else assert_on_steps_of
    about = () if ufunc.signature else (x,)
    for other in (number, x.values[::-1], x):
        rest, values = [other] * (ufunc.nin - 1), [np.asarray(other)] * (ufunc.nin - 1)
        if not isinstance(other, np.ndarray | Series):
            values = rest  # as a Python number it has no type of its own
        check(*about, outcome(ufunc, x, *rest), outcome(ufunc, x.values, *values))
        if ufunc.nin == 2:
            check(*about, outcome(ufunc, *rest, x), outcome(ufunc, *values, x.values))


@pytest.mark.parametrize("ufunc", [np.add, np.maximum, np.hypot, np.logical_or, np.subtract])
@given(x=measurements())
def test_of_a_ufuncs_methods_only_accumulate_keeps_the_steps(ufunc, x):
    """The others mix steps."""
    assert_on_steps_of(x, outcome(ufunc.accumulate, x), outcome(ufunc.accumulate, x.values))
    assert_plain(outcome(ufunc.reduce, x), outcome(ufunc.reduce, x.values))
    assert_plain(outcome(ufunc.outer, x, [1, 2]), outcome(ufunc.outer, x.values, [1, 2]))
    assert_plain(outcome(ufunc.reduceat, x, [0, 2]), outcome(ufunc.reduceat, x.values, [0, 2]))


@pytest.mark.parametrize(
    "function", named({*WITHOUT_STEPS, *array_functions.PAIRED}), ids=attrgetter("__name__")
)
@given(x=measurements())
@settings(max_examples=25)
def test_what_has_no_steps_is_plain(function, x):
    """Reductions give scalars of NumPy's type; what moves values gives arrays."""
    call = CALLS.get(function, function)
    assert_plain(outcome(call, x), outcome(call, x.values))


def test_any_other_function_sees_plain_values():
    """Of all of NumPy's functions only those of the tables return a Series."""
    x = Series("loss", [2, 4, 5], [1.0, 3.0, 2.0])
    listed = {
        *array_functions.ONE_VALUE_A_STEP,
        *array_functions.STEPS_OF_ONE_ARGUMENT,
        *array_functions.LATER_STEPS,
        *array_functions.JOINED,
    }
    for function in named(overrides.get_overridable_numpy_array_functions() - listed):
        if outcome(function, Foreign()) == function.__name__:  # it asks its first argument
            assert_plain(outcome(function, x), outcome(function, x.values))


@given(measurements(), st.integers(0, 4))
def test_a_difference_belongs_to_the_later_step(x, n):
    """np.diff loses the first n steps, not the last."""
    assert_on_steps_of(x[n:], outcome(np.diff, x, n), outcome(np.diff, x.values, n))


@given(measurements())
def test_a_difference_to_something_before_or_after_has_no_steps(x):
    """What is prepended was not measured at a step."""
    for call in (lambda a: np.diff(a, prepend=0), lambda a: np.diff(a, 1, -1, [5], a)):
        assert_plain(outcome(call, x), outcome(call, x.values))


@pytest.mark.parametrize("function", [np.convolve, np.correlate])
@given(x=measurements(), kernel=numbers(np.float64))
def test_a_filtered_value_lies_where_its_window_ends(function, x, kernel):
    """In mode valid; mode same keeps every step, and mode full has more values than steps."""
    same, valid = (lambda a, mode=mode: function(a, kernel, mode) for mode in ("same", "valid"))
    if len(kernel) <= len(x):
        later = x[max(len(kernel) - 1, 0) :]
        assert_on_steps_of(x, outcome(same, x), outcome(same, x.values))
        assert_on_steps_of(later, outcome(valid, x), outcome(valid, x.values))
    else:
        assert_plain(outcome(same, x), outcome(same, x.values))
        assert_plain(outcome(valid, x), outcome(valid, x.values))
    for mixed in (lambda a: function(a, kernel, "full"), lambda a: function(kernel, a, "same")):
        assert_plain(outcome(mixed, x), outcome(mixed, x.values))


def test_a_causal_filter_does_not_see_the_future():
    """A value of mode valid does not change when a later measurement does."""
    before, after = np.arange(6.0), np.array([0, 1, 2, 3, 9, 9.0])
    means = [np.convolve(Series("x", range(6), v), [0.5, 0.5], "valid") for v in (before, after)]
    np.testing.assert_array_equal(means[0].steps, [1, 2, 3, 4, 5])
    np.testing.assert_array_equal((means[0] == means[1]).values, [True] * 3 + [False] * 2)


@given(measurements(), st.integers(0, 12))
def test_joining_the_pieces_of_a_series_restores_it(x, cut):
    """Concatenating joins steps, wall times and segments as it joins values."""
    assert_on_steps_of(x, np.concatenate([x[:cut], x[cut:]]), x.values)


def test_joining_different_tags_or_arrays_or_into_an_array_gives_an_array():
    """A Series has one tag, and a step for each value."""
    x, y, out = Series("x", [0, 1], [1.0, 2.0]), Series("y", [2], [3.0]), np.empty(3)
    for joined in (
        np.concatenate([x, y]),
        np.concatenate([x, [3.0]]),
        np.concatenate([[1.0], [2.0], Series("y", [2], [3.0])]),
        np.concatenate([x, y.with_values([3.0], "x")], out=out),
    ):
        assert_plain(joined, np.array([1.0, 2.0, 3.0]))
    assert np.concatenate([x, x], dtype=np.float32, casting="same_kind").dtype == np.float32


def test_an_interpolation_lies_where_its_first_argument_does():
    """Mapping values keeps the steps; looking up other steps gives an array."""
    x = Series("loss", [0, 10], [0.5, 1.0])
    np.testing.assert_array_equal(np.interp(x, [0, 1], [200, 800]).values, [500, 800])
    assert_plain(np.interp([5], x.steps, x), np.array([0.75]))
    assert_plain(np.interp(np.array([0.5]), x, [1.0, 2.0]), np.array([1.0]))


@pytest.mark.parametrize("function", named(MEET), ids=attrgetter("__name__"))
def test_measurements_of_different_steps_do_not_meet(function):
    """The error names both series; wall times and segments may differ."""
    x, values = Series("train", [0, 1, 2], [0.25, 0.5, 0.75], [1, 2, 3]), np.array([0.5, 1, 2])
    val, late = Series("val", [0, 1, 2], values, [4, 5, 6], 1), Series("val", [0, 1, 3], values)
    with pytest.raises(ValueError, match=r"'train' and 'val' lie on different steps"):
        MEET[function](x, late)
    result, expected = MEET[function](x, val), MEET[function](x.values, values)
    if isinstance(expected, np.ndarray) and function not in array_functions.PAIRED:
        assert_on_steps_of(x.with_values(values, result.tag), result, expected)
    else:
        assert_plain(result, expected)


@pytest.mark.parametrize(
    "ufunc", [ufunc for ufunc in UFUNCS if ufunc.nin > 1], ids=attrgetter("__name__")
)
def test_no_ufunc_takes_series_on_different_steps(ufunc):
    """Values of different steps must not be added by accident."""
    x, late = Series("train", [0, 1], [1.0, 2.0]), Series("val", [0, 2], [1.0, 2.0])
    with pytest.raises(ValueError, match=r"'train' and 'val' lie on different steps"):
        ufunc(x, late, *[1] * (ufunc.nin - 2))


def test_a_ufuncs_where_lies_on_the_same_steps():
    """It selects measurements, so it has to know which."""
    x, late = Series("x", [0, 1], [1.0, 2.0]), Series("late", [0, 2], [True, False])
    out = np.zeros(2)
    np.add(x, 1, out=out, where=x > 1)
    np.testing.assert_array_equal(out, [0.0, 3.0])
    with pytest.raises(ValueError, match="different steps"):
        np.add(x, 1, out=out, where=late)


@pytest.mark.parametrize("function", named(array_functions.EQUAL), ids=attrgetter("__name__"))
def test_series_on_different_steps_are_not_equal(function):
    """As arrays of different lengths are not; a plain array is compared by values."""
    x, late = Series("x", [0, 1], [1.0, 2.0]), Series("x", [0, 2], [1.0, 2.0])
    assert function(x, x.with_values([1.0, 2.0]))
    assert function(x, [1.0, 2.0])
    assert not function(x, late)
    assert not function(a1=x, a2=x + 1)


def test_equality_can_take_nan_for_equal_to_nan():
    """NumPy's other arguments are passed on."""
    x = Series("x", [0, 1], [1.0, np.nan])
    assert not np.array_equal(x, x)
    assert np.array_equal(x, x, equal_nan=True)


def test_a_result_of_another_length_is_plain():
    """It does not lie on the steps, although the function is listed."""
    x = Series("x", [0, 1], [1.0, 2.0])
    assert_plain(np.cumulative_sum(x, include_initial=True), np.array([0.0, 1.0, 3.0]))
    assert_plain(np.add(x, [[1.0], [2.0]]), np.array([[2.0, 3.0], [3.0, 4.0]]))
    assert_plain(np.zeros_like(x, shape=3), np.zeros(3))
    assert_plain(np.where(x), (np.array([0, 1]),))  # places, not values
    assert_plain(np.eye(2) @ x, x.values)  # mixes the steps


def test_out_is_what_comes_back_and_never_a_series():
    """As everywhere in NumPy, also in place."""
    x, out = Series("x", [0, 1], [1.5, 2.0]), np.empty(2)
    for call in (
        lambda: np.add(x, 1, out=out),
        lambda: np.add(x, 1, out),
        lambda: np.cumsum(x, out=out),
        lambda: np.round(x, 1, out),
        lambda: np.frexp(x, out=(out, None))[0],
    ):
        assert call() is out
    array = before = np.ones(2)
    array += x
    assert array is before
    np.add.at(array, [0], x[:1])
    np.testing.assert_array_equal(array, [4.0, 3.0])


def test_no_function_writes_to_a_series():
    """A log does not change because someone computes with it."""
    x = Series("x", [0, 1], [1.0, 2.0])
    for write in (
        lambda: np.add(x, 1, out=x),
        lambda: np.add(np.ones(2), 1, out=x),
        lambda: np.add.at(x, [0], 1),
        lambda: np.cumsum(x, out=x),
        lambda: np.cumsum(np.ones(2), out=x),
        lambda: x.__iadd__(1),
    ):
        with pytest.raises(TypeError, match="cannot be written to"):
            write()


def test_what_writes_without_out_meets_a_read_only_array():
    """Also where NumPy's function has no such keyword."""
    x = Series("x", [0, 1], [1.0, np.nan])
    for write in (
        lambda: np.copyto(x, 0),
        lambda: np.put(x, 0, 0),
        lambda: np.putmask(x, [True, True], 0),
        lambda: np.nan_to_num(x, copy=False),
        lambda: np.cumsum(x, None, None, x),
    ):
        with pytest.raises(ValueError, match="read-only"):
            write()


class Foreign:
    """Another library's array type."""

    def __array_ufunc__(self, ufunc: np.ufunc, *_: Any, **__: Any) -> str:
        return ufunc.__name__

    def __array_function__(self, func: Callable[..., Any], *_: Any) -> str:
        return func.__name__


class ForeignArray(np.ndarray):
    """Another library's subclass of NumPy's array."""

    __array_ufunc__ = Foreign.__array_ufunc__
    __array_function__ = Foreign.__array_function__


class Silent:
    """A type that can do nothing."""

    def __array_ufunc__(self, *_: Any, **__: Any) -> Any:
        return NotImplemented

    __array_function__ = __array_ufunc__


@pytest.mark.parametrize("other", [Foreign(), np.ones(2).view(ForeignArray)])
def test_another_librarys_type_has_its_own_say(other):
    """A Series leaves the call to it, in whichever order they stand."""
    x = Series("x", [0, 1], [1.0, 2.0])
    assert np.concatenate([x, other]) == "concatenate"
    assert np.where(x > 1, x, other) == "where"
    assert np.interp(x, other, other) == "interp"
    assert np.cumsum(x, out=other) == "cumsum"
    assert np.add(x, other) == np.add(other, x) == x + other == "add"
    assert np.add(x, 1, out=other) == np.add(x, 1, where=other) == "add"


def test_where_nobody_knows_what_to_do_numpy_says_so():
    """No answer is better than a guess."""
    x = Series("x", [0, 1], [1.0, 2.0])
    for call in (lambda: np.concatenate([x, Silent()]), lambda: np.add(x, Silent())):
        with pytest.raises(TypeError, match=r"NotImplemented|no implementation"):
            call()


def test_subclasses_that_leave_the_protocols_alone_are_arrays():
    """A masked array behaves as it does with arrays."""
    x = Series("x", [0, 1], [1.0, 2.0])
    masked = np.ma.masked_array([1.0, 2.0], [True, False])
    np.testing.assert_array_equal((masked + x.values).mask, [True, False])
    assert np.mean(np.concatenate([x, masked])) == 1.5


def test_the_documentation_lists_the_functions_of_the_tables():
    """Each table of the module has a paragraph in its docstring, with the same functions."""
    paragraphs = re.findall(r"^([A-Z_]+) : .*\n((?:    .*\n)+)", array_functions.__doc__, re.M)
    documented = {}
    for table, text in paragraphs:
        names = re.findall("`([a-z0-9_.]+)`", text.replace("``", " "))
        documented[table] = {attrgetter(name)(np) for name in names}
    tables = {name for name in array_functions.__all__ if name.isupper()}
    assert documented == {name: set(getattr(array_functions, name)) for name in tables}
