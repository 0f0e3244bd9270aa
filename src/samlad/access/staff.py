"""Staff: invite, change, disable. Nobody can give or take away more than they have themselves."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from samlad.access import audit, links, recent, sessions
from samlad.access.events import StaffChanged, StaffFactorChanged, StaffInvited, StaffLinkMade
from samlad.access.identity import permissions_of_roles
from samlad.access.links import NewLink
from samlad.access.permissions import STAFF_READ, STAFF_WRITE, Role
from samlad.access.problems import LastOwner
from samlad.kernel import log
from samlad.kernel.context import SHOP_WIDE
from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.listing import Filter, Listing, Sort, texts
from samlad.kernel.problems import Conflict, Forbidden, InvalidInput, NotFound

Status = Literal["active", "invited", "disabled"]

Email = Annotated[
    str,
    msgspec.Meta(
        max_length=254,
        pattern=r"^[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,189}$",
        description="E-mail address, kept in lower case",
        examples=["kim@example.com"],
    ),
]
Name = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=100,
        pattern=r"^[^\x00-\x1f]*$",
        description="As colleagues call them",
        examples=["Kim Berg"],
    ),
]
Locale = Annotated[str, msgspec.Meta(pattern="^(en|sv|nl)$", description="Language of their pages")]


class StaffInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody to invite."""

    email: Email
    name: Name
    locale: Locale = "en"
    roles: Annotated[
        list[Role],
        msgspec.Meta(min_length=1, max_length=6, description="What their work is", examples=[["store"]]),
    ]
    locations: Annotated[
        list[UUID], msgspec.Meta(max_length=500, description="Bound to these; empty: everywhere")
    ] = msgspec.field(default_factory=list)


class StaffChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change about somebody; what is left out stays."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    locale: Locale | msgspec.UnsetType = msgspec.UNSET
    roles: (
        Annotated[list[Role], msgspec.Meta(min_length=1, max_length=6, examples=[["manager"]])]
        | msgspec.UnsetType
    ) = msgspec.UNSET
    locations: Annotated[list[UUID], msgspec.Meta(max_length=500)] | msgspec.UnsetType = msgspec.UNSET


class Staff(msgspec.Struct, frozen=True):
    """A member of staff. Without locations they act everywhere."""

    id: UUID
    email: str
    name: str
    locale: str
    status: Status
    roles: list[str]
    locations: list[UUID]
    has_password: bool
    has_totp: bool
    passkeys: int
    signed_in_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime


class Invited(msgspec.Struct, frozen=True):
    """Somebody invited, and the link to hand to them."""

    staff: Staff
    link: NewLink


_COLUMNS = """p.id, p.email, p.name, p.locale, p.status,
    ARRAY(SELECT role FROM staff_role r WHERE r.staff = p.id ORDER BY role) AS roles,
    ARRAY(SELECT location FROM staff_location l WHERE l.staff = p.id ORDER BY location) AS locations,
    p.password_hash IS NOT NULL AS has_password, p.totp_secret IS NOT NULL AS has_totp,
    (SELECT count(*) FROM passkey k WHERE k.staff = p.id) AS passkeys,
    p.signed_in_at, p.version, p.created_at, p.updated_at"""

STAFF = Listing(
    row=Staff,
    select=_COLUMNS,
    source="staff p",
    key="p.id",
    sorts={
        "name": Sort("p.name"),
        "email": Sort("p.email"),
        "created_at": Sort("p.created_at", "timestamptz"),
    },
    default_sort="name",
    filters={
        "status": Filter("p.status = ANY({})", texts),
        "role": Filter("EXISTS (SELECT FROM staff_role r WHERE r.staff = p.id AND r.role = ANY({}))", texts),
        "q": Filter("strpos(lower(p.name || ' ' || p.email), lower({})) > 0"),
    },
)
"""Everybody who works here, as a list."""


async def get(reader: Reader, staff: UUID) -> Staff:
    """One member of staff.

    Raises:
        NotFound: there is nobody with this id.
    """
    found = await reader.one(Staff, f"SELECT {_COLUMNS} FROM staff p WHERE p.id = $1", staff)
    if found is None:
        raise NotFound("There is nobody with this id.")
    return found


async def by_email(reader: Reader, email: str) -> Staff:
    """One member of staff.

    Raises:
        NotFound: there is nobody with this address.
    """
    sql = f"SELECT {_COLUMNS} FROM staff p WHERE p.email = lower($1)"
    found = await reader.one(Staff, sql, email.strip())
    if found is None:
        raise NotFound(f"There is nobody with the address {email}.")
    return found


async def everybody(reader: Reader) -> list[Staff]:
    """Everybody, by name."""
    return await reader.all(Staff, f"SELECT {_COLUMNS} FROM staff p ORDER BY p.name, p.id")


async def names(reader: Reader) -> dict[str, str]:
    """What everybody is called, by id as actors of events have it: for pages that say who did something."""
    rows = await reader.rows("SELECT id, name FROM staff")
    return {str(row["id"]): row["name"] for row in rows}


async def read(reader: Tx, staff: UUID) -> Staff:
    """One member of staff, for those who may see it.

    Raises:
        Forbidden, NotFound.
    """
    if reader.actor.id != staff:
        reader.actor.require(STAFF_READ)
    return await get(reader, staff)


async def invite(tx: Tx, given: StaffInput, base_url: str) -> Invited:
    """Add somebody and make their one-time link.

    Raises:
        Conflict: the address is taken.
        Forbidden: more rights than the actor has.
    """
    tx.actor.require(STAFF_WRITE)
    _require_over(tx, given.roles, given.locations)
    staff = await add(tx, given, "invited")
    link = await links.make(tx, "invitation", staff.id, base_url)
    fact = StaffInvited(email=staff.email, name=staff.name, roles=staff.roles)
    log.append(tx, fact, subject=staff.id)
    audit.record(tx, "staff.invited", "staff", staff.id, after=_shown(staff))
    return Invited(staff, link)


async def add(tx: Tx, given: StaffInput, status: Status) -> Staff:
    """Insert somebody, without a look at rights; `invite` and the first owner's link come through here.

    Raises:
        Conflict: the address is taken.
    """
    staff = new_id()
    added = await tx.execute(
        """
        WITH added AS (
            INSERT INTO staff (id, email, name, locale, status) VALUES ($1, lower($2), $3, $4, $5)
            ON CONFLICT (email) DO NOTHING RETURNING id)
        , located AS (INSERT INTO staff_location (staff, location) SELECT id, unnest($7::uuid[]) FROM added)
        INSERT INTO staff_role (staff, role) SELECT id, unnest($6::text[]) FROM added
        """,
        staff,
        given.email,
        given.name,
        given.locale,
        status,
        sorted({str(role) for role in given.roles}),
        list(set(given.locations)),
    )
    if not added:
        raise Conflict.at("email", "somebody with this address works here already")
    return await get(tx, staff)


async def change(tx: Tx, staff: UUID, given: StaffChange, expected: int | None = None) -> Staff:
    """Change name, locale, roles, locations.

    Raises:
        Forbidden: more rights than the actor has, before or after.
        LastOwner: nobody else is an active owner.
        NotFound, Outdated.
    """
    tx.actor.require(STAFF_WRITE)
    before = await _take(tx, staff, expected)
    roles = before.roles if given.roles is msgspec.UNSET else sorted({str(role) for role in given.roles})
    locations = before.locations if given.locations is msgspec.UNSET else sorted(set(given.locations))
    if (roles, locations) != (before.roles, before.locations):
        _require_over(tx, roles, locations)
    if Role.OWNER in before.roles and (Role.OWNER not in roles or (locations and not before.locations)):
        await _require_other_owner(tx, staff)
    await tx.execute(
        """
        WITH no_roles AS (DELETE FROM staff_role WHERE staff = $1 AND role <> ALL($4::text[])),
             roles AS (INSERT INTO staff_role (staff, role) SELECT $1, unnest($4::text[]) ON CONFLICT DO NOTHING),
             no_locations AS (DELETE FROM staff_location WHERE staff = $1 AND location <> ALL($5::uuid[])),
             locations AS (INSERT INTO staff_location (staff, location) SELECT $1, unnest($5::uuid[])
                           ON CONFLICT DO NOTHING)
        UPDATE staff SET name = $2, locale = $3, version = version + 1, updated_at = now() WHERE id = $1
        """,
        staff,
        before.name if given.name is msgspec.UNSET else given.name,
        before.locale if given.locale is msgspec.UNSET else given.locale,
        roles,
        locations,
    )
    verb = "staff.roles-changed" if roles != before.roles else "staff.changed"
    return await _changed(tx, verb, before)


async def disable(tx: Tx, staff: UUID) -> Staff:
    """Shut somebody out at once: their sessions and links end. Their name stays in what they did.

    Raises:
        Conflict: it is the actor, who could not take it back.
        LastOwner, Forbidden, NotFound.
    """
    tx.actor.require(STAFF_WRITE)
    if tx.actor.kind == "staff" and tx.actor.id == staff:
        raise Conflict("Nobody can shut themselves out; somebody else has to do it.")
    before = await _take(tx, staff, None)
    if before.status == "disabled":
        return before
    if Role.OWNER in before.roles and before.status == "active":
        await _require_other_owner(tx, staff)
    await _set_status(tx, staff, "disabled")
    await sessions.end_others(tx, staff, None)
    await tx.execute("DELETE FROM one_time_link WHERE staff = $1 AND used_at IS NULL", staff)
    return await _changed(tx, "staff.disabled", before)


async def enable(tx: Tx, staff: UUID) -> Staff:
    """Let somebody in again; with no password and no passkey they are invited, and need a new link."""
    tx.actor.require(STAFF_WRITE)
    before = await _take(tx, staff, None)
    if before.status != "disabled":
        return before
    await _set_status(tx, staff, "active" if before.has_password or before.passkeys else "invited")
    return await _changed(tx, "staff.enabled", before)


async def make_link(tx: Tx, staff: UUID, base_url: str) -> NewLink:
    """A new one-time link: the invitation for who has not come yet, else a password reset.

    Raises:
        Conflict: they are disabled.
        Forbidden: they may do more than the actor (who could become them by it).
    """
    tx.actor.require(STAFF_WRITE)
    found = await _take(tx, staff, None)
    if found.status == "disabled":
        raise Conflict("They are disabled; enable them first.")
    link = await links.make(
        tx, "invitation" if found.status == "invited" else "password-reset", staff, base_url
    )
    log.append(tx, StaffLinkMade(purpose=link.purpose, expires_at=link.expires_at), subject=staff)
    after = {"purpose": link.purpose, "expires_at": link.expires_at}
    audit.record(tx, "staff.link-made", "staff", staff, after=after)
    return link


async def reset_second_factor(tx: Tx, staff: UUID) -> Staff:
    """Remove somebody's TOTP, recovery codes, passkeys and bond to a provider (lost telephone); sessions end."""
    tx.actor.require(STAFF_WRITE)
    before = await _take(tx, staff, None)
    await tx.execute(
        """
        WITH codes AS (DELETE FROM recovery_code WHERE staff = $1),
             keys AS (DELETE FROM passkey WHERE staff = $1)
        UPDATE staff SET totp_secret = NULL, totp_waiting = NULL, oidc_subject = NULL, version = version + 1,
                         updated_at = now()
        WHERE id = $1
        """,
        staff,
    )
    await sessions.end_others(tx, staff, None)
    log.append(tx, StaffFactorChanged(factor="all", change="reset"), subject=staff)
    return await _changed(tx, "staff.second-factor-reset", before)


async def end_sessions(tx: Tx, staff: UUID) -> None:
    """End all of somebody's sessions (a stolen laptop)."""
    tx.actor.require(STAFF_WRITE)
    await _take(tx, staff, None)
    await sessions.end_others(tx, staff, None)


async def _take(tx: Tx, staff: UUID, expected: int | None) -> Staff:
    """Lock the row and read it, if the actor may deal with this person."""
    await tx.execute("SELECT FROM staff WHERE id = $1 FOR UPDATE", staff)
    found = await get(tx, staff)
    check_version(expected, found.version)
    _require_over(tx, found.roles, found.locations)
    return found


def _require_over(tx: Tx, roles: Iterable[str], locations: list[UUID]) -> None:
    """Only who may do everything that these roles may do, everywhere they may, can give or take them."""
    actor = tx.actor
    if actor.kind == "system":
        return
    beyond = permissions_of_roles(list(roles)) - (SHOP_WIDE if locations else set()) - actor.permissions
    if beyond:
        raise Forbidden(
            "Nobody can deal with roles that may do more than they may themselves.", beyond=sorted(beyond)
        )
    if actor.locations is not None and not (locations and actor.locations.issuperset(locations)):
        raise Forbidden(
            "You are bound to locations, so you can deal only with people who are bound to the same."
        )


async def _require_other_owner(tx: Tx, staff: UUID) -> None:
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('samlad.owners ' || current_schema(), 0))"
    )
    others = await tx.value(
        """
        SELECT count(*) FROM staff p JOIN staff_role r ON r.staff = p.id AND r.role = 'owner'
        WHERE p.status = 'active' AND p.id <> $1
          AND NOT EXISTS (SELECT FROM staff_location l WHERE l.staff = p.id)
        """,
        staff,
    )
    if not others:
        raise LastOwner("Make somebody else an owner first.")


async def _set_status(tx: Tx, staff: UUID, status: Status) -> None:
    await tx.execute(
        "UPDATE staff SET status = $2, version = version + 1, updated_at = now() WHERE id = $1", staff, status
    )


async def _changed(tx: Tx, verb: str, before: Staff) -> Staff:
    after = await get(tx, before.id)
    tx.after_commit(recent.forget)
    fact = StaffChanged(status=after.status, roles=after.roles, locations=after.locations)
    log.append(tx, fact, subject=after.id)
    audit.record(tx, verb, "staff", after.id, before=_shown(before), after=_shown(after))
    return after


def _shown(staff: Staff) -> dict[str, object]:
    """What the audit log keeps about somebody: what can be changed."""
    names = ("email", "name", "locale", "status", "roles", "locations", "has_totp", "passkeys")
    return {name: getattr(staff, name) for name in names}


def require_address(text: str) -> str:
    """An e-mail address in lower case, or a fault at ``email``.

    Raises:
        InvalidInput: it is none.
    """
    try:
        return msgspec.convert(text.strip().lower(), Email)
    except msgspec.ValidationError:
        raise InvalidInput.at("email", f"{text!r} is not an e-mail address") from None
