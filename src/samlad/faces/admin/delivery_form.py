"""A delivery method as fields of a form: rate, zones and calendar in lines that people can type."""

import re
from collections.abc import Sequence
from typing import Any

from samlad.delivery import Method, Zone
from samlad.delivery.model import AmountTable, FlatRate, PostalRange, Slot, Step, WeightSteps, WeightTable
from samlad.faces.form import Form
from samlad.kernel.i18n import LOCALES, marked
from samlad.kernel.money import decimal_text
from samlad.kernel.problems import InvalidInput

RATE_KINDS = {
    "flat": marked("The same for every order"),
    "by_amount": marked("By what the goods cost"),
    "by_weight": marked("By what the goods weigh"),
    "weight_steps": marked("A price, and more for each further weight"),
}
STEP_FAULT = marked("Write one step a line, as “500: 49.00”: from so much on it costs this.")
ZONE_FAULT = marked("Write one zone a line, as “SE | 11-12, 30 | 1-2”: countries, postal codes, days.")
SLOT_FAULT = marked(
    "Write one time a line, as “17:00-19:00: 8”: from, to, and how many orders, or no number for any."
)
CUT_OFF = "cut_off"


def method_fields(method: Method) -> dict[str, Any]:
    """The fields that show a method."""
    fields: dict[str, Any] = {
        "name": method.name,
        "pick_minutes": method.pick_minutes,
        "pack_minutes": method.pack_minutes,
        "cut_off": method.cut_off,
        "until": method.until,
        "slots": "\n".join(_slot_text(slot) for slot in method.slots),
        "max_weight": method.max_weight,
        "position": method.position,
        "is_active": method.is_active,
        "version": method.version,
        "zones": "\n".join(_zone_text(zone) for zone in method.zones),
        "weekdays": method.calendar.weekdays,
        "holidays": method.calendar.holidays,
        "closed": ", ".join(day.isoformat() for day in method.calendar.closed),
        **{f"name-{language}": method.names.get(language) for language in LOCALES},
    }
    return fields | _rate_fields(method)


def _rate_fields(method: Method) -> dict[str, Any]:
    rate, currency = method.rate, method.currency

    def money(amount: int | None) -> str | None:
        return None if amount is None else decimal_text(amount, currency)

    fields: dict[str, Any] = {"free_from": money(rate.free_from)}
    match rate:
        case FlatRate():
            return fields | {"rate": "flat", "price": money(rate.price)}
        case AmountTable():
            lines = [f"{money(step.start)}: {money(step.price)}" for step in rate.steps]
            return fields | {"rate": "by_amount", "steps": "\n".join(lines)}
        case WeightTable():
            lines = [f"{step.start}: {money(step.price)}" for step in rate.steps]
            return fields | {"rate": "by_weight", "steps": "\n".join(lines)}
        case WeightSteps():
            return fields | {
                "rate": "weight_steps",
                "price": money(rate.price),
                "first": rate.first,
                "each": rate.each,
                "each_price": money(rate.each_price),
            }


def _zone_text(zone: Zone) -> str:
    codes = ", ".join(f"{r.first}-{r.last}" if r.first != r.last else r.first for r in zone.postal_codes)
    places = ", ".join([*zone.countries, *(f"({region})" for region in zone.regions)]) or "*"
    return f"{places} | {codes or '*'} | {zone.transit_min}-{zone.transit_max}"


def read_method(form: Form, currency: str) -> dict[str, Any]:
    """What the form says, as the fields of the verb's input.

    Raises:
        InvalidInput: at the field that cannot be read.
    """
    names = {language: form.text(f"name-{language}") for language in LOCALES}
    return {
        "names": {language: name for language, name in names.items() if name},
        "rate": read_rate(form, currency),
        "zones": [
            zone for line in form.get("zones").splitlines() if line.strip() for zone in [_zone(form, line)]
        ],
        "calendar": {
            "weekdays": [int(day) for day in form.all("weekdays") if day.isdecimal()] or [1, 2, 3, 4, 5],
            "holidays": form.text("holidays"),
            "closed": [day for day in re.split(r"[\s,;]+", form.get("closed")) if day],
        },
        "pick_minutes": form.whole("pick_minutes") or 0,
        "pack_minutes": form.whole("pack_minutes") or 0,
        "cut_off": form.text("cut_off"),
        "until": form.text("until"),
        "slots": [_slot(form, line) for line in form.get("slots").splitlines() if line.strip()],
        "max_weight": form.whole("max_weight"),
    }


def read_rate(form: Form, currency: str) -> dict[str, Any]:
    """The rate as JSON has it."""
    kind = form.get("rate", "flat")
    rate: dict[str, Any] = {"kind": kind, "free_from": form.amount("free_from", currency)}
    if kind in ("by_amount", "by_weight"):
        return rate | {"steps": _steps(form, currency, in_money=kind == "by_amount")}
    rate["price"] = form.amount("price", currency) or 0
    if kind == "weight_steps":
        rate |= {
            "first": form.whole("first") or 1,
            "each": form.whole("each") or 1,
            "each_price": form.amount("each_price", currency) or 0,
        }
    return rate


def _steps(form: Form, currency: str, *, in_money: bool) -> list[Step]:
    steps = []
    for line in form.get("steps").splitlines():
        if not line.strip():
            continue
        start, colon, price = line.partition(":")
        part = Form.of(start=start, price=price)
        try:
            begin = part.amount("start", currency) if in_money else part.whole("start")
            cost = part.amount("price", currency)
        except InvalidInput:
            begin = cost = None
        if not colon or begin is None or cost is None:
            raise InvalidInput.at("steps", form.translate(STEP_FAULT))
        steps.append(Step(begin, cost))
    if not steps:
        raise InvalidInput.at("steps", form.translate(STEP_FAULT))
    return steps


def _zone(form: Form, line: str) -> Zone:
    parts = [part.strip() for part in line.split("|")]
    days = re.fullmatch(r"(\d{1,2})(?:\s*[-–]\s*(\d{1,2}))?", parts[-1])
    if len(parts) != 3 or days is None:
        raise InvalidInput.at("zones", form.translate(ZONE_FAULT))
    places = _words(parts[0])
    first = int(days[1])
    return Zone(
        countries=[place.upper() for place in places if not place.startswith("(")],
        regions=[place.strip("()") for place in places if place.startswith("(")],
        postal_codes=[_range(code) for code in _words(parts[1])],
        transit_min=first,
        transit_max=int(days[2]) if days[2] else first,
    )


def _slot_text(slot: Slot) -> str:
    return f"{slot.start}-{slot.end}" + (f": {slot.capacity}" if slot.capacity is not None else "")


_SLOT = re.compile(r"\s*(\d{1,2}[:.]\d{2})\s*[-–]\s*(\d{1,2}[:.]\d{2})\s*(?::\s*(\d{1,7}))?\s*", re.ASCII)


def _slot(form: Form, line: str) -> Slot:
    """One time a line, as somebody types it: ``9.00 – 11.00: 5`` too."""
    found = _SLOT.fullmatch(line)
    start, end = (found[1], found[2]) if found else ("", "")
    clocks = [clock.replace(".", ":").zfill(5) for clock in (start, end)]
    if found is None or any(not _is_clock(clock) for clock in clocks):
        raise InvalidInput.at("slots", form.translate(SLOT_FAULT))
    return Slot(start=clocks[0], end=clocks[1], capacity=int(found[3]) if found[3] else None)


def _is_clock(text: str) -> bool:
    hour, minute = text.split(":")
    return int(hour) < 24 and int(minute) < 60


def _words(text: str) -> Sequence[str]:
    return [part.strip() for part in text.split(",") if part.strip() and part.strip() != "*"]


def _range(text: str) -> PostalRange:
    first, dash, last = text.replace("–", "-").partition("-")
    return PostalRange(first.strip(), last.strip() if dash else first.strip())
