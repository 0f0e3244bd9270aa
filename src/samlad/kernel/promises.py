"""What a handler promises, read from its source: so that what the documentation says is what the code does."""

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

Function = Callable[..., Any]


class Call(NamedTuple):
    """A call in a function: what is called (None if that is not known) and the permission, if it is ``require``."""

    called: Any
    permission: str | None


def permissions_of(function: Function) -> set[str]:
    """The permissions that a handler, or a function of its package that it calls, asks for with ``require``."""
    return {call.permission for call in _calls(function) if call.permission is not None}


def calls(function: Function, other: Function) -> bool:
    """Whether a handler, or a function of its package that it calls, calls this other one."""
    return any(call.called is other for call in _calls(function))


def _calls(function: Function) -> Iterator[Call]:
    """Every call in a function and in the functions of its package that it calls."""
    package = ".".join(function.__module__.split(".")[:2]) + "."
    waiting, seen = [inspect.unwrap(function)], set()
    while waiting:
        current = waiting.pop()
        seen.add(current)
        for call in _calls_in(current):
            yield call
            called = call.called
            if inspect.isfunction(called) and called.__module__.startswith(package) and called not in seen:
                waiting.append(called)


@functools.cache  # hundreds of handlers call the same functions, and reading one costs a millisecond
def _calls_in(function: Function) -> tuple[Call, ...]:
    names: dict[str, Any] = function.__globals__
    parsed = ast.parse(textwrap.dedent(inspect.getsource(function)))
    return tuple(
        Call(_value(node.func, names), _permission(node, names))
        for node in ast.walk(parsed)
        if isinstance(node, ast.Call)
    )


def _permission(node: ast.Call, names: dict[str, Any]) -> str | None:
    if not (isinstance(node.func, ast.Attribute) and node.func.attr == "require" and node.args):
        return None
    permission = _value(node.args[0], names)
    return permission if isinstance(permission, str) else None


def _value(node: ast.expr, names: dict[str, Any]) -> Any:
    """What a name or a dotted name stands for in a module; None if it is something else."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        return getattr(_value(node.value, names), node.attr, None)
    return None
