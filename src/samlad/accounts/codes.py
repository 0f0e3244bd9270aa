"""Signing in by a code that a clerk shows at the till: six digits to type, or a QR code to scan.

Six digits are few. They are good for five minutes and once, belong to one customer, who must be named beside them, and are worth
nothing after five wrong tries; the QR code holds 256 random bits and needs no name.
"""

import hashlib
import hmac
import secrets
from datetime import timedelta
from uuid import UUID

from samlad import customers
from samlad.access import attempts, audit, tokens
from samlad.accounts import store
from samlad.accounts.events import AccountCodeShown
from samlad.accounts.model import CODE_MINUTES, NotGood, Opened, SignInFailed, TillCode
from samlad.accounts.passwords import locked, name_of
from samlad.accounts.permissions import HELP
from samlad.accounts.welcome import account_for, welcome
from samlad.channels import Channel, Resource
from samlad.customers import PersonInput
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.context import Context
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.problems import NotFound


async def show(tx: Tx, customer_id: UUID, channel: Channel) -> TillCode:
    """Make a code for a customer; the one before is not good any more.

    Raises:
        NotFound: no such customer in the channel's pool.
    """
    tx.actor.require(HELP)
    customer = await customers.current(tx, customer_id)
    if customer is None or customer.pool != channel.pools[Resource.CUSTOMERS]:
        raise NotFound("There is no such customer here.")
    code, secret = f"{secrets.randbelow(10**6):06d}", tokens.new_token()
    until = now() + timedelta(minutes=CODE_MINUTES)
    await store.put_code(tx, customer.id, _hash(customer.id, code), tokens.token_hash(secret), until)
    fact = AccountCodeShown(until=until)
    log.append(tx, fact, subject=customer.id, channel=channel.id, profile=customer.id)
    audit.record(tx, "accounts.code-shown", "customer", customer.id)
    return TillCode(code=code, path=f"/account/code/{secret}", expires_at=until)


async def is_good(reader: Reader, secret: str, channel: Channel) -> bool:
    """Whether a QR code still signs somebody in here; nothing is used."""
    return await store.code_is_good(reader, tokens.token_hash(secret), channel.pools[Resource.CUSTOMERS])


async def with_secret(tx: Tx, channel: Channel, secret: str, *, agent: str = "") -> Opened:
    """Use a scanned code up and open a session; of two at once one gets it.

    Raises:
        NotGood: used, replaced, run out, or of another shop.
    """
    customer = await store.use_secret(tx, tokens.token_hash(secret), channel.pools[Resource.CUSTOMERS])
    if customer is None:
        raise NotGood("Ask for a new one at the till.")
    return await _enter(tx, channel, customer, agent)


async def with_digits(
    database: Database, context: Context, channel: Channel, whose: str, digits: str, *, agent: str = ""
) -> Opened:
    """Open a session by six digits and the e-mail address or number of the customer that they were shown to.

    Raises:
        SignInFailed: something is not right. TooMany: too many failed tries.
    """
    whose, digits = whose.replace("\0", "").strip()[:254], "".join(digits.split())
    pool = channel.pools[Resource.CUSTOMERS]
    name = name_of(pool, f"code {whose.lower()}")
    await database.transaction(
        lambda tx: attempts.charge(tx, name, context.remote, tell=locked(channel)), context
    )
    found = (
        await customers.find(database, pool, PersonInput(external_id=whose, email=whose)) if whose else None
    )
    customer = await customers.resolve(database, found.id) if found else None
    given = _hash(customer or pool, digits)
    # Counted before it is compared, and committed: fifty at once are fifty tries.
    right = await database.transaction(lambda tx: store.count_try(tx, customer or pool), context)
    if customer is None or right is None or not hmac.compare_digest(right, given):
        raise SignInFailed("This is not the code, or it has run out. Ask for a new one at the till.")

    async def work(tx: Tx) -> Opened:
        if not await store.use_code(tx, customer, given):
            raise SignInFailed("This is not the code, or it has run out. Ask for a new one at the till.")
        await attempts.settle(tx, name, context.remote)
        return await _enter(tx, channel, customer, agent)

    return await database.transaction(work, context)


async def _enter(tx: Tx, channel: Channel, customer: UUID, agent: str) -> Opened:
    account, is_new = await account_for(tx, customer, "code")
    return await welcome(tx, channel, account, "code", agent, is_new=is_new)


def _hash(customer: UUID, code: str) -> bytes:
    return hashlib.sha256(f"{customer} {code}".encode()).digest()
