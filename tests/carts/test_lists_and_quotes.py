"""Saved for later, wish lists, gift notes, and quotes that become carts."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from cart_people import CLERK, begin, customer, has
from samlad import carts
from samlad.carts import DetailsInput, LineChanged, PriceChanged, QuoteExpired, QuoteInput, QuoteLine, view
from samlad.kernel.clock import now
from samlad.kernel.problems import Conflict, Forbidden, InvalidInput, NotFound
from trade import BUYER, GUEST, Trade


async def test_saved_for_later_and_back_with_all_that_is_on_it(trade: Trade) -> None:
    kettle, filters = await trade.kettle(19_900), await trade.kettle(4_900)
    cart = await begin(trade, (kettle, 2), (filters, 1))
    line = cart.lines[0]

    async def save(
        cart_id: object, line_id: object, to: object = None, version: int | None = None
    ) -> carts.CartView:
        return await trade.db.transaction(
            lambda tx: carts.save_line(
                tx,
                cart_id,
                line_id,
                to,
                line_version=version,
                token=cart.token,  # type: ignore[arg-type]
            ),
            GUEST,
        )

    await trade.db.transaction(
        lambda tx: carts.change_line(tx, cart.id, line.id, gift_note="For Lo", token=cart.token), GUEST
    )
    with pytest.raises(LineChanged):
        await save(cart.id, line.id, version=1)
    assert has(await save(cart.id, line.id, version=2)) == {filters: 1}
    (saved,) = await carts.lists_beside(trade.db, GUEST.actor, cart.id, token=cart.token)
    assert (saved.kind, saved.lines[0].quantity, saved.lines[0].gift_note) == ("saved", 2, "For Lo")
    await trade.set_price(kettle, 17_900)
    await save(saved.id, saved.lines[0].id, cart.id)
    back = await view(trade.db, GUEST.actor, cart.id, token=cart.token)
    assert has(back) == {kettle: 2, filters: 1}
    kettle_line = next(each for each in back.lines if each.variant == kettle)
    assert (kettle_line.price_before, kettle_line.gift_note) == (19_900, "For Lo")
    for each in back.lines:
        await save(cart.id, each.id)
    assert len(await carts.lists_beside(trade.db, GUEST.actor, cart.id, token=cart.token)) == 1, "one list"
    with pytest.raises(InvalidInput):
        await trade.place(saved.id)
    with pytest.raises(InvalidInput):
        await trade.db.transaction(lambda tx: carts.checkout(tx, saved.id))


async def test_what_was_saved_stays_when_the_cart_was_ordered(trade: Trade) -> None:
    kettle, filters = await trade.kettle(), await trade.kettle()
    cart = await begin(trade, (kettle, 1), (filters, 1))
    await trade.db.transaction(
        lambda tx: carts.save_line(tx, cart.id, cart.lines[0].id, token=cart.token), GUEST
    )
    details = msgspec.convert(BUYER, DetailsInput)
    await trade.db.transaction(lambda tx: carts.set_details(tx, cart.id, details, token=cart.token), GUEST)
    await trade.place(cart.id)
    data = carts.CartInput(channel=trade.web.id)
    new = await trade.db.transaction(lambda tx: carts.create(tx, data, token=cart.token), GUEST)
    assert new.token == cart.token
    (saved,) = await carts.lists_beside(trade.db, GUEST.actor, new.id, token=new.token)
    assert has(saved) == {kettle: 1}
    unknown = await trade.db.transaction(lambda tx: carts.create(tx, data, token="a" * 43), GUEST)
    assert unknown.token != "a" * 43, "a token is random, never the guest's own invention"


async def test_what_was_saved_is_still_seen_when_the_cart_goes_into_another(trade: Trade) -> None:
    kettle, mug = await trade.kettle(), await trade.kettle(5_000)
    phone, desk = await begin(trade, (kettle, 1), (mug, 1)), await begin(trade, (kettle, 1))
    await trade.db.transaction(
        lambda tx: carts.save_line(tx, phone.id, phone.lines[1].id, token=phone.token), GUEST
    )
    offer = await trade.db.transaction(lambda tx: carts.offer(tx, desk.id, token=desk.token), GUEST)
    taken = carts.TakeOver(channel=trade.web.id, code=offer.code)
    opened = await trade.db.transaction(lambda tx: carts.take_over(tx, taken, token=phone.token), GUEST)
    assert opened.token not in (phone.token, desk.token)
    await trade.db.transaction(
        lambda tx: carts.combine(tx, desk.id, phone.id, token=opened.token, other_token=phone.token), GUEST
    )
    (saved,) = await carts.lists_beside(trade.db, GUEST.actor, desk.id, token=opened.token)
    assert has(saved) == {mug: 1}
    assert await carts.lists_beside(trade.db, GUEST.actor, desk.id, token=desk.token) == [], "not by others"


async def test_many_hands_save_and_nothing_is_lost(trade: Trade) -> None:
    variants = [await trade.kettle() for _ in range(6)]
    cart = await begin(trade, *((variant, 1) for variant in variants))
    await asyncio.gather(
        *(
            trade.db.transaction(
                lambda tx, line=line: carts.save_line(tx, cart.id, line.id, token=cart.token), GUEST
            )
            for line in cart.lines
        )
    )
    (saved,) = await carts.lists_beside(trade.db, GUEST.actor, cart.id, token=cart.token)
    assert set(has(saved)) == set(variants)


async def test_a_wish_list_is_shared_like_a_cart(trade: Trade) -> None:
    kettle, kim = await trade.kettle(), await customer(trade, "kim@example.org")
    wishes = await begin(trade, (kettle, 1), who=kim, kind="wish", label="Birthday")
    cart = await begin(trade, who=kim)
    assert cart.id != wishes.id
    assert [each.label for each in await carts.lists_beside(trade.db, kim.actor, cart.id)] == ["Birthday"]
    offer = await trade.db.transaction(lambda tx: carts.offer(tx, wishes.id), kim)
    data = carts.TakeOver(channel=trade.web.id, secret=offer.secret)
    friend = await trade.db.transaction(lambda tx: carts.take_over(tx, data), GUEST)
    assert has(friend) == {kettle: 1}


async def test_gift_notes_of_cart_and_line(trade: Trade) -> None:
    kettle = await trade.kettle()
    cart = await begin(trade, (kettle, 1))
    details = msgspec.convert({"gift_note": "Happy birthday!"}, DetailsInput)
    await trade.db.transaction(lambda tx: carts.set_details(tx, cart.id, details, token=cart.token), GUEST)
    noted = await trade.db.transaction(
        lambda tx: carts.change_line(tx, cart.id, cart.lines[0].id, gift_note="Yours", token=cart.token),
        GUEST,
    )
    assert (noted.gift_note, noted.lines[0].gift_note, noted.lines[0].quantity) == (
        "Happy birthday!",
        "Yours",
        1,
    )
    rows = await trade.db.rows("SELECT payload::text AS text FROM event WHERE type LIKE 'cart.%'")
    assert not any("birthday" in row["text"] or "Yours" in row["text"] for row in rows), (
        "personal: kept apart"
    )


async def quoted(trade: Trade, *lines: QuoteLine, days: float = 7) -> carts.NewCart:
    data = QuoteInput(
        channel=trade.web.id, lines=list(lines), until=now() + timedelta(days=days), label="Office"
    )
    return await trade.db.transaction(lambda tx: carts.quote(tx, data), CLERK)


async def test_a_quote_becomes_a_cart_whose_prices_stand(trade: Trade) -> None:
    kettle, filters = await trade.kettle(19_900), await trade.kettle(4_900)
    offer = await quoted(
        trade, QuoteLine(variant=kettle, quantity=3, unit_price=15_000), QuoteLine(variant=filters)
    )
    assert (offer.kind, offer.totals.total) == ("quote", 49_900)
    with pytest.raises(InvalidInput):
        await trade.place(offer.id)
    for price in (25_000, 26_000):
        await trade.set_price(kettle, price)
        await trade.set_price(filters, price)
        cart = await trade.db.transaction(
            lambda tx: carts.accept_quote(tx, offer.id, token=offer.token), GUEST
        )
    assert (cart.id, cart.kind, cart.totals.total) == (offer.id, "cart", 49_900)
    assert [line.news for line in cart.lines] == [[], []]
    changed = await trade.db.transaction(
        lambda tx: carts.change_line(tx, cart.id, cart.lines[1].id, 2, token=offer.token),
        GUEST,
    )
    assert changed.totals.total == 45_000 + 52_000, "another quantity has the usual price"
    assert (changed.lines[1].price_before, changed.lines[1].news) == (4_900, ["price"]), "and says so"
    details = msgspec.convert(BUYER, DetailsInput)
    await trade.db.transaction(lambda tx: carts.set_details(tx, cart.id, details, token=offer.token), GUEST)
    with pytest.raises(PriceChanged):
        await trade.place(cart.id)
    await trade.db.transaction(lambda tx: carts.accept_prices(tx, cart.id, token=offer.token), GUEST)
    await trade.db.transaction(lambda tx: carts.checkout(tx, cart.id, token=offer.token), GUEST)
    order = await trade.place(cart.id)
    assert order.total == 97_000
    await trade.sound()


async def test_an_expired_quote_says_so(trade: Trade) -> None:
    kettle = await trade.kettle(19_900)
    offer = await quoted(trade, QuoteLine(variant=kettle, unit_price=15_000))
    await trade.db.rows("UPDATE cart SET quoted_until = now() RETURNING 1")
    await trade.db.rows("UPDATE cart_line SET price_until = now() RETURNING 1")
    with pytest.raises(QuoteExpired):
        await trade.db.transaction(lambda tx: carts.accept_quote(tx, offer.id, token=offer.token), GUEST)
    seen = await view(trade.db, GUEST.actor, offer.id, token=offer.token)
    assert (seen.lines[0].unit_price, seen.lines[0].price_before) == (19_900, 15_000)


async def test_who_quotes_and_what(trade: Trade) -> None:
    kettle = await trade.kettle()
    data = QuoteInput(
        channel=trade.web.id, lines=[QuoteLine(variant=kettle)], until=now() + timedelta(days=1)
    )
    with pytest.raises(Forbidden):
        await trade.db.transaction(lambda tx: carts.quote(tx, data), GUEST)
    for days in (-1, 400):
        with pytest.raises(InvalidInput):
            await quoted(trade, QuoteLine(variant=kettle), days=days)
    with pytest.raises(InvalidInput):
        await quoted(trade, QuoteLine(variant=kettle), QuoteLine(variant=kettle))
    cart = await begin(trade, (kettle, 1))
    with pytest.raises(Conflict):
        await trade.db.transaction(lambda tx: carts.accept_quote(tx, cart.id, token=cart.token), GUEST)
    with pytest.raises(NotFound):
        await trade.db.transaction(lambda tx: carts.accept_quote(tx, cart.id), GUEST)
