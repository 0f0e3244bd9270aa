"""What somebody keeps with us and what they like: addresses, language, store, sizes, what they want to hear."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import accounts
from samlad.accounts import SavedAddress, SignedIn
from samlad.carts import Address
from samlad.channels import Channel
from samlad.faces import page as face
from samlad.faces.form import Form, read_form
from samlad.faces.page import LANGUAGES, AnyRequest
from samlad.faces.storefront import addresses as address_form
from samlad.faces.storefront import limits, member, preferences, stores
from samlad.faces.storefront.account.frame import account_page
from samlad.faces.storefront.place import channel_of
from samlad.kernel.http import database_of
from samlad.kernel.i18n import formatting_locale
from samlad.kernel.ids import new_id
from samlad.kernel.problems import InvalidInput, Problem

# -- addresses ----------------------------------------------------------------------------------------------------------


@get("/account/addresses")
async def addresses(request: AnyRequest) -> Response[Any]:
    """The addresses, and a form for one more."""
    channel = await channel_of(request)
    signed = await member.require(request, channel)
    return await _addresses(
        request, channel, signed, Form.of(country=channel.country, name=signed.customer.name)
    )


async def _addresses(
    request: AnyRequest, channel: Channel, signed: SignedIn, form: Form, edited: SavedAddress | None = None
) -> Response[Any]:
    names = formatting_locale(face.locale_of(request)).territories
    form.fields.setdefault("key", [str(new_id())])
    return await account_page(
        request,
        channel,
        signed,
        "address" if edited else "addresses",
        status=form.status,
        form=form,
        edited=edited,
        saved=await accounts.addresses(database_of(request), signed.account.id),
        countries=address_form.countries(request, channel),
        address=address_form.shown(form, channel),
        country_name=lambda code: str(names.get(code, code)),
    )


@post("/account/addresses", status_code=303)
async def add_address(request: AnyRequest) -> Response[Any]:
    """One more. Sent twice it is one."""
    limits.writes.check(limits.who(request))
    channel, form, _ = await channel_of(request), await read_form(request), face.words(request)
    signed = await member.require(request, channel)
    try:
        given, key = address_form.read(form, channel), _id(form.get("key"))
        await database_of(request).transaction(
            lambda tx: accounts.add_address(
                tx, signed, given, delivery=form.has("is_delivery"), invoice=form.has("is_invoice"), key=key
            ),
            member.acting(request, channel, signed),
        )
    except Problem as problem:
        return await _addresses(request, channel, signed, form.failed(problem))
    return face.go(request, "/account/addresses", _("The address is kept."))


@post("/account/addresses/look", status_code=200)
async def look_at_fields(request: AnyRequest) -> Response[Any]:
    """The form once more, with the fields of the country that was chosen. Nothing is kept."""
    channel, form = await channel_of(request), await read_form(request)
    signed = await member.require(request, channel)
    edited = _id(form.get("edited"))
    found = await accounts.own_address(database_of(request), signed, edited) if edited else None
    return await _addresses(request, channel, signed, form, found)


@get("/account/addresses/{address_id:uuid}")
async def one_address(request: AnyRequest, address_id: FromPath[UUID]) -> Response[Any]:
    """The form of one address."""
    channel = await channel_of(request)
    signed = await member.require(request, channel)
    found = await accounts.own_address(database_of(request), signed, address_id)
    values = {name: getattr(found.address, name) for name in Address.__struct_fields__}
    form = Form.of(
        **values, is_delivery=found.is_delivery, is_invoice=found.is_invoice, version=found.version
    )
    return await _addresses(request, channel, signed, form, found)


@post("/account/addresses/{address_id:uuid}", status_code=303)
async def change_address(request: AnyRequest, address_id: FromPath[UUID]) -> Response[Any]:
    """Write it anew."""
    limits.writes.check(limits.who(request))
    channel, form, _ = await channel_of(request), await read_form(request), face.words(request)
    signed = await member.require(request, channel)
    found = await accounts.own_address(database_of(request), signed, address_id)
    try:
        given = address_form.read(form, channel)
        await database_of(request).transaction(
            lambda tx: accounts.change_address(
                tx,
                signed,
                address_id,
                given,
                delivery=form.has("is_delivery"),
                invoice=form.has("is_invoice"),
                version=form.version(),
            ),
            member.acting(request, channel, signed),
        )
    except Problem as problem:
        return await _addresses(request, channel, signed, form.failed(problem), found)
    return face.go(request, "/account/addresses", _("The address is kept."))


@post("/account/addresses/{address_id:uuid}/remove", status_code=303)
async def remove_address(request: AnyRequest, address_id: FromPath[UUID]) -> Response[Any]:
    """Forget it; it can be put back for a while."""
    limits.writes.check(limits.who(request))
    channel, _ = await channel_of(request), face.words(request)
    signed = await member.require(request, channel)
    gone = await database_of(request).transaction(
        lambda tx: accounts.remove_address(tx, signed, address_id), member.acting(request, channel, signed)
    )
    sealed = accounts.seal_address(request.app.state.runtime.vault, gone)
    undo = f"/account/addresses/restore/{sealed}"
    return face.go(request, "/account/addresses", _("The address is forgotten."), undo=undo)


@post("/account/addresses/restore/{sealed:str}", status_code=303)
async def restore_address(request: AnyRequest, sealed: FromPath[str]) -> Response[Any]:
    """Put it back as it was."""
    channel, _ = await channel_of(request), face.words(request)
    signed = await member.require(request, channel)
    was = accounts.open_address(request.app.state.runtime.vault, sealed)
    await database_of(request).transaction(
        lambda tx: accounts.add_address(
            tx, signed, was.address, delivery=was.is_delivery, invoice=was.is_invoice, key=was.id
        ),
        member.acting(request, channel, signed),
    )
    return face.go(request, "/account/addresses", _("The address is kept."))


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


# -- preferences --------------------------------------------------------------------------------------------------------


@get("/account/preferences")
async def show_preferences(request: AnyRequest) -> Response[Any]:
    """Language, store, sizes; and what we may write about."""
    return await _preferences(request, None)


async def _preferences(request: AnyRequest, form: Form | None) -> Response[Any]:
    channel = await channel_of(request)
    signed = await member.require(request, channel)
    database = database_of(request)
    charts = await accounts.charts(database, channel)
    own = {each.chart: each.size for each in await accounts.sizes(database, [signed.account.id])}
    values: dict[str, Any] = {"language": signed.account.language, "store": signed.account.store}
    values |= {f"size-{chart}": size for chart, size in own.items()}
    _ = face.words(request)
    return await account_page(
        request,
        channel,
        signed,
        "preferences",
        status=form.status if form else 200,
        form=form or Form.of(**values),
        languages_known=[("", _("As the browser asks")), *((code, name) for code, name in LANGUAGES)],
        stores=[
            ("", _("None")),
            *((str(s.location.id), s.location.name) for s in await stores.stores_of(request, channel)),
        ],
        charts=[
            (
                f"size-{chart.id}",
                chart.name_in(channel.locale),
                [("", "–"), *((row.size, row.size) for row in chart.rows)],
            )
            for chart in charts
        ],
        choices=await preferences.choices_of(request, channel, signed.customer.id),
    )


@post("/account/preferences", status_code=303)
async def save_preferences(request: AnyRequest) -> Response[Any]:
    """Language, store and sizes, whole."""
    limits.writes.check(limits.who(request))
    channel, form, _ = await channel_of(request), await read_form(request), face.words(request)
    signed = await member.require(request, channel)
    charts = await accounts.charts(database_of(request), channel)
    sizes = {each.id: form.get(f"size-{each.id}") for each in charts if form.text(f"size-{each.id}")}
    language = form.text("language")
    try:
        await database_of(request).transaction(
            lambda tx: accounts.set_preferences(
                tx, signed, channel, language=language, favourite=_id(form.get("store")), sizes=sizes
            ),
            member.acting(request, channel, signed),
        )
    except InvalidInput as problem:
        return await _preferences(request, form.failed(problem))
    answer = face.go(request, "/account/preferences", _("Saved. It holds from now on."))
    if language is not None:
        answer.set_cookie(face.own_cookie(request, face.LOCALE_COOKIE, language, face.YEAR_SECONDS))
    return answer


@post("/account/consent", status_code=303)
async def save_consent(request: AnyRequest) -> Response[Any]:
    """What is ticked is wanted, what is not is not."""
    limits.writes.check(limits.who(request))
    channel, form = await channel_of(request), await read_form(request)
    signed = await member.require(request, channel)
    await preferences.save_choices(request, channel, signed.customer.id, form)
    return face.go(request, "/account/preferences", face.words(request)("Saved. It holds from now on."))


handlers = [
    addresses,
    add_address,
    look_at_fields,
    one_address,
    change_address,
    remove_address,
    restore_address,
    show_preferences,
    save_preferences,
    save_consent,
]
