"""Disputes (chargebacks and inquiries), against our own contract fake of Stripe."""

import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any

import httpx
import msgspec
import pytest
from desk import Desk
from fake_stripe import KEYS, FakeStripe, signed

from fake_bank import FakeBank
from samlad.access import staff
from samlad.access.permissions import Role
from samlad.access.staff import StaffInput
from samlad.app import CHECKS
from samlad.kernel import mail
from samlad.kernel.database import Database
from samlad.kernel.vault import Vault
from samlad.orders import Order, today
from samlad.payments import disputes, settlements, stripe
from trade import Trade

ApiAs = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]
WORTH = 19_900


@pytest.fixture
async def fake(trade: Trade, api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> FakeStripe:
    """Stripe with its keys set by the API."""
    made = FakeStripe()
    monkeypatch.setattr(
        stripe,
        "connect",
        lambda keys: httpx.AsyncClient(base_url=keys.base_url, transport=httpx.MockTransport(made)),
    )
    assert (await api.put("/api/payment-providers/stripe", json=KEYS)).status_code == 204
    return made


@pytest.fixture
def desk(trade: Trade, fake: FakeStripe) -> Desk:
    return Desk(trade, FakeBank())


@pytest.fixture
async def paid(desk: Desk) -> Order:
    """A kettle that was paid by card (``pi_1``)."""
    cart = await desk.cart()
    attempt = await desk.begin(cart.id, "pm_card_visa", "stripe")
    placed = await desk.place(cart.id, attempt)
    await desk.settle()
    return await desk.order(placed.id)


async def knock(api: httpx.AsyncClient, thing: dict[str, Any], kind: str, **how: Any) -> None:
    body, headers = signed(thing, f"charge.dispute.{kind}", **how)
    answer = await api.post("/webhooks/in/stripe", content=body, headers=headers)
    assert answer.status_code == 200, answer.text


async def told(db: Database) -> list[str]:
    rows = await db.rows("SELECT type FROM event WHERE type LIKE 'payment.disput%' ORDER BY seq")
    return [row["type"].removeprefix("payment.") for row in rows]


async def booked(db: Database, purpose: str) -> int:
    found: int = await db.value(
        "SELECT coalesce(sum(amount), 0)::bigint FROM voucher_line WHERE purpose LIKE $1", purpose
    )
    return found


async def test_a_dispute_is_known_at_its_order_and_lost_it_is_money_out(
    desk: Desk, fake: FakeStripe, api: httpx.AsyncClient, paid: Order
) -> None:
    db = desk.db
    thing = fake.dispute("pi_1")
    for kind in ("created", "funds_withdrawn", "created"):
        await knock(api, thing, kind)
    assert await told(db) == ["disputed"]
    [one] = (await api.get(f"/api/payment-disputes?order={paid.id}")).json()["items"]
    for query, count in ((f"q={paid.number}", 1), ("q=dp_1", 1), ("q=zz", 0), ("status=lost", 0)):
        assert len((await api.get(f"/api/payment-disputes?{query}")).json()["items"]) == count, query
    assert (one["number"], one["status"], one["is_inquiry"]) == (paid.number, "needs_response", False)
    assert (one["amount"], one["currency"], one["reason"]) == (WORTH, "SEK", "fraudulent")
    due = datetime.fromisoformat(one["evidence_due_at"]).timestamp()
    assert due == thing["evidence_details"]["due_by"]
    assert one["url"] == "https://dashboard.stripe.com/test/disputes/dp_1"
    assert (await today.waiting(db, None)).disputed == 1
    listed = (await api.get("/api/orders?disputed=true")).json()["items"]
    assert [row["id"] for row in listed] == [str(paid.id)]
    page = (await api.get(f"/admin/orders/{paid.id}", headers={"accept": "text/html"})).text
    for text in ("They say that they did not pay", "dashboard.stripe.com/test/disputes/dp_1", "Answer by"):
        assert text in page
    await desk.trade.agree()
    await knock(api, fake.decide("dp_1", "lost"), "closed")
    assert await told(db) == ["disputed", "dispute_closed"]
    assert await settlements.fetch(db) == 0, "the account tells of the same entry"
    await desk.trade.agree()
    assert (await booked(db, "provider_adjustments"), await booked(db, "provider_fees")) == (WORTH, 15_000)
    assert await booked(db, "clearing:stripe") == -15_000, "what came in is gone, and the fee with it"
    assert (await today.waiting(db, None)).disputed == 0
    [payment] = (await desk.order(paid.id)).payments
    assert (payment.captured, payment.refunded, payment.disputed, payment.refundable) == (WORTH, 0, WORTH, 0)


async def test_a_dispute_that_was_won_gives_everything_back(
    desk: Desk, fake: FakeStripe, api: httpx.AsyncClient, paid: Order
) -> None:
    await knock(api, fake.dispute("pi_1"), "created")
    fake.disputes["dp_1"]["status"] = "under_review"
    await knock(api, fake.disputes["dp_1"], "updated")
    await knock(api, fake.decide("dp_1", "won"), "funds_reinstated")
    assert await told(desk.db) == ["disputed", "dispute_changed", "dispute_closed"]
    await desk.trade.agree()
    assert await booked(desk.db, "provider_adjustments") == 0
    assert await booked(desk.db, "clearing:stripe") == WORTH - 15_000
    order = await desk.cancel(paid.id)
    assert order.refunded == WORTH
    await desk.settle()
    await desk.trade.agree()


async def test_webhooks_of_disputes_come_in_any_order_and_while_stripe_is_silent(
    desk: Desk, fake: FakeStripe, api: httpx.AsyncClient, paid: Order
) -> None:
    early = dict(fake.dispute("pi_1"))
    late = fake.decide("dp_1", "lost")
    at = time.time()
    fake.silent.extend(["before", "before"])
    await knock(api, late, "closed", created=at - 5)
    await knock(api, early, "created", created=at - 60)  # what it says is older than what is known
    [one] = (await api.get("/api/payment-disputes")).json()["items"]
    assert one["status"] == "lost"
    assert await told(desk.db) == ["disputed", "dispute_closed"]
    await knock(api, early, "created", created=at - 60)  # Stripe answers by now
    assert await told(desk.db) == ["disputed", "dispute_closed"]
    assert await desk.db.value("SELECT count(*) FROM payment_settlement") == 1
    await desk.trade.agree()


async def test_no_webhook_ever_came(desk: Desk, fake: FakeStripe, paid: Order) -> None:
    fake.dispute("pi_1")
    fake.dispute("pi_1", "warning_needs_response", id="dp_2", amount=100)
    assert await disputes.look(desk.db) == 2, "by pages of one"
    fake.decide("dp_1", "lost")
    fake.disputes["dp_2"]["status"] = "warning_closed"
    assert await disputes.look(desk.db) == 2
    assert await told(desk.db) == ["disputed", "disputed", "dispute_closed", "dispute_closed"]
    fake.silent.append("before")
    assert await disputes.look(desk.db) == 0, "silence is tried again in an hour"
    await desk.trade.agree()


async def test_a_dispute_about_a_payment_that_nobody_knows_is_kept(
    desk: Desk, fake: FakeStripe, api: httpx.AsyncClient, api_as: ApiAs, paid: Order
) -> None:
    await knock(api, fake.dispute("pi_of_somebody_else"), "created")
    [one] = (await api.get("/api/payment-disputes")).json()["items"]
    assert (one["order"], one["payment"], one["payment_reference"]) == (None, None, "pi_of_somebody_else")
    assert (await today.waiting(desk.db, None)).disputed == 1
    assert (await today.waiting(desk.db, [desk.trade.at_malmo.id])).disputed == 0
    page = await api.get("/admin/payments/disputes", headers={"accept": "text/html"})
    assert "pi_of_somebody_else" in page.text
    await desk.trade.agree()
    assert await booked(desk.db, "provider_adjustments") == 5_000
    # It is ours after all: the answer that named it came late.
    await desk.db.rows("UPDATE payment SET reference = 'pi_of_somebody_else' RETURNING 1")
    await disputes.look(desk.db)
    [one] = (await api.get("/api/payment-disputes")).json()["items"]
    assert one["order"] == str(paid.id)
    assert await told(desk.db) == ["disputed", "dispute_changed"]
    await desk.trade.agree()


async def test_what_is_disputed_is_not_given_back_as_well(
    desk: Desk, fake: FakeStripe, api: httpx.AsyncClient, paid: Order
) -> None:
    await api.post(f"/api/orders/{paid.id}/fulfil", json={})
    await knock(api, fake.dispute("pi_1", amount=15_000), "created")
    back = {"lines": [{"position": 1, "quantity": 1}]}
    refused = await api.post(f"/api/orders/{paid.id}/return", json=back)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/payment-disputed")
    assert refused.json()["refundable"] == 4_900
    some = {"actions": [{"kind": "goodwill", "amount": 4_900}], "refund_to": "tender"}
    given = await api.post(f"/api/orders/{paid.id}/changes", json=some)
    assert given.status_code in (200, 201), given.text
    more = {"actions": [{"kind": "goodwill", "amount": 1}], "refund_to": "credit"}
    assert (await api.post(f"/api/orders/{paid.id}/changes", json=more)).status_code in (409, 422)
    kept = await api.post(f"/api/orders/{paid.id}/return", json=back | {"refund": False})
    assert kept.status_code in (200, 201), kept.text
    await desk.trade.agree()


async def test_an_order_in_dispute_is_cancelled_and_nothing_goes_back_twice(
    desk: Desk, fake: FakeStripe, api: httpx.AsyncClient, paid: Order
) -> None:
    await knock(api, fake.dispute("pi_1"), "created")
    page = (await api.get(f"/admin/orders/{paid.id}", headers={"accept": "text/html"})).text
    assert "What is disputed is not given back a second time." in page
    order = await desk.cancel(paid.id)
    assert (order.status, order.refunded) == ("cancelled", 0)
    await desk.settle()
    assert fake.refunds == {}
    await desk.trade.agree()


async def test_a_refund_that_a_dispute_overtook_waits_for_nobody(
    desk: Desk, fake: FakeStripe, api: httpx.AsyncClient, paid: Order
) -> None:
    await desk.cancel(paid.id)
    thing = fake.dispute("pi_1")  # before Stripe was asked for the refund
    await desk.settle()
    [refund] = (await desk.order(paid.id)).refunds
    assert (refund.status, refund.problem) == ("failed", "charge_disputed")
    assert (await today.waiting(desk.db, None)).not_refunded == 1
    await knock(api, thing, "created")
    assert (await today.waiting(desk.db, None)).not_refunded == 0
    again = await api.post(f"/api/refunds/{refund.id}/again")
    assert again.json()["type"] == "/problems/payment-disputed"
    by_bank = {"way": "bank_transfer", "reference": "B-1"}
    otherwise = await api.post(f"/api/refunds/{refund.id}/otherwise", json=by_bank)
    assert otherwise.json()["type"] == "/problems/payment-disputed"
    await desk.trade.agree()
    await knock(api, fake.decide("dp_1", "won"), "closed")
    assert (await today.waiting(desk.db, None)).not_refunded == 1, "now it is theirs again"
    assert (await api.post(f"/api/refunds/{refund.id}/again")).status_code == 200


async def test_an_inquiry_moves_no_money_and_may_be_ended_by_a_refund(
    desk: Desk, fake: FakeStripe, api: httpx.AsyncClient, paid: Order
) -> None:
    await knock(api, fake.dispute("pi_1", "warning_needs_response"), "created")
    [one] = (await api.get("/api/payment-disputes")).json()["items"]
    assert (one["is_inquiry"], one["status"]) == (True, "needs_response")
    [payment] = (await desk.order(paid.id)).payments
    assert payment.refundable == WORTH
    fake.disputes["dp_1"]["status"] = "needs_response"  # it becomes a chargeback
    fake.move("dp_1", -WORTH)
    await knock(api, fake.disputes["dp_1"], "updated")
    [payment] = (await desk.order(paid.id)).payments
    assert payment.refundable == 0
    assert await told(desk.db) == ["disputed", "dispute_changed"]
    await desk.trade.agree()


async def test_the_doctor_misses_the_money_of_a_lost_dispute(
    desk: Desk, fake: FakeStripe, api: httpx.AsyncClient, paid: Order
) -> None:
    fake.dispute("pi_1", balance_transactions=[])
    fake.disputes["dp_1"] |= {"status": "lost", "balance_transactions": []}
    await knock(api, fake.disputes["dp_1"], "closed")
    await desk.db.rows("UPDATE payment_dispute SET closed_at = closed_at - interval '4 days' RETURNING 1")
    await desk.db.rows("UPDATE payment SET disputed = 1 RETURNING 1")
    found = {
        check.name: await check.look(desk.db) for check in CHECKS if check.name.startswith("payment-dispute")
    }
    assert {name: finding.status for name, finding in found.items()} == {
        "payment-disputes": "failed",
        "payment-dispute-money": "warning",
    }
    assert "dp_1" in found["payment-dispute-money"].message


async def test_only_stripe_tells_of_disputes(fake: FakeStripe, api: httpx.AsyncClient, paid: Order) -> None:
    body, headers = signed(fake.dispute("pi_1"), "charge.dispute.created", secret="whsec_of_somebody_else")
    assert (await api.post("/webhooks/in/stripe", content=body, headers=headers)).status_code == 401
    broken, headers = signed({"id": "dp_1", "object": "dispute"}, "charge.dispute.created")
    assert (await api.post("/webhooks/in/stripe", content=broken, headers=headers)).status_code == 400
    assert (await api.get("/api/payment-disputes")).json()["items"] == []


async def test_staff_who_see_payments_are_told_once_by_mail(
    desk: Desk, fake: FakeStripe, api: httpx.AsyncClient, paid: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = desk.db
    settings = msgspec.structs.replace(db.settings, smtp_host="mail.example", mail_from="shop@example.org")
    monkeypatch.setattr(db, "settings", settings)
    for name, role in (("Sue", Role.SUPPORT), ("Stan", Role.STORE)):
        data = StaffInput(name=name, email=f"{name.lower()}@example.org", roles=[role])
        await db.transaction(lambda tx, d=data: staff.add(tx, d, "active"))
    await knock(api, fake.dispute("pi_1"), "created")
    await knock(api, fake.dispute("pi_of_somebody_else"), "created")
    await knock(api, fake.dispute("pi_1", "lost", amount=1), "closed")  # nothing is left to do
    await desk.trade.follow()
    rows = await db.rows("SELECT id, sealed FROM mail_outbox ORDER BY id")
    letters = [mail.open_mail(Vault.of(settings), row["id"], bytes(row["sealed"])) for row in rows]
    told_of = [each for each in letters if "dp_" in each.text]
    assert {each.to for each in told_of} == {"sue@example.org"}
    known, unknown = told_of
    assert paid.number in known.subject
    assert f"/admin/orders/{paid.id}" in known.text
    assert "/admin/payments/disputes" in unknown.text
