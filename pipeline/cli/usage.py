"""What was wrong with a command, in one line: what was given, what there is, what was meant."""

import re
import shlex
from difflib import get_close_matches
from typing import Any

__all__ = ["explained"]

NOT_ONE_OF = re.compile(r"(?P<given>'.*?') is not one of (?P<known>'.*')", re.DOTALL)


def explained(error: Any) -> str:
    """Return what was wrong with a command.

    Parameters
    ----------
    error : click.UsageError
        What typer raised.

    Returns
    -------
    str
        One line; or the help, where no command was given at all.
    """
    message: str = error.format_message()
    if message.count("\n") > 1 and not hasattr(error, "param"):
        return message
    message = " ".join(message.replace("Value error, ", "").split()).rstrip(".")
    path = error.ctx.command_path if error.ctx else "epochord"
    return f"{_meant(error, message)} (see '{path} --help')"


def _meant(error: Any, message: str) -> str:
    """Name what there is, and what comes near to what was given."""
    if hasattr(error, "possibilities"):
        near = _near(error.option_name, error.ctx.command.get_params(error.ctx))
        return f"{error.message.rstrip('.')}{near}"
    commands = list(getattr(error.ctx.command, "commands", ())) if error.ctx else []
    if commands and message.startswith("No such command"):
        given = shlex.split(message.removeprefix("No such command "))[0].rstrip(".")
        said = f"No such command {given!r}; expected one of {', '.join(commands)}"
        return said + did_you_mean(given, commands)
    if found := NOT_ONE_OF.search(message):
        known = re.findall(r"'(.*?)'", found["known"])
        said = message.replace(found[0], f"{found['given']} is not one of {', '.join(known)}")
        return said + did_you_mean(found["given"].strip("'"), known)
    return message


def _near(given: str, params: Any) -> str:
    names = [name for param in params for name in (*param.opts, *param.secondary_opts)]
    return did_you_mean(given, [name for name in names if name.startswith("--")])
