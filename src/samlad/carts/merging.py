"""A guest's cart meets its customer's: put together, or this one kept and the rest offered, and always with undo."""

from typing import Any
from uuid import UUID

import msgspec

from samlad import channels, customers, promotions, stock
from samlad.carts import events, holding, sharing_store, store
from samlad.carts.access import access_of, hash_token
from samlad.carts.cart_view import compose
from samlad.carts.merge_rules import STRATEGIES, Situation, larger, situation_of, undone
from samlad.carts.model import OVER, Cart, CartKind, CartLine, CartStatus
from samlad.carts.opening import (
    NO_CART,
    after_change,
    group_of,
    open_cart,
    open_known,
    put,
    tell_line,
    with_carried,
    without,
)
from samlad.carts.permissions import WRITE
from samlad.carts.sharing_store import Before, Merge, as_text, as_was, quantities
from samlad.carts.view_model import CartView, LineView
from samlad.channels import Channel
from samlad.kernel import log
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, Forbidden, InvalidInput, NotFound
from samlad.stock import HoldKind

MOST_LISTS = 50
NOTES = ("gift_note", "note")
"""What came along with a cart and goes with it again, if nobody wrote something else since."""


class Attached(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a cart when it turned out whose it is.

    ``how``: ``claimed`` (its customer had no other), ``merged`` (it went into the customer's own, which ``cart`` is),
    ``kept`` (it goes on, and what the other one has is ``offered``), ``already``. ``merge`` undoes it.
    """

    cart: CartView
    how: str
    situation: Situation
    merge: UUID | None = None
    other: UUID | None = None
    offered: list[LineView] = []
    version: int


async def attach(
    tx: Tx,
    cart_id: UUID,
    customer: UUID | None = None,
    *,
    token: str | None = None,
    version: int | None = None,
) -> Attached:
    """Say whose cart this is: staff name the customer, a signed-in customer takes it.

    What becomes of a live cart that the customer has already is the channel's setting for the situation:
    ``cart_merge`` while browsing, ``cart_merge_paying`` in a checkout and at a till. Browsing, it goes into theirs; the one that
    is being paid for goes on. Two that somebody has taken apart again are not put together a second time: this one goes on, and
    the other is offered.

    Raises:
        Forbidden: a guest, or a customer for somebody else.
        Conflict: it is another customer's.
        NotFound: no such cart, or no such customer in this channel.
    """
    whose = _whose(tx, customer)
    await sharing_store.queue(tx, whose)
    seen = await store.read(tx, cart_id, access_of(tx.actor, token))
    if seen is None:
        raise NotFound(NO_CART)
    live = await sharing_store.live_of(tx, whose, seen.pool)
    await sharing_store.lock_rows(tx, [cart for cart in (cart_id, live) if cart])
    cart, channel = await open_cart(tx, cart_id, token, version, reopen=False)
    if cart.kind is CartKind.QUOTE:
        raise InvalidInput.at("cart", "this is a quote: accept it first")
    group = await group_of(tx, whose, channel)
    situation = situation_of(cart)
    if await customers.are_same(tx, cart.customer, whose):
        shown = await compose(tx, cart, channel)
        return Attached(cart=shown, how="already", situation=situation, version=shown.version)
    if cart.customer is not None:
        raise Conflict("This cart is another customer's.")
    name = "cart_merge_paying" if situation is Situation.PAYING else "cart_merge"
    own = None
    if live is not None and cart.kind is CartKind.CART:
        own, _ = await open_cart(tx, live, None, None, reopen=False)
    wanted = None
    if own is not None and own.currency == cart.currency and own.status is CartStatus.OPEN:
        wanted = STRATEGIES[channel.setting(name)](quantities(cart.lines), quantities(own.lines))
        if wanted is not None and await sharing_store.were_parted(tx, cart.id, own.id):
            wanted = None
    if own is not None and wanted is not None and situation is Situation.BROWSING:
        return await _merge(tx, cart, own, wanted, situation)
    kept = await _keep(tx, cart, channel, own, whose, group, situation)
    if own is None or wanted is None:
        return kept
    return await _bring(tx, own, cart, token, wanted)


async def _bring(tx: Tx, own: Cart, into: Cart, token: str | None, wanted: dict[UUID, int]) -> Attached:
    """What the customer had comes into the cart that they are paying for: where that is, how it is sent, its lots and discounts stay.

    It is opened for that: nobody pays for what they have not looked at. Undone, it is kept, and the rest is offered.
    """
    target, _ = await open_cart(tx, into.id, token, None)
    source, _ = await open_cart(tx, own.id, None, None)
    return await _merge(tx, source, target, wanted, Situation.PAYING)


def _whose(tx: Tx, customer: UUID | None) -> UUID:
    if tx.actor.kind == "customer" and tx.actor.id is not None:
        if customer not in (None, tx.actor.id):
            raise Forbidden("A cart can only be taken for yourself.")
        return tx.actor.id
    tx.actor.require(WRITE)
    if customer is None:
        raise InvalidInput.at("customer", "say whose cart it is")
    return customer


async def _keep(
    tx: Tx,
    cart: Cart,
    channel: Channel,
    own: Cart | None,
    customer: UUID,
    group: str | None,
    situation: Situation,
) -> Attached:
    """This cart becomes the customer's current one; another one steps back and is offered."""
    lists = await sharing_store.of_person(tx, cart, [CartKind.SAVED, CartKind.WISH], MOST_LISTS)
    if cart.kind is not CartKind.CART:
        lists = []
    before = Before(cart=as_was(cart), other=None if own is None else as_was(own), lists=lists)
    await store.set_fields(tx, cart.id, {"is_current": False, "customer": customer, "customer_group": group})
    if cart.kind is CartKind.CART:
        await sharing_store.make_current(tx, cart.id, customer, cart.pool)
    await sharing_store.adopt_lists(tx, customer, lists)
    how = "claimed" if own is None else "kept"
    merge = await _journal(
        tx, cart, None if own is None else own.id, how, before, quantities(cart.lines), customer
    )
    cart = msgspec.structs.replace(cart, customer=customer, customer_group=group, is_current=True)
    await promotions.hand_on(tx, cart.id, customer, promotions.HolderKind.CUSTOMER)
    shown = await after_change(tx, cart, channel)
    offered: list[LineView] = []
    if own is not None:
        offered = (await compose(tx, own, await channels.cached(tx, own.channel))).lines
    return Attached(
        cart=shown,
        how=how,
        situation=situation,
        merge=merge,
        other=None if own is None else own.id,
        offered=offered,
        version=shown.version,
    )


async def _merge(
    tx: Tx, source: Cart, target: Cart, wanted: dict[UUID, int], situation: Situation
) -> Attached:
    """The one cart goes into the other."""
    lists = []
    if target.customer is not None and source.customer is None:
        lists = await sharing_store.of_person(tx, source, [CartKind.SAVED, CartKind.WISH], MOST_LISTS)
    before = Before(cart=as_was(target), other=as_was(source), lists=lists)
    merge = await _journal(tx, target, source.id, "merged", before, wanted, target.customer)
    await sharing_store.copy_tokens(tx, source.id, target.id, merge)
    if target.customer is not None:
        await sharing_store.adopt_lists(tx, target.customer, lists)
    channel = await channels.cached(tx, target.channel)
    if source.held_until is not None or source.status is not CartStatus.OPEN:
        await _hand_holds(tx, source, target, channel)
    await store.set_fields(
        tx,
        source.id,
        {"status": CartStatus.MERGED, "merged_into": target.id, "checkout_until": None, "held_until": None},
    )
    values: dict[str, Any] = {
        name: getattr(source, name) for name in NOTES if getattr(source, name) and not getattr(target, name)
    }
    if values:
        await store.set_fields(tx, target.id, values)
        target = msgspec.structs.replace(target, **values)
    await promotions.hand_on(tx, source.id, target.id, promotions.HolderKind.CART)
    if target.customer is not None:
        await promotions.hand_on(tx, source.id, target.customer, promotions.HolderKind.CUSTOMER)
    shown = await _put_all(tx, target, channel, wanted, source.lines)
    return Attached(
        cart=shown, how="merged", situation=situation, merge=merge, other=source.id, version=shown.version
    )


async def _hand_holds(tx: Tx, source: Cart, target: Cart, channel: Channel) -> None:
    """What is held for the one is held for the other, if that holds in carts; else it is free."""
    if holding.holds_in_cart(target, channel) and target.held_until is not None:
        await stock.convert(
            tx, source.id, to_kind=HoldKind.CART, to_owner=target.id, expires_at=target.held_until
        )
    else:
        await stock.release(tx, source.id)


async def _put_all(
    tx: Tx, cart: Cart, channel: Channel, wanted: dict[UUID, int], carried: list[CartLine]
) -> CartView:
    """Write what differs; lines that came along keep their price."""
    here, brought = ({line.variant: line for line in lines} for lines in (cart.lines, carried))
    changed = {
        variant: quantity
        for variant, quantity in wanted.items()
        if variant not in here
        or here[variant].quantity != quantity
        or with_carried(here[variant], brought.get(variant)) != here[variant]
    }
    if not changed:
        return await after_change(tx, await holding.keep_up(tx, cart, channel), channel)
    return await put(tx, cart, channel, changed, carried=brought)


async def _journal(
    tx: Tx,
    cart: Cart,
    other: UUID | None,
    how: str,
    before: Before,
    after: dict[UUID, int],
    customer: UUID | None,
) -> UUID:
    merge = Merge(
        id=new_id(),
        cart=cart.id,
        other=other,
        how=how,
        before=before,
        after=as_text(after),
        undone_at=None,
    )
    await sharing_store.write_merge(tx, merge)
    fact = events.CartMerged(how=how, merge=merge.id, other=other, customer=customer)
    log.append(tx, fact, subject=cart.id, channel=cart.channel, profile=customer)
    return merge.id


async def combine(
    tx: Tx,
    cart_id: UUID,
    other_id: UUID,
    *,
    token: str | None = None,
    other_token: str | None = None,
    version: int | None = None,
) -> Attached:
    """Put another cart into this one, of the same variant the larger quantity; the other one's tokens open this one.

    It is how the rest is taken that `attach` offered, and what a device brings to a cart that it was handed.

    Raises:
        NotFound: no such cart, or one of them is not this actor's.
        Conflict: another customer's, another currency, or too much for one cart.
    """
    if cart_id == other_id:
        raise InvalidInput.at("other", "is this cart itself")
    await sharing_store.lock_rows(tx, [cart_id, other_id])
    cart, _channel = await open_cart(tx, cart_id, token, version, reopen=True)
    other, _ = await open_cart(tx, other_id, other_token if other_token is not None else token, None)
    if cart.id == other.id:
        raise Conflict("They are one cart already.")
    if cart.pool != other.pool or other.customer not in (None, cart.customer):
        raise Conflict("The other cart is somebody else's.")
    if CartKind.QUOTE in (cart.kind, other.kind):
        raise Conflict("A quote is accepted first.")
    if cart.currency != other.currency:
        raise Conflict("The other cart has another currency.")
    wanted = larger(quantities(other.lines), quantities(cart.lines))
    if wanted is None:
        raise Conflict("Together they have too many lines for one cart.")
    if token is not None and other_token is not None:
        await _open_lists(tx, other, other_token, token)
    return await _merge(tx, other, cart, wanted, situation_of(cart))


async def _open_lists(tx: Tx, cart: Cart, token: str, by: str) -> None:
    """What a device opened beside its cart by one token it opens by another, too: it has the cart by that one now."""
    for each in await sharing_store.of_person(tx, cart, [CartKind.SAVED, CartKind.WISH], MOST_LISTS):
        if await store.read(tx, each, store.Access(token_hash=hash_token(token))) is not None:
            await sharing_store.add_token(tx, each, hash_token(by), "kept")


async def undo(
    tx: Tx, cart_id: UUID, merge_id: UUID, *, token: str | None = None, version: int | None = None
) -> CartView:
    """Undo a merge: both carts are as they were, with what happened since. Undone already, nothing happens.

    Answers the cart that went on.

    Raises:
        NotFound: no such cart or merge.
        CartClosed: the cart was ordered or given up since.
        Conflict: a later merge must be undone first.
    """
    seen = await sharing_store.merge_of(tx, cart_id, merge_id)
    if seen is None:
        raise NotFound("There is no such merge of this cart.")
    other_was = seen.before.other
    customer = seen.before.cart.customer or (None if other_was is None else other_was.customer)
    if customer is not None:
        await sharing_store.queue(tx, customer)
    await sharing_store.lock_rows(tx, [cart for cart in (seen.cart, seen.other) if cart])
    cart, channel = await open_cart(tx, cart_id, token, version, reopen=seen.how == "merged")
    later = await sharing_store.later_merge(tx, seen)
    if later is not None:
        raise Conflict("Undo the later merge first.", merge=str(later))
    if not await sharing_store.mark_undone(tx, merge_id):
        return await compose(tx, cart, channel)
    if seen.how == "merged":
        cart = await _part(tx, cart, channel, seen)
    else:
        cart = await _step_back(tx, cart, seen)
    await sharing_store.abandon_lists(tx, seen.before.lists)
    fact = events.CartUnmerged(merge=merge_id, other=seen.other)
    log.append(tx, fact, subject=cart.id, channel=cart.channel, profile=cart.customer)
    return await after_change(tx, cart, channel)


async def _step_back(tx: Tx, cart: Cart, merge: Merge) -> Cart:
    """The cart is nobody's again, and the other one the current one of its customer."""
    was = merge.before.cart
    values = {
        "customer": was.customer,
        "customer_group": was.customer_group,
        "is_current": was.is_current,
    }
    await store.set_fields(tx, cart.id, values)
    other = merge.before.other
    if merge.other is None or other is None or other.customer is None or not other.is_current:
        return msgspec.structs.replace(cart, **values)
    if await sharing_store.status_of(tx, merge.other) not in OVER:
        await sharing_store.make_current(tx, merge.other, other.customer, cart.pool)
    return msgspec.structs.replace(cart, **values)


async def _part(tx: Tx, cart: Cart, channel: Channel, merge: Merge) -> Cart:
    """Two carts again."""
    other_was = merge.before.other
    assert other_was is not None and merge.other is not None  # noqa: PT018 - a merge has two
    own, other = undone(
        quantities(merge.before.cart.lines),
        {UUID(variant): quantity for variant, quantity in merge.after.items()},
        quantities(cart.lines),
        quantities(other_was.lines),
    )
    cart = await _write_back(tx, cart, merge.before.cart.lines, own)
    values = {
        name: getattr(merge.before.cart, name)
        for name in NOTES
        if getattr(other_was, name) and getattr(cart, name) == getattr(other_was, name)
    }
    if values:
        await store.set_fields(tx, cart.id, values)
    await sharing_store.forget_merged_tokens(tx, merge.id)
    # The other cart was closed all the while: its lines are as they were, but for what was taken out since.
    await store.set_fields(
        tx, merge.other, {"status": CartStatus.OPEN, "merged_into": None, "is_current": other_was.is_current}
    )
    restored, other_channel = await open_known(tx, merge.other)
    restored = await _write_back(tx, restored, other_was.lines, other)
    restored = msgspec.structs.replace(restored, lines=await store.lines_of(tx, restored.id))
    cart = msgspec.structs.replace(cart, lines=await store.lines_of(tx, cart.id), **values)
    cart = await holding.keep_up(tx, cart, channel)
    await holding.keep_up(tx, restored, other_channel)
    return cart


def _is_as_agreed(line: CartLine, old: CartLine) -> bool:
    return (line.gift_note, line.price_until) == (old.gift_note, old.price_until)


async def _write_back(tx: Tx, cart: Cart, before: list[CartLine], wanted: dict[UUID, int]) -> Cart:
    """Make a cart hold just so much: lines that come back are as they were, to the price and the id.

    What staff chose for goods that are gone, lots and discounts, is gone with them.
    """
    was = {line.variant: line for line in before}
    has = {line.variant: line for line in cart.lines}
    gone = [line for variant, line in has.items() if variant not in wanted]
    await store.delete_lines(tx, [line.id for line in gone])
    for line in gone:
        tell_line(tx, cart, line, line.quantity, 0)
    cart = await without(tx, cart, {line.variant for line in gone})
    changed = []
    for variant, quantity in wanted.items():
        old, now_there = was.get(variant), has.get(variant)
        if (
            now_there is not None
            and now_there.quantity == quantity
            and (old is None or _is_as_agreed(now_there, old))
        ):
            continue
        base = old or now_there
        assert base is not None  # it was in the cart before or is now
        until = base.price_until if quantity == base.quantity else None  # a quote is for its quantity
        changed.append(msgspec.structs.replace(base, quantity=quantity, price_until=until))
        tell_line(tx, cart, base, now_there.quantity if now_there else 0, quantity)
    if changed:
        await store.put_lines(tx, cart.id, changed)
    return cart
