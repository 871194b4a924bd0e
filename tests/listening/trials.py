"""From a mapping to a table: for each trouble and number of layers, how well it is heard."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio import AudioSettings
from epochord.renderers.audio.scoring.compose import audio_score
from epochord.renderers.audio.scoring.score import Score
from epochord.runlog import Run
from tests.listening.components import components
from tests.listening.contours import contours
from tests.listening.features import features, of_voices
from tests.listening.listeners import novice, standard_error, trained, who
from tests.listening.troubles import HEALTHY, LAYER, TROUBLES, norms

__all__ = ["Cell", "Hear", "Trial", "cells", "product", "trial"]

Floats = npt.NDArray[np.floating]
Hear = Callable[[Run], Score]

FIRST_SEED = 60_000
SEEDS_A_KIND = 1000
HARD = ("fall3",)  # near what is just heard, so that more runs are needed to say how near
DRAWS = 3  # of internal noise for each run


@dataclass(frozen=True, eq=False)
class Trial:
    """What is remembered of a run [(draws, 5, 7)] and of its voices, and who was concerned."""

    whole: Floats
    voices: Floats | None
    concerned: tuple[int, ...]


class Cell(NamedTuple):
    """How well a trouble is heard: areas under ROC curves, and how often the layer is named.

    Parameters
    ----------
    trained, novice : float
        1 always, 0.5 by chance.
    who : float or None
        None where all layers are concerned.
    healthy, trouble : int
        How many runs of each.
    """

    trained: float
    novice: float
    who: float | None
    healthy: int
    trouble: int

    def errors(self) -> "Cell":
        """Return the standard errors."""
        named = self.who
        runs = self.healthy, self.trouble
        binomial = None if named is None else float(np.sqrt(named * (1 - named) / self.trouble))
        both = standard_error(self.trained, *runs), standard_error(self.novice, *runs)
        return Cell(*both, binomial, *runs)


def product(voicing: str = "") -> Hear:
    """Return how the product scores a run; by default with the default voicing."""
    settings = AudioSettings.of(voicing=voicing) if voicing else AudioSettings.of()
    return lambda run: audio_score(run, settings)[0]


def trial(hear: Hear, kind: str, seed: int, layers: int, strength: float | None = None) -> Trial:
    """Let the ear hear one run."""
    made = norms(kind, seed, layers, strength=strength)
    score = hear(made.run())
    heard = contours(components(score), each=bool(made.concerned))
    rng = np.random.default_rng([seed, layers, 1])
    voices = of_voices(heard.voices, rng)[_rows(score, layers)] if heard.voices else None
    return Trial(features(heard, rng, DRAWS), voices, made.concerned)


def _rows(score: Score, layers: int) -> list[int]:
    """Return which voices are layers: a score may have others, such as one of all together."""
    return [row for row, name in enumerate(score.frames.names) if name.startswith(LAYER)][:layers]


def cells(
    hear: Hear,
    layers: int,
    *,
    kinds: Iterable[str] = tuple(TROUBLES),
    healthy: int = 96,
    trouble: int = 16,
    stronger: float = 1.0,
) -> dict[str, Cell]:
    """Measure how well troubles are heard.

    Parameters
    ----------
    hear : callable
        From a run to a score.
    layers : int
        Of each run.
    kinds : iterable of str
        Keys of `TROUBLES`.
    healthy, trouble : int
        How many runs, each with a seed of its own; six times as many of what is `HARD`.
    stronger : float
        Power to which the strength of every trouble is raised.
    """
    well = [trial(hear, HEALTHY, FIRST_SEED + n, layers) for n in range(healthy)]
    without = np.stack([each.whole for each in well])
    return {
        kind: _cell(hear, kind, layers, without, trouble * (6 if kind in HARD else 1), stronger)
        for kind in kinds
    }


def _cell(
    hear: Hear, kind: str, layers: int, without: Floats, trouble: int, stronger: float
) -> Cell:
    first = FIRST_SEED + SEEDS_A_KIND * (1 + list(TROUBLES).index(kind))
    strength = TROUBLES[kind].strength ** stronger
    runs = [trial(hear, kind, first + n, layers, strength) for n in range(trouble)]
    having = np.stack([each.whole for each in runs])
    named = None
    if TROUBLES[kind].layers:
        named = who([each.voices for each in runs], [each.concerned for each in runs])
    return Cell(
        trained(without, having), novice(kind, without, having), named, len(without), trouble
    )
