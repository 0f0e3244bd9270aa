"""The second factor: time-based codes (RFC 6238) from an app, and recovery codes for when it is lost."""

import base64
import hashlib
import hmac
import secrets
import time
from typing import Literal, Protocol
from uuid import UUID

import msgspec
import pyotp

from samlad.access import audit, recent
from samlad.access.events import StaffFactorChanged
from samlad.access.problems import SignInFailed
from samlad.kernel import log, qr
from samlad.kernel.database import Tx
from samlad.kernel.problems import Conflict, InvalidInput

STEP_SECONDS = 30
RECOVERY_CODES = 10


class Vault(Protocol):
    """Encryption at rest; the kernel's vault."""

    def seal(self, purpose: str, value: bytes) -> bytes:
        """Encrypt for a purpose."""
        ...

    def open(self, purpose: str, sealed: bytes) -> bytes:
        """Decrypt what was sealed for the same purpose."""
        ...


class Enrolment(msgspec.Struct, frozen=True):
    """What an authenticator app needs: scan ``svg``, follow ``uri``, or type ``secret``."""

    secret: str
    uri: str
    svg: str


class RecoveryCodes(msgspec.Struct, frozen=True):
    """Codes that work once each instead of the app's. Shown once."""

    recovery_codes: list[str]


async def begin(tx: Tx, staff: UUID, vault: Vault) -> Enrolment:
    """Make a secret and its QR code. It counts only after `activate` with a first code.

    Raises:
        Conflict: there is one already.
    """
    row = await tx.row("SELECT email, totp_secret FROM staff WHERE id = $1", staff)
    assert row is not None
    if row["totp_secret"] is not None:
        raise Conflict("Codes are on already. Switch them off first to use another app.")
    secret = pyotp.random_base32()
    sealed = vault.seal(_purpose(staff), secret.encode())
    await tx.execute("UPDATE staff SET totp_waiting = $2 WHERE id = $1", staff, sealed)
    uri = pyotp.TOTP(secret).provisioning_uri(name=row["email"], issuer_name="Samlad")
    return Enrolment(secret, uri, qr.svg(uri))


async def activate(tx: Tx, staff: UUID, code: str, vault: Vault) -> RecoveryCodes:
    """Switch codes on after the app has shown that it has the secret; answers fresh recovery codes.

    Raises:
        Conflict: `begin` was not called.
        InvalidInput: the code is wrong.
    """
    waiting = await tx.value("SELECT totp_waiting FROM staff WHERE id = $1 FOR UPDATE", staff)
    if waiting is None:
        raise Conflict("Scan the code first.")
    step = matching_step(vault.open(_purpose(staff), waiting).decode(), code, time.time())
    if step is None:
        raise InvalidInput.at("code", "not the code that the app shows now; is the telephone's clock right?")
    await tx.execute(
        """
        UPDATE staff SET totp_secret = totp_waiting, totp_waiting = NULL, totp_last_step = $2,
                         version = version + 1, updated_at = now() WHERE id = $1
        """,
        staff,
        step,
    )
    note(tx, staff, "totp", "switched-on")
    return await renew_recovery_codes(tx, staff)


async def deactivate(tx: Tx, staff: UUID) -> None:
    """Switch codes off; the recovery codes go too."""
    await tx.execute(
        """
        WITH codes AS (DELETE FROM recovery_code WHERE staff = $1)
        UPDATE staff SET totp_secret = NULL, totp_waiting = NULL, version = version + 1, updated_at = now()
        WHERE id = $1
        """,
        staff,
    )
    note(tx, staff, "totp", "switched-off")


async def renew_recovery_codes(tx: Tx, staff: UUID) -> RecoveryCodes:
    """Ten new codes; the old ones stop to work.

    Raises:
        Conflict: codes are off, so there is nothing to recover.
    """
    if not await tx.value("SELECT totp_secret IS NOT NULL FROM staff WHERE id = $1", staff):
        raise Conflict("Switch codes on first.")
    codes = [_new_recovery_code() for _ in range(RECOVERY_CODES)]
    await tx.execute("DELETE FROM recovery_code WHERE staff = $1", staff)
    await tx.execute(
        "INSERT INTO recovery_code (staff, code_hash) SELECT $1, unnest($2::bytea[])",
        staff,
        [_recovery_hash(code) for code in codes],
    )
    note(tx, staff, "recovery-codes", "renewed")
    return RecoveryCodes(codes)


async def use(tx: Tx, staff: UUID, code: str, vault: Vault) -> Literal["password+code", "password+recovery"]:
    """Use up a code: each TOTP step counts once, each recovery code works once, also when two come together.

    Raises:
        SignInFailed: wrong, or used before.
    """
    plain = "".join(code.split()).replace("-", "")
    if len(plain) == 6:
        secret = await tx.value("SELECT totp_secret FROM staff WHERE id = $1", staff)
        step = secret and matching_step(vault.open(_purpose(staff), secret).decode(), plain, time.time())
        sql = "UPDATE staff SET totp_last_step = $2 WHERE id = $1 AND totp_last_step < $2"
        if step and await tx.execute(sql, staff, step):
            return "password+code"
    else:
        sql = (
            "UPDATE recovery_code SET used_at = now() WHERE staff = $1 AND code_hash = $2 AND used_at IS NULL"
        )
        if await tx.execute(sql, staff, _recovery_hash(plain)):
            note(tx, staff, "recovery-codes", "used")
            return "password+recovery"
    raise SignInFailed("The code is not right, or was used before.")


def matching_step(secret: str, code: str, at: float) -> int | None:
    """The 30-second step whose code this is: the present one, or one before or after for clocks that differ."""
    totp = pyotp.TOTP(secret)
    now_step = int(at) // STEP_SECONDS
    found = None
    for step in (now_step - 1, now_step, now_step + 1):
        if hmac.compare_digest(totp.at(step * STEP_SECONDS).encode(), code.strip().encode()):
            found = step
    return found


def note(tx: Tx, staff: UUID, factor: str, change: str) -> None:
    """Tell the log and the audit log that a factor changed."""
    tx.after_commit(recent.forget)
    log.append(tx, StaffFactorChanged(factor=factor, change=change), subject=staff)
    audit.record(tx, f"staff.{factor}-{change}", "staff", staff)


def _new_recovery_code() -> str:
    text = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    return "-".join(text[place : place + 4] for place in range(0, 16, 4))


def _recovery_hash(code: str) -> bytes:
    return hashlib.sha256(code.replace("-", "").strip().lower().encode("utf-8", "replace")).digest()


def _purpose(staff: UUID) -> str:
    """Bound to the person, so that a row copied to somebody else does not open."""
    return f"access.totp/{staff}"
