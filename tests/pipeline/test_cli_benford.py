"""`epochord render benford`: first digits of runs, of a named one, and of the constants."""

import json
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def runs(write_run, tmp_path):
    """One run with gradient norms, one with nothing at all."""
    values = 10 ** np.random.default_rng(0).uniform(-3, 3, 200)
    write_run(tmp_path / "runs" / "mine", {"grad_norm/a.weight": values, "loss": values[::-1]})
    write_run(tmp_path / "runs" / "empty", {})


@pytest.mark.usefixtures("runs")
def test_all_runs_and_the_constants(epochord):
    """Without a path: every run with digits, and CODATA; a run without any is passed over."""
    code, out, err = epochord("render", "benford")
    assert code == 0
    assert out == [
        f"renders/{name}/benford.{kind}"
        for name in ("mine", "constants")
        for kind in ("png", "svg")
    ]
    assert all(Path(line).stat().st_size > 5000 for line in out)
    assert "a: Cannot be told from Benford's law (p = " in err
    assert "200 values would show a deviation of 3.0 points or more" in err
    assert "passed over: run 'empty'" in err


def test_a_fresh_place_has_the_constants(epochord):
    """Without any run there is still the classic reference set."""
    code, out, _ = epochord("render", "benford")
    assert code == 0
    assert out == ["renders/constants/benford.png", "renders/constants/benford.svg"]


@pytest.mark.usefixtures("runs")
def test_tags_and_json(epochord):
    """One object a result, with the statistics of what was chosen."""
    code, out, _ = epochord("render", "benford", "mine", "--tags", "loss", "--json")
    assert code == 0
    (row,) = map(json.loads, out)
    (subject,) = row["subjects"]
    assert subject["name"] == "loss"
    assert subject["n"] == 200
    assert subject["verdict"] == "cannot be told"


@pytest.mark.usefixtures("runs")
def test_other_digits(epochord):
    """Of values; --video is of no use with them, and what is no digit is refused."""
    code, out, _ = epochord("render", "benford", "mine", "--digit", "second", "--json")
    assert code == 0
    assert [len(each["counts"]) for each in json.loads(out[0])["subjects"]] == [10]
    code, _, err = epochord("render", "benford", "mine", "--digit", "7")
    assert (code, "first-two" in err) == (2, True)
    code, _, err = epochord("render", "benford", "mine", "--digit", "3", "--no-video")
    assert code == 2
    assert "--video is of no use with --digit" in err


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("empty",), "run 'empty' has no measurement at all, so it has no digits"),
        (("nowhere",), "nowhere: no such file or folder"),
        (("mine", "--tags", "x*"), "no tag that matches 'x*'"),
        (("mine", "--out", "/dev/null/x"), "/dev/null/x/mine/"),
    ],
)
def test_bad_input_is_one_line(epochord, arguments, message):
    """Exit code 1, one line, no traceback."""
    code, out, err = epochord("render", "benford", *arguments)
    assert code == 1
    assert message in err
    assert "Traceback" not in err
    assert not out
