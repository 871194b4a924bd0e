"""What the ensembles of the posts show, in sentences that follow from the numbers of these runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

__all__ = ["COLUMNS", "NAMES", "Chapter", "Ending", "chapters", "subtitle"]

ALIKE = 1.15  # a ratio up to which two spreads are said to be about the same
NAMES = {
    "naive": "naive",
    "prior": "random priors",
    "prior-bootstrap": "random priors, bootstrap",
    "sine-bootstrap": "sine prior, bootstrap",
}
COLUMNS = {
    "spread/inside": "sd inside the data",
    "spread/outside": "sd outside",
    "held_out/crps/fair": "CRPS, fair",
    "held_out/crps": "CRPS",
    "held_out/coverage/50": "in 50 %",
    "held_out/coverage/68": "in 68 %",
    "held_out/coverage/95": "in 95 %",
    "held_out/spread_skill": "spread / error",
}


@dataclass(frozen=True)
class Ending:
    """What became of one ensemble.

    Parameters
    ----------
    about : mapping
        The run's entry of an `ensemble.json`.
    """

    about: Mapping[str, Any]

    def number(self, name: str) -> float:
        """Return what its last epoch has under this name; NaN if nothing."""
        value = self.about["at_last_epoch"].get(name)
        return float("nan") if value is None else float(value)

    def told(self, name: str) -> str:
        """Return that number as it is written; a dash if there is none."""
        value = self.number(name)
        if not isfinite(value):
            return "–"
        return f"{100 * value:.0f} %" if "/coverage/" in name else f"{value:.2f}"


@dataclass(frozen=True)
class Chapter:
    """A part of the story.

    Parameters
    ----------
    setting : str
        Whose pictures belong to it; empty for those of all.
    title : str
        Of this part.
    sentences : tuple of str
        What is to be seen.
    """

    setting: str
    title: str
    sentences: tuple[str, ...]


def subtitle(endings: Mapping[str, Ending]) -> str:
    """Say what was trained on what."""
    members, epochs, points = (
        " or ".join(sorted({str(one.about[name]) for one in endings.values()}))
        for name in ("members", "last_epoch", "data")
    )
    return (
        f"Four ensembles of {members} small networks, each trained for {epochs} epochs on "
        f"{points} points of a noisy line."
    )


def chapters(endings: Mapping[str, Ending]) -> list[Chapter]:
    """Tell the story in the posts' order.

    Parameters
    ----------
    endings : mapping of str to Ending
        By setting: naive, prior, prior-bootstrap and sine-bootstrap.
    """
    naive, prior, drawn, sine = (endings[name] for name in NAMES)
    return [
        Chapter(
            "naive",
            "A naive ensemble",
            (
                "These networks differ in nothing but the weights that they start from.",
                *_apart(naive),
            ),
        ),
        Chapter(
            "prior",
            "Each with a random prior",
            (
                "Now each network has a random network of its own added to it, its prior, which "
                "is never trained: the sum has to fit the points.",
                *_compared(prior, naive, "outside", "the naive ones"),
            ),
        ),
        Chapter(
            "prior-bootstrap",
            "With a bootstrap added",
            (
                "Each network also sees a sample of its own, drawn from the points with "
                "replacement, so that they may disagree on the data too.",
                *_compared(drawn, prior, "inside", "those that all see every point"),
            ),
        ),
        Chapter(
            "sine-bootstrap",
            "One sine as the prior of all",
            (
                "Here the prior is sin(3x) for every network, and only what they start from and "
                "what they have drawn tells them apart.",
                *_compared(sine, drawn, "outside", "those with priors of their own"),
            ),
        ),
        Chapter("", "The uncertainty of each", _uncertainty(endings)),
    ]


def _apart(one: Ending) -> Sequence[str]:
    inside, outside = "spread/inside", "spread/outside"
    how = _times(one.number(outside), one.number(inside), "as far apart as inside")
    return [
        f"In the end their predictions have a standard deviation of {one.told(inside)} where "
        f"there are data and {one.told(outside)} outside: they are {each}."
        for each in how
    ]


def _compared(one: Ending, other: Ending, where: str, others: str) -> Sequence[str]:
    name = f"spread/{where}"
    how = _times(one.number(name), other.number(name), f"as far apart {where} the data as {others}")
    return [
        f"They are {each} (standard deviation {one.told(name)} against {other.told(name)})."
        for each in how
    ]


def _times(one: float, other: float, than: str) -> Sequence[str]:
    """Say how one spread compares to another, and no more than is so; nothing if it is unknown."""
    if not (isfinite(one) and isfinite(other) and other > 0):
        return ()
    ratio = one / other
    return (f"about {than}" if 1 / ALIKE <= ratio <= ALIKE else f"{ratio:.1f} times {than}",)


def _uncertainty(endings: Mapping[str, Ending]) -> tuple[str, ...]:
    noises = sorted({str(one.about["noise_source"]) for one in endings.values()})
    said = [
        "How far the members are apart (darker) is what more data could settle, the epistemic "
        "part; the lighter band adds the noise of the observations, the aleatoric part.",
        f"It is taken to be: {'; '.join(noises)}.",
    ]
    return (*said, *_best(endings), *_covered(endings))


def _best(endings: Mapping[str, Ending]) -> Sequence[str]:
    """Say which predictions are the best and the worst; what reads the same is named together."""
    name = "held_out/crps/fair"
    known = {setting: one for setting, one in endings.items() if isfinite(one.number(name))}
    ascending = sorted(known, key=lambda setting: known[setting].number(name))
    if not ascending:
        return ()
    points = int(known[ascending[0]].number("held_out/points"))
    least, most = (known[ascending[end]].told(name) for end in (0, -1))
    best, worst = (
        " and ".join(f"“{NAMES[each]}”" for each in ascending if known[each].told(name) == told)
        for told in (least, most)
    )
    if least == most:
        return (f"By the fair CRPS at {points} held-out points all are equally good ({least}).",)
    return (
        f"By the fair CRPS at {points} held-out points, the best predictions are those of {best} "
        f"({least}), and the worst are those of {worst} ({most}).",
    )


def _covered(endings: Mapping[str, Ending]) -> Sequence[str]:
    name = "held_out/coverage/95"
    shares = [one.number(name) for one in endings.values() if isfinite(one.number(name))]
    if not shares:
        return ()
    least, most = min(shares), max(shares)
    reach = f"{100 * least:.0f}" if least == most else f"{100 * least:.0f} to {100 * most:.0f}"
    return (f"Their intervals of 95 % hold {reach} % of these points.",)
