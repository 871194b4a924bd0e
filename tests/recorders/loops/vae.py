"""A variational autoencoder, after PyTorch's example `vae`."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader

from tests.recorders.loops.images import images
from tests.recorders.loops.witness import Witness

EPOCHS, PIXELS = 3, 12 * 12


class VAE(nn.Module):
    """Images to a Gaussian over four hidden numbers, and back."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(PIXELS, 24)
        self.fc21 = nn.Linear(24, 4)
        self.fc22 = nn.Linear(24, 4)
        self.fc3 = nn.Linear(4, 24)
        self.fc4 = nn.Linear(24, PIXELS)

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z))))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        hidden = F.relu(self.fc1(x.view(-1, PIXELS)))
        mean, logvar = self.fc21(hidden), self.fc22(hidden)
        noise = torch.randn_like(logvar)
        return self.decode(mean + noise * torch.exp(0.5 * logvar)), mean, logvar


def loss_of(output: tuple[torch.Tensor, ...], data: torch.Tensor) -> torch.Tensor:
    """Sum what is lost of the images, and the divergence from a standard normal."""
    again, mean, logvar = output
    lost = F.binary_cross_entropy(again, data.view(-1, PIXELS), reduction="sum")
    return lost - 0.5 * torch.sum(1 + logvar - mean.pow(2) - logvar.exp())


def main(watch: Callable[..., Any], witness: Witness) -> None:
    """Train and test in turn, and sample after each."""
    torch.manual_seed(1)
    train_loader = DataLoader(images(96, 12), batch_size=16, shuffle=True)
    test_loader = DataLoader(images(32, 12, seed=1), batch_size=16)
    model = VAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    recorder = watch(model, optimizer, "run")
    step = 0
    for _ in range(EPOCHS):
        model.train()
        train_loss = 0.0
        for data, _ in train_loader:
            optimizer.zero_grad()
            loss = loss_of(model(data), data)
            loss.backward()
            train_loss += loss.item()
            witness.before_step(model.named_parameters(), step)
            optimizer.step()
            witness.loss(loss)
            step += 1
            recorder.log("loss", loss.item() / len(data))
        recorder.log("epoch/train", train_loss / len(train_loader.dataset))
        model.eval()
        with torch.no_grad():
            test_loss = sum(loss_of(model(data), data).item() for data, _ in test_loader)
            model.decode(torch.randn(8, 4))
        recorder.log("epoch/test", test_loss / len(test_loader.dataset))
