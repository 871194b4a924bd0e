"""Runs the examples of this folder, in an empty folder with two small runs and no sound card."""

import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

from epochord.runlog import RunMetadata
from epochord.runlog.parquet import METRICS

pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser()], patterns=["*.md"], fixtures=["runs", "sounddevice"]
).pytest()


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Enter a folder with two runs of two layers, the second of which parts from the first."""
    before, folder = Path.cwd(), tmp_path_factory.mktemp("examples")
    steps = np.arange(100)
    for name, factor in (("sgd", 1.0), ("adam", 3.0)):
        loss = 2.5 * np.exp(-steps / 30) + 0.1
        norms = {f"grad_norm/{layer}.weight": loss * factor ** (steps > 50) for layer in "ab"}
        columns = {"loss": loss, "lr": 0.1 / (1 + steps), **norms}
        floats = {tag: values.astype(np.float32) for tag, values in columns.items()}
        (folder / "runs" / name).mkdir(parents=True)
        RunMetadata(name, status="finished").save(folder / "runs" / name)
        table = pa.table({"step": steps, "wall_time": steps.astype(np.float64), **floats})
        pq.write_table(table, folder / "runs" / name / METRICS)
    mpl.use("agg")
    os.chdir(folder)
    yield folder
    os.chdir(before)


class Stream:
    """Takes blocks as a sound card's output stream does, and holds it to what that takes."""

    def __init__(self, samplerate: float, channels: int) -> None:
        assert samplerate == 44_100
        self.channels = channels

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def write(self, data: npt.NDArray[np.float32]) -> None:
        """Accept what PortAudio accepts: C-contiguous float32 [shape=(frames, channels)]."""
        assert data.dtype == np.float32
        assert data.flags.c_contiguous
        assert data.ndim == 2
        assert data.shape[1] == self.channels


@pytest.fixture(scope="module")
def sounddevice() -> SimpleNamespace:
    """Stand for the package, and for a sound card."""
    return SimpleNamespace(OutputStream=Stream)
