"""The command `earshot`.

Exit codes: 0 all done; 1 an input could not be used or an output not written;
2 wrong usage; 130 interrupted.
"""

import signal
import sys
from types import FrameType
from typing import Annotated, NoReturn

import click
import typer

from pipeline.commands import record, render
from pipeline.commands.inspect import inspect
from pipeline.console import fail, result
from runlog.errors import EarshotError

__all__ = ["app", "main"]

INTERRUPTED = 130  # 128 + SIGINT, as shells have it
TERMINATED = 143  # 128 + SIGTERM

app = typer.Typer(
    name="earshot",
    help="Hear your training runs.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
app.add_typer(record.app)
app.add_typer(render.app)
app.command()(inspect)


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        from importlib.metadata import version as installed

        result(installed("earshot"))
        raise typer.Exit


def main() -> NoReturn:
    """Run the command line and exit; no traceback for anything that a user can cause."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code = app(standalone_mode=False)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "earshot"
        fail(f"{error.format_message()} (see '{command} --help')")
        code = 2
    except EarshotError as error:
        fail(error)
        code = 1
    except (KeyboardInterrupt, click.Abort):
        fail("interrupted")
        code = INTERRUPTED
    except BrokenPipeError:
        code = 0  # whoever read our output has had enough
    sys.exit(code)


def _terminate(signum: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001
    # As an exception, so that half-written files are removed and the log is closed.
    sys.exit(TERMINATED)
