"""Who stands behind a session's or a key's hash, in one statement each."""

from typing import Any
from uuid import UUID

import msgspec

from samlad.access import recent
from samlad.access.permissions import Role, permissions, permissions_of
from samlad.access.sessions import COLUMNS, IDLE, KIOSK_IDLE, Session
from samlad.kernel.context import GUEST, Actor
from samlad.kernel.database import Database, Reader


class Identity(msgspec.Struct, frozen=True):
    """Who acts. With a session that waits for its code the actor is still a guest."""

    actor: Actor
    session: Session | None = None


_SESSION = f"""
WITH touched AS (
    UPDATE session SET last_seen = now(), idle_until = least(now() + CASE WHEN kiosk IS NULL THEN $2::interval ELSE $3::interval END, ends_at)
    WHERE token_hash = $1 AND state = 'signed-in' AND last_seen < now() - interval '1 minute'
      AND idle_until > now() AND ends_at > now()
)
SELECT {", ".join(f"s.{name.strip()}" for name in COLUMNS.split(","))}, p.name,
       ARRAY(SELECT role FROM staff_role r WHERE r.staff = p.id) AS roles,
       ARRAY(SELECT location FROM staff_location l WHERE l.staff = p.id) AS locations, c.name AS clerk_name,
       ARRAY(SELECT role FROM staff_role r WHERE r.staff = c.id) AS clerk_roles,
       ARRAY(SELECT location FROM staff_location l WHERE l.staff = c.id) AS clerk_locations
FROM session s JOIN staff p ON p.id = s.staff LEFT JOIN staff c ON c.id = s.clerk AND c.status = 'active'
WHERE s.token_hash = $1 AND s.idle_until > now() AND s.ends_at > now() AND p.status = 'active'
"""

SENDS = "tills.record"
"""What a till that is locked may still do. The permission is of `samlad.tills`, above."""

_KEY = """
WITH touched AS (
    UPDATE api_key SET last_used = now()
    WHERE key_hash = $1 AND revoked_at IS NULL AND (last_used IS NULL OR last_used < now() - interval '1 minute')
)
SELECT id, name, scopes, locations FROM api_key
WHERE key_hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
"""

_ACCESS = """
SELECT c.id, c.name, c.locations, ARRAY(SELECT unnest(t.scopes) INTERSECT SELECT unnest(c.scopes)) AS scopes
FROM oauth_token t JOIN oauth_client c ON c.id = t.client
WHERE t.token_hash = $1 AND t.revoked_at IS NULL AND t.expires_at > now() AND c.revoked_at IS NULL
"""

_STAFF = """
SELECT p.id, p.name,
       ARRAY(SELECT role FROM staff_role r WHERE r.staff = p.id) AS roles,
       ARRAY(SELECT location FROM staff_location l WHERE l.staff = p.id) AS locations
FROM staff p WHERE p.id = $1
"""


async def of_session(database: Database, token_hash: bytes) -> Identity | None:
    """Whose session it is, or None: unknown, ended, expired, or its owner is disabled."""
    known: Identity | None = recent.recall(token_hash)
    if known is not None:
        return known
    asked_in = recent.generation()
    row = await database.row(_SESSION, token_hash, IDLE, KIOSK_IDLE)
    if row is None:
        return None
    session = Session(*[row[name] for name in Session.__struct_fields__])
    actor = GUEST
    if session.state == "signed-in":
        actor = staff_actor(session.staff, row["name"], row["roles"], row["locations"])
    if session.kiosk is not None:
        actor = _at_kiosk(session, actor)
    elif session.is_till:
        actor = _at_till(session, actor, row)
    identity = Identity(actor, session)
    recent.remember(token_hash, identity, asked_in)
    return identity


def _at_kiosk(session: Session, owner: Actor) -> Actor:
    """A kiosk: it may send what was sold at its place, as long as whoever set it up may; nothing else, whoever that was."""
    places = frozenset({session.kiosk}) if session.kiosk is not None else frozenset()
    sends = (
        owner.permissions & {SENDS} if owner.locations is None or places <= owner.locations else frozenset()
    )
    return Actor(kind="kiosk", id=session.id, name=session.kiosk_name, permissions=sends, locations=places)


def _at_till(session: Session, owner: Actor, row: Any) -> Actor:
    """Who is on at a till, where also whoever signed it in may be. Locked, it may only send what was sold."""
    if row["clerk_name"] is None:
        sends = owner.permissions & {SENDS}
        return Actor(kind="key", id=session.id, name="", permissions=sends, locations=owner.locations)
    clerk = staff_actor(session.clerk, row["clerk_name"], row["clerk_roles"], row["clerk_locations"])  # type: ignore[arg-type]
    places = (
        clerk.locations if owner.locations is None else owner.locations & (clerk.locations or owner.locations)
    )
    return msgspec.structs.replace(clerk, locations=places)


async def of_key(database: Database, key_hash: bytes) -> Identity | None:
    """Whose key it is, or None: unknown, revoked, expired."""
    return await _of_machine(database, key_hash, _KEY)


async def of_token(database: Database, hashed: bytes) -> Identity | None:
    """Which OAuth client's token it is, or None: unknown, given back, expired. It may do what the client still may."""
    return await _of_machine(database, hashed, _ACCESS)


async def _of_machine(database: Database, key_hash: bytes, statement: str) -> Identity | None:
    known: Identity | None = recent.recall(key_hash)
    if known is not None:
        return known
    asked_in = recent.generation()
    row = await database.row(statement, key_hash)
    if row is None:
        return None
    locations = None if row["locations"] is None else frozenset(row["locations"])
    scopes = frozenset(row["scopes"]) & permissions().keys()
    identity = Identity(
        Actor(kind="key", id=row["id"], name=row["name"], permissions=scopes, locations=locations)
    )
    recent.remember(key_hash, identity, asked_in)
    return identity


async def of_staff(reader: Reader, staff: UUID) -> Actor:
    """A member of staff as an actor; they must exist."""
    row = await reader.row(_STAFF, staff)
    assert row is not None
    return staff_actor(row["id"], row["name"], row["roles"], row["locations"])


async def who_asked(reader: Reader, then: Any) -> Actor:
    """Who asked for work that is done later, with what they might do then (as it was kept) and still may."""
    actor = msgspec.convert(then, Actor)
    if actor.kind != "staff" or actor.id is None:
        return actor
    row = await reader.row("SELECT status FROM staff WHERE id = $1", actor.id)
    if row is None:  # somebody of another system, by OpenID Connect
        return actor
    if row["status"] != "active":
        return msgspec.structs.replace(actor, permissions=frozenset())
    today = await of_staff(reader, actor.id)
    return msgspec.structs.replace(today, permissions=today.permissions & actor.permissions)


def staff_actor(staff: UUID, name: str, roles: list[Any], locations: list[UUID]) -> Actor:
    """An actor from roles; without locations they act everywhere."""
    return Actor(
        kind="staff",
        id=staff,
        name=name,
        permissions=permissions_of_roles(roles),
        locations=frozenset(locations) or None,
    )


def permissions_of_roles(roles: list[Any]) -> frozenset[str]:
    """All permissions of some roles; roles that this program does not know give none."""
    return frozenset().union(*(permissions_of(role) for role in Role if role in roles))
