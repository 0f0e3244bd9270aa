"""Who wants goods that are in stock: lists and carts change, and so does stock."""

from typing import Any
from uuid import UUID

from audience import Audience
from samlad import carts, stock
from samlad.audiences import live
from samlad.carts import CartInput, CartKind, LineInput
from samlad.stock import LocationChange


async def _wants(audience: Audience, variant: UUID, kind: CartKind) -> UUID:
    """Somebody with one such thing on a list."""
    person = await audience.person()
    data = CartInput(
        channel=audience.trade.web.id,
        customer=person,
        kind=kind,
        lines=[LineInput(variant=variant, quantity=1)],
    )
    await audience.db.transaction(lambda tx: carts.create(tx, data))
    return person


async def test_who_wants_what_is_in_stock(audience: Audience) -> None:
    trade = audience.trade
    kettle = await trade.kettle(quantity=0)
    sku = await audience.db.value("SELECT sku FROM variant WHERE id = $1", kettle)

    async def made(**what: Any) -> UUID:
        return (await audience.segment(str(what), {"kind": "wanted", **what})).id

    wished, gone = await made(on="wish"), await made(on="wish", stock="sold_out")
    last, other = await made(at_most=2), await made(goods={"skus": ["another"]})
    same = await made(on="saved", goods={"skus": [sku]})
    kim, lo = await _wants(audience, kettle, CartKind.WISH), await _wants(audience, kettle, CartKind.SAVED)

    async def now_in() -> list[set[str]]:
        await audience.follow()
        await audience.sound()
        called = {kim: "kim", lo: "lo"}
        return [
            {called[each] for each in await audience.members(one)}
            for one in (wished, gone, last, other, same)
        ]

    assert await now_in() == [set(), {"kim"}, set(), set(), set()]
    place = trade.at_lund.id
    await audience.db.transaction(lambda tx: stock.receive(tx, place, [(kettle, 2)]))
    assert await now_in() == [{"kim"}, set(), {"kim", "lo"}, set(), {"lo"}]
    await audience.db.transaction(lambda tx: stock.receive(tx, place, [(kettle, 3)]))
    assert await now_in() == [{"kim"}, set(), set(), set(), {"lo"}]
    # What others hold cannot be had.
    cart = await trade.cart((kettle, 5))
    order = await trade.place(cart.id, pay_later=True)
    assert await now_in() == [set(), {"kim"}, set(), set(), set()]
    await audience.cancels(order.id)
    assert await now_in() == [{"kim"}, set(), set(), set(), {"lo"}]
    # What a location keeps back is nobody's movement: each night it is looked at.
    await audience.db.transaction(lambda tx: stock.change_location(tx, place, LocationChange(buffer=5)))
    await live.catch_up_goods(audience.db)
    assert await now_in() == [set(), {"kim"}, set(), set(), set()]
