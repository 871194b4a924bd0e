"""`epochord render`: turn logs into something to hear and to see."""

import typer

from epochord.pipeline.commands.render.audio import audio
from epochord.pipeline.commands.render.benford import benford
from epochord.pipeline.commands.render.ensemble import ensemble

__all__ = ["app"]

app = typer.Typer(
    name="render", help="Turn logs into something to hear and to see.", no_args_is_help=True
)
app.command()(audio)
app.command()(ensemble)
app.command()(benford)
