"""One training of the field guide, recorded step by step."""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn
from torch.optim import Optimizer

from epochord.pipeline.experiments.field_guide.networks import make
from epochord.pipeline.experiments.field_guide.tasks import Batch, Task, task
from epochord.pipeline.experiments.field_guide.trainings import Training
from epochord.recorders import GradientRecorder

__all__ = ["train"]

VALIDATE_EVERY = 10  # steps
# A loss scale far too large at first, and doubled often: what float16 cannot hold, it meets.
LOSS_SCALE, DOUBLED_EVERY = 2.0**17, 20


def train(training: Training, directory: Path, seed: int) -> None:
    """Train and record: gradient norms, losses and the learning rate.

    Parameters
    ----------
    training : Training
        What, and how.
    directory : Path
        The run's directory; a run in it is replaced.
    seed : int
        For initial weights and the order of the examples.
    """
    learnt = task(training, seed)
    torch.manual_seed(seed)
    model = _model(training, learnt)
    optimizer = _optimizer(training, model)
    recorder = GradientRecorder(
        model, optimizer, directory, overwrite=True, on_error="raise", seed=seed,
        hyperparameters=training.hyperparameters, dataset=learnt.dataset,
    )  # fmt: skip
    scaler = torch.amp.GradScaler(
        "cpu", init_scale=LOSS_SCALE, growth_interval=DOUBLED_EVERY, enabled=training.half
    )
    with recorder:
        for step, batch in enumerate(learnt.batches(training, seed)):
            for group in optimizer.param_groups:
                group["lr"] = training.lr * min(1.0, (step + 1) / (training.warm_up or 1))
            optimizer.zero_grad()
            loss = _loss(training, model, batch)
            scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
            if training.clip is not None:
                nn.utils.clip_grad_norm_(model.parameters(), training.clip)
            scaler.step(optimizer)
            scaler.update()
            recorder.log("loss", loss)
            recorder.log("lr", optimizer.param_groups[0]["lr"])
            if step % VALIDATE_EVERY == 0:
                with torch.no_grad():
                    recorder.log("val_loss", _loss(training, model, learnt.validation))


def _model(training: Training, learnt: Task) -> nn.Module:
    model = make(training.network, learnt.characters)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.mul_(training.weights)
            if "weight_hh" in name:
                parameter.mul_(training.recurrent_weights)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.partition(".")[0] != training.frozen)
    return model


def _optimizer(training: Training, model: nn.Module) -> Optimizer:
    parameters = [each for each in model.parameters() if each.requires_grad]
    if training.optimizer == "Adam":
        return torch.optim.Adam(parameters, lr=training.lr)
    # A fused optimizer is called, and so recorded, also where the scaler skips the step.
    return torch.optim.SGD(
        parameters, lr=training.lr, momentum=training.momentum, fused=training.half
    )


def _loss(training: Training, model: nn.Module, batch: Batch) -> torch.Tensor:
    inputs, targets = batch
    with torch.autocast("cpu", torch.float16, enabled=training.half):
        scores = model(inputs)
    scores, targets = scores.float().flatten(0, -2), targets.flatten()
    if training.loss == "cross-entropy":
        return F.cross_entropy(scores, targets)
    if training.loss == "squares":
        return F.mse_loss(scores, F.one_hot(targets, scores.shape[1]).float())
    shares = scores.sigmoid()
    wanted = F.one_hot(targets, shares.shape[1])
    logs: torch.Tensor = wanted * shares.log() + (1 - wanted) * (1 - shares).log()
    return -logs.sum(dim=1).mean()
