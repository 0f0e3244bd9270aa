"""Gift cards at a till without network: what it took of one is booked as far as it is there, what it sold is worth something now.

Nothing is refused: it has happened. What a card lacked makes the order come to less, openly, and is on the managers' list.
"""

from datetime import timedelta
from uuid import UUID, uuid5

import msgspec

from samlad import credit
from samlad.channels import Channel
from samlad.kernel.clock import now
from samlad.kernel.database import Reader, Tx
from samlad.kernel.ids import new_id
from samlad.orders.happened import HappenedLine
from samlad.payments.at_till import Tendered
from samlad.tills import card_store
from samlad.tills.model import Objection, Sale

PROVIDER = "gift_card"
SEEN_DAYS, MOST_CARDS = 30, 5_000


class ByCard(msgspec.Struct, frozen=True, kw_only=True):
    """What gift cards paid of a sale, and what they lacked of what the till took (minor units)."""

    tenders: list[Tendered] = []
    lacking: int = 0
    objections: list[Objection] = []


async def take(tx: Tx, channel: Channel, sale: Sale) -> ByCard:
    """Take what a till took of gift cards, or what is there of it. Cards in the order of their hashes, so that nobody
    waits for each other."""
    found, lacking, objections = [], 0, []
    for each in sorted((one for one in sale.tenders if one.kind == "gift"), key=lambda one: one.card or ""):
        payment = new_id()
        taken, last_four = 0, ""
        if each.card is not None:
            taken, last_four = await credit.take_at_till(
                tx, payment, bytes.fromhex(each.card), each.amount, channel
            )
        if taken:
            reference = f"{payment}:{last_four}"
            found.append(Tendered(PROVIDER, taken, payment=payment, reference=reference))
        if taken < each.amount:
            lacking += each.amount - taken
            objections.append(Objection(code="gift-card", here=str(taken), there=str(each.amount)))
    return ByCard(tenders=found, lacking=lacking, objections=objections)


def lines_of(sale: Sale) -> list[HappenedLine]:
    """Gift cards that were sold, as lines of the order: without stock and without tax, which is due when they are spent."""
    return [
        HappenedLine(
            variant=None,
            sku=None,
            title=f"Gift card ···· {card.last_four}",
            quantity=1,
            unit_price=card.amount,
            tax_rate=0,
            tax=0,
            total=card.amount,
            is_gift_card=True,
        )
        for card in sale.cards
    ]


async def sold(tx: Tx, channel: Channel, sale_id: UUID, sale: Sale, order: UUID) -> list[Objection]:
    """Put onto the cards what they were sold for."""
    objections = []
    for card in sorted(sale.cards, key=lambda one: one.card):
        charge = uuid5(sale_id, f"gift-card:{card.card}")
        odd = await credit.sell_at_till(
            tx, charge, bytes.fromhex(card.card), card.last_four, card.amount, channel, order
        )
        if odd:
            objections.append(Objection(code=odd, there=card.last_four))
    return objections


async def note(tx: Tx, card: UUID, location: UUID) -> None:
    """A card was looked up in a store: its tills know it from now on."""
    await card_store.note(tx, card, location)


async def known(reader: Reader, location: UUID, pool: UUID, currency: str) -> list[card_store.SeenCard]:
    """What a store's tills know of gift cards that were looked up there lately, and what is on them."""
    since = now() - timedelta(days=SEEN_DAYS)
    return await card_store.seen(reader, location, pool, currency, since, MOST_CARDS)
