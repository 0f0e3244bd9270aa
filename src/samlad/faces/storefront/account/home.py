"""The first page of an account, its carts and lists, points and gift cards."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath
from markupsafe import Markup

from samlad import carts, catalog, credit, customers, orders, payments, stock
from samlad.carts import CartClosed, CartKind, CartStatus, TakeOver
from samlad.channels import Channel
from samlad.credit import CardUnusable, NoProgramme
from samlad.faces import page as face
from samlad.faces.design.formats import day, money
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import basket, limits, member
from samlad.faces.storefront.account import wishes
from samlad.faces.storefront.account.frame import account_page
from samlad.faces.storefront.account.words import CART_KINDS, HISTORY, state_of
from samlad.faces.storefront.place import channel_of, shopper
from samlad.kernel import qr
from samlad.kernel.http import database_of
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import Conflict, Forbidden, NotFound, TooMany
from samlad.orders import bought, expected

LAST, MOST = 3, 50


@get("/account")
async def home(request: AnyRequest) -> Response[Any]:
    """The last orders, and what there is."""
    channel = await channel_of(request)
    signed = await member.require(request, channel)
    database, customer = database_of(request), signed.customer
    query = ListQuery(limit=LAST, filters={"customer": str(customer.id)})
    last = (await orders.LISTING.page(database, query)).items
    waiting = await expected.waiting(database, [row.id for row in last])
    states = {row.id: state_of(request, row.status, waits=row.id in waiting) for row in last}
    return await account_page(
        request,
        channel,
        signed,
        "home",
        last=last,
        states=states,
        loyalty=await credit.view(database, customer.id),
        balances=await credit.of_customer(database, customer.id),
        bought=await _bought(request, channel, customer.id),
    )


async def _bought(request: AnyRequest, channel: Channel, customer: UUID) -> list[dict[str, Any]]:
    """What they bought lately, and what has changed since: the price, or that it is gone. Three statements."""
    _, locale, database = face.words(request), face.locale_of(request), database_of(request)
    found = await bought.lately(database, customer)
    variants = [each.variant for each in found]
    sold = await catalog.sellables(database, channel, variants) if variants else {}
    there = await stock.atp(database, channel, variants) if variants else {}
    rows = []
    for each in found:
        now = sold.get(each.variant)
        is_sold = now is not None and now.is_available and now.price is not None
        is_there = is_sold and there.get(each.variant, 0) > 0
        said = _("Last on %(day)s") % {"day": day(each.at, locale)}
        if now is None or not is_sold:
            said = _("We do not sell this any more.")
        elif not is_there:
            said = _("Sold out at the moment.")
        elif now.currency == each.currency and now.price != each.unit_price:
            before = money(each.unit_price, each.currency, locale)
            said = _("Last on %(day)s for %(price)s") % {"day": day(each.at, locale), "price": before}
        rows.append({"line": each, "now": now, "said": said, "is_sold": is_sold, "is_there": is_there})
    return rows


@get("/account/points")
async def points(request: AnyRequest) -> Response[Any]:
    """The code to scan, points with their history, store credit, gift cards."""
    return await _points(request, Form())


async def _points(request: AnyRequest, form: Form, card: Any = None) -> Response[Any]:
    channel = await channel_of(request)
    signed = await member.require(request, channel)
    database, customer = database_of(request), signed.customer
    found = await credit.view(database, customer.id)
    same = await customers.members(database, customer.id)
    held = ListQuery(limit=MOST, filters={"customer": str(customer.id), "status": "active"})
    return await account_page(
        request,
        channel,
        signed,
        "points",
        status=form.status,
        form=form,
        card=card,
        loyalty=found,
        programme=await credit.programme(database, customer.pool),
        picture=Markup(qr.svg(found.code)) if found else None,  # noqa: S704 - drawn by segno from a code
        balances=await credit.of_customer(database, customer.id),
        entries=(await credit.ENTRIES.page(database, ListQuery(limit=MOST), same)).items,
        history_names=HISTORY,
        kept_cards=await payments.kept_cards(database, customer.id),
        gift_cards=(await credit.CARDS.page(database, held)).items,
    )


@post("/account/points/join", status_code=303)
async def join_programme(request: AnyRequest) -> Response[Any]:
    """Become a member. Pressed twice it is once."""
    limits.writes.check(limits.who(request))
    channel, _ = await channel_of(request), face.words(request)
    signed = await member.require(request, channel)
    try:
        await database_of(request).transaction(
            lambda tx: credit.enrol(tx, signed.customer.id), member.acting(request, channel, signed)
        )
    except NoProgramme:
        return face.go(request, "/account/points")
    return face.go(request, "/account/points", _("Welcome! Show the code at the till."))


@post("/account/points/card", status_code=200)
async def look_at_card(request: AnyRequest) -> Response[Any]:
    """What is on a gift card, by its code, and into the account with it. Every code that is tried counts."""
    channel, form, _ = await channel_of(request), await read_form(request), face.words(request)
    signed = await member.require(request, channel)
    database, card = database_of(request), None
    try:
        await database.transaction(credit.guess, shopper(request, channel))
        card = await credit.usable(database, form.get("code"), channel)
        if form.has("keep"):
            await database.transaction(
                lambda tx: credit.keep(tx, card, signed.customer.id), member.acting(request, channel, signed)
            )
            return face.go(request, "/account/points", _("The card is in your account."))
    except Conflict:
        form.errors["code"] = _("This card is in somebody’s account already.")
    except CardUnusable:
        form.errors["code"] = _("This gift card cannot be used here. Look at its code once more.")
    except TooMany:
        form.errors["code"] = _("That was too often. Wait a little, then try again.")
    form.status = 422 if form.errors else 200
    return await _points(request, form, card)


@post("/account/cards/{card:uuid}/remove", status_code=303)
async def forget_card(request: AnyRequest, card: FromPath[UUID]) -> Response[Any]:
    """The payment provider is to forget a card. Pressed twice it is once."""
    limits.writes.check(limits.who(request))
    channel = await channel_of(request)
    signed = await member.require(request, channel)
    await database_of(request).transaction(
        lambda tx: payments.remove_kept(tx, signed.customer.id, card), member.acting(request, channel, signed)
    )
    return face.go(request, "/account/points", face.words(request)("The card is forgotten."))


@get("/account/lists")
async def lists(request: AnyRequest) -> Response[Any]:
    """Carts of all channels, what was saved for later, wish lists."""
    channel = await channel_of(request)
    signed = await member.require(request, channel)
    acting = member.acting(request, channel, signed)
    query = ListQuery(limit=MOST, filters={"status": "open,checkout,parked"})
    rows = (await carts.LISTING.page(database_of(request), query, signed.customer.id)).items
    views = [await carts.view(database_of(request), acting.actor, row.id) for row in rows]
    held = basket.read(request)
    return await account_page(
        request,
        channel,
        signed,
        "lists",
        lists=[(row, view) for row, view in zip(rows, views, strict=True) if view.lines],
        kinds=CART_KINDS,
        here=held.cart if held else None,
        parked=CartStatus.PARKED,
        wish=CartKind.WISH,
        share_link=lambda cart: wishes.link(request, cart),
        cart=CartKind.CART,
    )


@post("/account/lists/{cart:uuid}", status_code=303)
async def open_cart(request: AnyRequest, cart: FromPath[UUID]) -> Response[Any]:
    """Go on with one of one's carts in this browser."""
    limits.writes.check(limits.who(request))
    channel, _ = await channel_of(request), face.words(request)
    signed = await member.require(request, channel)
    database, acting = database_of(request), member.acting(request, channel, signed)
    try:
        offer = await database.transaction(lambda tx: carts.offer(tx, cart), acting)
        given = TakeOver(channel=channel.id, secret=offer.secret)
        taken = await database.transaction(lambda tx: carts.take_over(tx, given), acting)
    except (NotFound, CartClosed, Conflict, Forbidden):
        return face.go(
            request,
            "/account/lists",
            _("This has changed meanwhile. Look at it as it is now."),
            kind="warning",
        )
    answer = face.go(request, "/cart")
    if taken.token is not None:
        basket.keep(request, answer, taken.id, taken.token, taken.totals.items)
    return answer


handlers = [home, points, join_programme, look_at_card, forget_card, lists, open_cart]
