"""Draws the README's pictures, from the repository's root.

make record-all record-ensembles render-audio render-ensembles
.venv/bin/python -m docs.picture
"""

import shutil
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import soundfile
from matplotlib.axes import Axes
from scipy.signal import ShortTimeFFT

from epochord.renderers.audio import render_audio
from epochord.renderers.audio.samples import sound as sound_of
from epochord.renderers.audio.scoring.axis import Axis
from epochord.renderers.timeline.timeline import timeline
from epochord.runlog import open_run

# Okabe and Ito's palette, safe for colour blindness.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7")
EXPERIMENTS = {
    "sgd": "SGD 0.01",
    "sgd-lr0.1": "SGD 0.1",
    "sgd-lr1": "SGD 1.0",
    "sgd-lr1-bs256": "SGD 1.0, batch 256",
    "adam": "Adam 0.01",
}
LOWEST, HIGHEST = 90, 7000  # Hz; epochs tick at 6000
PITCHES = 400  # rows of a spectrogram


def main() -> None:
    """Write docs/sgd.png, docs/experiments.png and docs/ensembles.png."""
    _draw_sgd()
    _draw_experiments()
    shutil.copy("renders/ensemble-panel/uncertainty.png", "docs/ensembles.png")


def _draw_sgd() -> None:
    run = open_run("runs/sgd")
    heard, axis = timeline(run), Axis.of(sound_of(run).score)
    figure, (norms, sound) = plt.subplots(2, 1, figsize=(9, 4.6), sharex=True, layout="constrained")
    with tempfile.TemporaryDirectory() as folder:  # on its own scale, as the command renders it
        _draw_sound(sound, render_audio(run, Path(folder)).path)
    time = axis.times(heard.steps)
    for name, values, colour in zip(heard.names, heard.values, COLOURS, strict=True):
        norms.plot(time, values, color=colour, lw=1.2, label=name)
    norms.set(ylabel="gradient norm", yscale="log", title="make record-sgd render-audio")
    norms.legend(ncols=4, frameon=False, loc="upper right", fontsize="small")
    norms.spines[["top", "right"]].set_visible(False)
    sound.set(xlabel="s")
    _save(figure, "docs/sgd.png")


def _draw_experiments() -> None:
    figure, rows = plt.subplots(5, 1, figsize=(9, 9), sharex=True, layout="constrained")
    longest = 0.0  # a sound is the longer, the more is called
    for axes, (name, title) in zip(rows, EXPERIMENTS.items(), strict=True):
        _draw_sound(axes, Path("renders", name, "audio.wav"))
        longest = max(longest, axes.get_xlim()[1])
        axes.set_title(title, loc="left", fontsize="medium")
    rows[-1].set(xlabel="s", xlim=(0, longest))
    _save(figure, "docs/experiments.png")


def _draw_sound(axes: Axes, path: Path) -> None:
    """Draw a spectrogram over pitch."""
    samples, rate = soundfile.read(path, always_2d=True)
    transform = ShortTimeFFT(np.hanning(8192), hop=512, fs=rate, scale_to="magnitude")
    level = np.abs(transform.stft(samples.mean(axis=1)))
    pitches = np.geomspace(LOWEST, HIGHEST, PITCHES)
    nearest = np.clip(np.searchsorted(transform.f, pitches), 0, len(level) - 1)
    decibels = 20 * np.log10(np.maximum(level[nearest], 1e-6))
    time = transform.t(len(samples))
    axes.pcolormesh(
        time,
        pitches,
        decibels,
        vmin=-85,
        vmax=-30,
        cmap="magma",
        shading="nearest",
        rasterized=True,
    )
    axes.set(ylabel="Hz", yscale="log", xlim=(0, len(samples) / rate), ylim=(LOWEST, HIGHEST))
    axes.set_yticks([100, 300, 1000, 3000], ["100", "300", "1000", "3000"])
    axes.minorticks_off()


def _save(figure: plt.Figure, path: str) -> None:
    figure.savefig(path, dpi=100, metadata={"Software": None})


if __name__ == "__main__":
    main()
