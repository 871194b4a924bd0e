"""Record which first digit a language model expects of the number that comes next.

After Christian Perone, "Benford law on GPT-2" (2019), with what that picture hides:
the vocabulary's own skew, which uniform logits and untrained models show.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from epochord.recorders.continuations import (
    BATCH,
    Floats,
    Logits,
    PromptError,
    Rows,
    expected_numbers,
    logits_of,
    rows_of,
)
from epochord.recorders.digit_tokens import DigitTokens, digit_tokens
from epochord.recorders.recorder import versions
from epochord.recorders.whole_numbers import behind_zeros
from epochord.runlog.arrow import arrow_array, texts
from epochord.runlog.errors import EpochordError, described
from epochord.runlog.run.metadata import RunMetadata
from epochord.runlog.run.run import STEP, WALL_TIME
from epochord.runlog.writing.start import RunLog

__all__ = [
    "BASELINES",
    "ESTIMATORS",
    "PromptError",
    "VocabularyError",
    "expected_digits",
    "record_first_digits",
]

TABLE = "first_digits"
BASELINES = ("uniform", "random")
RANDOM_SEEDS = (0, 1, 2)
ESTIMATORS = ("sum", "single", "whole")

Progress = Callable[[int], None]


class VocabularyError(EpochordError):
    """A tokenizer has tokens that its model does not know."""


def record_first_digits(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[str],
    directory: str | Path,
    *,
    name: str,
    baselines: Sequence[str] = BASELINES,
    follow: Sequence[str] = (),
    hyperparameters: dict[str, Any] | None = None,
    overwrite: bool = False,
    consume: bool = False,
    progress: Progress | None = None,
) -> None:
    """Record the first digits that a model expects, beside its baselines.

    The table ``first_digits`` gets one row a model, prompt, estimator and digit: step (0),
    wall_time, model, prompt, estimator, digit, probability, log_probability, mass,
    zero_mass, no_space_mass.  `mass` is the probability that the text goes on with a number, as
    `continuations` has it, `zero_mass` that with one that begins with 0, `no_space_mass` that
    with digits right behind a prompt that none are expected behind.  Of the estimators, `sum`
    is exact: all numbers count for the digit that they begin with; `single` looks at
    single-digit tokens only; `whole` follows numbers that begin with 0 to a digit that is none.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        A causal language model; it is put into eval mode.
    tokenizer : transformers.PreTrainedTokenizerBase
        Its tokenizer.
    prompts : sequence of str
        What stands before the number; equal ones count once.
    directory : path-like
        The run's directory.
    name : str
        What the model is called.
    baselines : sequence of {"uniform", "random"}
        All tokens alike, which shows the vocabulary's skew; and the same network, not
        trained, with three seeds.
    follow : sequence of str
        Beginnings of numbers that are followed as well, such as ``" $"`` or ``" about"``.
    hyperparameters : dict, optional
        Noted in `run.json`.
    overwrite : bool
        Remove a log that is there already, once model and prompts have been found usable.
    consume : bool
        Let go of the model's weights once they are not needed, so that the untrained ones have
        their memory: the model cannot be used afterwards.
    progress : callable, optional
        Called with the number of models done.

    Raises
    ------
    PromptError
        If a prompt is empty, or longer than the model's context.
    NoDigitTokensError
        If the tokenizer has no tokens for digits.
    VocabularyError
        If the tokenizer is another model's.
    RunExistsError, OutputError
        As of all recorders.
    """
    prompts = list(dict.fromkeys(prompts))
    tokens = digit_tokens(tokenizer)
    rows = rows_of(tokenizer, tokens, prompts, follow=follow, context=_context(model))
    _check(model, tokens, rows)
    path = Path(directory)
    metadata = RunMetadata(
        name=path.resolve().name,
        hyperparameters={
            "model": name,
            "prompts": len(prompts),
            "digit_tokens": len(tokens.spaced.tokens) + len(tokens.bare.tokens),
            "followed": list(follow),
            **(hyperparameters or {}),
        },
        versions={**versions(), "transformers": version("transformers")},
    )
    log = RunLog(path, metadata, format="parquet", overwrite=overwrite, resumable=False)
    try:
        tables: list[pa.Table] = []
        for called, logits in _models(model, name, baselines, consume=consume):
            tables.append(_table(called, prompts, _digits(logits, rows, tokens)))
            del logits  # an untrained network, perhaps, before the next one is made
            if progress:
                progress(len(tables))
        log.writer.submit(partial(pa.concat_tables, tables), TABLE, steps=(0, 0))
    except BaseException as error:
        log.close(0, error=described(error))
        raise
    log.close(1)


def expected_digits(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[str],
    *,
    follow: Sequence[str] = (),
    batch: int = BATCH,
) -> dict[str, Floats]:
    """Return the probabilities of first digits behind prompts, by estimator.

    Parameters
    ----------
    model, tokenizer, prompts, follow
        See `record_first_digits`.
    batch : int
        Texts at a time; the result does not depend on it, up to rounding.

    Returns
    -------
    dict of str to np.ndarray [shape=(prompts, 9)]
        Each row has the sum 1.
    """
    tokens = digit_tokens(tokenizer)
    rows = rows_of(tokenizer, tokens, prompts, follow=follow, context=_context(model))
    model.eval()
    return _digits(partial(logits_of, model), rows, tokens, batch=batch).shares


@dataclass(frozen=True)
class _Digits:
    """What a model expects of prompts: by estimator its digits, and its masses.

    Attributes
    ----------
    shares : dict of str to np.ndarray [shape=(prompts, 9)]
        With sum 1.
    mass, zero_mass, no_space_mass : np.ndarray [shape=(prompts,)]
        See `record_first_digits`.
    """

    shares: dict[str, Floats]
    mass: Floats
    zero_mass: Floats
    no_space_mass: Floats


def _digits(logits: Logits, rows: Rows, tokens: DigitTokens, *, batch: int = BATCH) -> _Digits:
    found = expected_numbers(logits, rows, tokens, batch=batch)
    whole = found.sums + behind_zeros(logits, rows, tokens)
    sums = dict(zip(ESTIMATORS, (found.sums, found.single, whole), strict=True))
    with np.errstate(invalid="ignore"):
        shares = {name: s[:, 1:] / s[:, 1:].sum(1, keepdims=True) for name, s in sums.items()}
    return _Digits(shares, found.sums.sum(1), found.sums[:, 0], found.glued)


def _context(model: Any) -> int | None:
    return getattr(model.config, "max_position_embeddings", None)


def _check(model: Any, tokens: DigitTokens, rows: Rows) -> None:
    """Refuse a tokenizer whose tokens go beyond the model's vocabulary."""
    used = [tokens.spaced.tokens, tokens.bare.tokens, *(np.array(row.ids) for row in rows)]
    highest = max(int(each.max(initial=0)) for each in used)
    vocabulary = _vocabulary(model)
    if highest >= vocabulary:
        raise VocabularyError(
            f"the tokenizer has a token {highest}, the model knows {vocabulary} tokens; expected "
            "the model's own tokenizer"
        )


def _vocabulary(model: Any) -> int:
    return int(model.get_output_embeddings().weight.shape[0])


def _models(
    model: Any, name: str, baselines: Sequence[str], *, consume: bool
) -> Iterator[tuple[str, Logits]]:
    """Yield the model and its baselines, each with what gives its logits."""
    vocabulary, device = _vocabulary(model), model.device
    yield name, partial(logits_of, model.eval())
    if consume:
        model.to("meta")
    if "uniform" in baselines:
        yield (
            "uniform",
            lambda texts, starts: [
                torch.zeros(len(text) - start, vocabulary)
                for text, start in zip(texts, starts, strict=True)
            ],
        )
    if "random" in baselines:
        for seed in RANDOM_SEEDS:
            with torch.random.fork_rng():
                torch.manual_seed(seed)
                untrained = type(model)(model.config).to(device).eval()
            yield f"random-{seed}", partial(logits_of, untrained)
            del untrained


def _table(model: str, prompts: Sequence[str], expected: _Digits) -> pa.Table:
    count = len(prompts) * len(ESTIMATORS) * 9
    each = np.stack([expected.shares[name] for name in ESTIMATORS], axis=1)  # prompt, estimator, 9

    def repeated(values: Floats) -> pa.Array:
        return arrow_array(np.repeat(values, len(ESTIMATORS) * 9))

    with np.errstate(divide="ignore"):
        logarithm = np.log(each)
    return pa.table(
        {
            STEP: arrow_array(np.zeros(count, np.int64)),
            WALL_TIME: arrow_array(np.full(count, time.time())),
            "model": texts([model] * count),
            "prompt": texts([prompt for prompt in prompts for _ in range(len(ESTIMATORS) * 9)]),
            "estimator": texts([name for _ in prompts for name in ESTIMATORS for _ in range(9)]),
            "digit": arrow_array(np.tile(np.arange(1, 10, dtype=np.int8), count // 9)),
            "probability": arrow_array(each.ravel()),
            "log_probability": arrow_array(logarithm.ravel()),
            "mass": repeated(expected.mass),
            "zero_mass": repeated(expected.zero_mass),
            "no_space_mass": repeated(expected.no_space_mass),
        }
    )
