"""Lots and serial numbers at a till: what is scanned or chosen is what leaves, and nobody sells a piece twice."""

from datetime import timedelta
from uuid import UUID

import pytest

from cart_people import CLERK
from samlad import carts, catalog, stock
from samlad.carts import CartInput, CartView, ChooseLot
from samlad.catalog import ProductChange, Tracking
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.problems import Conflict, InvalidInput
from samlad.payments import PaymentInput
from samlad.stock import NotInStock
from samlad.stock.lots_model import Named
from samlad.stock.scanning import read
from trade import Trade

GTIN = "07310865004703"


async def goods(trade: Trade, tracking: Tracking, **units: int) -> UUID:
    """Something in the store of Malmö that is kept by lot."""
    variant = await trade.kettle(quantity=0)

    async def work(tx: Tx) -> None:
        found = await catalog.by_ids(tx, [variant])
        await catalog.change(tx, found[variant].product, ProductChange(tracking=tracking))
        for days, (code, count) in enumerate(units.items(), 30):
            day = now().date() + timedelta(days=days) if tracking is Tracking.EXPIRY else None
            of = await stock.resolve_lots(tx, [Named(variant, count, code, day)])
            await stock.receive(tx, trade.at_malmo.id, [(variant, count)], lots=of)

    await trade.db.transaction(work)
    return variant


async def scan(trade: Trade, cart: CartView, variant: UUID, lot: str, ai: str = "10") -> CartView:
    read_ = read(f"01{GTIN}{ai}{lot}")
    return await trade.db.transaction(lambda tx: carts.add_scanned(tx, cart.id, variant, read_), CLERK)


async def choose(trade: Trade, cart: CartView, lot: UUID, quantity: int | None = None) -> CartView:
    data = ChooseLot(lot=lot, quantity=quantity)
    line = cart.lines[0].id
    return await trade.db.transaction(lambda tx: carts.choose_lot(tx, cart.id, line, data), CLERK)


async def empty(trade: Trade) -> CartView:
    data = CartInput(channel=trade.malmo.id)
    return await trade.db.transaction(lambda tx: carts.create(tx, data), CLERK)


async def there(trade: Trade, variant: UUID) -> dict[str, int]:
    here = await stock.lots_here(trade.db, trade.at_malmo.id, [variant])
    return {each.code: each.on_hand for each in here}


async def test_what_was_scanned_and_chosen_leaves(trade: Trade) -> None:
    variant = await goods(trade, Tracking.EXPIRY, SOON=4, LATE=5)
    ids = {each.code: each.lot for each in await stock.lots_here(trade.db, trade.at_malmo.id, [variant])}
    cart = await empty(trade)
    await scan(trade, cart, variant, "LATE")
    seen = await scan(trade, cart, variant, "LATE")
    assert (seen.lines[0].quantity, [(each.code, each.quantity) for each in seen.lots]) == (2, [("LATE", 2)])
    with pytest.raises(InvalidInput, match="no lot"):
        await scan(trade, cart, variant, "NEVER")
    with pytest.raises(InvalidInput):
        await choose(trade, seen, ids["SOON"], 1)
    more = await trade.db.transaction(lambda tx: carts.change_line(tx, cart.id, seen.lines[0].id, 4), CLERK)
    one = await choose(trade, more, ids["SOON"], 1)
    assert {each.code: each.quantity for each in one.lots} == {"LATE": 2, "SOON": 1}
    assert (await choose(trade, one, ids["SOON"])).lots == (await choose(trade, one, ids["SOON"])).lots
    with pytest.raises(Conflict):
        await choose(trade, one, ids["LATE"], 6)
    await choose(trade, one, ids["SOON"], 0)
    await trade.place(cart.id, PaymentInput(provider="cash"))
    assert await there(trade, variant) == {"SOON": 2, "LATE": 3}, "what nobody chose goes by its turn"
    await trade.agree()


async def test_a_piece_by_its_number_is_sold_once(trade: Trade) -> None:
    variant = await goods(trade, Tracking.SERIAL, S1=1, S2=1, S3=1)
    first, second = await empty(trade), await empty(trade)
    await scan(trade, first, variant, "S2", ai="21")
    with pytest.raises(Conflict):
        await scan(trade, first, variant, "S2", ai="21")
    await scan(trade, second, variant, "S2", ai="21")
    await trade.place(first.id, PaymentInput(provider="cash"))
    assert set(await there(trade, variant)) == {"S1", "S3"}
    with pytest.raises(NotInStock):
        await trade.place(second.id, PaymentInput(provider="cash"))
    view = await carts.view(trade.db, CLERK.actor, second.id)
    assert view.status == "open"
    gone = await trade.db.transaction(lambda tx: carts.change_line(tx, second.id, view.lines[0].id, 0), CLERK)
    assert gone.lots == []
