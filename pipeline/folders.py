"""Where logs and results lie, if nothing else is said."""

from pathlib import Path

__all__ = ["RENDERS", "RUNS"]

RUNS = Path("runs")
RENDERS = Path("renders")
