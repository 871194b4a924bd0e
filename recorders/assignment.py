"""Which parameters' norms are measured when which optimizer steps."""

from collections.abc import Callable, Iterable, Sequence
from weakref import ref

import torch
from torch import nn
from torch.optim import Optimizer

from epochord.recorders.columns import Chosen, NormColumns
from epochord.recorders.norms import is_narrow

__all__ = ["Assignment", "Trained"]

Named = dict[str, nn.Parameter]


class Trained:
    """What one optimizer trains.

    Attributes
    ----------
    chosen : list of Chosen
        Its columns.
    names : list of str
        Its parameters.
    key : frozenset of int
        Identifies the parameters: two optimizers with the same ones follow each other.
    """

    def __init__(self, optimizer: Optimizer, gone: Callable[[], object]) -> None:
        self.chosen: list[Chosen] = []
        self.names: list[str] = []
        self.key: frozenset[int] = frozenset()
        self.captured_ahead = False
        self._optimizer = ref(optimizer, lambda _: gone())
        self._lists: list[tuple[list[torch.Tensor], int]] = []

    @property
    def optimizer(self) -> Optimizer | None:
        """The optimizer; None when it has gone."""
        return self._optimizer()

    @property
    def held(self) -> frozenset[int]:
        """Ids of all parameters that the optimizer holds now; none when it has gone."""
        optimizer = self.optimizer
        groups = optimizer.param_groups if optimizer is not None else []
        return frozenset(id(p) for group in groups for p in group["params"])

    def changed(self) -> bool:
        """Tell whether its parameter groups are others than when this was asked last."""
        optimizer = self.optimizer
        groups = optimizer.param_groups if optimizer is not None else []
        if len(groups) == len(self._lists) and all(
            group["params"] is known and len(known) == size
            for group, (known, size) in zip(groups, self._lists, strict=True)
        ):
            return False
        self._lists = [(group["params"], len(group["params"])) for group in groups]
        return True


class Assignment:
    """Gives each optimizer the columns of its parameters.

    Parameters that no optimizer holds go to the first one.  Columns are made when an
    optimizer steps for the first time, when the model is where it is going to be trained;
    what joins later, parameters or optimizers, gets its own then.

    Parameters
    ----------
    parameters : callable
        Gives all parameters of the model by name, as they are now.
    optimizers : sequence of torch.optim.Optimizer
        Those that are known.
    columns : list of NormColumns
        Gets the columns that are made.
    rows : int
        How many rows they need.
    """

    def __init__(
        self,
        parameters: Callable[[], Named],
        optimizers: Sequence[Optimizer],
        columns: list[NormColumns],
        rows: int,
    ) -> None:
        self._parameters = parameters
        self._named = parameters()
        self._ids = {id(parameter) for parameter in self._named.values()}
        self._columns = columns
        self._rows = rows
        self._trained: dict[int, Trained] = {}
        self._others: dict[int, Trained] = {}
        self._ready = False
        self.model_changed = False  # whether the model has other parameters than it had
        for optimizer in optimizers:
            self._note(optimizer, self._trained)

    @property
    def named(self) -> Named:
        """The model's parameters by name, as far as they are known."""
        return self._named

    def only(self) -> Trained | None:
        """Return what the only optimizer trains; None if there are several."""
        optimizers = [each.optimizer for each in self._trained.values()]
        alone = optimizers[0] if len(optimizers) == 1 else None
        return self.of(alone) if alone is not None else None

    def of(self, optimizer: Optimizer) -> Trained | None:
        """Return what an optimizer trains of the model; None if that is nothing."""
        trained = self._trained.get(id(optimizer))
        if trained is None:
            trained = self._newcomer(optimizer)
        if trained is not None and (trained.changed() or not self._ready):
            self._refresh()
        return trained

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
        now = self._parameters()
        if len(now) != len(self._named) or any(
            self._named.get(name) is not parameter for name, parameter in now.items()
        ):
            self._named, self.model_changed = now, True
            self._ids = {id(parameter) for parameter in now.values()}

    def _refresh(self) -> None:
        """Find out anew who trains what."""
        self._ready = True
        self._look_at_model()
        self._make_columns()
        trained = list(self._trained.values())
        held = [each.held for each in trained]
        nobodys = self._ids.difference(*held)
        for each, own in zip(trained, held, strict=True):
            each.changed()
            each.key = own & self._ids | (nobodys if each is trained[0] else frozenset())
            each.chosen, each.names = [], []
        self._choose(trained)

    def _choose(self, trained: Iterable[Trained]) -> None:
        of: dict[int, list[Trained]] = {}
        for each in trained:
            for place in each.key:
                of.setdefault(place, []).append(each)
        for columns in self._columns:
            slots: dict[int, tuple[Trained, list[int]]] = {}
            for slot, parameter in enumerate(columns.parameters):
                for each in of.get(id(parameter), ()):
                    slots.setdefault(id(each), (each, []))[1].append(slot)
            for each, chosen in slots.values():
                each.chosen.append(Chosen(columns, chosen))
                each.names += each.chosen[-1].names

    def _make_columns(self) -> None:
        """Make the columns of new parameters, one object for each device and precision."""
        places = {
            name: (columns, slot)
            for columns in self._columns
            for slot, name in enumerate(columns.names)
        }
        groups: dict[tuple[torch.device, bool], list[tuple[str, nn.Parameter]]] = {}
        for name, parameter in self._named.items():
            kind = (parameter.device, is_narrow(parameter.dtype))
            if name in places:
                columns, slot = places[name]
                before = columns.parameters[slot]
                if before is parameter or (before.device, is_narrow(before.dtype)) == kind:
                    columns.parameters[slot] = parameter  # a new one takes the place of the old
                    continue
            groups.setdefault(kind, []).append((name, parameter))
        self._columns += [NormColumns(group, self._rows) for group in groups.values()]
