"""With what probability a language model goes on with a number, whatever its tokens are.

A number is digits behind a space, in one token (" 12") or in two (" ", "12"), so that it
means the same for all tokenizers: P(" 12") + P(" ") · P("12" | " ").  Behind a currency, a
sign, a decimal point or an opening bracket, with which a prompt ends or a beginning that is
followed, digits count without a space, too.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from epochord.recorders.digit_tokens import DigitTokens, Numbers
from epochord.runlog.errors import EpochordError

__all__ = ["Expected", "Logits", "PromptError", "Rows", "expected_numbers", "logits_of", "rows_of"]

GLUED = "$€£¥₹#+-−±~≈.("  # digits stand right behind these
BATCH = 16  # texts at a time

Floats = npt.NDArray[np.float64]


class PromptError(EpochordError):
    """A prompt cannot be used."""


@dataclass(frozen=True)
class _Row:
    """One way to a number: a prompt, a beginning of what follows, and a space.

    Attributes
    ----------
    prompt : int
        Its number.
    ids : list of int
        All tokens.
    start : int
        How many of them are the prompt's.
    end : int
        How many come before the space, if there is one.
    glued : bool
        Whether digits may follow without it.
    first : bool
        Whether no other row tells what follows without this one's space.
    """

    prompt: int
    ids: list[int]
    start: int
    end: int
    glued: bool
    first: bool


Rows = list[_Row]
Logits = Callable[[Sequence[list[int]], Sequence[int]], list[torch.Tensor]]
"""Of texts in tokens, and from which on each: logits of the next token [shape=(tokens, all)]."""


@dataclass(frozen=True)
class Expected:
    """What a model expects behind some prompts.

    Attributes
    ----------
    sums, single : np.ndarray [shape=(prompts, 10)]
        Probability of numbers by their first digit: in whatever tokens, and of those whose first
        token is a single digit.
    glued : np.ndarray [shape=(prompts,)]
        Probability of digits right behind a prompt where they are not counted.
    """

    sums: Floats
    single: Floats
    glued: Floats


def rows_of(
    tokenizer: Any,
    tokens: DigitTokens,
    prompts: Sequence[str],
    *,
    follow: Sequence[str] = (),
    context: int | None = None,
) -> Rows:
    """Turn prompts into tokens, one row a way to a number.

    Parameters
    ----------
    tokenizer : transformers.PreTrainedTokenizerBase
        The model's.
    tokens : DigitTokens
        Its numbers.
    prompts : sequence of str
        What stands before the number; blanks at their ends do not count.
    follow : sequence of str
        Beginnings that are followed too, such as ``" $"`` or ``" about"``; equal ones count once.
    context : int, optional
        How many tokens the model can read.

    Raises
    ------
    PromptError
        If there is none, one is empty, or longer than the context.
    """
    if not prompts:
        raise PromptError("no prompt; expected one or more")
    rows = []
    for number, prompt in enumerate(prompts):
        text = prompt.rstrip()
        if not text:
            raise PromptError("a prompt is empty; expected words before a number")
        ids = _encoded(tokenizer, text)
        for beginning in dict.fromkeys(("", *follow)):
            whole = ids + _behind(tokenizer, text, ids, beginning)
            if context is not None and len(whole) >= context:
                raise PromptError(
                    f"the prompt {text[:40]!r}… has {len(whole)} tokens; the model's context has "
                    f"{context}, one of which the number needs"
                )
            glued = (text + beginning)[-1] in GLUED
            rows += [
                _Row(number, [*whole, *space], len(ids), len(whole), glued, not place)
                for place, space in enumerate([[one] for one in tokens.spaces] or [[]])
            ]
    return rows


def expected_numbers(
    logits_of: Logits, rows: Rows, tokens: DigitTokens, *, batch: int = BATCH
) -> Expected:
    """Sum the probabilities of numbers.

    Parameters
    ----------
    logits_of : callable
        The model (see `logits_of`).
    rows : list
        Of `rows_of`.
    tokens : DigitTokens
        The numbers.
    batch : int
        Texts at a time; the result does not depend on it, up to rounding.
    """
    prompts = 1 + max(row.prompt for row in rows)
    sums, single, glued = np.zeros((prompts, 10)), np.zeros((prompts, 10)), np.zeros(prompts)
    for part in (rows[start : start + batch] for start in range(0, len(rows), batch)):
        found = logits_of([row.ids for row in part], [row.start - 1 for row in part])
        for row, logits in zip(part, found, strict=True):
            for way, numbers, chance in _ways(row, torch.log_softmax(logits.double(), 1), tokens):
                every, alone = _by_digit(chance, numbers)
                if way == "aside":
                    glued[row.prompt] += every[1:].sum()
                else:
                    sums[row.prompt] += every
                    single[row.prompt] += alone
    return Expected(sums, single, glued)


def _ways(
    row: _Row, logarithms: torch.Tensor, tokens: DigitTokens
) -> Iterator[tuple[str, Numbers, Floats]]:
    """Yield the numbers that a row leads to, with their probabilities, and whether they count."""
    steps = row.end - row.start
    chosen = torch.tensor(row.ids[row.start :], dtype=torch.long)
    along = logarithms[torch.arange(len(chosen)), chosen].cumsum(0)
    before = float(along[steps - 1]) if steps else 0.0
    if row.first:
        yield "counts", tokens.spaced, _chances(logarithms[steps] + before, tokens.spaced)
        if row.glued or not steps:
            counts = "counts" if row.glued else "aside"
            yield counts, tokens.bare, _chances(logarithms[steps] + before, tokens.bare)
    if len(row.ids) > row.end:
        behind = logarithms[steps + 1] + float(along[steps])
        yield "counts", tokens.bare, _chances(behind, tokens.bare)


def _chances(logarithms: torch.Tensor, numbers: Numbers) -> Floats:
    chances: Floats = np.exp(logarithms[torch.from_numpy(numbers.tokens)].numpy())
    return chances


def _by_digit(chance: Floats, numbers: Numbers) -> tuple[Floats, Floats]:
    """Sum by first digit: all, and single digits alone."""
    belongs = (numbers.digits[:, None] == np.arange(10)).astype(np.float64)
    return chance @ belongs, (chance * numbers.single) @ belongs


def _encoded(tokenizer: Any, text: str) -> list[int]:
    ids: list[int] = tokenizer.encode(text)
    while ids and ids[-1] in (tokenizer.eos_token_id, tokenizer.sep_token_id):  # some end texts
        ids.pop()
    return ids


def _behind(tokenizer: Any, text: str, ids: list[int], beginning: str) -> list[int]:
    """Return the tokens of a beginning behind a text."""
    if not beginning:
        return []
    both = _encoded(tokenizer, text + beginning)
    if both[: len(ids)] == ids:
        return both[len(ids) :]
    alone: list[int] = tokenizer.encode(beginning, add_special_tokens=False)
    return alone


@torch.no_grad()
def logits_of(model: Any, texts: Sequence[list[int]], starts: Sequence[int]) -> list[torch.Tensor]:
    """Return a model's logits behind each token of texts, from some token on.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        A causal language model.
    texts : sequence of list of int
        Their tokens.
    starts : sequence of int
        The first token of each whose follower is asked for.

    Returns
    -------
    list of torch.Tensor [shape=(tokens, vocabulary)]
        On the host, in float32 at least.

    Notes
    -----
    Padding at the right leaves the positions of all tokens as they are; at the left it
    would shift them, unless told.
    """
    ids = torch.zeros(len(texts), max(map(len, texts)), dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = torch.tensor(text)
        mask[row, : len(text)] = 1
    out = model(input_ids=ids.to(model.device), attention_mask=mask.to(model.device)).logits
    wide = torch.promote_types(out.dtype, torch.float32)
    return [
        out[row, start : len(text)].to("cpu", wide)
        for row, (text, start) in enumerate(zip(texts, starts, strict=True))
    ]
