"""Money that goes back, as a mail tells it: to which tender, how much, when to expect it, and on which credit note."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from samlad.documents import issuing, store
from samlad.documents.model import Document, Kind
from samlad.documents.writing import PROVIDERS, Writer
from samlad.kernel import log
from samlad.kernel.database import Tx
from samlad.kernel.i18n import marked
from samlad.kernel.log import Event
from samlad.orders import Order
from samlad.payments.events import PaidOtherwise, PaymentRefunded, RefundBegun

REFUNDS = ("payment.refund_begun", "payment.refunded")
EXCHANGE = "exchange"
"""The tender of goods that were exchanged: what goes back to it went on to the tenders of the first order."""

CARDS = ("stripe", "terminal", "till_card", "test")
AT_ONCE = ("gift_card", "store_credit")
ON_THE_CARD = marked("Your bank shows it within 10 working days.")
USABLE = marked("You can use it now.")
HANDED = marked("You have been given it.")
SENT = marked("We have sent it to your bank account.")
BY_HAND = marked("We send it within 14 days, and ask you if we need the number of an account.")
SAME_WAY = marked("The way that you paid")
GOES_BACK = marked("Goes back")
CREDIT_NOTE = marked("Credit note %(number)s")


class Back(msgspec.Struct, frozen=True, kw_only=True):
    """An amount (minor units) that goes back through a tender; ``is_done``: it is there already."""

    provider: str
    amount: int
    is_done: bool


async def of_event(tx: Tx, event: Event, order: Order) -> list[Back]:
    """What goes back by the transaction that an event was written in, of its order; without anything the list is empty.

    What had been paid with goods that were exchanged goes back to the tenders of the order that these had been bought in.
    """
    return await _of(tx, event, order.id, order.changes)


async def _of(tx: Tx, event: Event, order: UUID, first: UUID | None) -> list[Back]:
    told = [each.fact() for each in await log.beside(tx, event, REFUNDS)]
    facts = [fact for fact in told if isinstance(fact, RefundBegun | PaymentRefunded)]
    own = [fact for fact in facts if fact.order == order and fact.provider != EXCHANGE]
    if first is not None and any(fact.order == order and fact.provider == EXCHANGE for fact in facts):
        own += [fact for fact in facts if fact.order == first and fact.provider != EXCHANGE]
    sums: dict[tuple[str, bool], int] = {}
    for fact in own:
        key = fact.provider, isinstance(fact, PaymentRefunded)
        sums[key] = sums.get(key, 0) + fact.amount
    return [Back(provider=name, amount=amount, is_done=done) for (name, done), amount in sums.items()]


def otherwise(fact: PaidOtherwise) -> Back:
    """What went back in place of a refund that its provider refused."""
    return Back(provider=fact.way, amount=fact.amount, is_done=True)


async def credit_notes(tx: Tx, order: Order, *causes: str) -> list[Document]:
    """The credit notes of an order whose cause begins so. One that is due and not written yet is written now.

    The follower that issues documents may come later: issued here they have the same numbers, and it finds nothing to do.
    """
    if not await store.of_order(tx, order.id):
        return []
    await issuing.settle(tx, order.id)
    found = await store.of_order(tx, order.id)
    return [each for each in found if each.kind is Kind.CREDIT_NOTE and each.cause.startswith(causes)]


def facts(back: Sequence[Back], w: Writer, *, credited: int = 0) -> list[tuple[str, Sequence[str]]]:
    """What a letter says of it; ``credited`` became store credit (minor units)."""
    _ = w.translate
    rows = [f"{tender(each.provider, w)}: {w.money(each.amount)}. {_(expected(each))}" for each in back]
    if credited:
        rows.append(f"{tender('store_credit', w)}: {w.money(credited)}. {_(USABLE)}")
    return [(_(GOES_BACK), rows)] if rows else []


def links(notes: Sequence[Document], link: str, w: Writer) -> list[tuple[str, str]]:
    """Credit notes with their addresses below the order's page."""
    name = w.translate(CREDIT_NOTE)
    return [(name % {"number": note.number}, f"{link}/documents/{note.id}/file.pdf") for note in notes]


def tender(provider: str, w: Writer) -> str:
    """The name of what money goes back to."""
    return w.provider(provider) if provider in PROVIDERS else w.translate(SAME_WAY)


def expected(back: Back) -> str:
    """When its reader sees it, to be translated."""
    if back.provider in AT_ONCE:
        return USABLE
    if back.provider in CARDS:
        return ON_THE_CARD
    if back.provider == "bank_transfer" and back.is_done:
        return SENT
    return HANDED if back.is_done else BY_HAND
