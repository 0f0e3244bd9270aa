"""Several carts and lists of one person: named carts, saved for later, wish lists."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from samlad import channels
from samlad.carts import events, sharing_store, store
from samlad.carts.access import access_of
from samlad.carts.cart_view import compose, view
from samlad.carts.model import LARGEST_QUANTITY, Cart, CartInput, CartKind, CartStatus, LineChanged, LineInput
from samlad.carts.opening import NO_CART, open_cart, open_known, put, take_out
from samlad.carts.permissions import WRITE
from samlad.carts.service import add_line, create, new_cart
from samlad.carts.view_model import CartView
from samlad.channels import Resource
from samlad.kernel import log
from samlad.kernel.context import Actor
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.listing import Filter, Listing, Sort, texts, uuids
from samlad.kernel.problems import Conflict, Forbidden, InvalidInput, NotFound

MOST_SHOWN = 20


class CartRow(msgspec.Struct, frozen=True, kw_only=True):
    """A cart in a list. ``items`` are pieces, ``value`` what they come to at the prices last agreed to (minor units)."""

    id: UUID
    channel: str
    kind: CartKind
    status: CartStatus
    label: str | None
    is_current: bool
    customer: UUID | None
    currency: str
    items: int
    value: int
    held_until: datetime | None
    quoted_until: datetime | None
    updated_at: datetime
    version: int


LISTING = Listing(
    row=CartRow,
    select="""c.id, h.code AS channel, c.kind, c.status, c.label, c.is_current, c.customer, c.currency,
              l.items, l.value, c.held_until, c.quoted_until, c.updated_at, c.version""",
    source="""cart c JOIN channel h ON h.id = c.channel
              CROSS JOIN LATERAL (SELECT coalesce(sum(CASE v.sold_by WHEN 'piece' THEN i.quantity ELSE 1 END), 0)::int
                                             AS items,
                                         coalesce(sum(i.quantity * i.unit_price
                                                      / CASE v.sold_by WHEN 'piece' THEN 1 ELSE 1000 END), 0)::bigint
                                             AS value
                                  FROM cart_line i JOIN variant v ON v.id = i.variant WHERE i.cart = c.id) l
              WHERE ($1::uuid IS NULL OR c.customer = ANY (customer_members(ARRAY[$1::uuid])))""",
    key="c.id",
    sorts={"updated_at": Sort("c.updated_at", "timestamptz")},
    default_sort="-updated_at",
    filters={
        "channel": Filter("h.code = ANY({})", texts),
        "pool": Filter("c.pool = ANY({}::uuid[])", uuids),
        "status": Filter("c.status = ANY({})", texts),
        "kind": Filter("c.kind = ANY({})", texts),
        "customer": Filter("c.customer = ANY(customer_members({}::uuid[]))", uuids),
        "entered": Filter(
            "{} = 'true' AND c.label IS NOT NULL "
            "AND EXISTS (SELECT FROM cart_line e WHERE e.cart = c.id AND e.added_by = 'staff')"
        ),
    },
)
"""Carts and lists, those touched last first; scoped to one customer's, or to none. ``entered``: drafts and quotes that staff entered."""


async def parked_by_channel(reader: Reader) -> list[tuple[UUID, int]]:
    """How many sales are parked at the tills of each channel that has any, the most first. One statement."""
    rows = await reader.rows(
        "SELECT channel, count(*)::int AS parked FROM cart WHERE status = 'parked' GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    return [(row["channel"], row["parked"]) for row in rows]


async def save_line(
    tx: Tx,
    cart_id: UUID,
    line_id: UUID,
    to: UUID | None = None,
    *,
    line_version: int | None = None,
    token: str | None = None,
    version: int | None = None,
) -> CartView:
    """Move a line to another cart or list (None: to what is saved for later), where there will be so many more of it.

    Its price, its gift note and who put it in come along. Answers the cart that it left.

    Raises:
        NotFound: no such cart or line. LineChanged: somebody changed the line since.
        Conflict: the other one is in another channel's currency, or a quote.
    """
    if to is not None:
        if to == cart_id:
            raise InvalidInput.at("to", "is this cart itself")
        await sharing_store.lock_rows(tx, [cart_id, to])
    cart, channel = await open_cart(tx, cart_id, token, version)
    line = next((line for line in cart.lines if line.id == line_id), None)
    if line_version is not None and (line is None or line.version != line_version):
        raise LineChanged(
            "Somebody changed it meanwhile.", line=None if line is None else msgspec.to_builtins(line)
        )
    if line is None:
        raise NotFound("There is no such line in this cart (any more).")
    if (
        to is None
    ):  # a device that was handed a customer's cart may put aside for them, not look at their lists
        target, target_channel = await open_known(tx, await _saved_list(tx, cart))
    else:
        target, target_channel = await open_cart(tx, to, token, None)
    if target.pool != cart.pool or CartKind.QUOTE in (target.kind, cart.kind):
        raise Conflict("It cannot be moved there.")
    if target.currency != cart.currency:
        line = msgspec.structs.replace(line, unit_price=0, price_until=None)
    there = sharing_store.quantities(target.lines).get(line.variant, 0)
    wanted = min(there + line.quantity, LARGEST_QUANTITY)
    await put(tx, target, target_channel, {line.variant: wanted}, carried={line.variant: line})
    cart = await take_out(tx, cart, channel, line)
    return await compose(tx, cart, channel)


async def _saved_list(tx: Tx, cart: Cart) -> UUID:
    """What this person saved for later; begun when it is first needed. The cart's lock keeps it one."""
    if cart.kind is CartKind.SAVED:
        raise InvalidInput.at("to", "it is saved for later already; say where it is to go")
    found = await sharing_store.of_person(tx, cart, [CartKind.SAVED], 1)
    if found:
        return found[0]
    channel = await channels.cached(tx, cart.channel)
    made = await new_cart(tx, channel, cart.customer, kind=CartKind.SAVED)
    await store.insert(tx, made, None)
    await sharing_store.copy_tokens(tx, cart.id, made.id)
    fact = events.CartCreated(currency=made.currency, customer=made.customer)
    log.append(tx, fact, subject=made.id, channel=channel.id, profile=made.customer)
    return made.id


async def wish(tx: Tx, channel_id: UUID, data: LineInput) -> CartView:
    """Put something on the wish list of the customer who acts; the list is begun when it is first needed.

    What is there already stays as it is. Of two at once the later one waits, so that there is one list.

    Raises:
        Forbidden: a guest or staff. NotSellable: the channel does not sell it.
    """
    if tx.actor.kind != "customer" or tx.actor.id is None:
        raise Forbidden("Sign in for a list that goes with you.")
    return await _wish(tx, channel_id, tx.actor.id, data)


async def wish_for(tx: Tx, channel_id: UUID, customer: UUID, data: LineInput) -> CartView:
    """Staff put something on a customer's wish list, as `wish` does.

    Raises:
        NotFound: no such customer. Conflict: theirs is another pool. NotSellable: the channel does not sell it.
    """
    tx.actor.require(WRITE)
    return await _wish(tx, channel_id, customer, data)


async def put_for(tx: Tx, channel_id: UUID, customer: UUID, data: LineInput) -> CartView:
    """Staff put something into the cart that a customer has on their devices; without one it is begun.

    Raises:
        NotFound: no such customer. NotSellable, SoldOut, CartClosed: as `add_line`.
    """
    tx.actor.require(WRITE)
    channel = await channels.cached(tx, channel_id)
    await sharing_store.queue(tx, customer)
    live = await sharing_store.live_of(tx, customer, channel.pools[Resource.CARTS])
    if live is None:
        return await create(tx, CartInput(channel=channel_id, lines=[data], customer=customer))
    return await add_line(tx, live, data)


async def _wish(tx: Tx, channel_id: UUID, customer: UUID, data: LineInput) -> CartView:
    channel = await channels.cached(tx, channel_id)
    await sharing_store.queue(tx, customer)
    known = await sharing_store.wish_list_of(tx, customer, channel.pools[Resource.CARTS])
    if known is None:
        whose = customer if tx.actor.may(WRITE) else None
        return await create(tx, CartInput(channel=channel_id, kind="wish", lines=[data], customer=whose))
    cart, its_channel = await open_cart(tx, known, None, None)
    if data.variant in sharing_store.quantities(cart.lines):
        return await compose(tx, cart, its_channel)
    return await put(tx, cart, its_channel, {data.variant: data.quantity})


async def lists_beside(
    database: Database,
    actor: Actor,
    cart_id: UUID,
    *,
    token: str | None = None,
    kinds: Sequence[CartKind] = (CartKind.SAVED, CartKind.WISH),
) -> list[CartView]:
    """What the person of this cart saved for later, and their wish lists (or their other carts): those that
    this actor may open, at most 20.

    Raises:
        NotFound: no such cart.
    """
    cart = await store.read(database, cart_id, access_of(actor, token))
    while cart is not None and cart.merged_into is not None:
        cart = await store.read(database, cart.merged_into, access_of(actor, token))
    if cart is None:
        raise NotFound(NO_CART)
    found = await sharing_store.of_person(database, cart, kinds, MOST_SHOWN)
    access = access_of(actor, token)
    mine = [each for id_ in found if (each := await store.read(database, id_, access)) is not None]
    return [await compose(database, each, await channels.cached(database, each.channel)) for each in mine]


async def make_current(
    tx: Tx, cart_id: UUID, *, token: str | None = None, version: int | None = None
) -> CartView:
    """Of a customer's carts let this be the one that is meant.

    Raises:
        Conflict: it is a guest's, or a list.
    """
    seen = await store.read(tx, cart_id, access_of(tx.actor, token))
    if seen is not None and seen.customer is not None:
        await sharing_store.queue(tx, seen.customer)
    cart, channel = await open_cart(tx, cart_id, token, version, reopen=False)
    if cart.customer is None or cart.kind is not CartKind.CART or cart.status is CartStatus.PARKED:
        raise Conflict("Only an open cart of a customer can be the current one.")
    if not cart.is_current:
        await sharing_store.make_current(tx, cart.id, cart.customer, cart.pool)
        fact = events.CartMadeCurrent()
        log.append(tx, fact, subject=cart.id, channel=cart.channel, profile=cart.customer)
        cart = msgspec.structs.replace(cart, is_current=True)
    return await compose(tx, cart, channel)


async def live_cart(
    database: Database, actor: Actor, channel_id: UUID, customer: UUID | None = None
) -> CartView:
    """A customer's live cart in the pool of a channel: their own, or (for staff) that of a customer.

    Raises:
        NotFound: they have none. Forbidden: a guest, or somebody else's.
    """
    whose = actor.id if actor.kind == "customer" and customer in (None, actor.id) else None
    if whose is None:
        if actor.kind in ("customer", "guest"):
            raise Forbidden("Sign in for a cart that goes with you.")
        if customer is None:
            raise InvalidInput.at("customer", "say whose cart")
        whose = customer
    channel = await channels.cached(database, channel_id)
    found = await sharing_store.live_of(database, whose, channel.pools[Resource.CARTS])
    if found is None:
        raise NotFound("There is no cart in use.")
    return await view(database, actor, found)
