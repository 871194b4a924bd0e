"""What several rooms' tests use: real data, small logs, and one profile for hypothesis."""

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, settings

from epochord.runlog import Layer, Parameter, Run, RunMetadata, Series
from epochord.runlog.ensemble import EnsembleSetup, Predictions
from epochord.runlog.ensemble.tables import ENSEMBLE, ENSEMBLE_SETUP, prediction_rows, setup_rows
from epochord.runlog.parquet import ParquetWriter
from epochord.runlog.run.rows import rows_table
from epochord.runlog.run.run import GRAD_NORM
from epochord.runlog.writing.start import RunLog

# The same examples on every machine; no time limit, since machines are shared.
settings.register_profile(
    "epochord",
    derandomize=True,
    deadline=None,
    max_examples=60,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("epochord")

ROOT = Path(__file__).parents[1]

Columns = Mapping[str, npt.ArrayLike]
WriteRun = Callable[..., Path]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real logs and data sets; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("EPOCHORD_REAL_DATA", "../shared/data")).resolve()
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder} (set EPOCHORD_REAL_DATA)")
    return folder


@pytest.fixture
def heeding_ctrl_c() -> Iterator[None]:
    """Let Ctrl-C interrupt, also where these tests run in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def make_run() -> Callable[..., Run]:
    """Make a run in memory from norms by parameter."""

    def make(norms: Columns, name: str = "mine", **others: npt.ArrayLike) -> Run:
        columns = {GRAD_NORM + key: value for key, value in norms.items()} | others
        series = {
            tag: Series(tag, np.arange(np.size(values)), np.asarray(values, np.float32))
            for tag, values in columns.items()
        }
        layers = [Layer(key.rpartition(".")[0], "", (Parameter(key, (1,)),)) for key in norms]
        return Run(name, RunMetadata(name, layers=layers), series)

    return make


@pytest.fixture
def write_run() -> WriteRun:
    """Write a finished Parquet run: a column of values by tag, null where a value is None."""

    def write(
        directory: Path, columns: Mapping[str, list[float | None]], **metadata: object
    ) -> Path:
        directory.mkdir(parents=True, exist_ok=True)
        about = RunMetadata(directory.name, status="finished").replace(**metadata)
        rows = len(next(iter(columns.values()), []))
        writer = ParquetWriter(directory, about)
        writer.write(
            rows_table(
                np.arange(rows),
                np.arange(rows, dtype=np.float64),
                {
                    tag: (
                        np.array([0 if v is None else v for v in values], np.float32),
                        np.array([v is not None for v in values]),
                    )
                    for tag, values in columns.items()
                },
            )
        )
        writer.complete(about)
        writer.close()
        about.save(directory)
        return directory

    return write


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Make a folder like a fresh clone whose environment is installed: this Python's."""
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    folder = tmp_path / ".venv" / "bin"
    folder.mkdir(parents=True)
    for name, command in (("python", ""), ("epochord", "-m epochord")):
        (folder / name).write_text(f'#!/bin/sh\nexec {sys.executable} {command} "$@"\n')
        (folder / name).chmod(0o755)
    for stamp in (".python", ".base", ".pictures", ".video", ".record", ".model", ".lm", ".dev"):
        (tmp_path / ".venv" / stamp).touch()
    return tmp_path


@pytest.fixture
def write_ensemble() -> Callable[..., Path]:
    """Write the log of an ensemble, as EnsembleRecorder does but from arrays."""

    def write(
        directory: Path,
        epochs: Mapping[int, Predictions],
        setup: EnsembleSetup,
        *,
        format: str = "parquet",
        **about: object,
    ) -> Path:
        metadata = RunMetadata(directory.name, **about)
        log = RunLog(directory, metadata, format=format)
        log.writer.submit(partial(setup_rows, setup, 0.0), ENSEMBLE_SETUP, steps=(0, 0))
        for epoch, predictions in epochs.items():
            batch = partial(prediction_rows, epoch, 1.0, predictions)
            log.writer.submit(batch, ENSEMBLE, steps=(epoch, epoch))
        log.close(max(epochs, default=-1) + 1)
        return directory

    return write


@pytest.fixture
def make_ensemble(write_ensemble, tmp_path) -> Callable[..., Path]:
    """Write an ensemble that learns a straight line from its own random ones: 21 epochs."""

    def make(
        name: str = "lines",
        *,
        members: int = 12,
        epochs: int = 21,
        grid: int = 50,
        seed: int = 0,
        prior: bool = True,
        broken: Mapping[int, int] | None = None,  # by member: from which epoch it is NaN
        format: str = "parquet",
    ) -> Path:
        rng = np.random.default_rng(seed)
        places = {
            "grid": np.linspace(-3, 3, grid),
            "data": np.linspace(-2, 2, 8),
            "held_out": np.linspace(-2.9, 2.9, 20),
        }
        slopes, levels = rng.normal(size=(2, members, 1))
        scaled = {n: rng.normal(size=(members, 1)) * np.sin(2 * x) for n, x in places.items()}

        def predictions(epoch: int) -> Predictions:
            left = np.exp(-epoch / 7)
            found = {
                n: (left * (slopes * x + levels) + (1 - left) * x + 0.3 * scaled[n]).astype("f4")
                for n, x in places.items()
            }
            for member, since in (broken or {}).items():
                if epoch >= since:
                    for values in found.values():
                        values[member] = np.nan
            return Predictions(**found)

        setup = EnsembleSetup(
            grid=places["grid"][:, None],
            data=places["data"][:, None],
            targets=places["data"] + rng.normal(size=8) / 2,
            held_out=places["held_out"][:, None],
            held_out_targets=places["held_out"] + rng.normal(size=20) / 2,
            indices=rng.integers(0, 8, (members, 8)),
            prior=Predictions(**scaled) if prior else None,
            prior_scale=0.3,
        )
        rows = {epoch: predictions(epoch) for epoch in range(epochs)}
        about = {
            "hyperparameters": {"members": members},
            "dataset": {"noise_sd": 0.5},
            "seed": seed,
        }
        return write_ensemble(tmp_path / "runs" / name, rows, setup, format=format, **about)

    return make


SPEAKER = """#!{python} -SE
import os, struct, sys, time, wave
from math import pi, sin
how = {how!r}
if "--version" in sys.argv:
    print("eSpeak NG text-to-speech: {version}  Data at: /somewhere/on/this/machine")
    raise SystemExit
text = sys.stdin.read()
with open({heard!r}, "a") as file:
    file.write(text + "\\n")
path = sys.argv[sys.argv.index("-o" if "-o" in sys.argv else "-w") + 1]
if how == "fails":
    sys.exit("no such\\nvoice")
if how == "is slow":
    time.sleep(60)
if how == "writes text":
    open(path, "w").write("no sound")
if how in ("writes nothing", "writes text"):
    raise SystemExit
rate, sounding = {rate}, {seconds} or 0.05 * len(text)
size = 0 if how == "is silent" else 9000
with wave.open(path, "wb") as file:
    file.setparams((1, 2, rate, 0, "NONE", ""))
    tone = [round(size * sin(2 * pi * 440 * n / rate)) for n in range(round(sounding * rate))]
    rest = [0] * (rate // 5)
    file.writeframes(struct.pack(f"<{{len(tone) + 2 * len(rest)}}h", *rest, *tone, *rest))
"""


@pytest.fixture
def speaks(tmp_path_factory, monkeypatch) -> Callable[..., Path]:
    """Put a program of the name of espeak-ng first on PATH, which hums 440 Hz instead.

    It hums for 50 ms a letter, or for so many seconds, and may fail; what it has heard is in the
    file that is returned.
    """

    def put(
        how: str = "",
        *,
        name: str = "espeak-ng",
        version: str = "1.51",
        rate: int = 22_050,
        seconds: float = 0,
    ) -> Path:
        folder = tmp_path_factory.mktemp("speaker")
        heard = folder / "heard.txt"
        program = folder / name
        program.write_text(
            SPEAKER.format(
                python=sys.executable, how=how, version=version, heard=str(heard), rate=rate,
                seconds=seconds,
            )
        )  # fmt: skip
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
        return heard

    return put


@pytest.fixture
def mute(tmp_path, monkeypatch) -> None:
    """Let no program be on PATH, so that none speaks."""
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
