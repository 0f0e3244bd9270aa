"""HTTP: what the order desk keeps: tags and notes on orders, views, acts on many orders."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, Router, delete, get, patch, post, put
from litestar.params import FromPath, JSONBody, PathParameter

from samlad.kernel.database import Tx
from samlad.kernel.http import AnyRequest, actor_of, database_of, if_match, write
from samlad.orders import bulk, bulk_store, fulfilment_assign, seeing, tagging, tagging_store, views
from samlad.orders.bulk import BulkInput
from samlad.orders.bulk_store import Bulk, BulkRow
from samlad.orders.fulfilment_model import Fulfilment
from samlad.orders.permissions import READ
from samlad.orders.tagging import OrderNoteInput, OrderTagsInput
from samlad.orders.tagging_store import OrderNote, OrderTagCount
from samlad.orders.views import OrderView, ViewChange, ViewInput


class BulkPage(msgspec.Struct, frozen=True):
    """A bulk act with the orders that refused it, 200 at most."""

    bulk: Bulk
    refused: list[BulkRow]


class DefaultInput(msgspec.Struct, forbid_unknown_fields=True):
    """With which view the desk opens; null: with all orders."""

    view: UUID | None


class AssignInput(msgspec.Struct, forbid_unknown_fields=True):
    """Which location is to give it."""

    location: UUID


@get("/orders/tags", summary="List tags of orders")
async def list_tags(request: AnyRequest) -> list[OrderTagCount]:
    """The tags that orders have, those of the most first; 200 at most."""
    actor = actor_of(request)
    actor.require(READ)
    return await tagging_store.tags_in_use(database_of(request), actor, 200)


@get("/orders/{order_id:uuid}/tags", summary="List the tags of an order")
async def tags_of(request: AnyRequest, order_id: FromPath[UUID]) -> list[str]:
    """In the order of the alphabet."""
    actor = actor_of(request)
    actor.require(READ)
    await seeing.check(database_of(request), actor, order_id)
    return await tagging_store.tags_of(database_of(request), order_id)


@post("/orders/{order_id:uuid}/tags", summary="Tag an order", status_code=200)
async def add_tags(
    request: AnyRequest, order_id: FromPath[UUID], data: JSONBody[OrderTagsInput]
) -> Response[list[str]]:
    """Add tags; all that it has now. What is there already stays."""
    return await write(request, lambda tx: tagging.tag(tx, order_id, data.tags))


@delete("/orders/{order_id:uuid}/tags/{tag:str}", summary="Take a tag off an order", status_code=200)
async def remove_tag(
    request: AnyRequest,
    order_id: FromPath[UUID],
    tag: Annotated[str, PathParameter(max_length=40, pattern=r"^[^\x00]*$")],
) -> Response[list[str]]:
    """The tags that are left. One that is not there is no error."""
    return await write(request, lambda tx: tagging.untag(tx, order_id, [tag]))


@get("/orders/{order_id:uuid}/notes", summary="List notes on an order")
async def list_notes(request: AnyRequest, order_id: FromPath[UUID]) -> list[OrderNote]:
    """What staff wrote, the latest first."""
    actor = actor_of(request)
    actor.require(READ)
    await seeing.check(database_of(request), actor, order_id)
    return await tagging_store.notes_of(database_of(request), order_id)


@post("/orders/{order_id:uuid}/notes", summary="Write a note on an order", status_code=201)
async def add_note(
    request: AnyRequest, order_id: FromPath[UUID], data: JSONBody[OrderNoteInput]
) -> Response[OrderNote]:
    """Keep a note. Customers do not see it."""
    return await write(request, lambda tx: tagging.add_note(tx, order_id, data), status=201)


@delete("/orders/{order_id:uuid}/notes/{note_id:uuid}", summary="Delete a note on an order", status_code=200)
async def delete_note(
    request: AnyRequest, order_id: FromPath[UUID], note_id: FromPath[UUID]
) -> Response[OrderNote]:
    """Take it away; it can be restored. Again is no error."""
    version = if_match(request)
    return await write(request, lambda tx: tagging.delete_note(tx, order_id, note_id, version=version))


@post(
    "/orders/{order_id:uuid}/notes/{note_id:uuid}/restore",
    summary="Restore a note on an order",
    status_code=200,
)
async def restore_note(
    request: AnyRequest, order_id: FromPath[UUID], note_id: FromPath[UUID]
) -> Response[OrderNote]:
    """Bring a deleted note back."""
    return await write(request, lambda tx: tagging.restore_note(tx, order_id, note_id))


@get("/orders/views", summary="List views of the order desk")
async def list_views(request: AnyRequest) -> list[OrderView]:
    """One's own and shared ones."""
    return await views.views_of(database_of(request), actor_of(request))


@post("/orders/views", summary="Keep a view of the order desk", status_code=201)
async def create_view(request: AnyRequest, data: JSONBody[ViewInput]) -> Response[OrderView]:
    """Filters, sorting and columns under a name."""
    return await write(request, lambda tx: views.create(tx, data), status=201)


@put("/orders/views/default", summary="Choose the view that the order desk opens with", status_code=204)
async def set_default(request: AnyRequest, data: JSONBody[DefaultInput]) -> Response[None]:
    """For oneself."""
    return await write(request, lambda tx: views.set_default(tx, data.view), status=204)


@patch("/orders/views/{view_id:uuid}", summary="Change a view of the order desk")
async def change_view(
    request: AnyRequest, view_id: FromPath[UUID], data: JSONBody[ViewChange]
) -> Response[OrderView]:
    """What is left out stays; ``If-Match`` refuses the change if somebody else was quicker."""
    version = if_match(request)
    return await write(request, lambda tx: views.change(tx, view_id, data, version=version))


@delete("/orders/views/{view_id:uuid}", summary="Delete a view of the order desk", status_code=200)
async def delete_view(request: AnyRequest, view_id: FromPath[UUID]) -> Response[OrderView]:
    """Take it away; it can be restored."""
    version = if_match(request)
    return await write(request, lambda tx: views.delete(tx, view_id, version=version))


@post("/orders/views/{view_id:uuid}/restore", summary="Restore a view of the order desk", status_code=200)
async def restore_view(request: AnyRequest, view_id: FromPath[UUID]) -> Response[OrderView]:
    """Bring a deleted view back."""
    return await write(request, lambda tx: views.restore(tx, view_id))


@post("/orders/bulk", summary="Begin an act on many orders", status_code=202)
async def begin_bulk(request: AnyRequest, data: JSONBody[BulkInput]) -> Response[Bulk]:
    """A job does it, an order a transaction. Read it again to see how far it is."""
    return await write(request, lambda tx: bulk.begin(tx, data), status=202)


@get("/orders/bulk/{bulk_id:uuid}", summary="Read how far an act on many orders is")
async def read_bulk(request: AnyRequest, bulk_id: FromPath[UUID]) -> BulkPage:
    """With the orders that refused it, and why."""
    found = await bulk.get(database_of(request), actor_of(request), bulk_id)
    return BulkPage(found, await bulk_store.rows_of(database_of(request), bulk_id, "refused"))


@post("/orders/bulk/{bulk_id:uuid}/stop", summary="Stop an act on many orders", status_code=200)
async def stop_bulk(request: AnyRequest, bulk_id: FromPath[UUID]) -> Response[Bulk]:
    """Orders without an outcome stay as they are."""
    return await write(request, lambda tx: bulk.stop(tx, bulk_id))


@post("/fulfilments/{fulfilment_id:uuid}/assign", summary="Let another location give a part", status_code=200)
async def assign(
    request: AnyRequest, fulfilment_id: FromPath[UUID], data: JSONBody[AssignInput]
) -> Response[Fulfilment]:
    """Its goods are held there and given back here. 409 ``sold-out``, ``wrong-state``."""
    version = if_match(request)

    async def work(tx: Tx) -> Fulfilment:
        return await fulfilment_assign.assign(tx, fulfilment_id, data.location, version=version)

    return await write(request, work)


routes = [
    Router(
        path="/api",
        route_handlers=[
            list_tags,
            tags_of,
            add_tags,
            remove_tag,
            list_notes,
            add_note,
            delete_note,
            restore_note,
            list_views,
            create_view,
            set_default,
            change_view,
            delete_view,
            restore_view,
            begin_bulk,
            read_bulk,
            stop_bulk,
            assign,
        ],
        tags=["Order desk"],
    )
]
