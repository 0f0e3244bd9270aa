"""Rows into structs: columns by name, with next to no code per query."""

import enum
import typing
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar, cast

import msgspec
from asyncpg import Record

T = TypeVar("T")

_PLAIN = frozenset(
    {"str", "int", "float", "bool", "bytes", "UUID", "datetime", "date", "time", "timedelta", "Decimal"}
)


def into(kind: type[T], rows: Sequence[Record | Mapping[str, Any]]) -> list[T]:
    """Structs from rows whose columns are named like the struct's fields.

    Scalars pass as they are; enums, nested structs and collections (from ``jsonb`` and arrays) are converted by
    msgspec. A column that the struct does not have is an error of the query and raises ``TypeError``.
    """
    if not rows:
        return []
    build = _builder(cast("Any", kind), tuple(rows[0].keys()))
    return [build(row) for row in rows]


@lru_cache(maxsize=1024)
def _builder(kind: type[Any], columns: tuple[str, ...]) -> Callable[[Any], Any]:
    fields = kind.__struct_fields__
    unknown = set(columns) - set(fields)
    if unknown:
        raise TypeError(f"{kind.__name__} has no field for the columns {sorted(unknown)}")
    types = typing.get_type_hints(kind, include_extras=False)
    converters = {name: types[name] for name in columns if not _is_plain(types[name])}
    positional = columns == kind.__match_args__[: len(columns)]  # without keyword-only fields
    if not converters and positional:
        return lambda row: kind(*row.values())
    if not converters:
        return lambda row: kind(**dict(row.items()))

    def build(row: Any) -> Any:
        values = dict(row.items())
        for name, target in converters.items():
            values[name] = msgspec.convert(values[name], target, strict=False)
        return kind(**values)

    return build


def _is_plain(target: Any) -> bool:
    if isinstance(target, type):
        return not issubclass(target, enum.Enum) and target.__name__ in _PLAIN
    if target is Any:
        return True
    arguments = typing.get_args(target)
    is_optional = type(None) in arguments
    return is_optional and all(a is type(None) or _is_plain(a) for a in arguments)
