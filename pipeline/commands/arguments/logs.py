"""Which logs a command is to read, and what of them."""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from epochord.pipeline.commands.arguments.choices import Segments
from epochord.pipeline.folders import RUNS

if TYPE_CHECKING:
    from epochord.pipeline.inputs import Found
    from epochord.runlog import EpochordError

__all__ = [
    "Column",
    "Paths",
    "Runs",
    "SegmentMode",
    "Steps",
    "Tags",
    "found_runs",
    "refuse_column",
    "run_names",
]


def run_names(incomplete: str) -> Iterator[str]:
    """Yield names of runs, folder by folder, that begin as the user has begun."""
    above, _, _ = incomplete.rpartition("/")
    with suppress(OSError):
        for each in sorted(os.scandir(RUNS / above), key=lambda entry: entry.name):
            name = f"{above}/{each.name}" if above else each.name
            if each.is_dir() and name.startswith(incomplete):
                yield name


Paths = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="PATH",
        autocompletion=run_names,
        help="Runs, folders of runs, TensorBoard logdirs, tables (CSV, JSONL, Parquet, …), their "
        "URLs, or names under runs/.  [default: runs]",
    ),
]
Runs = Annotated[
    list[str] | None,
    typer.Option("--runs", metavar="GLOB", help="Only runs of such a name; may be repeated."),
]
Tags = Annotated[
    list[str] | None,
    typer.Option(
        "--tags",
        metavar="GLOB",
        help="Only such tags; !GLOB leaves tags out; may be repeated ('epochord inspect --tags' "
        "lists all).",
    ),
]
Steps = Annotated[
    str, typer.Option("--steps", metavar="A:B", help="Only steps from A to before B.")
]
SegmentMode = Annotated[
    Segments,
    typer.Option(
        "--segments",
        help="Logs of several files: apart where they overlap, all joined, each by itself, or "
        "only the last.",
    ),
]
Column = Annotated[
    str | None,
    typer.Option("--x", metavar="NAME", help="Of tables: the column that holds the step."),
]


def found_runs(
    paths: Sequence[str] | None, runs: Sequence[str] | None, x: str | None = None
) -> "tuple[list[Found], list[EpochordError]]":
    """Find the runs that paths stand for, by default those in ``runs/``.

    Parameters
    ----------
    paths, runs : sequence of str, optional
        See `epochord.pipeline.inputs.find`.
    x : str, optional
        Of tables: the column that holds the step.

    Raises
    ------
    typer.BadParameter
        If a column was named, and none of the runs is a table.
    """
    from epochord.pipeline.inputs import find

    found, errors = find(paths or [str(RUNS)], runs)
    refuse_column(found, x)
    return found, errors


def refuse_column(found: "Sequence[Found]", x: str | None) -> None:
    """Refuse to take steps from a column where nothing that was found is a table.

    Raises
    ------
    typer.BadParameter
        If that is so.
    """
    if x is not None and found and not any(one.is_table for one in found):
        raise typer.BadParameter(
            f"--x {x} is of no use: {found[0].source.name} is no table, so its steps are its own"
        )
