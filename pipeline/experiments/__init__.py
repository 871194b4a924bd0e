"""The experiments that Earshot can record by itself."""

from pipeline.experiments.settings import EXPERIMENTS, Experiment

__all__ = ["EXPERIMENTS", "Experiment"]
