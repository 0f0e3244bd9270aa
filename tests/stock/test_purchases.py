"""Purchase orders: drafts, what is expected, what comes in parts or too much, and what of it is sold already."""

import asyncio
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from stock_shop import Shop, books_are_right

import horizon
from samlad import stock
from samlad.kernel import checks, log
from samlad.kernel.clock import now
from samlad.kernel.context import Actor, Context
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, Forbidden, InvalidInput, Outdated
from samlad.stock import SoldOut, purchases, purchases_store, supplier_returns, suppliers
from samlad.stock.checks import CHECKS
from samlad.stock.model import Later
from samlad.stock.permissions import ADJUST, PURCHASE
from samlad.stock.purchase_model import Purchase, PurchaseStatus, Supplier, SupplierInput, WantedLine
from samlad.stock.supplier_return_model import ReturnedLine, SupplierReturnReason

SOON, LATER = now().date() + timedelta(days=3), now().date() + timedelta(days=30)


@pytest.fixture
async def bodum(shop: Shop) -> Supplier:
    data = SupplierInput(code="bodum", name="Bodum", lead_days=10)
    return await shop.db.transaction(lambda tx: suppliers.create(tx, data))


async def draft(shop: Shop, supplier: Supplier, *lines: WantedLine) -> Purchase:
    return await shop.db.transaction(lambda tx: purchases.draft(tx, supplier, shop.warehouse.id, lines))


async def order(shop: Shop, supplier: Supplier, *lines: WantedLine) -> UUID:
    made = await draft(shop, supplier, *lines)
    return (await shop.db.transaction(lambda tx: purchases.order(tx, made.id))).id


async def receive(
    shop: Shop, purchase: UUID, *lines: tuple[UUID, int], receipt: UUID | None = None
) -> Purchase:
    return await shop.db.transaction(
        lambda tx: purchases.receive(tx, purchase, list(lines) or None, receipt=receipt, note="D-7")
    )


async def expected(shop: Shop, variant: UUID) -> int:
    units = await shop.db.value("SELECT sum(incoming) FROM level WHERE variant = $1", variant)
    return int(units or 0)


async def sound(shop: Shop) -> None:
    await books_are_right(shop.db)
    assert {r.name: r.message for r in await checks.run(shop.db, CHECKS) if r.status != "ok"} == {}


async def test_what_is_ordered_is_expected_and_comes_in_parts(shop: Shop, bodum: Supplier) -> None:
    kettle, filters = await shop.variants(1, 0)
    made = await draft(shop, bodum, WantedLine(kettle, 10, 50_0000), WantedLine(filters, 4, 7, SOON))
    assert (made.status, made.currency, await expected(shop, kettle)) == (PurchaseStatus.DRAFT, "SEK", 0)
    ordered = await shop.db.transaction(lambda tx: purchases.order(tx, made.id))
    days = {line.variant: line.expected_on for line in ordered.lines}
    assert days[filters] == SOON
    assert days[kettle] is not None
    assert timedelta(days=9) <= days[kettle] - now().date() <= timedelta(days=11), "after the lead time"
    assert (await expected(shop, kettle), await expected(shop, filters)) == (10, 4)
    part = await receive(shop, made.id, (kettle, 6), (filters, 5))
    assert part.status is PurchaseStatus.PARTIALLY_RECEIVED
    assert (await expected(shop, kettle), await expected(shop, filters)) == (4, 0)
    assert (await shop.level(kettle), await shop.level(filters)) == ((7, 0), (5, 0))
    await sound(shop)
    rest = await receive(shop, made.id)
    assert (rest.status, await expected(shop, kettle), await shop.level(kettle)) == (
        PurchaseStatus.RECEIVED,
        0,
        (11, 0),
    )
    with pytest.raises(Conflict):
        await receive(shop, made.id)
    booked = await shop.db.rows(
        "SELECT variant, quantity, cause, reason FROM movement WHERE variant = $1 ORDER BY seq", filters
    )
    assert [tuple(row) for row in booked] == [(filters, 5, "receipt", "D-7")]
    receipts = await purchases_store.receipts(shop.db, made.id)
    assert [(r.units, r.note) for r in receipts] == [(11, "D-7"), (4, "D-7")]
    told = [e.payload["status"] for e in await log.of_subject(shop.db, made.id)]
    assert told == ["draft", "ordered", "partially_received", "received"]
    await sound(shop)


async def test_a_delivery_that_is_told_twice_or_at_once_is_booked_once(shop: Shop, bodum: Supplier) -> None:
    (kettle,) = await shop.variants(0)
    purchase, receipt = await order(shop, bodum, WantedLine(kettle, 9, 1)), new_id()
    await asyncio.gather(*(receive(shop, purchase, (kettle, 3), receipt=receipt) for _ in range(4)))
    assert (await shop.level(kettle), await expected(shop, kettle)) == ((3, 0), 6)
    await receive(shop, purchase, receipt=new_id())
    again = await receive(shop, purchase, (kettle, 3), receipt=receipt)
    assert (again.status, await shop.level(kettle)) == (PurchaseStatus.RECEIVED, (9, 0))
    other = await order(shop, bodum, WantedLine(kettle, 9, 1))
    with pytest.raises(Conflict):
        await receive(shop, other, receipt=receipt)
    await sound(shop)


async def test_two_deliveries_at_once_both_count(shop: Shop, bodum: Supplier) -> None:
    kettle, filters = await shop.variants(0, 0)
    purchase = await order(shop, bodum, WantedLine(kettle, 20, 1), WantedLine(filters, 20, 1))
    await asyncio.gather(
        *(
            receive(shop, purchase, *lines)
            for lines in [[(kettle, 3), (filters, 2)], [(filters, 2), (kettle, 3)]] * 3
        )
    )
    assert (await shop.level(kettle), await shop.level(filters)) == ((18, 0), (12, 0))
    assert (await expected(shop, kettle), await expected(shop, filters)) == (2, 8)
    await sound(shop)


async def test_what_is_expected_can_be_sold_where_the_level_says_so(shop: Shop, bodum: Supplier) -> None:
    (kettle,) = await shop.variants(1)
    first = await order(shop, bodum, WantedLine(kettle, 3, 1, SOON))
    second = await order(shop, bodum, WantedLine(kettle, 4, 1, LATER))
    (promise,) = await stock.promises(shop.db, shop.web, [kettle])
    assert (promise.available, promise.backorder, promise.incoming) == (1, 0, 7)
    assert [(line.purchase, line.units) for line in promise.locations[0].incoming] == [
        (first, 3),
        (second, 4),
    ]
    with pytest.raises(SoldOut):
        await shop.take((kettle, 2))
    where = (shop.warehouse.id, kettle)
    await shop.db.transaction(lambda tx: stock.set_level(tx, *where, sells_incoming=True))
    (promise,) = await stock.promises(shop.db, shop.web, [kettle])
    assert promise.later == [Later(SOON, 3), Later(LATER, 4)]
    early, late = new_id(), new_id()
    await shop.take((kettle, 3), owner=early, kind=stock.HoldKind.ORDER)
    (promise,) = await stock.promises(shop.db, shop.web, [kettle])
    assert promise.later == [Later(SOON, 1), Later(LATER, 4)]
    await shop.take((kettle, 5), owner=late, kind=stock.HoldKind.CHECKOUT)
    with pytest.raises(SoldOut):
        await shop.take((kettle, 1))
    with pytest.raises(Conflict):
        await shop.db.transaction(lambda tx: stock.set_level(tx, *where, sells_incoming=False))
    await receive(shop, first)
    with pytest.raises(SoldOut):
        await shop.take((kettle, 1))
    # The second delivery is called off: who counted on it last loses it, and the log says so.
    await shop.db.transaction(lambda tx: purchases.cancel(tx, second))
    assert await shop.level(kettle) == (4, 4)
    held = {owner: sum(h.quantity for h in await stock.holds_of(shop.db, owner)) for owner in (early, late)}
    assert held == {early: 3, late: 1}
    await horizon.passed(shop.db)
    events, _ = await log.read(shop.db, log.BEGINNING, types=["stock.lost"])
    assert [(line["owner"], line["quantity"]) for line in events[0].payload["lines"]] == [(str(late), 4)]
    await sound(shop)


async def test_forty_want_what_is_expected_and_no_more_are_sold(shop: Shop, bodum: Supplier) -> None:
    (kettle,) = await shop.variants(2)
    await order(shop, bodum, WantedLine(kettle, 5, 1))
    await shop.db.transaction(lambda tx: stock.set_level(tx, shop.warehouse.id, kettle, sells_incoming=True))
    outcomes = await asyncio.gather(*(shop.take((kettle, 1)) for _ in range(40)), return_exceptions=True)
    assert sum(isinstance(o, SoldOut) for o in outcomes) == 33
    assert await shop.level(kettle) == (2, 7)
    await sound(shop)


async def test_what_stands_and_what_can_still_be_changed(shop: Shop, bodum: Supplier) -> None:
    kettle, filters = await shop.variants(0, 0)
    made = await draft(shop, bodum, WantedLine(kettle, 3, 1))
    line = [WantedLine(filters, 2, 5)]
    changed = await shop.db.transaction(
        lambda tx: purchases.change(tx, made.id, reference="B-1", lines=line, version=made.version)
    )
    assert ([x.variant for x in changed.lines], changed.reference) == ([filters], "B-1")
    with pytest.raises(Outdated):
        await shop.db.transaction(lambda tx: purchases.order(tx, made.id, version=made.version))
    await shop.db.transaction(lambda tx: purchases.order(tx, made.id, version=changed.version))
    for verb in (
        lambda tx: purchases.order(tx, made.id),
        lambda tx: purchases.change(tx, made.id, lines=line),
    ):
        with pytest.raises(Conflict):
            await shop.db.transaction(verb)
    moved = await shop.db.transaction(lambda tx: purchases.reschedule(tx, made.id, [(filters, LATER)]))
    assert moved.lines[0].expected_on == LATER
    for wrong in ([(kettle, 1)], [(filters, 1), (filters, 1)], [(filters, 0)]):
        with pytest.raises(InvalidInput):
            await receive(shop, made.id, *wrong)
    cancelled = await shop.db.transaction(lambda tx: purchases.cancel(tx, made.id))
    assert (cancelled.status, await expected(shop, filters)) == (PurchaseStatus.CANCELLED, 0)
    for verb in (
        lambda tx: purchases.cancel(tx, made.id),
        lambda tx: purchases.receive(tx, made.id),
        lambda tx: purchases.reschedule(tx, made.id, [(filters, SOON)]),
    ):
        with pytest.raises(Conflict):
            await shop.db.transaction(verb)
    for lines in ([], [WantedLine(kettle, 1, 1)] * 2, [WantedLine(new_id(), 1, 1)]):
        with pytest.raises(InvalidInput):
            await draft(shop, bodum, *lines)
    await sound(shop)


async def test_store_staff_receive_but_do_not_order(shop: Shop, bodum: Supplier) -> None:
    (kettle,) = await shop.variants(0)
    purchase = await order(shop, bodum, WantedLine(kettle, 3, 1))
    clerk = Actor(
        kind="staff", id=new_id(), permissions=frozenset({ADJUST}), locations=frozenset({shop.warehouse.id})
    )
    elsewhere = Actor(
        kind="staff",
        id=new_id(),
        permissions=frozenset({ADJUST, PURCHASE}),
        locations=frozenset({shop.at_lund.id}),
    )
    await shop.db.transaction(lambda tx: purchases.receive(tx, purchase, [(kettle, 1)]), Context(actor=clerk))
    for actor, verb in (
        (clerk, lambda tx: purchases.cancel(tx, purchase)),
        (clerk, lambda tx: purchases.draft(tx, bodum, shop.warehouse.id, [WantedLine(kettle, 1, 1)])),
        (elsewhere, lambda tx: purchases.receive(tx, purchase)),
        (elsewhere, lambda tx: purchases.cancel(tx, purchase)),
    ):
        with pytest.raises(Forbidden):
            await shop.db.transaction(verb, Context(actor=actor))
    assert await shop.level(kettle) == (1, 0)


async def test_what_comes_at_another_cost_than_ordered_is_worth_that(shop: Shop, bodum: Supplier) -> None:
    kettle, filters = await shop.variants(0, 0)
    purchase = await order(shop, bodum, WantedLine(kettle, 10, 500), WantedLine(filters, 4, 7))
    clerk = Actor(
        kind="staff", id=new_id(), permissions=frozenset({ADJUST}), locations=frozenset({shop.warehouse.id})
    )

    async def come(kettles: int, costs: dict[UUID, int], actor: Actor | None = None) -> Purchase:
        return await shop.db.transaction(
            lambda tx: purchases.receive(tx, purchase, [(kettle, kettles)], costs=costs),
            Context(actor=actor) if actor else Context(),
        )

    with pytest.raises(Forbidden):
        await come(2, {kettle: 600}, clerk)
    for elsewhere in ({filters: 7}, {new_id(): 7}):
        with pytest.raises(InvalidInput):
            await come(2, elsewhere)
    await come(2, {})
    after = await come(6, {kettle: 900})
    line = next(each for each in after.lines if each.variant == kettle)
    assert (line.unit_cost_e4, line.received_e4, line.actual_cost_e4) == (500, 6400, 800)
    assert await shop.db.value("SELECT unit_cost_e4 FROM level WHERE variant = $1", kettle) == 800
    told = await shop.db.value("SELECT difference FROM audit_entry WHERE verb = 'purchase.costs'")
    assert "900" in told
    back = await shop.db.transaction(
        lambda tx: supplier_returns.send(
            tx,
            bodum,
            shop.warehouse.id,
            [ReturnedLine(kettle, 1)],
            reason=SupplierReturnReason.FAULTY,
            purchase=purchase,
        )
    )
    assert back.lines[0].unit_cost_e4 == 800, "it goes back at what it came in with"
    await sound(shop)


async def test_the_doctor_mends_what_is_expected(shop: Shop, bodum: Supplier) -> None:
    (kettle,) = await shop.variants(0)
    await order(shop, bodum, WantedLine(kettle, 3, 1))
    await shop.db.rows("UPDATE level SET incoming = 8 WHERE variant = $1 RETURNING 1", kettle)
    (found,) = [r for r in await checks.run(shop.db, CHECKS) if r.status != "ok"]
    assert (found.name, found.status) == ("stock-incoming", "failed")
    assert f"K-{kettle} at dc: 8 expected, but purchase orders and transfers add up to 3" in found.message
    fixed = {r.name: r.fixed for r in await checks.run(shop.db, CHECKS, fix=True)}
    assert (fixed["stock-incoming"], await expected(shop, kettle)) == (1, 3)
    await sound(shop)


async def test_buying_over_http(shop: Shop, api: httpx.AsyncClient) -> None:
    kettle, filters = await shop.variants(0, 0)
    sku = f"K-{kettle}"
    maker = {"code": "hario", "name": "Hario", "email": "orders@hario.example", "lead_days": 21}
    made = (await api.post("/api/suppliers", json=maker)).json()
    assert (await api.post("/api/suppliers", json=maker)).status_code == 409
    changed = await api.patch(
        f"/api/suppliers/{made['id']}", json={"lead_days": 5}, headers={"If-Match": '"1"'}
    )
    assert (changed.json()["lead_days"], changed.headers["etag"]) == (5, '"2"')
    body = {
        "supplier": "hario",
        "location": "dc",
        "reference": "H-77",
        "lines": [
            {"sku": sku, "quantity": 6, "unit_cost_e4": 123_456},
            {"variant": str(filters), "quantity": 1},
        ],
    }
    purchase = (await api.post("/api/stock/purchases", json=body)).json()
    url = f"/api/stock/purchases/{purchase['id']}"
    assert (purchase["status"], purchase["version"], len(purchase["lines"])) == ("draft", 1, 2)
    less = {"lines": [body["lines"][0]]}
    assert (await api.patch(url, json=less, headers={"If-Match": '"1"'})).json()["version"] == 2
    assert (await api.post(f"{url}/order", headers={"If-Match": '"1"'})).status_code == 412
    assert (await api.post(f"{url}/order")).json()["status"] == "ordered"
    day = {"lines": [{"sku": sku, "expected_on": SOON.isoformat()}]}
    assert (await api.post(f"{url}/schedule", json=day)).json()["lines"][0]["expected_on"] == SOON.isoformat()
    listed = (await api.get("/api/stock/purchases", params={"status": "ordered", "supplier": "hario"})).json()
    assert [(p["number"], p["units"], p["expected_on"]) for p in listed["items"]] == [
        (purchase["number"], 6, SOON.isoformat())
    ]
    came = {"lines": [{"sku": sku, "quantity": 2}, {"code": sku}], "receipt": str(new_id())}
    for _ in range(2):
        answer = await api.post(f"{url}/receive", json=came)
        assert answer.json()["lines"][0]["received"] == 3, (
            "scanned again it is one more, sent again it is not"
        )
    assert (await api.post(f"{url}/receive", json={})).json()["status"] == "received"
    assert [r["units"] for r in (await api.get(f"{url}/receipts")).json()] == [3, 3]
    assert (await api.get(url)).headers["etag"] == '"6"'
    assert (await api.post(f"{url}/cancel")).status_code == 409
    for wrong in (
        {"supplier": "nobody"},
        {"location": "nowhere"},
        {"lines": []},
        {"lines": [{"sku": "none", "quantity": 1}]},
        {"lines": [{"sku": sku, "quantity": 0}]},
        {"lines": [{"sku": sku, "quantity": 1, "unit_cost_e4": -1}]},
        {"lines": [{"sku": sku, "quantity": 1, "expected_on": "soon"}]},
    ):
        answer = await api.post("/api/stock/purchases", json={**body, **wrong})
        assert answer.status_code == 422, (wrong, answer.text)
    await sound(shop)
