"""Receipts on a real TCP listener: once, with their state, a reprint is a copy, the drawer opens and is written down."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any
from uuid import UUID

import pytest

from paper_printer import PaperPrinter
from samlad import orders, printers
from samlad.access.permissions import permissions
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.kernel.jobs import JobContext
from samlad.kernel.problems import Forbidden, InvalidInput, NotFound
from samlad.payments import PaymentInput
from samlad.printers import (
    DrawerInput,
    Printer,
    PrinterChange,
    PrinterInput,
    PrintInput,
    PrintJob,
    PrintState,
    sending,
)
from samlad.printers.model import NotAgain, PrinterNameTaken
from trade import Trade

OWNER = Actor(kind="staff", id=new_id(), name="Olivia Owner", permissions=frozenset(permissions()))
WHO = Context(actor=OWNER)
Connected = Callable[..., AbstractAsyncContextManager[tuple[Printer, PaperPrinter]]]


async def sold(trade: Trade, tender: str = "cash") -> orders.Order:
    kettle = await trade.kettle(price=20_000, at=trade.at_malmo)
    cart = await trade.cart((kettle, 2), channel=trade.malmo, delivery="carry_out")
    return await trade.place(cart.id, PaymentInput(provider=tender))


async def ask(trade: Trade, verb: Any) -> PrintJob:
    found: PrintJob = await trade.db.transaction(verb, WHO)
    return found


async def receipt(trade: Trade, order: UUID, printer: UUID, **fields: Any) -> PrintJob:
    data = PrintInput(printer=printer, **fields)
    return await ask(trade, lambda tx: printers.print_receipt(tx, order, data))


async def run(trade: Trade, job: PrintJob, attempt: int = 1) -> PrintJob:
    """What the worker does; the job afterwards."""
    ctx = JobContext(trade.db, trade.db.settings, 1, "printers.send", attempt, Context())
    await sending.send(ctx, job.id)
    return await state(trade, job)


async def state(trade: Trade, job: PrintJob) -> PrintJob:
    from samlad.printers import store

    found = await store.job(trade.db, job.id)
    assert found is not None
    return found


async def facts(trade: Trade, kind: str) -> list[dict[str, Any]]:
    rows = await trade.db.rows("SELECT payload FROM event WHERE type = $1 ORDER BY seq", kind)
    return [row["payload"] for row in rows]


async def test_a_receipt_is_printed_once_and_then_as_a_copy(trade: Trade, connected: Connected) -> None:
    order = await sold(trade)
    async with connected(drawer_pin=2, columns=42) as (printer, paper):
        asked = await asyncio.gather(*(receipt(trade, order.id, printer.id, id=new_id()) for _ in range(4)))
        assert len({each.id for each in asked}) == 1, "pressed four times at once: one"
        first = await run(trade, asked[0])
        assert (first.state, first.reason, first.is_copy) == (PrintState.PRINTED, "", False)
        (sheet,) = await paper.printed(1)
        assert (sheet.kicks, sheet.cuts) == ([2], 1)
        (code,) = sheet.codes
        assert "/receipt/S1." in code, "a code that says whose it is, and cannot be made up"
        assert order.number in sheet.text
        assert "KOPIA" not in sheet.text
        (total,) = [line for line in sheet.lines if line.startswith("Totalt")]
        assert total.endswith("400,00 kr")
        assert all(len(line) <= 42 for line in sheet.lines)
        assert (await run(trade, first)).state is PrintState.PRINTED
        assert (await receipt(trade, order.id, printer.id)).id == first.id, "again is the same"
        key = new_id()
        copies = [await receipt(trade, order.id, printer.id, copy=True, id=key) for _ in range(2)]
        assert {(each.id, each.is_copy, each.opens_drawer) for each in copies} == {(key, True, False)}
        await run(trade, copies[0])
        _original, copy = await paper.printed(2)
        assert copy.text.count("KOPIA") == 2
        assert (copy.kicks, copy.cuts) == ([], 1)
    (opened,) = await facts(trade, "drawer.opened")
    assert opened["order"] == str(order.id)
    assert [each["state"] for each in await facts(trade, "print_job.ended")] == ["printed", "printed"]


async def test_what_fails_says_why_and_is_tried_again(trade: Trade, connected: Connected) -> None:
    order = await sold(trade, "test")
    async with connected() as (printer, _paper):
        pass  # nobody listens there any more
    first = await receipt(trade, order.id, printer.id)
    with pytest.raises(sending.NotReady):
        await run(trade, first)
    waiting = await state(trade, first)
    assert (waiting.state, waiting.attempts) == (PrintState.WAITING, 1)
    assert waiting.reason == sending.NO_ANSWER
    assert (await run(trade, first, attempt=8)).state is PrintState.FAILED
    async with PaperPrinter.listening() as paper:
        moved = PrinterChange(port=paper.port)
        await trade.db.transaction(lambda tx: printers.change(tx, printer.id, moved), WHO)
        again = await ask(trade, lambda tx: printers.ask_again(tx, first.id))
        assert (again.state, again.is_copy) == (PrintState.WAITING, False), "nothing was sent before"
        with pytest.raises(NotAgain):
            await ask(trade, lambda tx: printers.ask_again(tx, first.id))
        assert (await run(trade, first)).state is PrintState.PRINTED
        (sheet,) = await paper.printed(1)
        assert (sheet.kicks, "KOPIA" in sheet.text) == ([], False)


async def test_a_broken_connection_is_unsure_and_then_a_copy(trade: Trade, connected: Connected) -> None:
    order = await sold(trade)
    async with connected(tells_status=True) as (printer, paper):
        paper.status = {2: 0x12, 4: 0x72}
        first = await receipt(trade, order.id, printer.id)
        with pytest.raises(sending.NotReady, match="no paper"):
            await run(trade, first)
        assert not paper.sheets, "nothing was begun"
        paper.status = {2: 0x12, 4: 0x12}
        paper.says_done = False
        unsure = await run(trade, first, attempt=2)
        assert (unsure.state, unsure.reason) == (PrintState.UNSURE, sending.NO_WORD)
        again = await ask(trade, lambda tx: printers.ask_again(tx, first.id))
        assert again.is_copy, "the paper may have the original"
        await trade.db.rows("UPDATE print_job SET state = 'sending' WHERE id = $1 RETURNING 1", first.id)
        died = await run(trade, first)
        assert (died.state, died.reason) == (PrintState.UNSURE, sending.BROKE), "a worker died over it"
        paper.says_done = True
        await ask(trade, lambda tx: printers.ask_again(tx, first.id))
        assert (await run(trade, first)).state is PrintState.PRINTED


async def test_a_drawer_opens_now_or_never_and_is_recorded(trade: Trade, connected: Connected) -> None:
    async with connected(drawer_pin=5) as (printer, paper):
        key = new_id()
        data = DrawerInput(why="Change for 500", id=key)
        jobs = [await ask(trade, lambda tx: printers.open_drawer(tx, printer.id, data)) for _ in range(2)]
        await run(trade, jobs[0])
        await run(trade, jobs[1])
        (sheet,) = await paper.printed(1)
        assert (sheet.kicks, sheet.cuts, sheet.text.strip()) == ([5], 0, "")
        (opened,) = await facts(trade, "drawer.opened")
        assert (opened["why"], opened["by"]) == ("Change for 500", OWNER.label)
        verbs = await trade.db.rows("SELECT verb FROM audit_entry WHERE verb LIKE 'drawer.%' ORDER BY verb")
        assert [row["verb"] for row in verbs] == ["drawer.asked", "drawer.opened"]
        late = await ask(
            trade, lambda tx: printers.open_drawer(tx, printer.id, DrawerInput(why="Later", id=new_id()))
        )
        await trade.db.rows(
            "UPDATE print_job SET good_until = now() - interval '1 second' WHERE id = $1 RETURNING 1", late.id
        )
        assert (await run(trade, late)).reason == sending.TOO_LATE
        assert len(paper.sheets) == 1
        with pytest.raises(InvalidInput):
            await ask(trade, lambda tx: printers.ask_again(tx, late.id))
        test = await ask(trade, lambda tx: printers.print_test(tx, printer.id))
        await run(trade, test)
        page = (await paper.printed(2))[1]
        assert "48 letters, CP858" in page.text
        assert "ÅÄÖ åäö éèë ïü ß ñ ç € £ łżő" in page.text


async def test_who_may_and_where(trade: Trade, connected: Connected) -> None:
    elsewhere = Context(
        actor=Actor(
            kind="staff",
            id=new_id(),
            name="Elsewhere",
            permissions=OWNER.permissions,
            locations=frozenset({new_id()}),
        )
    )
    async with connected() as (printer, _paper):

        async def refused(problem: type[Exception], verb: Any, who: Context = WHO) -> None:
            with pytest.raises(problem):
                await trade.db.transaction(verb, who)

        order = await sold(trade)
        data = PrintInput(printer=printer.id)
        await refused(Forbidden, lambda tx: printers.print_receipt(tx, order.id, data), elsewhere)
        await refused(Forbidden, lambda tx: printers.print_test(tx, printer.id), elsewhere)
        await refused(Forbidden, lambda tx: printers.remove(tx, printer.id), elsewhere)
        await refused(InvalidInput, lambda tx: printers.open_drawer(tx, printer.id, DrawerInput(why="x")))
        await refused(NotFound, lambda tx: printers.print_test(tx, new_id()))
        same = {"location": trade.at_malmo.id, "port": 9100}
        twin = PrinterInput(name="TILL 1", host="127.0.0.1", **same)
        await refused(PrinterNameTaken, lambda tx: printers.create(tx, twin))
        for host in ("10.0.0.5", "169.254.169.254", "127.0.0.300"):
            data = PrinterInput(name="Other", host=host, **same)
            await refused(InvalidInput, lambda tx, data=data: printers.create(tx, data))
        named = PrinterInput(name="By name", host="localhost", **same)
        await trade.db.transaction(lambda tx: printers.create(tx, named), WHO)

        async def gone(tx: Tx) -> None:
            await printers.remove(tx, printer.id)
            await printers.remove(tx, printer.id)

        test = await ask(trade, lambda tx: printers.print_test(tx, printer.id))
        await trade.db.transaction(gone, WHO)
        failed = await run(trade, test)
        assert (failed.state, failed.reason) == (PrintState.FAILED, sending.GONE)
        await trade.db.transaction(lambda tx: printers.create(tx, twin), WHO)
    assert len(await facts(trade, "printer.removed")) == 1
