"""A small convolutional network on images of digits, after PyTorch's example `mnist`."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader

from tests.recorders.loops.images import images
from tests.recorders.loops.witness import Witness

EPOCHS, LOG_INTERVAL = 3, 2


class Net(nn.Module):
    """Two convolutions, two dropouts, two linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3)
        self.conv2 = nn.Conv2d(4, 8, 3)
        self.dropout1 = nn.Dropout(0.25)
        self.dropout2 = nn.Dropout(0.5)
        self.fc1 = nn.Linear(8 * 6 * 6, 16)
        self.fc2 = nn.Linear(16, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.conv2(F.relu(self.conv1(x))))
        x = torch.flatten(self.dropout1(F.max_pool2d(x, 2)), 1)
        x = self.dropout2(F.relu(self.fc1(x)))
        return F.log_softmax(self.fc2(x), dim=1)


def main(watch: Callable[..., Any], witness: Witness) -> None:
    """Train for some epochs, with a test and a step of the scheduler after each."""
    torch.manual_seed(1)
    train_loader = DataLoader(images(100, 16), batch_size=16, shuffle=True)
    test_loader = DataLoader(images(40, 16, seed=1), batch_size=20)
    model = Net()
    optimizer = torch.optim.Adadelta(model.parameters(), lr=1.0)
    scheduler = StepLR(optimizer, step_size=1, gamma=0.7)
    recorder = watch(model, optimizer, "run")
    step = 0
    for _ in range(EPOCHS):
        model.train()
        for batch_index, (data, target) in enumerate(train_loader):
            optimizer.zero_grad()
            loss = F.nll_loss(model(data), target)
            loss.backward()
            witness.before_step(model.named_parameters(), step)
            optimizer.step()
            witness.loss(loss)
            step += 1
            if batch_index % LOG_INTERVAL == 0:
                recorder.log("loss", loss.item())
        test_loss, correct = test(model, test_loader)
        recorder.log("test/loss", test_loss)
        recorder.log("test/accuracy", correct)
        scheduler.step()
    torch.save(model.state_dict(), "mnist_cnn.pt")


def test(model: nn.Module, loader: DataLoader) -> tuple[float, float]:
    """Return the mean loss and the share of right answers."""
    model.eval()
    loss, correct = 0.0, 0
    with torch.no_grad():
        for data, target in loader:
            output = model(data)
            loss += F.nll_loss(output, target, reduction="sum").item()
            correct += output.argmax(dim=1, keepdim=True).eq(target.view(-1, 1)).sum().item()
    return loss / len(loader.dataset), correct / len(loader.dataset)
