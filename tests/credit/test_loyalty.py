"""Points: earned on payment, the same everywhere, taken back in proportion, pending, expired, turned into rewards."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from credit_shop import books_are_sound, person, programme

from samlad import credit, customers, orders
from samlad.credit import NotEnoughPoints, PointsInput, RedeemInput, earning
from samlad.kernel.clock import now
from samlad.kernel.context import Actor, Context
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Forbidden, InvalidInput, NotFound, Outdated
from samlad.orders import CancelInput, ChangeInput, FulfilInput, LineSelection, Order, PayInput, ReturnInput
from samlad.orders.change_model import AddAction, CancelAction, FeeAction, ReturnAction
from samlad.payments import PaymentInput
from trade import Trade


async def points_of(trade: Trade, customer: UUID) -> tuple[int, int]:
    """Points that can be spent, and pending ones."""
    view = await credit.view(trade.db, customer)
    return (0, 0) if view is None else (view.points, view.pending)


async def bought(trade: Trade, price: int, quantity: int = 1, **fields: Any) -> Order:
    """Kim's paid order in the webshop, shipped."""
    order = await trade.buy((await trade.kettle(price, 20), quantity), **fields)
    await trade.db.transaction(lambda tx: orders.fulfil(tx, order.id, FulfilInput()))
    await trade.follow()
    return order


async def back(trade: Trade, order: Order, quantity: int | None = None) -> None:
    """Some of it, or all, comes back."""
    lines = None if quantity is None else [LineSelection(position=1, quantity=quantity)]
    await trade.db.transaction(lambda tx: orders.take_back(tx, order.id, ReturnInput(lines=lines)))
    await trade.follow()


async def test_earned_on_payment_once_and_on_every_channel(trade: Trade) -> None:
    await programme(trade)
    order = await trade.buy((await trade.kettle(19_900), 2), pay_later=True)
    await trade.follow()
    kim = await person(trade)
    assert await points_of(trade, kim) == (0, 0), "not paid yet"
    await trade.db.transaction(
        lambda tx: orders.pay(tx, order.id, PayInput(payments=[PaymentInput(provider="test")]))
    )
    await trade.follow()
    assert await points_of(trade, kim) == (39, 0)
    await trade.db.rows("UPDATE follower SET xid = 0, seq = 0 RETURNING 1")
    await trade.follow()
    assert await points_of(trade, kim) == (39, 0), "told again, nothing happens"
    at_till = await trade.cart(
        (await trade.kettle(61_000, at=trade.at_malmo), 1), channel=trade.malmo, customer=str(kim)
    )
    await trade.place(at_till.id)
    await trade.follow()
    view = await credit.view(trade.db, kim)
    assert view is not None
    assert (view.points, view.qualifying, view.tier and view.tier.code) == (100, 100, "silver")
    await bought(trade, 10_000)
    assert await points_of(trade, kim) == (115, 0), "silver earns half as much again"
    await books_are_sound(trade.db)


async def test_taken_back_in_proportion_and_below_zero_openly(trade: Trade) -> None:
    await programme(trade)
    order = await bought(trade, 7_100, 3)
    kim = await person(trade)
    assert await points_of(trade, kim) == (21, 0)
    await back(trade, order, 1)
    assert await points_of(trade, kim) == (14, 0)
    await back(trade, order, 1)
    assert await points_of(trade, kim) == (7, 0)
    await trade.db.transaction(
        lambda tx: credit.adjust(tx, kim, PointsInput(points=-5, reason="Taken by hand"))
    )
    await back(trade, order)
    assert await points_of(trade, kim) == (-5, 0), "what was spent leaves a debt"
    with pytest.raises(NotEnoughPoints):
        await trade.db.transaction(lambda tx: credit.adjust(tx, kim, PointsInput(points=-1, reason="More")))
    await bought(trade, 12_000)
    assert await points_of(trade, kim) == (7, 0), "the debt is paid first"
    await trade.db.rows("UPDATE follower SET xid = 0, seq = 0 RETURNING 1")
    await trade.follow()
    assert await points_of(trade, kim) == (7, 0)
    await books_are_sound(trade.db)


async def test_what_is_called_off_in_parts_earns_nothing(trade: Trade) -> None:
    await programme(trade)
    order = await trade.buy((await trade.kettle(10_000), 3))
    await trade.follow()
    kim = await person(trade)
    one = ChangeInput(actions=[CancelAction(position=1, quantity=1)])
    await trade.db.transaction(lambda tx: orders.apply_change(tx, order.id, one))
    await trade.follow()
    assert await points_of(trade, kim) == (20, 0)
    await trade.db.transaction(lambda tx: orders.cancel(tx, order.id, CancelInput()))
    await trade.follow()
    assert await points_of(trade, kim) == (0, 0)
    await books_are_sound(trade.db)


@pytest.mark.parametrize("pending_days", [0, 30])
async def test_what_is_added_earns_when_it_is_paid_and_takes_no_other_points_when_it_goes(
    trade: Trade, pending_days: int
) -> None:
    await programme(trade, pending_days=pending_days)
    mug = await trade.kettle(5_000, 20)
    order = await trade.buy((await trade.kettle(10_000, 20), 2))
    await trade.follow()
    kim = await person(trade)

    async def points() -> int:
        await trade.follow()
        return sum(await points_of(trade, kim))

    assert await points() == 20
    added = ChangeInput(actions=[AddAction(variant=mug, quantity=3)])
    await trade.db.transaction(lambda tx: orders.apply_change(tx, order.id, added))
    assert await points() == 20, "it is not paid yet"
    pay = PayInput(payments=[PaymentInput(provider="test")])
    await trade.db.transaction(lambda tx: orders.pay(tx, order.id, pay))
    assert await points() == 35
    await trade.db.rows("UPDATE follower SET xid = 0, seq = 0 RETURNING 1")
    assert await points() == 35, "told again, nothing happens"
    await trade.db.transaction(lambda tx: orders.apply_change(tx, order.id, added))
    off = ChangeInput(actions=[CancelAction(position=3, quantity=3)])
    await trade.db.transaction(lambda tx: orders.apply_change(tx, order.id, off))
    assert await points() == 35, "what was never paid had earned nothing"
    off = ChangeInput(actions=[CancelAction(position=2, quantity=3)])
    await trade.db.transaction(lambda tx: orders.apply_change(tx, order.id, off))
    assert await points() == 20
    await trade.db.rows("UPDATE follower SET xid = 0, seq = 0 RETURNING 1")
    assert await points() == 20
    await books_are_sound(trade.db)


async def test_a_fee_that_is_kept_leaves_no_points_of_goods_that_came_back(trade: Trade) -> None:
    await programme(trade)
    order = await bought(trade, 10_000)
    kim = await person(trade)
    change = ChangeInput(
        actions=[ReturnAction(position=1, quantity=1), FeeAction(amount=5_000, title="Repacking")]
    )
    await trade.db.transaction(lambda tx: orders.apply_change(tx, order.id, change))
    await trade.follow()
    assert await points_of(trade, kim) == (0, 0)
    await books_are_sound(trade.db)


async def test_pending_until_the_time_for_returns_is_over(trade: Trade) -> None:
    await programme(trade, pending_days=30)
    kept, cancelled = await bought(trade, 30_000, 2), await trade.buy((await trade.kettle(9_000), 1))
    await trade.follow()
    kim = await person(trade)
    assert await points_of(trade, kim) == (0, 69)
    await trade.db.transaction(lambda tx: orders.cancel(tx, cancelled.id, CancelInput()))
    await back(trade, kept, 1)
    assert await points_of(trade, kim) == (0, 30)
    assert await earning.sweep(trade.db) == 0
    await trade.db.rows("UPDATE loyalty_lot SET release_at = $1 RETURNING 1", now())
    assert await earning.sweep(trade.db) == 2
    assert await points_of(trade, kim) == (30, 0)
    assert await earning.sweep(trade.db) == 0
    await back(trade, kept)
    assert await points_of(trade, kim) == (0, 0)
    await books_are_sound(trade.db)


async def test_first_earned_first_spent_first_expired(trade: Trade) -> None:
    await programme(trade, expire_months=12)
    kim = await person(trade)
    await bought(trade, 40_000)
    await bought(trade, 30_000)
    spent = RedeemInput(reward="fifty", channel=trade.malmo.id)
    await trade.db.transaction(lambda tx: credit.redeem(tx, kim, spent))
    assert await points_of(trade, kim) == (20, 0)
    oldest = "UPDATE loyalty_lot SET expires_at = $1 WHERE points = 40 RETURNING 1"
    await trade.db.rows(oldest, now() - timedelta(days=1))
    assert await earning.sweep(trade.db) == 0, "the oldest points were spent, so none expire"
    view = await credit.view(trade.db, kim)
    assert view is not None
    assert view.expiring == 20
    await trade.db.rows("UPDATE loyalty_lot SET expires_at = $1 RETURNING 1", now() - timedelta(days=1))
    assert await earning.sweep(trade.db) == 1
    assert await points_of(trade, kim) == (0, 0)
    await books_are_sound(trade.db)


async def test_points_that_have_expired_are_not_taken_back_as_well(trade: Trade) -> None:
    await programme(trade, expire_months=12)
    kim = await person(trade)
    late = await bought(trade, 30_000, 2)
    await bought(trade, 50_000)
    assert await points_of(trade, kim) == (110, 0)
    await back(trade, late, 1)
    assert await points_of(trade, kim) == (80, 0)
    await trade.db.rows(
        "UPDATE loyalty_lot SET expires_at = $1 WHERE order_id = $2 RETURNING 1",
        now() - timedelta(days=1),
        late.id,
    )
    assert await earning.sweep(trade.db) == 1
    assert await points_of(trade, kim) == (50, 0)
    await back(trade, late)
    assert await points_of(trade, kim) == (50, 0), "those of this order are gone already"
    await trade.db.rows("UPDATE follower SET xid = 0, seq = 0 RETURNING 1")
    await trade.follow()
    assert await points_of(trade, kim) == (50, 0)
    spent = await bought(trade, 20_000)
    spend = RedeemInput(reward="fifty", channel=trade.malmo.id)
    await trade.db.transaction(lambda tx: credit.redeem(tx, kim, spend))
    await trade.db.rows("UPDATE loyalty_lot SET expires_at = $1 RETURNING 1", now() - timedelta(days=1))
    assert await earning.sweep(trade.db) == 1
    assert await points_of(trade, kim) == (0, 0)
    await back(trade, spent)
    assert await points_of(trade, kim) == (0, 0), "its 20 had expired"
    await books_are_sound(trade.db)


async def test_a_hundred_redemptions_at_once_use_no_point_twice(trade: Trade) -> None:
    await programme(trade)
    kim = await person(trade)
    await bought(trade, 270_000)
    has = await points_of(trade, kim)
    assert has == (270, 0)
    wanted = RedeemInput(reward="fifty", channel=trade.web.id)
    same = RedeemInput(reward="card", channel=trade.web.id, key=new_id())
    works = [trade.db.transaction(lambda tx: credit.redeem(tx, kim, wanted)) for _ in range(50)]
    works += [trade.db.transaction(lambda tx: credit.redeem(tx, kim, same)) for _ in range(10)]
    answers = await asyncio.gather(*works, return_exceptions=True)
    rewards = [answer.reward for answer in answers if isinstance(answer, credit.Rewarded)]
    assert rewards.count("fifty") == 5, answers
    assert rewards.count("card") <= 1
    (store,) = await credit.of_customer(trade.db, kim)
    assert store.available == 5 * 5_000
    assert await points_of(trade, kim) == (20 - 20 * rewards.count("card"), 0)
    for answer in answers:
        if isinstance(answer, credit.Rewarded) and answer.code:
            assert (await credit.usable(trade.db, answer.code, trade.malmo)).available == 2_000
    await books_are_sound(trade.db)


async def test_members_are_enrolled_where_the_programme_asks(trade: Trade) -> None:
    kim = await person(trade)
    with pytest.raises(credit.NoProgramme):
        await trade.db.transaction(lambda tx: credit.enrol(tx, kim))
    await programme(trade, is_automatic=False)
    await bought(trade, 40_000)
    assert await credit.view(trade.db, kim) is None
    first = await trade.db.transaction(lambda tx: credit.enrol(tx, kim))
    assert await trade.db.transaction(lambda tx: credit.enrol(tx, kim)) == first
    assert await points_of(trade, kim) == (0, 0), "what was paid before earns nothing"
    await bought(trade, 40_000)
    assert await points_of(trade, kim) == (40, 0)
    found = await credit.by_code(trade.db, first.code.lower(), trade.web.pools["customers"])
    assert found == first
    assert await credit.by_code(trade.db, first.code, new_id()) is None
    assert await credit.by_code(trade.db, "KETTLE") is None
    with pytest.raises(NotFound):
        await trade.db.transaction(lambda tx: credit.enrol(tx, new_id()))


async def test_a_member_spends_only_their_own(trade: Trade) -> None:
    await programme(trade)
    kim, mo = await person(trade), await person(trade, "mo@example.org")
    await bought(trade, 60_000)
    wanted = RedeemInput(reward="fifty", channel=trade.web.id)
    with pytest.raises(Forbidden):
        await trade.db.transaction(
            lambda tx: credit.redeem(tx, kim, wanted), Context(actor=Actor(kind="customer", id=mo))
        )
    with pytest.raises(NotFound):
        await trade.db.transaction(
            lambda tx: credit.redeem(tx, mo, wanted), Context(actor=Actor(kind="customer", id=mo))
        )
    made = await trade.db.transaction(
        lambda tx: credit.redeem(tx, kim, wanted), Context(actor=Actor(kind="customer", id=kim))
    )
    assert (made.points, made.amount) == (50, 5_000)


async def test_a_programme_is_set_whole_and_watched(trade: Trade) -> None:
    made = await programme(trade)
    data: dict[str, Any] = {"tiers": [{"code": "a", "name": "A", "threshold": 1}] * 2}
    with pytest.raises(InvalidInput) as wrong:
        await programme(trade, **data)
    assert [error.field for error in wrong.value.errors] == ["tiers/1"]
    with pytest.raises(InvalidInput):
        await programme(trade, rates=[{"currency": "XQX", "spend": 1, "points": 1}])
    changed = credit.ProgrammeInput(channel=trade.malmo.id, name="Other")
    after = await trade.db.transaction(lambda tx: credit.set_programme(tx, changed, version=made.version))
    assert (after.id, after.version, after.name, after.tiers) == (made.id, made.version + 1, "Other", [])
    with pytest.raises(Outdated):
        await trade.db.transaction(lambda tx: credit.set_programme(tx, changed, version=made.version))
    assert await trade.db.value("SELECT count(*) FROM audit_entry WHERE verb LIKE 'loyalty.%'") == 2


async def test_the_same_over_http(trade: Trade, api: Any) -> None:
    kim = await person(trade)
    web = str(trade.web.id)
    assert (await api.get(f"/api/loyalty/programmes/{web}")).status_code == 404
    body = {
        "channel": web,
        "name": "Gathered",
        "rates": [{"currency": "SEK", "spend": 1000, "points": 1}],
        "rewards": [
            {
                "code": "card",
                "name": "Card",
                "points": 20,
                "kind": "gift_card",
                "amount": 2000,
                "currency": "SEK",
            }
        ],
    }
    made = await api.put("/api/loyalty/programmes", json=body)
    assert made.status_code == 200, made.text
    assert (await api.get(f"/api/loyalty/programmes/{trade.malmo.id}")).headers["etag"] == '"1"'
    assert (
        await api.put("/api/loyalty/programmes", json=body, headers={"If-Match": '"7"'})
    ).status_code == 412
    member = (await api.post("/api/loyalty/members", json={"customer": str(kim)})).json()
    given = await api.post(f"/api/customers/{kim}/points", json={"points": 25, "reason": "Sorry"})
    assert given.json()["points"] == 25
    scanned = await api.post(
        "/api/loyalty/members/lookup", json={"code": member["code"], "channel": str(trade.lund.id)}
    )
    assert (scanned.json()["customer"], scanned.json()["points"]) == (str(kim), 25)
    picture = await api.get(f"/api/customers/{kim}/loyalty-code")
    assert picture.headers["content-type"].startswith("image/svg+xml")
    assert picture.text.startswith("<svg")
    reward = {"reward": "card", "channel": web}
    first = await api.post(f"/api/customers/{kim}/rewards", json=reward, headers={"Idempotency-Key": "a"})
    again = await api.post(f"/api/customers/{kim}/rewards", json=reward, headers={"Idempotency-Key": "a"})
    assert first.json() == again.json()
    assert first.json()["code"]
    assert (await api.post(f"/api/customers/{kim}/rewards", json=reward)).json()["points"] == 5
    history = (await api.get(f"/api/customers/{kim}/credit-entries")).json()["items"]
    assert [(entry["kind"], entry["amount"], entry["balance_after"]) for entry in history] == [
        ("reward", -20, 5),
        ("grant", 25, 25),
    ]
    found = await customers.get(trade.db, kim)
    assert found is not None
    assert (await api.get(f"/api/customers/{kim}/loyalty")).json()["name"] == found.name
