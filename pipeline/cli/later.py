"""Commands that are imported when they are run: until then a name and a sentence stand for them."""

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from epochord.pipeline.cli.usage import UsageError
from epochord.pipeline.cli.values import with_plain_values
from epochord.pipeline.console import hush, result

__all__ = ["About", "Later", "common", "group"]

Function = Callable[..., None]
About = tuple[str, str | Function]  # what a command does, and where it is


class Later(TyperCommand):
    """Stands for a command, or a group of them, until it is run.

    Parameters
    ----------
    name : str
        What it is called.
    summary : str
        What it does, in a sentence: the first line of its documentation.
    place : str or callable
        ``"package.module:name"`` of a command's function, or of a function that
        makes a group; or the command's function itself.
    """

    def __init__(self, name: str, summary: str, place: str | Function) -> None:
        super().__init__(name, help=summary, short_help=summary, rich_markup_mode=None)
        self._place = place

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **more: Any) -> Any:
        """Import the command, and parse its arguments."""
        command = self.loaded()
        try:
            return command.make_context(info_name, args, *rest, **more)
        except UsageError as error:
            if error.ctx is None:  # of an option without its value the parser does not say whose
                error.ctx = typer.Context(command, info_name=info_name, parent=more.get("parent"))
            raise

    def loaded(self) -> Any:
        """Return the command itself."""
        function = self._place if callable(self._place) else _imported(self._place)
        if function.__annotations__.get("return") is TyperGroup:
            return function()
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        app.command(self.name)(function)
        command: Any = get_command(app)
        with_plain_values(command.params)
        for param in command.params:
            if param.param_type_name == "argument":
                param.display_type_rich = _untyped
        command.params += common()
        return command


def group(name: str, summary: str, commands: Mapping[str, About]) -> TyperGroup:
    """Make a group of commands.

    Parameters
    ----------
    name : str
        What it is called.
    summary : str
        What its commands do.
    commands : mapping of str to (str, str or callable)
        By name: summary and place of each, as `Later` takes them.
    """
    return TyperGroup(
        name=name,
        help=summary,
        commands={each: Later(each, *about) for each, about in commands.items()},
        params=common(),
        no_args_is_help=True,
        rich_markup_mode=None,
    )


@cache
def common() -> list[Any]:
    """Return the options that every command has."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command()(_common)
    command: Any = get_command(app)
    with_plain_values(command.params)
    return list(command.params)


def _untyped(**_: Any) -> None:
    """Say no type of an argument: its name does, and Python's are nothing to a user."""


def _be_quiet(wanted: bool) -> None:
    if wanted:  # before the command's name or behind it
        hush(True)


def _show_help(context: typer.Context, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        result(context.get_help())
        raise typer.Exit


def _common(
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet",
            "-q",
            callback=_be_quiet,
            expose_value=False,
            help="Say nothing but results and errors.",
        ),
    ] = False,
    help: Annotated[
        bool,
        typer.Option(
            "--help",
            "-h",
            callback=_show_help,
            is_eager=True,
            expose_value=False,
            help="Show this message and exit.",
        ),
    ] = False,
) -> None: ...


def _imported(place: str) -> Function:
    module, _, name = place.partition(":")
    function: Function = getattr(import_module(module), name)
    return function
