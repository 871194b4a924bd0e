"""The parameters of a model under stable names, and the layers that own them."""

import sys
from collections.abc import Iterator

from torch import nn
from torch.nn.parameter import is_lazy

from epochord.runlog import Layer, Parameter

__all__ = ["model_layers", "named_parameters", "refuse_sharded"]

# Wrappers that put a component of their own into every name below them.
_COMPILED = "_orig_mod."
_WRAPPED = "module."


def named_parameters(model: nn.Module) -> dict[str, nn.Parameter]:
    """Return a model's parameters by name, in registration order.

    Parameters
    ----------
    model : torch.nn.Module
        Names do not depend on a wrapper: DistributedDataParallel, DataParallel
        and torch.compile leave no trace in them.

    Returns
    -------
    dict of str to torch.nn.Parameter
        A parameter that several modules share stands under its first name.
    """
    strip = _is_parallel(model)
    return {_plain(name, strip): parameter for name, parameter in model.named_parameters()}


def model_layers(model: nn.Module) -> tuple[Layer, ...]:
    """Return the modules that own parameters, in registration order, for `run.json`."""
    strip = _is_parallel(model)
    known = {id(parameter): name for name, parameter in named_parameters(model).items()}
    layers = []
    for name, module in model.named_modules():
        owned = [p for p in module.parameters(recurse=False) if id(p) in known]
        if owned:
            parameters = tuple(
                Parameter(known.pop(id(p)), _shape(p), p.requires_grad) for p in owned
            )
            plain = _plain(f"{name}.", strip).rstrip(".")
            layers.append(Layer(plain, type(module).__name__, parameters))
    return tuple(layers)


def refuse_sharded(model: nn.Module) -> None:
    """Raise if parameters are sharded over several processes.

    Raises
    ------
    NotImplementedError
        For DTensor parameters (FSDP2, tensor parallelism) and FSDP1's flat ones:
        the norm of one rank's shard is not the norm of the gradient.
    """
    for name, kind in _sharded(model):
        raise NotImplementedError(
            f"parameter {name!r} is sharded ({kind}); GradientRecorder records whole parameters "
            "only (single process, DataParallel or DistributedDataParallel)"
        )


def _shape(parameter: nn.Parameter) -> tuple[int, ...]:
    return () if is_lazy(parameter) else tuple(parameter.shape)


def _sharded(model: nn.Module) -> Iterator[tuple[str, str]]:
    # Whoever sharded the model has these modules loaded; loading them takes half a second.
    fsdp = sys.modules.get("torch.distributed.fsdp")
    tensor = sys.modules.get("torch.distributed.tensor")
    if fsdp:
        for name, module in model.named_modules():
            if isinstance(module, fsdp.FullyShardedDataParallel):
                yield name, "FullyShardedDataParallel"
    if tensor:
        for name, parameter in model.named_parameters():
            if isinstance(parameter, tensor.DTensor) or isinstance(parameter.data, tensor.DTensor):
                yield name, "DTensor"


def _is_parallel(model: nn.Module) -> bool:
    # torch.compile may wrap DDP or be wrapped by it.
    inner = getattr(model, "_orig_mod", model)
    return isinstance(inner, nn.DataParallel | nn.parallel.DistributedDataParallel)


def _plain(name: str, parallel: bool) -> str:
    plain = name.replace(_COMPILED, "")
    return plain.removeprefix(_WRAPPED) if parallel else plain
