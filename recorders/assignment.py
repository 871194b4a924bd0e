"""Which parameters' norms are measured when which optimizer steps."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from weakref import ref

import torch
from torch import nn
from torch.nn.parameter import is_lazy
from torch.optim import Optimizer

from epochord.recorders.columns import Chosen, NormColumns
from epochord.recorders.norms import is_narrow
from epochord.recorders.parameters import named_parameters

__all__ = ["Assignment", "Trained"]

Named = dict[str, nn.Parameter]


class Trained:
    """What one optimizer trains; it lets go of everything when the optimizer goes.

    Attributes
    ----------
    chosen : list of Chosen
        Its columns.
    key : frozenset of int
        Identifies the parameters: two optimizers with the same ones follow each other.
    """

    def __init__(self, optimizer: Optimizer, gone: Callable[[], object]) -> None:
        self.chosen: list[Chosen] = []
        self.key: frozenset[int] = frozenset()
        self._gone = gone
        self._optimizer = ref(optimizer, self._let_go)
        self._lists: list[list[torch.Tensor]] = []
        self._single: list[tuple[int, int]] = []  # where in them a parameter of one element is

    @property
    def optimizer(self) -> Optimizer | None:
        """The optimizer; None when it has gone."""
        return self._optimizer()

    @property
    def named(self) -> Named:
        """Its parameters by name."""
        return {
            n: p for each in self.chosen for n, p in zip(each.names, each.parameters, strict=True)
        }

    @property
    def held(self) -> frozenset[int]:
        """Ids of all parameters that the optimizer holds now."""
        return frozenset(id(p) for group in self._groups() for p in group["params"])

    def changed(self) -> bool:
        """Tell whether it holds other parameters than when this was asked last."""
        groups = self._groups()
        if self.holds(groups):
            return False
        self._lists = [list(group["params"]) for group in groups]
        self._single = [
            (place, slot)
            for place, held in enumerate(self._lists)
            for slot, parameter in enumerate(held)
            if not is_lazy(parameter) and parameter.numel() == 1
        ]
        return True

    def holds(self, groups: list[dict[str, Any]]) -> bool:
        """Tell whether parameter groups are those that `changed` has seen."""
        if len(groups) != len(self._lists):
            return False
        try:
            # Lists compare by identity first, so that this costs nothing while all is as it was.
            for group, known in zip(groups, self._lists, strict=True):
                if group["params"] != known:
                    return False
        except RuntimeError:  # else element by element, which tensors refuse, but single numbers
            return False
        return not self._single or all(
            groups[at]["params"][slot] is self._lists[at][slot] for at, slot in self._single
        )

    def _groups(self) -> list[dict[str, Any]]:
        optimizer = self.optimizer
        return [] if optimizer is None else optimizer.param_groups

    def _let_go(self, _: object) -> None:
        self.chosen, self._lists = [], []
        self._gone()


class Assignment:
    """Gives each optimizer the columns of its parameters.

    Parameters that no optimizer holds go to the first one.  Columns are made when an
    optimizer steps for the first time, when the model is where it is going to be trained;
    what joins later, parameters or optimizers, gets its own then.  Nothing lives on for
    the sake of being recorded.

    Parameters
    ----------
    model : torch.nn.Module
        Whose parameters are recorded.
    optimizers : sequence of torch.optim.Optimizer
        Those that are known.
    columns : list of NormColumns
        Gets the columns that are made.
    rows : int
        How many rows they need.

    Attributes
    ----------
    model_changed : bool
        Whether the model has had other parameters since this was set to False.
    on_cuda : bool
        Whether parameters are on a CUDA device.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizers: Sequence[Optimizer],
        columns: list[NormColumns],
        rows: int,
    ) -> None:
        self._model = ref(model)
        self._named: dict[str, ref[nn.Parameter]] = {}
        self._ids: set[int] = set()
        self._columns = columns
        self._rows = rows
        self._trained: dict[int, Trained] = {}
        self._others: dict[int, Trained] = {}
        self._ready = False
        self.on_cuda = False
        self._look_at_model()
        self.model_changed = False
        for optimizer in optimizers:
            self._note(optimizer, self._trained)

    @property
    def named(self) -> Named:
        """The model's parameters by name, as far as they are known and still there."""
        alive = ((name, parameter()) for name, parameter in self._named.items())
        return {name: parameter for name, parameter in alive if parameter is not None}

    def only(self) -> Trained | None:
        """Return what the only optimizer trains; None if there are several."""
        for each in list(self._trained.values()):
            optimizer = each.optimizer
            if optimizer is not None and self.of(optimizer) is not None:
                break
        # A wrapper and what it wraps, or one and the next, train the same.
        keys = {each.key for each in self._trained.values()}
        return each if len(keys) == 1 else None

    def of(self, optimizer: Optimizer) -> Trained | None:
        """Return what an optimizer trains of the model; None if that is nothing."""
        trained = self._trained.get(id(optimizer)) or self._newcomer(optimizer)
        if trained is not None and (not self._ready or trained.changed()):
            self._refresh()
        return trained

    def settled(self, optimizer: Optimizer) -> Trained | None:
        """Return what an optimizer trains, if that is known without looking anew; else None."""
        trained = self._trained.get(id(optimizer))
        return (
            trained if trained and self._ready and trained.holds(optimizer.param_groups) else None
        )

    def _newcomer(self, optimizer: Optimizer) -> Trained | None:
        """Look at an optimizer that is not known to train anything of the model."""
        other = self._others.get(id(optimizer)) or self._note(optimizer, self._others)
        if not other.changed():
            return None
        if other.held.isdisjoint(self._ids):
            self._look_at_model()
        if other.held.isdisjoint(self._ids):
            return None
        del self._others[id(optimizer)]
        self._ready = False
        return self._note(optimizer, self._trained)

    @staticmethod
    def _note(optimizer: Optimizer, into: dict[int, Trained]) -> Trained:
        place = id(optimizer)
        into[place] = Trained(optimizer, lambda: into.pop(place, None))
        return into[place]

    def _look_at_model(self) -> None:
        model = self._model()
        if model is None:
            return
        now = named_parameters(model)
        known = self.named
        if len(now) == len(known) and all(known.get(name) is now[name] for name in now):
            return
        self.model_changed = True
        self._ids = set(map(id, now.values()))
        self._named = {name: self._watched(parameter) for name, parameter in now.items()}

    def _watched(self, parameter: nn.Parameter) -> "ref[nn.Parameter]":
        place = id(parameter)
        return ref(parameter, lambda _: self._ids.discard(place))  # it may be somebody else's soon

    def _refresh(self) -> None:
        """Find out anew who trains what."""
        self._ready = True
        self._look_at_model()
        named = self.named
        self._make_columns(named)
        self.on_cuda = any(parameter.is_cuda for parameter in named.values())
        trained = list(self._trained.values())
        held = [each.held for each in trained]
        nobodys = self._ids.difference(*held)
        for each, own in zip(trained, held, strict=True):
            each.changed()
            each.key = own & self._ids | (nobodys if each is trained[0] else frozenset())
            each.chosen = []
        self._choose(trained, named)

    def _choose(self, trained: Iterable[Trained], named: Named) -> None:
        of: dict[int, list[Trained]] = {}
        for each in trained:
            for place in each.key:
                of.setdefault(place, []).append(each)
        for columns in self._columns:
            slots: dict[int, tuple[Trained, list[int], list[nn.Parameter]]] = {}
            for slot, (name, there) in enumerate(
                zip(columns.names, columns.parameters, strict=True)
            ):
                parameter = named.get(name)
                if parameter is None or there() is not parameter:  # gone, or called otherwise now
                    continue
                for each in of.get(id(parameter), ()):
                    _, chosen, parameters = slots.setdefault(id(each), (each, [], []))
                    chosen.append(slot)
                    parameters.append(parameter)
            for each, chosen, parameters in slots.values():
                each.chosen.append(Chosen(columns, chosen, parameters))

    def _make_columns(self, named: Named) -> None:
        """Make the columns of new parameters, one object for each device and precision."""
        places = {
            (columns.kind, name): (columns, slot)
            for columns in self._columns
            for slot, name in enumerate(columns.names)
        }
        groups: dict[tuple[torch.device, bool], list[tuple[str, nn.Parameter]]] = {}
        for name, parameter in named.items():
            kind = (parameter.device, is_narrow(parameter.dtype))
            if (kind, name) in places:
                columns, slot = places[kind, name]
                columns.parameters[slot] = ref(parameter)  # it may have taken another's place
            else:
                groups.setdefault(kind, []).append((name, parameter))
        self._columns += [NormColumns(group, self._rows) for group in groups.values()]
