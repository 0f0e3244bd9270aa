"""What is taken off by hand, decided without a database; `faces/pos/static/rules/discounts.js` says the same.

A discount by hand comes after promotions, on what is left of a line: first those of lines, then the one of the sale. None
takes off more than it came to when it was given: what somebody approved does not grow with the cart.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from samlad.carts.discount_model import Discount, DiscountKind
from samlad.carts.model import PriceStep
from samlad.kernel.money import allocate, share, worth

WHOLE = 10_000


def steps(
    left: Mapping[UUID, int],
    quantities: Mapping[UUID, int],
    discounts: Sequence[Discount],
    per: Mapping[UUID, int] | None = None,
) -> dict[UUID, list[PriceStep]]:
    """The steps of discounts by variant. ``left`` is what each line costs after promotions, minor units as quoted;
    prices are for ``per`` of a quantity, one where it says nothing."""
    rest, found = dict(left), dict[UUID, list[PriceStep]]()
    for discount in sorted(discounts, key=lambda each: each.variant is None):
        for variant, amount in parts(rest, quantities, discount, per).items():
            if amount > 0:
                rest[variant] -= amount
                step = PriceStep(promotion=discount.id, name=discount.reason, amount=amount, by_hand=True)
                found.setdefault(variant, []).append(step)
    return found


def parts(
    left: Mapping[UUID, int],
    quantities: Mapping[UUID, int],
    discount: Discount,
    per: Mapping[UUID, int] | None = None,
) -> dict[UUID, int]:
    """What a discount takes off each line."""
    if discount.variant is None:
        whole = sum(left.values())
        off = min(_off(whole, 1, discount), discount.most)
        return dict(zip(left, allocate(off, list(left.values())), strict=True))
    if discount.variant not in left:
        return {}
    pieces = quantities[discount.variant]
    off = _off(left[discount.variant], pieces, discount, (per or {}).get(discount.variant, 1))
    return {discount.variant: min(off, discount.most)}


def _off(left: int, quantity: int, discount: Discount, per: int = 1) -> int:
    match discount.kind:
        case DiscountKind.PERCENT:
            return share(left, discount.value, WHOLE)
        case DiscountKind.AMOUNT:
            return min(left, discount.value)
        case DiscountKind.PRICE:
            return max(0, left - worth(discount.value, quantity, per))
