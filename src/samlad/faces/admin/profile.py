"""One's own profile: password, codes of an app, passkeys, open sessions, language."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath
from markupsafe import Markup

from samlad.access import clerks, passkeys, pins, second_factor, sessions, welcome
from samlad.access import staff as people
from samlad.access.api.browser import runtime_of
from samlad.access.middleware import session_of
from samlad.access.problems import ConfirmFirst
from samlad.faces.admin import names
from samlad.faces.admin.shell import admin_page
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, require, words
from samlad.kernel import qr
from samlad.kernel.http import actor_of, context_of, database_of
from samlad.kernel.problems import InvalidInput, Problem


def _own(request: AnyRequest) -> UUID:
    require(request)
    return sessions.require_own(actor_of(request))


def _confirm_first(request: AnyRequest) -> Response[Any] | None:
    """The page that asks for the password again, when it was typed too long ago."""
    try:
        sessions.require_fresh(session_of(request))
    except ConfirmFirst:
        return go(request, "/admin/confirm?next=/admin/profile")
    return None


@get("/admin/profile")
async def show_profile(request: AnyRequest) -> Response[Any]:
    """How I sign in, where I am signed in."""
    return await _profile_page(request, Form())


async def _profile_page(request: AnyRequest, form: Form) -> Response[Any]:
    own, database, session = _own(request), database_of(request), session_of(request)
    return await admin_page(
        request,
        "admin/profile.html",
        status_code=form.status,
        form=form,
        me=await people.get(database, own),
        has_pin=await pins.has_pin(database, own),
        keys=await passkeys.of_staff(database, own),
        sessions=await sessions.of_staff(database, own),
        this=session.id if session else None,
        names=names,
    )


@post("/admin/profile/password")
async def change_password(request: AnyRequest) -> Response[Any]:
    """Change the password; everywhere else one is signed out."""
    _own(request)
    form, _, session = await read_form(request), words(request), session_of(request)
    try:
        if form.get("new") != form.get("again"):
            raise InvalidInput.at("again", _("The two passwords differ."))
        await welcome.change_password(
            database_of(request),
            context_of(request),
            form.get("current"),
            form.get("new"),
            session.id if session else None,
        )
    except Problem as problem:
        return await _profile_page(request, form.failed(problem))
    return go(request, "/admin/profile", _("Your password is changed. Everywhere else you are signed out."))


@post("/admin/profile/pin")
async def set_pin(request: AnyRequest) -> Response[Any]:
    """Choose the PIN by which one approves something at a till."""
    _own(request)
    if ask := _confirm_first(request):
        return ask
    form, _ = await read_form(request), words(request)
    try:
        await pins.set_pin(database_of(request), context_of(request), form.get("pin").strip())
    except Problem as problem:
        return await _profile_page(request, form.failed(problem))
    return go(request, "/admin/profile", _("Your PIN is set."))


@post("/admin/profile/badge")
async def make_badge(request: AnyRequest) -> Response[Any]:
    """Make a badge for tills; its code is shown on the page that follows, this one time."""
    own = _own(request)
    if ask := _confirm_first(request):
        return ask
    await read_form(request)
    code = await change(request, lambda tx: clerks.make_badge(tx, own))
    return await admin_page(
        request,
        "admin/badge.html",
        code=code,
        picture=Markup(qr.svg(code, scale=6)),  # noqa: S704 - drawn by segno from our own letters
        headers={"Cache-Control": "no-store"},
    )


# -- codes of an app -----------------------------------------------------------------------------------------------------


@post("/admin/profile/codes")
async def begin_codes(request: AnyRequest) -> Response[Any]:
    """Show the QR code; it counts after a first code."""
    own = _own(request)
    if ask := _confirm_first(request):
        return ask
    vault = runtime_of(request).vault
    try:
        enrolment = await change(request, lambda tx: second_factor.begin(tx, own, vault))
    except Problem as problem:
        return go(request, "/admin/profile", problem.detail, kind="danger")
    return await _codes_page(request, Form.of(secret=enrolment.secret, uri=enrolment.uri))


async def _codes_page(request: AnyRequest, form: Form) -> Response[Any]:
    picture = Markup(qr.svg(form.get("uri")))  # noqa: S704 - drawn by segno from numbers
    return await admin_page(
        request, "admin/profile_codes.html", status_code=form.status, form=form, picture=picture
    )


@post("/admin/profile/codes/activate")
async def activate_codes(request: AnyRequest) -> Response[Any]:
    """Switch codes on, and show the recovery codes this once."""
    own = _own(request)
    if ask := _confirm_first(request):
        return ask
    form, vault = await read_form(request), runtime_of(request).vault
    try:
        codes = await change(request, lambda tx: second_factor.activate(tx, own, form.get("code"), vault))
    except Problem as problem:
        return await _codes_page(request, form.failed(problem))
    return await _recovery_page(request, codes.recovery_codes)


async def _recovery_page(request: AnyRequest, codes: list[str]) -> Response[Any]:
    return await admin_page(request, "admin/profile_recovery.html", status_code=201, codes=codes)


@post("/admin/profile/codes/renew")
async def renew_codes(request: AnyRequest) -> Response[Any]:
    """Ten new recovery codes."""
    own = _own(request)
    if ask := _confirm_first(request):
        return ask
    codes = await change(request, lambda tx: second_factor.renew_recovery_codes(tx, own))
    return await _recovery_page(request, codes.recovery_codes)


@post("/admin/profile/codes/off")
async def switch_codes_off(request: AnyRequest) -> Response[Any]:
    """Sign in with the password alone again."""
    own, _ = _own(request), words(request)
    if ask := _confirm_first(request):
        return ask
    await change(request, lambda tx: second_factor.deactivate(tx, own))
    return go(
        request, "/admin/profile", _("Codes are off. Your password alone opens the door now."), kind="warning"
    )


# -- passkeys and sessions ---------------------------------------------------------------------------------------------------


@post("/admin/profile/passkeys/{passkey:uuid}/remove")
async def remove_passkey(request: AnyRequest, passkey: FromPath[UUID]) -> Response[Any]:
    """Forget one of one's passkeys."""
    own, _ = _own(request), words(request)
    if ask := _confirm_first(request):
        return ask
    try:
        await change(request, lambda tx: passkeys.remove(tx, own, passkey))
    except Problem as problem:
        return go(request, "/admin/profile", problem.detail, kind="danger")
    return go(request, "/admin/profile", _("The passkey is forgotten."))


@post("/admin/profile/sessions/{session:uuid}/end")
async def end_session(request: AnyRequest, session: FromPath[UUID]) -> Response[Any]:
    """Sign out another browser of one's own."""
    own, _ = _own(request), words(request)
    await change(request, lambda tx: sessions.end(tx, own, [session]))
    return go(request, "/admin/profile", _("That browser is signed out."))


@post("/admin/profile/sessions/end-others")
async def end_others(request: AnyRequest) -> Response[Any]:
    """Sign out everywhere but here."""
    own, _, this = _own(request), words(request), session_of(request)
    await change(request, lambda tx: sessions.end_others(tx, own, this.id if this else None))
    return go(request, "/admin/profile", _("You are signed out everywhere but here."))


HANDLERS = [
    show_profile,
    change_password,
    begin_codes,
    activate_codes,
    renew_codes,
    set_pin,
    make_badge,
    switch_codes_off,
    remove_passkey,
    end_session,
    end_others,
]
