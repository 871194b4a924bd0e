"""Lightning's metrics.csv is read as the csv module reads it, blanks left out."""

import csv

import pytest

from epochord.runlog import LogError
from epochord.runlog.formats import delimited, lightning, recognise

SMALL = "epoch,step,train_loss,val_loss\n0,9,0.5,\n0,9,,0.75\n1,19,nan,\n"


def test_a_real_log_equals_the_csv_module(real_data, points):
    """Every filled cell of a real training is a point, at its row's step."""
    path = real_data / "other" / "lightning_metrics.csv"
    expected = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            step = int(row.pop("step"))
            for tag, cell in row.items():
                if cell:
                    expected.setdefault(tag, []).append((step, float(cell)))
    contents = lightning.read(path)
    assert points(contents) == expected
    assert contents.notes == ()
    assert contents.files[0].points == sum(map(len, expected.values()))


def test_the_folder_and_the_file_are_one_log(save, points):
    """A run is opened by its folder or by its file; its step needs no note."""
    file = save(SMALL, "version_0/metrics.csv")
    for path in (file, file.parent):
        assert recognise(path) is lightning
        contents = lightning.read(path)
        assert repr(points(contents)) == repr(
            {
                "epoch": [(9, 0.0), (9, 0.0), (19, 1.0)],
                "train_loss": [(9, 0.5), (19, float("nan"))],
                "val_loss": [(9, 0.75)],
            }
        )
        assert contents.notes == ()


def test_another_axis(save, points):
    """Epochs can be chosen for the steps."""
    assert points(lightning.read(save(SMALL, "metrics.csv"), x="epoch"))["val_loss"] == [(0, 0.75)]


def test_a_step_column_that_is_none_is_refused(save):
    """The format defines its step, so nothing else is guessed instead."""
    with pytest.raises(LogError, match=r"its column 'step' holds 0.5, but steps are whole numbers"):
        lightning.read(save("epoch,step,a\n0,0.5,1\n", "metrics.csv"))


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("metrics.csv", b"step,a\n", True),
        ("metrics.csv", b"a,step\r\n1,2\r\n", True),
        ("metrics.csv", b"version https://git-lfs.github.com/spec/v1\n", True),
        ("metrics.csv", b"a,b\n1,2\n", False),
        ("metrics.csv", b"tag,step,value\n", False),
        ("metrics.csv", b"", False),
        ("other.csv", b"step,a\n", False),
    ],
)
def test_others_may_call_a_file_metrics_too(save, name, content, expected):
    """Name and a column `step` make it Lightning's; anything else is a table to be named."""
    path = save(content, f"run/{name}")
    assert lightning.matches(path) is expected
    assert lightning.matches(path.parent) is expected
    assert expected or recognise(path) is delimited


def test_a_folder_in_memory(memory, points):
    """What fsspec opens is read as from disk."""
    (memory / "metrics.csv").write_text(SMALL)
    assert recognise(memory) is lightning
    assert points(lightning.read(memory))["val_loss"] == [(9, 0.75)]
