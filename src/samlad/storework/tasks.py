"""What a phone takes along for the work of a place: what is counted, picked and received there. Nothing about customers."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from samlad import catalog, orders
from samlad.kernel.context import Actor
from samlad.kernel.database import Reader
from samlad.orders import fulfilment_store
from samlad.orders.fulfilment_model import Fulfilment, Method
from samlad.stock import Location
from samlad.stock.permissions import ADJUST

MOST_GOODS = 3_000
MOST = 100
"""Pieces of work of one kind."""


class Good(msgspec.Struct, frozen=True, array_like=True):
    """Goods of this place, and what they are scanned by."""

    variant: UUID
    sku: str
    gtin: str | None
    title: str


class OpenCount(msgspec.Struct, frozen=True):
    """A count that goes on here. What was found is told, never what the books say."""

    id: UUID
    note: str
    created_at: datetime
    lines: list[tuple[UUID, int]]


class PickLine(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be picked of a line."""

    position: int
    variant: UUID
    sku: str | None
    title: str
    options: str
    bin: str | None
    quantity: int
    picked: int
    packed: int
    is_by_lot: bool


class Pick(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of work: for which order, until when, who has it. Not for whom. ``since`` and ``until``: when it is to be with
    the customer, if it is brought in a slot."""

    id: UUID
    number: str
    method: Method
    is_sent: bool
    state: str
    due_at: datetime
    since: datetime | None = None
    until: datetime | None = None
    is_mine: bool
    taken_name: str | None
    lines: list[PickLine]


class Coming(msgspec.Struct, frozen=True, kw_only=True):
    """Goods under way to this place: a transfer or a purchase order, with what is still to come."""

    id: UUID
    kind: str
    name: str
    expected_on: str | None
    version: int
    lines: list[tuple[UUID, int, str | None]]
    """Variant, units, and of which lot where that is known."""


class Tasks(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a phone takes along. ``may_count``: counts can be begun and closed."""

    place: str
    may_count: bool = False
    counts: list[OpenCount] = []
    picks: list[Pick] = []
    coming: list[Coming] = []
    goods: list[Good] = []


async def tasks_of(reader: Reader, actor: Actor, place: Location) -> Tasks:
    """What somebody can do at a place. What they may not do there is left out."""
    counts: list[OpenCount] = []
    picks: list[Pick] = []
    coming: list[Coming] = []
    if actor.may(ADJUST, place.id):
        counts, coming = await _counts(reader, place.id), await _coming(reader, place.id)
    if actor.may(orders.CHANGE, place.id):
        picks = await _picks(reader, actor, place.id)
    needed = {line.variant for pick in picks for line in pick.lines}
    needed |= {line[0] for count in counts for line in count.lines}
    needed |= {line[0] for each in coming for line in each.lines}
    if actor.may(ADJUST, place.id):
        needed |= set(await _most_of(reader, place.id))
    return Tasks(
        place=place.code,
        may_count=actor.may(ADJUST, place.id),
        counts=counts,
        picks=picks,
        coming=coming,
        goods=await _goods(reader, needed),
    )


async def _counts(reader: Reader, place: UUID) -> list[OpenCount]:
    return await reader.all(
        OpenCount,
        """SELECT c.id, c.note, c.created_at, coalesce((SELECT jsonb_agg(jsonb_build_array(l.variant, l.counted))
                  FROM (SELECT variant, sum(counted)::int AS counted FROM stock_count_line WHERE count = c.id
                        GROUP BY variant) l), '[]') AS lines
           FROM stock_count c WHERE c.location = $1 AND c.status = 'open' ORDER BY c.created_at DESC, c.id LIMIT $2""",
        place,
        MOST,
    )


async def _coming(reader: Reader, place: UUID) -> list[Coming]:
    return await reader.all(
        Coming,
        """SELECT id, kind, name, expected_on::text, version, lines FROM (
               SELECT t.id, 'transfer' AS kind, o.name, t.expected_on, t.version, t.created_at,
                      (SELECT jsonb_agg(jsonb_build_array(l.variant, l.quantity - l.received - l.lost, c.code) ORDER BY l.variant, c.code)
                       FROM stock_transfer_line l LEFT JOIN lot c ON c.id = l.lot
                       WHERE l.transfer = t.id AND l.received + l.lost < l.quantity) AS lines
               FROM stock_transfer t JOIN location o ON o.id = t.origin
               WHERE t.destination = $1 AND t.status = 'in_transit'
               UNION ALL
               SELECT p.id, 'purchase', s.name || ' ' || p.number, (SELECT min(expected_on) FROM purchase_order_line
                      WHERE purchase = p.id AND received < quantity), p.version, p.created_at,
                      (SELECT jsonb_agg(jsonb_build_array(l.variant, l.quantity - l.received, NULL) ORDER BY l.variant)
                       FROM purchase_order_line l WHERE l.purchase = p.id AND l.received < l.quantity)
               FROM purchase_order p JOIN supplier s ON s.id = p.supplier
               WHERE p.location = $1 AND p.status IN ('ordered', 'partially_received')) AS coming
           WHERE lines IS NOT NULL ORDER BY expected_on NULLS LAST, created_at, id LIMIT $2""",
        place,
        MOST,
    )


async def _picks(reader: Reader, actor: Actor, place: UUID) -> list[Pick]:
    found = await fulfilment_store.to_pick(reader, place, MOST)
    same_day = [each.order_id for each in found if each.method is Method.SAME_DAY]
    slots = await fulfilment_store.brought(reader, same_day)
    return [
        _pick(each, actor, slots.get(each.order_id) if each.method is Method.SAME_DAY else None)
        for each in found
    ]


def _pick(work: Fulfilment, actor: Actor, slot: tuple[datetime, datetime] | None) -> Pick:
    since, until = slot or (None, None)
    return Pick(
        id=work.id,
        number=work.number,
        method=work.method,
        is_sent=work.method in (Method.SHIP, Method.SAME_DAY),
        state=work.state,
        due_at=work.due_at,
        since=since,
        until=until,
        is_mine=work.taken_by == actor.label,
        taken_name=work.taken_name,
        lines=[
            PickLine(
                position=line.position,
                variant=line.variant,
                sku=line.sku,
                title=line.title,
                options=line.options,
                bin=line.bin,
                quantity=line.quantity,
                picked=line.picked,
                packed=line.packed,
                is_by_lot=line.tracking != "none",
            )
            for line in work.lines
        ],
    )


async def _most_of(reader: Reader, place: UUID) -> list[UUID]:
    rows: list[Any] = await reader.rows(
        "SELECT variant FROM level WHERE location = $1 ORDER BY on_hand DESC, variant LIMIT $2",
        place,
        MOST_GOODS,
    )
    return [row["variant"] for row in rows]


async def _goods(reader: Reader, variants: set[UUID]) -> list[Good]:
    names = await catalog.by_ids(reader, sorted(variants))
    return [
        Good(each.id, each.sku, each.gtin, names[each.id].title)
        for each in await catalog.codes_of(reader, sorted(variants))
        if each.id in names
    ]
