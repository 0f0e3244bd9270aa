"""Invoices and credit notes: when, for how much, exactly once, and final."""

import asyncio
import io
from pathlib import Path

import asyncpg
import pytest
from instead import substituted
from paper import FOLLOWER, Paper
from PIL import Image

import horizon
from samlad import channels, content, orders
from samlad.channels import ChannelChange
from samlad.content import pictures
from samlad.content.model import PictureInput
from samlad.documents.model import Kind, NothingToIssue
from samlad.kernel import followers, log
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Tx
from samlad.kernel.problems import Forbidden, NotFound
from samlad.orders.change_model import CancelAction
from samlad.payments import PaymentInput


async def test_an_order_that_has_left_gets_one_invoice_that_comes_to_it(paper: Paper) -> None:
    order = await paper.sold(19_900, 5_000, quantity=2)
    await paper.trade.follow()
    (invoice,) = await paper.of(order.id)
    assert (invoice.kind, invoice.number, invoice.cause) == (Kind.INVOICE, "000001", "sale")
    assert (invoice.net + invoice.tax, invoice.tax) == (order.total, order.tax)
    assert [line.title for line in invoice.printed.lines] == [line.title for line in order.lines]
    assert invoice.printed.paid == order.total
    assert invoice.due_on is None
    assert invoice.printed.buyer.name == "Kim Berg"
    assert invoice.printed.seller.name == "Web"
    assert invoice.printed.seller.email == "shop@example.org"
    assert invoice.printed.locale == "sv"
    await paper.sound()


async def test_a_placed_order_waits_for_its_invoice(paper: Paper) -> None:
    placed = await paper.trade.buy((await paper.trade.kettle(), 2))
    assert await paper.settle(placed.id) == []
    await paper.fulfil(placed.id)
    assert len(await paper.settle(placed.id)) == 1


@pytest.mark.parametrize(("when", "count"), [("request", 0), ("paid", 1), ("fulfilled", 0)])
async def test_the_channel_says_when_an_invoice_is_issued(paper: Paper, when: str, count: int) -> None:
    change = ChannelChange(settings={"invoice_when": when})
    await paper.db.transaction(lambda tx: channels.change(tx, paper.trade.web.id, change))
    placed = await paper.trade.buy((await paper.trade.kettle(), 1))
    assert len(await paper.settle(placed.id)) == count


async def test_an_unpaid_invoice_says_until_when_it_is_to_be_paid_and_where(paper: Paper) -> None:
    await paper.seller()
    offered = ChannelChange(settings={"payment_providers": ["invoice"]})
    await paper.db.transaction(lambda tx: channels.change(tx, paper.trade.web.id, offered))
    kettle = await paper.trade.kettle()
    cart = await paper.trade.cart((kettle, 1))
    placed = await paper.trade.place(cart.id, PaymentInput(provider="invoice"))
    await paper.fulfil(placed.id)
    (issued,) = await paper.settle(placed.id)
    (invoice,) = await paper.of(placed.id)
    assert invoice.printed.paid == 0
    assert invoice.printed.bank.iban == "SE4550000000058398257466"
    read = await orders.read(paper.db, placed.id)
    assert invoice.printed.bank.reference == read.payments[0].reference
    assert issued.due_on == read.payments[0].due_on


async def test_a_return_is_a_credit_note_of_its_own_that_names_the_invoice(paper: Paper) -> None:
    order = await paper.sold(19_999, quantity=3)
    await paper.settle(order.id)
    first = await paper.take_back(order.id, (1, 1))
    await paper.take_back(order.id, (1, 2))
    await paper.trade.follow()
    invoice, one, two = await paper.of(order.id)
    assert (one.kind, one.number, one.invoice) == (Kind.CREDIT_NOTE, "C000001", invoice.id)
    assert one.cause == f"return:{first.id}"
    assert one.printed.of == invoice.number
    assert (one.total, one.printed.lines[0].quantity) == (-first.total, 1)
    assert invoice.total == one.total + two.total
    assert invoice.tax == one.tax + two.tax
    await paper.sound()


async def test_a_cancelled_order_is_credited_with_its_shipping(paper: Paper) -> None:
    change = ChannelChange(settings={"shipping_flat": 4_900})
    await paper.db.transaction(lambda tx: channels.change(tx, paper.trade.web.id, change))
    placed = await paper.trade.buy((await paper.trade.kettle(), 2))
    await paper.issue(placed.id)
    await paper.cancel(placed.id)
    await paper.trade.follow()
    invoice, credit = await paper.of(placed.id)
    assert credit.total == invoice.total == placed.total
    assert {line.kind for line in credit.printed.lines} == {"item", "shipping"}
    assert [line.quantity for line in credit.printed.lines] == [2, 1]
    await paper.sound()


async def test_what_was_cancelled_before_gets_no_documents(paper: Paper) -> None:
    placed = await paper.trade.buy((await paper.trade.kettle(), 1))
    await paper.cancel(placed.id)
    await paper.trade.follow()
    assert await paper.of(placed.id) == []
    with pytest.raises(NothingToIssue):
        await paper.issue(placed.id)


async def test_an_invoice_after_a_return_has_it_in_it(paper: Paper) -> None:
    order = await paper.sold(10_000, quantity=3)
    back = await paper.take_back(order.id, (1, 1))
    (issued,) = await paper.issue(order.id)
    assert issued.total == order.total + back.total
    assert await paper.settle(order.id) == []
    await paper.sound()


async def test_something_cheaper_instead_is_credited(paper: Paper) -> None:
    order, given = await substituted(paper.trade, before=paper.issue)
    await paper.trade.follow()
    invoice, credit = await paper.of(order.id)
    now = await orders.read(paper.db, order.id)
    assert credit.kind is Kind.CREDIT_NOTE
    assert credit.cause == "changed:1"
    assert invoice.total - credit.total == now.total
    titles = {line.sku: (line.quantity > 0, line.total > 0) for line in credit.printed.lines}
    assert titles[given] == (False, False)  # what is given instead is owed
    await paper.sound()


async def test_issuing_again_issues_nothing(paper: Paper) -> None:
    order = await paper.sold()
    await paper.issue(order.id)
    with pytest.raises(NothingToIssue):
        await paper.issue(order.id)
    await paper.take_back(order.id)
    for _ in range(3):
        await paper.settle(order.id)
    assert [d.kind for d in await paper.of(order.id)] == [Kind.INVOICE, Kind.CREDIT_NOTE]


async def test_the_log_can_be_read_again_from_its_beginning(paper: Paper) -> None:
    order = await paper.sold()
    await paper.trade.follow()
    await paper.take_back(order.id)
    await paper.trade.follow()
    before = await paper.of(order.id)
    await followers.replay(paper.db, FOLLOWER.name)
    await paper.trade.follow()
    assert await paper.of(order.id) == before
    assert len(before) == 2


async def test_two_who_follow_at_once_issue_once(paper: Paper) -> None:
    order = await paper.sold()
    await asyncio.gather(*(paper.settle(order.id) for _ in range(8)))
    await paper.take_back(order.id)
    await asyncio.gather(*(paper.settle(order.id) for _ in range(8)))
    assert [d.kind for d in await paper.of(order.id)] == [Kind.INVOICE, Kind.CREDIT_NOTE]
    await paper.sound()


async def test_what_was_issued_is_never_changed(paper: Paper) -> None:
    order = await paper.sold()
    (issued,) = await paper.issue(order.id)
    for statement in (
        "UPDATE document SET total = total + 1, net = net + 1 WHERE id = $1 RETURNING 1",
        "DELETE FROM document WHERE id = $1 RETURNING 1",
    ):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="final"):
            await paper.db.rows(statement, issued.id)
    before = await paper.of(order.id)
    await paper.seller(name="Somebody else")
    assert await paper.of(order.id) == before


async def test_a_document_is_told_once_in_the_log(paper: Paper) -> None:
    order = await paper.sold()
    (issued,) = await paper.issue(order.id)
    await horizon.passed(paper.db)
    told = [e for e in await log.of_subject(paper.db, order.id) if e.type == "document.issued"]
    assert [event.payload["number"] for event in told] == [issued.number]
    assert told[0].payload["total"] == issued.total


async def test_issuing_needs_the_permission_and_an_order(paper: Paper) -> None:
    order = await paper.sold()
    reader = Context(actor=Actor(kind="staff", permissions=frozenset({"documents.read"})))

    async def work(tx: Tx) -> None:
        from samlad.documents import issuing
        from samlad.documents.model import IssueInput

        await issuing.issue(tx, order.id, IssueInput())

    with pytest.raises(Forbidden):
        await paper.db.transaction(work, reader)
    with pytest.raises(NotFound):
        await paper.issue(paper.trade.web.id)


async def test_cash_that_was_rounded_bears_no_tax(paper: Paper) -> None:
    kettle = await paper.trade.kettle(19_960, at=paper.trade.at_malmo)
    cart = await paper.trade.cart((kettle, 1), channel=paper.trade.malmo)
    order = await paper.trade.place(cart.id, PaymentInput(provider="cash", tendered=20_000))
    (issued,) = await paper.issue(order.id)
    assert (issued.rounding, issued.total) == (40, order.total)
    assert issued.net + issued.tax == 19_960
    (invoice,) = await paper.of(order.id)
    assert [line.kind for line in invoice.printed.lines] == ["item"]
    await paper.sound()


async def test_a_document_carries_the_logo_of_its_channels_brand_as_it_was(
    paper: Paper, tmp_path: Path
) -> None:
    held = io.BytesIO()
    Image.new("RGB", (20, 10), "#0a6353").save(held, "PNG")
    given = PictureInput(name="logo.png", content=held.getvalue())

    async def brand(tx: Tx) -> None:
        logo = await pictures.add(tx, tmp_path, given)
        await content.set_kit(tx, "web", content.Brand(logo=logo.key))

    await paper.db.transaction(brand)
    order = await paper.sold()
    await paper.issue(order.id)
    (invoice,) = await paper.of(order.id)
    assert invoice.printed.logo.startswith("data:image/png;base64,")
    await paper.db.transaction(lambda tx: content.set_kit(tx, "web", content.Brand()))
    (after,) = await paper.of(order.id)
    assert after.printed.logo == invoice.printed.logo


async def test_a_credit_note_comes_to_the_cash_that_was_handed_out(paper: Paper) -> None:
    """Three at 33.50 were sold for 101 in coins; they go back for 34, 34 and 33, and each note says by how much it is rounded."""
    trade = paper.trade
    kettle = await trade.kettle(3_350, at=trade.at_malmo)
    cart = await trade.cart((kettle, 3), channel=trade.malmo)
    order = await trade.place(cart.id, PaymentInput(provider="cash"))
    (invoice,) = await paper.issue(order.id)
    assert invoice.total == 10_100
    for _ in range(3):
        await paper.take_back(order.id, (1, 1))
        await paper.settle(order.id)
    notes = [each for each in await paper.of(order.id) if each.kind is Kind.CREDIT_NOTE]
    assert [(note.total, note.printed.rounding) for note in notes] == [(3_400, 50), (3_400, 50), (3_300, -50)]
    assert sum(note.total for note in notes) == 10_100
    assert [note.net + note.tax for note in notes] == [3_350] * 3, "the rounding bears no tax"
    await paper.sound()
    await trade.agree()


async def deposited(
    paper: Paper, deposit: int, *, quantity: int = 1, when: str = "fulfilled"
) -> orders.Order:
    """Kettles of 199.00 with a deposit, in a channel that issues invoices at a time."""
    change = ChannelChange(settings={"invoice_when": when})
    await paper.db.transaction(lambda tx: channels.change(tx, paper.trade.web.id, change))
    cart = await paper.trade.cart((await paper.trade.kettle(), quantity))
    return await paper.trade.place(cart.id, PaymentInput(provider="test"), deposit=deposit)


async def pay(paper: Paper, order: orders.Order, amount: int | None = None) -> None:
    given = orders.PayInput(
        payments=[PaymentInput(provider="test", amount=amount)], is_part=amount is not None
    )
    await paper.db.transaction(lambda tx: orders.pay(tx, order.id, given))


async def test_each_part_of_a_deposit_has_its_invoice_and_the_last_one_takes_them_off(paper: Paper) -> None:
    order = await deposited(paper, 5_000)
    await paper.trade.follow()
    await pay(paper, order, 1_000)
    await paper.trade.follow()
    first, second = await paper.of(order.id)
    assert [(each.is_prepayment, each.total, each.tax) for each in (first, second)] == [
        (True, 5_000, 1_000),
        (True, 1_000, 200),
    ]
    assert (first.printed.paid, first.due_on, second.printed.of) == (5_000, None, first.number)
    assert [line.title for line in first.printed.lines] == ["Prepayment"]
    await paper.sound()
    await pay(paper, order)
    await paper.trade.follow()
    assert len(await paper.of(order.id)) == 2, "the invoice comes when the goods have left"
    await paper.fulfil(order.id)
    await paper.trade.follow()
    last = (await paper.of(order.id))[-1]
    assert (last.is_prepayment, last.cause, last.total, last.tax) == (False, "sale", 13_900, 2_780)
    assert [(line.title, line.total, line.quantity) for line in last.printed.lines] == [
        ("Kettle", 19_900, 1),
        ("Prepayment", -6_000, -1),
    ]
    assert (last.printed.paid, last.printed.of) == (13_900, first.number)
    assert [[paid.amount for paid in each.printed.payments] for each in (first, second, last)] == [
        [5_000],
        [1_000],
        [13_900],
    ]
    assert await paper.settle(order.id) == []
    await paper.take_back(order.id)
    await paper.trade.follow()
    note = (await paper.of(order.id))[-1]
    assert (note.kind, note.total, note.invoice) == (Kind.CREDIT_NOTE, 19_900, last.id)
    await paper.sound()
    await paper.trade.agree()


async def test_a_deposit_that_is_called_off_is_credited(paper: Paper) -> None:
    order = await deposited(paper, 5_000)
    await paper.trade.follow()
    await paper.cancel(order.id)
    await paper.trade.follow()
    invoice, note = await paper.of(order.id)
    assert (note.kind, note.total, note.tax, note.invoice) == (Kind.CREDIT_NOTE, 5_000, 1_000, invoice.id)
    await paper.sound()
    await paper.trade.agree()


async def test_more_was_prepaid_than_is_left_of_an_order(paper: Paper) -> None:
    order = await deposited(paper, 25_000, quantity=2)
    await paper.trade.follow()
    data = orders.ChangeInput(actions=[CancelAction(position=1, quantity=1)])
    await paper.db.transaction(lambda tx: orders.apply_change(tx, order.id, data))
    await paper.trade.follow()
    await paper.fulfil(order.id)
    await paper.trade.follow()
    told = [each.total if each.kind is Kind.INVOICE else -each.total for each in await paper.of(order.id)]
    assert sum(told) == 19_900
    assert told[0] == 25_000
    await paper.sound()
    await paper.trade.agree()


async def test_who_asks_gets_the_invoice_of_the_deposit_first(paper: Paper) -> None:
    order = await deposited(paper, 5_000, when="request")
    await paper.trade.follow()
    assert await paper.of(order.id) == []
    [first] = await paper.issue(order.id)
    assert (first.is_prepayment, first.total) == (True, 5_000)
    [rest] = await paper.issue(order.id)
    assert (rest.is_prepayment, rest.total) == (False, 14_900)
    assert rest.due_on is not None
    with pytest.raises(NothingToIssue):
        await paper.issue(order.id)
    await pay(paper, order)
    await paper.trade.follow()
    assert len(await paper.of(order.id)) == 2
    await paper.sound()


async def test_where_one_was_begun_the_last_one_comes_by_itself(paper: Paper) -> None:
    order = await deposited(paper, 5_000, when="request")
    await paper.issue(order.id)
    await pay(paper, order)
    await paper.trade.follow()
    assert [each.total for each in await paper.of(order.id)] == [5_000, 14_900]
    await paper.sound()
