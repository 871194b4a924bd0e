"""Names that someone could have meant, and long names in short."""

import pytest

from epochord.runlog.words import did_you_mean, nearest, short_repr

TAGS = ["loss", "val/Loss", "grad_norm/conv1.weight", "grad_norm/conv2.weight", "lr"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("los", ["loss", "val/Loss"]),
        ("LR", ["lr"]),
        ("conv1.weight", ["grad_norm/conv1.weight", "grad_norm/conv2.weight"]),
        ("*conv2.wieght", ["grad_norm/conv2.weight"]),
        ("accuracy", []),
        ("*", []),
    ],
)
def test_the_nearest_names_come_first(name, expected):
    """Misspelled, in another case, as a glob, or only a part."""
    assert nearest(name, TAGS) == expected


def test_it_is_said_as_the_end_of_a_message():
    """Nothing is said where nothing is near."""
    assert did_you_mean("los", ["loss"]) == "; did you mean 'loss'?"
    assert did_you_mean("los", ["loss", "lost"]) == "; did you mean 'lost' or 'loss'?"
    assert did_you_mean("los", ["accuracy"]) == ""


def test_a_long_name_keeps_its_ends():
    """Of a thousand characters, those that tell it from others."""
    short = short_repr("grad_norm/" + "x" * 1000 + ".weight")
    assert len(short) <= 80
    assert short.startswith("'grad_norm/")
    assert short.endswith(".weight'")
