"""Where customers are signed in. The cookie holds a secret of which we keep only the hash; staff have sessions of their own."""

from uuid import UUID

from samlad import customers
from samlad.access import audit, tokens
from samlad.access.sessions import summary
from samlad.accounts import store
from samlad.accounts.events import AccountSignedOut
from samlad.accounts.model import ABSOLUTE, FRESH, IDLE, Account, Means, Session, SignedIn, SignInAgain
from samlad.accounts.permissions import HELP, READ
from samlad.channels import Channel, Resource
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.context import Actor
from samlad.kernel.database import Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import NotFound


async def who(reader: Reader, channel: Channel, token: str) -> SignedIn | None:
    """Who a secret is of, in the pool of customers that a channel has; None: nobody (any more).

    The customer is read anew each time: after a merge or a split it is whoever stands for the person then.
    """
    found = await store.session(reader, tokens.token_hash(token), channel.pools[Resource.CUSTOMERS], IDLE)
    account = await store.account(reader, found.account) if found else None
    customer = await customers.current(reader, account.customer) if account else None
    if found is None or account is None or customer is None:
        return None
    return SignedIn(session=found, account=account, customer=customer)


def actor_of(signed: SignedIn, *lent: str) -> Actor:
    """The person as an actor. ``lent`` permissions are for one verb on what the caller has made sure is theirs."""
    return Actor(kind="customer", id=signed.customer.id, permissions=frozenset(lent))


async def open_session(tx: Tx, account: Account, means: Means, agent: str) -> tuple[Session, str]:
    """A new session with a new secret: what was in the browser before is never taken over."""
    token, moment = tokens.new_token(), now()
    made = Session(
        id=new_id(),
        account=account.id,
        means=means,
        created_at=moment,
        last_seen=moment,
        remote=tx.context.remote,
        agent=summary(agent),
    )
    await store.open_session(tx, made, tokens.token_hash(token), IDLE, ABSOLUTE)
    return made, token


def require_fresh(signed: SignedIn) -> None:
    """Raises `SignInAgain` when they signed in too long ago for what they want to do."""
    if now() - signed.session.created_at > FRESH:
        raise SignInAgain("You signed in some time ago. Do it once more, and then this.")


async def sign_out(tx: Tx, token: str) -> None:
    """End the session of a browser; fine if it has ended."""
    ended = await store.end_by_token(tx, tokens.token_hash(token))
    if ended is not None:
        await _tell(tx, ended[1], [ended[0]])


async def end(tx: Tx, signed: SignedIn, session: UUID) -> None:
    """End one of one's own sessions, from elsewhere.

    Raises:
        NotFound: it is not theirs, or has ended.
    """
    gone = await store.end_sessions(tx, [signed.account.id], only=session)
    if not gone:
        raise NotFound("There is no such device (any more).")
    await _tell(tx, signed.account.id, gone)


async def end_others(tx: Tx, account: UUID, keep: UUID | None) -> int:
    """End all sessions of an account but one; how many."""
    gone = await store.end_sessions(tx, [account], but=keep)
    if gone:
        await _tell(tx, account, gone)
    return len(gone)


async def _tell(tx: Tx, account: UUID, gone: list[UUID]) -> None:
    found = await store.account(tx, account)
    log.append(
        tx, AccountSignedOut(sessions=gone), subject=account, profile=found.customer if found else None
    )


# -- for staff ----------------------------------------------------------------------------------------------------------


async def of_customer(reader: Reader, actor: Actor, customer: UUID) -> tuple[list[Account], list[Session]]:
    """The accounts of the person that a customer is, and where they are signed in."""
    actor.require(READ)
    accounts = await store.of_person(reader, customer)
    return accounts, await store.sessions(reader, [account.id for account in accounts])


async def end_all(tx: Tx, customer: UUID) -> int:
    """Sign a person out everywhere, for staff; how many sessions ended."""
    tx.actor.require(HELP)
    ended = 0
    for account in await store.of_person(tx, customer):
        ended += await end_others(tx, account.id, None)
    if ended:
        audit.record(tx, "accounts.signed-out", "customer", customer, before={"sessions": ended})
    return ended
