"""Whether what is in carts is wholly gone: one look for many of them at once, before each would hear it for itself."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from samlad import channels, stock
from samlad.carts import set_rules
from samlad.carts.model import CartLine, Delivery
from samlad.carts.store import PARTS, Access, allowed
from samlad.kernel.database import Database
from samlad.stock import HoldLine, ShortLine, SoldOut


class WantedCart(msgspec.Struct, frozen=True):
    """A cart that somebody is about to order, what lets them at it, and the scope and key under which an answer would be kept.

    ``at_till``: what tills of the store have leased can be had, too.
    """

    cart: UUID
    access: Access
    key: tuple[str, str] | None = None
    at_till: bool = False


_GONE = f"""
    WITH asked AS MATERIALIZED (
        SELECT n.number, n.cart, n.at_till, c.channel, c.delivery, p.pool,
               CASE WHEN c.delivery IN ('pickup', 'carry_out') THEN c.location END AS place
        FROM (SELECT $1::uuid[] AS a, $2::bool[] AS b, $3::bytea[] AS c, $4::uuid[] AS d, $5::bool[] AS e, $6::text[] AS f,
                     $7::text[] AS g OFFSET 0) AS given
        CROSS JOIN LATERAL unnest(given.a, given.b, given.c, given.d, given.e, given.f, given.g) WITH ORDINALITY
             AS n (cart, may_any, token_hash, customer, at_till, scope, key, number)
        JOIN cart c ON c.id = n.cart
        JOIN channel_pool p ON p.channel = c.channel AND p.resource = 'stock'
        WHERE {allowed("n.may_any", "n.token_hash", "n.customer")}
          AND c.kind = 'cart' AND c.status IN ('open', 'checkout') AND c.checkout_until IS NULL AND c.held_until IS NULL
          AND NOT EXISTS (SELECT FROM idempotency i WHERE i.scope = n.scope AND i.key = n.key)
    ), gone AS MATERIALIZED (
        SELECT d.* FROM (SELECT DISTINCT l.variant, a.pool, a.place, a.at_till
                         FROM asked a JOIN cart_line l ON l.cart = a.cart OFFSET 0) d
        WHERE stock_is_wholly_gone(d.variant, d.pool, d.place, d.at_till)
    )
    SELECT a.number, a.channel, a.delivery, a.place, (
               SELECT jsonb_agg(to_jsonb(l) - 'cart' || jsonb_build_object('parts', {PARTS}))
               FROM cart_line l WHERE l.cart = a.cart) AS lines
    FROM asked a
    WHERE EXISTS (SELECT FROM gone g JOIN cart_line l ON l.cart = a.cart AND l.variant = g.variant
                  WHERE g.pool = a.pool AND g.place IS NOT DISTINCT FROM a.place AND g.at_till = a.at_till)
"""
# Read through a subquery, arrays say nothing of their length: one plan serves all. Behind OFFSET 0 the same is looked at once.


async def gone_among(database: Database, wanted: Sequence[WantedCart]) -> list[SoldOut | None]:
    """What ordering each cart would be refused for now, where of something in it nothing at all is left; else None.

    Whoever may not have the cart, whose cart was ordered or holds its goods already, and whose answer is kept, hears None:
    placing the order says what is so. Two statements, and one for each other way in which something is short.
    """
    beside = await database.beside()
    rows = await beside.rows(
        _GONE,
        [each.cart for each in wanted],
        [each.access.any for each in wanted],
        [each.access.token_hash for each in wanted],
        [each.access.customer for each in wanted],
        [each.at_till for each in wanted],
        [each.key and each.key[0] for each in wanted],
        [each.key and each.key[1] for each in wanted],
    )
    verdicts: list[SoldOut | None] = [None] * len(wanted)
    known: dict[tuple[UUID, tuple[HoldLine, ...]], list[ShortLine]] = {}
    for row in rows:
        channel = await channels.cached(database, row["channel"])
        if channel.setting("hold_policy") == "none" and row["delivery"] != Delivery.CARRY_OUT:
            continue
        lines = msgspec.convert(row["lines"], list[CartLine], strict=False)
        needed = sorted(set_rules.demand(lines).items())
        held = tuple(HoldLine(variant, units, row["place"]) for variant, units in needed)
        if (channel.id, held) not in known:
            known[channel.id, held] = await stock.short(beside, held, channel=channel)
        if short := known[channel.id, held]:
            verdicts[row["number"] - 1] = SoldOut(set_rules.of_lines(lines, short), short)
    return verdicts
