"""Installed: one package and no more, light, whatever else is there; and checkouts without links.

Building and installing need the package index that pip is set up for; without it these tests say
why they are skipped.
"""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.summary.writer.event_file_writer import EventFileWriter

ROOT = Path(__file__).parents[1]
ROOMS = ("pipeline", "recorders", "renderers", "runlog")
ABSENT = {"numba", "librosa", "matplotlib", "tensorboard", "grpcio", "scikit-learn", "pandas"}
MOST_BYTES = 400e6
SIZES = (
    "from importlib.metadata import distributions as found\n"
    "import json\n"
    "print(json.dumps({each.name.lower(): sum(file.size or 0 for file in each.files or ()) "
    "for each in found()}))"
)


def run(*command: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program that knows of no checkout."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300
    )


@pytest.fixture(scope="module")
def light(tmp_path_factory) -> Path:
    """Give the Python of a new environment that holds somebody else's `renderers`."""
    folder = tmp_path_factory.mktemp("light")
    assert run(sys.executable, "-m", "venv", folder).returncode == 0
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    pip = (python, "-m", "pip", "install", "--quiet", "--retries", "1", "--timeout", "15")
    done = run(*pip, "--no-deps", "renderers")
    if done.returncode:
        pytest.skip(f"the package index cannot be used: {done.stderr.strip().splitlines()[-1]}")
    return python


@pytest.fixture(scope="module")
def built(light, tmp_path_factory) -> tuple[Path, Path]:  # noqa: ARG001 - the index answers
    """Build the source distribution, and the wheel from it."""
    folder = tmp_path_factory.mktemp("built")
    done = run(sys.executable, "-m", "build", "--outdir", folder, ROOT)
    assert done.returncode == 0, done.stderr
    (wheel,), (source,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, source


@pytest.fixture(scope="module")
def installed(light, built) -> Path:
    """Install the wheel, and what it asks for, beside what is there."""
    done = run(light, "-m", "pip", "install", "--quiet", built[0])
    assert done.returncode == 0, done.stderr
    return light


def test_wheel_and_source_hold_one_package_and_no_link(built):
    """All of it: the rooms with their data, and that the package is typed."""
    wheel, source = built
    with zipfile.ZipFile(wheel) as archive:
        names = [each.filename for each in archive.infolist()]
        links = [each.filename for each in archive.infolist() if each.external_attr >> 28 == 0o12]
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"epochord"}
    assert links == []
    with tarfile.open(source) as archive:
        inside = [each.name.split("/", 1)[1] for each in archive.getmembers() if "/" in each.name]
        assert [each.name for each in archive.getmembers() if each.issym() or each.islnk()] == []
    assert {name.split("/")[0] for name in inside if "/" in name} == {"epochord"}
    tracked = run("git", "ls-files", *ROOMS, "epochord/py.typed", cwd=ROOT)
    if tracked.returncode == 0:
        there = {f"epochord/{name.removeprefix('epochord/')}" for name in tracked.stdout.split()}
        assert there - set(names) == set()
        assert there - set(inside) == set()


def test_a_checker_of_wheels_is_silent(built):
    """Nothing generic at the top level, nothing twice, nothing left out."""
    done = run(sys.executable, "-m", "check_wheel_contents", built[0])
    assert (done.returncode, done.stdout.strip()) == (0, f"{built[0]}: OK")


def test_the_base_is_light(installed):
    """By the sizes that the packages' own RECORD files give; pip came with the environment."""
    sizes = json.loads(run(installed, "-c", SIZES).stdout)
    assert ABSENT & set(sizes) == set()
    ours = {name: size for name, size in sizes.items() if name not in ("pip", "setuptools")}
    assert "epochord" in ours
    assert sum(ours.values()) <= MOST_BYTES, ours


@pytest.fixture
def work(tmp_path, write_run) -> Path:
    """Make a user's folder: logs, and packages that happen to be called as our rooms."""
    for room in ROOMS:
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").write_text("raise RuntimeError('the user owns this')\n")
    write_run(tmp_path / "runs" / "own", {"loss": [3.0, 2.0, 1.0, None]})
    writer = EventFileWriter(str(tmp_path / "events"))
    for step in range(3):
        event = Event(step=step)
        event.summary.value.add(tag="loss", simple_value=3 - step)
        writer.add_event(event)
    writer.close()
    (tmp_path / "table.csv").write_text("step,loss\n0,3\n1,2\n2,1\n")
    return tmp_path


@pytest.mark.parametrize(
    ("log", "name"), [("runs/own", "own"), ("events", "events"), ("table.csv", "table")]
)
def test_every_kind_of_log_is_rendered_beside_others_packages(installed, work, log, name):
    """As a command and as a module, from a folder whose own packages have our rooms' names."""
    program = installed.with_name("epochord")
    for command in ([program], [installed, "-m", "epochord"]):
        done = run(*command, "render", "audio", log, cwd=work)
        assert done.returncode == 0, done.stderr
        assert done.stdout.split() == [f"renders/{name}/audio.wav"]
    theirs = "import importlib.util as u; print(u.find_spec('renderers').origin)"
    found = Path(run(installed, "-c", theirs, cwd=work.parent).stdout.strip())
    assert found.parent.name == "renderers"
    assert found.parent.parent.name == "site-packages"


def test_what_is_missing_names_the_wheel_that_was_installed(installed, built, work):
    """One line, exit code 1, and a source that exists."""
    done = run(installed, "-m", "epochord", "compare", "own", "table.csv", cwd=work)
    assert done.returncode == 1
    (line,) = [each for each in done.stderr.splitlines() if "error:" in each]
    assert f'pip install "epochord[pictures] @ {built[0].as_uri()}"' in line


@pytest.fixture
def without_links(tmp_path) -> Path:
    """Copy the checkout as git writes it where there are no links: a small file for each."""
    folder = tmp_path / "checkout"
    ignored = shutil.ignore_patterns("__pycache__")
    for room in ROOMS:
        shutil.copytree(ROOT / room, folder / room, ignore=ignored)
    (folder / "epochord").mkdir()
    for path in (ROOT / "epochord").iterdir():
        if path.is_symlink():
            (folder / "epochord" / path.name).write_text(path.readlink().as_posix())
        elif path.is_file():
            shutil.copy(path, folder / "epochord")
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def test_a_checkout_without_links_works(without_links, work):
    """The rooms are taken from the root of the checkout."""
    command = [sys.executable, "-m", "epochord", "export", work / "table.csv"]
    done = run(*command, "-o", work / "out.csv", cwd=without_links)
    assert done.returncode == 0, done.stderr
    assert "table,loss" in (work / "out.csv").read_text().replace('"', "")
    where = "import epochord.runlog.export as m; print(m.__file__)"
    told = run(sys.executable, "-c", where, cwd=without_links).stdout.strip()
    assert Path(told) == without_links / "runlog" / "export.py"


def test_an_installation_without_rooms_says_what_to_do(without_links):
    """In one line; what was built from such a checkout holds no code."""
    (without_links / "pyproject.toml").unlink()
    done = run(sys.executable, "-m", "epochord", "inspect", cwd=without_links)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "without symbolic links" in line
    assert "pip install --editable CHECKOUT" in line
