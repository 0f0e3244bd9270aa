"""What happens to gift cards, store credit and points. Never a code. Amounts in minor units of ``currency``."""

from datetime import date
from uuid import UUID

from samlad.kernel.log import Fact, declare


class CardFact(Fact, frozen=True, kw_only=True):
    """What these say: which card (its end, to tell it apart) and what is on it now."""

    last_four: str
    currency: str
    balance: int


@declare("gift_card.issued")
class GiftCardIssued(CardFact, frozen=True, kw_only=True):
    """There is a new card. It has value at once, or (``order``) once that is paid."""

    origin: str
    amount: int
    order: UUID | None = None
    customer: UUID | None = None
    replaces: UUID | None = None


@declare("gift_card.charged")
class GiftCardCharged(CardFact, frozen=True, kw_only=True):
    """Value came onto a card: what was sold was paid, or somebody gave it."""

    amount: int
    order: UUID | None = None


@declare("gift_card.cancelled")
class GiftCardCancelled(CardFact, frozen=True, kw_only=True):
    """The order that sold it was called off: ``amount`` came off the card; ``spent`` had been spent already."""

    amount: int
    spent: int
    order: UUID


@declare("gift_card.redeemed")
class GiftCardRedeemed(CardFact, frozen=True, kw_only=True):
    """A card paid ``amount``."""

    amount: int
    payment: UUID


@declare("gift_card.status_changed", personal=("reason",))
class GiftCardStatusChanged(CardFact, frozen=True, kw_only=True):
    """A card was blocked, freed again, or replaced by another."""

    before: str
    after: str
    reason: str = ""


@declare("gift_card.kept")
class GiftCardKept(CardFact, frozen=True, kw_only=True):
    """Whoever holds a card's code keeps it in their account from now on."""


@declare("gift_card.mail_planned")
class GiftCardMailPlanned(CardFact, frozen=True, kw_only=True):
    """A card goes to somebody by mail on this day; ``before``: it was to go on that one."""

    send_on: date
    before: date | None = None


@declare("gift_card.mailed")
class GiftCardMailed(CardFact, frozen=True, kw_only=True):
    """A card went to somebody by mail, with a code that only they have: ``last_four`` is of that one."""


@declare("gift_card.expired")
class GiftCardExpired(CardFact, frozen=True, kw_only=True):
    """A card's time is over: ``amount`` that was left is the shop's."""

    amount: int


@declare("store_credit.granted", personal=("reason",))
class StoreCreditGranted(Fact, frozen=True, kw_only=True):
    """A customer has more store credit: ``source`` is given, refunded or rewarded."""

    source: str
    amount: int
    currency: str
    balance: int
    reason: str = ""
    order: UUID | None = None


@declare("store_credit.redeemed")
class StoreCreditRedeemed(Fact, frozen=True, kw_only=True):
    """A customer paid with store credit."""

    amount: int
    currency: str
    payment: UUID


@declare("credit.refunded")
class CreditRefunded(Fact, frozen=True, kw_only=True):
    """A part of a payment by gift card or store credit went back to where it came from."""

    payment: UUID
    refund: UUID
    amount: int


class PointsFact(Fact, frozen=True, kw_only=True):
    """What these say: how many points, and the balance afterwards (below zero if spent points were taken back)."""

    points: int
    balance: int


@declare("loyalty.joined")
class LoyaltyJoined(Fact, frozen=True, kw_only=True):
    """A customer is a member from now on."""

    pool: UUID


@declare("loyalty.earned")
class PointsEarned(PointsFact, frozen=True, kw_only=True):
    """Points for an order, or by hand; ``is_pending`` ones can be spent later."""

    order: UUID | None = None
    is_pending: bool = False


@declare("loyalty.released")
class PointsReleased(PointsFact, frozen=True, kw_only=True):
    """Pending points can be spent now."""


@declare("loyalty.taken_back")
class PointsTakenBack(PointsFact, frozen=True, kw_only=True):
    """Goods came back or the order was called off: their points too."""

    order: UUID | None = None


@declare("loyalty.expired")
class PointsExpired(PointsFact, frozen=True, kw_only=True):
    """Points were not used in time."""


@declare("loyalty.rewarded")
class PointsRewarded(PointsFact, frozen=True, kw_only=True):
    """Points were turned into something."""

    reward: str
    amount: int
    currency: str


@declare("loyalty.programme_changed")
class ProgrammeChanged(Fact, frozen=True, kw_only=True):
    """The rules of a programme are other ones from now on."""

    pool: UUID
    version: int
