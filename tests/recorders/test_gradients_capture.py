"""capture() measures for the step that comes, whatever happens in between."""

import pytest
import torch
from torch import nn

from epochord.recorders import GradientRecorder
from epochord.runlog import open_run
from epochord.runlog.run.run import GRAD_NORM


def parameters(*names: str) -> tuple[nn.ParameterDict, dict[str, torch.optim.Optimizer]]:
    model = nn.ParameterDict({name: nn.Parameter(torch.zeros(1)) for name in names})
    return model, {name: torch.optim.SGD([model[name]], 0.0) for name in names}


def points(directory, name: str) -> list[tuple[int, float]]:
    series = open_run(directory)[GRAD_NORM + name]
    return list(zip(series.steps.tolist(), series.values.tolist(), strict=True))


@pytest.mark.parametrize("first", ["d", "g"])
def test_each_optimizer_of_a_gan_has_its_own_gradients_captured(tmp_path, first):
    """Both are clipped after capture(); neither sees the other's or last step's gradient."""
    model, optimizers = parameters("d", "g")
    order = [first, "g" if first == "d" else "d"]
    with GradientRecorder(model, [optimizers[n] for n in order], tmp_path / "r") as recorder:
        for step in range(4):
            for place, name in enumerate(order):
                model[name].grad = torch.tensor([10.0 * (step + 1) + place])
                recorder.capture(optimizers[name])
                model[name].grad.fill_(0.5)  # clipped
                optimizers[name].step()
    for place, name in enumerate(order):
        assert points(tmp_path / "r", name) == [(s, 10.0 * (s + 1) + place) for s in range(4)]


def test_with_several_optimizers_the_one_that_steps_has_to_be_named(tmp_path):
    """Which gradients are fresh, the recorder cannot know."""
    model, optimizers = parameters("a", "b")
    _, strangers = parameters("c")
    with GradientRecorder(model, list(optimizers.values()), tmp_path / "r") as recorder:
        with pytest.raises(ValueError, match="name the one that steps next"):
            recorder.capture()
        with pytest.raises(ValueError, match="trains no parameter of the model"):
            recorder.capture(strangers["c"])


def test_logging_between_capture_and_step_does_not_move_the_norms(tmp_path):
    """With every=2, the step just done may have no row yet when the next is captured."""
    model, optimizers = parameters("a")
    with GradientRecorder(model, optimizers["a"], tmp_path / "r", every=2) as recorder:
        for step in range(6):
            model["a"].grad = torch.tensor([step + 1.0])
            recorder.capture()
            if step:
                recorder.log("x", step)
            model["a"].grad.fill_(0.5)
            optimizers["a"].step()
    assert points(tmp_path / "r", "a") == [(0, 1.0), (2, 3.0), (4, 5.0)]


def test_a_second_capture_replaces_the_first_in_whole(tmp_path):
    """A step that a GradScaler skipped leaves a capture behind, perhaps of fewer gradients."""
    model = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), 0.0)
    with GradientRecorder(model, optimizer, tmp_path / "r") as recorder:
        model.weight.grad = torch.ones(1, 1)
        recorder.capture()  # the bias has no gradient; the step is skipped
        model.bias.grad = torch.full((1,), 3.0)
        recorder.capture()
        optimizer.step()
    assert points(tmp_path / "r", "bias") == [(0, 3.0)]


def test_a_capture_counts_for_one_step_only(tmp_path):
    """The step after it measures for itself again."""
    model, optimizers = parameters("a")
    with GradientRecorder(model, optimizers["a"], tmp_path / "r") as recorder:
        for step in range(3):
            model["a"].grad = torch.tensor([step + 1.0])
            if step == 0:
                recorder.capture()
            model["a"].grad *= 2
            optimizers["a"].step()
    assert points(tmp_path / "r", "a") == [(0, 1.0), (1, 4.0), (2, 6.0)]
