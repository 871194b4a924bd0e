"""What was found to plain sentences."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from epochord.renderers.comparison.lag import Lag
from epochord.renderers.comparison.listening import Heard
from epochord.renderers.comparison.names import counted
from epochord.renderers.comparison.pairs import Pair
from epochord.renderers.comparison.series import SeriesDifference
from epochord.renderers.comparison.settings import ComparisonSettings
from epochord.renderers.findings import Finding, What

__all__ = ["happened_sentences", "pair_sentences", "silence_sentences"]

CLEARLY = math.log10(1.05)  # decades: less may be rounding
MOST_DIGITS = 9  # of two numbers that would read alike
LEAST_DB = 0.05  # a difference of level that is worth a word
PASSING = (What.SPIKE, What.RISE, What.FALL)  # what a run may well recover from


def pair_sentences(pair: Pair, settings: ComparisonSettings) -> list[str]:
    """Say how two runs or sounds differ.

    Parameters
    ----------
    pair : Pair
        What was found.
    settings : ComparisonSettings
        What counts as a difference.
    """
    said = [*_logs(pair, settings.ratio)] if pair.series else []
    said.append(_sounds(pair, settings.threshold))
    said += [*_levels(pair)]
    if pair.lag is not None:
        said.append(_lag(pair, pair.lag))
    return said


def happened_sentences(name: str, findings: Sequence[Finding]) -> list[str]:
    """Say what happened in a run: the first of each kind before others, what passes last.

    Parameters
    ----------
    name : str
        The run's.
    findings : sequence of Finding
        In the order of their steps.
    """
    kinds: Counter[What] = Counter()
    said = []
    for found in findings:
        said.append((kinds[found.what] > 0, found.what in PASSING, f"{name}: {found.sentence}"))
        kinds[found.what] += 1
    return [sentence for *_, sentence in sorted(said, key=lambda each: each[:2])]


def _logs(pair: Pair, ratio: float) -> Iterator[str]:
    a, b = pair.a, pair.b
    total, equal = _count(pair.series, "values"), _count(pair.series, "equal")
    if total == equal:
        yield f"{a} and {b} are identical in {counted(total, 'value')} that both have logged"
        return
    chosen = pair.series[: pair.heard]
    parted = _earliest(chosen)
    if parted is None:
        chosen, parted = pair.series, _earliest(pair.series)
    if parted is None:
        yield (
            f"the values of {a} and {b} are never apart by more than a factor of {ratio:g}"
            f"{_most(chosen)}; {_of(equal, total)} identical"
        )
        return
    apart = _count(pair.series, "apart")
    yield (
        f"{a} and {b} part at step {_first_step(parted)}: {_values(parted, parted.first)} "
        f"({_of(apart, total, 'values ')} apart by more than a factor of {ratio:g})"
    )
    yield from _worst(chosen, parted)
    before = _earliest(pair.series[pair.heard :])
    if before is not None and _first_step(before) < _first_step(parted):
        yield (
            f"of what is not heard, {a} and {b} part at step {_first_step(before)}: "
            f"{_values(before, before.first)}"
        )


def _of(count: int, total: int, what: str = "") -> str:
    return f"{count:,} of {total:,} {what}{'is' if count == 1 else 'are'}"


def _worst(chosen: Sequence[SeriesDifference], parted: SeriesDifference) -> Iterator[str]:
    """Say where the values are farthest apart, if that is clearly farther than where they part."""
    far = _farthest(chosen)
    if _size(far, far.largest) > _size(parted, parted.first) + CLEARLY:
        yield f"they are farthest apart {_at(far)}"


def _most(chosen: Sequence[SeriesDifference]) -> str:
    far = _farthest(chosen)
    return f", most {_at(far)}" if far.largest is not None else ""


def _at(far: SeriesDifference) -> str:
    assert far.largest is not None
    return f"at step {int(far.steps[far.largest])}: {_values(far, far.largest)}"


def _farthest(chosen: Sequence[SeriesDifference]) -> SeriesDifference:
    return max(chosen, key=lambda each: _size(each, each.largest))


def _size(each: SeriesDifference, place: int | None) -> float:
    return 0.0 if place is None else each.size(place)


def _earliest(series: Iterable[SeriesDifference]) -> SeriesDifference | None:
    """Return the series that parts first; of several, the one that parts farthest."""
    parted = [each for each in series if each.first is not None]
    return min(parted, key=_earliness, default=None)


def _earliness(each: SeriesDifference) -> tuple[int, float]:
    return _first_step(each), -_size(each, each.first)


def _first_step(each: SeriesDifference) -> int:
    assert each.first is not None
    return int(each.steps[each.first])


def _values(each: SeriesDifference, place: int | None) -> str:
    one, other = (float(values[place]) for values in (each.one, each.other))
    digits = 3
    while _number(one, digits) == _number(other, digits) and digits < MOST_DIGITS:
        digits += 1
    return f"{each.tag} {_number(one, digits)} against {_number(other, digits)}"


def _count(series: Iterable[SeriesDifference], what: str) -> int:
    if what == "values":
        return sum(len(each.steps) for each in series)
    return sum(each.equal if what == "equal" else int(each.apart.sum()) for each in series)


def _sounds(pair: Pair, threshold: float) -> str:
    sound, names = pair.sound, f"{pair.a} and {pair.b}"
    if sound.identical:
        return f"the sounds of {names} are identical, sample for sample"
    lasting = " while both are there" if sound.between else ""
    if not sound.largest.decibels:
        return f"the sounds of {names} do not differ in any band that can be heard{lasting}"
    most = f"{sound.largest.decibels:.1f} dB at {_moment(sound.largest.time, sound.largest.step)}"
    if sound.first is None:
        return f"the sounds of {names} never differ by more than {threshold:g} dB; most by {most}"
    return (
        f"the sounds of {names} part at {_moment(sound.first.time, sound.first.step)}; they "
        f"differ by more than {threshold:g} dB for {sound.seconds:.2f} s{lasting or ' in all'}, "
        f"most by {most}"
    )


def _moment(time: float, step: int | None) -> str:
    return f"{time:.2f} s" if step is None else f"step {step} ({time:.2f} s)"


def _levels(pair: Pair) -> Iterator[str]:
    sound = pair.sound
    if sound.level is None:
        return
    size = abs(sound.level)
    if size >= LEAST_DB:
        word = "louder" if sound.level > 0 else "quieter"
        alike = ", and otherwise alike" if sound.copy else ""
        lasting = " while both are there" if sound.between else ""
        yield f"{pair.b} is {size:.1f} dB {word} than {pair.a}{lasting}{alike}"


def silence_sentences(heard: Sequence[Heard]) -> list[str]:
    """Say which sounds are silent throughout."""
    return [f"{each.name} is silent throughout" for each in heard if each.level == float("-inf")]


def _lag(pair: Pair, found: Lag) -> str:
    if found.largest == 0:
        return f"no lag is found between {pair.a} and {pair.b} (to {found.resolution:.2g} s)"
    return (
        f"{pair.b} has what {pair.a} has {_late(found.median)} in the median, and "
        f"{_late(found.largest)} at most, at {found.time:.2f} s (to {found.resolution:.2g} s)"
    )


def _late(seconds: float) -> str:
    if seconds == 0:
        return "at the same time"
    return f"{abs(seconds):.2f} s {'later' if seconds > 0 else 'earlier'}"


def _number(value: float, digits: int = 3) -> str:
    return "NaN" if value != value else f"{value:.{digits}g}"
