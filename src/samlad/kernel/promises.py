"""What a handler promises, read from its source: so that what the documentation says is what the code does."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

Function = Callable[..., Any]


def permissions_of(function: Function) -> set[str]:
    """The permissions that a handler, or a function of its package that it calls, asks for with ``require``."""
    found = set()
    for node, names in _calls(function):
        if isinstance(node.func, ast.Attribute) and node.func.attr == "require" and node.args:
            permission = _value(node.args[0], names)
            found |= {permission} if isinstance(permission, str) else set()
    return found


def calls(function: Function, other: Function) -> bool:
    """Whether a handler, or a function of its package that it calls, calls this other one."""
    return any(_value(node.func, names) is other for node, names in _calls(function))


def _calls(function: Function) -> Iterator[tuple[ast.Call, dict[str, Any]]]:
    """Every call in a function and in the functions of its package that it calls, with the names it stands among."""
    package = ".".join(function.__module__.split(".")[:2]) + "."
    waiting, seen = [inspect.unwrap(function)], set()
    while waiting:
        current = waiting.pop()
        seen.add(current)
        names: dict[str, Any] = current.__globals__
        for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(current)))):
            if isinstance(node, ast.Call):
                yield node, names
                called = _value(node.func, names)
                if (
                    inspect.isfunction(called)
                    and called.__module__.startswith(package)
                    and called not in seen
                ):
                    waiting.append(called)


def _value(node: ast.expr, names: dict[str, Any]) -> Any:
    """What a name or a dotted name stands for in a module; None if it is something else."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        return getattr(_value(node.value, names), node.attr, None)
    return None
