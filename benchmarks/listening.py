"""How well a model ear tells troubles from health, in our voicings and in a peer's.

The ear is that of the tests (`tests/listening/`); the gate there holds the default voicing to
it.  No human has listened.
"""

from collections.abc import Iterator
from functools import cache, partial

import numpy as np

from benchmarks.tables import table
from benchmarks.targets import Part, Target, at_least, joined
from epochord.renderers.audio import AudioSettings
from epochord.renderers.audio.scoring.voicings import SHIPPED
from tests.listening.components import components
from tests.listening.contours import CONTOURS, contours
from tests.listening.mappings import strauss
from tests.listening.masking import small_speaker, worst_margins
from tests.listening.reference import LAYERS
from tests.listening.trials import Cell, Hear, cells, product
from tests.listening.troubles import HEALTHY, TROUBLES, norms

__all__ = ["report"]

DEFAULT = AudioSettings().voicing
PEER = "strauss"
HEALTHY_RUNS, TROUBLE_RUNS = 40, 24
WEAKER, STRONGER = 0.5, 1.5  # powers of each trouble's strength
STRONG = [kind for kind, trouble in TROUBLES.items() if trouble.strength > 1]

# What the gate asks of the default; a mild common fall is asked less of.
TRAINED, NOVICE, WHO, MARGIN_DB = 0.95, 0.85, 0.9, 15.0
MILD = {"fall3": 0.9}


def report() -> str:
    """Let the ear hear all of them and return the tables."""
    heard = Part([_cells_table(layers) for layers in LAYERS], [*_targets()], [*_notes()])
    other = Part([_strengths_table(), _texture_table(), _margins_table(), _small_table()])
    return joined([heard, other])


def _mappings() -> dict[str, Hear]:
    return {name: product(name) for name in SHIPPED} | {PEER: strauss}


@cache
def _cells(name: str, layers: int, power: float = 1.0) -> dict[str, Cell]:
    """Measure the cells of a mapping; those that have a strength, where it is not the usual."""
    kinds = tuple(TROUBLES) if power == 1 else STRONG
    runs = {"healthy": HEALTHY_RUNS, "trouble": TROUBLE_RUNS}
    return cells(_mappings()[name], layers, kinds=kinds, stronger=power, **runs)


def _cells_table(layers: int) -> str:
    names = [*_mappings()]
    rows = [[kind, *(_text(_cells(name, layers)[kind]) for name in names)] for kind in TROUBLES]
    title = f"{layers} layers: trained / novice / who, 0.5 and 1/{layers} by chance"
    return table(title, ["trouble", *names], rows)


def _text(cell: Cell) -> str:
    named = "" if cell.who is None else f" / {cell.who:.2f}"
    return f"{cell.trained:.2f} / {cell.novice:.2f}{named}"


def _strengths_table() -> str:
    powers = (WEAKER, 1.0, STRONGER)
    rows = []
    for kind in STRONG:
        factors = [f"×{TROUBLES[kind].strength ** power:.3g}" for power in powers]
        found = [_text(_cells(DEFAULT, LAYERS[0], power)[kind]) for power in powers]
        rows.append([kind, *(f"{f}: {c}" for f, c in zip(factors, found, strict=True))])
    title = f"`{DEFAULT}`, {LAYERS[0]} layers, weaker and stronger"
    return table(title, ["trouble", "weaker", "usual", "stronger"], rows)


def _texture_table() -> str:
    """Roughness, after Vassilakis, of what is healthy."""
    rows = [[name, *(f"{_rough(hear, n):.3f}" for n in LAYERS)] for name, hear in _by_name()]
    return table("Roughness of a healthy run, median", ["mapping", *_heads()], rows)


def _rough(hear: Hear, layers: int) -> float:
    heard = contours(components(hear(norms(HEALTHY, 0, layers).run())))
    return float(np.exp(np.median(heard.rows[CONTOURS.index("roughness")])))


def _margins_table() -> str:
    """Earcons over their masked threshold."""
    rows = []
    for name in SHIPPED:
        found = [worst_margins(product(name), layers) for layers in LAYERS]
        for kind in found[0]:
            margins = [each[kind] for each in found]
            rows.append([name, kind, *(f"{m.steady:.1f} / {m.short:.1f}" for m in margins)])
    title = "Earcons over masked threshold, worst case, dB: as if steady / less for shortness"
    return table(title, ["voicing", "earcon", *_heads()], rows)


def _small_table() -> str:
    """Loudness of the lowest voices, alone."""
    rows = []
    for name, hear in _by_name():
        found = [small_speaker(hear(norms(HEALTHY, 0, layers).run())) for layers in LAYERS]
        least = [int(np.argmin(each.small / np.maximum(each.whole, 1e-9))) for each in found]
        pairs = zip(found, least, strict=True)
        rows.append([name, *(f"{each.small[v]:.2f} of {each.whole[v]:.2f}" for each, v in pairs)])
    title = "Sones of the voice that loses most behind 300 Hz, 24 dB an octave, alone"
    return table(title, ["mapping", *_heads()], rows)


def _by_name() -> Iterator[tuple[str, Hear]]:
    yield from _mappings().items()


def _heads() -> list[str]:
    return [f"{layers} layers" for layers in LAYERS]


def _targets() -> Iterator[Target]:
    for layers in LAYERS:
        found = _cells(DEFAULT, layers)
        usual = [cell.trained for kind, cell in found.items() if kind not in MILD]
        named = [cell.who for cell in found.values() if cell.who is not None]
        what = partial("{0}, {1} layers, least {2}".format, DEFAULT, layers)
        yield at_least(what("trained"), min(usual), TRAINED)
        for kind, least in MILD.items():
            yield at_least(what(f"trained, {kind}"), found[kind].trained, least)
        yield at_least(what("novice"), min(cell.novice for cell in found.values()), NOVICE)
        yield at_least(what("who"), min(named), WHO)
        margins = worst_margins(product(DEFAULT), layers).values()
        yield at_least(what("margin, dB"), min(margin.steady for margin in margins), MARGIN_DB)


def _notes() -> Iterator[str]:
    yield (
        f"{HEALTHY_RUNS} healthy runs of 300 steps and {TROUBLE_RUNS} of each trouble, "
        "all with seeds of their own; standard errors are about 0.02 at 0.95 and 0.07 at 0.7."
    )
    yield (
        "A model ear: two-ear excitation and loudness of ANSI S3.4-2007, partial loudness of "
        "Moore, Glasberg and Baer (1997), roughness of Vassilakis (2001), internal noise as large "
        "as what is just noticed. No human has listened."
    )
    yield (
        f"{PEER} is modelled as its example SonifyingData1D makes it by default (version 1.0.3): "
        "a triangle wave a series, raised linearly by up to 24 semitones."
    )
