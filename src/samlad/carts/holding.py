"""What is held for a cart while somebody shops, pays, or has it parked: through the verbs of stock only."""

import contextlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from samlad import stock
from samlad.carts import rules, set_rules, store
from samlad.carts.model import Cart, CartKind, Delivery
from samlad.channels import Channel
from samlad.kernel.clock import now
from samlad.kernel.database import Reader, Tx
from samlad.stock import HoldKind, HoldLine, SoldOut


def holds_in_cart(cart: Cart, channel: Channel) -> bool:
    """Whether goods are held as soon as they are in this cart."""
    return bool(channel.setting("hold_policy") == "cart") and cart.kind is CartKind.CART


def hold_lines(cart: Cart) -> list[HoldLine]:
    """What to hold, each variant once: at the place of hand-over if there is one, else wherever stock is. For sets their
    parts."""
    place = rules.held_at(cart)
    return [HoldLine(variant, units, place) for variant, units in set_rules.demand(cart.lines).items()]


async def available(reader: Reader, cart: Cart, channel: Channel) -> dict[UUID, int]:
    """How many of each of its lines an open cart could have: what is free, and what is held for it already."""
    carry_out = cart.delivery is Delivery.CARRY_OUT
    wanted = list(set_rules.demand(cart.lines))
    found = dict(await stock.atp(reader, channel, wanted, carry_out=carry_out))
    if cart.held_until is not None and cart.held_until > now():
        for hold in await stock.holds_of(reader, cart.id):
            found[hold.variant] = found.get(hold.variant, 0) + hold.quantity
    return set_rules.possible(cart.lines, found)


async def keep_up(
    tx: Tx, cart: Cart, channel: Channel, touched: Collection[UUID] = (), *, moved: bool = False
) -> Cart:
    """Hold what is in an open cart, and begin its time anew; nothing where the channel does not hold in carts.

    ``moved``: it is handed over elsewhere now, so that other pieces are held. What was not ``touched`` and cannot be
    held any more stays in the cart and says so.

    Raises:
        SoldOut: of what was touched there is not enough.
    """
    if not holds_in_cart(cart, channel):
        if cart.held_until is None:
            return cart
        await stock.release(tx, cart.id)  # the channel's policy is another one now
        return await _until(tx, cart, None)
    until = now() + timedelta(seconds=channel.setting("cart_hold_seconds"))
    await claim(tx, cart, channel, HoldKind.CART, until, strict=touched, moved=moved)
    return await _until(tx, cart, until if cart.lines else None)


def is_gone(cart: Cart, channel: Channel) -> bool:
    """Whether of something in a cart that is about to take its goods nothing seems to be left.

    What is held for it already is its own, so then nothing was looked at.
    """
    takes = channel.setting("hold_policy") != "none" or cart.delivery is Delivery.CARRY_OUT
    return takes and any(isinstance(line, store.SeenLine) and line.is_gone for line in cart.lines)


async def refuse_short(tx: Tx, cart: Cart, channel: Channel) -> None:
    """Say at once of what there is not enough, before anything is priced, paid or locked; taking would say the same.

    Raises:
        SoldOut: with what there is.
    """
    short = await stock.short(tx, hold_lines(cart), channel=channel)
    if short:
        with telling_of(cart):
            raise SoldOut(short)


async def for_checkout(tx: Tx, cart: Cart, channel: Channel, until: datetime) -> bool:
    """Hold everything for a checkout, where the channel does so at all.

    Raises:
        SoldOut: there is not enough; nothing more is held than before.
    """
    if channel.setting("hold_policy") == "checkout" and cart.held_until is None:
        with telling_of(cart):
            await stock.take_together(
                tx, hold_lines(cart), channel=channel, kind=HoldKind.CHECKOUT, owner=cart.id, expires_at=until
            )
        return True
    if channel.setting("hold_policy") not in ("checkout", "cart"):
        return False
    await claim(tx, cart, channel, HoldKind.CHECKOUT, until)
    return True


async def for_parked(tx: Tx, cart: Cart, channel: Channel) -> datetime | None:
    """Hold what there is of a parked sale; till when, or None if the channel holds nothing for those."""
    seconds = channel.setting("parked_hold_seconds")
    if not seconds or not cart.lines:
        await stock.release(tx, cart.id)
        return None
    until = now() + timedelta(seconds=seconds)
    await claim(tx, cart, channel, HoldKind.PARKED, until, strict=())
    return until


async def let_go(tx: Tx, cart: Cart, channel: Channel) -> datetime | None:
    """Out of a checkout or a parked sale: held on as a cart's if the channel does so, else free; till when."""
    if not holds_in_cart(cart, channel):
        await stock.release(tx, cart.id)
        return None
    until = now() + timedelta(seconds=channel.setting("cart_hold_seconds"))
    held = await stock.convert(tx, cart.id, to_kind=HoldKind.CART, to_owner=cart.id, expires_at=until)
    return until if held else None


async def claim(
    tx: Tx,
    cart: Cart,
    channel: Channel,
    kind: HoldKind,
    until: datetime,
    *,
    strict: Collection[UUID] | None = None,
    moved: bool = False,
) -> None:
    """Make what is held for a cart what is in it: what is too much goes back, what is missing is taken.

    ``strict`` are the variants of lines that must be had, None for all of them; of others there is held what can be.

    Raises:
        SoldOut: of those there is not enough.
    """
    held = await stock.holds_of(tx, cart.id)
    if held and moved:
        await stock.release(tx, cart.id)
        held = []
    if held:
        held = await stock.convert(tx, cart.id, to_kind=kind, to_owner=cart.id, expires_at=until)
    has: Counter[UUID] = Counter()
    for hold in held:
        has[hold.variant] += hold.quantity
    wanted = {line.variant: line for line in hold_lines(cart)}
    surplus = [
        HoldLine(variant, quantity - (wanted[variant].quantity if variant in wanted else 0))
        for variant, quantity in has.items()
        if quantity > (wanted[variant].quantity if variant in wanted else 0)
    ]
    if surplus:
        await stock.release(tx, cart.id, lines=surplus)
    missing = [
        HoldLine(line.variant, line.quantity - has[line.variant], line.location)
        for line in wanted.values()
        if line.quantity > has[line.variant]
    ]
    needed = set_rules.demand(line for line in cart.lines if strict is None or line.variant in strict)
    must = _of_each(missing, {x.variant: min(x.quantity, needed[x.variant]) for x in missing})
    if must:
        with telling_of(cart, strict):
            await stock.take(tx, must, channel=channel, kind=kind, owner=cart.id, expires_at=until)
    may = _of_each(missing, {x.variant: x.quantity - needed[x.variant] for x in missing})
    await _take_what_there_is(tx, may, channel, kind, cart.id, until)


def _of_each(lines: Sequence[HoldLine], units: Mapping[UUID, int]) -> list[HoldLine]:
    """The lines with so many units; without those that have none then."""
    return [HoldLine(x.variant, units[x.variant], x.location) for x in lines if units[x.variant] > 0]


@contextlib.contextmanager
def telling_of(cart: Cart, strict: Collection[UUID] | None = None) -> Iterator[None]:
    """What stock is short of, said of the cart's lines: `SoldOut` names a set and how many of it there are, not its part."""
    try:
        yield
    except SoldOut as short:
        if all(line.parts is None for line in cart.lines):
            raise
        raise SoldOut(set_rules.of_lines(cart.lines, short.lines, strict), short.lines) from None


async def _take_what_there_is(
    tx: Tx, lines: list[HoldLine], channel: Channel, kind: HoldKind, owner: UUID, until: datetime
) -> None:
    if not lines:
        return
    try:
        await stock.take(tx, lines, channel=channel, kind=kind, owner=owner, expires_at=until)
    except SoldOut as sold_out:
        short = {line.variant: line.available for line in sold_out.lines}
        less = [
            HoldLine(x.variant, min(x.quantity, short.get(x.variant, x.quantity)), x.location) for x in lines
        ]
        if any(x.variant in short for x in lines):
            await _take_what_there_is(tx, [x for x in less if x.quantity > 0], channel, kind, owner, until)


async def _until(tx: Tx, cart: Cart, until: datetime | None) -> Cart:
    if cart.held_until != until:
        await store.set_fields(tx, cart.id, {"held_until": until})
    return msgspec.structs.replace(cart, held_until=until)
