"""Lots and serial numbers at a till: the clerk has the piece in hand, so what they scan or choose is what leaves.

What nobody chose leaves by the strategy of the location, as in every other sale. A choice holds nothing: of two who have
the last piece of a lot on their tickets the later one is told when they sell.
"""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from samlad import stock
from samlad.carts import store
from samlad.carts.lot_model import ChooseLot, ChosenLot
from samlad.carts.model import LARGEST_QUANTITY, Cart, CartLine, Delivery
from samlad.carts.opening import after_change, open_cart, put
from samlad.carts.permissions import WRITE
from samlad.carts.view_model import CartView
from samlad.kernel.database import Tx
from samlad.kernel.i18n import marked
from samlad.kernel.problems import Conflict, InvalidInput, NotFound
from samlad.stock import HoldLine
from samlad.stock.scanning import Scan

NOT_HERE = marked("There is not so much of this lot here that may be sold.")
TOO_MANY = marked("More of the lot than is on the ticket.")


async def choose(
    tx: Tx, cart_id: UUID, line_id: UUID, data: ChooseLot, *, version: int | None = None
) -> CartView:
    """Say how many units of a lot a line has. Said twice it is the same.

    Raises:
        NotFound, CartClosed, Outdated: no such cart or line, it is closed, or not the version that was seen.
        Conflict: nothing is handed over at a till, or there is not so much of it here.
        InvalidInput: more than the line has.
    """
    tx.actor.require(WRITE)
    cart, channel = await open_cart(tx, cart_id, None, version)
    line = next((each for each in cart.lines if each.id == line_id), None)
    if line is None:
        raise NotFound("There is no such line in this cart.")
    cart = await _chosen(tx, cart, line, data.lot, data.quantity)
    return await after_change(tx, cart, channel)


async def add_scanned(tx: Tx, cart_id: UUID, variant: UUID, scan: Scan, quantity: int = 1) -> CartView:
    """One more of what was scanned (or so much); where the code says of which lot, that lot or piece.

    Raises:
        InvalidInput: nobody has ever seen this lot. Conflict: there is no more of it here, or the piece is on the ticket.
        As `carts.add_line`.
    """
    tx.actor.require(WRITE)
    lot = await stock.scanned_lot(tx, variant, scan)
    cart, channel = await open_cart(tx, cart_id, None, None)
    before = next((line.quantity for line in cart.lines if line.variant == variant), 0)
    view = await put(tx, cart, channel, {variant: min(before + quantity, LARGEST_QUANTITY)})
    if lot is None:
        return view
    cart = msgspec.structs.replace(cart, lines=await store.lines_of(tx, cart.id))
    line = next(line for line in cart.lines if line.variant == variant)
    had = sum(each.quantity for each in cart.lots if each.lot == lot)
    return await after_change(tx, await _chosen(tx, cart, line, lot, had + quantity), channel)


async def _chosen(tx: Tx, cart: Cart, line: CartLine, lot: UUID, quantity: int | None) -> Cart:
    if cart.delivery is not Delivery.CARRY_OUT or cart.location is None:
        raise Conflict("A lot is chosen where goods are handed over at a till.")
    others = [each for each in cart.lots if each.lot != lot]
    if quantity != 0:
        here = await stock.lots_here(tx, cart.location, [line.variant])
        found = next((each for each in here if each.lot == lot), None)
        if found is None or found.on_hand < (quantity or 1):
            raise Conflict.at("code", NOT_HERE)
        needed = line.quantity - sum(each.quantity for each in others if each.variant == line.variant)
        quantity = min(found.on_hand, needed) if quantity is None else quantity
        if not 0 < quantity <= needed:
            raise InvalidInput.at("quantity", TOO_MANY)
        others.append(ChosenLot(variant=line.variant, lot=lot, code=found.code, quantity=quantity))
    await store.set_fields(tx, cart.id, {"lots": others})
    return msgspec.structs.replace(cart, lots=others)


def leaving(cart: Cart, held: Sequence[stock.Hold]) -> list[HoldLine] | None:
    """What leaves with a ticket, by lot where one was chosen; None where none was. A line that shrank has fewer of them."""
    if not cart.lots:
        return None
    rest = {each.lot: each.quantity for each in cart.lots}
    lines: list[HoldLine] = []
    for hold in held:
        left = hold.quantity
        for each in cart.lots:
            units = min(left, rest[each.lot]) if each.variant == hold.variant else 0
            if units:
                lines.append(HoldLine(hold.variant, units, hold.location, each.lot))
                rest[each.lot] -= units
                left -= units
        if left:
            lines.append(HoldLine(hold.variant, left, hold.location))
    return lines
