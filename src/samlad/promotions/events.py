"""What happens to promotions."""

from typing import Any
from uuid import UUID

from samlad.kernel.log import Fact, declare


@declare("promotion.created")
class PromotionCreated(Fact, frozen=True, kw_only=True):
    """Somebody made a promotion."""

    name: str
    kind: str
    pool: UUID


@declare("promotion.changed")
class PromotionChanged(Fact, frozen=True, kw_only=True):
    """Something about a promotion is different: paused, ended, or other terms."""

    name: str
    fields: list[str]


@declare("promotion.codes_added")
class CodesAdded(Fact, frozen=True, kw_only=True):
    """A promotion has so many more codes."""

    count: int


@declare("promotion.link_made")
class LinkMade(Fact, frozen=True, kw_only=True):
    """A link gives a promotion now."""

    leads_to: str
    note: str


@declare("promotion.granted")
class PromotionGranted(Fact, frozen=True, kw_only=True):
    """A promotion was given or shown to somebody: to a cart, a customer or a visitor's browser."""

    name: str
    source: str
    holder: UUID
    kind: str


@declare("promotion.used")
class PromotionsUsed(Fact, frozen=True, kw_only=True):
    """An order has used promotions: id, name and amount (minor units) of each."""

    order: UUID
    promotions: list[dict[str, Any]]


@declare("promotion.released")
class PromotionsReleased(Fact, frozen=True, kw_only=True):
    """A cancelled order gave back its uses of promotions."""

    order: UUID
    promotions: list[UUID]
