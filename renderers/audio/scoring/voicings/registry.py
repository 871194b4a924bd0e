"""Voicings by name: those that come with Epochord, that were registered, and that are installed."""

import inspect
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from epochord.renderers.audio.scoring.score import Score
from epochord.renderers.audio.scoring.style import Style
from epochord.renderers.audio.scoring.voicings.code import code_hash
from epochord.renderers.audio.scoring.voicings.contract import checked
from epochord.renderers.audio.scoring.voicings.lanes import lanes
from epochord.renderers.audio.scoring.voicings.original import original
from epochord.renderers.audio.scoring.voicings.roll import roll
from epochord.renderers.audio.scoring.voicings.sequence import sequence
from epochord.renderers.timeline.reduction import Frames
from epochord.runlog.errors import EpochordError, described, one_line
from epochord.runlog.words import did_you_mean

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = [
    "SHIPPED",
    "Voicing",
    "VoicingError",
    "explain",
    "identity",
    "register_voicing",
    "require_known",
    "voiced",
    "voicing_names",
]

GROUP = "epochord.voicings"  # of entry points
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

Voicing = Callable[[Frames, Style], Score]

SHIPPED: Mapping[str, Voicing] = MappingProxyType(
    {"roll": roll, "lanes": lanes, "sequence": sequence, "original": original}
)
_registered: dict[str, Voicing] = {}


class VoicingError(EpochordError):
    """A voicing that somebody wrote cannot be used."""


def register_voicing(name: str, function: Voicing) -> None:
    """Give a voicing a name, for `AudioSettings(voicing=name)` and for ``--voicing name``.

    A package registers its own, for every process, by an entry point of the group
    ``epochord.voicings``::

        [project.entry-points."epochord.voicings"]
        theirs = "their_package.module:function"

    Parameters
    ----------
    name : str
        Letters, digits, ``.``, ``_`` and ``-``.
    function : callable
        ``function(frames, style)`` returns a `Score`.

        `frames` (`Frames`) is what is to be heard, at most twelve voices: ``frames.names``,
        one a voice; ``frames.steps`` [shape=(frames,), int64], the first training step of
        each frame; ``frames.values`` [shape=(voices, frames)], the value at which each is
        heard, NaN where nothing is finite; ``frames.measured`` [shape=(voices, frames)],
        0 where there is nothing at all.

        `style` (`Style`) is how: ``style.frame``, the length of a frame in seconds;
        ``style.tone`` and ``style.silence`` in seconds, for voices in turn;
        ``style.scales``, by ``groups(frames)`` for each voice a scale whose
        ``positions(values)`` lie from 0 to 1 over its range; ``style.polarity``, 1 or -1
        if more is to sound lower; ``style.timbre``, a key of `TIMBRES`.

        The `Score` has the frames it was given; ``sample_rate`` from 8000 to 192,000 Hz;
        ``channels`` 2, or 1 with `Tones` and no events; ``frame_length`` in samples, at least 1;
        ``articulation``, `Tones` (in turn) with an onset a voice, which end within the
        frame, or `Glide` (at once), not longer than it; ``pitch`` [shape=(voices, frames)]
        in Hz, finite also in silence, within half the sample rate; ``gain``
        [shape=(voices, frames), float32] from 0 to 1, which is full scale; ``pan``
        [shape=(voices,) or (voices, frames), float32] from -1, left, to 1, right;
        ``state`` [shape=(voices, frames), int8] of `State` (``states(frames)`` gives it);
        and where wanted ``partials``, ``brightness`` [shape=(voices, frames)] from 0 to 1,
        ``events`` in the order of time within the frames, ``registers``
        [shape=(voices, 2)] in Hz, lower end first, and ``phase`` [shape=(voices,)] in
        cycles.  It is made as loud as the settings ask, and checked against all this.

    Raises
    ------
    ValueError
        If it is no such name, or one that is taken.  Only a new version of the same
        function, as of a notebook's cell that runs again, takes the place of the old one.

    Examples
    --------
    >>> import numpy as np
    >>> from epochord.renderers.audio.scoring import Score, Tones, states
    >>> def clicks(frames, style):
    ...     length, shape = round(style.frame * 44_100), frames.values.shape
    ...     step = length // (1 + shape[0])
    ...     tones = Tones(step, tuple(step * voice for voice in range(shape[0])), ramp=step // 4)
    ...     pitch = 200 * 10 ** np.clip(np.nan_to_num(frames.values), 0, 2)
    ...     gain = np.where(np.isfinite(frames.values), 0.2, 0).astype(np.float32)
    ...     return Score(
    ...         frames, "clicks", 44_100, 2, length, tones, pitch, gain,
    ...         np.linspace(-1, 1, shape[0], dtype=np.float32), states(frames),
    ...     )
    >>> register_voicing("clicks", clicks)
    """
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError(f"voicing {name!r}: expected letters, digits, '.', '_' and '-' in a name")
    if not callable(function):
        raise ValueError(f"voicing {name!r}: {function!r} is no function (frames, style) -> Score")
    before = _registered.get(name)
    if name in SHIPPED or name in _installed() or (before and _home(before) != _home(function)):
        raise ValueError(f"voicing {name!r} is taken; choose another name")
    _registered[name] = function


def voicing_names() -> tuple[str, ...]:
    """Return the names of all voicings: those shipped, registered, and installed."""
    return tuple(dict.fromkeys([*SHIPPED, *_registered, *_installed()]))


def require_known(name: str) -> None:
    """Refuse a name that no voicing has; those that are installed are asked last.

    Raises
    ------
    ValueError
        With the names there are.
    """
    if name in SHIPPED or name in _registered or name in _installed():
        return
    known = voicing_names()
    near = did_you_mean(name, known) or ";"
    raise ValueError(f"voicing is {name!r}{near} expected one of {', '.join(known)}")


def explain(name: str) -> str:
    """Return what a voicing is, in one sentence.

    Parameters
    ----------
    name : str
        Of those in `voicing_names`.

    Returns
    -------
    str
        The first line of its documentation; of one that cannot be loaded, why.
    """
    try:
        function = _find(name)
    except VoicingError as error:
        return str(error)
    documented = inspect.getmodule(function) if name in SHIPPED else function
    return (inspect.getdoc(documented) or "").partition("\n")[0]


def identity(name: str) -> str | None:
    """Return what tells a voicing from another one, or an earlier one, of its name.

    Parameters
    ----------
    name : str
        A voicing.

    Returns
    -------
    str or None
        Where its function is from and a hash of its code (see `code_hash`); None for
        those that come with Epochord.
    """
    if name in SHIPPED:
        return None
    function = _find(name)
    return f"{_home(function)} {code_hash(function)}"


def voiced(name: str, frames: Frames, style: Style) -> Score:
    """Score frames.

    Parameters
    ----------
    name : str
        A voicing.
    frames : Frames
        What is to be heard.
    style : Style
        How.

    Raises
    ------
    VoicingError
        If the voicing cannot be loaded, fails, or breaks the contract.
    """
    function = _find(name)
    if name in SHIPPED:
        return function(frames, style)
    try:
        score = function(frames, style)
    except EpochordError:
        raise
    except Exception as error:
        raise VoicingError(f"voicing {name!r} failed ({described(error)})") from error
    try:
        return checked(score, name, frames)
    except ValueError as error:
        raise VoicingError(
            f"voicing {name!r}: {error} (help(epochord.register_voicing) has the contract)"
        ) from error


def _find(name: str) -> Voicing:
    if found := SHIPPED.get(name) or _registered.get(name):
        return found
    if point := _installed().get(name):
        return _load(name, point)
    raise VoicingError(f"voicing {name!r} is not known in this process; a package can install it")


def _load(name: str, point: "EntryPoint") -> Voicing:
    try:
        function: Voicing = point.load()
    except Exception as error:  # whatever somebody's module does
        package = f" of the package {point.dist.name}" if point.dist else ""
        raise VoicingError(
            f"voicing {name!r}{package} cannot be loaded ({described(error)})"
        ) from error
    if not callable(function):
        raise VoicingError(f"voicing {name!r}: {one_line(point.value)} is no function")
    return function


def _installed() -> dict[str, "EntryPoint"]:
    """Return the entry points by name; nothing of them is imported."""
    from importlib.metadata import entry_points

    return {point.name: point for point in entry_points(group=GROUP)}


def _home(function: Voicing) -> str:
    """Say where a function, or an object that can be called, is defined."""
    named = function if hasattr(function, "__qualname__") else type(function)
    return f"{named.__module__}.{named.__qualname__}"
