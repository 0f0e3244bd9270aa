"""/api/account and /api/sessions: one's own password, second factor, passkeys, open sessions."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, delete, get, post
from litestar.params import FromPath, JSONBody

from samlad.access import clerks, passkeys, pins, second_factor, sessions, staff, welcome
from samlad.access.api.browser import runtime_of, site_of
from samlad.access.api.session import Code, Credential, Secret, Token
from samlad.access.middleware import session_of
from samlad.access.passkeys import Challenge, Passkey
from samlad.access.second_factor import Enrolment, RecoveryCodes
from samlad.access.sessions import Session
from samlad.access.staff import Staff
from samlad.kernel.database import Tx
from samlad.kernel.http import AnyRequest, actor_of, context_of, database_of, write
from samlad.kernel.problems import NotFound


class PasswordChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The current password and a new one of 12 to 256 characters."""

    current: Secret
    new: Secret


class NewPin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Four to eight digits, not one again and again and not counting up or down."""

    pin: Annotated[str, msgspec.Meta(min_length=4, max_length=8, pattern="^[0-9]*$", examples=["4071"])]


class NewPasskey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What ``navigator.credentials.create`` has answered, the ceremony it belongs to, and a name for it."""

    ceremony: Token
    credential: Credential
    name: Annotated[
        str,
        msgspec.Meta(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f]*$", examples=["Office laptop"]),
    ] = "Passkey"


@get("/account", summary="My account")
async def read_account(request: AnyRequest) -> Staff:
    """The signed-in member of staff."""
    return await staff.get(database_of(request), sessions.require_own(actor_of(request)))


@post("/account/password", status_code=204, summary="Change my password")
async def change_password(request: AnyRequest, data: JSONBody[PasswordChange]) -> None:
    """Change one's password; all other sessions end. Wrong tries count as in signing in."""
    session = session_of(request)
    await welcome.change_password(
        database_of(request), context_of(request), data.current, data.new, session.id if session else None
    )


@post("/account/pin", status_code=204, summary="Choose my PIN")
async def set_pin(request: AnyRequest, data: JSONBody[NewPin]) -> None:
    """The number by which one approves something at somebody else's till. It is no way to sign in."""
    sessions.require_fresh(session_of(request))
    await pins.set_pin(database_of(request), context_of(request), data.pin)


@post("/account/totp", status_code=200, summary="Begin to use codes of an app")
async def begin_totp(request: AnyRequest) -> Response[Enrolment]:
    """A new secret with its QR code (SVG). It counts only after ``POST /api/account/totp/activate``."""
    session = sessions.require_fresh(session_of(request))
    vault = runtime_of(request).vault
    enrolment = await database_of(request).transaction(
        lambda tx: second_factor.begin(tx, session.staff, vault), context_of(request)
    )
    return Response(enrolment, headers={"Cache-Control": "no-store"})


@post("/account/totp/activate", status_code=200, summary="Switch codes on")
async def activate_totp(request: AnyRequest, data: JSONBody[Code]) -> Response[RecoveryCodes]:
    """Switch codes on with a first code from the app; answers the recovery codes, this one time."""
    session = sessions.require_fresh(session_of(request))
    vault = runtime_of(request).vault
    codes = await database_of(request).transaction(
        lambda tx: second_factor.activate(tx, session.staff, data.code, vault), context_of(request)
    )
    return Response(codes, headers={"Cache-Control": "no-store"})


@delete("/account/totp", status_code=204, summary="Switch codes off")
async def deactivate_totp(request: AnyRequest) -> None:
    """Switch codes off; the recovery codes go too."""
    session = sessions.require_fresh(session_of(request))
    await database_of(request).transaction(
        lambda tx: second_factor.deactivate(tx, session.staff), context_of(request)
    )


@post("/account/recovery-codes", status_code=200, summary="New recovery codes")
async def renew_recovery_codes(request: AnyRequest) -> Response[RecoveryCodes]:
    """Ten new recovery codes, shown this one time; the old ones stop to work."""
    session = sessions.require_fresh(session_of(request))
    codes = await database_of(request).transaction(
        lambda tx: second_factor.renew_recovery_codes(tx, session.staff), context_of(request)
    )
    return Response(codes, headers={"Cache-Control": "no-store"})


@get("/account/passkeys", summary="My passkeys")
async def list_passkeys(request: AnyRequest) -> list[Passkey]:
    """One's own passkeys, oldest first."""
    return await passkeys.of_staff(database_of(request), sessions.require_own(actor_of(request)))


@post("/account/passkeys/options", status_code=200, summary="Begin to add a passkey")
async def passkey_registration_options(request: AnyRequest) -> Challenge:
    """Options for ``navigator.credentials.create``."""
    session = sessions.require_fresh(session_of(request))
    return await database_of(request).transaction(
        lambda tx: passkeys.begin_registration(tx, session.staff, site_of(request)), context_of(request)
    )


@post("/account/passkeys", status_code=201, summary="Add a passkey")
async def add_passkey(request: AnyRequest, data: JSONBody[NewPasskey]) -> Response[Any]:
    """Keep a passkey that the browser has made."""
    session = sessions.require_fresh(session_of(request))
    site = site_of(request)
    return await write(
        request,
        lambda tx: passkeys.register(tx, session.staff, site, data.ceremony, data.credential, data.name),
        status=201,
    )


@delete("/account/passkeys/{passkey:uuid}", status_code=204, summary="Remove a passkey")
async def remove_passkey(request: AnyRequest, passkey: FromPath[UUID]) -> None:
    """Forget one of one's own passkeys."""
    session = sessions.require_fresh(session_of(request))
    await write(request, lambda tx: passkeys.remove(tx, session.staff, passkey))


@get("/sessions", summary="My open sessions")
async def list_sessions(request: AnyRequest) -> list[Session]:
    """One's own open sessions, latest used first."""
    return await sessions.of_staff(database_of(request), sessions.require_own(actor_of(request)))


@delete("/sessions/{session:uuid}", status_code=204, summary="End one of my sessions")
async def end_session(request: AnyRequest, session: FromPath[UUID]) -> None:
    """End one of one's own sessions from elsewhere."""
    own = sessions.require_own(actor_of(request))
    await write(request, lambda tx: sessions.end(tx, own, [session]))


@delete("/sessions", status_code=204, summary="End all my other sessions")
async def end_other_sessions(request: AnyRequest) -> None:
    """End all of one's sessions but this one."""
    own = sessions.require_own(actor_of(request))
    this = session_of(request)
    if this is None:
        raise NotFound("There is no session.")
    await write(request, lambda tx: sessions.end_others(tx, own, this.id))


class NewBadge(msgspec.Struct, frozen=True):
    """What the barcode of a badge says; shown this one time."""

    code: str


@post("/account/badge", status_code=201, summary="Make my badge for tills")
async def make_badge(request: AnyRequest) -> Response[Any]:
    """A code to be printed as a barcode: scanned at a till, one is on there. The badge of before holds no more."""
    session = sessions.require_fresh(session_of(request))
    return await write(request, lambda tx: _badge(tx, session.staff), status=201, secret=True)


async def _badge(tx: Tx, staff_id: UUID) -> NewBadge:
    return NewBadge(await clerks.make_badge(tx, staff_id))


HANDLERS = [
    read_account,
    change_password,
    set_pin,
    make_badge,
    begin_totp,
    activate_totp,
    deactivate_totp,
    renew_recovery_codes,
    list_passkeys,
    passkey_registration_options,
    add_passkey,
    remove_passkey,
    list_sessions,
    end_session,
    end_other_sessions,
]
