"""The gate: what the default sound must let an ear hear, and what no change may take away.

`benchmarks/listening.py` prints the whole table, of all voicings; `reference.py` records it.
"""

import numpy as np
import pytest

from epochord.renderers.audio import AudioSettings
from tests.listening.mappings import constant, mixed_up, silent
from tests.listening.reference import LAYERS, measured, recorded
from tests.listening.trials import cells, product
from tests.listening.troubles import TROUBLES

DEFAULT = AudioSettings().voicing
TRAINED, NOVICE, WHO = 0.95, 0.85, 0.9
MILD = {"fall3": 0.9}

everywhere = pytest.mark.parametrize(
    ("layers", "kind"), [(layers, kind) for layers in LAYERS for kind in TROUBLES]
)


@everywhere
def test_a_trained_ear_tells_trouble_from_health(layers, kind):
    """It has heard other runs with that trouble."""
    assert measured(DEFAULT, layers)[kind].trained >= MILD.get(kind, TRAINED)


@everywhere
def test_a_novice_hears_it_by_one_cue(layers, kind):
    """The cue was fixed before anything was heard."""
    assert measured(DEFAULT, layers)[kind].novice >= NOVICE


@pytest.mark.parametrize("layers", LAYERS)
@pytest.mark.parametrize("kind", [kind for kind in TROUBLES if TROUBLES[kind].layers])
def test_it_is_heard_which_layer_it_is(layers, kind):
    """Where not all are concerned."""
    assert measured(DEFAULT, layers)[kind].who >= WHO


@everywhere
def test_no_cell_of_the_default_sound_sinks(layers, kind):
    """By more than its standard error below what is recorded."""
    before, now = recorded(DEFAULT, layers).get(kind), measured(DEFAULT, layers)[kind]
    assert before, f"not recorded yet: python -m tests.listening.reference {DEFAULT}"
    least = [None if b is None else b - e for b, e in zip(before, before.errors(), strict=True)]
    assert now.trained >= least[0]
    assert now.novice >= least[1]
    assert before.who is None or now.who >= least[2]


@pytest.mark.parametrize("hear", [silent, constant])
def test_what_tells_nothing_is_heard_by_chance(hear):
    """Nobody tells trouble from health in silence or in a chord that stays, nor which layer."""
    found = cells(hear, 4, kinds=("vanish100", "spike_one", "drift10_one"), trouble=24)
    errors = np.array([[*cell.errors()[:2]] for cell in found.values()])
    areas = np.array([[cell.trained, cell.novice] for cell in found.values()])
    assert (np.abs(areas - 0.5) < 3 * errors).all()
    assert all(cell.who is None or cell.who < 0.6 for cell in found.values())  # chance is 0.25


def test_layers_in_disorder_are_not_told_apart():
    """Whoever hears that one has died then names any of them."""
    hearing = product("lanes"), mixed_up
    right, wrong = (cells(hear, 8, kinds=["die"], healthy=8)["die"] for hear in hearing)
    assert right.who > 0.9
    assert wrong.who < 0.5  # chance is 0.125
