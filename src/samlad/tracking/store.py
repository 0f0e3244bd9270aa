"""SQL of the tables ``tracking_source`` and ``tracking_key``."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from samlad.kernel.database import Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.listing import Filter, Listing, Sort, texts, uuids
from samlad.tracking.model import Source, SourceInput, SourceKind, SourceRow, WriteKey

_SOURCE = """id, channel, name, kind, device_class, is_on, per_second, needs, without_consent, blocks, version, created_at,
             updated_at"""
_KEY = "id, source, key, hint, created_at, ends_at"

LISTING = Listing(
    row=SourceRow,
    select="""s.id, s.channel, s.name, s.kind, s.device_class, s.is_on, coalesce(v.accepted, 0) AS accepted,
              coalesce(v.duplicates, 0) AS duplicates, coalesce(v.parked, 0) AS parked,
              coalesce(v.violating, 0) AS violating, v.last_minute, s.created_at""",
    source="""tracking_source s LEFT JOIN LATERAL (
                  SELECT sum(accepted)::int AS accepted, sum(duplicates)::int AS duplicates,
                         sum(parked)::int AS parked, sum(violating)::int AS violating, max(minute) AS last_minute
                  FROM tracking_volume WHERE minute >= now() - interval '24 hours' AND source = s.id) v ON true WHERE true""",
    key="s.id",
    sorts={
        "created_at": Sort("s.created_at", "timestamptz"),
        "name": Sort("lower(s.name)"),
        "accepted": Sort("coalesce(v.accepted, 0)", "int"),
    },
    default_sort="name",
    filters={
        "q": Filter("strpos(lower(s.name), lower({})) > 0"),
        "channel": Filter("s.channel = ANY({}::uuid[])", uuids),
        "kind": Filter("s.kind = ANY({}::text[])", texts),
        "state": Filter("CASE WHEN s.is_on THEN 'on' ELSE 'off' END = ANY({}::text[])", texts),
    },
)
"""All sources with what they brought in a day; ``state`` is on or off."""


async def insert(tx: Tx, data: SourceInput) -> Source | None:
    """Add a source; None if the channel has one of ours for this class of device already."""
    return await tx.one(
        Source,
        f"""INSERT INTO tracking_source (id, channel, name, kind, device_class, per_second, needs, without_consent, blocks)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING RETURNING {_SOURCE}""",
        new_id(),
        data.channel,
        data.name,
        data.kind,
        data.device_class,
        data.per_second,
        sorted(set(data.needs)),
        data.without_consent,
        sorted(set(data.blocks)),
    )


async def get(reader: Reader, source: UUID) -> Source | None:
    """One source, or None."""
    return await reader.one(Source, f"SELECT {_SOURCE} FROM tracking_source WHERE id = $1", source)


async def lock(tx: Tx, source: UUID) -> Source | None:
    """One source, held against changes until the transaction ends, or None."""
    return await tx.one(Source, f"SELECT {_SOURCE} FROM tracking_source WHERE id = $1 FOR UPDATE", source)


async def ours(reader: Reader, channel: UUID, device_class: str) -> Source | None:
    """The source by which this program itself reports what happens in a channel, or None."""
    return await reader.one(
        Source,
        f"SELECT {_SOURCE} FROM tracking_source WHERE channel = $1 AND device_class = $2 AND kind = $3",
        channel,
        device_class,
        SourceKind.OURS,
    )


async def update(tx: Tx, source: UUID, changes: dict[str, Any]) -> Source:
    """Set the named fields and count the version up."""
    names = sorted(changes)
    assignments = ", ".join(f"{name} = ${number}" for number, name in enumerate(names, 2))
    changed = await tx.one(
        Source,
        f"""UPDATE tracking_source SET {assignments}, version = version + 1, updated_at = now()
            WHERE id = $1 RETURNING {_SOURCE}""",
        source,
        *(changes[name] for name in names),
    )
    assert changed is not None
    return changed


# -- keys --------------------------------------------------------------------------------------------------------------


async def keys_of(reader: Reader, source: UUID) -> list[WriteKey]:
    """The keys of a source, the latest first; those that ended too."""
    return await reader.all(
        WriteKey,
        f"SELECT {_KEY} FROM tracking_key WHERE source = $1 ORDER BY created_at DESC, id DESC",
        source,
    )


async def insert_key(tx: Tx, source: UUID, *, key_hash: bytes, key: str | None, hint: str) -> WriteKey:
    """Add a key."""
    made = await tx.one(
        WriteKey,
        f"""INSERT INTO tracking_key (id, source, key_hash, key, hint) VALUES ($1, $2, $3, $4, $5)
            RETURNING {_KEY}""",
        new_id(),
        source,
        key_hash,
        key,
        hint,
    )
    assert made is not None
    return made


async def end_others(tx: Tx, source: UUID, kept: UUID, at: datetime) -> int:
    """Let the other keys of a source end at some time, if they do not end before; how many."""
    return await tx.execute(
        "UPDATE tracking_key SET ends_at = $3 WHERE source = $1 AND id <> $2 AND (ends_at IS NULL OR ends_at > $3)",
        source,
        kept,
        at,
    )


async def end_key(tx: Tx, source: UUID, key: UUID) -> WriteKey | None:
    """Let a key end now; None if it is none of this source, or has ended."""
    return await tx.one(
        WriteKey,
        f"""UPDATE tracking_key SET ends_at = now()
            WHERE id = $1 AND source = $2 AND (ends_at IS NULL OR ends_at > now()) RETURNING {_KEY}""",
        key,
        source,
    )


# -- what every process knows ----------------------------------------------------------------------------------------------


class KnownKey(msgspec.Struct, frozen=True):
    """A key that is valid, by its hash."""

    key_hash: bytes
    source: UUID
    ends_at: datetime | None


async def valid_keys(reader: Reader) -> list[KnownKey]:
    """The keys that have not ended, of sources that are on."""
    return await reader.all(
        KnownKey,
        """SELECT k.key_hash, k.source, k.ends_at FROM tracking_key k JOIN tracking_source s ON s.id = k.source
           WHERE s.is_on AND (k.ends_at IS NULL OR k.ends_at > now())""",
    )


async def all_sources(reader: Reader) -> list[Source]:
    """Every source."""
    return await reader.all(Source, f"SELECT {_SOURCE} FROM tracking_source ORDER BY lower(name), id")


async def fingerprint(reader: Reader) -> str:
    """A text that is different after any change of sources, keys or plan."""
    return str(
        await reader.value(
            """
            SELECT concat_ws(' ',
                (SELECT concat_ws(',', count(*), sum(version), sum(per_second)) FROM tracking_source),
                (SELECT concat_ws(',', count(*), count(ends_at), sum(extract(epoch FROM ends_at))) FROM tracking_key),
                (SELECT concat_ws(',', count(*), sum(version), max(id::text)) FROM tracking_schema))
            """
        )
    )
