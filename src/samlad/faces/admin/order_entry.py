"""Orders that staff enter: on the phone, from a letter by SKU, as a quote. What is entered is a cart, so a draft waits as one does."""

import re
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import carts, catalog, channels, customers, orders, payments
from samlad.carts import (
    Address,
    CartInput,
    CartKind,
    CartView,
    DeliveryOption,
    DetailsInput,
    LineInput,
    QuoteInput,
    QuoteLine,
)
from samlad.carts.model import LARGEST_QUANTITY
from samlad.channels import Channel, ChannelKind, ChannelStatus, Resource
from samlad.customers import CustomerRow
from samlad.faces import pay_ways
from samlad.faces.admin import names, order_caller, order_paying, order_times
from samlad.faces.admin.order_paying import LATER
from samlad.faces.admin.shell import admin_page
from samlad.faces.find_customer import LEAST_LETTERS, LONGEST
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, require, translated, words
from samlad.faces.shop_link import as_asked, base_url, shop_of
from samlad.faces.storefront import reductions
from samlad.faces.storefront.tenders import Part
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import InvalidInput, Problem
from samlad.orders import PlaceOrder
from samlad.orders.permissions import PLACE
from samlad.stock.scanning import read

BASE = "/admin/orders/new"
KINDS = (
    ChannelKind.PHONE,
    ChannelKind.MAIL_ORDER,
    ChannelKind.WEBSHOP,
    ChannelKind.APP,
    ChannelKind.SOCIAL,
    ChannelKind.CHAT,
)
"""Channels for which orders are entered here, those first that live of it. A store sells at its till, a marketplace by itself."""
ON_ACCOUNT = ("invoice", "bank_transfer", "on_delivery")
MOST_CODES = 200
QUOTE_DAYS = 14
_ROW = re.compile(r"(?P<code>.*?\S)(?:[\s;,]+[x×*]?\s*(?P<units>[0-9]{1,4}))?")
_FIELDS = {f"address/{name}": name for name in Address.__struct_fields__} | {
    "delivery_method": "delivery",
    "location": "delivery",
    "payments/0/provider": "pay",
    "payments": "pay",
}

UNKNOWN = marked("Nothing has this code: %(codes)s")
TOO_MANY = marked("At most %(most)s lines at once.")
NEW_TOTAL = marked("The total is another one now. Look at it, then place the order once more.")
EMPTY = marked("Enter what is bought first.")
NOBODY = marked("Nobody fits this. Write who buys below: it is a guest’s order then.")
HOW_MANY = marked("Please write 0 to %(most)s.")


def rows_of(text: str) -> list[tuple[str, int]]:
    """Codes with how many of each, one a line: ``KETTLE-RED``, ``KETTLE-RED 2``, ``KETTLE-RED;2``, ``KETTLE-RED x 2``."""
    found = (_ROW.fullmatch(line.strip()) for line in text.splitlines() if line.strip())
    return [(row["code"], int(row["units"] or 1)) for row in found if row is not None]


async def _channels(request: AnyRequest) -> list[Channel]:
    known = await channels.cached_all(database_of(request))
    fitting = [each for each in known if each.kind in KINDS and each.status is ChannelStatus.ACTIVE]
    return sorted(fitting, key=lambda each: (KINDS.index(each.kind), each.created_at))


@get(BASE)
async def new_page(request: AnyRequest) -> Response[Any]:
    """For which channel, and what waits: drafts and quotes. ``customer``: whose order it is to be."""
    require(request, PLACE)
    return await _new(request, Form.of(customer=request.query_params.get("customer")))


async def _new(request: AnyRequest, form: Form) -> Response[Any]:
    buyer, fitting = await order_caller.wanted(request, form), await _channels(request)
    if buyer is not None:
        fitting = [each for each in fitting if each.pools[Resource.CUSTOMERS] == buyer.pool]
    entered = ListQuery(filters={"status": "open,checkout", "kind": "cart,quote", "entered": "true"})
    waiting = await carts.LISTING.page(database_of(request), entered, None)
    return await admin_page(
        request,
        "admin/order_new.html",
        status_code=form.status,
        form=form,
        channels=[(str(each.id), each.name) for each in fitting],
        buyer=buyer,
        waiting=waiting.items,
        names=names,
    )


@post(BASE, status_code=200)
async def begin(request: AnyRequest) -> Response[Any]:
    """A draft, with what was entered so far."""
    require(request, PLACE)
    form, _ = await read_form(request), words(request)
    try:
        channel = next((c for c in await _channels(request) if str(c.id) == form.get("channel")), None)
        if channel is None:
            raise InvalidInput.at("channel", _("Choose a channel."))

        async def work(tx: Tx) -> CartView:
            lines = [LineInput(variant=v, quantity=q) for v, q in await _variants(tx, channel, form)]
            label = form.text("label") or _("Entered %(day)s") % {
                "day": now().astimezone(ZoneInfo(channel.time_zone)).strftime("%Y-%m-%d %H:%M")
            }
            made = await carts.create(tx, CartInput(channel=channel.id, lines=lines, label=label[:100]))
            said = await _chosen(tx, channel, form)
            if not said:
                return made
            await carts.set_details(tx, made.id, _details(form, **said))
            return await carts.accept_prices(tx, made.id)

        made = await change(request, work)
    except Problem as problem:
        return await _new(request, form.failed(problem))
    return go(request, f"{BASE}/{made.id}")


@get(BASE + "/{cart_id:uuid}")
async def draft_page(request: AnyRequest, cart_id: FromPath[UUID]) -> Response[Any]:
    """A draft, or a quote."""
    require(request, PLACE)
    cart = await carts.view(database_of(request), actor_of(request), cart_id)
    if cart.order_id is not None:
        return go(request, f"/admin/orders/{cart.order_id}")
    return await _page(request, cart, None)


async def _page(
    request: AnyRequest,
    cart: CartView,
    form: Form | None,
    link: str | None = None,
    found: list[CustomerRow] | None = None,
    parts: list[Part] | None = None,
) -> Response[Any]:
    """``found``: the customers that fit what was asked for, where more than one does. ``parts``: what was chosen to pay a part."""
    database, actor = database_of(request), actor_of(request)
    channel, _ = await channels.cached(database, cart.channel), words(request)
    options = await order_times.ways(request, cart)
    ways = _ways(_, options)
    form = form or _filled(cart, channel, ways)
    caller = await order_caller.caller_of(request, cart)
    return await admin_page(
        request,
        "admin/order_draft.html",
        status_code=form.status,
        cart=cart,
        channel=channel,
        form=form,
        link=link,
        is_quote=cart.kind is CartKind.QUOTE,
        is_over=cart.quoted_until is not None and cart.quoted_until <= now(),
        ways=ways,
        times=order_times.times_of(options, cart, form),
        pays=_pays(request, channel),
        buyer=caller,
        addresses=[
            (str(at), order_caller.one_line(each))
            for at, each in enumerate(caller.addresses if caller else [])
        ],
        codes=reductions.codes(request, cart),
        paying=await order_paying.paying_of(request, cart, caller, parts or []),
        may_find=actor.may(customers.READ),
        found=found,
        query=form.get("find"),
        least=LEAST_LETTERS,
        may_quote=actor.may(carts.QUOTE),
        quote_from=(now() + timedelta(days=1)).date().isoformat(),
        quote_until=(now() + timedelta(days=QUOTE_DAYS)).date().isoformat(),
        names=names,
    )


def _ways(translate: Any, options: list[DeliveryOption]) -> list[tuple[str, str]]:
    """How it could get there; what is fetched once for each store. Carried out of a store is a till's."""
    found: list[tuple[str, str]] = []
    for each in options:
        if each.delivery is carts.Delivery.SHIP:
            found.append((each.code, each.name))
        elif each.delivery is carts.Delivery.PICKUP:
            found += [
                (f"{each.code}@{store.location}", f"{each.name}: {store.name}") for store in each.stores
            ]
    return found or [("", translate("Home delivery"))]


def _pays(request: AnyRequest, channel: Channel) -> list[tuple[str, str]]:
    offered = payments.offered(channel)
    known = {name: names.provider[name] for name in ON_ACCOUNT if name in offered}
    return translated(request, {LATER: marked("Later")} | known | pay_ways.of_staff(channel))


def _filled(cart: CartView, channel: Channel, ways: list[tuple[str, str]]) -> Form:
    at = cart.address
    chosen = cart.delivery_method or ""
    if cart.location is not None and cart.delivery is carts.Delivery.PICKUP:
        chosen = f"{chosen}@{cart.location}"
    return Form.of(
        email=cart.email,
        name=cart.name or (at.name if at else None),
        phone=cart.phone,
        vat_number=cart.vat_number,
        note=cart.note,
        line1=at.line1 if at else None,
        line2=at.line2 if at else None,
        postal_code=at.postal_code if at else None,
        city=at.city if at else None,
        region=at.region if at else None,
        country=at.country if at else channel.country,
        delivery=chosen or ways[0][0],
        total=cart.totals.total,
    )


@post(BASE + "/{cart_id:uuid}", status_code=200)
async def act(request: AnyRequest, cart_id: FromPath[UUID]) -> Response[Any]:
    """Keep what was entered; then place the order, or make a quote of it, if that was pressed."""
    require(request, PLACE)
    form, _ = await read_form(request), words(request)
    cart = await carts.view(database_of(request), actor_of(request), cart_id)
    if cart.order_id is not None:
        return go(request, f"/admin/orders/{cart.order_id}")
    parts: list[Part] = []
    try:
        if cart.kind is CartKind.QUOTE:
            await change(request, lambda tx: carts.accept_quote(tx, cart_id))
            return go(request, f"{BASE}/{cart_id}", _("It is a draft now. Its prices stand."))
        shown, wanted = cart.totals.total, form.get("act")
        if wanted == "address":
            await _take_address(request, cart, form)
        found = await _callers(request, cart, form)
        has_seen = form.whole("total") in (None, shown)
        cart = await change(request, lambda tx: _kept(tx, cart, form, has_seen=has_seen))
        cart = await order_times.settle(request, cart, form, placing=wanted == "place")
        parts = await _parts(request, cart, form)
        if found or (parts and wanted != "place"):
            return await _page(request, cart, _after(form, cart), found=found, parts=parts)
        if not cart.lines and wanted in ("place", "quote"):
            raise InvalidInput.at("codes", _(EMPTY))
        if wanted == "quote":
            return await _quoted(request, cart, form)
        if wanted == "place":
            if form.whole("total") != cart.totals.total or shown != cart.totals.total:
                raise InvalidInput(_(NEW_TOTAL))
            order_paying.check_seen(form, parts)
            order_input = _order(cart, form, parts)
            order = await change(request, lambda tx: orders.place(tx, order_input))
            return go(request, f"/admin/orders/{order.id}", _("The order is placed."))
    except Problem as problem:
        again = await carts.view(database_of(request), actor_of(request), cart_id)
        await order_times.refused(request, again, form.failed(problem, _FIELDS), problem)
        order_paying.refused(request, form, problem)
        return await _page(request, again, _after(form, again), parts=parts)
    return go(request, f"{BASE}/{cart_id}", _("Kept."))


def _after(form: Form, cart: CartView) -> Form:
    """What was typed, with the total that is shown now; what is in the cart already is not entered again."""
    form.fields["total"] = [str(cart.totals.total)]
    if "codes" not in form.errors:
        form.fields.pop("codes", None)
    if order_paying.PROMOTION not in form.errors:
        form.fields.pop(order_paying.PROMOTION, None)
    return form


async def _parts(request: AnyRequest, cart: CartView, form: Form) -> list[Part]:
    """What pays a part of it; nothing of a draft that becomes a quote."""
    if form.get("act") == "quote":
        return []
    return await order_paying.parts_of(request, cart, await order_caller.caller_of(request, cart), form)


async def _callers(request: AnyRequest, cart: CartView, form: Form) -> list[CustomerRow]:
    """The customers that fit what was asked for; the only one, and the one that was chosen, is in the form then.

    Raises:
        InvalidInput: nobody fits.
    """
    if form.has("customer") or not form.text("find") or not actor_of(request).may(customers.READ):
        return []
    channel = await channels.cached(database_of(request), cart.channel)
    found = await order_caller.found_for(request, channel, form.get("find").strip()[:LONGEST])
    if not found:
        raise InvalidInput.at("find", form.translate(NOBODY))
    if len(found) > 1:
        return found
    form.fields["customer"] = [str(found[0].id)]
    return []


async def _take_address(request: AnyRequest, cart: CartView, form: Form) -> None:
    """Write the address of the customer that was chosen into its fields."""
    caller, at = await order_caller.caller_of(request, cart), form.get("known_address")
    if caller is not None and at.isdecimal() and len(at) < 3 and int(at) < len(caller.addresses):
        order_caller.put_address(form, caller.addresses[int(at)])


async def _chosen(tx: Tx, channel: Channel, form: Form) -> dict[str, Any]:
    """Whose cart it is from now on, with what is known of them where nothing was typed; nothing if nobody was chosen."""
    if form.get("act") == "guest":
        return {"customer": None}
    chosen = form.one("customer", UUID) if form.text("customer") else None
    if chosen is not None:
        tx.actor.require(customers.READ)
        found = await customers.current(tx, chosen)
        if found is None or found.pool != channel.pools[Resource.CUSTOMERS]:
            raise InvalidInput.at("find", form.translate(NOBODY))
        await order_caller.fill_in(tx, form, found)
        form.fields.pop("find", None)
        return {"customer": str(found.id)}
    return {}


async def _kept(tx: Tx, cart: CartView, form: Form, *, has_seen: bool) -> CartView:
    """The cart with other quantities, more goods, and who buys. ``has_seen``: the page showed what it comes to now, so that its
    prices are agreed to; else it says first which of them are other ones.

    Raises:
        InvalidInput: at the field that cannot be right; then nothing is kept.
    """
    channel = await channels.cached(tx, cart.channel)
    for line in cart.lines:
        units = form.whole(f"units-{line.id}")
        if units is not None and units != line.quantity:
            if not 0 <= units <= LARGEST_QUANTITY:
                raise InvalidInput.at(
                    f"units-{line.id}", form.translate(HOW_MANY) % {"most": LARGEST_QUANTITY}
                )
            await carts.change_line(tx, cart.id, line.id, units)
    for variant, units in await _variants(tx, channel, form):
        await carts.add_line(tx, cart.id, LineInput(variant=variant, quantity=units))
    said = await _chosen(tx, channel, form)
    kept = await carts.set_details(tx, cart.id, _details(form, cart.delivery_method, **said))
    if form.text("drop_code"):
        kept = await carts.remove_code(tx, cart.id, form.get("drop_code"))
    elif form.text(order_paying.PROMOTION):
        kept = await carts.add_code(tx, cart.id, form.get(order_paying.PROMOTION).strip())
    return await carts.accept_prices(tx, cart.id) if has_seen else kept


async def _variants(tx: Tx, channel: Channel, form: Form) -> list[tuple[UUID, int]]:
    """What was entered by SKU, GTIN or a scan.

    Raises:
        InvalidInput: a code that nothing has, which names all of them; too many.
    """
    rows = rows_of(form.get("codes"))
    if len(rows) > MOST_CODES:
        raise InvalidInput.at("codes", form.translate(TOO_MANY) % {"most": MOST_CODES})
    found, unknown = [], []
    for code, units in rows:
        known = await catalog.variant_by_code(tx, channel.pools[Resource.CATALOGUE], read(code).code)
        if known is None:
            unknown.append(code)
        else:
            found.append((known.id, units))
    if unknown:
        raise InvalidInput.at("codes", form.translate(UNKNOWN) % {"codes": ", ".join(unknown[:10])})
    return found


def _details(form: Form, before: str | None = None, **said: Any) -> DetailsInput:
    """Who buys, where it goes and how. The place stays that brings it by the method that was chosen ``before``."""
    code, _, place = form.get("delivery").partition("@")
    values: dict[str, Any] = {
        name: form.text(name) for name in ("email", "name", "phone", "vat_number", "note")
    }
    if form.text("line1") or form.text("city"):
        values["address"] = msgspec.to_builtins(form.into(Address))
    values["delivery"] = "pickup" if place else "ship"
    if code:
        values["delivery_method"] = code
        if place or code != before:
            values["location"] = place or None
    return form.into(DetailsInput, **values, **said)


def _order(cart: CartView, form: Form, parts: list[Part]) -> PlaceOrder:
    """The order, of which the parts are paid first; the rest as was chosen, or later."""
    total = cart.totals.total
    paid = order_paying.payments_of(form, parts, total)
    is_later = total > sum(each.pays for each in parts) and (form.get("pay") or LATER) == LATER
    return PlaceOrder(cart=cart.id, total=total, pay_later=is_later, payments=paid)


async def _quoted(request: AnyRequest, cart: CartView, form: Form) -> Response[Any]:
    """A quote of a draft, whose link is told now. The draft has become it: nothing is left of that."""
    database = database_of(request)
    channel = await channels.cached(database, cart.channel)
    try:
        day = date.fromisoformat(form.get("until"))
    except ValueError:
        raise InvalidInput.at("until", form.translate(marked("Choose a day."))) from None
    until = datetime.combine(day, time(23, 59), ZoneInfo(channel.time_zone))
    lines = [
        QuoteLine(
            variant=line.variant,
            quantity=line.quantity,
            unit_price=form.amount(f"price-{line.id}", cart.currency),
        )
        for line in cart.lines
    ]
    wanted = QuoteInput(
        channel=cart.channel, lines=lines, until=until, customer=cart.customer, label=cart.label
    )

    async def work(tx: Tx) -> carts.NewCart:
        made = await carts.quote(tx, wanted)
        await carts.set_details(tx, made.id, _details(form))
        for line in cart.lines:
            await carts.remove_line(tx, cart.id, line.id)
        return made

    made = await change(request, work)
    shop = await shop_of(request, channel.pools[Resource.CUSTOMERS])
    root = (base_url(request, shop) if shop else None) or as_asked(request)
    shown = await carts.view(database, actor_of(request), made.id)
    return await _page(request, shown, None, f"{root}/quote/{made.id}/{made.token}")


HANDLERS = [new_page, begin, draft_page, act]
