"""What happens to carts."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from samlad.kernel.log import Fact, declare


@declare("cart.created")
class CartCreated(Fact, frozen=True, kw_only=True):
    """Somebody began a cart."""

    currency: str
    customer: UUID | None = None


@declare("cart.line_changed")
class CartLineChanged(Fact, frozen=True, kw_only=True):
    """How many of something are in the cart: 0 before is put in, 0 after is taken out.

    ``kind`` (`CartKind`): lists of wishes and of what is saved for later change as carts do, and are none.
    """

    variant: UUID
    quantity_before: int
    quantity: int
    unit_price: int
    kind: str = "cart"


@declare("cart.line_noted", personal=("gift_note",))
class CartLineNoted(Fact, frozen=True, kw_only=True):
    """What the card with a line says was written."""

    variant: UUID
    gift_note: str | None = None


@declare("cart.details_set", personal=("details",))
class CartDetailsSet(Fact, frozen=True, kw_only=True):
    """Who buys and how they get it was told; ``fields`` names what, ``details`` has it."""

    fields: list[str]
    details: dict[str, Any] = msgspec.field(default_factory=dict)


@declare("cart.discounted")
class CartDiscounted(Fact, frozen=True, kw_only=True):
    """Staff took something off by hand: of a variant or, without one, of the sale. ``most`` in minor units."""

    discount: UUID
    variant: UUID | None
    kind: str
    value: int
    most: int
    reason: str
    approved_by: UUID | None = None


@declare("cart.discount_taken_back")
class CartDiscountTakenBack(Fact, frozen=True, kw_only=True):
    """A discount by hand is not given after all."""

    discount: UUID
    variant: UUID | None


@declare("cart.prices_accepted")
class CartPricesAccepted(Fact, frozen=True, kw_only=True):
    """The buyer agreed to prices that had changed."""

    lines: list[dict[str, Any]]


@declare("cart.checkout_started")
class CheckoutStarted(Fact, frozen=True, kw_only=True):
    """Prices stand and stock is held (if the channel does so) for a while."""

    total: int
    currency: str
    held: bool


@declare("cart.reopened")
class CartReopened(Fact, frozen=True, kw_only=True):
    """Back from checkout to shopping; what was held is free again. ``expired``: because its time ran out."""

    expired: bool = False


@declare("cart.abandoned")
class CartAbandoned(Fact, frozen=True, kw_only=True):
    """Nobody touched the cart for long."""

    lines: int


@declare("cart.parked", personal=("label",))
class CartParked(Fact, frozen=True, kw_only=True):
    """A sale was put aside at a till; what there is of it is held till ``held_until``."""

    held_until: datetime | None
    label: str | None = None


@declare("cart.resumed")
class CartResumed(Fact, frozen=True, kw_only=True):
    """A parked sale goes on."""


@declare("cart.merged")
class CartMerged(Fact, frozen=True, kw_only=True):
    """It turned out whose cart this is, or two carts became one.

    ``how``: ``claimed`` (its customer had no other), ``merged`` (``other`` went into it), ``kept`` (``other`` was put
    aside and is offered).
    """

    how: str
    merge: UUID
    other: UUID | None = None
    customer: UUID | None = None


@declare("cart.unmerged")
class CartUnmerged(Fact, frozen=True, kw_only=True):
    """A merge was undone: both carts are as they were, with what happened since."""

    merge: UUID
    other: UUID | None = None


@declare("cart.offered")
class CartOffered(Fact, frozen=True, kw_only=True):
    """The cart can be opened elsewhere for a while, once."""

    until: datetime


@declare("cart.joined")
class CartJoined(Fact, frozen=True, kw_only=True):
    """Another device, or somebody of the store, opened the cart by a link or code."""

    how: str


@declare("cart.device_removed")
class CartDeviceRemoved(Fact, frozen=True, kw_only=True):
    """A device that the cart was handed over to cannot open it any more."""

    device: UUID


@declare("cart.moved")
class CartMoved(Fact, frozen=True, kw_only=True):
    """The cart is open in another channel now: its prices and its stock count."""

    origin: UUID
    currency: str


@declare("cart.made_current")
class CartMadeCurrent(Fact, frozen=True, kw_only=True):
    """Of several carts of its customer this is the one that is meant now."""


@declare("cart.quoted")
class CartQuoted(Fact, frozen=True, kw_only=True):
    """Staff made a quote: its prices stand till ``until``."""

    until: datetime
    lines: int


@declare("cart.quote_accepted")
class QuoteAccepted(Fact, frozen=True, kw_only=True):
    """A quote became a cart."""
