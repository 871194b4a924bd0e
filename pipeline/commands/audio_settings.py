"""From options and mapping files to the settings of the sound, for all commands that make one."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from epochord.renderers.audio import AudioSettings

__all__ = ["audio_settings", "given"]


def given(context: typer.Context, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return those options that the user gave; the others are left to the voicing."""
    sources = {name: context.get_parameter_source(name) for name in options}
    return {
        name: value
        for name, value in options.items()
        if (source := sources[name]) and source.name not in ("DEFAULT", "DEFAULT_MAP")
    }


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
