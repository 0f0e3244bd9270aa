"""The first page of an account, its carts and lists, points and gift cards."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath
from markupsafe import Markup

from samlad import carts, credit, customers, orders
from samlad.carts import CartClosed, CartKind, CartStatus, TakeOver
from samlad.credit import CardUnusable, NoProgramme
from samlad.faces import page as face
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import basket, limits, member
from samlad.faces.storefront.account.frame import account_page
from samlad.faces.storefront.account.words import CART_KINDS, HISTORY, order_words
from samlad.faces.storefront.place import channel_of, shopper
from samlad.kernel import qr
from samlad.kernel.http import database_of
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import Conflict, Forbidden, NotFound, TooMany

LAST, MOST = 3, 50


@get("/account")
async def home(request: AnyRequest) -> Response[Any]:
    """The last orders, and what there is."""
    channel = await channel_of(request)
    signed = await member.require(request, channel)
    database, customer = database_of(request), signed.customer
    query = ListQuery(limit=LAST, filters={"customer": str(customer.id)})
    last = (await orders.LISTING.page(database, query)).items
    return await account_page(
        request,
        channel,
        signed,
        "home",
        last=last,
        order_words=order_words(request),
        loyalty=await credit.view(database, customer.id),
        balances=await credit.of_customer(database, customer.id),
    )


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


handlers = [home, points, join_programme, look_at_card, lists, open_cart]
