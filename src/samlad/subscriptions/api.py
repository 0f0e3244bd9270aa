"""HTTP of selling plans and subscriptions. Customers see and change their own, staff those of everybody."""

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

from litestar import Response, Router, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from samlad import channels
from samlad.channels import Resource
from samlad.kernel.database import Tx
from samlad.kernel.http import AnyRequest, actor_of, context_of, database_of, if_match, with_etag, write
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
from samlad.stock import reach
from samlad.subscriptions import entering, notices, plans, service, starting
from samlad.subscriptions.model import (
    CancelInput,
    ChangeInput,
    CycleRow,
    FromOrderInput,
    MoveInput,
    OrderNowInput,
    PauseInput,
    Plan,
    PlanChange,
    PlanInput,
    PlanOffer,
    ResumeInput,
    StartInput,
    Subscription,
    SubscriptionRow,
    SwapInput,
    Upcoming,
)
from samlad.subscriptions.permissions import READ
from samlad.subscriptions.plan_store import PLANS
from samlad.subscriptions.store import CYCLES, LISTING

# -- selling plans -----------------------------------------------------------------------------------------------------


@get("/selling-plans", summary="List selling plans")
async def list_plans(
    request: AnyRequest,
    channel: Wanted = None,
    code: Wanted = None,
    states: States = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[Plan]]:
    """Plans in their order. ``channel`` are codes, ``state`` is active or inactive."""
    actor_of(request).require(READ)
    filters = {"channel": channel, "code": code, "state": states}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await PLANS.answer(database_of(request), query, as_csv=as_format == "csv", name="selling-plans")


@post("/selling-plans", status_code=201, summary="Make a selling plan")
async def create_plan(request: AnyRequest, data: JSONBody[PlanInput]) -> Response[Plan]:
    """A way to buy goods again and again: how often, at which prices, and what if they are out of stock."""
    return await write(request, lambda tx: plans.create(tx, data), status=201)


@get("/selling-plans/offers", summary="By which plans a variant can be bought")
async def list_offers(
    request: AnyRequest,
    channel: Annotated[
        str,
        QueryParameter(max_length=63, pattern=r"^[^\x00]*$", description="Code of the channel that sells it"),
    ],
    variant: FromQuery[UUID],
) -> list[PlanOffer]:
    """The plans of a channel for a variant with what it then costs. Open to everybody."""
    database = database_of(request)
    where = await channels.by_code(database, channel)
    return (await plans.offers(database, where, [variant])).get(variant, [])


@get("/selling-plans/{plan_id:uuid}", summary="Read a selling plan")
async def read_plan(request: AnyRequest, plan_id: FromPath[UUID]) -> Response[Plan]:
    """A plan with its terms."""
    actor_of(request).require(READ)
    plan = await plans.read(database_of(request), plan_id)
    return with_etag(plan, plan.version)


@patch("/selling-plans/{plan_id:uuid}", summary="Change a selling plan")
async def change_plan(
    request: AnyRequest, plan_id: FromPath[UUID], data: JSONBody[PlanChange]
) -> Response[Plan]:
    """Change what is given, for those who begin from now on. Send ``If-Match`` so that no change is lost."""
    version = if_match(request)
    return await write(request, lambda tx: plans.change(tx, plan_id, data, version=version))


# -- subscriptions -----------------------------------------------------------------------------------------------------


@get("/subscriptions", summary="List subscriptions")
async def list_subscriptions(
    request: AnyRequest,
    channel: Wanted = None,
    plan: Wanted = None,
    customer: Wanted = None,
    variant: Wanted = None,
    status: Wanted = None,
    trouble: Wanted = None,
    before: Wanted = None,
    q: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[SubscriptionRow]]:
    """Newest first; a customer sees their own. ``trouble``: what keeps the next order from coming (``declined``,
    ``out_of_stock``, …, or ``any``); ``before``: the next order is before this day."""
    actor = actor_of(request)
    if actor.kind == "customer":
        customer = str(actor.id)
    else:
        actor.require(READ)
    filters = {
        "channel": channel,
        "pool": await reach.pool_filter(database_of(request), actor, Resource.ORDERS),
        "plan": plan,
        "customer": customer,
        "variant": variant,
        "status": status,
        "trouble": trouble,
        "before": before,
        "q": q,
    }
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await LISTING.answer(database_of(request), query, as_csv=as_format == "csv", name="subscriptions")


@post("/subscriptions", status_code=201, summary="Begin a subscription")
async def start(request: AnyRequest, data: JSONBody[StartInput]) -> Response[Subscription]:
    """Goods that come again and again by a selling plan. Without ``first_on`` the first order is placed a moment later:
    read the subscription again to see it."""
    return await write(request, lambda tx: starting.start(tx, data), status=201)


@post("/subscriptions/from-order", summary="Begin subscriptions with an order", status_code=200)
async def start_from_order(
    request: AnyRequest, data: JSONBody[FromOrderInput]
) -> Response[list[Subscription]]:
    """One for each selling plan by which lines of the order were bought. It happens by itself soon after the order is
    placed; ask for it to say how renewals are paid, or not to wait."""
    return await write(request, lambda tx: starting.start_from_order(tx, data))


@get("/subscriptions/{subscription_id:uuid}", summary="Read a subscription")
async def read(request: AnyRequest, subscription_id: FromPath[UUID]) -> Response[Subscription]:
    """A subscription with its lines, and an ETag of its version."""
    found = await entering.read(database_of(request), actor_of(request), subscription_id)
    return with_etag(found, found.version)


@get("/subscriptions/{subscription_id:uuid}/upcoming", summary="What comes next")
async def read_upcoming(request: AnyRequest, subscription_id: FromPath[UUID]) -> Upcoming:
    """The next days, and what the next order would come to now, with delivery, promotions and tax."""
    database = database_of(request)
    found, channel = await entering.reached(database, actor_of(request), subscription_id)
    return await database.transaction(lambda tx: notices.upcoming(tx, found, channel), context_of(request))


@get("/subscriptions/{subscription_id:uuid}/cycles", summary="What came and what did not")
async def list_cycles(
    request: AnyRequest,
    subscription_id: FromPath[UUID],
    states: States = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[CycleRow]]:
    """The cycles that are done with, latest first: ordered, skipped, out_of_stock."""
    database = database_of(request)
    await entering.read(database, actor_of(request), subscription_id)
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters={"state": states})
    return await CYCLES.answer(database, query, subscription_id, as_csv=as_format == "csv", name="cycles")


@patch("/subscriptions/{subscription_id:uuid}", summary="Change a subscription")
async def change(
    request: AnyRequest, subscription_id: FromPath[UUID], data: JSONBody[ChangeInput]
) -> Response[Subscription]:
    """What comes, where it goes, how it is paid, by which plan: from the next order on."""
    return await _verb(request, lambda tx, v: service.change(tx, subscription_id, data, version=v))


@post("/subscriptions/{subscription_id:uuid}/swap", summary="Swap a variant", status_code=200)
async def swap(
    request: AnyRequest, subscription_id: FromPath[UUID], data: JSONBody[SwapInput]
) -> Response[Subscription]:
    """One variant in place of another, from the next order on."""
    return await _verb(request, lambda tx, v: service.swap(tx, subscription_id, data, version=v))


@post("/subscriptions/{subscription_id:uuid}/pause", summary="Pause a subscription", status_code=200)
async def pause(
    request: AnyRequest, subscription_id: FromPath[UUID], data: JSONBody[PauseInput]
) -> Response[Subscription]:
    """Nothing is ordered until a day, or until it is resumed."""
    return await _verb(request, lambda tx, v: service.pause(tx, subscription_id, data, version=v))


@post("/subscriptions/{subscription_id:uuid}/resume", summary="Resume a subscription", status_code=200)
async def resume(
    request: AnyRequest, subscription_id: FromPath[UUID], data: JSONBody[ResumeInput]
) -> Response[Subscription]:
    """It goes on with the next regular day, or the one given; what did not come meanwhile is not made up."""
    return await _verb(request, lambda tx, v: service.resume(tx, subscription_id, data, version=v))


@post("/subscriptions/{subscription_id:uuid}/skip", summary="Skip the next order", status_code=200)
async def skip(request: AnyRequest, subscription_id: FromPath[UUID]) -> Response[Subscription]:
    """The next order does not come. Send ``If-Match``, so that the one that you saw is skipped."""
    return await _verb(request, lambda tx, v: service.skip(tx, subscription_id, version=v))


@post("/subscriptions/{subscription_id:uuid}/unskip", summary="Take a skip back", status_code=200)
async def unskip(request: AnyRequest, subscription_id: FromPath[UUID]) -> Response[Subscription]:
    """The order that was skipped last comes after all, if its day is still to come."""
    return await _verb(request, lambda tx, v: service.unskip(tx, subscription_id, version=v))


@post("/subscriptions/{subscription_id:uuid}/move", summary="Move the next order", status_code=200)
async def move(
    request: AnyRequest, subscription_id: FromPath[UUID], data: JSONBody[MoveInput]
) -> Response[Subscription]:
    """Another day for the next order, and for those after it unless it is only this once."""
    return await _verb(request, lambda tx, v: service.move(tx, subscription_id, data, version=v))


@post("/subscriptions/{subscription_id:uuid}/order-now", summary="Order now", status_code=200)
async def order_now(
    request: AnyRequest, subscription_id: FromPath[UUID], data: JSONBody[OrderNowInput]
) -> Response[Subscription]:
    """The next order does not wait for its day: it is placed a moment later; read the subscription again to see it."""
    return await _verb(request, lambda tx, v: service.order_now(tx, subscription_id, data, version=v))


@post("/subscriptions/{subscription_id:uuid}/cancel", summary="Cancel a subscription", status_code=200)
async def cancel(
    request: AnyRequest, subscription_id: FromPath[UUID], data: JSONBody[CancelInput]
) -> Response[Subscription]:
    """At once, or with the period: on the day of the next order, once the minimum of orders is reached."""
    return await _verb(request, lambda tx, v: service.cancel(tx, subscription_id, data, version=v))


@post(
    "/subscriptions/{subscription_id:uuid}/reactivate", summary="Reactivate a subscription", status_code=200
)
async def reactivate(
    request: AnyRequest, subscription_id: FromPath[UUID], data: JSONBody[ResumeInput]
) -> Response[Subscription]:
    """It goes on after it was cancelled, or does not end after all."""
    return await _verb(request, lambda tx, v: service.reactivate(tx, subscription_id, data, version=v))


async def _verb(
    request: AnyRequest, verb: Callable[[Tx, int | None], Awaitable[Subscription]]
) -> Response[Subscription]:
    version = if_match(request)
    return await write(request, lambda tx: verb(tx, version))


routes: list[Router] = [
    Router(
        path="/api",
        route_handlers=[
            list_plans,
            create_plan,
            list_offers,
            read_plan,
            change_plan,
            list_subscriptions,
            start,
            start_from_order,
            read,
            read_upcoming,
            list_cycles,
            change,
            swap,
            pause,
            resume,
            skip,
            unskip,
            move,
            order_now,
            cancel,
            reactivate,
        ],
        tags=["Subscriptions"],
    )
]
