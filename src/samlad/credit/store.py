"""SQL of the tables of gift cards and of what is held for payments."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from samlad.channels import Resource
from samlad.credit.model import AccountKind, CardRow, GiftCard
from samlad.kernel.database import Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.listing import Filter, Listing, Sort, texts, uuids
from samlad.stock.reach import belongs

REVIVED_DAYS = 90
"""A card that has expired lives on for so long when money goes back to it."""
_EXPIRED = "(g.expires_at IS NOT NULL AND g.expires_at <= now())"
_CARD = f"""g.id, g.pool, g.account, g.last_four, g.currency, g.status, g.origin, g.channel, g.customer, g.replaces,
            g.expires_on, {_EXPIRED} AS is_expired, g.note, a.balance, a.held,
            CASE WHEN g.status = 'active' AND NOT {_EXPIRED} THEN a.balance - a.held ELSE 0 END AS available,
            g.version, g.created_at"""
_FROM = "gift_card g JOIN credit_account a ON a.id = g.account"

CARDS = Listing(
    row=CardRow,
    select=f"""g.id, g.last_four, g.status, g.origin, g.currency, a.balance, a.held, c.name AS channel, g.customer,
               g.expires_on, {_EXPIRED} AS is_expired, g.note, g.created_at""",
    source=f"{_FROM} JOIN channel c ON c.id = g.channel",
    key="g.id",
    sorts={
        "created_at": Sort("g.created_at", "timestamptz"),
        "balance": Sort("a.balance", "bigint"),
        "expires_on": Sort("coalesce(g.expires_on, 'infinity')", "date"),
    },
    default_sort="-created_at",
    filters={
        "status": Filter("g.status = ANY({}::text[])", texts),
        "currency": Filter("g.currency = ANY({}::text[])", texts),
        "pool": Filter("g.pool = ANY({}::uuid[])", uuids),
        "customer": Filter("g.customer = ANY(customer_members({}::uuid[]))", uuids),
        "last_four": Filter("g.last_four = upper({}::text)"),
    },
)
"""All gift cards, without their codes."""


async def card(reader: Reader, card_id: UUID) -> GiftCard | None:
    """A card, or None."""
    return await reader.one(GiftCard, f"SELECT {_CARD} FROM {_FROM} WHERE g.id = $1", card_id)


async def lock_card(tx: Tx, card_id: UUID) -> GiftCard | None:
    """A card with its account, held against changes until the transaction ends, or None."""
    return await tx.one(GiftCard, f"SELECT {_CARD} FROM {_FROM} WHERE g.id = $1 FOR UPDATE OF g, a", card_id)


async def card_by_hash(reader: Reader, code_hash: bytes) -> GiftCard | None:
    """The card with a code, or None."""
    return await reader.one(GiftCard, f"SELECT {_CARD} FROM {_FROM} WHERE g.code_hash = $1", code_hash)


async def insert_card(tx: Tx, values: dict[str, Any]) -> bool:
    """Add a card; False if there is one with this id. Names are ours."""
    names = list(values)
    places = ", ".join(f"${number}" for number in range(1, len(names) + 1))
    return bool(
        await tx.execute(
            f"INSERT INTO gift_card ({', '.join(names)}) VALUES ({places}) ON CONFLICT (id) DO NOTHING",
            *values.values(),
        )
    )


async def set_status(tx: Tx, card_id: UUID, status: str) -> None:
    """Another status of a card that the caller has locked."""
    await tx.execute("UPDATE gift_card SET status = $2, version = version + 1 WHERE id = $1", card_id, status)


async def set_holder(tx: Tx, card_id: UUID, customer: UUID) -> bool:
    """Note whose a card is; False if that is known already."""
    sql = "UPDATE gift_card SET customer = $2, version = version + 1 WHERE id = $1 AND customer IS NULL"
    return bool(await tx.execute(sql, card_id, customer))


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """Value that comes onto a card."""

    id: UUID
    card: UUID
    amount: int
    kind: str
    source: str
    order_id: UUID | None
    status: str


async def insert_charge(tx: Tx, charge: Charge) -> bool:
    """Add a charge; False if there is one with this id."""
    return bool(
        await tx.execute(
            """INSERT INTO gift_card_charge (id, card, amount, kind, source, order_id, status)
               VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING""",
            *(getattr(charge, name) for name in Charge.__struct_fields__),
        )
    )


async def charges_of(tx: Tx, order: UUID) -> list[Charge]:
    """What an order charges cards with, held against changes, in key order."""
    return await tx.all(
        Charge,
        """SELECT id, card, amount, kind, source, order_id, status FROM gift_card_charge
           WHERE order_id = $1 ORDER BY card, id FOR UPDATE""",
        order,
    )


async def sold_with(tx: Tx, order: UUID, but: UUID | None) -> int:
    """What an order has put, or will put, onto cards (minor units), one charge left out. The caller holds the order."""
    found: int = await tx.value(
        """SELECT coalesce(sum(amount), 0)::bigint FROM gift_card_charge
           WHERE order_id = $1 AND status <> 'cancelled' AND id IS DISTINCT FROM $2""",
        order,
        but,
    )
    return found


async def set_charge(tx: Tx, charge: UUID, status: str) -> bool:
    """A waiting or booked charge is booked or cancelled; whether that is a change."""
    return bool(
        await tx.execute(
            "UPDATE gift_card_charge SET status = $2 WHERE id = $1 AND status <> $2", charge, status
        )
    )


async def waits_for_order(tx: Tx, card_id: UUID) -> bool:
    """Whether an order that is not paid yet would put value onto it. Whoever asks holds the card."""
    return bool(
        await tx.value(
            "SELECT EXISTS (SELECT FROM gift_card_charge WHERE card = $1 AND status = 'waiting')", card_id
        )
    )


async def has_booked(tx: Tx, card_id: UUID) -> bool:
    """Whether anything was ever charged and not called off."""
    return bool(
        await tx.value(
            "SELECT EXISTS (SELECT FROM gift_card_charge WHERE card = $1 AND status = 'booked')", card_id
        )
    )


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What was just held for a payment."""

    account: UUID
    pool: UUID
    last_four: str | None = None
    card: UUID | None = None
    available: int = 0


async def hold_on_card(tx: Tx, payment: UUID, code_hash: bytes, amount: int, currency: str) -> Held | None:
    """Hold an amount of a card that can pay it; None if it cannot. One statement, conditional."""
    return await tx.one(
        Held, _HOLD_ON_CARD.format(which="g.code_hash = $4"), payment, amount, currency, code_hash
    )


async def hold_on_own_card(
    tx: Tx, payment: UUID, card: UUID, customer: UUID, amount: int, currency: str
) -> Held | None:
    """The same of a card of this person by its id."""
    which = "g.id = $4 AND g.customer = ANY (customer_members(ARRAY[$5::uuid]))"
    return await tx.one(Held, _HOLD_ON_CARD.format(which=which), payment, amount, currency, card, customer)


_HOLD_ON_CARD = f"""
    WITH found AS (
        SELECT g.id AS card, g.account, g.pool, g.last_four, a.balance - a.held AS available
        FROM {_FROM}
        WHERE {{which}} AND g.status = 'active' AND NOT {_EXPIRED} AND g.currency = $3
          AND a.balance - a.held >= $2
        FOR UPDATE OF g, a
    ), held AS (
        INSERT INTO credit_hold (payment, account, amount) SELECT $1, account, $2 FROM found RETURNING 1
    )
    SELECT account, pool, last_four, card, available - $2 AS available FROM found, held
"""


async def hold_on_credit(
    tx: Tx,
    payment: UUID,
    customer: UUID,
    amount: int,
    unit: str,
    kind: AccountKind = AccountKind.STORE_CREDIT,
) -> Held | None:
    """Hold an amount of a person's store credit or points; None if there is less. One statement, accounts in key order.

    A part is held of each account of the customers that are the same person, until it is enough.
    """
    return await tx.one(
        Held,
        "SELECT account, pool, available FROM credit_hold_credit($1, $2, $3, $4, $5)",
        payment,
        customer,
        amount,
        unit,
        kind,
    )


async def release(tx: Tx, payment: UUID) -> bool:
    """Set free what is held for a payment; False if nothing is (any more)."""
    return bool(
        await tx.value(
            "SELECT credit_release($1, $2, $3, $4)", new_id(), payment, tx.actor.label, REVIVED_DAYS
        )
    )


async def hold_status(tx: Tx, payment: UUID) -> str | None:
    """How a hold stands, held against changes; None if there is none. Taken if any part of it is."""
    status: str | None = await tx.value(
        "SELECT status FROM credit_hold WHERE payment = $1 ORDER BY status, account FOR UPDATE", payment
    )
    return status


async def expired_cards(tx: Tx, moment: datetime, limit: int) -> list[UUID]:
    """Cards whose time is over and that hold something, locked; those that others have are left out."""
    rows = await tx.rows(
        """SELECT g.id FROM gift_card g JOIN credit_account a ON a.id = g.account
           WHERE g.expires_at <= $1 AND a.balance > a.held AND g.status IN ('active', 'blocked')
           ORDER BY g.id LIMIT $2 FOR UPDATE OF g, a SKIP LOCKED""",
        moment,
        limit,
    )
    return [row["id"] for row in rows]


async def note_order(tx: Tx, order: UUID) -> tuple[bool, bool]:
    """Whether an order is paid, and whether it is cancelled, as far as the log has told; its row is locked."""
    row = await tx.row(
        """INSERT INTO credit_order (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET id = excluded.id
           RETURNING is_paid, is_cancelled""",
        order,
    )
    assert row is not None
    return row["is_paid"], row["is_cancelled"]


async def cards_of(reader: Reader, cards: Sequence[UUID]) -> list[GiftCard]:
    """Some cards."""
    return await reader.all(
        GiftCard, f"SELECT {_CARD} FROM {_FROM} WHERE g.id = ANY ($1::uuid[]) ORDER BY g.id", list(cards)
    )


belongs(("card_id",), Resource.CUSTOMERS, "SELECT pool FROM gift_card WHERE id = $1")
