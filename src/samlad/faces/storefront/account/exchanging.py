"""Paying what an exchange costs more: choose how, with the same ways as at the checkout; for members and who has the link.

The page of a provider's fields is that of the checkout, too. Whatever the browser does, the exchange is made as soon as the
money is reserved (`samlad.orders.exchange_paying`).
"""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import channels, orders, payments
from samlad.access import rate
from samlad.channels import Channel
from samlad.content import photograph_store
from samlad.faces import page as face
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import limits, member, pay_ways, paying, tenders
from samlad.faces.storefront.account.frame import HEADERS
from samlad.faces.storefront.account.returning import Sender, of_guest, of_member
from samlad.faces.storefront.orders import exchange_href
from samlad.faces.storefront.paying import SAID_NO, STILL_OPEN, STRIPE_POLICY
from samlad.faces.storefront.place import channel_of, shopper, show
from samlad.faces.storefront.tenders import Part
from samlad.kernel.database import Tx
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import NotFound, Problem
from samlad.orders import Changed, exchange_paying, exchange_store
from samlad.orders.exchange_paying import ExchangeEnded
from samlad.orders.exchange_store import ExchangeState, ExchangeToPay
from samlad.payments import Attempt, NotClaimable, PaymentDeclined, PaymentPending, PaymentStatus, StartInput

NO_EXCHANGE = marked("There is no such exchange.")
MADE = marked("The new goods are on their way. Send the old ones back with this label.")
ENDED = marked("This exchange was not made, and nothing was charged. Begin it once more.")
CHANGED = marked("It cannot be made as you saw it any more. Nothing was charged; begin it once more.")
DECLINED = marked("The payment was declined. Nothing was exchanged and nothing was paid; try another way.")
NOT_YET = marked("A payment is not finished. Nothing was exchanged; look below at how it stands.")
LEFT = marked("The exchange is given up. Nothing was charged.")


async def ways_of(request: AnyRequest, sender: Sender) -> Channel | None:
    """The channel that would sell the new goods, if it offers its customers a way to pay online."""
    channel = await channels.cached(database_of(request), sender.order.channel)
    return channel if pay_ways.has_test_cards(channel) or pay_ways.ways(channel) else None


async def _of_member(request: AnyRequest, channel: Channel, exchange: UUID) -> tuple[ExchangeToPay, Sender]:
    await member.require(request, channel)
    found = await _found(request, exchange)
    return found, await of_member(request, channel, found.order_id)


async def _of_guest(
    request: AnyRequest, channel: Channel, link: str, exchange: UUID
) -> tuple[ExchangeToPay, Sender]:
    """An exchange of the order whose link this is."""
    sender, found = await of_guest(request, channel, link), await _found(request, exchange)
    if found.order_id != sender.order.id:
        raise NotFound(face.words(request)(NO_EXCHANGE))
    return found, sender


async def _found(request: AnyRequest, exchange: UUID) -> ExchangeToPay:
    found = await exchange_store.read(database_of(request), exchange)
    if found is None or found.is_at_till:
        raise NotFound(face.words(request)(NO_EXCHANGE))
    return found


@get("/account/exchanges/{exchange_id:uuid}")
async def exchange_page(request: AnyRequest, exchange_id: FromPath[UUID]) -> Response[Any]:
    """What it costs, and how it can be paid."""
    channel = await channel_of(request)
    return await _page(request, channel, *await _of_member(request, channel, exchange_id), Form())


@get("/order/{link:str}/exchanges/{exchange_id:uuid}")
async def guest_exchange_page(
    request: AnyRequest, link: FromPath[str], exchange_id: FromPath[UUID]
) -> Response[Any]:
    """The same for whoever has the order's link."""
    channel = await channel_of(request)
    return await _page(request, channel, *await _of_guest(request, channel, link, exchange_id), Form())


async def _page(
    request: AnyRequest, channel: Channel, asked: ExchangeToPay, sender: Sender, form: Form
) -> Response[Any]:
    if asked.state is not ExchangeState.OPEN:
        return await _over(request, asked, sender)
    _, database = face.words(request), database_of(request)
    selling = await channels.cached(database, asked.channel)
    begun = await _begun(request, asked)
    left = asked.amount - exchange_paying.reserved(begun)
    own = await tenders.own(request, selling, sender.signed)
    parts: list[Part] = []
    try:
        parts = await tenders.parts(request, selling, own, form, left)
    except Problem as problem:
        message = form.message
        form.failed(problem)
        form.message = message
    try:
        preview = await orders.preview_change(database, sender.context.actor, sender.order.id, asked.input)
    except Problem:
        preview = None  # told when it is to be made
    return await sender.page(
        request,
        channel,
        "exchange",
        status=form.status,
        asked=asked,
        exchange_href=_href(sender, asked.id),
        preview=preview,
        form=form,
        begun=paying.told(request, begun),
        own=own,
        choices=tenders.choices(request, own, left, asked.currency),
        parts=parts,
        rest=left - sum(part.pays for part in parts),
        **paying.offered(request, selling),
    )


def _href(sender: Sender, exchange: UUID) -> str:
    """Where an exchange is paid."""
    return exchange_href(sender.returns_href, exchange)


async def begin(
    request: AnyRequest, sender: Sender, agreed: orders.ChangeInput, photos: list[UUID]
) -> Response[Any]:
    """Agree to an exchange that costs more: on to the page where it is paid. Sent twice it is one."""

    async def verb(tx: Tx) -> ExchangeToPay:
        asked = await exchange_paying.begin(tx, sender.order.id, agreed)
        await photograph_store.attach(tx, sender.key, photos, asked.id)
        return asked

    asked = await database_of(request).transaction(verb, sender.context)
    return face.go(request, _href(sender, asked.id))


async def _begun(request: AnyRequest, asked: ExchangeToPay) -> list[Attempt]:
    found = await payments.begun(database_of(request), asked.id)
    return [each for each in found if each.order_id is None and each.status is not PaymentStatus.VOIDED]


@post("/account/exchanges/{exchange_id:uuid}", status_code=200)
async def pay(request: AnyRequest, exchange_id: FromPath[UUID]) -> Response[Any]:
    """Pay it. Asked twice it answers twice with the same."""
    channel = await channel_of(request)
    return await _pay(request, channel, *await _of_member(request, channel, exchange_id))


@post("/order/{link:str}/exchanges/{exchange_id:uuid}", status_code=200)
async def guest_pay(request: AnyRequest, link: FromPath[str], exchange_id: FromPath[UUID]) -> Response[Any]:
    """The same for whoever has the order's link."""
    channel = await channel_of(request)
    return await _pay(request, channel, *await _of_guest(request, channel, link, exchange_id))


async def _pay(request: AnyRequest, channel: Channel, asked: ExchangeToPay, sender: Sender) -> Response[Any]:
    form, _, database = await read_form(request), face.words(request), database_of(request)
    if asked.state is not ExchangeState.OPEN:
        return await _over(request, asked, sender)
    if form.get("do") != "pay":
        limits.writes.check(limits.who(request))
        return await _page(request, channel, asked, sender, form)
    await database.transaction(
        lambda tx: rate.limit(
            tx, "storefront.checkout", limits.who(request), per=limits.CHECKOUT_SECONDS, max=limits.CHECKOUTS
        ),
        shopper(request, channel),
    )
    selling = await channels.cached(database, asked.channel)
    own = await tenders.own(request, selling, sender.signed)
    left = asked.amount - exchange_paying.reserved(await _begun(request, asked))
    try:
        parts = await tenders.parts(request, selling, own, form, left)
        rest = left - sum(part.pays for part in parts)
        network = paying.network_way(selling, form, own) if rest > 0 else None
        if network is not None:
            network.keep = sender.signed is not None and form.has("keep_card") and network.token is None
            network.amount = rest
            return await _to_provider(request, asked, sender, [*(p.as_start() for p in parts), network])
        more = [part.as_input() for part in parts]
        if rest > 0:
            more.append(paying.local_way(selling, form))
        done = await database.transaction(
            lambda tx: exchange_paying.complete(tx, asked.id, more), sender.context
        )
    except Problem as problem:
        return await _refused(request, channel, asked, sender, form, problem)
    return await _made(request, asked, sender, done)


async def _to_provider(
    request: AnyRequest, asked: ExchangeToPay, sender: Sender, wanted: list[StartInput]
) -> Response[Any]:
    made = await database_of(request).transaction(
        lambda tx: exchange_paying.begin_payments(tx, asked.id, wanted), sender.context
    )
    return face.go(request, f"{_href(sender, asked.id)}/pay/{made[-1].id}")


async def _refused(
    request: AnyRequest, channel: Channel, asked: ExchangeToPay, sender: Sender, form: Form, problem: Problem
) -> Response[Any]:
    """The form once more where another way to pay may help; else the exchange is over, and its money free."""
    _ = face.words(request)
    if problem.status >= 500:
        raise problem
    if isinstance(problem, PaymentDeclined):
        form.failed(problem)
        form.errors["payments"] = form.message = _(DECLINED)
    elif isinstance(problem, PaymentPending | NotClaimable):
        form.failed(problem)
        form.errors["payments"] = form.message = _(NOT_YET)
    elif any(error.field.startswith(("payments", tenders.CODE, "amount")) for error in problem.errors):
        form.failed(problem)
    else:
        return await _impossible(request, asked, sender, problem)
    return await _page(request, channel, asked, sender, form)


async def _impossible(
    request: AnyRequest, asked: ExchangeToPay, sender: Sender, problem: Problem
) -> Response[Any]:
    text = ENDED if isinstance(problem, ExchangeEnded) else CHANGED
    await database_of(request).transaction(
        lambda tx: exchange_paying.give_up(tx, asked.id, problem.code), sender.context
    )
    return face.go(request, f"{sender.order_href}/return", face.words(request)(text), kind="warning")


async def _over(request: AnyRequest, asked: ExchangeToPay, sender: Sender) -> Response[Any]:
    """On to what came of it."""
    if asked.state is ExchangeState.MADE:
        return await _made(request, asked, sender, await _complete(request, asked, sender))
    return face.go(request, f"{sender.order_href}/return", face.words(request)(ENDED), kind="warning")


async def _complete(request: AnyRequest, asked: ExchangeToPay, sender: Sender) -> Changed | None:
    return await database_of(request).transaction(
        lambda tx: exchange_paying.complete(tx, asked.id), sender.context
    )


async def _made(
    request: AnyRequest, asked: ExchangeToPay, sender: Sender, done: Changed | None
) -> Response[Any]:
    """On to the return of the old goods, whose pictures are those of the exchange."""
    if done is None or done.request is None:
        return face.go(request, _href(sender, asked.id))
    return face.go(request, f"{sender.returns_href}/{done.request}", face.words(request)(MADE))


@get("/account/exchanges/{exchange_id:uuid}/pay/{payment_id:uuid}")
async def pay_page(
    request: AnyRequest, exchange_id: FromPath[UUID], payment_id: FromPath[UUID]
) -> Response[Any]:
    """The provider's fields, or how far the payment is; on to the return as soon as the money is reserved."""
    channel = await channel_of(request)
    return await _at_provider(request, channel, *await _of_member(request, channel, exchange_id), payment_id)


@get("/order/{link:str}/exchanges/{exchange_id:uuid}/pay/{payment_id:uuid}")
async def guest_pay_page(
    request: AnyRequest, link: FromPath[str], exchange_id: FromPath[UUID], payment_id: FromPath[UUID]
) -> Response[Any]:
    """The same for whoever has the order's link."""
    channel = await channel_of(request)
    return await _at_provider(
        request, channel, *await _of_guest(request, channel, link, exchange_id), payment_id
    )


async def _at_provider(
    request: AnyRequest, channel: Channel, asked: ExchangeToPay, sender: Sender, payment: UUID
) -> Response[Any]:
    _, here = face.words(request), _href(sender, asked.id)
    if asked.state is not ExchangeState.OPEN:
        return await _over(request, asked, sender)
    try:
        seen = await exchange_paying.look(database_of(request), asked.id, payment)
    except NotFound:
        return face.go(request, here)
    if seen.status in exchange_paying.RESERVED or seen.order_id is not None:
        try:
            done = await _complete(request, asked, sender)
        except (PaymentPending, NotClaimable):
            return face.go(request, here, _(STILL_OPEN), kind="warning")
        except Problem as problem:
            return await _impossible(request, asked, sender, problem)
        return await _made(request, asked, sender, done)
    if seen.status is not PaymentStatus.PENDING:
        return face.go(request, here, _(DECLINED), kind="danger")
    return await show(
        request,
        channel,
        "storefront/pay.html",
        headers=HEADERS | {"Content-Security-Policy": STRIPE_POLICY, "Referrer-Policy": "strict-origin"},
        crumbs=[(sender.order.number, sender.order_href), (_("Pay the difference"), here)],
        payment=seen,
        waits=_(STILL_OPEN) if seen.action is None else None,
        failed=_(SAID_NO) if seen.reason else None,
        leave_href=f"{here}/pay/{seen.id}/leave",
        back=str(request.url.with_replacements(query="")),
    )


@post("/account/exchanges/{exchange_id:uuid}/pay/{payment_id:uuid}/leave", status_code=303)
async def leave(
    request: AnyRequest, exchange_id: FromPath[UUID], payment_id: FromPath[UUID]
) -> Response[Any]:
    """Pay in another way: what was reserved is free again."""
    channel = await channel_of(request)
    return await _leave(request, *await _of_member(request, channel, exchange_id), payment_id)


@post("/order/{link:str}/exchanges/{exchange_id:uuid}/pay/{payment_id:uuid}/leave", status_code=303)
async def guest_leave(
    request: AnyRequest, link: FromPath[str], exchange_id: FromPath[UUID], payment_id: FromPath[UUID]
) -> Response[Any]:
    """The same for whoever has the order's link."""
    channel = await channel_of(request)
    return await _leave(request, *await _of_guest(request, channel, link, exchange_id), payment_id)


async def _leave(request: AnyRequest, asked: ExchangeToPay, sender: Sender, payment: UUID) -> Response[Any]:
    limits.writes.check(limits.who(request))
    await read_form(request)

    async def verb(tx: Tx) -> None:
        await exchange_paying.leave(tx, asked.id, payment)

    here = _href(sender, asked.id)
    try:
        await database_of(request).transaction(verb, sender.context)
    except Problem:
        return face.go(request, here)
    return face.go(request, here, face.words(request)(marked("Choose another way to pay.")), kind="")


@post("/account/exchanges/{exchange_id:uuid}/stop", status_code=303)
async def stop(request: AnyRequest, exchange_id: FromPath[UUID]) -> Response[Any]:
    """They do not want it after all: goods and money are free again."""
    channel = await channel_of(request)
    return await _stop(request, *await _of_member(request, channel, exchange_id))


@post("/order/{link:str}/exchanges/{exchange_id:uuid}/stop", status_code=303)
async def guest_stop(request: AnyRequest, link: FromPath[str], exchange_id: FromPath[UUID]) -> Response[Any]:
    """The same for whoever has the order's link."""
    channel = await channel_of(request)
    return await _stop(request, *await _of_guest(request, channel, link, exchange_id))


async def _stop(request: AnyRequest, asked: ExchangeToPay, sender: Sender) -> Response[Any]:
    limits.writes.check(limits.who(request))
    await read_form(request)
    await database_of(request).transaction(
        lambda tx: exchange_paying.give_up(tx, asked.id, "customer"), sender.context
    )
    found = await _found(request, asked.id)
    if found.state is ExchangeState.MADE:  # the money was quicker
        return await _over(request, found, sender)
    return face.go(request, sender.order_href, face.words(request)(LEFT))


handlers = [
    exchange_page,
    guest_exchange_page,
    pay,
    guest_pay,
    pay_page,
    guest_pay_page,
    leave,
    guest_leave,
    stop,
    guest_stop,
]
