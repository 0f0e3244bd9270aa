"""How carts become one, and two again: decided without a database.

A `Strategy` is one function. Which one is taken is a setting of the channel for each situation: while somebody
browses, carts are put together; in the middle of paying nothing comes in that was not looked at.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from uuid import UUID

from samlad.carts.model import LARGEST_QUANTITY, MOST_LINES, Cart, CartStatus, Delivery

Quantities = Mapping[UUID, int]
Strategy = Callable[[Quantities, Quantities], "dict[UUID, int] | None"]
"""From what this cart and the customer's own hold: what they hold together; None: keep this one, offer the rest."""


class Situation(StrEnum):
    """What somebody is doing when it turns out whose cart this is. ``paying``: in a checkout, or at a till."""

    BROWSING = "browsing"
    PAYING = "paying"


def situation_of(cart: Cart) -> Situation:
    """A ticket at a till is about to be paid, like a cart in checkout."""
    is_paying = cart.status is CartStatus.CHECKOUT or cart.delivery is Delivery.CARRY_OUT
    return Situation.PAYING if is_paying else Situation.BROWSING


def larger(this: Quantities, own: Quantities) -> dict[UUID, int] | None:
    """Everything of both; of the same variant the larger quantity: who put it in twice wants it once."""
    return _within({v: max(this.get(v, 0), own.get(v, 0)) for v in (*own, *this)})


def add(this: Quantities, own: Quantities) -> dict[UUID, int] | None:
    """Everything of both, added up."""
    return _within({v: min(this.get(v, 0) + own.get(v, 0), LARGEST_QUANTITY) for v in (*own, *this)})


def keep(_this: Quantities, _own: Quantities) -> dict[UUID, int] | None:
    """This cart stays as it is; the other one is offered."""
    return None


STRATEGIES: dict[str, Strategy] = {"larger": larger, "add": add, "keep": keep}
"""By the names that the settings ``cart_merge`` and ``cart_merge_paying`` take."""


def _within(wanted: dict[UUID, int]) -> dict[UUID, int] | None:
    """What a cart can take; a cart that would have too many lines is not merged but offered."""
    return wanted if len(wanted) <= MOST_LINES else None


def undone(
    own_before: Quantities, merged: Quantities, now: Quantities, other_before: Quantities
) -> tuple[dict[UUID, int], dict[UUID, int]]:
    """What the cart that went on and the other one hold when a merge is undone, with what happened since.

    Each variant of the cart that went on is what it was before plus what came or went since. What was taken out
    since is in neither; what went beyond the cart's own part is taken off the other's.
    """
    own, other = {}, dict(other_before)
    for variant in {*own_before, *merged, *now}:
        before, then, current = own_before.get(variant, 0), merged.get(variant, 0), now.get(variant, 0)
        if current == 0 and then > 0:
            other.pop(variant, None)
            continue
        mine = before + current - then
        if mine > 0:
            own[variant] = min(mine, LARGEST_QUANTITY)
        elif mine < 0 and variant in other:
            left = other[variant] + mine
            other.pop(variant) if left <= 0 else other.update({variant: left})
    return own, other
