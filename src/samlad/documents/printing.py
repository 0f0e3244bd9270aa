"""Which bytes a document, a confirmation, a receipt or a packing slip is in the form that is asked for."""

from uuid import UUID

import msgspec

from samlad import channels, orders, stock
from samlad.documents import entities, issuing, rendering, signing, snapshot, store
from samlad.documents.model import Columns, DocumentContent, Paper, Printed, Slip
from samlad.documents.permissions import READ
from samlad.kernel.clock import now
from samlad.kernel.database import Database, Tx
from samlad.kernel.problems import NotFound
from samlad.orders import Order, fulfilment_lots, fulfilment_store

TYPES = {"html": "text/html", "pdf": "application/pdf", "xml": "application/xml"}


async def document_file(document: DocumentContent, form: str) -> bytes:
    """A document as HTML, PDF or UBL.

    Raises:
        EInvoiceIncomplete, PdfUnavailable.
    """
    if form == "xml":
        from samlad.documents import einvoice  # loads the libraries of XML, which most processes never need

        return await rendering.apart(einvoice.ubl, document.printed)
    if form == "pdf":
        return await rendering.pdf(rendering.html(document.printed, is_paged=True))
    return rendering.html(document.printed).encode()


async def slip_of(reader: Database | Tx, order: Order, slip: Slip) -> Printed:
    """An order as it is now, for its confirmation or its receipt."""
    channel = await channels.cached(reader, order.channel)
    entity = await entities.look_up(reader, channel)
    printed = await snapshot.printed_order(reader, order, slip, entity, now())
    if slip is not Slip.RECEIPT:
        return printed
    serials = await orders.serials_of(reader, order)
    lines = [
        msgspec.structs.replace(line, serials=serials[line.position]) if line.position in serials else line
        for line in printed.lines
    ]
    return msgspec.structs.replace(printed, lines=lines, check=await signing.address(reader, order, channel))


async def confirmation(database: Database, order_id: UUID, form: str) -> bytes:
    """The confirmation of an order as it is now, as HTML or PDF."""
    printed = await slip_of(database, await orders.read(database, order_id), Slip.CONFIRMATION)
    page = rendering.html(printed, is_paged=form == "pdf")
    return await rendering.pdf(page) if form == "pdf" else page.encode()


async def receipt_page(database: Database, order_id: UUID, *, is_copy: bool) -> bytes:
    """The receipt of an order as a page for paper of 80 mm."""
    printed = await slip_of(database, await orders.read(database, order_id), Slip.RECEIPT)
    return rendering.html(printed, is_copy=is_copy).encode()


async def receipt_pdf(database: Database, order_id: UUID) -> bytes:
    """The same as PDF, marked as a copy: for whoever bought."""
    return await rendering.pdf((await receipt_page(database, order_id, is_copy=True)).decode())


async def print_receipt(tx: Tx, order_id: UUID, columns: Columns) -> bytes:
    """The receipt of an order for a till printer. The first is the original, each after it is marked as a copy."""
    from samlad.documents import escpos_receipt  # loads the printers' library

    tx.actor.require(READ)
    order = await orders.read(tx, order_id)
    before = await store.note_print(tx, order_id)
    printed = await slip_of(tx, order, Slip.RECEIPT)
    return escpos_receipt.receipt(printed, columns=columns, is_copy=before > 0)


async def note_receipt(tx: Tx, order_id: UUID) -> bool:
    """Somebody prints the receipt of an order; whether that is a copy, because it was printed before."""
    tx.actor.require(READ)
    return await store.note_print(tx, order_id) > 0


async def receipt_for(database: Database, order_id: UUID, paper: Paper, *, is_copy: bool) -> bytes:
    """The receipt of an order for a till printer; whether it is a copy was noted before (`note_receipt`)."""
    from samlad.documents import escpos_receipt  # loads the printers' library

    printed = await slip_of(database, await orders.read(database, order_id), Slip.RECEIPT)
    return escpos_receipt.receipt(printed, is_copy=is_copy, paper=paper)


async def packing_slip(
    database: Database, fulfilment_id: UUID, form: str, *, locale: str | None = None
) -> bytes:
    """What is in a parcel, as HTML or PDF, in the customer's language unless another is asked for.

    Raises:
        NotFound: there is no such fulfilment.
    """
    work = await fulfilment_store.read(database, fulfilment_id)
    if work is None:
        raise NotFound("There is no such fulfilment.")
    order = await orders.read(database, work.order_id)
    channel = await channels.cached(database, order.channel)
    place = None if work.location is None else await stock.location(database, work.location)
    page = rendering.packing_slip(
        work,
        order,
        locale=locale or await snapshot.locale_of(database, order, channel),
        time_zone=channel.time_zone,
        country=channel.country,
        shop=channel.name,
        place=place.name if place else "",
        sender=snapshot.address_lines(place.address) if place else [],
        lots=await fulfilment_lots.codes(database, fulfilment_id),
    )
    return await rendering.pdf(page) if form == "pdf" else page.encode()


async def document_of(database: Database, order_id: UUID, document: UUID) -> DocumentContent:
    """A document of an order.

    Raises:
        NotFound: it is of another one, or there is none.
    """
    found = await issuing.read(database, document)
    if found.order_id != order_id:
        raise NotFound("There is no such document.")
    return found
