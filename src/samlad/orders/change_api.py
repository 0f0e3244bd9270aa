"""HTTP: changes of orders, announced returns, returns without a receipt, reasons and windows."""

from typing import Annotated
from uuid import UUID

from litestar import Response, Router, get, post, put
from litestar.params import FromPath, JSONBody, QueryParameter

from samlad import channels
from samlad.kernel.http import AnyRequest, actor_of, database_of, if_match, with_etag, write
from samlad.kernel.listing import (
    DEFAULT_LIMIT,
    Cursor,
    FileFormat,
    Limit,
    ListQuery,
    Page,
    Sorting,
    States,
    Wanted,
)
from samlad.kernel.problems import NotFound
from samlad.orders import (
    change_apply,
    change_store,
    return_announce,
    return_claim,
    return_reasons,
    return_store,
    returns,
    seeing,
)
from samlad.orders import return_unknown as unknown
from samlad.orders.change_model import (
    Changed,
    ChangeInput,
    ChangeRow,
    Preview,
    ReturnReason,
    ReturnReasonInput,
    Window,
    WindowInput,
)
from samlad.orders.model import Order
from samlad.orders.permissions import CHANGE, OVERRIDE, READ
from samlad.orders.return_model import (
    AnnounceInput,
    EndInput,
    InspectInput,
    ReceiveInput,
    RequestRow,
    SettleInput,
    UnknownInput,
)
from samlad.orders.return_model import Request as Announced
from samlad.orders.return_unknown import UnknownPreview

Id = FromPath[UUID]
ChannelCode = Annotated[
    str, QueryParameter(description="Code of a channel whose pool is meant", max_length=63)
]


@post("/orders/{order_id:uuid}/changes/preview", summary="See what a change would come to", status_code=200)
async def preview_change(request: AnyRequest, order_id: Id, data: JSONBody[ChangeInput]) -> Preview:
    """Exact amounts, tenders, stock and notices, to the minor unit, without writing anything.

    Send its ``fingerprint`` with the change: then it is done as it was seen here, or refused with what differs.
    """
    return await change_apply.preview(database_of(request), actor_of(request), order_id, data)


@post("/orders/{order_id:uuid}/changes", summary="Change an order", status_code=201)
async def change_order(request: AnyRequest, order_id: Id, data: JSONBody[ChangeInput]) -> Response[Changed]:
    """Edit, call off, take back, exchange, make good: a list of actions, all of them or none.

    Refusals: 409 ``change-differs`` (says what), ``sold-out``, ``order-state``; 412 ``outdated``; 403
    ``needs-override`` (says which windows and limits); 402 ``payment-declined``; 422 at the action.
    """
    version = if_match(request)
    return await write(
        request, lambda tx: change_apply.apply(tx, order_id, data, version=version), status=201
    )


@get("/orders/{order_id:uuid}/changes", summary="List the changes of an order")
async def list_changes(request: AnyRequest, order_id: Id) -> list[ChangeRow]:
    """What was changed, the latest first; at most 200."""
    actor = actor_of(request)
    actor.require(READ)
    await seeing.check(database_of(request), actor, order_id)
    return await change_store.of_order(database_of(request), order_id)


@get("/returns", summary="List announced returns")
async def list_returns(
    request: AnyRequest,
    q: Wanted = None,
    states: States = None,
    order: Wanted = None,
    overdue: Annotated[bool | None, QueryParameter(description="Only overdue ones, or only others")] = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[RequestRow]]:
    """Announced returns, the latest first. ``q`` is the beginning of a number; ``order`` takes ids.

    Sort by created_at, due_on or number.
    """
    actor = actor_of(request)
    actor.require(READ)
    late = None if overdue is None else str(overdue).lower()
    filters = {"q": q, "state": states, "order": order, "overdue": late, "place": seeing.scope(actor)}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await return_store.LISTING.answer(
        database_of(request), query, as_csv=as_format == "csv", name="returns"
    )


@post("/returns", summary="Announce a return", status_code=201)
async def announce_return(request: AnyRequest, data: JSONBody[AnnounceInput]) -> Response[Announced]:
    """Give a return a number before its goods come. They may come to any place of the shop."""
    return await write(request, lambda tx: return_announce.announce(tx, data), status=201)


@get("/returns/{request_id:uuid}", summary="Read an announced return")
async def read_return(request: AnyRequest, request_id: Id) -> Response[Announced]:
    """An announced return with its lines, and an ETag of its version."""
    actor_of(request).require(READ)
    found = await return_store.read(database_of(request), request_id)
    if found is None:
        raise NotFound("There is no such return.")
    return with_etag(found, found.version)


@post("/returns/{request_id:uuid}/receive", summary="Say that its goods are here", status_code=200)
async def receive_return(
    request: AnyRequest, request_id: Id, data: JSONBody[ReceiveInput]
) -> Response[Announced]:
    """At any place of the shop: all that were announced, or what is said of each line."""
    version = if_match(request)
    return await write(request, lambda tx: returns.receive(tx, request_id, data, version=version))


@post("/returns/{request_id:uuid}/inspect", summary="Say how its goods are", status_code=200)
async def inspect_return(
    request: AnyRequest, request_id: Id, data: JSONBody[InspectInput]
) -> Response[Announced]:
    """The condition of each line, and how many are accepted."""
    version = if_match(request)
    return await write(request, lambda tx: returns.inspect(tx, request_id, data, version=version))


@post("/returns/{request_id:uuid}/settle", summary="Book it in and give the money back", status_code=200)
async def settle_return(
    request: AnyRequest, request_id: Id, data: JSONBody[SettleInput]
) -> Response[Changed]:
    """What came is booked in; its money goes back, or pays for what went out instead. Done once."""
    version = if_match(request)
    return await write(request, lambda tx: returns.settle(tx, request_id, data, version=version))


@post("/returns/{request_id:uuid}/cancel", summary="Say that it will not come", status_code=200)
async def cancel_return(request: AnyRequest, request_id: Id, data: JSONBody[EndInput]) -> Response[Announced]:
    """Its goods stay with the customer; what went out instead is charged as it was agreed, else by invoice."""
    version = if_match(request)
    return await write(request, lambda tx: returns.end(tx, request_id, data, version=version))


@post("/returns/{request_id:uuid}/charge", summary="Charge what went out for it", status_code=200)
async def charge_return(request: AnyRequest, request_id: Id) -> Response[Announced]:
    """The old goods will not come in time: what was given instead is charged as it was agreed, else by invoice. Once."""
    version = if_match(request)
    return await write(request, lambda tx: return_claim.charge_now(tx, request_id, version=version))


@post(
    "/returns/without-receipt/preview", summary="See what goods without a receipt are worth", status_code=200
)
async def preview_unknown(request: AnyRequest, data: JSONBody[UnknownInput]) -> UnknownPreview:
    """Their lowest price of the days that the setting ``no_receipt_days`` says."""
    actor_of(request).require(CHANGE, location=data.location)
    return await unknown.preview_unknown(database_of(request), data)


@post("/returns/without-receipt", summary="Take goods back without a receipt", status_code=201)
async def take_unknown(request: AnyRequest, data: JSONBody[UnknownInput]) -> Response[Order]:
    """They become store credit. Only who may go beyond limits (``orders.override``) can do it, with a reason."""
    return await write(request, lambda tx: unknown.take_unknown(tx, data), status=201)


@get("/return-reasons", summary="List why things come back")
async def list_reasons(request: AnyRequest, channel: ChannelCode) -> list[ReturnReason]:
    """The reasons of a channel's pool of orders, in their order."""
    actor_of(request).require(READ)
    found = await channels.by_code(database_of(request), channel)
    known = await return_reasons.reasons(database_of(request), return_reasons.pool_of(found))
    return list(known.values())


@put("/return-reasons/{code:str}", summary="Add or change a reason", status_code=200)
async def put_reason(
    request: AnyRequest,
    code: FromPath[str],
    channel: ChannelCode,
    data: JSONBody[ReturnReasonInput],
) -> Response[ReturnReason]:
    """Whether its goods are sold again, who pays for sending back, whether a picture is asked for, and a fee."""
    actor_of(request).require(OVERRIDE, shop_wide=True)
    found = await channels.by_code(database_of(request), channel)
    pool = return_reasons.pool_of(found)
    return await write(request, lambda tx: return_reasons.set_reason(tx, pool, code, data))


@get("/return-windows", summary="List return windows that differ from the channel's")
async def list_windows(request: AnyRequest, channel: ChannelCode) -> list[Window]:
    """By country and product; for everything else the setting ``return_days`` holds."""
    actor_of(request).require(READ)
    found = await channels.by_code(database_of(request), channel)
    return await change_store.windows(database_of(request), return_reasons.pool_of(found))


@put("/return-windows", summary="Say how long something may come back", status_code=200)
async def put_window(
    request: AnyRequest, channel: ChannelCode, data: JSONBody[WindowInput]
) -> Response[list[Window]]:
    """For a country, a product or both; without days the channel says again."""
    actor_of(request).require(OVERRIDE, shop_wide=True)
    found = await channels.by_code(database_of(request), channel)
    pool = return_reasons.pool_of(found)
    return await write(request, lambda tx: return_reasons.set_window(tx, pool, data))


routes = [
    Router(
        path="/api",
        route_handlers=[
            preview_change,
            change_order,
            list_changes,
            list_returns,
            announce_return,
            read_return,
            receive_return,
            inspect_return,
            settle_return,
            cancel_return,
            charge_return,
            preview_unknown,
            take_unknown,
            list_reasons,
            put_reason,
            list_windows,
            put_window,
        ],
        tags=["Changes and returns"],
    )
]
