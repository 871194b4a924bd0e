"""A place for results that a user names is a file or a folder, by how it ends."""

from pathlib import Path

import pytest

from epochord.renderers.results.destination import Destination, destination
from epochord.runlog import OutputError


def place(out):
    return destination(out, folder="renders/sgd", stem="audio", suffixes=(".wav", ".flac"))


def test_without_a_place_results_go_to_the_default_folder():
    """The default stem then names them."""
    assert place(None).path(".json") == Path("renders/sgd/audio.json")


@pytest.mark.parametrize("out", ["x/y.flac", Path("x/y.flac"), "x/y.FLAC"])
def test_a_known_suffix_names_a_file(out):
    """What lies beside it shares its stem."""
    assert place(out) == Destination(Path("x"), "y", ".flac")
    assert place(out).path(".score.parquet") == Path("x/y.score.parquet")


@pytest.mark.parametrize("out", ["x", "x/y.run1", "lr0.1", "x.d/"])
def test_any_other_name_is_a_folder(out):
    """Dots in names of folders are common."""
    assert place(out) == Destination(Path(out), "audio")


def test_a_folder_that_is_there_stays_a_folder(tmp_path):
    """Whatever its name ends in."""
    (tmp_path / "old.wav").mkdir()
    assert place(tmp_path / "old.wav") == Destination(tmp_path / "old.wav", "audio")


def test_a_file_of_another_kind_is_refused():
    """A PNG that holds sound, or a folder of that name, is what nobody wants."""
    with pytest.raises(OutputError, match=r"not made here; expected \.wav, \.flac"):
        place("x.png")
