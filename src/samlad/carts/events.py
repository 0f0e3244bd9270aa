"""What happens to carts."""

from typing import Any
from uuid import UUID

from samlad.kernel.log import Fact, declare


@declare("cart.created")
class CartCreated(Fact, frozen=True, kw_only=True):
    """Somebody began a cart."""

    currency: str
    customer: UUID | None = None


@declare("cart.line_changed")
class CartLineChanged(Fact, frozen=True, kw_only=True):
    """How many of something are in the cart: 0 before is put in, 0 after is taken out."""

    variant: UUID
    quantity_before: int
    quantity: int
    unit_price: int


@declare("cart.details_set", personal=("details",))
class CartDetailsSet(Fact, frozen=True, kw_only=True):
    """Who buys and how they get it was told; ``fields`` names what, ``details`` has it."""

    fields: list[str]
    details: dict[str, Any]


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
