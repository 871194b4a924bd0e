"""A generator and a discriminator with an optimizer each, after PyTorch's example `dcgan`."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader

from tests.recorders.loops.images import images
from tests.recorders.loops.witness import Witness

EPOCHS, NOISE, WIDTH = 2, 8, 4


def generator() -> nn.Sequential:
    """Make the network that turns noise into images of 16 × 16."""
    return nn.Sequential(
        nn.ConvTranspose2d(NOISE, WIDTH * 2, 4, 1, 0, bias=False),
        nn.BatchNorm2d(WIDTH * 2),
        nn.ReLU(True),
        nn.ConvTranspose2d(WIDTH * 2, WIDTH, 4, 2, 1, bias=False),
        nn.BatchNorm2d(WIDTH),
        nn.ReLU(True),
        nn.ConvTranspose2d(WIDTH, 1, 4, 2, 1, bias=False),
        nn.Tanh(),
    )


def discriminator() -> nn.Sequential:
    """Make the network that tells whether images are real."""
    return nn.Sequential(
        nn.Conv2d(1, WIDTH, 4, 2, 1, bias=False),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(WIDTH, WIDTH * 2, 4, 2, 1, bias=False),
        nn.BatchNorm2d(WIDTH * 2),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(WIDTH * 2, 1, 4, 1, 0, bias=False),
        nn.Sigmoid(),
        nn.Flatten(0),
    )


def weights_init(module: nn.Module) -> None:
    """Begin with small weights, as the paper does."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


def main(watch: Callable[..., Any], witness: Witness) -> None:
    """Let both step once a batch; batches come from a worker, which is forked."""
    torch.manual_seed(2)
    # The worker inherits the recorder that is open by then.
    loader = DataLoader(images(64, 16), batch_size=16, shuffle=True, num_workers=1)
    net_g, net_d = generator().apply(weights_init), discriminator().apply(weights_init)
    criterion = nn.BCELoss()
    fixed_noise = torch.randn(16, NOISE, 1, 1)
    optimizer_d = torch.optim.Adam(net_d.parameters(), lr=2e-4, betas=(0.5, 0.999))
    optimizer_g = torch.optim.Adam(net_g.parameters(), lr=2e-4, betas=(0.5, 0.999))
    both = nn.ModuleDict({"d": net_d, "g": net_g})
    recorder = watch(both, [optimizer_d, optimizer_g], "run")
    step = 0
    for epoch in range(EPOCHS):
        for data, _ in loader:
            net_d.zero_grad()
            label = torch.full((len(data),), 1.0)
            loss_real = criterion(net_d(data), label)
            loss_real.backward()
            fake = net_g(torch.randn(len(data), NOISE, 1, 1))
            label.fill_(0.0)
            loss_fake = criterion(net_d(fake.detach()), label)
            loss_fake.backward()
            loss_d = loss_real + loss_fake
            witness.before_step(net_d.named_parameters(prefix="d"), step)
            optimizer_d.step()

            net_g.zero_grad()
            label.fill_(1.0)
            loss_g = criterion(net_d(fake), label)  # its backward also reaches net_d's weights
            loss_g.backward()
            witness.before_step(net_g.named_parameters(prefix="g"), step)
            optimizer_g.step()

            witness.loss(loss_d)
            witness.loss(loss_g)
            step += 1
            recorder.log("loss/d", loss_d.item())
            recorder.log("loss/g", loss_g.item())
        net_g(fixed_noise)
        torch.save(net_g.state_dict(), f"net_g_{epoch}.pt")
        torch.save(net_d.state_dict(), f"net_d_{epoch}.pt")
