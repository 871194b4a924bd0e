"""Which digits of a run are looked at."""

from collections import Counter
from collections.abc import Sequence

from epochord.renderers.benford import sentences
from epochord.renderers.benford.chance import ALPHA
from epochord.renderers.benford.digit import FIRST, Digit
from epochord.renderers.benford.history import histories
from epochord.renderers.benford.outcomes import DIFFERS, NEARER, TOO_FEW, ProbabilityStatistics
from epochord.renderers.benford.prompts import FIRST_DIGITS, of_prompts
from epochord.renderers.benford.subject import Subject, of_layers, of_series
from epochord.runlog import LogError, Run

__all__ = ["in_short", "subjects"]


def subjects(run: Run, tags: Sequence[str] = (), digit: Digit = FIRST) -> list[Subject]:
    """Return what there is of digits in a run.

    Parameters
    ----------
    run : Run
        Any run.
    tags : sequence of str
        Globs of series; by default a language model's digits if the run has them, or those of its
        layers, else gradient norms, losses, or the series with the most points.
    digit : Digit
        Which one of each value; of a language model, and of layers, first digits alone are logged.

    Raises
    ------
    LogError
        If the run has nothing of it, or nothing matches.
    """
    if not tags and digit == FIRST and FIRST_DIGITS in run.tables:
        return of_prompts(run)
    if not tags and digit == FIRST and histories(run):
        return of_layers(run)
    if not run.series and FIRST_DIGITS in run.tables:
        raise LogError(
            f"run {run.name!r} holds first digits that a language model expects and no values, so "
            f"there is no {digit.words}; leave --digit and --tags out"
        )
    return of_series(run, tags, digit)


def in_short(found: Sequence[Subject]) -> str:
    """Return what several subjects come to, in a line; of one, its sentence."""
    if len(found) == 1:
        return found[0].statistics.sentence
    verdicts = Counter(each.statistics.verdict for each in found)
    if isinstance(found[0].statistics, ProbabilityStatistics):
        little = sum(each.rests_on_little for each in found)
        return sentences.prompts(len(found), little, verdicts[NEARER], _ranges(found))
    few = f"; {verdicts[TOO_FEW]} have too few values to say" if verdicts[TOO_FEW] else ""
    return (
        f"{verdicts[DIFFERS]} of {len(found)} differ from {found[0].digit.expected}, each tested "
        f"at {100 * ALPHA:.0f} %{few}"
    )


def _ranges(found: Sequence[Subject]) -> dict[str, sentences.Range]:
    """Return how far each baseline is from the law, over all prompts."""
    mads: dict[str, list[float]] = {}
    for subject in found:
        for name, each in subject.statistics.baselines.items():
            mads.setdefault(name, []).extend(each.mads)
    return {name: (min(each), max(each)) for name, each in mads.items()}
