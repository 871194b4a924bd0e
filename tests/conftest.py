"""What several rooms' tests use: real data, small logs, and one profile for hypothesis."""

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, settings

from runlog import Layer, Parameter, Run, RunMetadata, Series
from runlog.parquet import ParquetWriter
from runlog.rows import rows_table
from runlog.run import GRAD_NORM

# The same examples on every machine; no time limit, since machines are shared.
settings.register_profile(
    "earshot",
    derandomize=True,
    deadline=None,
    max_examples=60,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("earshot")

ROOT = Path(__file__).parents[1]

Columns = Mapping[str, npt.ArrayLike]
WriteRun = Callable[..., Path]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real logs and data sets; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("EARSHOT_REAL_DATA", "../shared/data")).resolve()
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder} (set EARSHOT_REAL_DATA)")
    return folder


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
    for name, command in (("python", ""), ("earshot", "-m pipeline")):
        (folder / name).write_text(f'#!/bin/sh\nexec {sys.executable} {command} "$@"\n')
        (folder / name).chmod(0o755)
    for stamp in (".python", ".render", ".record", ".dev"):
        (tmp_path / ".venv" / stamp).touch()
    return tmp_path
