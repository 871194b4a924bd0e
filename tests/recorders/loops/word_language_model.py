"""A recurrent language model, after PyTorch's example `word_language_model`.

The example updates its weights by hand; here `torch.optim.SGD` does the same.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from tests.recorders.loops.witness import Witness

TOKENS, WIDTH, LAYERS, BPTT, BATCH = 23, 12, 2, 7, 4
EPOCHS, RATE, CLIP, LOG_INTERVAL = 4, 20.0, 0.25, 3

Hidden = tuple[torch.Tensor, torch.Tensor]


class RNNModel(nn.Module):
    """Embedding, LSTM, and an output that shares the embedding's weights."""

    def __init__(self) -> None:
        super().__init__()
        self.drop = nn.Dropout(0.2)
        self.encoder = nn.Embedding(TOKENS, WIDTH)
        self.rnn = nn.LSTM(WIDTH, WIDTH, LAYERS, dropout=0.2)
        self.decoder = nn.Linear(WIDTH, TOKENS)
        self.decoder.weight = self.encoder.weight
        nn.init.uniform_(self.encoder.weight, -0.1, 0.1)

    def forward(self, tokens: torch.Tensor, hidden: Hidden) -> tuple[torch.Tensor, Hidden]:
        output, hidden = self.rnn(self.drop(self.encoder(tokens)), hidden)
        return self.decoder(self.drop(output)).view(-1, TOKENS), hidden

    def init_hidden(self) -> Hidden:
        return torch.zeros(LAYERS, BATCH, WIDTH), torch.zeros(LAYERS, BATCH, WIDTH)


def batches(text: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Cut columns of text into pieces, each with what comes next."""
    columns = text[: len(text) // BATCH * BATCH].view(BATCH, -1).t().contiguous()
    starts = range(0, len(columns) - 1, BPTT)
    ends = [min(start + BPTT, len(columns) - 1) for start in starts]
    return [
        (columns[start:end], columns[start + 1 : end + 1].reshape(-1))
        for start, end in zip(starts, ends, strict=True)
    ]


def evaluate(model: RNNModel, text: torch.Tensor) -> float:
    """Return the mean loss a piece."""
    model.eval()
    hidden, losses = model.init_hidden(), []
    with torch.no_grad():
        for data, targets in batches(text):
            output, hidden = model(data, hidden)
            losses.append(nn.functional.cross_entropy(output, targets).item())
    return sum(losses) / len(losses)


def main(watch: Callable[..., Any], witness: Witness) -> None:
    """Train; where the validation loss has not fallen, go on at a quarter of the rate."""
    torch.manual_seed(1111)
    text = torch.arange(260) * 5 % TOKENS
    valid = torch.randint(TOKENS, (90,))
    model = RNNModel()
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    recorder = watch(model, optimizer, "run")
    best, step = math.inf, 0
    for _ in range(EPOCHS):
        model.train()
        hidden, total = model.init_hidden(), 0.0
        for place, (data, targets) in enumerate(batches(text)):
            model.zero_grad()
            hidden = tuple(state.detach() for state in hidden)
            output, hidden = model(data, hidden)
            loss = nn.functional.cross_entropy(output, targets)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            witness.before_step(model.named_parameters(), step)
            optimizer.step()
            witness.loss(loss)
            step += 1
            total += loss.item()
            if place % LOG_INTERVAL == 0 and place > 0:
                recorder.log("loss", total / LOG_INTERVAL)
                recorder.log("perplexity", math.exp(total / LOG_INTERVAL))
                total = 0.0
        value = evaluate(model, valid)
        recorder.log("valid/loss", value)
        if value < best:
            torch.save(model, "model.pt")  # the module itself, with all that hangs on it
            best = value
        else:
            for group in optimizer.param_groups:
                group["lr"] /= 4
    model = torch.load("model.pt", weights_only=False)
    model.rnn.flatten_parameters()
    recorder.log("test/loss", evaluate(model, valid))
