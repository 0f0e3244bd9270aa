"""Who is on at a till: changed by a tap and a PIN, or by a badge, without a page of login between.

The browser of a till was signed in once by somebody. From its first change of clerk its session is the till's: it opens
the addresses of the till and nothing else, with the rights of whoever is on there and only where both may be. Locked, it
may still send what was sold. A PIN or a badge opens no session by itself, and nothing outside of a till.
"""

import base64
import hashlib
import os
import re
import secrets
from typing import Any
from uuid import UUID

import msgspec

from samlad.access import attempts, passwords, recent
from samlad.access.events import ClerkChanged
from samlad.access.identity import staff_actor
from samlad.access.problems import WrongPin
from samlad.access.second_factor import note
from samlad.access.sessions import Session
from samlad.access.tokens import token_hash
from samlad.kernel import log
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.problems import Unauthenticated

LONG = 6
"""From so many digits on a PIN is not tried through in hours by whoever takes a device apart: a million, not 10,000."""
ROUNDS = 600_000
"""OWASP Password Storage Cheat Sheet (2024) for PBKDF2-HMAC-SHA-256."""
_SALT_BYTES, _CHECK = 16, "pbkdf2-sha256"
_SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_BADGE = re.compile(r"^K[0-9A-HJKMNP-TV-Z]{19}$")

_PLACES = re.compile(
    r"^/(?:pos(?:/.*)?|live|api/till-.*"
    r"|api/(?:orders|fulfilments|appointments)/[^/]+/[a-z-]+\.(?:escpos|pdf|zpl|ics))$"
)


class OnTill(msgspec.Struct, frozen=True):
    """Somebody who can be on at a till. ``till_check`` and ``badge`` (hex) are what a till without network compares with.

    ``digits``: how long their PIN is, None where that is not known yet.
    """

    id: UUID
    name: str
    actor: Actor
    till_check: str | None
    badge: str | None
    digits: int | None

    @property
    def has_long_pin(self) -> bool:
        """Whether their PIN is known to be `LONG`; one of unknown length counts as short."""
        return self.digits is not None and self.digits >= LONG


class TillCheck(msgspec.Struct, frozen=True):
    """How a browser checks a PIN: PBKDF2-HMAC-SHA-256 over it; salt and hash in base64."""

    salt: str
    rounds: int
    hash: str


def is_of_till(path: str) -> bool:
    """Whether a till's session counts at an address."""
    return _PLACES.match(path) is not None


def is_badge(text: str) -> bool:
    """Whether a text has the form of a badge's code."""
    return _BADGE.match(plain(text)) is not None


def plain(text: str) -> str:
    """A badge's code as it is compared."""
    return text.strip().upper()


def new_badge_code() -> str:
    """95 random bits as they fit a barcode."""
    return "K" + "".join(secrets.choice(_SIGNS) for _ in range(19))


async def check_of(pin: str) -> str:
    """What a till without network compares a PIN with: as slow to make as to try."""
    salt = os.urandom(_SALT_BYTES)
    made = await passwords.derived(pin, salt, ROUNDS)
    return "$".join((_CHECK, str(ROUNDS), base64.b64encode(salt).decode(), base64.b64encode(made).decode()))


def read_check(text: str | None) -> TillCheck | None:
    """A check as browsers read it; None where there is none."""
    if text is None:
        return None
    _, rounds, salt, made = text.split("$")
    return TillCheck(salt, int(rounds), made)


_FOUND = """
SELECT p.id, p.name, n.pin_hash, n.till_check, n.digits, encode(b.code_hash, 'hex') AS badge, p.email,
       ARRAY(SELECT role FROM staff_role r WHERE r.staff = p.id) AS roles,
       ARRAY(SELECT location FROM staff_location l WHERE l.staff = p.id) AS locations
FROM staff p LEFT JOIN staff_pin n ON n.staff = p.id LEFT JOIN staff_badge b ON b.staff = p.id
WHERE p.status = 'active' AND (n.staff IS NOT NULL OR b.staff IS NOT NULL)
"""


async def who_can_be_on(reader: Reader, permission: str, location: UUID) -> list[OnTill]:
    """Who has a PIN or a badge and a permission at a location, by name."""
    rows = await reader.rows(
        f"""{_FOUND} AND (NOT EXISTS (SELECT FROM staff_location l WHERE l.staff = p.id)
                          OR EXISTS (SELECT FROM staff_location l WHERE l.staff = p.id AND l.location = $1))
            ORDER BY p.name, p.id LIMIT 500""",
        location,
    )
    found = [
        OnTill(
            id=row["id"],
            name=row["name"],
            actor=staff_actor(row["id"], row["name"], row["roles"], row["locations"]),
            till_check=row["till_check"],
            badge=row["badge"],
            digits=row["digits"],
        )
        for row in rows
    ]
    return [each for each in found if each.actor.may(permission, location)]


async def sign_on(
    database: Database,
    context: Context,
    session: Session | None,
    given: tuple[UUID, str] | str,
    permission: str,
    location: UUID,
) -> Actor:
    """Somebody is on at the till of a session from now on: by who they are and their PIN, or by their badge's code.

    Raises: as `prove`.
    """
    actor = await prove(database, context, session, given, permission, location)
    assert session is not None, "it was looked at"
    await database.transaction(lambda tx: _put(tx, session, actor.id), context)
    return actor


async def prove(
    database: Database,
    context: Context,
    session: Session | None,
    given: tuple[UUID, str] | str,
    permission: str,
    location: UUID,
) -> Actor:
    """Who stands before a session's device: by who they are and their PIN, or by their badge's code.

    Outside of any transaction: a try is counted before the PIN is looked at.

    Raises:
        WrongPin: no such person, PIN or badge, or they may not work there; it is not said which.
        TooMany: too many failed tries.
        Unauthenticated: nobody has signed this browser in.
    """
    if session is None or session.state != "signed-in":
        raise Unauthenticated("Sign this till in first.")
    if isinstance(given, str):
        row = await database.row(f"{_FOUND} AND b.code_hash = $1", token_hash(plain(given)))
        if row is None:
            await database.transaction(
                lambda tx: attempts.charge(tx, f"badge:{session.id}", context.remote), context
            )
        return _may_work(row, permission, location)
    who, pin = given
    row = await database.row(f"{_FOUND} AND p.id = $1", who)
    key = f"pin:{row['email'] if row else who}"
    await database.transaction(lambda tx: attempts.charge(tx, key, None), context)
    if not await passwords.matches(None if row is None else row["pin_hash"], pin):
        raise WrongPin("The PIN is wrong, or they may not work here.")
    actor = _may_work(row, permission, location)
    assert row is not None, "they may work"
    check = await check_of(pin) if row["till_check"] is None else None

    async def work(tx: Tx) -> None:
        await learn(tx, row, pin, check)
        await attempts.settle(tx, key, None)

    await database.transaction(work, context)
    return actor


async def learn(tx: Tx, row: Any, pin: str, check: str | None = None) -> None:
    """Keep of a right PIN what was not kept when it was set: its length, and what a till without network compares with.

    ``row``: the person's ``id``, ``pin_hash`` and ``digits`` as the PIN was looked at; a PIN set since then learns nothing.
    """
    if check is None and row["digits"] is not None:
        return
    await tx.execute(
        """UPDATE staff_pin SET till_check = coalesce(till_check, $2), digits = $3
           WHERE staff = $1 AND pin_hash = $4 AND (till_check IS NULL OR digits IS NULL)""",
        row["id"],
        check,
        len(pin),
        row["pin_hash"],
    )


def _may_work(row: Any, permission: str, location: UUID) -> Actor:
    actor = None if row is None else staff_actor(row["id"], row["name"], row["roles"], row["locations"])
    if actor is None or actor.id is None or not actor.may(permission, location):
        raise WrongPin("The PIN is wrong, or they may not work here.")
    return actor


async def lock(tx: Tx, session: Session | None) -> None:
    """Nobody is on until somebody is again; what is on the ticket stays there.

    Raises:
        Unauthenticated: nobody has signed this browser in.
    """
    if session is None or session.state != "signed-in":
        raise Unauthenticated("Sign this till in first.")
    await _put(tx, session, None)


async def _put(tx: Tx, session: Session, clerk: UUID | None) -> None:
    changed = await tx.execute(
        """UPDATE session SET is_till = true, clerk = $2
           WHERE id = $1 AND state = 'signed-in' AND kiosk IS NULL AND (NOT is_till OR clerk IS DISTINCT FROM $2)""",
        session.id,
        clerk,
    )
    if changed:
        tx.after_commit(recent.forget)
        log.append(tx, ClerkChanged(clerk=clerk), subject=session.id)


async def make_badge(tx: Tx, staff: UUID) -> str:
    """A new badge for somebody, as its code, which is shown this one time; the one before holds no more."""
    code = new_badge_code()
    await tx.execute(
        """INSERT INTO staff_badge (staff, code_hash) VALUES ($1, $2)
           ON CONFLICT (staff) DO UPDATE SET code_hash = excluded.code_hash, made_at = now()""",
        staff,
        token_hash(code),
    )
    note(tx, staff, "badge", "changed")
    return code


def badge_key(salt: str, badge: str) -> str:
    """What a till without network looks a badge up by; good on one till."""
    return hashlib.sha256(f"{salt}{badge}".encode()).hexdigest()[:32]
