"""The kiosk: customers serve themselves at a till. Its page is the till without network with fewer buttons; its session opens
nothing else, and what it sends is looked at as a kiosk's (`samlad.tills.kiosk`).

Staff set a device up and take it back at ``/pos/{store}/kiosks``.
"""

from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath
from markupsafe import Markup

from samlad import channels, documents, orders, payments, tills
from samlad.access import clerks, kiosks, rate
from samlad.access.middleware import session_of
from samlad.access.problems import WrongPin
from samlad.access.sessions import Session
from samlad.faces import page as face
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.pos import waiting
from samlad.faces.pos.desk import Till, show, till_of
from samlad.faces.pos.kiosk_words import WORDS_OF_KIOSK
from samlad.faces.pos.offline import kiosk_modules
from samlad.faces.storefront import order_link
from samlad.kernel import mail, qr
from samlad.kernel.clock import now
from samlad.kernel.context import Context
from samlad.kernel.database import Tx
from samlad.kernel.http import actor_of, context_of, database_of
from samlad.kernel.i18n import LOCALES, translator
from samlad.kernel.ids import new_id
from samlad.kernel.problems import InvalidInput, NotFound, Problem, Unauthenticated
from samlad.orders import Order
from samlad.tills import terminals

RECEIPT_FOR = timedelta(hours=1)
"""So long after a sale its kiosk gives the receipt: whoever stands there later is somebody else."""
MAILS_AN_HOUR = 30
LONGEST_NAME = 40
NAMES = {"en": "English", "sv": "Svenska", "nl": "Nederlands"}


class OwnReceipt(msgspec.Struct, frozen=True):
    """The receipt of a sale that was sent: its number, a link to it as a picture (SVG), and whether it can be mailed."""

    number: str
    picture: str
    can_mail: bool


class CardState(msgspec.Struct, frozen=True):
    """How a payment at the terminal stands: nothing that is said at the kiosk changes it."""

    state: terminals.State | Literal["busy"]


async def _kiosk(request: AnyRequest, code: str) -> tuple[Till, Session]:
    """The till that a kiosk's device stands for.

    Raises:
        Unauthenticated: it is no kiosk, or was taken back.
        NotFound, Forbidden: not this store's.
    """
    session = session_of(request)
    if session is None or session.kiosk is None:
        raise Unauthenticated("This device is no kiosk.")
    desk = await tills.desk_of(database_of(request), actor_of(request), code)
    return Till(desk.channel, desk.location), session


@get("/{code:str}/kiosk")
async def kiosk_page(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """The kiosk, in all languages at once; kept by the browser for when there is no network."""
    if actor_of(request).kind == "staff":
        return face.go(request, f"/pos/{code}/kiosks")
    till, session = await _kiosk(request, code)
    words = {locale: _words(locale) for locale in LOCALES}
    language = till.channel.locale if till.channel.locale in LOCALES else face.locale_of(request)
    return show(
        request,
        till,
        "pos/kiosk.html",
        csrf_token="",
        clerk="",
        kiosk_name=session.kiosk_name,
        modules=kiosk_modules(),
        receipts_at=channels.shop_address(database_of(request).settings, till.channel)
        + documents.RECEIPTS_AT,
        tongues=[(locale, NAMES[locale]) for locale in LOCALES],
        language=language if language in LOCALES else LOCALES[0],
        w={name: translator(face.locale_of(request)).gettext(text) for name, text in WORDS_OF_KIOSK.items()},
        texts=msgspec.json.encode(words).decode(),
    )


def _words(locale: str) -> dict[str, str]:
    translate = translator(locale).gettext
    return {name: translate(text) for name, text in WORDS_OF_KIOSK.items()}


async def _sale(request: AnyRequest, till: Till, entry: UUID) -> Order:
    """The order that a sale became that was sent from here just now.

    Raises:
        NotFound: not sent yet, not of this store, or long ago.
    """
    found = await tills.get(database_of(request), entry)
    is_ours = found.channel_id == till.channel.id and found.received_at > now() - RECEIPT_FOR
    if not is_ours or found.order_id is None:
        raise NotFound("There is no such sale here.")
    return await orders.read(database_of(request), found.order_id)


@get("/{code:str}/kiosk/receipt/{entry:uuid}")
async def receipt(request: AnyRequest, code: FromPath[str], entry: FromPath[UUID]) -> Response[OwnReceipt]:
    """The receipt of a sale, to be taken along on a phone."""
    till, _session = await _kiosk(request, code)
    order = await _sale(request, till, entry)
    settings = database_of(request).settings
    link = channels.shop_address(settings, till.channel) + order_link.href(request, order.id)
    answer = OwnReceipt(order.number, str(Markup(qr.svg(link))), mail.is_set(settings))  # noqa: S704 - our own drawing
    return Response(answer, headers={"Cache-Control": "no-store"})


@post("/{code:str}/kiosk/receipt/{entry:uuid}/mail", status_code=204)
async def mail_receipt(request: AnyRequest, code: FromPath[str], entry: FromPath[UUID]) -> None:
    """The receipt by mail to who has just bought. The kiosk may do this for its last sales, whose ids nobody else knows.

    Raises:
        InvalidInput: no address, or mailed too often. TooMany: too many from this kiosk.
    """
    till, session = await _kiosk(request, code)
    form, database = await read_form(request), database_of(request)
    order = await _sale(request, till, entry)
    link = channels.shop_address(database.settings, till.channel) + order_link.href(request, order.id)
    context = context_of(request)
    await database.transaction(
        lambda tx: rate.limit(tx, "kiosk-mails", str(session.id), per=3_600, max=MAILS_AN_HOUR), context
    )
    as_house = Context(request_id=context.request_id, remote=context.remote)
    await database.transaction(
        lambda tx: documents.mail_receipt(tx, order.id, form.get("email"), key=new_id(), link=link), as_house
    )


@post("/{code:str}/kiosk/card", status_code=200)
async def begin_card(request: AnyRequest, code: FromPath[str]) -> Response[CardState]:
    """Wake the store's terminal for what the kiosk's ticket has left to pay; the same payment again is looked at.

    Raises:
        InvalidInput: no terminal here, or nothing that could be paid. Conflict: the ticket was sold, or too many were begun.
    """
    till, _session = await _kiosk(request, code)
    form = await read_form(request)
    try:
        data = msgspec.convert(
            {name: form.get(name) for name in ("ticket", "payment", "amount", "currency")},
            terminals.CardInput,
            strict=False,
        )
    except msgspec.ValidationError as error:
        raise InvalidInput(f"A payment cannot be begun of this: {error}") from None
    at = await waiting.terminal_for(request, till, terminals.PROVIDER)
    data = msgspec.structs.replace(data, terminal=at)
    try:
        await waiting.wake(request, lambda tx: terminals.begin(tx, _desk(till), data))
    except payments.TerminalBusy:
        return Response(CardState(state="busy"), headers={"Cache-Control": "no-store"})
    return await _card(request, till, data.ticket, data.payment)


@get("/{code:str}/kiosk/card/{ticket:uuid}/{payment:uuid}")
async def look_at_card(
    request: AnyRequest, code: FromPath[str], ticket: FromPath[UUID], payment: FromPath[UUID]
) -> Response[CardState]:
    """What the terminal says of a payment.

    Raises:
        NotFound: it was not begun here for this ticket.
    """
    till, _session = await _kiosk(request, code)
    return await _card(request, till, ticket, payment)


@post("/{code:str}/kiosk/card/{ticket:uuid}/{payment:uuid}/leave", status_code=200)
async def leave_card(
    request: AnyRequest, code: FromPath[str], ticket: FromPath[UUID], payment: FromPath[UUID]
) -> Response[CardState]:
    """The customer does not pay so after all: the terminal stops, and nothing is charged.

    Raises:
        NotFound: it was not begun here for this ticket. NotClaimable: the ticket was sold with it.
    """
    till, _session = await _kiosk(request, code)
    left = await face.change(request, lambda tx: terminals.leave(tx, _desk(till), ticket, payment))
    await payments.pursue_payment(database_of(request), payment, patience=terminals.PATIENCE_SECONDS)
    return _said(left)


def _desk(till: Till) -> tills.Desk:
    return tills.Desk(till.channel, till.location)


async def _card(request: AnyRequest, till: Till, ticket: UUID, payment: UUID) -> Response[CardState]:
    database, context = database_of(request), context_of(request)
    return _said(await terminals.look(database, context, _desk(till), ticket, payment))


def _said(seen: payments.Attempt) -> Response[CardState]:
    return Response(CardState(terminals.state_of(seen)), headers={"Cache-Control": "no-store"})


@post("/{code:str}/kiosk/help", status_code=204)
async def call_help(request: AnyRequest, code: FromPath[str]) -> None:
    """A customer waits for staff, or (``stop``) does not any more."""
    till, session = await _kiosk(request, code)
    is_over = (await read_form(request)).has("stop")
    await face.change(
        request,
        lambda tx: (
            kiosks.helped(tx, session.id, till.location.id) if is_over else kiosks.call_help(tx, session.id)
        ),
    )


@post("/{code:str}/kiosk/leave", status_code=204)
async def leave(request: AnyRequest, code: FromPath[str]) -> None:
    """A manager shows their badge or PIN at the kiosk and takes it back.

    Raises:
        WrongPin: not they, or they may not set kiosks up. TooMany: too many tries.
    """
    till, session = await _kiosk(request, code)
    form = await read_form(request)
    await clerks.prove(
        database_of(request), context_of(request), session, _given(form), tills.KIOSK, till.location.id
    )
    await face.change(request, lambda tx: kiosks.end(tx, session.id, till.location.id))


def _given(form: Form) -> tuple[UUID, str] | str:
    if form.get("badge").strip():
        return form.get("badge")[:64]
    try:
        return UUID(form.get("who")), form.get("pin").strip()[:16]
    except ValueError:
        raise WrongPin("Choose a name and type the PIN, or scan a badge.") from None


# -- for staff -------------------------------------------------------------------------------------------------------------


@get("/{code:str}/kiosks")
async def kiosks_page(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """The kiosks of this store: where somebody waits for help, and this device as one more."""
    till = await till_of(request, code)
    return await _page(request, till, Form.of(name=""))


async def _page(request: AnyRequest, till: Till, form: Form) -> Response[Any]:
    here = await kiosks.of_location(database_of(request), till.location.id)
    return show(
        request,
        till,
        "pos/kiosks.html",
        status=form.status,
        kiosks=here,
        devices=await tills.of_sessions(database_of(request), [each.id for each in here]),
        may_set_up=actor_of(request).may(tills.KIOSK, till.location.id),
        takes_cards=terminals.is_here(till.channel),
        form=form,
    )


@post("/{code:str}/kiosks", status_code=303)
async def set_up(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """This device is a kiosk from now on."""
    till, form, _ = await till_of(request, code), await read_form(request), face.words(request)
    name = form.get("name").strip()[:LONGEST_NAME]
    if not name:
        return await _page(request, till, form.failed(InvalidInput.at("name", _("Please fill this in."))))
    session = session_of(request)
    await face.change(request, lambda tx: kiosks.set_up(tx, session, tills.KIOSK, till.location.id, name))
    return face.go(request, f"{till.base}/kiosk")


@post("/{code:str}/kiosks/{kiosk_id:uuid}/helped", status_code=303)
async def helped(request: AnyRequest, code: FromPath[str], kiosk_id: FromPath[UUID]) -> Response[Any]:
    """Somebody is with the customer."""
    till, _form, _ = await till_of(request, code), await read_form(request), face.words(request)
    await face.change(request, lambda tx: kiosks.helped(tx, kiosk_id, till.location.id))
    return face.go(request, f"{till.base}/kiosks", _("Nobody waits there any more."))


@post("/{code:str}/kiosks/{kiosk_id:uuid}/end", status_code=303)
async def end(request: AnyRequest, code: FromPath[str], kiosk_id: FromPath[UUID]) -> Response[Any]:
    """A device is no kiosk any more, wherever it is."""
    till, _form, _ = await till_of(request, code), await read_form(request), face.words(request)
    actor_of(request).require(tills.KIOSK, location=till.location.id)

    async def verb(tx: Tx) -> None:
        await kiosks.end(tx, kiosk_id, till.location.id)
        await tills.revoke_keys_of_session(
            tx, kiosk_id
        )  # it may be lost: what it signs is no longer believed

    try:
        await face.change(request, verb)
    except Problem as problem:
        return face.go(request, f"{till.base}/kiosks", _(problem.detail), kind="warning")
    return face.go(request, f"{till.base}/kiosks", _("It is no kiosk any more."))


handlers = [
    kiosk_page,
    receipt,
    mail_receipt,
    begin_card,
    look_at_card,
    leave_card,
    call_help,
    leave,
    kiosks_page,
    set_up,
    helped,
    end,
]
