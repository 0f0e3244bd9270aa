"""Stock that is held as soon as it is in the cart, sales that are parked, and news of what has changed meanwhile."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from cart_people import CLERK, begin, customer, has
from samlad import carts, stock
from samlad.carts import CartStatus, DetailsInput, LineInput, view
from samlad.kernel.clock import now
from samlad.kernel.context import SYSTEM
from samlad.kernel.database import Database
from samlad.kernel.ids import new_id
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import Forbidden, InvalidInput
from samlad.stock import SoldOut
from trade import GUEST, Trade, build


@pytest.fixture
async def holding(db: Database) -> Trade:
    """A retailer that holds in carts, for ten minutes."""
    return await build(db, hold_policy="cart", cart_hold_seconds=600)


async def kinds(trade: Trade, cart: object) -> list[tuple[str, int]]:
    held = await stock.holds_of(trade.db, cart)  # type: ignore[arg-type]
    return sorted((hold.kind, hold.quantity) for hold in held)


async def test_what_is_in_the_cart_is_held_and_what_is_taken_out_is_free(holding: Trade) -> None:
    kettle, filters = await holding.kettle(quantity=3), await holding.kettle(quantity=5)
    cart = await begin(holding, (kettle, 2), (filters, 1))
    assert cart.held_until is not None
    assert timedelta(seconds=590) < cart.held_until - now() <= timedelta(seconds=600)
    assert [line.available for line in cart.lines] == [3, 5], "its own are among them"
    assert await holding.level(kettle) == (3, 2)

    async def change(index: int, quantity: int) -> carts.CartView:
        return await holding.db.transaction(
            lambda tx: carts.change_line(tx, cart.id, cart.lines[index].id, quantity, token=cart.token), GUEST
        )

    await change(0, 1)
    assert await holding.level(kettle) == (3, 1)
    with pytest.raises(SoldOut):
        await change(0, 4)
    assert await holding.level(kettle) == (3, 1), "refused, nothing changed"
    await change(0, 0)
    await change(1, 0)
    assert (await holding.level(kettle), await holding.level(filters)) == ((3, 0), (5, 0))
    await holding.sound()


async def test_the_last_one_is_in_one_cart_only(holding: Trade) -> None:
    kettle = await holding.kettle(quantity=1)
    made = await asyncio.gather(*(begin(holding, (kettle, 1)) for _ in range(5)), return_exceptions=True)
    assert sorted(type(each).__name__ for each in made) == ["NewCart"] + ["SoldOut"] * 4


async def test_from_the_cart_through_the_checkout_to_the_order(holding: Trade) -> None:
    kettle = await holding.kettle(quantity=3)
    cart = await holding.cart((kettle, 2))
    assert await kinds(holding, cart.id) == [("cart", 2)]
    paying = await holding.db.transaction(lambda tx: carts.checkout(tx, cart.id))
    assert (await kinds(holding, cart.id), paying.held_until) == ([("checkout", 2)], paying.checkout_until)
    back = await holding.db.transaction(lambda tx: carts.reopen(tx, cart.id))
    assert (back.status, await kinds(holding, cart.id)) == ("open", [("cart", 2)])
    order = await holding.place(cart.id)
    assert await kinds(holding, order.id) == [("order", 2)]
    assert await kinds(holding, cart.id) == []
    await holding.sound()


async def test_time_runs_out_and_activity_begins_it_anew(holding: Trade) -> None:
    kettle, filters = await holding.kettle(quantity=2), await holding.kettle()
    cart = await begin(holding, (kettle, 2))
    for table in ("cart SET held_until", "hold SET expires_at"):
        await holding.db.rows(f"UPDATE {table} = now() - interval '1 minute' RETURNING 1")
    await stock.sweep(holding.db)
    assert await holding.level(kettle) == (2, 0)
    other = await begin(holding, (kettle, 1))
    seen = await view(holding.db, SYSTEM, cart.id)
    assert (seen.lines[0].available, seen.lines[0].problem, seen.lines[0].news) == (1, "short", ["short"])
    again = await holding.db.transaction(
        lambda tx: carts.add_line(tx, cart.id, LineInput(variant=filters), token=cart.token), GUEST
    )
    assert has(again) == {kettle: 2, filters: 1}, "what cannot be held any more stays and says so"
    assert await kinds(holding, cart.id) == [("cart", 1), ("cart", 1)]
    assert again.held_until is not None
    assert again.held_until > now()
    await holding.db.transaction(
        lambda tx: carts.change_line(tx, other.id, other.lines[0].id, 0, token=other.token), GUEST
    )
    await holding.sound()


async def test_picked_up_elsewhere_other_pieces_are_held(holding: Trade) -> None:
    kettle = await holding.kettle(quantity=2)
    await holding.db.transaction(lambda tx: stock.receive(tx, holding.at_lund.id, [(kettle, 2)]))
    cart = await holding.cart((kettle, 2))
    details = msgspec.convert({"delivery": "pickup", "location": str(holding.at_lund.id)}, DetailsInput)
    await holding.db.transaction(lambda tx: carts.set_details(tx, cart.id, details))
    assert (await holding.level(kettle), await holding.level(kettle, holding.at_lund)) == ((2, 0), (2, 2))
    await holding.place(cart.id)
    assert await holding.level(kettle, holding.at_lund) == (2, 2)
    await holding.sound()


async def test_a_merge_takes_its_holds_along_and_undo_brings_them_back(holding: Trade) -> None:
    kettle, kim = await holding.kettle(quantity=3), await customer(holding, "kim@example.org")
    own = await begin(holding, (kettle, 1), who=kim)
    guest = await begin(holding, (kettle, 2))
    assert await holding.level(kettle) == (3, 3)
    done = await holding.db.transaction(lambda tx: carts.attach(tx, guest.id, token=guest.token), kim)
    held = await stock.holds_of(holding.db, own.id)
    assert (has(done.cart), sum(hold.quantity for hold in held)) == ({kettle: 2}, 2)
    assert await holding.level(kettle) == (3, 2)
    await holding.db.transaction(lambda tx: carts.undo(tx, own.id, done.merge), kim)  # type: ignore[arg-type]
    assert (await kinds(holding, own.id), await kinds(holding, guest.id)) == ([("cart", 1)], [("cart", 2)])
    assert await holding.level(kettle) == (3, 3)
    await holding.sound()


async def test_saved_for_later_is_not_held(holding: Trade) -> None:
    kettle = await holding.kettle(quantity=3)
    cart = await begin(holding, (kettle, 2))
    await holding.db.transaction(
        lambda tx: carts.save_line(tx, cart.id, cart.lines[0].id, token=cart.token), GUEST
    )
    assert await holding.level(kettle) == (3, 0)


# -- parked sales ------------------------------------------------------------------------------------------------------


async def test_a_parked_sale_holds_for_a_while_and_goes_on(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=3, at=trade.at_malmo)
    ticket = await begin(trade, (kettle, 2), who=CLERK, channel=trade.malmo)
    for _ in range(2):  # twice is once
        parked = await trade.db.transaction(lambda tx: carts.park(tx, ticket.id, "Blue coat"), CLERK)
    assert (parked.status, parked.label) == ("parked", "Blue coat")
    assert parked.held_until is not None
    assert timedelta(hours=3) < parked.held_until - now() <= timedelta(hours=4)
    assert await kinds(trade, ticket.id) == [("parked", 2)]
    found = await carts.LISTING.page(trade.db, ListQuery(filters={"status": "parked"}), None)
    (row,) = found.items
    assert (row.id, row.channel, row.label, row.items, row.value) == (
        ticket.id,
        "malmo",
        "Blue coat",
        2,
        39_800,
    )
    again = await trade.db.transaction(lambda tx: carts.resume(tx, ticket.id), CLERK)
    assert (again.status, again.held_until, await kinds(trade, ticket.id)) == ("open", None, [])
    await trade.place(ticket.id)
    await trade.sound()


async def test_who_parks_and_what(trade: Trade) -> None:
    kettle = await trade.kettle(at=trade.at_malmo)
    cart = await begin(trade, (kettle, 1))
    with pytest.raises(Forbidden):
        await trade.db.transaction(lambda tx: carts.park(tx, cart.id), GUEST)
    bound = msgspec.structs.replace(
        CLERK,
        actor=msgspec.structs.replace(CLERK.actor, id=new_id(), locations=frozenset({trade.at_lund.id})),
    )
    ticket = await begin(trade, (kettle, 1), who=CLERK, channel=trade.malmo)
    with pytest.raises(Forbidden):
        await trade.db.transaction(lambda tx: carts.park(tx, ticket.id), bound)
    empty = await begin(trade, who=CLERK, channel=trade.malmo)
    with pytest.raises(InvalidInput):
        await trade.db.transaction(lambda tx: carts.park(tx, empty.id), CLERK)


async def test_a_change_to_a_parked_sale_takes_it_up_again(db: Database) -> None:
    trade = await build(db, parked_hold_seconds=0)
    kettle = await trade.kettle(at=trade.at_malmo)
    ticket = await begin(trade, (kettle, 1), who=CLERK, channel=trade.malmo)
    parked = await trade.db.transaction(lambda tx: carts.park(tx, ticket.id), CLERK)
    assert (parked.held_until, await kinds(trade, ticket.id)) == (None, [])
    more = await trade.db.transaction(
        lambda tx: carts.add_line(tx, ticket.id, LineInput(variant=kettle)), CLERK
    )
    assert (more.status, has(more)) == (CartStatus.OPEN, {kettle: 2})


# -- news --------------------------------------------------------------------------------------------------------------


async def test_what_changed_since_the_last_look_is_said(trade: Trade) -> None:
    kettle, filters = await trade.kettle(quantity=2), await trade.kettle(quantity=2)
    cart = await begin(trade, (kettle, 2), (filters, 2))
    assert [line.news for line in cart.lines] == [[], []]
    thief = await trade.buy((kettle, 1))
    await trade.db.rows(
        "UPDATE product SET status = 'archived' FROM variant WHERE variant.product = product.id AND variant.id = $1 RETURNING 1",
        filters,
    )
    seen = await view(trade.db, GUEST.actor, cart.id, token=cart.token)
    assert [line.news for line in seen.lines] == [["short"], ["not-available"]]
    await trade.db.transaction(
        lambda tx: carts.remove_line(tx, cart.id, cart.lines[1].id, token=cart.token), GUEST
    )
    known = await trade.db.transaction(lambda tx: carts.accept_prices(tx, cart.id, token=cart.token), GUEST)
    assert (known.lines[0].problem, known.lines[0].news) == ("short", [])
    await trade.db.transaction(lambda tx: stock.release(tx, thief.id))
    back = await view(trade.db, GUEST.actor, cart.id, token=cart.token)
    assert (back.lines[0].problem, back.lines[0].news) == (None, ["back"])
