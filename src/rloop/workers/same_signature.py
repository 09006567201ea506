"""Wrappers of methods that have the very parameters of what they wrap.

``*args, **kwargs`` would do, but take twice as long as all that a guard does.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from inspect import Parameter
from types import FunctionType
from typing import Any


def wrapper(original: Callable[..., Any], source: str, names: Mapping[str, Any]) -> Any:
    """A function around ``original``.

    ``source`` is that of a function; ``{parameters}`` stands for its parameters, ``{self}`` for the
    first of them, and ``{arguments}`` for what to give to ``original``. It may use the ``names``.
    """
    parameters = list(inspect.signature(original).parameters.values())
    text = source.format(
        self=parameters[0].name,
        parameters=_parameters(parameters),
        arguments=", ".join(map(_argument, parameters)),
    )
    scope: dict[str, Any] = {"original": original, **names}
    exec(compile(text, f"<rloop: {original.__qualname__}>", "exec"), scope)  # ours
    made: FunctionType = scope["wrapper"]
    made.__defaults__ = getattr(original, "__defaults__", None)
    made.__kwdefaults__ = getattr(original, "__kwdefaults__", None)
    return functools.wraps(original)(made)


def _parameters(parameters: list[Parameter]) -> str:
    """As in a ``def``, with a None for each default."""
    without = [
        parameter.replace(
            annotation=Parameter.empty,
            default=parameter.default if parameter.default is Parameter.empty else None,
        )
        for parameter in parameters
    ]
    return str(inspect.Signature(without))


def _argument(parameter: Parameter) -> str:
    name = parameter.name
    if parameter.kind is Parameter.VAR_POSITIONAL:
        return f"*{name}"
    if parameter.kind is Parameter.VAR_KEYWORD:
        return f"**{name}"
    return f"{name}={name}" if parameter.kind is Parameter.KEYWORD_ONLY else name
