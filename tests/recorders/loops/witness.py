"""What a program saw for itself: losses, gradients in double precision, and what it logged.

It is also the recorder of the bare program, which notes what would have been logged.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch

__all__ = ["FILE", "Witness"]

FILE = "witness.json"


class Witness:
    """Notes, beside a training, what a log of it has to hold.

    Attributes
    ----------
    losses : list of str
        Each loss, to the bit.
    norms : dict
        By the parameter's name, then by row.
    notes : list of (tag, value, rows)
        What was logged, and after how many rows.
    rows : int
        How many there are so far.
    """

    def __init__(self) -> None:
        self.losses: list[str] = []
        self.norms: dict[str, dict[int, float]] = {}
        self.notes: list[tuple[str, float, int]] = []
        self.rows = 0
        self._parameters: dict[str, torch.Tensor] = {}

    def loss(self, value: Any) -> None:
        """Note a loss."""
        self.losses.append(_number(value).hex())

    def before_step(self, parameters: Iterable[tuple[str, torch.Tensor]], row: int) -> None:
        """Note the gradients that an optimizer is about to use."""
        for name, parameter in parameters:
            self._parameters[name] = parameter
            if parameter.grad is not None:
                norms = self.norms.setdefault(name, {})
                assert row not in norms, f"{name} steps twice in row {row}"
                norms[row] = parameter.grad.double().norm().item()
        self.rows = max(self.rows, row + 1)

    def log(self, tag: str, value: Any) -> None:
        """Note what is logged, or would have been."""
        self.notes.append((tag, _number(value), self.rows))

    def save(self) -> None:
        """Leave it in the working directory, with what the weights and the chance are by now."""
        weights, chance = hashlib.sha256(), hashlib.sha256()
        for parameter in self._parameters.values():
            weights.update(parameter.detach().numpy().tobytes())
        chance.update(torch.get_rng_state().numpy().tobytes())
        chance.update(np.random.get_state()[1].tobytes())  # noqa: NPY002
        held = {name: value for name, value in vars(self).items() if not name.startswith("_")}
        held |= {"weights": weights.hexdigest(), "chance": chance.hexdigest()}
        Path(FILE).write_text(json.dumps(held), encoding="utf-8")


def _number(value: Any) -> float:
    return float(value.item() if isinstance(value, torch.Tensor) else value)
