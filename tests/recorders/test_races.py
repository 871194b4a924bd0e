"""Some of the races that `benchmarks.races` holds by the hundred."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(sys.platform != "linux", reason="watches processes as Linux shows them")
def test_writers_that_race_for_a_run():
    """One owns the run at a time; no acknowledged row is lost, none is mixed."""
    command = [sys.executable, "-m", "benchmarks.races", "--races", "6", "--seed", "1"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
