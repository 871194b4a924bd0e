"""Peak memory of rendering sounds of different lengths, each in a process of its own."""

import multiprocessing
import re
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks.norms import SECONDS_A_STEP, run_of_norms
from benchmarks.tables import table

__all__ = ["growth_table"]

LENGTHS = {"1 minute": 60, "1 hour": 3600}  # s
SECOND_BYTES = 44_100 * 4  # float32, mono
STATUS = Path("/proc/self/status")  # Linux


def growth_table() -> str:
    """Render each length and return the peaks."""
    if not STATUS.is_file():
        return "Peak memory: not measured, this system does not tell it as Linux does."
    rows = []
    for length, seconds in LENGTHS.items():
        ready, peak = _in_new_process(seconds)
        cells = (ready, peak, peak - ready, seconds * SECOND_BYTES / 2**20)
        rows.append([length, *(f"{size:.0f}" for size in cells)])
    head = ["sound", "ready, MiB", "peak, MiB", "growth, MiB", "its samples, MiB"]
    return table("Peak memory of render_audio, in a process of its own", head, rows)


def _in_new_process(seconds: int) -> tuple[float, float]:
    # "spawn": a forked process would begin with all that this one holds.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(_render, seconds).result()


def _render(seconds: int) -> tuple[float, float]:
    """Return the peak in MiB before and after rendering so much sound."""
    from renderers.audio import render_audio

    with tempfile.TemporaryDirectory() as folder:
        render_audio(run_of_norms(10), Path(folder, "first"))  # what is loaded only when used
        ready = _peak()
        render_audio(run_of_norms(round(seconds / SECONDS_A_STEP)), Path(folder, "timed"))
        return ready, _peak()


def _peak() -> float:
    """Return the largest resident size so far in MiB (not ru_maxrss, which a parent hands down)."""
    kibibytes = re.search(r"VmHWM:\s+(\d+)", STATUS.read_text(encoding="ascii"))
    if kibibytes is None:
        raise RuntimeError(f"{STATUS} has no VmHWM")
    return int(kibibytes[1]) / 1024
