"""What leading digits are looked at: series of a run, a language model's prompts, constants."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from epochord.renderers.benford.distributions import gaussian
from epochord.renderers.benford.history import DigitHistory, histories
from epochord.renderers.benford.leading_digits import count_digits
from epochord.renderers.benford.statistics import (
    CountStatistics,
    ProbabilityStatistics,
    of_counts,
    of_probabilities,
)
from epochord.renderers.timeline.choice import Choice, NothingToHearError, choose
from epochord.runlog import LogError, Run
from epochord.runlog.digits.bits import DigitCounts

__all__ = ["FIRST_DIGITS", "Subject", "constants", "subjects"]

FIRST_DIGITS = "first_digits"  # the table of a language model's digits
DIGITS = np.arange(1, 10)
Shares = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Subject:
    """One distribution of first digits, ready to be drawn.

    Parameters
    ----------
    name : str
        A tag, a layer, or a prompt.
    shares : np.ndarray [shape=(9,)]
        Of the digits 1 to 9; NaN where there is none.
    statistics : CountStatistics or ProbabilityStatistics
        What may be said of them.
    baselines : mapping of str to np.ndarray [shape=(9,)]
        What to compare them with, drawn as marks.
    caption : str
        What stands below: how many values, or which masses and which estimator.
    """

    name: str
    shares: Shares
    statistics: CountStatistics | ProbabilityStatistics
    baselines: Mapping[str, Shares] = field(default_factory=dict)
    caption: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"name": self.name, "caption": self.caption, **self.statistics.to_dict()}


def subjects(run: Run, tags: Sequence[str] = ()) -> list[Subject]:
    """Return what there is of leading digits in a run.

    Parameters
    ----------
    run : Run
        Any run.
    tags : sequence of str
        Globs of series; by default a language model's digits if the run has
        them, or those of its layers, else gradient norms, losses, or the series
        with the most points.

    Raises
    ------
    LogError
        If the run has neither, or nothing matches.
    """
    if FIRST_DIGITS in run.tables and not tags:
        if found := list(_of_prompts(run.tables[FIRST_DIGITS])):
            return found
        raise LogError(
            f"run {run.name!r}: none of its probabilities of first digits is a finite number; "
            "record the model anew"
        )
    if not tags and (kinds := histories(run)):
        return [_of_history(each) for layers in kinds.values() for each in layers]
    try:
        voices = choose(run, Choice(tags=tuple(tags), parameters="all")).voices
    except NothingToHearError as error:
        raise LogError(f"{error}, so it has no digits") from error
    return [
        _of_values(voice.name, np.concatenate([np.asarray(each) for each in voice.members]))
        for voice in voices
    ]


def constants() -> Subject:
    """Return the digits of the physical constants: CODATA's, as scipy has them."""
    from scipy.constants import physical_constants

    values = np.array([value for value, _, _ in physical_constants.values()])
    return _of_values("CODATA physical constants", values)


def _of_values(name: str, values: npt.NDArray[Any]) -> Subject:
    counts = count_digits(values)
    finite = values[np.isfinite(values)].astype(np.float64)
    sigma = float(finite.std()) if finite.size else 0.0
    baselines = {"Gaussian of this σ": gaussian(sigma)} if sigma > 0 else {}
    without = [f"{counts.zero:,} zero"] * (counts.zero > 0)
    without += [f"{counts.non_finite:,} not finite"] * (counts.non_finite > 0)
    caption = ", ".join([f"{counts.n:,} values", *without])
    statistics = of_counts(counts, baselines=baselines)
    return Subject(name, counts.shares, statistics, baselines, caption)


def _of_history(history: DigitHistory) -> Subject:
    """Look at a layer at the last step, beside the first one."""
    counts = DigitCounts(history.counts[-1])
    baselines = {}
    if history.sigma[-1] > 0:
        baselines["Gaussian of this σ"] = gaussian(float(history.sigma[-1]))
    if len(history.steps) > 1 and history.counts[0].sum():
        baselines["first step"] = history.shares[0]
    caption = f"{counts.n:,} numbers at step {history.steps[-1]}"
    statistics = of_counts(counts, baselines=baselines)
    return Subject(
        f"{history.name}, {history.kind}s", counts.shares, statistics, baselines, caption
    )


def _of_prompts(table: pa.Table) -> Iterator[Subject]:
    """Yield a subject a model and prompt; the table's other models are baselines."""
    names = pc.unique(table["model"]).to_pylist()
    others = [name for name in names if _is_baseline(name)]
    for model in (name for name in names if name not in others):
        for prompt in pc.unique(table["prompt"]).to_pylist():
            own = table.filter((pc.field("prompt") == prompt) & (pc.field("estimator") == "sum"))
            shares = _shares(own, model)
            if shares is None:
                continue
            baselines = _together({name: _shares(own, name) for name in others})
            single = table.filter(
                (pc.field("prompt") == prompt) & (pc.field("estimator") == "single")
            )
            marks = baselines | _together({"single-digit tokens": _shares(single, model)})
            row = own.filter(pc.field("model") == model).slice(0, 1).to_pylist()[0]
            yield Subject(
                f"“{prompt}”",
                shares,
                of_probabilities(shares, baselines=baselines),
                marks,
                f"{model}, sum over tokens; mass of numbers: {row['mass']:.2g}, beginning with "
                f"0: {row['zero_mass']:.2g}, without a space: {row['no_space_mass']:.2g}",
            )


def _is_baseline(model: str) -> bool:
    return model == "uniform" or model.split("-")[0] == "random"


def _together(found: Mapping[str, Shares | None]) -> dict[str, Shares]:
    """Join the seeds of one baseline to their mean."""
    groups: dict[str, list[Shares]] = {}
    for name, shares in found.items():
        if shares is not None:
            groups.setdefault("random" if name.startswith("random") else name, []).append(shares)
    return {name: np.mean(each, axis=0) for name, each in groups.items()}


def _shares(rows: pa.Table, model: str) -> Shares | None:
    """Return a model's probabilities of 1 to 9; None where it has none."""
    own = rows.filter(pc.field("model") == model).sort_by("digit")
    if own["digit"].to_pylist() != DIGITS.tolist():
        return None
    shares: Shares = own["probability"].to_numpy()
    return shares if np.isfinite(shares).all() else None
