"""The form of each step: what it shows, with the answer guessed already, and what its answer does. One transaction each.

`FORMS` has the two of each step that has a form. A step that is sent twice does the same once: what is there already stays.
"""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import msgspec

from samlad import catalog, channels, content, delivery, documents, stock, tax
from samlad.access import staff as people
from samlad.catalog import ProductInput, prices
from samlad.catalog.rules import slug
from samlad.channels import Channel, ChannelChange, ChannelInput, ChannelKind, Resource
from samlad.channels import store as channel_store
from samlad.content import pictures
from samlad.content.brand_model import Palette
from samlad.content.model import PictureInput
from samlad.delivery import MethodInput
from samlad.delivery import store as methods
from samlad.documents import EntityChange
from samlad.documents.entities import look_up
from samlad.faces.admin.start import guesses, samples
from samlad.faces.admin.start.steps import OPEN, Facts
from samlad.faces.admin.website import read_picture
from samlad.faces.form import Form
from samlad.faces.page import AnyRequest, change, locale_of
from samlad.kernel.clock import local_day, now
from samlad.kernel.database import Tx
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import LOCALES, SOURCE, marked, translator
from samlad.kernel.money import decimal_text
from samlad.kernel.problems import InvalidInput
from samlad.payments import accounts
from samlad.stock import LocationInput
from samlad.stock.permissions import ADJUST
from samlad.tax import service as taxes
from samlad.tax.model import RegistrationInput, TaxRateInput
from samlad.tax.numbers import own_number

Shown = tuple[Form, dict[str, Any]]
"""A form as it is shown first, and what its template needs beside it."""

SHOP_CODE = "web"
WAYS = ("stripe", "invoice", "bank_transfer", "on_delivery", "test")
AT_TILL = ("gift_card", "store_credit", "till_card", "till_other")
"""Ways to pay that a shop has in any case: staff take them, or one's own earlier money is."""
GUESSED_WAYS = ("bank_transfer", "test")
FREE = marked("Pick up in the store")
SENT = marked("Home delivery")
ACCENT = "#0a6353"


def shop_in(facts: Facts) -> Channel:
    """The shop. A step that needs one is not offered before there is one."""
    if facts.shop is None:
        raise InvalidInput("Name the shop first.")
    return facts.shop


# -- the shop --------------------------------------------------------------------------------------------------------------


async def show_shop(request: AnyRequest, facts: Facts) -> Shown:
    """Name and country; currency, language and clock follow from the country."""
    shop = facts.shop
    if shop is not None:
        form = Form.of(
            name=shop.name, country=shop.country, currency=shop.currency, locale=shop.locale,
            time_zone=shop.time_zone, email=shop.setting("contact_email"),
        )  # fmt: skip
    else:
        country = guesses.country_of(request.headers.get("accept-language"), locale_of(request))
        form = Form.of(
            **msgspec.structs.asdict(guesses.for_country(country)), email=await _own_email(request)
        )
    form.fields["guessed"] = [form.get("country")]
    return form, {"countries": guesses.countries(locale_of(request))}


async def _own_email(request: AnyRequest) -> str:
    actor = actor_of(request)
    everybody = await people.everybody(database_of(request))
    return next((one.email for one in everybody if one.id == actor.id), "")


def guessed_again(form: Form) -> dict[str, str]:
    """What is meant by the fields below the country: those that still hold the guess for another country follow it.

    A browser without scripts sends the guesses of before with the country of now.
    """
    before, after = guesses.for_country(form.get("guessed")), guesses.for_country(form.get("country"))
    return {
        name: getattr(after, name) if form.get(name) in ("", getattr(before, name)) else form.get(name)
        for name in ("currency", "locale", "time_zone")
    }


async def save_shop(request: AnyRequest, form: Form, facts: Facts) -> None:  # noqa: ARG001
    """Open the channel, closed to strangers for now, with a list of prices; or change the one that there is."""
    values = {**guessed_again(form), "country": form.get("country"), "name": form.get("name").strip()}
    form.fields["kind"] = ["webshop"]
    given = form.into(ChannelInput, code=SHOP_CODE, **values)
    email = form.text("email") or ""

    async def work(tx: Tx) -> None:
        await channel_store.lock_tree(tx)  # two who begin at once make one shop
        known = await channels.all_channels(tx)
        shop = next((one for one in known if one.kind is ChannelKind.WEBSHOP), None)
        if shop is not None:
            await channels.change(
                tx, shop.id, msgspec.convert({**values, "settings": {"contact_email": email}}, ChannelChange)
            )
            return
        main = min((one for one in known if one.parent is None), key=lambda one: one.created_at, default=None)
        join = {} if main is None else dict.fromkeys(Resource, main.code)
        settings = {OPEN: False, "contact_email": email}
        made = await channels.create(tx, msgspec.structs.replace(given, settings=settings, join=join))
        if main is None:
            base = prices.PriceListInput(code="base", name="Base", currency=made.currency)
            await prices.create_list(tx, made.pools[Resource.PRICES], base)

    await change(request, work)


# -- the first place -------------------------------------------------------------------------------------------------------


async def show_place(request: AnyRequest, facts: Facts) -> Shown:
    """A store at the seller's address, open as shops are."""
    shop = shop_in(facts)
    seller = await look_up(database_of(request), shop)
    form = Form.of(
        name=shop.name if seller is None or not seller.city else f"{shop.name} {seller.city}",
        kind="store", line1=seller and seller.line1, postal_code=seller and seller.postal_code,
        city=seller and seller.city, weekday_opens="10:00", weekday_closes="18:00", saturday_opens="10:00",
        saturday_closes="15:00",
    )  # fmt: skip
    return form, {}


async def save_place(request: AnyRequest, form: Form, facts: Facts) -> None:
    """A store channel that shares all with the shop, and its location; or a warehouse."""
    shop, is_store = shop_in(facts), form.get("kind") != "warehouse"
    code = slug(form.get("name"))[:63].strip("-") if form.get("name").isascii() else ""
    code = code or f"place-{len(facts.places) + 1}"
    if code == shop.code:
        code = f"{code}-1"
    address = {
        "lines": form.get("line1").strip(), "city": form.get("city").strip(),
        "postal_code": form.get("postal_code").strip(), "country": shop.country,
    }  # fmt: skip
    address = {name: text for name, text in address.items() if text}
    if not form.text("city"):
        raise InvalidInput.at("city", form.translate(marked("Please fill this in.")))
    form.fields["kind"] = ["store" if is_store else "warehouse"]
    place = form.into(
        LocationInput,
        code=code,
        address=address,
        channel=code if is_store else None,
        pool_of=None if is_store else shop.code,
    )
    join, hours = dict.fromkeys(Resource, shop.code), {"weekly": _week(form)}
    store = (
        form.into(ChannelInput, code=code, parent=shop.code, join=join, opening_hours=hours)
        if is_store
        else None
    )

    async def work(tx: Tx) -> None:
        if store is not None:
            await channels.create(tx, store)
        await stock.create_location(tx, place)

    await change(request, work)


def _week(form: Form) -> list[list[dict[str, str]]]:
    """Seven days, Monday first: a span for the days of the week, one for Saturday, one for Sunday; empty is closed."""
    spans = [
        [{"opens": form.get(f"{day}_opens"), "closes": form.get(f"{day}_closes")}]
        if form.text(f"{day}_opens") and form.text(f"{day}_closes")
        else []
        for day in ("weekday", "saturday", "sunday")
    ]
    return [*[spans[0]] * 5, spans[1], spans[2]]


# -- the first product -----------------------------------------------------------------------------------------------------


async def show_product(request: AnyRequest, facts: Facts) -> Shown:
    """Title, price, how many there are; examples and files beside it."""
    shop = shop_in(facts)
    return Form.of(quantity=10 if facts.places else None), {
        "examples": len(await samples.there(database_of(request), shop)),
        "can_count": bool(facts.places) and actor_of(request).may(ADJUST),
    }


async def save_product(request: AnyRequest, form: Form, facts: Facts) -> None:
    """A product on sale, with its price and what there is of it."""
    shop = shop_in(facts)
    amount = form.amount("price", shop.currency)
    if amount is None:
        raise InvalidInput.at("price", form.translate(marked("Please fill this in.")))
    sku = form.text("sku") or (slug(form.get("title")).upper()[:40].strip("-") or "P-1")
    quantity = form.whole("quantity") or 0
    if quantity < 0:
        raise InvalidInput.at("quantity", form.translate(marked("Please write a whole number.")))
    media: list[dict[str, str]] = []
    picture = await _picture(form, "picture")
    home = request.app.state.runtime.settings.home
    place = facts.places[0] if facts.places and actor_of(request).may(ADJUST, facts.places[0].id) else None

    async def work(tx: Tx) -> None:
        if picture is not None:
            kept = await pictures.add(tx, home, picture)
            media.append({"url": f"/media/{kept.key}"})
        variant = {"sku": sku, "prices": [{"price_list": "base", "amount": amount}]}
        data = form.into(
            ProductInput, status="active", variants=[variant], media=media, options=[], tags=[],
            translations={}, attributes={},
        )  # fmt: skip
        catalogue, price_pool = shop.pools[Resource.CATALOGUE], shop.pools[Resource.PRICES]
        made = await catalog.create(tx, catalogue, data, price_pool=price_pool)
        if place is not None and quantity:
            await stock.receive(tx, place.id, [(made.variants[0].id, quantity)])

    await change(request, work)


async def _picture(form: Form, name: str) -> PictureInput | None:
    """The picture of a field, None where nothing was chosen."""
    file = form.files.get(name)
    if file is None or not file.filename:
        return None
    return await read_picture(file, form.translate(marked("Choose a picture first.")))


# -- paying ----------------------------------------------------------------------------------------------------------------


async def show_payment(request: AnyRequest, facts: Facts) -> Shown:  # noqa: ARG001
    """Ways to pay to tick. A card needs keys, so it is not guessed."""
    chosen = shop_in(facts).setting("payment_providers") or GUESSED_WAYS
    return Form.of(ways=[each for each in WAYS if each in chosen]), {"ways": WAYS}


async def save_payment(request: AnyRequest, form: Form, facts: Facts) -> None:
    """What the shop offers from now on, with Stripe's keys if they were given."""
    shop, chosen = shop_in(facts), [each for each in WAYS if form.has("ways", each)]
    if not chosen:
        raise InvalidInput.at("ways", form.translate(marked("Choose one at least.")))
    kept = [one for one in shop.setting("payment_providers") if one not in (*WAYS, *AT_TILL)]
    typed = any(form.text(name) for name in ("secret_key", "publishable_key", "webhook_secret"))
    keys = form.into(accounts.StripeKeys) if typed else None
    if "stripe" in chosen and keys is None:
        known = {each.name: each for each in await accounts.infos(database_of(request))}
        if not known["stripe"].is_set_up:
            raise InvalidInput.at(
                "secret_key", form.translate(marked("Cards need the keys of your account."))
            )
    safe = request.app.state.runtime.vault

    async def work(tx: Tx) -> None:
        if keys is not None:
            await accounts.set_keys(tx, safe, "stripe", keys)
        settings = {"payment_providers": [*chosen, *kept, *AT_TILL]}
        await channels.change(tx, shop.id, ChannelChange(settings=settings))

    await change(request, work)


# -- delivery --------------------------------------------------------------------------------------------------------------


async def show_delivery(request: AnyRequest, facts: Facts) -> Shown:  # noqa: ARG001
    """Sent home at a price that is usual, and picked up where there is a store."""
    shop, has_store = shop_in(facts), any(each.channel for each in facts.places)
    price = decimal_text(guesses.typical(shop.currency, 4.9), shop.currency)
    return Form.of(sent=True, price=price, pickup=has_store), {"has_store": has_store}


async def save_delivery(request: AnyRequest, form: Form, facts: Facts) -> None:
    """The methods that were ticked, for the shop's own country; those that are there already stay as they are."""
    shop = shop_in(facts)
    price = form.amount("price", shop.currency) or 0
    wanted: list[dict[str, Any]] = []
    if form.has("sent"):
        zone = {"countries": [shop.country], "transit_min": 1, "transit_max": 3}
        rate = {"kind": "flat", "price": price}
        wanted.append({"code": "home", "kind": "ship", "name": SENT, "zones": [zone], "rate": rate})
    if form.has("pickup"):
        wanted.append({"code": "pickup", "kind": "pickup", "name": FREE, "zones": []})
    if not wanted:
        raise InvalidInput.at("sent", form.translate(marked("Choose one at least.")))

    async def work(tx: Tx) -> None:
        await channel_store.lock_tree(tx)  # two who send this at once add each method once
        known = {each.code for each in await methods.all_methods(tx) if each.channel == shop.id}
        for place, values in enumerate(each for each in wanted if each["code"] not in known):
            given = {"channel": shop.code, "position": place + 1, "names": _names(values["name"]), **values}
            await delivery.create_method(tx, msgspec.convert(given, MethodInput))

    await change(request, work)


def _names(text: str) -> dict[str, str]:
    return {locale: translator(locale).gettext(text) for locale in LOCALES if locale != SOURCE}


# -- who sells, and its tax ------------------------------------------------------------------------------------------------

_SELLER = ("name", "line1", "postal_code", "city", "registration_number", "email")


async def show_seller(request: AnyRequest, facts: Facts) -> Shown:
    """The company, guessed from the shop and its first place."""
    shop = shop_in(facts)
    known = await look_up(database_of(request), shop)
    if known is not None and known.line1:
        return Form.of(**{name: getattr(known, name) for name in _SELLER}), {}
    address = facts.places[0].address if facts.places else {}
    return Form.of(
        name=known.name if known else shop.name, line1=address.get("lines"), postal_code=address.get("postal_code"),
        city=address.get("city"), email=shop.setting("contact_email"),
    ), {}  # fmt: skip


async def save_seller(request: AnyRequest, form: Form, facts: Facts) -> None:
    """What documents say of the seller."""
    shop = shop_in(facts)
    for name in ("name", "line1", "city"):
        if not form.text(name):
            raise InvalidInput.at(name, form.translate(marked("Please fill this in.")))
    given = form.into(EntityChange, **{name: form.get(name).strip() for name in _SELLER})

    async def work(tx: Tx) -> None:
        entity = await documents.default_of(tx, shop)
        await documents.change_entity(tx, entity.id, given)

    await change(request, work)


async def show_tax(request: AnyRequest, facts: Facts) -> Shown:
    """The rates of the country, whether tax is taken at all, and the number."""
    shop, database = shop_in(facts), database_of(request)
    today, setup = local_day(now(), shop.time_zone), await tax.current(database)
    registered = setup.registered(shop, today)
    rates = setup.rates(shop)
    found = {
        each.code: rates.find(shop.country, "", each.code, today) for each in await tax.classes(database)
    }
    rows = {(row.name, row.rate_bp): row for row in found.values() if row is not None}
    form = Form.of(
        scheme=shop.setting("tax_scheme"), prices_include_tax="yes" if shop.setting("prices_include_tax") else "no",
        number=registered[0].number if registered else None,
    )  # fmt: skip
    return form, {"rates": list(rows.values()), "is_registered": bool(registered)}


async def save_tax(request: AnyRequest, form: Form, facts: Facts) -> None:
    """The scheme, the number as a registration and on documents, and a rate where none is shipped for the country."""
    shop, today = shop_in(facts), local_day(now(), shop_in(facts).time_zone)
    scheme = "small_business" if form.get("scheme") == "small_business" else "normal"
    number = form.text("number") if scheme == "normal" else None
    number = own_number(shop.country, number) if number else None
    rate = _rate(form)

    async def work(tx: Tx) -> None:
        setup = await tax.current(tx)
        is_new = number and shop.country not in {one.country for one in setup.registered(shop, today)}
        if number and is_new:
            given = RegistrationInput(
                channel=shop.code, country=shop.country, number=number, valid_from=today
            )
            await taxes.register(tx, given)
            if tx.actor.may(documents.ENTITIES):
                entity = await documents.default_of(tx, shop)
                await documents.change_entity(tx, entity.id, EntityChange(vat_number=number))
        if rate is not None and setup.rates(shop).find(shop.country, "", "standard", today) is None:
            name = f"{Decimal(rate) / 100:f} %"
            made = TaxRateInput(
                country=shop.country, tax_class="standard", rate_bp=rate, valid_from=today, name=name
            )
            await taxes.create_rate(tx, made)
        settings = {"tax_scheme": scheme, "prices_include_tax": form.get("prices_include_tax") != "no"}
        await channels.change(tx, shop.id, ChannelChange(settings=settings))

    await change(request, work)


def _rate(form: Form) -> int | None:
    """Basis points of a percentage as it was typed."""
    text = form.get("rate").strip().replace(",", ".").removesuffix("%").strip()
    if not text:
        return None
    if not text.replace(".", "", 1).isdecimal() or not Decimal(text) <= 100:
        raise InvalidInput.at("rate", form.translate(marked("Percent, such as 20 or 5.5.")))
    return int(Decimal(text) * 100)


# -- brand -----------------------------------------------------------------------------------------------------------------


async def show_brand(request: AnyRequest, facts: Facts) -> Shown:
    """A colour and a logo."""
    kit = await content.kit_of(database_of(request), shop_in(facts).code)
    return Form.of(accent=kit.brand.light.accent or ACCENT, version=kit.version), {"logo": kit.brand.logo}


async def save_brand(request: AnyRequest, form: Form, facts: Facts) -> None:
    """The kit with these two; what else it has stays."""
    shop, logo = shop_in(facts), await _picture(form, "logo")
    home = request.app.state.runtime.settings.home
    accent = form.get("accent").strip().lower()

    async def work(tx: Tx) -> None:
        kit = await content.kit_of(tx, shop.code)
        own = msgspec.structs.replace(
            kit.own, light=msgspec.convert({**msgspec.to_builtins(kit.own.light), "accent": accent}, Palette)
        )
        if logo is not None:
            kept = await pictures.add(tx, home, logo)
            own = msgspec.structs.replace(own, logo=kept.key)
        await content.set_kit(tx, shop.code, own, version=form.version())

    try:
        await change(request, work)
    except msgspec.ValidationError:
        said = form.translate(marked("Six digits from 0 to f, such as #0a6353."))
        raise InvalidInput.at("accent", said) from None


Show = Callable[[AnyRequest, Facts], Awaitable[Shown]]
Save = Callable[[AnyRequest, Form, Facts], Awaitable[None]]

FORMS: dict[str, tuple[Show, Save]] = {
    "shop": (show_shop, save_shop),
    "place": (show_place, save_place),
    "product": (show_product, save_product),
    "payment": (show_payment, save_payment),
    "delivery": (show_delivery, save_delivery),
    "seller": (show_seller, save_seller),
    "tax": (show_tax, save_tax),
    "brand": (show_brand, save_brand),
}
"""How each step is shown, and what its answer does. The others lead to where their work is."""

AT: dict[str, str] = {
    "variants/0/sku": "sku", "variants/0/prices/0/amount": "price", "light/accent": "accent", "dark/accent": "accent",
    "zones/0/countries/0": "sent", "content": "logo", "code": "name", "opening_hours/weekly": "weekday_opens",
}  # fmt: skip
"""Where a verb's field stands in these forms."""
