"""Asking the members of an ensemble at fixed inputs: whatever they are, to one form of answers.

Asking them changes nothing: modules are evaluated in eval mode and put back, no graph is
built, and torch's random numbers go on as if nobody had asked.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from epochord.recorders.answers import Answer, Answers, as_array, joined, of_all, of_one
from epochord.recorders.dropout import has_dropout
from epochord.recorders.estimators import Stages, as_learned, classes_of, is_estimator, members_of
from epochord.recorders.identities import Identities
from epochord.recorders.modules import evaluating, first_floating, inputs_for
from epochord.runlog.errors import described

__all__ = ["Asked", "Members", "Reply"]

Function = Callable[[Any], Any]
Members = Any
"""One function for all members (a module is one), several, by name, or an ensemble of estimators"""


class Reply(NamedTuple):
    """What all members that are there answered, and who they are.

    Parameters
    ----------
    answer : Answer
        Of all [shape=(members, points, outputs)].
    identities : np.ndarray [shape=(members,), int64]
        Their numbers.
    """

    answer: Answer
    identities: npt.NDArray[np.int64]


class Asked:
    """The members of an ensemble, and where they are asked.

    Parameters
    ----------
    members : see `EnsembleRecorder`
        Looked at anew each time they are asked: who is there then is asked.
    inputs : torch.Tensor or np.ndarray [shape=(points, ...)]
        Modules get them in their own precision, on their own device; other
        callables get just these.
    name : str
        What the members are called in messages.
    classes : bool
        Whether they are known to give classes.
    identities : Identities, optional
        Of the same members asked elsewhere, so that they are the same here.

    Attributes
    ----------
    identities : Identities
        Of all who ever were there.

    Raises
    ------
    ValueError
        If there are none.
    TypeError
        If something cannot be called.
    """

    def __init__(
        self,
        members: Members,
        inputs: Answers,
        *,
        name: str = "members",
        classes: bool = False,
        identities: Identities | None = None,
    ) -> None:
        self.identities = identities or Identities()
        self._members = members
        self._inputs = inputs
        self._name = name
        self._classes = classes
        self._labels: npt.NDArray[Any] | None = None
        self._last: tuple[list[Any], list[Function]] = ([], [])
        self._function = self._all_at_once()
        if self._function is None and not isinstance(members, Mapping) and not _sized(members):
            self._members = _several(members, name)

    def __call__(self) -> Reply:
        """Ask all members that there are now.

        Raises
        ------
        ValueError
            If answers have another shape.
        TypeError
            If answers are no real numbers.
        """
        return self._reply(self._functions(), first=False)

    def checked(self) -> Reply:
        """Ask all members for the first time; whatever they raise is told in one line.

        Raises
        ------
        ValueError
            If the members cannot be asked at these inputs, answer in another shape, with variances
            below 0, or are copies of one that come out equal.
        TypeError
            If answers are no real numbers.
        """
        parts = self._functions()
        reply = self._reply(parts, first=True)
        self._refuse_copies(parts, reply.answer.values)
        variances = reply.answer.variances
        if variances is not None and bool((variances < 0).any()):
            raise ValueError(
                f"{self._name} give variances below 0; expected variances (mean, variance), not "
                "their logarithms"
            )
        return reply

    def _reply(self, parts: list[Function], *, first: bool) -> Reply:
        ask = self._first if first else self._ask
        with _undisturbed([each for each in parts if isinstance(each, nn.Module)], self._device()):
            answers = [ask(place, part) for place, part in enumerate(parts)]
        points = len(self._inputs)
        if self._together:
            answer = of_all(answers[0], points, self._name, classes=self._classes)
            self._refuse_none(len(answer.values))
            return Reply(answer, self._who_answered(answer))
        self._refuse_none(len(answers))
        each = [of_one(one, points, self._who(place)) for place, one in enumerate(answers)]
        return Reply(joined(self._in_columns(each)), self._identified(parts))

    def _refuse_none(self, members: int) -> None:
        if not members:
            raise ValueError(f"{self._name}: there are none; expected at least one")

    @property
    def _together(self) -> bool:
        return self._function is not None

    def _all_at_once(self) -> Function | None:
        members = self._members
        if is_estimator(members):
            found = members_of(members)
            return found if isinstance(found, Stages) else None
        if callable(members) and not isinstance(members, nn.ModuleList | nn.ModuleDict):
            return as_learned(members)  # type: ignore[no-any-return]
        return None

    def _parts(self) -> list[Any]:
        """Return the members that there are now, as they were given."""
        if is_estimator(self._members):
            return list(members_of(self._members) or ())  # type: ignore[arg-type]
        if isinstance(self._members, Mapping | nn.ModuleDict):
            return list(self._members.values())
        return list(self._members)

    def _functions(self) -> list[Function]:
        """Return the members that there are now, as functions."""
        if self._function is not None:
            return [self._function]
        parts = self._parts()
        if len(parts) == len(self._last[0]) and all(map(_same, parts, self._last[0])):
            return self._last[1]
        for place, part in enumerate(parts):
            if not callable(part) and not is_estimator(part):
                raise TypeError(
                    f"{self._name}[{place}] is {type(part).__name__}; expected modules, fitted "
                    "estimators, or functions of the inputs"
                )
        self._last = parts, [as_learned(part) for part in parts]
        return self._last[1]

    def _identified(self, parts: Sequence[Function]) -> npt.NDArray[np.int64]:
        if is_estimator(self._members):
            return self.identities.by_position(len(parts))
        if isinstance(self._members, Mapping | nn.ModuleDict):
            return self.identities.by_name(map(str, self._members))
        return self.identities.by_object(self._last[0])

    def _who_answered(self, answer: Answer) -> npt.NDArray[np.int64]:
        if answer.names is not None:
            return self.identities.by_name(answer.names)
        return self.identities.by_position(len(answer.values))

    def _in_columns(self, each: list[Answer]) -> list[Answer]:
        """Give the probabilities of members that know other classes the same columns."""
        if not any(one.labels is not None for one in each):
            return each
        if self._labels is None:
            self._labels = _all_labels(each, classes_of(self._members))
        named = classes_of(self._members)
        return [_in_columns(one, self._labels, named) for one in each]

    def _first(self, place: int, part: Function) -> Any:
        try:
            return self._ask(place, part)
        except Exception as error:
            given = inputs_for(part, self._inputs) if isinstance(part, nn.Module) else self._inputs
            kind = "a tensor" if isinstance(given, torch.Tensor) else "an array"
            raise ValueError(
                f"{self._who(place)} cannot be asked with {kind} of shape {tuple(given.shape)} "
                f"({described(error)}); a function gets what the grid is, a tensor or an array "
                "[shape=(points, inputs)]"
            ) from error

    def _ask(self, place: int, part: Function) -> Any:  # noqa: ARG002
        inputs = inputs_for(part, self._inputs) if isinstance(part, nn.Module) else self._inputs
        return part(inputs)

    def _refuse_copies(self, parts: Sequence[Function], values: Answers) -> None:
        """Refuse one module several times, and copies of one with dropout: eval mode drops none."""
        modules = [part for part in parts if isinstance(part, nn.Module)]
        if len(modules) < 2 or len(modules) < len(parts):
            return
        same = len({id(module) for module in modules}) < len(modules)
        dropping = has_dropout(modules[0])
        if not same and not (dropping and _all_equal(values)):
            return
        remedy = "pass it once"
        if dropping:
            remedy = f"for dropout at work pass epochord.MCDropout(net, samples={len(modules)})"
        what = "are one module several times" if same else "are copies with dropout, which is off"
        raise ValueError(f"{self._name} {what}, so they come out equal; {remedy}")

    def _who(self, place: int) -> str:
        if self._together:
            return self._name
        return f"member {place}" if self._name == "members" else f"{self._name} {place}"

    def _device(self) -> torch.device:
        parts: list[Any] = [*self._last[1], self._function]
        for module in parts:
            own = first_floating(module) if isinstance(module, nn.Module) else None
            if own is not None:
                return own.device
        return self._inputs.device if isinstance(self._inputs, torch.Tensor) else _CPU


_CPU = torch.device("cpu")


def _several(members: Any, name: str) -> list[Any]:
    if isinstance(members, str) or not isinstance(members, Iterable):
        raise TypeError(
            f"{name} is {type(members).__name__}; expected a list of modules, or a function giving "
            "(members, points)"
        )
    return list(members)


def _sized(members: Any) -> bool:
    """Tell whether members can be looked at again and again."""
    if is_estimator(members):
        return True
    kept = isinstance(members, list | tuple | nn.ModuleList | nn.ModuleDict | np.ndarray)
    return kept and not isinstance(members, str)


def _same(one: Any, other: Any) -> bool:
    return one is other or (hasattr(one, "__self__") and one == other)


def _all_equal(values: Answers) -> bool:
    rows = as_array(values)
    return bool((rows == rows[:1]).all())


def _all_labels(each: Sequence[Answer], named: npt.NDArray[Any] | None) -> npt.NDArray[Any]:
    """Return the classes of which the members know some; by number where they know numbers only.

    The members of a forest know its classes by their places among `named`.
    """
    known = np.unique(np.concatenate([one.labels for one in each if one.labels is not None]))
    if named is None:
        return known
    numbered = known.dtype.kind in "fiu" and set(known.tolist()) <= set(range(len(named)))
    return np.arange(len(named)) if numbered else named


def _in_columns(one: Answer, labels: npt.NDArray[Any], named: npt.NDArray[Any] | None) -> Answer:
    own = one.labels
    if own is None or own.shape[0] != one.values.shape[-1]:
        return one
    names = labels if named is None else named
    if np.array_equal(own, labels):
        return one._replace(labels=names)
    if strange := sorted(set(own.tolist()) - set(labels.tolist()), key=str):
        raise ValueError(
            f"a member knows the class {strange[0]!r}, of which nobody knew when recording began; "
            "pass classes=[...] with all of them, or the whole ensemble"
        )
    places = np.searchsorted(labels, own)
    wide = np.zeros((len(one.values), len(labels)))
    wide[:, places] = as_array(one.values)
    return one._replace(values=wide, labels=names)


@contextmanager
def _undisturbed(modules: Sequence[nn.Module], device: torch.device) -> Iterator[None]:
    """Evaluate without a graph, in eval mode, without using up random numbers."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), torch.no_grad(), evaluating(modules):
        yield
