"""Results that belong together appear together, or what was there stays."""

import signal
from pathlib import Path

import pytest

from epochord.renderers.results.output import writing
from epochord.renderers.results.staging import staging
from epochord.runlog import OutputError


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


@pytest.fixture
def folder(tmp_path):
    """Return a folder with two results, and a file of somebody else."""
    folder = tmp_path / "renders" / "run"
    folder.mkdir(parents=True)
    for name in ("a", "b", "other"):
        (folder / name).write_text(f"old {name}")
    return folder


def test_new_results_replace_the_old_ones_and_nothing_else(folder):
    """Files of the same name, and those that are named, go; whatever else is there stays."""
    with staging(folder, replacing={"a", "b", "never"}) as stage:
        (stage / "a").write_text("new a")
        (stage / "c").write_text("new c")
        assert (folder / "a").read_text() == "old a"
    assert contents(folder) == {"a": "new a", "c": "new c", "other": "old other"}


@pytest.mark.parametrize("error", [RuntimeError(), KeyboardInterrupt(), SystemExit(143)])
def test_what_fails_leaves_the_folder_as_it_was(folder, error):
    """Any error while the results are made, Ctrl-C and SIGTERM among them."""
    before = contents(folder)

    def make() -> None:
        with staging(folder, replacing={"a", "b"}) as stage:
            (stage / "a").write_text("new a")
            raise error

    with pytest.raises(type(error)):
        make()
    assert contents(folder) == before


def test_a_result_that_cannot_be_moved_leaves_the_folder_as_it_was(folder):
    """Where the move fails half-way, what was moved goes back; the folder is named."""
    before = contents(folder)

    def make() -> None:
        with staging(folder, replacing={"a", "b"}) as stage:
            for name in ("a", "c"):
                (stage / name).write_text(f"new {name}")
            (stage / "before").write_text("in the way of the old results")

    with pytest.raises(OutputError, match="run: cannot write") as failed:
        make()
    assert ".tmp" not in str(failed.value)
    assert contents(folder) == before


def test_a_new_folder_is_not_left_empty(tmp_path):
    """Folders that were made for results that never came are gone again."""

    def make() -> None:
        with staging(tmp_path / "renders" / "run") as stage, writing(stage / "a") as place:
            place.write_text("half")
            raise OSError(28, "No space left on device")

    with pytest.raises(OutputError) as failed:
        make()
    assert str(failed.value).startswith(f"{tmp_path}/renders/run/a: cannot write (No space left")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("heeding_ctrl_c")
def test_ctrl_c_waits_until_all_is_moved(folder, monkeypatch):
    """Between two moves it is held back: the new results are there, then it comes up."""
    move = Path.replace

    def interrupted(source: Path, target: Path) -> Path:
        signal.raise_signal(signal.SIGINT)
        return move(source, target)

    def make() -> None:
        with staging(folder, replacing={"a", "b"}) as stage:
            (stage / "a").write_text("new a")
            monkeypatch.setattr(Path, "replace", interrupted)

    with pytest.raises(KeyboardInterrupt):
        make()
    assert contents(folder) == {"a": "new a", "other": "old other"}
