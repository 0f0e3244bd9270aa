"""HTTP: invoices, credit notes, receipts, and who sells."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from litestar import Response, Router, get, patch, post
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Stream

from samlad.documents import archive, entities, issuing, printing, store
from samlad.documents.model import (
    Columns,
    Document,
    DocumentContent,
    DocumentRow,
    Entity,
    EntityChange,
    EntityInput,
    IssueInput,
)
from samlad.documents.permissions import READ
from samlad.documents.rendering import CONTENT_POLICY
from samlad.documents.store import LISTING
from samlad.kernel.http import AnyRequest, actor_of, context_of, database_of, if_match, with_etag, write
from samlad.kernel.listing import DEFAULT_LIMIT, Cursor, FileFormat, Limit, ListQuery, Page, Sorting, Wanted
from samlad.kernel.problems import NotFound
from samlad.orders import seeing
from samlad.orders.fulfilment_store import head as part_of

Id = FromPath[UUID]
Paper = Annotated[
    Columns, QueryParameter(description="Letters of a line: 42 or 48 on paper of 80 mm, 32 on 58 mm")
]


def file_answer(content: bytes, form: str, name: str = "") -> Response[bytes]:
    """A document as an answer: HTML to look at with its own style, anything else as a file of that name."""
    headers = {"Cache-Control": "private, no-store", "X-Robots-Tag": "noindex"}
    if form == "html":
        headers["Content-Security-Policy"] = CONTENT_POLICY
    elif name:
        safe = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in name)
        headers["Content-Disposition"] = f'attachment; filename="{safe}.{form}"'
    return Response(content, media_type=printing.TYPES[form], headers=headers)


async def _see(request: AnyRequest, order_id: UUID) -> None:
    """Raises Forbidden, or NotFound for an order that is not of the locations of whoever asks."""
    actor = actor_of(request)
    actor.require(READ)
    await seeing.check(database_of(request), actor, order_id)


async def _see_part(request: AnyRequest, fulfilment_id: UUID) -> None:
    actor_of(request).require(READ)
    part = await part_of(database_of(request), fulfilment_id)
    if part is None:
        raise NotFound("There is no such fulfilment.")
    await _see(request, part.order_id)


# -- documents -------------------------------------------------------------------------------------------------------------


@get("/documents", summary="List invoices and credit notes")
async def list_documents(
    request: AnyRequest,
    q: Wanted = None,
    kind: Wanted = None,
    entity: Wanted = None,
    channel: Wanted = None,
    order: Wanted = None,
    first_day: Annotated[date | None, QueryParameter(name="from", description="First day of issue")] = None,
    last_day: Annotated[date | None, QueryParameter(name="to", description="Last day of issue")] = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[DocumentRow]]:
    """All documents that were issued, latest first.

    ``q`` is the beginning of a document's or an order's number; ``entity`` and ``channel`` take codes; sort by
    issued_at, number or total. Who is bound to locations sees those of their orders.
    """
    actor = actor_of(request)
    actor.require(READ)
    filters = {
        "location": seeing.scope(actor),
        "q": q,
        "kind": kind,
        "entity": entity,
        "channel": channel,
        "order": order,
        "from": None if first_day is None else first_day.isoformat(),
        "to": None if last_day is None else last_day.isoformat(),
    }
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await LISTING.answer(database_of(request), query, as_csv=as_format == "csv", name="documents")


@get("/documents/archive.zip", summary="PDFs of a period", media_type="application/zip")
async def archive_zip(
    request: AnyRequest,
    first_day: Annotated[date, QueryParameter(name="from", description="First day of issue")],
    last_day: Annotated[date, QueryParameter(name="to", description="Last day of issue")],
    kind: Annotated[
        Literal["invoice", "credit_note"] | None, QueryParameter(description="One kind only")
    ] = None,
    entity: Annotated[
        str | None, QueryParameter(max_length=63, pattern=r"^[a-z0-9-]*$", description="Code of who sells")
    ] = None,
) -> Stream:
    """The documents of a period as one ZIP, at most 10,000. It is made while it is sent: about 20 a second."""
    actor = actor_of(request)
    actor.require(READ)
    database = database_of(request)
    found = await archive.wanted(
        database, first_day, last_day, kind=kind, entity=entity or None, places=actor.locations
    )
    headers = {"Content-Disposition": f'attachment; filename="documents-{first_day}-{last_day}.zip"'}
    return Stream(archive.stream(database, found), media_type="application/zip", headers=headers)


@get("/documents/{document_id:uuid}", summary="Read a document")
async def read_document(request: AnyRequest, document_id: Id) -> DocumentContent:
    """A document with all that is printed on it. It never changes."""
    return await _read(request, document_id)


@get("/documents/{document_id:uuid}/document.html", summary="A document as a page", media_type="text/html")
async def document_html(request: AnyRequest, document_id: Id) -> Response[bytes]:
    """The document as a page that stands alone, to look at and to print."""
    return await _file(request, document_id, "html")


@get("/documents/{document_id:uuid}/document.pdf", summary="A document as PDF", media_type="application/pdf")
async def document_pdf(request: AnyRequest, document_id: Id) -> Response[bytes]:
    """The document as PDF. 501 ``pdf-unavailable`` on a server without Pango."""
    return await _file(request, document_id, "pdf")


@get(
    "/documents/{document_id:uuid}/document.xml",
    summary="A document as e-invoice",
    media_type="application/xml",
)
async def document_xml(request: AnyRequest, document_id: Id) -> Response[bytes]:
    """UBL 2.1 by EN 16931; by Peppol BIS Billing 3 if seller and buyer have an endpoint in that network.

    422 ``e-invoice-incomplete`` names what the norm asks for and the document does not say.
    """
    return await _file(request, document_id, "xml")


async def _read(request: AnyRequest, document_id: UUID) -> DocumentContent:
    actor_of(request).require(READ)
    found = await issuing.read(database_of(request), document_id)
    await _see(request, found.order_id)
    return found


async def _file(request: AnyRequest, document_id: UUID, form: str) -> Response[bytes]:
    found = await _read(request, document_id)
    return file_answer(await printing.document_file(found, form), form, f"{found.kind}-{found.number}")


# -- of an order -----------------------------------------------------------------------------------------------------------


@get("/orders/{order_id:uuid}/documents", summary="List the documents of an order")
async def list_of_order(request: AnyRequest, order_id: Id) -> list[Document]:
    """Its invoice and what took back of it, in the order in which they were issued."""
    await _see(request, order_id)
    return await issuing.of_order(database_of(request), order_id)


@post("/orders/{order_id:uuid}/documents", summary="Issue what is missing for an order", status_code=201)
async def issue(request: AnyRequest, order_id: Id, data: JSONBody[IssueInput]) -> Response[list[Document]]:
    """The invoice of an order that has none; credit notes for what came back or was called off after it.

    ``buyer`` names a business and where its e-invoice goes. 409 ``nothing-to-issue``: its documents say all there is.
    """
    return await write(request, lambda tx: issuing.issue(tx, order_id, data), status=201)


@get(
    "/orders/{order_id:uuid}/confirmation.html",
    summary="Order confirmation as a page",
    media_type="text/html",
)
async def confirmation_html(request: AnyRequest, order_id: Id) -> Response[bytes]:
    """What was ordered, as it is now. It has no number of its own and is not kept."""
    await _see(request, order_id)
    return file_answer(await printing.confirmation(database_of(request), order_id, "html"), "html")


@get(
    "/orders/{order_id:uuid}/confirmation.pdf",
    summary="Order confirmation as PDF",
    media_type="application/pdf",
)
async def confirmation_pdf(request: AnyRequest, order_id: Id) -> Response[bytes]:
    """What was ordered, as it is now, as PDF."""
    await _see(request, order_id)
    made = await printing.confirmation(database_of(request), order_id, "pdf")
    return file_answer(made, "pdf", f"order-{order_id}")


@get("/orders/{order_id:uuid}/receipt.html", summary="Receipt as a page", media_type="text/html")
async def receipt_html(request: AnyRequest, order_id: Id) -> Response[bytes]:
    """The receipt for paper of 80 mm, marked as a copy: the original comes from the till."""
    await _see(request, order_id)
    return file_answer(await printing.receipt_page(database_of(request), order_id, is_copy=True), "html")


@get(
    "/orders/{order_id:uuid}/receipt.escpos",
    summary="Receipt for a till printer",
    media_type="application/octet-stream",
)
async def receipt_escpos(request: AnyRequest, order_id: Id, columns: Paper = 42) -> Response[bytes]:
    """ESC/POS bytes to send to a printer as they are (TCP 9100, USB). The first is the original; it is noted that it
    was asked for, and each after it says that it is a copy.
    """
    await _see(request, order_id)
    made = await database_of(request).transaction(
        lambda tx: printing.print_receipt(tx, order_id, columns), context_of(request)
    )
    return Response(made, media_type="application/octet-stream", headers={"Cache-Control": "no-store"})


@get(
    "/fulfilments/{fulfilment_id:uuid}/packing-slip.html",
    summary="Packing slip as a page",
    media_type="text/html",
)
async def slip_html(request: AnyRequest, fulfilment_id: Id) -> Response[bytes]:
    """What is in the parcel, for whom; without prices."""
    await _see_part(request, fulfilment_id)
    return file_answer(await printing.packing_slip(database_of(request), fulfilment_id, "html"), "html")


@get(
    "/fulfilments/{fulfilment_id:uuid}/packing-slip.pdf",
    summary="Packing slip as PDF",
    media_type="application/pdf",
)
async def slip_pdf(request: AnyRequest, fulfilment_id: Id) -> Response[bytes]:
    """What is in the parcel, as PDF."""
    await _see_part(request, fulfilment_id)
    made = await printing.packing_slip(database_of(request), fulfilment_id, "pdf")
    return file_answer(made, "pdf", f"packing-slip-{fulfilment_id}")


# -- who sells -------------------------------------------------------------------------------------------------------------


@get("/legal-entities", summary="List legal entities")
async def list_entities(request: AnyRequest) -> list[Entity]:
    """Who sells, by code. The default of a pool of orders is made when its first document is issued."""
    actor_of(request).require(READ)
    return await store.all_entities(database_of(request))


@post("/legal-entities", summary="Add a legal entity", status_code=201)
async def create_entity(request: AnyRequest, data: JSONBody[EntityInput]) -> Response[Entity]:
    """Somebody else who sells. A channel points to it by its setting ``legal_entity``."""
    return await write(request, lambda tx: entities.create(tx, data), status=201)


@get("/legal-entities/{entity_id:uuid}", summary="Read a legal entity")
async def read_entity(request: AnyRequest, entity_id: Id) -> Response[Entity]:
    """Who sells, with an ETag of its version."""
    actor_of(request).require(READ)
    found = await entities.get(database_of(request), entity_id)
    return with_etag(found, found.version)


@patch("/legal-entities/{entity_id:uuid}", summary="Change a legal entity")
async def change_entity(request: AnyRequest, entity_id: Id, data: JSONBody[EntityChange]) -> Response[Entity]:
    """What documents say of the seller from now on. ``If-Match`` refuses a version that somebody else changed."""
    version = if_match(request)
    return await write(request, lambda tx: entities.change(tx, entity_id, data, version=version))


routes = [
    Router(
        path="/api",
        route_handlers=[
            list_documents,
            archive_zip,
            read_document,
            document_html,
            document_pdf,
            document_xml,
            list_of_order,
            issue,
            confirmation_html,
            confirmation_pdf,
            receipt_html,
            receipt_escpos,
            slip_html,
            slip_pdf,
            list_entities,
            create_entity,
            read_entity,
            change_entity,
        ],
        tags=["Documents"],
    )
]
