"""From the names of parameters to layers that a person can follow.

A parameter `encoder.block.3.linear.weight` belongs to the module
`encoder.block.3.linear`.  A large model has hundreds of modules, so layers are
module prefixes, cut at the deepest level that still gives few of them.
"""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from runlog.errors import LogError

__all__ = ["MAX_LAYERS", "choose_layers", "group_by_module", "is_weight", "module_of"]

# What one ear can still tell apart in turn, and one screen can show.
MAX_LAYERS = 16

Layers = dict[str, list[str]]


def module_of(parameter: str) -> str:
    """Return the module that owns a parameter; a parameter without one stands for itself."""
    return parameter.rpartition(".")[0] or parameter


def is_weight(parameter: str) -> bool:
    """Tell whether a parameter is a weight (`weight`, an LSTM's `weight_ih_l0`)."""
    return parameter.rpartition(".")[2].startswith("weight")


def group_by_module(parameters: Iterable[str], limit: int = MAX_LAYERS) -> Layers:
    """Group parameters into at most `limit` layers, if any level of the model allows it.

    Parameters
    ----------
    parameters : iterable of str
        Parameter names, in registration order.
    limit : int
        How many layers there should be at most.

    Returns
    -------
    dict of str to list of str
        Layer name to its parameters, in the order of first appearance: modules
        where there are few enough of them, otherwise the deepest common
        prefixes that are few enough, otherwise the top level.
    """
    names = list(parameters)
    depth = max((module_of(name).count(".") + 1 for name in names), default=1)
    layers = _at_depth(names, depth)
    while len(layers) > limit and depth > 1:
        depth -= 1
        layers = _at_depth(names, depth)
    return layers


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
        below = [name for name in names if name == pattern or name.startswith(f"{pattern}.")]
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
        prefix = ".".join(module_of(name).split(".")[:depth])
        layers.setdefault(prefix, []).append(name)
    return layers
