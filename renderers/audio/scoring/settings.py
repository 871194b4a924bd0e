"""How a run is to be heard."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from numbers import Integral
from typing import Any, Literal, Self, TypedDict, Unpack, get_args

from epochord.renderers.audio.files.write import AudioFormat
from epochord.renderers.audio.scoring.mapping import (
    KEYS,
    VoiceMapping,
    load_mapping,
    require_fitting,
    shipped_mapping,
)
from epochord.renderers.audio.scoring.scale import Scale
from epochord.renderers.audio.scoring.style import TIMBRES
from epochord.renderers.audio.scoring.voicings import SHIPPED, identity, require_known
from epochord.renderers.timeline.choice import MAX_VOICES, Choice, Parameters
from epochord.renderers.timeline.spacing import Spacing
from epochord.renderers.timeline.timeline import StepRange
from epochord.runlog.given import as_texts, of_kind, require
from epochord.runlog.words import did_you_mean

__all__ = ["CALLING", "AudioOptions", "AudioSettings", "Polarity"]

Polarity = Literal["+", "-"]

LONGEST = 10.0  # s, of a tone or a pause
CALLING = ("roll",)  # the voicings that call what happens


class AudioOptions(TypedDict, total=False):
    """The settings of `AudioSettings` as keyword arguments, where they may be left out."""

    voicing: str
    layers: tuple[str, ...]
    parameters: Parameters
    tone: float
    silence: float
    tags: tuple[str, ...]
    steps: StepRange
    duration: float | None
    steps_per_second: float | None
    time: Spacing
    range: tuple[float, float] | None
    polarity: Polarity
    timbre: str
    lufs: float
    format: AudioFormat | None
    legend: bool
    speak: bool
    loudness: str
    brightness: str
    voices: tuple[VoiceMapping, ...]


@dataclass(frozen=True)
class AudioSettings:
    """How a run is to be heard.

    Parameters
    ----------
    voicing : str
        ``roll``, ``lanes``, ``sequence``, ``original``, or one of somebody's (see
        `register_voicing`).
    layers : str or tuple of str
        Which layers, in which order; empty for all.
    parameters : {"weight", "all"}
        Of each layer only its weights, or all of its parameters.
    tone, silence : float
        Of voices in turn: length of a tone and of the pause after each step, in
        seconds.
    tags : str or tuple of str
        Globs over tags (see `timeline.choice.Choice`); empty for a sensible choice.
    steps : (int or None, int or None)
        First step, and the step before which to stop.
    duration : float, optional
        Length of the whole sound in seconds.
    steps_per_second : float, optional
        Pace; by default that of the original, up to 60 s.
    time : {"logged", "steps", "wall"}
        What takes equal time: each step that was logged, each step of the training,
        or each second of it, so that a gap is heard as one.
    range : (float, float), optional
        Values at the low and the high end of each voice; by default found in the
        values.
    polarity : {"+", "-"}
        Whether more sounds higher or lower.
    timbre : str
        A key of `TIMBRES`.
    lufs : float
        Integrated loudness; the true peak stays below -1 dBTP all the same.
    format : str
        Of the file.  The voicing `original` is float WAV unless another one is
        chosen, and is never made louder or softer.
    legend : bool
        Open with each voice's lowest and highest tone.
    speak : bool
        Say what is called, behind each call; of `roll`, in a sound of its own (a page
        tells it with the browser's voice).
    loudness, brightness : str
        Tags that drive these of all voices, if any.
    voices : tuple of VoiceMapping
        Just these voices, each with what drives it.

    Raises
    ------
    ValueError
        If a setting makes no sense.
    """

    voicing: str = "roll"
    layers: tuple[str, ...] = ()
    parameters: Parameters = "weight"
    tone: float = 0.01
    silence: float = 0.02
    tags: tuple[str, ...] = ()
    steps: StepRange = (None, None)
    duration: float | None = None
    steps_per_second: float | None = None
    time: Spacing = "logged"
    range: tuple[float, float] | None = None
    polarity: Polarity = "+"
    timbre: str = "sine"
    lufs: float = -23.0
    format: AudioFormat | None = None
    legend: bool = False
    speak: bool = False
    loudness: str = ""
    brightness: str = ""
    voices: tuple[VoiceMapping, ...] = ()

    def __post_init__(self) -> None:
        for name in ("layers", "tags"):
            object.__setattr__(self, name, as_texts(name, getattr(self, name)))
        _require_kinds(self)
        require_known(self.voicing)
        _require("parameters", self.parameters, get_args(Parameters))
        _require("time", self.time, get_args(Spacing))
        _require("polarity", self.polarity, get_args(Polarity))
        _require("timbre", self.timbre, tuple(TIMBRES))
        if self.format is not None:
            _require("format", self.format, get_args(AudioFormat))
        _require_between("tone", self.tone, 0.001, LONGEST, "s")
        _require_between("silence", self.silence, 0.0, LONGEST, "s")
        _require_between("lufs", self.lufs, -70.0, 0.0, "LUFS")
        if self.duration is not None:
            _require_between("duration", self.duration, 0.05, 86_400.0, "s")
        if self.steps_per_second is not None:
            _require_between("steps_per_second", self.steps_per_second, 1e-3, 1000.0, "")
        if self.duration is not None and self.steps_per_second is not None:
            raise ValueError("duration and steps_per_second are both given; choose one of them")
        if self.steps_per_second is not None and self.time == "wall":
            raise ValueError("time is wall and steps_per_second is given; choose a duration")
        if self.voicing == "original" and self.time != "logged":
            raise ValueError(f"time is {self.time}; the voicing original has a step a frame")
        if self.speak and self.voicing not in CALLING:
            raise ValueError(
                f"speak is true and the voicing is {self.voicing}, which calls nothing; expected "
                f"the voicing {CALLING[0]}"
            )
        if len(self.voices) > MAX_VOICES:
            raise ValueError(f"voices are {len(self.voices)}; expected at most {MAX_VOICES}")
        if self.range is not None:
            Scale(*self.range, kind="linear")

    @classmethod
    def of(
        cls, mapping: str | os.PathLike[str] | None = None, **options: Unpack[AudioOptions]
    ) -> Self:
        """Join a voicing's own settings, those of a mapping file, and those that are named.

        Parameters
        ----------
        mapping : str or PathLike, optional
            A TOML file (see `scoring.mapping`).
        **options
            Settings, which come before those of the file; these before the voicing's.

        Raises
        ------
        MappingError
            If the file cannot be used.
        ValueError
            If a setting makes no sense.
        """
        _require_settings(options)
        own = {} if mapping is None else load_mapping(mapping)
        asked: dict[str, Any] = own | dict(options)
        voicing = asked.get("voicing", cls.voicing)
        shipped = load_mapping(shipped_mapping(voicing)) if voicing in SHIPPED else {}
        return cls(**(shipped | asked))

    @classmethod
    def given(cls, settings: Self | None, **options: Unpack[AudioOptions]) -> Self:
        """Return what a caller gave, settings or none, with single ones in the place of some.

        Raises
        ------
        TypeError
            If these are no settings, or there is no setting of such a name.
        ValueError
            If a setting makes no sense.
        """
        if settings is None:
            return cls.of(**options)
        require("settings", settings, cls, "AudioSettings, or single settings by name")
        return settings.but(**options)

    def but(self, **options: Unpack[AudioOptions]) -> Self:
        """Return these settings with others in the place of some."""
        _require_settings(options)
        return replace(self, **options)

    @property
    def choice(self) -> Choice:
        """What of a run is to be heard."""
        named = tuple((voice.name or voice.pitch, voice.pitch) for voice in self.voices)
        return Choice(self.tags, self.layers, self.parameters, named)

    @property
    def has_scale_of_its_own(self) -> bool:
        """Whether the scale is found in the values, so that several runs can share it."""
        return self.voicing != "original" and self.range is None

    @property
    def file_format(self) -> AudioFormat:
        """Format of the file."""
        return self.format or ("wav32f" if self.voicing == "original" else "wav16")

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; of somebody's voicing also which code it is."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        code = identity(self.voicing)
        return plain | ({"voicing_code": code} if code else {})


def _require_settings(options: Mapping[str, object]) -> None:
    known = [field.name for field in fields(AudioSettings)]
    for name in options:
        if name not in known:
            near = did_you_mean(name, known) or ";"
            raise TypeError(f"{name!r} is no setting{near} help(epochord.AudioSettings) has all")


def _require_kinds(settings: AudioSettings) -> None:
    """Check the types of all values, where no type checker has."""
    require_fitting({name: getattr(settings, name) for name in KEYS}, KEYS, AudioSettings)
    steps = settings.steps
    pair = isinstance(steps, tuple | list) and len(steps) == 2
    if not pair or not all(each is None or isinstance(each, Integral) for each in steps):
        raise ValueError(
            f"steps is {steps!r}; expected (first, before), such as (100, 200) or (None, 200)"
        )
    several = settings.voices
    if not isinstance(several, tuple | list):
        raise ValueError(f"voices is {of_kind(several)}; expected a tuple of VoiceMapping")
    for voice in several:
        if not isinstance(voice, VoiceMapping):
            raise ValueError(
                f"voices has {voice!r}; expected VoiceMapping, such as VoiceMapping('loss')"
            )


def _require(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"{name} is {value!r}; expected one of {', '.join(known)}")


def _require_between(name: str, value: float, least: float, most: float, unit: str) -> None:
    if not least <= value <= most:  # also refuses NaN
        expected = f"{least:g} to {most:g} {unit}".rstrip()
        raise ValueError(f"{name} is {value} {unit}".rstrip() + f"; expected {expected}")
