"""The migration that made gift cards which tills had sold lines of their own kind, on rows as they were before it."""

from importlib import resources
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from selling import CLERK, Till

from samlad import credit
from samlad.credit.at_till import PrepareInput, prepare
from samlad.kernel.context import Context
from samlad.kernel.database import Tx
from trade import Trade

MIGRATION = resources.files("samlad.orders") / "sql/0020_gift_card_lines.sql"
BEFORE = """
    UPDATE order_line SET kind = 'fee' WHERE kind = 'gift_card';
    ALTER TABLE order_line DROP CONSTRAINT order_line_kind_check;
    ALTER TABLE order_line ADD CONSTRAINT order_line_kind_check
        CHECK (kind IN ('item', 'shipping', 'fee', 'discount', 'adjustment'))"""
"""The table as 0001 had made it."""


async def card_sold(trade: Trade, till: Till, code: str, amount: int) -> UUID:
    """The order of a gift card that a till sold by its printed number."""
    plain = credit.read_card_code(code)
    assert plain is not None
    sale = till.sale(total=amount, tenders=[{"kind": "card", "amount": amount}])
    card = {"card": credit.card_hash(plain).hex(), "last_four": plain[-4:], "amount": amount}
    (verdict,) = await till.send({**sale, "lines": [], "cards": [card]})
    assert verdict.order is not None
    return verdict.order


async def add(tx: Tx, order: UUID, position: int, title: str, total: int, **more: Any) -> None:
    """A fee of an order as it was kept then."""
    values = {"kind": "fee", "variant": None, "tax_rate": 0} | more
    await tx.execute(
        """INSERT INTO order_line (order_id, position, kind, variant, title, quantity, unit_price, tax_rate, total)
           VALUES ($1, $2, $3, $4, $5, 1, $6, $7, $6)""",
        order,
        position,
        values["kind"],
        values["variant"],
        title,
        total,
        values["tax_rate"],
    )


async def test_only_what_was_a_gift_card_is_one_from_then_on(trade: Trade) -> None:
    till, data = Till(trade), PrepareInput(channel=trade.malmo.id, count=2)
    prepared = (await trade.db.transaction(lambda tx: prepare(tx, data), Context(actor=CLERK))).codes
    first, second = [await card_sold(trade, till, code, 50_000) for code in prepared]
    kettle = await trade.kettle()
    other = (await trade.buy((kettle, 1))).id
    title = await trade.db.value("SELECT title FROM order_line WHERE order_id = $1", first)
    assert title.startswith("Gift card ···· ")

    async def work(tx: Tx) -> None:
        await tx.execute(BEFORE)
        await add(tx, first, 2, "Gift wrapping", 50_000)
        await add(tx, first, 3, title, 49_999)  # another amount than any card of this order
        await add(tx, first, 4, "Gift card ···· ÅÄÖX", 50_000)  # another card
        await add(tx, first, 5, title, 50_000, tax_rate=2_500)
        await add(tx, first, 6, title, 50_000, variant=uuid4())
        await add(tx, first, 7, title, 50_000, kind="adjustment")
        await add(tx, other, 2, title, 50_000)  # this order sold no card
        await tx.execute("UPDATE gift_card_charge SET source = 'given' WHERE order_id = $1", second)
        await tx.execute(MIGRATION.read_text())

    before = "SELECT count(*) FROM order_line"
    count = await trade.db.value(before)
    await trade.db.transaction(work)
    assert await trade.db.value(before) == count + 7
    rows = await trade.db.rows("SELECT order_id, position, kind FROM order_line ORDER BY 1, 2")
    kinds = {(row["order_id"], row["position"]): row["kind"] for row in rows}
    assert kinds == {
        (first, 1): "gift_card",
        **{(first, position): "fee" for position in range(2, 7)},
        (first, 7): "adjustment",
        (second, 1): "fee",
        (other, 1): "item",
        (other, 2): "fee",
    }
    with pytest.raises(asyncpg.CheckViolationError):
        await trade.db.transaction(lambda tx: add(tx, other, 3, "Something", 1, kind="something"))
