"""Conditions that other packages bring: registered by name, and then as good as those that are built in.

    def _holds(data: dict[str, Any], sql: Sql) -> Leaf: ...

    register(Kind(name="consent", sources=frozenset({"consent"}), fault=_fault, leaf=_holds,
                  types=("consent.given", "consent.withdrawn")))

The events of ``types`` have the customer as their profile or subject; whoever it is is looked at again.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from samlad.audiences.conditions import Other

if TYPE_CHECKING:
    from samlad.audiences.compiling import Sql
    from samlad.audiences.leaves import Leaf


class Kind(msgspec.Struct, frozen=True):
    """A kind of condition. ``fault`` says what is wrong with its data, or None; ``leaf`` is its SQL."""

    name: str
    sources: frozenset[str]
    fault: Callable[[dict[str, Any]], str | None]
    leaf: "Callable[[dict[str, Any], Sql], Leaf]"
    types: tuple[str, ...] = ()


_KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Make a kind known; once, when its package is imported.

    Raises:
        TypeError: there is another one of this name.
    """
    if _KINDS.setdefault(kind.name, kind) is not kind:
        raise TypeError(f"the condition {kind.name} is registered twice")


def known(name: str) -> bool:
    """Whether there is a kind of this name."""
    return name in _KINDS


def get(name: str) -> Kind:
    """A kind by name; KeyError."""
    return _KINDS[name]


def all_kinds() -> list[Kind]:
    """Every registered kind."""
    return list(_KINDS.values())


def fault(condition: Other) -> str | None:
    """What is wrong with a condition of a registered kind, or None."""
    if condition.name not in _KINDS:
        there = ", ".join(sorted(_KINDS)) or "none yet"
        return f"there is no condition of this name; there are: {there}"
    return _KINDS[condition.name].fault(condition.data)
