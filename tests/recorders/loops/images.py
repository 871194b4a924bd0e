"""Images of ten classes: one random pattern each, under noise."""

import torch
from torch.utils.data import TensorDataset

__all__ = ["images"]


def images(count: int, size: int, seed: int = 0) -> TensorDataset:
    """Make images of shape (1, size, size) in 0..1, and their classes.

    Parameters
    ----------
    count : int
        How many.
    size : int
        Height and width in pixels.
    seed : int
        Of classes and noise; the patterns are always the same.
    """
    patterns = torch.rand(10, 1, size, size, generator=torch.Generator().manual_seed(0))
    random = torch.Generator().manual_seed(1 + seed)
    classes = torch.randint(10, (count,), generator=random)
    noise = torch.rand(count, 1, size, size, generator=random)
    return TensorDataset((patterns[classes] + noise) / 2, classes)
