"""Which parameters' norms are measured when which optimizer has stepped."""

from collections.abc import Mapping, Sequence

from torch import nn
from torch.optim import Optimizer

from epochord.recorders.norms import NormColumns, group_parameters
from epochord.recorders.rows import RowBuffer

__all__ = ["Assignment"]


class Assignment:
    """Gives each optimizer the columns of its parameters.

    Parameters that no optimizer holds go to the first one.  Columns are made
    when an optimizer steps for the first time, when the model is where it is
    going to be trained; parameter groups that join later get theirs then.

    Parameters
    ----------
    parameters : mapping of str to torch.nn.Parameter
        All parameters of the model, by name.
    optimizers : sequence of torch.optim.Optimizer
        At least one.
    rows : RowBuffer
        Where the columns are measured into.

    Raises
    ------
    ValueError
        If there is no optimizer, or one that holds no parameter of the model.
    """

    def __init__(
        self,
        parameters: Mapping[str, nn.Parameter],
        optimizers: Sequence[Optimizer],
        rows: RowBuffer,
    ) -> None:
        if not optimizers:
            raise ValueError("no optimizer: pass at least one")
        ids = {id(parameter) for parameter in parameters.values()}
        for optimizer in optimizers:
            if not ids & _held([optimizer]):
                raise ValueError(
                    f"the {type(optimizer).__name__} optimizer holds no parameter of this model; "
                    "pass the model that it trains"
                )
        self._parameters = parameters
        self._optimizers = optimizers
        self._rows = rows
        self._columns: list[list[NormColumns]] = [[] for _ in optimizers]
        self._sizes = [-1] * len(optimizers)
        self._assigned: set[int] = set()

    def of(self, place: int) -> list[NormColumns]:
        """Return the columns of an optimizer, with those of parameters that joined since."""
        size = sum(len(group["params"]) for group in self._optimizers[place].param_groups)
        if size != self._sizes[place]:
            self._sizes[place] = size
            fresh = group_parameters(self._unassigned(place), self._rows.rows_allocated)
            self._columns[place] += fresh
            self._rows.norms += fresh
        return self._columns[place]

    def all(self) -> list[NormColumns]:
        """Return the columns of all optimizers."""
        return [columns for place in range(len(self._optimizers)) for columns in self.of(place)]

    def _unassigned(self, place: int) -> list[tuple[str, nn.Parameter]]:
        own = _held([self._optimizers[place]])
        held = _held(self._optimizers)
        fresh = [
            (name, parameter)
            for name, parameter in self._parameters.items()
            if id(parameter) not in self._assigned
            and (id(parameter) in own or (place == 0 and id(parameter) not in held))
        ]
        self._assigned |= {id(parameter) for _, parameter in fresh}
        return fresh


def _held(optimizers: Sequence[Optimizer]) -> set[int]:
    return {id(p) for each in optimizers for group in each.param_groups for p in group["params"]}
