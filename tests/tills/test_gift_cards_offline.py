"""Gift cards of a till without network: what is there is booked, what lacks is on the list, what was sold is worth something."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from selling import CLERK, Till

from samlad import channels, credit, tills
from samlad.books.checks import CHECKS
from samlad.channels import ChannelChange
from samlad.credit import IssueInput
from samlad.credit.at_till import PrepareInput, prepare
from samlad.kernel import checks
from samlad.kernel.context import Context
from samlad.orders import ReturnInput, read, take_back
from samlad.tills import day
from trade import Trade

WHO = Context(actor=CLERK)


def named(code: str) -> str:
    plain = credit.read_card_code(code)
    assert plain is not None
    return credit.card_hash(plain).hex()


async def issued(trade: Trade, amount: int) -> str:
    data = IssueInput(channel=trade.malmo.id, amount=amount, note="Given")
    return (await trade.db.transaction(lambda tx: credit.issue(tx, data), WHO)).code


async def left(trade: Trade, code: str) -> tuple[str, int]:
    card = await credit.find(trade.db, code)
    assert card is not None
    return str(card.status), card.balance


def gift(code: str, amount: int) -> dict[str, Any]:
    return {"kind": "gift", "amount": amount, "card": named(code), "last_four": code.replace("-", "")[-4:]}


def codes(objections: Sequence[tills.Objection]) -> list[str]:
    return [each.code for each in objections]


AS = "UPDATE order_line SET kind = $2 WHERE order_id = $1 RETURNING kind"


async def purposes(trade: Trade, order: UUID) -> dict[str, int]:
    """What the book has of an order, by purpose."""
    rows = await trade.db.rows(
        """SELECT l.purpose, sum(l.amount)::bigint AS amount FROM voucher v JOIN voucher_line l ON l.voucher = v.id
           WHERE v.order_id = $1 GROUP BY 1""",
        order,
    )
    return {row["purpose"]: row["amount"] for row in rows}


async def test_what_is_on_the_card_is_booked_and_the_rest_is_told(trade: Trade) -> None:
    kettle, till = await trade.kettle(quantity=9, at=trade.at_malmo), Till(trade)
    full, short = await issued(trade, 30_000), await issued(trade, 5_000)
    paid = till.sale((kettle, 1), tenders=[gift(full, 19_900)])
    lacking = till.sale((kettle, 1), tenders=[gift(short, 15_000), {"kind": "cash", "amount": 4_900}])
    nobodys = till.sale((kettle, 1), tenders=[{**gift(full, 19_900), "card": "ab" * 32}])
    first, second, third = await till.send(paid, lacking, nobodys)
    assert (first.verdict, codes(first.objections)) == ("recorded", [])
    assert await left(trade, full) == ("active", 10_100)
    assert (second.verdict, codes(second.objections)) == ("recorded", ["gift-card"])
    assert (second.objections[0].here, second.objections[0].there) == ("5000", "15000")
    assert await left(trade, short) == ("active", 0)
    assert (third.verdict, codes(third.objections)) == ("recorded", ["gift-card"])
    for verdict, total in ((first, 19_900), (second, 9_900), (third, 0)):
        assert verdict.order is not None
        order = await read(trade.db, verdict.order)
        assert (order.total, order.paid) == (total, total)
    # Twice is once, and what comes back goes onto the card.
    assert (await till.send(paid))[0].is_known
    assert await left(trade, full) == ("active", 10_100)
    assert first.order is not None
    await trade.db.transaction(lambda tx: take_back(tx, first.order, ReturnInput()), WHO)
    assert await left(trade, full) == ("active", 30_000)
    assert await trade.db.value("SELECT count(*) FROM till_sale WHERE needs_look") == 2
    assert full.replace("-", "") not in str(await trade.db.rows("SELECT body::text FROM till_sale"))


async def test_a_printed_number_is_worth_something_once_it_is_recorded(trade: Trade) -> None:
    till, data = Till(trade), PrepareInput(channel=trade.malmo.id, count=2)
    first, second = (await trade.db.transaction(lambda tx: prepare(tx, data), WHO)).codes
    strange = await issued(trade, 1_000)
    assert await left(trade, first) == ("waiting", 0)

    def selling(code: str, **more: Any) -> dict[str, Any]:
        sale = till.sale(total=50_000, tenders=[{"kind": "card", "amount": 50_000}], **more)
        return {
            **sale,
            "lines": [],
            "cards": [{"card": named(code), "last_four": code.replace("-", "")[-4:], "amount": 50_000}],
        }

    entry = selling(first)
    said = await till.send(entry, entry, selling(strange), {**selling(second), "cards": []})
    assert [each.verdict for each in said] == ["recorded", "recorded", "recorded", "kept"]
    assert [codes(each.objections) for each in said[:3]] == [[], [], ["gift-card-used"]]
    assert [line["kind"] for line in await trade.db.rows(AS, said[0].order, "fee")] == ["fee"]
    await trade.follow()
    assert await left(trade, first) == ("active", 50_000)
    assert await left(trade, strange) == ("active", 51_000)
    assert said[0].order is not None
    order = await read(trade.db, said[0].order)
    assert (order.total, order.tax, order.items) == (50_000, 0, 0)
    # The book has it as one that is sold online: what is rung up is taken out of sales, and is owed to who has the card.
    assert said[2].order is not None
    owed = {"receivables": 0, "clearing:till_card": 50_000, "gift_cards_sold": 50_000, "gift_cards": -50_000}
    assert await purposes(trade, said[2].order) == {**owed, "sales:0:SE": -50_000}
    # What was booked as a fee before gets a voucher of what differs.
    assert await purposes(trade, order.id) == {**owed, "fees:0:SE": -50_000}
    await trade.db.rows(AS, order.id, "gift_card")
    [check] = [each for each in CHECKS if each.name == "books-gift-cards"]
    [found] = await checks.run(trade.db, [check])
    assert (found.status, order.number in found.message) == ("failed", True)
    [mended] = await checks.run(trade.db, [check], fix=True)
    assert (mended.status, mended.fixed) == ("ok", 1)
    assert await purposes(trade, order.id) == {**owed, "fees:0:SE": 0, "sales:0:SE": -50_000}
    await trade.sound()
    # A number that nobody made: the customer has paid, so it is a card now, and somebody looks.
    unknown = {**selling(second), "cards": [{"card": "cd" * 32, "last_four": "CDCD", "amount": 50_000}]}
    assert codes((await till.send(unknown))[0].objections) == ["gift-card-unknown"]


async def test_tills_know_cards_that_were_looked_up_in_their_store(trade: Trade) -> None:
    code, desk, till = await issued(trade, 7_000), tills.Desk(trade.malmo, trade.at_malmo), uuid4()
    card = await credit.find(trade.db, code)
    assert card is not None
    await trade.db.transaction(lambda tx: tills.note_card(tx, card.id, trade.at_malmo.id))
    assert (await day.load(trade.db, CLERK, desk, till)).cards == []  # the store allows none
    change = ChannelChange(settings={"till_gift_card_limit": 5_000})
    malmo = await trade.db.transaction(lambda tx: channels.change(tx, trade.malmo.id, change))
    found = await day.load(trade.db, CLERK, tills.Desk(malmo, trade.at_malmo), till)
    assert found.card_limit == 5_000
    assert [(each.key, each.available) for each in found.cards] == [
        (day.hashed(str(till), named(code)), 7_000)
    ]
