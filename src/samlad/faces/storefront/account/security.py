"""How and where somebody signs in: devices, passkeys, password, e-mail address."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody

from samlad import accounts
from samlad.access.passkeys import Challenge
from samlad.accounts import passkeys
from samlad.faces import page as face
from samlad.faces import shop_link
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import limits, member
from samlad.faces.storefront.account.frame import account_page
from samlad.faces.storefront.account.sign_in import Credential, keys_of
from samlad.faces.storefront.place import channel_of, shopper, show
from samlad.kernel.http import database_of
from samlad.kernel.problems import Conflict, InvalidInput, Problem, TooMany

HERE = "/account/security"


@get(HERE)
async def security(request: AnyRequest) -> Response[Any]:
    """Devices, passkeys, password, address."""
    return await _page(request, Form())


async def _page(request: AnyRequest, form: Form) -> Response[Any]:
    channel = await channel_of(request)
    signed = await member.require(request, channel)
    database, _ = database_of(request), face.words(request)
    means = {
        "link": _("by a link"),
        "code": _("by a code from the till"),
        "password": _("by password"),
        "passkey": _("by passkey"),
    }
    return await account_page(
        request,
        channel,
        signed,
        "security",
        status=form.status,
        form=form,
        devices=await accounts.sessions(database, [signed.account.id]),
        keys=await accounts.keys(database, signed.account.id),
        waiting=await accounts.waiting_address(database, signed.account.id),
        has_mail=shop_link.mails_go_out(request, channel),
        means=means,
    )


@post("/account/devices/{session:uuid}/end", status_code=303)
async def end_device(request: AnyRequest, session: FromPath[UUID]) -> Response[Any]:
    """Sign one device out."""
    channel = await channel_of(request)
    signed = await member.require(request, channel)
    await database_of(request).transaction(
        lambda tx: accounts.end(tx, signed, session), member.acting(request, channel, signed)
    )
    return face.go(request, HERE, face.words(request)("It is signed out."))


@post("/account/devices/end", status_code=303)
async def end_devices(request: AnyRequest) -> Response[Any]:
    """Sign all others out."""
    channel = await channel_of(request)
    signed = await member.require(request, channel)
    await database_of(request).transaction(
        lambda tx: accounts.end_others(tx, signed.account.id, signed.session.id),
        member.acting(request, channel, signed),
    )
    return face.go(request, HERE, face.words(request)("All other devices are signed out."))


@post("/account/password", status_code=303)
async def set_password(request: AnyRequest) -> Response[Any]:
    """Set it anew; empty: do without one."""
    limits.writes.check(limits.who(request))
    channel, form, _ = await channel_of(request), await read_form(request), face.words(request)
    signed = await member.require(request, channel)
    acting, password = member.acting(request, channel, signed), form.get("password")
    form.fields.pop("password", None)
    if form.has("remove"):
        await database_of(request).transaction(lambda tx: accounts.remove_password(tx, signed), acting)
        return face.go(request, HERE, _("You have no password any more. A link always gets you in."))
    try:
        await accounts.set_password(database_of(request), acting, signed, password)
    except InvalidInput as problem:
        return await _page(request, form.failed(problem))
    return face.go(request, HERE, _("The password is set. Other devices are signed out."))


# -- another address ----------------------------------------------------------------------------------------------------


@post("/account/mail", status_code=303)
async def ask_mail_change(request: AnyRequest) -> Response[Any]:
    """Write to both addresses."""
    limits.writes.check(limits.who(request))
    channel, form, _ = await channel_of(request), await read_form(request), face.words(request)
    signed = await member.require(request, channel)
    base = shop_link.base_url(request, channel)
    if base is None:
        return face.go(request, HERE, _("This shop sends no mails yet."), kind="warning")
    acting = member.acting(request, channel, signed)
    try:
        email = accounts.address_of(form.get("email"))
        await accounts.count_ask(database_of(request), acting, channel, email)
        await database_of(request).transaction(
            lambda tx: accounts.ask_mail_change(
                tx,
                keys_of(request),
                signed,
                channel,
                email,
                base_url=base,
                locale=face.locale_of(request),
            ),
            acting,
        )
    except InvalidInput as problem:
        return await _page(request, form.failed(problem))
    except TooMany:
        form.errors["email"] = _("That was too often. Wait a little, then try again.")
        form.status = 429
        return await _page(request, form)
    return face.go(request, HERE, _("We wrote to both addresses. Confirm it in both mails."))


@get("/account/mail/{token:str}")
async def show_mail_change(request: AnyRequest, token: FromPath[str]) -> Response[Any]:
    """What is to be confirmed, with the button that does. One needs not be signed in for it."""
    channel = await channel_of(request)
    headers = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex", "Cache-Control": "no-store"}
    return await show(request, channel, "storefront/account/mail.html", headers=headers, token=token)


@post("/account/mail/{token:str}", status_code=303)
async def confirm_mail_change(request: AnyRequest, token: FromPath[str]) -> Response[Any]:
    """Yes, for one of both addresses."""
    limits.writes.check(limits.who(request))
    channel, _ = await channel_of(request), face.words(request)
    try:
        change = await database_of(request).transaction(
            lambda tx: accounts.confirm_mail_change(tx, channel, token), shopper(request, channel)
        )
    except Conflict:
        said = _("This address has an account of its own. Sign in with it.")
        return face.go(request, "/account/sign-in", said, kind="warning")
    if change.new_said and change.old_said:
        return face.go(request, HERE, _("Your account has the new address."))
    return face.go(request, "/", _("Confirmed. Now the other address, by the mail that went there."))


# -- passkeys -----------------------------------------------------------------------------------------------------------


@post("/account/passkeys/options", status_code=200)
async def passkey_options(request: AnyRequest) -> Response[Challenge]:
    """What the browser asks its authenticator to make."""
    channel = await channel_of(request)
    signed, site = await member.require(request, channel), member.site(request)
    made = await database_of(request).transaction(
        lambda tx: passkeys.begin_registration(tx, signed, site, channel.name),
        member.acting(request, channel, signed),
    )
    return Response(made, status_code=200)


@post("/account/passkeys", status_code=200)
async def add_passkey(request: AnyRequest, data: JSONBody[Credential]) -> Response[Any]:
    """What the authenticator made."""
    channel = await channel_of(request)
    signed, site = await member.require(request, channel), member.site(request)
    name = " ".join(data.name.split())[:60] or "Passkey"
    await database_of(request).transaction(
        lambda tx: passkeys.register(tx, signed, site, data.ceremony, data.credential, name),
        member.acting(request, channel, signed),
    )
    return Response({"added": True}, status_code=200)


@post("/account/passkeys/{passkey:uuid}/remove", status_code=303)
async def remove_passkey(request: AnyRequest, passkey: FromPath[UUID]) -> Response[Any]:
    """Forget one."""
    channel = await channel_of(request)
    signed = await member.require(request, channel)
    try:
        await database_of(request).transaction(
            lambda tx: passkeys.remove(tx, signed, passkey), member.acting(request, channel, signed)
        )
    except Problem as problem:
        if problem.status != 404:
            raise
    return face.go(request, HERE, face.words(request)("The passkey is forgotten."))


handlers = [
    security,
    end_device,
    end_devices,
    set_password,
    ask_mail_change,
    show_mail_change,
    confirm_mail_change,
    passkey_options,
    add_passkey,
    remove_passkey,
]
