"""The experiments that Epochord can record by itself."""

from epochord.pipeline.experiments.settings import EXPERIMENTS, Experiment

__all__ = ["EXPERIMENTS", "Experiment"]
