"""How a run is to be heard."""

import json
import os
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self, TypedDict, Unpack, get_args

from epochord.renderers.audio.files.write import AudioFormat
from epochord.renderers.audio.scoring.mapping import VoiceMapping, load_mapping, shipped_mapping
from epochord.renderers.audio.scoring.scale import Scale
from epochord.renderers.audio.scoring.style import TIMBRES
from epochord.renderers.audio.scoring.voicings import SHIPPED, identity, require_known
from epochord.renderers.timeline.choice import MAX_VOICES, Choice, Parameters
from epochord.renderers.timeline.timeline import StepRange

__all__ = ["AudioOptions", "AudioSettings", "Polarity"]

Polarity = Literal["+", "-"]

LONGEST = 10.0  # s, of a tone or a pause


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
    range: tuple[float, float] | None
    polarity: Polarity
    timbre: str
    lufs: float
    format: AudioFormat | None
    legend: bool
    loudness: str
    brightness: str
    voices: tuple[VoiceMapping, ...]


@dataclass(frozen=True)
class AudioSettings:
    """How a run is to be heard.

    Parameters
    ----------
    voicing : str
        ``lanes``, ``sequence``, ``original``, or one of somebody's (see
        `register_voicing`).
    layers : tuple of str
        Which layers, in which order; empty for all.
    parameters : {"weight", "all"}
        Of each layer only its weights, or all of its parameters.
    tone, silence : float
        Of voices in turn: length of a tone and of the pause after each step, in
        seconds.
    tags : tuple of str
        Globs over tags (see `timeline.choice.Choice`); empty for a sensible choice.
    steps : (int or None, int or None)
        First step, and the step before which to stop.
    duration : float, optional
        Length of the whole sound in seconds.
    steps_per_second : float, optional
        Pace; by default that of the original, up to 60 s.
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
    loudness, brightness : str
        Tags that drive these of all voices, if any.
    voices : tuple of VoiceMapping
        Just these voices, each with what drives it.

    Raises
    ------
    ValueError
        If a setting makes no sense.
    """

    voicing: str = "lanes"
    layers: tuple[str, ...] = ()
    parameters: Parameters = "weight"
    tone: float = 0.01
    silence: float = 0.02
    tags: tuple[str, ...] = ()
    steps: StepRange = (None, None)
    duration: float | None = None
    steps_per_second: float | None = None
    range: tuple[float, float] | None = None
    polarity: Polarity = "+"
    timbre: str = "sine"
    lufs: float = -23.0
    format: AudioFormat | None = None
    legend: bool = False
    loudness: str = ""
    brightness: str = ""
    voices: tuple[VoiceMapping, ...] = ()

    def __post_init__(self) -> None:
        require_known(self.voicing)
        _require("parameters", self.parameters, get_args(Parameters))
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
        if len(self.voices) > MAX_VOICES:
            raise ValueError(f"voices are {len(self.voices)}; expected at most {MAX_VOICES}")
        for voice in self.voices:
            if isinstance(voice.pan, int | float):
                _require_between("pan", voice.pan, -1.0, 1.0, "")
        for ends in (self.range, *(voice.range for voice in self.voices)):
            if ends is not None:
                Scale(*ends, kind="linear")

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
        own = {} if mapping is None else load_mapping(mapping)
        asked: dict[str, Any] = own | dict(options)
        voicing = asked.get("voicing", cls.voicing)
        shipped = load_mapping(shipped_mapping(voicing)) if voicing in SHIPPED else {}
        return cls(**(shipped | asked))

    def but(self, **options: Unpack[AudioOptions]) -> Self:
        """Return these settings with others in the place of some."""
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


def _require(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"{name} is {value!r}; expected one of {', '.join(known)}")


def _require_between(name: str, value: float, least: float, most: float, unit: str) -> None:
    if not least <= value <= most:  # also refuses NaN
        expected = f"{least:g} to {most:g} {unit}".rstrip()
        raise ValueError(f"{name} is {value} {unit}".rstrip() + f"; expected {expected}")
