"""Frames of an ensemble's video: Epochord against matplotlib's own animations.

All draw the same 1280 × 720 picture: 40 members, two bands, a mean and points, with
one epoch a frame, and write a file.  The log lies in memory for all of them.
"""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.animation import FFMpegWriter, FuncAnimation, PillowWriter

from benchmarks.measure import cpu_and_wall_seconds, spread
from benchmarks.processes import in_new_process, peak_mib
from benchmarks.tables import table
from benchmarks.targets import Part, at_least, at_most
from epochord.renderers.ensemble.figure import EnsembleFigure, ensemble_figure
from epochord.renderers.ensemble.film import frames
from epochord.renderers.ensemble.look import HEIGHT, WIDTH
from epochord.renderers.ensemble.overview import Overview, overview
from epochord.renderers.ensemble.settings import EnsembleSettings
from epochord.renderers.pictures.clock import FPS
from epochord.renderers.pictures.video import find_ffmpeg, write_video
from epochord.runlog import Run, RunMetadata
from epochord.runlog.ensemble import EnsembleSetup, Predictions
from epochord.runlog.reading.ensemble import Ensemble

__all__ = ["measured"]

MEMBERS, POINTS, EPOCHS = 40, 300, 120
ROUNDS = 5
OURS = "Epochord, MP4 and WebP"
GIF, MP4 = "FuncAnimation, PillowWriter", "FuncAnimation, FFMpegWriter"


class _Memory:
    """Epochs of random, smooth functions, made when they are asked for."""

    def __init__(self, epochs: int) -> None:
        self.epochs = np.arange(epochs)
        rng = np.random.default_rng(0)
        self._weights = rng.normal(size=(MEMBERS, 6))
        self._waves = np.sin(np.linspace(-3, 3, POINTS) * np.arange(1, 7)[:, None] / 2)

    def at(self, place: int) -> Predictions:
        turned = self._weights * np.cos(place / 17 + np.arange(6))
        none = np.empty((MEMBERS, 0), np.float32)
        return Predictions((turned @ self._waves).astype(np.float32), none, none)


def _overview(epochs: int) -> Overview:
    rng = np.random.default_rng(1)
    setup = EnsembleSetup(
        grid=np.linspace(-3, 3, POINTS)[:, None],
        data=rng.uniform(-2, 2, (10, 1)),
        targets=rng.normal(size=10),
    )
    source = _Memory(epochs)
    # The data's predictions are not needed, so they are not there.
    bare = EnsembleSetup(grid=setup.grid)
    seen = overview(Ensemble(Run("toy", RunMetadata("toy")), bare, source))
    return Overview(**{**vars(seen), "ensemble": Ensemble(seen.ensemble.run, setup, source)})


def measured() -> Part:
    """Measure frames a second, the difference to matplotlib's picture, and memory."""
    seen = _overview(EPOCHS)
    works = {OURS: partial(_ours, seen), GIF: partial(_theirs, seen, PillowWriter, "a.gif")}
    works[MP4] = partial(_theirs, seen, FFMpegWriter, "a.mp4")
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for turn in range(-1, ROUNDS):
        for name, work in works.items():
            with tempfile.TemporaryDirectory() as folder:
                spent = cpu_and_wall_seconds(lambda work=work, folder=folder: work(Path(folder)))
            if turn >= 0:
                times[name].append(spent)
    cpu, wall = ({n: np.array(t)[:, i] for n, t in times.items()} for i in (0, 1))
    rows = [
        [name, spread(EPOCHS / wall[name]).text(1), spread(EPOCHS / cpu[name]).text(1)]
        for name in works
    ]
    faster = spread(wall[GIF] / wall[OURS])
    cheaper = spread(cpu[GIF] / cpu[OURS])
    difference = _difference(seen)
    short, long = (in_new_process(_peak, count) for count in (60, 1800))
    targets = [
        at_least("frames a second, wall: Epochord ÷ PillowWriter", faster.median, 8),
        at_least("frames a CPU second: Epochord ÷ PillowWriter", cheaper.median, 5),
        at_most("mean difference to matplotlib's drawing, of 255", difference, 1),
        at_most("peak of 1,800 frames less that of 60, MiB", long - short, 20),
    ]
    title = f"Video, 1280 × 720, {MEMBERS} members, bands, mean, points: {EPOCHS} frames"
    head = ["writer", "frames a s, wall", "frames a CPU s"]
    return Part([table(title, head, rows)], targets, [f"peak of 60 frames: {short:.0f} MiB"])


def _figure(seen: Overview) -> EnsembleFigure:
    return ensemble_figure([seen], EnsembleSettings(), seen.limits())


def _ours(seen: Overview, folder: Path) -> None:
    write_video(
        folder / "a.mp4",
        frames(_figure(seen), [np.arange(len(seen.ensemble.epochs))]),
        size=(WIDTH, HEIGHT),
        fps=FPS,
        animation=folder / "a.webp",
    )


def _theirs(seen: Overview, writer: Callable[..., object], name: str, folder: Path) -> None:
    """Draw as matplotlib's documentation does: clear what moved, plot it again."""
    import matplotlib as mpl

    drawn = _figure(seen)
    axes = drawn.cells[0].axes  # type: ignore[attr-defined]
    still = set(axes.get_children())

    def draw(place: int) -> None:
        for artist in [each for each in axes.get_children() if each not in still]:
            artist.remove()
        drawn.draw([place])

    with mpl.rc_context({"animation.ffmpeg_path": find_ffmpeg()}):
        animation = FuncAnimation(drawn.figure, draw, frames=len(seen.ensemble.epochs))
        animation.save(folder / name, writer=writer(fps=FPS))


def _difference(seen: Overview) -> float:
    """Return the mean difference of the last frame to matplotlib's own drawing."""
    last = len(seen.ensemble.epochs) - 1
    painted = next(frames(_figure(seen), [np.array([last])]))
    drawn = _figure(seen)
    drawn.draw([last])
    drawn.figure.canvas.draw()
    ours = np.asarray(drawn.figure.canvas.buffer_rgba())[:, :, :3]  # type: ignore[attr-defined]
    return float(np.abs(ours.astype(int) - painted).mean())


def _peak(epochs: int) -> float:
    """Write a video of so many frames; return this process's peak in MiB."""
    with tempfile.TemporaryDirectory() as folder:
        _ours(_overview(epochs), Path(folder))
    return peak_mib()
