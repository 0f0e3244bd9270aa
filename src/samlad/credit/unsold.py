"""Gift cards that wait: printed for a till and never sold, or loaded with an order that nobody has paid. They are worth nothing yet;
staff see them, and take back what will not be sold, with a reason."""

import datetime as dt
from typing import Annotated
from uuid import UUID

import msgspec

from samlad.access import audit
from samlad.credit import events, store
from samlad.credit.model import CardState, CardStatus, GiftCard
from samlad.credit.permissions import ISSUE
from samlad.kernel import cards, log
from samlad.kernel.database import Tx
from samlad.kernel.listing import Filter, Listing, Sort, texts, uuids
from samlad.kernel.problems import NotFound

MOST = 500
"""Cards that are taken back at once: as many as are printed at once."""


class UnsoldCard(msgspec.Struct, frozen=True, kw_only=True):
    """A card that waits. ``order`` is the one that it waits for (minor units in ``amount``); without one it was never sold."""

    id: UUID
    last_four: str
    channel: str
    currency: str
    note: str
    amount: int | None
    order: UUID | None
    is_expired: bool
    created_at: dt.datetime


UNSOLD = Listing(
    row=UnsoldCard,
    select="""g.id, g.last_four, c.name AS channel, g.currency, g.note, w.amount, w.order_id AS "order",
              (g.expires_at IS NOT NULL AND g.expires_at <= now()) AS is_expired, g.created_at""",
    source="""gift_card g JOIN channel c ON c.id = g.channel
              LEFT JOIN LATERAL (SELECT amount, order_id FROM gift_card_charge x WHERE x.card = g.id AND x.status = 'waiting'
                                 ORDER BY x.id LIMIT 1) AS w ON true
              WHERE g.status = 'waiting'""",
    key="g.id",
    sorts={"created_at": Sort("g.created_at", "timestamptz")},
    default_sort="-created_at",
    filters={
        "for": Filter("CASE WHEN w.order_id IS NULL THEN 'sale' ELSE 'payment' END = ANY({}::text[])", texts),
        "channel": Filter("g.channel = ANY({}::uuid[])", uuids),
        "pool": Filter("g.pool = ANY({}::uuid[])", uuids),
        "q": Filter("(g.last_four = upper({0}::text) OR strpos(lower(g.note), lower({0}::text)) > 0)"),
    },
)
"""Cards that wait, the newest first."""


class TakeBackInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Which cards will not be sold, and why."""

    cards: Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=MOST)]
    reason: Annotated[
        str, msgspec.Meta(min_length=3, max_length=500, pattern=r"^[^\x00]*$", examples=["Misprinted"])
    ]


class TakenBack(msgspec.Struct, frozen=True):
    """How many cards were taken back now; those that had been before are not counted."""

    count: int


async def take_back(tx: Tx, data: TakeBackInput) -> TakenBack:
    """Cards that wait are worth nothing for ever: all that are named, or none. Twice is once.

    One that a till without network has sold meanwhile is told to its managers when the sale comes (`gift-card-unusable`).

    Raises:
        NotFound: there is no such card. CardState: one pays already, or waits for an order that can still be paid.
    """
    tx.actor.require(ISSUE)
    cards.refuse(data.reason, "reason")
    count = 0
    for card_id in sorted(set(data.cards)):  # in the order of keys, as everywhere
        card = await store.lock_card(tx, card_id)
        if card is None:
            raise NotFound("There is no such gift card.")
        if card.status is CardStatus.CANCELLED:
            continue
        if card.status is not CardStatus.WAITING:
            raise CardState(
                "A card that pays already is not taken back: block it, or cancel the order that sold it.",
                card=str(card_id),
            )
        if await store.waits_for_order(tx, card_id):
            raise CardState(
                "A card waits for an order that can still be paid: cancel that order, and the card goes with it.",
                card=str(card_id),
            )
        await _cancel(tx, card, data.reason)
        count += 1
    return TakenBack(count)


async def _cancel(tx: Tx, card: GiftCard, reason: str) -> None:
    await store.set_status(tx, card.id, CardStatus.CANCELLED)
    fact = events.GiftCardStatusChanged(
        last_four=card.last_four,
        currency=card.currency,
        balance=card.balance,
        before=card.status,
        after=CardStatus.CANCELLED,
        reason=reason,
    )
    log.append(tx, fact, subject=card.id, channel=card.channel, profile=card.customer)
    change = {"status": CardStatus.CANCELLED, "reason": reason}
    audit.record(
        tx, "gift-card.taken-back", "gift-card", card.id, before={"status": card.status}, after=change
    )
