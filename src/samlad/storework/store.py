"""Store work in the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from samlad.kernel.clock import now
from samlad.kernel.database import Reader, Tx
from samlad.kernel.listing import Filter, Listing, Sort, texts
from samlad.storework.model import ArrivalEntry, DeliveryEntry, Kept, Row, State, Told

_ROW = """w.id, w.location, l.code AS location_code, w.kind, w.subject, w.state, w.happened_at, w.received_at,
          w.done_name, w.problem, w.code, w.reason, w.resolved_at, w.version"""
_FROM = "store_work w JOIN location l ON l.id = w.location"
_KEPT = f"SELECT {_ROW}, w.done_by, w.body, w.told FROM {_FROM} WHERE w.id = $1"


ENTRIES = Listing(
    row=Row,
    select=_ROW,
    source=f"{_FROM} WHERE ($1::uuid[] IS NULL OR w.location = ANY ($1))",
    key="w.id",
    sorts={"received_at": Sort("w.received_at", "timestamptz")},
    default_sort="-received_at",
    filters={
        "q": Filter("strpos(lower(w.done_name || ' ' || w.problem), lower({0})) > 0", str.strip),
        "location": Filter("l.code = ANY({}::text[])", texts),
        "kind": Filter("w.kind = ANY({}::text[])", texts),
        "state": Filter("w.state = ANY({}::text[])", texts),
    },
)
"""Everything that phones sent, what came last first; within some locations if they are given."""


class New(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that comes in."""

    id: UUID
    digest: bytes
    device: UUID | None
    sequence: int | None
    location: UUID
    kind: str
    subject: UUID | None
    happened_at: datetime
    done_by: UUID | None
    done_name: str
    body: dict[str, Any]


async def claim(tx: Tx, new: New) -> bool:
    """Write an entry down, once: of two at once the second waits for the first. Whether it is new."""
    return bool(
        await tx.value(
            """INSERT INTO store_work (id, digest, device, sequence, location, kind, subject, state, happened_at,
                                       done_by, done_name, actor, body)
               VALUES ($1, $2, $3, $4, $5, $6, $7, 'new', $8, $9, $10, $11, $12)
               ON CONFLICT (id) DO NOTHING RETURNING true""",
            new.id,
            new.digest,
            new.device,
            new.sequence,
            new.location,
            new.kind,
            new.subject,
            new.happened_at,
            new.done_by,
            new.done_name,
            tx.actor.label,
            new.body,
        )
    )


async def arrivals_of(reader: Reader, entry: ArrivalEntry | DeliveryEntry) -> int:
    """How often the phone of an entry has booked in goods of the same since it saw this version of it."""
    count: int = await reader.value(
        """SELECT count(*) FROM store_work WHERE subject = $1 AND device = $2 AND state = 'done'
           AND kind IN ('arrival', 'delivery') AND body->>'version' = $3""",
        entry.transfer if isinstance(entry, ArrivalEntry) else entry.purchase,
        entry.device,
        str(entry.version),
    )
    return count


async def digest_of(reader: Reader, entry: UUID) -> bytes | None:
    """The digest of an entry that is here."""
    found: bytes | None = await reader.value("SELECT digest FROM store_work WHERE id = $1", entry)
    return found


async def conclude(
    tx: Tx, entry: UUID, state: State, *, told: Told, problem: str = "", code: str = ""
) -> None:
    """Say what became of an entry that this transaction has claimed or locked."""
    await tx.execute(
        """UPDATE store_work SET state = $2, told = $3, problem = $4, code = $5, actor = $6, version = version + 1
           WHERE id = $1""",
        entry,
        state,
        msgspec.to_builtins(told),
        problem,
        code,
        tx.actor.label,
    )


async def resolve(tx: Tx, entry: UUID, state: State, reason: str = "") -> None:
    """A manager has dealt with it."""
    await tx.execute(
        """UPDATE store_work SET state = $2, reason = $3, resolved_by = $4, resolved_at = $5, version = version + 1
           WHERE id = $1""",
        entry,
        state,
        reason,
        tx.actor.label,
        now(),
    )


async def read(reader: Reader, entry: UUID) -> Kept | None:
    """An entry with what was sent."""
    return await reader.one(Kept, _KEPT, entry)


async def lock(tx: Tx, entry: UUID) -> Kept | None:
    """The same, held until the transaction ends."""
    return await tx.one(Kept, f"{_KEPT} FOR UPDATE OF w", entry)


async def waiting(reader: Reader, locations: Sequence[UUID] | None) -> int:
    """How many entries were refused and nobody has dealt with."""
    count: int = await reader.value(
        """SELECT count(*) FROM store_work WHERE state = 'refused' AND ($1::uuid[] IS NULL OR location = ANY ($1))""",
        None if locations is None else list(locations),
    )
    return count
