"""What members answer, in whatever form, to one: numbers or probabilities, and variances.

The forms: arrays and tensors; (mean, variance); `torch.distributions`; what laplace-torch
(``f_mu, f_var``), torch-uncertainty (members below each other; ``loc`` and ``scale``) and
lightning-uq-box (dictionaries; members along the last axis) return.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import distributions

__all__ = ["Answer", "Answers", "Votes", "as_array", "is_real", "joined", "of_all", "of_one"]

Answers = torch.Tensor | npt.NDArray[Any]
"""Where the members answered: on their device, or in NumPy."""

# lightning-uq-box adds so much to variances it makes of their logarithms.
VARIANCE_FLOOR = 1e-6


class Votes(NamedTuple):
    """Probabilities of classes from something that knows its classes.

    Parameters
    ----------
    values : array [shape=(..., points, classes)]
        The probabilities.
    labels : np.ndarray [shape=(classes,)]
        What the columns stand for.
    """

    values: Answers
    labels: npt.NDArray[Any]


class Answer(NamedTuple):
    """What was answered, in one form.

    Parameters
    ----------
    values : tensor or array
        Of one member [shape=(points, outputs)], of all [shape=(members, points, outputs)].
    variances : the same, optional
        Each member's own, of an observation.
    probabilities : bool
        Whether the outputs are known to be probabilities of classes.
    logits : bool
        Whether they are known to be logits of classes.
    labels : np.ndarray [shape=(outputs,)], optional
        What the classes are called.
    names : tuple of str, optional
        Who the members are, where it was said.
    """

    values: Answers
    variances: Answers | None = None
    probabilities: bool = False
    logits: bool = False
    labels: npt.NDArray[Any] | None = None
    names: tuple[str, ...] | None = None


def as_array(values: Any) -> npt.NDArray[Any]:
    """Return a tensor of any device, an array or a list as an array."""
    if not isinstance(values, torch.Tensor):
        return np.asarray(values)
    if values.dtype == torch.bfloat16:  # which NumPy does not have
        values = values.float()
    array: npt.NDArray[Any] = values.detach().cpu().numpy()
    return array


def is_real(values: Answers) -> bool:
    """Tell whether a tensor or an array holds real numbers."""
    if isinstance(values, torch.Tensor):
        return not values.is_complex()
    return values.dtype.kind in "fiub"


def of_one(answer: Any, points: int, who: str) -> Answer:
    """Understand one member's answer.

    Raises
    ------
    ValueError
        If its shape is another.
    TypeError
        If it is no real numbers.
    """
    if isinstance(answer, list) and len(answer) == 2 and all(map(_is_array, answer)):
        answer = tuple(answer)
    plain = _plain(answer, who)
    wanted = f"({points},) or ({points}, 1), of several outputs ({points}, outputs)"
    return _shaped(plain, lambda values: _column(values, points), points, who, wanted)


def of_all(answer: Any, points: int, who: str, *, classes: bool) -> Answer:
    """Understand the answer of one function for all members.

    Parameters
    ----------
    answer : anything
        What it gave.
    points : int
        At how many points it was asked.
    who : str
        For messages.
    classes : bool
        Whether numbers [shape=(points, k)] of one member are expected: k classes.

    Raises
    ------
    ValueError
        If its shape is another.
    TypeError
        If it is no real numbers.
    """
    if isinstance(answer, Mapping) and not _FORMS.keys() & answer.keys() and len(answer):
        each = [of_one(value, points, f"{who} {name!r}") for name, value in answer.items()]
        return joined(each)._replace(names=tuple(map(str, answer)))
    if isinstance(answer, list) and answer and not isinstance(answer[0], list | int | float):
        return joined([of_one(each, points, who) for each in answer])
    plain = _plain(answer, who)
    single = classes or not (_is_array(answer) or isinstance(answer, list))
    wanted = f"(members, {points}) or (members, {points}, 1), of several outputs (members, "
    wanted += f"{points}, outputs)"
    return _shaped(plain, lambda values: _block(values, points, single), points, who, wanted)


def joined(each: list[Answer]) -> Answer:
    """Put the answers of members side by side.

    Raises
    ------
    ValueError
        If they differ in their numbers of outputs, or some have variances and others have not.
    """
    first = each[0]
    for place, other in enumerate(each):
        if other.values.shape[-1] != first.values.shape[-1]:
            raise ValueError(
                f"member {place} gives {other.values.shape[-1]} outputs and member 0 gives "
                f"{first.values.shape[-1]}; expected the same of all"
            )
        if (other.variances is None) != (first.variances is None):
            raise ValueError(
                f"of member 0 and member {place} only one gives a variance; expected it of all or "
                "none"
            )
    variances = [one.variances for one in each if one.variances is not None]
    return first._replace(
        values=_stacked([one.values for one in each]),
        variances=_stacked(variances) if variances else None,
    )


def _stacked(values: list[Answers]) -> Answers:
    tensors = [each for each in values if isinstance(each, torch.Tensor)]
    if len(tensors) == len(values):
        return torch.stack(tensors)
    return np.stack([as_array(each) for each in values])


def _shaped(
    plain: Answer,
    shape: Callable[[Answers], Answers | None],
    points: int,
    who: str,
    wanted: str,
) -> Answer:
    """Bring values, and variances with them, into their shape."""
    values = shape(plain.values)
    if values is None:
        got = tuple(plain.values.shape)
        raise ValueError(f"{who} gives {got} at {points} points; expected {wanted}")
    if not is_real(values):
        raise TypeError(f"{who} gives {values.dtype}; expected real numbers")
    if plain.variances is None:
        return plain._replace(values=values)
    variances = _spread_like(plain.values, plain.variances, who)
    return plain._replace(values=values, variances=shape(variances))


def _spread_like(values: Answers, variances: Answers, who: str) -> Answers:
    """Return variances in the shape of the values; of covariances, the diagonal."""
    mean, own = tuple(values.shape), tuple(variances.shape)
    if len(mean) >= 2 and own == (*mean, mean[-1]):
        return _diagonal(variances)
    if own == mean:
        return variances
    if np.prod(own) == np.prod(mean):
        return variances.reshape(mean)
    if np.prod(own) == 1:
        return variances.reshape(()) + 0 * values
    raise ValueError(f"{who} gives a mean of shape {mean} and a variance of shape {own}")


def _diagonal(covariances: Answers) -> Answers:
    if isinstance(covariances, torch.Tensor):
        return covariances.diagonal(dim1=-2, dim2=-1)
    return np.diagonal(covariances, axis1=-2, axis2=-1)


def _column(values: Answers, points: int) -> Answers | None:
    """Return one member's numbers as [points, outputs]."""
    if values.ndim >= 1 and values.shape[0] == points:
        if values.ndim == 1:
            return values[:, None]
        if values.ndim == 2:
            return values
        if values.ndim > 2 and all(size == 1 for size in values.shape[2:]):
            return values.reshape(points, values.shape[1])
    return None


def _block(values: Answers, points: int, single: bool) -> Answers | None:
    """Return all members' numbers as [members, points, outputs].

    `single`: numbers [points, k] are of one member.
    """
    shape = tuple(values.shape)
    if len(shape) == 1 and single and shape[0] == points:
        return values[None, :, None]
    if len(shape) == 2 and shape[1] == points:
        return values[..., None]
    if len(shape) == 2 and single and shape[0] == points:
        return values[None]
    if len(shape) == 2 and shape[0] > points and shape[0] % points == 0:
        return values.reshape(-1, points, shape[1])  # below each other: torch-uncertainty
    if len(shape) == 3 and shape[1] == points:
        return values
    if len(shape) == 3 and shape[0] == points:  # (points, outputs, members): lightning-uq-box
        return values.permute(2, 0, 1) if isinstance(values, torch.Tensor) else np.moveaxis(
            values, 2, 0
        )  # fmt: skip
    return None


def _plain(answer: Any, who: str) -> Answer:
    """Take values and variances out of whatever holds them."""
    if isinstance(answer, Votes):
        return Answer(answer.values, probabilities=True, labels=answer.labels)
    if isinstance(answer, distributions.Distribution):
        return _of_distribution(answer, who)
    if isinstance(answer, Mapping):
        return _of_mapping(answer, who)
    if isinstance(answer, tuple):
        return _of_pair(answer, who)
    return Answer(answer if isinstance(answer, torch.Tensor) else np.asarray(answer))


def _of_pair(answer: tuple[Any, ...], who: str) -> Answer:
    if len(answer) != 2:
        raise ValueError(f"{who} gives a tuple of {len(answer)}; expected (mean, variance)")
    mean, variance = (a if isinstance(a, torch.Tensor) else np.asarray(a) for a in answer)
    return Answer(mean, variance)


def _of_distribution(given: distributions.Distribution, who: str) -> Answer:
    while isinstance(given, distributions.Independent):
        given = given.base_dist
    if isinstance(given, _OF_CLASSES):
        return Answer(given.probs, probabilities=True)
    if isinstance(given, distributions.Bernoulli) and given.probs.shape[1:] in ((), (1,)):
        return Answer(given.probs, probabilities=True)
    try:
        return Answer(given.mean, given.variance)
    except NotImplementedError as error:
        raise ValueError(
            f"{who} gives a {type(given).__name__}, which has no mean and variance; give (mean, "
            "variance)"
        ) from error


_OF_CLASSES = (
    distributions.Categorical,
    distributions.OneHotCategorical,
    distributions.RelaxedOneHotCategorical,
)


def _of_mapping(answer: Mapping[str, Any], who: str) -> Answer:
    for key, understand in _FORMS.items():
        if key in answer:
            return understand(answer)
    raise ValueError(
        f"{who} gives a dictionary of {', '.join(map(str, answer))}; expected one of "
        f"{', '.join(_FORMS)} among them"
    )


def _of_samples(answer: Mapping[str, Any]) -> Answer:
    """Understand lightning-uq-box's draws [shape=(points, outputs, members)].

    Of a regression whose aleatoric part is known, the outputs are mean and log variance.
    """
    samples = answer["samples"]
    if "logits" in answer:
        return Answer(samples, logits=True)
    if "aleatoric_uct" in answer and samples.ndim == 3 and samples.shape[1] == 2:
        wide = torch.as_tensor(samples[:, 1:]).exp() + VARIANCE_FLOOR
        return Answer(samples[:, :1], wide)
    return Answer(samples)


def _of_prediction(answer: Mapping[str, Any]) -> Answer:
    """Understand lightning-uq-box's summary: a mean and its standard deviation, or classes."""
    if "logits" in answer:
        return Answer(answer["pred"], probabilities=True)
    sd = answer.get("pred_uct", answer.get("aleatoric_uct"))
    return Answer(answer["pred"], None if sd is None else sd**2)


def _of_mean(answer: Mapping[str, Any]) -> Answer:
    variance = next((answer[name] for name in ("variance", "var") if name in answer), None)
    sd = next((answer[name] for name in ("std", "sd") if name in answer), None)
    return Answer(answer["mean"], sd**2 if variance is None and sd is not None else variance)


def _of_location(answer: Mapping[str, Any]) -> Answer:
    """Understand torch-uncertainty's parameters of a normal or normal-inverse-gamma distribution.

    The variance that is expected of the latter is β / (α - 1) (Amini et al. 2020).
    """
    if "scale" in answer:
        return Answer(answer["loc"], answer["scale"] ** 2)
    if "alpha" in answer and "beta" in answer:
        return Answer(answer["loc"], answer["beta"] / (answer["alpha"] - 1))
    return Answer(answer["loc"])


# By the key that tells the form; the first that is there counts.
_FORMS: dict[str, Callable[[Mapping[str, Any]], Answer]] = {
    "samples": _of_samples,
    "pred": _of_prediction,
    "mean": _of_mean,
    "loc": _of_location,
    "probs": lambda answer: Answer(answer["probs"], probabilities=True),
    "logits": lambda answer: Answer(answer["logits"], logits=True),
}


def _is_array(each: Any) -> bool:
    return isinstance(each, torch.Tensor | np.ndarray)
