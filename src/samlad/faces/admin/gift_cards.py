"""Gift cards: what is on which, a new one, and what to do when one is lost."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import channels, credit, customers
from samlad.channels import Channel, ChannelStatus, Resource
from samlad.credit import (
    CARDS,
    ENTRIES,
    GRANT,
    ISSUE,
    PAY,
    READ,
    CardStatus,
    GiftCard,
    IssuedCard,
    IssueInput,
    MailDay,
    MailInput,
    TopUpInput,
)
from samlad.faces.admin import bulk, names
from samlad.faces.admin.lists import shown
from samlad.faces.admin.scope import within
from samlad.faces.admin.shell import admin_page, main_of
from samlad.faces.admin.undo import undoable
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, local_path, require, translated, words
from samlad.kernel import mail
from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.ids import new_id
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import InvalidInput, Problem

BASE = "/admin/gift-cards"
NO_CARD = marked("No card has this code. Look at it once more: the last two signs check the others.")


@get(BASE)
async def list_cards(request: AnyRequest) -> Response[Any]:
    """All cards, the newest first."""
    require(request, READ)
    return await _list_page(request, Form())


async def _list_page(request: AnyRequest, form: Form) -> Response[Any]:
    found = await shown(request, database_of(request), CARDS, fixed=await within(request, Resource.CUSTOMERS))
    return await admin_page(
        request,
        "admin/gift_cards.html",
        status_code=form.status,
        list=found,
        form=form,
        names=names,
        statuses=translated(request, names.card_status),
    )


@post(f"{BASE}/look-up", status_code=200)
async def look_up(request: AnyRequest) -> Response[Any]:
    """The card with a code; the code is in the body, so that no log and no history keeps it."""
    require(request, PAY)
    form = await read_form(request)
    card = await credit.find(database_of(request), form.get("code"))
    if card is None:
        form.fields.pop("code", None)
        form.failed(InvalidInput.at("code", NO_CARD))
        return await _list_page(request, form)
    return go(request, f"{BASE}/{card.id}")


@post(f"{BASE}/bulk")
async def act_on_many(request: AnyRequest) -> Response[Any]:
    """Block the picked ones, or let them pay again. Who may only block cannot take it back."""
    form, _ = await read_form(request), words(request)
    back, wanted = local_path(form.text("next"), BASE), form.get("act")
    if wanted not in ("block", "unblock"):
        require(request, ISSUE)
        return go(request, back, _("Please say what is to be done with them."), kind="danger")
    require(request, ISSUE if wanted == "block" else GRANT)

    async def act(tx: Tx, card: UUID) -> str | None:
        before = await credit.get(tx, card)
        after = await (credit.block if wanted == "block" else credit.unblock)(tx, card)
        return None if after.status is before.status else str(before.status)

    may_undo = actor_of(request).may(GRANT if wanted == "block" else ISSUE)
    undo = "gift_cards.many" if may_undo else None
    return await bulk.run(request, bulk.picked(form), act, named=_named, back=back, undo=undo, to=wanted)


async def _named(reader: Reader, card: UUID) -> str:
    return f"···· {(await credit.get(reader, card)).last_four}"


@undoable("gift_cards.many")
async def _undo_many(tx: Tx, arguments: dict[str, Any]) -> str:
    was_blocked = arguments["to"] == "block"
    ours = CardStatus.BLOCKED if was_blocked else CardStatus.ACTIVE
    for card, _before in bulk.rows_before(arguments):
        if (await credit.get(tx, card)).status is ours:  # what somebody has changed since is theirs
            await (credit.unblock if was_blocked else credit.block)(tx, card)
    return str(arguments["back"])


@get(f"{BASE}/new")
async def show_new(request: AnyRequest) -> Response[Any]:
    """The form for a new card."""
    _may_issue(request)
    form = Form.of(key=str(new_id()), source="given" if actor_of(request).may(GRANT) else "sold")
    return await _new_page(request, form)


def _may_issue(request: AnyRequest) -> None:
    actor = actor_of(request)
    require(request, GRANT if actor.may(GRANT) else ISSUE)


async def _new_page(request: AnyRequest, form: Form) -> Response[Any]:
    found = await channels.cached_all(database_of(request))
    main = main_of(found)
    form.fields.setdefault("channel", [str(main.id)] if main else [])
    first, last = credit.mail_days(main or found[0])
    form.fields.setdefault("send_on", [first.isoformat()])
    return await admin_page(
        request,
        "admin/gift_card_new.html",
        status_code=form.status,
        form=form,
        sends_mails=mail.is_set(request.app.state.runtime.settings),
        first=first,
        last=last,
        issuers=[
            (str(one.id), f"{one.name} ({one.currency})")
            for one in found
            if one.status is ChannelStatus.ACTIVE
        ],
    )


@post(f"{BASE}/new")
async def issue(request: AnyRequest) -> Response[Any]:
    """Make a card, and show its code this once."""
    _may_issue(request)
    form, _ = await read_form(request), words(request)
    try:
        channel = await _issuer(request, form)
        order = await _order_of(request, form)
        given = form.into(
            IssueInput,
            amount=form.amount("amount", channel.currency),
            order=None if order is None else str(order),
            origin="given",
            customer=None,
            mail=_mail_of(form),
        )
        made = await change(request, lambda tx: credit.issue(tx, given))
    except Problem as problem:
        return await _new_page(request, form.failed(problem, {"order": "order_number"}))
    if given.mail is not None:  # nobody sees its code but who gets it
        return go(request, f"{BASE}/{made.card.id}", _("The card is made. It goes by mail."))
    return await _made_page(request, made, old=None)


async def _issuer(request: AnyRequest, form: Form) -> Channel:
    known = {str(one.id): one for one in await channels.cached_all(database_of(request))}
    channel = known.get(form.get("channel"))
    if channel is None:
        raise InvalidInput.at("channel", words(request)("Please choose one of these."))
    if form.text("amount") is None:
        raise InvalidInput.at("amount", words(request)("Please fill this in."))
    return channel


async def _order_of(request: AnyRequest, form: Form) -> UUID | None:
    """The order that sells it, by its address or id; only for a card that is sold."""
    if form.get("source") != "sold":
        return None
    text = (form.text("order_number") or "").rstrip("/").rpartition("/")[2]
    try:
        return UUID(text)
    except ValueError:
        message = words(request)("Please paste the address of the order, as it is in the bar of the browser.")
        raise InvalidInput.at("order_number", message) from None


def _mail_of(form: Form) -> dict[str, Any] | None:
    """Who gets the card by mail, if somebody was named."""
    return msgspec.to_builtins(form.into(MailInput)) if form.has("by_mail") else None


async def _made_page(request: AnyRequest, made: IssuedCard, *, old: GiftCard | None) -> Response[Any]:
    answer = await admin_page(request, "admin/gift_card_made.html", status_code=201, made=made, old=old)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@get(f"{BASE}/{{card_id:uuid}}")
async def show_card(request: AnyRequest, card_id: FromPath[UUID]) -> Response[Any]:
    """A card with its history."""
    require(request, READ)
    return await _card_page(request, card_id, Form.of(key=str(new_id())))


async def _card_page(request: AnyRequest, card_id: UUID, form: Form) -> Response[Any]:
    database = database_of(request)
    card = await credit.get(database, card_id)
    history = await ENTRIES.page(database, ListQuery(limit=100), [card_id])
    holder = None if card.customer is None else await customers.get(database, card.customer)
    issuer = await channels.cached(database, card.channel)
    return await admin_page(
        request,
        "admin/gift_card.html",
        status_code=form.status,
        card=card,
        history=history.items,
        holder=holder,
        issuer=issuer,
        going=await credit.mail_of_card(database, card_id),
        mail_days=credit.mail_days(issuer),
        form=form,
        names=names,
    )


@post(f"{BASE}/{{card_id:uuid}}/top-up")
async def top_up(request: AnyRequest, card_id: FromPath[UUID]) -> Response[Any]:
    """Put more onto it."""
    require(request, GRANT)
    form, _ = await read_form(request), words(request)
    card = await credit.get(database_of(request), card_id)
    try:
        if form.text("amount") is None:
            raise InvalidInput.at("amount", _("Please fill this in."))
        more = form.into(TopUpInput, amount=form.amount("amount", card.currency), order=None)
        await change(request, lambda tx: credit.top_up(tx, card_id, more))
    except Problem as problem:
        return await _card_page(request, card_id, form.failed(problem))
    return go(request, f"{BASE}/{card_id}", _("It is on the card."))


@post(f"{BASE}/{{card_id:uuid}}/block")
async def block(request: AnyRequest, card_id: FromPath[UUID]) -> Response[Any]:
    """It pays nothing from now on."""
    require(request, ISSUE)
    return await _changed(request, card_id, free=False)


@post(f"{BASE}/{{card_id:uuid}}/unblock")
async def unblock(request: AnyRequest, card_id: FromPath[UUID]) -> Response[Any]:
    """It pays again."""
    require(request, GRANT)
    return await _changed(request, card_id, free=True)


async def _changed(request: AnyRequest, card_id: UUID, *, free: bool) -> Response[Any]:
    _, here = words(request), f"{BASE}/{card_id}"
    verb = credit.unblock if free else credit.block
    try:
        await change(request, lambda tx: verb(tx, card_id))
    except credit.CardState as problem:
        return go(request, here, _(problem.detail), kind="danger")
    return go(request, here, _("The card pays again.") if free else _("The card pays nothing any more."))


@post(f"{BASE}/{{card_id:uuid}}/replace")
async def replace(request: AnyRequest, card_id: FromPath[UUID]) -> Response[Any]:
    """A lost card: a new code with the same balance, shown this once."""
    require(request, ISSUE)
    _ = words(request)
    try:
        made = await change(request, lambda tx: credit.replace(tx, card_id))
    except credit.CardState as problem:
        return go(request, f"{BASE}/{card_id}", _(problem.detail), kind="danger")
    return await _made_page(request, made, old=await credit.get(database_of(request), card_id))


@post(f"{BASE}/{{card_id:uuid}}/mail/day")
async def change_mail_day(request: AnyRequest, card_id: FromPath[UUID]) -> Response[Any]:
    """Let it go on another day."""
    require(request, ISSUE)
    form, _ = await read_form(request), words(request)
    try:
        wanted = form.into(MailDay)
        await change(request, lambda tx: credit.change_mail_day(tx, card_id, wanted))
    except (credit.CardSent, credit.CardState) as problem:
        return go(request, f"{BASE}/{card_id}", _(problem.detail), kind="danger")
    except Problem as problem:
        return await _card_page(request, card_id, form.failed(problem))
    return go(request, f"{BASE}/{card_id}", _("It goes on that day."))


@post(f"{BASE}/{{card_id:uuid}}/mail/now")
async def send_now(request: AnyRequest, card_id: FromPath[UUID]) -> Response[Any]:
    """Send it, whatever its day."""
    require(request, ISSUE)
    _ = words(request)
    try:
        await change(request, lambda tx: credit.send_card_now(tx, card_id))
    except (credit.CardSent, credit.CardState, InvalidInput) as problem:
        return go(request, f"{BASE}/{card_id}", _(problem.detail), kind="danger")
    return go(request, f"{BASE}/{card_id}", _("The gift card is sent."))


HANDLERS = [
    list_cards,
    act_on_many,
    look_up,
    show_new,
    issue,
    show_card,
    top_up,
    block,
    unblock,
    replace,
    change_mail_day,
    send_now,
]
