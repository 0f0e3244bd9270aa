"""The engine of promotions: lines, promotions and the price of shipping in, reductions out. Pure, exact, no clock.

Everything is in minor units as prices are quoted; tax is reckoned afterwards on what is left. Nothing depends on the
order in which lines or promotions are given. `tests/vectors.json` holds this engine, and any other that is
to say the same (the till's), to its answers.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from samlad.kernel.money import allocate, share, worth
from samlad.promotions.terms import (
    AmountOff,
    Bundle,
    BuyGet,
    Combination,
    FixedPrice,
    FreeShipping,
    Gift,
    Goods,
    Percent,
    Terms,
    Tiers,
)

WHOLE = 10_000
SHIPPING = "shipping"
"""The key of shipping among the keys of lines."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a cart. ``key`` is its own in the cart; ``marks`` say what it is (``product:…``, ``brand:…``).

    ``price`` is for ``per`` of what ``quantity`` counts: what is sold by the kilogram has 1,000. Such a line is one piece.
    """

    key: str
    price: int
    quantity: int
    marks: frozenset[str] = frozenset()
    per: int = 1

    @property
    def pieces(self) -> int:
        """How many pieces it is to whoever counts pieces."""
        return self.quantity if self.per == 1 else 1

    @property
    def each(self) -> int:
        """What a piece costs in the list."""
        return self.price if self.per == 1 else self.at(self.price)

    def at(self, price: int) -> int:
        """What all of it comes to at a price."""
        return worth(price, self.quantity, self.per)


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A promotion that this cart may have. ``left``: what is left of its budget, None without one."""

    id: str
    name: str
    terms: Terms
    priority: int = 0
    combination: Combination = Combination.ALL
    left: int | None = None


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step from the list price to what is paid: ``amount`` is taken off."""

    promotion: str
    name: str
    amount: int


class GiftOffer(msgspec.Struct, frozen=True, kw_only=True):
    """Something that may still be put into the cart for nothing."""

    promotion: str
    name: str
    variant: str
    quantity: int


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What promotions do to a cart.

    ``lines`` has the steps of each line that has any, by key; ``applied`` what each promotion takes off in all;
    ``refused`` why another one does not: ``goods`` (none of its goods are there), ``minimum``, ``nothing`` (it would
    take nothing off), ``shipping`` (nothing is sent, or for nothing), ``combination`` (another promotion does not go with it), ``budget``.
    """

    lines: dict[str, list[Step]]
    shipping: list[Step]
    applied: dict[str, int]
    refused: dict[str, str]
    gifts: list[GiftOffer]


class _Cart:
    """What is left to pay of each line while promotions are applied one after the other."""

    def __init__(self, lines: Sequence[Line], shipping: int) -> None:
        self.lines = sorted(lines, key=lambda line: (line.each, line.key))
        self.paid = {line.key: line.at(line.price) for line in lines} | {SHIPPING: shipping}
        self.steps: dict[str, list[Step]] = {}
        self.reduced: set[str] = set()
        self.closed: set[str] = set()

    def matching(self, goods: Goods, without: str | None = None) -> list[Line]:
        wanted = goods.marks
        return [
            line
            for line in self.lines
            if (not wanted or wanted & line.marks) and (without is None or without not in line.marks)
        ]

    def value(self, line: Line, pieces: int) -> int:
        """What so many pieces of a line come to now."""
        return share(self.paid[line.key], pieces, line.pieces)

    def free_for(self, combination: Combination, lines: Iterable[Line]) -> list[Line]:
        taken = self.reduced if combination is Combination.LINE else self.closed
        return [line for line in lines if line.key not in taken]

    def take(self, offer: Offer, parts: Mapping[str, int]) -> None:
        for key, amount in parts.items():
            if amount <= 0:
                continue
            self.paid[key] -= amount
            self.steps.setdefault(key, []).append(Step(promotion=offer.id, name=offer.name, amount=amount))
            self.reduced.add(key)
            if offer.combination is Combination.LINE:
                self.closed.add(key)


def apply(lines: Sequence[Line], offers: Sequence[Offer], shipping: int = 0) -> Outcome:
    """Apply promotions to a cart.

    The highest priority first; among equals the one that alone would take most off, then by id. No line and no
    shipping ever falls below zero.
    """
    fresh = _Cart(lines, shipping)
    gains = {offer.id: sum(_reductions(fresh, offer).values()) for offer in offers}
    cart = _Cart(lines, shipping)
    applied: dict[str, int] = {}
    refused: dict[str, str] = {}
    gifts: list[GiftOffer] = []
    is_alone = False
    for offer in sorted(offers, key=lambda each: (-each.priority, -gains[each.id], each.id)):
        reason = unmet(cart.lines, offer.terms)
        if reason is None and (is_alone or (offer.combination is Combination.NONE and applied)):
            reason = "combination"
        if reason is not None:
            refused[offer.id] = reason
            continue
        parts = _reductions(cart, offer)
        amount = sum(parts.values())
        gift = _still_to_give(cart, offer)
        if gift is not None:
            gifts.append(gift)
        if amount == 0:
            refused[offer.id] = _why_nothing(cart, offer, gains[offer.id])
        elif offer.left is not None and amount > offer.left:
            refused[offer.id] = "budget"
        else:
            cart.take(offer, parts)
            applied[offer.id] = amount
            is_alone = offer.combination is Combination.NONE
    shipping_steps = cart.steps.pop(SHIPPING, [])
    return Outcome(lines=cart.steps, shipping=shipping_steps, applied=applied, refused=refused, gifts=gifts)


def _why_nothing(cart: _Cart, offer: Offer, gain: int) -> str:
    if gain:
        return "combination"
    is_shipping = isinstance(offer.terms.effect, FreeShipping) and cart.paid[SHIPPING] == 0
    return "shipping" if is_shipping else "nothing"


def unmet(lines: Sequence[Line], terms: Terms) -> str | None:
    """What of a promotion's conditions a cart does not meet: ``goods`` or ``minimum``; None when it meets all."""
    found = _measured(_Cart(lines, 0), terms)
    if not found:
        return "goods"
    pieces = sum(line.pieces for line in found)
    amount = sum(line.at(line.price) for line in found)
    return None if pieces >= terms.minimum_quantity and amount >= terms.minimum_amount else "minimum"


def _measured(cart: _Cart, terms: Terms) -> list[Line]:
    """The lines that count for the minimums. A gift does not earn itself."""
    gift = f"variant:{terms.effect.variant}" if isinstance(terms.effect, Gift) else None
    return cart.matching(terms.goods, without=gift)


def _reductions(cart: _Cart, offer: Offer) -> dict[str, int]:
    """What a promotion takes off each line now, by key; conditions and budget are not looked at."""
    effect = offer.terms.effect
    if isinstance(effect, FreeShipping):
        return _shipping(cart, offer, effect)
    lines = cart.free_for(offer.combination, cart.matching(offer.terms.goods))
    match effect:
        case Percent():
            return _percent(cart, lines, effect.percent)
        case AmountOff(each=True):
            return {line.key: min(cart.paid[line.key], line.at(effect.amount)) for line in lines}
        case AmountOff():
            return _spread(cart, lines, effect.amount)
        case FixedPrice():
            return {line.key: max(0, cart.paid[line.key] - line.at(effect.price)) for line in lines}
        case Tiers():
            return _tiers(cart, lines, offer.terms, effect)
        case BuyGet():
            return _buy_get(cart, lines, offer, effect)
        case Bundle():
            return _bundle(cart, offer, effect)
        case Gift():
            named = cart.matching(Goods(variants=[effect.variant]))
            return _cheapest(cart, cart.free_for(offer.combination, named), effect.quantity, WHOLE)


def _shipping(cart: _Cart, offer: Offer, effect: FreeShipping) -> dict[str, int]:
    taken = cart.reduced if offer.combination is Combination.LINE else cart.closed
    if SHIPPING in taken:
        return {}
    left = cart.paid[SHIPPING]
    return {SHIPPING: left if effect.at_most is None else min(left, effect.at_most)}


def _percent(cart: _Cart, lines: Sequence[Line], percent: int) -> dict[str, int]:
    return {line.key: share(cart.paid[line.key], percent, WHOLE) for line in lines}


def _spread(cart: _Cart, lines: Sequence[Line], amount: int) -> dict[str, int]:
    """An amount off all lines together, in proportion to what they cost; exact, and no line below zero."""
    weights = [cart.paid[line.key] for line in lines]
    parts = allocate(min(amount, sum(weights)), weights)
    return {line.key: part for line, part in zip(lines, parts, strict=True)}


def _tiers(cart: _Cart, lines: Sequence[Line], terms: Terms, effect: Tiers) -> dict[str, int]:
    measured = cart.matching(terms.goods)
    reached = sum(line.pieces if effect.by_quantity else line.at(line.price) for line in measured)
    fitting = [tier for tier in effect.tiers if tier.at_least <= reached]
    if not fitting:
        return {}
    best = max(fitting, key=lambda tier: tier.at_least)
    if best.percent is not None:
        return _percent(cart, lines, best.percent)
    return _spread(cart, lines, best.amount or 0)


def _buy_get(cart: _Cart, lines: Sequence[Line], offer: Offer, effect: BuyGet) -> dict[str, int]:
    if effect.get_goods is None:
        times = sum(line.pieces for line in lines) // (effect.buy + effect.get)
        given = list(lines)
    else:
        given = cart.free_for(offer.combination, cart.matching(effect.get_goods))
        keys = {line.key for line in given}
        times = sum(line.pieces for line in lines if line.key not in keys) // effect.buy
    if effect.times is not None:
        times = min(times, effect.times)
    return _cheapest(cart, given, times * effect.get, effect.percent)


def _cheapest(cart: _Cart, lines: Sequence[Line], pieces: int, percent: int) -> dict[str, int]:
    """So many of the cheapest pieces (by list price, then key: the order of ``cart.lines``) reduced."""
    parts = {}
    for line in lines:
        taken = min(pieces, line.pieces)
        pieces -= taken
        parts[line.key] = share(cart.value(line, taken), percent, WHOLE)
    return parts


def _bundle(cart: _Cart, offer: Offer, effect: Bundle) -> dict[str, int]:
    choices = [cart.free_for(offer.combination, cart.matching(part.goods)) for part in effect.parts]
    most = sum(line.pieces for line in cart.lines)
    if effect.times is not None:
        most = min(most, effect.times)
    most = _last(most, lambda times: _fill(choices, effect, times) is not None)
    # The dearest go first, so that a bundle saves at most what the one before it does: what is cheap already is left out.
    best = _last(
        most, lambda times: _gain(cart, choices, effect, times) > _gain(cart, choices, effect, times - 1)
    )
    best = max(best, most, key=lambda times: _gain(cart, choices, effect, times))
    pieces = _fill(choices, effect, best) or {}
    taken = [line for line in cart.lines if pieces.get(line.key)]
    values = [cart.value(line, pieces[line.key]) for line in taken]
    off = max(0, sum(values) - best * effect.price)
    return {line.key: part for line, part in zip(taken, allocate(off, values), strict=True)}


def _last(most: int, holds: Callable[[int], bool]) -> int:
    """The last of the numbers from 1 to ``most`` for which it holds, 0 if for none; it holds for all before it. By halving."""
    least = 0
    while least < most:
        middle = (least + most + 1) // 2
        if holds(middle):
            least = middle
        else:
            most = middle - 1
    return least


def _gain(cart: _Cart, choices: Sequence[Sequence[Line]], effect: Bundle, times: int) -> int:
    """What so many bundles save, which can be filled; less than nothing if they are dearer than their parts."""
    pieces = _fill(choices, effect, times) or {}
    values = (cart.value(line, pieces[line.key]) for line in cart.lines if pieces.get(line.key))
    return sum(values) - times * effect.price


def _fill(choices: Sequence[Sequence[Line]], effect: Bundle, times: int) -> dict[str, int] | None:
    """Pieces of each line for so many bundles, the dearest first; None if there are not enough."""
    used: dict[str, int] = {}
    for part, lines in zip(effect.parts, choices, strict=True):
        wanted = part.quantity * times
        for line in reversed(lines):
            taken = min(wanted, line.pieces - used.get(line.key, 0))
            used[line.key] = used.get(line.key, 0) + taken
            wanted -= taken
        if wanted:
            return None
    return used


def _still_to_give(cart: _Cart, offer: Offer) -> GiftOffer | None:
    effect = offer.terms.effect
    if not isinstance(effect, Gift):
        return None
    there = sum(line.pieces for line in cart.matching(Goods(variants=[effect.variant])))
    if there >= effect.quantity:
        return None
    missing = effect.quantity - there
    return GiftOffer(promotion=offer.id, name=offer.name, variant=str(effect.variant), quantity=missing)
