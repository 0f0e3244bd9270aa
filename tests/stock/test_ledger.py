"""The ledger: nothing changes on_hand but a movement, and no movement is ever changed."""

import asyncpg
import pytest
from stock_shop import Shop, books_are_right, new_variants

import horizon
from samlad import stock
from samlad.kernel import checks, log
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Database
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, Forbidden, InvalidInput
from samlad.stock import Cause, HoldKind, NotInStock
from samlad.stock.checks import CHECKS
from samlad.stock.permissions import ADJUST


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE level SET on_hand = on_hand + 1",
        "UPDATE level SET on_hand = 0, held = 0",
        "INSERT INTO level (location, variant, on_hand) SELECT location, gen_random_uuid(), 5 FROM level",
        "DELETE FROM level",
        "UPDATE movement SET quantity = 7",
        "UPDATE movement SET reason = 'nicer'",
        "DELETE FROM movement",
        "TRUNCATE movement",
    ],
)
async def test_no_other_way_to_change_what_is_on_hand(shop: Shop, sql: str) -> None:
    await shop.variants(5)
    with pytest.raises(asyncpg.RestrictViolationError):
        await shop.db.transaction(lambda tx: tx.execute(sql))


async def test_overselling_is_refused_by_the_table_itself(shop: Shop) -> None:
    await shop.variants(5)
    for sql in ("UPDATE level SET held = 6", "UPDATE level SET held = -1"):
        with pytest.raises(asyncpg.CheckViolationError):
            await shop.db.transaction(lambda tx, sql=sql: tx.execute(sql))


async def test_corrections_say_why_and_never_go_below_nothing(shop: Shop) -> None:
    (kettle,) = await shop.variants(5)
    at = shop.warehouse.id
    await shop.db.transaction(
        lambda tx: stock.correct(tx, at, [(kettle, -2)], reason="broken", cause=Cause.DAMAGE)
    )
    row = await shop.db.row("SELECT * FROM movement WHERE variant = $1 ORDER BY seq DESC", kettle)
    assert row is not None
    assert (row["cause"], row["reason"], row["on_hand_after"], row["actor"]) == (
        "damage",
        "broken",
        3,
        "system",
    )
    audited = await shop.db.value("SELECT difference FROM audit_entry WHERE verb = 'stock.corrected'")
    assert "broken" in audited
    with pytest.raises(NotInStock):
        await shop.db.transaction(lambda tx: stock.correct(tx, at, [(kettle, -4)], reason="thieves"))
    assert await shop.level(kettle) == (3, 0)


async def test_when_units_are_gone_the_weakest_holds_lose_theirs(shop: Shop) -> None:
    (kettle,) = await shop.variants(6)
    order, cart, lease = new_id(), new_id(), new_id()
    await shop.take((kettle, 2), owner=order, kind=HoldKind.ORDER)
    await shop.take((kettle, 2), owner=lease, kind=HoldKind.LEASE)
    await shop.take((kettle, 2), owner=cart, kind=HoldKind.CART)
    at = shop.warehouse.id
    await shop.db.transaction(lambda tx: stock.correct(tx, at, [(kettle, -3)], reason="water"))
    holds = await shop.db.rows("SELECT owner, quantity FROM hold ORDER BY quantity")
    assert {(h["owner"], h["quantity"]) for h in holds} == {(order, 2), (lease, 1)}
    await horizon.passed(shop.db)
    events, _ = await log.read(shop.db, log.BEGINNING, types=["stock.lost"])
    lost = {(line["owner"], line["quantity"]) for line in events[0].payload["lines"]}
    assert lost == {(str(cart), 2), (str(lease), 1)}
    await books_are_right(shop.db)
    await shop.db.transaction(lambda tx: stock.correct(tx, at, [(kettle, -3)], reason="fire"))
    assert await shop.level(kettle) == (0, 0)
    await books_are_right(shop.db)


async def test_unknown_variants_and_locations_are_refused(shop: Shop) -> None:
    with pytest.raises(InvalidInput):
        await shop.db.transaction(lambda tx: stock.receive(tx, shop.warehouse.id, [(new_id(), 1)]))
    (kettle,) = await shop.variants(0)
    with pytest.raises(InvalidInput):
        await shop.db.transaction(lambda tx: stock.receive(tx, new_id(), [(kettle, 1)]))
    await shop.receive(kettle, 2**31 - 1, shop.warehouse)
    with pytest.raises(InvalidInput):
        await shop.receive(kettle, 1, shop.warehouse)


async def test_store_staff_change_only_their_own_locations(shop: Shop) -> None:
    (kettle,) = await shop.variants(5)
    clerk = Actor(
        kind="staff", id=new_id(), permissions=frozenset({ADJUST}), locations=frozenset({shop.at_malmo.id})
    )
    context = Context(actor=clerk)
    await shop.db.transaction(lambda tx: stock.receive(tx, shop.at_malmo.id, [(kettle, 1)]), context)
    with pytest.raises(Forbidden):
        await shop.db.transaction(lambda tx: stock.receive(tx, shop.at_lund.id, [(kettle, 1)]), context)


async def test_backorder_limit_and_low_mark(shop: Shop) -> None:
    (kettle,) = await shop.variants(1)
    at = shop.warehouse.id
    await shop.db.transaction(lambda tx: stock.set_level(tx, at, kettle, backorder_limit=2))
    await shop.db.transaction(lambda tx: stock.set_level(tx, at, kettle, low_at=7))
    await shop.take((kettle, 3))
    with pytest.raises(Conflict):
        await shop.db.transaction(lambda tx: stock.set_level(tx, at, kettle, backorder_limit=1))
    row = await shop.db.row("SELECT backorder_limit, low_at FROM level WHERE variant = $1", kettle)
    assert tuple(row or ()) == (2, 7)


async def test_opening_stock_by_copy(shop: Shop) -> None:
    variants = await new_variants(shop.db, 300)
    rows = [(at.id, v, n) for n, v in enumerate(variants) for at in (shop.at_lund, shop.warehouse)]
    count = await shop.db.transaction(lambda tx: stock.opening(tx, rows))
    assert count == 2 * 299, "rows without units are left out"
    assert await shop.level(variants[7]) == (7, 0)
    await books_are_right(shop.db)
    with pytest.raises(InvalidInput):
        await shop.db.transaction(lambda tx: stock.opening(tx, [(shop.at_lund.id, new_id(), 1)]))
    await horizon.passed(shop.db)
    events, _ = await log.read(shop.db, log.BEGINNING, types=["stock.opened"])
    assert [(e.payload["movements"], e.payload["units"]) for e in events] == [(598, 2 * 299 * 150)]


async def results(db: Database, *, fix: bool = False) -> dict[str, tuple[str, int]]:
    return {r.name: (r.status, r.fixed) for r in await checks.run(db, CHECKS, fix=fix)}


SOUND = {
    "stock-ledger": ("ok", 0),
    "stock-value": ("ok", 0),
    "stock-lots": ("ok", 0),
    "stock-holds": ("ok", 0),
    "stock-incoming": ("ok", 0),
    "stock-supplier-returns": ("ok", 0),
    "stock-transfers": ("ok", 0),
    "stock-bounds": ("ok", 0),
    "stock-expired": ("ok", 0),
    "stock-sets": ("ok", 0),
}


async def test_the_doctor_finds_and_mends(shop: Shop) -> None:
    kettle, filters, scale = await shop.variants(5, 5, 5)
    await shop.take((filters, 2), (scale, 4))
    assert await results(shop.db) == SOUND

    async def damage(tx: object) -> None:
        # Only who turns the triggers off can bring the books into disorder.
        await tx.execute("ALTER TABLE level DISABLE TRIGGER USER")  # type: ignore[attr-defined]
        await tx.execute("UPDATE level SET on_hand = 8 WHERE variant = $1", kettle)  # type: ignore[attr-defined]
        await tx.execute("UPDATE level SET on_hand = 3, held = 0 WHERE variant = $1", scale)  # type: ignore[attr-defined]
        await tx.execute("UPDATE level SET held = 5 WHERE variant = $1", filters)  # type: ignore[attr-defined]
        await tx.execute("ALTER TABLE level ENABLE TRIGGER USER")  # type: ignore[attr-defined]

    await shop.db.transaction(damage)  # type: ignore[arg-type]
    found = {r.name: r for r in await checks.run(shop.db, CHECKS)}
    assert found["stock-ledger"].status == found["stock-holds"].status == "failed"
    assert f"K-{kettle} at dc: on hand 8, but its movements add up to 5" in found["stock-ledger"].message
    assert f"K-{filters} at dc: held 5, but its holds add up to 2" in found["stock-holds"].message

    found = {r.name: r for r in await checks.run(shop.db, CHECKS, fix=True)}
    assert f"K-{kettle} at dc: on hand 8" in found["stock-ledger"].mended, "what was mended is said"
    mended = {r.name: (r.status, r.fixed) for r in found.values()}
    assert mended == {**SOUND, "stock-ledger": ("ok", 2), "stock-holds": ("ok", 2)}
    assert await shop.level(kettle) == (8, 0)
    assert await shop.level(filters) == (5, 2)
    assert await shop.level(scale) == (3, 3), "of four held units one was not there"
    booked = await shop.db.row(
        "SELECT quantity, cause FROM movement WHERE variant = $1 ORDER BY seq DESC", kettle
    )
    assert tuple(booked or ()) == (3, "correction")
    await horizon.passed(shop.db)
    events, _ = await log.read(shop.db, log.BEGINNING, types=["stock.lost"])
    assert events[0].payload["lines"][0]["quantity"] == 1
    await books_are_right(shop.db)
    await shop.receive(kettle, 1, shop.warehouse)
    assert await shop.level(kettle) == (9, 0), "after a repair movements change levels again"
