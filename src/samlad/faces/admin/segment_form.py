"""Conditions as rows of a form: each fits or does not fit, and goes together with the one before by *and* or *or*.

*Or* binds closer, as people read it: rows are all of some groups, of which any row must hold. What rows cannot say is
shown and changed as JSON.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from samlad.audiences.model import Condition, NewSegment
from samlad.faces.admin import segment_names as names
from samlad.faces.form import Form
from samlad.kernel.i18n import marked
from samlad.kernel.money import decimal_text
from samlad.kernel.problems import FieldError, InvalidInput

MOST_ROWS = 30
BROKEN = marked("This is not JSON that we can use")


class Piece(msgspec.Struct, frozen=True):
    """A field of a row. ``how`` it is read: text, texts (with commas), whole, amount, choice, one (a list with one)."""

    name: str
    label: str
    how: str
    options: str = ""
    hint: str = ""


_RANGE = (
    Piece("at_least", marked("At least"), "whole"),
    Piece("at_most", marked("At most"), "whole"),
)
_MONEY = (
    Piece("at_least", marked("At least"), "measured"),
    Piece("at_most", marked("At most"), "measured"),
)
_WINDOW = (
    Piece("days", marked("In the last … days"), "days", hint=marked("Empty: ever.")),
    Piece("since", marked("or since"), "since"),
    Piece("until", marked("until"), "until"),
)
_GOODS = (
    Piece("brands", marked("Of these brands"), "goods", hint=marked("With commas between them; empty: any.")),
    Piece("skus", marked("Of these SKUs"), "goods"),
)
PIECES: Mapping[str, tuple[Piece, ...]] = {
    "orders": (
        Piece("measure", marked("What counts"), "choice", "orders_measure"),
        *_MONEY,
        *_WINDOW,
        *_GOODS,
    ),
    "order_date": (Piece("which", marked("Which"), "choice", "which"), *_WINDOW, *_GOODS),
    "returns": (Piece("measure", marked("What counts"), "choice", "returns_measure"), *_MONEY, *_WINDOW),
    "trait": (
        Piece("field", marked("Field"), "choice", "field"),
        Piece("op", marked("How"), "choice", "op"),
        Piece("values", marked("These texts"), "texts", hint=marked("With commas between them.")),
    ),
    "customer_since": _WINDOW,
    "event": (
        Piece("name", marked("Name of the event"), "text"),
        *_RANGE,
        *_WINDOW,
        Piece("property", marked("Only with the property"), "property"),
        Piece("property_op", marked("which"), "property", "property_op"),
        Piece("property_value", marked("Value"), "property"),
    ),
    "cart": (
        Piece("at_least", marked("Worth at least"), "amount"),
        Piece("idle_hours", marked("Untouched for so many hours"), "whole"),
    ),
    "points": _RANGE,
    "tier": (
        Piece("tiers", marked("Codes of the tiers"), "texts", hint=marked("With commas between them.")),
    ),
    "tagged": (
        Piece("tags", marked("One of these tags"), "texts", hint=marked("With commas between them.")),
    ),
    "consent": (
        Piece("purpose", marked("Purpose"), "choice", "purposes"),
        Piece("answer", marked("They have"), "choice", "consent"),
        Piece("channel", marked("On the channel"), "choice", "channels"),
    ),
    "subscription": (Piece("states", marked("State"), "one", "state"),),
    "rfm": (Piece("groups", marked("Group"), "one", "group"),),
    "segment": (Piece("segment", marked("Segment"), "choice", "segments"),),
}


class Row(msgspec.Struct, frozen=True):
    """A condition on the page: ``is_or`` binds it to the one before."""

    document: dict[str, Any]
    is_not: bool
    is_or: bool


def rows_of(definition: dict[str, Any]) -> list[Row] | None:
    """The rows that say the same; None if rows cannot."""
    groups = definition["of"] if definition["kind"] == "all" else [definition]
    rows = []
    for group in groups:
        for place, each in enumerate(group["of"] if group["kind"] == "any" else [group]):
            is_not = each["kind"] == "not"
            leaf = each["of"] if is_not else each
            if leaf["kind"] not in PIECES:
                return None
            rows.append(Row(leaf, is_not, place > 0))
    return rows if 0 < len(rows) <= MOST_ROWS else None


def form_of(definition: Condition, currency: str, **fields: Any) -> Form:
    """A form that shows conditions: as rows where they can say it, and always as JSON."""
    document = msgspec.to_builtins(definition)
    values: dict[str, Any] = {**fields, "json": pretty(document)}
    rows = rows_of(document)
    for number, row in enumerate(rows or ()):
        values |= {f"r/{number}/{name}": value for name, value in _shown(row, currency).items()}
    form = Form.of(**values)
    if rows is not None:
        try:
            told = definition_of(form, currency)
        except InvalidInput:
            told = None
        if told != _grouped(rows):
            rows = None
    if rows is None:
        form.fields["as"] = ["json"]
    return form


def pretty(document: Any) -> str:
    """JSON as a person reads it."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def _shown(row: Row, currency: str) -> dict[str, Any]:
    document = row.document
    shown: dict[str, Any] = {
        "kind": document["kind"],
        "fits": "no" if row.is_not else "yes",
        "glue": "or" if row.is_or else "and",
    }
    flat = {**document, **(document.get("within") or {}), **(document.get("goods") or {})}
    for each in (document.get("properties") or [])[:1]:
        flat |= {"property": each["name"], "property_op": each["op"], "property_value": each.get("value")}
    for piece in PIECES[document["kind"]]:
        value = flat.get(piece.name)
        if value is None or value == [] or (piece.how == "amount" and value == 0):
            continue
        is_money = piece.how == "amount" or (piece.how == "measured" and _is_money(document))
        if is_money:
            value = decimal_text(value, document.get("currency") or currency)
        elif isinstance(value, list):
            value = ", ".join(map(str, value))
        elif isinstance(value, float):
            value = f"{value:g}"
        elif isinstance(value, bool):
            value = "true" if value else "false"
        shown[piece.name] = str(value)
    return shown


def _is_money(document: Mapping[str, Any]) -> bool:
    return document.get("measure") in ("sum", "average")


def count_of(form: Form) -> int:
    """How many rows a form has."""
    numbers = [
        int(name.split("/")[1]) for name in form.fields if name.startswith("r/") and name.endswith("/kind")
    ]
    return min(max(numbers, default=-1) + 1, MOST_ROWS)


def changed(form: Form, act: str) -> None:
    """A row more (``add``) or one less (``remove-3``)."""
    rows = [
        {
            name.split("/")[2]: values
            for name, values in form.fields.items()
            if name.startswith(f"r/{number}/")
        }
        for number in range(count_of(form))
    ]
    if act == "add" and len(rows) < MOST_ROWS:
        rows.append({"kind": ["orders"], "fits": ["yes"], "glue": ["and"]})
    if act.startswith("remove-") and act[7:].isdecimal() and len(rows) > 1:
        rows = [row for number, row in enumerate(rows) if number != int(act[7:])]
    form.fields = {name: values for name, values in form.fields.items() if not name.startswith("r/")}
    for number, row in enumerate(rows):
        form.fields |= {f"r/{number}/{name}": values for name, values in row.items()}


def definition_of(form: Form, currency: str) -> dict[str, Any]:
    """What a form says, as the document of a condition.

    Raises:
        InvalidInput: a field cannot be read, or the JSON is none.
    """
    if form.get("as") == "json":
        return _from_json(form)
    return _grouped([_row(form, number, currency) for number in range(count_of(form))])


def _from_json(form: Form) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(form.get("json"))
        msgspec.convert(found, Condition)
    except msgspec.MsgspecError as error:
        raise InvalidInput.at("json", f"{form.translate(BROKEN)}: {error}") from None
    return dict(found)


def _grouped(rows: Sequence[Row]) -> dict[str, Any]:
    groups: list[list[dict[str, Any]]] = []
    for row in rows:
        document = {"kind": "not", "of": row.document} if row.is_not else row.document
        if row.is_or and groups:
            groups[-1].append(document)
        else:
            groups.append([document])
    return {
        "kind": "all",
        "of": [group[0] if len(group) == 1 else {"kind": "any", "of": group} for group in groups],
    }


def _row(form: Form, number: int, currency: str) -> Row:
    place = f"r/{number}"
    kind = form.get(f"{place}/kind")
    if kind not in PIECES:
        raise InvalidInput.at(f"{place}/kind", "one of these")
    document: dict[str, Any] = {"kind": kind}
    for piece in PIECES[kind]:
        _read(form, f"{place}/{piece.name}", piece, document, currency)
    blank = msgspec.to_builtins(_converted(document, place))
    return Row(blank, form.get(f"{place}/fits") == "no", number > 0 and form.get(f"{place}/glue") == "or")


def _converted(document: dict[str, Any], place: str) -> Condition:
    try:
        found: Condition = msgspec.convert(document, Condition)
    except msgspec.ValidationError as error:
        name = str(error).rpartition("`$.")[2].rstrip("`").partition(".")[0]
        field = f"{place}/{name}" if name and " " not in name else f"{place}/kind"
        missing = str(error).rpartition("missing required field `")[2].partition("`")[0]
        if "missing required field" in str(error):
            field = f"{place}/{'days' if missing == 'within' else missing}"
        raise InvalidInput.at(field, str(error).partition(" - at")[0]) from None
    return found


def _read(form: Form, name: str, piece: Piece, document: dict[str, Any], currency: str) -> None:
    """Put a field into the document, where the condition has it."""
    text = form.text(name)
    if text is None:
        return
    how = piece.how
    if how == "measured":
        how = "amount" if _is_money(document) else "whole"
    if how == "amount":
        document[piece.name] = form.amount(name, currency)
        document["currency"] = currency
    elif how == "whole":
        document[piece.name] = form.whole(name)
    elif how == "days":
        document.setdefault("within", {})["days"] = form.whole(name)
    elif how in ("since", "until"):
        document.setdefault("within", {})[how] = text
    elif how == "goods":
        document.setdefault("goods", {})[piece.name] = _parts(text)
    elif how == "texts":
        document[piece.name] = _parts(text)
    elif how == "one":
        document[piece.name] = [text]
    elif how == "property":
        _read_property(piece.name, text, document)
    else:
        document[piece.name] = text


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _read_property(name: str, text: str, document: dict[str, Any]) -> None:
    if name == "property":
        document["properties"] = [{"name": text, "op": "is"}]
    elif "properties" in document:
        each = document["properties"][0]
        if name == "property_op":
            each["op"] = text
        elif each["op"] != "is_known":
            each["value"] = _value(text)


def _value(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return text


def refresh_json(form: Form, currency: str) -> None:
    """Let the JSON say what the rows say, once these can be read."""
    if form.get("as") != "json":
        try:
            form.fields["json"] = [pretty(definition_of(form, currency))]
        except InvalidInput:
            return


def at_rows(problem: InvalidInput, definition: dict[str, Any]) -> InvalidInput:
    """A problem of a definition with its faults at the rows of the form that they come from."""
    places: dict[str, str] = {}
    number = 0
    for index, group in enumerate(definition["of"]):
        inside = group["of"] if group["kind"] == "any" else [group]
        for inner in range(len(inside)):
            path = f"definition.of.{index}" + (f".of.{inner}" if group["kind"] == "any" else "")
            places[path] = f"r/{number}"
            number += 1
    errors = []
    for fault in problem.errors:
        path = max((each for each in places if f"{fault.field}.".startswith(f"{each}.")), key=len, default="")
        tail = fault.field[len(path) :].strip(".").replace("of.", "", 1).partition(".")[0]
        shown = {"within": "days", "currency": "at_least", "": "kind", "of": "kind"}.get(tail, tail)
        errors.append(FieldError(f"{places[path]}/{shown}" if path else fault.field, fault.message))
    return InvalidInput(problem.detail, errors=tuple(errors))


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
    """The choices of the selects by name."""
    known = (
        "orders_measure",
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
    return {**found, "segments": list(segments)}
