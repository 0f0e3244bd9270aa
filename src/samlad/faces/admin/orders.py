"""One page an order: all about it, and its acts."""

from collections.abc import Callable, Mapping
from gettext import NullTranslations
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import channels, delivery, orders, payments
from samlad.access import staff as people
from samlad.channels import Channel
from samlad.documents import ISSUE
from samlad.faces import change_form, pay_ways
from samlad.faces.admin import dispute_names, names, order_otherwise
from samlad.faces.admin.documents import BUYER, issue_for, papers_of
from samlad.faces.admin.fulfilments import TOLD as PARTS_TOLD
from samlad.faces.admin.fulfilments import parts_of
from samlad.faces.admin.scope import own_locations
from samlad.faces.admin.shell import admin_page
from samlad.faces.form import Form, read_form
from samlad.faces.page import (
    AnyRequest,
    change,
    go,
    listen_from_here,
    live_href,
    locale_of,
    require,
    translated,
    words,
)
from samlad.kernel.clock import now
from samlad.kernel.database import Database
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked, translator
from samlad.kernel.problems import InvalidInput, NotFound, Problem
from samlad.orders import (
    CancelInput,
    FulfilInput,
    HistoryEntry,
    LineSelection,
    Order,
    OrderHead,
    OrderKind,
    OrderStatus,
    PayInput,
    ReturnInput,
    disputed,
    tagging_store,
)
from samlad.orders.rules import returnable, unfulfilled
from samlad.payments import PaymentInput, PaymentStatus, manual
from samlad.payments.manual import NAMES as BY_HAND
from samlad.payments.manual import SENT_BY_HAND
from samlad.payments.model import Note
from samlad.payments.permissions import RECEIVE
from samlad.tax.texts import TREATMENTS

# -- one order -------------------------------------------------------------------------------------------------------------


class Possible(msgspec.Struct, frozen=True):
    """What can be done with an order now, by who asks."""

    fulfil: dict[int, int]
    take_back: dict[int, int]
    due: int
    capture: int
    cancel: bool
    change: bool = False


def possible(order: Order, *, may_change: bool) -> Possible:
    """Which acts the order's state allows."""
    if not may_change or order.kind is not OrderKind.SALE or order.status is OrderStatus.CANCELLED:
        return Possible({}, {}, 0, 0, cancel=False)
    known = sum(payment.promised for payment in order.payments)
    waiting = sum(p.amount for p in order.payments if p.status is PaymentStatus.AUTHORIZED)
    back = {position: count for position, count in returnable(order.lines).items() if count > 0}
    if order.imported is not None:
        return Possible({}, back, 0, 0, cancel=False, change=bool(back))
    return Possible(
        fulfil={position: count for position, count in unfulfilled(order.lines).items() if count > 0},
        take_back=back,
        due=max(0, order.total - order.called_off - known),
        capture=waiting,
        cancel=order.status is not OrderStatus.CALLED_OFF and not any(line.returned for line in order.lines),
        change=True,
    )


async def promised_words(request: AnyRequest, order: Order, channel: Channel) -> str | None:
    """When the buyer was promised the goods, as it is said today."""
    if order.promise is None:
        return None
    return await delivery.as_of(
        database_of(request), order.promise, now(), locale=locale_of(request), country=channel.country
    )


@get("/admin/orders/{order_id:uuid}")
async def show_order(request: AnyRequest, order_id: FromPath[UUID]) -> Response[Any]:
    """All about one order."""
    require(request, orders.READ)
    return await _order_page(request, order_id, Form())


async def _order_page(request: AnyRequest, order_id: UUID, form: Form) -> Response[Any]:
    database, actor = database_of(request), actor_of(request)
    await listen_from_here(request)
    found = await orders.page(database, order_id)
    order = found.order
    _only_own(request, order)
    channel = await channels.cached(database, order.channel)
    may_change = actor.may(orders.CHANGE, order.location)
    places = await own_locations(actor, database)
    unpaid = await order_otherwise.unpaid(database_of(request), order)
    who = await people.names(database)
    return await admin_page(
        request,
        "admin/order.html",
        status_code=form.status,
        time_zone=channel.time_zone,
        order=order,
        promised=await promised_words(request, order, channel),
        page=found,
        channel=channel,
        form=form,
        names=names,
        tax_treatments=TREATMENTS,
        possible=possible(order, may_change=may_change),
        pay_ways=translated(request, pay_ways.of_staff(channel)),
        place={place.id: place.name for place in places}.get(order.location) if order.location else None,
        places=[(str(place.id), place.name) for place in places],
        sale=await _sale_of(database, order),
        parts=await parts_of(request, order),
        waits={each.variant: each for each in found.waits},
        papers=await papers_of(request, order),
        tenders=await payment_rows(request, order, may_change=may_change),
        disputes=await disputed.of_order(database, order_id) if order.paid else [],
        dispute_names=dispute_names,
        unpaid=unpaid,
        ways_back=await order_otherwise.ways(request, order) if unpaid else [],
        back_by_hand=[r for r in order.refunds if r.status == "pending" and _is_by_hand(order, r.payment)],
        tags=await tagging_store.tags_of(database, order_id),
        notes=await tagging_store.notes_of(database, order_id),
        who=who,
        history=[told(entry, translator(locale_of(request)), who) for entry in reversed(found.history)],
        live_href=live_href(request, f"subject:{order.id}"),
    )


async def payment_rows(request: AnyRequest, order: Order, *, may_change: bool) -> list[dict[str, Any]]:
    """The payments of an order with how each stands, what is being tried, and what a person can do about it."""
    _ = words(request)
    trouble = await payments.trouble_of(database_of(request), order.id)
    at = await payments.card_terminal_names(
        database_of(request), [one.terminal for one in order.payments if one.terminal is not None]
    )
    may_receive = may_change and actor_of(request).may(RECEIVE)
    rows = []
    for payment in order.payments:
        left = payment.promised - payment.captured
        by_hand = payment.provider in BY_HAND and payment.status is PaymentStatus.PENDING
        next_step = ""
        if payment.id in trouble:
            reason = trouble[payment.id]
            next_step = _("The provider is asked; it is tried again by itself.")
            if reason:
                next_step = _("The provider did not answer (%(reason)s). It is tried again by itself.") % {
                    "reason": reason
                }
        elif payment.status is PaymentStatus.DECLINED:
            next_step = _("It did not go through. Ask the customer for another way to pay.")
        elif payment.status is PaymentStatus.AUTHORIZED:
            next_step = _("The money is reserved. Take it when the goods leave, before it runs out.")
        elif by_hand:
            next_step = _("Book the money when it is here.")
        rows.append(
            {
                "payment": payment,
                "at": at.get(payment.terminal) if payment.terminal else None,
                "left": left,
                "next": next_step,
                "receive": by_hand and may_receive and left > 0,
            }
        )
    return rows


def _is_by_hand(order: Order, payment_id: UUID) -> bool:
    return any(payment.id == payment_id and payment.provider in SENT_BY_HAND for payment in order.payments)


def _only_own(request: AnyRequest, order: OrderHead) -> None:
    """Staff who are bound to locations see the orders of these."""
    actor = actor_of(request)
    if actor.locations is not None and order.location not in actor.locations:
        raise NotFound("There is no such order at your locations.")


async def _sale_of(database: Database, order: OrderHead) -> OrderHead | None:
    return await orders.read(database, order.returns) if order.returns else None


HAPPENED: dict[str, tuple[str, str, str]] = {
    "order.placed": (marked("Placed"), "cart", "accent"),
    "order.routed": (marked("It was decided where it is sent from"), "truck", ""),
    "order.expected_moved": (marked("Goods are expected on another day"), "clock", "warning"),
    "order.paid": (marked("Paid"), "card", "success"),
    "order.tipped": (marked("Gave a tip"), "card", ""),
    "order.tip_returned": (marked("The tip went back"), "undo", ""),
    "order.fulfilled": (marked("Handed over or shipped"), "truck", "success"),
    "order.goods_named": (marked("Somebody said which article it was"), "tag", ""),
    "order.cancelled": (marked("Cancelled"), "close", "danger"),
    "order.returned": (marked("Taken back"), "undo", "warning"),
    "order.changed": (marked("Changed"), "edit", ""),
    "order.returned_without_receipt": (marked("Taken back without a receipt"), "undo", "warning"),
    "return.requested": (marked("A return was announced"), "undo", "info"),
    "return.received": (marked("Announced goods are here"), "check", ""),
    "return.inspected": (marked("Announced goods were looked at"), "check", ""),
    "return.settled": (marked("An announced return was settled"), "check", "success"),
    "return.cancelled": (marked("An announced return will not come"), "close", ""),
    "return.overdue": (marked("An announced return is overdue"), "clock", "danger"),
    "return.charged": (marked("Charged, because the goods it was given for never came"), "card", "warning"),
    "document.issued": (marked("Document issued"), "receipt", ""),
    "order.customer_linked": (marked("The customer was recognised"), "user", ""),
    "stock.held": (marked("Stock held"), "stock", ""),
    "stock.released": (marked("Stock released"), "stock", ""),
    "stock.converted": (marked("Stock kept for the order"), "stock", ""),
    "stock.moved": (marked("Stock booked"), "stock", ""),
    "stock.lost": (marked("Held stock was not there"), "warning", "danger"),
    "payment.pending": (marked("Payment begun"), "card", ""),
    "payment.authorized": (marked("Payment reserved"), "card", ""),
    "payment.captured": (marked("Payment received"), "card", "success"),
    "payment.voided": (marked("Payment let go"), "card", ""),
    "payment.refunded": (marked("Money went back"), "cash", "warning"),
    **PARTS_TOLD,
    "payment.claimed": (marked("Payment reserved before the order"), "card", ""),
    "payment.declined": (marked("Payment declined"), "warning", "danger"),
    "payment.refund_begun": (marked("Money is to go back"), "cash", ""),
    "payment.paid_otherwise": (marked("Money went back in another way"), "cash", "warning"),
    "payment.refund_failed": (marked("Money could not be given back"), "warning", "danger"),
    "payment.disputed": (marked("The customer disputes the payment at their bank"), "warning", "danger"),
    "payment.dispute_changed": (marked("The dispute has changed"), "warning", ""),
    "payment.dispute_closed": (marked("The dispute is over"), "card", ""),
    "order.tagged": (marked("Tagged"), "tag", ""),
    "order.untagged": (marked("A tag was taken off"), "tag", ""),
    "order.note_added": (marked("A note was written"), "edit", ""),
    "order.note_deleted": (marked("A note was taken away"), "close", ""),
    "order.note_restored": (marked("A note is back"), "undo", ""),
    "payment.overdue": (marked("Reminded: not paid in time"), "clock", "warning"),
    "delivery.capacity_taken": (marked("It counts on a day of the place"), "clock", ""),
    "delivery.capacity_returned": (marked("Its day has room for others"), "clock", ""),
    "delivery.slot_taken": (marked("The delivery time is theirs"), "clock", ""),
    "delivery.slot_returned": (marked("The delivery time is free again"), "clock", ""),
    "order.rest_due": (marked("Reminded: the rest is to be paid"), "clock", "warning"),
}
"""What the history says of an event: text, icon, colour."""


def told(entry: HistoryEntry, said: NullTranslations, who: Mapping[str, str]) -> dict[str, Any]:
    """A line of an order's history; ``who`` are names of staff by id."""
    text, icon, kind = HAPPENED.get(entry.type, (entry.type, "clock", ""))
    count = sum(
        int(line.get("quantity", 0)) for line in entry.payload.get("lines", []) if isinstance(line, dict)
    )
    parts = [said.gettext(text)]
    if entry.type == "order.fulfilled" and count:
        parts.append(said.ngettext("%(num)d piece", "%(num)d pieces", count) % {"num": count})
    if entry.payload.get("reason"):
        reason = str(entry.payload["reason"])
        known = dispute_names.REASONS if "dispute" in entry.payload else change_form.REASONS
        parts.append(said.gettext(known[reason]) if reason in known else reason)
    if "dispute" in entry.payload:
        state = dispute_names.STATUS[entry.payload["status"]]
        parts.append(said.gettext(state))
    return {
        "text": " · ".join(parts),
        "at": entry.at,
        "icon": icon,
        "kind": kind,
        "by": doer(entry.actor, said.gettext, who),
    }


_DOERS: Mapping[str, str] = {
    "system": marked("Samlad"),
    "guest": marked("Guest"),
    "customer": marked("Customer"),
    "key": marked("A program"),
    "staff": marked("Staff"),
}


def doer(label: str, translate: Callable[[str], str], who: Mapping[str, str]) -> str:
    """Who did something, as an event tells it; ``who`` are names of staff by id."""
    kind, _, actor = label.partition(":")
    return who.get(actor) or translate(_DOERS.get(kind, kind))


# -- acts --------------------------------------------------------------------------------------------------------------------


def _selection(form: Form, prefix: str) -> list[LineSelection]:
    """The lines that were chosen, with how many of each.

    Raises:
        InvalidInput: a quantity that is none, or nothing is chosen at all.
    """
    chosen = []
    for name in form.fields:
        if name.startswith(prefix):
            count = form.whole(name) or 0
            if count < 0:
                raise InvalidInput.at(name, form.translate(marked("Please write 0 or more.")))
            if count:
                chosen.append(LineSelection(position=int(name.removeprefix(prefix)), quantity=count))
    if not chosen:
        raise InvalidInput(form.translate(marked("Choose at least one piece.")))
    return chosen


@post("/admin/orders/{order_id:uuid}/{act:str}")
async def act_on_order(request: AnyRequest, order_id: FromPath[UUID], act: FromPath[str]) -> Response[Any]:
    """Hand over or ship, take money, cancel, take back."""
    require(request)
    form, _ = await read_form(request), words(request)
    version, here = form.version(), f"/admin/orders/{order_id}"
    if act in ("receive", "refunded", "refund-again", "refund-otherwise"):
        return await _by_hand(request, order_id, act, form)
    if act not in ("fulfil", "pay", "capture", "cancel", "return"):
        raise NotFound("There is no such act.")
    try:
        if act == "fulfil":
            parts = FulfilInput(lines=_selection(form, "fulfil-"))
            order = await change(request, lambda tx: orders.fulfil(tx, order_id, parts, version=version))
            done = order.status is OrderStatus.FULFILLED
            text = _("All of it has left.") if done else _("These have left. The rest waits.")
        elif act == "pay":
            paid = await _paid_from(request, order_id, form)
            await change(request, lambda tx: orders.pay(tx, order_id, paid, version=version))
            text = _("The payment is booked.")
        elif act == "capture":
            await change(request, lambda tx: orders.capture(tx, order_id, version=version))
            text = _("The money is taken.")
        elif act == "cancel":
            why = form.into(CancelInput)
            await change(request, lambda tx: orders.cancel(tx, order_id, why, version=version))
            text = _("Cancelled. Its goods are on sale again, and its money goes back.")
        else:
            back = _return_from(form)
            made = await change(request, lambda tx: orders.take_back(tx, order_id, back, version=version))
            text = _("Taken back as %(number)s.") % {"number": made.number}
    except Problem as problem:
        return await _order_page(request, order_id, form.failed(problem))
    return go(request, here, text)


async def _paid_from(request: AnyRequest, order_id: UUID, form: Form) -> PayInput:
    """What is paid: all that is due, or the part that was typed.

    Raises:
        InvalidInput: it is no amount.
    """
    order = await orders.read(database_of(request), order_id)
    amount = form.amount("amount", order.currency)
    due = possible(order, may_change=True).due
    is_part = amount is not None and amount != due
    given = PaymentInput(provider=form.get("provider", "cash"), amount=amount if is_part else None)
    return PayInput(payments=[given], is_part=is_part)


async def _by_hand(request: AnyRequest, order_id: UUID, act: str, form: Form) -> Response[Any]:
    """Money that came in or went back by hand is booked at its payment; the order follows."""
    _, order = words(request), await orders.read(database_of(request), order_id)
    _only_own(request, order)
    try:
        if act == "receive":
            chosen = next((p for p in order.payments if str(p.id) == form.get("payment")), None)
            if chosen is None:
                raise NotFound("There is no such payment.")
            amount = form.amount("amount", order.currency) or 0
            if amount <= 0:
                raise InvalidInput.at("amount", _("Please write an amount."))
            note = form.one("note", Note)
            await change(request, lambda tx: manual.collect(tx, chosen.id, amount, note=note))
            text = _("The money is booked.")
        else:
            back = next((r for r in order.refunds if str(r.id) == form.get("refund")), None)
            if back is None:
                raise NotFound("There is no such refund.")
            if act == "refund-again":
                await change(request, lambda tx: manual.try_again(tx, back.id))
                text = _("The provider is asked once more.")
            elif act == "refund-otherwise":
                text = await order_otherwise.pay(request, order, back, form)
            else:
                await change(request, lambda tx: manual.refunded(tx, back.id))
                text = _("Noted: the money went back.")
    except Problem as problem:
        return await _order_page(request, order_id, form.failed(problem, {"reason": "reference"}))
    return go(request, f"/admin/orders/{order_id}", text)


@post("/admin/orders/{order_id:uuid}/documents")
async def issue_documents(request: AnyRequest, order_id: FromPath[UUID]) -> Response[Any]:
    """Issue the invoice, for a business if the form names one."""
    require(request, ISSUE)
    form, _ = await read_form(request), words(request)
    order = await orders.read(database_of(request), order_id)
    _only_own(request, order)
    try:
        issued = await issue_for(request, order_id, form)
    except Problem as problem:
        faults = {f"buyer/{name}": f"buyer-{name}" for name in BUYER}
        return await _order_page(request, order_id, form.failed(problem, faults))
    return go(request, f"/admin/orders/{order_id}", _("Issued: %(number)s") % {"number": issued[0].number})


def _return_from(form: Form) -> ReturnInput:
    return form.into(
        ReturnInput,
        lines=msgspec.to_builtins(_selection(form, "return-")),
        location=form.text("location"),
        restock=form.has("restock"),
        refund=form.has("refund"),
    )


HANDLERS = [show_order, act_on_order, issue_documents]
