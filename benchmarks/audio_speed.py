"""How fast the voicings sound, from their scores and from a run, against other sonifiers.

All make 60 s of sound.  A voice-second is a voice that sounds for a second, so
voices in turn have less than one of them in a second of sound.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from resource import RUSAGE_SELF, getrusage

import numpy as np
import numpy.typing as npt

from benchmarks.audio_peers import LOOP, PEERS, STRAUSS, SharedTask, failures
from benchmarks.measure import CpuTimes, interleaved, ratios, spread
from benchmarks.norms import LAYERS, run_of_norms
from benchmarks.tables import table
from benchmarks.targets import Part, Target, at_least
from epochord.renderers.audio import AudioSettings
from epochord.renderers.audio.scoring.compose import audio_score
from epochord.renderers.audio.scoring.pace import LANES_FRAME, Pace, pace
from epochord.renderers.audio.scoring.pitching import places
from epochord.renderers.audio.scoring.registers import BOTTOM_HZ, TOP_HZ
from epochord.renderers.audio.scoring.scale import robust
from epochord.renderers.audio.scoring.score import Score
from epochord.renderers.audio.scoring.style import Style
from epochord.renderers.audio.scoring.voicings import SHIPPED
from epochord.renderers.audio.scoring.voicings.lanes import GLIDE_SHARE, SAMPLE_RATE
from epochord.renderers.audio.synthesis.blocks import blocks
from epochord.renderers.audio.synthesis.glide import glide_blocks
from epochord.renderers.timeline.choice import Quantity
from epochord.renderers.timeline.reduction import Frames, reduce
from epochord.renderers.timeline.timeline import Timeline
from epochord.renderers.timeline.total import with_total
from epochord.runlog import Run

__all__ = ["POINTS", "SECONDS", "drain", "measured"]

POINTS = 100_000  # a series
SECONDS = 60  # of sound
ROUNDS = 9
MANY = 16  # voices
PACKAGES = ("strauss", "pya", "mir_eval")

LANES, ROLL, SEQUENCE = "lanes", "roll", "sequence"
MOST = 12  # layers, beside their norm
SCORED = ((LANES, LAYERS), (LANES, MANY), (ROLL, LAYERS), (ROLL, MOST), (SEQUENCE, LAYERS),
          (SEQUENCE, MANY))  # fmt: skip
# Voice-seconds a CPU second, from a score.
LEAST_SPEED = {LANES: 10_000, ROLL: 5_000, SEQUENCE: 10_000}
LEAST_GAIN = 25  # times less CPU time than strauss
OWN = f"{STRAUSS}, without the kernel"

Works = dict[str, Callable[[], object]]


def measured() -> Part:
    """Measure all of them in turn and return the tables."""
    run = run_of_norms(POINTS)
    task = SharedTask(np.stack([series.values for series in run.series.values()]), SECONDS)
    failed = failures(task)
    works = _from_scores()
    works |= {
        _from_run(voicing): partial(_hear, run, voicing) for voicing in (ROLL, LANES, SEQUENCE)
    }
    works |= {name: partial(peer, task) for name, peer in PEERS.items() if name not in failed}
    own: list[float] = []
    if STRAUSS in works:
        works[STRAUSS] = partial(_noting, works[STRAUSS], own)
    times = interleaved(works, rounds=ROUNDS)
    if own:
        times[OWN] = np.array(own[-ROUNDS:])  # there was a round to warm up
    tables = [_voices_table(times), _peers_table(times, failed)]
    return Part(tables, [*_targets(times)], [*_notes(times)])


def drain(sound: Iterable[npt.NDArray[np.float32]]) -> int:
    """Take block after block, as a file's writer does; return how many samples there are."""
    return sum(len(block) for block in sound)


def _noting(work: Callable[[], object], own: list[float]) -> None:
    """Note how much of a call's CPU time is not the kernel's."""
    before = getrusage(RUSAGE_SELF).ru_utime
    work()
    own.append(getrusage(RUSAGE_SELF).ru_utime - before)


def _from_score(voicing: str, voices: int = LAYERS) -> str:
    return f"Epochord, {voicing} of {voices} voices, from the score"


def _from_run(voicing: str) -> str:
    return f"Epochord, {voicing}, from the run"


def _hear(run: Run, voicing: str) -> None:
    score, _ = audio_score(run, AudioSettings(voicing=voicing, duration=SECONDS))
    drain(blocks(score))


def _from_scores() -> Works:
    works: Works = {}
    for voicing, voices in SCORED:
        if (voicing, voices) == (LANES, MANY):
            continue
        frames, style = _reduced(voicing, voices)
        works[_from_score(voicing, voices)] = partial(_sound, SHIPPED[voicing](frames, style))
    works[_from_score(LANES, MANY)] = partial(_crowd, _crowded(*_reduced(LANES, MANY)))
    return works


def _sound(score: Score) -> None:
    _require_length(drain(blocks(score)))


def _require_length(samples: int) -> None:
    if abs(samples / SAMPLE_RATE - SECONDS) > 0.1:
        raise AssertionError(f"{samples} samples are not {SECONDS} s: nothing to compare")


def _reduced(voicing: str, voices: int) -> tuple[Frames, Style]:
    """Return what a voicing makes its score of."""
    line, rhythm = _timeline(voices), _pace(voicing, voices)
    if voicing == ROLL:
        line = with_total(line)
    scales = {line.unit: robust([line.values])}
    style = Style(frame=rhythm.frame, tone=rhythm.tone, silence=rhythm.silence, scales=scales)
    return reduce(line, rhythm.frames), style


def _timeline(voices: int) -> Timeline:
    """Repeat the series of the run, each time a step later, until there are so many."""
    series = run_of_norms(POINTS).series.values()
    rows = [np.roll(each.values, shift) for shift in range(voices // LAYERS) for each in series]
    values = np.stack(rows)
    names = tuple(str(voice) for voice in range(voices))
    measured: npt.NDArray[np.bool_] = np.ones(values.shape, bool)
    gradients: tuple[Quantity, ...] = ("gradient",)
    return Timeline(
        np.arange(POINTS), names, values, measured, "gradient norm", quantities=gradients * voices
    )


def _pace(voicing: str, voices: int) -> Pace:
    return pace(AudioSettings(voicing=voicing, duration=SECONDS), POINTS, voices)


def _crowded(frames: Frames, style: Style) -> npt.NDArray[np.float64]:
    """Return the pitches of lanes that are more than there are registers for."""
    borders = np.geomspace(BOTTOM_HZ, TOP_HZ, MANY + 1)
    width = (borders[1] / borders[0]) ** 0.8  # the rest is the guard between two
    return borders[:MANY, None] * width ** style.scales[frames.unit].positions(frames.values)


def _crowd(pitch: npt.NDArray[np.float64]) -> None:
    """Sound lanes by their arrays, without a score."""
    length = round(LANES_FRAME * SAMPLE_RATE)
    sound = glide_blocks(
        pitch,
        np.full(pitch.shape, 0.1, np.float32),
        places(len(pitch)),
        frame_length=length,
        glide_length=round(GLIDE_SHARE * length),
        sample_rate=SAMPLE_RATE,
    )
    _require_length(drain(sound))


def _sounding(voicing: str, voices: int = LAYERS) -> float:
    """Return how many voices sound at once, on average."""
    if voicing in (LANES, ROLL):
        return voices + (voicing == ROLL)
    rhythm = _pace(voicing, voices)
    return voices * rhythm.tone / rhythm.frame


def _voices_table(times: CpuTimes) -> str:
    rows = []
    for voicing, voices in SCORED:
        seconds = SECONDS / times[_from_score(voicing, voices)]
        speed = spread(_sounding(voicing, voices) * seconds)
        rows.append([voicing, f"{voices}", spread(seconds).text(0), speed.text(0)])
    head = ["voicing", "voices", "audio s a CPU s", "voice-s a CPU s"]
    return table(f"From a score to {_what()}", head, rows)


def _what() -> str:
    return f"{SECONDS} s of sound, {ROUNDS} rounds: median (quartiles)"


def _peers_table(times: CpuTimes, failed: dict[str, str]) -> str:
    ours = [way(voicing) for voicing in LEAST_SPEED for way in (_from_run, _from_score)]
    rows = []
    for name in (*ours, *([OWN] if OWN in times else []), *PEERS):
        if name in failed:
            rows.append([name, "not measured", failed[name], ""])
            continue
        in_turn = name == LOOP or SEQUENCE in name
        voicing = SEQUENCE if in_turn else ROLL if ROLL in name else LANES
        speed = spread(SECONDS * _sounding(voicing) / times[name])
        gain = ratios(times, STRAUSS, to=name).text(1) if STRAUSS in times else ""
        rows.append([name, spread(1e3 * times[name]).text(1), speed.text(0), gain])
    head = ["way", "CPU ms", "voice-s a CPU s", f"{STRAUSS} ÷ it"]
    return table(f"From {POINTS:,} points × {LAYERS} series to {_what()}", head, rows)


def _targets(times: CpuTimes) -> Iterator[Target]:
    for voicing, voices in SCORED:
        name = _from_score(voicing, voices)
        speed = spread(SECONDS * _sounding(voicing, voices) / times[name]).median
        yield at_least(f"{name}, voice-s a CPU s", speed, LEAST_SPEED[voicing])
    if STRAUSS in times:
        for name in (_from_run(LANES), _from_score(LANES)):
            gain = ratios(times, STRAUSS, to=name).median
            yield at_least(f"{STRAUSS} ÷ {name}", gain, LEAST_GAIN)


def _notes(times: CpuTimes) -> Iterator[str]:
    yield (
        f"There are registers for twelve lanes, so the arrays of {MANY} are made by hand and go to "
        "`glide_blocks` itself."
    )
    yield (
        f"In `{SEQUENCE}` {_sounding(SEQUENCE):.2f} of {LAYERS} voices sound at once on average, "
        f"or {_sounding(SEQUENCE, MANY):.2f} of {MANY}; so they do in the loop, which hears every "
        "hundredth point. The other peers hear all voices all the time."
    )
    if OWN in times:
        run, score = (ratios(times, OWN, to=way(LANES)).median for way in (_from_run, _from_score))
        yield (
            f"How long the kernel takes to give {STRAUSS} its memory swings from call to call. "
            f"Without that it takes {run:.1f} times as long as lanes from the run, and {score:.1f} "
            "times as long as from the score."
        )
    yield f"`{ROLL}` sounds the norm of all layers, with four partials, beside them."
    yield ", ".join(f"{package} {_version(package)}" for package in PACKAGES)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
