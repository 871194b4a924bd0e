"""Ensembles as videos with sound, stills and scores.

What draws is imported when it is first used, so that settings and logs can be checked without it.
"""

from typing import TYPE_CHECKING

from epochord.renderers.ensemble.choice import check_choice
from epochord.renderers.ensemble.drawable import why_not_drawn
from epochord.renderers.ensemble.overview import Overview, overview
from epochord.renderers.ensemble.settings import EnsembleSettings
from epochord.runlog.extras import needing

__all__ = [
    "EnsembleResult",
    "EnsembleSettings",
    "Overview",
    "check_choice",
    "overview",
    "panel_limits",
    "render_ensemble",
    "shared_limits",
    "why_not_drawn",
]

if TYPE_CHECKING:
    from epochord.renderers.ensemble.render import (
        EnsembleResult,
        panel_limits,
        render_ensemble,
        shared_limits,
    )
else:

    def __getattr__(name):
        """Import what draws."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        with needing("rendering ensembles", "video"):
            from epochord.renderers.ensemble import render
        return getattr(render, name)
