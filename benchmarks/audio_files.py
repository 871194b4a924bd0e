"""From a run to a sound file: how fast in each voicing and format, and where the time goes."""

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.audio_speed import POINTS, SECONDS, drain
from benchmarks.measure import CpuTimes, interleaved, ratios, spread
from benchmarks.norms import LAYERS, run_of_norms
from benchmarks.tables import table
from benchmarks.targets import Part, at_most
from epochord.renderers.audio import AudioSettings, render_audio
from epochord.renderers.audio.files.write import AUDIO_FORMATS, AudioFormat, write_audio
from epochord.renderers.audio.level.loudness import LoudnessMeter, TruePeakMeter
from epochord.renderers.audio.scoring.compose import audio_score
from epochord.renderers.audio.scoring.score import Score, write_score
from epochord.renderers.audio.scoring.voicings import SHIPPED
from epochord.renderers.audio.synthesis.blocks import blocks
from epochord.runlog import Run

__all__ = ["measured"]

ROUNDS = 5

KINDS: list[tuple[str, AudioFormat]] = [
    *((voicing, "wav16") for voicing in SHIPPED),
    *(("lanes", each) for each in AUDIO_FORMATS if each != "wav16"),
]
WHOLE = "lanes, wav16"
SHORT = 1000  # steps of a log whose sound is reckoned from end to end
END_TO_END = f"lanes, wav16, of {SHORT:,} steps"
MOST = 0.12  # CPU s
SCORE, HASH, SYNTHESIS = "score, from the run", "hash of the log", "synthesis"
LOUDNESS, PEAK = "loudness", "true peak"
SOUND_FILE, SCORE_FILE = "sound file", "score file"

Blocks = list[npt.NDArray[np.float32]]


def measured() -> Part:
    """Measure voicings, formats and parts and return the tables."""
    run = run_of_norms(POINTS)
    with tempfile.TemporaryDirectory() as folder:
        fresh = (Path(folder, str(number)) for number in count())
        works = {", ".join(kind): partial(_render, run, fresh, *kind) for kind in KINDS}
        parts = _parts(run, next(fresh))
        works[END_TO_END] = partial(_render, run_of_norms(SHORT), fresh, *KINDS[0])
        times = interleaved(works | parts, rounds=ROUNDS)
    seconds = spread(times[END_TO_END]).median
    target = at_most(f"{END_TO_END}, CPU s to a file of {SECONDS} s", seconds, MOST)
    return Part([_speed_table(times), _shares_table(times, list(parts))], [target])


def _settings(voicing: str, file_format: AudioFormat) -> AudioSettings:
    return AudioSettings(voicing=voicing, duration=SECONDS, format=file_format)


def _render(run: Run, fresh: Iterator[Path], voicing: str, file_format: AudioFormat) -> None:
    render_audio(run, next(fresh), _settings(voicing, file_format))


def _parts(run: Run, folder: Path) -> dict[str, Callable[[], object]]:
    """Return what `render_audio` does of `WHOLE`, piece by piece."""
    settings = _settings("lanes", "wav16")
    score, _ = audio_score(run, settings)
    sound = list(blocks(score))
    folder.mkdir()
    return {
        SCORE: lambda: audio_score(run, settings),
        HASH: run.log_hash,
        # A minute is made once; what is longer once to be measured and once to be written.
        SYNTHESIS: lambda: drain(blocks(score)),
        LOUDNESS: lambda: _loudness(score, sound),
        PEAK: lambda: _peak(score, sound),
        SOUND_FILE: lambda: _write(score, sound, folder / "audio.wav"),
        SCORE_FILE: lambda: write_score(score, folder / "score.parquet"),
    }


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
    shape = {"sample_rate": score.sample_rate, "channels": score.channels}
    write_audio(path, sound, samples=score.samples, **shape)


def _speed_table(times: CpuTimes) -> str:
    rows = [[*kind, spread(SECONDS / times[", ".join(kind)]).text(0)] for kind in KINDS]
    title = f"From {POINTS:,} points × {LAYERS} series to a file of {SECONDS} s"
    head = ["voicing", "format", "audio s a CPU s"]
    return table(f"{title}, {ROUNDS} rounds: median (quartiles)", head, rows)


def _shares_table(times: CpuTimes, parts: list[str]) -> str:
    rest = times[WHOLE] - np.sum([times[part] for part in parts], axis=0)
    shown = {WHOLE: times[WHOLE], **{part: times[part] for part in parts}, "rest": rest}
    rows = []
    for name in shown:
        share = ratios(shown, name, to=WHOLE).median
        rows.append([name, spread(1e3 * shown[name]).text(1), f"{100 * share:.0f} %"])
    return table(f"Where the time goes: {WHOLE}", ["part", "CPU ms", "share"], rows)
