"""SQL of what is beside a cart: other tokens, hand-overs, the journal of merges, and the carts of one person."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from samlad.carts.model import Cart, CartKind, CartLine, CartStatus
from samlad.kernel.database import Reader, Tx
from samlad.kernel.ids import new_id


class Device(msgspec.Struct, frozen=True):
    """A device that a cart was handed over to. ``how``: by ``link`` or ``code``, or with a cart that was merged."""

    id: UUID
    how: str
    created_at: datetime


class Was(msgspec.Struct, frozen=True, kw_only=True):
    """How a cart was before a merge: what undoing it restores."""

    customer: UUID | None
    customer_group: str | None
    is_current: bool
    gift_note: str | None
    note: str | None = None
    lines: list[CartLine]


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """Both carts before a merge, and the lists that came along."""

    cart: Was
    other: Was | None = None
    lists: list[UUID] = []


class Merge(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the journal. ``after`` is what the cart held right after the merge, quantity by variant."""

    id: UUID
    cart: UUID
    other: UUID | None
    how: str
    before: Before
    after: dict[str, int]
    undone_at: datetime | None


_MERGE = "id, cart, other, how, before, after, undone_at"


async def queue(tx: Tx, customer: UUID) -> None:
    """Let whoever changes which cart of a person is the live one wait for each other."""
    await tx.execute(
        """SELECT pg_advisory_xact_lock(hashtextextended(
               coalesce((SELECT survivor FROM customer WHERE id = $1), $1::uuid)::text, 41))""",
        customer,
    )


async def lock_rows(tx: Tx, carts: Sequence[UUID]) -> None:
    """Lock several carts, in key order like everybody."""
    await tx.execute("SELECT FROM cart WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE", list(carts))


async def live_of(reader: Reader, customer: UUID, pool: UUID) -> UUID | None:
    """A person's live cart in a pool: the current one, else the one touched last."""
    found: UUID | None = await reader.value(
        """
        SELECT id FROM cart
        WHERE customer = ANY (customer_members(ARRAY[$1::uuid])) AND pool = $2 AND kind = 'cart'
          AND status IN ('open', 'checkout')
        ORDER BY is_current DESC, updated_at DESC, id DESC LIMIT 1
        """,
        customer,
        pool,
    )
    return found


async def make_current(tx: Tx, cart: UUID, customer: UUID, pool: UUID) -> None:
    """Let this cart be the one that is meant; the others of its person and pool step back."""
    await tx.execute(
        """UPDATE cart SET is_current = false, version = version + 1
           WHERE customer = ANY (customer_members(ARRAY[$2::uuid])) AND pool = $3 AND id <> $1 AND is_current
             AND kind = 'cart'
             AND status IN ('open', 'checkout')""",
        cart,
        customer,
        pool,
    )
    await tx.execute("UPDATE cart SET is_current = true WHERE id = $1", cart)


async def wish_list_of(tx: Tx, customer: UUID, pool: UUID) -> UUID | None:
    """The wish list of a person that was touched last, or None."""
    found: UUID | None = await tx.value(
        """SELECT id FROM cart WHERE kind = 'wish' AND pool = $2 AND status = 'open'
           AND customer = ANY (customer_members(ARRAY[$1::uuid])) ORDER BY updated_at DESC, id LIMIT 1""",
        customer,
        pool,
    )
    return found


async def of_person(reader: Reader, cart: Cart, kinds: Sequence[CartKind], most: int) -> list[UUID]:
    """The open carts and lists of whoever a cart belongs to: its customer's, and those that its tokens open."""
    rows = await reader.rows(
        """
        WITH mine AS (
            SELECT token_hash AS hash FROM cart WHERE id = $1 AND token_hash IS NOT NULL
            UNION SELECT hash FROM cart_token WHERE cart = $1
        )
        SELECT c.id FROM cart c
        WHERE c.kind = ANY($4::text[]) AND c.pool = $3 AND c.status IN ('open', 'checkout', 'parked') AND c.id <> $1
          AND (c.customer = ANY (customer_members(ARRAY[$2::uuid]))
               OR $2::uuid IS NOT DISTINCT FROM c.customer AND c.id IN (
                   SELECT k.id FROM cart k JOIN mine ON k.token_hash = mine.hash
                   UNION SELECT t.cart FROM cart_token t JOIN mine ON t.hash = mine.hash))
        ORDER BY c.kind <> 'saved', c.id LIMIT $5
        """,
        cart.id,
        cart.customer,
        cart.pool,
        [str(kind) for kind in kinds],
        most,
    )
    return [row["id"] for row in rows]


# -- tokens ------------------------------------------------------------------------------------------------------------


async def is_known(reader: Reader, token_hash: bytes) -> bool:
    """Whether a token opens any cart, over or not."""
    found: bool = await reader.value(
        """SELECT EXISTS (SELECT FROM cart WHERE token_hash = $1)
               OR EXISTS (SELECT FROM cart_token WHERE hash = $1)""",
        token_hash,
    )
    return found


async def add_token(tx: Tx, cart: UUID, token_hash: bytes, how: str) -> None:
    """Let a token open a cart."""
    await tx.execute(
        "INSERT INTO cart_token (id, hash, cart, how) VALUES ($1, $2, $3, $4) ON CONFLICT (hash, cart) DO NOTHING",
        new_id(),
        token_hash,
        cart,
        how,
    )


async def copy_tokens(tx: Tx, source: UUID, target: UUID, merge: UUID | None = None) -> None:
    """Let whatever opens a cart open another one too; with a merge, until that is undone."""
    await tx.execute(
        """
        INSERT INTO cart_token (id, hash, cart, how, merge)
        SELECT gen_random_uuid(), hash, $2, CASE WHEN $3::uuid IS NULL THEN 'kept' ELSE 'merge' END, $3
        FROM (SELECT token_hash AS hash FROM cart WHERE id = $1 AND token_hash IS NOT NULL
              UNION SELECT hash FROM cart_token WHERE cart = $1) AS own
        WHERE hash IS DISTINCT FROM (SELECT token_hash FROM cart WHERE id = $2)
        ON CONFLICT (hash, cart) DO NOTHING
        """,
        source,
        target,
        merge,
    )


async def devices(reader: Reader, cart: UUID) -> list[Device]:
    """Whom a cart was handed over to, the first first."""
    return await reader.all(
        Device,
        "SELECT id, how, created_at FROM cart_token WHERE cart = $1 AND how <> 'kept' ORDER BY created_at, id",
        cart,
    )


async def forget_token(tx: Tx, cart: UUID, device: UUID) -> bool:
    """Take a device's token away; False if there was none."""
    return await tx.execute("DELETE FROM cart_token WHERE cart = $1 AND id = $2", cart, device) > 0


async def forget_merged_tokens(tx: Tx, merge: UUID) -> None:
    """Take away the tokens that came with a merge."""
    await tx.execute("DELETE FROM cart_token WHERE merge = $1", merge)


# -- hand-over ---------------------------------------------------------------------------------------------------------


async def offer(tx: Tx, cart: Cart, secret_hash: bytes, code_hash: bytes, until: datetime) -> bool:
    """Offer to hand a cart over, in place of an earlier offer; False if the code is taken at the moment."""
    await tx.execute("DELETE FROM cart_handover WHERE expires_at < now() AND code_hash = $1", code_hash)
    return (
        await tx.execute(
            """
            INSERT INTO cart_handover AS h (cart, pool, secret_hash, code_hash, expires_at)
            SELECT $1, $2, $3, $4, $5
            WHERE NOT EXISTS (SELECT FROM cart_handover WHERE pool = $2 AND code_hash = $4 AND cart <> $1)
            ON CONFLICT (cart) DO UPDATE SET secret_hash = excluded.secret_hash, code_hash = excluded.code_hash,
                                             expires_at = excluded.expires_at
            """,
            cart.id,
            cart.pool,
            secret_hash,
            code_hash,
            until,
        )
        > 0
    )


async def take_offer(
    tx: Tx, *, secret_hash: bytes | None, code_hash: bytes | None, pool: UUID | None
) -> UUID | None:
    """The cart of an offer that is still good, which it is not any more after this."""
    found: UUID | None = await tx.value(
        """DELETE FROM cart_handover
           WHERE (secret_hash = $1::bytea OR code_hash = $2::bytea AND pool = $3::uuid) AND expires_at > now()
           RETURNING cart""",
        secret_hash,
        code_hash,
        pool,
    )
    return found


async def withdraw_offer(tx: Tx, cart: UUID) -> bool:
    """Take an offer back; False if there was none."""
    return await tx.execute("DELETE FROM cart_handover WHERE cart = $1", cart) > 0


# -- the journal of merges ---------------------------------------------------------------------------------------------


async def write_merge(tx: Tx, merge: Merge) -> None:
    """Append to the journal."""
    await tx.execute(
        """INSERT INTO cart_merge (id, cart, other, how, before, after, actor)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        merge.id,
        merge.cart,
        merge.other,
        merge.how,
        msgspec.to_builtins(merge.before),
        merge.after,
        tx.actor.label,
    )


async def merge_of(reader: Reader, cart: UUID, merge: UUID) -> Merge | None:
    """A line of a cart's journal."""
    return await reader.one(
        Merge, f"SELECT {_MERGE} FROM cart_merge WHERE cart = $1 AND id = $2", cart, merge
    )


async def later_merge(reader: Reader, merge: Merge) -> UUID | None:
    """A merge of either cart that came after this one and was not undone."""
    found: UUID | None = await reader.value(
        """SELECT id FROM cart_merge
           WHERE undone_at IS NULL AND id > $1 AND (cart = ANY($2::uuid[]) OR other = ANY($2::uuid[]))
           ORDER BY id DESC LIMIT 1""",
        merge.id,
        [cart for cart in (merge.cart, merge.other) if cart],
    )
    return found


async def were_parted(reader: Reader, one: UUID, other: UUID) -> bool:
    """Whether two carts were one, and somebody undid that."""
    found: bool = await reader.value(
        """SELECT EXISTS (SELECT FROM cart_merge WHERE undone_at IS NOT NULL AND how = 'merged'
                            AND cart = ANY($1::uuid[]) AND other = ANY($1::uuid[]))""",
        [one, other],
    )
    return found


async def mark_undone(tx: Tx, merge: UUID) -> bool:
    """Of several that undo a merge the first does; False for the others."""
    return (
        await tx.execute("UPDATE cart_merge SET undone_at = now() WHERE id = $1 AND undone_at IS NULL", merge)
        > 0
    )


async def adopt_lists(tx: Tx, customer: UUID, lists: Sequence[UUID]) -> None:
    """Let lists of a guest be a customer's."""
    await tx.execute(
        "UPDATE cart SET customer = $2, version = version + 1 WHERE id = ANY($1::uuid[]) AND customer IS NULL",
        list(lists),
        customer,
    )


async def abandon_lists(tx: Tx, lists: Sequence[UUID]) -> None:
    """Let adopted lists be their guest's again."""
    await tx.execute(
        "UPDATE cart SET customer = NULL, version = version + 1 WHERE id = ANY($1::uuid[])", list(lists)
    )


async def accept_quote(tx: Tx, cart: UUID) -> bool:
    """Make a quote that stands a cart; False if it is none (any more)."""
    return (
        await tx.execute(
            """UPDATE cart SET kind = 'cart', is_current = false
               WHERE id = $1 AND kind = 'quote' AND status = 'open' AND quoted_until > now()""",
            cart,
        )
        > 0
    )


async def status_of(reader: Reader, cart: UUID) -> CartStatus:
    """The status of a cart that there is."""
    return CartStatus(await reader.value("SELECT status FROM cart WHERE id = $1", cart))


async def is_only(reader: Reader, customer: UUID | None, pool: UUID) -> bool:
    """Whether a new cart of this customer would be the only live one that is current."""
    if customer is None:
        return True
    found: bool = await reader.value(
        """SELECT NOT EXISTS (
               SELECT FROM cart WHERE customer = ANY (customer_members(ARRAY[$1::uuid])) AND pool = $2
                 AND kind = 'cart' AND is_current AND status IN ('open', 'checkout'))""",
        customer,
        pool,
    )
    return found


def as_was(cart: Cart) -> Was:
    """What of a cart a merge may change."""
    return Was(
        customer=cart.customer,
        customer_group=cart.customer_group,
        is_current=cart.is_current,
        gift_note=cart.gift_note,
        note=cart.note,
        lines=cart.lines,
    )


def quantities(lines: Sequence[CartLine]) -> dict[UUID, int]:
    """Quantity by variant."""
    return {line.variant: line.quantity for line in lines}


def as_text(values: dict[UUID, int]) -> dict[str, Any]:
    """Quantities as JSON has them."""
    return {str(variant): quantity for variant, quantity in values.items()}
