"""Where results go, and how they are named on stdout."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import typer

from epochord.pipeline.folders import RENDERS
from epochord.runlog.errors import OutputError

if TYPE_CHECKING:
    from epochord.renderers.results.destination import Destination

__all__ = [
    "AsJson", "LogFormat", "Overwrite", "checked_folder", "chosen", "out_option", "placed",
    "run_folder",
]  # fmt: skip

Work = TypeVar("Work")
NEAR = 0.7  # how alike a mistyped suffix is at least: one letter too many, too few or wrong

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]
LogFormat = Annotated[
    Literal["parquet", "tensorboard", "both"],
    typer.Option("--format", help="How to write the log."),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an earlier recording of it.")]


def out_option(default: str, *suffixes: str) -> Any:
    """Return the option that says where results go.

    Parameters
    ----------
    default : str
        Where they go without it.
    suffixes : str
        Of the files that can be named.
    """
    kinds = " or ".join(filter(None, [", ".join(suffixes[:-1]), suffixes[-1]]))
    return typer.Option(
        "--out",
        "-o",
        metavar="PATH",
        help=f"Where the result goes: a file that ends in {kinds}, or a folder.  "
        f"[default: {default}]",
    )


def run_folder(default: str) -> Any:
    """Return the option that says where a log goes."""
    return typer.Option(
        "--out", "-o", metavar="FOLDER", help=f"The run's folder.  [default: {default}]"
    )


def checked_folder(path: Path) -> Path:
    """Return the folder that a log is to be written to.

    Raises
    ------
    typer.BadParameter
        If it is the name of a file.
    """
    from epochord.renderers.results.destination import FILES

    if path.suffix.lower() in FILES and not path.is_dir():
        raise typer.BadParameter(f"--out is {path}, the name of a file; a log is a folder")
    return path


def chosen(
    path: Path | None, *suffixes: str, folder: Path = RENDERS, stem: str = ""
) -> "Destination":
    """Understand what was given as the place for results.

    Raises
    ------
    typer.BadParameter
        If it is a file of another kind, or of one that is mistyped.
    """
    from epochord.renderers.results.destination import destination

    try:
        place = destination(path, folder=folder, stem=stem, suffixes=suffixes)
    except OutputError as error:
        raise typer.BadParameter(str(error)) from error
    if path and not place.suffix and not path.is_dir():
        _refuse_mistyped(path, suffixes)
    return place


def _refuse_mistyped(path: Path, suffixes: Sequence[str]) -> None:
    """Refuse a folder that is not there and whose name ends almost like a file's."""
    from difflib import get_close_matches

    ending = path.suffix.lower()
    if near := get_close_matches(ending, suffixes, n=1, cutoff=NEAR):
        raise typer.BadParameter(
            f"{path}: {ending} is not made here; did you mean {near[0]}? (a folder of such a name "
            "has to be there already)"
        )


def placed(
    place: "Destination", folders: Mapping[Path, Work], noun: str = "run"
) -> dict[Path, Work]:
    """Give each piece of work its folder, or the only one the file that was named.

    Parameters
    ----------
    place : Destination
        See `chosen`.
    folders : mapping of Path to anything
        What is to be made, by the folder that it goes to where no file was named.
    noun : str
        What one of them is.

    Raises
    ------
    typer.BadParameter
        If a file was named, and there are several.
    """
    if not place.suffix:
        return dict(folders)
    path = place.path(place.suffix)
    if len(folders) > 1:
        raise typer.BadParameter(
            f"--out names one file, {path}, and there are {len(folders)} {noun}s; name a folder"
        )
    return dict(zip([path], folders.values(), strict=False))
