"""Commands import what they need, and no more: that is what they cost before they begin."""

import subprocess
import sys
from pathlib import Path

import pytest
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.summary.writer.event_file_writer import EventFileWriter

# What takes longer to import than a short sound takes to be made, or is not in the base install.
HEAVY = {
    *("torch", "transformers", "librosa", "numba", "matplotlib", "PIL", "soxr", "sklearn"),
    *("pandas", "pyarrow.dataset", "scipy.signal", "scipy.stats", "scipy.special", "scipy.fft"),
    *("tensorboard", "grpc", "fsspec", "upath", "joblib"),
}
PROGRAM = """
import sys
from epochord.__main__ import run
code = 0
try:
    run()
except SystemExit as done:
    code = done.code or 0
print("CODE", code, "LOADED", *sorted(set({heavy}) & set(sys.modules)), file=sys.stderr)
"""


def loaded(folder: Path, *arguments: str, more: tuple[str, ...] = ()) -> str:
    """Run a command in a process of its own and tell how it ended and what it has imported."""
    command = [sys.executable, "-c", PROGRAM.format(heavy=sorted(HEAVY | {*more})), *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    return done.stderr.splitlines()[-1]


@pytest.fixture
def logs(tmp_path, write_run):
    """Make a run of ours, one of TensorBoard's, and a table."""
    write_run(tmp_path / "runs" / "sgd", {"loss": [1.0, None, 0.5], "grad_norm/a": [1, 2, 3]})
    writer = EventFileWriter(str(tmp_path / "events"))
    for step in range(5):
        event = Event(step=step)
        event.summary.value.add(tag="loss", simple_value=9 - step)
        writer.add_event(event)
    writer.close()
    (tmp_path / "ten.csv").write_text("step,loss\n" + "".join(f"{n},{9 - n}\n" for n in range(9)))
    return tmp_path


def test_the_version_imports_nothing_at_all(logs):
    """Not even NumPy."""
    assert loaded(logs, "--version", more=("numpy", "pyarrow", "typer")) == "CODE 0 LOADED"


@pytest.mark.parametrize(
    "arguments",
    [
        ("inspect", "runs/sgd"),
        ("inspect", "ten.csv", "--json"),
        ("inspect", "events"),
        ("export", "runs/sgd", "ten.csv"),
        ("render", "audio", "runs/sgd"),
        ("render", "audio", "ten.csv"),
        ("render", "audio", "events"),
        ("render", "audio", "ten.csv", "--voicing", "original"),
        ("compare", "--help"),
        ("record", "--help"),
    ],
)
def test_looking_and_listening_import_nothing_heavy(logs, arguments):
    """Reading a log, in whatever format, and making a sound of it."""
    assert loaded(logs, *arguments) == "CODE 0 LOADED"


WRITE = """
import sys
import numpy as np
from functools import partial
from pathlib import Path
from epochord.runlog.digits.tables import LAYER_DIGITS, digit_rows
from epochord.runlog.ensemble import EnsembleSetup, Predictions
from epochord.runlog.ensemble.tables import ENSEMBLE, ENSEMBLE_SETUP, prediction_rows, setup_rows
from epochord.runlog.run.metadata import RunMetadata
from epochord.runlog.run.rows import rows_table
from epochord.runlog.writing.start import RunLog

log = RunLog(Path("written"), RunMetadata("written"), format="both")
places = np.zeros((4, 1))
predictions = Predictions(grid=np.ones((2, 4), "f2"), data=np.ones((2, 4), "f2"),
                          held_out=np.ones((2, 4), "f2"))
setup = EnsembleSetup(grid=places, data=places, targets=places[:, 0], held_out=places,
                      held_out_targets=places[:, 0], indices=np.zeros((2, 4), int))
measured = np.array([True, False])
columns = {{"loss": (np.ones(2, np.float32), measured), "lr": (np.ones(2, np.float32), ~measured)}}
log.writer.submit(partial(rows_table, np.arange(2), np.zeros(2), columns), steps=(0, 1))
log.writer.submit(partial(digit_rows, 0, 0.0, {{"weight": {{"a": np.ones(13), "b": None}}}}),
                  LAYER_DIGITS, steps=(0, 0))
log.writer.submit(partial(setup_rows, setup, 0.0), ENSEMBLE_SETUP, steps=(0, 0))
log.writer.submit(partial(prediction_rows, 0, 0.0, predictions), ENSEMBLE, steps=(0, 0))
log.close(2)
print("LOADED", *sorted(set({heavy}) & set(sys.modules)))
"""


def test_writing_a_log_imports_nothing_heavy(tmp_path):
    """Nothing of it falls into the middle of a training: all tables, in both formats."""
    program = WRITE.format(heavy=sorted(HEAVY))
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("LOADED\n", "")
