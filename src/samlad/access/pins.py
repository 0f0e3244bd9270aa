"""PINs: a manager approves something at a till where somebody else works, and clerks take turns at one (`clerks`).
Never a way to sign in.

Tries are counted as those of signing in are, but apart from them: guessing a PIN locks nobody out of their account.
"""

import itertools
from uuid import UUID

import msgspec

from samlad.access import attempts, clerks, passwords, sessions
from samlad.access.identity import staff_actor
from samlad.access.problems import ApprovalRefused
from samlad.access.second_factor import note
from samlad.kernel.context import Context
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.i18n import marked
from samlad.kernel.problems import InvalidInput

SHORTEST, LONGEST = 4, 8
NOT_APPROVED = marked("The address or the PIN is wrong, or they may not approve this here.")
FOUR_TO_EIGHT = marked("must be four to eight digits")
TOO_EASY = marked("is one of the first that anybody would try; take another one")


class Approver(msgspec.Struct, frozen=True):
    """Who has approved something, as `approve` found them."""

    id: UUID
    name: str


async def set_pin(database: Database, context: Context, pin: str) -> None:
    """Choose one's own PIN; the one before holds no more.

    Raises:
        InvalidInput: not four to eight digits, or one that anybody would try first.
    """
    who = sessions.require_own(context.actor)
    if not (pin.isascii() and pin.isdigit() and SHORTEST <= len(pin) <= LONGEST):
        raise InvalidInput.at("pin", FOUR_TO_EIGHT)
    if is_easy(pin):
        raise InvalidInput.at("pin", TOO_EASY)
    pin_hash, till_check = await passwords.hashed(pin), await clerks.check_of(pin)

    async def work(tx: Tx) -> None:
        await tx.execute(
            """INSERT INTO staff_pin (staff, pin_hash, till_check, digits) VALUES ($1, $2, $3, $4)
               ON CONFLICT (staff) DO UPDATE SET pin_hash = excluded.pin_hash, till_check = excluded.till_check,
                                                 digits = excluded.digits, set_at = now()""",
            who,
            pin_hash,
            till_check,
            len(pin),
        )
        note(tx, who, "pin", "changed")

    await database.transaction(work, context)


def is_easy(pin: str) -> bool:
    """Whether a PIN is one digit again and again, or counts up or down."""
    steps = {int(later) - int(earlier) for earlier, later in itertools.pairwise(pin)}
    return steps in ({0}, {1}, {-1})


async def has_pin(reader: Reader, staff: UUID) -> bool:
    """Whether somebody has a PIN."""
    return bool(await reader.value("SELECT EXISTS (SELECT FROM staff_pin WHERE staff = $1)", staff))


async def approve(
    database: Database, context: Context, email: str, pin: str, permission: str, location: UUID | None
) -> Approver:
    """Somebody approves with their PIN what needs a permission at a location. Outside of any transaction.

    Raises:
        ApprovalRefused: no such account or PIN, or they may not do so there; it is not said which.
        TooMany: too many failed tries.
    """
    key = f"pin:{email.strip().lower()}"
    await database.transaction(lambda tx: attempts.charge(tx, key, None), context)
    row = await database.row(
        """SELECT p.id, p.name, n.pin_hash, n.digits,
                  ARRAY(SELECT role FROM staff_role r WHERE r.staff = p.id) AS roles,
                  ARRAY(SELECT location FROM staff_location l WHERE l.staff = p.id) AS locations
           FROM staff p JOIN staff_pin n ON n.staff = p.id WHERE p.email = $1 AND p.status = 'active'""",
        email.strip().lower(),
    )
    is_right = await passwords.matches(None if row is None else row["pin_hash"], pin)
    if row is None or not is_right:
        raise ApprovalRefused(NOT_APPROVED)
    actor = staff_actor(row["id"], row["name"], row["roles"], row["locations"])
    if not actor.may(permission, location):
        raise ApprovalRefused(NOT_APPROVED)

    async def work(tx: Tx) -> None:
        await clerks.learn(tx, row, pin)
        await attempts.settle(tx, key, None)

    await database.transaction(work, context)
    return Approver(row["id"], row["name"])
