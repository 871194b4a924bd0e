"""A Keras model on torch, trained by an optimizer of torch in a loop of one's own."""

import os
from collections.abc import Callable
from typing import Any

os.environ["KERAS_BACKEND"] = "torch"

import keras
import torch
from torch.utils.data import DataLoader

from tests.recorders.loops.images import images
from tests.recorders.loops.witness import Witness


def classifier() -> keras.Model:
    """Make a small network with some layers of the common kinds."""
    return keras.Sequential(
        [
            keras.layers.Input((8, 8, 1)),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(10),
        ]
    )


def main(watch: Callable[..., Any], witness: Witness) -> None:
    """Train for two epochs."""
    keras.utils.set_random_seed(1)
    model = classifier()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    criterion = torch.nn.CrossEntropyLoss()
    loader = DataLoader(images(80, 8), batch_size=16, shuffle=True)
    recorder = watch(model, optimizer, "run")
    row = 0
    for _ in range(2):
        for data, target in loader:
            loss = criterion(model(data.movedim(1, -1), training=True), target)
            model.zero_grad()
            loss.backward()
            witness.before_step(model.named_parameters(), row)
            optimizer.step()
            row += 1
            witness.loss(loss)
            recorder.log("loss", loss.item())
