"""Passkeys (WebAuthn): register one, sign in with one. They count as both factors at once."""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from samlad.access import attempts, ceremonies, sign_in
from samlad.access.problems import SignInFailed
from samlad.access.second_factor import note
from samlad.access.sessions import Opened
from samlad.kernel.context import Context
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, InvalidInput, NotFound

MOST = 20


class Site(msgspec.Struct, frozen=True):
    """The site that passkeys belong to: its address as the browser shows it."""

    origin: str

    @property
    def id(self) -> str:
        """The relying party's id: the host without its port."""
        return urlsplit(self.origin).hostname or ""


class Passkey(msgspec.Struct, frozen=True):
    """A registered passkey."""

    id: UUID
    name: str
    created_at: datetime
    last_used: datetime | None


class Challenge(msgspec.Struct, frozen=True):
    """What goes to the browser: ``options`` for ``navigator.credentials``, ``ceremony`` to send back with its answer."""

    ceremony: str
    options: dict[str, Any]


async def of_staff(reader: Reader, staff: UUID) -> list[Passkey]:
    """Somebody's passkeys, oldest first."""
    sql = "SELECT id, name, created_at, last_used FROM passkey WHERE staff = $1 ORDER BY id"
    return await reader.all(Passkey, sql, staff)


async def begin_registration(tx: Tx, staff: UUID, site: Site) -> Challenge:
    """Options for ``navigator.credentials.create``.

    Raises:
        Conflict: they have twenty already.
    """
    from samlad.access import authenticators  # late, it is slow

    person = await tx.row("SELECT email, name FROM staff WHERE id = $1", staff)
    known = await tx.rows("SELECT credential_id FROM passkey WHERE staff = $1", staff)
    assert person is not None
    if len(known) >= MOST:
        raise Conflict(f"At most {MOST} passkeys; remove one first.")
    asked = authenticators.ask_to_register(
        site_id=site.id,
        user_id=staff.bytes,
        email=person["email"],
        name=person["name"],
        known=[row["credential_id"] for row in known],
    )
    data = {"challenge": asked.challenge}
    token = await ceremonies.begin(tx, "passkey-registration", data, staff)
    return Challenge(token, asked.options)


async def register(
    tx: Tx, staff: UUID, site: Site, ceremony: str, credential: dict[str, Any], name: str
) -> Passkey:
    """Keep a passkey that the browser has made.

    Raises:
        InvalidInput: the answer does not fit the challenge, the site or its own signature.
        Conflict: this passkey is known.
    """
    from samlad.access import authenticators  # late, it is slow

    begun = await ceremonies.take(tx, "passkey-registration", ceremony)
    if begun is None or begun.staff != staff:
        raise InvalidInput.at("ceremony", "unknown or too old; begin again")
    try:
        made = authenticators.registered(
            credential, begun.data["challenge"], site_id=site.id, origin=site.origin
        )
    except authenticators.BROKEN as error:
        raise InvalidInput.at("credential", f"cannot be accepted: {error}") from None
    row = await tx.one(
        Passkey,
        """
        INSERT INTO passkey (id, staff, credential_id, public_key, sign_count, name) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (credential_id) DO NOTHING RETURNING id, name, created_at, last_used
        """,
        new_id(),
        staff,
        made.id,
        made.public_key,
        made.sign_count,
        name,
    )
    if row is None:
        raise Conflict("This passkey is known already.")
    note(tx, staff, "passkey", "added")
    return row


async def remove(tx: Tx, staff: UUID, passkey: UUID) -> None:
    """Forget one of one's own passkeys.

    Raises:
        NotFound: it is not theirs.
        Conflict: it is their only way in.
    """
    has_password = await tx.value(
        "SELECT password_hash IS NOT NULL FROM staff WHERE id = $1 FOR UPDATE", staff
    )
    if not await tx.execute("DELETE FROM passkey WHERE id = $1 AND staff = $2", passkey, staff):
        raise NotFound("There is no such passkey.")
    if not has_password and not await tx.value("SELECT count(*) FROM passkey WHERE staff = $1", staff):
        raise Conflict("It is your only way to sign in; set a password first.")
    note(tx, staff, "passkey", "removed")


async def begin_sign_in(tx: Tx, site: Site) -> Challenge:
    """Options for ``navigator.credentials.get``; the browser offers the passkeys that it has for this site."""
    from samlad.access import authenticators  # late, it is slow

    asked = authenticators.ask_to_sign_in(site_id=site.id)
    token = await ceremonies.begin(tx, "passkey-sign-in", {"challenge": asked.challenge})
    return Challenge(token, asked.options)


_FIND = """
SELECT k.id, k.staff, k.public_key, k.sign_count, s.email
FROM passkey k JOIN staff s ON s.id = k.staff WHERE k.credential_id = $1 AND s.status = 'active'
"""


async def sign_in_with(
    database: Database,
    context: Context,
    site: Site,
    ceremony: str,
    credential: dict[str, Any],
    *,
    agent: str = "",
) -> Opened:
    """Open a session by a passkey.

    Raises:
        SignInFailed: unknown passkey, wrong signature, or a challenge that was used or is too old.
        TooMany: too many failed tries from this address.
    """
    await database.transaction(lambda tx: attempts.charge(tx, None, context.remote), context)
    begun = await database.transaction(lambda tx: ceremonies.take(tx, "passkey-sign-in", ceremony), context)
    if begun is None:
        raise SignInFailed("That took too long; try again.")
    row, sign_count = await _verified(database, site, begun.data["challenge"], credential)

    async def work(tx: Tx) -> Opened:
        # An authenticator that counts must count up: a copy of it shows here, also between two at once.
        kept = await tx.execute(
            """
            UPDATE passkey SET sign_count = $2, last_used = now()
            WHERE id = $1 AND (sign_count < $2 OR (sign_count = 0 AND $2 = 0))
            """,
            row["id"],
            sign_count,
        )
        if not kept:
            raise SignInFailed("This passkey cannot be accepted.")
        return await sign_in.welcome(tx, row["staff"], row["email"], "passkey", agent)

    return await database.transaction(work, await sign_in.acting_as(database, context, row["staff"]))


async def _verified(
    database: Database, site: Site, challenge: str, credential: dict[str, Any]
) -> tuple[Any, int]:
    from samlad.access import authenticators  # late, it is slow

    try:
        row = await database.row(_FIND, authenticators.decode(credential["rawId"]))
        if row is None:
            raise SignInFailed("This passkey is not known here.")
        handle = credential["response"].get("userHandle")
        if handle is not None and authenticators.decode(handle) != row["staff"].bytes:
            raise SignInFailed("This passkey is not known here.")
        count = authenticators.signed(
            credential,
            challenge,
            site_id=site.id,
            origin=site.origin,
            public_key=row["public_key"],
            sign_count=row["sign_count"],
        )
    except authenticators.BROKEN:
        raise SignInFailed("This passkey cannot be accepted.") from None
    return row, count
