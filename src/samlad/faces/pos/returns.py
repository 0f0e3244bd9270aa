"""Take goods back at a till: any order of the shop, alone or in one ticket with a new sale."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import channels, credit, documents, orders, tills
from samlad.carts import CartView
from samlad.channels import Resource
from samlad.faces import change_form
from samlad.faces import page as face
from samlad.faces.design.formats import day_and_clock_at
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.pos import printing, waiting
from samlad.faces.pos.desk import Till, clerk_of, current, show, till_of
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import InvalidInput, NotFound, Problem
from samlad.orders import Order, OrderKind, OrderRow
from samlad.orders.change_model import ChangeInput, Preview

MOST = 20
STATUS = {
    "placed": marked("Placed"),
    "paid": marked("Paid"),
    "partially_fulfilled": marked("Partly handed over"),
    "fulfilled": marked("Sold"),
    "cancelled": marked("Cancelled"),
    "called_off": marked("Cancelled"),
    "returned": marked("Taken back"),
}


@get("/{code:str}/returns")
async def find_page(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """Find the order: by number, e-mail address, SKU, or the loyalty code of its customer."""
    till = await till_of(request, code)
    clerk_of(request).require(orders.READ)
    query = request.query_params.get("q", "").strip()[:1000]
    is_signed = documents.token_in(query) is not None or tills.code_in(query) is not None
    _, everything = face.words(request), await channels.cached_all(database_of(request))
    return show(
        request,
        till,
        "pos/returns.html",
        query="" if is_signed else query[:120],
        is_signed=is_signed,
        rows=await _found(request, till, query) if query else [],
        channel_names={channel.code: channel.name for channel in everything},
        status_texts={status: _(text) for status, text in STATUS.items()},
    )


async def _found(request: AnyRequest, till: Till, query: str) -> list[OrderRow]:
    database = database_of(request)
    if (token := documents.token_in(query)) is not None:
        said = await documents.check_receipt(database, token)
        if said is None:
            return []
        query = said.number
    elif (code := tills.code_in(query)) is not None:
        checked = await tills.check_receipt(database, code)
        if checked is None or checked.came is None or checked.came.order is None:
            return []
        query = (await orders.read(database, checked.came.order)).number
    filters: dict[str, str | None] = {"pool": str(till.channel.pools[Resource.ORDERS]), "kind": "sale"}
    member = await credit.by_code(database, query, till.channel.pools[Resource.CUSTOMERS])
    filters |= {"customer": str(member.customer)} if member else {"q": query}
    try:
        return (await orders.LISTING.page(database, ListQuery(limit=MOST, filters=filters))).items
    except InvalidInput:
        return []


@get("/{code:str}/returns/{order_id:uuid}")
async def return_page(request: AnyRequest, code: FromPath[str], order_id: FromPath[UUID]) -> Response[Any]:
    """What of it can come back."""
    till = await till_of(request, code)
    order, cart = await order_of(request, till, order_id), await current(request, till)
    form = Form()
    if cart is not None and cart.lines:
        form.fields["with_ticket"] = ["1"]
    return await show_return(request, till, order, form, None, cart)


async def order_of(request: AnyRequest, till: Till, order_id: UUID) -> Order:
    """An order of this shop's pool.

    Raises:
        NotFound: there is none.
    """
    clerk_of(request).require(orders.READ)
    order = await orders.read(database_of(request), order_id)
    if order.pool != till.channel.pools[Resource.ORDERS] or order.kind is not OrderKind.SALE:
        raise NotFound("There is no such order in this shop.")
    return order


@post("/{code:str}/returns/{order_id:uuid}/preview", status_code=200)
async def preview_page(request: AnyRequest, code: FromPath[str], order_id: FromPath[UUID]) -> Response[Any]:
    """What it comes to, as a piece of the page."""
    till, form = await till_of(request, code), await read_form(request)
    order, cart = await order_of(request, till, order_id), await current(request, till)
    said = await previewed(request, till, order, form, cart)
    return await show_return(request, till, order, form, said, cart)


async def change_of(
    request: AnyRequest, till: Till, order: Order, form: Form, cart: CartView | None, **fixed: Any
) -> ChangeInput:
    fixed |= {"location": till.location.id, "hand_over": any(form.text(f) for f in _swaps(order))}
    if cart is not None and cart.lines and form.has("with_ticket"):
        fixed["cart"] = cart.id
    if form.text("way") is None:
        form.fields["way"] = ["cash"]
    return await change_form.change_from(request, order, form, **fixed)


def _swaps(order: Order) -> list[str]:
    return [f"exchange-{line.position}" for line in order.lines]


async def previewed(
    request: AnyRequest, till: Till, order: Order, form: Form, cart: CartView | None
) -> Preview | None:
    try:
        data = await change_of(request, till, order, form, cart, fingerprint=None)
        if not data.actions:
            return None
        return await orders.preview_change(database_of(request), actor_of(request), order.id, data)
    except Problem as problem:
        form.failed(problem)
        return None


async def show_return(
    request: AnyRequest, till: Till, order: Order, form: Form, said: Preview | None, cart: CartView | None
) -> Response[Any]:
    may_override = actor_of(request).may(orders.OVERRIDE, till.location.id)
    known = await change_form.reasons_for(request, order)
    context = await change_form.shown(request, order, known, form)
    context |= change_form.previewed(request, said, may_override=may_override)
    context["bought_at"] = None
    if order.channel != till.channel.id:
        # The receipt in the customer's hand has the time of where it was bought, which may be another than here.
        shop = await channels.cached(database_of(request), order.channel)
        when = day_and_clock_at(order.placed_at, shop.time_zone, face.locale_of(request))
        context |= {"bought_at": shop.name, "bought_when": when}
    context["to_go"] = {}  # what has not left is its own store's business
    return show(
        request,
        till,
        "design/change_preview.html" if face.is_htmx(request) else "pos/return.html",
        status=200 if face.is_htmx(request) else form.status,
        cart=cart if cart is not None and cart.lines else None,
        due=max(0, order.total - order.called_off - sum(payment.promised for payment in order.payments)),
        pay_ways=await waiting.ways(request, till),
        provider_names=printing.PROVIDERS,
        **context,
    )


handlers = [find_page, return_page, preview_page]
