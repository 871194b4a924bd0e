"""Handwritten digits as 28 × 28 images, normalised as in the original experiment."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import torch
from torch.nn.functional import interpolate, pad
from torch.utils.data import TensorDataset

from epochord.pipeline.experiments.settings import DataName
from epochord.runlog.errors import EpochordError, one_line
from epochord.runlog.extras import install_command

__all__ = ["DataError", "describe", "load_digits_as_mnist", "load_mnist"]

DIGITS = Path(__file__).parent / "digits" / "digits.npz"  # SOURCE.toml beside it says whose
# Mean and standard deviation of MNIST's training pixels, scaled to 0…1.
MNIST_MEAN = 0.1307
MNIST_STD = 0.3081
CONNECT_TIMEOUT = 10.0  # s; a network that swallows packets must not hang the command


class DataError(EpochordError):
    """A data set could not be had."""


def describe(name: DataName) -> dict[str, str]:
    """Return what `run.json` is to say of a data set."""
    sources = {
        "digits": "scikit-learn's bundled digits (UCI optical recognition, 1,797 scans of 8 by 8), "
        "scaled to 20 by 20 and padded to 28 by 28",
        "mnist": "MNIST training split, by torchvision",
    }
    return {"name": name, "source": sources[name]}


def load_digits_as_mnist() -> TensorDataset:
    """Load the embedded digits, which are scikit-learn's, in MNIST's shape; needs no network.

    Returns
    -------
    TensorDataset
        Images [shape=(1797, 1, 28, 28), float32], normalised, and their digits
        [shape=(1797,), int64].
    """
    with np.load(DIGITS) as found:
        grey, digits = found["images"], found["digits"].astype(np.int64)
    scans = torch.from_numpy(grey).float().unsqueeze(1) / 16  # grey levels 0…16
    # MNIST's digits fill 20 × 20 of the 28 × 28 pixels.
    images = pad(interpolate(scans, size=(20, 20), mode="bilinear"), (4, 4, 4, 4))
    return _normalised(images, torch.from_numpy(digits))


def load_mnist(folder: Path) -> TensorDataset:
    """Load MNIST's training split, downloading it once if it is not there.

    Parameters
    ----------
    folder : Path
        Holds, or is to hold, ``MNIST/raw`` with the original files.

    Returns
    -------
    TensorDataset
        As `load_digits_as_mnist`, of 60,000 images.

    Raises
    ------
    DataError
        If it is not there and cannot be downloaded.
    """
    mnist = _torchvision_mnist()
    try:
        split = mnist(str(folder), train=True, download=False)
    except RuntimeError:  # not there
        split = _download(mnist, folder)
    except (ValueError, TypeError, AssertionError, OSError) as error:
        raise DataError(
            f"{folder}/MNIST/raw: the files there are damaged ({one_line(error)}); delete them "
            "and try again"
        ) from error
    return _normalised(split.data.unsqueeze(1).float() / 255, split.targets)


def _torchvision_mnist() -> Any:
    try:
        from torchvision.datasets import MNIST
    except (ImportError, RuntimeError) as error:
        raise DataError(
            f"torchvision cannot be used ({one_line(error)}); install torch and torchvision "
            f"together, as the pair that pip resolves ({install_command('record')}), or use "
            "--data digits"
        ) from error
    return MNIST


def _download(mnist: Any, folder: Path) -> Any:
    try:
        with _time_limit():
            return mnist(str(folder), train=True, download=True)
    except (RuntimeError, URLError, OSError) as error:
        raise DataError(
            f"MNIST is not in {folder}/MNIST/raw and could not be downloaded "
            f"({one_line(error)}); put its four .gz files there (choose another "
            "folder with --data-dir), or use --data digits, which needs no network"
        ) from error


@contextmanager
def _time_limit() -> Iterator[None]:
    # torchvision opens its addresses without a time limit.
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(CONNECT_TIMEOUT)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _normalised(images: torch.Tensor, digits: torch.Tensor) -> TensorDataset:
    return TensorDataset((images - MNIST_MEAN) / MNIST_STD, digits)
