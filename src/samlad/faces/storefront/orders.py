"""An order for who placed it: by a link that nobody can guess."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.params import FromPath

from samlad import catalog, credit, delivery, documents, orders, reviews, stock
from samlad.channels import Channel
from samlad.documents.api import file_answer
from samlad.documents.snapshot import address_lines
from samlad.documents.writing import PROVIDERS
from samlad.faces import page as face
from samlad.faces.design.formats import day as day_text
from samlad.faces.design.formats import money
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import amounts, parcels, pay_ways
from samlad.faces.storefront.account.words import RETURNS
from samlad.faces.storefront.order_link import href, read_link
from samlad.faces.storefront.place import channel_of, show
from samlad.kernel.clock import now
from samlad.kernel.http import database_of
from samlad.kernel.i18n import formatting_locale
from samlad.kernel.listing import ListQuery
from samlad.orders import (
    LineKind,
    Order,
    OrderKind,
    OrderPayment,
    OrderStatus,
    balance,
    exchange_store,
    expected,
    return_store,
)
from samlad.orders.rules import is_partly_cancelled, returnable

MOST_RETURNS = 20


async def of_link(request: AnyRequest, link: str) -> Order:
    """The order of an address, with its goods named as the page speaks.

    Raises:
        NotFound: it is no such address.
    """
    order = await orders.read(database_of(request), read_link(request, link))
    return await orders.spoken(database_of(request), order, face.locale_of(request))


@get("/order/{link:str}")
async def order_page(request: AnyRequest, link: FromPath[str]) -> Response[Any]:
    """How far an order is."""
    channel = await channel_of(request)
    order = await of_link(request, link)
    context = await context_of_order(request, channel, order, link)
    context |= await paying_the_rest(request, channel, order, f"/order/{link}")
    headers = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
    own = await sending_back(request, order, f"/order/{link}", f"/order/{link}/returns")
    return await show(request, channel, "storefront/order.html", headers=headers, own=own, **context)


async def sending_back(
    request: AnyRequest, order: Order, order_href: str, returns_href: str
) -> dict[str, Any]:
    """Whether something of an order can go back, or all of it be called off, and what is announced; with where that is found."""
    _, database = face.words(request), database_of(request)
    coming = await return_store.announced(database, order.id)
    is_left = any(n > coming.get(p, 0) for p, n in returnable(order.lines).items())
    can_return = is_left and order.kind is OrderKind.SALE and order.status is not OrderStatus.CANCELLED
    waiting = await exchange_store.open_of(database, order.id)
    asked = None if waiting is None else await exchange_store.read(database, waiting)
    query = ListQuery(limit=MOST_RETURNS, filters={"order": str(order.id)})
    return {
        "can_return": can_return,
        "can_cancel": await orders.can_cancel_as_buyer(database, order),
        "exchange_href": None if asked is None or asked.is_at_till else exchange_href(returns_href, asked.id),
        "returns": (await return_store.LISTING.page(database, query)).items,
        "return_words": {state: _(text) for state, text in RETURNS.items()},
        "order_href": order_href,
        "returns_href": returns_href,
    }


async def paying_the_rest(
    request: AnyRequest, channel: Channel, order: Order, order_href: str
) -> dict[str, Any]:
    """What is left to pay of an order (minor units), and where its customer pays it; no address where they cannot from here."""
    selling = await pay_ways.ways_for(request, channel, order)
    return {
        "due": balance.due_of(order, order.payments),
        "pay_href": None if selling is None else f"{order_href}/pay",
    }


def exchange_href(returns_href: str, exchange: UUID) -> str:
    """Where an exchange is paid, beside what is sent back."""
    return f"{returns_href.removesuffix('/returns')}/exchanges/{exchange}"


async def context_of_order(
    request: AnyRequest, channel: Channel, order: Order, link: str | None = None
) -> dict[str, Any]:
    """What the page of an order needs; ``link`` is that of its address, made anew without one."""
    place, parts = await _place(request, order), await parcels.parcels_of(request, order)
    bought = [line.variant for line in order.lines if line.variant is not None]
    waits = await expected.waits_for(database_of(request), order)
    gifts = await credit.mails_of_order(database_of(request), order.id)
    is_gift = bool(gifts) and order.items == 0
    return {
        "order": order,
        "pictures": await catalog.sellables(database_of(request), channel, bought),
        "is_new": request.query_params.get("new") == "1",
        "is_partly_paid": is_partly_paid(order),
        "place": place,
        "link": link or href(request, order.id).removeprefix("/order/"),
        "parcels": parts,
        "way": await _way(request, channel, order, waits),
        "steps": _gift_steps(request, order, is_sent=all(each.sent_at for each in gifts))
        if is_gift
        else steps(request, order, is_ready=any(part.code for part in parts), waits=bool(waits)),
        "sums": _sums(request, order),
        "tax_text": amounts.tax_text(
            request, order.tax, order.currency, [line.tax_note for line in order.lines]
        ),
        "country_name": _country(request, order),
        "tenders": tenders(request, order),
        "to_review": await reviews.of_order(database_of(request), order.id),
        "papers": await documents.of_order(database_of(request), order.id),
        "gift_mails": gifts,
        **_states(request, order, waits=bool(waits), is_gift=is_gift),
    }


@get("/order/{link:str}/documents/{document_id:uuid}/file.pdf")
async def order_document(
    request: AnyRequest, link: FromPath[str], document_id: FromPath[UUID]
) -> Response[Any]:
    """An invoice or credit note of the order, for whoever has its link."""
    found = await documents.document_of(database_of(request), read_link(request, link), document_id)
    answer = file_answer(await documents.document_file(found, "pdf"), "pdf", f"{found.kind}-{found.number}")
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


async def _way(
    request: AnyRequest, channel: Channel, order: Order, waits: Sequence[expected.WaitsFor]
) -> dict[str, Any]:
    """The way of delivery that was chosen, what was promised, and what the buyer wrote."""
    _ = face.words(request)
    known = (await delivery.current(database_of(request))).by_id
    method = known.get(order.delivery_method) if order.delivery_method else None
    name = (
        method.name_in(face.locale_of(request)) if method else order.promise.name if order.promise else None
    )
    locale = face.locale_of(request)
    promise = None
    if order.promise is not None and not any(each.is_moved for each in waits):
        promise = await delivery.as_of(
            database_of(request), order.promise, now(), locale=locale, country=channel.country
        )
    facts = [
        (_("Delivery"), name),
        (_("Promised"), promise),
        *((each.title, _expected(request, each.expected_on)) for each in waits),
        (_("Note to the shop"), order.note),
        (_("Gift note"), order.gift_note),
    ]
    return {"name": name, "promise": promise, "facts": [(label, text) for label, text in facts if text]}


def _expected(request: AnyRequest, day: date | None) -> str:
    """When goods come that are not there yet, as the mail said it."""
    _ = face.words(request)
    if day is None:
        return _("We do not know yet when it comes in, and write to you as soon as we do.")
    return _("We expect it on %(day)s.") % {"day": day_text(day, face.locale_of(request))}


async def _place(request: AnyRequest, order: Order) -> dict[str, Any] | None:
    if order.location is None or order.delivery is None or order.delivery == "ship":
        return None
    _ = face.words(request)
    found = await stock.location(database_of(request), order.location)
    title = _("Pick up at") if order.delivery == "pickup" else _("Bought at")
    return {"title": title, "name": found.name, "lines": address_lines(found.address)}


def steps(
    request: AnyRequest, order: Order, *, is_ready: bool = False, waits: bool = False
) -> list[dict[str, str]]:
    """The way of an order, and where it is on it: done, now, or still to come. ``waits``: some of it is not there yet."""
    _ = face.words(request)
    is_paid = order.payment_status in (OrderPayment.PAID, OrderPayment.REFUNDED)
    if order.delivery == "pickup":
        on_the_way = ("store", _("Put aside in the store"), _("Ready to be picked up") if is_ready else "")
        end = ("bag", _("Picked up"), "")
    else:
        on_the_way = ("orders", _("Waits for goods") if waits else _("Being packed"), "")
        end = ("truck", _("Sent"), "")
    way = [
        ("check", _("Order placed"), ""),
        ("card", _("Paid") if is_paid else _("Waiting for the payment"), ""),
        on_the_way,
        end,
    ]
    if order.status in (OrderStatus.CANCELLED, OrderStatus.CALLED_OFF):
        way = [way[0], ("close", _("Cancelled"), _("What was paid goes back the way it came."))]
        reached = 2
    elif order.status is OrderStatus.RETURNED:
        way.append(
            (
                "undo",
                _("Partly cancelled, the rest sent back") if is_partly_cancelled(order) else _("Sent back"),
                "",
            )
        )
        reached = len(way)
    else:
        reached = {OrderStatus.FULFILLED: 4, OrderStatus.PARTIALLY_FULFILLED: 3}.get(
            order.status, 2 if is_paid else 1
        )
    states = ["done" if place < reached else "now" if place == reached else "" for place in range(len(way))]
    return [
        {"icon": icon, "text": text, "note": note if state == "now" or len(way) == 2 else "", "state": state}
        for (icon, text, note), state in zip(way, states, strict=True)
    ]


def tenders(request: AnyRequest, order: Order) -> list[dict[str, Any]]:
    """How an order is paid, each way with how it stands and what its customer does next."""
    _, rows = face.words(request), []
    for payment in order.payments:
        due = payment.promised - payment.captured
        what = ""
        if order.status is OrderStatus.CANCELLED or payment.status in ("voided", "declined"):
            state = (_("Not charged"), "") if not payment.captured else (_("Given back"), "info")
        elif due == 0:
            state = (_("Paid"), "success")
        elif payment.status == "authorized":
            state, what = (_("Reserved"), "info"), _("It is charged by itself in a moment.")
        elif payment.due_on is not None:
            state, what = (_("To be paid"), "warning"), _("Pay it with this reference:")
        else:
            state, what = (_("To be paid"), "warning"), _("You pay when you get it.")
        text = PROVIDERS.get(payment.provider)
        rows.append(
            {
                "name": _(text) if text else _("Payment"),
                "amount": due or payment.amount,
                "state": state,
                "what": what,
                "reference": spaced(payment.reference) if payment.due_on and due else None,
                "due_on": payment.due_on if due else None,
            }
        )
    return rows


def _gift_steps(request: AnyRequest, order: Order, *, is_sent: bool) -> list[dict[str, str]]:
    """The way of an order that is only gift cards for somebody: placed, paid, sent."""
    _ = face.words(request)
    is_paid = order.payment_status in (OrderPayment.PAID, OrderPayment.REFUNDED)
    way = [
        ("check", _("Order placed")),
        ("card", _("Paid") if is_paid else _("Waiting for the payment")),
        ("mail", _("Gift card sent") if is_sent else _("Gift card waits for its day")),
    ]
    if order.status is OrderStatus.CANCELLED:
        way, reached = [way[0], ("close", _("Cancelled"))], 2
    else:
        reached = 3 if is_paid and is_sent else 2 if is_paid else 1
    states = ["done" if place < reached else "now" if place == reached else "" for place in range(len(way))]
    return [
        {"icon": icon, "text": text, "note": "", "state": state}
        for (icon, text), state in zip(way, states, strict=True)
    ]


def spaced(reference: str | None) -> str | None:
    """A reference in groups of four, as it is printed on invoices."""
    return reference and " ".join(reference[at : at + 4] for at in range(0, len(reference), 4))


def _sums(request: AnyRequest, order: Order) -> list[tuple[str, str] | tuple[str, str, bool]]:
    _, locale = face.words(request), face.locale_of(request)
    goods = sum(line.total for line in order.lines if line.kind is LineKind.ITEM)
    rows: list[tuple[str, str] | tuple[str, str, bool]] = []
    if any(line.kind is LineKind.ITEM for line in order.lines) or not order.lines:
        rows.append((_("Goods"), money(goods, order.currency, locale)))
    sent = [line.total for line in order.lines if line.kind is LineKind.SHIPPING]  # one for each tax rate
    if sent:
        rows.append((_("Delivery"), money(sum(sent), order.currency, locale)))
    rows += [
        (
            _("Gift card") if line.kind is LineKind.GIFT_CARD and line.title == "Gift card" else line.title,
            money(line.total, order.currency, locale),
        )
        for line in order.lines
        if line.kind not in (LineKind.ITEM, LineKind.SHIPPING)
    ]
    rows.append((_("Sum"), money(order.total, order.currency, locale), True))
    if is_partly_paid(order):
        rest = order.total - order.called_off - order.paid
        rows.append((_("Paid"), money(order.paid, order.currency, locale)))
        rows.append((_("Still to pay"), money(rest, order.currency, locale), True))
    if order.refunded:
        rows.append((_("Given back"), money(-order.refunded, order.currency, locale)))
    return rows


def is_partly_paid(order: Order) -> bool:
    """Whether a deposit was paid, and the rest is to be paid before the goods leave."""
    is_open = order.payment_status in (OrderPayment.UNPAID, OrderPayment.PENDING)
    return order.deposit is not None and is_open and order.status is not OrderStatus.CANCELLED


def _states(request: AnyRequest, order: Order, *, waits: bool, is_gift: bool) -> dict[str, str]:
    _ = face.words(request)
    status = {
        OrderStatus.PLACED: (_("Placed"), "info"),
        OrderStatus.PAID: (_("Waits for goods"), "info") if waits else (_("Being packed"), "accent"),
        OrderStatus.PARTIALLY_FULFILLED: (_("Partly sent"), "accent"),
        OrderStatus.FULFILLED: (_("Done"), "success"),
        OrderStatus.CANCELLED: (_("Cancelled"), "danger"),
        OrderStatus.CALLED_OFF: (_("Cancelled"), "danger"),
        OrderStatus.RETURNED: (_("Sent back"), "warning"),
    }[order.status]
    if is_gift and order.status is OrderStatus.PAID:  # nothing is packed
        status = (_("Paid"), "success")
    paid = {
        OrderPayment.UNPAID: (_("Not paid yet"), "warning"),
        OrderPayment.PENDING: (_("Payment under way"), "warning"),
        OrderPayment.AUTHORIZED: (_("Payment reserved"), "info"),
        OrderPayment.PAID: (_("Paid"), "success"),
        OrderPayment.REFUNDED: (_("Given back"), "info"),
    }[order.payment_status]
    if is_partly_cancelled(order):
        status = (_("Partly cancelled, the rest sent back"), "warning")
    if is_partly_paid(order):
        paid = (_("Deposit paid") if order.paid else _("Not paid yet"), "warning")
    return {"status_text": status[0], "status_kind": status[1], "paid_text": paid[0], "paid_kind": paid[1]}


def _country(request: AnyRequest, order: Order) -> str:
    code = order.address.country if order.address else ""
    names = formatting_locale(face.locale_of(request)).territories
    return str(names.get(code, code))


__all__ = ["address_lines", "handlers", "href", "order_page", "steps"]
handlers = [order_page, order_document]
