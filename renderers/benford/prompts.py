"""From a language model's table of first digits to one subject a prompt, the nearest first.

Two baselines are easily taken for each other: of equal digits each has a ninth; equal tokens are
the vocabulary with equal logits, whose digits are as frequent as their tokens.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from epochord.renderers.benford.digit import FIRST
from epochord.renderers.benford.distributions import distribution, mad
from epochord.renderers.benford.outcomes import ProbabilityStatistics
from epochord.renderers.benford.sentences import between, points
from epochord.renderers.benford.statistics import of_probabilities
from epochord.renderers.benford.subject import FROM_LAW, Subject
from epochord.runlog import LogError, Run

__all__ = ["EQUAL_TOKENS", "FIRST_DIGITS", "UNTRAINED", "of_prompts"]

FIRST_DIGITS = "first_digits"  # the table
EQUAL_TOKENS, UNTRAINED = "equal tokens", "untrained networks"
OTHERS = {"single": "single-digit tokens", "whole": "whole numbers"}  # estimators
MASSES = {"mass": "mass", "zero_mass": "begins with 0", "no_space_mass": "no space"}
LEAST = 1e-4  # a share that is written in digits

Shares = npt.NDArray[np.float64]


def of_prompts(run: Run) -> list[Subject]:
    """Return the digits that a language model expects, prompt by prompt, the nearest first.

    Parameters
    ----------
    run : Run
        With a table `FIRST_DIGITS`.

    Raises
    ------
    LogError
        If it holds no probability that is a finite number.
    """
    found = list(_subjects(run.tables[FIRST_DIGITS]))
    if not found:
        raise LogError(
            f"run {run.name!r}: none of its probabilities of first digits is a finite number; "
            "record the model anew"
        )
    return sorted(found, key=_distance)


def _distance(subject: Subject) -> float:
    assert isinstance(subject.statistics, ProbabilityStatistics)
    return subject.statistics.distances.mad


def _subjects(table: pa.Table) -> Iterator[Subject]:
    """Yield a subject a model and prompt; the table's other models are baselines."""
    names = pc.unique(table["model"]).to_pylist()
    others = [name for name in names if _called(name)]
    models = [name for name in names if name not in others]
    for model in models:
        for prompt in pc.unique(table["prompt"]).to_pylist():
            here = table.filter(pc.field("prompt") == prompt)
            own = here.filter(pc.field("estimator") == "sum")
            shares = _shares(own, model)
            if shares is None:
                continue
            baselines = _together({name: _shares(own, name) for name in others})
            row = own.filter(pc.field("model") == model).slice(0, 1).to_pylist()[0]
            name = f"“{prompt}”" + (f", {model}" if len(models) > 1 else "")
            yield _subject(name, shares, baselines, row, _estimates(here, model))


def _subject(
    name: str,
    shares: Shares,
    baselines: Mapping[str, Shares],
    row: Mapping[str, float],
    estimates: Mapping[str, str],
) -> Subject:
    found = of_probabilities(shares, baselines=baselines, mass=row["mass"])
    away, mass = points(found.distances.mad), _percent(row["mass"])
    numbers = {FROM_LAW: away, **estimates}
    if UNTRAINED in found.baselines:
        numbers[UNTRAINED] = between(found.baselines[UNTRAINED].mads)
    numbers |= {MASSES[name]: _percent(row[name]) for name in MASSES if name in row}
    caption = f"{mass} of the mass · {away} points"
    return Subject(name, shares, found, FIRST, baselines, caption, numbers)


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share >= LEAST or not share else f"< {100 * LEAST:g} %"


def _estimates(rows: pa.Table, model: str) -> dict[str, str]:
    """Return how far the other estimators of the same prompt are from Benford's law."""
    found = {}
    for estimator, name in OTHERS.items():
        shares = _shares(rows.filter(pc.field("estimator") == estimator), model)
        if shares is not None:
            found[name] = points(mad(distribution(shares), np.asarray(FIRST.law)))
    return found


def _called(model: str) -> str:
    """Return what a baseline is called; empty for a model."""
    if model == "uniform":
        return EQUAL_TOKENS
    return UNTRAINED if model.split("-")[0] == "random" else ""


def _together(found: Mapping[str, Shares | None]) -> dict[str, Shares]:
    """Join the seeds of one baseline [shape=(seeds, 9)]."""
    groups: dict[str, list[Shares]] = {}
    for name, shares in found.items():
        if shares is not None:
            groups.setdefault(_called(name), []).append(shares)
    return {name: np.stack(each) for name, each in groups.items()}


def _shares(rows: pa.Table, model: str) -> Shares | None:
    """Return a model's probabilities of 1 to 9; None where it has none."""
    own = rows.filter(pc.field("model") == model).sort_by("digit")
    if own["digit"].to_pylist() != list(range(1, 10)):
        return None
    shares: Shares = own["probability"].to_numpy()
    return shares if np.isfinite(shares).all() else None
