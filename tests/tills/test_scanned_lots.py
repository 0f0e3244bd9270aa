"""A till without network scans lots and serial numbers: those leave, are on the receipt and come back; what is odd is said."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from selling import AT_TILL, Signer, Till

from samlad import catalog, orders, stock, tills
from samlad.catalog import ProductChange, Tracking
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.stock.lots_model import Named
from samlad.tills import NameGoodsInput
from trade import Trade


async def pieces(trade: Trade, *codes: str, how: Tracking = Tracking.SERIAL) -> UUID:
    """A variant that is kept so, with one unit of each in the store."""
    variant = await trade.kettle(quantity=0)

    async def work(tx: Tx) -> None:
        found = await catalog.by_ids(tx, [variant])
        await catalog.change(tx, found[variant].product, ProductChange(tracking=how))
        for code in codes:
            of = await stock.resolve_lots(tx, [Named(variant, 1, code)])
            await stock.receive(tx, trade.at_malmo.id, [(variant, 1)], lots=of)

    await trade.db.transaction(work)
    return variant


def scanned(sale: dict[str, Any], *lots: dict[str, Any], line: int = 0) -> dict[str, Any]:
    sale["lines"][line]["lots"] = [{"units": 1, **each} for each in lots]
    return sale


def said(verdict: tills.Verdict) -> list[tuple[str, str | None]]:
    return [(each.code, each.there) for each in verdict.objections]


async def went(trade: Trade, order: UUID | None) -> dict[str, int]:
    """Units by lot that left with an order."""
    rows = await trade.db.rows(
        """SELECT l.code, -sum(m.quantity)::int AS units FROM movement m JOIN lot l ON l.id = m.lot
           WHERE m.reference = $1 AND m.cause = 'sale' GROUP BY l.code""",
        order,
    )
    return {row["code"]: row["units"] for row in rows}


async def here(trade: Trade, variant: UUID) -> dict[str, int]:
    rows = await trade.db.rows(
        """SELECT l.code, s.on_hand FROM stock_lot s JOIN lot l ON l.id = s.lot
           WHERE s.variant = $1 AND s.location = $2 AND s.on_hand > 0""",
        variant,
        trade.at_malmo.id,
    )
    return {row["code"]: row["on_hand"] for row in rows}


async def test_what_was_scanned_leaves_and_two_tills_sell_a_piece_once(trade: Trade) -> None:
    one, other = Till(trade), Till(trade)
    drill = await pieces(trade, "S1", "S2", "S3")
    first = scanned(one.sale((drill, 2)), {"serial": "S3", "lot": "B7"}, {"serial": "S1"})
    second = scanned(other.sale((drill, 1)), {"serial": "S1"})
    both = await asyncio.gather(one.send(first, first), other.send(second))
    verdicts = [both[0][0], both[1][0]]
    assert {each.verdict for each in verdicts} == {"recorded"}
    assert sorted(code for each in verdicts for code, _ in said(each)) == ["serial-sold", "stock"]
    late = next(each for each in verdicts if each.objections)
    odd = next(each for each in late.objections if each.code == "serial-sold")
    before = next(each for each in verdicts if each is not late)
    assert (odd.line, odd.here, odd.there) == (1, before.number, "S1")
    assert await went(trade, both[0][0].order) == {"S1": 1, "S3": 1}
    assert await went(trade, both[1][0].order) == {"S1": 1}
    assert await here(trade, drill) == {"S2": 1}
    kept = await tills.get(trade.db, UUID((first if late is both[0][0] else second)["id"]))
    assert kept.needs_look
    await trade.follow()
    await trade.agree()
    await trade.sound()


async def test_lots_that_are_not_here_block_nothing_and_are_said(trade: Trade) -> None:
    till, milk = Till(trade), await pieces(trade, "A", "A", "B", how=Tracking.LOT)
    day = (now() - timedelta(days=9)).date().isoformat()
    sale = till.sale((milk, 3))
    [verdict] = await till.send(
        scanned(sale, {"lot": "A", "units": 1}, {"lot": "NEW"}, {"lot": "B", "expires_on": day})
    )
    assert said(verdict) == [("lot-unknown", "NEW"), ("lot-expired", "B")]
    assert verdict.objections[1].here == day
    assert await went(trade, verdict.order) == {"A": 1, "NEW": 1, "B": 1}
    assert await here(trade, milk) == {}
    [strange] = await till.send(
        scanned(till.sale((milk, 1)), {"lot": "X" * 300, "units": 9}, {"serial": "S"})
    )
    assert [code for code, _ in said(strange)] == ["stock", "lot-unknown"]
    # A serial number may look like the number of a card: it is kept as it was scanned.
    card = {"serial": "4111111111111111", "lot": "4111111111111111"}
    entry = scanned(till.sale((milk, 1)), card)
    await till.send(entry)
    kept = await tills.get(trade.db, UUID(entry["id"]))
    assert kept.body["lines"][0]["lots"] == [{"units": 1, **card}]
    await trade.sound()


async def test_goods_that_were_named_later_leave_from_what_was_scanned(trade: Trade) -> None:
    till, drill = Till(trade), await pieces(trade, "S1", "S2")
    ref = (await catalog.by_ids(trade.db, [drill]))[drill]
    for serial, odd in (("S2", []), ("S9", ["lot-unknown"])):
        entry = scanned(till.sale((uuid4(), 1)), {"serial": serial})
        [verdict] = await till.send(entry)
        assert [code for code, _ in said(verdict)] == ["unknown-goods"]
        sale, data = UUID(entry["id"]), NameGoodsInput(line=1, code=ref.sku)
        named = await trade.db.transaction(
            lambda tx, sale=sale, data=data: tills.name_goods(tx, sale, data), AT_TILL
        )
        assert [each.code for each in named.objections] == ["unknown-goods", *odd]
        assert await went(trade, verdict.order) == {serial: 1}
    assert await here(trade, drill) == {"S1": 1}
    await trade.sound()


def back(till: Till, lines: list[dict[str, Any]], total: int, **fields: Any) -> dict[str, Any]:
    till.sequence += 1
    head = till.sale()
    return {
        **{name: head[name] for name in ("id", "till", "happened_at", "clock_offset_ms", "clerk_name")},
        "sequence": till.sequence,
        "kind": "return",
        "lines": lines,
        "total": total,
        "currency": "SEK",
        **fields,
    }


async def test_a_piece_that_comes_back_says_which(trade: Trade) -> None:
    till, drill = Till(trade), await pieces(trade, "S1", "S2", "S3")
    sale = scanned(till.sale((drill, 2)), {"serial": "S1"}, {"serial": "S2"})
    line = {"line": 1, "quantity": 1, "amount": 19_900}
    unsaid = back(till, [line], 19_900, sale=sale["id"])
    second = back(till, [{**line, "lots": [{"serial": "S2"}]}], 19_900, sale=sale["id"])
    verdicts = await till.send(sale, unsaid, second)
    assert [each.verdict for each in verdicts] == ["recorded", "kept", "done"]
    assert await here(trade, drill) == {"S2": 1, "S3": 1}
    assert verdicts[2].objections == []
    # Of the one that is left nobody needs to say it; another than was sold is said.
    one = scanned(till.sale((drill, 1)), {"serial": "S3"})
    wrong = back(till, [{**line, "lots": [{"serial": "S7"}]}], 19_900, sale=one["id"])
    verdicts = await till.send(one, wrong)
    assert [each.verdict for each in verdicts] == ["recorded", "done"]
    assert said(verdicts[1]) == [("lot-other", "S7")]
    assert await here(trade, drill) == {"S2": 1, "S3": 1}
    await trade.agree()
    await trade.sound()


async def test_a_signed_receipt_of_another_till_gives_back_the_piece_that_was_scanned(trade: Trade) -> None:
    till, other = Till(trade), Till(trade)
    drill = await pieces(trade, "S1", "S2")
    signer = Signer(till.id)
    await signer.known(trade)
    sale = scanned(till.sale((drill, 2)), {"serial": "S1"}, {"serial": "S2"})
    token = signer.text_of(sale["sequence"], sale["total"])
    line = {"variant": str(drill), "quantity": 1, "amount": 19_900, "lots": [{"serial": "S2"}]}
    number = f"{till.id.hex[-4:].upper()}-{sale['sequence']:06d}"
    entry = back(other, [line], 19_900, signed=token, receipt=number)
    await till.send(sale)
    [verdict] = await other.send(entry)
    assert verdict.verdict == "done"
    assert await here(trade, drill) == {"S2": 1}
    await trade.sound()


async def test_a_journal_of_before_is_taken_in_as_it_was(trade: Trade) -> None:
    """Entries without lots: the lots go whose turn it is, and nobody is asked."""
    till, drill = Till(trade), await pieces(trade, "S1", "S2")
    sale = till.sale((drill, 1))
    assert "lots" not in sale["lines"][0]
    [verdict] = await till.send(sale)
    assert (verdict.verdict, verdict.objections) == ("recorded", [])
    assert verdict.order is not None
    order = await orders.read(trade.db, verdict.order)
    assert order.status == "fulfilled"
    assert len(await here(trade, drill)) == 1
    done = await trade.db.transaction(
        lambda tx: orders.take_back(tx, order.id, orders.ReturnInput()), AT_TILL
    )
    assert done.total == -19_900
    assert len(await here(trade, drill)) == 2
