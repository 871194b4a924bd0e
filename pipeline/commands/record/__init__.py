"""`epochord record`: train one of the experiments and write its log."""

from typer.core import TyperGroup

from epochord.pipeline.cli.later import About, group

__all__ = ["record"]


def record() -> TyperGroup:
    """Train an experiment and write its log."""
    from epochord.pipeline.commands.record.experiments import recording
    from epochord.pipeline.experiments.settings import EXPERIMENTS

    commands: dict[str, About] = {
        name: (f"{each}.", recording(each)) for name, each in EXPERIMENTS.items()
    }
    commands |= {
        "ensemble": (
            "Ensemble of 1-20-20-1 networks on ten noisy points, with randomized priors.",
            f"{__name__}.ensemble:ensemble",
        ),
        "benford": (
            "First digits of the numbers that a language model expects, for Benford's law.",
            f"{__name__}.benford:benford",
        ),
    }
    return group("record", record.__doc__ or "", commands)
