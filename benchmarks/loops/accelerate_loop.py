"""A loop with accelerate: everything prepared, gradients accumulated, each micro-batch logged."""

from collections.abc import Callable
from typing import Any

import torch
from accelerate import Accelerator
from torch import nn
from torch.utils.data import DataLoader

from tests.recorders.loops.images import images
from tests.recorders.loops.witness import Witness


def main(watch: Callable[..., Any], witness: Witness) -> None:
    """Train five batches an epoch, of which the last one steps alone."""
    torch.manual_seed(1)
    accelerator = Accelerator(cpu=True, gradient_accumulation_steps=2)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + step))
    loader = DataLoader(images(80, 8), batch_size=16, shuffle=True)
    model, optimizer, loader, scheduler = accelerator.prepare(model, optimizer, loader, scheduler)
    recorder = watch(model, optimizer, "run")
    row = 0
    for _ in range(3):
        model.train()
        for data, target in loader:
            with accelerator.accumulate(model):
                loss = nn.functional.cross_entropy(model(data), target)
                accelerator.backward(loss)
                if accelerator.sync_gradients:
                    accelerator.clip_grad_norm_(model.parameters(), 0.5)
                    witness.before_step(model.named_parameters(), row)
                    row += 1
                optimizer.step()
                scheduler.step()
                optimizer.zero_grad()
            witness.loss(loss.detach())
            recorder.log("loss", loss.detach())
        recorder.log("lr", scheduler.get_last_lr()[0])
