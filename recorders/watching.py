"""Recording in one line: no block around the training, no directory to think of."""

import os
from contextlib import suppress
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary, ref

from torch import nn

from epochord.recorders.gradients import GradientRecorder
from epochord.recorders.recorder import writes
from epochord.runlog.atomic import make_folder
from epochord.runlog.writing.start import not_writable

__all__ = ["watch"]

RUNS = Path("runs")

# Who records a model without having been told where.
_unnamed: WeakKeyDictionary[nn.Module, ref[GradientRecorder]] = WeakKeyDictionary()


def watch(
    model: nn.Module,
    optimizer: Any,
    directory: str | os.PathLike[str] | None = None,
    **settings: Any,
) -> GradientRecorder:
    """Record the gradient norms of a training from here on.

    The log is completed when the program ends: as finished, or as failed with the exception
    that ended it.  ``close`` on what is returned does it earlier.

    Parameters
    ----------
    model : torch.nn.Module
        All its parameters are recorded.
    optimizer : torch.optim.Optimizer, something that wraps some, or a sequence of them
        What trains the model.
    directory : path-like, optional
        The run's directory, such as ``"runs/mine"``; by default a new one, such as
        ``runs/2026-11-28-1``, and an earlier one of this model that was made so ends.
    **settings
        As of `GradientRecorder`.

    Returns
    -------
    GradientRecorder
        To `log` other numbers with.

    Raises
    ------
    Exception
        As of `GradientRecorder`.

    Examples
    --------
    >>> recorder = watch(model, optimizer, "runs/mine")
    >>> for batch, target in loader:
    ...     optimizer.zero_grad()
    ...     loss = criterion(model(batch), target)
    ...     loss.backward()
    ...     optimizer.step()
    ...     recorder.log("loss", loss)
    """
    if directory is None and settings.get("resume", False) is not False:
        raise ValueError("resume needs a directory: watch(model, optimizer, directory, resume=…)")
    if directory is not None or not writes():
        return GradientRecorder(
            model, optimizer, RUNS if directory is None else directory, **settings
        )
    made = not RUNS.exists()
    fresh = _free_directory()
    try:
        recorder = GradientRecorder(model, optimizer, fresh, **settings)
        earlier, _unnamed[model] = _unnamed.get(model), ref(recorder)
        before = earlier() if earlier else None
        if before:
            before.close()  # the cell of a notebook runs again
        return recorder
    except BaseException:
        for folder in [fresh, RUNS] if made else [fresh]:
            with suppress(OSError):  # not empty
                folder.rmdir()
        raise


def _free_directory() -> Path:
    """Make a directory that nobody else has, named by the day."""
    day = datetime.now().astimezone().date().isoformat()
    try:
        make_folder(RUNS)
        for number in count(1):
            directory = RUNS / f"{day}-{number}"
            with suppress(FileExistsError):
                directory.mkdir()
                return directory
    except OSError as error:
        raise not_writable(RUNS, error) from error
    raise AssertionError  # there is always one more number
