"""What stock costs: a moving average that adds up to the last ten-thousandth of a minor unit."""

from uuid import UUID

import asyncpg
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stock_shop import Shop

from samlad import stock
from samlad.kernel import checks
from samlad.kernel.context import Actor, Context
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Forbidden, InvalidInput
from samlad.stock import Cause, HoldKind, Location, counts, purchases, rules, suppliers, transfers
from samlad.stock.checks import CHECKS
from samlad.stock.permissions import ADJUST, READ
from samlad.stock.purchase_model import SupplierInput, WantedLine

ONE = 1_000_000
"""One krona in ten-thousandths of an öre."""


async def receive(
    shop: Shop, variant: UUID, units: int, cost: int | None, at: Location | None = None
) -> None:
    place = (at or shop.warehouse).id
    await shop.db.transaction(lambda tx: stock.receive(tx, place, [(variant, units)], unit_costs_e4=[cost]))


async def worth(shop: Shop, variant: UUID, at: Location | None = None) -> tuple[int, int]:
    """Value and average of a level."""
    row = await shop.db.row(
        "SELECT value_e4, unit_cost_e4 FROM level WHERE variant = $1 AND location = $2",
        variant,
        (at or shop.warehouse).id,
    )
    assert row is not None
    return row["value_e4"], row["unit_cost_e4"]


async def movements(shop: Shop, variant: UUID) -> list[tuple[object, ...]]:
    rows = await shop.db.rows(
        """SELECT cause, quantity, unit_cost_e4, value_e4, value_after_e4 FROM movement WHERE variant = $1
           ORDER BY seq""",
        variant,
    )
    return [tuple(row) for row in rows]


async def sound(shop: Shop) -> None:
    assert {r.name: r.message for r in await checks.run(shop.db, CHECKS) if r.status != "ok"} == {}


async def test_the_average_moves_and_nothing_is_lost_in_rounding(shop: Shop) -> None:
    (kettle,) = await shop.variants(0)
    await receive(shop, kettle, 1, 10 * ONE)
    await receive(shop, kettle, 2, 11 * ONE)
    assert await worth(shop, kettle) == (32 * ONE, 10_666_667)
    order = new_id()
    await shop.take((kettle, 3), owner=order, kind=HoldKind.ORDER)
    for _ in range(3):
        await shop.db.transaction(lambda tx: stock.ship(tx, order, lines=[stock.HoldLine(kettle, 1)]))
    assert [m[3] for m in await movements(shop, kettle)] == [
        10 * ONE, 22 * ONE, -10_666_667, -10_666_667, -10_666_666,
    ]  # fmt: skip
    assert await worth(shop, kettle) == (0, 10_666_666), "the cost stays known when the shelf is empty"
    await sound(shop)


async def test_what_comes_back_brings_what_it_had_cost(shop: Shop) -> None:
    (kettle,) = await shop.variants(0)
    await receive(shop, kettle, 2, 10 * ONE)
    order = new_id()
    await shop.take((kettle, 2), owner=order, kind=HoldKind.ORDER)
    await shop.db.transaction(lambda tx: stock.ship(tx, order))
    await receive(shop, kettle, 1, 40 * ONE)
    back = [(shop.at_lund.id, kettle, 1)]
    await shop.db.transaction(lambda tx: stock.restock(tx, back, reference=new_id(), sold_as=order))
    assert await worth(shop, kettle, shop.at_lund) == (10 * ONE, 10 * ONE)
    await shop.db.transaction(lambda tx: stock.restock(tx, [(shop.warehouse.id, kettle, 1)], reference=order))
    assert await worth(shop, kettle) == (50 * ONE, 25 * ONE)
    await shop.db.transaction(lambda tx: stock.restock(tx, back, reference=new_id()))
    assert await worth(shop, kettle, shop.at_lund) == (20 * ONE, 10 * ONE), "unknown: what those there cost"
    await sound(shop)


async def test_transfers_carry_their_value_whatever_happens_meanwhile(shop: Shop) -> None:
    (kettle,) = await shop.variants(0)
    await receive(shop, kettle, 3, 3_333_333)
    await receive(shop, kettle, 4, 1)
    whole = (await worth(shop, kettle))[0]
    sent = await shop.db.transaction(
        lambda tx: transfers.send(tx, shop.warehouse.id, shop.at_lund.id, [(kettle, 5)])
    )
    await receive(shop, kettle, 7, 99 * ONE)
    left = (await worth(shop, kettle))[0] - 7 * 99 * ONE
    await shop.db.transaction(lambda tx: transfers.receive(tx, sent.id, [(kettle, 2)]))
    await shop.db.transaction(lambda tx: transfers.receive(tx, sent.id, [(kettle, 1)]))
    there = (await worth(shop, kettle, shop.at_lund))[0]
    before = (await worth(shop, kettle))[0]
    await shop.db.transaction(lambda tx: transfers.cancel(tx, sent.id))
    back = (await worth(shop, kettle))[0] - before
    assert there + back + left == whole
    assert 0 < back < there
    await sound(shop)


async def test_purchases_bring_their_cost_and_counts_take_the_average(shop: Shop) -> None:
    (kettle,) = await shop.variants(0)
    db = shop.db
    maker = await db.transaction(lambda tx: suppliers.create(tx, SupplierInput(code="bodum", name="Bodum")))
    line = [WantedLine(kettle, 3, 1_234_567)]
    made = await db.transaction(lambda tx: purchases.draft(tx, maker, shop.warehouse.id, line))
    await db.transaction(lambda tx: purchases.order(tx, made.id))
    await db.transaction(lambda tx: purchases.receive(tx, made.id, [(kettle, 4)]))
    assert await worth(shop, kettle) == (4 * 1_234_567, 1_234_567)
    count = await db.transaction(lambda tx: counts.open_count(tx, shop.warehouse.id))
    await db.transaction(lambda tx: counts.enter(tx, count.id, [(kettle, 6)]))
    await db.transaction(lambda tx: counts.close(tx, count.id))
    at = shop.warehouse.id
    await db.transaction(lambda tx: stock.correct(tx, at, [(kettle, -5)], reason="rust", cause=Cause.DAMAGE))
    assert [m[2:] for m in await movements(shop, kettle)] == [
        (1_234_567, 4 * 1_234_567, 4 * 1_234_567),
        (1_234_567, 2 * 1_234_567, 6 * 1_234_567),
        (1_234_567, -5 * 1_234_567, 1_234_567),
    ]
    await sound(shop)


async def test_old_stock_of_unknown_cost_is_valued_and_the_ledger_says_so(shop: Shop) -> None:
    kettle, filters = await shop.variants(3, 0)
    assert await worth(shop, kettle) == (0, 0)
    costs = [(kettle, 5 * ONE), (filters, 2 * ONE)]
    at = shop.warehouse.id
    await shop.db.transaction(lambda tx: stock.revalue(tx, at, costs, reason="Invoice 7"))
    assert await worth(shop, kettle) == (15 * ONE, 5 * ONE)
    await shop.db.transaction(lambda tx: stock.revalue(tx, at, [(kettle, 4 * ONE)], reason="Rebate"))
    assert await worth(shop, kettle) == (12 * ONE, 4 * ONE)
    await receive(shop, filters, 2, None)
    assert await worth(shop, filters) == (4 * ONE, 2 * ONE), "an empty shelf remembers what was said of it"
    assert [m[:2] for m in await movements(shop, kettle)] == [
        ("receipt", 3),
        ("revaluation", 0),
        ("revaluation", 0),
    ]
    for wrong in ([(kettle, 1), (kettle, 2)], [(new_id(), 1)]):
        with pytest.raises(InvalidInput):
            await shop.db.transaction(lambda tx, wrong=wrong: stock.revalue(tx, at, wrong, reason="x"))
    with pytest.raises(InvalidInput):
        await receive(shop, kettle, 10**9, 10**13)
    clerk = Context(actor=Actor(kind="staff", id=new_id(), permissions=frozenset({ADJUST})))
    with pytest.raises(Forbidden):
        await shop.db.transaction(lambda tx: stock.revalue(tx, at, costs, reason="x"), clerk)
    await sound(shop)


async def test_a_whole_import_may_bring_costs(shop: Shop) -> None:
    kettle, filters = await shop.variants(0, 2)
    await receive(shop, filters, 2, 3 * ONE)
    rows = [(shop.warehouse.id, kettle, 2), (shop.warehouse.id, filters, 1), (shop.warehouse.id, kettle, 1)]
    await shop.db.transaction(lambda tx: stock.opening(tx, rows, unit_costs_e4={kettle: 7}))
    assert await worth(shop, kettle) == (21, 7)
    assert await worth(shop, filters) == (6 * ONE + 1_500_000, 1_500_000)
    await sound(shop)


async def test_the_doctor_says_which_value_is_wrong_and_mends_it(shop: Shop) -> None:
    (kettle,) = await shop.variants(0)
    await receive(shop, kettle, 2, ONE)
    with pytest.raises(asyncpg.RestrictViolationError):
        await shop.db.transaction(lambda tx: tx.execute("UPDATE level SET value_e4 = 1"))

    async def damage(tx: object) -> None:
        await tx.execute("ALTER TABLE level DISABLE TRIGGER USER")  # type: ignore[attr-defined]
        await tx.execute("UPDATE level SET value_e4 = 5 WHERE variant = $1", kettle)  # type: ignore[attr-defined]
        await tx.execute("ALTER TABLE level ENABLE TRIGGER USER")  # type: ignore[attr-defined]

    await shop.db.transaction(damage)  # type: ignore[arg-type]
    (found,) = [r for r in await checks.run(shop.db, CHECKS) if r.status != "ok"]
    assert found.name == "stock-value"
    assert f"K-{kettle} at dc: worth 5, but its movements add up to 2000000" in found.message
    fixed = {r.name: r.fixed for r in await checks.run(shop.db, CHECKS, fix=True)}
    assert fixed["stock-value"] == 1
    assert (await movements(shop, kettle))[-1] == ("revaluation", 0, 0, 5 - 2 * ONE, 5)
    await sound(shop)


async def test_costs_over_http_are_for_those_who_may_see_them(
    shop: Shop, api: httpx.AsyncClient, api_as
) -> None:
    (kettle,) = await shop.variants(0)
    sku = f"K-{kettle}"
    line = {"sku": sku, "quantity": 4, "unit_cost_e4": 250}
    assert (
        await api.post("/api/stock/receipts", json={"location": "dc", "lines": [line]})
    ).status_code == 201
    (row,) = (await api.get("/api/stock/values", params={"sku": sku})).json()["items"]
    assert (row["value_e4"], row["unit_cost_e4"], row["currency"]) == (1000, 250, "SEK")
    body = {"location": "dc", "reason": "Invoice 7", "lines": [{"sku": sku, "unit_cost_e4": 300}]}
    assert (await api.post("/api/stock/revaluations", json=body)).status_code == 201
    rows = (await api.get("/api/stock/costs", params={"sku": sku})).json()["items"]
    assert [(r["cause"], r["quantity"], r["value_e4"], r["value_after_e4"]) for r in rows] == [
        ("revaluation", 0, 200, 1200),
        ("receipt", 4, 1000, 1000),
    ]
    for wrong in ({"reason": ""}, {"lines": []}, {"lines": [{"sku": sku, "unit_cost_e4": -1}]}):
        assert (await api.post("/api/stock/revaluations", json={**body, **wrong})).status_code == 422
    clerk = Actor(kind="staff", id=new_id(), permissions=frozenset({ADJUST, READ}))
    async with api_as(clerk) as limited:
        for path in ("values", "costs"):
            assert (await limited.get(f"/api/stock/{path}")).status_code == 403
        assert "cost" not in (await limited.get("/api/stock/movements")).text


@given(st.integers(0, 10**15), st.lists(st.integers(1, 10**6), min_size=1, max_size=8))
def test_shares_add_up_to_the_whole(value: int, parts: list[int]) -> None:
    left, of, given_away = value, sum(parts), 0
    for part in parts:
        share = rules.share(left, part, of)
        assert 0 <= share <= left
        assert abs(share * of - left * part) * 2 <= of, "within half of the smallest unit"
        left, of, given_away = left - share, of - part, given_away + share
    assert (left, given_away) == (0, value)
