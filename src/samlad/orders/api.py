"""HTTP: orders."""

from datetime import date, datetime, timedelta
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from litestar import Response, Router, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from samlad import carts, stock
from samlad.carts import paying
from samlad.carts.access import access_of
from samlad.carts.api_inputs import CartToken
from samlad.kernel.clock import day_bounds
from samlad.kernel.http import AnyRequest, actor_of, database_of, if_match, kept_under, with_etag, write
from samlad.kernel.listing import DEFAULT_LIMIT, Cursor, FileFormat, Limit, ListQuery, Page, Sorting, Wanted
from samlad.kernel.problems import InvalidInput
from samlad.orders import (
    arrivals,
    changes,
    crowd,
    lists,
    order_page,
    paid_otherwise,
    pending_arrivals,
    placement,
    seeing,
    tips,
)
from samlad.orders.arrivals import Arrival
from samlad.orders.model import (
    CancelInput,
    ChannelSales,
    FulfilInput,
    Order,
    OrderRow,
    PayInput,
    PlaceOrder,
    ReturnInput,
)
from samlad.orders.order_page import OrderPage
from samlad.orders.paid_otherwise import PaidOtherwiseInput
from samlad.orders.pending_arrivals import HeldArrival, PendingArrival, PendingName
from samlad.orders.permissions import READ
from samlad.orders.tip_store import Tip
from samlad.orders.tips import ClerkTips
from samlad.payments import Refund
from samlad.stock import reach

MOST_MINOR = 10**15
TimeZone = Annotated[
    str,
    QueryParameter(
        description="IANA time zone in which days are meant", max_length=64, pattern=r"^[A-Za-z0-9_+/-]+$"
    ),
]


@post("/orders", summary="Place an order", status_code=201)
async def place_order(
    request: AnyRequest, data: JSONBody[PlaceOrder], token: CartToken = None
) -> Response[Order]:
    """Buy what is in a cart. Send an ``Idempotency-Key``: asked again with it, the answer is the same order.

    What is carried out of a store is handed over at once. Guests send their cart's token as ``Cart-Token``;
    ``If-Match`` with the cart's ETag refuses a cart that somebody changed meanwhile.

    Refusals: 409 ``cart-already-ordered`` (says as what), ``price-changed``, ``total-changed``, ``sold-out``,
    ``not-sellable``, ``payment-pending`` (ask for its status, then again), ``payment-not-usable``; 402
    ``payment-declined``; 422 where something about the buyer is missing.
    """
    version = if_match(request)
    await reach.check(database_of(request), actor_of(request), "cart_id", data.cart)
    await paying.settle_begun(
        database_of(request), [p.payment for p in data.payments if p.payment is not None]
    )
    await carts.ask_tax(database_of(request), actor_of(request), data.cart, token=token)
    wanted = carts.WantedCart(data.cart, access_of(actor_of(request), token), kept_under(request))
    async with crowd.turn(database_of(request), crowd.Question(carts.gone_among, wanted)):
        return await write(
            request,
            lambda tx: placement.place(tx, data, token=token, version=version, is_last=True),
            status=201,
            together=placement.Placements,
        )


@post("/orders/arrivals", summary="Take over an order that was placed elsewhere", status_code=201)
async def take_over(request: AnyRequest, data: JSONBody[Arrival]) -> Response[Order]:
    """For marketplaces' connectors: the order was agreed and paid there. Its goods are claimed here.

    ``external_id`` is its key: the same order sent again, with or without an ``Idempotency-Key``, is the order that it
    became. Refusals: 409 ``sold-out`` (call it off there), ``arrived-differently``; 422 for what is not right, with where.
    """
    arrivals.check(actor_of(request), data)
    wanted = arrivals.WantedArrival(data, kept_under(request))
    async with crowd.turn(database_of(request), crowd.Question(arrivals.gone_among, wanted)):
        return await write(request, lambda tx: arrivals.arrive(tx, data), status=201)


@post(
    "/orders/arrivals/pending",
    summary="Hold goods of an order that is not paid elsewhere yet",
    status_code=200,
)
async def hold_pending(request: AnyRequest, data: JSONBody[PendingArrival]) -> Response[HeldArrival]:
    """For marketplaces' connectors: somebody is paying for it there. Its goods are held for its channel's
    ``marketplace_hold_seconds``; told again, what it says now is held and its time begins anew. What arrives takes over its
    own. Refusal: 409 ``sold-out`` (say there that it is gone).
    """
    return await write(request, lambda tx: pending_arrivals.hold(tx, data))


@post("/orders/arrivals/release", summary="An order elsewhere will not be paid", status_code=200)
async def release_pending(request: AnyRequest, data: JSONBody[PendingName]) -> Response[HeldArrival]:
    """What was held for it is on sale again. An order that has arrived keeps its goods: cancel it."""
    return await write(request, lambda tx: pending_arrivals.let_go(tx, data))


Places = Annotated[
    str | None,
    QueryParameter(max_length=2000, pattern=r"^[^\x00]*$", description="Codes of locations that give a part"),
]
PartStates = Annotated[
    str | None,
    QueryParameter(max_length=200, pattern=r"^[a-z_,]*$", description="States of parts (fulfilments)"),
]
Late = Annotated[bool | None, QueryParameter(description="Only those with a late part")]
Returned = Annotated[
    bool | None,
    QueryParameter(description="Only those that came back in part or are announced to, or only others"),
]
NotRefunded = Annotated[
    bool | None, QueryParameter(description="Only those whose provider refused to give money back")
]
Disputed = Annotated[
    bool | None,
    QueryParameter(description="Only those whose customer disputes a payment, which waits for an answer"),
]
Least = Annotated[
    int | None, QueryParameter(ge=-MOST_MINOR, le=MOST_MINOR, description="Total of at least, minor units")
]
Most = Annotated[
    int | None, QueryParameter(ge=-MOST_MINOR, le=MOST_MINOR, description="Total of at most, minor units")
]
FirstDay = Annotated[date | None, QueryParameter(name="from", description="First day")]
LastDay = Annotated[date | None, QueryParameter(name="to", description="Last day")]


@get("/orders", summary="List orders")
async def list_orders(
    request: AnyRequest,
    q: Wanted = None,
    channel: Wanted = None,
    status: Wanted = None,
    payment: Wanted = None,
    kind: Wanted = None,
    customer: Wanted = None,
    currency: Wanted = None,
    delivery: Wanted = None,
    tag: Wanted = None,
    place: Places = None,
    part: PartStates = None,
    late: Late = None,
    returned: Returned = None,
    not_refunded: NotRefunded = None,
    disputed: Disputed = None,
    least: Least = None,
    most: Most = None,
    first_day: FirstDay = None,
    last_day: LastDay = None,
    time_zone: TimeZone = "UTC",
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[OrderRow]]:
    """All orders, latest first; days are those of ``time_zone``.

    ``q`` is the beginning of a number, an e-mail address or an SKU; ``channel`` takes codes, ``customer`` ids; sort
    by placed_at, total or number. Who is bound to locations sees the orders of these.
    """
    actor = actor_of(request)
    actor.require(READ)
    filters = {
        "location": seeing.scope(actor),
        "q": q,
        "channel": channel,
        "status": status,
        "payment": payment,
        "kind": kind,
        "customer": customer,
        "currency": currency,
        "delivery": delivery,
        "tag": tag,
        "place": place,
        "part": part,
        "late": "true" if late else None,
        "returned": None if returned is None else str(returned).lower(),
        "not_refunded": "true" if not_refunded else None,
        "disputed": "true" if disputed else None,
        "least": None if least is None else str(least),
        "most": None if most is None else str(most),
        "from": None if first_day is None else bounds(first_day, time_zone)[0],
        "before": None if last_day is None else bounds(last_day, time_zone)[1],
    }
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await lists.LISTING.answer(database_of(request), query, as_csv=as_format == "csv", name="orders")


@get("/orders/{order_id:uuid}", summary="Read an order")
async def read_order(request: AnyRequest, order_id: FromPath[UUID]) -> Response[OrderPage]:
    """An order with lines, payments, returns and history, and an ETag of its version.

    Who is bound to locations sees the orders of these, and those that these give a part of.
    """
    actor = actor_of(request)
    actor.require(READ)
    await seeing.check(database_of(request), actor, order_id)
    found = await order_page.page(database_of(request), order_id)
    return with_etag(found, found.order.version)


@post("/orders/{order_id:uuid}/payments", summary="Pay an order that was placed unpaid", status_code=200)
async def pay_order(
    request: AnyRequest, order_id: FromPath[UUID], data: JSONBody[PayInput]
) -> Response[Order]:
    """Payments that come to what is still due."""
    version = if_match(request)
    return await write(request, lambda tx: changes.pay(tx, order_id, data, version=version))


@post("/orders/{order_id:uuid}/capture", summary="Take what was authorised", status_code=200)
async def capture_order(request: AnyRequest, order_id: FromPath[UUID]) -> Response[Order]:
    """Capture all authorised payments of an order."""
    version = if_match(request)
    return await write(request, lambda tx: changes.capture(tx, order_id, version=version))


@post("/orders/{order_id:uuid}/fulfil", summary="Hand over or ship", status_code=200)
async def fulfil_order(
    request: AnyRequest, order_id: FromPath[UUID], data: JSONBody[FulfilInput]
) -> Response[Order]:
    """Goods leave for the customer: all that are left, or parts of lines by position."""
    version = if_match(request)
    return await write(request, lambda tx: changes.fulfil(tx, order_id, data, version=version))


@post("/orders/{order_id:uuid}/cancel", summary="Cancel an order", status_code=200)
async def cancel_order(
    request: AnyRequest, order_id: FromPath[UUID], data: JSONBody[CancelInput]
) -> Response[Order]:
    """Its stock is free again, what had left is put back, its money goes back."""
    version = if_match(request)
    return await write(request, lambda tx: changes.cancel(tx, order_id, data, version=version))


@post("/orders/{order_id:uuid}/return", summary="Take goods back", status_code=201)
async def return_order(
    request: AnyRequest, order_id: FromPath[UUID], data: JSONBody[ReturnInput]
) -> Response[Order]:
    """Goods come back: all that are out, or parts of lines. Answers the new order of kind ``return``."""
    version = if_match(request)
    return await write(request, lambda tx: changes.take_back(tx, order_id, data, version=version), status=201)


@post("/orders/{order_id:uuid}/tip/give-back", summary="Give the tip of an order back", status_code=200)
async def give_tip_back(request: AnyRequest, order_id: FromPath[UUID]) -> Response[Tip]:
    """A return leaves the tip with the staff; this gives it back, too, by what paid it. Twice is once."""
    return await write(request, lambda tx: tips.give_back(tx, order_id))


@get("/tips", summary="Tips by clerk")
async def tips_of_clerks(
    request: AnyRequest,
    since: Annotated[date, QueryParameter(name="from", description="The first day")],
    until: Annotated[date, QueryParameter(name="to", description="The last day")],
    time_zone: TimeZone = "UTC",
) -> list[ClerkTips]:
    """What customers gave for each of the staff in some days, less what went back, at the locations that one may see."""
    actor = actor_of(request)
    actor.require(READ)
    begin, end = (
        datetime.fromisoformat(bounds(since, time_zone)[0]),
        datetime.fromisoformat(bounds(until, time_zone)[1]),
    )
    if begin >= end:
        raise InvalidInput.at("to", "on or after the first day")
    scope = actor.bound_to
    return await tips.by_clerk(database_of(request), begin, end, scope)


@get("/sales/hours", summary="Sales of a day by hour")
async def sales_by_hour(
    request: AnyRequest,
    day: Annotated[date, QueryParameter(description="The day")],
    time_zone: TimeZone = "UTC",
) -> list[ChannelSales]:
    """What every channel sold in each hour of a day. Hours without a sale are left out."""
    actor_of(request).require(READ)
    bounds(day, time_zone)
    return await _own(request, await lists.by_hour(database_of(request), day, time_zone))


@get("/sales/days", summary="Sales by day")
async def sales_by_day(
    request: AnyRequest,
    first_day: Annotated[date, QueryParameter(name="from", description="First day")],
    last_day: Annotated[date, QueryParameter(name="to", description="Last day, at most 1,000 days later")],
    channel: Annotated[UUID | None, QueryParameter(description="Id of a channel")] = None,
) -> list[ChannelSales]:
    """What every channel sold on each of its own days. Days without a sale are left out."""
    actor_of(request).require(READ)
    if not timedelta(0) <= last_day - first_day <= timedelta(days=1000):
        raise InvalidInput.at("to", "on or after the first day, and at most 1,000 days later")
    found = await lists.by_day(database_of(request), first_day, last_day, channel=channel)
    return await _own(request, found)


@post(
    "/refunds/{refund_id:uuid}/otherwise", summary="Pay a refused refund back in another way", status_code=200
)
async def pay_back_otherwise(
    request: AnyRequest, refund_id: FromPath[UUID], data: JSONBody[PaidOtherwiseInput]
) -> Response[Refund]:
    """What its provider refused to give back: sent by bank (with the reference of that transfer), or made store credit of. All that is left of it, or
    a part. Its provider is not asked again. Cash goes out of a drawer: POST /api/tills/shifts/{id}/refunds."""
    return await write(request, lambda tx: paid_otherwise.pay_back(tx, refund_id, data))


async def _own(request: AnyRequest, found: list[ChannelSales]) -> list[ChannelSales]:
    """What other stores sell is not told to who is bound to one."""
    places = actor_of(request).locations
    if places is None:
        return found
    own = {each.channel for each in await stock.locations(database_of(request)) if each.id in places}
    return [row for row in found if row.channel in own]


def bounds(day: Annotated[date, QueryParameter(description="The day")], time_zone: str) -> tuple[str, str]:
    """The first moments of a local day and of the next, as text with offset.

    Raises:
        InvalidInput: no such time zone, or a day at the very edge of time.
    """
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput.at("time_zone", f"“{time_zone}” is no IANA time zone") from None
    if not date(1900, 1, 1) <= day <= date(9000, 1, 1):
        raise InvalidInput.at("from", "between the years 1900 and 9000")
    start, end = day_bounds(day, time_zone)
    return start.isoformat(), end.isoformat()


routes = [
    Router(
        path="/api",
        route_handlers=[
            place_order,
            take_over,
            hold_pending,
            release_pending,
            list_orders,
            read_order,
            pay_order,
            capture_order,
            fulfil_order,
            cancel_order,
            return_order,
            pay_back_otherwise,
            give_tip_back,
            tips_of_clerks,
            sales_by_hour,
            sales_by_day,
        ],
        tags=["Orders"],
    )
]
