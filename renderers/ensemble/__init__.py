"""Ensembles as videos with sound, stills and scores."""

from renderers.ensemble.choice import check_choice
from renderers.ensemble.overview import Overview, overview
from renderers.ensemble.render import EnsembleResult, render_ensemble, shared_limits
from renderers.ensemble.settings import EnsembleSettings

__all__ = [
    "EnsembleResult",
    "EnsembleSettings",
    "Overview",
    "check_choice",
    "overview",
    "render_ensemble",
    "shared_limits",
]
