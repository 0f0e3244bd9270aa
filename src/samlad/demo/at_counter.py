"""What a day at the counter of one of the demo's stores left: sales with a tip for whoever was on, and gift cards that are printed and wait."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from samlad import carts, channels, orders, stock
from samlad.access import staff
from samlad.access.permissions import Role, permissions_of
from samlad.carts import CartInput, Delivery, DetailsInput, LineInput
from samlad.credit.at_till import PrepareInput, prepare
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Tx
from samlad.orders import PlaceOrder
from samlad.payments import PaymentInput

CLERKS = ("sam@gift-shop.example", "olivia@gift-shop.example")
SALES = ((0, 2, 100, "cash"), (0, 1, 50, "test"), (1, 1, 200, "cash"), (0, 3, 0, "cash"))
"""Whose (of `CLERKS`), how many pieces, what was given for the staff (pence), and how it was paid."""
CARDS = 3


async def trade(tx: Tx, store: str, variants: Sequence[UUID]) -> int:
    """Ring it all up, each sale of one of the variants in turn, and have the cards printed; how many sales. Once: who calls it holds that."""
    channel, place = await channels.by_code(tx, store), await stock.location_by_code(tx, store)
    house = tx.context
    on = [await _on(tx, email, house) for email in CLERKS]
    for number, (who, pieces, tip, provider) in enumerate(SALES):
        lines = [LineInput(variant=variants[number % len(variants)], quantity=pieces)]
        tx.context = on[who]  # the tip is theirs
        try:
            carried = DetailsInput(delivery=Delivery.CARRY_OUT, location=place.id)
            cart = await carts.create(tx, CartInput(channel=channel.id, lines=lines, details=carried))
            paid = [PaymentInput(provider=provider)]
            await orders.place(tx, PlaceOrder(cart=cart.id, payments=paid, tip=tip))
        finally:
            tx.context = house
    await prepare(tx, PrepareInput(channel=channel.id, count=CARDS, note="At the counter, to be sold"))
    return len(SALES)


async def _on(tx: Tx, email: str, house: Context) -> Context:
    person = await staff.by_email(tx, email)
    actor = Actor(kind="staff", id=person.id, name=person.name, permissions=permissions_of(Role.OWNER))
    return msgspec.structs.replace(house, actor=actor)
