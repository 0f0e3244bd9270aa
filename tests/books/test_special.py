"""What is booked by a rule of its own: points at their fair value, providers' fees and payouts, special taxes, late sales."""

import asyncio
import os
import signal
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from bookkeeping import accounts, book_of, is_sound, settled
from hypothesis import given
from hypothesis import strategies as st
from test_closings import close
from test_tills import closed, opened, ring_up

import horizon
from samlad import books, catalog, credit, customers, orders, stock
from samlad.books import BookChange, revalue, rules, sie
from samlad.books.exports import sie_file
from samlad.books.followers import FOLLOWERS
from samlad.catalog import ProductChange
from samlad.channels import Resource
from samlad.credit import ProgrammeInput, RedeemInput
from samlad.customers import PersonInput
from samlad.kernel import followers
from samlad.kernel.clock import now
from samlad.kernel.ids import new_id
from samlad.orders import FulfilInput, LineSelection, ReturnInput, happened, tax_report
from samlad.orders.happened import HappenedLine, HappenedSale
from samlad.payments import settlements
from samlad.payments.at_till import Tendered
from samlad.payments.settlements import SettlementsInput
from samlad.tax import schemes
from samlad.tax.model import SchemeInput, SchemeKind
from trade import Trade

COUNTS = st.integers(0, 10**7)


@given(given=COUNTS, used=COUNTS, lost=COUNTS, worth=st.integers(0, 10**6))
def test_points_balance_and_nobody_without_any_is_owed(given: int, used: int, lost: int, worth: int) -> None:
    fact = rules.PointsFact(balance=given - used - lost, earned=given, used=used, expired=lost)
    target = rules.points_target(fact, worth, "SEK", UUID(int=1))
    assert sum(target.values()) == 0
    debt = -sum(amount for entry, amount in target.items() if entry.purpose == "loyalty_points")
    assert abs(debt * 1_000 - fact.balance * worth) <= 500
    none = msgspec.structs.replace(fact, balance=0)
    assert all(e.purpose != "loyalty_points" for e in rules.points_target(none, worth, "SEK", UUID(int=1)))


async def programme(trade: Trade) -> None:
    data: dict[str, Any] = {
        "channel": str(trade.web.id),
        "name": "Gathered",
        "is_automatic": True,
        "rates": [{"currency": "SEK", "spend": 1_000, "points": 1}],
        "tiers": [],
        "rewards": [{"code": "five", "name": "5 kr", "points": 5, "amount": 500, "currency": "SEK"}],
    }
    given = msgspec.convert(data, ProgrammeInput)
    await trade.db.transaction(lambda tx: credit.set_programme(tx, given))


async def worth(trade: Trade, amount: int) -> None:
    book = await book_of(trade.db)
    change = BookChange(points_worth=amount)
    await trade.db.transaction(lambda tx: books.change(tx, book.id, change))
    await revalue.revalue_all(trade.db, book.id, now())


async def test_points_are_a_debt_until_they_are_used_or_taken_back(trade: Trade) -> None:
    await programme(trade)
    order = await trade.buy((await trade.kettle(10_000), 2))
    await trade.follow()
    assert "loyalty_points" not in await settled(trade)
    await worth(trade, 50_000)  # half a krona each
    found = await settled(trade)
    assert (found["loyalty_points"], found["loyalty_earned"]) == (-1_000, 1_000)
    pool = trade.web.pools[Resource.CUSTOMERS]
    kim = await trade.db.transaction(
        lambda tx: customers.find_or_create(tx, pool, PersonInput(email="kim@example.org"))
    )
    data = msgspec.convert({"reward": "five", "channel": str(trade.web.id)}, RedeemInput)
    await trade.db.transaction(lambda tx: credit.redeem(tx, kim.id, data))
    found = await settled(trade)
    assert (found["loyalty_points"], found["loyalty_used"]) == (-750, -250)
    assert (found["credit_given"], found["store_credit"]) == (500, -500)
    await trade.db.transaction(lambda tx: orders.fulfil(tx, order.id, FulfilInput()))
    await trade.db.transaction(lambda tx: orders.take_back(tx, order.id, ReturnInput()))
    found = await settled(trade)
    assert found["loyalty_points"] == 250, "they were used and taken back: the member owes us"
    await worth(trade, 100_000)
    assert (await settled(trade))["loyalty_points"] == 500
    await worth(trade, 0)
    assert "loyalty_points" not in await settled(trade)


def entry(reference: str, kind: str, amount: int, fee: int = 0) -> dict[str, Any]:
    moment = datetime.fromisoformat("2026-11-25T10:00:00+01:00")
    return {
        "reference": reference,
        "kind": kind,
        "amount": amount,
        "fee": fee,
        "currency": "SEK",
        "happened_at": moment,
    }


async def test_fees_and_payouts_leave_nothing_with_the_provider(trade: Trade) -> None:
    await trade.buy((await trade.kettle(20_000), 1))  # paid by `test`, which plays the provider here
    sent = {
        "provider": "test",
        "entries": [
            entry("txn_1", "charge", 20_000, 310),
            entry("txn_2", "fee", 0, 90),
            entry("txn_3", "adjustment", -600, 150),
            entry("txn_4", "payout", -18_850),
        ],
    }
    data = msgspec.convert(sent, SettlementsInput)
    assert (await trade.db.transaction(lambda tx: settlements.record(tx, data))).recorded == 4
    again = await trade.db.transaction(lambda tx: settlements.record(tx, data))
    assert (again.recorded, again.known) == (0, 4)
    found = await settled(trade)
    assert (found["provider_fees"], found["provider_adjustments"], found["bank"]) == (550, 600, 18_850)
    assert "clearing:test" not in found
    assert (await accounts(trade.db))["6040"] == 550
    await trade.db.rows("UPDATE follower SET xid = 0, seq = 0 WHERE name = 'books' RETURNING 1")
    assert await settled(trade) == found, "told again, nothing is booked"


async def test_second_hand_goods_are_taxed_on_the_margin_and_no_document_shows_it(trade: Trade) -> None:
    use = SchemeInput(
        channel="web",
        scheme=SchemeKind.SECOND_HAND,
        tax_class="second_hand",
        valid_from=date(2026, 1, 1),
    )
    await trade.db.transaction(lambda tx: schemes.use(tx, use))
    clock = await trade.kettle(10_000, quantity=0)

    async def bring(tx: Any) -> None:
        product = await tx.value("SELECT product FROM variant WHERE id = $1", clock)
        await catalog.change(tx, product, ProductChange(tax_class="second_hand"))
        await stock.receive(tx, trade.warehouse.id, [(clock, 2)], unit_costs_e4=[60_000_000])

    await trade.db.transaction(bring)
    order = await trade.buy((clock, 2))
    line = order.lines[0]
    assert (order.total, line.tax, line.tax_category, line.tax_treatment, line.tax_note) == (
        20_000,
        0,
        "E",
        "margin",
        "margin-second-hand",
    )
    await trade.db.transaction(lambda tx: orders.fulfil(tx, order.id, FulfilInput()))
    found = await settled(trade)
    # 20,000 for what cost 12,000: of the margin of 8,000 a fifth is tax.
    assert (found["tax:0:SE:margin"], found["sales:0:SE:margin"]) == (-1_600, -18_400)
    assert {"2616": -1_600, "3200": -18_400}.items() <= (await accounts(trade.db)).items()
    book = await book_of(trade.db)
    today = now().date()
    text = b"".join(
        [
            part
            async for part in sie_file(trade.db, book, today - timedelta(days=1), today + timedelta(days=1))
        ]
    ).decode("cp437")
    assert '#DIM 22 "Momsregel"' in text
    assert '22 "margin"' in text
    assert sie.RULES["margin"] in text
    told = await tax_report.report(
        trade.db, [trade.web], today - timedelta(days=1), today + timedelta(days=1)
    )
    of_margin = [row for row in told if row.treatment == "margin"]
    assert [(row.margin, row.margin_tax, row.tax) for row in of_margin] == [(8_000, 1_600, 0)], (
        "as in the book"
    )
    assert tax_report.as_csv(of_margin).splitlines()[0].endswith(b"net,tax,margin,margin_tax")
    half = ReturnInput(lines=[LineSelection(position=1, quantity=1)])
    await trade.db.transaction(lambda tx: orders.take_back(tx, order.id, half))
    assert (await settled(trade))["tax:0:SE:margin"] == -800
    told = await tax_report.report(
        trade.db, [trade.web], today - timedelta(days=1), today + timedelta(days=1)
    )
    assert sum(row.margin_tax for row in told) == 800
    await trade.db.transaction(lambda tx: orders.take_back(tx, order.id, ReturnInput()))
    assert await settled(trade) == {}


async def test_goodwill_is_a_discount_and_not_a_rounding(trade: Trade) -> None:
    order = await trade.buy((await trade.kettle(10_000), 1))
    change = msgspec.convert({"actions": [{"kind": "goodwill", "amount": 1_000}]}, orders.ChangeInput)
    await trade.db.transaction(lambda tx: orders.apply_change(tx, order.id, change))
    found = await settled(trade)
    assert found["discounts"] == 800
    assert "rounding" not in found
    await is_sound(trade.db)


async def test_a_sale_that_comes_late_corrects_by_entries(trade: Trade) -> None:
    """A till was offline: its cash sale comes in after its drawer was counted and its day closed. Neither is rewritten."""
    kettle = await trade.kettle(20_000, at=trade.at_malmo)
    shift = await opened(trade, 0)
    await ring_up(trade, kettle)
    await closed(trade, shift, 20_000)
    await trade.follow()
    day = await close(trade, trade.at_malmo.id)
    sale = HappenedSale(
        id=new_id(),
        lease=new_id(),
        location=trade.at_malmo.id,
        happened_at=now() - timedelta(minutes=1),
        reference="A-7",
        lines=[
            HappenedLine(
                variant=kettle, sku="K", title="Kettle", quantity=1, unit_price=20_000, tax_rate=2_500, tax=4_000,
                total=20_000,
            )
        ],
        tenders=[Tendered("cash", 20_000)],
    )  # fmt: skip
    order, _sold = await trade.db.transaction(lambda tx: happened.record(tx, trade.malmo, sale))
    await settled(trade)
    rows = await trade.db.rows("SELECT day, fact_day FROM voucher WHERE order_id = $1", order.id)
    assert {(row["day"] - row["fact_day"]).days for row in rows} == {1}, "on the next open day"
    again = await trade.db.value("SELECT report FROM day_closing WHERE id = $1", day.id)
    assert again["sold"] == 20_000, "what was closed stays as it was"
    following = await opened(trade, 20_000)
    assert following.shift.float == 20_000
    await is_sound(trade.db)


KILLED = """
import asyncio, sys
from pathlib import Path
from samlad.books import posting
from samlad.books.followers import FOLLOWERS
from samlad.kernel import followers
from samlad.kernel.database import open_database
from samlad.kernel.settings import load

async def main(dsn, folder):
    database = await open_database(dsn, load({}, home=Path(folder), database_url=dsn))
    book = posting.settle_order
    async def slowly(tx, order, cause):
        await book(tx, order, cause)
        print("in the middle", flush=True)
        await asyncio.sleep(60)
    posting.settle_order = slowly
    await followers.step(database, FOLLOWERS[0])

asyncio.run(main(*sys.argv[1:]))
"""


async def test_the_follower_is_killed_and_agrees_afterwards(trade: Trade, dsn: str, tmp_path: Path) -> None:
    for _ in range(3):
        await trade.buy((await trade.kettle(10_000), 1))
    await followers.register(trade.db, FOLLOWERS)
    await horizon.passed(trade.db)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, dsn, str(tmp_path), stdout=subprocess.PIPE, env=dict(os.environ)
    )
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 60) == b"in the middle\n"
    process.send_signal(signal.SIGKILL)
    await process.wait()
    assert await trade.db.value("SELECT count(*) FROM voucher") == 0
    found = await settled(trade)
    assert (found["sales:2500:SE"], found["clearing:test"]) == (-24_000, 30_000)
    await trade.agree()
