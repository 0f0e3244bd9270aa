"""Coming in by a one-time link: the first owner, invitations, password resets."""

from uuid import UUID

from samlad.access import audit, links, passwords, sessions, sign_in, staff
from samlad.access.events import StaffJoined
from samlad.access.links import LinkInfo, NewLink
from samlad.access.permissions import Role
from samlad.access.second_factor import note
from samlad.access.sessions import Opened
from samlad.kernel import log
from samlad.kernel.context import Context
from samlad.kernel.database import Database, Tx
from samlad.kernel.problems import Conflict, InvalidInput

_OWNERS_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('samlad.owners ' || current_schema(), 0))"
_HAS_OWNER = """
SELECT EXISTS (SELECT FROM staff p JOIN staff_role r ON r.staff = p.id
               WHERE r.role = 'owner' AND p.status = 'active')
"""


async def first_start(tx: Tx, base_url: str) -> str | None:
    """The address where the first owner sets up their account, or None when there is an owner already.

    Each call makes a new link and the one before stops to work, because only hashes are kept.
    """
    await tx.execute(_OWNERS_LOCK)
    if await tx.value(_HAS_OWNER):
        return None
    return (await invite_owner(tx, base_url)).url


async def invite_owner(tx: Tx, base_url: str) -> NewLink:
    """A link for a first owner who says their name and address when they come."""
    return await links.make(tx, "first-owner", None, base_url)


async def accept(
    database: Database,
    context: Context,
    token: str,
    password: str,
    *,
    email: str | None = None,
    name: str | None = None,
    locale: str = "en",
    agent: str = "",
) -> Opened | None:
    """Use a link: set the password, become active, and be signed in.

    The first owner also gives ``email`` and ``name``, and goes on in the language ``locale``, which they were asked in;
    who was invited may correct ``name``. None: the password is set, but the account has a second factor, so they sign in
    the usual way.

    Raises:
        LinkNotValid: used, replaced, expired.
        InvalidInput: the password is too weak; e-mail or name is missing.
    """
    found = await links.look(database, token)
    address = staff.require_address(email or "") if found.purpose == "first-owner" else found.email or ""
    called = (name or "").strip() or found.name or ""
    if not called:
        raise InvalidInput.at("name", "please say how colleagues call you")
    passwords.check(password, address, called)
    password_hash = await passwords.hashed(password)

    async def work(tx: Tx) -> Opened | None:
        used = await links.use(tx, token)
        who = await _who(tx, used, address, called, locale)
        has_totp = await _set_password(tx, who, password_hash, called)
        await sessions.end_others(tx, who, None)
        if used.purpose == "password-reset":
            note(tx, who, "password", "reset")
        else:
            log.append(tx, StaffJoined(email=address, name=called), subject=who)
            audit.record(tx, "staff.joined", "staff", who, after={"email": address, "name": called})
        return None if has_totp else await sign_in.welcome(tx, who, address, "link", agent)

    return await database.transaction(work, context)


async def _who(tx: Tx, link: LinkInfo, email: str, name: str, locale: str) -> UUID:
    if link.staff is not None:
        return link.staff
    await tx.execute(_OWNERS_LOCK)
    if await tx.value(_HAS_OWNER):
        raise Conflict("There is an owner already; ask them for an invitation.")
    owner = staff.StaffInput(email=email, name=name, locale=locale, roles=[Role.OWNER])
    return (await staff.add(tx, owner, "active")).id


async def _set_password(tx: Tx, who: UUID, password_hash: str, name: str) -> bool:
    return bool(
        await tx.value(
            """
            UPDATE staff SET password_hash = $2, name = $3, status = 'active', version = version + 1,
                             updated_at = now()
            WHERE id = $1 RETURNING totp_secret IS NOT NULL
            """,
            who,
            password_hash,
            name,
        )
    )


async def change_password(
    database: Database, context: Context, current: str, new: str, keep: UUID | None
) -> None:
    """Change one's own password; all other sessions end. Needs the current one if there is one.

    Raises:
        SignInFailed: the current password is wrong.
        InvalidInput: the new one is too weak.
        TooMany: too many failed tries.
    """
    who = sessions.require_own(context.actor)
    row = await database.row("SELECT email, name FROM staff WHERE id = $1", who)
    assert row is not None
    passwords.check(new, row["email"], row["name"], field="new")
    await sign_in.verify_password(database, context, who, current)
    password_hash = await passwords.hashed(new)

    async def work(tx: Tx) -> None:
        sql = "UPDATE staff SET password_hash = $2, version = version + 1, updated_at = now() WHERE id = $1"
        await tx.execute(sql, who, password_hash)
        await sessions.end_others(tx, who, keep)
        note(tx, who, "password", "changed")

    await database.transaction(work, context)
