"""Methods and sites for tests of rules, without a database."""

from typing import Any
from uuid import UUID

import msgspec

from samlad.channels import OpeningHours
from samlad.delivery import Method, Site
from samlad.delivery.worktime import Hours

NOBODY = UUID(int=0)
OFFICE = {
    "weekly": [[{"opens": "10:00", "closes": "18:00"}]] * 5 + [[{"opens": "11:00", "closes": "15:00"}], []],
    "exceptions": [{"date": "2026-12-24", "intervals": [], "note": "Christmas Eve"}],
}


def method(kind: str = "ship", **values: Any) -> Method:
    """A method of no channel; zones are everywhere for what is sent."""
    given = {
        "id": UUID(int=1),
        "channel": NOBODY,
        "code": kind.replace("_", "-"),
        "kind": kind,
        "name": kind.title(),
        "names": {},
        "currency": "SEK",
        "zones": [{}] if kind in ("ship", "same_day") else [],
        "rate": {"kind": "flat"},
        "calendar": {},
        "pick_minutes": 60,
        "pack_minutes": 0,
        "cut_off": None,
        "until": None,
        "max_weight": None,
        "position": 1,
        "is_active": True,
        "version": 1,
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
        **values,
    }
    return msgspec.convert(given, Method)


def hours(document: Any = OFFICE) -> bytes:
    """Hours as worktime wants them."""
    return msgspec.json.encode(msgspec.convert(document, OpeningHours))


def site(time_zone: str = "Europe/Stockholm", open_hours: bytes | None = None, **values: Any) -> Site:
    """A store with these hours (None: always open)."""
    given: dict[str, Any] = {
        "id": UUID(int=2),
        "code": "sodermalm",
        "name": "Södermalm",
        "pool": NOBODY,
        "channel": NOBODY,
        "is_store": True,
        "city": "Stockholm",
        "postal_code": "116 31",
        "country": "SE",
        "latitude": 59.31,
        "longitude": 18.07,
        "priority": 10,
        "doors": Hours(time_zone, open_hours),
        "work": Hours(time_zone, open_hours),
        **values,
    }
    return Site(**given)
