"""`epochord listening-test`: a page that asks people what they hear, and its key."""

from pathlib import Path
from typing import Annotated

import typer

from epochord.pipeline.commands.arguments.results import chosen, out_option
from epochord.pipeline.commands.arguments.settings import audio_settings
from epochord.pipeline.commands.arguments.sound import Voicing
from epochord.pipeline.console import bar, note, result

__all__ = ["listening_test"]


def listening_test(
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", help="What the clips are drawn from.")
    ] = 0,
    clips: Annotated[
        int,
        typer.Option(
            "--clips", metavar="N", help="How many are answered, half of them healthy: even."
        ),
    ] = 36,
    voices: Annotated[
        int, typer.Option("--voices", metavar="N", help="Layers of each training, 2 to 12.")
    ] = 4,
    voicing: Voicing = "roll",
    out: Annotated[Path | None, out_option("renders/listening-test.html", ".html")] = None,
) -> None:
    """Write a page that plays clips of trainings and asks people what they hear.

    One HTML file for those who listen, which needs no network and sends nothing, and
    beside it the key (….key.json), for whoever scores their answers with 'epochord
    score-listening-test'.  docs/listening-test.md has the protocol.
    """
    from epochord.renderers.listening import render_listening_test

    place = chosen(out, ".html", stem="listening-test")
    settings = audio_settings({"voicing": voicing})
    with bar("render clips") as progress:
        try:
            made = render_listening_test(
                place, settings, seed=seed, count=clips, voices=voices, progress=progress.update
            )
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
    size = made.page.stat().st_size / 1e6
    note(f"{made.page}: {clips} clips, {size:.1f} MB; keep the key to yourself")
    result(made.page)
    result(made.key)
