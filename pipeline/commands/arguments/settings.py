"""From options and mapping files to the settings of the sound, for all commands that make one."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from epochord.renderers.audio import AudioSettings

__all__ = ["audio_settings", "given", "named", "refuse_idle"]

# Options that a voicing takes no notice of.
IDLE = {
    "roll": ("tone", "silence"),
    "lanes": ("tone", "silence"),
    "original": (
        "time", "range", "scale_from", "polarity", "timbre", "loudness", "brightness", "lufs",
    ),
}  # fmt: skip


def given(context: typer.Context, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return those options that the user gave; the others are left to the voicing."""
    sources = {name: context.get_parameter_source(name) for name in options}
    return {
        name: value
        for name, value in options.items()
        if (source := sources[name]) and source.name not in ("DEFAULT", "DEFAULT_MAP")
        if value not in ("", ())  # as Makefiles give what is not set
    }


def named(*options: str) -> str:
    """Return options as they are typed, with the verb that belongs to them."""
    typed = [f"--{option.replace('_', '-')}" for option in options]
    return f"{', '.join(typed)} {'is' if len(typed) == 1 else 'are'}"


def audio_settings(asked: Mapping[str, Any], mapping: Path | None = None) -> "AudioSettings":
    """Join the voicing's own settings, those of a mapping file, and the options.

    Parameters
    ----------
    asked : mapping
        Settings by name, as `AudioSettings` has them: those that were given.
    mapping : Path, optional
        A TOML file.

    Raises
    ------
    typer.BadParameter
        If a setting makes no sense.
    LogError
        If the file cannot be used.
    """
    from epochord.renderers.audio import AudioSettings

    try:
        return AudioSettings.of(mapping, **asked)
    except ValueError as error:
        where = f"{mapping}: " if mapping else ""
        raise typer.BadParameter(f"{where}{error}") from error


def refuse_idle(asked: Collection[str], settings: "AudioSettings") -> None:
    """Refuse options that would change nothing.

    Parameters
    ----------
    asked : collection of str
        Those that were given, by name.
    settings : AudioSettings
        What they came to, with the mapping and the voicing's own.

    Raises
    ------
    typer.BadParameter
        With the reason.
    """
    if idle := [name for name in IDLE.get(settings.voicing, ()) if name in asked]:
        raise typer.BadParameter(
            f"{named(*idle)} of no use with --voicing {settings.voicing}; choose another voicing, "
            "or leave this out"
        )
    if {"range", "scale_from"} <= set(asked):
        raise typer.BadParameter("--range and --scale-from are both given; choose one of them")
    if "brightness" in asked and settings.timbre == "sine":
        raise typer.BadParameter(
            "--brightness is of no use with --timbre sine, which has no harmonics; add --timbre "
            "warm"
        )
    if idle := [*_said_by_voices(asked, settings)]:
        raise typer.BadParameter(
            f"{named(*idle)} of no use with this mapping, whose voices say it themselves"
        )


def _said_by_voices(asked: Collection[str], settings: "AudioSettings") -> Iterator[str]:
    if not settings.voices:
        return
    yield from (name for name in ("tags", "layers", "parameters") if name in asked)
    for name in ("range", "loudness", "brightness"):
        if name in asked and all(getattr(voice, name) for voice in settings.voices):
            yield name
