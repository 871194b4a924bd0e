"""From the names of parameters to layers that a person can follow.

A parameter `encoder.block.3.linear.weight` belongs to the module
`encoder.block.3.linear` (or, in TensorFlow's names, `encoder/block/3/linear`).
A large model has hundreds of modules, so layers are module prefixes, and
neighbours among them are joined until they are few.
"""

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

import numpy as np

from epochord.runlog.errors import LogError

__all__ = ["MAX_LAYERS", "choose_layers", "group_by_module", "is_weight", "module_of"]

# What one ear can still tell apart in turn, and one screen can show.
MAX_LAYERS = 12

SEPARATOR = re.compile(r"[./]")

Layers = dict[str, list[str]]


def module_of(parameter: str) -> str:
    """Return the module that owns a parameter; a parameter without one stands for itself."""
    return parameter.removesuffix(_leaf(parameter))[:-1] or parameter


def is_weight(parameter: str) -> bool:
    """Tell whether a parameter is a weight (`weight`, `weight_ih_l0`, Keras's `kernel`)."""
    return _leaf(parameter).startswith(("weight", "kernel"))


def group_by_module(parameters: Iterable[str], limit: int = MAX_LAYERS) -> Layers:
    """Group parameters into at most `limit` layers.

    Parameters
    ----------
    parameters : iterable of str
        Parameter names, in registration order.
    limit : int
        How many layers there should be at most; at least one.

    Returns
    -------
    dict of str to list of str
        Layer name to its parameters, in the order of first appearance: modules
        where there are few enough of them.  Otherwise the shortest common
        prefixes that tell at least half of `limit` layers apart, neighbours
        joined (``h.0…h.1``) where these are too many.
    """
    names = list(parameters)
    layers = _at_depth(names, None)
    depth = 1
    while len(layers) > limit:
        coarser = _at_depth(names, depth)
        if 2 * len(coarser) >= limit:
            return _joined(coarser, limit)
        depth += 1
    return layers


def _joined(layers: Layers, limit: int) -> Layers:
    """Join neighbours until there are at most `limit` layers of about equally many parts."""
    names = list(layers)
    joined: Layers = {}
    for part in np.array_split(names, min(limit, len(names))):
        name = str(part[0]) if len(part) == 1 else f"{part[0]}…{part[-1]}"
        joined[name] = [parameter for layer in part for parameter in layers[layer]]
    return joined


def choose_layers(parameters: Iterable[str], patterns: Sequence[str]) -> Layers:
    """Pick layers by name, in the order in which they are asked for.

    Parameters
    ----------
    parameters : iterable of str
        Parameter names, in registration order.
    patterns : sequence of str
        Each is a module prefix of any depth (``encoder.block.3``: one layer of
        all that is below it) or a glob over modules (``encoder.*.linear``: one
        layer a match).

    Raises
    ------
    LogError
        If a pattern matches nothing.
    """
    names = list(parameters)
    modules = _at_depth(names, None)
    chosen: Layers = {}
    for pattern in patterns:
        prefixes = (f"{pattern}.", f"{pattern}/")
        below = [name for name in names if name == pattern or name.startswith(prefixes)]
        matches = {pattern: below} if below else _matching(modules, pattern)
        if not matches:
            raise LogError(f"no layer matches {pattern!r}; its layers: {', '.join(modules)}")
        chosen |= matches
    return chosen


def _matching(modules: Layers, pattern: str) -> Layers:
    return {name: members for name, members in modules.items() if fnmatchcase(name, pattern)}


def _at_depth(names: Sequence[str], depth: int | None) -> Layers:
    layers: Layers = {}
    for name in names:
        module = module_of(name)
        ends = [match.start() for match in SEPARATOR.finditer(module)]
        prefix = module if depth is None or depth > len(ends) else module[: ends[depth - 1]]
        layers.setdefault(prefix, []).append(name)
    return layers


def _leaf(parameter: str) -> str:
    return SEPARATOR.split(parameter)[-1]
