"""`epochord describe` says what is in a log, in words, as JSON, and as an exit code."""

import json
from pathlib import Path

import pytest

import epochord as ep

HEALTHY = {"grad_norm/a.weight": [1.0, 1.1, 0.9, 1.0] * 10, "grad_norm/b.weight": [2.0] * 40}
DYING = {"grad_norm/a.weight": [1.0] * 20 + [0.0] * 20, "grad_norm/b.weight": [2.0] * 40}


def test_a_run_is_told_in_the_order_of_time(epochord, write_run):
    """How each voice went, then what happened."""
    write_run(Path("runs/dying"), DYING)
    code, out, err = epochord("describe", "dying")
    assert code == 0
    assert out == [
        "dying: 40 steps (0…39)",
        "  a: falls from 1 to 0 (least 0 at step 20, greatest 1 at 0)",
        "  b: 2 throughout",
        "  a: dead from step 20 to the end, zero",
        "  looks like dying units: the gradient of a was alive and is zero, or next to it, "
        "from step 20 to the end",
    ]
    assert "warning" not in err


def test_what_was_looked_for_in_vain_is_said(epochord, write_run):
    """No more than that."""
    write_run(Path("runs/fine"), HEALTHY)
    out = epochord("describe")[1]
    assert out[-1].startswith("  nothing found: no spike, explosion, dead ")


def test_as_json_there_are_steps_kinds_and_sentences(epochord, write_run):
    """One object a run."""
    write_run(Path("runs/dying"), DYING)
    about = json.loads(epochord("describe", "dying", "--json")[1][0])
    (finding,) = about["findings"]
    assert (finding["what"], finding["step"], finding["last"]) == ("dead", 20, None)
    assert finding["voices"] == ["a"]
    (diagnosis,) = about["diagnoses"]
    assert diagnosis["trouble"] == "dying"
    assert about["sentences"][-2:] == [finding["sentence"], diagnosis["sentence"]]
    assert about["voices"][0]["low_step"] == 20


def test_the_library_says_the_same(epochord, write_run):
    """All of it, and the findings alone."""
    account = ep.describe(ep.open_run(write_run(Path("runs/dying"), DYING)))
    assert account.to_dict() == json.loads(epochord("describe", "dying", "--json")[1][0])
    assert "\n  ".join(account.sentences).splitlines() == epochord("describe", "dying")[1]
    assert ep.findings(ep.open_run("runs/dying")) == list(account.findings)


@pytest.mark.parametrize(
    ("unwanted", "code"),
    [("dead", 3), ("nan,dead", 3), ("nan,explosion", 0), ("trouble", 3), ("", 0)],
)
def test_a_pipeline_can_fail_on_what_is_found(epochord, write_run, unwanted, code):
    """With an exit code of its own, since nothing is amiss with the command."""
    write_run(Path("runs/fine"), HEALTHY)
    write_run(Path("runs/dying"), DYING)
    assert epochord("describe", "--fail-on", unwanted)[0] == code


def test_a_kind_that_there_is_not_is_refused(epochord, write_run):
    """With those that there are."""
    write_run(Path("runs/fine"), HEALTHY)
    code, _, err = epochord("describe", "--fail-on", "ded")
    assert code == 2
    assert "'ded'; expected nan, explosion, dead, stuck, spike, departure, trouble;" in err
    assert "did you mean 'dead'?" in err


def test_a_log_that_cannot_be_used_counts_more_than_a_finding(epochord, write_run):
    """The others are told all the same."""
    write_run(Path("runs/dying"), DYING)
    code, out, err = epochord("describe", "dying", "nowhere", "--fail-on", "dead")
    assert code == 1
    assert out[0].startswith("dying: 40 steps")
    assert "nowhere" in err


def test_one_zero_in_a_loss_is_no_death(epochord):
    """Nor is it silent in the sound of a long run."""
    rows = [f"{step},{0 if step == 30 else 0.9 - step / 200}" for step in range(80)]
    Path("loss.csv").write_text("step,loss\n" + "\n".join(rows) + "\n")
    assert not [line for line in epochord("describe", "loss.csv")[1] if "loss: dead" in line]
    assert epochord("render", "audio", "loss.csv", "-o", "x.wav")[0] == 0
    assert json.loads(Path("x.json").read_text())["events"] == {}
