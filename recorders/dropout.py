"""A network with dropout as an ensemble: each member the network that one draw leaves."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import nn

from epochord.recorders.modules import evaluating, inputs_for

__all__ = ["MCDropout", "has_dropout"]

_Dropout = nn.modules.dropout._DropoutNd  # what all of PyTorch's layers of it are
_BY_CHANNEL = (nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)
_PLAIN = (nn.Dropout, *_BY_CHANNEL)


class MCDropout:
    """Monte-Carlo dropout (Gal and Ghahramani 2016): samples of a network as an ensemble.

    Its dropout layers are on, and everything else is in eval mode.  Each sample is one thinned
    network: what it drops, it drops at all points, so that members are functions.  Sample k drops
    the same at each call (common random numbers), so that from epoch to epoch a member moves by
    what was learned, and a film does not flicker.

    Parameters
    ----------
    net : torch.nn.Module
        With layers of dropout; its modes and the random numbers of its training are left alone.
    samples : int
        How many members.
    seed : int
        Of what is dropped.

    Raises
    ------
    ValueError
        If the network has no layer of dropout that drops anything, or `samples` is none.

    Notes
    -----
    Dropout that is no layer of its own (`torch.nn.functional.dropout`, that within attention or
    recurrent layers) is off.  `AlphaDropout` draws anew for each point.

    Examples
    --------
    >>> with EnsembleRecorder(MCDropout(net, samples=40), "runs/dropout", grid=x) as recorder:
    ...     recorder.record()
    """

    def __init__(self, net: nn.Module, samples: int = 40, *, seed: int = 0) -> None:
        if not isinstance(net, nn.Module):
            raise TypeError(f"net is {type(net).__name__}; expected a torch.nn.Module")
        if not isinstance(samples, int) or samples < 1:
            raise ValueError(f"samples is {samples!r}; expected an integer of at least 1")
        if not has_dropout(net):
            raise ValueError(
                f"{type(net).__name__} has no layer of dropout with p above 0, so that all samples "
                "would be equal; use torch.nn.Dropout"
            )
        self.net, self.samples, self.seed = net, samples, seed

    def __call__(self, inputs: Any) -> list[Any]:
        """Return what each sample answers.

        Parameters
        ----------
        inputs : torch.Tensor or np.ndarray [shape=(points, ...)]
            In the network's own shape.
        """
        given = inputs_for(self.net, inputs)
        devices = [given.device] if given.device.type == "cuda" else []
        with (
            evaluating([self.net]),
            torch.no_grad(),
            torch.random.fork_rng(devices=devices),
            _every_layer_asked(),
        ):
            return [self._sample(number, given) for number in range(self.samples)]

    def _sample(self, number: int, inputs: torch.Tensor) -> Any:
        seed = _seed(self.seed, number)
        generator = torch.Generator().manual_seed(seed)
        _seed_all_of(inputs.device, seed)
        with ExitStack() as hooks:
            for layer in self.net.modules():
                if isinstance(layer, _PLAIN):
                    hook = layer.register_forward_hook(_dropping(generator))
                    hooks.callback(hook.remove)
                elif isinstance(layer, _Dropout):
                    layer.training = True
            return self.net(inputs)


def has_dropout(net: nn.Module) -> bool:
    """Tell whether a network has layers that drop something."""
    return any(isinstance(layer, _Dropout) and layer.p > 0 for layer in net.modules())


def _dropping(generator: torch.Generator) -> Any:
    """Return a hook that drops the same of every point, and scales what is left."""

    def hook(layer: Any, _: Any, inputs: torch.Tensor) -> torch.Tensor:  # in eval mode: as they are
        sizes = list(inputs.shape[1:]) if inputs.ndim > 1 else [1]
        if isinstance(layer, _BY_CHANNEL) and len(sizes) > 1:
            sizes[1:] = [1] * (len(sizes) - 1)
        kept = torch.rand(1, *sizes, generator=generator) >= layer.p
        scale = kept / (1 - layer.p) if layer.p < 1 else kept
        thinned: torch.Tensor = inputs * scale.to(inputs)
        return thinned

    return hook


@contextmanager
def _every_layer_asked() -> Iterator[None]:
    """Keep transformers from the fast path of eval mode, which passes over dropout."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def _seed_all_of(device: torch.device, seed: int) -> None:
    """Seed what one device draws from; `torch.manual_seed` would seed all, and training's too."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)


def _seed(seed: int, number: int) -> int:
    return (seed * 1_000_003 + number) % (1 << 63)
