"""Numbers without a gap: at once, rolled back, killed, and with each fiscal year anew."""

import asyncio
import os
import signal
import sys
import textwrap
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paper import Paper

from samlad.documents import issuing, rules
from samlad.documents.model import IssueInput, Kind
from samlad.kernel.database import Tx
from samlad.kernel.problems import InvalidInput


async def test_many_at_once_get_numbers_without_a_gap_though_some_roll_back(paper: Paper) -> None:
    found = [await paper.sold(1_000 + number) for number in range(12)]

    async def one(number: int) -> None:
        async def work(tx: Tx) -> None:
            await issuing.issue(tx, found[number].id, IssueInput())
            await asyncio.sleep(0)
            if number % 3 == 0:
                raise RuntimeError("the power went")

        await paper.db.transaction(work)

    outcomes = await asyncio.gather(*(one(number) for number in range(12)), return_exceptions=True)
    failed = [outcome for outcome in outcomes if isinstance(outcome, RuntimeError)]
    assert len(failed) == 4
    assert [outcome for outcome in outcomes if outcome is not None] == failed
    assert await paper.numbers() == list(range(1, 9))
    for number in range(0, 12, 3):
        await paper.issue(found[number].id)
    assert await paper.numbers() == list(range(1, 13))
    await paper.sound()


async def test_a_number_that_was_taken_and_rolled_back_is_the_next_ones(paper: Paper) -> None:
    first, second = await paper.sold(), await paper.sold()

    async def work(tx: Tx) -> None:
        (issued,) = await issuing.issue(tx, first.id, IssueInput())
        assert issued.number == "000001"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await paper.db.transaction(work)
    (issued,) = await paper.issue(second.id)
    assert issued.number == "000001"
    assert await paper.of(first.id) == []


_VICTIM = """
    import asyncio, sys
    from pathlib import Path
    from uuid import UUID
    from samlad.documents import issuing
    from samlad.documents.model import IssueInput
    from samlad.kernel.database import open_database
    from samlad.kernel.settings import load
    import samlad.app

    async def main(dsn, order):
        database = await open_database(dsn, load({}, home=Path(sys.argv[3]), database_url=dsn))

        async def work(tx):
            (issued,) = await issuing.issue(tx, UUID(order), IssueInput())
            print(issued.number, flush=True)
            await asyncio.sleep(600)

        await database.transaction(work)

    asyncio.run(main(sys.argv[1], sys.argv[2]))
"""


async def test_a_process_that_is_killed_with_a_number_in_its_hand_leaves_no_gap(
    paper: Paper, dsn: str, tmp_path: Path
) -> None:
    first, second = await paper.sold(), await paper.sold()
    victim = await asyncio.create_subprocess_exec(
        sys.executable, "-c", textwrap.dedent(_VICTIM), dsn, str(first.id), str(tmp_path),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert victim.stdout is not None
    assert (await victim.stdout.readline()).strip() == b"000001"
    waiting = asyncio.create_task(paper.issue(second.id))
    os.kill(victim.pid, signal.SIGKILL)
    await victim.wait()
    (issued,) = await asyncio.wait_for(waiting, 60)
    assert issued.number == "000001"
    await paper.issue(first.id)
    assert await paper.numbers() == [1, 2]
    await paper.sound()


async def test_each_kind_has_a_series_of_its_own_and_a_prefix_that_names_the_year(paper: Paper) -> None:
    await paper.seller(invoice_prefix="F{yyyy}-", credit_prefix="K{yy}/", number_digits=4, is_yearly=True)
    order = await paper.sold()
    await paper.settle(order.id)
    await paper.take_back(order.id)
    await paper.settle(order.id)
    invoice, credit = await paper.of(order.id)
    year = invoice.issued_on.year
    assert (invoice.number, credit.number) == (f"F{year}-0001", f"K{year % 100:02d}/0001")
    assert await paper.db.value("SELECT count(*) FROM document_series WHERE year = $1", year) == 2
    await paper.sound()


async def test_numbers_that_begin_again_need_a_prefix_that_was_not_used(paper: Paper) -> None:
    await paper.seller(invoice_prefix="F{yyyy}-", credit_prefix="K{yyyy}-")
    order = await paper.sold()
    await paper.issue(order.id)
    with pytest.raises(InvalidInput) as refused:
        await paper.seller(is_yearly=True)
    assert [error.field for error in refused.value.errors] == ["invoice_prefix"]
    await paper.seller(is_yearly=True, invoice_prefix="A{yyyy}-")


async def test_the_doctor_sees_a_gap(paper: Paper) -> None:
    order = await paper.sold()
    await paper.issue(order.id)
    await paper.db.rows("UPDATE document_series SET last = last + 1 RETURNING 1")
    with pytest.raises(AssertionError, match="document-numbers"):
        await paper.sound()


async def test_the_doctor_sees_sums_that_are_not_the_orders(paper: Paper) -> None:
    order = await paper.sold()
    await paper.issue(order.id)
    await paper.db.rows("UPDATE order_line SET total = total + 1 WHERE order_id = $1 RETURNING 1", order.id)
    with pytest.raises(AssertionError, match="document-sums"):
        await paper.sound()


@given(st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 1, 1)), st.integers(1, 12))
def test_a_fiscal_year_is_twelve_months_from_its_first(day: date, begins: int) -> None:
    year = rules.fiscal_year(day, begins)
    assert date(year, begins, 1) <= day < date(year + 1, begins, 1)


@given(st.integers(1, 10**9), st.integers(1, 10**9), st.integers(1, 12))
def test_numbers_of_one_series_differ_and_sort_while_their_digits_suffice(
    a: int, b: int, digits: int
) -> None:
    one, two = rules.number_of("F{yyyy}-", 2026, a, digits), rules.number_of("F{yyyy}-", 2026, b, digits)
    assert (one == two) == (a == b)
    if max(a, b) < 10**digits:
        assert (one < two) == (a < b)


@pytest.mark.parametrize(
    ("invoice", "credit", "yearly"), [("F", "F", False), ("F", "K{yy}", True), ("F{yy}", "K", True)]
)
def test_numbers_that_two_documents_could_share_are_refused(invoice: str, credit: str, yearly: bool) -> None:
    with pytest.raises(InvalidInput):
        rules.check_numbers(invoice_prefix=invoice, credit_prefix=credit, is_yearly=yearly)


async def test_what_comes_later_is_not_of_an_earlier_moment(paper: Paper) -> None:
    for order in [await paper.sold() for _ in range(3)]:
        await paper.issue(order.id)
    rows = await paper.db.rows(
        "SELECT issued_at FROM document WHERE kind = $1 ORDER BY sequence", Kind.INVOICE
    )
    moments = [row["issued_at"] for row in rows]
    assert moments == sorted(moments)
