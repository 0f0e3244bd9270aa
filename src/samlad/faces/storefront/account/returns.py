"""Sending something back by oneself: choose what and why, see what comes back in money, announce it, call it off."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath
from markupsafe import Markup

from samlad import catalog, orders
from samlad.accounts import SignedIn, actor_of
from samlad.catalog.product_store import variants_of
from samlad.channels import Channel
from samlad.faces import page as face
from samlad.faces.design.formats import day
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import limits, member
from samlad.faces.storefront.account.frame import account_page
from samlad.faces.storefront.account.orders import own_order
from samlad.faces.storefront.account.words import REASONS, RETURNS
from samlad.faces.storefront.place import channel_of
from samlad.kernel import qr
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.ids import new_id
from samlad.kernel.problems import InvalidInput, NotFound, Problem
from samlad.orders import (
    CHANGE,
    ChangeInput,
    LineKind,
    Order,
    return_announce,
    return_reasons,
    return_store,
    returns,
)
from samlad.orders.change_model import Preview, ReturnAction
from samlad.orders.return_model import AnnouncedLine, AnnounceInput, EndInput, Request, ReturnState
from samlad.orders.rules import returnable

NOTHING = marked("Choose at least one piece.")
TOO_LATE = marked("The time to send this back is over. Write to us if something is wrong with it.")
WAYS = (
    ("send", marked("I send it"), marked("Put the number into the parcel; you find it on the next page.")),
    ("store", marked("I bring it to a store"), marked("Any of our stores takes it.")),
)
MONEY = "money"
WISHES = {MONEY: marked("Money back"), "same": marked("The same again")}


class Wish(msgspec.Struct, frozen=True):
    """A line as it was chosen: how many come back, why, and what is wanted instead."""

    position: int
    title: str
    quantity: int
    reason: str
    wish: str


async def _left(request: AnyRequest, order: Order) -> dict[int, int]:
    """How many of each line are out and not announced yet."""
    coming = await return_store.announced(database_of(request), order.id)
    out = {p: n - coming.get(p, 0) for p, n in returnable(order.lines).items()}
    items = {line.position for line in order.lines if line.kind is LineKind.ITEM}
    return {p: n for p, n in out.items() if n > 0 and p in items}


async def _reasons(request: AnyRequest, order: Order) -> list[tuple[str, str]]:
    _ = face.words(request)
    known = await return_reasons.reasons(database_of(request), order.pool)
    defaults = {reason.code: reason.name for reason in return_reasons.DEFAULTS}
    return [
        (
            each.code,
            _(REASONS[each.code])
            if defaults.get(each.code) == each.name and each.code in REASONS
            else each.name,
        )
        for each in known.values()
        if each.is_active
    ]


async def _instead(request: AnyRequest, channel: Channel, order: Order) -> dict[int, list[tuple[str, str]]]:
    """What each line could be changed for: other variants of the same product that are sold here."""
    _, database = face.words(request), database_of(request)
    bought = [line.variant for line in order.lines if line.variant is not None]
    refs = await catalog.by_ids(database, bought)
    every = await variants_of(database, sorted({ref.product for ref in refs.values()}))
    sold = await catalog.sellables(database, channel, [each.id for each in every])
    found = {}
    for line in order.lines:
        own = refs.get(line.variant) if line.variant is not None else None
        others = [
            (
                str(each.id),
                _("Exchange for %(what)s") % {"what": sold[each.id].options or sold[each.id].title},
            )
            for each in every
            if own is not None and each.product == own.product and each.id != line.variant and each.id in sold
        ]
        found[line.position] = [*((code, _(text)) for code, text in WISHES.items()), *others]
    return found


async def _page(
    request: AnyRequest,
    channel: Channel,
    signed: SignedIn,
    order: Order,
    form: Form,
    preview: Preview | None = None,
) -> Response[Any]:
    left = await _left(request, order)
    _ = face.words(request)
    form.fields.setdefault("id", [str(new_id())])
    return await account_page(
        request,
        channel,
        signed,
        "return",
        status=form.status,
        order=order,
        form=form,
        left=left,
        lines=[line for line in order.lines if line.position in left],
        pictures=await catalog.sellables(
            database_of(request), channel, [line.variant for line in order.lines if line.variant is not None]
        ),
        reasons=await _reasons(request, order),
        instead=await _instead(request, channel, order),
        ways=[(code, _(text), _(note)) for code, text, note in WAYS],
        preview=preview,
    )


@get("/account/orders/{order_id:uuid}/return")
async def return_page(request: AnyRequest, order_id: FromPath[UUID]) -> Response[Any]:
    """What of it is to go back."""
    channel = await channel_of(request)
    signed = await member.require(request, channel)
    order = await own_order(request, signed, order_id)
    if not await _left(request, order):
        return face.go(request, f"/account/orders/{order.id}")
    return await _page(request, channel, signed, order, Form())


@post("/account/orders/{order_id:uuid}/return", status_code=200)
async def announce(request: AnyRequest, order_id: FromPath[UUID]) -> Response[Any]:
    """First look what it comes to, then announce it. Sent twice it is announced once: then nothing of it is left."""
    limits.writes.check(limits.who(request))
    channel, form, _ = await channel_of(request), await read_form(request), face.words(request)
    signed = await member.require(request, channel)
    order = await own_order(request, signed, order_id)
    try:
        instead = await _instead(request, channel, order)
        wishes = _chosen(form, order, {p: dict(options) for p, options in instead.items()})
        data = ChangeInput(
            actions=[ReturnAction(position=w.position, quantity=w.quantity, reason=w.reason) for w in wishes],
            sent_in=form.get("way") != "store",
        )
        # What it comes to is worked out as staff's is: the permission is lent for one's own order.
        preview = await orders.preview_change(database_of(request), actor_of(signed, CHANGE), order.id, data)
        if any(notice.code == "window-over" for notice in preview.notices):
            raise InvalidInput(_(TOO_LATE))
        if not form.has("do"):
            return await _page(request, channel, signed, order, form, preview)
        made = await _announce(request, channel, signed, order, form, wishes)
    except Problem as problem:
        if problem.status >= 500:
            raise
        return await _page(request, channel, signed, order, form.failed(problem, _names(form, order)))
    said = _("Your return is announced. Its number is %(number)s.") % {"number": made.number}
    return face.go(request, f"/account/returns/{made.id}", said)


async def _announce(
    request: AnyRequest, channel: Channel, signed: SignedIn, order: Order, form: Form, wishes: list[Wish]
) -> Request:
    _ = face.words(request)
    told = [_("%(title)s: %(wish)s") % {"title": w.title, "wish": w.wish} for w in wishes if w.wish]
    note = "\n".join([*told, form.get("note").strip()]).strip()[:500]
    lines = [AnnouncedLine(position=w.position, quantity=w.quantity, reason=w.reason) for w in wishes]
    given = AnnounceInput(order=order.id, lines=lines, note=note)
    return await database_of(request).transaction(
        lambda tx: return_announce.announce(tx, given), member.acting(request, channel, signed, CHANGE)
    )


def _chosen(form: Form, order: Order, instead: dict[int, dict[str, str]]) -> list[Wish]:
    """The lines that were chosen.

    Raises:
        InvalidInput: none, or less than nothing of one.
    """
    found = []
    for line in order.lines:
        count = form.whole(f"back-{line.position}") or 0
        if count < 0:
            raise InvalidInput.at(f"back-{line.position}", form.translate(marked("Please write 0 or more.")))
        if count:
            wish = form.get(f"instead-{line.position}")
            text = "" if wish == MONEY else instead.get(line.position, {}).get(wish, "")
            reason = form.get(f"reason-{line.position}") or "other"
            title = f"{line.title} {line.options}".strip()
            found.append(Wish(line.position, title, min(count, 9_999), reason[:40], text))
    if not found:
        raise InvalidInput(form.translate(NOTHING))
    return found


def _names(form: Form, order: Order) -> dict[str, str]:
    """The fields of the verbs' inputs as the form calls them: their n-th line is the n-th that was chosen."""
    chosen = [
        line.position for line in order.lines if form.get(f"back-{line.position}").strip() not in ("", "0")
    ]
    return {
        f"{group}/{index}/{part}": f"{name}-{position}"
        for index, position in enumerate(chosen)
        for group in ("lines", "actions")
        for part, name in (("quantity", "back"), ("position", "back"), ("reason", "reason"))
    }


async def _own(request: AnyRequest, signed: SignedIn, return_id: UUID) -> tuple[Request, Order]:
    found = await return_store.read(database_of(request), return_id)
    if found is None:
        raise NotFound(face.words(request)("There is no such return."))
    return found, await own_order(request, signed, found.order_id)


@get("/account/returns/{return_id:uuid}")
async def one_return(request: AnyRequest, return_id: FromPath[UUID]) -> Response[Any]:
    """An announced return: its number for the parcel or the store, how far it is."""
    channel, _ = await channel_of(request), face.words(request)
    signed = await member.require(request, channel)
    found, order = await _own(request, signed, return_id)
    return await account_page(
        request,
        channel,
        signed,
        "returned",
        found=found,
        order=order,
        state=_(RETURNS[found.state]),
        can_cancel=found.state is ReturnState.REQUESTED,
        due=day(found.due_on, face.locale_of(request)),
        picture=Markup(qr.svg(found.number, scale=6, border=2)),  # noqa: S704 - drawn by segno from a number
    )


@post("/account/returns/{return_id:uuid}/cancel", status_code=303)
async def cancel(request: AnyRequest, return_id: FromPath[UUID]) -> Response[Any]:
    """It stays after all. Once it has arrived that is for the shop to say."""
    limits.writes.check(limits.who(request))
    channel, _ = await channel_of(request), face.words(request)
    signed = await member.require(request, channel)
    found, order = await _own(request, signed, return_id)
    back = f"/account/orders/{order.id}"
    if found.state is ReturnState.CANCELLED:
        return face.go(request, back)
    try:
        if found.state is not ReturnState.REQUESTED:
            raise InvalidInput("It has arrived.")
        await database_of(request).transaction(
            lambda tx: returns.end(tx, found.id, EndInput(), version=found.version),
            member.acting(request, channel, signed, CHANGE),
        )
    except Problem as problem:
        if problem.status >= 500:
            raise
        return face.go(
            request, back, _("This has changed meanwhile. Look at it as it is now."), kind="warning"
        )
    return face.go(request, back, _("The return is called off."))


handlers = [return_page, announce, one_return, cancel]
