"""Facts about the catalogue. One event may tell of up to 1,000 things: imports change many at once."""

from uuid import UUID

from samlad.kernel.log import Fact, declare


@declare("product.created")
class ProductCreated(Fact, frozen=True, kw_only=True):
    """Products that are new in a catalogue pool."""

    pool: UUID
    products: list[UUID]


@declare("product.changed")
class ProductChanged(Fact, frozen=True, kw_only=True):
    """Products whose description, variants, media or category changed."""

    pool: UUID
    products: list[UUID]


@declare("product.archived")
class ProductArchived(Fact, frozen=True, kw_only=True):
    """Products that are no longer sold; they stay for the history of orders."""

    pool: UUID
    products: list[UUID]


@declare("price.changed")
class PriceChanged(Fact, frozen=True, kw_only=True):
    """Prices of variants in one price list were set or taken away."""

    price_list: UUID
    currency: str
    variants: list[UUID]


@declare("listing.changed")
class ListingChanged(Fact, frozen=True, kw_only=True):
    """How products are listed in one channel changed."""

    products: list[UUID]
