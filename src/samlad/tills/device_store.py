"""SQL of what tills and kiosks say of themselves, in the table ``till_device``."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from samlad.kernel.database import Reader, Tx
from samlad.kernel.listing import Filter, Listing, Sort, texts
from samlad.tills.model import Device, HeardInput

PATIENCE = timedelta(minutes=15)
"""What a till has not sent for so long is worth a look: it asks every half minute, and sends at once."""
QUIET = timedelta(hours=24)
OFTEN = timedelta(minutes=1)
"""So often at most "heard of" is written while nothing else has changed."""

_LONG_AGO = f"now() - make_interval(secs => {PATIENCE.total_seconds():.0f})"
_HOLDS = f"d.unsent_since < {_LONG_AGO}"
_STATE = f"""CASE WHEN d.put_away_at IS NOT NULL THEN 'put-away'
                  WHEN {_HOLDS} AND d.seen_at < {_LONG_AGO} THEN 'silent'
                  WHEN {_HOLDS} THEN 'stuck'
                  WHEN d.seen_at < now() - make_interval(secs => {QUIET.total_seconds():.0f}) THEN 'quiet' ELSE 'heard' END"""
_CODE = "upper(right(d.id::text, 4))"
_ROW = f"""d.id, {_CODE} AS till_code, d.name, d.is_kiosk, c.code AS channel, d.channel AS channel_id, d.location,
           p.code AS location_code, {_STATE} AS state, d.seen_at, d.unsent, d.cards, d.unsent_since, d.pack_at, d.last,
           d.created_at, d.put_away_at, d.reason, d.session"""
_FROM = "till_device d JOIN channel c ON c.id = d.channel JOIN location p ON p.id = d.location"

DEVICES = Listing(
    row=Device,
    select=_ROW,
    source=f"{_FROM} WHERE ($1::uuid[] IS NULL OR d.location = ANY ($1))",
    key="d.id",
    sorts={
        "seen_at": Sort("d.seen_at", "timestamptz"),
        "unsent": Sort("d.unsent + d.cards", "int"),
        "pack_at": Sort("coalesce(d.pack_at, to_timestamp(0))", "timestamptz"),
    },
    default_sort="-seen_at",
    filters={
        "q": Filter(
            f"starts_with({_CODE}, upper({{0}})) OR strpos(lower(d.name), lower({{0}})) > 0", str.strip
        ),
        "channel": Filter("c.code = ANY({}::text[])", texts),
        "state": Filter(f"{_STATE} = ANY({{}}::text[])", texts),
    },
)
"""Tills and kiosks, who was heard of last first; within some locations if they are given."""


async def note(
    tx: Tx, data: HeardInput, channel: UUID, location: UUID, session: UUID | None, kiosk: str | None
) -> None:
    """A device says how it is. ``kiosk``: its name if it is one. An id that another store's device has is left to that one."""
    await tx.execute(
        """INSERT INTO till_device AS d (id, channel, location, unsent, cards, unsent_since, pack_at, session, is_kiosk, name)
           VALUES ($1, $2, $3, $4::int, $5::int, CASE WHEN $4::int + $5::int > 0 THEN now() END, $6, $7, $8::text IS NOT NULL, coalesce($8, ''))
           ON CONFLICT (id) DO UPDATE SET seen_at = now(), unsent = $4, cards = $5,
               unsent_since = CASE WHEN $4::int + $5::int > 0 THEN coalesce(d.unsent_since, now()) END,
               pack_at = coalesce($6, d.pack_at), session = $7, is_kiosk = $8::text IS NOT NULL,
               name = coalesce($8, CASE WHEN d.is_kiosk THEN '' ELSE d.name END),
               put_away_at = NULL, put_away_by = NULL, reason = ''
           WHERE d.location = $3 AND (d.seen_at < now() - $9::interval OR d.put_away_at IS NOT NULL OR (d.pack_at IS NULL AND $6 IS NOT NULL)
                 OR (d.unsent, d.cards, d.session, d.is_kiosk) IS DISTINCT FROM ($4, $5, $7, $8::text IS NOT NULL))""",
        data.till,
        channel,
        location,
        data.unsent,
        data.cards,
        data.pack_at,
        session,
        kiosk,
        OFTEN,
    )


async def read(reader: Reader, device: UUID) -> Device | None:
    """A till or kiosk by its id."""
    return await reader.one(Device, f"SELECT {_ROW} FROM {_FROM} WHERE d.id = $1", device)


async def of_sessions(reader: Reader, sessions: Sequence[UUID]) -> dict[UUID, Device]:
    """What spoke last by each of some sign-ins."""
    rows = await reader.all(
        Device, f"SELECT {_ROW} FROM {_FROM} WHERE d.session = ANY ($1) ORDER BY d.seen_at", list(sessions)
    )
    return {row.session: row for row in rows if row.session is not None}


async def holding(reader: Reader, locations: Sequence[UUID] | None) -> int:
    """How many say for a while that they have something that is not sent, and were heard of since or not."""
    count: int = await reader.value(
        f"""SELECT count(*) FROM till_device d WHERE d.put_away_at IS NULL AND {_HOLDS}
            AND ($1::uuid[] IS NULL OR d.location = ANY ($1))""",
        None if locations is None else list(locations),
    )
    return count


async def put_away(tx: Tx, device: UUID, reason: str) -> bool:
    """It is not used any more; False if that was said before."""
    return bool(
        await tx.execute(
            "UPDATE till_device SET put_away_at = now(), put_away_by = $2, reason = $3 WHERE id = $1 AND put_away_at IS NULL",
            device,
            tx.actor.label,
            reason,
        )
    )


async def bring_back(tx: Tx, device: UUID) -> bool:
    """It is in use after all; False if it was."""
    return bool(
        await tx.execute(
            """UPDATE till_device SET put_away_at = NULL, put_away_by = NULL, reason = ''
               WHERE id = $1 AND put_away_at IS NOT NULL""",
            device,
        )
    )


async def rename(tx: Tx, device: UUID, name: str) -> bool:
    """What staff call a till; False if it is called so, or is a kiosk, which has a name of its own."""
    return bool(
        await tx.execute(
            "UPDATE till_device SET name = $2 WHERE id = $1 AND name <> $2 AND NOT is_kiosk", device, name
        )
    )
