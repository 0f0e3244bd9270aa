"""Paying what is left of an order, with the same ways as at the checkout; for members and who has the order's link.

The page of a provider's fields is that of the checkout, too. Whatever the browser does, the order is paid as soon as the money
is reserved (`samlad.orders.balance`).
"""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import payments
from samlad.access import rate
from samlad.channels import Channel
from samlad.faces import page as face
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import limits, paying, tenders
from samlad.faces.storefront.account.frame import HEADERS
from samlad.faces.storefront.account.returning import Sender, of_guest, of_member
from samlad.faces.storefront.pay_ways import LATER, ways_for
from samlad.faces.storefront.paying import SAID_NO, STILL_OPEN, STRIPE_POLICY
from samlad.faces.storefront.place import channel_of, shopper, show
from samlad.faces.storefront.tenders import Part
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import InvalidInput, NotFound, Problem
from samlad.orders import balance
from samlad.payments import Attempt, NotClaimable, PaymentDeclined, PaymentPending, PaymentStatus, StartInput

PAID = marked("Thank you, it is paid.")
NOTHING_DUE = marked("Nothing is left to pay. Nothing more was charged.")
DECLINED = marked("The payment was declined and nothing was paid; try another way.")
NOT_YET = marked("A payment is not finished; look below at how it stands.")
NO_CREDIT = marked("This is paid before the goods leave. Choose another way to pay.")


@get("/account/orders/{order_id:uuid}/pay")
async def balance_page(request: AnyRequest, order_id: FromPath[UUID]) -> Response[Any]:
    """What is left to pay, and how it can be paid."""
    channel = await channel_of(request)
    return await _page(request, channel, await of_member(request, channel, order_id), Form())


@get("/order/{link:str}/pay")
async def guest_balance_page(request: AnyRequest, link: FromPath[str]) -> Response[Any]:
    """The same for whoever has the order's link."""
    channel = await channel_of(request)
    return await _page(request, channel, await of_guest(request, channel, link), Form())


async def _page(request: AnyRequest, channel: Channel, sender: Sender, form: Form) -> Response[Any]:
    selling = await ways_for(request, channel, sender.order)
    if selling is None:
        return face.go(request, sender.order_href, face.words(request)(NOTHING_DUE), kind="")
    begun, due = await _begun(request, sender), balance.due_of(sender.order, sender.order.payments)
    left = due - _reserved(begun)
    own = await tenders.own(request, selling, sender.signed)
    parts: list[Part] = []
    try:
        parts = await tenders.parts(request, selling, own, form, left)
    except Problem as problem:
        message = form.message
        form.failed(problem)
        form.message = message
    return await sender.page(
        request,
        channel,
        "balance",
        status=form.status,
        order=sender.order,
        due=due,
        pay_href=_href(sender),
        form=form,
        begun=paying.told(request, begun),
        own=own,
        choices=tenders.choices(request, own, left, sender.order.currency),
        parts=parts,
        rest=left - sum(part.pays for part in parts),
        **_offered(request, selling),
    )


def _offered(request: AnyRequest, selling: Channel) -> dict[str, Any]:
    """The ways to pay that pay at once: the goods wait for the money."""
    found = paying.offered(request, selling)
    return {**found, "pay_ways": [way for way in found["pay_ways"] if way[0] not in LATER]}


def _href(sender: Sender) -> str:
    return f"{sender.order_href}/pay"


def _reserved(begun: list[Attempt]) -> int:
    """What of an order's payments is reserved and has not paid it yet, minor units."""
    return sum(each.amount for each in balance.ready(begun))


async def _begun(request: AnyRequest, sender: Sender) -> list[Attempt]:
    found = await payments.begun(database_of(request), sender.order.id)
    gone = (PaymentStatus.VOIDED, PaymentStatus.DECLINED)
    return [
        each
        for each in found
        if each.order_id is None and each.status not in gone and each.provider != balance.AT_TILL
    ]


@post("/account/orders/{order_id:uuid}/pay", status_code=200)
async def pay(request: AnyRequest, order_id: FromPath[UUID]) -> Response[Any]:
    """Pay it. Sent twice it is paid once."""
    channel = await channel_of(request)
    return await _pay(request, channel, await of_member(request, channel, order_id))


@post("/order/{link:str}/pay", status_code=200)
async def guest_pay(request: AnyRequest, link: FromPath[str]) -> Response[Any]:
    """The same for whoever has the order's link."""
    channel = await channel_of(request)
    return await _pay(request, channel, await of_guest(request, channel, link))


async def _pay(request: AnyRequest, channel: Channel, sender: Sender) -> Response[Any]:
    form, database, order, _ = (
        await read_form(request),
        database_of(request),
        sender.order,
        face.words(request),
    )
    selling = await ways_for(request, channel, order)
    if selling is None:
        return _over(request, sender)
    if form.get("do") != "pay":
        limits.writes.check(limits.who(request))
        return await _page(request, channel, sender, form)
    await database.transaction(
        lambda tx: rate.limit(
            tx, "storefront.checkout", limits.who(request), per=limits.CHECKOUT_SECONDS, max=limits.CHECKOUTS
        ),
        shopper(request, channel),
    )
    own = await tenders.own(request, selling, sender.signed)
    left = balance.due_of(order, order.payments) - _reserved(await _begun(request, sender))
    try:
        parts = await tenders.parts(request, selling, own, form, left)
        rest = left - sum(part.pays for part in parts)
        network = paying.network_way(selling, form, own) if rest > 0 else None
        if network is not None:
            network.keep = sender.signed is not None and form.has("keep_card") and network.token is None
            network.amount = rest
            wanted = [*(part.as_start() for part in parts), network]
            return await _to_provider(request, sender, selling, wanted)
        more = [part.as_input() for part in parts]
        if rest > 0:
            chosen = paying.local_way(selling, form)
            if chosen.provider in LATER:
                raise InvalidInput.at("payments", _(NO_CREDIT))
            more.append(chosen)
        await database.transaction(
            lambda tx: balance.complete(tx, order.id, more, offered_by=selling), sender.context
        )
    except Problem as problem:
        return await _refused(request, channel, sender, form, problem)
    return face.go(request, sender.order_href, face.words(request)(PAID))


async def _to_provider(
    request: AnyRequest, sender: Sender, selling: Channel, wanted: list[StartInput]
) -> Response[Any]:
    made = await database_of(request).transaction(
        lambda tx: balance.begin_payments(tx, sender.order.id, wanted, offered_by=selling), sender.context
    )
    return face.go(request, f"{_href(sender)}/{made[-1].id}")


async def _refused(
    request: AnyRequest, channel: Channel, sender: Sender, form: Form, problem: Problem
) -> Response[Any]:
    """The form once more where another way to pay may help; else the order is looked at as it is now."""
    _ = face.words(request)
    if problem.status >= 500:
        raise problem
    form.failed(problem)
    if isinstance(problem, PaymentDeclined):
        form.errors["payments"] = form.message = _(DECLINED)
    elif isinstance(problem, PaymentPending | NotClaimable):
        form.errors["payments"] = form.message = _(NOT_YET)
    elif any(error.field.startswith("payments") for error in problem.errors):
        form.message = form.errors.get("payments")
    elif not problem.errors:
        return await _impossible(request, sender)
    return await _page(request, channel, sender, form)


async def _impossible(request: AnyRequest, sender: Sender) -> Response[Any]:
    """Paid in a store meanwhile, or cancelled: what was reserved is free again."""
    await database_of(request).transaction(lambda tx: balance.let_go(tx, sender.order.id), sender.context)
    return _over(request, sender)


def _over(request: AnyRequest, sender: Sender) -> Response[Any]:
    return face.go(request, sender.order_href, face.words(request)(NOTHING_DUE), kind="")


@get("/account/orders/{order_id:uuid}/pay/{payment_id:uuid}")
async def pay_page(
    request: AnyRequest, order_id: FromPath[UUID], payment_id: FromPath[UUID]
) -> Response[Any]:
    """The provider's fields, or how far the payment is; on to the order as soon as the money is reserved."""
    channel = await channel_of(request)
    return await _at_provider(request, channel, await of_member(request, channel, order_id), payment_id)


@get("/order/{link:str}/pay/{payment_id:uuid}")
async def guest_pay_page(
    request: AnyRequest, link: FromPath[str], payment_id: FromPath[UUID]
) -> Response[Any]:
    """The same for whoever has the order's link."""
    channel = await channel_of(request)
    return await _at_provider(request, channel, await of_guest(request, channel, link), payment_id)


async def _at_provider(request: AnyRequest, channel: Channel, sender: Sender, payment: UUID) -> Response[Any]:
    _, here, database = face.words(request), _href(sender), database_of(request)
    try:
        seen = await balance.look(database, sender.order.id, payment)
    except NotFound:
        return face.go(request, here)
    if seen.order_id is not None:
        return face.go(request, sender.order_href, _(PAID))
    if seen.status in balance.RESERVED:
        try:
            await database.transaction(lambda tx: balance.complete(tx, sender.order.id), sender.context)
        except (PaymentPending, NotClaimable):
            return face.go(request, here, _(STILL_OPEN), kind="warning")
        except Problem:
            return await _impossible(request, sender)
        return face.go(request, sender.order_href, _(PAID))
    if seen.status is not PaymentStatus.PENDING:
        return face.go(request, here, _(DECLINED), kind="danger")
    return await show(
        request,
        channel,
        "storefront/pay.html",
        headers=HEADERS | {"Content-Security-Policy": STRIPE_POLICY, "Referrer-Policy": "strict-origin"},
        crumbs=[(sender.order.number, sender.order_href), (_("Pay the rest"), here)],
        payment=seen,
        waits=_(STILL_OPEN) if seen.action is None else None,
        failed=_(SAID_NO) if seen.reason else None,
        leave_href=f"{here}/{seen.id}/leave",
        back=str(request.url.with_replacements(query="")),
    )


@post("/account/orders/{order_id:uuid}/pay/{payment_id:uuid}/leave", status_code=303)
async def leave(request: AnyRequest, order_id: FromPath[UUID], payment_id: FromPath[UUID]) -> Response[Any]:
    """Pay in another way: what was reserved is free again."""
    channel = await channel_of(request)
    return await _leave(request, await of_member(request, channel, order_id), payment_id)


@post("/order/{link:str}/pay/{payment_id:uuid}/leave", status_code=303)
async def guest_leave(request: AnyRequest, link: FromPath[str], payment_id: FromPath[UUID]) -> Response[Any]:
    """The same for whoever has the order's link."""
    channel = await channel_of(request)
    return await _leave(request, await of_guest(request, channel, link), payment_id)


async def _leave(request: AnyRequest, sender: Sender, payment: UUID) -> Response[Any]:
    limits.writes.check(limits.who(request))
    await read_form(request)
    try:
        await database_of(request).transaction(
            lambda tx: balance.leave(tx, sender.order.id, payment), sender.context
        )
    except Problem:
        return face.go(request, _href(sender))
    return face.go(request, _href(sender), face.words(request)(marked("Choose another way to pay.")), kind="")


handlers = [
    balance_page,
    guest_balance_page,
    pay,
    guest_pay,
    pay_page,
    guest_pay_page,
    leave,
    guest_leave,
]
