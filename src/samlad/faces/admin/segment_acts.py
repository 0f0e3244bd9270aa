"""The buttons of the builder: rows more or less, groups around them, and back again."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from samlad.faces.admin.segment_form import MOST_ROWS, count_of
from samlad.faces.form import Form

MOST_UNDONE = 20
MOST_PROPERTIES = 20

Rows = list[dict[str, list[str]]]


def _rows(form: Form) -> Rows:
    found: Rows = []
    for number in range(count_of(form)):
        start = f"r/{number}/"
        found.append({n[len(start) :]: v for n, v in form.fields.items() if n.startswith(start)})
    return found


def _put(form: Form, rows: Rows) -> None:
    form.fields = {name: values for name, values in form.fields.items() if not name.startswith("r/")}
    for number, row in enumerate(rows):
        form.fields |= {f"r/{number}/{name}": values for name, values in row.items()}


def _blank(kind: str, depth: int) -> dict[str, list[str]]:
    return {"kind": [kind], "fits": ["yes"], "depth": [str(depth)]}


def _depth(row: Mapping[str, list[str]]) -> int:
    text = (row.get("depth") or ["0"])[0]
    return int(text) if text.isdecimal() and len(text) < 4 else 0


def _end(rows: Rows, number: int) -> int:
    """Behind the last row that lies in a row."""
    end = number + 1
    while end < len(rows) and _depth(rows[end]) > _depth(rows[number]):
        end += 1
    return end


def changed(form: Form, act: str) -> str | None:
    """Do what a button of the builder says: ``add-0`` (a condition to row 0), ``group-0`` (a group to it), ``wrap-3`` (put row 3
    into a group), ``remove-3``, ``property-3`` (one more), ``forget-3-1`` (property 1 of row 3), ``undo``. The name of the field
    that one goes on with, or None."""
    if act == "undo":
        return _undone(form)
    word, _, where = act.partition("-")
    numbers = [int(each) for each in where.split("-") if each.isdecimal() and len(each) < 4]
    rows = _rows(form)
    if not numbers or numbers[0] >= len(rows) or word not in _ACTS:
        return None
    before = msgspec.json.encode(rows).decode()
    focus = _ACTS[word](rows, numbers)
    if focus is not None:
        form.fields["was"] = [*form.all("was"), before][-MOST_UNDONE:]
        _put(form, rows)
    return focus


def _undone(form: Form) -> str | None:
    kept = form.all("was")
    if not kept:
        return None
    try:
        _put(form, msgspec.json.decode(kept[-1], type=Rows)[:MOST_ROWS])
    except msgspec.MsgspecError:
        return None
    form.fields["was"] = kept[:-1]
    return "r/0/kind"


def _add(rows: Rows, numbers: Sequence[int]) -> str | None:
    number = numbers[0]
    if len(rows) >= MOST_ROWS:
        return None
    place = _end(rows, number)
    rows.insert(place, _blank("orders", _depth(rows[number]) + 1))
    return f"r/{place}/kind"


def _group(rows: Rows, numbers: Sequence[int]) -> str | None:
    number = numbers[0]
    if len(rows) + 2 > MOST_ROWS:
        return None
    place, depth = _end(rows, number), _depth(rows[number]) + 1
    kind = "any" if rows[number]["kind"] == ["all"] else "all"
    rows[place:place] = [_blank(kind, depth), _blank("orders", depth + 1)]
    return f"r/{place}/kind"


def _wrap(rows: Rows, numbers: Sequence[int]) -> str | None:
    number = numbers[0]
    if len(rows) >= MOST_ROWS:
        return None
    depth = _depth(rows[number])
    for row in rows[number : _end(rows, number)]:
        row["depth"] = [str(_depth(row) + 1)]
    rows.insert(number, _blank("any", depth))
    return f"r/{number}/kind"


def _remove(rows: Rows, numbers: Sequence[int]) -> str | None:
    number = numbers[0]
    if number == 0:
        return None
    del rows[number : _end(rows, number)]
    return f"r/{min(number, len(rows) - 1)}/kind"


def _property(rows: Rows, numbers: Sequence[int]) -> str | None:
    row = rows[numbers[0]]
    taken = {name.split("/")[1] for name in row if name.startswith("p/")}
    place = max((int(each) for each in taken if each.isdecimal()), default=-1) + 1
    if place >= MOST_PROPERTIES:
        return None
    row |= {f"p/{place}/name": [""], f"p/{place}/op": ["is"], f"p/{place}/type": ["text"]}
    return f"r/{numbers[0]}/p/{place}/name"


def _forget(rows: Rows, numbers: Sequence[int]) -> str | None:
    if len(numbers) < 2:
        return None
    row, gone = rows[numbers[0]], numbers[1]
    moved: dict[str, list[str]] = {}
    for name, values in row.items():
        parts = name.split("/")
        if parts[0] == "p" and len(parts) == 3 and parts[1].isdecimal():
            number = int(parts[1])
            if number == gone:
                continue
            name = f"p/{number - (number > gone)}/{parts[2]}"
        moved[name] = values
    rows[numbers[0]] = moved
    return f"r/{numbers[0]}/kind"


_ACTS: Mapping[str, Callable[[Rows, Sequence[int]], str | None]] = {
    "add": _add,
    "group": _group,
    "wrap": _wrap,
    "remove": _remove,
    "property": _property,
    "forget": _forget,
}
