"""`epochord render ensemble` and `inspect` of classifiers, several outputs, and without a grid."""

from pathlib import Path

import numpy as np
import pytest

from epochord.recorders import EnsembleRecorder


@pytest.fixture
def others(tmp_path):
    """Classifiers over a lattice, a regression of two outputs, and one without a grid."""
    lattice = np.stack(np.meshgrid(np.arange(4.0), np.arange(3.0)), -1).reshape(-1, 2)
    held = lattice, np.arange(12) % 2

    def probabilities(x):
        second = np.clip(x[:, :1] / 4 + 0.1, 0, 1)
        return np.concatenate([1 - second, second], 1)

    kinds = {
        "classes": ([probabilities] * 3, {"grid": lattice, "task": "classification"}),
        "outputs": (
            [lambda x, k=k: np.concatenate([k * x, x + k], 1) for k in range(3)],
            {"grid": np.linspace(0, 1, 9), "held_out": ([0.5], [[1.0, 2.0]])},
        ),
        "numbers": ([lambda x, k=k: x[:, 0] + k for k in range(3)], {}),
    }
    for name, (members, places) in kinds.items():
        with EnsembleRecorder(
            members, tmp_path / "runs" / name, **{"held_out": held} | places
        ) as recorder:
            recorder.record()


@pytest.mark.usefixtures("others")
def test_any_ensemble_is_rendered_as_far_as_it_can_be(epochord):
    """Stills and scores of what has no film, in one line why; of several outputs the first."""
    code, out, err = epochord("render", "ensemble", "--no-video")
    assert code == 0
    assert "classes: its classes are drawn; --output K draws" in err
    assert "numbers: no film: it has no grid" in err
    assert "outputs: drawn is output 0 of 2; --output K draws another" in err
    names = {str(Path(line).relative_to("renders")) for line in out}
    assert {"classes/classes.png", "numbers/scores.png", "outputs/uncertainty.png"} <= names
    code, out, err = epochord("render", "ensemble", "classes", "outputs", "--output", 1,
                              "--no-video")  # fmt: skip
    assert code == 0
    assert "renders/classes/uncertainty.png" in out
    assert "renders/ensemble-panel/uncertainty.png" in out
    assert "no film" not in err
    code, _, err = epochord("render", "ensemble", "outputs", "--output", 2, "--no-video")
    assert code == 1
    assert "run 'outputs' has no output 2; it has 2, counted from 0" in err


@pytest.mark.usefixtures("others")
def test_inspect_says_what_any_ensemble_is(epochord):
    """Classes, outputs, and that there is no grid."""
    code, out, _ = epochord("inspect", "classes", "outputs", "numbers")
    told = [line for line in out if line.startswith("  ensemble,")]
    assert code == 0
    assert "2 classes" in told[0]
    assert "2 outputs" in told[1]
    assert "no grid" in told[2]
