"""The command `epochord`.

Exit codes: 0 all done; 1 an input could not be used or an output not written;
2 wrong usage; 3 something was found that was not to be (``describe --fail-on``);
130 interrupted.
"""

import io
import signal
import sys
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer
from typer.main import get_command

from epochord import __version__
from epochord.pipeline.cli.later import Later, common
from epochord.pipeline.cli.usage import UsageError, explained
from epochord.pipeline.cli.values import with_plain_values
from epochord.pipeline.console import fail, hush, result
from epochord.runlog.errors import EpochordError

__all__ = ["COMMANDS", "main", "program"]

INTERRUPTED = 130  # 128 + SIGINT, as shells have it
TERMINATED = 143  # 128 + SIGTERM

# By name: what each does, in a sentence, and where it is; imported when it is run.
_AT = "epochord.pipeline.commands"
COMMANDS = {
    "record": ("Train an experiment and write its log.", f"{_AT}.record:record"),
    "render": ("Turn logs into something to hear and to see.", f"{_AT}.render:render"),
    "play": ("Play runs, sound files, or those in a folder of results.", f"{_AT}.play:play"),
    "inspect": (
        "Show what logs hold: status, steps, layers or tags, ranges, and what happened in them.",
        f"{_AT}.inspect:inspect",
    ),
    "describe": (
        "Say in sentences how runs went, and what happened in them.",
        f"{_AT}.describe:describe",
    ),
    "export": (
        "Write one long table: run, tag, segment, step, wall_time, value, in write order.",
        f"{_AT}.export:export",
    ),
    "decode": (
        "Estimate the values from the sound alone, and show how far they are from the log.",
        f"{_AT}.decode:decode",
    ),
    "compare": (
        "Compare runs, or audio files: renders/compare/<a>-vs-<b>/comparison.png and more.",
        f"{_AT}.compare:compare",
    ),
    "page": (
        "Render one HTML file that needs no network: play, see, compare.",
        f"{_AT}.page:page",
    ),
    "gallery": (
        "Write an index of all results in a folder: FOLDER/index.html.",
        f"{_AT}.gallery:gallery",
    ),
    "listening-test": (
        "Write a page that plays clips of trainings and asks people what they hear.",
        f"{_AT}.listening_test:listening_test",
    ),
    "score-listening-test": (
        "Score what people answered: each of them, and all together.",
        f"{_AT}.score_listening_test:score_listening_test",
    ),
}


def program() -> Any:
    """Return the command with all its commands, none of them imported."""
    app = typer.Typer(
        name="epochord",
        help="Hear your training runs.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    app.callback()(_options)
    command: Any = get_command(app)
    with_plain_values(command.params)
    command.params += common()
    command.commands |= {name: Later(name, *about) for name, about in COMMANDS.items()}
    return command


def _print_version(wanted: bool) -> None:
    if wanted:
        result(__version__)
        raise typer.Exit


def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Make room for options of the whole program."""


def main() -> NoReturn:
    """Run the command line and exit; no traceback for anything that a user can cause."""
    signal.signal(signal.SIGTERM, _terminate)
    _print_anything()
    hush(False)
    try:
        code = program().main(prog_name="epochord", standalone_mode=False)
        if code == INTERRUPTED:  # typer makes this of Ctrl-C, without a word
            fail("interrupted")
    except UsageError as error:
        _explain(error)
        code = 2
    except EpochordError as error:
        fail(error)
        code = 1
    except (KeyboardInterrupt, typer.Abort):
        fail("interrupted")
        code = INTERRUPTED
    except OSError as error:
        fail(f"{error.filename or 'input or output'}: {error.strerror or error}")
        code = 1
    sys.exit(code)


def _explain(error: Any) -> None:
    """Say in one line what was wrong with the command; without any command, show the help."""
    said = explained(error)
    if "\n" in said:
        print(said, file=sys.stderr)
    else:
        fail(said)


def _print_anything() -> None:
    """Let no name of a file, and no terminal's encoding, end in a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            utf8 = stream.encoding.lower() in ("utf-8", "utf8")
            stream.reconfigure(errors="surrogateescape" if utf8 else "replace")


def _terminate(_signum: int, _frame: FrameType | None) -> NoReturn:
    # As an exception, so that half-written files are removed and the log is closed.
    sys.exit(TERMINATED)
