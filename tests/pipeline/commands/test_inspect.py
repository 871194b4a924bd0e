"""`epochord inspect` says what happened, and never fails since there is nothing to look at."""

import json
from pathlib import Path

import pytest

from epochord.runlog import RunMetadata

DYING = {"grad_norm/a.weight": [1.0] * 20 + [0.0] * 20, "grad_norm/b.weight": [2.0] * 40}
nan, inf = float("nan"), float("inf")


def test_what_happened_is_a_line_a_finding(epochord, write_run):
    """In the words of `describe`, below the table; of a run without any there is none."""
    write_run(Path("runs/dying"), DYING)
    write_run(Path("runs/fine"), {"grad_norm/a.weight": [2.0] * 40})
    told = [line for line in epochord("describe", "dying")[1] if "dead" in line]
    assert told == ["  a: dead from step 20 to the end, zero"]
    shown = epochord("inspect", "dying")[1]
    assert [line for line in shown if line in told] == told
    assert shown.index(told[0]) > max(n for n, line in enumerate(shown) if line.startswith("b "))
    assert not [line for line in epochord("inspect", "fine")[1] if line.startswith("  ")]


def test_of_very_many_findings_the_rest_is_counted(epochord, write_run):
    """And it is said who tells all of them."""
    loss = [1.0 if step % 30 else 50.0 for step in range(1200)]
    write_run(Path("runs/spiky"), {"loss": loss})
    told = [line for line in epochord("describe", "spiky")[1] if "spike" in line]
    shown = [line for line in epochord("inspect", "spiky")[1] if line.startswith("  ")]
    assert shown[:-1] == told[:20]
    assert shown[-1] == f"  {len(told) - 20} findings more: epochord describe"


def test_as_json_findings_are_those_of_describe_and_of_the_sound(epochord, write_run):
    """The same objects, whoever is asked."""
    write_run(Path("runs/dying"), DYING)
    epochord("render", "audio", "dying")
    about = json.loads(epochord("inspect", "dying", "--json")[1][0])
    assert about["findings"]
    assert about["findings"] == json.loads(epochord("describe", "--json")[1][0])["findings"]
    sound = json.loads(Path("renders/dying/audio.json").read_text())
    assert about["findings"] == sound["findings"]


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"loss": []},
        {"loss": [1.0]},
        {"loss": [nan]},
        {"loss": [None, None]},
        {"loss": [nan, inf, -inf] * 5, "grad_norm/a.weight": [None] * 14 + [0.0]},
        {f"grad_norm/{layer}.weight": [nan] * 30 for layer in "abc"},
        {f"grad_norm/{layer}.weight": [0.0] * 30 for layer in "abc"},
    ],
)
def test_nothing_to_find_is_no_failure(epochord, write_run, columns):
    """Without series, steps or numbers, what there is is shown all the same."""
    write_run(Path("runs/odd"), columns)
    code, out, err = epochord("inspect", "odd", "--json")
    assert (code, err) == (0, "")
    assert isinstance(json.loads(out[0])["findings"], list)
    assert epochord("inspect", "odd")[0] == 0


def test_a_run_that_has_just_begun_has_nothing_to_find(epochord):
    """Its folder holds only what it is."""
    Path("runs/young").mkdir(parents=True)
    RunMetadata("young").save(Path("runs/young"))
    code, out, _ = epochord("inspect", "young", "--json")
    assert (code, json.loads(out[0])["findings"]) == (0, [])
