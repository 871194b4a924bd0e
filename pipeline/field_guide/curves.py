"""Losses and gradient norms of an entry as one small picture: SVG, coloured by the page's theme."""

from collections.abc import Iterator, Sequence
from html import escape

import numpy as np
import numpy.typing as npt

from epochord.renderers.timeline.timeline import timeline
from epochord.runlog import Run

__all__ = ["picture"]

WIDTH, HEIGHT, GAP, TOP = 320, 150, 60, 18  # units of the picture, of each of two panels
POINTS = 100  # of a line at most; of more, the medians
LEAST = 1e-9  # below which a value on a logarithmic axis is drawn there

Lines = list[tuple[str, npt.NDArray[np.float64]]]


def picture(runs: Sequence[Run], beside: Run | None) -> str:
    """Draw an entry.

    Parameters
    ----------
    runs : sequence of Run
        One a seed.
    beside : Run, optional
        What they are heard beside.

    Returns
    -------
    str
        An SVG element: left the losses, right the gradient norms by layer of the first
        run, both over the share of the run, on logarithmic axes.
    """
    losses: Lines = [("beside", _values(beside, "loss"))] if beside else []
    losses += [(f"seed{place}", _values(run, "loss")) for place, run in enumerate(runs)]
    if "val_loss" in runs[0].series:
        losses.append(("held", _values(runs[0], "val_loss")))
    norms: Lines = [
        (f"layer{place % 4}", _few(row))
        for place, row in enumerate(timeline(runs[0]).values.astype(np.float64))
    ]
    panels = [*_panel("loss", losses, 0), *_panel("gradient norms", norms, WIDTH + GAP)]
    whole = f"0 0 {2 * WIDTH + GAP + 40} {HEIGHT + TOP + 4}"
    return f'<svg viewBox="{whole}" aria-hidden="true">{"".join(panels)}</svg>'


def _values(run: Run, tag: str) -> npt.NDArray[np.float64]:
    return _few(np.asarray(run[tag].values, np.float64))


def _few(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    parts = np.array_split(values, min(POINTS, len(values)))
    return np.array([np.median(part) for part in parts])


def _panel(title: str, lines: Lines, left: int) -> Iterator[str]:
    left += 40  # for the numbers
    logs = [(name, np.log10(np.maximum(values, LEAST))) for name, values in lines]
    known = np.concatenate([each[np.isfinite(each)] for _, each in logs])
    low, high = float(known.min()), float(known.max())
    low, high = (low, high) if high - low > 0.1 else (low - 0.05, high + 0.05)
    yield f'<text x="{left}" y="{TOP - 6}">{escape(title)}</text>'
    yield f'<rect x="{left}" y="{TOP}" width="{WIDTH}" height="{HEIGHT}" class="frame"/>'
    for place, level in ((TOP + 10, high), (TOP + HEIGHT, low)):
        yield f'<text x="{left - 4}" y="{place}" text-anchor="end">{10**level:.2g}</text>'
    for name, values in logs:
        x = left + WIDTH * np.linspace(0, 1, len(values))
        y = TOP + HEIGHT * (high - values) / (high - low)
        points = " ".join(f"{a:.0f},{b:.0f}" for a, b in zip(x, y, strict=True) if np.isfinite(b))
        yield f'<polyline points="{points}" class="{name}"/>'
