"""Signing in: with a password and perhaps a code. (Passkeys and OpenID Connect have modules of their own.)

These take the database, not a transaction: a try is committed before its secret is looked at, and the hashing,
which takes its time on purpose, holds no connection.
"""

from uuid import UUID

import msgspec

from samlad.access import attempts, audit, passwords, recent, second_factor
from samlad.access.events import StaffSignedIn
from samlad.access.identity import of_staff
from samlad.access.problems import SignInFailed
from samlad.access.second_factor import Vault
from samlad.access.sessions import Means, Opened, Session, open_session, replace_confirmed
from samlad.kernel import log
from samlad.kernel.context import Context
from samlad.kernel.database import Database, Tx


class _Account(msgspec.Struct, frozen=True):
    id: UUID
    email: str
    password_hash: str | None
    has_totp: bool


_ACCOUNT = """
SELECT id, email, password_hash, totp_secret IS NOT NULL AS has_totp FROM staff WHERE {} AND status = 'active'
"""


async def with_password(
    database: Database, context: Context, email: str, password: str, *, agent: str = ""
) -> Opened:
    """Open a session by e-mail and password; with TOTP its state is ``code-needed`` and it may do nothing yet.

    The answer and its cost are the same for a wrong password, an unknown address and a disabled account.

    Raises:
        SignInFailed: something is not right.
        TooMany: this account or this address pauses after failed tries.
    """
    email = email.strip().replace("\0", "")
    await database.transaction(lambda tx: attempts.charge(tx, email, context.remote), context)
    account = await database.one(_Account, _ACCOUNT.format("email = lower($1)"), email)
    right = await passwords.matches(account.password_hash if account else None, password)
    if account is None or not right:
        raise SignInFailed("E-mail or password is not right.")
    fresh_hash = None
    if passwords.is_outdated(account.password_hash or ""):
        fresh_hash = await passwords.hashed(password)

    async def work(tx: Tx) -> Opened:
        if fresh_hash is not None:
            sql = "UPDATE staff SET password_hash = $2 WHERE id = $1 AND password_hash = $3"
            await tx.execute(sql, account.id, fresh_hash, account.password_hash)
        if account.has_totp:
            return await open_session(tx, account.id, "code-needed", "password", agent)
        return await welcome(tx, account.id, account.email, "password", agent)

    return await database.transaction(work, await acting_as(database, context, account.id))


async def with_code(
    database: Database, context: Context, waiting: Session, code: str, vault: Vault, *, agent: str = ""
) -> Opened:
    """Complete a session that waits for its code: a TOTP or a recovery code. The old session ends.

    Raises:
        SignInFailed: the code is wrong, or was used before.
        TooMany: too many failed tries.
    """
    if waiting.state != "code-needed":
        raise SignInFailed("This session does not wait for a code.")
    account = await database.one(_Account, _ACCOUNT.format("id = $1"), waiting.staff)
    if account is None:
        raise SignInFailed("That did not work.")
    await database.transaction(lambda tx: attempts.charge(tx, account.email, context.remote), context)

    async def work(tx: Tx) -> Opened:
        # The waiting session is used up first: of two right codes at once only one gets in.
        if not await tx.execute("DELETE FROM session WHERE id = $1 AND state = 'code-needed'", waiting.id):
            raise SignInFailed("This session does not wait for a code.")
        tx.after_commit(recent.forget)
        means = await second_factor.use(tx, account.id, code, vault)
        return await welcome(tx, account.id, account.email, means, agent)

    return await database.transaction(work, await acting_as(database, context, account.id))


async def confirm(database: Database, context: Context, session: Session, password: str) -> None:
    """Prove again who one is, before something that needs it.

    Raises:
        SignInFailed: wrong password.
        TooMany: too many failed tries.
    """
    await verify_password(database, context, session.staff, password)
    await database.transaction(lambda tx: replace_confirmed(tx, session), context)


async def verify_password(database: Database, context: Context, staff: UUID, password: str) -> None:
    """Whether this is the password of somebody who is signed in already; wrong tries count as in signing in.

    Raises:
        SignInFailed: wrong password.
        TooMany: too many failed tries.
    """
    account = await database.one(_Account, _ACCOUNT.format("id = $1"), staff)
    if account is None:
        raise SignInFailed("That did not work.")
    await database.transaction(lambda tx: attempts.charge(tx, account.email, context.remote), context)
    if not await passwords.matches(account.password_hash, password):
        raise SignInFailed("The password is not right.")
    await database.transaction(lambda tx: attempts.settle(tx, account.email, context.remote), context)


async def welcome(tx: Tx, staff: UUID, email: str | None, means: Means, agent: str) -> Opened:
    """Open a complete session for somebody who has proved who they are."""
    opened = await open_session(tx, staff, "signed-in", means, agent)
    await attempts.settle(tx, email, tx.context.remote)
    await tx.execute("UPDATE staff SET signed_in_at = now() WHERE id = $1", staff)
    fact = StaffSignedIn(session=opened.session.id, means=means, remote=tx.context.remote)
    log.append(tx, fact, subject=staff)
    audit.record(
        tx, "staff.signed-in", "staff", staff, after={"means": means, "browser": opened.session.agent}
    )
    return opened


async def acting_as(database: Database, context: Context, staff: UUID) -> Context:
    """The same request, acting as the person who was recognised: the audit log names them."""
    return msgspec.structs.replace(context, actor=await of_staff(database, staff))
