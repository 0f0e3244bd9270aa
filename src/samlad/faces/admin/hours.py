"""Opening hours as fields of a form: a row a weekday with two spans, and dates that differ."""

from typing import Any

import msgspec

from samlad.channels import OpeningHours
from samlad.faces.form import Form
from samlad.kernel.problems import InvalidInput

SPANS = 2
"""Spans of a day that the form shows at least; more if the day has more."""
NEW_DATES = 2
"""Empty rows for dates that differ."""


def hours_fields(hours: OpeningHours | None) -> dict[str, Any]:
    """The fields that show some hours; None: always open, or as the parent says."""
    fields: dict[str, Any] = {"own-hours": hours is not None}
    if hours is None:
        return fields
    for day, intervals in enumerate(hours.weekly):
        fields[f"day-{day}-opens"] = [span.opens for span in intervals]
        fields[f"day-{day}-closes"] = [span.closes for span in intervals]
    fields["date"] = [exception.date for exception in hours.exceptions]
    fields["date-note"] = [exception.note for exception in hours.exceptions]
    fields["date-hours"] = [
        ", ".join(f"{span.opens}–{span.closes}" for span in exception.intervals)
        for exception in hours.exceptions
    ]
    return fields


def spans_of(form: Form, day: int) -> list[tuple[str, str]]:
    """The spans of a weekday as they stand in the form, with empty ones to fill in."""
    opens, closes = form.all(f"day-{day}-opens"), form.all(f"day-{day}-closes")
    count = max(SPANS, len(opens), len(closes))
    return [_pair(opens, closes, place) for place in range(count)]


def dates_of(form: Form) -> list[tuple[str, str, str]]:
    """Dates that differ: date, hours as text, note; with empty rows to fill in."""
    columns = [form.all(name) for name in ("date", "date-hours", "date-note")]
    count = max(len(column) for column in columns)
    filled = [
        (_at(columns[0], place), _at(columns[1], place), _at(columns[2], place))
        for place in range(count)
        if _at(columns[0], place) or _at(columns[1], place)
    ]
    return [*filled, *[("", "", "")] * NEW_DATES]


def hours_from(form: Form) -> OpeningHours | None:
    """What the form says; None when the box for own hours is not ticked.

    Raises:
        InvalidInput: a time that is none, at its row.
    """
    if form.get("own-hours") != "1":
        return None
    _ = form.translate
    weekly = [
        _spans([(a, b) for a, b in spans_of(form, day) if a or b], f"day-{day}-opens") for day in range(7)
    ]
    exceptions = []
    for date, text, note in dates_of(form):
        if date:
            pairs = [_split(part, "date-hours") for part in text.split(",") if part.strip()]
            exceptions.append({"date": date, "note": note.strip(), "intervals": _spans(pairs, "date-hours")})
    try:
        return msgspec.convert({"weekly": weekly, "exceptions": exceptions}, OpeningHours)
    except msgspec.ValidationError:
        raise InvalidInput.at("date", _("We cannot read one of these dates or hours.")) from None


def _spans(pairs: list[tuple[str, str]], field: str) -> list[dict[str, str]]:
    for opens, closes in pairs:
        if not _is_clock(opens) or not _is_clock(closes, last="24:00"):
            raise InvalidInput.at(field, f"{opens}–{closes}?")
    return [{"opens": opens, "closes": closes} for opens, closes in pairs]


def _split(text: str, field: str) -> tuple[str, str]:
    opens, dash, closes = text.strip().replace("-", "–").partition("–")
    if not dash:
        raise InvalidInput.at(field, f"{text.strip()}?")
    return opens.strip(), closes.strip()


def _is_clock(text: str, last: str = "") -> bool:
    hour, colon, minute = text.partition(":")
    if text == last:
        return bool(text)
    return (
        bool(colon)
        and len(hour) == len(minute) == 2
        and (hour + minute).isdecimal()
        and int(hour) < 24
        and int(minute) < 60
    )


def _pair(first: list[str], second: list[str], place: int) -> tuple[str, str]:
    return _at(first, place), _at(second, place)


def _at(values: list[str], place: int) -> str:
    return values[place].strip() if place < len(values) else ""
