"""The verbs of the queue: a receipt, a test page, a drawer that opens; again what failed. A job sends it (`sending`)."""

from datetime import timedelta
from uuid import UUID, uuid5

from samlad import documents, orders
from samlad.access import audit
from samlad.kernel import jobs, log
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import InvalidInput, NotFound
from samlad.orders import Order
from samlad.printers import events, store
from samlad.printers.model import DrawerInput, NotAgain, Printer, PrintInput, PrintJob, PrintKind, PrintState
from samlad.printers.permissions import OPEN_DRAWER, PRINT
from samlad.printers.service import locked

SEND_JOB = "printers.send"
PAPER_LASTS = timedelta(hours=2)
"""A receipt that is not begun by then is not printed by itself any more: its customer has gone."""
DRAWER_LASTS = timedelta(seconds=30)
"""A drawer opens now or not at all: nobody wants it to open by itself later."""
NO_DRAWER = "there is no drawer on this printer"


async def print_receipt(tx: Tx, order_id: UUID, data: PrintInput) -> PrintJob:
    """Print the receipt of an order. The original is printed once, whoever presses how often; what is printed again, or was
    printed elsewhere before, says that it is a copy. A cash sale's original opens the drawer.

    Raises:
        NotFound: no such order or printer. Forbidden.
    """
    tx.actor.require(PRINT)
    printer = await locked(tx, data.printer, PRINT)
    order = await orders.read(tx, order_id)
    if data.id is not None and (known := await store.job(tx, data.id)) is not None:
        return _of_order(known, order_id)
    if not data.copy and (first := await store.original(tx, order_id)) is not None:
        return await read(tx, first)
    is_copy = await documents.note_receipt(tx, order_id)
    opens = printer.drawer_pin > 0 and not is_copy and await _is_cash(tx, order)
    job_id = data.id or new_id()
    values = {
        "id": job_id,
        "printer": printer.id,
        "kind": PrintKind.RECEIPT.value,
        "order_id": order_id,
        "is_copy": is_copy,
        "opens_drawer": opens and not await store.has_kicked(tx, order_id),
    }
    if not await store.add(tx, values, PAPER_LASTS):
        return await read(tx, await store.original(tx, order_id) or job_id)
    return await asked(tx, printer, job_id, PrintKind.RECEIPT, order_id, is_copy=is_copy)


async def print_test(tx: Tx, printer_id: UUID, job_id: UUID | None = None) -> PrintJob:
    """A page that shows how wide it prints, its letters, and whether it cuts.

    Raises:
        NotFound, Forbidden.
    """
    tx.actor.require(PRINT)
    printer = await locked(tx, printer_id, PRINT)
    made = job_id or new_id()
    values = {"id": made, "printer": printer.id, "kind": PrintKind.TEST.value}
    if not await store.add(tx, values, PAPER_LASTS):
        return await read(tx, made)
    return await asked(tx, printer, made, PrintKind.TEST)


async def open_drawer(tx: Tx, printer_id: UUID, data: DrawerInput) -> PrintJob:
    """Open a drawer without a sale. Who and why is in the audit log before it opens.

    Raises:
        InvalidInput: no drawer hangs on it. NotFound, Forbidden.
    """
    tx.actor.require(OPEN_DRAWER)
    printer = await locked(tx, printer_id, OPEN_DRAWER)
    if not printer.drawer_pin:
        raise InvalidInput.at("printer", NO_DRAWER)
    made = data.id or new_id()
    values = {
        "id": made,
        "printer": printer.id,
        "kind": PrintKind.DRAWER.value,
        "opens_drawer": True,
        "why": data.why,
    }
    if not await store.add(tx, values, DRAWER_LASTS):
        return await read(tx, made)
    audit.record(tx, "drawer.asked", "printer", printer.id, after={"job": made, "why": data.why})
    return await asked(tx, printer, made, PrintKind.DRAWER)


async def open_for_sale(tx: Tx, printer_id: UUID, order_id: UUID) -> PrintJob | None:
    """Open the drawer for a cash sale that was just rung up, or cash that goes back, with paper or without. Once each; None
    where no cash moved or no drawer hangs on the printer.

    Raises:
        NotFound, Forbidden.
    """
    tx.actor.require(PRINT)
    printer = await locked(tx, printer_id, PRINT)
    order = await orders.read(tx, order_id)
    if not printer.drawer_pin or not await _is_cash(tx, order):
        return None
    made = uuid5(order_id, "drawer")
    values = {
        "id": made,
        "printer": printer.id,
        "kind": PrintKind.DRAWER.value,
        "order_id": order_id,
        "opens_drawer": True,
    }
    if not await store.add(tx, values, DRAWER_LASTS):
        return await read(tx, made)
    return await asked(tx, printer, made, PrintKind.DRAWER, order_id)


async def _is_cash(tx: Tx, order: Order) -> bool:
    """Whether cash came in for a sale, or goes back for a return."""
    return any(payment.provider == "cash" for payment in order.payments) or "cash" in await orders.given_back(
        tx, order
    )


async def ask_again(tx: Tx, job_id: UUID, printer_id: UUID | None = None) -> PrintJob:
    """Try again what failed, on the same printer or another of its place. Where nobody knows whether it was printed, what
    is printed now is a copy.

    Raises:
        NotAgain: it waits, or is printed. InvalidInput: a drawer is opened anew, with a reason. NotFound, Forbidden.
    """
    tx.actor.require(PRINT)
    found = await read(tx, job_id)
    printer = await locked(tx, printer_id or found.printer, PRINT)
    if printer.location != found.location:
        raise InvalidInput.at("printer", "it stands in another place")
    if found.kind is PrintKind.DRAWER:
        raise InvalidInput.at("id", "a drawer is opened anew, with a reason")
    as_copy = found.kind is PrintKind.RECEIPT and found.state is PrintState.UNSURE
    if not await store.wait_again(tx, job_id, printer.id, PAPER_LASTS, as_copy=as_copy):
        raise NotAgain("It is printed, or is about to be.", state=str(found.state))
    return await asked(tx, printer, job_id, found.kind, found.order_id, is_copy=found.is_copy or as_copy)


async def asked(
    tx: Tx,
    printer: Printer,
    job_id: UUID,
    kind: PrintKind,
    order: UUID | None = None,
    *,
    is_copy: bool = False,
) -> PrintJob:
    """Have a job that was put into the queue sent, and say so on the log."""
    # Jobs of one printer run one after the other: two at once would mix on the paper.
    await jobs.defer(tx, SEND_JOB, {"job": job_id}, lock=f"printer:{printer.id}")
    fact = events.PrintAsked(
        printer=printer.id, location=printer.location, kind=kind, order=order, is_copy=is_copy
    )
    log.append(tx, fact, subject=job_id)
    return await read(tx, job_id)


async def read(tx: Tx, job_id: UUID) -> PrintJob:
    """A job. Raises NotFound."""
    found = await store.job(tx, job_id)
    if found is None:
        raise NotFound("There is no such print job.")
    return found


def _of_order(known: PrintJob, order_id: UUID) -> PrintJob:
    if known.order_id != order_id:
        raise InvalidInput.at("id", "it prints something else")
    return known
