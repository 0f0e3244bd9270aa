"""Keys of tills: a till makes one, names its public half here, and signs with it the receipts that it writes without network.

The private half never leaves the browser that made it. A till has one key that counts; a new one replaces it, and what the old
one had signed stays good. A key that was taken back (a device that is lost) makes whatever it signs doubtful, and the page behind
a receipt's code says so.
"""

from typing import Literal
from uuid import UUID

import msgspec

from samlad.access import audit, rate
from samlad.kernel import cards, log
from samlad.kernel.database import Reader, Tx
from samlad.kernel.problems import Conflict, Forbidden, InvalidInput, NotFound
from samlad.tills import events, key_store, signed, store
from samlad.tills.desk import desk_of
from samlad.tills.key_store import Came
from samlad.tills.model import RestoreInput, RevokeInput, SaleState, TillKey, TillKeyInput
from samlad.tills.permissions import RECORD, RESOLVE
from samlad.tills.signed import TillReceipt

A_DAY, MOST_A_DAY = 86_400, 10
"""So many new keys of one till in so many seconds: browsers lose their storage, but not every hour."""
MOST_OF_PLACE = 200
Standing = Literal["good", "replaced", "revoked-later", "revoked"]


async def name(tx: Tx, data: TillKeyInput, session: UUID | None = None) -> TillKey:
    """A till signs with this key from now on. Named again it is the same, and the answer says whether it still counts.

    Raises:
        Forbidden: not at this store, or an API key asks: a key is of a device that somebody has signed in.
        InvalidInput: this is no public key. Conflict: it is another till's. TooMany: too many new ones.
    """
    desk = await desk_of(tx, tx.actor, data.channel)
    tx.actor.require(RECORD, location=desk.location.id)
    if tx.actor.kind not in ("staff", "kiosk"):
        raise Forbidden("Only a device that somebody has signed in has a key.")
    try:
        public = signed.public_of(data.public)
    except ValueError:
        raise InvalidInput.at("public", "This is no public key of the curve P-256.") from None
    kid = signed.key_id(public)
    await store.note_device(tx, data.till, desk.channel.id, desk.location.id)
    await key_store.lock_till(tx, data.till)
    known = await key_store.read(tx, kid)
    if known is not None:
        if known.till != data.till:
            raise Conflict("This is the key of another till.")
        if known.is_good:
            await key_store.named_by(tx, kid, session)
        return known
    await rate.limit(tx, "till-keys", str(data.till), per=A_DAY, max=MOST_A_DAY)
    await rate.limit(tx, "till-keys-of-place", str(desk.location.id), per=A_DAY, max=MOST_OF_PLACE)
    await key_store.insert(tx, kid, data.till, desk.channel.id, desk.location.id, public, session)
    fact = events.KeyNamed(till=data.till, location=desk.location.id, kid=kid)
    log.append(tx, fact, subject=data.till, channel=desk.channel.id)
    audit.record(tx, "till-key.named", "till", data.till, after={"kid": kid, "channel": desk.channel.code})
    found = await key_store.read(tx, kid)
    assert found is not None, "it was just written"
    return found


async def get(reader: Reader, kid: str) -> TillKey:
    """A key by its id.

    Raises:
        NotFound: there is none.
    """
    found = await key_store.read(reader, kid)
    if found is None:
        raise NotFound("There is no such key.")
    return found


async def revoke(tx: Tx, kid: str, data: RevokeInput) -> TillKey:
    """Take a key back: its device is lost, or not ours any more. Done twice it is the same.

    Raises:
        NotFound: no key of this id. Forbidden: not there.
    """
    cards.refuse(data.reason, "reason")
    found = await _taken(tx, kid)
    await _revoke(tx, found, data.reason)
    return await get(tx, kid)


async def restore(tx: Tx, kid: str, data: RestoreInput) -> TillKey:
    """A key was taken back by mistake: what it signed is good again, until the till had another. Done twice it is the same.

    Raises:
        NotFound: no key of this id. Forbidden: not there.
    """
    cards.refuse(data.reason, "reason")
    found = await _taken(tx, kid)
    await key_store.lock_till(
        tx, found.till
    )  # it may be naming another, which would be the second that counts
    if await key_store.restore(tx, kid):
        fact = events.KeyRestored(till=found.till, location=found.location, kid=found.kid)
        log.append(tx, fact, subject=found.till, channel=found.channel_id)
        after = {"kid": found.kid, "channel": found.channel, "reason": data.reason}
        audit.record(
            tx, "till-key.restored", "till", found.till, before={"reason": found.reason}, after=after
        )
    return await get(tx, kid)


async def _taken(tx: Tx, kid: str) -> TillKey:
    found = await key_store.read(tx, kid)
    if found is None:
        tx.actor.require(RESOLVE)
        raise NotFound("There is no such key.")
    tx.actor.require(RESOLVE, location=found.location)
    return found


async def revoke_of_session(tx: Tx, session: UUID) -> None:
    """A device was taken back from afar: so are its keys. Who may take it back the caller has looked at."""
    for kid in await key_store.of_session(tx, session):
        found = await key_store.read(tx, kid)
        if found is not None:
            await _revoke(tx, found, "")


async def _revoke(tx: Tx, key: TillKey, reason: str) -> None:
    if not await key_store.revoke(tx, key.kid, reason):
        return
    fact = events.KeyRevoked(till=key.till, location=key.location, kid=key.kid)
    log.append(tx, fact, subject=key.till, channel=key.channel_id)
    after = {"kid": key.kid, "channel": key.channel, "reason": reason}
    audit.record(tx, "till-key.revoked", "till", key.till, after=after)


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """A text that a till has signed: what it says, with which key, and what became of the sale (null: it is not here yet).

    ``standing``: ``good``; ``replaced``: the till had another key at the moment that the text says; ``revoked-later``: the key was
    taken back, and the text says that it is older; ``revoked``: the text itself says that it is of after that.
    """

    receipt: TillReceipt
    key: TillKey
    standing: Standing
    came: Came | None

    @property
    def is_awaited(self) -> bool:
        """Whether the sale may still become an order: it has not come, or a manager looks at it."""
        return self.came is None or (self.came.order is None and self.came.state == SaleState.KEPT)

    @property
    def is_same(self) -> bool:
        """Whether the sale that came says what the receipt says."""
        return self.came is None or (self.came.total, self.came.currency) == (
            self.receipt.total,
            self.receipt.currency,
        )


async def check(reader: Reader, token: str) -> Checked | None:
    """What a text says that one of our tills has signed; None if none of them has."""
    receipt = signed.said(token)
    key = None if receipt is None else await key_store.read(reader, receipt.kid)
    if receipt is None or key is None or not signed.is_signed(key.public, token):
        return None
    if receipt.number[:4] != key.till.hex[-4:].upper():
        return None  # a till signs for itself only
    came = await key_store.came(reader, key.till, receipt.sequence)
    return Checked(receipt=receipt, key=key, standing=_standing(key, receipt), came=came)


def _standing(key: TillKey, receipt: TillReceipt) -> Standing:
    if key.revoked_at is not None:
        return "revoked-later" if receipt.at < key.revoked_at else "revoked"
    return "replaced" if key.replaced_at is not None and receipt.at > key.replaced_at else "good"
