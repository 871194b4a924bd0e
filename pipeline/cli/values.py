"""From words on a command line to values, without the library that typer takes for it.

typer checks every value with pydantic, whose import takes a third of the time in which
`epochord inspect` answers.  What our options hold is text, numbers, paths and choices.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import typer

__all__ = ["Value", "with_plain_values"]

Convert = Callable[[Any], Any]


def with_plain_values(params: Iterable[Any]) -> None:
    """Let parameters of a command take their values by our own means, where these suffice."""
    for param in params:
        convert = _converter(param.type_descriptor.annotation)
        if convert is not None and hasattr(param, "_runtime_param"):
            param._runtime_param = Value(convert)


class Value:
    """Stands in for what typer makes of a parameter's type.

    Parameters
    ----------
    convert : callable
        From what was given, or the default, to the value; raises ValueError with what
        was expected.
    """

    def __init__(self, convert: Convert) -> None:
        self._convert = convert

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return the value of a parameter, or the values of one that may be repeated.

        Raises
        ------
        typer.BadParameter
            If it is not what is expected.
        """
        if param.multiple or param.nargs == -1:
            return tuple(self._one(each, param, ctx) for each in value or ())
        return None if value is None else self._one(value, param, ctx)

    def _one(self, value: Any, param: Any, ctx: Any) -> Any:
        is_path = self._convert is Path or param.param_type_name == "argument"
        try:
            if value == "" and is_path:
                raise ValueError("expected a path")
            converted = self._convert(value)
            _require_between(converted, getattr(param, "min", None), getattr(param, "max", None))
        except ValueError as error:
            raise typer.BadParameter(f"is {value!r}; {error}", ctx=ctx, param=param) from error
        return converted


def _converter(annotation: Any) -> Convert | None:
    """Return what converts to a type; None for one that is left to typer."""
    if get_origin(annotation) is list:
        return _converter(*get_args(annotation))
    if get_origin(annotation) is Literal:
        known = get_args(annotation)
        return lambda value: _choice(str(value), known)
    plain: dict[Any, Convert] = {str: str, bool: bool, Path: Path, int: _whole, float: _number}
    return plain.get(annotation)


def _choice(value: str, known: tuple[str, ...]) -> str:
    from epochord.runlog.words import did_you_mean

    if value not in known:
        raise ValueError(f"expected one of {', '.join(known)}{did_you_mean(value, known)}")
    return value


def _whole(value: Any) -> int:
    try:
        return int(value)
    except ValueError:
        raise ValueError("expected a whole number") from None


def _number(value: Any) -> float:
    try:
        return float(value)
    except ValueError:
        raise ValueError("expected a number") from None


def _require_between(value: Any, least: float | None, most: float | None) -> None:
    if least is not None and value < least:
        raise ValueError(f"expected at least {least:g}")
    if most is not None and value > most:
        raise ValueError(f"expected at most {most:g}")
