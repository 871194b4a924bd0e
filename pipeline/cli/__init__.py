"""The command line itself: what commands there are, and how it ends."""

from epochord.pipeline.cli.program import main

__all__ = ["main"]
