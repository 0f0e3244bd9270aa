"""Stripe, against our own contract fake (`fake_stripe`): idempotency, declines, 3-D Secure, silence, webhooks."""

import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any
from uuid import UUID

import httpx
import pytest
from desk import Desk, hurry
from fake_stripe import KEYS, WEBHOOK, FakeStripe, signed

from fake_bank import FakeBank
from samlad import customers, payments
from samlad.carts import paying
from samlad.channels import Resource
from samlad.customers import PersonInput
from samlad.kernel.context import GUEST, Actor, Context
from samlad.kernel.problems import Forbidden, InvalidInput, NotFound
from samlad.orders import today
from samlad.payments import StartInput, settlements, stripe
from samlad.payments.webhooks import NotSigned, verify
from trade import Trade

ApiAs = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
async def fake(trade: Trade, api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> FakeStripe:
    """Stripe with its keys set by the API."""
    made = FakeStripe()
    monkeypatch.setattr(
        stripe,
        "connect",
        lambda keys: httpx.AsyncClient(base_url=keys.base_url, transport=httpx.MockTransport(made)),
    )
    answer = await api.put("/api/payment-providers/stripe", json=KEYS)
    assert answer.status_code == 204, answer.text
    return made


@pytest.fixture
def desk(trade: Trade, fake: FakeStripe) -> Desk:
    return Desk(trade, FakeBank())


async def begin(api: httpx.AsyncClient, cart: UUID, key: str = "k", **fields: Any) -> dict[str, Any]:
    answer = await api.post(
        f"/api/carts/{cart}/payments", json={"provider": "stripe", **fields}, headers={"Idempotency-Key": key}
    )
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def place(api: httpx.AsyncClient, cart: UUID, payment: str) -> httpx.Response:
    body = {"cart": str(cart), "payments": [{"provider": "stripe", "payment": payment}]}
    return await api.post("/api/orders", json=body, headers={"Idempotency-Key": f"order-{cart}"})


async def knock(api: httpx.AsyncClient, thing: dict[str, Any], **how: Any) -> httpx.Response:
    body, headers = signed(thing, **how)
    return await api.post("/webhooks/in/stripe", content=body, headers=headers)


async def test_from_the_client_secret_to_the_refund(
    desk: Desk, fake: FakeStripe, api: httpx.AsyncClient
) -> None:
    cart = await desk.cart()
    begun = await begin(api, cart.id)
    assert begun["status"] == "pending"
    assert begun["action"] == {
        "kind": "client_secret",
        "client_secret": "pi_1_secret_x",
        "publishable_key": KEYS["publishable_key"],
        "url": None,
    }
    assert await begin(api, cart.id) == begun  # the same key: the same payment, and as it stands now
    assert (await place(api, cart.id, begun["id"])).json()["type"] == "/problems/payment-pending"
    fake.confirm("pi_1", "pm_card_visa")  # the browser confirms, and no webhook ever comes
    await hurry(desk.db)
    placed = await place(api, cart.id, begun["id"])
    assert placed.status_code == 201, placed.text
    assert placed.json()["payment_status"] == "authorized"
    await desk.settle()
    order = await desk.order(UUID(placed.json()["id"]))
    assert (order.payment_status, order.paid, fake.kept) == ("paid", 19_900, 19_900)
    fake.refund_status = "pending"
    await desk.cancel(order.id)
    await hurry(desk.db)
    await desk.settle_once()
    assert (await desk.order(order.id)).refunds[0].status == "pending"
    fake.refunds["re_1"]["status"] = "succeeded"
    await desk.settle()
    order = await desk.order(order.id)
    assert (order.refunds[0].status, order.refunds[0].reference, fake.kept) == ("done", "re_1", 0)
    assert len(fake.intents) == len(fake.refunds) == 1
    posts = [key for method, _, key in fake.requests if method == "POST"]
    assert all(posts)
    await desk.trade.sound()


async def test_every_silence_is_survived_and_nothing_happens_twice(
    desk: Desk, fake: FakeStripe, api: httpx.AsyncClient
) -> None:
    cart = await desk.cart()
    fake.silent.extend(["after"])
    begun = await begin(api, cart.id, token="pm_card_visa")
    assert (begun["status"], begun["action"]) == (
        "pending",
        None,
    )  # the customer is told that it takes longer
    assert len(fake.intents) == 1
    fake.silent.extend(["before", "after"])
    await desk.settle()
    placed = await place(api, cart.id, begun["id"])
    assert placed.status_code == 201, placed.text
    fake.silent.extend(["before", "after", "before"])
    await desk.settle()
    assert fake.kept == 19_900
    fake.silent.extend(["after", "before", "before"])
    await desk.cancel(UUID(placed.json()["id"]))
    await desk.settle()
    assert (fake.kept, len(fake.intents), len(fake.refunds)) == (0, 1, 1)
    await desk.trade.sound()


async def test_a_refund_whose_key_stripe_has_forgotten_is_found_and_not_made_twice(
    desk: Desk, fake: FakeStripe, api: httpx.AsyncClient
) -> None:
    cart = await desk.cart()
    begun = await begin(api, cart.id, token="pm_card_visa")
    order = (await place(api, cart.id, begun["id"])).json()
    await desk.settle()
    fake.silent.append("after")
    await desk.cancel(UUID(order["id"]))
    await desk.settle_once()
    fake.answers.clear()  # a day later
    await desk.settle()
    assert (len(fake.refunds), fake.kept) == (1, 0)


async def test_a_declined_card_and_then_another_one(
    desk: Desk, fake: FakeStripe, api: httpx.AsyncClient
) -> None:
    cart = await desk.cart()
    declined = await begin(api, cart.id, "first", token="pm_card_chargeDeclined")
    assert (declined["status"], declined["reason"]) == ("declined", "generic_decline")
    refused = await place(api, cart.id, declined["id"])
    assert refused.json()["type"] == "/problems/payment-not-usable"
    begun = await begin(api, cart.id, "second")
    fake.confirm("pi_2", "pm_card_chargeDeclined")
    await hurry(desk.db)
    seen = (await api.get(f"/api/carts/{cart.id}/payments/{begun['id']}")).json()
    assert (seen["status"], seen["reason"]) == ("pending", "card_declined")
    assert seen["action"]["client_secret"] == "pi_2_secret_x"  # the same page takes another card
    fake.confirm("pi_2", "pm_card_visa")
    await hurry(desk.db)
    assert (await place(api, cart.id, begun["id"])).status_code == 201


async def test_a_card_that_stripe_keeps_is_charged_without_its_customer(
    desk: Desk, fake: FakeStripe, api: httpx.AsyncClient, api_as: ApiAs
) -> None:
    cart = await desk.cart()
    begun = await begin(api, cart.id, token="cus_1:pm_card_visa")
    assert (begun["status"], fake.intents["pi_1"]["customer"]) == ("authorized", "cus_1")
    assert fake.intents["pi_1"]["off_session"]
    other = await desk.cart()
    asks = await begin(api, other.id, "asks", token="cus_1:pm_card_authenticationRequired")
    assert (asks["status"], asks["reason"]) == ("declined", "authentication_required")
    async with api_as(GUEST) as guest:
        made = await guest.post("/api/carts", json={"channel": str(desk.trade.web.id)})
        stolen = {"provider": "stripe", "token": "cus_1:pm_card_visa"}
        where = f"/api/carts/{made.json()['id']}/payments"
        refused = await guest.post(where, json=stolen, headers={"Cart-Token": made.json()["token"]})
        assert refused.status_code in (401, 403), refused.text
    assert len(fake.intents) == 2


@pytest.mark.parametrize("succeeds", [True, False])
async def test_three_d_secure(desk: Desk, fake: FakeStripe, api: httpx.AsyncClient, succeeds: bool) -> None:
    cart = await desk.cart()
    begun = await begin(api, cart.id, token="pm_card_threeDSecure2Required")
    assert begun["action"]["client_secret"] == "pi_1_secret_x"
    fake.authenticate("pi_1", succeeds=succeeds)
    assert (await knock(api, fake.intents["pi_1"])).status_code == 200
    seen = (await api.get(f"/api/carts/{cart.id}/payments")).json()[0]
    assert seen["status"] == ("authorized" if succeeds else "pending")
    assert (seen["reason"] is None) == succeeds
    await desk.expire()
    await desk.settle()
    assert fake.intents["pi_1"]["status"] == "canceled"


async def test_webhooks_come_before_after_five_times_and_out_of_order(
    desk: Desk, fake: FakeStripe, api: httpx.AsyncClient, api_as: ApiAs
) -> None:
    cart = await desk.cart()
    begun = await begin(api, cart.id)
    early = dict(fake.intents["pi_1"])
    fake.confirm("pi_1", "pm_card_visa")
    async with api_as(GUEST) as stranger:
        for _ in range(5):
            assert (await knock(stranger, fake.intents["pi_1"])).status_code == 200
        placed = await place(api, cart.id, begun["id"])
        assert placed.status_code == 201
        await knock(stranger, early)  # old news
        await desk.settle()
        for kind in ("payment_intent.succeeded", "charge.captured", "payment_intent.created"):
            thing = dict(fake.intents["pi_1"])
            if kind.startswith("charge"):
                thing = {"id": "ch_1", "object": "charge", "payment_intent": "pi_1", "metadata": {}}
            assert (await knock(stranger, thing, kind=kind)).status_code == 200
        assert (
            await knock(stranger, {"id": "pi_of_somebody_else", "object": "payment_intent"})
        ).status_code == 200
    order = await desk.order(UUID(placed.json()["id"]))
    assert (order.payment_status, order.paid, fake.kept) == ("paid", 19_900, 19_900)
    told = [
        row["type"]
        for row in await desk.db.rows("SELECT type FROM event WHERE type LIKE 'payment.%' ORDER BY seq")
    ]
    assert told.count("payment.authorized") == told.count("payment.captured") == 1
    await desk.trade.sound()


async def test_what_was_done_in_stripes_own_pages_is_seen(
    desk: Desk, fake: FakeStripe, api: httpx.AsyncClient
) -> None:
    cart = await desk.cart()
    begun = await begin(api, cart.id, token="pm_card_visa")
    fake.intents["pi_1"]["status"] = "canceled"  # ran out, or somebody there
    await knock(api, fake.intents["pi_1"])
    assert (await place(api, cart.id, begun["id"])).json()["type"] == "/problems/payment-not-usable"


async def test_an_unsigned_webhook_is_refused(fake: FakeStripe, api: httpx.AsyncClient) -> None:
    body, headers = signed({"id": "pi_1"})
    for changed in (
        {},
        {"stripe-signature": "t=1,v1=x"},
        {"stripe-signature": headers["stripe-signature"] + "0"},
    ):
        answer = await api.post("/webhooks/in/stripe", content=body, headers=changed)
        assert (answer.status_code, answer.json()["type"]) == (401, "/problems/webhook-signature")
    assert (await api.post("/webhooks/in/stripe", content=body + b" ", headers=headers)).status_code == 401
    old, headers = signed({"id": "pi_1"}, at=time.time() - 301)
    assert (await api.post("/webhooks/in/stripe", content=old, headers=headers)).status_code == 401
    broken, _ = b"no json", None
    good = signed({})[1]["stripe-signature"].split(",")[0].removeprefix("t=")
    import hmac
    from hashlib import sha256

    sign = hmac.new(WEBHOOK.encode(), f"{good}.".encode() + broken, sha256).hexdigest()
    headers = {"stripe-signature": f"t={good},v0=x,v1={sign}"}
    assert (await api.post("/webhooks/in/stripe", content=broken, headers=headers)).status_code == 400


def test_signatures_are_of_the_raw_body_and_of_now() -> None:
    body, headers = signed({"id": "pi_1"}, at=1000)
    verify(WEBHOOK, headers["stripe-signature"], body, at=1300)
    for at in (1301, 699):
        with pytest.raises(NotSigned, match="old"):
            verify(WEBHOOK, headers["stripe-signature"], body, at=at)
    with pytest.raises(NotSigned):
        verify("another", headers["stripe-signature"], body, at=1000)


async def test_keys_are_sealed_and_never_told(
    trade: Trade, fake: FakeStripe, api: httpx.AsyncClient, api_as: ApiAs
) -> None:
    known = {each["name"]: each for each in (await api.get("/api/payment-providers")).json()}
    assert known["stripe"]["is_set_up"] is True
    everything = (
        str(await trade.db.rows("SELECT * FROM secret"))
        + str(await trade.db.rows("SELECT before, after, difference FROM audit_entry"))
        + str(await trade.db.rows("SELECT payload FROM event"))
    )
    assert KEYS["secret_key"] not in everything
    assert "payment-provider.set-up" in str(await trade.db.rows("SELECT verb FROM audit_entry"))
    async with api_as(GUEST) as stranger:
        assert (await stranger.put("/api/payment-providers/stripe", json=KEYS)).status_code == 401
    assert (await api.delete("/api/payment-providers/stripe")).status_code == 204
    cart = await trade.cart((await trade.kettle(), 1))
    begun = await begin(api, cart.id)
    assert (begun["status"], begun["action"]) == ("pending", None)
    body, headers = signed({"id": "pi_1"})
    assert (await api.post("/webhooks/in/stripe", content=body, headers=headers)).status_code == 401


async def test_an_old_authorisation_is_searched_for_and_not_repeated(
    desk: Desk, fake: FakeStripe, api: httpx.AsyncClient
) -> None:
    cart = await desk.cart()
    fake.silent.append("after")
    await begin(api, cart.id, token="pm_card_visa")
    await desk.db.rows("UPDATE payment_operation SET created_at = now() - interval '25 hours' RETURNING 1")
    fake.answers.clear()
    await desk.expire()
    await desk.settle()
    assert [i["status"] for i in fake.intents.values()] == ["canceled"]


CARD = "4242 4242 4242 4242"


def leaks(text: str) -> bool:
    """Whether a part of the card number stands in it."""
    return any(part in text for part in ("4242 4242", "4242-4242", "42424242"))


async def test_a_card_number_is_refused_everywhere_and_kept_nowhere(
    trade: Trade, fake: FakeStripe, api: httpx.AsyncClient, capfd: pytest.CaptureFixture[str]
) -> None:
    cart = await trade.cart((await trade.kettle(), 1))
    order = await trade.buy((await trade.kettle(), 1))
    tries: list[tuple[str, dict[str, Any]]] = [
        (f"/api/carts/{cart.id}/payments", {"provider": "stripe", "token": CARD}),
        (f"/api/carts/{cart.id}/payments", {"provider": "a4242424242424242"}),
        ("/api/orders", {"cart": str(cart.id), "payments": [{"provider": "test", "token": CARD}]}),
        ("/api/orders", {"cart": str(cart.id), "payments": [{"provider": "b4242424242424242"}]}),
        (f"/api/orders/{order.id}/cancel", {"reason": f"paid with {CARD}"}),
        (f"/api/orders/{order.id}/return", {"reason": f"paid with {CARD} 12/29"}),
        ("/api/payment-receipts", {"amount": 1, "currency": "SEK", "reference": CARD}),
        ("/api/payment-receipts", {"amount": 1, "currency": "SEK", "reference": "x", "note": CARD}),
        ("/api/payment-receipts", {"amount": 1, "currency": "SEK", "reference": "x", "bank_id": CARD}),
        (f"/api/payments/{order.payments[0].id}/receive", {"amount": 1, "note": CARD}),
    ]
    for path, body in tries:
        answer = await api.post(path, json=body)
        assert (answer.status_code, answer.json().get("type")) == (422, "/problems/card-number"), (
            path,
            answer.text,
        )
        assert not leaks(answer.text)
    typed = await api.patch(f"/api/carts/{cart.id}", json={"name": f"Kim {CARD}"})
    assert typed.json()["type"] == "/problems/card-number"
    unknown = await api.post(f"/api/carts/{cart.id}/payments", json={"provider": "stripe", CARD: "x"})
    assert not leaks(unknown.text)
    assert unknown.status_code in (400, 422)
    headers = {"Idempotency-Key": CARD.replace(" ", "-")}
    answer = await api.post(f"/api/carts/{cart.id}/payments", json={"provider": "stripe"}, headers=headers)
    assert answer.json()["type"] == "/problems/card-number"
    for table in (
        "event",
        "audit_entry",
        "payment",
        "payment_operation",
        "payment_receipt",
        "refund",
        "idempotency",
    ):
        assert not leaks(str([tuple(row) for row in await trade.db.rows(f"SELECT * FROM {table}")])), table
    said = capfd.readouterr()
    assert not leaks(said.out + said.err)
    assert fake.requests == []


async def test_a_card_is_kept_for_a_member_paid_with_again_and_forgotten(
    desk: Desk, fake: FakeStripe, trade: Trade
) -> None:
    db = trade.db
    pool = trade.web.pools[Resource.CUSTOMERS]
    people = [PersonInput(email=f"{name}@example.org") for name in ("kim", "robin")]
    kim, robin = [
        (await db.transaction(lambda tx, p=p: customers.find_or_create(tx, pool, p, channel=trade.web.id))).id
        for p in people
    ]
    acting, other = (
        Context(actor=Actor(kind="customer", id=who), channel=trade.web.id) for who in (kim, robin)
    )

    async def cart_of(who: UUID) -> UUID:
        made = await desk.cart()
        await db.rows(
            "UPDATE cart SET customer = $2, is_current = false WHERE id = $1 RETURNING 1", made.id, who
        )
        return made.id

    first, second, theirs = await cart_of(kim), await cart_of(kim), await cart_of(robin)
    keep = StartInput(provider="stripe", keep=True)
    with pytest.raises(Forbidden):
        await db.transaction(lambda tx: paying.begin(tx, first, keep))
    begun = await db.transaction(lambda tx: paying.begin(tx, first, keep), acting)
    await desk.look(first, begun.id)
    assert await payments.kept_cards(db, kim) == [], "nothing is kept before it has paid"
    fake.confirm("pi_1", "pm_card_visa")
    begun = await desk.look(first, begun.id)
    await desk.look(first, begun.id)
    [card] = await payments.kept_cards(db, kim)
    assert (card.brand, card.last_four, str(card.expires_on)) == ("visa", "4242", "2031-02-28")
    await desk.place(first, begun)
    again = StartInput(provider="stripe", token=f"kept:{card.id}")
    with pytest.raises(InvalidInput):
        await db.transaction(lambda tx: paying.begin(tx, theirs, again), other)
    paid = await db.transaction(lambda tx: paying.begin(tx, second, again), acting)
    assert (await desk.look(second, paid.id)).status == "authorized"
    intent = fake.intents["pi_2"]
    assert (intent["customer"], intent["off_session"]) == (f"cus_{str(kim)[-12:]}", False)
    with pytest.raises(NotFound):
        await db.transaction(lambda tx: payments.remove_kept(tx, robin, card.id), other)
    for _ in range(2):
        await db.transaction(lambda tx: payments.remove_kept(tx, kim, card.id), acting)
    assert await payments.kept_cards(db, kim) == []
    fake.silent.append("before")
    for _ in range(3):
        await desk.settle_once()
    assert fake.detached == ["pm_card_visa"]


async def test_what_stripe_keeps_and_pays_out_is_read_once(
    desk: Desk, fake: FakeStripe, api: httpx.AsyncClient, trade: Trade
) -> None:
    cart = await desk.cart()
    begun = await begin(api, cart.id)
    fake.confirm("pi_1", "pm_card_visa")
    await desk.look(cart.id, UUID(begun["id"]))
    fake.balance = [
        {
            "id": "txn_3",
            "type": "payout",
            "amount": -19_290,
            "fee": 0,
            "currency": "sek",
            "created": 1_790_000_300,
        },
        {
            "id": "txn_2",
            "type": "stripe_fee",
            "amount": -200,
            "fee": 0,
            "currency": "sek",
            "created": 1_790_000_200,
        },
        {
            "id": "txn_1",
            "type": "charge",
            "amount": 19_900,
            "fee": 410,
            "currency": "sek",
            "created": 1_790_000_100,
            "source": {"id": "ch_1", "payment_intent": "pi_1"},
        },
    ]
    assert await settlements.fetch(trade.db) == 3, "by pages of two"
    assert await settlements.fetch(trade.db) == 0
    rows = await trade.db.rows("SELECT kind, amount, fee, payment FROM payment_settlement ORDER BY reference")
    assert [(row["kind"], row["amount"], row["fee"]) for row in rows] == [
        ("charge", 19_900, 410),
        ("fee", 0, 200),
        ("payout", -19_290, 0),
    ]
    assert str(rows[0]["payment"]) == begun["id"]
    listed = (await api.get("/api/payment-settlements?kind=payout")).json()
    assert [each["reference"] for each in listed["items"]] == ["txn_3"]
    fake.silent.append("before")
    assert await settlements.fetch(trade.db) == 0, "silence is tried again in an hour"


async def test_a_refund_that_was_done_and_failed_after_all_waits_for_a_person(
    desk: Desk, fake: FakeStripe, api: httpx.AsyncClient
) -> None:
    cart = await desk.cart()
    begun = await begin(api, cart.id, token="pm_card_visa")
    order = UUID((await place(api, cart.id, begun["id"])).json()["id"])
    await desk.settle()
    await desk.cancel(order)
    await desk.settle()
    assert (await desk.order(order)).refunds[0].status == "done"
    await knock(api, fake.refunds["re_1"], kind="refund.updated")
    assert (await desk.order(order)).refunds[0].status == "done"
    fake.refunds["re_1"] |= {"status": "failed", "failure_reason": "lost_or_stolen_card"}
    entry = {"id": "txn_f", "type": "refund_failure", "amount": 19_900, "fee": 0, "currency": "sek"}
    fake.balance = [entry | {"created": int(time.time()), "source": fake.refunds["re_1"]}]
    for _ in range(2):
        await knock(api, fake.refunds["re_1"], kind="refund.failed")
    await settlements.fetch(desk.db)
    await desk.trade.follow()
    found = await desk.order(order)
    assert (found.refunded, found.refunds[0].status, found.refunds[0].problem) == (
        0,
        "failed",
        "lost_or_stolen_card",
    )
    assert (await today.waiting(desk.db, None)).not_refunded == 1
    told = "SELECT count(*) FROM event WHERE type = 'payment.refund_failed'"
    assert await desk.db.value(told) == 1
    booked = "SELECT sum(amount)::bigint FROM voucher_line WHERE purpose = 'clearing:stripe'"
    assert await desk.db.value(booked) == 19_900, "it is with Stripe again, once"
    by_bank = {"way": "bank_transfer", "reference": "B-1"}
    sent = await api.post(f"/api/refunds/{found.refunds[0].id}/otherwise", json=by_bank)
    assert sent.status_code in (200, 201), sent.text
    await desk.trade.agree()


async def test_what_was_given_back_in_stripes_own_pages_is_given_back_here(
    desk: Desk, fake: FakeStripe, api: httpx.AsyncClient
) -> None:
    cart = await desk.cart()
    begun = await begin(api, cart.id, token="pm_card_visa")
    order = UUID((await place(api, cart.id, begun["id"])).json()["id"])
    await desk.settle()
    given = {"object": "refund", "payment_intent": "pi_1", "currency": "sek", "metadata": {}}
    fake.refunds["re_x"] = given | {"id": "re_x", "amount": 5_000, "status": "pending"}
    await knock(api, fake.refunds["re_x"], kind="refund.created")
    assert (await desk.order(order)).refunds == [], "it is on its way"
    fake.refunds["re_x"]["status"] = "succeeded"
    for _ in range(2):
        await knock(api, fake.refunds["re_x"], kind="refund.updated")
    fake.refunds["re_y"] = given | {"id": "re_y", "amount": 15_000, "status": "succeeded"}
    await knock(api, fake.refunds["re_y"], kind="refund.created")  # more than there is: a person must look
    del fake.refunds["re_y"]
    await desk.trade.agree()
    found = await desk.order(order)
    assert (found.refunded, [(r.reference, r.amount, str(r.status)) for r in found.refunds]) == (
        5_000,
        [("re_x", 5_000, "done")],
    )
    assert (await desk.cancel(order)).refunded == 19_900
    await desk.settle()
    assert fake.kept == 0
    await desk.trade.agree()


def test_a_currency_that_stripe_counts_otherwise_is_not_paid_with() -> None:
    """One that has no coins of a hundredth by CLDR has them by Stripe: 1999 dinars would be charged as 19.99."""
    assert [c for c in ("SEK", "EUR", "HUF", "JPY", "KWD", "MGA") if not stripe.is_supported(c)] == []
    assert [c for c in ("RSD", "ISK", "UGX", "LBP", "IQD", "ALL") if stripe.is_supported(c)] == []
