"""A webshop that takes events, for tests: sources with keys, and what was stored."""

import base64
from typing import Any
from uuid import UUID

import msgspec

from samlad import channels
from samlad.channels import Channel, ChannelInput, ChannelKind
from samlad.kernel.database import Database
from samlad.tracking import known, sources
from samlad.tracking.model import DeviceClass, KeyInput, Source, SourceInput, SourceKind


class Door(msgspec.Struct, frozen=True):
    """A source with its key."""

    source: Source
    key: str

    @property
    def basic(self) -> dict[str, str]:
        """Its key as clients send it."""
        return {"Authorization": "Basic " + base64.b64encode(f"{self.key}:".encode()).decode()}


class Tracked(msgspec.Struct, frozen=True):
    """The world of the tests."""

    db: Database
    web: Channel
    browser: Door
    server: Door
    tablet: Door

    async def events(self, *names: str) -> list[dict[str, Any]]:
        """What was stored, in the order in which it happened."""
        columns = ", ".join(names) or "*"
        rows = await self.db.rows(f"SELECT {columns} FROM tracked_event ORDER BY occurred_at, id")
        return [dict(row.items()) for row in rows]

    async def parked(self) -> list[tuple[str, str | None]]:
        """Reason and name of what was parked."""
        rows = await self.db.rows("SELECT reason, name FROM tracking_parked ORDER BY id")
        return [(row["reason"], row["name"]) for row in rows]


async def open_tracked(db: Database) -> Tracked:
    """Open it."""
    given = ChannelInput(
        code="web",
        name="Hemma",
        kind=ChannelKind.WEBSHOP,
        country="SE",
        locale="sv",
        currency="SEK",
        time_zone="Europe/Stockholm",
    )
    web = await db.transaction(lambda tx: channels.create(tx, given))
    return Tracked(
        db=db,
        web=web,
        browser=await open_door(db, web.id),
        server=await open_door(db, web.id, kind=SourceKind.SERVER),
        tablet=await open_door(db, web.id, device_class=DeviceClass.SHARED),
    )


async def open_door(db: Database, channel: UUID, **fields: Any) -> Door:
    """A source with a key."""
    data = SourceInput(**{"channel": channel, "name": "Webshop", "per_second": 10_000, **fields})
    source = await db.transaction(lambda tx: sources.create(tx, data))
    made = await db.transaction(lambda tx: sources.make_key(tx, source.id, KeyInput()))
    known.forget()
    return Door(source, made.secret)
