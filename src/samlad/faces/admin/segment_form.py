"""Conditions as a form: groups in groups, each row a group or a condition; and the form as conditions again.

Rows stand in the order of reading. The field ``r/3/depth`` says how deep row 3 lies: it belongs to the nearest row above it
that is one less deep. ``kind`` is a group's (`all`, `any`, `not`) or a condition's, ``fits`` is *no* where it must not hold.
Whatever conditions can say, rows can say (a test holds that for any); what they could not is shown as JSON.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from samlad.audiences.conditions import Condition
from samlad.audiences.model import NewSegment
from samlad.faces.admin import segment_names as names
from samlad.faces.admin.segment_pieces import GROUPS, PIECES, PROPERTY_TYPES, WINDOWS, Piece
from samlad.faces.form import NEEDED, Form, spoken
from samlad.kernel.i18n import marked
from samlad.kernel.money import currencies, decimal_text
from samlad.kernel.problems import FieldError, InvalidInput

MOST_ROWS = 60
BROKEN = marked("This is not JSON that we can use")
NO_CURRENCY = marked("There is no currency of this code.")


class Node(msgspec.Struct):
    """A row with the rows inside it, and its document once it was read."""

    number: int
    kind: str
    of: list["Node"]

    @property
    def is_group(self) -> bool:
        """Whether others can lie in it."""
        return self.kind in GROUPS


# -- from conditions to rows --------------------------------------------------------------------------------------------


def form_of(definition: Condition, currency: str, **fields: Any) -> Form:
    """A form that shows conditions: as rows where they can say it, and always as JSON."""
    document = msgspec.to_builtins(definition)
    rows: list[dict[str, Any]] = []
    try:
        _flatten(document, 0, rows)
        values = {
            f"r/{number}/{name}": value for number, row in enumerate(rows) for name, value in row.items()
        }
        form = Form.of(**fields, json=pretty(document), **values)
        is_same = len(rows) <= MOST_ROWS and definition_of(form, currency) == document
    except InvalidInput:
        is_same = False
    return form if is_same else Form.of(**fields, json=pretty(document), **{"as": "json"})


def _flatten(document: Mapping[str, Any], depth: int, rows: list[dict[str, Any]]) -> None:
    inner, fits = document, "yes"
    if document["kind"] == "not" and document["of"]["kind"] != "not":
        inner, fits = document["of"], "no"
    kind = inner["kind"]
    row: dict[str, Any] = {"depth": depth, "kind": kind, "fits": fits}
    rows.append(row)
    if kind in GROUPS:
        inside = [inner["of"]] if kind == "not" else inner["of"]
        for each in inside:
            _flatten(each, depth + 1, rows)
    elif kind in PIECES:
        for piece in PIECES[kind]:
            row |= _shown(piece, inner)


def _shown(piece: Piece, document: Mapping[str, Any]) -> dict[str, Any]:
    """A field as it is typed; empty fields are left out."""
    home = (document.get(piece.inside) or {}) if piece.inside else document
    value = home.get(piece.name)
    if piece.how == "window":
        return _shown_window(value)
    if piece.how == "properties":
        return _shown_properties(value or [])
    if (
        value is None
        or value == []
        or (piece.how in ("amount", "whole") and value == 0 and _is_default(piece))
    ):
        return {}
    if piece.how == "json":
        return {piece.name: pretty(value)}
    if _is_money(piece, document) and document.get("currency"):
        return {piece.name: decimal_text(value, document["currency"])}
    return {piece.name: value}


def _is_default(piece: Piece) -> bool:
    return piece.how == "amount" or piece.name == "idle_hours"


def _is_money(piece: Piece, document: Mapping[str, Any]) -> bool:
    return piece.how == "amount" or (piece.how == "measured" and is_sum(document.get("measure")))


def is_sum(measure: Any) -> bool:
    """Whether what counts is money."""
    return measure in ("sum", "average")


def _shown_window(window: Mapping[str, Any] | None) -> dict[str, Any]:
    given = {name: value for name, value in (window or {}).items() if value is not None}
    if not given:
        return {}
    way = next((each for each in ("days", "hours") if each in given), "dates")
    return {"window": way, **given}


def _shown_properties(properties: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for number, each in enumerate(properties):
        value = each.get("value")
        way = "boolean" if isinstance(value, bool) else "number" if isinstance(value, float | int) else "text"
        text = (
            {True: "true", False: "false"}[value]
            if isinstance(value, bool)
            else ""
            if value is None
            else str(value)
        )
        shown |= {f"p/{number}/name": each["name"], f"p/{number}/op": each["op"]}
        shown |= {f"p/{number}/type": way, f"p/{number}/value": text}
    return shown


def pretty(document: Any) -> str:
    """JSON as a person reads it."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


# -- from rows to conditions ----------------------------------------------------------------------------------------------


def count_of(form: Form) -> int:
    """How many rows a form has."""
    numbers = [name.split("/")[1] for name in form.fields if name.startswith("r/") and name.endswith("/kind")]
    known = [int(each) for each in numbers if each.isdecimal() and len(each) < 4]
    return min(max(known, default=-1) + 1, MOST_ROWS)


def tree_of(form: Form) -> list[Node]:
    """The rows of a form as they lie in each other. Depths that cannot be are taken for the nearest that can."""
    roots: list[Node] = []
    above: list[Node] = []
    for number in range(count_of(form)):
        depth = form.get(f"r/{number}/depth")
        wanted = int(depth) if depth.isdecimal() and len(depth) < 4 else 0
        del above[min(wanted, len(above)) :]
        while above and not above[-1].is_group:
            above.pop()
        node = Node(number, form.get(f"r/{number}/kind"), [])
        (above[-1].of if above else roots).append(node)
        above.append(node)
    return roots


def definition_of(form: Form, currency: str) -> dict[str, Any]:
    """What a form says, as the document of a condition, with every field of it.

    Raises:
        InvalidInput: a field cannot be read, or the JSON is none.
    """
    if form.get("as") == "json":
        return _from_json(form)
    return _whole(_documents(form, tree_of(form), currency))


def _whole(documents: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return documents[0] if len(documents) == 1 else {"kind": "all", "of": list(documents)}


def _documents(form: Form, nodes: Sequence[Node], currency: str) -> list[dict[str, Any]]:
    return [_document(form, node, currency) for node in nodes]


def _document(form: Form, node: Node, currency: str) -> dict[str, Any]:
    place = f"r/{node.number}"
    document: dict[str, Any]
    if node.is_group:
        inside = _documents(form, node.of, currency)
        if node.kind == "not":
            document = {"kind": "not", "of": inside[0] if len(inside) == 1 else {"kind": "any", "of": inside}}
        else:
            document = {"kind": node.kind, "of": inside}
    elif node.kind in PIECES:
        document = _leaf(form, place, node.kind, currency)
    else:
        raise InvalidInput.at(f"{place}/kind", "one of these")
    return {"kind": "not", "of": document} if form.get(f"{place}/fits") == "no" else document


def _from_json(form: Form) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(form.get("json"))
        msgspec.convert(found, Condition)
    except (msgspec.MsgspecError, RecursionError) as error:  # the latter of what lies thousands deep
        raise InvalidInput.at("json", f"{form.translate(BROKEN)}: {error}") from None
    return dict(found)


def _leaf(form: Form, place: str, kind: str, currency: str) -> dict[str, Any]:
    document: dict[str, Any] = {"kind": kind}
    for piece in PIECES[kind]:
        value = _read(form, place, piece, document, currency)
        if value is not None:
            home = document.setdefault(piece.inside, {}) if piece.inside else document
            home[piece.name] = value
    try:
        return dict(msgspec.to_builtins(msgspec.convert(document, Condition)))
    except msgspec.ValidationError as error:
        raise _at_field(form, error, place) from None


def _at_field(form: Form, error: msgspec.ValidationError, place: str) -> InvalidInput:
    """A fault that the model finds, at the field that it comes from."""
    what, _, path = str(error).partition(" - at `$.")
    missing = what.partition("missing required field `")[2].partition("`")[0]
    if missing:
        shown, what = missing, form.translate(NEEDED)
    else:
        shown, what = path.rstrip("`"), spoken(what, form.translate)
    return InvalidInput.at(f"{place}/{_field_of(shown)}", what)


def _field_of(path: str) -> str:
    """The field that shows a part of a condition: ``within.days`` is ``days``, ``properties[0].value`` is ``p/0/value``."""
    parts = path.replace("[", ".").replace("]", "").split(".")
    if parts[0] == "properties":
        return (
            "/".join(["p", *parts[1:]]) if len(parts) > 2 else f"p/{parts[1] if len(parts) > 1 else 0}/name"
        )
    if parts[0] == "within":
        return parts[1] if len(parts) > 1 else "window"
    if parts[0] == "goods":
        return parts[1] if len(parts) > 1 else "categories"
    return parts[0] or "kind"


def _read(form: Form, place: str, piece: Piece, document: Mapping[str, Any], currency: str) -> Any:
    """What stands in a field, or None."""
    name, how = f"{place}/{piece.name}", piece.how
    if how == "measured":
        how = "amount" if is_sum(document.get("measure")) else "whole"
    if how == "window":
        return _read_window(form, place)
    if how == "properties":
        return _read_properties(form, place)
    if how == "picked":
        return _picked(form, name, is_free=piece.is_free)
    if how in ("checks", "scores"):
        found = form.all(name)
        return [form_score(each) for each in found] if how == "scores" and found else found or None
    if how == "currency":
        return _read_currency(form, name, document, currency)
    if how == "amount":
        return form.amount(name, _currency_at(form, place) or currency)
    if how == "whole":
        return form.whole(name)
    text = form.get(name)
    if how == "json":
        return _read_json(form, name, text)
    return text if text.strip() else None


def form_score(text: str) -> int:
    """A score of a box; what is none is refused by the model."""
    return int(text) if text.isdecimal() and len(text) < 4 else 0


def _picked(form: Form, name: str, *, is_free: bool) -> list[str] | None:
    """What is ticked; where nothing is, what was typed counts, so that the page works without scripts."""
    found = list(dict.fromkeys(form.all(name)))
    typed = form.text(f"{name}/typed")
    if typed and not found:
        if not is_free:
            raise InvalidInput.at(name, form.translate(marked("Please choose one of those that were found.")))
        found = [typed]
    return found or None


def _currency_at(form: Form, place: str) -> str | None:
    text = form.get(f"{place}/currency").strip().upper()
    return text if text in currencies() else None


def _read_currency(form: Form, name: str, document: Mapping[str, Any], currency: str) -> str | None:
    text = form.get(name).strip().upper()
    if not text:
        needs = is_sum(document.get("measure")) or (document["kind"] == "cart" and document.get("at_least"))
        return currency if needs else None
    if text not in currencies():
        raise InvalidInput.at(name, form.translate(NO_CURRENCY))
    return text


def _read_window(form: Form, place: str) -> dict[str, Any] | None:
    way = form.get(f"{place}/window")
    if way not in WINDOWS or not way:
        return None
    if way == "dates":
        found = {name: form.text(f"{place}/{name}") for name in ("since", "until")}
        if not any(found.values()):
            raise InvalidInput.at(f"{place}/since", form.translate(NEEDED))
        return {name: text for name, text in found.items() if text}
    number = form.whole(f"{place}/{way}")
    if number is None:
        raise InvalidInput.at(f"{place}/{way}", form.translate(NEEDED))
    return {way: number}


def properties_at(form: Form, place: str) -> int:
    """How many properties a row asks for."""
    start = f"{place}/p/"
    numbers = [name[len(start) :].partition("/")[0] for name in form.fields if name.startswith(start)]
    return min(max((int(each) for each in numbers if each.isdecimal() and len(each) < 3), default=-1) + 1, 20)


def _read_properties(form: Form, place: str) -> list[dict[str, Any]] | None:
    found = []
    for number in range(properties_at(form, place)):
        at = f"{place}/p/{number}"
        name = form.get(f"{at}/name")
        if not name.strip():
            continue
        each: dict[str, Any] = {"name": name, "op": form.get(f"{at}/op") or "is"}
        if each["op"] != "is_known":
            each["value"] = _value(form, at)
        found.append(each)
    return found or None


def _value(form: Form, at: str) -> Any:
    way, text = form.get(f"{at}/type"), form.get(f"{at}/value")
    if way == "boolean":
        return text != "false"
    if way != "number":
        return text
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        raise InvalidInput.at(f"{at}/value", form.translate(marked("Please write a number."))) from None


def _read_json(form: Form, name: str, text: str) -> Any:
    try:
        return msgspec.json.decode(text) if text.strip() else None
    except (msgspec.DecodeError, RecursionError):
        raise InvalidInput.at(name, form.translate(BROKEN)) from None


def refresh_json(form: Form, currency: str) -> None:
    """Let the JSON say what the rows say, once these can be read."""
    if form.get("as") != "json":
        try:
            form.fields["json"] = [pretty(definition_of(form, currency))]
        except InvalidInput:
            return


# -- faults at their fields ------------------------------------------------------------------------------------------------


def at_rows(problem: InvalidInput, form: Form) -> InvalidInput:
    """A problem of a definition with its faults at the rows of the form that they come from."""
    places: dict[str, Node] = {}
    roots = tree_of(form)
    if len(roots) == 1:
        _place(form, roots[0], "definition", places)
    else:
        for index, node in enumerate(roots):
            _place(form, node, f"definition.of.{index}", places)
    errors = []
    for fault in problem.errors:
        path = max(
            (each for each in places if f"{fault.field}.".startswith(f"{each}.")), key=len, default=None
        )
        if path is None:
            errors.append(fault)
            continue
        tail = fault.field[len(path) :].strip(".")
        shown = "kind" if places[path].is_group else _field_of(tail)
        errors.append(FieldError(f"r/{places[path].number}/{shown}", fault.message))
    return InvalidInput(problem.detail, errors=tuple(errors))


def _place(form: Form, node: Node, path: str, places: dict[str, Node]) -> None:
    if form.get(f"r/{node.number}/fits") == "no":
        places[path] = node
        path = f"{path}.of"
    places[path] = node
    if node.kind == "not" and len(node.of) == 1:
        _place(form, node.of[0], f"{path}.of", places)
        return
    inner = f"{path}.of.of" if node.kind == "not" else f"{path}.of"
    for index, each in enumerate(node.of):
        _place(form, each, f"{inner}.{index}", places)


def read(form: Form, currency: str) -> Condition:
    """What a form says, ready to be checked.

    Raises:
        InvalidInput: at the field that cannot be read.
    """
    if form.get("as") != "json" and count_of(form) == 0:
        raise InvalidInput.at("r/0/kind", "one condition at least")
    found: Condition = msgspec.convert(definition_of(form, currency), Condition)
    return found


def input_of(form: Form, channel: Any, definition: Condition | None) -> NewSegment:
    """A new segment from a form."""
    return form.into(
        NewSegment, channel=str(channel), definition=definition and msgspec.to_builtins(definition)
    )


def options(segments: Sequence[tuple[str, str]], translate: Any) -> dict[str, list[tuple[str, str]]]:
    """The choices of the selects and boxes by name."""
    known = (
        "orders_measure",
        "wanted_on",
        "wanted_stock",
        "returns_measure",
        "which",
        "field",
        "op",
        "property_op",
        "state",
        "group",
        "consent",
    )
    found = {name: [(key, translate(text)) for key, text in getattr(names, name).items()] for name in known}
    found["windows"] = [(key, translate(text)) for key, text in WINDOWS.items()]
    found["types"] = [(key, translate(text)) for key, text in PROPERTY_TYPES.items()]
    found["groupings"] = [(key, translate(text)) for key, text in names.grouping.items()]
    return {**found, "segments": list(segments)}
