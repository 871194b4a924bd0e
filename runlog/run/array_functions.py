"""NumPy's functions on values that lie on steps: which results lie on steps as well.

Before a ufunc converts anything to an array it asks its operands for
``__array_ufunc__`` (NEP 13); every other function asks its arguments for
``__array_function__`` (NEP 18).  An argument that has the method gets the whole
call (the function itself, its arguments and their types) and answers in NumPy's
place, or says ``NotImplemented`` and leaves it to the next.  Were it not for
NEP 18, `np.diff` would begin with `np.asarray` and the steps would be gone; we
would have a ``runlog.diff`` of our own, and every mapping between log and sound
would have to know which of the two it needs.  So a mapping is written in NumPy
alone, and the same lines take a Series, an array, or whatever other library's
type answers.  And because the function arrives as a value, what becomes of the
steps is not code but a table with functions as keys:

ONE_VALUE_A_STEP : the result has a value for each measurement, so tag and steps stay
    `angle`, `around`, `astype`, `choose`, `clip`, `copy`, `cumprod`, `cumsum`,
    `cumulative_prod`, `cumulative_sum`, `emath.arccos`, `emath.arcsin`,
    `emath.arctanh`, `emath.log`, `emath.log10`, `emath.log2`, `emath.logn`,
    `emath.power`, `emath.sqrt`, `empty_like`, `fix`, `full_like`, `gradient`,
    `i0`, `imag`, `isclose`, `iscomplex`, `isneginf`, `isposinf`, `isreal`,
    `nan_to_num`, `nancumprod`, `nancumsum`, `ones_like`, `piecewise`, `real`,
    `real_if_close`, `round`, `select`, `sinc`, `unwrap`, `where`, `zeros_like`;
    likewise all element-wise ufuncs and their ``accumulate``
STEPS_OF_ONE_ARGUMENT : one value for each measurement of that argument, others are tables
    `digitize` (x), `interp` (x), `isin` (element), `polyval` (x), `searchsorted` (v)
LATER_STEPS : a value made of neighbours belongs to the last of them
    `diff` without prepend and append; `convolve` and `correlate` of a Series with a
    kernel no longer than itself, in mode "valid" (in mode "same" all steps stay, in
    mode "full", which reaches over both ends, none)
JOINED : the steps one after the other, where all parts are Series of one tag
    `concatenate`
PAIRED : no steps in the result, but measurements of the same step meet
    `allclose`, `average`, `corrcoef`, `cov`, `dot`, `histogram2d`, `inner`,
    `linalg.vecdot`, `polyfit`, `trapezoid`, `vdot`;
    likewise the ufuncs with a signature, such as ``matmul``
EQUAL : like arrays of different lengths, Series on different steps are not equal
    `array_equal`, `array_equiv`

Where measurements meet (ONE_VALUE_A_STEP, PAIRED, and the ``where=`` of a ufunc)
they have to lie on the same steps; wall times and segments may differ, and those
of the first Series stay.

Everything else, a ufunc's ``reduce``, ``reduceat``, ``outer`` and ``at`` among it,
sees plain values and gives what NumPy gives for them: a mean has no step, and
sorted values do not lie on theirs any more.  ``np.interp(loss, [0, 1], [200, 800])`` maps the
values of a Series and keeps its steps; ``np.interp(x, loss.steps, loss)`` looks
them up for an array `x` of other steps and gives an array.  To pick measurements
together with their steps, index the Series (``loss[::-1]`` instead of `flip`).

A Series is never written to; with ``out=`` the result is the array that was given.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from numpy.lib.mixins import NDArrayOperatorsMixin

__all__ = [
    "EQUAL",
    "JOINED",
    "LATER_STEPS",
    "ONE_VALUE_A_STEP",
    "PAIRED",
    "STEPS_OF_ONE_ARGUMENT",
    "OnSteps",
    "require_same_steps",
]

Function = Callable[..., Any]


class OnSteps(NDArrayOperatorsMixin, ABC):
    """One-dimensional values that lie on steps, with NumPy's protocols and operators.

    Attributes
    ----------
    tag : str
        What the values are.
    steps : np.ndarray [shape=(n,), int64]
        Where they lie.
    values : np.ndarray [shape=(n,)]
        What NumPy's functions compute with.
    """

    tag: str
    steps: npt.NDArray[np.int64]
    values: npt.NDArray[Any]

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitem__(self, index: Any) -> Any: ...

    @abstractmethod
    def with_values(self, values: npt.ArrayLike, tag: str | None = None) -> Self:
        """Return other values on the same steps."""

    @abstractmethod
    def followed_by(self, others: Sequence[Self], values: npt.ArrayLike) -> Self:
        """Return these values on the own steps and then those of others."""

    def __array__(
        self, dtype: npt.DTypeLike | None = None, copy: bool | None = None
    ) -> npt.NDArray[Any]:
        return np.array(self.values, dtype=dtype, copy=copy)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """Apply a ufunc (NEP 13); what is element-wise keeps tag and steps."""
        out = kwargs.get("out", ())
        asked = (*inputs, *out, kwargs.get("where"))
        if any(_answers_itself(type(value), "__array_ufunc__") for value in asked):
            return NotImplemented
        _refuse_to_be_written(inputs[:1] if method == "at" else out)
        operands = list(_found_in((inputs, kwargs)))
        if method not in ("outer", "at"):
            require_same_steps(ufunc.__name__, operands)
        result = getattr(ufunc, method)(*_plain(inputs), **_plain(kwargs))
        if method not in ("__call__", "accumulate") or ufunc.signature:
            return result
        if isinstance(result, tuple):
            return tuple(_on_steps(ufunc.__name__, operands, part, out) for part in result)
        return _on_steps(ufunc.__name__, operands, result, out)

    def __array_function__(
        self,
        func: Function,
        types: Sequence[type],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
    ) -> Any:
        """Apply any other function of NumPy (NEP 18), as the tables of this module say."""
        if any(_answers_itself(kind, "__array_function__") for kind in types):
            return NotImplemented
        given = (*args, *kwargs.values())
        _refuse_to_be_written([kwargs.get("out")])
        if func in _RULES:
            return _RULES[func](*args, **kwargs)
        operands = _operands(func, args, kwargs)
        if func in ONE_VALUE_A_STEP or func in PAIRED:
            require_same_steps(func.__name__, operands)
        result = func(*_plain(tuple(args)), **_plain(dict(kwargs)))
        if func in ONE_VALUE_A_STEP or func in STEPS_OF_ONE_ARGUMENT:
            return _on_steps(func.__name__, operands, result, given)
        return result


def _diff(a: Any, n: int = 1, axis: int = -1, *ends: Any, **named_ends: Any) -> Any:
    """Differences of neighbours; NumPy takes `prepend` and `append` as positions, too."""
    values = np.diff(*_plain((a, n, axis, *ends)), **_plain(named_ends))
    if not isinstance(a, OnSteps) or ends or named_ends:
        return values
    return a[len(a) - len(values) :].with_values(values)


def _filter(function: Function, a: Any, v: Any, mode: Any) -> Any:
    """Run a kernel over values; a kernel has no steps."""
    values = function(_plain(a), _plain(v), mode)
    if not isinstance(a, OnSteps) or isinstance(v, OnSteps) or np.size(v) > len(a):
        return values
    if mode not in ("same", "valid"):
        return values
    return a[len(a) - len(values) :].with_values(values)


def _convolve(a: Any, v: Any, mode: Any = "full") -> Any:
    return _filter(np.convolve, a, v, mode)


def _correlate(a: Any, v: Any, mode: Any = "valid") -> Any:
    return _filter(np.correlate, a, v, mode)


def _concatenate(arrays: Sequence[Any], axis: Any = 0, out: Any = None, **kwargs: Any) -> Any:
    parts = list(arrays)
    values = np.concatenate(_plain(parts), axis, out, **kwargs)
    first = parts[0]
    if out is not None or not all(isinstance(part, OnSteps) for part in parts):
        return values
    same = all(part.tag == first.tag for part in parts)
    return first.followed_by(parts[1:], values) if same else values


def _equal(function: Function, a1: Any, a2: Any, *args: Any, **kwargs: Any) -> Any:
    if isinstance(a1, OnSteps) and isinstance(a2, OnSteps) and not _same_steps(a1, a2):
        return False
    return function(_plain(a1), _plain(a2), *args, **kwargs)


ONE_VALUE_A_STEP: frozenset[Function] = frozenset(
    {
        np.angle, np.around, np.astype, np.choose, np.clip, np.copy, np.cumprod, np.cumsum,
        np.cumulative_prod, np.cumulative_sum, np.emath.arccos, np.emath.arcsin,
        np.emath.arctanh, np.emath.log, np.emath.log10, np.emath.log2, np.emath.logn,
        np.emath.power, np.emath.sqrt, np.empty_like, np.fix, np.full_like, np.gradient,
        np.i0, np.imag, np.isclose, np.iscomplex, np.isneginf, np.isposinf, np.isreal,
        np.nan_to_num, np.nancumprod, np.nancumsum, np.ones_like, np.piecewise, np.real,
        np.real_if_close, np.round, np.select, np.sinc, np.unwrap, np.where, np.zeros_like,
    }
)  # fmt: skip

STEPS_OF_ONE_ARGUMENT: Mapping[Function, tuple[int, str]] = {  # its position and name
    np.digitize: (0, "x"),
    np.interp: (0, "x"),
    np.isin: (0, "element"),
    np.polyval: (1, "x"),
    np.searchsorted: (1, "v"),
}

LATER_STEPS: Mapping[Function, Function] = {
    np.diff: _diff,
    np.convolve: _convolve,
    np.correlate: _correlate,
}

JOINED: Mapping[Function, Function] = {np.concatenate: _concatenate}

PAIRED: frozenset[Function] = frozenset(
    {
        np.allclose, np.average, np.corrcoef, np.cov, np.dot, np.histogram2d, np.inner,
        np.linalg.vecdot, np.polyfit, np.trapezoid, np.vdot,
    }
)  # fmt: skip

EQUAL: Mapping[Function, Function] = {
    function: partial(_equal, function) for function in (np.array_equal, np.array_equiv)
}

_RULES = {**LATER_STEPS, **JOINED, **EQUAL}


def _answers_itself(kind: type, protocol: str) -> bool:
    """Whether another library's type has an answer of its own, which then comes first."""
    inherited = (None, getattr(np.ndarray, protocol))
    return not issubclass(kind, OnSteps) and getattr(kind, protocol, None) not in inherited


def _refuse_to_be_written(targets: Sequence[Any]) -> None:
    if any(isinstance(target, OnSteps) for target in targets):
        raise TypeError(
            "a Series cannot be written to: pass an array as out=, "
            "and instead of a += b write a = a + b"
        )


def _operands(func: Function, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Sequence[OnSteps]:
    """Return the arguments whose steps the result may have."""
    if func not in STEPS_OF_ONE_ARGUMENT:
        return list(_found_in((args, kwargs)))
    position, name = STEPS_OF_ONE_ARGUMENT[func]
    chosen = args[position] if position < len(args) else kwargs.get(name)
    return [chosen] if isinstance(chosen, OnSteps) else []


def _found_in(value: Any) -> Iterator[OnSteps]:
    """Yield what lies on steps in nested arguments."""
    if isinstance(value, OnSteps):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _found_in(item)
    elif isinstance(value, dict):
        yield from _found_in(list(value.values()))


def _plain(value: Any) -> Any:
    """Replace what lies on steps in nested arguments by its values."""
    if isinstance(value, OnSteps):
        return value.values
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, tuple):
        return tuple(_plain(item) for item in value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _on_steps(function: str, operands: Sequence[OnSteps], result: Any, given: Sequence[Any]) -> Any:
    """Put a result on the operands' steps, unless it is an array the caller gave as `out`."""
    if not operands or not isinstance(result, np.ndarray):
        return result
    if result.shape != operands[0].steps.shape or any(result is value for value in given):
        return result
    return operands[0].with_values(result, _joint_tag(function, operands))


def _joint_tag(function: str, operands: Sequence[OnSteps]) -> str:
    tags = list(dict.fromkeys(each.tag for each in operands))
    return tags[0] if len(tags) == 1 else f"{function}({', '.join(tags)})"


def _same_steps(one: OnSteps, other: OnSteps) -> bool:
    return one.steps is other.steps or np.array_equal(one.steps, other.steps)


def require_same_steps(function: str, operands: Sequence[OnSteps]) -> None:
    """Refuse operands whose measurements do not belong together.

    Parameters
    ----------
    function : str
        Where they meet, for the message.
    operands : sequence of OnSteps
        Any number, also none.

    Raises
    ------
    ValueError
        If two of them lie on different steps.
    """
    for other in operands[1:]:
        if not _same_steps(operands[0], other):
            raise ValueError(
                f"{function}: {operands[0].tag!r} and {other.tag!r} lie on different steps "
                "(Run.frame() puts them on one axis)"
            )
