"""From a run to the voices that are to be heard or seen: which tags, in which order."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from epochord.runlog import LogError, Run, Series
from epochord.runlog.run.layers import MAX_LAYERS, choose_layers, group_by_module, is_weight

__all__ = [
    "MAX_VOICES",
    "Choice",
    "NothingToHearError",
    "Parameters",
    "Quantity",
    "Voice",
    "Voices",
    "choose",
]

Parameters = Literal["weight", "all"]

Quantity = Literal["gradient", "total", "loss", "rate", "ratio", ""]
"""What a voice measures, as far as its tag tells.

A total is the norm of all gradients (see `epochord.renderers.timeline.total`), a rate a
learning rate, a ratio that of an update to its weights.
"""

MAX_VOICES = MAX_LAYERS  # what one ear can tell apart

# "grad_norm/conv1.weight", "gradient_norms/…", Lightning's "grad_2.0_norm/…": one
# parameter's norm each, so that those of a layer can be joined.
PARAMETER_NORM = re.compile(
    r"(?P<before>(.*/)?)[^/]*grad[^/]*norm[^/]*/(?P<parameter>.+)", re.IGNORECASE
)
GRADIENT_NORMS = "gradient norms"
NORM_LIKE = ("*grad*norm*", "gradients/*")
LOSS_LIKE = ("*loss*",)
RATE_LIKE = ("lr", "*/lr", "lr-*", "lr/*", "*learning_rate*", "*learning rate*")
RATIO_LIKE = ("*update*ratio*", "*ratio*update*", "*update*weight*", "*update*param*")
LIKE: dict[Quantity, tuple[str, ...]] = {
    "ratio": RATIO_LIKE, "gradient": NORM_LIKE, "loss": LOSS_LIKE, "rate": RATE_LIKE,
}  # fmt: skip
# What grows with the steps says nothing about the training.
COUNTERS = ("epoch", "*/epoch", "step", "*/step", "global_step")


class NothingToHearError(LogError):
    """A run holds none of the series that a renderer needs."""


@dataclass(frozen=True)
class Choice:
    """What of a run is wanted.

    Parameters
    ----------
    tags : tuple of str
        Globs (``*`` also matches ``/``); with ``!`` in front, what to leave out.
        By default gradient norms, else losses, else what has the most points.
    layers : tuple of str
        Of gradient norms: which layers, in which order (see
        `epochord.runlog.run.layers.choose_layers`); by default all, joined to at most 12.
    parameters : {"weight", "all"}
        Of each layer only its weights, or all of its parameters.  A layer that
        has no weight is taken whole.
    voices : sequence of (str, str)
        Names and tags of just these voices, instead of all that.
    """

    tags: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    parameters: Parameters = "weight"
    voices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Voice:
    """One thing to be heard: a series, or the norm of several parts.

    Parameters
    ----------
    name : str
        A tag, or a layer.
    members : tuple of Series
        If there are several: norms of disjoint parts of one vector.
    """

    name: str
    members: tuple[Series, ...]

    @property
    def quantity(self) -> Quantity:
        """What it measures."""
        tag = self.members[0].tag.lower()
        for quantity, globs in LIKE.items():
            if _is_like(tag, globs):
                return quantity
        return ""


@dataclass(frozen=True)
class Voices:
    """The voices chosen.

    Parameters
    ----------
    voices : tuple of Voice
        In the order in which they are to be heard.
    unit : str
        What their values are, if they are of one kind.
    note : str
        What was chosen where there was a choice, and the option to change it;
        empty if the user chose.
    """

    voices: tuple[Voice, ...]
    unit: str
    note: str


def choose(run: Run, choice: Choice) -> Voices:
    """Choose voices.

    Parameters
    ----------
    run : Run
        Any run.
    choice : Choice
        What is wanted.

    Raises
    ------
    NothingToHearError
        If the run has no measurement.
    LogError
        If nothing matches what was asked for.
    """
    if not run.series:
        raise NothingToHearError(f"run {run.name!r} has no measurement at all")
    if choice.voices:
        named = [Voice(name, (_series(run, tag),)) for name, tag in choice.voices]
        return Voices(tuple(named), "", "")
    candidates = run.matching(choice.tags)
    asked = any(not glob.startswith("!") for glob in choice.tags)
    kind, tags = ("", candidates) if asked else _sensible(run, candidates)
    norms = _parameters(run, tags)
    if choice.layers and not norms:
        raise LogError(f"run {run.name!r} has no gradient norms of layers; {run.contents}")
    voices = _layers(run, norms, choice) + [
        Voice(tag, (run[tag],)) for tag in tags if tag not in norms.values()
    ]
    heard = sorted(voices, key=_points, reverse=True)[:MAX_VOICES]
    chosen = tuple(voice for voice in voices if voice in heard)
    unit = "gradient norm" if kind == GRADIENT_NORMS or len(norms) == len(tags) else ""
    return Voices(chosen, unit, _note(run, kind, len(voices), chosen))


def _series(run: Run, tag: str) -> Series:
    if tag not in run.series:
        raise run.lacks([tag])
    return run[tag]


def _sensible(run: Run, tags: Sequence[str]) -> tuple[str, list[str]]:
    """Return what a newcomer wants to hear, and what kind of thing it is."""
    for kind, globs in ((GRADIENT_NORMS, NORM_LIKE), ("losses", LOSS_LIKE)):
        if found := [tag for tag in tags if _is_like(tag.lower(), globs)]:
            return kind, found
    found = [tag for tag in tags if not _is_like(tag.lower(), COUNTERS)] or list(tags)
    most = max(len(run[tag]) for tag in found)
    return "the tags with the most points", [tag for tag in found if 2 * len(run[tag]) > most]


def _is_like(tag: str, globs: Sequence[str]) -> bool:
    return any(fnmatchcase(tag, glob) for glob in globs)


def _parameters(run: Run, tags: Sequence[str]) -> dict[str, str]:
    """Return the tags that are norms of parameters, by parameter, in registration order."""
    matches = {tag: PARAMETER_NORM.fullmatch(tag) for tag in tags}
    found = {m["before"] + m["parameter"]: tag for tag, m in matches.items() if m}
    registered = [p.name for layer in run.metadata.layers for p in layer.parameters]
    ordered = [name for name in registered if name in found]
    return {name: found[name] for name in dict.fromkeys([*ordered, *found])}


def _layers(run: Run, norms: Mapping[str, str], choice: Choice) -> list[Voice]:
    """Join the norms of parameters to layers."""
    try:
        groups = choose_layers(norms, choice.layers) if choice.layers else group_by_module(norms)
    except LogError as error:
        raise LogError(f"run {run.name!r}: {error}") from None
    if choice.parameters == "weight":
        groups = {layer: _weights(members) for layer, members in groups.items()}
    return [
        Voice(layer, tuple(run[norms[name]] for name in members))
        for layer, members in groups.items()
    ]


def _weights(members: list[str]) -> list[str]:
    return [name for name in members if is_weight(name)] or members


def _points(voice: Voice) -> int:
    return max(len(series) for series in voice.members)


def _note(run: Run, kind: str, voices: int, chosen: Sequence[Voice]) -> str:
    """Say what was chosen, if the user left a choice and there was one."""
    used = sum(len(voice.members) for voice in chosen)
    if len(chosen) == voices and (not kind or used == len(chosen) == len(run.series)):
        return ""
    what = f"{kind or 'what was asked for'}, {used} of {len(run.series)} tags"
    if len(chosen) < used:
        what += f" joined to {len(chosen)} voices"
    if len(chosen) < voices:
        what += f" (of {voices} voices, those with the most points)"
    return f"heard: {what}; --tags GLOB chooses others"
