"""Made-up trainings have the trouble that they are said to have, and no other."""

import numpy as np
import pytest

from epochord.renderers.audio import AudioSettings
from epochord.renderers.findings import What, find
from epochord.renderers.listening.trainings import ANSWERS, HEALTHY, STEPS, TROUBLES, training
from epochord.renderers.timeline.timeline import timeline

LAYERS = 5


def norms(kind: str, seed: int) -> tuple[np.ndarray, int | None]:
    made = training(kind, LAYERS, np.random.default_rng(seed))
    return np.stack([series.values for series in made.run.values()]).astype(float), made.layer


def test_every_answer_is_right_of_something() -> None:
    """And what is right of each trouble can be said."""
    assert {trouble.answer for trouble in TROUBLES.values()} == set(ANSWERS)


@pytest.mark.parametrize("kind", [HEALTHY, *TROUBLES])
def test_a_trouble_changes_those_that_it_is_said_to(kind: str) -> None:
    """Until it begins all is as in the healthy training of that seed, and others stay so."""
    for seed in range(5):
        well, _ = norms(HEALTHY, seed)
        ill, layer = norms(kind, seed)
        changed = (well != ill).any(axis=1)
        if kind == HEALTHY:
            assert (layer, changed.any()) == (None, False)
        elif layer is None:
            assert changed.all()
        else:
            assert list(np.flatnonzero(changed) + 1) == [layer]
        if kind not in ("vanishing",):
            assert np.array_equal(well[:, : STEPS // 3], ill[:, : STEPS // 3])


@pytest.mark.parametrize(
    ("kind", "factor"),
    [("spike", 30), ("drift", 10), ("near_death", 1e-6), ("vanishing", 1e-3), ("explosion", 1e3)],
)
def test_strengths_are_what_they_say(kind: str, factor: float) -> None:
    """At its strongest, a trouble is that far from the healthy training."""
    ratio = norms(kind, 1)[0] / norms(HEALTHY, 1)[0]
    strongest = ratio.max() if factor > 1 else ratio.min()
    assert strongest == pytest.approx(factor, rel=1e-4)


def test_of_those_that_the_log_tells_the_right_layer_is_found() -> None:
    """The finder, which knows nothing of this, names them; in healthy ones it finds nothing."""
    expected = {
        "spike": What.SPIKE,
        "drift": What.RISE,
        "death": What.DEAD,
        "near_death": What.DEAD,
    }
    for seed in range(5):
        for kind in (HEALTHY, *expected):
            made = training(kind, LAYERS, np.random.default_rng(seed))
            found = find(timeline(made.run, AudioSettings.of().choice))
            said = {(each.what, each.voices) for each in found}
            assert said == ({(expected[kind], (f"layer{made.layer}",))} if made.layer else set())
