"""Runs are found wherever they lie, under names that stay apart."""

import pytest

from runlog import LogError, find_runs, open_run


def names(path) -> list[str]:
    return [source.name for source in find_runs(path)]


def test_a_run_goes_by_its_folder_and_runs_in_a_folder_by_their_path(tmp_path, write_run):
    """Nested runs keep their relative path."""
    write_run(tmp_path / "runs" / "a", {"t": [1.0]})
    write_run(tmp_path / "runs" / "sweep" / "b", {"t": [1.0]})
    assert names(tmp_path / "runs" / "a") == ["a"]
    assert names(tmp_path / "runs") == ["a", "sweep/b"]


def test_runs_below_a_run_are_found_too(tmp_path, write_run):
    """A logdir may hold event files of its own beside train/ and eval/."""
    write_run(tmp_path / "log", {"t": [1.0]})
    write_run(tmp_path / "log" / "eval", {"t": [1.0]})
    assert names(tmp_path / "log") == ["log", "log/eval"]


def test_a_loop_of_links_ends(tmp_path, write_run):
    """Each folder is visited once."""
    write_run(tmp_path / "runs" / "a", {"t": [1.0]})
    (tmp_path / "runs" / "loop").symlink_to(tmp_path / "runs")
    (tmp_path / "runs" / "again").symlink_to(tmp_path / "runs" / "a")
    assert len(names(tmp_path / "runs")) == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda _: None, "no such file or folder"),
        (lambda path: path.mkdir(), "no run here or below"),
        (lambda path: path.write_text("x"), "is a file"),
    ],
)
def test_what_is_no_run_is_refused_with_what_was_expected(tmp_path, make, message):
    """The message says where, what was found and what was expected."""
    path = tmp_path / "thing"
    make(path)
    with pytest.raises(LogError, match=f"thing: {message}.*; expected a run"):
        find_runs(path)
    with pytest.raises(LogError, match="thing: not a run"):
        open_run(path)


def test_text_files_that_look_like_event_files_are_no_run(tmp_path):
    """Unity writes .meta files whose names contain tfevents."""
    (tmp_path / "events.out.tfevents.1.host.meta").write_text("guid: 0123456789abcdef")
    with pytest.raises(LogError, match="no run here"):
        find_runs(tmp_path)
