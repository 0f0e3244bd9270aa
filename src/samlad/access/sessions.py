"""Sessions: who a browser is. The cookie holds a secret of which we keep only the hash."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from samlad.access import audit, recent
from samlad.access.events import StaffSignedOut
from samlad.access.problems import ConfirmFirst
from samlad.access.tokens import new_token, token_hash
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.context import Actor
from samlad.kernel.database import Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import NotFound, Unauthenticated

State = Literal["code-needed", "signed-in"]
Means = Literal["password", "password+code", "password+recovery", "passkey", "oidc", "link"]

IDLE = timedelta(hours=12)
"""A session nobody uses for so long has ended; a working day."""
ABSOLUTE = timedelta(days=7)
WAITING_FOR_CODE = timedelta(minutes=10)
KIOSK_IDLE, KIOSK_ABSOLUTE = timedelta(days=14), timedelta(days=365)
"""A kiosk stands where it stands, and may do next to nothing."""
FRESH = timedelta(minutes=15)


class Session(msgspec.Struct, frozen=True):
    """One signed-in browser. ``agent`` is a short summary of what it calls itself.

    ``is_till``: it was handed to a till (`samlad.access.clerks`) and opens nothing else; ``clerk`` is on there, nobody: locked.
    ``kiosk``: the location where customers serve themselves at it (`samlad.access.kiosks`); one waits for staff since ``help_at``.
    """

    id: UUID
    staff: UUID
    state: State
    means: str
    created_at: datetime
    confirmed_at: datetime
    last_seen: datetime
    idle_until: datetime
    ends_at: datetime
    remote: str | None
    agent: str
    is_till: bool = False
    clerk: UUID | None = None
    kiosk: UUID | None = None
    kiosk_name: str = ""
    help_at: datetime | None = None


class Opened(msgspec.Struct, frozen=True):
    """A session that was just opened; ``token`` goes into the cookie and is kept nowhere else."""

    session: Session
    token: str


COLUMNS = ", ".join(Session.__struct_fields__)


async def open_session(tx: Tx, staff: UUID, state: State, means: Means, agent: str) -> Opened:
    """A new session with a new secret: what was in the browser before is never taken over."""
    token, moment = new_token(), now()
    lifetime = ABSOLUTE if state == "signed-in" else WAITING_FOR_CODE
    session = Session(
        id=new_id(),
        staff=staff,
        state=state,
        means=means,
        created_at=moment,
        confirmed_at=moment,
        last_seen=moment,
        idle_until=moment + min(IDLE, lifetime),
        ends_at=moment + lifetime,
        remote=tx.context.remote,
        agent=summary(agent),
    )
    values = [getattr(session, name) for name in Session.__struct_fields__]
    places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
    await tx.execute(
        f"INSERT INTO session ({COLUMNS}, token_hash) VALUES ({places}, ${len(values) + 1})",
        *values,
        token_hash(token),
    )
    return Opened(session, token)


async def of_staff(reader: Reader, staff: UUID) -> list[Session]:
    """Somebody's open sessions, latest used first."""
    return await reader.all(
        Session,
        f"""
        SELECT {COLUMNS} FROM session
        WHERE staff = $1 AND state = 'signed-in' AND idle_until > now() AND ends_at > now()
        ORDER BY last_seen DESC, id
        """,
        staff,
    )


async def end(tx: Tx, staff: UUID, ids: Sequence[UUID]) -> None:
    """End some of somebody's sessions, from elsewhere.

    Raises:
        NotFound: none of them is theirs.
    """
    sql = "DELETE FROM session WHERE staff = $1 AND id = ANY($2) RETURNING id"
    if not await _end(tx, staff, sql, staff, list(ids)):
        raise NotFound("There is no such session.")


async def sign_out(tx: Tx, session: Session) -> None:
    """End the session that asks for it; fine if it has ended."""
    await _end(tx, session.staff, "DELETE FROM session WHERE id = $1 RETURNING id", session.id)


async def end_others(tx: Tx, staff: UUID, keep: UUID | None) -> None:
    """End all of somebody's sessions but one; fine if there is no other."""
    sql = "DELETE FROM session WHERE staff = $1 AND id IS DISTINCT FROM $2 RETURNING id"
    await _end(tx, staff, sql, staff, keep)


async def _end(tx: Tx, staff: UUID, sql: str, *args: object) -> int:
    gone = [row["id"] for row in await tx.rows(sql, *args)]
    if gone:
        tx.after_commit(recent.forget)
        log.append(tx, StaffSignedOut(sessions=gone), subject=staff)
        if tx.actor.id != staff:
            audit.record(tx, "staff.sessions-ended", "staff", staff, before={"sessions": gone})
    return len(gone)


async def replace_confirmed(tx: Tx, session: Session) -> None:
    """Note that the session's owner has just proved again who they are."""
    await tx.execute("UPDATE session SET confirmed_at = now() WHERE id = $1", session.id)
    tx.after_commit(recent.forget)


def require_own(actor: Actor) -> UUID:
    """The id of the member of staff who acts.

    Raises:
        Unauthenticated: a guest, a key or a program.
    """
    if actor.kind != "staff" or actor.id is None:
        raise Unauthenticated("Sign in as a person for this.")
    return actor.id


def require_fresh(session: Session | None) -> Session:
    """The session, when its owner has proved who they are in the last 15 minutes.

    Raises:
        Unauthenticated: no session at all (an API key cannot change how people sign in).
        ConfirmFirst: too long ago.
    """
    if session is None or session.state != "signed-in":
        raise Unauthenticated("Sign in as a person for this.")
    if now() - session.confirmed_at > FRESH:
        raise ConfirmFirst("Type your password again, or use your passkey.")
    return session


_SYSTEMS = ("iPhone", "iPad", "Android", "Windows", "Mac OS", "CrOS", "Linux")
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)


def summary(agent: str) -> str:
    """``Firefox on Windows`` from a User-Agent; its first word when it is none that we know."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for name in _SYSTEMS if name in agent), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or agent.split("/")[0].split(" ")[0][:40]


async def forget_old(tx: Tx) -> None:
    """Remove what is over: sessions, links, ceremonies and old tries."""
    await tx.execute("DELETE FROM session WHERE ends_at < now() OR idle_until < now()")
    await tx.execute("DELETE FROM one_time_link WHERE expires_at < now() - interval '30 days'")
    await tx.execute("DELETE FROM ceremony WHERE expires_at < now()")
    await tx.execute("DELETE FROM sign_in_attempt WHERE last_at < now() - interval '1 day'")
