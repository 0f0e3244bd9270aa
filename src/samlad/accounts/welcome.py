"""Somebody has proved who they are: the account that they have or get, and a session."""

from uuid import UUID

from samlad import customers, identity
from samlad.accounts import store
from samlad.accounts.events import AccountOpened, AccountSignedIn
from samlad.accounts.model import Account, Means, Opened
from samlad.accounts.sessions import open_session
from samlad.channels import Channel, Resource
from samlad.identity import AuthLevel, Identifier, Kind, Sighting
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.problems import Conflict


async def account_for(tx: Tx, customer: UUID, means: Means, email: str | None = None) -> tuple[Account, bool]:
    """The account of the person that a customer is, else a new one for this row; and whether it is new.

    ``email`` was proved just now: an account that has none takes it. Two at once get the same account.
    """
    known = await store.of_person(tx, customer)
    is_new = not known and await store.insert(tx, customer, email)
    found = known[0] if known else await store.of_customer(tx, customer)
    if found is None:
        raise Conflict("Try that once more.")
    if is_new:
        log.append(tx, AccountOpened(means=means), subject=found.id, profile=customer)
    elif found.email is None and email is not None:
        await store.update(tx, found.id, {"email": email})
        found = await store.account(tx, found.id) or found
    return found, is_new


async def welcome(
    tx: Tx,
    channel: Channel,
    account: Account,
    means: Means,
    agent: str,
    *,
    is_new: bool = False,
    next: str = "",  # noqa: A002 - it is called so in addresses
) -> Opened:
    """Open a session, and let identity know that this account, this customer and this address are one person."""
    session, token = await open_session(tx, account, means, agent)
    await seen(tx, channel, account, str(session.id))
    fact = AccountSignedIn(session=session.id, means=means, remote=tx.context.remote)
    log.append(tx, fact, subject=account.id, channel=channel.id, profile=account.customer)
    customer = await customers.current(tx, account.customer)
    assert customer is not None  # an account's customer is never deleted
    return Opened(session=session, account=account, customer=customer, token=token, is_new=is_new, next=next)


async def seen(tx: Tx, channel: Channel, account: Account, event_id: str) -> None:
    """What signing in proves: an account is a unique identifier, its address was confirmed by whoever reads it."""
    moment = now()
    identifiers = [
        Identifier(Kind.LOGIN, str(account.id)),
        Identifier(Kind.CUSTOMER, str(account.customer)),
        *([Identifier(Kind.EMAIL, account.email)] if account.email else []),
    ]
    sighting = Sighting(
        pool=channel.pools[Resource.CUSTOMERS],
        source="account",
        event_id=event_id,
        observed_at=moment,
        received_at=moment,
        identifiers=identifiers,
        channel=channel.id,
        auth=AuthLevel.VERIFIED,
    )
    await identity.observe(tx, [sighting])
