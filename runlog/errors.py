"""What goes wrong for a reason that a user can see and mend.

Every message is one line: what, where, what was found, what was expected, and
the remedy.  The command line prints it without a traceback and exits with 1.
"""

import sys
import warnings

__all__ = [
    "EpochordError",
    "LogError",
    "OutputError",
    "RecordingWarning",
    "RunExistsError",
    "described",
    "one_line",
    "warn",
]


class EpochordError(Exception):
    """Base of everything that a user can cause; catch it to catch them all."""


class LogError(EpochordError):
    """A log could not be used as input."""


class RunExistsError(EpochordError):
    """A recorder was pointed at a directory that already holds a run."""


class OutputError(EpochordError):
    """A result could not be written; whatever was there before still is."""


class RecordingWarning(UserWarning):
    """Something of a training could not be recorded; the training itself goes on."""


def warn(message: str) -> None:
    """Warn of what is not recorded; this never raises, even where warnings are errors."""
    try:
        warnings.warn(message, RecordingWarning, stacklevel=2)
    except RecordingWarning:
        print(f"epochord: {message}", file=sys.stderr)


def one_line(text: object) -> str:
    """Return any text, such as an exception's message, as one line."""
    return " ".join(str(text).split())


def described(error: BaseException) -> str:
    """Return an exception's type and message as one line, for a log or a message."""
    return f"{type(error).__name__}: {one_line(error)}".removesuffix(": ")
