"""The command `epochord`.

Exit codes: 0 all done; 1 an input could not be used or an output not written;
2 wrong usage; 130 interrupted.
"""

import io
import signal
import sys
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer

from epochord.pipeline.commands import record, render
from epochord.pipeline.commands.compare import compare
from epochord.pipeline.commands.decode import decode
from epochord.pipeline.commands.export import export_command
from epochord.pipeline.commands.inspect import inspect
from epochord.pipeline.commands.page import gallery, page
from epochord.pipeline.console import fail, result
from epochord.runlog.errors import EpochordError

__all__ = ["app", "main"]

INTERRUPTED = 130  # 128 + SIGINT, as shells have it
TERMINATED = 143  # 128 + SIGTERM

# typer has brought its own copy of click since 0.26 and does not name this class.
UsageError: Any = typer.BadParameter.__base__

app = typer.Typer(
    name="epochord",
    help="Hear your training runs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(record.app)
app.add_typer(render.app)
app.command()(inspect)
app.command("export")(export_command)
app.command()(decode)
app.command()(compare)
app.command()(page)
app.command()(gallery)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        result(version("epochord"))
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    """Make room for options of the whole program."""


def main() -> NoReturn:
    """Run the command line and exit; no traceback for anything that a user can cause."""
    signal.signal(signal.SIGTERM, _terminate)
    _print_anything()
    try:
        code = app(prog_name="epochord", standalone_mode=False)
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


def _print_anything() -> None:
    """Let no name of a file, and no terminal's encoding, end in a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            utf8 = stream.encoding.lower() in ("utf-8", "utf8")
            stream.reconfigure(errors="surrogateescape" if utf8 else "replace")


def _explain(error: Any) -> None:
    """Say in one line what was wrong with the command; without any command, show the help."""
    message = error.format_message()
    if "\n" in message:
        print(message, file=sys.stderr)
        return
    message = message.replace("Value error, ", "").rstrip(".")
    commands = getattr(error.ctx.command, "commands", None) if error.ctx else None
    if commands and message.startswith("No such command"):
        message += f"; expected one of {', '.join(commands)}"
    fail(f"{message} (see '{error.ctx.command_path if error.ctx else 'epochord'} --help')")


def _terminate(_signum: int, _frame: FrameType | None) -> NoReturn:
    # As an exception, so that half-written files are removed and the log is closed.
    sys.exit(TERMINATED)
