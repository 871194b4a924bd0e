"""A run in numbers: what `epochord inspect` shows."""

import math
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.renderers.findings import findings
from epochord.renderers.timeline.choice import Choice
from epochord.renderers.timeline.timeline import timeline
from epochord.runlog import LogError, Run
from epochord.runlog.reading.ensemble import Ensemble
from epochord.runlog.run.run import GRAD_NORM

__all__ = ["summarise", "summarise_ensemble"]


def summarise(run: Run) -> dict[str, Any]:
    """Summarise a run in plain JSON values.

    Parameters
    ----------
    run : Run
        Any run.

    Returns
    -------
    dict
        Its metadata, ``steps`` (count, first, last), ``layers`` (norms of all
        of a layer's parameters), ``others`` (tags that are no gradient norms), ``tables`` (names),
        ``ensemble`` (see `summarise_ensemble`; None until somebody fills it in),
        ``findings`` (what happened, in the order of steps), ``tags`` (all of them),
        ``damage``, ``notes``, ``segments`` and ``files`` (what was read of each, and what
        was not).  Of each series: how many points, null (steps without one), NaN and
        infinite ones, the least, median and greatest of the finite ones, and the last one
        of all (as a string if it is not finite, since JSON has no number for it).
    """
    steps = run.steps
    tags = [_numbers(tag, series.values, len(steps)) for tag, series in run.series.items()]
    return {
        "name": run.name,
        "status": run.metadata.status,
        "error": run.metadata.error,
        "started": run.metadata.started,
        "finished": run.metadata.finished,
        "seed": run.metadata.seed,
        "dataset": dict(run.metadata.dataset),
        "hyperparameters": dict(run.metadata.hyperparameters),
        "log_hash": run.log_hash(),
        "steps": {
            "count": len(steps),
            "first": int(steps[0]) if len(steps) else None,
            "last": int(steps[-1]) if len(steps) else None,
        },
        "parameters": sum(row["name"].startswith(GRAD_NORM) for row in tags),
        "layers": _layers(run, len(steps)),
        "others": [row for row in tags if not row["name"].startswith(GRAD_NORM)],
        "tables": list(run.tables),
        "ensemble": None,
        "findings": _findings(run),
        "tags": tags,
        "damage": list(run.damage),
        "notes": list(run.notes),
        "segments": list(run.segments),
        "files": [asdict(file) for file in run.files],
    }


def summarise_ensemble(ensemble: Ensemble) -> dict[str, Any]:
    """Summarise what the log of an ensemble holds, in plain JSON values.

    Parameters
    ----------
    ensemble : Ensemble
        Of any number of inputs.

    Returns
    -------
    dict
        ``setting`` (None if the log names none), ``members``, ``epochs`` (count, first,
        last), ``grid`` (how many points, of how many ``inputs``, from ``low`` to
        ``high``; without a grid no numbers), ``data``, ``held_out`` and ``ood`` (points),
        ``task``, ``outputs``, ``always`` (how many members are there in all epochs),
        ``variances`` (whether members give their own), ``bootstrap`` (draws a member; None
        without), ``prior_scale`` (None without priors), and what was warned of while it was
        recorded: ``indices_changed_at`` and ``half_overflows_at``, an epoch or None.
    """
    setup, epochs = ensemble.setup, ensemble.epochs
    about = ensemble.run.metadata.hyperparameters
    return {
        "setting": about.get("setting"),
        "members": ensemble.members,
        "epochs": {"count": len(epochs), "first": int(epochs[0]), "last": int(epochs[-1])},
        "grid": len(setup.grid),
        "inputs": setup.grid.shape[1],
        "low": setup.grid.min(axis=0).tolist() if len(setup.grid) else [],
        "high": setup.grid.max(axis=0).tolist() if len(setup.grid) else [],
        "data": len(setup.data),
        "held_out": len(setup.held_out),
        "ood": len(setup.ood),
        "task": ensemble.task,
        "outputs": ensemble.outputs,
        "always": int(ensemble.present.all(axis=0).sum()),
        "variances": ensemble.variances(-1) is not None,
        "bootstrap": None if setup.indices is None else setup.indices.shape[1],
        "prior_scale": None if setup.prior is None else setup.prior_scale,
        "indices_changed_at": about.get("indices_changed_at"),
        "half_overflows_at": about.get("half_overflows_at"),
    }


def _findings(run: Run) -> list[dict[str, Any]]:
    """Return what happened in a run; nothing where there is nothing to look at."""
    try:
        return [found.to_dict() for found in findings(run)]
    except LogError:
        return []


def _layers(run: Run, steps: int) -> list[dict[str, Any]]:
    if not run.parameters:
        return []
    layers = timeline(run, Choice((f"{GRAD_NORM}*",), parameters="all"))
    return [
        _numbers(name, values[measured], steps)
        for name, values, measured in zip(layers.names, layers.values, layers.measured, strict=True)
    ]


def _numbers(name: str, values: npt.NDArray[np.floating[Any]], steps: int) -> dict[str, Any]:
    finite = np.sort(values[np.isfinite(values)].astype(np.float64))
    some = finite.size > 0
    # Not by `np.median`, which imports numpy.ma: a tenth of what all of this costs.
    middle = finite[(finite.size - 1) // 2 : finite.size // 2 + 1] if some else finite
    return {
        "name": name,
        "points": len(values),
        "min": float(finite[0]) if some else None,
        "median": float(middle.mean()) if some else None,
        "max": float(finite[-1]) if some else None,
        "last": _plain(values[-1]) if len(values) else None,
        "null": max(0, steps - len(values)),
        "nan": int(np.isnan(values).sum()),
        "inf": int(np.isinf(values).sum()),
    }


def _plain(value: np.floating) -> float | str:
    number = float(value)
    return number if math.isfinite(number) else str(number)
