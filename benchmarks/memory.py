"""Peak memory of rendering sounds of different lengths, each in a process of its own."""

import tempfile
from pathlib import Path

from benchmarks.norms import SECONDS_A_STEP, run_of_norms
from benchmarks.processes import NOT_TOLD, in_new_process, peak_mib, tells_peak
from benchmarks.tables import table

__all__ = ["growth_table"]

LENGTHS = {"1 minute": 60, "1 hour": 3600}  # s
SECOND_BYTES = 44_100 * 4  # float32, mono


def growth_table() -> str:
    """Render each length and return the peaks."""
    if not tells_peak():
        return NOT_TOLD
    rows = []
    for length, seconds in LENGTHS.items():
        ready, peak = in_new_process(_render, seconds)
        cells = (ready, peak, peak - ready, seconds * SECOND_BYTES / 2**20)
        rows.append([length, *(f"{size:.0f}" for size in cells)])
    head = ["sound", "ready, MiB", "peak, MiB", "growth, MiB", "its samples, MiB"]
    return table("Peak memory of render_audio, in a process of its own", head, rows)


def _render(seconds: int) -> tuple[float, float]:
    """Return the peak in MiB before and after rendering so much sound."""
    from renderers.audio import AudioSettings, render_audio

    original = AudioSettings(voicing="original")

    with tempfile.TemporaryDirectory() as folder:
        render_audio(
            run_of_norms(10), Path(folder, "first"), original
        )  # what is loaded only when used
        ready = peak_mib()
        render_audio(run_of_norms(round(seconds / SECONDS_A_STEP)), Path(folder, "timed"), original)
        return ready, peak_mib()
