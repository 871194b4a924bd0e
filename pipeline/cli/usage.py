"""What was wrong with a command, in one line: what was given, what there is, what was meant."""

import re
from collections.abc import Iterable
from typing import Any

import typer

from epochord.runlog.words import did_you_mean, nearest

__all__ = ["UsageError", "explained"]

# typer has brought its own copy of click since 0.26 and does not name this class.
UsageError: Any = typer.BadParameter.__base__

NO_COMMAND = re.compile(r"No such command '(?P<given>.*?)'")
BAD_VALUE = re.compile(r"Invalid value(?: for '(?P<name>.+?)')?: (?P<what>.*)")


def explained(error: Any) -> str:
    """Return what was wrong with a command.

    Parameters
    ----------
    error : UsageError
        What typer raised.

    Returns
    -------
    str
        One line; or the help, where no command was given at all.
    """
    if type(error).__name__ == "NoArgsIsHelpError":
        return str(error.format_message())
    message = " ".join(error.format_message().split()).rstrip(".")
    path = error.ctx.command_path if error.ctx else "epochord"
    return f"{_meant(error, message)} (see '{path} --help')"


def _meant(error: Any, message: str) -> str:
    """Name what there is, and what comes near to what was given."""
    if hasattr(error, "possibilities"):
        given = error.option_name
        names = [name.strip("-") for name in _options(error.ctx.command.get_params(error.ctx))]
        near = [f"--{name}" for name in nearest(given.strip("-"), names)]
        return f"No such option: {given}{did_you_mean(given, near)}"
    if found := NO_COMMAND.match(message):
        given, known = found["given"], list(error.ctx.command.commands)
        said = f"No such command {given!r}; expected one of {', '.join(known)}"
        return f"{said}{did_you_mean(given, known)}"
    if found := BAD_VALUE.match(message):
        return f"{found['name'] or ''} {found['what']}".strip()
    return message


def _options(params: Iterable[Any]) -> Iterable[str]:
    names = (name for param in params for name in (*param.opts, *param.secondary_opts))
    return (name for name in names if name.startswith("--"))
