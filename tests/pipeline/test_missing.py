"""Without an optional package a command does what it can, or says in a line what to install."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

OPTIONAL = [
    *(
        "pandas",
        "matplotlib",
        "librosa",
        "numba",
        "llvmlite",
        "soxr",
        "PIL",
        "imageio_ffmpeg",
        "mido",
    ),
    *("torch", "torchvision", "tensorboard", "grpc", "transformers", "sklearn", "s3fs"),
]
BLOCKED = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
"""
COMMAND = "from epochord.__main__ import run\nrun()"


def without(names: list[str], folder: Path, program: str, *arguments: str):
    """Run a program where some packages cannot be imported."""
    return subprocess.run(
        [sys.executable, "-c", BLOCKED.format(names=names) + program, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def logs(tmp_path, write_run, make_ensemble):
    """Make runs, an ensemble, and sounds of two sample rates."""
    for name in ("one", "two"):
        values = np.random.default_rng(len(name)).lognormal(size=60).tolist()
        write_run(tmp_path / "runs" / name, {"loss": values, "grad_norm/a": values})
    make_ensemble("ensemble", members=3, epochs=2, grid=9)
    for rate in (44_100, 48_000):
        time = np.arange(rate) / rate
        soundfile.write(tmp_path / f"{rate}.wav", np.sin(2 * np.pi * 440 * time) / 2, rate)
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ("--version",),
        ("inspect", "runs/one"),
        ("inspect", "ensemble"),
        ("export", "runs/one"),
        ("render", "audio", "runs/one"),
        ("render", "audio", "runs/one", "--out", "sound.mp3"),
        ("render", "audio", "runs/one", "--to-tensorboard", "logs"),
        ("compare", "--help"),
    ],
)
def test_the_base_needs_none_of_them(logs, arguments):
    """Inspecting, exporting and rendering sound."""
    done = without(OPTIONAL, logs, COMMAND, *arguments)
    assert done.returncode == 0, done.stderr


def test_a_sound_is_decoded_without_them(logs):
    """The proof that the numbers are in it needs no more than the base."""
    made = without(OPTIONAL, logs, COMMAND, "render", "audio", "runs/one", "--voicing", "lanes")
    assert made.returncode == 0
    done = without(OPTIONAL, logs, COMMAND, "decode", "renders/one/audio.wav")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("package", "extra", "arguments"),
    [
        ("matplotlib", "pictures", ("compare", "one", "two")),
        ("librosa", "pictures", ("compare", "44100.wav", "44100.wav")),
        ("soxr", "pictures", ("compare", "44100.wav", "48000.wav")),
        ("librosa", "pictures", ("compare", "44100.wav", "44100.wav", "--dtw")),
        ("matplotlib", "pictures", ("page", "one")),
        ("librosa", "pictures", ("page", "one")),
        ("PIL", "pictures", ("page", "one")),
        ("matplotlib", "pictures", ("render", "benford", "one")),
        ("matplotlib", "video", ("render", "ensemble", "ensemble")),
        ("numba", "video", ("render", "ensemble", "ensemble")),
        ("imageio_ffmpeg", "video", ("render", "ensemble", "ensemble", "--duration", "1")),
        ("torch", "record", ("record", "sgd")),
        ("torch", "record", ("record", "ensemble")),
        ("torchvision", "record", ("record", "sgd", "--data", "mnist")),
        ("torch", "lm", ("record", "benford", "--model", ".")),
        ("transformers", "lm", ("record", "benford", "--model", ".")),
        ("s3fs", "remote", ("inspect", "s3://bucket/run")),
        ("mido", "midi", ("render", "audio", "one", "--midi")),
    ],
)
def test_a_missing_package_is_one_line_with_the_remedy(logs, package, extra, arguments):
    """What needs what, and a command whose source exists; exit code 1, and no traceback."""
    done = without([package], logs, COMMAND, *arguments)
    errors = [line for line in done.stderr.splitlines() if "error:" in line]
    assert done.returncode == 1
    assert len(errors) == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert package.removeprefix("imageio_") in errors[0]
    assert f"epochord[{extra}] @ file://" in errors[0] or f'[{extra}]"' in errors[0]
    assert "pip install " in errors[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("render ensemble nope", "nope: no such file or folder"),
        ("render ensemble one", "run 'one' has no ensemble table"),
        ("render ensemble ensemble -o x.wav", "x.wav: .wav is not made here"),
        ("render ensemble ensemble --show membres", "did you mean 'members'?"),
        ("render ensemble ensemble --member 7", "has no member 7"),
        ("render benford nope", "nope: no such file or folder"),
        ("render benford -o b.pdf x", "b.pdf: .pdf is not made here"),
        ("record benford --device foo", "--device is 'foo'; expected one of cpu"),
        ("record benford --model ./nope", "./nope: no such folder"),
        ("record sgd --steps 0", "expected at least 1"),
        ("compare nope one", "nope: no such file or folder"),
        ("compare one two --threshold x", "expected a number"),
        ("page nope", "nope: no such file or folder"),
    ],
)
def test_inputs_and_options_are_looked_at_before_packages(logs, arguments, message):
    """Whoever has mistyped something is not sent to install something."""
    done = without(OPTIONAL, logs, COMMAND, *arguments.split())
    assert done.returncode in (1, 2)
    assert message in done.stderr
    assert "pip install" not in done.stderr


@pytest.mark.parametrize(
    ("package", "program"),
    [
        ("pandas", "from epochord.runlog import open_run; open_run('runs/one').frame()"),
        ("matplotlib", "import epochord.renderers.benford"),
        ("numba", "from epochord.renderers.ensemble import render_ensemble"),
        (
            "librosa",
            "from epochord.renderers.pictures.spectrogram import mel_bands\n"
            "    mel_bands(44_100, 2048, 16)",
        ),
    ],
)
def test_the_library_raises_one_error(logs, package, program):
    """Ours, which is an ImportError too."""
    caught = (
        "from epochord.runlog import EpochordError\ntry:\n    "
        + program
        + "\nexcept EpochordError as error:\n    print(isinstance(error, ImportError), error)"
    )
    done = without([package], logs, caught)
    assert done.stderr == ""
    assert f"needs {package}, which is not installed: pip install " in done.stdout
    assert done.stdout.startswith("True")


LISTED = """
import epochord as ep, inspect, pydoc
print(set(ep.__all__) <= {name for name, _ in inspect.getmembers(ep)})
print(all(hasattr(ep, name) for name in dir(ep)))
print("register_voicing" in pydoc.render_doc(ep))
from epochord import *
print(ep.EpochordError is EpochordError)
for use in (GradientRecorder, render_benford, ep.EnsembleResult):
    try:
        use("anything", at="all")
    except ep.EpochordError as error:
        print(error)
"""


def test_what_lacks_a_package_can_be_listed_and_says_so_when_it_is_used(tmp_path):
    """As help(), dir(), hasattr(), inspect and a star import do without asking."""
    done = without(OPTIONAL, tmp_path, LISTED)
    assert done.stderr == ""
    *listed, recorder, benford, ensemble = done.stdout.splitlines()
    assert listed == ["True"] * 4
    assert recorder.startswith("recording needs torch, which is not installed: pip install ")
    assert benford.startswith("drawing first digits needs matplotlib, which is not installed: ")
    assert ensemble.startswith("rendering ensembles needs ")
