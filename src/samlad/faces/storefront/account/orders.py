"""The orders of somebody, of all channels and stores: the list, one of them, the same again."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import carts, catalog, channels, customers, orders
from samlad.accounts import SignedIn
from samlad.carts import LineInput
from samlad.channels import Channel
from samlad.documents import printing
from samlad.documents.api import file_answer
from samlad.faces import page as face
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import basket, limits, member
from samlad.faces.storefront import orders as order_pages
from samlad.faces.storefront.account.frame import HEADERS, account_page
from samlad.faces.storefront.account.words import order_words, state_of
from samlad.faces.storefront.place import channel_of, shopper, show
from samlad.kernel.http import database_of
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import InvalidInput, NotFound
from samlad.orders import LineKind, Order, OrderKind, expected
from samlad.stock import SoldOut

ROWS, MOST_LINES = 20, 100


async def own_order(request: AnyRequest, signed: SignedIn, order_id: UUID) -> Order:
    """An order of the person who is signed in, with its goods named as the page speaks.

    Raises:
        NotFound: there is none, or it is somebody else's: the same answer.
    """
    database = database_of(request)
    try:
        found = await orders.read(database, order_id)
    except NotFound:
        found = None
    if found is None or not await customers.are_same(database, found.customer, signed.customer.id):
        raise NotFound(face.words(request)("There is no such order."))
    return await orders.spoken(database, found, face.locale_of(request))


@get("/account/orders")
async def list_orders(request: AnyRequest) -> Response[Any]:
    """All orders, latest first."""
    channel = await channel_of(request)
    signed = await member.require(request, channel)
    database, known = database_of(request), order_words(request)
    status = request.query_params.get("status")
    status = status if status in known else None
    filters = {"customer": str(signed.customer.id), "status": status}
    query = ListQuery(limit=ROWS, cursor=request.query_params.get("cursor"), filters=filters)
    try:
        found = await orders.LISTING.page(database, query)
    except InvalidInput:
        return face.go(request, "/account/orders")
    waiting = await expected.waiting(database, [row.id for row in found.items])
    states = {row.id: state_of(request, row.status, waits=row.id in waiting) for row in found.items}
    here = {"status": status} if status else {}
    following = {**here, "cursor": found.next_cursor} if found.next_cursor else None
    return await account_page(
        request,
        channel,
        signed,
        "orders",
        rows=found.items,
        status_filter=status,
        statuses=[("", face.words(request)("All")), *((code, text) for code, (text, _kind) in known.items())],
        states=states,
        channel_names={each.code: each.name for each in await channels.cached_all(database)},
        next_href=f"/account/orders?{urlencode(following)}" if following else None,
        first_href=f"/account/orders?{urlencode(here)}" if query.cursor else None,
    )


@get("/account/orders/{order_id:uuid}")
async def one_order(request: AnyRequest, order_id: FromPath[UUID]) -> Response[Any]:
    """How far an order is, its papers, and what can be done with it."""
    channel = await channel_of(request)
    signed = await member.require(request, channel)
    order = await own_order(request, signed, order_id)
    _ = face.words(request)
    is_sale = order.kind is OrderKind.SALE
    context = await order_pages.context_of_order(request, channel, order)
    context |= await order_pages.paying_the_rest(request, channel, order, f"/account/orders/{order.id}")
    return await show(
        request,
        channel,
        "storefront/account/order.html",
        headers=HEADERS,
        own={
            **await order_pages.sending_back(
                request, order, f"/account/orders/{order.id}", "/account/returns"
            ),
            "has_receipt": is_sale and order.delivery == "carry_out",
            "can_repeat": is_sale and any(line.variant for line in order.lines),
        },
        crumbs=[(_("Your account"), "/account"), (_("Your orders"), "/account/orders")],
        **context,
    )


@get("/account/orders/{order_id:uuid}/receipt.pdf")
async def receipt(request: AnyRequest, order_id: FromPath[UUID]) -> Response[Any]:
    """The receipt of what was bought in a store, as a copy."""
    channel = await channel_of(request)
    signed = await member.require(request, channel)
    order = await own_order(request, signed, order_id)
    made = await printing.receipt_pdf(database_of(request), order.id)
    return file_answer(made, "pdf", f"receipt-{order.number}")


@post("/account/orders/{order_id:uuid}/again", status_code=303)
async def again(request: AnyRequest, order_id: FromPath[UUID]) -> Response[Any]:
    """The same into the cart, at the prices of now; what is not there any more is named."""
    limits.writes.check(limits.who(request))
    channel, _ = await channel_of(request), face.words(request)
    signed = await member.require(request, channel)
    order = await own_order(request, signed, order_id)
    wanted: dict[UUID, int] = {}
    titles: dict[UUID, str] = {}
    sets = {line.set_of.group: line.set_of for line in order.lines if line.set_of is not None}
    for whole in sets.values():
        wanted[whole.variant] = wanted.get(whole.variant, 0) + whole.quantity
        titles[whole.variant] = whole.title
    for line in order.lines[:MOST_LINES]:
        is_goods = line.kind is LineKind.ITEM and line.variant is not None and line.set_of is None
        if is_goods and line.variant is not None and line.quantity > 0:
            wanted[line.variant] = wanted.get(line.variant, 0) + line.quantity
            titles[line.variant] = line.title
    held, missing = await _put(request, channel, wanted)
    gone = ", ".join(dict.fromkeys(titles[variant] for variant in missing))
    if held is None:
        said = _("None of it can be had any more: %(titles)s.") % {"titles": gone}
        return face.go(request, f"/account/orders/{order.id}", said, kind="warning")
    said = _("It is in the cart, at the prices of today.")
    short = await _short(request, channel, held, titles)
    if short:
        said = _("It is in the cart, but this is sold out at the moment: %(titles)s.") % {"titles": short}
        gone = gone or short
    elif gone:
        said = _("It is in the cart. What is not there any more: %(titles)s.") % {"titles": gone}
    answer = face.go(request, "/cart", said, kind="warning" if gone else "success")
    basket.keep(request, answer, held.cart, held.token, held.count)
    return answer


async def _short(request: AnyRequest, channel: Channel, held: basket.Basket, titles: dict[UUID, str]) -> str:
    """What of it cannot be had at the moment, by name."""
    cart = await basket.view(database_of(request), held, channel)
    lines = cart.lines if cart else []
    return ", ".join(
        dict.fromkeys(titles[line.variant] for line in lines if line.problem and line.variant in titles)
    )


async def _put(
    request: AnyRequest, channel: Channel, wanted: dict[UUID, int]
) -> tuple[basket.Basket | None, list[UUID]]:
    """Put variants into the browser's cart, each in a transaction: what is sold out keeps nothing else out."""
    database = database_of(request)
    sold = await catalog.sellables(database, channel, list(wanted))
    held, missing, put = basket.read(request), [], False
    for variant, quantity in wanted.items():
        if variant not in sold:
            missing.append(variant)
            continue
        goes_on = await basket.view(database, held, channel) is not None
        line = LineInput(variant=variant, quantity=quantity)
        try:
            cart, token = await database.transaction(
                lambda tx, line=line, held=held, goes_on=goes_on: basket.add(  # type: ignore[misc]
                    tx, held, channel, line, goes_on=goes_on
                ),
                shopper(request, channel),
            )
        except (SoldOut, NotFound, carts.NotSellable, InvalidInput):
            missing.append(variant)
            continue
        held, put = basket.Basket(cart.id, token, cart.totals.items), True
    return held if put else None, missing


handlers = [list_orders, one_order, receipt, again]
