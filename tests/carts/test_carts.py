"""Carts: what is in them, whose they are, checkout and back."""

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from cart_people import CLERK, begin
from samlad import carts, channels, customers, orders
from samlad.carts import (
    CartClosed,
    CartInput,
    CartStatus,
    CartView,
    DetailsInput,
    LineInput,
    NotSellable,
    PriceChanged,
    view,
)
from samlad.carts.sweepers import sweep_all
from samlad.channels import Resource
from samlad.customers import PersonInput
from samlad.kernel.clock import now
from samlad.kernel.context import SYSTEM, Actor, Context
from samlad.kernel.database import Database, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Forbidden, InvalidInput, NotFound, Outdated
from samlad.orders import PlaceOrder
from samlad.payments import PaymentInput
from samlad.stock import SoldOut
from trade import ADDRESS, BUYER, GUEST, Trade, build


async def test_the_same_thing_twice_is_one_line_with_more(trade: Trade) -> None:
    kettle = await trade.kettle(19_900)
    cart = await trade.cart((kettle, 1))
    cart = await trade.db.transaction(
        lambda tx: carts.add_line(tx, cart.id, LineInput(variant=kettle, quantity=2))
    )
    assert [(line.quantity, line.total, line.tax) for line in cart.lines] == [(3, 59_700, 11_940)]
    assert cart.totals.total == 59_700
    line = cart.lines[0].id
    cart = await trade.db.transaction(lambda tx: carts.change_line(tx, cart.id, line, 5))
    assert cart.lines[0].quantity == 5
    cart = await trade.db.transaction(lambda tx: carts.remove_line(tx, cart.id, line))
    assert cart.lines == []
    assert cart.totals.total == 0


async def test_two_at_once_lose_nothing(trade: Trade) -> None:
    kettle = await trade.kettle()
    cart = await trade.cart((kettle, 1))
    add = LineInput(variant=kettle, quantity=1)
    await asyncio.gather(
        *(trade.db.transaction(lambda tx: carts.add_line(tx, cart.id, add)) for _ in range(10))
    )
    assert (await view(trade.db, SYSTEM, cart.id)).lines[0].quantity == 11


async def test_a_version_that_was_overtaken_is_refused(trade: Trade) -> None:
    kettle = await trade.kettle()
    cart = await trade.cart((kettle, 1))
    add = LineInput(variant=kettle)
    newer = await trade.db.transaction(lambda tx: carts.add_line(tx, cart.id, add, version=cart.version))
    assert newer.version > cart.version
    with pytest.raises(Outdated):
        await trade.db.transaction(lambda tx: carts.add_line(tx, cart.id, add, version=cart.version))
    assert (await view(trade.db, SYSTEM, cart.id)).version == newer.version, "a refusal changes nothing"


async def test_limits(trade: Trade) -> None:
    kettle = await trade.kettle()
    cart = await trade.cart((kettle, 9_999))
    with pytest.raises(InvalidInput):
        await trade.db.transaction(lambda tx: carts.add_line(tx, cart.id, LineInput(variant=kettle)))
    with pytest.raises(NotSellable):
        await trade.db.transaction(lambda tx: carts.add_line(tx, cart.id, LineInput(variant=new_id())))


async def test_the_view_says_what_changed_and_what_is_short(trade: Trade) -> None:
    kettle = await trade.kettle(19_900, quantity=2)
    cart = await trade.cart((kettle, 3))
    assert (cart.lines[0].problem, cart.lines[0].available) == ("short", 2)
    await trade.set_price(kettle, 17_900)
    line = (await view(trade.db, SYSTEM, cart.id)).lines[0]
    assert (line.unit_price, line.price_before, line.total) == (17_900, 19_900, 53_700)
    line = (await trade.db.transaction(lambda tx: carts.accept_prices(tx, cart.id))).lines[0]
    assert (line.unit_price, line.price_before) == (17_900, None)
    await trade.db.rows("UPDATE variant SET status = 'archived' WHERE id = $1 RETURNING 1", kettle)
    assert (await view(trade.db, SYSTEM, cart.id)).lines[0].problem == "not-available"


async def test_another_price_is_said_when_the_quantity_changes_too(trade: Trade) -> None:
    kettle = await trade.kettle(19_900)
    cart = await trade.cart((kettle, 1), **BUYER)
    await trade.set_price(kettle, 21_900)
    more = LineInput(variant=kettle)
    for changed in (
        await trade.db.transaction(lambda tx: carts.change_line(tx, cart.id, cart.lines[0].id, 3)),
        await trade.db.transaction(lambda tx: carts.add_line(tx, cart.id, more)),
        await view(trade.db, SYSTEM, cart.id),
    ):
        line = changed.lines[0]
        assert (line.unit_price, line.price_before, line.news) == (21_900, 19_900, ["price"])
    with pytest.raises(PriceChanged):
        await trade.place(cart.id)
    line = (await trade.db.transaction(lambda tx: carts.accept_prices(tx, cart.id))).lines[0]
    assert (line.unit_price, line.price_before, line.news, line.quantity) == (21_900, None, [], 4)
    assert (await trade.place(cart.id)).total == 4 * 21_900


async def test_guests_open_only_what_their_token_opens(trade: Trade) -> None:
    kettle = await trade.kettle()
    data = CartInput(channel=trade.web.id, lines=[LineInput(variant=kettle)])
    mine, other = [await trade.db.transaction(lambda tx: carts.create(tx, data), GUEST) for _ in range(2)]
    assert mine.token
    assert len(mine.token) >= 43, "32 random bytes"
    assert (await view(trade.db, GUEST.actor, mine.id, token=mine.token)).lines[0].quantity == 1
    for token in (None, other.token, "x"):
        with pytest.raises(NotFound):
            await view(trade.db, GUEST.actor, mine.id, token=token)
        with pytest.raises(NotFound):
            await trade.db.transaction(
                lambda tx, t=token: carts.add_line(tx, mine.id, LineInput(variant=kettle), token=t), GUEST
            )
    for forbidden in (CartInput(channel=trade.malmo.id), CartInput(channel=trade.web.id, customer=new_id())):
        with pytest.raises(Forbidden):
            await trade.db.transaction(lambda tx, d=forbidden: carts.create(tx, d), GUEST)


async def test_a_signed_in_customer_needs_no_token_for_their_own(trade: Trade) -> None:
    pool = trade.web.pools[Resource.CUSTOMERS]
    kim, lo = [
        await trade.db.transaction(
            lambda tx, e=email: customers.find_or_create(tx, pool, PersonInput(email=e, group_name="club"))
        )
        for email in ("kim@example.org", "lo@example.org")
    ]
    as_kim, as_lo = [Context(actor=Actor(kind="customer", id=person.id)) for person in (kim, lo)]
    cart = await trade.db.transaction(lambda tx: carts.create(tx, CartInput(channel=trade.web.id)), as_kim)
    assert cart.customer == kim.id
    assert (await view(trade.db, as_kim.actor, cart.id)).id == cart.id
    with pytest.raises(NotFound):
        await view(trade.db, as_lo.actor, cart.id)


async def test_checkout_holds_stock_and_prices_and_shopping_on_lets_go(trade: Trade) -> None:
    kettle = await trade.kettle(19_900, quantity=3)
    cart = await trade.cart((kettle, 2))
    held = await trade.db.transaction(lambda tx: carts.checkout(tx, cart.id))
    assert held.status is CartStatus.CHECKOUT
    assert held.checkout_until is not None
    assert timedelta(seconds=890) < held.checkout_until - now() <= timedelta(seconds=900)
    assert await trade.level(kettle) == (3, 2)
    again = await trade.db.transaction(lambda tx: carts.checkout(tx, cart.id))
    assert await trade.level(kettle) == (3, 2), "asked twice, held once"
    await trade.set_price(kettle, 29_900)
    assert (await view(trade.db, SYSTEM, cart.id)).totals.total == again.totals.total == 39_800
    named = msgspec.convert({"name": "Kim"}, DetailsInput)
    assert (await trade.db.transaction(lambda tx: carts.set_details(tx, cart.id, named))).status == "checkout"
    shopping = await trade.db.transaction(lambda tx: carts.reopen(tx, cart.id))
    assert shopping.status is CartStatus.OPEN
    assert shopping.totals.total == 59_800
    assert await trade.level(kettle) == (3, 0)
    with pytest.raises(PriceChanged):
        await trade.db.transaction(lambda tx: carts.checkout(tx, cart.id))
    await trade.sound()


async def test_changing_a_line_ends_the_checkout(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=3)
    cart = await trade.cart((kettle, 2))
    await trade.db.transaction(lambda tx: carts.checkout(tx, cart.id))
    changed = await trade.db.transaction(lambda tx: carts.add_line(tx, cart.id, LineInput(variant=kettle)))
    assert (changed.status, changed.checkout_until, changed.lines[0].available) == ("open", None, 3)
    assert await trade.level(kettle) == (3, 0)


async def test_checkout_of_more_than_there_is_holds_nothing(trade: Trade) -> None:
    kettle, filters = await trade.kettle(quantity=1), await trade.kettle(quantity=5)
    cart = await trade.cart((filters, 1), (kettle, 2))
    with pytest.raises(SoldOut):
        await trade.db.transaction(lambda tx: carts.checkout(tx, cart.id))
    assert await trade.level(filters) == (5, 0)
    assert (await view(trade.db, SYSTEM, cart.id)).status is CartStatus.OPEN


@pytest.mark.parametrize("policy", ["order", "none"])
async def test_a_channel_that_does_not_hold_at_checkout(db: Database, policy: str) -> None:
    trade = await build(db, hold_policy=policy)
    kettle = await trade.kettle(quantity=1)
    cart = await trade.cart((kettle, 1))
    await trade.db.transaction(lambda tx: carts.checkout(tx, cart.id))
    assert await trade.level(kettle) == (1, 0)
    await trade.place(cart.id)
    assert await trade.level(kettle) == ((1, 1) if policy == "order" else (1, 0))
    await trade.sound()


async def test_shipping_costs_a_flat_rate_with_its_tax(db: Database) -> None:
    trade = await build(db, shipping_flat=4_900)
    kettle = await trade.kettle(19_900)
    cart = await trade.cart((kettle, 1))
    assert (cart.totals.shipping, cart.totals.shipping_tax, cart.totals.total) == (4_900, 980, 24_800)
    order = await trade.place(cart.id, total=24_800)
    assert [(line.kind, line.total, line.tax) for line in order.lines] == [
        ("item", 19_900, 3_980),
        ("shipping", 4_900, 980),
    ]
    pickup = {"delivery": "pickup", "location": str(trade.at_lund.id), "email": "kim@example.org"}
    assert (await trade.cart((kettle, 1), **pickup)).totals.shipping == 0
    await trade.sound()


async def test_details_are_checked(trade: Trade) -> None:
    cart = await trade.cart()

    async def tell(**details: Any) -> carts.CartView:
        data = msgspec.convert(details, DetailsInput)
        return await trade.db.transaction(lambda tx: carts.set_details(tx, cart.id, data))

    with pytest.raises(InvalidInput) as refused:
        await tell(address=ADDRESS | {"postal_code": "1"})
    assert refused.value.errors[0].field == "address/postal_code"
    with pytest.raises(InvalidInput):
        await tell(location=str(new_id()))
    told = await tell(delivery="pickup", location=str(trade.at_malmo.id))
    assert told.location == trade.at_malmo.id
    assert (await tell(delivery=None)).delivery is None
    assert (await tell(name="Kim")).email == "kim@example.org", "what is left out stays"


async def test_only_staff_hand_goods_over_at_a_till(trade: Trade) -> None:
    kettle = await trade.kettle(at=trade.at_malmo)
    cart = await begin(trade, (kettle, 1))
    here = {"delivery": "carry_out", "location": str(trade.at_malmo.id), "email": "kim@example.org"}
    carried = msgspec.convert(here, DetailsInput)

    async def said(who: Context) -> CartView:
        return await trade.db.transaction(
            lambda tx: carts.set_details(tx, cart.id, carried, token=cart.token), who
        )

    with pytest.raises(Forbidden):
        await said(GUEST)
    with pytest.raises(Forbidden):
        await begin(trade, (kettle, 1), details=carried)
    assert (await said(CLERK)).delivery == "carry_out"
    paid = PlaceOrder(cart=cart.id, payments=[PaymentInput(provider="test")])
    with pytest.raises(Forbidden):
        await trade.db.transaction(lambda tx: orders.place(tx, paid, token=cart.token), GUEST)
    assert (await trade.place(cart.id)).status == "fulfilled"


async def test_sweeping(trade: Trade) -> None:
    kettle = await trade.kettle()
    late, old, young = [await trade.cart((kettle, 1)) for _ in range(3)]
    await trade.db.transaction(lambda tx: carts.checkout(tx, late.id))
    past = now() - timedelta(days=31)
    await trade.db.rows("UPDATE cart SET checkout_until = $2 WHERE id = $1 RETURNING 1", late.id, past)
    await trade.db.rows("UPDATE cart SET updated_at = $2 WHERE id = $1 RETURNING 1", old.id, past)
    assert await sweep_all(trade.db) == 2
    seen = {cart.id: (await view(trade.db, SYSTEM, cart.id)).status for cart in (late, old, young)}
    assert seen == {late.id: "open", old.id: "abandoned", young.id: "open"}
    with pytest.raises(CartClosed):
        await trade.db.transaction(lambda tx: carts.reopen(tx, old.id))


async def test_personal_details_stand_apart_in_the_log(trade: Trade) -> None:
    await trade.cart((await trade.kettle(), 1))
    found = await trade.db.rows("SELECT payload::text AS text FROM event WHERE type LIKE 'cart.%'")
    assert found
    assert not any("kim@example.org" in row["text"] or "Storgatan" in row["text"] for row in found)


async def test_a_store_without_a_place_of_its_own_has_no_till(trade: Trade) -> None:
    await trade.db.rows("UPDATE location SET is_active = false WHERE id = $1 RETURNING 1", trade.at_lund.id)
    lund = await channels.get(trade.db, trade.lund.id)
    with pytest.raises(InvalidInput):
        await trade.db.transaction(lambda tx: carts.create(tx, CartInput(channel=lund.id)))


async def test_said_at_once_a_cart_is_what_it_is_said_step_by_step(trade: Trade) -> None:
    kettle = await trade.kettle(19_900, quantity=5)
    lines, buyer = [LineInput(variant=kettle, quantity=2)], msgspec.convert(BUYER, DetailsInput)
    stepped = await trade.cart((kettle, 2))
    spent = []

    async def work(tx: Tx) -> carts.NewCart:
        made = await carts.create(tx, CartInput(channel=trade.web.id, lines=lines, details=buyer))
        spent.append(tx.statements)
        return made

    made = await trade.db.transaction(work, GUEST)
    alike = {"id", "lines", "version", "updated_at", "token"}
    at_once = {key: value for key, value in msgspec.structs.asdict(made).items() if key not in alike}
    assert at_once == {k: v for k, v in msgspec.structs.asdict(stepped).items() if k not in alike}
    assert at_once == {
        k: v
        for k, v in msgspec.structs.asdict(await view(trade.db, SYSTEM, made.id)).items()
        if k not in alike
    }
    assert (made.lines[0].total, made.version) == (39_800, 1)
    assert spent[0] <= 5
    order = await trade.place(made.id)
    assert (order.email, order.total) == (BUYER["email"], made.totals.total)

    for details, field in (
        (DetailsInput(customer=new_id()), "details/customer"),
        (DetailsInput(label="Mine"), "details/label"),
        (DetailsInput(delivery_method="balloon"), "details/delivery_method"),
        (
            msgspec.convert({"address": ADDRESS | {"postal_code": "1"}}, DetailsInput),
            "details/address/postal_code",
        ),
    ):
        data = CartInput(channel=trade.web.id, lines=lines, details=details)
        with pytest.raises(InvalidInput) as refused:
            await trade.db.transaction(lambda tx, d=data: carts.create(tx, d), GUEST)
        assert refused.value.errors[0].field == field


async def test_a_customer_who_begins_again_says_it_of_the_cart_they_have(trade: Trade) -> None:
    kettle = await trade.kettle(19_900, quantity=5)
    pool = trade.web.pools[Resource.CUSTOMERS]
    kim = await trade.db.transaction(
        lambda tx: customers.find_or_create(tx, pool, PersonInput(email="kim@example.org"))
    )
    as_kim = Context(actor=Actor(kind="customer", id=kim.id))
    lines, buyer = [LineInput(variant=kettle)], msgspec.convert(BUYER, DetailsInput)

    def begin(**fields: Any) -> Any:
        data = CartInput(channel=trade.web.id, **fields)
        return trade.db.transaction(lambda tx: carts.create(tx, data), as_kim)

    first = await begin(lines=lines)
    second = await begin(lines=lines, details=buyer)
    third = await begin(details=DetailsInput(note="Ring twice"))
    assert first.id == second.id == third.id
    assert (third.lines[0].quantity, third.email, third.note) == (2, BUYER["email"], "Ring twice")
    assert third.totals.total == (await view(trade.db, as_kim.actor, first.id)).totals.total
