"""Fitted estimators of scikit-learn's kind, and ensembles of them, as functions of arrays.

They are known by what they have, never by their class: scikit-learn is not imported.
"""

import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import nn

from epochord.recorders.answers import Votes, as_array

__all__ = ["Learned", "Stages", "as_learned", "classes_of", "is_estimator", "members_of"]


def is_estimator(thing: Any) -> bool:
    """Tell whether something predicts as scikit-learn's estimators do."""
    if isinstance(thing, nn.Module | type) or not callable(getattr(thing, "predict", None)):
        return False
    return _of_the_kind(thing) or not callable(thing)


def _of_the_kind(thing: Any) -> bool:
    return hasattr(thing, "get_params")


@dataclass(frozen=True)
class Learned:
    """One fitted estimator as a function: probabilities of classes, or (mean, variance).

    Parameters
    ----------
    estimator : object
        Classifiers (those with `classes_`) are asked for probabilities; without these their
        vote is one.  Regressors that can say their standard deviation are asked for it.
    columns : np.ndarray of int, optional
        Which of the inputs it sees, where it does not see all (`estimators_features_`).
    method : str
        Which of its methods is asked; by default the one that says most.
    """

    estimator: Any
    columns: npt.NDArray[np.int64] | None = None
    method: str = ""

    def __call__(self, inputs: Any) -> Any:
        """Ask it.

        Parameters
        ----------
        inputs : tensor or array [shape=(points, inputs)]
            Where.
        """
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "X does not have valid feature names")
            return self._asked(as_array(inputs) if _of_the_kind(self.estimator) else inputs)

    def _asked(self, table: Any) -> Any:
        table = table if self.columns is None else table[:, self.columns]
        method = self.method or _most_telling(self.estimator)
        labels = getattr(self.estimator, "classes_", None)
        if isinstance(labels, list):
            raise ValueError(
                f"{type(self.estimator).__name__} classifies {len(labels)} targets at once; record "
                "one of them"
            )
        if isinstance(labels, np.ndarray) and labels.ndim == 1:
            return Votes(_probabilities(self.estimator, method, table, labels), labels)
        if not self.method and _says_sd(self.estimator):
            mean, sd = self.estimator.predict(table, return_std=True)
            return mean, np.square(sd)
        return getattr(self.estimator, method)(table)


@dataclass(frozen=True)
class Stages:
    """A boosted estimator as a function for all its stages: a member a stage.

    Parameters
    ----------
    estimator : object
        Has `staged_predict`, and if it is a classifier `staged_predict_proba`.
    """

    estimator: Any

    def __call__(self, inputs: Any) -> Any:
        """Ask it; what comes has a stage a member."""
        table = as_array(inputs)
        labels = getattr(self.estimator, "classes_", None)
        if labels is None:
            return np.stack(list(self.estimator.staged_predict(table)))
        return Votes(np.stack(list(self.estimator.staged_predict_proba(table))), labels)


def members_of(thing: Any) -> list[Callable[[Any], Any]] | Stages | None:
    """Return the members that an ensemble of estimators has now; None if it is none.

    Those are its `estimators_`, with the columns that each of them sees.  A boosted one, whose
    parts are no predictions by themselves, is taken by its stages.  What wraps an estimator for
    each class or target is no ensemble.

    Raises
    ------
    ValueError
        If it is not fitted.
    """
    if not is_estimator(thing):
        return None
    if hasattr(thing, "staged_predict"):
        _refuse_unfitted(thing)
        return Stages(thing)
    parts = getattr(thing, "estimators_", None)
    several = hasattr(thing, "n_estimators") or hasattr(thing, "estimators")
    if isinstance(parts, list) and several:
        columns = getattr(thing, "estimators_features_", None) or [None] * len(parts)
        return [Learned(*pair) for pair in zip(parts, columns, strict=True)]
    _refuse_unfitted(thing)
    return [Learned(thing)]


def as_learned(part: Any) -> Any:
    """Return an estimator, or a bound method of one, as a function; anything else as it is."""
    if is_estimator(part):
        _refuse_unfitted(part)
        return Learned(part)
    owner = getattr(part, "__self__", None)
    name = getattr(part, "__name__", "")
    if owner is not None and name in ("predict", "predict_proba", "predict_log_proba"):
        return Learned(owner, method=name) if _of_the_kind(owner) else part
    return part


def classes_of(thing: Any) -> npt.NDArray[Any] | None:
    """Return the classes of a whole classifier, whose members may know them as 0, 1, …."""
    labels = getattr(thing, "classes_", None) if is_estimator(thing) else None
    return labels if isinstance(labels, np.ndarray) and labels.ndim == 1 else None


def _most_telling(estimator: Any) -> str:
    return "predict_proba" if hasattr(estimator, "predict_proba") else "predict"


def _probabilities(
    estimator: Any, method: str, table: npt.NDArray[Any], labels: npt.NDArray[Any]
) -> npt.NDArray[Any]:
    said: npt.NDArray[Any] = np.asarray(getattr(estimator, method)(table))
    if method == "predict":
        return np.where(said[:, None] == labels, 1.0, 0.0)
    return np.exp(said) if method == "predict_log_proba" else said


def _says_sd(estimator: Any) -> bool:
    try:
        return "return_std" in inspect.signature(estimator.predict).parameters
    except (TypeError, ValueError):
        return False


def _refuse_unfitted(estimator: Any) -> None:
    fitted = getattr(estimator, "__sklearn_is_fitted__", None)
    known = callable(fitted) and not fitted()
    if known or (_of_the_kind(estimator) and not _has_learned(estimator)):
        raise ValueError(
            f"{type(estimator).__name__} is not fitted; call its fit before it is recorded"
        )


def _has_learned(estimator: Any) -> bool:
    """Tell whether it has what fitting leaves behind: names that end in one underscore."""
    if not hasattr(estimator, "__dict__") or hasattr(estimator, "steps"):
        return True
    return any(name.endswith("_") and not name.startswith("__") for name in vars(estimator))
