"""Arguments that several commands share."""

from typing import Annotated

import typer

__all__ = ["Paths"]

Paths = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="PATH",
        help="Runs, folders of runs, TensorBoard logdirs, or names under runs/; default: runs",
    ),
]
