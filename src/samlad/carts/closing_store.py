"""SQL of how a cart becomes an order's, for one cart or for those of several orders that are placed together."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from samlad.carts.model import Cart, CartStatus
from samlad.carts.store import COLUMNS, GONE, Access, allowed, as_seen, seen_lines
from samlad.kernel.database import GoAlone, Tx


class Closing(msgspec.Struct, frozen=True):
    """A cart that is to become an order's, and who asks for that."""

    cart: UUID
    access: Access


# Read through a subquery, arrays say nothing of their length: one plan serves all.
_LOCK = f"""
    WITH asked AS MATERIALIZED (
        SELECT n.* FROM (SELECT $1::uuid[] AS a, $2::bool[] AS b, $3::bytea[] AS c, $4::uuid[] AS d OFFSET 0) AS given
        CROSS JOIN LATERAL unnest(given.a, given.b, given.c, given.d) AS n (id, may_any, token_hash, customer)
    ), seen AS MATERIALIZED (
        SELECT c.id, c.version, {seen_lines(GONE)} AS lines FROM asked a JOIN cart c ON c.id = a.id
    ), locked AS MATERIALIZED (
        SELECT c.* FROM asked a JOIN cart c ON c.id = a.id
        WHERE {allowed("a.may_any", "a.token_hash", "a.customer")}
          AND c.status IN ('open', 'checkout') AND c.kind = 'cart'
        FOR NO KEY UPDATE OF c {{waiting}}
    )
    SELECT {COLUMNS}, s.version AS seen, s.lines FROM locked c JOIN seen s ON s.id = c.id
"""
_ORDERED = """
    UPDATE cart c SET status = 'ordered', order_id = n.order_id, version = c.version + 1, updated_at = now()
    FROM (SELECT $1::uuid[] AS a, $2::uuid[] AS b OFFSET 0) AS given
    CROSS JOIN LATERAL unnest(given.a, given.b) AS n (id, order_id)
    WHERE c.id = n.id
"""


async def close(tx: Tx, cart: UUID, access: Access, order: UUID) -> Cart | None:
    """A cart as it is when it is an order's, locked; of several that try at once the first wins. Its lines with a look at
    stock. One statement; that it is ordered is written with the last one of the transaction.

    None if there is none that is open or in checkout; `samlad.carts.store.read` tells why.
    """
    found = await tx.with_others(_lock_each, Closing(cart, access))
    if found is None:
        return None
    tx.rows_later(_ORDERED, [cart], [order])
    return msgspec.structs.replace(
        found, status=CartStatus.ORDERED, order_id=order, version=found.version + 1
    )


async def _lock_each(tx: Tx, wanted: Sequence[Closing]) -> list[Cart | BaseException | None]:
    """Where several go together nobody waits for another's lock: whoever cannot have it, or may not, goes alone."""
    rows = await tx.rows(
        _LOCK.format(waiting="SKIP LOCKED" if tx.is_shared else ""),
        [each.cart for each in wanted],
        [each.access.any for each in wanted],
        [each.access.token_hash for each in wanted],
        [each.access.customer for each in wanted],
    )
    found = {row["id"]: row for row in rows}
    answers: list[Cart | BaseException | None] = []
    for each in wanted:
        row = found.pop(each.cart, None)  # of two who want the same cart the first has it
        if row is not None:
            answers.append(await as_seen(tx, row))
        else:
            answers.append(GoAlone() if tx.is_shared else None)
    return answers
