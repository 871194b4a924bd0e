"""Which of a tokenizer's tokens are numbers, by the text that they add."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.runlog.errors import EpochordError

__all__ = ["DigitTokens", "NoDigitTokensError", "Numbers", "digit_tokens"]

NUMBER = re.compile(r"(?P<space> ?)(?P<digits>[0-9]+)", re.ASCII)
ANCHOR = "a"  # behind a letter, a token shows whether it begins with a space


class NoDigitTokensError(EpochordError):
    """A tokenizer has no tokens for numbers."""


@dataclass(frozen=True)
class Numbers:
    """Tokens of which all characters are digits, behind a space or without one.

    Parameters
    ----------
    tokens : np.ndarray [shape=(n,), int64]
        Ascending.
    digits : np.ndarray [shape=(n,), int8]
        The first digit of each, 0 to 9.
    single : np.ndarray [shape=(n,), bool]
        Whether there is no other digit in it.
    """

    tokens: npt.NDArray[np.int64]
    digits: npt.NDArray[np.int8]
    single: npt.NDArray[np.bool_]

    @property
    def complete(self) -> bool:
        """Whether each of the digits 1 to 9 begins one of them."""
        return set(self.digits.tolist()) >= set(range(1, 10))


@dataclass(frozen=True)
class DigitTokens:
    """The tokens with which a number can begin.

    Parameters
    ----------
    texts : mapping of int to str
        What each token adds behind other text; special ones are left out.

    Attributes
    ----------
    spaced, bare : Numbers
        Those that begin with a space, as GPT-2's do, and those that do not.
    spaces : list of int
        Tokens that are one space; behind them stands what is bare.
    """

    texts: dict[int, str]

    @cached_property
    def spaced(self) -> Numbers:  # noqa: D102
        return self._numbers(spaced=True)

    @cached_property
    def bare(self) -> Numbers:  # noqa: D102
        return self._numbers(spaced=False)

    @cached_property
    def spaces(self) -> list[int]:  # noqa: D102
        return [token for token, text in self.texts.items() if text == " "]

    def _numbers(self, *, spaced: bool) -> Numbers:
        found = ((token, NUMBER.fullmatch(text)) for token, text in self.texts.items())
        own = [(t, m["digits"]) for t, m in found if m and bool(m["space"]) is spaced]
        return Numbers(
            np.array([token for token, _ in own], np.int64),
            np.array([int(digits[0]) for _, digits in own], np.int8),
            np.array([len(digits) == 1 for _, digits in own], bool),
        )


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
    found = DigitTokens(dict(_texts(tokenizer)))
    if not found.spaced.complete and not (found.spaces and found.bare.complete):
        raise NoDigitTokensError(
            "the tokenizer has no tokens for the digits 1 to 9 behind a space; its numbers cannot "
            "be told apart"
        )
    return found


def _texts(tokenizer: Any) -> Sequence[tuple[int, str]]:
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
