"""Signing in with a password, and setting one. An account begins without: whoever wants one is signed in before."""

from uuid import UUID

from samlad.access import attempts, passwords
from samlad.accounts import store
from samlad.accounts.events import AccountCredentialChanged, AccountLocked
from samlad.accounts.model import Opened, SignedIn, SignInFailed
from samlad.accounts.sessions import end_others, require_fresh
from samlad.accounts.welcome import welcome
from samlad.channels import Channel, Resource
from samlad.kernel import log
from samlad.kernel.context import Context
from samlad.kernel.database import Database, Tx


def name_of(pool: UUID, text: str) -> str:
    """How tries of an account of a pool are counted: apart from those of staff, and of other pools."""
    return f"customer {pool} {text}"


def locked(channel: Channel) -> attempts.Tell:
    """What the log is told of an address that pauses: not which."""
    return lambda tx, failed, until: log.append(
        tx, AccountLocked(failed=failed, until=until), channel=channel.id
    )


async def with_password(
    database: Database, context: Context, channel: Channel, email: str, password: str, *, agent: str = ""
) -> Opened:
    """Open a session by e-mail and password.

    The answer and its cost are the same for a wrong password, an unknown address and an account without one.

    Raises:
        SignInFailed: something is not right. TooMany: this account or this address pauses after failed tries.
    """
    email, pool = email.strip().lower().replace("\0", "")[:254], channel.pools[Resource.CUSTOMERS]
    name = name_of(pool, email)
    await database.transaction(
        lambda tx: attempts.charge(tx, name, context.remote, tell=locked(channel)), context
    )
    account = await store.by_email(database, pool, email)
    kept = await store.password_of(database, account.id if account else pool)
    right = await passwords.matches(kept, password)
    if account is None or kept is None or not right:
        raise SignInFailed("E-mail or password is not right.")
    fresh = await passwords.hashed(password) if passwords.is_outdated(kept) else None

    async def work(tx: Tx) -> Opened:
        # Read again under the lock: of a password that was changed, or a person erased, meanwhile nothing is left.
        if await store.lock(tx, account.id) is None or await store.password_of(tx, account.id) != kept:
            raise SignInFailed("E-mail or password is not right.")
        if fresh is not None:
            await store.rehash(tx, account.id, kept, fresh)
        await attempts.settle(tx, name, context.remote)
        return await welcome(tx, channel, account, "password", agent)

    return await database.transaction(work, context)


async def set_password(database: Database, context: Context, signed: SignedIn, password: str) -> None:
    """Set or change one's password; all other devices are signed out.

    Raises:
        SignInAgain: too long since they signed in. InvalidInput: too short, well known, or made of their own name.
    """
    require_fresh(signed)
    passwords.check(password, signed.account.email or "", signed.customer.name or "", field="password")
    hashed = await passwords.hashed(password)

    async def work(tx: Tx) -> None:
        await store.update(tx, signed.account.id, {"password_hash": hashed})
        await end_others(tx, signed.account.id, signed.session.id)
        changed(tx, signed, "password", "set")

    await database.transaction(work, context)


async def remove_password(tx: Tx, signed: SignedIn) -> None:
    """Do without a password from now on; a link always gets one in."""
    require_fresh(signed)
    await store.update(tx, signed.account.id, {"password_hash": None})
    changed(tx, signed, "password", "removed")


def changed(tx: Tx, signed: SignedIn, credential: str, change: str) -> None:
    """Tell the log how somebody signs in."""
    fact = AccountCredentialChanged(credential=credential, change=change)
    log.append(tx, fact, subject=signed.account.id, profile=signed.customer.id)
