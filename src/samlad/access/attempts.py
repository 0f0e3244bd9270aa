"""Failed tries to sign in: growing pauses per account and per address, known account or not.

A try is charged before its secret is looked at, so that fifty at once count as fifty. Success refunds it.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime

import msgspec

from samlad.access.events import StaffLocked
from samlad.kernel import log
from samlad.kernel.database import Tx
from samlad.kernel.problems import TooMany


class Patience(msgspec.Struct, frozen=True):
    """``free`` tries cost nothing; then each try is followed by a pause that doubles up to ``longest`` seconds."""

    free: int
    first: int
    longest: int


ACCOUNT = Patience(free=5, first=30, longest=900)
# An address may be a whole shop behind one router, hence more patience.
ADDRESS = Patience(free=30, first=60, longest=900)

_CHARGE = """
INSERT INTO sign_in_attempt AS a (kind, key, failed, last_at)
SELECT kind, key, 1, now() FROM unnest($1::text[], $2::bytea[]) AS t(kind, key)
ON CONFLICT (kind, key) DO UPDATE SET
    failed = CASE WHEN a.last_at < now() - interval '1 day' THEN 1 ELSE a.failed + 1 END,
    last_at = now(),
    locked_until = CASE
        WHEN a.last_at < now() - interval '1 day' OR a.failed + 1 < CASE a.kind WHEN 'account' THEN $3::int ELSE $6::int END
        THEN '-infinity'
        WHEN a.kind = 'account'
        THEN now() + make_interval(secs => least($5::float8, $4::float8 * 2 ^ least(a.failed + 1 - $3::int, 20)))
        ELSE now() + make_interval(secs => least($8::float8, $7::float8 * 2 ^ least(a.failed + 1 - $6::int, 20))) END
WHERE a.locked_until <= clock_timestamp()
RETURNING kind, failed, locked_until
"""


Tell = Callable[[Tx, int, datetime], object]
"""Appends what the log is told of an account that pauses: how many tries failed, and until when it pauses."""


async def charge(tx: Tx, email: str | None, remote: str | None, *, tell: Tell | None = None) -> None:
    """Count one try for an account, an address, or both. Commit it before the secret is looked at.

    ``email`` is whatever names the account; who is not staff is named otherwise and ``tell`` something of their own.

    Raises:
        TooMany: one of them pauses; ``retry_after`` in seconds. Nothing was counted then.
    """
    kinds, keys = _keys(email, remote)
    if not kinds:
        return
    rows = await tx.rows(
        _CHARGE,
        kinds,
        keys,
        *(ACCOUNT.free, float(ACCOUNT.first), float(ACCOUNT.longest)),
        *(ADDRESS.free, float(ADDRESS.first), float(ADDRESS.longest)),
    )
    if len(rows) < len(kinds):
        raise TooMany("Too many tries. Wait a little.", retry_after=await _seconds_left(tx, kinds, keys))
    for row in rows:
        if row["kind"] == "account" and email is not None and row["failed"] >= ACCOUNT.free:
            failed, until = row["failed"], row["locked_until"]
            if tell is not None:
                tell(tx, failed, until)
            else:
                log.append(tx, StaffLocked(email=email, failed=failed, until=until, remote=remote))


async def _seconds_left(tx: Tx, kinds: list[str], keys: list[bytes]) -> int:
    return int(
        await tx.value(
            """
            SELECT greatest(1, ceil(extract(epoch FROM max(a.locked_until) - clock_timestamp())))::int
            FROM unnest($1::text[], $2::bytea[]) AS t(kind, key) JOIN sign_in_attempt a USING (kind, key)
            WHERE isfinite(a.locked_until)
            """,
            kinds,
            keys,
        )
        or 1
    )


async def settle(tx: Tx, email: str | None, remote: str | None) -> None:
    """The try was right: the account starts afresh, the address gets this one try back."""
    kinds, keys = _keys(email, remote)
    await tx.execute(
        """
        WITH tried AS (SELECT * FROM unnest($1::text[], $2::bytea[]) AS t(kind, key)),
             fresh AS (DELETE FROM sign_in_attempt a USING tried t
                       WHERE a.kind = 'account' AND t.kind = 'account' AND a.key = t.key)
        UPDATE sign_in_attempt a SET failed = greatest(a.failed - 1, 0), locked_until = '-infinity'
        FROM tried t WHERE a.kind = 'address' AND t.kind = 'address' AND a.key = t.key
        """,
        kinds,
        keys,
    )


def _keys(email: str | None, remote: str | None) -> tuple[list[str], list[bytes]]:
    """Account before address: everyone locks rows in the same order. Hashed, so that no table of guesses is kept."""
    pairs = [("account", email and email.strip().lower()), ("address", remote)]
    known = [(kind, hashlib.sha256(text.encode("utf-8", "replace")).digest()) for kind, text in pairs if text]
    return [kind for kind, _ in known], [key for _, key in known]
