"""What compare finds in each run is what `describe` finds in it, and more in its other tags."""

from collections.abc import Callable

import numpy as np
import pytest

from epochord.renderers.audio import AudioSettings
from epochord.renderers.comparison.runs import hear_runs
from epochord.renderers.findings import Finding, What, findings
from epochord.runlog import Run, RunMetadata, Series

MakeRun = Callable[..., Run]

STEPS = 60
nan, inf = float("nan"), float("inf")


def happened(*runs: Run, **options: object) -> list[list[Finding]]:
    return hear_runs(runs, AudioSettings.given(None, **options)).findings


@pytest.fixture
def plain() -> Run:
    return Run("plain", RunMetadata("plain"), {"loss": Series("loss", range(STEPS), [1.0] * STEPS)})


def test_of_what_is_heard_it_is_the_same_as_alone(make_run: MakeRun) -> None:
    """Though beside another run, whose steps are more."""
    steps = np.arange(STEPS)
    norms = {f"{layer}.weight": np.exp(0.1 * np.sin(steps + n)) for n, layer in enumerate("abc")}
    sick = {name: values.copy() for name, values in norms.items()}
    sick["a.weight"][20] *= 100
    sick["b.weight"][30:] = 0
    run = make_run(sick, "sick")
    sparse = Run("sparse", run.metadata, {
        tag: Series(tag, 7 * steps, each.values) for tag, each in run.series.items()
    })  # fmt: skip
    every = make_run({name: np.tile(values, 7) for name, values in norms.items()}, "every")
    fine, found = happened(every, sparse)
    assert not [each for each in fine if each.what is What.DEAD]
    assert found == findings(sparse)
    assert [(each.what, each.step) for each in found] == [(What.SPIKE, 140), (What.DEAD, 210)]


def test_what_is_not_heard_is_looked_at_too(make_run: MakeRun) -> None:
    """Each tag by its own name; what is of one kind at one step is one finding."""
    values = np.ones(STEPS)
    broken = np.where(np.arange(STEPS) < 40, 1.0, nan)
    run = make_run({"a.weight": values, "a.bias": broken}, "x", loss=broken, lr=values)
    found, _ = happened(run, make_run({"a.weight": values}, "y"))
    (only,) = found
    assert (only.what, only.voices, only.step) == (What.NAN, ("a.bias", "loss"), 40)
    assert only.sentence == "a.bias, loss: NaN from step 40 to the end"


def test_tags_that_count_something_else_are_looked_at_alone(plain: Run) -> None:
    """What cannot be put on the axis of the others has findings all the same."""
    epochs = Series("accuracy", range(9), [0.5, 0.6, inf, 0.7, 0.7, 0.7, 0.8, 0.8, 0.8])
    loss = plain["loss"]
    run = Run("epochs", RunMetadata("epochs"), {"loss": loss, "accuracy": epochs})
    found, _ = happened(run, plain)
    assert [(each.what, each.voices, each.step) for each in found] == [
        (What.POSITIVE_INFINITY, ("accuracy",), 2)
    ]


def test_what_was_not_asked_for_is_not_looked_at(plain: Run) -> None:
    """Neither other tags nor other steps."""
    values = np.ones(STEPS)
    values[50] = nan
    series = {tag: Series(tag, range(STEPS), values) for tag in ("loss", "other")}
    run = Run("x", RunMetadata("x"), series)
    assert [each.voices for each in happened(run, plain, tags=("loss",))[0]] == [("loss",)]
    kept = {tag: each[:40] for tag, each in series.items()}
    assert happened(Run("x", RunMetadata("x"), kept), plain)[0] == []
