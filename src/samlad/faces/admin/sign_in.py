"""Coming in and going out: password, code, passkey, one-time links, confirming that it is still oneself."""

from typing import Annotated, Any
from urllib.parse import urlencode

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter

from samlad.access import links, rate, sessions, sign_in, staff, welcome
from samlad.access.api.browser import agent_of, runtime_of, with_session, without_session
from samlad.access.middleware import session_of
from samlad.access.problems import LinkNotValid
from samlad.access.sessions import Opened
from samlad.faces.admin.shell import main_channel
from samlad.faces.form import Form, read_form
from samlad.faces.page import (
    LOCALE_COOKIE,
    YEAR_SECONDS,
    AnyRequest,
    go,
    local_path,
    locale_of,
    own_cookie,
    page,
    require,
    words,
)
from samlad.kernel.http import actor_of, context_of, database_of
from samlad.kernel.problems import InvalidInput, Problem

Next = Annotated[str | None, QueryParameter(name="next", max_length=2000)]
_LINKS_A_MINUTE = 30


async def _bare(
    request: AnyRequest, template: str, *, status_code: int = 200, **context: Any
) -> Response[Any]:
    main = await main_channel(database_of(request))
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "same-origin"}
    name = main.name if main else "Samlad"
    return page(
        request,
        template,
        status_code=status_code,
        headers=headers,
        shop_name=name,
        home_href="/admin",
        **context,
    )


def _target(back: str | None) -> str:
    target = local_path(back, "/admin")
    return "/admin" if target.startswith("/admin/sign-in") else target


async def _come_in(request: AnyRequest, opened: Opened, href: str) -> Response[Any]:
    """On into the admin with the new session, in the language of who came."""
    answer = with_session(request, go(request, href), opened)
    if LOCALE_COOKIE not in request.cookies:
        person = await staff.get(database_of(request), opened.session.staff)
        answer.set_cookie(own_cookie(request, LOCALE_COOKIE, person.locale, YEAR_SECONDS))
    return answer


# -- password and code ---------------------------------------------------------------------------------------------------


@get("/admin/sign-in")
async def show_sign_in(request: AnyRequest, back: Next = None) -> Response[Any]:
    """Ask who it is; on to where one wanted to go if that is known already."""
    if actor_of(request).kind == "staff":
        return go(request, _target(back))
    return await _sign_in_page(request, Form(), back)


async def _sign_in_page(request: AnyRequest, form: Form, back: str | None) -> Response[Any]:
    settings = runtime_of(request).settings
    return await _bare(
        request,
        "admin/sign_in.html",
        status_code=form.status,
        form=form,
        next=_target(back),
        has_oidc=bool(settings.oidc_issuer and settings.oidc_client_id),
    )


@post("/admin/sign-in")
async def send_sign_in(request: AnyRequest) -> Response[Any]:
    """Look at e-mail and password; on to the code, or in."""
    form = await read_form(request)
    back = form.get("next")
    try:
        opened = await sign_in.with_password(
            database_of(request),
            context_of(request),
            form.get("email"),
            form.get("password"),
            agent=agent_of(request),
        )
    except Problem as problem:
        return await _sign_in_page(request, form.failed(problem), back)
    target = _target(back)
    if opened.session.state == "code-needed":
        href = f"/admin/sign-in/code?{urlencode({'next': target})}"
        return with_session(request, go(request, href), opened)
    return await _come_in(request, opened, target)


@get("/admin/sign-in/code")
async def show_code(request: AnyRequest, back: Next = None) -> Response[Any]:
    """Ask for the code of the authenticator app, or for a recovery code."""
    waiting = session_of(request)
    if waiting is None or waiting.state != "code-needed":
        return go(request, "/admin/sign-in")
    return await _bare(request, "admin/sign_in_code.html", form=Form(), next=_target(back))


@post("/admin/sign-in/code")
async def send_code(request: AnyRequest) -> Response[Any]:
    """Complete signing in."""
    form, waiting = await read_form(request), session_of(request)
    if waiting is None:
        _ = words(request)
        return go(request, "/admin/sign-in", _("That took too long. Please begin again."), kind="warning")
    target = _target(form.get("next"))
    try:
        opened = await sign_in.with_code(
            database_of(request),
            context_of(request),
            waiting,
            form.get("code"),
            runtime_of(request).vault,
            agent=agent_of(request),
        )
    except Problem as problem:
        failed = form.failed(problem)
        return await _bare(
            request, "admin/sign_in_code.html", status_code=failed.status, form=failed, next=target
        )
    return await _come_in(request, opened, target)


@post("/admin/sign-out")
async def sign_out(request: AnyRequest) -> Response[Any]:
    """End this session, and say so at the door."""
    session, _ = session_of(request), words(request)
    if session is not None:
        await database_of(request).transaction(lambda tx: sessions.sign_out(tx, session), context_of(request))
    return without_session(request, go(request, "/admin/sign-in", _("You are signed out. See you.")))


# -- confirming -------------------------------------------------------------------------------------------------------------


@get("/admin/confirm")
async def show_confirm(request: AnyRequest, back: Next = None) -> Response[Any]:
    """Ask for the password again, before something that changes how one signs in."""
    require(request)
    return await _bare(
        request, "admin/confirm.html", form=Form(), next=_target(back), who=actor_of(request).name
    )


@post("/admin/confirm")
async def send_confirm(request: AnyRequest) -> Response[Any]:
    """Note that it is still the same person, and go back to what they were about to do."""
    require(request)
    form, session, _ = await read_form(request), session_of(request), words(request)
    target = _target(form.get("next"))
    if session is None:
        return go(request, target)
    try:
        await sign_in.confirm(database_of(request), context_of(request), session, form.get("password"))
    except Problem as problem:
        failed = form.failed(problem)
        who = actor_of(request).name
        return await _bare(
            request, "admin/confirm.html", status_code=failed.status, form=failed, next=target, who=who
        )
    return go(request, target, _("Thank you. For fifteen minutes you can change how you sign in."))


# -- one-time links -----------------------------------------------------------------------------------------------------------


@get("/admin/link/{token:str}")
async def show_link(request: AnyRequest, token: FromPath[str]) -> Response[Any]:
    """What a one-time link is for: the first owner, an invitation, a new password."""
    return await _link_page(request, token, None)


async def _link_page(request: AnyRequest, token: str, form: Form | None) -> Response[Any]:
    remote = context_of(request).remote or ""
    await database_of(request).transaction(
        lambda tx: rate.limit(tx, "links", remote, per=60, max=_LINKS_A_MINUTE), context_of(request)
    )
    try:
        info = await links.look(database_of(request), token)
    except LinkNotValid:
        return await _bare(request, "admin/link_gone.html", status_code=410)
    shown = form or Form.of(email=info.email, name=info.name)
    return await _bare(
        request, "admin/link.html", status_code=shown.status, form=shown, info=info, token=token
    )


@post("/admin/link/{token:str}")
async def send_link(request: AnyRequest, token: FromPath[str]) -> Response[Any]:
    """Set the password and come in."""
    form, _ = await read_form(request), words(request)
    try:
        if form.get("password") != form.get("again"):
            raise InvalidInput.at("again", _("The two passwords differ."))
        opened = await welcome.accept(
            database_of(request),
            context_of(request),
            token,
            form.get("password"),
            email=form.text("email"),
            name=form.text("name"),
            locale=locale_of(request),
            agent=agent_of(request),
        )
    except LinkNotValid:
        return await _bare(request, "admin/link_gone.html", status_code=410)
    except Problem as problem:
        return await _link_page(request, token, form.failed(problem))
    if opened is None:
        return go(request, "/admin/sign-in", _("Your password is set. Now sign in with it and your code."))
    # Whoever comes to an empty house is shown where to begin.
    is_new = await main_channel(database_of(request)) is None
    return await _come_in(request, opened, "/admin/start" if is_new else "/admin")


HANDLERS = [
    show_sign_in,
    send_sign_in,
    show_code,
    send_code,
    sign_out,
    show_confirm,
    send_confirm,
    show_link,
    send_link,
]
