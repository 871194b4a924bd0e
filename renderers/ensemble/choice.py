"""Whether an ensemble has what is to be drawn of it."""

from epochord.renderers.ensemble.settings import EnsembleSettings
from epochord.runlog import LogError
from epochord.runlog.reading.ensemble import Ensemble

__all__ = ["check_choice", "undrawn"]

PARTS = ("f", "p")  # which only a run with priors has
# What maps of two inputs show, or stand for.
MAPPED = {"members", "mean", "sd", "predictive", "data"}


def check_choice(ensemble: Ensemble, settings: EnsembleSettings) -> None:
    """Refuse settings that would leave an ensemble's picture empty.

    Raises
    ------
    LogError
        If a member was chosen that it does not have, or only parts that it does not have.
    """
    name, members, chosen = ensemble.run.name, ensemble.members, settings.member
    if chosen is not None and chosen >= members:
        raise LogError(f"run {name!r} has no member {chosen}; it has {members}, counted from 0")
    parts, others = _parts(settings), set(settings.layers) - {*PARTS, "data"}
    one_input = ensemble.setup.grid.shape[1] == 1  # maps show the predictions anyway
    if parts and not others and chosen is None and one_input and ensemble.setup.prior is None:
        raise LogError(
            f"run {name!r} has no priors, so it has no {parts} to draw apart from its "
            "predictions; choose other layers for it, such as --show members,mean,sd,data"
        )


def undrawn(ensemble: Ensemble, settings: EnsembleSettings) -> list[str]:
    """Say what of the settings has no effect on the picture of an ensemble."""
    parts = _parts(settings)
    if ensemble.setup.grid.shape[1] == 2:
        beside = [layer for layer in settings.layers if layer not in MAPPED]
        beside += ["a member of its own"] if settings.member is not None else []
        return [f"of two inputs mean and sd are drawn, not {', '.join(beside)}"] if beside else []
    if parts and ensemble.setup.prior is None:
        return [f"it has no priors, so no {parts} is drawn"]
    return []


def _parts(settings: EnsembleSettings) -> str:
    return " or ".join(layer for layer in PARTS if layer in settings.layers)
