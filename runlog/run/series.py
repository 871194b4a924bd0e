"""One tag of a log as a NumPy citizen: values that carry their steps along.

`np.log10(run["loss"])` is a Series with the same tag and steps, `np.mean` a
number, `np.diff` a Series that is one step shorter.  `epochord.runlog.run.array_functions`
says how NumPy lets an object do so (NEP 13 and NEP 18) and lists the functions
whose results have steps.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.runlog.run.array_functions import OnSteps, require_same_steps
from epochord.runlog.words import short_repr

__all__ = ["Series"]


class Series(OnSteps):
    """The measurements of one tag, in the order in which they were written.

    The arrays are read-only: a log does not change because someone computes with it.

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
    segments : int or array-like [shape=(n,), int32]
        Which of the log's files each measurement comes from, counted from 0
        (names: `Run.segments`).

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
    >>> loss[loss < 5].steps
    array([1, 2])
    >>> np.interp(np.log2(loss), [1, 3], [220, 880]).values  # a mapping to Hz
    array([880., 550., 220.])
    >>> np.convolve(loss, [0.5, 0.5], mode="valid")  # each mean at the later step
    <Series 'loss': 2 × float64, steps 1…2>
    >>> np.sort(loss)  # no longer in the order of the steps
    array([2., 4., 8.])
    >>> loss - Series("val_loss", [0, 1, 3], [8.0, 5.0, 3.0])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: subtract: 'loss' and 'val_loss' lie on different steps (...)
    """

    def __init__(
        self,
        tag: str,
        steps: npt.ArrayLike,
        values: npt.ArrayLike,
        wall_times: npt.ArrayLike | None = None,
        segments: npt.ArrayLike = 0,
    ) -> None:
        self.tag = tag
        self.values: npt.NDArray[Any] = _frozen(np.asarray(values))
        self.steps: npt.NDArray[np.int64] = _frozen(np.asarray(steps, dtype=np.int64))
        times = np.broadcast_to(np.nan, self.shape) if wall_times is None else wall_times
        self.wall_times: npt.NDArray[np.float64] = _frozen(np.asarray(times, dtype=np.float64))
        numbers = np.asarray(segments, dtype=np.int32)
        numbers = np.broadcast_to(numbers, self.shape) if numbers.ndim == 0 else numbers
        self.segments: npt.NDArray[np.int32] = _frozen(numbers)
        axes = (self.steps, self.values, self.wall_times, self.segments)
        shapes = tuple(array.shape for array in axes)
        if self.values.ndim != 1 or len(set(shapes)) != 1:
            raise ValueError(
                f"Series {tag!r}: steps, values, wall_times and segments have the shapes "
                f"{shapes}; they must be one-dimensional and of one length"
            )

    def __repr__(self) -> str:
        span = f"steps {self.steps[0]}…{self.steps[-1]}" if len(self) else "empty"
        return f"<Series {short_repr(self.tag)}: {len(self)} × {self.dtype}, {span}>"

    def _repr_html_(self) -> str:
        from epochord.runlog.run.html import series_html

        return series_html(self)

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

    def __bool__(self) -> bool:
        return bool(self.values)  # as of an array, not of a list: `if loss > 1` is a mistake

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values)

    def __getitem__(self, index: Any) -> Any:
        """Return one value for an integer, a Series for a slice, a mask or an index array."""
        if isinstance(index, Series):
            if index.dtype == np.bool_:  # a mask says something about steps, not about places
                require_same_steps("mask", [self, index])
            index = index.values
        chosen = self.values[index]
        if np.ndim(chosen) != 1:
            return chosen
        return Series(
            self.tag, self.steps[index], chosen, self.wall_times[index], self.segments[index]
        )

    def with_values(self, values: npt.ArrayLike, tag: str | None = None) -> "Series":
        """Return a Series on the same steps with other values.

        Parameters
        ----------
        values : array-like [shape=(n,)]
            One value a step.
        tag : str, optional
            Another name.
        """
        return Series(tag or self.tag, self.steps, values, self.wall_times, self.segments)

    def followed_by(self, others: Sequence["Series"], values: npt.ArrayLike) -> "Series":
        """Return a Series on these steps and then those of others.

        Parameters
        ----------
        others : sequence of Series
            What follows.
        values : array-like [shape=(n + n_1 + n_2 + …,)]
            One value a step.
        """
        parts = [self, *others]
        steps = np.concatenate([part.steps for part in parts])
        times = np.concatenate([part.wall_times for part in parts])
        segments = np.concatenate([part.segments for part in parts])
        return Series(self.tag, steps, values, times, segments)


def _frozen(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a read-only view."""
    if not array.flags.writeable:
        return array  # as it is: series of one log share their steps
    view = array.view()
    view.flags.writeable = False
    return view
