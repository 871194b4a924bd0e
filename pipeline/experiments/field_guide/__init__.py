"""Small trainings that go well, or wrong in one way each, to learn their sounds by."""

from epochord.pipeline.experiments.field_guide.trainings import STEPS, TRAININGS, Training

__all__ = ["STEPS", "TRAININGS", "Training"]
