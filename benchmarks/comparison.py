"""What `epochord compare` costs as a whole process, and whether it finds what is there.

Each comparison is a process of its own, from starting Python to the last file; all
that it imports and draws counts.  numba's cache is warm.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from benchmarks.measure import cpu_seconds, spread
from benchmarks.norms import run_of_norms
from benchmarks.tables import table
from benchmarks.targets import Part, Target, at_most, joined
from epochord.renderers.comparison import Clip, compare_clips, compare_runs, open_clip
from epochord.runlog import Run

__all__ = ["report"]

RATE = 44_100
ROUNDS = 5
MINUTE, TEN_MINUTES = 60, 600  # s
MOST_CPU_S = 5.0  # for a minute
MOST_MIB = {MINUTE: 400e6 / 2**20, TEN_MINUTES: 1e9 / 2**20}
EVENT, MOVED = 30.0, 33.0  # s
PACKAGES = ("librosa", "matplotlib", "numba", "soundfile", "soxr")

# The command, and the most memory that its process has had.
COMMAND = """
import sys
from pathlib import Path
from benchmarks.processes import peak_mib
from epochord.pipeline.cli import main

place = Path(sys.argv.pop(1))
try:
    main()
finally:
    place.write_text(str(peak_mib()))
"""


def report() -> str:
    """Measure cost and findings, and return the tables."""
    with tempfile.TemporaryDirectory() as folder:
        return joined([_cost(Path(folder)), _findings(Path(folder))])


# Cost


def _cost(folder: Path) -> Part:
    rows, targets = [], []
    for what, seconds, paths, options in _work(folder):
        times, peaks = _measured(folder, paths, options)
        rows.append([what, spread(times).text(2), f"{max(peaks):.0f}"])
        targets += _targets(what, seconds, times, peaks)
    head = ["what", "CPU s", "peak, MiB"]
    title = f"`epochord compare`, whole process, {ROUNDS} rounds: median (quartiles), greatest peak"
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return Part([table(title, head, rows)], targets, [versions])


def _work(folder: Path) -> list[tuple[str, int, list[Path], list[str]]]:
    """Return what is compared: name, length, paths, options."""
    clips = {
        seconds: [
            _clip(folder / f"{name}{seconds}.wav", seconds, event)
            for name, event in (("a", seconds / 2), ("b", seconds / 2 + 3))
        ]
        for seconds in (MINUTE, TEN_MINUTES)
    }
    logs = [_log(folder / f"run{number}.csv", number) for number in range(8)]
    return [
        ("two clips of a minute", MINUTE, clips[MINUTE], []),
        ("the same with --dtw", 0, clips[MINUTE], ["--dtw"]),
        ("two clips of ten minutes", TEN_MINUTES, clips[TEN_MINUTES], []),
        ("two runs, 1,000 steps of 4 layers", 0, logs[:2], []),
        ("eight such runs", 0, logs, []),
    ]


def _measured(
    folder: Path, paths: Sequence[Path], options: Sequence[str]
) -> tuple[list[float], list[float]]:
    """Return CPU seconds and peaks in MiB of each round but the first, which warms up."""
    times, peaks = [], []
    for number in range(ROUNDS + 1):
        place = folder / "peak"
        command = [sys.executable, "-c", COMMAND, str(place), "compare", *map(str, paths)]
        command += [*options, "--out", str(folder / f"out{number}")]
        seconds = cpu_seconds(lambda command=command: _run(command))
        if number:
            times.append(seconds)
            peaks.append(float(place.read_text()))
        shutil.rmtree(folder / f"out{number}")
    return times, peaks


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, capture_output=True)


def _targets(
    what: str, seconds: int, times: Sequence[float], peaks: Sequence[float]
) -> list[Target]:
    found = []
    if seconds == MINUTE:
        found.append(at_most(f"{what}, CPU s", spread(times).median, MOST_CPU_S))
    if seconds in MOST_MIB:
        found.append(at_most(f"{what}, peak MiB", max(peaks), MOST_MIB[seconds]))
    return found


# Findings


def _findings(folder: Path) -> Part:
    moved = _pair([_opened(folder, "one", EVENT), _opened(folder, "other", MOVED)], folder)
    quiet = _pair([_opened(folder, "one", EVENT), _opened(folder, "quiet", EVENT, 0.1)], folder)
    same = _pair([_opened(folder, "one", EVENT), _opened(folder, "copy", EVENT)], folder)
    steps = _pair([_eventful("one", 500), _eventful("other", 550)], folder)
    rows = [
        ["change at 30 s, or at 33 s", *_told(moved)],
        ["copy 20 dB quieter", *_told(quiet)],
        ["copy", *_told(same)],
        ["run: burst at step 500, or at step 550", *_told(steps)],
    ]
    head = ["difference", "first, s", "step", "above 3 dB, s", "level, dB", "RMS, dB"]
    targets = [
        at_most("moved change, first divergence: off by s", abs(moved["first"]["time"] - 30), 0.03),
        at_most("moved change, seconds above: off by", abs(moved["seconds_above"] - 3), 0.1),
        at_most("moved burst, first step: off by", abs(steps["first"]["step"] - 500), 0),
        at_most("quieter copy, level: off by dB", abs(quiet["level_db"] + 20), 0.01),
        at_most("copy, RMS difference in dB", same["rms_db"], 0),
    ]
    return Part([table("What is found", head, rows)], targets)


def _told(sound: dict[str, Any]) -> list[str]:
    first = sound["first"] or {"time": None, "step": None}
    time, step = first["time"], first["step"]
    return [
        "–" if time is None else f"{time:.2f}",
        "–" if step is None else f"{step}",
        f"{sound['seconds_above']:.2f}",
        f"{sound['level_db']:.2f}",
        f"{sound['rms_db']:.2f}",
    ]


def _pair(what: Sequence[Any], folder: Path) -> dict[str, Any]:
    compare = compare_clips if isinstance(what[0], Clip) else compare_runs
    made = compare(what, folder / "found")
    sound: dict[str, Any] = json.loads(made.paths[-1].read_text())["pairs"][0]["sound"]
    return sound


# What is compared


def _opened(folder: Path, name: str, event: float, factor: float = 1.0) -> Clip:
    return open_clip(_clip(folder / f"{name}.wav", MINUTE, event, factor), name)


def _clip(path: Path, seconds: int, event: float, factor: float = 1.0) -> Path:
    """Write two tones in noise, stereo, one of which changes its pitch at some time."""
    rng = np.random.default_rng(0)
    with soundfile.SoundFile(path, "w", RATE, 2, "PCM_16") as file:
        for second in range(seconds):
            time = second + np.arange(RATE) / RATE
            upper = np.where(time < event, _sine(880, time), _sine(1320, time))
            mono = 0.1 * _sine(220, time) + 0.1 * upper + rng.normal(0, 1e-3, RATE)
            file.write(factor * np.stack([mono, 0.7 * mono], axis=1))
    return path


def _sine(frequency: float, time: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.sin(2 * np.pi * frequency * time)


def _log(path: Path, number: int) -> Path:
    """Write a run of 1000 steps and 4 layers as a table."""
    run = _eventful(path.stem, 100 * number)
    run.frame().to_csv(path)
    return path


def _eventful(name: str, step: int) -> Run:
    """Make a run with a burst of three steps in one of four layers."""
    run = run_of_norms(1000)
    tag = list(run.series)[2]
    values = run[tag].values.copy()
    values[step : step + 3] *= 30
    return Run(name, run.metadata, {**run.series, tag: run[tag].with_values(values)})
