"""What is said of compared runs: true, at the right step, and no more than can be read."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from epochord.renderers.audio import AudioSettings
from epochord.renderers.comparison import ComparisonSettings
from epochord.renderers.comparison.pairs import compare_pairs
from epochord.renderers.comparison.report import Report, run_report
from epochord.renderers.comparison.runs import hear_runs
from epochord.renderers.comparison.sentences import happened_sentences
from epochord.renderers.findings import Finding, What
from epochord.runlog import Run, RunMetadata, Series

STEPS = 40
GRAD = "grad_norm/a.weight"
SMOOTH = np.exp(0.1 * np.sin(np.arange(STEPS)))

Columns = Mapping[str, npt.ArrayLike]


def _run(name: str, columns: Columns, steps: npt.ArrayLike | None = None, *notes: str) -> Run:
    series = {
        tag: Series(tag, np.arange(np.size(v)) if steps is None else steps, np.asarray(v, "f4"))
        for tag, v in columns.items()
    }
    return Run(name, RunMetadata(name), series, notes=notes)


def _changed(values: npt.ArrayLike, *changes: tuple[int, float]) -> npt.NDArray[np.float64]:
    """Multiply single values."""
    found = np.array(values, np.float64)
    for place, factor in changes:
        found[place] *= factor
    return found


def _report(*runs: Run) -> Report:
    settings = ComparisonSettings()
    sounding = hear_runs(runs, AudioSettings())
    pairs = compare_pairs(sounding.heard, sounding.framing, sounding.axis, settings, sounding.logs)
    return run_report(sounding, pairs, settings)


def _starting(report: Report, start: str) -> list[str]:
    return [line for line in report.sentences if line.startswith(start)]


def test_farthest_apart_is_where_no_value_is_farther() -> None:
    """Not the first of all that are beyond a thousandfold."""
    other = _changed(SMOOTH, (10, 5), (12, 1e4), (14, 1e9), (16, 1e5))
    (said,) = _starting(_report(_run("a", {GRAD: SMOOTH}), _run("b", {GRAD: other})), "they are")
    assert said.startswith(f"they are farthest apart at step 14: {GRAD} ")


def test_the_parting_that_is_named_is_the_farthest_of_its_step() -> None:
    """Also beyond a thousandfold."""
    tags = dict.fromkeys((GRAD, "grad_norm/b.weight"), SMOOTH)
    other = {tag: _changed(SMOOTH, (9, f)) for tag, f in zip(tags, (1e4, 1e8), strict=True)}
    (said,) = _starting(_report(_run("a", tags), _run("b", other)), "a and b part")
    assert said.startswith("a and b part at step 9: grad_norm/b.weight")


def test_the_farthest_is_looked_for_where_the_parting_was_found() -> None:
    """In what is not heard, where only that has parted."""
    one = _run("a", {GRAD: SMOOTH, "loss": SMOOTH})
    changed = _changed(SMOOTH, (5, 2), (20, 8))
    report = _report(one, _run("b", {GRAD: 1.01 * SMOOTH, "loss": changed}))
    parted, farthest = report.sentences[1:3]
    assert report.sentences[0].startswith("b: loss: spike ×")
    assert parted.startswith("a and b part at step 5: loss")
    assert farthest.startswith("they are farthest apart at step 20: loss")


def test_a_constant_factor_has_no_farthest_step() -> None:
    """Which one that is would be a matter of rounding."""
    report = _report(_run("a", {GRAD: SMOOTH}), _run("b", {GRAD: 3 * SMOOTH}))
    assert _starting(report, "a and b part at step 0")
    assert not _starting(report, "they are")


def test_what_is_hardly_apart_says_where_most() -> None:
    """With as many digits as tell the values apart."""
    other = _changed(SMOOTH, (7, 1.00001), (30, 1.0001))
    said = _report(_run("a", {GRAD: SMOOTH}), _run("b", {GRAD: other})).sentences[0]
    assert "never apart by more than a factor of 1.1, most at step 30: " in said
    assert said.endswith("; 38 of 40 are identical")
    one, other_value = said.partition(f"{GRAD} ")[2].partition(";")[0].split(" against ")
    assert one != other_value


def test_one_value_is_and_two_are() -> None:
    """In both sentences that count."""
    one = _run("a", {GRAD: SMOOTH})
    for places, verb in (([7], "1 of 40 values is"), ([7, 9], "2 of 40 values are")):
        other = _run("b", {GRAD: _changed(SMOOTH, *((place, 2) for place in places))})
        assert f"({verb} apart by more" in _report(one, other).sentences[0]
    almost = _changed(1.01 * SMOOTH, (3, 1 / 1.01))
    said = _report(one, _run("b", {GRAD: almost.astype("f4")})).sentences[0]
    assert said.endswith("; 1 of 40 is identical")


def _ailing(name: str) -> Run:
    """Make a run whose layer b dies, is raised from the dead by nobody, and whose loss bursts."""
    columns = {f"grad_norm/{layer}.weight": SMOOTH.copy() for layer in "abcd"}
    columns["grad_norm/a.weight"][5] *= 50
    columns["grad_norm/b.weight"][8:] = 0
    columns["grad_norm/c.weight"][25:] *= 1e6
    columns["grad_norm/d.weight"][30:] = np.nan
    columns["loss"] = np.where(np.arange(STEPS) < 31, SMOOTH, np.nan)
    return _run(name, columns)


def test_what_happened_leaves_room_for_where_runs_part() -> None:
    """Two of each run are told, of two kinds; the others are counted, and in the text."""
    other = _ailing("b")
    sooner = np.where(np.arange(STEPS) < 3, 1, 2)
    columns = {tag: sooner * each.values for tag, each in other.series.items()}
    report = _report(_run("a", columns), other)
    assert [line.split(" ×")[0] for line in report.sentences[:4]] == [
        "a: b: dead from step 8 to the end, zero",
        "a: c: explosion",
        "b: b: dead from step 8 to the end, zero",
        "b: c: explosion",
    ]
    assert any(line.startswith("a and b part at step") for line in report.sentences[:7])
    for name in "ab":
        assert f"3 more findings of {name}, at the end of the text (.txt)" in report.notes
        rest = [line for line in report.lines[-6:] if line.startswith(f"{name}: ")]
        assert [line.split(": ")[1] for line in rest] == ["d", "a", "loss"]


def test_what_a_run_does_not_recover_from_is_said_before_a_spike() -> None:
    """And the first of a kind before the second."""
    happened = [
        Finding(What.SPIKE, ("a",), 3, 3, 40.0, 3),
        Finding(What.SPIKE, ("b",), 5, 5, 50.0, 5),
        Finding(What.EXPLOSION, ("a", "b"), 7, None, 3e6, 9, all_voices=True),
        Finding(What.EXPLOSION, ("loss",), 8, None, 2e7, 8),
        Finding(What.NAN, ("a",), 20),
    ]
    assert happened_sentences("x", happened) == [
        "x: all voices: explosion ×3e6 from step 7 to the end, at its farthest at step 9",
        "x: a: NaN from step 20 to the end",
        "x: a: spike ×40 at step 3",
        "x: loss: explosion ×2e7 from step 8 to the end",
        "x: b: spike ×50 at step 5",
    ]


def test_another_pace_is_explained_and_is_no_end() -> None:
    """A last value that holds as long as usual reaches the end of the others."""
    every = np.arange(STEPS)
    seventh = every[::7]
    notes = _report(_run("a", {GRAD: SMOOTH}), _run("b", {GRAD: SMOOTH[seventh]}, seventh)).notes
    assert "b is logged every 7 steps, a every step: between its steps a value holds" in notes
    assert not any("ends at step" in note for note in notes)
    fewer = seventh[:3]
    notes = _report(_run("a", {GRAD: SMOOTH}), _run("b", {GRAD: SMOOTH[fewer]}, fewer)).notes
    assert "b ends at step 14; what follows is not compared" in notes
    same = _report(_run("a", {GRAD: SMOOTH}), _run("b", {GRAD: SMOOTH[5:]}, every[5:])).notes
    assert "b begins at step 5; what is before is not compared" in same
    assert not any("is logged" in note for note in same)


def test_steps_that_do_not_overlap_are_said_first() -> None:
    """Once; and a single step is not a stretch of steps."""
    report = _report(_run("a", {GRAD: SMOOTH}), _run("b", {GRAD: [1]}, [999]))
    assert report.sentences[0] == (
        "the steps of a (0…39) and b (step 999) do not overlap: each is compared with silence"
    )
    assert not any("step" in note for note in report.notes)


def test_what_only_one_run_has_is_said_though_it_is_not_heard() -> None:
    """Also where only what all have is heard; but not in many lines."""
    loss = {"loss": SMOOTH}
    runs = [_run("a", loss | {GRAD: SMOOTH}), _run("b", loss | {"accuracy": SMOOTH})]
    notes = _report(*runs).notes
    assert f"only a has {GRAD}" in notes
    assert "only b has accuracy" in notes
    many = [_run(f"r{i}", loss | {f"x{i}": SMOOTH, f"y{i}": SMOOTH}) for i in range(5)]
    notes = _report(*many).notes
    assert sum(note.startswith("only r") for note in notes) == 3
    assert "4 more tags are not in all runs" in notes


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (("'step'", "'epoch'"), "steps do not count the same: steps in a, epochs in b"),
        (("'step'", "'iteration'"), None),
        (("'epoch'", "'trainer/epoch'"), None),
    ],
)
def test_steps_of_another_kind_are_said(columns: tuple[str, str], said: str | None) -> None:
    """As far as tables tell it."""
    runs = [
        replace(_run(name, {GRAD: SMOOTH}), notes=(f"steps are the column {column}",))
        for name, column in zip("ab", columns, strict=True)
    ]
    found = [note for note in _report(*runs).notes if note.startswith("steps do not")]
    assert found == ([said] if said else [])
