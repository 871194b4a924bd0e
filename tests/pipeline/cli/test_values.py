"""Words become values, or one line says what was expected."""

from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("render audio --jobs many", "--jobs is 'many'; expected a whole number"),
        ("render audio --jobs 1.5", "--jobs is '1.5'; expected a whole number"),
        ("render audio --jobs -4", "--jobs is '-4'; expected at least -1"),
        ("render audio --lufs loud", "--lufs is 'loud'; expected a number"),
        ("render audio --segments most", "--segments is 'most'; expected one of auto, all, split"),
        ("record ensemble --seed 18446744073709551616", "expected at most 9.22337e+18"),
        ("render audio --lufs", "Option '--lufs' requires an argument"),
        ("decode", "Missing argument 'FILE'"),
        ("decode a b", "Got unexpected extra argument(s) (b)"),
    ],
)
def test_what_is_no_such_value_is_refused(epochord, arguments, message):
    """Exit code 2."""
    code, out, err = epochord(*arguments.split())
    assert (code, out, err.count("\n")) == (2, [], 1)
    assert message in err


def test_values_are_of_their_types(epochord, write_run, tmp_path):
    """Whole numbers, numbers, choices, lists and paths, given or by default."""
    values = {"a/loss": [1.0] * 40, "b/loss": [2.0] * 40, "lr": [3.0] * 40}
    write_run(tmp_path / "runs" / "mine", values)
    code, out, err = epochord(
        "render", "audio", "mine", "--tags", "a/*", "--tags", "lr", "--duration", "1e0",
        "--polarity", "-", "--jobs", "2", "--format", "wav24", "--out", "x", "--json",
    )  # fmt: skip
    assert code == 0, err
    assert '"voices": ["a/loss", "lr"]' in out[0]
    assert '"polarity": "-"' in out[0]
    assert '"duration": 1.0' in out[0]
    assert Path("x/mine/audio.wav").is_file()
