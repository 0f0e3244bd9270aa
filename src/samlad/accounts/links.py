"""Signing in by a link that is sent to an e-mail address.

Whoever asks hears the same, and the same work is done, whether there is an account or not: the account is made when the link is
used, by somebody who has shown that they read what is sent there. So nobody can prepare an account for somebody else's address.
"""

from datetime import timedelta

import msgspec

from samlad import channels, customers
from samlad.access import audit, rate, tokens
from samlad.accounts import mails, store
from samlad.accounts.model import LINK_MINUTES, AskInput, LinkInfo, NotGood, Opened
from samlad.accounts.permissions import HELP
from samlad.accounts.welcome import account_for, welcome
from samlad.channels import Channel, Resource
from samlad.customers import PersonInput
from samlad.kernel import mail
from samlad.kernel.clock import now
from samlad.kernel.context import Context
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.problems import InvalidInput, NotFound
from samlad.kernel.vault import Vault

ASK_SECONDS, MOST_TO_ONE, MOST_FROM_ONE = 900, 4, 20
"""Links that are sent to one address, and asked for from one, in so many seconds."""


def address_of(text: str) -> str:
    """An e-mail address as we keep it.

    Raises:
        InvalidInput: it is none.
    """
    try:
        return msgspec.convert({"email": text.strip().lower()}, AskInput).email
    except msgspec.ValidationError:
        raise InvalidInput.at("email", "is no e-mail address; one looks like kim@example.org") from None


async def count_ask(database: Database, context: Context, channel: Channel, email: str) -> None:
    """Count that a mail is asked for, in a transaction of its own.

    Raises:
        TooMany: to this address, or from this place.
    """
    key = tokens.token_hash(f"{channel.pools[Resource.CUSTOMERS]} {email}").hex()

    async def count(tx: Tx) -> None:
        await rate.limit(tx, "accounts.mail.from", context.remote or "?", per=ASK_SECONDS, max=MOST_FROM_ONE)
        await rate.limit(tx, "accounts.mail.to", key, per=ASK_SECONDS, max=MOST_TO_ONE)

    await database.transaction(count, context)


async def ask(
    tx: Tx,
    keys: Vault,
    channel: Channel,
    email: str,
    *,
    base_url: str,
    locale: str,
    browser: str | None = None,
    next: str = "",  # noqa: A002 - it is called so in addresses
) -> None:
    """Send a link to an address (as `address_of` has it). ``browser`` is a secret that the asking browser keeps."""
    token = tokens.new_token()
    link = store.Link(
        email=email,
        channel=channel.id,
        browser_hash=tokens.token_hash(browser) if browser else None,
        next=next[:1500],
    )
    await store.put_link(tx, tokens.token_hash(token), link, now() + timedelta(minutes=LINK_MINUTES))
    href = f"{base_url.rstrip('/')}/account/link/{token}"
    await mail.send(tx, keys, mails.sign_in(channel, email, href, locale))


async def send_to_customer(
    tx: Tx, keys: Vault, customer: customers.Customer, channel: Channel, *, base_url: str, locale: str
) -> str:
    """Send a customer a link, for staff; the address that it goes to.

    Raises:
        NotFound: we know no address of theirs.
    """
    tx.actor.require(HELP)
    accounts = await store.of_person(tx, customer.id)
    email = next((account.email for account in accounts if account.email), None) or customer.email
    if email is None:
        raise NotFound("There is no e-mail address that a link could go to.")
    await ask(tx, keys, channel, email.lower(), base_url=base_url, locale=locale)
    audit.record(tx, "accounts.link-sent", "customer", customer.id)
    return email


async def look(reader: Reader, token: str, channel: Channel, browser: str | None) -> LinkInfo:
    """What a link is for, without using it.

    Raises:
        NotGood: used, replaced, run out, of another shop, or never sent.
    """
    found = await store.link(reader, tokens.token_hash(token))
    if found is None or not await _is_here(reader, found, channel):
        raise NotGood("Ask for a new one.")
    is_own = browser is not None and tokens.token_hash(browser) == found.browser_hash
    return LinkInfo(email=found.email, is_own=is_own)


async def _is_here(reader: Reader, link: store.Link, channel: Channel) -> bool:
    its = await channels.get(reader, link.channel)
    return its.pools[Resource.CUSTOMERS] == channel.pools[Resource.CUSTOMERS]


async def sign_in(tx: Tx, channel: Channel, token: str, *, agent: str = "") -> Opened:
    """Use a link up and open a session; of two at once one gets it.

    Raises:
        NotGood: as `look`.
    """
    found = await store.use_link(tx, tokens.token_hash(token))
    if found is None or not await _is_here(tx, found, channel):
        raise NotGood("Ask for a new one.")
    pool = channel.pools[Resource.CUSTOMERS]
    account, is_new = await store.by_email(tx, pool, found.email), False
    if account is None:
        person = PersonInput(email=found.email)
        customer = await customers.find_or_create(tx, pool, person, channel=channel.id)
        account, is_new = await account_for(tx, customer.id, "link", found.email)
    return await welcome(tx, channel, account, "link", agent, is_new=is_new, next=found.next)
