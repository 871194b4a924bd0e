"""What is missing is a line with a command whose source exists: never a bare name."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from epochord.runlog import EpochordError, extras
from epochord.runlog.extras import MissingPackageError, install_command, needing

ROOT = Path(__file__).parents[2]


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """Pretend that this code was installed from somewhere, and lies in no checkout."""
    monkeypatch.setattr(extras, "ROOT", tmp_path / "site-packages")

    def say(direct_url: dict | None) -> None:
        folder = tmp_path / "found" / "epochord-0.1.0.dist-info"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: epochord\nVersion: 0.1.0\n")
        if direct_url is not None:
            (folder / "direct_url.json").write_text(json.dumps(direct_url))
        monkeypatch.syspath_prepend(str(tmp_path / "found"))

    return say


def test_a_checkout_is_its_own_source(monkeypatch):
    """Run from a source tree, installed or not."""
    monkeypatch.setattr(extras, "_direct_url", dict)
    assert install_command("video") == f'pip install "epochord[video] @ {ROOT.as_uri()}"'


def test_an_editable_checkout_stays_editable(installed, monkeypatch, tmp_path):
    """What was installed in place is completed in place."""
    monkeypatch.setattr(extras, "ROOT", ROOT)
    installed({"url": ROOT.as_uri(), "dir_info": {"editable": True}})
    assert install_command("lm") == f'pip install --editable "{ROOT}[lm]"'
    installed({"url": tmp_path.as_uri(), "dir_info": {"editable": True}})  # another one
    assert install_command("lm") == f'pip install "epochord[lm] @ {ROOT.as_uri()}"'


@pytest.mark.parametrize(
    ("direct_url", "source"),
    [
        (
            {"url": "https://host/a.git", "vcs_info": {"vcs": "git", "commit_id": "1f"}},
            "git+https://host/a.git@1f",
        ),
        (
            {
                "url": "https://host/a.git",
                "vcs_info": {"vcs": "git", "commit_id": "1f"},
                "subdirectory": "b",
            },
            "git+https://host/a.git@1f#subdirectory=b",
        ),
        ({"url": "https://host/a.whl", "archive_info": {}}, "https://host/a.whl"),
    ],
)
def test_what_was_installed_from_a_url_is_completed_from_it(installed, direct_url, source):
    """As PEP 610 has it."""
    installed(direct_url)
    assert install_command("remote") == f'pip install "epochord[remote] @ {source}"'


def test_a_local_file_is_named_only_while_it_is_there(installed, tmp_path):
    """A wheel that was built in a temporary folder has mostly gone."""
    wheel = tmp_path / "a b.whl"
    wheel.touch()
    installed({"url": wheel.as_uri(), "archive_info": {}})
    assert install_command("all") == f'pip install "epochord[all] @ {wheel.as_uri()}"'
    wheel.unlink()
    assert install_command("all").startswith("repeat the command that installed epochord")


@pytest.mark.parametrize("direct_url", [None, {}])
def test_without_a_source_the_first_command_is_repeated(installed, direct_url):
    """From an index, whichever it was, nobody but the user knows it."""
    installed(direct_url)
    assert install_command("video") == (
        "repeat the command that installed epochord, with epochord[video] in place of epochord"
    )


def test_a_missing_package_is_both_an_import_error_and_ours():
    """Who catches either is served; what we lack ourselves is no matter of extras."""
    with pytest.raises(MissingPackageError) as caught, needing("a picture", "pictures"):
        import nowhere_to_be_found.at_all  # noqa: F401
    assert isinstance(caught.value, EpochordError)
    assert isinstance(caught.value, ImportError)
    assert str(caught.value).startswith(
        "a picture needs nowhere_to_be_found, which is not installed: pip install "
    )
    with pytest.raises(ModuleNotFoundError, match="epochord"), needing("a picture", "pictures"):
        import epochord.nowhere  # noqa: F401


def test_every_extra_that_a_message_names_is_there():
    """And pip takes what is said."""
    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    rooms = [ROOT / room for room in ("runlog", "recorders", "renderers", "pipeline", "epochord")]
    named = re.compile(r'(?:needing\([^)]*?, |install_command\()["\'](\w+)["\']', re.DOTALL)
    texts = [path.read_text() for room in rooms for path in room.rglob("*.py")]
    found = {extra for text in texts for extra in named.findall(text)}
    assert {"pictures", "video", "record", "lm", "remote", "pandas"} <= found <= set(known)
    bare = re.compile(r"pip install '?\"?epochord")
    assert [text for text in texts if bare.search(text)] == []


@pytest.mark.skipif(sys.platform == "win32", reason="the command is for a POSIX shell")
def test_pip_understands_the_command(tmp_path):
    """Up to the point where it would build."""
    command = install_command("video").replace("pip", f"{sys.executable} -m pip", 1)
    done = subprocess.run(
        f"{command} --dry-run --no-deps --no-index --no-build-isolation --quiet",
        shell=True, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Invalid requirement" not in done.stderr
    assert "not a valid editable" not in done.stderr
