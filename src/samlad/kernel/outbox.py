"""How events get into the log: collected by the transaction, written in one statement before its commit."""

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

if TYPE_CHECKING:
    from samlad.kernel.database import Tx


class PendingEvent(msgspec.Struct):
    """An event on its way into the log."""

    id: UUID
    type: str
    occurred_at: datetime
    channel: UUID | None
    profile: UUID | None
    subject: UUID | None
    actor: str
    request: UUID
    payload: dict[str, Any]
    personal: dict[str, Any] | None


_INSERT = """
INSERT INTO event (id, type, occurred_at, channel, profile, subject, actor, request, payload, personal)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[],
                     $8::uuid[], $9::jsonb[], $10::jsonb[])
"""


async def write_events(tx: "Tx", events: list[PendingEvent]) -> None:
    """Insert events in their order; one statement however many."""
    columns = [[getattr(event, name) for event in events] for name in PendingEvent.__struct_fields__]
    await tx.execute(_INSERT, *columns)
