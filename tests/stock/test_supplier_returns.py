"""Goods that go back to their supplier: by which order they came, at what they cost, once, and what is credited."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stock_shop import Shop, books_are_right

from samlad import catalog, stock
from samlad.catalog import ProductChange, Tracking
from samlad.kernel import checks, log
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, Forbidden, InvalidInput, Outdated
from samlad.stock import NotInStock, purchases, rules, supplier_returns, suppliers
from samlad.stock.checks import CHECKS
from samlad.stock.lots_model import Named
from samlad.stock.permissions import ADJUST
from samlad.stock.purchase_model import Supplier, SupplierInput, WantedLine
from samlad.stock.supplier_return_model import (
    ReturnedLine,
    SupplierCreditInput,
    SupplierReturn,
    SupplierReturnReason,
    SupplierReturnStatus,
)

CROWN = 1_000_000
"""1.00 in ten-thousandths of a minor unit."""


@pytest.fixture
async def bodum(shop: Shop) -> Supplier:
    data = SupplierInput(code="bodum", name="Bodum")
    return await shop.db.transaction(lambda tx: suppliers.create(tx, data))


async def bought(shop: Shop, supplier: Supplier, variant: UUID, units: int, cost: int) -> UUID:
    """A purchase order that has come."""

    async def work(tx: Tx) -> UUID:
        made = await purchases.draft(
            tx, supplier, shop.warehouse.id, [WantedLine(variant, units, cost * CROWN)]
        )
        await purchases.order(tx, made.id)
        await purchases.receive(tx, made.id)
        return made.id

    return await shop.db.transaction(work)


async def send(
    shop: Shop, supplier: Supplier, *lines: ReturnedLine, context: Context | None = None, **fields: Any
) -> SupplierReturn:
    fields.setdefault("reason", SupplierReturnReason.FAULTY)
    return await shop.db.transaction(
        lambda tx: supplier_returns.send(tx, supplier, shop.warehouse.id, list(lines), **fields),
        context=context or Context(),
    )


async def worth(shop: Shop, variant: UUID) -> tuple[int, int]:
    row = await shop.db.row("SELECT on_hand, value_e4 FROM level WHERE variant = $1", variant)
    assert row is not None
    return row["on_hand"], row["value_e4"] // CROWN


async def sound(shop: Shop) -> None:
    await books_are_right(shop.db)
    assert {r.name: r.message for r in await checks.run(shop.db, CHECKS) if r.status != "ok"} == {}


async def test_goods_of_a_purchase_go_back_at_its_cost_and_are_credited_in_parts(
    shop: Shop, bodum: Supplier
) -> None:
    (kettle,) = await shop.variants(0)
    purchase = await bought(shop, bodum, kettle, 10, 50)
    await bought(shop, bodum, kettle, 10, 70)
    assert await worth(shop, kettle) == (20, 1200)
    made = await send(shop, bodum, ReturnedLine(kettle, 4), purchase=purchase, reference="RMA 7")
    assert (made.expected, made.currency, made.status) == (20_000, "SEK", SupplierReturnStatus.SENT)
    assert await worth(shop, kettle) == (16, 1000), "what they came in with, so that the rest keeps its cost"
    movement = await shop.db.row("SELECT cause, quantity, reference FROM movement ORDER BY seq DESC LIMIT 1")
    assert movement is not None
    assert tuple(movement) == ("supplier_return", -4, made.id)

    with pytest.raises(Conflict) as refused:
        await send(shop, bodum, ReturnedLine(kettle, 7), purchase=purchase)
    assert refused.value.errors[0].message == "of this purchase order 6 can go back"
    note = SupplierCreditInput(amount=12_000, reference="C-1", id=new_id())
    for _ in range(2):  # told of twice, it counts once
        part = await shop.db.transaction(lambda tx: supplier_returns.credit(tx, made.id, note))
    assert (part.credited, part.status, len(part.credits)) == (12_000, SupplierReturnStatus.SENT, 1)
    with pytest.raises(Outdated):
        await shop.db.transaction(
            lambda tx: supplier_returns.credit(tx, made.id, SupplierCreditInput(amount=1), version=1)
        )
    rest = SupplierCreditInput(amount=8_000)
    done = await shop.db.transaction(lambda tx: supplier_returns.credit(tx, made.id, rest))
    assert (done.credited, done.status) == (20_000, SupplierReturnStatus.CREDITED)
    with pytest.raises(Conflict):
        await shop.db.transaction(lambda tx: supplier_returns.close(tx, made.id, "too late"))
    events = await log.of_subject(shop.db, made.id)
    told = [
        (e.payload["status"], e.payload["credited"]) for e in events if e.type == "supplier_return.changed"
    ]
    assert told == [("sent", 0), ("sent", 12_000), ("credited", 20_000)]
    await sound(shop)


async def test_nothing_leaves_twice_or_that_is_not_there(shop: Shop, bodum: Supplier) -> None:
    kettle, filters = await shop.variants(3, 5)
    name = new_id()
    once = await asyncio.gather(
        *(send(shop, bodum, ReturnedLine(kettle, 2, unit_cost_e4=CROWN), return_id=name) for _ in range(2))
    )
    assert ({made.id for made in once}, await shop.level(kettle)) == ({name}, (1, 0))
    other = await shop.db.transaction(
        lambda tx: suppliers.create(tx, SupplierInput(code="other", name="Other"))
    )
    with pytest.raises(Conflict):
        await send(shop, other, ReturnedLine(kettle, 1), return_id=name)
    with pytest.raises(NotInStock):
        await send(shop, bodum, ReturnedLine(kettle, 2))
    await shop.take((filters, 4))
    with pytest.raises(NotInStock):
        await send(shop, bodum, ReturnedLine(filters, 2))
    for lines in ([], [ReturnedLine(kettle, 1), ReturnedLine(kettle, 1)], [ReturnedLine(kettle, 0)]):
        with pytest.raises(InvalidInput):
            await send(shop, bodum, *lines)
    clerk = Context(actor=Actor(kind="staff", id=new_id(), permissions=frozenset({ADJUST})))
    with pytest.raises(Forbidden):
        await send(shop, bodum, ReturnedLine(kettle, 1), context=clerk)
    purchase = await bought(shop, bodum, filters, 1, 5)
    race = await asyncio.gather(
        *(send(shop, bodum, ReturnedLine(filters, 1), purchase=purchase) for _ in range(2)),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in race) == ["Conflict", "SupplierReturn"]
    given_up = await shop.db.transaction(lambda tx: supplier_returns.close(tx, name, "they refuse"))
    again = await shop.db.transaction(lambda tx: supplier_returns.close(tx, name, "they refuse"))
    assert given_up.status is again.status is SupplierReturnStatus.CLOSED
    with pytest.raises(Conflict):
        await shop.db.transaction(lambda tx: supplier_returns.credit(tx, name, SupplierCreditInput(amount=1)))
    await sound(shop)


async def test_a_recalled_lot_goes_back_and_what_is_left_to_us_is_the_next_lot(
    shop: Shop, bodum: Supplier
) -> None:
    (milk,) = await shop.variants(0)

    async def by_lot(tx: Tx) -> None:
        found = await catalog.by_ids(tx, [milk])
        await catalog.change(tx, found[milk].product, ProductChange(tracking=Tracking.LOT))

    async def lot(tx: Tx, units: int, code: str, cost: int) -> UUID | None:
        of = await stock.resolve_lots(tx, [Named(milk, units, code)])
        await stock.receive(tx, shop.warehouse.id, [(milk, units)], lots=of, unit_costs_e4=[cost])
        return of[0]

    await shop.db.transaction(by_lot)
    first = await shop.db.transaction(lambda tx: lot(tx, 3, "L1", CROWN))
    second = await shop.db.transaction(lambda tx: lot(tx, 5, "L2", 3 * CROWN))
    made = await send(
        shop, bodum, ReturnedLine(milk, 2, second, 3 * CROWN), reason=SupplierReturnReason.RECALL
    )
    assert [(line.lot, line.quantity, line.value_e4) for line in made.lines] == [(second, 2, 6 * CROWN)]
    rest = await send(shop, bodum, ReturnedLine(milk, 4))
    assert {line.lot: line.quantity for line in rest.lines} == {first: 3, second: 1}
    assert await worth(shop, milk) == (2, 4)
    await sound(shop)


@given(
    on_hand=st.integers(1, 10**6),
    value=st.integers(0, 10**15),
    cost=st.integers(0, 10**10),
    data=st.data(),
)
def test_a_level_is_never_worth_less_than_nothing(
    on_hand: int, value: int, cost: int, data: st.DataObject
) -> None:
    units = data.draw(st.integers(1, on_hand))
    goes = rules.leaving_value(on_hand, value, units, cost)
    assert 0 <= goes <= value
    assert goes == value if units == on_hand else goes in (value, units * cost)


async def test_the_api(shop: Shop, bodum: Supplier, api: httpx.AsyncClient) -> None:
    (kettle,) = await shop.variants(0)
    purchase = await bought(shop, bodum, kettle, 6, 50)
    sku = await shop.db.value("SELECT sku FROM variant WHERE id = $1", kettle)
    body = {
        "purchase": str(purchase),
        "reason": "wrong",
        "expected": 9_000,
        "lines": [{"sku": sku, "quantity": 2}],
    }
    made = await api.post("/api/stock/supplier-returns", json=body)
    assert made.status_code == 201, made.text
    assert (made.json()["expected"], made.json()["lines"][0]["unit_cost_e4"]) == (9_000, 50 * CROWN)
    where = f"/api/stock/supplier-returns/{made.json()['id']}"
    stale = await api.post(f"{where}/credits", json={"amount": 100}, headers={"If-Match": '"7"'})
    assert stale.status_code == 412
    part = await api.post(f"{where}/credits", json={"amount": 4_000, "reference": "C-9"})
    assert part.json()["credited"] == 4_000
    closed = await api.post(f"{where}/close", json={"note": "They credit only so much"})
    assert (closed.json()["status"], (await api.get(where)).json()["credits"][0]["reference"]) == (
        "closed",
        "C-9",
    )
    rows = (await api.get("/api/stock/supplier-returns?supplier=bodum&status=closed")).json()["items"]
    assert [(row["units"], row["purchase_number"] is not None) for row in rows] == [(2, True)]
    csv = await api.get("/api/stock/supplier-returns?format=csv")
    assert "expected" in csv.text.splitlines()[0]
    bare = await api.post("/api/stock/supplier-returns", json={"reason": "other", "lines": body["lines"]})
    assert (bare.status_code, bare.json()["errors"][0]["field"]) == (422, "supplier")
