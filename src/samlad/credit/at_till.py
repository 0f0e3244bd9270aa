"""Gift cards that a till took or sold without us. It names them by the hash of their code: the code is on no device.

Parts of the verbs of tills, whose permissions guard them, and which see to it that each happens once.
"""

from typing import Annotated
from uuid import UUID

import msgspec

from samlad import channels
from samlad.access import audit
from samlad.channels import Channel, Resource
from samlad.credit import gift_cards, holds, store
from samlad.credit.model import CardStatus, GiftCard, Note, Origin
from samlad.credit.permissions import ISSUE
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id

MOST_PREPARED = 500
SPENDABLE = (CardStatus.WAITING, CardStatus.ACTIVE)


class PrepareInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Cards to be printed without value: each is worth what it is sold for, from then on."""

    channel: Annotated[UUID, msgspec.Meta(description="Id of the issuing channel")]
    count: Annotated[int, msgspec.Meta(ge=1, le=MOST_PREPARED, examples=[100])]
    note: Note = ""


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """The codes to be printed; told this once and kept nowhere."""

    codes: list[str]


async def prepare(tx: Tx, data: PrepareInput) -> Prepared:
    """Make empty cards that wait to be sold, at a till without network for one.

    Raises:
        InvalidInput: there is no such channel.
    """
    tx.actor.require(ISSUE)
    channel = await channels.get(tx, data.channel)
    made = [
        await gift_cards.create(
            tx, channel, card_id=new_id(), origin=Origin.SOLD, status=CardStatus.WAITING, note=data.note
        )
        for _ in range(data.count)
    ]
    audit.record(tx, "gift-card.prepared", "channel", channel.id, after={"count": data.count})
    return Prepared(codes=[each.code for each in made])


async def take(tx: Tx, payment: UUID, code_hash: bytes, amount: int, channel: Channel) -> tuple[int, str]:
    """Take an amount of a card, or what is there of it: (minor units, last four). 0 if it cannot pay at all."""
    card = await _lock(tx, code_hash)
    if card is None or card.pool != channel.pools[Resource.CUSTOMERS] or card.currency != channel.currency:
        return 0, ""
    there = min(amount, card.available)
    if there <= 0:
        return 0, card.last_four
    held = await store.hold_on_card(tx, payment, code_hash, there, channel.currency)
    assert held is not None, "its row is ours"
    await holds.capture(tx, payment, there)
    return there, card.last_four


async def sell(
    tx: Tx, charge: UUID, code_hash: bytes, last_four: str, amount: int, channel: Channel, order: UUID
) -> str | None:
    """A card was sold for an amount with an order; what is odd about it: ``gift-card-unknown`` (it is made now),
    ``gift-card-used`` (it had been sold before and is worth more now), ``gift-card-unusable`` (nothing was put onto it)."""
    card, odd = await _lock(tx, code_hash), None
    if card is None:
        made = await gift_cards.create(
            tx,
            channel,
            card_id=new_id(),
            origin=Origin.SOLD,
            status=CardStatus.WAITING,
            known=(code_hash, last_four),
        )
        card, odd = made.card, "gift-card-unknown"
    elif card.status not in SPENDABLE or card.is_expired or card.currency != channel.currency:
        return "gift-card-unusable"
    elif card.status is CardStatus.ACTIVE or card.balance:
        odd = "gift-card-used"
    await gift_cards.charge_sold(tx, charge, card.id, amount, order)
    return odd


async def _lock(tx: Tx, code_hash: bytes) -> GiftCard | None:
    found = await store.card_by_hash(tx, code_hash)
    return None if found is None else await store.lock_card(tx, found.id)
