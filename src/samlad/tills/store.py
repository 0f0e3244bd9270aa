"""SQL of the tables ``till_device`` and ``till_sale``."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from samlad.kernel.clock import now
from samlad.kernel.database import Reader, Tx
from samlad.kernel.listing import Filter, Listing, Sort, texts, uuids
from samlad.tills.model import KeptSale, Objection, SaleRow, SaleState

_FROM = """till_sale s JOIN channel c ON c.id = s.channel JOIN location p ON p.id = s.location
           LEFT JOIN orders o ON o.id = s.order_id"""
_ROW = """s.id, s.entry, s.kind, s.reference, s.till_id, c.code AS channel, p.code AS location_code, s.state, s.happened_at,
          s.received_at, s.total, s.currency, s.clerk_name, s.order_id, o.number AS order_number, s.subject, s.objections,
          s.needs_look, s.resolution, s.resolved_at, s.version"""


def _truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("true or false")
    return text == "true"


SALES = Listing(
    row=SaleRow,
    select=_ROW,
    source=f"{_FROM} WHERE ($1::uuid[] IS NULL OR s.location = ANY ($1))",
    key="s.id",
    sorts={
        "received_at": Sort("s.received_at", "timestamptz"),
        "happened_at": Sort("s.happened_at", "timestamptz"),
    },
    default_sort="-received_at",
    filters={
        "q": Filter(
            "strpos(lower(s.reference), lower({0})) > 0 OR starts_with(o.number, {0}) OR strpos(lower(s.clerk_name), lower({0})) > 0",
            str.strip,
        ),
        "channel": Filter("c.code = ANY({}::text[])", texts),
        "kind": Filter("s.kind = ANY({}::text[])", texts),
        "state": Filter("s.state = ANY({}::text[])", texts),
        "needs_look": Filter("s.needs_look = {}", _truth),
        "till": Filter("s.till_id = ANY({}::uuid[])", uuids),
        "objection": Filter(
            "EXISTS (SELECT FROM jsonb_array_elements(s.objections) e WHERE e ->> 'code' = ANY({}::text[]))",
            texts,
        ),
    },
)
"""Sales of tills, what came last first; within some locations if they are given."""


async def note_device(tx: Tx, device: UUID, channel: UUID, location: UUID) -> None:
    """A till was heard of. What was put away is in use again."""
    await tx.execute(
        """INSERT INTO till_device (id, channel, location) VALUES ($1, $2, $3)
           ON CONFLICT (id) DO UPDATE SET channel = $2, location = $3, seen_at = now(),
               put_away_at = NULL, put_away_by = NULL, reason = ''""",
        device,
        channel,
        location,
    )


class NewSale(msgspec.Struct, frozen=True, kw_only=True):
    """A row to be written."""

    id: UUID
    entry: str | None
    kind: str
    digest: bytes
    conflicts_with: UUID | None
    till_id: UUID | None
    channel: UUID
    location: UUID
    sequence: int | None
    reference: str
    happened_at: datetime
    total: int | None
    currency: str
    clerk_name: str
    body: dict[str, Any]


async def claim(tx: Tx, sale: NewSale) -> bool:
    """Keep an entry, at first as one that waits; False if its id is there, once whoever writes it has ended."""
    return bool(
        await tx.execute(
            """INSERT INTO till_sale (id, entry, kind, digest, conflicts_with, till_id, channel, location, sequence, reference,
                                      happened_at, total, currency, clerk_name, body, actor, state, needs_look)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 'kept', true)
               ON CONFLICT (id) DO NOTHING""",
            *(getattr(sale, name) for name in NewSale.__struct_fields__),
            tx.actor.label,
        )
    )


async def digest_of(reader: Reader, sale: UUID) -> bytes | None:
    """The digest of an entry that is here."""
    found: bytes | None = await reader.value("SELECT digest FROM till_sale WHERE id = $1", sale)
    return found


async def is_used(reader: Reader, till: UUID, sequence: int, but: UUID) -> bool:
    """Whether another entry of a till has this number."""
    return bool(
        await reader.value(
            "SELECT EXISTS (SELECT FROM till_sale WHERE till_id = $1 AND sequence = $2 AND id <> $3)",
            till,
            sequence,
            but,
        )
    )


async def conclude(
    tx: Tx,
    sale: UUID,
    state: SaleState,
    order: UUID | None,
    objections: Sequence[Objection],
    *,
    looks: bool,
    subject: UUID | None = None,
) -> None:
    """Say what became of an entry that this transaction has claimed or locked."""
    await tx.execute(
        """UPDATE till_sale SET state = $2, order_id = $3, objections = $4, needs_look = $5, subject = $6,
                  body = CASE WHEN $7 THEN body - 'new_customer' ELSE body END, version = version + 1 WHERE id = $1""",
        sale,
        state,
        order,
        msgspec.to_builtins(list(objections)),
        looks,
        subject or order,
        state is SaleState.TRAINING,  # nobody is written down for what was no sale
    )


async def name_customer(tx: Tx, sale: UUID, customer: UUID) -> None:
    """Whom a clerk wrote down is a customer now: the entry says which, and nothing else of them."""
    await tx.execute(
        "UPDATE till_sale SET body = body - 'new_customer' || jsonb_build_object('customer', $2::uuid) WHERE id = $1",
        sale,
        customer,
    )


async def note(tx: Tx, sale: UUID, objections: Sequence[Objection]) -> None:
    """Say what is odd about it now."""
    await tx.execute(
        "UPDATE till_sale SET objections = $2, version = version + 1 WHERE id = $1",
        sale,
        msgspec.to_builtins(list(objections)),
    )


async def resolve(tx: Tx, sale: UUID, resolution: str, reason: str) -> None:
    """Somebody has dealt with it."""
    await tx.execute(
        """UPDATE till_sale SET resolution = $2, reason = $3, resolved_by = $4, resolved_at = $5, needs_look = false,
                  state = CASE WHEN $2 = 'written_off' THEN 'written_off' ELSE state END,
                  body = CASE WHEN $2 = 'written_off' THEN body - 'new_customer' ELSE body END, version = version + 1
           WHERE id = $1""",
        sale,
        resolution,
        reason,
        tx.actor.label,
        now(),
    )


_KEPT = f"""SELECT {_ROW}, s.body, s.conflicts_with, s.reason, s.location, s.channel AS channel_id
            FROM {_FROM} WHERE s.id = $1"""


async def read(reader: Reader, sale: UUID) -> KeptSale | None:
    """A sale with what was sent."""
    return await reader.one(KeptSale, _KEPT, sale)


async def lock(tx: Tx, sale: UUID) -> KeptSale | None:
    """The same, held until the transaction ends."""
    return await tx.one(KeptSale, f"{_KEPT} FOR UPDATE OF s", sale)


async def waiting_returns(reader: Reader, reference: str) -> list[UUID]:
    """Returns that wait for the sale of a receipt, in the order in which they came."""
    rows = await reader.rows(
        """SELECT id FROM till_sale WHERE state = 'kept' AND kind = 'return' AND body ->> 'receipt' = $1
             AND objections @> '[{"code": "receipt-waits"}]' ORDER BY received_at, id""",
        reference,
    )
    return [row["id"] for row in rows]


async def waiting(reader: Reader, locations: Sequence[UUID] | None) -> int:
    """How many sales need a look, and how many tills have numbers that never came."""
    count: int = await reader.value(
        """SELECT (SELECT count(*) FROM till_sale WHERE needs_look AND ($1::uuid[] IS NULL OR location = ANY ($1)))
                  + (SELECT count(DISTINCT till) FROM till_gap WHERE came_at IS NULL AND looked_at IS NULL
                     AND ($1::uuid[] IS NULL OR location = ANY ($1)))""",
        None if locations is None else list(locations),
    )
    return count


class DevicesSeen(msgspec.Struct, frozen=True):
    """The tills of a channel that have ever been heard of, and when one was last."""

    channel: UUID
    devices: int
    seen_at: datetime


async def devices_seen(reader: Reader, channels: Sequence[UUID]) -> dict[UUID, DevicesSeen]:
    """By channel; those without a till are left out. One statement."""
    rows = await reader.all(
        DevicesSeen,
        """SELECT channel, count(*)::int AS devices, max(seen_at) AS seen_at FROM till_device
           WHERE channel = ANY ($1) GROUP BY channel""",
        list(channels),
    )
    return {row.channel: row for row in rows}


async def order_of(reader: Reader, entry: UUID) -> UUID | None:
    """The order that a till's sale became, by the id that the till gave it."""
    found: UUID | None = await reader.value("SELECT order_id FROM till_sale WHERE id = $1", entry)
    return found
