"""What a package says of its rows in pools: how they go along when a channel joins or leaves.

Each package with tables in pools declares in its ``pooling.py`` every one of them, what is to be known before a channel
moves, and the steps that move the rows. `samlad.pools` puts them together; it knows none of the tables.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from samlad.channels.model import Resource
from samlad.kernel.database import Reader, Tx


class MoveKind(StrEnum):
    """``join``: from the channel's own pool into that of others. ``leave``: back into its own."""

    JOIN = "join"
    LEAVE = "leave"


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """A channel on its way between two pools of a resource.

    Attributes:
        id: None in a plan.
        home: the channel's own pool; of a leave that has none yet, None.
        shared: the pool of the others.
        joined: of a leave, the join whose journal it takes back; None if the channel never had its own.
        keeps_own: where both have a price or a text for the same goods, the channel keeps its own; of a leave, it keeps the
            prices, or the collections, that its shoppers see.
        goods: of a plan, the channel's catalogue and that of the others, while those are to be shared first: what would
            be the same goods is said by `catalogue_pairs` of both. None: what is the same has one id already.
        people: likewise their pools of customers.
    """

    id: UUID | None
    channel: UUID
    resource: Resource
    kind: MoveKind
    home: UUID | None
    shared: UUID
    joined: UUID | None = None
    keeps_own: bool = False
    goods: tuple[UUID, UUID] | None = None
    people: tuple[UUID, UUID] | None = None

    @property
    def old(self) -> UUID | None:
        """Where the channel comes from."""
        return self.home if self.kind is MoveKind.JOIN else self.shared

    @property
    def new(self) -> UUID | None:
        """Where it goes."""
        return self.shared if self.kind is MoveKind.JOIN else self.home


class Level(StrEnum):
    """How much a finding matters. ``blocking``: the move does not begin before it is settled."""

    INFO = "info"
    WARNING = "warning"
    BLOCKING = "blocking"


class Example(msgspec.Struct, frozen=True):
    """One row that a finding is about: what it is, as it is in the channel's pool and in the others', and why.

    With a ``currency`` both are amounts in its minor units. ``units``: how many lie there, where the row is a place.
    """

    label: str
    here: str = ""
    there: str = ""
    why: str = ""
    currency: str = ""
    units: int | None = None


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a move would do, or that stands in its way.

    Attributes:
        code: its name for programs, ``customers-same``.
        text: what it says, and ``advice`` what would be right; both are in the catalogue of texts.
        count: how many it is about; ``examples`` are some of them.
        is_moved: ``count`` rows are carried over.
    """

    code: str
    level: Level
    text: str
    count: int
    advice: str = ""
    examples: list[Example] = []
    is_moved: bool = False


class Turn(msgspec.Struct, frozen=True):
    """What one transaction of a step did: rows moved, how far it came (None: the step is over)."""

    rows: int
    cursor: UUID | None = None


Run = Callable[[Tx, Move, UUID | None, int], Awaitable[Turn]]
"""``(tx, move, cursor, limit)``: at most about ``limit`` rows beyond the cursor, in the caller's transaction."""


class Step(msgspec.Struct, frozen=True):
    """A part of a move, done in turns. One ``with_switch`` is done whole in the transaction that switches the pools.

    ``is_first``: before all others of the switch, because it takes the locks that sellers take first. ``is_last``: after those
    of all packages.
    """

    name: str
    run: Run
    with_switch: bool = False
    is_first: bool = False
    is_last: bool = False


Look = Callable[[Reader, Move], Awaitable[list[Finding]]]


class Pooling(msgspec.Struct, frozen=True, kw_only=True):
    """What a package has in pools.

    Attributes:
        order: packages go in this order: what others refer to first.
        moves: tables whose rows go along, with their resource.
        stays: tables that do not, with the reason: the channel uses those of the pool that it is in.
        look: by resource, what is to be known before.
        steps: by resource, what moves the rows; each knows both ways.
    """

    order: int
    moves: Mapping[str, Resource] = {}
    stays: Mapping[str, str] = {}
    look: Mapping[Resource, Look] = {}
    steps: Mapping[Resource, Sequence[Step]] = {}


def relabel(
    table: str,
    *,
    key: str = "id",
    only: str = "true",
    since: str | None = None,
    with_switch: bool = False,
) -> Step:
    """The step of a table whose rows keep their ids and get the other pool.

    A leave takes back what the join brought, and with ``since`` (a condition on ``t`` with the channel as ``$3``) what
    has come since. ``only`` are the rows of this step. Names and conditions are the calling package's own.
    """
    came_since = f"{since} OR" if since else ""

    async def run(tx: Tx, move: Move, cursor: UUID | None, limit: int) -> Turn:
        whose = (
            "true"
            if move.kind is MoveKind.JOIN
            else f"""({came_since} EXISTS (SELECT FROM pool_move_row j
                      WHERE j.move = $6 AND j.subject = '{table}' AND j.row = t.{key}))"""
        )
        row = await tx.row(
            f"""
            WITH batch AS MATERIALIZED (
                SELECT t.{key} AS row FROM {table} t
                WHERE t.pool = $1 AND ($4::uuid IS NULL OR t.{key} > $4) AND $3::uuid IS NOT NULL
                  AND ($6::uuid IS NULL OR true) AND {only} AND {whose}
                ORDER BY t.{key} LIMIT $5 FOR NO KEY UPDATE
            ), moved AS (
                UPDATE {table} t SET pool = $2 FROM batch WHERE t.{key} = batch.row RETURNING t.{key} AS row
            ), kept AS (
                INSERT INTO pool_move_row (move, subject, row) SELECT $7, '{table}', row FROM moved
            )
            SELECT count(*) AS rows, (array_agg(row ORDER BY row DESC))[1] AS last FROM batch
            """,
            move.old,
            move.new,
            move.channel,
            cursor,
            limit,
            move.joined,
            move.id,
        )
        assert row is not None
        return Turn(row["rows"], row["last"] if row["rows"] == limit else None)

    return Step(table, run, with_switch)


async def examples(reader: Reader, sql: str, *args: Any) -> tuple[int, list[Example]]:
    """How many a query finds and the first of them: its columns are those of `Example` and ``total``."""
    rows = await reader.rows(sql, *args)
    names = Example.__struct_fields__
    found = [
        Example(
            **{name: str(row[name]) for name in names if name != "units" and row.get(name) is not None},
            units=row.get("units"),
        )
        for row in rows
    ]
    return (rows[0]["total"] if rows else 0), found


SHOWN = 5
"""Examples of a finding."""
