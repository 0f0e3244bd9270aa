"""Channels and pools in the database."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from samlad.channels.model import Channel, PoolUse, Resource
from samlad.kernel.database import Reader, Tx, asked_once
from samlad.kernel.ids import new_id
from samlad.kernel.listing import Filter, Listing, Sort, texts
from samlad.kernel.problems import NotFound

_SELECT = """
c.id, c.code, c.name, c.kind, c.parent, c.status, e.country, e.locale, e.currency, e.time_zone, e.opening_hours,
e.settings, jsonb_build_object('country', c.country, 'locale', c.locale, 'currency', c.currency,
    'time_zone', c.time_zone, 'opening_hours', c.opening_hours, 'settings', c.settings) AS own,
(SELECT jsonb_object_agg(p.resource, p.pool) FROM channel_pool p WHERE p.channel = c.id) AS pools,
c.version, c.created_at, c.updated_at"""
_SOURCE = "channel c CROSS JOIN LATERAL effective_channel(c.id) e"

LIST: Listing[Channel] = Listing(
    row=Channel,
    select=_SELECT,
    source=_SOURCE,
    key="c.id",
    sorts={
        "code": Sort("c.code"),
        "name": Sort("c.name"),
        "created_at": Sort("c.created_at", "timestamptz"),
    },
    default_sort="code",
    filters={
        "code": Filter("c.code = ANY({}::text[])", texts),
        "kind": Filter("c.kind = ANY({}::text[])", texts),
        "status": Filter("c.status = ANY({}::text[])", texts),
        "parent": Filter("c.parent = (SELECT id FROM channel WHERE code = {}::text)"),
        "pool": Filter(
            "EXISTS (SELECT FROM channel_pool p WHERE p.channel = c.id AND p.pool = {}::uuid)", UUID
        ),
    },
)

POOLS: Listing[PoolUse] = Listing(
    row=PoolUse,
    select="""pool.id, pool.resource, pool.name, coalesce(used.channels, '{}') AS channels,
              coalesce(cardinality(used.channels), 0) > 1 AS is_joined""",
    source="""pool CROSS JOIN LATERAL (SELECT array_agg(c.code ORDER BY c.code) AS channels FROM channel_pool u
              JOIN channel c ON c.id = u.channel AND u.pool = pool.id) used""",
    key="pool.id",
    sorts={"name": Sort("pool.name"), "resource": Sort("pool.resource")},
    default_sort="resource",
    filters={
        "resource": Filter("pool.resource = ANY({}::text[])", texts),
        "channel": Filter("{}::text = ANY(used.channels)"),
    },
)


async def get(reader: Reader, channel_id: UUID) -> Channel:
    """A channel with what it inherits.

    Raises:
        NotFound: there is none with this id.
    """
    found = await reader.one(Channel, f"SELECT {_SELECT} FROM {_SOURCE} WHERE c.id = $1", channel_id)
    if found is None:
        raise NotFound(f"There is no channel {channel_id}.")
    return found


async def by_code(reader: Reader, code: str) -> Channel:
    """A channel with what it inherits.

    Raises:
        NotFound: there is none with this code.
    """
    found = await reader.one(Channel, f"SELECT {_SELECT} FROM {_SOURCE} WHERE c.code = $1", code)
    if found is None:
        raise NotFound(f"There is no channel “{code}”.")
    return found


async def all_channels(reader: Reader) -> list[Channel]:
    """Every channel by code, closed ones too."""
    return await reader.all(Channel, f"SELECT {_SELECT} FROM {_SOURCE} ORDER BY c.code")


@asked_once
async def fingerprint(reader: Reader) -> int:
    """A number that grows with every change of any channel or pool."""
    return int(await reader.value("SELECT count(*) + coalesce(sum(version), 0) FROM channel"))


async def lock_tree(tx: Tx) -> None:
    """Let nobody else change channels until the commit, so that two changes cannot make a cycle. Reading goes on."""
    await tx.execute("LOCK TABLE channel IN SHARE ROW EXCLUSIVE MODE")


async def ids_of(reader: Reader, codes: Sequence[str]) -> dict[str, UUID]:
    """Ids by code; unknown codes are missing."""
    rows = await reader.rows("SELECT code, id FROM channel WHERE code = ANY($1::text[])", list(codes))
    return {row["code"]: row["id"] for row in rows}


async def is_below(reader: Reader, channel_id: UUID, ancestor: UUID) -> bool:
    """Whether a channel is another one or inherits from it, directly or not."""
    return bool(
        await reader.value(
            """
            WITH RECURSIVE line AS (
                SELECT id, parent FROM channel WHERE id = $1
                UNION
                SELECT c.id, c.parent FROM line JOIN channel c ON c.id = line.parent
            )
            SELECT EXISTS (SELECT FROM line WHERE id = $2)
            """,
            channel_id,
            ancestor,
        )
    )


async def pools_of(reader: Reader, channel_id: UUID) -> dict[Resource, UUID]:
    """The pools that a channel uses now."""
    rows = await reader.rows("SELECT resource, pool FROM channel_pool WHERE channel = $1", channel_id)
    return {Resource(row["resource"]): row["pool"] for row in rows}


async def members(reader: Reader, pool: UUID) -> list[UUID]:
    """The channels that use a pool."""
    rows = await reader.rows("SELECT channel FROM channel_pool WHERE pool = $1 ORDER BY channel", pool)
    return [row["channel"] for row in rows]


async def new_pool(tx: Tx, resource: Resource, name: str) -> UUID:
    """A pool that nobody uses yet."""
    made = new_id()
    await tx.execute("INSERT INTO pool (id, resource, name) VALUES ($1, $2, $3)", made, str(resource), name)
    return made


async def switch(tx: Tx, channel_id: UUID, resource: Resource, old: UUID, new: UUID) -> bool:
    """Let a channel use another pool; False if it does not use the old one. A pool without channels takes nothing in.

    The caller holds `lock_tree`. Waits for those who are writing rows of this channel or of a pool that closes, and makes
    those that come later do their work again: when this has committed, nothing of this channel comes into the old pool.
    """
    is_last = await members(tx, old) == [channel_id]
    await tx.execute(
        """SELECT FROM pool WHERE (id = $1 AND $3) OR (id = $2 AND closed_at IS NOT NULL) ORDER BY id FOR UPDATE""",
        old,
        new,
        is_last,
    )
    used = await tx.value(
        "SELECT pool FROM channel_pool WHERE channel = $1 AND resource = $2 FOR UPDATE",
        channel_id,
        str(resource),
    )
    if used != old:
        return False
    await tx.execute("UPDATE pool SET closed_at = NULL WHERE id = $1 AND closed_at IS NOT NULL", new)
    await tx.execute(
        "UPDATE channel_pool SET pool = $3 WHERE channel = $1 AND resource = $2",
        channel_id,
        str(resource),
        new,
    )
    if is_last:
        await tx.execute("UPDATE pool SET closed_at = now() WHERE id = $1", old)
    await tx.execute("UPDATE channel SET version = version + 1, updated_at = now() WHERE id = $1", channel_id)
    return True


async def insert(tx: Tx, values: Mapping[str, Any]) -> bool:
    """Insert a channel; False when its code is taken."""
    names = list(values)
    places = ", ".join(f"${number}" for number in range(1, len(names) + 1))
    return bool(
        await tx.execute(
            f"INSERT INTO channel ({', '.join(names)}) VALUES ({places}) ON CONFLICT (code) DO NOTHING",
            *values.values(),
        )
    )


async def insert_pools(tx: Tx, channel_id: UUID, name: str, joined: Mapping[Resource, UUID]) -> None:
    """Give a new channel its pools: those of other channels (resource → that channel), else new ones."""
    own = [resource for resource in Resource if resource not in joined]
    ids = [new_id() for _ in own]
    await tx.execute(
        """
        WITH made AS (INSERT INTO pool (id, resource, name)
                      SELECT id, resource, $4::text FROM unnest($2::uuid[], $3::text[]) AS t (id, resource)
                      RETURNING id, resource)
        INSERT INTO channel_pool (channel, resource, pool)
        SELECT $1::uuid, resource, id FROM made
        UNION ALL
        SELECT $1::uuid, p.resource, p.pool FROM unnest($5::uuid[], $6::text[]) AS t (channel, resource)
        JOIN channel_pool p ON p.channel = t.channel AND p.resource = t.resource
        """,
        channel_id,
        ids,
        [str(resource) for resource in own],
        name,
        list(joined.values()),
        [str(resource) for resource in joined],
    )


async def update(tx: Tx, channel_id: UUID, version: int, values: Mapping[str, Any]) -> None:
    """Set columns of a channel and count its version up. The caller holds `lock_tree` and has checked the version."""
    sets = "".join(f"{name} = ${number}, " for number, name in enumerate(values, 3))
    await tx.execute(
        f"UPDATE channel SET {sets} version = version + 1, updated_at = now() WHERE id = $1 AND version = $2",
        channel_id,
        version,
        *values.values(),
    )


def as_document(value: Any) -> Any:
    """A struct as the builtins that ``jsonb`` takes."""
    return None if value is None else msgspec.to_builtins(value)
