"""One cart, many hands: line versions, who did what, listening, hand-over, another channel."""

import asyncio
from datetime import timedelta

import httpx
import pytest

import horizon
from cart_people import CLERK, begin, customer, has
from samlad import carts
from samlad.carts import CartClosed, LineChanged, LineInput, OfferGone, TakeOver, topic_of, view
from samlad.carts.handover import TRIES, count_try
from samlad.channels import ChannelInput, ChannelKind
from samlad.channels import create as create_channel
from samlad.kernel import live, log
from samlad.kernel.clock import now
from samlad.kernel.context import SYSTEM, Context
from samlad.kernel.database import Tx
from samlad.kernel.problems import Conflict, Forbidden, NotFound, TooMany
from trade import GUEST, Trade


async def test_different_lines_never_clash_and_of_the_same_line_the_later_is_told(trade: Trade) -> None:
    cart = await begin(trade, (await trade.kettle(), 1), (await trade.kettle(), 1))
    first, second = cart.lines

    async def change(line: carts.LineView, quantity: int, version: int | None) -> carts.CartView:
        return await trade.db.transaction(
            lambda tx: carts.change_line(
                tx, cart.id, line.id, quantity, line_version=version, token=cart.token
            ),
            GUEST,
        )

    await change(first, 2, first.version)
    both = await change(second, 3, second.version)
    assert [line.quantity for line in both.lines] == [2, 3]
    with pytest.raises(LineChanged) as told:
        await change(first, 9, first.version)
    assert (told.value.extra["line"]["quantity"], told.value.extra["line"]["version"]) == (2, 2)
    assert (await change(first, 9, None)).lines[0].quantity == 9, "without a version the last word counts"
    await change(first, 0, None)
    with pytest.raises(LineChanged) as told:
        await change(first, 1, 3)
    assert told.value.extra["line"] is None


async def test_fifty_edits_each_from_two_devices_are_all_there(trade: Trade) -> None:
    kettle, filters = await trade.kettle(), await trade.kettle()
    cart = await begin(trade, (kettle, 1), (filters, 1))
    versions: list[int] = []

    async def device(variant: object, who: Context, token: str | None) -> None:
        for _ in range(50):
            line = LineInput(variant=variant)  # type: ignore[arg-type]
            shown = await trade.db.transaction(
                lambda tx, line=line: carts.add_line(tx, cart.id, line, token=token), who
            )
            versions.append(shown.version)

    await asyncio.gather(device(kettle, GUEST, cart.token), device(filters, CLERK, None))
    shown = await view(trade.db, SYSTEM, cart.id)
    assert has(shown) == {kettle: 51, filters: 51}
    assert [line.version for line in shown.lines] == [51, 51]
    assert sorted(versions) == list(range(cart.version + 1, cart.version + 101)), "each change is a version"


async def test_who_put_it_in_and_who_changed_it_is_seen(trade: Trade) -> None:
    kettle, filters = await trade.kettle(), await trade.kettle()
    cart = await begin(trade, (kettle, 1))
    await trade.db.transaction(lambda tx: carts.add_line(tx, cart.id, LineInput(variant=filters)), CLERK)
    shown = await trade.db.transaction(lambda tx: carts.change_line(tx, cart.id, cart.lines[0].id, 2), CLERK)
    assert [(line.added_by, line.changed_by) for line in shown.lines] == [
        ("guest", "staff"),
        ("staff", "staff"),
    ]


async def test_who_may_listen(trade: Trade) -> None:
    kim = await customer(trade, "kim@example.org")
    cart, own = await begin(trade), await begin(trade, who=kim)
    assert cart.token
    heard = frozenset({f"cart:{cart.id}"})
    for actor, topic in [
        (GUEST.actor, topic_of(cart.id, cart.token)),
        (GUEST.actor, f"cart:{cart.id}.{cart.token}"),
        (CLERK.actor, f"cart:{cart.id}"),
    ]:
        assert await live.admit(trade.db, actor, [topic]) == heard
    assert await live.admit(trade.db, kim.actor, [f"cart:{own.id}"]) == {f"cart:{own.id}"}
    for actor, topic in [
        (GUEST.actor, f"cart:{cart.id}"),
        (GUEST.actor, topic_of(own.id, cart.token)),
        (kim.actor, f"cart:{cart.id}"),
        (GUEST.actor, f"cart:{cart.id}.{'0' * 64}"),
    ]:
        with pytest.raises(NotFound):
            await live.admit(trade.db, actor, [topic])
    key = topic_of(cart.id, cart.token).partition(".")[2]
    with pytest.raises(NotFound):
        await view(trade.db, GUEST.actor, cart.id, token=key)


async def test_what_listeners_hear(trade: Trade) -> None:
    kettle = await trade.kettle()
    cart = await begin(trade)
    await horizon.passed(trade.db)
    start = await log.end(trade.db)
    await trade.db.transaction(lambda tx: carts.add_line(tx, cart.id, LineInput(variant=kettle)), CLERK)
    await horizon.passed(trade.db)
    events, _ = await log.read(trade.db, start)
    told = [m for event in events for m in live._messages(event, {f"cart:{cart.id}"}.__contains__)]
    assert [message.event.type for message in told] == ["cart.line_changed"]
    assert str(kettle).encode() not in told[0].frame, "that something happened, never what"


async def test_a_cart_is_handed_over_once_and_shared(trade: Trade) -> None:
    kettle = await trade.kettle()
    cart = await begin(trade, (kettle, 1))
    offer = await trade.db.transaction(lambda tx: carts.offer(tx, cart.id, token=cart.token), GUEST)
    by_code = TakeOver(channel=trade.web.id, code=offer.code)
    phone = await trade.db.transaction(lambda tx: carts.take_over(tx, by_code), GUEST)
    assert phone.id == cart.id
    assert phone.token not in (None, cart.token)
    for data in (by_code, TakeOver(channel=trade.web.id, secret=offer.secret)):
        with pytest.raises(OfferGone):
            await trade.db.transaction(lambda tx, data=data: carts.take_over(tx, data), GUEST)
    line = LineInput(variant=kettle)
    for token in (cart.token, phone.token):  # both are in it
        shown = await trade.db.transaction(
            lambda tx, token=token: carts.add_line(tx, cart.id, line, token=token), GUEST
        )
    assert has(shown) == {kettle: 3}
    (device,) = await carts.devices(trade.db, GUEST.actor, cart.id, token=cart.token)
    assert device.how == "code"
    for _ in range(2):  # twice is once
        await trade.db.transaction(
            lambda tx: carts.remove_device(tx, cart.id, device.id, token=cart.token), GUEST
        )
    with pytest.raises(NotFound):
        await view(trade.db, GUEST.actor, cart.id, token=phone.token)


async def test_of_many_that_take_over_at_once_one_does(trade: Trade) -> None:
    cart = await begin(trade, (await trade.kettle(), 1))
    offer = await trade.db.transaction(lambda tx: carts.offer(tx, cart.id, token=cart.token), GUEST)
    data = TakeOver(channel=trade.web.id, secret=offer.secret)
    tries = [trade.db.transaction(lambda tx: carts.take_over(tx, data), GUEST) for _ in range(6)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NewCart"] + ["OfferGone"] * 5


async def test_an_offer_runs_out_is_replaced_and_taken_back(trade: Trade) -> None:
    cart = await begin(trade, (await trade.kettle(), 1))

    async def offer() -> TakeOver:
        made = await trade.db.transaction(lambda tx: carts.offer(tx, cart.id, token=cart.token), GUEST)
        assert timedelta(seconds=590) < made.expires_at - now() <= timedelta(seconds=600)
        return TakeOver(channel=trade.web.id, secret=made.secret)

    async def is_good(data: TakeOver) -> bool:
        try:
            await trade.db.transaction(lambda tx: carts.take_over(tx, data), GUEST)
        except OfferGone:
            return False
        return True

    old, new = await offer(), await offer()
    assert not await is_good(old)
    assert await is_good(new)
    late = await offer()
    await trade.db.rows("UPDATE cart_handover SET expires_at = now() RETURNING 1")
    assert not await is_good(late)
    gone = await offer()
    await trade.db.transaction(lambda tx: carts.withdraw(tx, cart.id, token=cart.token), GUEST)
    assert not await is_good(gone)
    kept = await trade.db.rows("SELECT secret_hash, code_hash FROM cart_handover")
    assert all(len(row["secret_hash"]) == len(row["code_hash"]) == 32 for row in kept)


async def test_codes_cannot_be_tried_out(trade: Trade) -> None:
    stranger = Context(actor=GUEST.actor, remote="192.0.2.7")
    for _ in range(TRIES):
        await count_try(trade.db, stranger)
    with pytest.raises(TooMany):
        await count_try(trade.db, stranger)
    await count_try(trade.db, Context(actor=GUEST.actor, remote="192.0.2.8"))


async def test_the_till_opens_a_customers_cart_and_the_phone_stays_in_it(trade: Trade) -> None:
    kettle = await trade.kettle(19_900, at=trade.at_malmo)
    cart = await begin(trade, (kettle, 1))
    offer = await trade.db.transaction(lambda tx: carts.offer(tx, cart.id, token=cart.token), GUEST)
    data = TakeOver(channel=trade.malmo.id, code=f" {offer.code[:3]} {offer.code[3:]}")
    with pytest.raises(Forbidden):
        await trade.db.transaction(lambda tx: carts.take_over(tx, data), GUEST)
    ticket = await trade.db.transaction(lambda tx: carts.take_over(tx, data), CLERK)
    assert (ticket.channel, ticket.delivery, ticket.location, ticket.token) == (
        trade.malmo.id,
        "carry_out",
        trade.at_malmo.id,
        None,
    )
    assert has(await view(trade.db, GUEST.actor, cart.id, token=cart.token)) == {kettle: 1}
    order = await trade.place(ticket.id)
    assert (order.channel, order.status) == (trade.malmo.id, "fulfilled")
    with pytest.raises(CartClosed):
        await trade.db.transaction(
            lambda tx: carts.add_line(tx, cart.id, LineInput(variant=kettle), token=cart.token), GUEST
        )
    await trade.sound()


async def test_another_channels_prices_count_and_differences_are_said(trade: Trade) -> None:
    kettle = await trade.kettle(19_900)
    cart = await begin(trade, (kettle, 1))

    async def bring(channel: object, who: Context = SYSTEM_CONTEXT) -> carts.CartView:
        return await trade.db.transaction(
            lambda tx: carts.bring(tx, cart.id, channel, token=cart.token),
            who,  # type: ignore[arg-type]
        )

    await trade.set_price(kettle, 17_900)
    at_till = await bring(trade.malmo.id)
    assert (at_till.lines[0].unit_price, at_till.lines[0].price_before) == (17_900, 19_900)
    assert at_till.lines[0].news == ["price", "short"], "it lies in the warehouse, not here"
    back = await bring(trade.web.id, GUEST)
    assert (back.channel, back.delivery, back.location) == (trade.web.id, None, None)
    apart = await trade.db.transaction(
        lambda tx: create_channel(
            tx,
            ChannelInput(code="apart", name="Apart", kind=ChannelKind.WEBSHOP, parent="web"),
        )
    )
    with pytest.raises(Conflict):
        await bring(apart.id)


SYSTEM_CONTEXT = Context(actor=SYSTEM)


async def test_over_http(trade: Trade, api_as: object) -> None:
    kettle = await trade.kettle()
    async with api_as(GUEST.actor) as api:  # type: ignore[operator]
        api: httpx.AsyncClient
        made = (await api.post("/api/carts", json={"channel": str(trade.web.id)})).json()
        token = {"Cart-Token": made["token"]}
        path = f"/api/carts/{made['id']}"
        line = {"variant": str(kettle), "quantity": 2}
        shown = (await api.post(f"{path}/lines", json=line, headers=token)).json()
        at = f"{path}/lines/{shown['lines'][0]['id']}"
        noted = await api.patch(at, json={"gift_note": "For Lo", "version": 1}, headers=token)
        assert noted.json()["lines"][0]["gift_note"] == "For Lo"
        late = await api.patch(at, json={"quantity": 3, "version": 1}, headers=token)
        assert (late.status_code, late.json()["line"]["version"]) == (409, 2)
        key = {"Idempotency-Key": "offer", **token}
        offer = await api.post(f"{path}/offer", headers=key)
        assert (await api.post(f"{path}/offer", headers=key)).json() == offer.json()
        joined = await api.post(
            "/api/carts/continue", json={"channel": str(trade.web.id), "code": offer.json()["code"]}
        )
        assert joined.json()["lines"][0]["quantity"] == 2
        assert len((await api.get(f"{path}/devices", headers=token)).json()) == 1
        assert (await api.get("/api/carts")).status_code == 401
        assert (await api.post(f"{path}/park", json={}, headers=token)).status_code == 401


async def test_putting_something_in_takes_few_statements(trade: Trade) -> None:
    kettle = await trade.kettle()
    cart = await begin(trade, (await trade.kettle(), 1))
    counted: list[int] = []

    async def work(tx: Tx) -> None:
        await carts.add_line(tx, cart.id, LineInput(variant=kettle), token=cart.token)
        counted.append(tx.statements)

    await trade.db.transaction(work, GUEST)
    assert counted[0] <= 6, counted  # the cart, its lines, prices, stock, the write, its lines again
