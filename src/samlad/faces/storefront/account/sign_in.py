"""Coming in and going out: a link by mail, a password, a passkey, a code shown at the till."""

from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, JSONBody

from samlad import accounts
from samlad.access.passkeys import Challenge
from samlad.access.tokens import new_token
from samlad.accounts import NotGood, Opened, SignedIn, SignInFailed
from samlad.accounts import passkeys as passkeys_of
from samlad.channels import Channel
from samlad.faces import page as face
from samlad.faces import shop_link
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import basket, joining, limits, member
from samlad.faces.storefront.account import wishes
from samlad.faces.storefront.account.frame import HEADERS
from samlad.faces.storefront.place import channel_of, shopper, show
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import InvalidInput, Problem, TooMany
from samlad.kernel.vault import Vault

ASKED, ASKED_SECONDS = "account-asked", 3600
"""The secret of the browser that asked for a link: only there it signs in without one more click."""
FAILED = marked("That did not work. Look at what you typed, or ask for a link.")
CODE_FAILED = marked("This is not the code, or it has run out. Ask for a new one at the till.")
WAIT = marked("That was too often. Wait a little, then try again.")


class Credential(msgspec.Struct, forbid_unknown_fields=True):
    """What a browser answers to a challenge."""

    ceremony: str
    credential: dict[str, Any]
    name: str = ""


def keys_of(request: AnyRequest) -> Vault:
    """The vault of this process."""
    keys: Vault = request.app.state.runtime.vault
    return keys


async def sign_in_page(
    request: AnyRequest, channel: Channel, form: Form, *, status: int | None = None
) -> Response[Any]:
    """Every way to come in that there is here."""
    return await show(
        request,
        channel,
        "storefront/account/sign_in.html",
        status=status or form.status,
        headers=HEADERS,
        form=form,
        next=_next(form.get("next") or request.query_params.get("next")),
        again="again" in request.query_params,
        has_mail=shop_link.mails_go_out(request, channel),
    )


def _next(text: str | None) -> str:
    """Where to go afterwards: a page of this shop, not one of signing in."""
    path = face.local_path(text, "/account")
    return "/account" if path.startswith(("/account/sign-in", "/account/link", "/account/code")) else path


@get("/account/sign-in")
async def show_sign_in(request: AnyRequest) -> Response[Any]:
    """The page where one signs in; for who is signed in already only to do it once more."""
    channel = await channel_of(request)
    if "again" not in request.query_params and await member.signed_in(request, channel):
        return face.go(request, _next(request.query_params.get("next")))
    return await sign_in_page(request, channel, Form())


@post("/account/sign-in/link", status_code=303)
async def ask_link(request: AnyRequest) -> Response[Any]:
    """Send a link. The answer is the same whether anybody has an account with this address."""
    limits.writes.check(limits.who(request))
    channel, form, _ = await channel_of(request), await read_form(request), face.words(request)
    database, context = database_of(request), shopper(request, channel)
    base = shop_link.base_url(request, channel)
    if base is None or not shop_link.mails_go_out(request, channel):
        return face.go(request, "/account/sign-in", _("This shop sends no mails yet."), kind="warning")
    browser = new_token()
    try:
        email = accounts.address_of(form.get("email"))
        await accounts.count_ask(database, context, channel, email)
        await database.transaction(
            lambda tx: accounts.ask_link(
                tx,
                keys_of(request),
                channel,
                email,
                base_url=base,
                locale=face.locale_of(request),
                browser=browser,
                next=_next(form.get("next")),
            ),
            context,
        )
    except InvalidInput:
        form.errors["email"] = _("This is no e-mail address. One looks like kim@example.org.")
        return await sign_in_page(request, channel, form, status=422)
    except TooMany as problem:
        return await _too_many(request, channel, form, problem)
    answer = face.go(request, "/account/sign-in/sent")
    answer.set_cookie(face.own_cookie(request, ASKED, browser, ASKED_SECONDS))
    return answer


async def _too_many(request: AnyRequest, channel: Channel, form: Form, problem: Problem) -> Response[Any]:
    form.message = face.words(request)(WAIT)
    answer = await sign_in_page(request, channel, form, status=429)
    answer.headers["Retry-After"] = str(problem.extra.get("retry_after", 60))
    return answer


@get("/account/sign-in/sent")
async def sent(request: AnyRequest) -> Response[Any]:
    """Look into your mail."""
    channel = await channel_of(request)
    minutes = accounts.LINK_MINUTES
    return await show(request, channel, "storefront/account/sent.html", headers=HEADERS, minutes=minutes)


@get("/account/link/{token:str}")
async def open_link(request: AnyRequest, token: FromPath[str]) -> Response[Any]:
    """The link of a mail: in the browser that asked for it it signs in; elsewhere a button does.

    So a program that opens links to look at them uses none up, and nobody signs in as somebody else by a link that was
    slipped to them without being told.
    """
    channel = await channel_of(request)
    try:
        info = await accounts.look(database_of(request), token, channel, request.cookies.get(ASKED))
    except NotGood:
        return await _not_good(request, channel)
    if info.is_own:
        return await _use_link(request, channel, token)
    return await _ask(request, channel, f"/account/link/{token}", info.email)


@post("/account/link/{token:str}", status_code=303)
async def use_link(request: AnyRequest, token: FromPath[str]) -> Response[Any]:
    """The button."""
    limits.writes.check(limits.who(request))
    return await _use_link(request, await channel_of(request), token)


async def _use_link(request: AnyRequest, channel: Channel, token: str) -> Response[Any]:
    try:
        opened = await database_of(request).transaction(
            lambda tx: accounts.with_link(tx, channel, token, agent=member.agent(request)),
            shopper(request, channel),
        )
    except NotGood:
        return await _not_good(request, channel)
    answer = await _in(request, channel, opened, opened.next)
    answer.delete_cookie(ASKED)
    return answer


async def _ask(request: AnyRequest, channel: Channel, action: str, email: str | None) -> Response[Any]:
    return await show(
        request,
        channel,
        "storefront/account/enter.html",
        headers={**HEADERS, "Referrer-Policy": "no-referrer"},
        action=action,
        email=email,
    )


async def _not_good(request: AnyRequest, channel: Channel) -> Response[Any]:
    form = Form()
    form.message = face.words(request)("This link or code is not good (any more). Ask for a new one.")
    return await sign_in_page(request, channel, form, status=410)


@post("/account/sign-in/password", status_code=303)
async def with_password(request: AnyRequest) -> Response[Any]:
    """E-mail and password."""
    limits.writes.check(limits.who(request))
    channel, form, _ = await channel_of(request), await read_form(request), face.words(request)
    password = form.get("password")
    form.fields.pop("password", None)
    try:
        opened = await accounts.with_password(
            database_of(request),
            shopper(request, channel),
            channel,
            form.get("email"),
            password,
            agent=member.agent(request),
        )
    except SignInFailed:
        form.errors["password"] = _(FAILED)
        return await sign_in_page(request, channel, form, status=401)
    except TooMany as problem:
        return await _too_many(request, channel, form, problem)
    return await _in(request, channel, opened, form.get("next"))


@post("/account/sign-in/code", status_code=303)
async def with_code(request: AnyRequest) -> Response[Any]:
    """Six digits from the till, and whose they are."""
    limits.writes.check(limits.who(request))
    channel, form, _ = await channel_of(request), await read_form(request), face.words(request)
    try:
        opened = await accounts.with_digits(
            database_of(request),
            shopper(request, channel),
            channel,
            form.get("whose"),
            form.get("code"),
            agent=member.agent(request),
        )
    except SignInFailed:
        form.errors["code"] = _(CODE_FAILED)
        return await sign_in_page(request, channel, form, status=401)
    except TooMany as problem:
        return await _too_many(request, channel, form, problem)
    return await _in(request, channel, opened, form.get("next"))


@get("/account/code/{secret:str}")
async def open_code(request: AnyRequest, secret: FromPath[str]) -> Response[Any]:
    """What the QR code of the till leads to: a button, because cameras look ahead."""
    channel = await channel_of(request)
    if not await accounts.is_good(database_of(request), secret, channel):
        return await _not_good(request, channel)
    return await _ask(request, channel, f"/account/code/{secret}", None)


@post("/account/code/{secret:str}", status_code=303)
async def use_code(request: AnyRequest, secret: FromPath[str]) -> Response[Any]:
    """The button."""
    limits.writes.check(limits.who(request))
    channel = await channel_of(request)
    try:
        opened = await database_of(request).transaction(
            lambda tx: accounts.with_secret(tx, channel, secret, agent=member.agent(request)),
            shopper(request, channel),
        )
    except NotGood:
        return await _not_good(request, channel)
    return await _in(request, channel, opened, None)


@post("/account/passkey/options", status_code=200)
async def passkey_options(request: AnyRequest) -> Response[Challenge]:
    """What the browser asks its authenticator."""
    limits.writes.check(limits.who(request))
    channel, site = await channel_of(request), member.site(request)
    made = await database_of(request).transaction(
        lambda tx: passkeys_of.begin_sign_in(tx, site), shopper(request, channel)
    )
    return Response(made, status_code=200)


@post("/account/passkey", status_code=200)
async def with_passkey(request: AnyRequest, data: JSONBody[Credential]) -> Response[Any]:
    """What the authenticator answered."""
    limits.writes.check(limits.who(request))
    channel = await channel_of(request)
    opened = await passkeys_of.with_passkey(
        database_of(request),
        shopper(request, channel),
        channel,
        member.site(request),
        data.ceremony,
        data.credential,
        agent=member.agent(request),
    )
    answer: Response[Any] = Response({"signed_in": True}, status_code=200)
    await _keep(request, channel, opened, answer)
    return answer


async def _keep(request: AnyRequest, channel: Channel, opened: Opened, answer: Response[Any]) -> Any:
    """The session into the browser, in place of one that it had; the cart and what was wished for to its customer."""
    before = member.token_of(request)
    if before:
        await database_of(request).transaction(
            lambda tx: accounts.sign_out(tx, before), shopper(request, channel)
        )
    signed = SignedIn(session=opened.session, account=opened.account, customer=opened.customer)
    joined = await joining.join(request, channel, signed, answer)
    await wishes.bring(request, channel, signed, answer)
    member.keep(request, answer, opened)
    return joined


async def _in(request: AnyRequest, channel: Channel, opened: Opened, next_path: str | None) -> Response[Any]:
    """On to where they wanted to go, saying what became of their cart."""
    _ = face.words(request)
    kept: Response[Any] = Response(b"")
    joined = await _keep(request, channel, opened, kept)
    undo = joining.undo_href(request, joined)
    said = _(joining.MERGED) if undo else _("You are signed in.")
    answer = face.go(request, _next(next_path), said, undo=undo)
    for cookie in kept.cookies:
        answer.set_cookie(cookie)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@post("/account/sign-out", status_code=303)
async def sign_out(request: AnyRequest) -> Response[Any]:
    """Out of here, and the cart with it: whoever uses this browser next is somebody else."""
    channel, token = await channel_of(request), member.token_of(request)
    if token:
        await database_of(request).transaction(
            lambda tx: accounts.sign_out(tx, token), shopper(request, channel)
        )
    answer = face.go(request, "/", face.words(request)("You are signed out."))
    member.forget(request, answer)
    answer.delete_cookie(basket.COOKIE)
    answer.delete_cookie(basket.BEFORE)
    return answer


handlers = [
    show_sign_in,
    ask_link,
    sent,
    open_link,
    use_link,
    with_password,
    with_code,
    open_code,
    use_code,
    passkey_options,
    with_passkey,
    sign_out,
]
