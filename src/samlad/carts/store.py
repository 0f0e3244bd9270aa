"""SQL of the tables ``cart`` and ``cart_line``."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from asyncpg import Record

from samlad.carts.model import Cart, CartLine
from samlad.channels import Resource
from samlad.kernel.database import Reader, Tx
from samlad.kernel.rows import into
from samlad.stock.reach import belongs

COLUMNS = """c.id, c.pool, c.channel, c.customer, c.customer_group, c.currency, c.status, c.email, c.name, c.phone, c.address,
              c.delivery, c.location, c.checkout_until, c.order_id, c.version, c.created_at, c.updated_at, c.delivery_method,
              c.agreed, c.kind, c.label, c.is_current, c.gift_note, c.merged_into, c.held_until, c.quoted_until,
              c.vat_number, c.discounts, c.lots, c.note, c.promise, c.pays_deposit"""
_LINE = (
    "id, variant, quantity, unit_price, version, added_by, changed_by, gift_note, price_until, problem, plan"
)
PARTS = (
    "(SELECT jsonb_object_agg(b.component, b.quantity) FROM bundle_component b WHERE b.bundle = l.variant)"
)
_LINES = ", ".join(f"l.{name.strip()}" for name in _LINE.split(",")) + f", {PARTS} AS parts"


class Access(msgspec.Struct, frozen=True):
    """What lets somebody at a cart: they may open any, or hold its token, or it is theirs."""

    any: bool = False
    token_hash: bytes | None = None
    customer: UUID | None = None


def allowed(may_any: str, token_hash: str, customer: str) -> str:
    """SQL: whether somebody with this access may open the cart ``c``."""
    return f"""({may_any} OR c.token_hash = {token_hash} OR c.customer = ANY (customer_members(ARRAY[{customer}]))
                OR EXISTS (SELECT FROM cart_token t WHERE t.hash = {token_hash} AND t.cart = c.id))"""


_ALLOWED = allowed("$2::bool", "$3::bytea", "$4::uuid")


_WRITTEN = {
    "id": "uuid", "pool": "uuid", "channel": "uuid", "customer": "uuid", "customer_group": "text", "currency": "text",
    "email": "text", "name": "text", "phone": "text", "address": "jsonb", "delivery": "text", "delivery_method": "uuid",
    "location": "uuid", "kind": "text", "label": "text", "is_current": "bool", "quoted_until": "timestamptz",
    "gift_note": "text", "note": "text", "vat_number": "text", "agreed": "jsonb", "pays_deposit": "bool",
}  # fmt: skip
"""What a new cart has, and of which type that is: order matters."""
_INSERT = f"""
    INSERT INTO cart (token_hash, {", ".join(_WRITTEN)})
    SELECT * FROM unnest($1::bytea[], {", ".join(f"${n}::{kind}[]" for n, kind in enumerate(_WRITTEN.values(), 2))})
"""


async def insert(tx: Tx, cart: Cart, token_hash: bytes | None) -> None:
    """Add an empty cart, with what is known of who buys."""
    await tx.execute(_INSERT, *_columns_of_new(cart, token_hash))


def insert_later(tx: Tx, cart: Cart, *, token_hash: bytes | None) -> None:
    """Add a cart with the last statement of the transaction: nothing but `add_lines` follows."""
    tx.rows_later(_INSERT, *_columns_of_new(cart, token_hash))


def _columns_of_new(cart: Cart, token_hash: bytes | None) -> list[list[Any]]:
    return [[token_hash], *([getattr(cart, name)] for name in _WRITTEN)]


async def read(reader: Reader, cart: UUID, access: Access) -> Cart | None:
    """A cart with its lines, or None if there is none or it is somebody else's. One statement."""
    return await reader.one(
        Cart,
        f"""
        SELECT {COLUMNS}, coalesce((
                   SELECT jsonb_agg(to_jsonb(l) - 'cart' || jsonb_build_object('parts', {PARTS}) ORDER BY l.id)
                   FROM cart_line l WHERE l.cart = c.id), '[]') AS lines
        FROM cart c WHERE c.id = $1 AND {_ALLOWED}
        """,
        cart,
        access.any,
        access.token_hash,
        access.customer,
    )


class SeenLine(CartLine, frozen=True):
    """A line, and whether of what it wants nothing at all seems to be left (where its cart holds nothing yet)."""

    is_gone: bool = False


def seen_lines(gone: str) -> str:
    """SQL: the lines of the cart ``c`` as `SeenLine`."""
    return f"""coalesce((
        SELECT jsonb_agg(to_jsonb(l) - 'cart' || jsonb_build_object('parts', {PARTS}, 'is_gone', {gone}) ORDER BY l.id)
        FROM cart_line l WHERE l.cart = c.id), '[]')"""


GONE = """c.checkout_until IS NULL AND c.held_until IS NULL AND stock_is_gone(
               l.variant, (SELECT pool FROM channel_pool WHERE channel = c.channel AND resource = 'stock'),
               CASE WHEN c.delivery IN ('pickup', 'carry_out') THEN c.location END)"""


async def lock(tx: Tx, cart: UUID, access: Access, *, looks: bool = False) -> Cart | None:
    """A cart with its lines, held against changes until the transaction ends, its version counted up.

    ``looks``: the lines with a look at stock.
    """
    row = await tx.row(
        f"""WITH seen AS MATERIALIZED (
                SELECT c.version, {seen_lines(GONE if looks else "false")} AS lines FROM cart c WHERE c.id = $1)
            UPDATE cart c SET version = c.version + 1, updated_at = now() FROM seen
            WHERE c.id = $1 AND {_ALLOWED} RETURNING {COLUMNS}, seen.version + 1 AS seen, seen.lines""",
        cart,
        access.any,
        access.token_hash,
        access.customer,
    )
    return None if row is None else await as_seen(tx, row)


async def as_seen(tx: Tx, row: Record) -> Cart:
    """The cart of a row with its lines as they were ``seen`` at a version. What has waited for the lock has seen lines of
    before: then they are read once more."""
    values = dict(row)
    is_stale = values.pop("seen") != values["version"]
    lines = values.pop("lines")
    [cart] = into(Cart, [values])
    fresh = await lines_of(tx, cart.id) if is_stale else msgspec.convert(lines, list[SeenLine], strict=False)
    return msgspec.structs.replace(cart, lines=fresh)


async def hold(tx: Tx, cart: UUID, access: Access) -> Cart | None:
    """A cart without its lines, held against changes until the transaction ends; nothing of it changes."""
    return await tx.one(
        Cart,
        f"SELECT {COLUMNS} FROM cart c WHERE c.id = $1 AND {_ALLOWED} FOR NO KEY UPDATE",
        cart,
        access.any,
        access.token_hash,
        access.customer,
    )


async def lines_of(reader: Reader, cart: UUID) -> list[CartLine]:
    """The lines of a cart in the order they were added."""
    return await reader.all(
        CartLine, f"SELECT {_LINES} FROM cart_line l WHERE l.cart = $1 ORDER BY l.id", cart
    )


_LINE_WRITTEN = {
    "id": "uuid", "variant": "uuid", "quantity": "int", "unit_price": "bigint", "added_by": "text", "changed_by": "text",
    "gift_note": "text", "price_until": "timestamptz", "problem": "text", "plan": "uuid",
}  # fmt: skip
_ADD = f"""
    INSERT INTO cart_line AS l (cart, {", ".join(_LINE_WRITTEN)})
    SELECT * FROM unnest($1::uuid[], {", ".join(f"${n}::{kind}[]" for n, kind in enumerate(_LINE_WRITTEN.values(), 2))})
"""


def _columns_of(cart: UUID, lines: Sequence[CartLine]) -> list[list[Any]]:
    return [[cart] * len(lines), *([getattr(line, name) for line in lines] for name in _LINE_WRITTEN)]


def add_lines(tx: Tx, cart: UUID, lines: Sequence[CartLine]) -> None:
    """Write the first lines of a cart that this transaction makes, with its last statement."""
    tx.rows_later(_ADD, *_columns_of(cart, lines))


async def put_lines(tx: Tx, cart: UUID, lines: Sequence[CartLine]) -> list[CartLine]:
    """Write lines, each in place of what there is of its variant, and as they are now; one statement.

    Versions are counted here.
    """
    return await tx.all(
        CartLine,
        f"""{_ADD}
        ON CONFLICT (cart, variant) DO UPDATE
        SET quantity = excluded.quantity, unit_price = excluded.unit_price, changed_by = excluded.changed_by,
            gift_note = excluded.gift_note, price_until = excluded.price_until, problem = excluded.problem,
            plan = excluded.plan, version = l.version + 1
        RETURNING {_LINES}
        """,
        *_columns_of(cart, lines),
    )


async def delete_lines(tx: Tx, lines: Sequence[UUID]) -> None:
    """Take lines out."""
    await tx.execute("DELETE FROM cart_line WHERE id = ANY($1::uuid[])", list(lines))


async def set_fields(tx: Tx, cart: UUID, values: dict[str, Any]) -> None:
    """Set columns of a cart that the caller has locked or makes; names are ours, never the caller's input."""
    await tx.settle()
    assignments = ", ".join(f"{name} = ${number}" for number, name in enumerate(values, 2))
    await tx.execute(f"UPDATE cart SET {assignments} WHERE id = $1", cart, *values.values())


async def expired_checkouts(tx: Tx, limit: int) -> list[tuple[UUID, UUID]]:
    """Put carts back whose checkout ran out; (id, channel) of each. Carts that somebody works on are left."""
    rows = await tx.rows(
        """
        UPDATE cart SET status = 'open', checkout_until = NULL, version = version + 1
        WHERE id IN (SELECT id FROM cart WHERE status = 'checkout' AND checkout_until < now()
                     ORDER BY checkout_until LIMIT $1 FOR UPDATE SKIP LOCKED)
        RETURNING id, channel
        """,
        limit,
    )
    return [(row["id"], row["channel"]) for row in rows]


async def abandon(tx: Tx, untouched_since: datetime, limit: int) -> list[tuple[UUID, UUID, UUID | None, int]]:
    """Close open carts that nobody touched since; (id, channel, customer, number of lines) of each."""
    rows = await tx.rows(
        """
        UPDATE cart SET status = 'abandoned', version = version + 1
        WHERE id IN (SELECT id FROM cart WHERE status IN ('open', 'parked') AND kind = 'cart' AND updated_at < $1
                     ORDER BY updated_at LIMIT $2 FOR UPDATE SKIP LOCKED)
        RETURNING id, channel, customer, (SELECT count(*)::int FROM cart_line l WHERE l.cart = cart.id) AS lines
        """,
        untouched_since,
        limit,
    )
    return [(row["id"], row["channel"], row["customer"], row["lines"]) for row in rows]


async def heard(reader: Reader, cart: UUID, key: str) -> UUID | None:
    """The cart that a listening key of one of its tokens is for, or the one that it went into; None if it is not."""
    found: UUID | None = await reader.value(
        """
        SELECT coalesce(c.merged_into, c.id) FROM cart c
        WHERE c.id = $1 AND EXISTS (
            SELECT FROM (SELECT c.token_hash AS hash UNION ALL SELECT t.hash FROM cart_token t WHERE t.cart = c.id) AS own
            WHERE encode(sha256('live'::bytea || own.hash), 'hex') = $2)
        """,
        cart,
        key,
    )
    return found


belongs(("cart_id", "cart", "list_id"), Resource.CARTS, "SELECT pool FROM cart WHERE id = $1")
