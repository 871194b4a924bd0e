"""From a run to a sound file: how fast in each voicing and format, and where the time goes."""

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.measure import CpuTimes, interleaved, ratios, spread
from benchmarks.norms import LAYERS, run_of_norms
from benchmarks.tables import table
from benchmarks.targets import Part
from renderers.audio import AudioSettings, render_audio
from renderers.audio.files import AUDIO_FORMATS, AudioFormat, write_audio
from renderers.audio.loudness import LoudnessMeter, TruePeakMeter
from renderers.audio.render import audio_score
from renderers.audio.score import Score, write_score
from renderers.audio.synthesis import blocks
from renderers.audio.voicings import VOICINGS
from runlog import Run

__all__ = ["measured"]

POINTS = 100_000  # a series
SECONDS = 60  # of sound
ROUNDS = 5

WHOLE = "render_audio"
# Its parts, and how often it does each: the sound is made once to be measured and once to be
# written.
SCORE, HASH, SYNTHESIS = "score, from the run", "hash of the log", "synthesis, twice"
LOUDNESS, PEAK = "loudness", "true peak"
SOUND_FILE, SCORE_FILE = "sound file", "score file"
TIMES = {SYNTHESIS: 2}

Blocks = list[npt.NDArray[np.float32]]


def measured() -> Part:
    """Measure voicings, formats and parts and return the tables."""
    run = run_of_norms(POINTS)
    with tempfile.TemporaryDirectory() as folder:
        fresh = (Path(folder, str(number)) for number in count())
        kinds = [*((voicing, "wav16") for voicing in VOICINGS)]
        kinds += [("lanes", each) for each in AUDIO_FORMATS if each != "wav16"]
        files = {f"{kind}": partial(_render, run, fresh, *kind) for kind in kinds}
        times = interleaved(files | _parts(run, fresh), rounds=ROUNDS)
    speeds = [[*kind, spread(SECONDS / times[f"{kind}"]).text(0)] for kind in kinds]
    return Part([_speed_table(speeds), _shares_table(times)])


def _settings(voicing: str, file_format: AudioFormat = "wav16") -> AudioSettings:
    return AudioSettings(voicing=voicing, duration=SECONDS, format=file_format)


def _render(run: Run, fresh: Iterator[Path], voicing: str, file_format: AudioFormat) -> None:
    render_audio(run, next(fresh), _settings(voicing, file_format))


def _parts(run: Run, fresh: Iterator[Path]) -> dict[str, Callable[[], object]]:
    """Return what `render_audio` does of lanes, piece by piece."""
    score, _ = audio_score(run, _settings("lanes"))
    sound = list(blocks(score))
    folder = next(fresh)
    folder.mkdir()
    return {
        WHOLE: partial(_render, run, fresh, "lanes", "wav16"),
        SCORE: lambda: audio_score(run, _settings("lanes")),
        HASH: run.log_hash,
        SYNTHESIS: lambda: _drain(score),
        LOUDNESS: lambda: _loudness(score, sound),
        PEAK: lambda: _peak(score, sound),
        SOUND_FILE: lambda: _write(score, sound, folder / "audio.wav"),
        SCORE_FILE: lambda: write_score(score, folder / "score.parquet"),
    }


def _drain(score: Score) -> None:
    for _ in blocks(score):
        pass


def _loudness(score: Score, sound: Blocks) -> float:
    meter = LoudnessMeter(score.sample_rate, score.channels)
    for block in sound:
        meter.add(block)
    return meter.integrated()


def _peak(score: Score, sound: Blocks) -> float:
    meter = TruePeakMeter(score.channels)
    for block in sound:
        meter.add(block)
    return meter.peak()


def _write(score: Score, sound: Blocks, path: Path) -> None:
    write_audio(
        path,
        sound,
        samples=score.samples,
        sample_rate=score.sample_rate,
        channels=score.channels,
    )


def _speed_table(rows: list[list[str]]) -> str:
    title = f"{POINTS:,} points × {LAYERS} series to a file of {SECONDS} s"
    head = ["voicing", "format", "audio s a CPU s"]
    return table(f"{title}, {ROUNDS} rounds: median (quartiles)", head, rows)


def _shares_table(times: CpuTimes) -> str:
    rows = [[WHOLE, spread(1e3 * times[WHOLE]).text(1), "100 %"]]
    parts = [SCORE, HASH, SYNTHESIS, LOUDNESS, PEAK, SOUND_FILE, SCORE_FILE]
    for part in parts:
        times[part] *= TIMES.get(part, 1)
        rows.append([part, spread(1e3 * times[part]).text(1), _share(times, part)])
    times["rest"] = times[WHOLE] - sum(times[part] for part in parts)
    rows.append(["rest", spread(1e3 * times["rest"]).text(1), _share(times, "rest")])
    return table("Where the time goes: lanes, wav16", ["part", "CPU ms", "share"], rows)


def _share(times: CpuTimes, part: str) -> str:
    return f"{100 * ratios(times, part, to=WHOLE).median:.0f} %"
