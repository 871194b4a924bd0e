"""How exactly the numbers can be read out of the sound again.

A metric that walks over four decades becomes pitch, that becomes a sound at
-23 LUFS, which goes through a file or noise, is decoded, and compared with the
metric.  Beside it stands the Cramér–Rao bound: the least that any unbiased
estimate from the holds can err, given white noise as strong as that of 16 bits
or as what was added.
"""

import io
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from benchmarks.measure import cpu_seconds
from benchmarks.tables import table
from epochord.renderers.audio.decoding import Decoded, Layout, Method, decode
from epochord.renderers.audio.decoding.estimation import spans
from epochord.renderers.audio.decoding.holds import cut
from epochord.renderers.audio.decoding.normal import normal_equations
from epochord.renderers.audio.files.write import write_audio
from epochord.renderers.audio.level.measure import measure
from epochord.renderers.audio.scoring.pitching import places
from epochord.renderers.audio.scoring.registers import registers
from epochord.renderers.audio.synthesis.glide import glide_blocks

__all__ = ["report"]

SAMPLE_RATE = 44_100  # Hz
GLIDE_SHARE = 0.12  # of a frame, as in `lanes`
TARGET_LUFS = -23.0
CLIPS = ((4, 300, 200), (4, 60, 1000), (12, 300, 200), (12, 60, 1000))  # voices, ms, frames
DECADES = 4
PACE = 0.05  # of a register: a frame's step
MP3_COMPRESSION = (320 - 160 - 0.5) / (320 - 32)  # libsndfile's scale: 160 kbit/s
NOISE_DB = -20.0  # to the sound's RMS

TARGETS = {  # median and 95th percentile of the joint fit's errors, in %
    (4, 300, "WAV"): (2e-5, 2e-4),
    (4, 60, "WAV"): (5e-4, 3e-3),
    (12, 300, "WAV"): (1e-4, 1e-3),
    (12, 60, "WAV"): (2e-3, 3e-2),
    (4, 300, "MP3"): (None, 3e-3),
    (4, 300, "noise"): (None, 0.1),
}

Sound = npt.NDArray[np.floating[Any]]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Clip:
    """A sound, and what it was made of."""

    layout: Layout
    metric: Floats
    pitch: Floats
    sound: npt.NDArray[np.float32]


def report() -> str:
    """Decode all clips and return the table."""
    rows = []
    for voices, milliseconds, frames in CLIPS:
        made = clip(voices, milliseconds, frames)
        for medium, heard, noise in media(made.sound):
            name = f"{voices} × {milliseconds} ms"
            target = TARGETS.get((voices, milliseconds, medium), (None, None))
            rows.append([name, medium, *_cells(made, heard, noise), _pair(*target)])
    head = ["voices × frame", "medium", "joint", "FFT peak", "Cramér–Rao"]
    head += ["joint, CPU s", "FFT, CPU s", "target"]
    return table(
        "A minute of sound: error in % of the metric, median / 95th percentile", head, rows
    )


def clip(voices: int, milliseconds: int, frames: int) -> Clip:
    """Make a sound of metrics that walk over four decades; the same at each call."""
    random = np.random.default_rng(voices * 1000 + milliseconds)
    walk = random.random((voices, 1)) + random.normal(0, PACE, (voices, frames)).cumsum(axis=1)
    position = np.abs((walk + 1) % 2 - 1)  # reflected at both ends
    bands = registers(voices)
    pitch = bands[:, :1] * (bands[:, 1:] / bands[:, :1]) ** position
    length = round(milliseconds / 1000 * SAMPLE_RATE)
    layout = Layout(bands, places(voices), length, round(GLIDE_SHARE * length), SAMPLE_RATE, frames)
    gain = np.full(pitch.shape, 0.25 * (2 / voices) ** 0.5, np.float32)
    blocks = glide_blocks(
        pitch,
        gain,
        layout.pan,
        frame_length=length,
        glide_length=layout.glide_length,
        sample_rate=SAMPLE_RATE,
    )
    sound = np.concatenate(list(blocks))
    level = measure([sound], sample_rate=SAMPLE_RATE, channels=2, target_lufs=TARGET_LUFS)
    return Clip(layout, 10 ** (DECADES * position), pitch, sound * np.float32(level.gain))


def media(sound: npt.NDArray[np.float32]) -> Iterator[tuple[str, Sound, float | None]]:
    """Yield names, the sound after each, and the standard deviation of its white noise."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.wav")
        write_audio(path, [sound], samples=len(sound), sample_rate=SAMPLE_RATE, channels=2)
        yield "WAV", soundfile.read(path)[0], 2**-15 / 12**0.5
    encoded = io.BytesIO()
    soundfile.write(
        encoded,
        sound,
        SAMPLE_RATE,
        format="MP3",
        compression_level=MP3_COMPRESSION,
        bitrate_mode="CONSTANT",
    )
    encoded.seek(0)
    yield "MP3", soundfile.read(encoded)[0], None
    level = float(np.sqrt(np.mean(np.square(sound)))) * 10 ** (NOISE_DB / 20)
    noise = np.random.default_rng(1).normal(0, level, sound.shape)
    yield "noise", sound + noise, level


def errors(made: Clip, pitch: Floats) -> Floats:
    """Return by how many percent the metric is wrong; infinitely many for a voice not heard."""
    low, high = np.asarray(made.layout.registers).T[..., None]
    metric = 10 ** (DECADES * np.log(pitch / low) / np.log(high / low))
    return np.asarray(np.nan_to_num(100 * np.abs(metric / made.metric - 1), nan=np.inf))


def bound(made: Clip, noise: float) -> Floats:
    """Draw errors as the Cramér–Rao bound has them.

    The Gauss–Newton matrix of the true frequencies, over the noise's variance,
    is their Fisher information once amplitudes and phases are unknown too.
    """
    layout = made.layout
    hertz = SAMPLE_RATE / (2 * np.pi)
    deviation = np.empty(made.pitch.shape)
    for span in spans(layout.frames, layout):
        holds = cut(made.sound, layout, np.arange(span.start, span.stop))
        frequency = made.pitch[:, span].T / hertz
        everyone = np.ones(frequency.shape, np.bool_)
        bend = normal_equations(holds, frequency, everyone, layout.sides(2)).bend
        deviation[:, span] = noise * np.sqrt(np.einsum("fvv->vf", np.linalg.inv(bend)))
    drawn = np.random.default_rng(2).normal(size=deviation.shape)
    return errors(made, made.pitch + deviation * hertz * drawn)


def _cells(made: Clip, heard: Sound, noise: float | None) -> list[str]:
    decoded: dict[Method, Decoded] = {}

    def run(method: Method) -> None:
        decoded[method] = decode(heard, made.layout, method=method)

    seconds = [cpu_seconds(lambda: run("joint")), cpu_seconds(lambda: run("fft"))]
    least = "" if noise is None else _text(bound(made, noise))
    found = [_text(errors(made, decoded[method].pitch)) for method in ("joint", "fft")]
    return [*found, least, *(f"{each:.2f}" for each in seconds)]


def _text(percent: Floats) -> str:
    return _pair(*np.quantile(percent, [0.5, 0.95]).tolist())


def _pair(median: float | None, high: float | None) -> str:
    if high is None:
        return ""
    return " / ".join("" if each is None else f"{each:.2g}" for each in (median, high)).strip()
