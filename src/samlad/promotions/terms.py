"""What a promotion asks and gives, as data: kept as JSON, sent over HTTP, and read by the engine (`rules.py`).

Amounts are minor units of the promotion's currency, with or without tax as the channel quotes its prices.
"""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

LARGEST_AMOUNT = 2**42
"""Of a promotion; some 44 billion euros."""

Amount = Annotated[int, Meta(ge=1, le=LARGEST_AMOUNT, examples=[5_000])]
Price = Annotated[int, Meta(ge=0, le=LARGEST_AMOUNT, examples=[19_900])]
BasisPoints = Annotated[int, Meta(ge=1, le=10_000, description="1000 is 10 %", examples=[1_000])]
Pieces = Annotated[int, Meta(ge=1, le=9_999, examples=[2])]
Brand = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00]*$", examples=["Moccamaster"])]
Named = Annotated[list[UUID], Meta(max_length=500)]


class Goods(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Which goods: those that are in any of these lists; everything if all of them are empty.

    A category means those below it too.
    """

    products: Named = []
    variants: Named = []
    categories: Named = []
    collections: Named = []
    brands: Annotated[list[Brand], Meta(max_length=500)] = []

    @property
    def marks(self) -> frozenset[str]:
        """What goods of these bear, as `Line.marks` has it; empty is everything."""
        named = {
            "product": self.products,
            "variant": self.variants,
            "category": self.categories,
            "collection": self.collections,
        }
        marks = {f"{kind}:{each}" for kind, ids in named.items() for each in ids}
        return frozenset(marks | {brand_mark(brand) for brand in self.brands})


def brand_mark(brand: str) -> str:
    """The mark of goods of a brand; brands are told apart without regard to case."""
    return f"brand:{brand.strip().casefold()}"


class _Effect(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind"):
    pass


class Percent(_Effect, frozen=True, kw_only=True, tag="percent"):
    """A part of the price of each line, rounded once a line, halves up."""

    percent: BasisPoints


class AmountOff(_Effect, frozen=True, kw_only=True, tag="amount"):
    """An amount off the goods together, spread over the lines by what they cost; or off each piece."""

    amount: Amount
    each: Annotated[bool, Meta(description="Off each piece instead of once")] = False


class FixedPrice(_Effect, frozen=True, kw_only=True, tag="fixed_price"):
    """Each piece costs this, unless it costs less already."""

    price: Price


class BuyGet(_Effect, frozen=True, kw_only=True, tag="buy_get"):
    """Buy so many, get so many of the cheapest reduced (free, unless ``percent`` says otherwise).

    Without ``get_goods`` both are counted among the same goods: buy 2, get 1 is *3 for 2*.
    """

    buy: Pieces
    get: Pieces
    percent: BasisPoints = 10_000
    get_goods: Goods | None = None
    times: Annotated[Pieces | None, Meta(description="At most so many times in a cart")] = None


class Tier(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """From so much on so much off: ``percent`` of each line or ``amount`` off all."""

    at_least: Annotated[int, Meta(ge=1, le=LARGEST_AMOUNT)]
    percent: BasisPoints | None = None
    amount: Amount | None = None


class Tiers(_Effect, frozen=True, kw_only=True, tag="tiers"):
    """The more, the more off. The highest tier that is reached holds."""

    by_quantity: Annotated[bool, Meta(description="``at_least`` counts pieces, else it is an amount")] = False
    tiers: Annotated[list[Tier], Meta(min_length=1, max_length=20)]


class BundlePart(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """So many of these goods."""

    goods: Goods
    quantity: Pieces = 1


class Bundle(_Effect, frozen=True, kw_only=True, tag="bundle"):
    """Things that cost one price when they are bought together. The dearest that fit are taken."""

    parts: Annotated[list[BundlePart], Meta(min_length=1, max_length=20)]
    price: Price
    times: Annotated[Pieces | None, Meta(description="At most so many times in a cart")] = None


class FreeShipping(_Effect, frozen=True, kw_only=True, tag="free_shipping"):
    """Shipping costs nothing, or so much less."""

    at_most: Annotated[Amount | None, Meta(description="Takes at most this off; null takes all")] = None


class Gift(_Effect, frozen=True, kw_only=True, tag="gift"):
    """So many of a variant are free. The cart says when one may be put in; what lies in it counts."""

    variant: UUID
    quantity: Pieces = 1


Effect = Percent | AmountOff | FixedPrice | BuyGet | Tiers | Bundle | FreeShipping | Gift


class Combination(StrEnum):
    """With what else a promotion goes together.

    ``all``: with every other that allows it. ``line``: a line (or shipping) that it reduces has no other reduction.
    ``none``: alone in a cart.
    """

    ALL = "all"
    LINE = "line"
    NONE = "none"


class Terms(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a promotion asks of a cart and gives it. Minimums are of ``goods`` at list prices."""

    effect: Effect
    goods: Goods = msgspec.field(default_factory=Goods)
    minimum_amount: Annotated[int, Meta(ge=0, le=LARGEST_AMOUNT)] = 0
    minimum_quantity: Annotated[int, Meta(ge=0, le=1_000_000)] = 0

    @property
    def all_goods(self) -> list[Goods]:
        """Every choice of goods in it."""
        chosen = [self.goods]
        if isinstance(self.effect, BuyGet) and self.effect.get_goods is not None:
            chosen.append(self.effect.get_goods)
        if isinstance(self.effect, Bundle):
            chosen += [part.goods for part in self.effect.parts]
        return chosen

    @property
    def has_amounts(self) -> bool:
        """Whether an amount is in it, so that it holds for one currency only."""
        effect = self.effect
        if isinstance(effect, Tiers):
            return not effect.by_quantity or any(tier.amount is not None for tier in effect.tiers)
        if isinstance(effect, FreeShipping):
            return effect.at_most is not None or self.minimum_amount > 0
        return isinstance(effect, AmountOff | FixedPrice | Bundle) or self.minimum_amount > 0
