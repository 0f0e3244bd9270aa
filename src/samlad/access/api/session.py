"""/api/session: sign in, who am I, sign out; one-time links. What strangers can reach is rate limited."""

import re
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Response, delete, get, post
from litestar.params import JSONBody, QueryParameter

from samlad.access import identity, links, passkeys, rate, sessions, sign_in, staff, welcome
from samlad.access.api.browser import (
    agent_of,
    base_url_of,
    runtime_of,
    site_of,
    with_session,
    without_session,
)
from samlad.access.csrf import csrf_token, token_for
from samlad.access.links import LinkInfo
from samlad.access.middleware import cookie_name, is_https, own_cookies, session_of, set_cookie
from samlad.access.passkeys import Challenge
from samlad.access.problems import SignInFailed
from samlad.access.sessions import Opened, Session
from samlad.kernel.context import Actor
from samlad.kernel.database import Tx
from samlad.kernel.http import AnyRequest, actor_of, context_of, database_of
from samlad.kernel.problems import Unauthenticated

Secret = Annotated[str, msgspec.Meta(max_length=256, description="Password")]
Token = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Credential = Annotated[
    dict[str, Any], msgspec.Meta(max_length=20, description="As the browser made it, in JSON")
]


Back = Annotated[str | None, QueryParameter(name="next", max_length=2000, description="A path on this site")]
OidcState = Annotated[str, QueryParameter(name="state", max_length=200)]
OidcCode = Annotated[str, QueryParameter(max_length=4000)]
OidcError = Annotated[str, QueryParameter(max_length=200)]


class SignIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """E-mail and password."""

    email: Annotated[str, msgspec.Meta(max_length=254, pattern=r"^[^\x00]*$", examples=["kim@example.com"])]
    password: Secret


class Code(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A code of the authenticator app, or a recovery code."""

    code: Annotated[str, msgspec.Meta(min_length=6, max_length=40, examples=["123456"])]


class Confirmation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The password again."""

    password: Secret


class PasskeyAnswer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What ``navigator.credentials.get`` has answered, and the ceremony that it belongs to."""

    ceremony: Token
    credential: Credential


class LinkToken(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The last part of a one-time link."""

    token: Token


class LinkAnswer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new password by a one-time link; the first owner also says who they are."""

    token: Token
    password: Secret
    email: staff.Email | None = None
    name: staff.Name | None = None


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Who the caller is. ``csrf_token`` goes into ``X-CSRF-Token`` of every write that comes with our cookies."""

    kind: str
    id: UUID | None = None
    name: str = ""
    state: str = "guest"
    permissions: list[str] = msgspec.field(default_factory=list)
    locations: list[UUID] | None = None
    session: Session | None = None
    csrf_token: str | None = None


@post("/session", status_code=201, summary="Sign in with a password")
async def sign_in_with_password(request: AnyRequest, data: JSONBody[SignIn]) -> Response[Me]:
    """Sign in with e-mail and password; the answer sets the session's cookie.

    With ``state`` ``code-needed`` nothing is allowed yet but ``POST /api/session/code``. The answer is the same (401)
    for a wrong password, an unknown address and a disabled account. 429 after too many tries.
    """
    opened = await sign_in.with_password(
        database_of(request), context_of(request), data.email, data.password, agent=agent_of(request)
    )
    return await _opened(request, opened)


@post("/session/code", status_code=201, summary="Complete signing in with a code")
async def sign_in_with_code(request: AnyRequest, data: JSONBody[Code]) -> Response[Me]:
    """The second step: a code of the app, or a recovery code. The answer sets a new cookie."""
    waiting = session_of(request)
    if waiting is None:
        raise Unauthenticated("Sign in with the password first.")
    opened = await sign_in.with_code(
        database_of(request),
        context_of(request),
        waiting,
        data.code,
        runtime_of(request).vault,
        agent=agent_of(request),
    )
    return await _opened(request, opened)


@post("/session/passkey/options", status_code=200, summary="Begin to sign in with a passkey")
async def passkey_options(request: AnyRequest) -> Challenge:
    """A challenge for ``navigator.credentials.get``; it is good for one try within ten minutes."""
    context = context_of(request)

    async def work(tx: Tx) -> Challenge:
        await rate.limit(tx, "passkey-options", context.remote or "", per=60, max=60)
        return await passkeys.begin_sign_in(tx, site_of(request))

    return await database_of(request).transaction(work, context)


@post("/session/passkey", status_code=201, summary="Sign in with a passkey")
async def sign_in_with_passkey(request: AnyRequest, data: JSONBody[PasskeyAnswer]) -> Response[Me]:
    """Sign in with what the browser answered to the challenge. A passkey counts as both factors."""
    opened = await passkeys.sign_in_with(
        database_of(request),
        context_of(request),
        site_of(request),
        data.ceremony,
        data.credential,
        agent=agent_of(request),
    )
    return await _opened(request, opened)


@get("/session/oidc", status_code=302, summary="Sign in with the company account")
async def begin_oidc(request: AnyRequest, back: Back = None) -> Response[None]:
    """On to the OpenID Connect provider, and from there back and on to ``next``. 404 when none is configured."""
    from samlad.access import oidc  # late: its libraries are slow to load

    runtime = runtime_of(request)
    departure = await oidc.begin(
        runtime.database, context_of(request), runtime.settings, base_url_of(request), _own_path(back)
    )
    https = is_https(request.scope, runtime.settings)
    cookie = set_cookie(cookie_name(oidc.COOKIE, https), departure.ceremony, https, max_age=600)
    headers = {"Location": departure.url, "Set-Cookie": cookie, "Cache-Control": "no-store"}
    return Response(None, status_code=302, headers=headers)


@get("/session/oidc/callback", status_code=302, summary="Back from the company account")
async def complete_oidc(
    request: AnyRequest, returned_state: OidcState = "", code: OidcCode = "", error: OidcError = ""
) -> Response[Any]:
    """Where the provider sends the browser back to. A refusal goes on to the sign-in page, which shows it."""
    from samlad.access import oidc

    runtime = runtime_of(request)
    cookies = own_cookies(request.scope["headers"], is_https(request.scope, runtime.settings))
    try:
        if error:
            raise SignInFailed(f"The provider refused ({error}).")
        arrival = await oidc.complete(
            runtime.database,
            context_of(request),
            runtime.settings,
            base_url_of(request),
            ceremony=cookies.get(oidc.COOKIE, ""),
            state=returned_state,
            code=code,
            agent=agent_of(request),
        )
    except SignInFailed as problem:
        query = urlencode({"oidc": problem.detail})
        return Response(None, status_code=302, headers={"Location": f"/admin/sign-in?{query}"})
    answer: Response[Any] = Response(None, status_code=302, headers={"Location": arrival.target})
    return with_session(request, answer, arrival.opened)


def _own_path(target: str | None) -> str:
    """A path of this site, so that the way back cannot lead elsewhere."""
    return target if target and re.fullmatch(r"/(?![/\\])[\x21-\x7e]*", target) else "/admin"


@get("/session", summary="Who am I")
async def who_am_i(request: AnyRequest) -> Response[Me]:
    """Who the caller is and may do; guests get a ``csrf_token`` too, and with it a cookie that it belongs to."""
    token = None if actor_of(request).kind == "key" else csrf_token(request)
    return Response(_me(actor_of(request), session_of(request), token), headers={"Cache-Control": "no-store"})


@post("/session/confirm", status_code=204, summary="Confirm that it is you")
async def confirm(request: AnyRequest, data: JSONBody[Confirmation]) -> None:
    """Say the password again: for 15 minutes one may change how one signs in."""
    session = session_of(request)
    if session is None or session.state != "signed-in":
        raise Unauthenticated("Sign in first.")
    await sign_in.confirm(database_of(request), context_of(request), session, data.password)


@delete("/session", status_code=204, summary="Sign out")
async def sign_out(request: AnyRequest) -> Response[None]:
    """End this session and forget its cookie; fine for guests."""
    session = session_of(request)
    if session is not None:
        await database_of(request).transaction(lambda tx: sessions.sign_out(tx, session), context_of(request))
    return without_session(request, Response(None, status_code=204))


@post("/links/look", status_code=200, summary="What is this one-time link for")
async def look_at_link(request: AnyRequest, data: JSONBody[LinkToken]) -> LinkInfo:
    """Look at a link without using it. 410 when it is not valid any more."""
    context = context_of(request)
    await database_of(request).transaction(
        lambda tx: rate.limit(tx, "links", context.remote or "", per=60, max=30), context
    )
    return await links.look(database_of(request), data.token)


@post("/links/accept", status_code=201, summary="Use a one-time link")
async def accept_link(request: AnyRequest, data: JSONBody[LinkAnswer]) -> Response[Me]:
    """Set the password and be signed in. With a second factor ``state`` is ``guest``: sign in the usual way."""
    context = context_of(request)
    await database_of(request).transaction(
        lambda tx: rate.limit(tx, "links", context.remote or "", per=60, max=30), context
    )
    opened = await welcome.accept(
        database_of(request),
        context,
        data.token,
        data.password,
        email=data.email,
        name=data.name,
        agent=agent_of(request),
    )
    if opened is None:
        return Response(_me(actor_of(request), None, None), status_code=201)
    return await _opened(request, opened)


async def _opened(request: AnyRequest, opened: Opened) -> Response[Any]:
    """Answer a session that was opened: its cookie, who it is, and the token for its writes."""
    actor = Actor(kind="guest")
    if opened.session.state == "signed-in":
        actor = await identity.of_staff(database_of(request), opened.session.staff)
    body = _me(actor, opened.session, token_for(opened.token))
    return with_session(request, Response(body, status_code=201), opened)


def _me(actor: Actor, session: Session | None, token: str | None) -> Me:
    return Me(
        kind=actor.kind,
        id=actor.id,
        name=actor.name,
        state=session.state if session else "guest" if actor.kind == "guest" else "signed-in",
        permissions=sorted(actor.permissions),
        locations=actor.bound_to,
        session=session,
        csrf_token=token,
    )


HANDLERS = [
    sign_in_with_password,
    sign_in_with_code,
    passkey_options,
    sign_in_with_passkey,
    begin_oidc,
    complete_oidc,
    who_am_i,
    confirm,
    sign_out,
    look_at_link,
    accept_link,
]
