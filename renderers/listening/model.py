"""The model ear's figures, to set beside people's: a table of how well it hears each trouble."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from epochord.renderers.listening.answers import AnswersError, Key

__all__ = ["Ear", "read_model"]

# What the model ear's table calls those of our troubles that it has.
NAMES: Mapping[str, str] = MappingProxyType(
    {
        "spike": "spike_one", "drift": "drift10_one", "death": "die", "near_death": "near_dead",
        "vanishing": "vanish100", "explosion": "explode1000", "plateau": "plateau",
        "oscillation": "oscillate",
    }
)  # fmt: skip
EXPECTED = 'expected {"<voicing>": {"<layers>": {"<trouble>": [trained, novice, who, …]}}}'


class Ear(NamedTuple):
    """How well the model ear hears a trouble.

    Parameters
    ----------
    trained, novice : float
        Areas under ROC curves: 1 always, 0.5 by chance.
    who : float or None
        How often it says the layer; None where all are concerned.
    """

    trained: float
    novice: float
    who: float | None


def read_model(path: Path, key: Key) -> dict[str, Ear]:
    """Read what the model ear makes of a test's voicing and number of layers.

    Parameters
    ----------
    path : Path
        A JSON file: by voicing, number of layers and trouble, a list that begins with
        the figures of `Ear`.
    key : Key
        Of the test.

    Returns
    -------
    dict of str to Ear
        By our kinds of trouble, those that the table has.

    Raises
    ------
    AnswersError
        If the table cannot be read, or has nothing of that voicing and number.
    """
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        cells = table[key.voicing][str(key.voices)]
        return {kind: Ear(*cells[name][:3]) for kind, name in NAMES.items() if name in cells}
    except OSError as error:
        raise AnswersError(f"{path}: cannot read ({error.strerror or error})") from error
    except KeyError as error:
        raise AnswersError(
            f"{path}: nothing of {key.voicing} with {key.voices} layers (no entry {error}); "
            f"{EXPECTED}"
        ) from error
    except (TypeError, ValueError) as error:
        raise AnswersError(f"{path}: no table of the model ear ({error}); {EXPECTED}") from error
