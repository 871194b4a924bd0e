"""Frames of an ensemble's video: Epochord against matplotlib's own animations.

All draw the same 1280 × 720 picture: 40 members, two bands, a mean and points, with
one epoch a frame, and write a file at 60 frames a second.  The log lies in memory for all of
them.  x264 alone, of frames that are there already, is the limit.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.animation import FFMpegWriter, FuncAnimation, PillowWriter

from benchmarks.measure import cpu_and_wall_seconds, spread
from benchmarks.processes import in_new_process, peak_mib
from benchmarks.tables import table
from benchmarks.targets import Part, at_least, at_most
from epochord.renderers.ensemble.figure import EnsembleFigure, ensemble_figure
from epochord.renderers.ensemble.film import Painter, film, frames
from epochord.renderers.ensemble.look import Size
from epochord.renderers.ensemble.overview import Overview, overview
from epochord.renderers.ensemble.pacing import FPS, Timing, timing
from epochord.renderers.ensemble.settings import SIZES, EnsembleSettings, SizeName
from epochord.renderers.pictures.video import find_ffmpeg, write_video
from epochord.runlog import Run, RunMetadata
from epochord.runlog.ensemble import EnsembleSetup
from epochord.runlog.ensemble.tables import Epoch
from epochord.runlog.reading.ensemble import Ensemble

__all__ = ["measured"]

MEMBERS, POINTS, EPOCHS = 40, 300, 240
ROUNDS = 3
WIDTH, HEIGHT = Size(1280, 720)
OURS, ALONE = "Epochord, MP4 and WebP", "Epochord, MP4"
LIMIT = "x264 alone"
GIF, MP4 = "FuncAnimation, PillowWriter", "FuncAnimation, FFMpegWriter"


class _Memory:
    """Epochs of random, smooth functions, made when they are asked for."""

    def __init__(self, epochs: int) -> None:
        self.epochs = np.arange(epochs)
        self.identities = [np.arange(MEMBERS)] * epochs
        rng = np.random.default_rng(0)
        self._weights = rng.normal(size=(MEMBERS, 6))
        self._waves = np.sin(np.linspace(-3, 3, POINTS) * np.arange(1, 7)[:, None] / 2)

    def at(self, place: int) -> Epoch:
        # A member moves up to 1 % of the height a frame, as in a film.
        turned = self._weights * np.cos(place / 56 + np.arange(6))
        columns = {"grid": (turned @ self._waves).astype(np.float32)}
        return Epoch(self.identities[place], columns)


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
    works = {
        OURS: partial(_ours, seen),
        ALONE: partial(_alone, seen),
        GIF: partial(_theirs, seen, PillowWriter, "a.gif"),
    }
    works[MP4] = partial(_theirs, seen, FFMpegWriter, "a.mp4")
    planes = [frame.copy() for frame in _film(seen)]
    works[LIMIT] = partial(_encoded, planes)
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
    of_mp4 = spread(cpu[MP4] / cpu[ALONE]).median
    of_gif = spread(cpu[GIF] / cpu[OURS]).median
    difference = _difference(seen)
    painting, label = _painting(seen)
    large = _real_time(seen)
    short, long = (in_new_process(_peak, count) for count in (60, 1800))
    targets = [
        at_least("frames a CPU second: Epochord ÷ FFMpegWriter, MP4 each", of_mp4, 12),
        at_least("frames a CPU second: Epochord with both ÷ PillowWriter", of_gif, 14),
        at_most("painting a frame, CPU ms", painting, 4),
        at_most("of which the label that says the epoch, CPU ms", label, 1),
        at_most("a film of 1080 lines, encoded: CPU seconds a second", large, 1),
        at_most("mean difference to matplotlib's drawing, of 255", difference, 1),
        at_most("peak of 1,800 frames less that of 60, MiB", long - short, 20),
    ]
    title = f"Video, 1280 × 720, {MEMBERS} members, bands, mean, points: {EPOCHS} frames"
    head = ["writer", "frames a s, wall", "frames a CPU s"]
    return Part([table(title, head, rows)], targets, [f"peak of 60 frames: {short:.0f} MiB"])


def _figure(seen: Overview, size: SizeName = "1280x720") -> EnsembleFigure:
    return ensemble_figure([seen], EnsembleSettings(size=size), seen.limits())


def _ours(seen: Overview, folder: Path) -> None:
    _write(_film(seen), folder, animation=folder / "a.webp")


def _alone(seen: Overview, folder: Path) -> None:
    _write(_film(seen), folder)


def _film(seen: Overview, size: SizeName = "1280x720") -> Iterator[npt.NDArray[np.uint8]]:
    """Yield one frame an epoch, without rests."""
    epochs = seen.ensemble.epochs.astype(np.float64)
    return film(_figure(seen, size), Timing(epochs, 0, 0.0, 0.0))


def _write(
    planes: Iterable[npt.NDArray[np.uint8]],
    folder: Path,
    *,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    animation: Path | None = None,
) -> None:
    write_video(folder / "a.mp4", planes, size=size, fps=FPS, pixels="yuv420p", animation=animation)


def _encoded(planes: Sequence[npt.NDArray[np.uint8]], folder: Path) -> None:
    _write(planes, folder)


def _real_time(seen: Overview) -> float:
    """Return CPU seconds a second of a whole film of 1080 lines, encoded; the median."""
    settings = EnsembleSettings(size="1920x1080")
    limits = seen.limits()
    paced = timing([seen.ensemble], [limits], settings)

    def write(folder: str) -> None:
        drawn = ensemble_figure([seen], settings, limits)
        _write(film(drawn, paced), Path(folder), size=SIZES[settings.size])

    spent = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            spent.append(cpu_and_wall_seconds(lambda folder=folder: write(folder))[0])
    return float(np.median(spent)) / len(paced.moments) * FPS


def _painting(seen: Overview) -> tuple[float, float]:
    """Return CPU milliseconds of a frame between two epochs, and of a label that is new."""
    drawn = _figure(seen)
    painter = Painter(drawn)
    places = np.arange(0, EPOCHS - 1, 0.25)
    painter.paint([0.0], 0)
    whole = cpu_and_wall_seconds(lambda: [painter.paint([place], 0) for place in places])[0]
    said = [drawn.at([place])[1] for place in range(EPOCHS)]
    label = cpu_and_wall_seconds(
        lambda: [painter.clock.put_onto(painter.picture, text) for text in said]
    )
    return 1e3 * whole / len(places), 1e3 * label[0] / EPOCHS


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
