"""The first digit of numbers that begin with 0: the tokens that follow tell it.

What has only zeros so far, such as " 0", " 0." and " 0.0", is followed, the likeliest first, for a
few tokens (a beam), and the probabilities of what it ends in are summed.
"""

import re
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from epochord.recorders.continuations import Floats, Logits, Rows
from epochord.recorders.digit_tokens import DigitTokens

__all__ = ["behind_zeros"]

TOKENS = 4  # of a number, at most
WIDTH = 8  # numbers of a prompt that are followed at a time
LEAST = 1e-4  # probability of what is followed at all

ZEROS = re.compile(r"0+(?:[.,]0*)?", re.ASCII)
ENDED = re.compile(r"0+(?:[.,]0*)?([1-9])", re.ASCII)
OPEN = 10  # beside the digits 1 to 9; 0 is what is no number any more


class _Path(NamedTuple):
    """A number that is followed: its probability, all tokens with the prompt's, its digits."""

    chance: float
    ids: list[int]
    number: str


def behind_zeros(logits_of: Logits, rows: Rows, tokens: DigitTokens) -> Floats:
    """Return the probability of numbers that begin with 0, by the first digit that is none.

    Parameters
    ----------
    logits_of : callable
        The model (see `continuations.logits_of`).
    rows : list
        Of `continuations.rows_of`; beginnings that are followed are passed over.
    tokens : DigitTokens
        The numbers, and what other tokens say.

    Returns
    -------
    np.ndarray [shape=(prompts, 10)]
        Nothing at 0: what has no other digit, or is too unlikely to be followed, is left out.
    """
    found = np.zeros((1 + max(row.prompt for row in rows), 11))
    for row in rows:
        if row.start == row.end and row.first:
            paths = _zeros(logits_of, row.ids[: row.start], tokens)
            for _ in range(TOKENS - 1):
                paths = _followed(logits_of, paths, tokens, found[row.prompt])
    found[:, 0] = 0.0
    return found[:, :OPEN]


def _zeros(logits_of: Logits, prompt: list[int], tokens: DigitTokens) -> list[_Path]:
    """Return the zeros that can follow a prompt, in one token or behind a space."""
    ways = [((), tokens.spaced), *(((space,), tokens.bare) for space in tokens.spaces)]
    texts = [[*prompt, *way] for way, _ in ways]
    paths = []
    for (way, numbers), text, logits in zip(
        ways, texts, logits_of(texts, [len(prompt) - 1] * len(texts)), strict=True
    ):
        chances = torch.softmax(logits.double(), 1).numpy()
        before = chances[0, way[0]] if way else 1.0
        paths += [
            _Path(float(before * chances[-1, token]), [*text, token], tokens.texts[token].strip())
            for token in numbers.tokens[numbers.digits == 0].tolist()
        ]
    return paths


def _followed(
    logits_of: Logits, paths: list[_Path], tokens: DigitTokens, found: Floats
) -> list[_Path]:
    """Add what has ended, follow the likeliest of the others for one token."""
    for path in paths:
        if ended := ENDED.match(path.number):  # such as " 05"
            found[int(ended[1])] += path.chance
    likely = [path for path in paths if path.chance >= LEAST and ZEROS.fullmatch(path.number)]
    likely = sorted(likely, reverse=True)[:WIDTH]
    longer: list[_Path] = []
    for path in likely:
        (logits,) = logits_of([path.ids], [len(path.ids) - 1])
        chances = path.chance * torch.softmax(logits[-1].double(), 0).numpy()
        places, kinds = _kinds(tokens, path.number, len(chances))
        found += np.bincount(kinds, np.where(kinds == OPEN, 0.0, chances[places]), 11)
        longer += [
            _Path(float(chances[place]), [*path.ids, place], path.number + tokens.texts[place])
            for place in places[kinds == OPEN].tolist()
        ]
    return longer


def _kinds(
    tokens: DigitTokens, number: str, vocabulary: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Tell behind zeros what each token of a model makes of them: its digit, `OPEN`, or 0."""
    known = {token: text for token, text in tokens.texts.items() if token < vocabulary}
    kinds = np.zeros(len(known), np.int64)
    for place, text in enumerate(known.values()):
        if ended := ENDED.match(number + text):
            kinds[place] = int(ended[1])
        elif text and ZEROS.fullmatch(number + text):
            kinds[place] = OPEN
    return np.fromiter(known, np.int64), kinds
