"""Programs as the world writes them, with one line that watches them."""

import numpy as np
import pytest

from tests.recorders.loops.outcome import Outcome, places, run_programs, worst

PROGRAMS = [
    "mnist",
    "vae",
    "dcgan",
    "word_language_model",
    "forward_forward",
    "nanogpt",
    "nanogpt_float16",
    "ppo",
]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """Run all programs, bare and watched, in one process that forks."""
    names = {f"tests.recorders.loops.{name}": name for name in PROGRAMS}
    found = run_programs(tmp_path_factory.mktemp("loops"), names)
    return {name: found[module] for module, name in names.items()}


@pytest.fixture(params=PROGRAMS)
def outcome(request, outcomes) -> Outcome:
    """Give what one program left."""
    return outcomes[request.param]


def test_a_watched_program_ends_as_a_bare_one_and_its_run_is_finished(outcome):
    """It says nothing more, and its log needs no closing."""
    for kind in ("bare", "watched"):
        assert (outcome.ended(kind), outcome.said(kind)) == (0, "")
    metadata = outcome.run().metadata
    assert (metadata.status, metadata.error) == ("finished", None)
    assert metadata.steps == outcome.seen("watched")["rows"]


def test_training_is_the_same_to_the_bit(outcome):
    """Losses, weights and random numbers are those of the bare program."""
    bare = outcome.course("bare")
    assert bare["losses"]
    assert outcome.course("watched") == bare


def test_norms_are_those_that_each_optimizer_was_given(outcome):
    """A row a step, no more and no fewer; each norm as the program took it in double precision."""
    assert outcome.run().steps.tolist() == list(range(outcome.seen("watched")["rows"]))
    assert places(outcome.recorded()) == places(outcome.norms())
    assert worst(outcome.norms(), outcome.recorded()) <= 1e-6


def test_logged_values_stand_at_their_steps(outcome):
    """Wherever in the loop they were logged, and however often."""
    noted, logged = outcome.noted(), outcome.logged()
    assert places(logged) == places(noted)
    for tag, points in noted.items():
        np.testing.assert_array_equal([logged[tag][step] for step in points], [*points.values()])
