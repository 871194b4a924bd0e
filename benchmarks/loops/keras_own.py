"""A Keras model on torch that `fit` trains with an optimizer of Keras's own.

It holds no optimizer of torch, so it can only be refused: at once, in one line, with nothing
left behind, and training goes on.
"""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.loops.keras_torch import keras, model_of
from tests.recorders.loops.images import images
from tests.recorders.loops.witness import Witness


def main(watch: Callable[..., Any], witness: Witness) -> None:
    """Compile, try to watch, fit."""
    keras.utils.set_random_seed(1)
    model = model_of()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer="adam", loss=loss)
    before = set(Path.cwd().iterdir())
    with contextlib.suppress(Exception):
        watch(model, model.optimizer, "run")
    data, classes = images(80, 8).tensors
    history = model.fit(data.movedim(1, -1), classes, epochs=2, batch_size=16, verbose=0)
    for value in history.history["loss"]:
        witness.loss(value)
