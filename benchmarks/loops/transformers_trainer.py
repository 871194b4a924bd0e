"""A transformers Trainer with a callback that watches, and logs whatever the Trainer logs."""

from collections.abc import Callable
from typing import Any

import torch
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainerCallback, TrainingArguments

from tests.recorders.loops.witness import Witness

TOKENS, LENGTH = 31, 12


class Recording(TrainerCallback):
    """Logs all numbers, also those at the very end."""

    def __init__(self, watch: Callable[..., Any], witness: Witness) -> None:
        self.watch, self.witness, self.row = watch, witness, 0

    def on_train_begin(self, *_, model, optimizer, **__) -> None:
        self.recorder = self.watch(model, optimizer, "run")

    def on_pre_optimizer_step(self, *_, model, **__) -> None:
        self.witness.before_step(model.named_parameters(), self.row)
        self.row += 1

    def on_log(self, *_, logs, **__) -> None:
        for name, value in logs.items():
            self.recorder.log(name, value)
        if "loss" in logs:
            self.witness.loss(logs["loss"])


def main(watch: Callable[..., Any], witness: Witness) -> None:
    """Train a tiny GPT-2 with accumulation, clipping, evaluation and checkpoints."""
    torch.manual_seed(1)
    config = GPT2Config(vocab_size=TOKENS, n_positions=LENGTH, n_embd=16, n_layer=2, n_head=2)
    texts = torch.randint(TOKENS, (48, LENGTH))
    data = [{"input_ids": text, "labels": text} for text in texts]
    arguments = TrainingArguments(
        output_dir="out",
        max_steps=9,
        per_device_train_batch_size=4,
        gradient_accumulation_steps=2,
        learning_rate=1e-2,
        warmup_steps=2,
        logging_steps=2,
        eval_strategy="steps",
        eval_steps=4,
        save_steps=4,
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
        seed=1,
    )
    trainer = Trainer(
        GPT2LMHeadModel(config),
        arguments,
        train_dataset=data[:40],
        eval_dataset=data[40:],
        callbacks=[Recording(watch, witness)],
    )
    trainer.train()
    trainer.evaluate()  # logs once more, after the end
