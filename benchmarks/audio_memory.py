"""Peak memory of rendering sounds of different lengths, each in a process of its own."""

import tempfile
from pathlib import Path

from benchmarks.norms import SECONDS_A_STEP, run_of_norms
from benchmarks.processes import NOT_TOLD, in_new_process, peak_mib, tells_peak
from benchmarks.tables import table
from benchmarks.targets import Part, at_most

__all__ = ["measured"]

LENGTHS = {"1 minute": 60, "1 hour": 3600}  # s
CHANNELS = {"lanes": 2, "original": 1}
SECOND_BYTES = 44_100 * 4  # float32, a channel

MOST_MORE = 50e6 / 2**20  # MiB, of an hour of lanes, than a minute takes


def measured() -> Part:
    """Render each length and return the peaks."""
    if not tells_peak():
        return Part([NOT_TOLD])
    growths, rows = {}, []
    for voicing, channels in CHANNELS.items():
        for length, seconds in LENGTHS.items():
            ready, peak = in_new_process(_render, voicing, seconds)
            growths[voicing, length] = peak - ready
            cells = (ready, peak, peak - ready, seconds * channels * SECOND_BYTES / 2**20)
            rows.append([voicing, length, *(f"{size:.0f}" for size in cells)])
    head = ["voicing", "sound", "ready, MiB", "peak, MiB", "growth, MiB", "its samples, MiB"]
    title = "Peak memory of render_audio, in a process of its own"
    more = growths["lanes", "1 hour"] - growths["lanes", "1 minute"]
    target = at_most("lanes, MiB that an hour takes more than a minute", more, MOST_MORE)
    return Part([table(title, head, rows)], [target])


def _render(voicing: str, seconds: int) -> tuple[float, float]:
    """Return the peak in MiB before and after rendering so much sound."""
    from epochord.renderers.audio import AudioSettings, render_audio

    with tempfile.TemporaryDirectory() as folder:
        # First what is loaded only when used.
        for name, length in (("first", 10 * SECONDS_A_STEP), ("measured", seconds)):
            ready = peak_mib()
            settings = AudioSettings(voicing=voicing, duration=length)
            render_audio(run_of_norms(round(length / SECONDS_A_STEP)), Path(folder, name), settings)
        return ready, peak_mib()
