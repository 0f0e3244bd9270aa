"""SQL of programmes, members, lots of points and what the book knows of orders."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from samlad.credit.model import BookedPoints, Member, Programme
from samlad.kernel.database import Reader, Tx

_PROGRAMME = """id, pool, name, is_active, is_automatic, rates, tiers, rewards, period_months, pending_days,
                expire_months, version"""


async def programme(reader: Reader, pool: UUID) -> Programme | None:
    """The programme of a pool of customers, or None."""
    return await reader.one(Programme, f"SELECT {_PROGRAMME} FROM loyalty_programme WHERE pool = $1", pool)


async def lock_programme(tx: Tx, pool: UUID) -> Programme | None:
    """The programme of a pool, held against changes, or None."""
    return await tx.one(
        Programme, f"SELECT {_PROGRAMME} FROM loyalty_programme WHERE pool = $1 FOR UPDATE", pool
    )


async def put_programme(tx: Tx, values: dict[str, Any]) -> Programme | None:
    """Make the programme of a pool, or change it (names are ours); the version counts up."""
    names = list(values)
    places = ", ".join(f"${number}" for number in range(1, len(names) + 1))
    sets = ", ".join(f"{name} = excluded.{name}" for name in names if name not in ("id", "pool"))
    return await tx.one(
        Programme,
        f"""INSERT INTO loyalty_programme AS p ({", ".join(names)}) VALUES ({places})
            ON CONFLICT (pool) DO UPDATE SET {sets}, version = p.version + 1, updated_at = now()
            RETURNING {_PROGRAMME}""",
        *values.values(),
    )


async def member(reader: Reader, customer: UUID) -> Member | None:
    """A member, or None."""
    return await reader.one(
        Member, "SELECT customer, pool, code, joined_at FROM loyalty_member WHERE customer = $1", customer
    )


async def member_of(reader: Reader, customer: UUID) -> Member | None:
    """The member that a person is: as this customer, else as the first of those that are the same person, or None."""
    return await reader.one(
        Member,
        """SELECT customer, pool, code, joined_at FROM loyalty_member
           WHERE customer = ANY (customer_members(ARRAY[$1::uuid]))
           ORDER BY customer = $1 DESC, joined_at, customer LIMIT 1""",
        customer,
    )


async def member_by_code(reader: Reader, code: str) -> Member | None:
    """The member with a code, or None."""
    return await reader.one(
        Member, "SELECT customer, pool, code, joined_at FROM loyalty_member WHERE code = $1", code
    )


async def add_member(tx: Tx, customer: UUID, pool: UUID, code: str) -> bool:
    """Enrol somebody; False if they are a member already."""
    return bool(
        await tx.execute(
            """INSERT INTO loyalty_member (customer, pool, code) VALUES ($1, $2, $3)
               ON CONFLICT (customer) DO NOTHING""",
            customer,
            pool,
            code,
        )
    )


class Lot(msgspec.Struct, frozen=True, kw_only=True):
    """Points of one earning; ``open`` are left of them. With ``release_at`` they are pending."""

    id: UUID
    customer: UUID
    order_id: UUID | None
    points: int
    open: int
    release_at: datetime | None
    earned_at: datetime
    expires_at: datetime | None


_LOT = "id, customer, order_id, points, open, release_at, earned_at, expires_at"


async def add_lot(tx: Tx, lot: Lot) -> None:
    """Keep a lot."""
    await tx.execute(
        f"INSERT INTO loyalty_lot ({_LOT}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        *(getattr(lot, name) for name in Lot.__struct_fields__),
    )


async def lock_lot(tx: Tx, lot: UUID) -> Lot | None:
    """A lot, held against changes. The caller has locked its account before."""
    return await tx.one(Lot, f"SELECT {_LOT} FROM loyalty_lot WHERE id = $1 FOR UPDATE", lot)


async def pending_lot_of(tx: Tx, order: UUID) -> Lot | None:
    """The pending lot of an order, if there is one."""
    return await tx.one(
        Lot,
        f"SELECT {_LOT} FROM loyalty_lot WHERE order_id = $1 AND release_at IS NOT NULL FOR UPDATE",
        order,
    )


async def add_to_lot(tx: Tx, lot: UUID, points: int) -> None:
    """More points come into a pending lot."""
    await tx.execute(
        "UPDATE loyalty_lot SET points = points + $2, open = open + $2 WHERE id = $1", lot, points
    )


async def set_lot(tx: Tx, lot: UUID, still_open: int, release_at: datetime | None) -> None:
    """What is left of a lot, and until when it is pending."""
    await tx.execute(
        "UPDATE loyalty_lot SET open = $2, release_at = $3 WHERE id = $1", lot, still_open, release_at
    )


async def use(tx: Tx, customer: UUID, points: int, order: UUID | None = None) -> None:
    """Use up lots, those of one order first, then the oldest. The caller has locked the account of points."""
    await tx.execute("SELECT loyalty_use($1, $2, $3)", customer, points, order)


async def booked_of(tx: Tx, order: UUID) -> BookedPoints:
    """What is in the book of the points of an order. The caller has locked its customer's account."""
    found = await tx.one(
        BookedPoints,
        """SELECT coalesce(-sum(e.amount) FILTER (WHERE t.kind = 'earn'), 0)::bigint AS earned,
                  coalesce(sum(e.amount) FILTER (WHERE t.kind = 'take_back'), 0)::bigint AS taken,
                  coalesce(sum(e.amount) FILTER (WHERE t.kind = 'expire'), 0)::bigint AS expired
           FROM credit_transaction t JOIN credit_entry e ON e.transaction = t.id JOIN credit_account a ON a.id = e.account
           WHERE t.reference = $1 AND t.kind IN ('earn', 'take_back', 'expire') AND a.holder IS NULL AND a.unit = 'points'""",
        order,
    )
    assert found is not None
    return found


class UsedPoints(msgspec.Struct, frozen=True):
    """Of whose points how many were used."""

    customer: UUID
    points: int


async def use_of_person(tx: Tx, customer: UUID, points: int) -> list[UsedPoints]:
    """Use up lots of all customers that are the same person, the oldest first; whose, and how many of each.

    The caller has locked their accounts of points, and there are so many. One statement.
    """
    return await tx.all(
        UsedPoints,
        """
        WITH ranked AS (
            SELECT id, open, sum(open) OVER (ORDER BY earned_at, id) AS upto FROM loyalty_lot
            WHERE customer = ANY (customer_members(ARRAY[$1::uuid])) AND release_at IS NULL AND open > 0
        ), taken AS (
            UPDATE loyalty_lot l SET open = l.open - least(l.open, $2 - (r.upto - r.open)) FROM ranked r
            WHERE l.id = r.id AND r.upto - r.open < $2
            RETURNING l.customer, least(r.open, $2 - (r.upto - r.open)) AS points
        )
        SELECT customer, sum(points)::bigint AS points FROM taken GROUP BY customer ORDER BY customer
        """,
        customer,
        points,
    )


async def due_lots(reader: Reader, column: str, moment: datetime, limit: int) -> list[Lot]:
    """Lots whose time has come: to be released (``release_at``) or to expire (``expires_at``)."""
    condition = {
        "release_at": "release_at <= $1",
        "expires_at": "expires_at <= $1 AND open > 0 AND release_at IS NULL",
    }[column]
    return await reader.all(
        Lot, f"SELECT {_LOT} FROM loyalty_lot WHERE {condition} ORDER BY {column}, id LIMIT $2", moment, limit
    )


async def qualifying(reader: Reader, customer: UUID, since: datetime) -> int:
    """Points that a person earned since a moment and still has, without multipliers: what counts for tiers."""
    found = await reader.value(
        """SELECT coalesce(sum(CASE WHEN points = 0 THEN 0 ELSE base * kept / points END), 0)::bigint
           FROM credit_order WHERE customer = ANY (customer_members(ARRAY[$1::uuid])) AND points IS NOT NULL
             AND earned_at > $2""",
        customer,
        since,
    )
    return int(found)


class Expiring(msgspec.Struct, frozen=True):
    """Points that expire next."""

    points: int
    at: datetime


async def expiring(reader: Reader, customer: UUID) -> Expiring | None:
    """What expires next, or None."""
    return await reader.one(
        Expiring,
        """SELECT sum(open)::bigint AS points, expires_at AS at FROM loyalty_lot
           WHERE customer = ANY (customer_members(ARRAY[$1::uuid])) AND open > 0 AND release_at IS NULL
             AND expires_at IS NOT NULL
           GROUP BY expires_at ORDER BY expires_at LIMIT 1""",
        customer,
    )


class KnownOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What the log has told of an order."""

    id: UUID
    customer: UUID | None
    currency: str | None
    goods: int | None
    is_paid: bool
    is_cancelled: bool
    base: int | None
    points: int | None
    kept: int
    earned_at: datetime | None
    returned: int
    unpaid: int
    """What was added to it and is not paid yet (minor units): not among ``goods``."""


async def lock_order(tx: Tx, order: UUID) -> KnownOrder | None:
    """What is known of an order, held against changes, or None."""
    return await tx.one(
        KnownOrder,
        """SELECT o.id, o.customer, o.currency, o.goods, o.is_paid, o.is_cancelled, o.base, o.points, o.kept,
                  o.earned_at, coalesce((SELECT sum(goods) FROM credit_order_return WHERE order_id = o.id), 0)::bigint
                      AS returned,
                  coalesce((SELECT sum(goods) FROM credit_order_more WHERE order_id = o.id AND NOT is_settled), 0)::bigint
                      AS unpaid
           FROM credit_order o WHERE o.id = $1 FOR UPDATE""",
        order,
    )


async def note_order(tx: Tx, order: UUID, values: dict[str, Any]) -> None:
    """Add what an event told; what is known already stays, and what was true once stays true. Names are ours."""
    names = list(values)
    places = ", ".join(f"${number}" for number in range(2, len(names) + 2))
    sets = ", ".join(
        f"{name} = o.{name} OR excluded.{name}"
        if name.startswith("is_")
        else f"{name} = coalesce(o.{name}, excluded.{name})"
        for name in names
    )
    await tx.execute(
        f"""INSERT INTO credit_order AS o (id, {", ".join(names)}) VALUES ($1, {places})
            ON CONFLICT (id) DO UPDATE SET {sets}""",
        order,
        *values.values(),
    )


async def note_return(tx: Tx, return_id: UUID, order: UUID, goods: int) -> None:
    """Goods of an order came back; noted once."""
    await tx.execute(
        "INSERT INTO credit_order_return (id, order_id, goods) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING",
        return_id,
        order,
        goods,
    )


async def note_more(
    tx: Tx, change: UUID, order: UUID, goods: int, told_at: datetime, *, is_paid: bool
) -> None:
    """Goods were added to an order; noted once."""
    await tx.execute(
        """INSERT INTO credit_order_more (id, order_id, goods, is_paid, told_at) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (id) DO NOTHING""",
        change,
        order,
        goods,
        is_paid,
        told_at,
    )


async def note_more_paid(tx: Tx, order: UUID, told_at: datetime) -> None:
    """An order was paid: so is what had been added to it until then."""
    await tx.execute(
        """UPDATE credit_order_more SET is_paid = true
           WHERE order_id = $1 AND NOT is_settled AND NOT is_paid AND told_at <= $2""",
        order,
        told_at,
    )


async def count_more(tx: Tx, order: UUID) -> int:
    """Count what was added and paid among the goods of an order, once; what it came to."""
    found = await tx.value(
        """WITH more AS (
               UPDATE credit_order_more SET is_settled = true WHERE order_id = $1 AND is_paid AND NOT is_settled
               RETURNING goods
           ), summed AS (SELECT coalesce(sum(goods), 0)::bigint AS goods FROM more)
           UPDATE credit_order o SET goods = o.goods + summed.goods FROM summed WHERE o.id = $1 RETURNING summed.goods""",
        order,
    )
    return int(found)


async def add_earned(tx: Tx, order: UUID, base: int, points: int) -> None:
    """It earns more than it did when it first earned."""
    await tx.execute(
        "UPDATE credit_order SET base = base + $2, points = points + $3 WHERE id = $1", order, base, points
    )


async def set_earned(tx: Tx, order: UUID, base: int, points: int, kept: int, moment: datetime) -> None:
    """What an order earns, fixed when it first does."""
    await tx.execute(
        "UPDATE credit_order SET base = $2, points = $3, kept = $4, earned_at = $5 WHERE id = $1",
        order,
        base,
        points,
        kept,
        moment,
    )


async def set_kept(tx: Tx, order: UUID, kept: int) -> None:
    """What remains of it."""
    await tx.execute("UPDATE credit_order SET kept = $2 WHERE id = $1", order, kept)
