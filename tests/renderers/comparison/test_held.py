"""Where the scores of runs hold a frame, comparisons name the step that is heard, and its time."""

from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
import pytest

from epochord.renderers.audio import AudioSettings
from epochord.renderers.audio.scoring.compose import scores_together
from epochord.renderers.comparison import compare
from epochord.renderers.comparison.panels import draw_series
from epochord.runlog import Run

STEPS = 100
EACH = 0.06  # s a frame of `lanes`


@pytest.fixture
def parted(make_run: Callable[..., Run]) -> list[Run]:
    """Make two runs that part at step 60."""
    one = np.exp(0.1 * np.sin(np.arange(STEPS)))
    other = np.where(np.arange(STEPS) < 60, one, 3 * one)
    return [make_run({"a.weight": values}, name) for name, values in (("a", one), ("b", other))]


@pytest.fixture
def holding(hold, monkeypatch) -> Callable[[dict[int, int]], None]:
    """Let all scores that are compared hold some frames."""

    def patch(lengths: dict[int, int]) -> None:
        def scored(*arguments):
            scores, scales = scores_together(*arguments)
            return [hold(score, lengths) for score in scores], scales

        monkeypatch.setattr("epochord.renderers.comparison.runs.scores_together", scored)

    return patch


def test_sounds_part_at_the_step_that_is_heard_then(parted, holding) -> None:
    """Later in time by what is held before; at the same step."""
    lanes = AudioSettings(voicing="lanes")
    before = compare(parted, audio=lanes).pairs[0].sound.first
    holding({20: 11, 70: 5})
    found = compare(parted, audio=lanes)
    after = found.pairs[0].sound.first
    assert (before.step, after.step) == (60, 60)
    assert after.time - before.time == pytest.approx(10 * EACH, abs=0.012)
    assert not [note for note in found.report.notes if "reduced" in note]
    rows = found.frame().query("quantity == 'decades'").set_index("step")
    assert rows["time"][[20, 21, 60, 71]].to_list() == pytest.approx(
        [20 * EACH, 31 * EACH, 70 * EACH, 85 * EACH]
    )


def test_what_is_drawn_reaches_to_the_end_of_the_last_step(parted, holding) -> None:
    """Though it is held; and what parts is drawn where it sounds."""
    holding({20: 11, STEPS - 1: 9})
    found = compare(parted, audio=AudioSettings(voicing="lanes"))
    figure, axes = plt.subplots()
    draw_series(axes, found.pairs[0].series, found.axis, 118 * EACH, "")
    (picture,) = axes.get_images()
    row = np.asarray(picture.get_array())[0]
    plt.close(figure)
    assert (row[:, 3] == 1).all()  # nowhere is it left out
    apart = np.flatnonzero((row != row[0]).any(axis=1))
    assert apart[0] / len(row) == pytest.approx(70 / 118, abs=0.002)
    assert apart[-1] == len(row) - 1
