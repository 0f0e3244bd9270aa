"""Sending something back by oneself: choose what and why, see what comes back in money, announce it, call it off."""

import asyncio
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import catalog, orders, stock
from samlad.catalog.product_store import variants_of
from samlad.channels import Channel
from samlad.content import photograph_store, photographs
from samlad.faces import page as face
from samlad.faces.design.formats import money
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import limits
from samlad.faces.storefront.account import exchanging
from samlad.faces.storefront.account.returning import Sender, of_guest, of_member
from samlad.faces.storefront.account.words import REASONS
from samlad.faces.storefront.place import channel_of
from samlad.kernel.database import Tx
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.ids import new_id
from samlad.kernel.problems import InvalidInput, Problem
from samlad.orders import (
    ChangeInput,
    LineKind,
    Order,
    return_announce,
    return_reasons,
    return_store,
)
from samlad.orders.change_model import ExchangeAction, Preview, ReturnAction
from samlad.orders.return_model import AnnouncedLine, AnnounceInput, Request
from samlad.orders.rules import returnable
from samlad.stock import SoldOut

NOTHING = marked("Choose at least one piece.")
TOO_LATE = marked("The time to send this back is over. Write to us if something is wrong with it.")
WAYS = (
    ("send", marked("I send it"), marked("Put the number into the parcel; you find it on the next page.")),
    ("store", marked("I bring it to a store"), marked("Any of our stores takes it.")),
)
MONEY, SAME = "money", "same"
PHOTO_BYTES = photographs.MOST * photographs.LARGEST_BYTES + 100_000
WISHES = {MONEY: marked("Money back"), SAME: marked("The same again")}


class Wish(msgspec.Struct, frozen=True):
    """A line as it was chosen: how many come back, why, and what is wanted instead (``exchanged`` for ``variant``, or for
    the same without one)."""

    position: int
    title: str
    quantity: int
    reason: str
    wish: str
    exchanged: bool = False
    variant: UUID | None = None

    def action(self, *, instant: bool = False) -> ReturnAction | ExchangeAction:
        """What it is as a change of the order."""
        if not self.exchanged:
            return ReturnAction(position=self.position, quantity=self.quantity, reason=self.reason)
        return ExchangeAction(
            position=self.position,
            quantity=self.quantity,
            variant=self.variant,
            reason=self.reason,
            instant=instant,
        )


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
    sender: Sender,
    form: Form,
    preview: Preview | None = None,
    *,
    is_instant: bool = False,
) -> Response[Any]:
    order = sender.order
    left = await _left(request, order)
    _ = face.words(request)
    form.fields.setdefault("id", [str(new_id())])
    return await sender.page(
        request,
        channel,
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
        is_instant=is_instant,
        photos=await photograph_store.waiting(database_of(request), sender.key, _photo_ids(form)),
        most_photos=photographs.MOST,
    )


@get("/account/orders/{order_id:uuid}/return")
async def return_page(request: AnyRequest, order_id: FromPath[UUID]) -> Response[Any]:
    """What of it is to go back."""
    channel = await channel_of(request)
    return await _begin(request, channel, await of_member(request, channel, order_id))


@get("/order/{link:str}/return")
async def guest_return_page(request: AnyRequest, link: FromPath[str]) -> Response[Any]:
    """The same for whoever has the order's link."""
    channel = await channel_of(request)
    return await _begin(request, channel, await of_guest(request, channel, link))


async def _begin(request: AnyRequest, channel: Channel, sender: Sender) -> Response[Any]:
    if not await _left(request, sender.order):
        return face.go(request, sender.order_href)
    return await _page(request, channel, sender, Form())


@post("/account/orders/{order_id:uuid}/return", status_code=200, request_max_body_size=PHOTO_BYTES)
async def announce(request: AnyRequest, order_id: FromPath[UUID]) -> Response[Any]:
    """First look what it comes to, then announce it. Sent twice it is announced once: then nothing of it is left."""
    channel = await channel_of(request)
    return await _announced(request, channel, await of_member(request, channel, order_id))


@post("/order/{link:str}/return", status_code=200, request_max_body_size=PHOTO_BYTES)
async def guest_announce(request: AnyRequest, link: FromPath[str]) -> Response[Any]:
    """The same for whoever has the order's link."""
    channel = await channel_of(request)
    return await _announced(request, channel, await of_guest(request, channel, link))


async def _announced(request: AnyRequest, channel: Channel, sender: Sender) -> Response[Any]:
    limits.writes.check(limits.who(request))
    form, _, order = await read_form(request), face.words(request), sender.order
    try:
        instead = await _instead(request, channel, order)
        wishes = _chosen(form, order, {p: dict(options) for p, options in instead.items()})
        await _take_photos(request, sender, form)
        data, preview, is_instant = await _worth(request, channel, sender, form, wishes)
        if any(notice.code == "window-over" for notice in preview.notices):
            raise InvalidInput(_(TOO_LATE))
        if form.get("do") not in ("announce", "exchange", "1"):
            return await _page(request, channel, sender, form, preview, is_instant=is_instant)
        if form.get("do") == "exchange" and is_instant:
            return await _exchange(request, sender, form, data, to_pay=preview.to_pay)
        made = await _announce(request, sender, form, wishes, preview)
    except SoldOut:
        form.message = _("It has just been sold out. Look again what can be done now.")
        form.status = 409
        return await _page(request, channel, sender, form)
    except Problem as problem:
        if problem.status >= 500:
            raise
        return await _page(request, channel, sender, form.failed(problem, _names(form, order)))
    said = _("Your return is announced. Its number is %(number)s.") % {"number": made.number}
    return face.go(request, f"{sender.returns_href}/{made.id}", said)


async def _worth(
    request: AnyRequest, channel: Channel, sender: Sender, form: Form, wishes: list[Wish]
) -> tuple[ChangeInput, Preview, bool]:
    """What it comes to, and whether the new goods can leave before the old ones are back: the shop lets customers, they are
    there, what is new costs no more than what comes back or can be paid online, and nothing about it is for a manager to
    decide.

    It is worked out as staff's is: the permission is lent for one's own order.
    """
    database, acting, order = database_of(request), sender.context.actor, sender.order
    sent_in, note = form.get("way") != "store", form.get("note").strip()[:300]
    data = ChangeInput(actions=[w.action() for w in wishes], sent_in=sent_in, note=note)
    lets = channel.setting("instant_exchange") and all(w.exchanged for w in wishes)
    if lets and await _are_there(request, channel, order, data):
        now = ChangeInput(
            actions=[w.action(instant=True) for w in wishes],
            sent_in=sent_in,
            note=note,
            id=_id_of(form),
        )
        preview = await orders.preview_change(database, acting, order.id, now)
        can_pay = preview.to_pay <= 0 or await exchanging.ways_of(request, sender) is not None
        if can_pay and not preview.needs_override:
            return now, preview, True
    return data, await orders.preview_change(database, acting, order.id, data), False


async def _are_there(request: AnyRequest, channel: Channel, order: Order, data: ChangeInput) -> bool:
    """Whether the goods of all exchanges can be sold now; an exchange that names none is for the same again."""
    own = {line.position: line.variant for line in order.lines}
    wanted: dict[UUID, int] = {}
    for action in data.actions:
        if isinstance(action, ExchangeAction):
            variant = action.variant or own[action.position]
            if variant is not None:
                wanted[variant] = wanted.get(variant, 0) + action.quantity
    there = await stock.atp(database_of(request), channel, list(wanted))
    return all(there.get(variant, 0) >= quantity for variant, quantity in wanted.items())


async def _exchange(
    request: AnyRequest, sender: Sender, form: Form, data: ChangeInput, *, to_pay: int
) -> Response[Any]:
    """The new goods leave now, or as soon as what they cost more is paid. It is what was shown (``fingerprint``), or
    nothing; sent twice it is one."""
    agreed = msgspec.structs.replace(data, fingerprint=form.text("fingerprint"))
    if to_pay > 0:
        ids = _photo_ids(form)
        mine = await photograph_store.waiting(database_of(request), sender.key, ids)
        with_photos = msgspec.structs.replace(agreed, photos=[each.href for each in mine])
        return await exchanging.begin(request, sender, with_photos, ids)
    agreed = msgspec.structs.replace(agreed, pay_later=True)
    changed = await database_of(request).transaction(
        lambda tx: orders.apply_change(tx, sender.order.id, agreed), sender.context
    )
    said = face.words(request)("The new goods are on their way. Send the old ones back with this label.")
    if changed.request is None:
        return face.go(request, sender.order_href, said)
    await _attach(request, sender, form, changed.request)
    return face.go(request, f"{sender.returns_href}/{changed.request}", said)


async def _take_photos(request: AnyRequest, sender: Sender, form: Form) -> None:
    """Keep the photographs that were sent with the form; it names them from then on."""
    room = photographs.MOST - len(_photo_ids(form))
    for file in form.uploads("photos")[: max(0, room)]:
        content = await file.read(photographs.LARGEST_BYTES + 1)
        made = await asyncio.to_thread(photographs.read, content)
        kept = await database_of(request).transaction(
            lambda tx, made=made: photograph_store.add(tx, sender.key, made),  # type: ignore[misc]
            sender.context,
        )
        form.fields.setdefault("photo", []).append(str(kept.id))


async def _attach(request: AnyRequest, sender: Sender, form: Form, return_id: UUID) -> None:
    ids = _photo_ids(form)
    if ids:
        await database_of(request).transaction(
            lambda tx: photograph_store.attach(tx, sender.key, ids, return_id), sender.context
        )


def _photo_ids(form: Form) -> list[UUID]:
    found = (_uuid(text) for text in form.all("photo")[: photographs.MOST])
    return [each for each in found if each is not None]


def _id_of(form: Form) -> UUID | None:
    return _uuid(form.get("id"))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


async def _announce(
    request: AnyRequest, sender: Sender, form: Form, wishes: list[Wish], preview: Preview
) -> Request:
    """Announce it. What was agreed about an exchange is in the note for whoever receives the goods."""
    _, locale = face.words(request), face.locale_of(request)
    told = [_("%(title)s: %(wish)s") % {"title": w.title, "wish": w.wish} for w in wishes if w.wish]
    if any(w.exchanged for w in wishes):
        shape = _("To pay then: %(amount)s") if preview.difference > 0 else _("Goes back then: %(amount)s")
        told.append(shape % {"amount": money(abs(preview.difference), preview.currency, locale)})
    note = "\n".join([*told, form.get("note").strip()]).strip()[:500]
    lines = [AnnouncedLine(position=w.position, quantity=w.quantity, reason=w.reason) for w in wishes]
    given = AnnounceInput(order=sender.order.id, lines=lines, note=note)
    ids = _photo_ids(form)
    mine = await photograph_store.waiting(database_of(request), sender.key, ids)
    given = msgspec.structs.replace(given, photos=[each.href for each in mine])

    async def work(tx: Tx) -> Request:
        made = await return_announce.announce(tx, given)
        await photograph_store.attach(tx, sender.key, ids, made.id)
        return made

    return await database_of(request).transaction(work, sender.context)


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
            other = wish if text else MONEY
            variant = None if other in (MONEY, SAME) else UUID(other)
            exchanged = other != MONEY
            found.append(Wish(line.position, title, min(count, 9_999), reason[:40], text, exchanged, variant))
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


handlers = [return_page, announce, guest_return_page, guest_announce]
