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
import numpy.typing as npt
import pyarrow as pa
import torch

from epochord.recorders.digit_tokens import DigitTokens, digit_tokens
from epochord.recorders.recorder import versions
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
ESTIMATORS = ("sum", "single")
BATCH = 16  # prompts at a time

Floats = npt.NDArray[np.float64]
Progress = Callable[[int], None]


class PromptError(EpochordError):
    """A prompt cannot be used."""


class VocabularyError(EpochordError):
    """A tokenizer has tokens that its model does not know."""


@dataclass(frozen=True)
class _Expected:
    """What one model expects behind some prompts.

    Attributes
    ----------
    digits : dict of str to np.ndarray [shape=(prompts, 9)]
        By estimator: probabilities of the first digits, with sum 1.
    mass, zero_mass, no_space_mass : np.ndarray [shape=(prompts,)]
        Probability of any number, of one that begins with 0, of one without a space.
    """

    digits: dict[str, Floats]
    mass: Floats
    zero_mass: Floats
    no_space_mass: Floats


def record_first_digits(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[str],
    directory: str | Path,
    *,
    name: str,
    baselines: Sequence[str] = BASELINES,
    hyperparameters: dict[str, Any] | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> None:
    """Record the first digits that a model expects, beside its baselines.

    The table ``first_digits`` gets one row a model, prompt, estimator and digit: step (0),
    wall_time, model, prompt, estimator, digit, probability, log_probability, mass,
    zero_mass, no_space_mass.  Of the estimators, `sum` is exact: all tokens that are numbers
    count for the digit that they begin with; `single` looks at single-digit tokens only.

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
    hyperparameters : dict, optional
        Noted in `run.json`.
    overwrite : bool
        Remove a log that is there already, once model and prompts have been found usable.
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
    batches = list(_batches(tokenizer, prompts, tokens.spaced, _context(model)))
    _check(model, tokens, batches)
    path = Path(directory)
    metadata = RunMetadata(
        name=path.resolve().name,
        hyperparameters={
            "model": name,
            "prompts": len(prompts),
            "digit_tokens": len(tokens.numbers),
            "leading_space": tokens.spaced,
            **(hyperparameters or {}),
        },
        versions={**versions(), "transformers": version("transformers")},
    )
    log = RunLog(path, metadata, format="parquet", overwrite=overwrite, resumable=False)
    try:
        rows = []
        for called, logits_of in _models(model, name, baselines):
            expected = _joined([_expected(logits_of(batch), tokens) for batch in batches])
            rows.append(_rows(called, prompts, expected))
            if progress:
                progress(len(rows))
        log.writer.submit(partial(pa.concat_tables, rows), TABLE, steps=(0, 0))
    except BaseException as error:
        log.close(0, error=described(error))
        raise
    log.close(1)


def expected_digits(
    model: Any, tokenizer: Any, prompts: Sequence[str], *, batch: int = BATCH
) -> dict[str, Floats]:
    """Return the probabilities of first digits behind prompts, by estimator.

    Parameters
    ----------
    model, tokenizer, prompts
        See `record_first_digits`.
    batch : int
        Prompts at a time; the result does not depend on it, up to rounding.

    Returns
    -------
    dict of str to np.ndarray [shape=(prompts, 9)]
        Each row has the sum 1.
    """
    tokens = digit_tokens(tokenizer)
    batches = _batches(tokenizer, prompts, tokens.spaced, _context(model), batch)
    model.eval()
    return _joined([_expected(_last_logits(model, each), tokens) for each in batches]).digits


@dataclass(frozen=True)
class _Batch:
    """Prompts as tokens, padded at the right [shape=(prompts, longest)]."""

    ids: torch.Tensor
    mask: torch.Tensor


def _batches(
    tokenizer: Any, prompts: Sequence[str], spaced: bool, context: int | None, size: int = BATCH
) -> Iterator[_Batch]:
    """Yield the prompts in batches; where numbers have no space of their own, with one behind."""
    encoded = [_encoded(tokenizer, prompt, spaced, context) for prompt in prompts]
    if not encoded:
        raise PromptError("no prompt; expected one or more")
    for start in range(0, len(encoded), size):
        part = encoded[start : start + size]
        ids = torch.zeros(len(part), max(map(len, part)), dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, prompt in enumerate(part):
            ids[row, : len(prompt)] = torch.tensor(prompt)
            mask[row, : len(prompt)] = 1
        yield _Batch(ids, mask)


def _encoded(tokenizer: Any, prompt: str, spaced: bool, context: int | None) -> list[int]:
    text = prompt.rstrip()
    if not text:
        raise PromptError("a prompt is empty; expected words before a number")
    ids: list[int] = tokenizer.encode(text if spaced else f"{text} ")
    while ids and ids[-1] in (tokenizer.eos_token_id, tokenizer.sep_token_id):  # some end texts
        ids.pop()
    if context is not None and len(ids) > context:
        raise PromptError(
            f"the prompt {text[:40]!r}… has {len(ids)} tokens; the model's context has {context}"
        )
    return ids


def _context(model: Any) -> int | None:
    return getattr(model.config, "max_position_embeddings", None)


def _check(model: Any, tokens: DigitTokens, batches: Sequence[_Batch]) -> None:
    """Refuse a tokenizer whose tokens go beyond the model's vocabulary."""
    used = [tokens.numbers, tokens.zeros, tokens.others, *(batch.ids.numpy() for batch in batches)]
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
    model: Any, name: str, baselines: Sequence[str]
) -> Iterator[tuple[str, Callable[[_Batch], torch.Tensor]]]:
    """Yield the model and its baselines, each with what gives its logits."""
    model.eval()
    yield name, partial(_last_logits, model)
    if "uniform" in baselines:
        vocabulary = _vocabulary(model)
        yield "uniform", lambda batch: torch.zeros(len(batch.ids), vocabulary)
    if "random" in baselines:
        for seed in RANDOM_SEEDS:
            with torch.random.fork_rng():
                torch.manual_seed(seed)
                untrained = type(model)(model.config).to(model.device).eval()
            yield f"random-{seed}", partial(_last_logits, untrained)


@torch.no_grad()
def _last_logits(model: Any, batch: _Batch) -> torch.Tensor:
    """Return the logits behind each prompt's last token [shape=(prompts, vocabulary), float32].

    Padding at the right leaves the positions of all tokens as they are; at the left it
    would shift them, unless told.
    """
    device = model.device
    out = model(input_ids=batch.ids.to(device), attention_mask=batch.mask.to(device))
    last = batch.mask.sum(dim=1).to(device) - 1
    logits: torch.Tensor = out.logits[torch.arange(len(last), device=device), last]
    return logits.float().cpu()


def _expected(logits: torch.Tensor, tokens: DigitTokens) -> _Expected:
    probability = torch.softmax(logits.double(), dim=1).numpy()
    numbers = probability[:, tokens.numbers]
    return _Expected(
        digits={
            "sum": _by_digit(numbers, tokens.digits),
            "single": _by_digit(numbers[:, tokens.single], tokens.digits[tokens.single]),
        },
        mass=numbers.sum(axis=1),
        zero_mass=probability[:, tokens.zeros].sum(axis=1),
        no_space_mass=probability[:, tokens.others].sum(axis=1),
    )


def _by_digit(probability: Floats, digits: npt.NDArray[np.int8]) -> Floats:
    sums = probability @ (digits[:, None] == np.arange(1, 10)).astype(np.float64)
    with np.errstate(invalid="ignore"):
        return np.asarray(sums / sums.sum(axis=1, keepdims=True), np.float64)


def _joined(parts: Sequence[_Expected]) -> _Expected:
    return _Expected(
        {each: np.concatenate([p.digits[each] for p in parts]) for each in ESTIMATORS},
        np.concatenate([p.mass for p in parts]),
        np.concatenate([p.zero_mass for p in parts]),
        np.concatenate([p.no_space_mass for p in parts]),
    )


def _rows(model: str, prompts: Sequence[str], expected: _Expected) -> pa.Table:
    count = len(prompts) * len(ESTIMATORS) * 9
    each = np.stack([expected.digits[name] for name in ESTIMATORS], axis=1)  # prompt, estimator, 9

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
