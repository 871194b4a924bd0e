"""How fast the voicings sound, from their scores and from a run, against other sonifiers.

All make 60 s of sound.  A voice-second is a voice that sounds for a second, so
voices in turn have less than one of them in a second of sound.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import numpy.typing as npt

from benchmarks.audio_peers import LOOP, PEERS, STRAUSS, SharedTask, failures
from benchmarks.measure import CpuTimes, interleaved, ratios, spread
from benchmarks.norms import LAYERS, run_of_norms
from benchmarks.tables import table
from benchmarks.targets import Part, Target, at_least
from renderers.audio import AudioSettings
from renderers.audio.glide import glide_blocks
from renderers.audio.pace import LANES_FRAME, pace
from renderers.audio.pitching import places
from renderers.audio.registers import BOTTOM_HZ, TOP_HZ
from renderers.audio.render import audio_score
from renderers.audio.scale import robust
from renderers.audio.score import Score, Tones
from renderers.audio.style import Style
from renderers.audio.synthesis import blocks
from renderers.audio.voicings import VOICINGS
from renderers.audio.voicings.lanes import GLIDE_SHARE, SAMPLE_RATE
from renderers.reduction import Frames, reduce
from renderers.timeline import Timeline
from runlog import Run

__all__ = ["measured"]

POINTS = 100_000  # a series
SECONDS = 60  # of sound
ROUNDS = 7
MANY = 16  # voices
PACKAGES = ("strauss", "pya", "mir_eval")

LANES, SEQUENCE = "lanes", "sequence"
LEAST_SPEED = 10_000  # voice-seconds a CPU second, from a score
LEAST_GAIN = 25  # times less CPU time than strauss

Works = dict[str, Callable[[], object]]


def measured() -> Part:
    """Measure all of them in turn and return the tables."""
    run = run_of_norms(POINTS)
    task = SharedTask(np.stack([series.values for series in run.series.values()]), SECONDS)
    failed = failures(task)
    works = _from_scores() | {
        _from_run(voicing): partial(_hear, run, voicing) for voicing in (LANES, SEQUENCE)
    }
    works |= {name: partial(peer, task) for name, peer in PEERS.items() if name not in failed}
    times = interleaved(works, rounds=ROUNDS)
    return Part([_voices_table(times), _peers_table(times, failed)], _targets(times), _notes())


def _from_score(voicing: str, voices: int) -> str:
    return f"Earshot, {voicing}, from its score ({voices} voices)"


def _from_run(voicing: str) -> str:
    return f"Earshot, {voicing}, from the run"


def _hear(run: Run, voicing: str) -> None:
    score, _ = audio_score(run, AudioSettings(voicing=voicing, duration=SECONDS))
    _drain(blocks(score))


def _drain(sound: Iterable[object]) -> None:
    """Take block after block, as a file's writer does."""
    for _ in sound:
        pass


def _from_scores() -> Works:
    works: Works = {}
    for voicing, voices in ((LANES, LAYERS), (SEQUENCE, LAYERS), (SEQUENCE, MANY)):
        score = _score(voicing, voices)
        _require_length(score.samples)
        works[_from_score(voicing, voices)] = lambda score=score: _drain(blocks(score))
    works[_from_score(LANES, MANY)] = _crowded_lanes()
    return works


def _require_length(samples: int) -> None:
    if abs(samples / SAMPLE_RATE - SECONDS) > 0.1:
        raise AssertionError(f"{samples} samples are not {SECONDS} s: nothing to compare")


def _score(voicing: str, voices: int) -> Score:
    frames, style = _reduced(voicing, voices)
    return VOICINGS[voicing](frames, style)


def _reduced(voicing: str, voices: int) -> tuple[Frames, Style]:
    line = _timeline(voices)
    rhythm = pace(AudioSettings(voicing=voicing, duration=SECONDS), line.frames, voices)
    scales = {line.unit: robust([line.values])}
    style = Style(frame=rhythm.frame, tone=rhythm.tone, silence=rhythm.silence, scales=scales)
    return reduce(line, rhythm.frames), style


def _timeline(voices: int) -> Timeline:
    """Repeat the series of the run, each time later, until there are so many."""
    series = run_of_norms(POINTS).series.values()
    rows = [np.roll(each.values, shift) for shift in range(voices // LAYERS) for each in series]
    values = np.stack(rows)
    names = tuple(str(voice) for voice in range(voices))
    return Timeline(np.arange(POINTS), names, values, np.ones(values.shape, bool), "gradient norm")


def _crowded_lanes() -> Callable[[], None]:
    """Make lanes of more voices than there are registers for: the arrays by hand."""
    frames, style = _reduced(LANES, MANY)
    borders = np.geomspace(BOTTOM_HZ, TOP_HZ, MANY + 1)
    width = (borders[1] / borders[0]) ** 0.8  # the rest is the guard between two
    pitch = borders[:MANY, None] * width ** style.scales[frames.unit].positions(frames.values)
    length = round(LANES_FRAME * SAMPLE_RATE)
    _require_length(pitch.shape[1] * length)

    def sound() -> Iterator[npt.NDArray[np.float32]]:
        return glide_blocks(
            pitch,
            np.full(pitch.shape, 0.1, np.float32),
            places(MANY),
            frame_length=length,
            glide_length=round(GLIDE_SHARE * length),
            sample_rate=SAMPLE_RATE,
        )

    return lambda: _drain(sound())


def _sounding(voicing: str, voices: int) -> float:
    """Return how many voices sound on average."""
    if voicing == LANES:
        return voices
    score = _score(voicing, voices)
    assert isinstance(score.articulation, Tones)
    return voices * score.articulation.length / score.frame_length


def _voices_table(times: CpuTimes) -> str:
    rows = []
    for voicing in (LANES, SEQUENCE):
        for voices in (LAYERS, MANY):
            seconds = SECONDS / times[_from_score(voicing, voices)]
            speed = spread(_sounding(voicing, voices) * seconds)
            rows.append([voicing, f"{voices}", spread(seconds).text(0), speed.text(0)])
    head = ["voicing", "voices", "audio s a CPU s", "voice-s a CPU s"]
    return table(f"Score to blocks, {_rounds()}", head, rows)


def _rounds() -> str:
    return f"{SECONDS} s of sound, {ROUNDS} rounds: median (quartiles)"


def _peers_table(times: CpuTimes, failed: dict[str, str]) -> str:
    ours = [_from_run(LANES), _from_score(LANES, LAYERS)]
    ours += [_from_run(SEQUENCE), _from_score(SEQUENCE, LAYERS)]
    rows = []
    for name in (*ours, *PEERS):
        if name in failed:
            rows.append([name, "not measured", failed[name], ""])
            continue
        in_turn = SEQUENCE if name == LOOP or SEQUENCE in name else LANES
        speed = spread(SECONDS * _sounding(in_turn, LAYERS) / times[name])
        gain = ratios(times, STRAUSS, to=name).text(1) if STRAUSS in times else ""
        rows.append([name, spread(1e3 * times[name]).text(1), speed.text(0), gain])
    head = ["from four series to samples", "CPU ms", "voice-s a CPU s", f"{STRAUSS} ÷ it"]
    return table(f"{POINTS:,} points × {LAYERS} series to {_rounds()}", head, rows)


def _targets(times: CpuTimes) -> Iterator[Target]:
    for voicing in (LANES, SEQUENCE):
        for voices in (LAYERS, MANY):
            seconds = SECONDS / times[_from_score(voicing, voices)]
            speed = spread(_sounding(voicing, voices) * seconds).median
            yield at_least(f"{voicing}, {voices} voices, voice-s a CPU s", speed, LEAST_SPEED)
    if STRAUSS in times:
        for ours in (_from_run(LANES), _from_score(LANES, LAYERS)):
            gain = ratios(times, STRAUSS, to=ours).median
            yield at_least(f"{STRAUSS} ÷ {ours}", gain, LEAST_GAIN)


def _notes() -> Iterator[str]:
    yield (
        f"lanes of {MANY} voices: there are registers for twelve, so their arrays are made by hand "
        "and go to `glide_blocks` itself."
    )
    yield ", ".join(f"{package} {_version(package)}" for package in PACKAGES)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
