"""Which of a tokenizer's tokens are numbers, by the text that they add."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.runlog.errors import EpochordError

__all__ = ["DigitTokens", "NoDigitTokensError", "digit_tokens"]

NUMBER = re.compile(r"(?P<space> ?)(?P<digits>[0-9]+)", re.ASCII)
ANCHOR = "a"  # behind a letter, a token shows whether it begins with a space


class NoDigitTokensError(EpochordError):
    """A tokenizer has no tokens for numbers."""


@dataclass(frozen=True)
class DigitTokens:
    """The tokens with which a number can begin.

    Parameters
    ----------
    spaced : bool
        Whether they begin with a space, as GPT-2's do.  Where they do not, the
        prompt has to end with one.
    numbers : np.ndarray [shape=(n,), int64]
        Tokens of which all characters are digits, the first of them 1 to 9.
    digits : np.ndarray [shape=(n,), int8]
        The first digit of each.
    single : np.ndarray [shape=(n,), bool]
        Whether there is no other digit in it.
    zeros : np.ndarray [int64]
        Tokens of digits that begin with 0.
    others : np.ndarray [int64]
        Numbers without the space that the others have.
    """

    spaced: bool
    numbers: npt.NDArray[np.int64]
    digits: npt.NDArray[np.int8]
    single: npt.NDArray[np.bool_]
    zeros: npt.NDArray[np.int64]
    others: npt.NDArray[np.int64]


def digit_tokens(tokenizer: Any) -> DigitTokens:
    """Find the tokens of a tokenizer that are numbers.

    Parameters
    ----------
    tokenizer : transformers.PreTrainedTokenizerBase
        Any.

    Raises
    ------
    NoDigitTokensError
        If a first digit has no token.
    """
    found: dict[bool, list[tuple[int, str]]] = {True: [], False: []}
    for token, text in _texts(tokenizer):
        if match := NUMBER.fullmatch(text):
            found[bool(match["space"])].append((token, match["digits"]))
    spaced = _complete(found[True])
    if not spaced and not _complete(found[False]):
        raise NoDigitTokensError(
            "the tokenizer has no tokens for the digits 1 to 9; its numbers cannot be told apart"
        )
    numbers = [(token, digits) for token, digits in found[spaced] if digits[0] != "0"]
    return DigitTokens(
        spaced=spaced,
        numbers=np.array([token for token, _ in numbers], np.int64),
        digits=np.array([int(digits[0]) for _, digits in numbers], np.int8),
        single=np.array([len(digits) == 1 for _, digits in numbers], bool),
        zeros=np.array([token for token, d in found[spaced] if d[0] == "0"], np.int64),
        others=np.array([t for t, d in found[False] if spaced and d[0] != "0"], np.int64),
    )


def _complete(found: list[tuple[int, str]]) -> bool:
    return {digits for _, digits in found} >= set("123456789")


def _texts(tokenizer: Any) -> list[tuple[int, str]]:
    """Return each token with the text that it adds behind a letter."""
    anchors = tokenizer.encode(ANCHOR, add_special_tokens=False)
    if not anchors:
        raise NoDigitTokensError(
            f"the tokenizer makes no token of {ANCHOR!r}; are its files beside the model?"
        )
    special = set(tokenizer.all_special_ids)
    tokens = [token for token in sorted(tokenizer.get_vocab().values()) if token not in special]
    options = {"clean_up_tokenization_spaces": False, "skip_special_tokens": False}
    before = len(tokenizer.decode(anchors[-1:], **options))
    texts = tokenizer.batch_decode([[anchors[-1], token] for token in tokens], **options)
    return [(token, text[before:]) for token, text in zip(tokens, texts, strict=True)]
