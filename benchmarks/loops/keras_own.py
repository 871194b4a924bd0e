"""A Keras model on torch that `fit` trains with an optimizer of Keras's own.

It holds no optimizer of torch, so it can only be refused: at once, in one line, with nothing
left behind; training goes on.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.loops.keras_torch import classifier, keras
from benchmarks.loops.programs import REFUSED
from tests.recorders.loops.images import images
from tests.recorders.loops.witness import Witness


def main(watch: Callable[..., Any], witness: Witness) -> None:
    """Compile, try to watch, fit."""
    keras.utils.set_random_seed(1)
    model = classifier()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer="adam", loss=loss)
    try:
        watch(model, model.optimizer, "run")
    except Exception as error:  # noqa: BLE001 - whatever it says is looked at
        Path(REFUSED).write_text(f"{type(error).__name__}: {error}", encoding="utf-8")
    data, classes = images(80, 8).tensors
    history = model.fit(data.movedim(1, -1), classes, epochs=2, batch_size=16, verbose=0)
    for value in history.history["loss"]:
        witness.loss(value)
