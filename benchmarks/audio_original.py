"""The voicing `original` against the loop of the experiment that Epochord grew from.

Both make the same samples (this is checked): per step and layer a tone of
10 ms, after each step 20 ms of silence, at 44,100 Hz.
"""

import tempfile
import wave
from collections.abc import Callable, Iterable
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.measure import CpuTimes, interleaved, ratios, spread
from benchmarks.norms import LAYERS, run_of_norms
from benchmarks.tables import table
from benchmarks.targets import Part
from epochord.renderers.audio import AudioSettings, render_audio
from epochord.renderers.audio.scoring.style import Style
from epochord.renderers.audio.scoring.voicings import original
from epochord.renderers.audio.synthesis.blocks import blocks
from epochord.renderers.timeline.reduction import reduce
from epochord.renderers.timeline.timeline import timeline
from epochord.runlog import Run

__all__ = ["loop", "measured"]

STEPS = 20_000
ROUNDS = 5
SAMPLE_RATE = 44_100  # Hz
OURS, LOOP = "Epochord, samples", "loop, samples"
OURS_FILE, LOOP_FILE = "Epochord, files", "loop, file"

ORIGINAL = AudioSettings(voicing="original")

Samples = npt.NDArray[np.float32]


def measured() -> Part:
    """Measure both and return the table."""
    run = run_of_norms(STEPS)
    _require_equal(run)
    with tempfile.TemporaryDirectory() as folder:
        fresh = (Path(folder, str(number)) for number in count())
        works: dict[str, Callable[[], object]] = {
            OURS: partial(_samples, run),
            LOOP: lambda: loop(_rows(run)),
            OURS_FILE: lambda: render_audio(run, next(fresh), ORIGINAL),
            LOOP_FILE: lambda: _loop_to_file(run, next(fresh)),
        }
        times = interleaved(works, rounds=ROUNDS)
    return Part([_speed_table(times)])


def loop(rows: Iterable[npt.NDArray[np.float32]]) -> Samples:
    """Make the sound as the original does: one `np.sin` a tone, all joined at the end.

    Parameters
    ----------
    rows : iterable of np.ndarray [shape=(layers,), float32]
        A step's norms each.
    """
    silence = np.zeros(int(0.02 * SAMPLE_RATE), dtype=np.float32)
    pieces = []
    for step in rows:
        for norm in step:
            pitch = np.float32(200.0) + norm * np.float32(100.0)
            angle = 2 * np.pi * np.arange(SAMPLE_RATE * 0.01) * pitch / SAMPLE_RATE
            pieces.append(np.float32(0.1) * np.sin(angle).astype(np.float32))
        pieces.append(silence)
    return np.concatenate(pieces)


def _samples(run: Run) -> int:
    """Go from the run to its samples, block by block; return how many there are."""
    score = original(reduce(timeline(run)), Style())
    return sum(len(block) for block in blocks(score))


def _rows(run: Run) -> npt.NDArray[np.float32]:
    return np.stack([run[tag].values for tag in run.series], axis=1)


def _loop_to_file(run: Run, folder: Path) -> None:
    folder.mkdir()
    with wave.open(str(folder / "audio.wav"), "wb") as file:
        file.setparams((1, 4, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(loop(_rows(run)).tobytes())


def _require_equal(run: Run) -> None:
    score = original(reduce(timeline(run)), Style())
    if not np.array_equal(np.concatenate(list(blocks(score))), loop(_rows(run))):
        raise AssertionError("the loop and Epochord make different samples: nothing to compare")


def _speed_table(times: CpuTimes) -> str:
    seconds = _samples(run_of_norms(1)) * STEPS / SAMPLE_RATE
    rows = []
    for name, to in ((OURS, LOOP), (LOOP, LOOP), (OURS_FILE, LOOP_FILE), (LOOP_FILE, LOOP_FILE)):
        speed = spread(seconds / times[name])
        rows.append([name, speed.text(0), ratios(times, name, to=to).text()])
    head = ["from a run to", "audio s a CPU s", "CPU time ÷ loop"]
    title = f"`original`: {STEPS:,} steps × {LAYERS} layers, {seconds:,.0f} s of sound"
    return table(f"{title}, {ROUNDS} rounds: median (quartiles)", head, rows)
