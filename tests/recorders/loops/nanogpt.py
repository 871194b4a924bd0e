"""A small GPT on random text, after nanoGPT's `train.py`: accumulation, clipping, evaluation."""

import math
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from tests.recorders.loops.witness import Witness

TOKENS, BLOCK, WIDTH, HEADS, LAYERS, DROPOUT = 31, 16, 16, 2, 2, 0.1
BATCH, MICRO_STEPS, MAX_ITERS = 4, 3, 12
EVAL_INTERVAL, EVAL_ITERS, LOG_INTERVAL = 4, 2, 3
LEARNING_RATE, MIN_RATE, WARMUP, CLIP = 1e-2, 1e-3, 3, 1.0


class Attention(nn.Module):
    """Causal attention of several heads."""

    def __init__(self) -> None:
        super().__init__()
        self.c_attn = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.c_proj = nn.Linear(WIDTH, WIDTH, bias=False)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        q, k, v = (
            part.view(*x.shape[:2], HEADS, -1).transpose(1, 2)
            for part in self.c_attn(x).split(WIDTH, dim=2)
        )
        dropout = DROPOUT if self.training else 0.0
        y = F.scaled_dot_product_attention(q, k, v, dropout_p=dropout, is_causal=True)
        return self.dropout(self.c_proj(y.transpose(1, 2).reshape(x.shape)))


class Block(nn.Module):
    """Attention and a network of two layers, both added to what comes in."""

    def __init__(self) -> None:
        super().__init__()
        self.ln_1, self.ln_2 = (nn.LayerNorm(WIDTH, bias=False) for _ in range(2))
        self.attn = Attention()
        self.mlp = nn.Sequential(
            nn.Linear(WIDTH, 4 * WIDTH, bias=False),
            nn.GELU(),
            nn.Linear(4 * WIDTH, WIDTH, bias=False),
            nn.Dropout(DROPOUT),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Module):
    """Embedding and output share their weights."""

    def __init__(self) -> None:
        super().__init__()
        self.wte, self.wpe = nn.Embedding(TOKENS, WIDTH), nn.Embedding(BLOCK, WIDTH)
        self.h = nn.ModuleList(Block() for _ in range(LAYERS))
        self.ln_f = nn.LayerNorm(WIDTH, bias=False)
        self.lm_head = nn.Linear(WIDTH, TOKENS, bias=False)
        self.wte.weight = self.lm_head.weight
        nn.init.normal_(self.wte.weight, 0.0, 0.02)

    def forward(self, tokens: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        x = self.wte(tokens) + self.wpe(torch.arange(tokens.shape[1]))
        for block in self.h:
            x = block(x)
        logits = self.lm_head(self.ln_f(x))
        return F.cross_entropy(logits.view(-1, TOKENS), targets.reshape(-1))

    def configure_optimizer(self) -> torch.optim.Optimizer:
        """Decay matrices only."""
        parameters = list(self.parameters())
        groups = [
            {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": 0.1},
            {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(groups, lr=LEARNING_RATE, betas=(0.9, 0.95))


def batch(text: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw pieces of text, and the same a character later."""
    starts = torch.randint(len(text) - BLOCK, (BATCH,)).tolist()
    pieces = torch.stack([text[start : start + BLOCK + 1] for start in starts])
    return pieces[:, :-1], pieces[:, 1:]


def rate_at(iteration: int) -> float:
    """Rise in a line, then fall as a cosine does."""
    if iteration < WARMUP:
        return LEARNING_RATE * (iteration + 1) / (WARMUP + 1)
    share = (iteration - WARMUP) / (MAX_ITERS - WARMUP)
    return MIN_RATE + 0.5 * (1 + math.cos(math.pi * share)) * (LEARNING_RATE - MIN_RATE)


@torch.no_grad()
def estimate(model: GPT, texts: dict[str, torch.Tensor], context: Any) -> dict[str, torch.Tensor]:
    """Return the mean loss on a few batches of each text."""
    model.eval()
    losses = {}
    for name, text in texts.items():
        some = torch.zeros(EVAL_ITERS)
        for place in range(EVAL_ITERS):
            with context:
                some[place] = model(*batch(text)).item()
        losses[name] = some.mean()
    model.train()
    return losses


def main(watch: Callable[..., Any], witness: Witness) -> None:
    """Train as on a CPU: in float32, and the scaler is there but does nothing."""
    train(watch, witness, half=False)


def train(watch: Callable[..., Any], witness: Witness, *, half: bool) -> None:
    """Train; in float16 with a scaler whose first steps are skipped."""
    torch.manual_seed(1337)
    text = torch.arange(2000) * 7 % 13 + torch.randint(0, 18, (2000,))
    texts = {"train": text[:1600], "val": text[1600:]}
    context = torch.autocast("cpu", torch.float16) if half else nullcontext()
    model = GPT()
    scaler = torch.amp.GradScaler("cpu", enabled=half, init_scale=2.0**22)
    optimizer = model.configure_optimizer()
    recorder = watch(model, optimizer, "run")
    inputs, targets = batch(texts["train"])
    best, iteration, row = math.inf, 0, 0
    while True:
        rate = rate_at(iteration)
        for group in optimizer.param_groups:
            group["lr"] = rate
        if iteration % EVAL_INTERVAL == 0:
            losses = estimate(model, texts, context)
            for name, value in losses.items():
                recorder.log(f"{name}/loss", value)
            recorder.log("lr", rate)
            if losses["val"] < best:
                best = losses["val"]
                state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
                torch.save(state, "ckpt.pt")
        for _ in range(MICRO_STEPS):
            with context:
                loss = model(inputs, targets) / MICRO_STEPS
            inputs, targets = batch(texts["train"])
            scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        norm = nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        if norm.isfinite():  # else the scaler skips the step
            witness.before_step(model.named_parameters(), row)
            row += 1
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad(set_to_none=True)
        witness.loss(loss)
        if iteration % LOG_INTERVAL == 0:
            recorder.log("loss", loss.item() * MICRO_STEPS)
        iteration += 1
        if iteration > MAX_ITERS:
            break
    assert 0 < row < iteration if half else row == iteration
