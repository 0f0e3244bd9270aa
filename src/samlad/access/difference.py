"""What differs between two JSON documents: as changes that can be applied, and as lines for people."""

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

ABSENT = msgspec.UNSET
"""Stands for a value that is not there at all; ``None`` is JSON's null."""

Path = tuple[str | int, ...]

HIDDEN = "(hidden)"
_LONGEST = 120


class Change(msgspec.Struct, frozen=True):
    """One value that was set, removed or replaced, and where."""

    path: Path
    before: Any
    after: Any


def diff(before: Any, after: Any) -> list[Change]:
    """The changes that lead from one document to another; ``apply(diff(a, b), a) == b``.

    Objects are compared field by field and lists of objects place by place; a list of plain values is one value.
    """
    return list(_changes((), before, after))


def _changes(path: Path, before: Any, after: Any) -> Iterator[Change]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from _changes((*path, key), before.get(key, ABSENT), after.get(key, ABSENT))
    elif isinstance(before, list) and isinstance(after, list) and _holds_documents(before + after):
        shared = min(len(before), len(after))
        for place in range(shared):
            yield from _changes((*path, place), before[place], after[place])
        for place in range(len(before) - 1, shared - 1, -1):  # from the end, so that places stay true
            yield Change((*path, place), before[place], ABSENT)
        for place in range(shared, len(after)):
            yield Change((*path, place), ABSENT, after[place])
    elif not _same(before, after):
        yield Change(path, before, after)


def _holds_documents(values: list[Any]) -> bool:
    return any(isinstance(value, dict | list) for value in values)


def _same(before: Any, after: Any) -> bool:
    """JSON equality: in Python True == 1, in JSON it is not."""
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(_same, before, after))
    return isinstance(before, bool) == isinstance(after, bool) and bool(before == after)


def apply(changes: Sequence[Change], document: Any) -> Any:
    """The document after the changes; the one given is not touched."""
    result = copy.deepcopy(document)
    for change in changes:
        if not change.path:
            result = copy.deepcopy(change.after)
            continue
        holder = result
        for step in change.path[:-1]:
            holder = holder[step]
        last = change.path[-1]
        if change.after is ABSENT:
            del holder[last]
        elif isinstance(holder, list) and last == len(holder):
            holder.append(copy.deepcopy(change.after))
        else:
            holder[last] = copy.deepcopy(change.after)
    return result


def readable(changes: Sequence[Change], is_hidden: Callable[[Path], bool] = lambda _: False) -> str:
    """One line a change: ``address.city: “Lund” → “Malmö”``. Of hidden values only the place is told."""
    return "\n".join(_line(change, is_hidden(change.path)) for change in changes)


def _line(change: Change, hidden: bool) -> str:
    where = ".".join(str(step) for step in change.path)
    prefix = f"{where}: " if where else ""
    before, after = change.before, change.after
    if hidden:
        what = "set" if before is ABSENT else "removed" if after is ABSENT else "changed"
        return f"{prefix}{what} {HIDDEN}"
    if before is ABSENT or before is None:
        return f"{prefix}{_text(after)}"
    if after is ABSENT:
        return f"{prefix}{_text(before)} removed"
    if isinstance(before, list) and isinstance(after, list):
        added = [f"+ {_text(value)}" for value in after if value not in before]
        removed = [f"− {_text(value)}" for value in before if value not in after]
        if added or removed:
            return prefix + ", ".join(added + removed)
    return f"{prefix}{_text(before)} → {_text(after)}"


def _text(value: Any) -> str:
    if value is None:
        return "nothing"
    text = f"“{value}”" if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
