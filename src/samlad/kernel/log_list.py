"""The log and what was put aside of it, as lists for people. Personal fields stay where they are."""

import contextlib
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from samlad.kernel.database import Reader
from samlad.kernel.listing import Filter, Listing, Sort, texts, uuids
from samlad.kernel.problems import NotFound


class EventRow(msgspec.Struct, frozen=True):
    """An event without its personal fields."""

    id: UUID
    type: str
    recorded_at: datetime
    occurred_at: datetime
    channel: UUID | None
    subject: UUID | None
    actor: str
    request: UUID
    payload: dict[str, Any]


class Parked(msgspec.Struct, frozen=True):
    """An event that a follower could not handle, and why."""

    follower: str
    event: UUID
    type: str
    reason: str
    attempts: int
    parked_at: datetime


def _ids_in(text: str) -> list[UUID]:
    """Ids as people paste them; what is none is nothing's."""
    found = []
    for part in text.replace(",", " ").split():
        with contextlib.suppress(ValueError):
            found.append(UUID(part))
    return found


EVENTS: Listing[EventRow] = Listing(
    row=EventRow,
    select=", ".join(EventRow.__struct_fields__),
    source="event",
    key="id",
    # Ids are UUIDv7, made when the event was appended: their order is that of the log but for milliseconds.
    sorts={"id": Sort("id", "uuid")},
    default_sort="-id",
    filters={
        "type": Filter("type LIKE {} || '%'"),
        "subject": Filter("subject = ANY({})", uuids),
        "channel": Filter("channel = ANY({})", uuids),
        "request": Filter("request = ANY({})", uuids),
        "about": Filter("subject = ANY({})", _ids_in),
        "actor": Filter("actor = ANY({})", texts),
    },
)
"""The newest events first."""


async def payload_of(reader: Reader, event: UUID) -> dict[str, Any]:
    """What an event says, without its personal fields.

    Raises:
        NotFound: there is none of this id.
    """
    found = await reader.row("SELECT payload FROM event WHERE id = $1", event)
    if found is None:
        raise NotFound("No such event.")
    payload: dict[str, Any] = found["payload"]
    return payload


async def parked(reader: Reader, *, limit: int = 200) -> list[Parked]:
    """What is put aside, the newest first."""
    return await reader.all(
        Parked,
        "SELECT follower, event, type, reason, attempts, parked_at FROM parked_event ORDER BY parked_at DESC, event LIMIT $1",
        limit,
    )
