"""What the numbers of an ensemble are: values of one output or several, or classes."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from epochord.recorders.answers import Answer, Answers, as_array
from epochord.runlog.ensemble.setup import TASKS, EnsembleSetup

__all__ = ["Task", "decide", "numeric_targets", "warn_of_lone_targets"]

SUM_TOLERANCE = 1e-3  # how far probabilities may be from summing to 1
BELOW_ZERO = -1e-6  # what rounding may leave of a probability of 0
REGRESSION, CLASSIFICATION = TASKS

Labels = npt.NDArray[Any]


@dataclass(frozen=True)
class Task:
    """What members say, decided when they are asked for the first time.

    Parameters
    ----------
    name : {"regression", "classification"}
        Which.
    outputs : int
        Target dimensions, or classes.
    logits : bool
        Whether they give logits, of which the softmax is recorded.
    labels : np.ndarray [shape=(classes,)], optional
        What the classes are called; None where they are their numbers.
    """

    name: str
    outputs: int
    logits: bool = False
    labels: Labels | None = None

    @property
    def classifies(self) -> bool:
        """Whether it is a classification."""
        return self.name == CLASSIFICATION

    def about(self) -> dict[str, Any]:
        """Return what the log's metadata say of it; nothing of a plain regression."""
        if not self.classifies:
            return {"outputs": self.outputs} if self.outputs > 1 else {}
        found: dict[str, Any] = {"task": self.name, "outputs": self.outputs}
        if self.labels is not None:
            found["classes"] = [str(label) for label in self.labels.tolist()]
        return found

    def of(self, answer: Answer) -> Answer:
        """Return an answer as it is recorded: classes as probabilities of all of them."""
        if not self.classifies:
            return answer
        return answer._replace(values=_probabilities(answer.values, self.logits), variances=None)

    def targets(self, given: Any, name: str) -> npt.NDArray[np.float64]:
        """Return targets as they are recorded.

        Raises
        ------
        ValueError
            If they are none of the classes.
        """
        if not self.classifies:
            return numeric_targets(given, name, self.outputs)
        labels = _flat(given, self.outputs)
        names = np.arange(self.outputs) if self.labels is None else self.labels
        places = {name: place for place, name in enumerate(names.tolist())}
        strange = [label for label in np.unique(labels).tolist() if label not in places]
        if strange:
            raise ValueError(
                f"the targets of {name} hold the class {strange[0]!r}; the members' classes are "
                f"{_listed(names)}: pass classes=[...], in the order of their columns"
            )
        return np.array([places[label] for label in labels.tolist()], np.float64)


def decide(
    answer: Answer,
    targets: Mapping[str, Any],
    *,
    task: str | None,
    logits: bool,
    classes: Sequence[Any] | None,
) -> Task:
    """Say what the members' numbers are, from what they answered first and what was asked for.

    Parameters
    ----------
    answer : Answer
        Of all members.
    targets : mapping of str to array-like
        By place.
    task, logits, classes : see `EnsembleRecorder`
        What was asked for.

    Raises
    ------
    ValueError
        If it does not fit, or they are no probabilities.
    """
    if task not in (None, *TASKS):
        raise ValueError(f"task is {task!r}; expected {' or '.join(map(repr, TASKS))}")
    if task == REGRESSION and (logits or classes is not None):
        raise ValueError("logits and classes are of a classification; leave out task='regression'")
    outputs = int(answer.values.shape[-1])
    given = {name: _as_labels(each) for name, each in targets.items()}
    wanted = task == CLASSIFICATION or logits or classes is not None
    known = answer.probabilities or answer.logits
    told = outputs > 1 and bool(given) and all(_name_classes(x, outputs) for x in given.values())
    if not (wanted or (task is None and (known or told))):
        return Task(REGRESSION, outputs)
    outputs = max(outputs, 2)
    found = Task(
        CLASSIFICATION,
        outputs,
        logits or answer.logits,
        _labels(answer, given, classes, outputs),
    )
    _check(found.of(answer).values)
    return found


def numeric_targets(given: Any, name: str, outputs: int) -> npt.NDArray[np.float64]:
    """Return the targets of a regression.

    Raises
    ------
    TypeError
        If they are no real numbers.
    """
    column = as_array(given)
    if column.dtype.kind not in "fiub":
        raise TypeError(f"the targets of {name} is {column.dtype}; expected real numbers")
    column = column.astype(np.float64)
    if outputs == 1 and column.ndim == 2 and column.shape[1] == 1:
        return column[:, 0]
    if outputs > 1 and (column.ndim == 1 or column.shape[1:] == (1,)):
        # There is one target: the first output's.
        wide = np.full((len(column), outputs), np.nan)
        wide[:, 0] = column.reshape(len(column))
        return wide
    return column


def warn_of_lone_targets(setup: EnsembleSetup) -> None:
    """Warn where the members give several numbers a point and there is one target."""
    both = (setup.targets, setup.held_out_targets)
    several = [each[:, 1:] for each in both if each.ndim == 2 and len(each)]
    if any(np.isnan(others).all() for others in several):
        warnings.warn(
            f"members give {setup.outputs} numbers a point and there is one target each: it is "
            "taken for the first output's, and the others are outputs without targets; give "
            "(mean, variance) if the second is a variance, pass task='classification' or "
            "logits=True if they are classes",
            UserWarning,
            stacklevel=3,
        )


def _as_labels(given: Any) -> Labels:
    array = as_array(given)
    return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array


def _flat(given: Any, classes: int) -> Labels:
    """Return a label a point, also of targets that have a column a class."""
    array = _as_labels(given)
    if array.ndim == 2 and array.shape[1] == classes:
        column: Labels = array.argmax(axis=1)
        return column
    return array


def _name_classes(targets: Labels, outputs: int) -> bool:
    """Tell whether targets can be nothing but one of so many classes each."""
    if targets.ndim != 1:
        return False
    if targets.dtype.kind in "UOS":
        return True
    whole = targets.dtype.kind in "iub"
    return whole and len(np.unique(targets)) <= outputs


def _labels(
    answer: Answer, targets: Mapping[str, Labels], classes: Sequence[Any] | None, outputs: int
) -> Labels | None:
    """Say what the classes are called, column by column.

    Members of a forest know their classes as 0, 1, …; then those of the targets are meant, in
    their order, where they are others and as many.
    """
    if classes is not None:
        if len(classes) != outputs:
            raise ValueError(
                f"classes are {len(classes)}; the members give {outputs}, a column each"
            )
        return as_array(classes)
    numbers, known = np.arange(outputs), answer.labels
    if known is not None and len(known) == outputs and not np.array_equal(known, numbers):
        return known
    seen = [_flat(each, outputs) for each in targets.values()]
    if not seen:
        return None
    several = np.unique(np.concatenate(seen))
    if several.dtype.kind in "fiub" and np.isin(several, numbers).all():
        return None
    return several if len(several) == outputs else None


def _probabilities(values: Answers, logits: bool) -> Answers:
    """Return probabilities of all classes; of a single number, of class 1, both."""
    one = values.shape[-1] == 1
    if isinstance(values, torch.Tensor):
        if one:
            second = values.sigmoid() if logits else values
            return torch.cat([1 - second, second], -1)
        if not logits:
            return values
        return values.softmax(-1, dtype=torch.promote_types(values.dtype, torch.float32))
    if logits:
        wide = np.concatenate([np.zeros_like(values), values], -1) if one else values
        raised = np.exp(wide - wide.max(axis=-1, keepdims=True))
        softmax: Answers = raised / raised.sum(axis=-1, keepdims=True)
        return softmax
    return np.concatenate([1 - values, values], -1) if one else values


def _check(values: Answers) -> None:
    """Refuse what are no probabilities, of the members that are finite."""
    found = as_array(values).astype(np.float64)
    least, sums = found.min(axis=-1), found.sum(axis=-1)
    wrong = (least < BELOW_ZERO) | (np.abs(sums - 1) > max(SUM_TOLERANCE, _rounding(values)))
    if not wrong.any():
        return
    member, point = np.argwhere(wrong)[0]
    says = ", ".join(f"{value:.3g}" for value in found[member, point][:4])
    raise ValueError(
        f"member {member} gives no probabilities of classes at point {point}: {says}"
        f"{', …' if found.shape[-1] > 4 else ''}, which sum to {sums[member, point]:.4g}; expected "
        "non-negative numbers that sum to 1: pass logits=True if they are logits, "
        "task='regression' if they are several outputs"
    )


def _rounding(values: Answers) -> float:
    """Return how far sums of probabilities may be off by their precision alone."""
    if isinstance(values, torch.Tensor) and values.is_floating_point():
        return 4 * torch.finfo(values.dtype).eps
    return 0.0


def _listed(names: Labels) -> str:
    shown = ", ".join(repr(name) for name in names.tolist()[:8])
    return f"{shown}, …" if len(names) > 8 else shown
