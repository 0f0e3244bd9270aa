"""One subscription on its own page: change what comes, how often, when and where to, and see what it costs from then on.

First it is looked at, then agreed to: the look makes the change, works out the next order and undoes all of it, so that
what is shown is what the verbs would do, and the agreement names the total that was shown.
"""

from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import accounts, catalog, channels, subscriptions
from samlad.accounts import SignedIn
from samlad.carts import Delivery
from samlad.catalog.product_store import variants_of
from samlad.catalog.sellables import language_of
from samlad.channels import Channel
from samlad.faces import page as face
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.repeat_names import every
from samlad.faces.storefront import addresses, limits, member
from samlad.faces.storefront.account import subscription_paying
from samlad.faces.storefront.account.frame import account_page
from samlad.faces.storefront.account.words import CYCLES, ENDING_REASONS, SUBSCRIPTIONS
from samlad.faces.storefront.place import channel_of
from samlad.kernel.database import Tx
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import InvalidInput, Problem
from samlad.subscriptions import ChangeInput, LineInput, MoveInput, Status, Subscription, Upcoming

HERE, SHOWN = "/account/subscriptions", 12
SAME = "same"
NOTHING = marked("Nothing is different from how it was.")
NO_DAY = marked("Write a day, such as 2027-03-31.")
NONE_LEFT = marked("At least one thing has to be left. To have nothing come any more, end it below.")
OTHER_TOTAL = marked("It costs something else by now. Look at it, then agree once more.")
SAVED = marked("It is changed, from the next order on.")


class Wanted(msgspec.Struct, frozen=True):
    """What the form asks for beside how it is; a day that moves the next order, with those that follow or only this once."""

    change: ChangeInput | None
    move: MoveInput | None

    @property
    def is_nothing(self) -> bool:
        """Whether all stays as it is."""
        return self.change is None and self.move is None


class _OnlyLooked(Exception):
    """Carries what a change would come to out of the transaction that is undone."""

    def __init__(self, changed: Subscription, upcoming: Upcoming) -> None:
        self.changed = changed
        self.upcoming = upcoming


@get(HERE + "/{subscription:uuid}")
async def one(request: AnyRequest, subscription: FromPath[UUID]) -> Response[Any]:
    """How it is, what the next order comes to, and all that can be changed."""
    channel = await channel_of(request)
    signed = await member.require(request, channel)
    found = await subscriptions.read(
        database_of(request), member.acting(request, channel, signed).actor, subscription
    )
    return await _page(request, channel, signed, found, Form.of(version=found.version))


@post(HERE + "/{subscription:uuid}", status_code=200)
async def change(request: AnyRequest, subscription: FromPath[UUID]) -> Response[Any]:
    """Look what a change comes to, then agree to it. Sent twice it is made once: the second finds nothing different."""
    limits.writes.check(limits.who(request))
    channel, form, _ = await channel_of(request), await read_form(request), face.words(request)
    signed = await member.require(request, channel)
    database, acting = database_of(request), member.acting(request, channel, signed)
    found, place = await subscriptions.reached(database, acting.actor, subscription)
    agreed = form.get("total") if form.get("do") == "save" else None

    async def work(tx: Tx) -> None:
        changed, upcoming = await _made(tx, found, place, wanted, form.version())
        if agreed is None or agreed != ("" if upcoming.total is None else str(upcoming.total)):
            raise _OnlyLooked(changed, upcoming)

    try:
        wanted = await _wanted(request, signed, found, form)
        if wanted.is_nothing:
            return face.go(request, f"{HERE}/{subscription}", _(NOTHING), kind="warning")
        await database.transaction(work, acting)
    except _OnlyLooked as look:
        if agreed is not None:
            form.message = _(OTHER_TOTAL)
        return await _page(request, channel, signed, found, form, look)
    except Problem as problem:
        if problem.status >= 500:
            raise
        return await _page(request, channel, signed, found, form.failed(problem, _names(found)))
    return face.go(request, f"{HERE}/{subscription}", _(SAVED))


async def _made(
    tx: Tx, found: Subscription, place: Channel, wanted: Wanted, version: int | None
) -> tuple[Subscription, Upcoming]:
    """Make the change; how it is then, and what the next order comes to."""
    changed = found
    if wanted.change is not None:
        changed = await subscriptions.change(tx, found.id, wanted.change, version=version)
        version = None  # it was the one that was seen; now it is ours
    if wanted.move is not None and wanted.move.next_on != changed.next_on:
        changed = await subscriptions.move(tx, found.id, wanted.move, version=version)
    return changed, await subscriptions.upcoming(tx, changed, place)


async def _wanted(request: AnyRequest, signed: SignedIn, found: Subscription, form: Form) -> Wanted:
    """What is to be different.

    Raises:
        InvalidInput: at the field that cannot be.
    """
    change: dict[str, Any] = {}
    lines = _lines(form, found)
    if {line.variant: line.quantity for line in lines} != {
        each.variant: each.quantity for each in found.lines
    }:
        change["lines"] = lines
    plan = _uuid(form.get("plan"))
    if plan is not None and plan != found.plan:
        change["plan"] = plan
    if form.get("address", SAME) != SAME:
        known = await accounts.addresses(database_of(request), signed.account.id)
        chosen = next((each.address for each in known if str(each.id) == form.get("address")), None)
        if chosen is not None and chosen != found.address:
            change["address"] = chosen
    day, move = _day(form, "next_on"), None
    if day is not None and day != found.next_on and found.status is Status.ACTIVE:
        move = MoveInput(next_on=day, once=form.has("once"))
    return Wanted(ChangeInput(**change) if change else None, move)


def _lines(form: Form, found: Subscription) -> list[LineInput]:
    """What is to come: each line's variant and quantity; what becomes the same is added up."""
    wanted: dict[UUID, int] = {}
    for line in found.lines:
        count = form.whole(f"quantity-{line.variant}")
        count = line.quantity if count is None else count
        if count < 0:
            raise InvalidInput.at(
                f"quantity-{line.variant}", form.translate(marked("Please write 0 or more."))
            )
        variant = _uuid(form.get(f"variant-{line.variant}")) or line.variant
        if count:
            wanted[variant] = wanted.get(variant, 0) + count
    if not wanted:
        raise InvalidInput.at(f"quantity-{found.lines[0].variant}", form.translate(NONE_LEFT))
    return [LineInput(variant=variant, quantity=count) for variant, count in wanted.items()]


def _day(form: Form, name: str) -> date | None:
    text = form.text(name)
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput.at(name, form.translate(NO_DAY)) from None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _names(found: Subscription) -> dict[str, str]:
    """Fields of the verbs as the form calls them."""
    return {
        f"lines/{place}/{part}": f"{name}-{line.variant}"
        for place, line in enumerate(found.lines)
        for part, name in (("quantity", "quantity"), ("variant", "variant"))
    }


async def _page(
    request: AnyRequest,
    channel: Channel,
    signed: SignedIn,
    found: Subscription,
    form: Form,
    look: _OnlyLooked | None = None,
) -> Response[Any]:
    _, database = face.words(request), database_of(request)
    place = await channels.cached(database, found.channel)
    acting = member.acting(request, channel, signed)
    upcoming = look.upcoming if look else None
    if upcoming is None and found.status is Status.ACTIVE:
        upcoming = await database.transaction(lambda tx: subscriptions.upcoming(tx, found, place), acting)
    language = language_of(channel.locale)
    plan = await subscriptions.read_plan(database, found.plan)
    cycles = await subscriptions.CYCLES.page(database, ListQuery(limit=SHOWN), found.id)
    saved = await accounts.addresses(database, signed.account.id)
    return await account_page(
        request,
        channel,
        signed,
        "subscription",
        status=form.status,
        one=found,
        changed=look.changed if look else None,
        form=form,
        ends=subscriptions.ends_on(found) if found.is_ending else None,
        plan_name=plan.names.get(language, plan.name),
        often=every(_, (look.changed if look else found).terms),
        upcoming=upcoming,
        left_out=", ".join(
            line.title
            for line in (look.changed if look else found).lines
            if upcoming is not None and line.variant in upcoming.missing
        ),
        state=(_(SUBSCRIPTIONS[found.status][0]), SUBSCRIPTIONS[found.status][1]),
        can_change=found.status is not Status.CANCELLED,
        sends=found.delivery is Delivery.SHIP,
        address=addresses.on_one_line(found.address, channel) if found.address else "",
        addresses=[
            (str(each.id), addresses.on_one_line(each.address, channel))
            for each in saved
            if each.address != found.address
        ],
        **await _choices(request, channel, found),
        cycles=[(each, _(CYCLES.get(each.state, each.state))) for each in cycles.items],
        ending_reasons=[(code, _(text)) for code, text in ENDING_REASONS.items()],
        pays_by=await subscription_paying.choices(request, place, signed, found),
        is_declined=found.trouble == subscription_paying.DECLINED,
        today=date.today().isoformat(),  # noqa: DTZ011 - only the least day that a browser offers
    )


async def _choices(request: AnyRequest, channel: Channel, found: Subscription) -> dict[str, Any]:
    """By which plans all of it can be bought, and what each line could be instead: other variants of the same product."""
    _, database = face.words(request), database_of(request)
    refs = await catalog.by_ids(database, [line.variant for line in found.lines])
    every_one = await variants_of(database, sorted({ref.product for ref in refs.values()}))
    sold = await subscriptions.offers(database, channel, [each.id for each in every_one])
    product = {each.id: each.product for each in every_one}
    text = {each.id: each.option_text or each.sku for each in every_one}
    plans = {offer.plan: offer for offers in sold.values() for offer in offers}
    for line in found.lines:
        ours = {offer.plan for offer in sold.get(line.variant, [])}
        plans = {plan: offer for plan, offer in plans.items() if plan in ours}
    instead = {
        line.variant: [
            (str(each), text[each])
            for each in product
            if product[each] == product.get(line.variant)
            and (each == line.variant or any(offer.plan == found.plan for offer in sold.get(each, [])))
        ]
        for line in found.lines
    }
    shown = [(str(plan), f"{offer.name} · {every(_, offer.terms)}") for plan, offer in plans.items()]
    if found.plan not in plans:  # it is not offered any more, and may stay
        shown.insert(0, (str(found.plan), every(_, found.terms)))
    return {
        "plans": shown,
        "instead": instead,
    }


handlers = [one, change]
