"""Passkeys of customers: the ceremonies and the library are those of staff, the keys are apart."""

from typing import Any
from uuid import UUID

from samlad.access import attempts, ceremonies
from samlad.access.passkeys import Challenge, Site
from samlad.accounts import store
from samlad.accounts.model import MOST_PASSKEYS, Opened, Passkey, SignedIn, SignInFailed
from samlad.accounts.passwords import changed
from samlad.accounts.sessions import require_fresh
from samlad.accounts.welcome import welcome
from samlad.channels import Channel, Resource
from samlad.kernel.context import Context
from samlad.kernel.database import Database, Tx
from samlad.kernel.problems import Conflict, InvalidInput, NotFound


async def begin_registration(tx: Tx, signed: SignedIn, site: Site, shop: str) -> Challenge:
    """Options for ``navigator.credentials.create``.

    Raises:
        SignInAgain: too long since they signed in. Conflict: they have twenty already.
    """
    from samlad.access import authenticators  # late, it is slow

    require_fresh(signed)
    known = await store.credential_ids(tx, signed.account.id)
    if len(known) >= MOST_PASSKEYS:
        raise Conflict(f"At most {MOST_PASSKEYS} passkeys; remove one first.")
    label = signed.account.email or signed.customer.name or shop
    asked = authenticators.ask_to_register(
        site_id=site.id,
        user_id=signed.account.id.bytes,
        email=label,
        name=signed.customer.name or label,
        known=known,
        site_name=shop,
    )
    data = {"challenge": asked.challenge, "account": str(signed.account.id)}
    return Challenge(await ceremonies.begin(tx, "customer-passkey", data), asked.options)


async def register(
    tx: Tx, signed: SignedIn, site: Site, ceremony: str, credential: dict[str, Any], name: str
) -> Passkey:
    """Keep a passkey that the browser has made.

    Raises:
        InvalidInput: the answer does not fit the challenge, the site or its own signature.
        Conflict: this passkey is known.
    """
    from samlad.access import authenticators  # late, it is slow

    require_fresh(signed)
    begun = await ceremonies.take(tx, "customer-passkey", ceremony)
    if begun is None or begun.data["account"] != str(signed.account.id):
        raise InvalidInput.at("ceremony", "unknown or too old; begin again")
    try:
        made = authenticators.registered(
            credential, begun.data["challenge"], site_id=site.id, origin=site.origin
        )
    except authenticators.BROKEN as error:
        raise InvalidInput.at("credential", f"cannot be accepted: {error}") from None
    kept = await store.insert_key(tx, signed.account.id, made.id, made.public_key, made.sign_count, name)
    if kept is None:
        raise Conflict("This passkey is known already.")
    changed(tx, signed, "passkey", "added")
    return kept


async def remove(tx: Tx, signed: SignedIn, passkey: UUID) -> None:
    """Forget one of one's own passkeys.

    Raises:
        NotFound: it is not theirs.
    """
    require_fresh(signed)
    if not await store.delete_key(tx, signed.account.id, passkey):
        raise NotFound("There is no such passkey.")
    changed(tx, signed, "passkey", "removed")


async def begin_sign_in(tx: Tx, site: Site) -> Challenge:
    """Options for ``navigator.credentials.get``; the browser offers the passkeys that it has for this site."""
    from samlad.access import authenticators  # late, it is slow

    asked = authenticators.ask_to_sign_in(site_id=site.id)
    data = {"challenge": asked.challenge}
    return Challenge(await ceremonies.begin(tx, "customer-passkey-sign-in", data), asked.options)


async def with_passkey(
    database: Database,
    context: Context,
    channel: Channel,
    site: Site,
    ceremony: str,
    credential: dict[str, Any],
    *,
    agent: str = "",
) -> Opened:
    """Open a session by a passkey.

    Raises:
        SignInFailed: unknown here, wrong signature, or a challenge that was used or is too old.
        TooMany: too many failed tries from this address.
    """
    await database.transaction(lambda tx: attempts.charge(tx, None, context.remote), context)
    begun = await database.transaction(
        lambda tx: ceremonies.take(tx, "customer-passkey-sign-in", ceremony), context
    )
    if begun is None:
        raise SignInFailed("That took too long; try again.")
    key, count = await _verified(database, channel, site, begun.data["challenge"], credential)

    async def work(tx: Tx) -> Opened:
        account = await store.lock(tx, key.account)
        if account is None or not await store.count_key(tx, key.id, count):
            raise SignInFailed("This passkey cannot be accepted.")
        await attempts.settle(tx, None, context.remote)
        return await welcome(tx, channel, account, "passkey", agent)

    return await database.transaction(work, context)


async def _verified(
    database: Database, channel: Channel, site: Site, challenge: str, credential: dict[str, Any]
) -> tuple[store.StoredKey, int]:
    from samlad.access import authenticators  # late, it is slow

    try:
        credential_id = authenticators.decode(credential["rawId"])
        key = await store.key_of(database, credential_id, channel.pools[Resource.CUSTOMERS])
        handle = credential["response"].get("userHandle")
        if key is None or (handle is not None and authenticators.decode(handle) != key.account.bytes):
            raise SignInFailed("This passkey is not known here.")
        count = authenticators.signed(
            credential,
            challenge,
            site_id=site.id,
            origin=site.origin,
            public_key=key.public_key,
            sign_count=key.sign_count,
        )
    except authenticators.BROKEN:
        raise SignInFailed("This passkey cannot be accepted.") from None
    return key, count
