"""One tag of a log as a NumPy citizen: values that carry their steps along.

`np.log10(run["loss"])` is a Series with the same tag and steps, `np.mean` a
number, `np.diff` a Series that is one step shorter.  NEP 13 lets an object
answer when a ufunc is called on it; NEP 18 does the same for the rest of
NumPy's functions, through ``__array_function__``.  So code that maps numbers to
sound can be written against NumPy alone and still take a Series, an array or
any other array library's type, without knowing which.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.mixins import NDArrayOperatorsMixin

__all__ = ["Series"]


class Series(NDArrayOperatorsMixin):
    """The measurements of one tag, in the order in which they were written.

    Parameters
    ----------
    tag : str
        Name in the log, such as ``"loss"`` or ``"grad_norm/conv1.weight"``.
    steps : array-like [shape=(n,), int64]
        Step of each measurement.
    values : array-like [shape=(n,)]
        The measurements; NaN and the infinities are measurements too.
    wall_times : array-like [shape=(n,), float64], optional
        Seconds since the epoch; NaN where it is not known.
    segment : str
        Where a log consists of several files, the file; otherwise empty.

    Raises
    ------
    ValueError
        If the arrays are not one-dimensional and of one length.

    Examples
    --------
    >>> import numpy as np
    >>> loss = Series("loss", [0, 1, 2], [8.0, 4.0, 2.0])
    >>> np.log2(loss)
    <Series 'loss': 3 × float64, steps 0…2>
    >>> np.diff(loss).steps
    array([1, 2])
    >>> float(np.mean(loss[1:]))
    3.0
    """

    def __init__(
        self,
        tag: str,
        steps: npt.ArrayLike,
        values: npt.ArrayLike,
        wall_times: npt.ArrayLike | None = None,
        segment: str = "",
    ) -> None:
        self.tag = tag
        self.segment = segment
        self.values: npt.NDArray[Any] = _frozen(np.asarray(values))
        self.steps: npt.NDArray[np.int64] = _frozen(np.asarray(steps, dtype=np.int64))
        times = np.full(self.values.shape, np.nan) if wall_times is None else wall_times
        self.wall_times: npt.NDArray[np.float64] = _frozen(np.asarray(times, dtype=np.float64))
        shapes = (self.steps.shape, self.values.shape, self.wall_times.shape)
        if self.values.ndim != 1 or len(set(shapes)) != 1:
            raise ValueError(
                f"Series {tag!r}: steps, values and wall_times have the shapes {shapes}; "
                "they must be one-dimensional and of one length"
            )

    def __repr__(self) -> str:
        span = f"steps {self.steps[0]}…{self.steps[-1]}" if len(self) else "empty"
        return f"<Series {self.tag!r}: {len(self)} × {self.dtype}, {span}>"

    # What an array has, so that code written for arrays reads on.

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        return self.values.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the values: ``(n,)``."""
        return self.values.shape

    @property
    def ndim(self) -> int:
        """Number of dimensions: one."""
        return 1

    @property
    def size(self) -> int:
        """Number of measurements."""
        return self.values.size

    def __len__(self) -> int:
        return self.values.size

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values)

    def __getitem__(self, index: Any) -> Any:
        """Return one value for an integer, a Series for a slice, a mask or an index array."""
        index = np.asarray(index) if isinstance(index, Series) else index
        chosen = self.values[index]
        if np.ndim(chosen) == 0:
            return chosen
        return Series(self.tag, self.steps[index], chosen, self.wall_times[index], self.segment)

    def with_values(self, values: npt.ArrayLike, tag: str | None = None) -> "Series":
        """Return a Series on the same steps with other values.

        Parameters
        ----------
        values : array-like [shape=(n,)]
            One value a step.
        tag : str, optional
            Another name.
        """
        return Series(
            tag or self.tag, self.steps, np.asarray(values), self.wall_times, self.segment
        )

    # NumPy's protocols.

    def __array__(
        self, dtype: npt.DTypeLike | None = None, copy: bool | None = None
    ) -> npt.NDArray[Any]:
        return np.array(self.values, dtype=dtype, copy=copy)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """Apply a ufunc to the values (NEP 13); element-wise results keep tag and steps."""
        if any(isinstance(out, Series) for out in kwargs.get("out", ())):
            raise TypeError("a Series cannot be written to: pass an array as out=")
        arrays = [_unwrap(value) for value in inputs]
        operands = [value for value in inputs if isinstance(value, Series)]
        if method in ("__call__", "accumulate"):
            _require_same_steps(ufunc.__name__, operands)
        result = getattr(ufunc, method)(*arrays, **_unwrap(kwargs))
        if method not in ("__call__", "accumulate") or not operands:
            return result
        tag = _joint_tag(ufunc.__name__, operands)
        if isinstance(result, tuple):
            return tuple(_rewrap(operands[0], part, tag) for part in result)
        return _rewrap(operands[0], result, tag)

    def __array_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any],
        kwargs: dict[str, Any],
    ) -> Any:
        """Apply any other NumPy function (NEP 18).

        `diff` and `concatenate` know what becomes of the steps; functions that
        give one value a measurement keep them; everything else sees, and
        returns, plain arrays.
        """
        if func in _WITH_STEPS:
            return _WITH_STEPS[func](*args, **kwargs)
        operands = [value for value in args if isinstance(value, Series)]
        if func in _ONE_VALUE_A_STEP:
            _require_same_steps(func.__name__, operands)
        result = func(*_unwrap(tuple(args)), **_unwrap(kwargs))
        if func in _ONE_VALUE_A_STEP and operands:
            return _rewrap(operands[0], result, _joint_tag(func.__name__, operands))
        return result


def _diff(series: Any, n: int = 1, **kwargs: Any) -> Any:
    """Difference of neighbours; each belongs to the later of its two steps."""
    if not isinstance(series, Series) or set(kwargs) - {"axis"}:
        return np.diff(*_unwrap((series, n)), **_unwrap(kwargs))
    values = np.diff(series.values, n)
    first = len(series) - len(values)
    return series[first:].with_values(values)


def _concatenate(arrays: Sequence[Any], **kwargs: Any) -> Any:
    """Join; a Series comes out where all parts are Series of one tag."""
    parts = list(arrays)
    same = all(isinstance(part, Series) and part.tag == parts[0].tag for part in parts)
    values = np.concatenate(_unwrap(parts), **_unwrap(kwargs))
    if not same or "out" in kwargs:
        return values
    segment = parts[0].segment if len({part.segment for part in parts}) == 1 else ""
    steps = np.concatenate([part.steps for part in parts])
    times = np.concatenate([part.wall_times for part in parts])
    return Series(parts[0].tag, steps, values, times, segment)


_WITH_STEPS: dict[Callable[..., Any], Callable[..., Any]] = {
    np.diff: _diff,
    np.concatenate: _concatenate,
}

_ONE_VALUE_A_STEP: frozenset[Callable[..., Any]] = frozenset(
    {
        np.clip, np.where, np.round, np.around, np.fix, np.copy,
        np.nan_to_num, np.cumsum, np.cumprod, np.nancumsum, np.nancumprod,
        np.gradient, np.unwrap, np.real, np.imag, np.angle, np.sinc, np.i0,
        np.isclose, np.isposinf, np.isneginf,
        np.zeros_like, np.ones_like, np.empty_like, np.full_like,
    }
)  # fmt: skip


def _frozen(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a read-only view: a log does not change because someone computes with it."""
    if not array.flags.writeable:
        return array  # as it is: series of one log share their steps
    view = array.view()
    view.flags.writeable = False
    return view


def _unwrap(value: Any) -> Any:
    """Replace every Series in nested arguments by its values."""
    if isinstance(value, Series):
        return value.values
    if isinstance(value, list | tuple):
        return type(value)(_unwrap(item) for item in value)
    if isinstance(value, dict):
        return {key: _unwrap(item) for key, item in value.items()}
    return value


def _rewrap(like: Series, result: Any, tag: str) -> Any:
    same = isinstance(result, np.ndarray) and result.shape == like.shape
    return like.with_values(result, tag) if same else result


def _joint_tag(function: str, operands: Sequence[Series]) -> str:
    tags = list(dict.fromkeys(series.tag for series in operands))
    return tags[0] if len(tags) == 1 else f"{function}({', '.join(tags)})"


def _require_same_steps(function: str, operands: Sequence[Series]) -> None:
    for other in operands[1:]:
        if not np.array_equal(operands[0].steps, other.steps):
            raise ValueError(
                f"{function}: {operands[0].tag!r} and {other.tag!r} lie on different steps "
                "(Run.frame() puts them on one axis)"
            )
