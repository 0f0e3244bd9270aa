"""SQL of the tables of destinations."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from samlad.destinations.model import BatchRow, Destination, Entry, SentOn
from samlad.kernel.database import Reader, Tx
from samlad.kernel.listing import Filter, Listing, Sort, anywhere_lowered, texts, uuids

_SELECT = """d.id, d.segment, s.pool, d.strategy, d.name, d.purpose, d.channel, d.config, d.state, d.version, d.failures,
    d.last_error, d.last_sync_at, d.next_at, d.created_at, d.updated_at,
    (SELECT count(*)::int FROM destination_due u WHERE u.destination = d.id) AS waiting,
    (SELECT count(DISTINCT t.person)::int FROM destination_sent t WHERE t.destination = d.id AND t.confirmed) AS people"""

LISTING = Listing(
    row=Destination,
    select=_SELECT,
    source="destination d JOIN segment s ON s.id = d.segment WHERE d.state <> 'ended'",
    key="d.id",
    sorts={"name": Sort("lower(d.name)"), "updated_at": Sort("d.updated_at", "timestamptz")},
    default_sort="name",
    filters={
        "state": Filter("d.state = ANY({}::text[])", texts),
        "strategy": Filter("d.strategy = ANY({}::text[])", texts),
        "segment": Filter("d.segment = ANY({}::uuid[])", uuids),
        "q": Filter("lower(d.name) LIKE {}", anywhere_lowered),
    },
)
"""All destinations that are not ended, by name."""

BATCHES = Listing(
    row=BatchRow,
    select="id, at, state, added, removed, error, reference",
    source="destination_batch WHERE destination = $1",
    key="id",
    sorts={"at": Sort("at", "timestamptz")},
    default_sort="-at",
    filters={"state": Filter("state = ANY({}::text[])", texts)},
)
"""The batches of one destination (the scope's first argument), the latest first."""


async def insert(tx: Tx, this: UUID, fields: dict[str, Any]) -> bool:
    """Add a destination; False if the name is taken."""
    names = ", ".join(fields)
    places = ", ".join(f"${number}" for number in range(2, len(fields) + 2))
    added = await tx.execute(
        f"INSERT INTO destination (id, state, {names}) VALUES ($1, 'active', {places}) ON CONFLICT DO NOTHING",
        this,
        *fields.values(),
    )
    return added == 1


async def get(reader: Reader, destination: UUID) -> Destination | None:
    """A destination, or None."""
    return await reader.one(
        Destination,
        f"SELECT {_SELECT} FROM destination d JOIN segment s ON s.id = d.segment WHERE d.id = $1",
        destination,
    )


async def lock(tx: Tx, destination: UUID) -> None:
    """Hold it against changes until the transaction ends."""
    await tx.rows("SELECT FROM destination WHERE id = $1 FOR NO KEY UPDATE", destination)


async def update(tx: Tx, destination: UUID, fields: dict[str, Any]) -> bool:
    """Set fields and count the version up; False if another has the name."""
    names = ", ".join(f"{name} = ${number}" for number, name in enumerate(fields, 2))
    try:
        async with tx.savepoint():
            await tx.execute(
                f"UPDATE destination SET {names}, version = version + 1, updated_at = now() WHERE id = $1",
                destination,
                *fields.values(),
            )
    except asyncpg.UniqueViolationError:
        return False
    return True


async def days(reader: Reader, destination: UUID, back: int) -> list[SentOn]:
    """What was sent by day, oldest first."""
    return await reader.all(
        SentOn,
        """SELECT (at AT TIME ZONE 'UTC')::date AS day,
                  coalesce(sum(added) FILTER (WHERE state = 'sent'), 0)::int AS added,
                  coalesce(sum(removed) FILTER (WHERE state = 'sent'), 0)::int AS removed,
                  count(*) FILTER (WHERE state = 'failed')::int AS failed
           FROM destination_batch WHERE destination = $1 AND at > now() - make_interval(days => $2)
           GROUP BY 1 ORDER BY 1""",
        destination,
        back,
    )


# -- who is to be looked at -------------------------------------------------------------------------------------------------

_MARK = """INSERT INTO destination_due (destination, person) {rows}
           ON CONFLICT (destination, person) DO UPDATE SET seq = nextval('destination_mark')"""


async def mark_segment(tx: Tx, segment: UUID, people: Sequence[UUID]) -> list[UUID]:
    """People came to or went from a segment: they are looked at wherever it is sent; where that is."""
    await tx.execute(
        _MARK.format(
            rows="""SELECT d.id, p FROM destination d, unnest($2::uuid[]) AS p
                    WHERE d.segment = $1 AND d.state <> 'ended' ORDER BY d.id, p"""
        ),
        segment,
        sorted(people),
    )
    return await _open(tx, segment)


async def mark_people(tx: Tx, people: Sequence[UUID]) -> list[UUID]:
    """Something about people changed: they are looked at wherever they are or ought to be; where that is."""
    await tx.execute(
        _MARK.format(
            rows="""SELECT * FROM (
                        SELECT t.destination, t.person FROM destination_sent t WHERE t.person = ANY ($1)
                        UNION SELECT d.id, m.person FROM segment_member m
                              JOIN destination d ON d.segment = m.segment AND d.state <> 'ended'
                              WHERE m.person = ANY ($1)) AS hit (destination, person) ORDER BY destination, person"""
        ),
        list(people),
    )
    rows = await tx.rows(
        "SELECT DISTINCT destination FROM destination_due WHERE person = ANY ($1)", list(people)
    )
    return [row["destination"] for row in rows]


async def mark_everybody(tx: Tx, destination: UUID) -> int:
    """Everybody who is or ought to be there is looked at; how many."""
    return await tx.execute(
        _MARK.format(
            rows="""SELECT * FROM (
                        SELECT t.destination, t.person FROM destination_sent t WHERE t.destination = $1
                        UNION SELECT d.id, m.person FROM destination d JOIN segment_member m ON m.segment = d.segment
                              WHERE d.id = $1) AS hit (destination, person) ORDER BY person"""
        ),
        destination,
    )


async def _open(tx: Tx, segment: UUID) -> list[UUID]:
    rows = await tx.rows(
        "SELECT id FROM destination WHERE segment = $1 AND state <> 'ended' ORDER BY id", segment
    )
    return [row["id"] for row in rows]


async def of_segment(tx: Tx, segment: UUID) -> list[UUID]:
    """Where a segment is sent."""
    return await _open(tx, segment)


async def open_ones(reader: Reader) -> list[UUID]:
    """Every destination that is not ended."""
    rows = await reader.rows("SELECT id FROM destination WHERE state <> 'ended' ORDER BY id")
    return [row["id"] for row in rows]


async def ready(reader: Reader, now: datetime) -> list[UUID]:
    """Where somebody waits, nobody sends, and no pause is on."""
    rows = await reader.rows(
        """SELECT id FROM destination d WHERE state IN ('active', 'ending') AND (next_at IS NULL OR next_at <= $1)
           AND (leased_until IS NULL OR leased_until <= $1)
           AND (state = 'ending' OR EXISTS (SELECT FROM destination_due u WHERE u.destination = d.id)) ORDER BY id""",
        now,
    )
    return [row["id"] for row in rows]


# -- sending ----------------------------------------------------------------------------------------------------------------


class Due(msgspec.Struct, frozen=True):
    """Somebody who is to be looked at, and which mark says so."""

    person: UUID
    seq: int


async def lease(tx: Tx, destination: UUID, who: UUID, now: datetime, length: timedelta) -> bool:
    """Take the right to send; False if another has it, or it is not the time."""
    taken = await tx.execute(
        """UPDATE destination SET lease = $2, leased_until = $4 WHERE id = $1 AND state IN ('active', 'ending')
           AND (leased_until IS NULL OR leased_until <= $3) AND (next_at IS NULL OR next_at <= $3)""",
        destination,
        who,
        now,
        now + length,
    )
    return taken == 1


async def due(reader: Reader, destination: UUID, limit: int) -> list[Due]:
    """Who waits longest."""
    return await reader.all(
        Due,
        "SELECT person, seq FROM destination_due WHERE destination = $1 ORDER BY seq LIMIT $2",
        destination,
        limit,
    )


async def sent(
    reader: Reader, destination: UUID, people: Sequence[UUID]
) -> dict[UUID, dict[tuple[str, str], bool]]:
    """What the receiver has of people: by hash whether it confirmed it."""
    rows = await reader.rows(
        "SELECT person, kind, digest, confirmed FROM destination_sent WHERE destination = $1 AND person = ANY ($2)",
        destination,
        list(people),
    )
    found: dict[UUID, dict[tuple[str, str], bool]] = {}
    for row in rows:
        found.setdefault(row["person"], {})[row["kind"], row["digest"]] = row["confirmed"]
    return found


async def elsewhere(
    reader: Reader, destination: UUID, people: Sequence[UUID], digests: Sequence[str]
) -> set[tuple[str, str]]:
    """Which of these hashes others than these people have there."""
    rows = await reader.rows(
        """SELECT DISTINCT kind, digest FROM destination_sent
           WHERE destination = $1 AND digest = ANY ($3) AND person <> ALL ($2)""",
        destination,
        list(people),
        list(digests),
    )
    return {(row["kind"], row["digest"]) for row in rows}


def _columns(entries: Sequence[Entry]) -> tuple[list[UUID], list[str], list[str]]:
    rows = [
        (each.person, kind, digest)
        for each in entries
        for kind, digests in (("email", each.emails), ("phone", each.phones))
        for digest in digests
    ]
    return [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]


async def intend(tx: Tx, destination: UUID, entries: Sequence[Entry]) -> None:
    """Note what the receiver may have from now on, before it is sent."""
    await tx.execute(
        """INSERT INTO destination_sent (destination, person, kind, digest)
           SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::text[]) ON CONFLICT DO NOTHING""",
        destination,
        *_columns(entries),
    )


async def confirm(tx: Tx, destination: UUID, entries: Sequence[Entry]) -> None:
    """The receiver has taken these."""
    await tx.execute(
        """UPDATE destination_sent t SET confirmed = true, at = now()
           FROM unnest($2::uuid[], $3::text[], $4::text[]) AS n (person, kind, digest)
           WHERE t.destination = $1 AND t.person = n.person AND t.kind = n.kind AND t.digest = n.digest""",
        destination,
        *_columns(entries),
    )


async def forget(tx: Tx, destination: UUID, entries: Sequence[Entry]) -> None:
    """The receiver does not have these any more."""
    await tx.execute(
        """DELETE FROM destination_sent t USING unnest($2::uuid[], $3::text[], $4::text[]) AS n (person, kind, digest)
           WHERE t.destination = $1 AND t.person = n.person AND t.kind = n.kind AND t.digest = n.digest""",
        destination,
        *_columns(entries),
    )


async def done(tx: Tx, destination: UUID, marks: Sequence[Due]) -> None:
    """These were looked at, unless they were marked again meanwhile."""
    await tx.execute(
        """DELETE FROM destination_due u USING unnest($2::uuid[], $3::bigint[]) AS n (person, seq)
           WHERE u.destination = $1 AND u.person = n.person AND u.seq = n.seq""",
        destination,
        [each.person for each in marks],
        [each.seq for each in marks],
    )


async def note_batch(tx: Tx, batch: UUID, destination: UUID, added: int, removed: int) -> None:
    """A batch is about to be sent."""
    await tx.execute(
        "INSERT INTO destination_batch (id, destination, state, added, removed) VALUES ($1, $2, 'sending', $3, $4)",
        batch,
        destination,
        added,
        removed,
    )


async def end_batch(tx: Tx, batch: UUID, error: str | None, reference: str | None) -> None:
    """How a batch ended."""
    await tx.execute(
        "UPDATE destination_batch SET state = $2, error = $3, reference = $4 WHERE id = $1",
        batch,
        "sent" if error is None else "failed",
        error,
        reference,
    )


async def release(
    tx: Tx, destination: UUID, who: UUID, *, error: str | None, failures: int, next_at: datetime | None
) -> None:
    """Give the right to send back, and say how it went; nothing if another has taken it meanwhile."""
    await tx.execute(
        """UPDATE destination SET lease = NULL, leased_until = NULL, failures = $3, last_error = $4, next_at = $5,
                  last_sync_at = CASE WHEN $4::text IS NULL THEN now() ELSE last_sync_at END
           WHERE id = $1 AND lease = $2""",
        destination,
        who,
        failures,
        error,
        next_at,
    )


async def close(tx: Tx, destination: UUID) -> bool:
    """End one that is ending, once the receiver has nothing of anybody."""
    ended = await tx.execute(
        """UPDATE destination SET state = 'ended', version = version + 1, updated_at = now()
           WHERE id = $1 AND state = 'ending'
           AND NOT EXISTS (SELECT FROM destination_sent t WHERE t.destination = $1)""",
        destination,
    )
    return ended == 1
