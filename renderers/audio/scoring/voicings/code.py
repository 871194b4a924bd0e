"""A function to a hash of its code, so that a changed one is not taken for what it was."""

import hashlib
import inspect
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import numpy as np

__all__ = ["code_hash"]


def code_hash(function: Callable[..., Any]) -> str:
    """Hash what a function does, as far as that can be known from outside.

    Parameters
    ----------
    function : callable
        Any.

    Returns
    -------
    str
        SHA-256, hexadecimal, of its compiled code, its defaults, the plain values that it
        has closed over, was bound to, holds or names, and the whole file that it is from,
        if it is from one.  What it calls in other files, it does not cover.
    """
    digest = hashlib.sha256()
    for part in _parts(function):
        digest.update(repr(part).encode() + b"\0")
    return digest.hexdigest()


def _parts(function: Callable[..., Any]) -> Iterator[Any]:
    if isinstance(function, partial):
        yield from _parts(function.func)
        yield from map(_plain, (*function.args, *sorted(function.keywords.items())))
        return
    plain = inspect.unwrap(function)
    code = getattr(plain, "__code__", None) or getattr(type(plain).__call__, "__code__", None)
    if code is not None:
        yield from _of_code(code)
    yield from map(_plain, getattr(plain, "__defaults__", None) or ())
    yield from map(_plain, (getattr(plain, "__kwdefaults__", None) or {}).items())
    for cell in getattr(plain, "__closure__", None) or ():
        yield _plain(cell.cell_contents)
    known = getattr(plain, "__globals__", {})
    yield from (_plain(known.get(name)) for name in getattr(code, "co_names", ()))
    if not isinstance(plain, FunctionType):
        yield from map(_plain, sorted(getattr(plain, "__dict__", {}).items()))
    try:
        yield Path(inspect.getfile(code or type(plain))).read_bytes()
    except (OSError, TypeError):  # typed into a notebook or a shell
        yield None


def _of_code(code: CodeType) -> Iterator[Any]:
    yield code.co_code
    yield code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _of_code(constant)
        else:
            yield _plain(constant)


def _plain(value: Any) -> Any:
    """Return what has one repr in every process: no address, no order of a set."""
    if isinstance(value, frozenset | set):
        return sorted(map(repr, value))
    if isinstance(value, FunctionType):
        return list(_of_code(value.__code__))
    if isinstance(value, np.ndarray):
        return [value.shape, value.dtype.str, value.tobytes()]
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    known = isinstance(value, str | bytes | int | float | complex | None)
    return value if known or value is ... else type(value).__qualname__
