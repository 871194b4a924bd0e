"""Draw the README's picture: the norms of the run `sgd`, and its sound as a spectrogram.

Run it after `make record-sgd render-audio`: .venv/bin/python docs/picture.py
"""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import soundfile
from scipy.signal import ShortTimeFFT

from renderers.timeline import timeline
from runlog import open_run

# Okabe and Ito's palette, safe for colour blindness.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7")
STEPS_A_SECOND = 1 / 0.06  # four tones of 10 ms and 20 ms of silence


def main() -> None:
    """Write docs/sgd.png."""
    heard = timeline(open_run("runs/sgd"))
    samples, rate = soundfile.read("renders/sgd/audio.wav")
    figure, (norms, sound) = plt.subplots(2, 1, figsize=(9, 4.6), sharex=True, layout="constrained")
    seconds = np.arange(heard.frames) / STEPS_A_SECOND
    for name, values, colour in zip(heard.names, heard.values, COLOURS, strict=True):
        norms.plot(seconds, values, color=colour, lw=1.2, label=name)
    norms.set(ylabel="gradient norm", yscale="log", title="make record-sgd render-audio")
    norms.legend(ncols=4, frameon=False, loc="upper right", fontsize="small")
    norms.spines[["top", "right"]].set_visible(False)
    window = np.hanning(2048)
    transform = ShortTimeFFT(window, hop=512, fs=rate, scale_to="magnitude")
    level = 20 * np.log10(np.maximum(np.abs(transform.stft(samples)), 1e-5))
    top = int(np.searchsorted(transform.f, 2500))
    sound.imshow(
        level[:top],
        origin="lower",
        aspect="auto",
        extent=(*transform.extent(len(samples))[:2], 0, transform.f[top]),
        vmin=-70,
        vmax=-30,
        cmap="magma",
    )
    sound.set(xlabel="s", ylabel="Hz", xlim=(0, len(samples) / rate))
    figure.savefig("docs/sgd.png", dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    main()
