"""A LightningModule that Lightning steps, with accumulation, clipping and a callback that logs.

Lightning gives `optimizer.step` a closure, in which it trains, and clips; so does the
program's last hook before the step.
"""

from collections.abc import Callable
from typing import Any

import lightning
import torch
from torch import nn
from torch.utils.data import DataLoader

from tests.recorders.loops.images import images
from tests.recorders.loops.witness import Witness


class Module(lightning.LightningModule):
    """A classifier; it tells the witness of gradients when they are clipped."""

    def __init__(self, witness: Witness) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))
        self.witness, self.row = witness, 0

    def training_step(self, batch: list[torch.Tensor], _: int) -> torch.Tensor:
        data, target = batch
        loss = nn.functional.cross_entropy(self.net(data), target)
        self.witness.loss(loss.detach())
        self.log("train_loss", loss)
        return loss

    def configure_optimizers(self) -> dict[str, Any]:
        optimizer = torch.optim.AdamW(self.parameters(), lr=1e-2)
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5)
        return {"optimizer": optimizer, "lr_scheduler": scheduler}

    def configure_gradient_clipping(self, optimizer, gradient_clip_val, gradient_clip_algorithm):
        self.clip_gradients(optimizer, gradient_clip_val, gradient_clip_algorithm)
        self.witness.before_step(self.named_parameters(), self.row)
        self.row += 1


class Recording(lightning.Callback):
    """Watches from the start of training on, and logs after each batch."""

    def __init__(self, watch: Callable[..., Any]) -> None:
        self.watch = watch

    def on_train_start(self, trainer, pl_module) -> None:
        self.recorder = self.watch(pl_module, trainer.optimizers, "run")

    def on_train_batch_end(self, _trainer, _module, outputs, *_) -> None:
        self.recorder.log("loss", outputs["loss"])

    def on_train_epoch_end(self, trainer, _module) -> None:
        self.recorder.log("lr", trainer.optimizers[0].param_groups[0]["lr"])


def main(watch: Callable[..., Any], witness: Witness) -> None:
    """Train five batches an epoch, of which the last one steps alone."""
    lightning.seed_everything(1, verbose=False)
    loader = DataLoader(images(80, 8), batch_size=16, shuffle=True)
    trainer = lightning.Trainer(
        max_epochs=3,
        accumulate_grad_batches=2,
        gradient_clip_val=0.5,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[Recording(watch)],
    )
    trainer.fit(Module(witness), loader)
