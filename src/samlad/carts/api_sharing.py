"""HTTP: carts between people and devices: whose they are, hand-over, lists, parked sales, quotes."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, delete, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from samlad.access import pins
from samlad.access.pins import Approver
from samlad.carts import discounts, handover, lists, lots, merging, parking, quotes
from samlad.carts.api_inputs import CartToken, LineVersion
from samlad.carts.cart_view import view
from samlad.carts.discount_model import DiscountInput
from samlad.carts.handover import Offer, TakeOver
from samlad.carts.lists import LISTING, CartRow
from samlad.carts.lot_model import ChooseLot
from samlad.carts.merging import Attached
from samlad.carts.model import Label
from samlad.carts.permissions import DISCOUNT, DISCOUNT_ANY, WRITE
from samlad.carts.quotes import QuoteInput
from samlad.carts.sharing_store import Device
from samlad.carts.view_model import CartView, NewCart
from samlad.channels import Resource
from samlad.kernel.http import AnyRequest, actor_of, context_of, database_of, if_match, with_etag, write
from samlad.kernel.listing import (
    DEFAULT_LIMIT,
    Cursor,
    FileFormat,
    Limit,
    ListQuery,
    Page,
    Sorting,
    Wanted,
)
from samlad.kernel.problems import Forbidden
from samlad.stock import reach


class AttachInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Whose cart it is. A signed-in customer needs to say nothing: it is theirs."""

    customer: UUID | None = None


class CombineInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The cart that is put into this one; ``token`` opens it, if it is another one than this cart's."""

    cart: UUID
    token: Annotated[str, msgspec.Meta(max_length=100, pattern=r"^[A-Za-z0-9_-]*$")] | None = None


class SaveInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Where a line is to go: to a cart or list of yours; null: to what is saved for later."""

    to: UUID | None = None
    version: LineVersion | None = None


class Approval(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Who approves: their e-mail address and PIN."""

    email: Annotated[str, msgspec.Meta(max_length=254, examples=["manager@example.org"])]
    pin: Annotated[str, msgspec.Meta(min_length=4, max_length=8, pattern="^[0-9]*$", examples=["4071"])]


class GiveDiscount(DiscountInput, forbid_unknown_fields=True, kw_only=True):
    """Something to take off by hand, perhaps with a manager's approval."""

    approval: Approval | None = None


class ParkInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """By what it will be found again."""

    label: Label | None = None


@get("/carts", summary="List carts")
async def list_carts(
    request: AnyRequest,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    sort: Sorting = None,
    channel: Wanted = None,
    status: Wanted = None,
    kind: Wanted = None,
    customer: Wanted = None,
    as_format: FileFormat = "json",
) -> Response[Page[CartRow]]:
    """Carts and lists, those touched last first: all of them for staff, their own for a signed-in customer."""
    actor = actor_of(request)
    if actor.kind == "guest":
        raise Forbidden("Sign in to see your carts.")
    if actor.kind != "customer":
        actor.require(WRITE)
    pools = await reach.pool_filter(database_of(request), actor, Resource.CARTS)
    filters = {"channel": channel, "pool": pools, "status": status, "kind": kind, "customer": customer}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    scope = actor.id if actor.kind == "customer" else None
    return await LISTING.answer(database_of(request), query, scope, as_csv=as_format == "csv", name="carts")


@get("/carts/live", summary="The live cart of a person")
async def live(
    request: AnyRequest, channel: FromQuery[UUID], customer: FromQuery[UUID | None] = None
) -> Response[CartView]:
    """The cart in use of a signed-in customer, or (for staff) of ``customer``, in the pool of ``channel``."""
    cart = await lists.live_cart(database_of(request), actor_of(request), channel, customer)
    return with_etag(cart, cart.version)


@post("/carts/{cart_id:uuid}/customer", summary="Say whose cart it is", status_code=200)
async def attach(
    request: AnyRequest, cart_id: FromPath[UUID], data: JSONBody[AttachInput], token: CartToken = None
) -> Response[Attached]:
    """While browsing the cart goes into the customer's own; in a checkout and at a till it is kept and the rest offered, as it is
    where both were one before and somebody undid that.

    ``merge`` undoes it: `DELETE /api/carts/{id of the answered cart}/merges/{merge}`.
    """
    version = if_match(request)
    return await write(
        request, lambda tx: merging.attach(tx, cart_id, data.customer, token=token, version=version)
    )


@post("/carts/{cart_id:uuid}/merges", summary="Put another cart into this one", status_code=200)
async def combine(
    request: AnyRequest, cart_id: FromPath[UUID], data: JSONBody[CombineInput], token: CartToken = None
) -> Response[Attached]:
    """Of the same variant the larger quantity. It is how what was offered is taken."""
    version = if_match(request)
    return await write(
        request,
        lambda tx: merging.combine(
            tx, cart_id, data.cart, token=token, other_token=data.token, version=version
        ),
    )


@delete("/carts/{cart_id:uuid}/merges/{merge:uuid}", summary="Undo a merge", status_code=200)
async def undo(
    request: AnyRequest, cart_id: FromPath[UUID], merge: FromPath[UUID], token: CartToken = None
) -> Response[CartView]:
    """Both carts are as they were, with what happened since. Undone already, nothing happens."""
    version = if_match(request)
    return await write(request, lambda tx: merging.undo(tx, cart_id, merge, token=token, version=version))


@post("/carts/{cart_id:uuid}/offer", summary="Offer to go on elsewhere", status_code=201)
async def offer(request: AnyRequest, cart_id: FromPath[UUID], token: CartToken = None) -> Response[Offer]:
    """A link and a six-digit code that open this cart on another device: once, and for minutes."""
    return await write(request, lambda tx: handover.offer(tx, cart_id, token=token), status=201, secret=True)


@delete("/carts/{cart_id:uuid}/offer", summary="Take the offer back", status_code=204)
async def withdraw(request: AnyRequest, cart_id: FromPath[UUID], token: CartToken = None) -> Response[None]:
    """The link and the code are not good any more."""
    return await write(request, lambda tx: handover.withdraw(tx, cart_id, token=token))


@post("/carts/continue", summary="Go on with a cart from elsewhere", status_code=200)
async def take_over(request: AnyRequest, data: JSONBody[TakeOver]) -> Response[NewCart]:
    """By a link's secret or a code. You get a ``token`` of your own; the other device stays in the cart."""
    if data.code is not None:
        await handover.count_try(database_of(request), context_of(request))
    return await write(request, lambda tx: handover.take_over(tx, data), secret=True)


@get("/carts/{cart_id:uuid}/devices", summary="Where a cart is open")
async def devices(request: AnyRequest, cart_id: FromPath[UUID], token: CartToken = None) -> list[Device]:
    """The devices that the cart was handed over to."""
    return await handover.devices(database_of(request), actor_of(request), cart_id, token=token)


@delete("/carts/{cart_id:uuid}/devices/{device:uuid}", summary="Shut a device out", status_code=204)
async def remove_device(
    request: AnyRequest, cart_id: FromPath[UUID], device: FromPath[UUID], token: CartToken = None
) -> Response[None]:
    """It cannot open the cart any more."""
    return await write(request, lambda tx: handover.remove_device(tx, cart_id, device, token=token))


@post(
    "/carts/{cart_id:uuid}/channel/{channel:uuid}", summary="Open a cart in another channel", status_code=200
)
async def bring(
    request: AnyRequest, cart_id: FromPath[UUID], channel: FromPath[UUID], token: CartToken = None
) -> Response[CartView]:
    """From the phone to the till and back: prices and stock of that channel count, differences are said at the lines."""
    version = if_match(request)
    return await write(request, lambda tx: handover.bring(tx, cart_id, channel, token=token, version=version))


@post("/carts/{cart_id:uuid}/lines/{line_id:uuid}/save", summary="Save a line for later", status_code=200)
async def save_line(
    request: AnyRequest,
    cart_id: FromPath[UUID],
    line_id: FromPath[UUID],
    data: JSONBody[SaveInput],
    token: CartToken = None,
) -> Response[CartView]:
    """Move a line to another list or cart, and back. Answers the cart that it left."""
    version = if_match(request)
    return await write(
        request,
        lambda tx: lists.save_line(
            tx, cart_id, line_id, data.to, line_version=data.version, token=token, version=version
        ),
    )


@get("/carts/{cart_id:uuid}/lists", summary="What was saved beside a cart")
async def lists_beside(
    request: AnyRequest, cart_id: FromPath[UUID], token: CartToken = None
) -> list[CartView]:
    """What the person of this cart saved for later, and their wish lists."""
    return await lists.lists_beside(database_of(request), actor_of(request), cart_id, token=token)


@post("/carts/{cart_id:uuid}/current", summary="Let this be the cart that is meant", status_code=200)
async def make_current(
    request: AnyRequest, cart_id: FromPath[UUID], token: CartToken = None
) -> Response[CartView]:
    """Of a customer's several carts this is the live one now."""
    version = if_match(request)
    return await write(request, lambda tx: lists.make_current(tx, cart_id, token=token, version=version))


@post("/carts/{cart_id:uuid}/park", summary="Park a sale", status_code=200)
async def park(request: AnyRequest, cart_id: FromPath[UUID], data: JSONBody[ParkInput]) -> Response[CartView]:
    """Put it aside at a till; what there is of it is held for a while."""
    version = if_match(request)
    return await write(request, lambda tx: parking.park(tx, cart_id, data.label, version=version))


@delete("/carts/{cart_id:uuid}/park", summary="Go on with a parked sale", status_code=200)
async def resume(request: AnyRequest, cart_id: FromPath[UUID]) -> Response[CartView]:
    """It is open again."""
    version = if_match(request)
    return await write(request, lambda tx: parking.resume(tx, cart_id, version=version))


@post("/carts/{cart_id:uuid}/discounts", summary="Take something off by hand", status_code=200)
async def give_discount(
    request: AnyRequest, cart_id: FromPath[UUID], data: JSONBody[GiveDiscount]
) -> Response[CartView]:
    """At a till, off a line or off the sale. It takes the place of what was taken off there by hand before.

    403 ``needs-approval`` beyond the channel's ``discount_limit``: send ``approval`` with a manager's address and PIN.
    """
    version, actor = if_match(request), actor_of(request)
    actor.require(DISCOUNT)
    approved = await _approved(request, cart_id, data.approval)
    wanted = DiscountInput(line=data.line, kind=data.kind, value=data.value, reason=data.reason)
    return await write(
        request, lambda tx: discounts.give(tx, cart_id, wanted, approved=approved, version=version)
    )


async def _approved(request: AnyRequest, cart_id: UUID, approval: Approval | None) -> Approver | None:
    if approval is None:
        return None
    database, context = database_of(request), context_of(request)
    at = (await view(database, context.actor, cart_id)).location
    return await pins.approve(database, context, approval.email, approval.pin, DISCOUNT_ANY, at)


@delete(
    "/carts/{cart_id:uuid}/discounts/{discount:uuid}", summary="Take back a discount by hand", status_code=200
)
async def take_discount_back(
    request: AnyRequest, cart_id: FromPath[UUID], discount: FromPath[UUID]
) -> Response[CartView]:
    """What it took off is not taken off any more."""
    version = if_match(request)
    actor_of(request).require(DISCOUNT)
    return await write(request, lambda tx: discounts.take_back(tx, cart_id, discount, version=version))


@post("/carts/{cart_id:uuid}/lines/{line_id:uuid}/lots", summary="Choose the lot of a line", status_code=200)
async def choose_lot(
    request: AnyRequest, cart_id: FromPath[UUID], line_id: FromPath[UUID], data: JSONBody[ChooseLot]
) -> Response[CartView]:
    """At a till: so many units of the line are of this lot, or the piece with this serial number; they leave when it is sold.

    409 when there is not so much of it here. What nobody chooses leaves by the strategy of the location.
    """
    version = if_match(request)
    actor_of(request).require(WRITE)
    return await write(request, lambda tx: lots.choose(tx, cart_id, line_id, data, version=version))


@post("/quotes", summary="Make a quote", status_code=201)
async def make_quote(request: AnyRequest, data: JSONBody[QuoteInput]) -> Response[NewCart]:
    """Prices that stand until a date. Read it at `/api/carts/{id}`; the ``token`` goes into the customer's link."""
    return await write(request, lambda tx: quotes.quote(tx, data), status=201, secret=True)


@post("/carts/{cart_id:uuid}/accept", summary="Make a cart of a quote", status_code=200)
async def accept_quote(
    request: AnyRequest, cart_id: FromPath[UUID], token: CartToken = None
) -> Response[CartView]:
    """410 ``quote-expired`` when its date has passed. Accepted before, it answers the cart that it is."""
    version = if_match(request)
    return await write(request, lambda tx: quotes.accept(tx, cart_id, token=token, version=version))


handlers: list[Any] = [
    give_discount,
    take_discount_back,
    choose_lot,
    list_carts,
    live,
    attach,
    combine,
    undo,
    offer,
    withdraw,
    take_over,
    devices,
    remove_device,
    bring,
    save_line,
    lists_beside,
    make_current,
    park,
    resume,
    make_quote,
    accept_quote,
]
