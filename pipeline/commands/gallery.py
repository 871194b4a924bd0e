"""`epochord gallery`: all results of a folder at a glance."""

from pathlib import Path
from typing import Annotated

import typer

from epochord.pipeline.commands.arguments.results import chosen, out_option
from epochord.pipeline.console import bar, result
from epochord.pipeline.folders import RENDERS

__all__ = ["gallery"]


def gallery(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="A folder of results.")
    ] = RENDERS,
    out: Annotated[Path | None, out_option("FOLDER/index.html", ".html")] = None,
) -> None:
    """Write an index of all results in a folder: FOLDER/index.html."""
    from epochord.renderers.page import render_gallery

    chosen(out, ".html")
    with bar(f"look through {folder}") as progress:
        path = render_gallery(folder, out=out, progress=progress.update)
    result(path)
