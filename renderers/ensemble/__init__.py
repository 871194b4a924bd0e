"""Ensembles as videos with sound, stills and scores."""

from epochord.runlog.extras import needing

with needing("rendering ensembles", "video"):
    from epochord.renderers.ensemble.choice import check_choice
    from epochord.renderers.ensemble.overview import Overview, overview
    from epochord.renderers.ensemble.render import EnsembleResult, render_ensemble, shared_limits
    from epochord.renderers.ensemble.settings import EnsembleSettings

__all__ = [
    "EnsembleResult",
    "EnsembleSettings",
    "Overview",
    "check_choice",
    "overview",
    "render_ensemble",
    "shared_limits",
]
