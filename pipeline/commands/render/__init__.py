"""`epochord render`: turn logs into something to hear and to see."""

from typer.core import TyperGroup

from epochord.pipeline.cli.later import group

__all__ = ["COMMANDS", "render"]

COMMANDS = {
    "audio": (
        "Render sound files: renders/<run>/audio.wav, its score and its description.",
        f"{__name__}.audio:audio",
    ),
    "ensemble": (
        "Render ensembles: renders/<run>/ensemble.mp4, stills and scores.",
        f"{__name__}.ensemble:ensemble",
    ),
    "benford": (
        "Draw first digits, or others: renders/<run>/benford.png and what may be said of them.",
        f"{__name__}.benford:benford",
    ),
}


def render() -> TyperGroup:
    """Turn logs into something to hear and to see."""
    return group("render", render.__doc__ or "", COMMANDS)
