"""SQL of the tables of identity: identifiers, sightings, and the projection."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from samlad.channels import Resource
from samlad.identity.evidence import Key, Pin, Seen
from samlad.identity.model import AuthLevel, DeviceClass, Kind, PinKind, Rules, Trust
from samlad.kernel.database import Reader, Tx
from samlad.stock.reach import belongs

_NODE = "id, kind, value, profile, state, fan_out, is_known"
_SEEN = (
    """s.id, s.auth, s.device_class, s.nodes, s.ceilings, s.device, s.session, s.ends_session, s.first_seen"""
)


class Node(msgspec.Struct, frozen=True):
    """An identifier as it is kept."""

    id: UUID
    kind: Kind
    value: str
    profile: UUID
    state: str
    fan_out: int | None
    is_known: bool

    @property
    def key(self) -> Key:
        """What it is."""
        return Key(self.kind, self.value)


class NewNode(msgspec.Struct, frozen=True):
    """An identifier that may be new. Whose it is and whether it is known is a guess until the projection has looked."""

    id: UUID
    pool: UUID
    key: Key
    alias: str | None
    profile: UUID
    is_known: bool


class StoredSighting(msgspec.Struct, frozen=True):
    """A sighting as the projection reads it."""

    id: UUID
    auth: AuthLevel
    device_class: DeviceClass
    nodes: list[UUID]
    ceilings: list[int]
    device: UUID | None
    session: str | None
    ends_session: bool
    first_seen: datetime

    def seen(self, keys: Mapping[UUID, Key]) -> Seen:
        """As the rules look at it."""
        return Seen(
            id=str(self.id),
            keys=tuple(keys[node] for node in self.nodes),
            ceilings=tuple(Trust(ceiling) for ceiling in self.ceilings),
            auth=self.auth,
            at=self.first_seen,
            device_class=self.device_class,
            device=None if self.device is None else keys.get(self.device),
            session=self.session,
            ends_session=self.ends_session,
        )


class StoredPin(msgspec.Struct, frozen=True):
    """A decision that holds."""

    id: UUID
    seq: int
    kind: PinKind
    left_nodes: list[UUID]
    right_nodes: list[UUID]

    def pin(self, keys: Mapping[UUID, Key]) -> Pin:
        """As the rules look at it, with the identifiers that are known here."""
        left = frozenset(keys[node] for node in self.left_nodes if node in keys)
        right = frozenset(keys[node] for node in self.right_nodes if node in keys)
        return Pin(self.seq, self.kind, left, right)


class Times(msgspec.Struct, frozen=True):
    """When a set of identifiers was seen."""

    id: UUID
    first_seen: datetime
    last_seen: datetime


class Standing(msgspec.Struct, frozen=True):
    """What decides under which identifier something is kept."""

    id: UUID
    value: str
    state: str


class KeptSighting(msgspec.Struct, frozen=True):
    """A sighting as it is recognised; ``nodes`` in the order of its keys."""

    id: UUID
    pool: UUID
    first_seen: datetime
    last_seen: datetime
    nodes: Any


class NewSighting(msgspec.Struct, frozen=True, kw_only=True):
    """A sighting to keep; ``nodes`` and ``device`` are ids."""

    id: UUID
    pool: UUID
    source: str
    event_id: str
    channel: UUID | None
    device_class: DeviceClass
    auth: AuthLevel
    nodes: list[UUID]
    ceilings: list[int]
    device: UUID | None
    session: str | None
    ends_session: bool
    first_seen: datetime
    last_seen: datetime
    received_at: datetime


async def nodes_of(reader: Reader, keys: Iterable[tuple[UUID, Key]]) -> dict[tuple[UUID, Key], Node]:
    """The identifiers of pools that are there."""
    wanted = list(keys)
    rows = await reader.rows(
        f"""SELECT n.pool, {", ".join(f"n.{name.strip()}" for name in _NODE.split(","))}
            FROM unnest($1::uuid[], $2::text[], $3::text[]) AS t (pool, kind, value)
                 JOIN identity_node n USING (pool, kind, value)""",
        [pool for pool, _ in wanted],
        [str(key.kind) for _, key in wanted],
        [key.value for _, key in wanted],
    )
    found = {}
    for pool, *values in rows:
        node = _node(values)
        found[pool, node.key] = node
    return found


_KINDS = {str(kind): kind for kind in Kind}
_AUTHS = {str(auth): auth for auth in AuthLevel}
_CLASSES = {str(each): each for each in DeviceClass}


def _node(values: Sequence[Any]) -> Node:
    """From the columns of `_NODE`; by hand, because there are many."""
    return Node(values[0], _KINDS[values[1]], *values[2:])


def _sightings(rows: Iterable[Any]) -> list[StoredSighting]:
    """From the columns of `_SEEN`; by hand, because there are many."""
    return [StoredSighting(row[0], _AUTHS[row[1]], _CLASSES[row[2]], *row[3:]) for row in map(tuple, rows)]


async def nodes_by_id(reader: Reader, nodes: Collection[UUID]) -> list[Node]:
    """These identifiers."""
    rows = await reader.rows(f"SELECT {_NODE} FROM identity_node WHERE id = ANY($1)", list(nodes))
    return [_node(tuple(row)) for row in rows]


async def kept_sightings(reader: Reader, sightings: Collection[UUID]) -> list[KeptSighting]:
    """These sightings, of those that are there."""
    return await reader.all(
        KeptSighting,
        "SELECT id, pool, first_seen, last_seen, nodes FROM identity_sighting WHERE id = ANY($1)",
        list(sightings),
    )


async def standing_of(reader: Reader, nodes: Collection[UUID]) -> dict[UUID, Standing]:
    """How these identifiers stand, by id."""
    rows = await reader.all(
        Standing, "SELECT id, value, state FROM identity_node WHERE id = ANY($1)", list(nodes)
    )
    return {row.id: row for row in rows}


async def add_nodes(tx: Tx, nodes: Sequence[NewNode]) -> set[UUID]:
    """Add identifiers, in key order; the ids of those that nobody else added first."""
    ordered = sorted(nodes, key=lambda node: (node.pool.bytes, node.key))
    rows = await tx.rows(
        """
        INSERT INTO identity_node (id, pool, kind, value, alias, profile, is_known)
        SELECT id, pool, kind, value, alias, profile, is_known
        FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::boolean[])
             WITH ORDINALITY AS t (id, pool, kind, value, alias, profile, is_known, place)
        ORDER BY place
        ON CONFLICT (pool, kind, value) DO NOTHING RETURNING id
        """,
        [node.id for node in ordered],
        [node.pool for node in ordered],
        [str(node.key.kind) for node in ordered],
        [node.key.value for node in ordered],
        [node.alias for node in ordered],
        [node.profile for node in ordered],
        [node.is_known for node in ordered],
    )
    return {row["id"] for row in rows}


async def add_sightings(tx: Tx, sightings: Sequence[NewSighting]) -> None:
    """Keep sightings, in key order; of one that is there already the times are widened."""
    ordered = sorted(sightings, key=lambda sighting: sighting.id.bytes)
    columns = [[getattr(each, name) for each in ordered] for name in NewSighting.__struct_fields__]
    places = {name: place for place, name in enumerate(NewSighting.__struct_fields__)}
    for name in ("nodes", "ceilings"):  # arrays of different lengths are no column: as text
        columns[places[name]] = ["{" + ",".join(map(str, values)) + "}" for values in columns[places[name]]]
    await tx.execute(
        """
        WITH given AS (
            SELECT id, pool, source, event_id, channel, device_class, auth, nodes::uuid[] AS nodes,
                   ceilings::smallint[] AS ceilings, device, session, ends_session, first_seen, last_seen, received_at
            FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::text[], $7::text[],
                        $8::text[], $9::text[], $10::uuid[], $11::text[], $12::boolean[], $13::timestamptz[],
                        $14::timestamptz[], $15::timestamptz[])
                 AS t (id, pool, source, event_id, channel, device_class, auth, nodes, ceilings, device, session,
                       ends_session, first_seen, last_seen, received_at)
        ), kept AS (
            INSERT INTO identity_sighting AS s SELECT * FROM given ORDER BY id
            ON CONFLICT (id) DO UPDATE SET first_seen = least(s.first_seen, excluded.first_seen),
                                           last_seen = greatest(s.last_seen, excluded.last_seen)
        )
        INSERT INTO identity_sighting_node (node, sighting)
        SELECT DISTINCT unnest(nodes), id FROM given ORDER BY 2, 1 ON CONFLICT DO NOTHING
        """,
        *columns,
    )


async def widen(tx: Tx, times: Sequence[Times]) -> None:
    """Set the first and last time of sightings further apart, in key order."""
    ordered = sorted(times, key=lambda each: each.id.bytes)
    await tx.execute(
        """
        WITH wanted AS (SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS t (id, first, last)),
             locked AS (SELECT s.id, first, last FROM identity_sighting s JOIN wanted w USING (id)
                        ORDER BY s.id FOR UPDATE OF s)
        UPDATE identity_sighting s SET first_seen = least(first_seen, first), last_seen = greatest(last_seen, last)
        FROM locked WHERE locked.id = s.id
        """,
        [each.id for each in ordered],
        [each.first_seen for each in ordered],
        [each.last_seen for each in ordered],
    )


async def share_pool(tx: Tx, pool: UUID) -> None:
    """Wait while other rules are put in force, and while the pool is closed: not before what we write, but now."""
    await tx.execute(
        """SELECT pg_advisory_xact_lock_shared(hashtextextended($1::uuid::text, 41))
           FROM (SELECT) AS always LEFT JOIN (SELECT id FROM pool WHERE id = $1 FOR KEY SHARE) AS held ON true""",
        pool,
    )


async def take_pool(tx: Tx, pool: UUID) -> None:
    """Nobody else changes profiles of this pool until the transaction ends."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 41))", str(pool))


async def lock_nodes(tx: Tx, nodes: Collection[UUID], reopened: Collection[UUID]) -> list[Node]:
    """Identifiers, those that can link held until the transaction ends (in key order)."""
    rows = await tx.rows(
        f"""SELECT {_NODE} FROM identity_node WHERE id = ANY($1) AND (state = 'live' OR id = ANY($2))
            ORDER BY id FOR UPDATE""",
        list(nodes),
        list(reopened),
    )
    held = [_node(tuple(row)) for row in rows]
    rest = set(nodes) - {node.id for node in held}
    if not rest:
        return held
    return held + await nodes_by_id(tx, rest)


async def sightings_at(reader: Reader, nodes: Collection[UUID]) -> list[StoredSighting]:
    """Everything in which one of these identifiers was seen."""
    return _sightings(
        await reader.rows(
            f"""SELECT {_SEEN} FROM identity_sighting s
            WHERE s.id IN (SELECT sighting FROM identity_sighting_node WHERE node = ANY($1))""",
            list(nodes),
        )
    )


async def runs_at(
    reader: Reader, times: Sequence[tuple[UUID, datetime, datetime]], idle: timedelta
) -> list[StoredSighting]:
    """What was seen at shared devices around these times, as far as nothing lies further apart than the idle time."""
    return _sightings(
        await reader.rows(
            f"""SELECT DISTINCT {_SEEN}
            FROM (SELECT device, identity_run_start(device, low, $4) AS low, identity_run_end(device, high, $4) AS high
                  FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS t (device, low, high)
                  OFFSET 0) AS run
                 JOIN identity_sighting s ON s.device = run.device AND s.first_seen BETWEEN run.low AND run.high""",
            [device for device, _, _ in times],
            [low for _, low, _ in times],
            [high for _, _, high in times],
            idle,
        )
    )


async def namesakes(reader: Reader, nodes: Collection[UUID]) -> set[UUID]:
    """Addresses that some policy may take for one mailbox with these."""
    rows = await reader.rows(
        """SELECT b.id FROM identity_node a JOIN identity_node b ON b.pool = a.pool AND b.alias = a.alias
           WHERE a.id = ANY($1) AND a.alias IS NOT NULL""",
        list(nodes),
    )
    return {row["id"] for row in rows}


async def pins_at(reader: Reader, nodes: Collection[UUID]) -> list[StoredPin]:
    """The decisions on these identifiers that hold."""
    return await reader.all(
        StoredPin,
        """SELECT id, seq, kind, left_nodes, right_nodes FROM identity_pin
           WHERE retracted_at IS NULL AND id IN (SELECT pin FROM identity_pin_node WHERE node = ANY($1))""",
        list(nodes),
    )


async def everything(reader: Reader, pool: UUID) -> tuple[list[Node], list[StoredSighting], list[StoredPin]]:
    """All identifiers, sightings and decisions of a pool."""
    rows = await reader.rows(f"SELECT {_NODE} FROM identity_node WHERE pool = $1", pool)
    nodes = [_node(tuple(row)) for row in rows]
    sightings = _sightings(
        await reader.rows(f"SELECT {_SEEN} FROM identity_sighting s WHERE s.pool = $1", pool)
    )
    pins = await reader.all(
        StoredPin,
        """SELECT id, seq, kind, left_nodes, right_nodes FROM identity_pin
           WHERE pool = $1 AND retracted_at IS NULL""",
        pool,
    )
    return nodes, sightings, pins


async def set_nodes(tx: Tx, nodes: Sequence[Node]) -> None:
    """Write the projection of identifiers that are held."""
    await tx.execute(
        """
        UPDATE identity_node n SET profile = t.profile, state = t.state, fan_out = t.fan_out, is_known = t.is_known,
               changed_at = CASE WHEN n.state = t.state THEN n.changed_at ELSE now() END
        FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::int[], $5::boolean[])
             AS t (id, profile, state, fan_out, is_known)
        WHERE n.id = t.id
        """,
        [node.id for node in nodes],
        [node.profile for node in nodes],
        [node.state for node in nodes],
        [node.fan_out for node in nodes],
        [node.is_known for node in nodes],
    )


async def attach(tx: Tx, whose: Mapping[UUID, UUID | None]) -> dict[UUID, list[UUID]]:
    """Note whose moments at shared devices are; by profile, those that were somebody else's or nobody's before."""
    rows = await tx.rows(
        """
        UPDATE identity_node n SET person = t.person FROM unnest($1::uuid[], $2::uuid[]) AS t (id, person)
        WHERE n.id = t.id AND n.person IS DISTINCT FROM t.person
        RETURNING n.id, (SELECT profile FROM identity_node p WHERE p.id = t.person) AS profile
        """,
        list(whose),
        list(whose.values()),
    )
    found: dict[UUID, list[UUID]] = {}
    for row in rows:
        if row["profile"] is not None:
            found.setdefault(row["profile"], []).append(row["id"])
    return found


async def persons_of(reader: Reader, moments: Collection[UUID]) -> dict[UUID, UUID]:
    """Whose moments at shared devices are, of those that are somebody's."""
    rows = await reader.rows(
        "SELECT id, person FROM identity_node WHERE id = ANY($1) AND person IS NOT NULL", list(moments)
    )
    return {row["id"]: row["person"] for row in rows}


_CURRENT = """SELECT n.id, coalesce(p.profile, n.profile) AS profile
              FROM identity_node n LEFT JOIN identity_node p ON p.id = n.person"""


async def current(reader: Reader, ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """The profile that each id (of an identifier, a profile that was, a customer) belongs to now, as far as known."""
    rows = await reader.rows(f"{_CURRENT} WHERE n.id = ANY($1)", list(ids))
    return {row["id"]: row["profile"] for row in rows}


async def are_one(reader: Reader, one: UUID, other: UUID) -> bool:
    """Whether two ids lead to one person now."""
    found = await current(reader, [one, other])
    return found.get(one, one) == found.get(other, other)


async def ids_of(reader: Reader, profile: UUID) -> list[UUID]:
    """Every id under which something of this person may have been kept."""
    rows = await reader.rows(
        f"""WITH people AS (SELECT id FROM identity_node
                            WHERE profile = (SELECT profile FROM ({_CURRENT} WHERE n.id = $1) AS one)
                              AND person IS NULL)
            SELECT id FROM people
            UNION ALL SELECT id FROM identity_node WHERE person IN (SELECT id FROM people) ORDER BY id""",
        profile,
    )
    return [row["id"] for row in rows]


async def everybodys_ids(reader: Reader, ids: Iterable[UUID]) -> list[tuple[UUID, UUID]]:
    """`ids_of` for many at once: each id with each under which something of that person may have been kept.

    An id that nothing was seen of yet is only its own.
    """
    rows = await reader.rows(
        f"""WITH asked AS MATERIALIZED (
                SELECT a.id, c.profile FROM unnest($1::uuid[]) AS a (id) LEFT JOIN ({_CURRENT}) AS c USING (id)),
            people AS (SELECT a.id AS asked, n.id FROM asked a
                       JOIN identity_node n ON n.profile = a.profile AND n.person IS NULL)
            SELECT asked, id FROM people
            UNION ALL SELECT p.asked, m.id FROM people p JOIN identity_node m ON m.person = p.id
            UNION ALL SELECT id, id FROM asked WHERE profile IS NULL""",
        list(ids),
    )
    return [(row["asked"], row["id"]) for row in rows]


async def identifiers(reader: Reader, nodes: Collection[UUID]) -> list[tuple[Kind, str, bool]]:
    """What these identifiers are, and whether somebody with authority has told them: others are only claims."""
    return [(node.kind, node.value, node.is_known) for node in await nodes_by_id(reader, nodes)]


async def rules_of(reader: Reader, pools: Collection[UUID]) -> dict[UUID, Rules]:
    """The rules that are in force, by pool."""
    rows = await reader.rows(
        "SELECT pool, document FROM identity_rules WHERE pool = ANY($1) AND status = 'active'", list(pools)
    )
    found = {row["pool"]: msgspec.convert(row["document"], Rules) for row in rows}
    return {pool: found.get(pool, _DEFAULT) for pool in pools}


_DEFAULT = Rules()

belongs(
    ("any_id",),
    Resource.CUSTOMERS,
    "SELECT pool FROM customer WHERE id = $1 UNION SELECT pool FROM identity_node WHERE id = $1",
)
