"""What was found to plain sentences."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from renderers.comparison.lag import Lag
from renderers.comparison.listening import Heard
from renderers.comparison.names import counted, listed
from renderers.comparison.pairs import Pair
from renderers.comparison.series import SeriesDifference
from renderers.comparison.settings import ComparisonSettings
from renderers.comparison.trouble import Trouble
from runlog import Run
from runlog.run import GRAD_NORM

__all__ = ["pair_sentences", "silence_sentences", "span_sentences", "trouble_sentences"]

LEAST_DB = 0.05  # a difference of level that is worth a word


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


def trouble_sentences(name: str, troubles: Sequence[Trouble]) -> list[str]:
    """Say what went wrong in a run, in the order in which it did.

    Parameters
    ----------
    name : str
        The run's.
    troubles : sequence of Trouble
        In the order of their steps.
    """
    return [
        _trouble(name, list(group))
        for _, group in groupby(troubles, key=lambda each: (each.step, each.kind))
    ]


def span_sentences(runs: Sequence[Run], heard: Sequence[str]) -> list[str]:
    """Say which runs end before others, begin after others have ended, or lack a voice.

    Parameters
    ----------
    runs : sequence of Run
        Those that are compared.
    heard : sequence of str
        Tags that are heard of any.
    """
    spans = {run.name: (int(run.steps[0]), int(run.steps[-1])) for run in runs}
    end = max(last for _, last in spans.values())
    begin = min(first for first, _ in spans.values())
    late = [f"{name} begins at step {first}" for name, (first, _) in spans.items() if first > begin]
    early = [f"{name} ends at step {last}" for name, (_, last) in spans.items() if last < end]
    said = []
    apart = max(first for first, _ in spans.values()) > min(last for _, last in spans.values())
    if late and not apart:
        said.append(f"{listed(late)}; what is before is not compared")
    if early and not apart:
        said.append(f"{listed(early)}; what follows is not compared")
    if apart:
        last_one = max(spans, key=lambda name: spans[name][0])
        first_one = min(spans, key=lambda name: spans[name][1])
        one, other = (
            f"{name} ({spans[name][0]}…{spans[name][1]})" for name in (first_one, last_one)
        )
        said.append(f"the steps of {one} and {other} do not overlap: each is compared with silence")
    return [*said, *_lacking(runs, heard)]


def _lacking(runs: Sequence[Run], heard: Sequence[str]) -> Iterator[str]:
    by_owners = {
        tag: tuple(run.name for run in runs if tag in run.series) for tag in dict.fromkeys(heard)
    }
    for owners in dict.fromkeys(by_owners.values()):
        if len(owners) < len(runs):
            tags = [tag for tag, of in by_owners.items() if of == owners]
            verb = "has" if len(owners) == 1 else "have"
            yield f"only {listed(owners)} {verb} {listed(tags)}"


def _logs(pair: Pair, ratio: float) -> Iterator[str]:
    a, b = pair.a, pair.b
    total, equal = _count(pair.series, "values"), _count(pair.series, "equal")
    if total == equal:
        yield f"{a} and {b} are identical in {counted(total, 'value')} that both have logged"
        return
    parted = _earliest(pair.series[: pair.heard]) or _earliest(pair.series)
    if parted is None:
        yield (
            f"the values of {a} and {b} are never apart by more than a factor of {ratio:g}; "
            f"{equal:,} of {total:,} are identical"
        )
        return
    apart = _count(pair.series, "apart")
    yield (
        f"{a} and {b} part at step {_first_step(parted)}: {_values(parted, parted.first)} "
        f"({apart:,} of {total:,} values are apart by more than a factor of {ratio:g})"
    )
    yield from _worst(pair)
    before = _earliest(pair.series[pair.heard :])
    if before is not None and _first_step(before) < _first_step(parted):
        yield (
            f"of what is not heard, {a} and {b} part at step {_first_step(before)}: "
            f"{_values(before, before.first)}"
        )


def _worst(pair: Pair) -> Iterator[str]:
    """Say where the values are farthest apart."""
    known = [each for each in pair.series[: pair.heard] if each.largest is not None]
    if known:
        far = max(known, key=lambda each: abs(each.decades[each.largest]))
        assert far.largest is not None
        if far.largest != far.first:
            step = int(far.steps[far.largest])
            yield f"they are farthest apart at step {step}: {_values(far, far.largest)}"


def _earliest(series: Iterable[SeriesDifference]) -> SeriesDifference | None:
    """Return the series that parts first; of several, the one that parts farthest."""
    parted = [each for each in series if each.first is not None]
    return min(parted, key=_earliness, default=None)


def _earliness(each: SeriesDifference) -> tuple[int, float]:
    decades = float(abs(each.decades[each.first])) if each.first is not None else 0.0
    return _first_step(each), -decades


def _first_step(each: SeriesDifference) -> int:
    assert each.first is not None
    return int(each.steps[each.first])


def _values(each: SeriesDifference, place: int | None) -> str:
    one, other = (_number(float(values[place])) for values in (each.one, each.other))
    return f"{each.tag} {one} against {other}"


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


def _trouble(name: str, group: Sequence[Trouble]) -> str:
    first, tags = group[0], listed([_short(each.tag) for each in group])
    if first.kind == "explodes":
        worst = max(group, key=lambda each: each.value or 0)
        value = _number(worst.value or 0)
        return f"{name} explodes: {_short(worst.tag)} reaches {value} at step {first.step}"
    if first.kind == "is zero":
        verb = "is" if len(group) == 1 else "are"
        return f"{name}: {tags} {verb} exactly zero from step {first.step} on"
    at = "from" if first.kind.startswith("ends") else "first at"
    return f"{name} {first.kind} {at} step {first.step} ({tags})"


def _short(tag: str) -> str:
    return tag.removeprefix(GRAD_NORM)


def _number(value: float) -> str:
    return "NaN" if value != value else f"{value:.3g}"
