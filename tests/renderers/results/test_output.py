"""Results appear whole or not at all, and are not made twice."""

import errno
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from epochord.renderers.results.output import describe, is_up_to_date, writing
from epochord.runlog import OutputError


def write(path: Path, text: str, error: BaseException | None = None) -> None:
    with writing(path) as temporary:
        temporary.write_text(text)
        if error:
            raise error


@pytest.mark.parametrize("error", [RuntimeError(), KeyboardInterrupt()])
def test_a_failed_write_leaves_what_was_there_and_no_litter(tmp_path, error):
    """An error or Ctrl-C in the middle of writing keeps the old result."""
    path = tmp_path / "deep" / "sound.wav"
    write(path, "old")
    with pytest.raises(type(error)):
        write(path, "half", error)
    assert path.read_text() == "old"
    assert [p.name for p in path.parent.iterdir()] == ["sound.wav"]


def test_a_full_disk_is_named_with_a_remedy(tmp_path):
    """The system's reason reaches the user."""
    full = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(OutputError, match=r"a: cannot write \(No space left.*; free some space"):
        write(tmp_path / "a", "half", full)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path):
    """A file stands where the folder should be."""
    (tmp_path / "renders").write_text("")
    with pytest.raises(OutputError, match=r"renders/a: cannot write .*another folder with --out"):
        write(tmp_path / "renders" / "a", "")


def test_a_result_is_up_to_date_only_with_equal_settings_and_all_its_files(tmp_path):
    """Settings, log hash, presence and size all count."""
    (tmp_path / "a.wav").write_text("abc")
    about = {"settings": {"x": 1}, "log_hash": "00"}
    json_file = tmp_path / "a.json"
    assert not is_up_to_date(json_file, about)
    describe(json_file, about | {"files": {"a.wav": 3}})
    assert is_up_to_date(json_file, about)
    assert not is_up_to_date(json_file, about | {"log_hash": "01"})
    assert not is_up_to_date(json_file, about | {"settings": {"x": 2}})
    assert not is_up_to_date(json_file, about | {"new": 1})
    (tmp_path / "a.wav").write_text("ab")
    assert not is_up_to_date(json_file, about)
    (tmp_path / "a.wav").unlink()
    assert not is_up_to_date(json_file, about)
    json_file.write_text("{")
    assert not is_up_to_date(json_file, about)


def test_a_file_that_really_cannot_grow_fails_in_one_line(tmp_path, write_run):
    """The kernel refuses to write on in the middle of rendering: exit 1, nothing half-made."""
    run = write_run(tmp_path / "r", {"grad_norm/a.weight": [1.0] * 2000})

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    command = [sys.executable, "-m", "epochord", "render", "audio", str(run), "--out", "out"]
    done = subprocess.run(
        command, cwd=tmp_path, preexec_fn=limit, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert "out/r/audio.wav: cannot write (File too large)" in done.stderr
    assert done.stderr.count("\n") == 1
    assert list((tmp_path / "out" / "r").iterdir()) == []
