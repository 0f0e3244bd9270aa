"""What the page of the checkout shows: the form as it was typed, and what follows from it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from litestar import Response

from samlad import accounts
from samlad.accounts import SavedAddress, SignedIn
from samlad.carts import CartStatus, CartView
from samlad.channels import Channel
from samlad.delivery import Destination
from samlad.faces import page as face
from samlad.faces.form import Form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import (
    addresses,
    amounts,
    basket,
    member,
    paying,
    preferences,
    reductions,
    stores,
    tenders,
    vat,
)
from samlad.faces.storefront.place import show
from samlad.faces.storefront.tenders import Part
from samlad.faces.storefront.ways import chosen, ways_of
from samlad.kernel.clock import local_day, now
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import Problem
from samlad.orders import deposits

WAY_GONE = marked("What you had chosen does not go to this address. It is “%(way)s” now.")
NEW_ADDRESS = "new"
DEPOSIT = "deposit"
"""The field that says: a deposit now, the rest later."""
NEWS = "email_marketing"
"""The purpose of consent that the checkout asks about."""


def filled(
    cart: CartView, channel: Channel, signed: SignedIn | None = None, own: Sequence[SavedAddress] = ()
) -> Form:
    """The form as the cart knows it; what it does not know, as the account of who is signed in does."""
    usual = next((each for each in own if each.is_delivery), None)
    given = cart.address or (usual and usual.address)
    kept = next((each for each in own if each.address == given), None)
    address = msgspec.structs.asdict(given) if given else {"country": channel.country}
    person = signed.customer if signed else None
    return Form.of(
        email=cart.email or (signed and signed.account.email) or (person and person.email),
        name=cart.name or address.pop("name", None) or (person and person.name),
        phone=cart.phone or (person and person.phone),
        vat_number=cart.vat_number,
        note=cart.note,
        gift_note=cart.gift_note,
        delivery=cart.delivery_method or cart.delivery,
        location=cart.location,
        saved=kept.id if kept else NEW_ADDRESS,
        deposit="1" if cart.pays_deposit else None,
        **({f"slot-{cart.delivery_method}": cart.promise.slot} if cart.promise and cart.promise.slot else {}),
        **{name: value for name, value in address.items() if name != "name"},
    )


async def form_page(
    request: AnyRequest, channel: Channel, cart: CartView, form: Form, *, is_look: bool = False
) -> Response[Any]:
    """The whole page. A gift card that cannot pay is told at its field; a look says that a way which was chosen is gone."""
    _ = face.words(request)
    cart = await basket.spoken(database_of(request), channel, cart)
    signed = await member.signed_in(request, channel)
    saved = await accounts.addresses(database_of(request), signed.account.id) if signed else []
    context = {
        "form": form,
        "cart": cart,
        "signed": signed,
        "before": await basket.before(request, channel, cart),
        "saved_addresses": [(str(each.id), addresses.on_one_line(each.address, channel)) for each in saved],
        "countries": addresses.countries(request, channel),
        "address": addresses.shown(form, channel),
        "asks_number": vat.is_asked(channel),
        "tax_news": amounts.tax_news(request, cart),
        "codes": reductions.codes(request, cart),
        "news": await _news(request, channel, signed),
        "terms": channel.setting("terms_href"),
        "problem_text": None,
        **await _delivery(request, channel, cart, form, is_look=is_look),
        **await _payment(request, channel, cart, form, signed),
        **sums(request, cart),
        **_time(cart),
    }
    return await show(
        request,
        channel,
        "storefront/checkout.html",
        status=form.status,
        cart_count=cart.totals.items,
        **context,
    )


async def _news(request: AnyRequest, channel: Channel, signed: SignedIn | None) -> preferences.Choice | None:
    """The consent to be written to, for who is signed in and has not given it.

    Guests are not asked: anybody can type an address, and whose it is nobody knows here.
    """
    if signed is None:
        return None
    known = await preferences.choices_of(request, channel, signed.customer.id)
    return next((each for each in known if each.code == NEWS and not each.is_allowed), None)


async def _delivery(
    request: AnyRequest, channel: Channel, cart: CartView, form: Form, *, is_look: bool
) -> dict[str, Any]:
    places = await stores.for_pickup(request, channel, [(line.variant, line.quantity) for line in cart.lines])
    held = basket.read(request)
    assert held is not None  # there is no cart without
    ways = await ways_of(request, channel, held, cart, has_stores=bool(places), to=destination(form, channel))
    ways = [each.with_slot(form.text(each.slot_field)) for each in ways]
    said = {place: text for each in ways for place, text in each.places.items()}
    wanted, way = form.get("delivery"), chosen(ways, form.get("delivery"), cart)
    is_gone = is_look and bool(wanted) and wanted not in {each.value for each in ways}
    return {
        "way_gone": face.words(request)(WAY_GONE) % {"way": way.text} if is_gone else None,
        "stores": [
            (str(place.id), f"{place.text} · {said[place.id]}" if place.id in said else place.text)
            for place in places
        ],
        "ways": ways,
        "way": way,
    }


def destination(form: Form, channel: Channel) -> Destination | None:
    """Where the typed address is; None while there is no postal code that could be right."""
    code = form.text("postal_code")
    if form.get("saved", NEW_ADDRESS) != NEW_ADDRESS or code is None:
        return None
    known = addresses.format_of(form, channel)
    country = form.get("country") or channel.country
    return (
        Destination(country=country, postal_code=code, region=form.text("region"))
        if known.fits(code)
        else None
    )


async def _payment(
    request: AnyRequest, channel: Channel, cart: CartView, form: Form, signed: SignedIn | None
) -> dict[str, Any]:
    _, held = face.words(request), basket.read(request)
    begun = await paying.reserved(request, held) if held else []
    offer = deposits.offered(channel, cart.delivery, cart.totals.total)
    whole = offer if offer is not None and form.has(DEPOSIT, "1") else cart.totals.total
    reserved = paying.held_for(begun)
    open_total = whole - reserved
    own = await tenders.own(request, channel, signed)
    parts: list[Part] = []
    try:
        parts = await tenders.parts(request, channel, own, form, open_total)
    except Problem as problem:
        message = form.message
        form.failed(problem)
        form.message = message
    return {
        "own": own,
        "choices": tenders.choices(request, own, open_total, cart.currency),
        "parts": parts,
        "rest": open_total - sum(part.pays for part in parts),
        "reserved": reserved,
        "offer": offer,
        "until": deposits.due_day(channel, local_day(now(), channel.time_zone)),
        **paying.offered(request, channel),
        "begun": paying.told(request, begun),
    }


def sums(request: AnyRequest, cart: CartView) -> dict[str, Any]:
    """What it comes to."""
    return {
        "sums": amounts.sums(request, cart),
        "tax_text": amounts.tax_text(request, cart.totals.tax, cart.currency, cart.tax_notes),
    }


def _time(cart: CartView) -> dict[str, Any]:
    left = seconds_left(cart, now())
    return {
        "seconds_left": left,
        "minutes_left": None if left is None else f"{left // 60}:{left % 60:02d}",
    }


def seconds_left(cart: CartView, moment: datetime) -> int | None:
    """How long everything is still held; None when nothing is."""
    if cart.status is not CartStatus.CHECKOUT or cart.checkout_until is None:
        return None
    return max(0, int((cart.checkout_until - moment).total_seconds()))
