"""What a caller gave: whether it is of the kind that was asked for, said in one line if not."""

from collections.abc import Iterable
from typing import cast

__all__ = ["as_texts", "of_kind", "require"]


def require(name: str, value: object, kind: type | tuple[type, ...], expected: str) -> None:
    """Refuse an argument of another kind.

    Parameters
    ----------
    name : str
        Of the argument.
    value : object
        What was given.
    kind : type or tuple of type
        What it has to be an instance of.
    expected : str
        The same in words, with the remedy.

    Raises
    ------
    TypeError
        If it is something else.
    """
    if not isinstance(value, kind):
        raise TypeError(f"{name} is {of_kind(value)}; expected {expected}")


def as_texts(name: str, value: object) -> tuple[str, ...]:
    """Return texts as a tuple; one text may stand alone.

    Parameters
    ----------
    name : str
        Of the argument.
    value : str or iterable of str
        What was given.

    Raises
    ------
    TypeError
        If it is something else.
    """
    several = (value,) if isinstance(value, str) else value
    require(name, several, Iterable, "a text or a list of texts")
    texts: tuple[str, ...] = tuple(cast("Iterable[str]", several))
    for number, text in enumerate(texts):
        require(f"{name}[{number}]", text, str, "a text")
    return texts


def of_kind(value: object) -> str:
    """Return what a value is, such as ``"a list"``."""
    if value is None:
        return "None"
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'aeioAEIO' else 'a'} {kind}"
