"""The same in float16, with a GradScaler that first has to find its scale."""

from collections.abc import Callable
from typing import Any

from tests.recorders.loops.nanogpt import train
from tests.recorders.loops.witness import Witness


def main(watch: Callable[..., Any], witness: Witness) -> None:
    """Train with steps that are skipped, which are no rows."""
    train(watch, witness, half=True)
