"""What the lines of a cart cost now, step by step: list prices, then promotions.

What the buyer was last shown of promotions is kept with the cart (`Agreed`). In a checkout it stands; outside of one,
a promotion that takes off less than was shown is told by name until they agree, like a price that has changed.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from samlad import promotions
from samlad.carts import discount_rules, rules, store, taxing
from samlad.carts.model import (
    Agreed,
    Cart,
    CartLine,
    CartPromotion,
    CartStatus,
    Delivery,
    MovedPromotion,
    PriceStep,
)
from samlad.carts.pieces import at_home
from samlad.carts.taxing import Basis, TaxedCart
from samlad.carts.view_model import CodeView, GiftView
from samlad.catalog import Sellable
from samlad.channels import Channel
from samlad.kernel.clock import now
from samlad.kernel.database import Database, Tx
from samlad.kernel.money import worth
from samlad.promotions import HolderKind, Offers, Outcome
from samlad.promotions.rules import Step

OWN_DOING = frozenset({"goods", "minimum", "nothing", "shipping", "combination", "not-granted"})
"""Reasons that come from what the buyer does with the cart: nobody has to be told."""


class Priced(msgspec.Struct, frozen=True, kw_only=True):
    """A cart's prices. ``agreed`` is what its buyer sees of promotions now, ``moved`` what is less than before.

    ``to_keep`` are promotions that its buyer has not held before: what they were shown stays theirs.
    ``taxes`` is by what it is taxed. ``shipping_price`` is what delivery costs before promotions, by the goods' value
    before promotions: an offer on the goods does not make their delivery dearer.
    """

    sellables: Mapping[UUID, Sellable]
    agreed: Agreed = Agreed()
    moved: list[MovedPromotion] = []
    codes: list[CodeView] = []
    gifts: list[GiftView] = []
    to_keep: list[UUID] = []
    shipping_price: int = 0
    taxes: Basis | None = None


def holders(cart: Cart) -> list[promotions.Holder]:
    """Whose grants a cart has: its own and its customer's."""
    own: list[promotions.Holder] = [(cart.id, HolderKind.CART)]
    return own if cart.customer is None else [*own, (cart.customer, HolderKind.CUSTOMER)]


def price_now(line: CartLine, sellables: Mapping[UUID, Sellable]) -> int:
    """What one costs now; what cannot be bought any more keeps the price that was last agreed to, as a quote's does."""
    sold = sellables.get(line.variant)
    stands = sold is None or sold.price is None or rules.price_stands(line, now())
    return line.unit_price if stands or sold is None or sold.price is None else sold.price


async def price(
    reader: Database | Tx,
    cart: Cart,
    channel: Channel,
    sellables: Mapping[UUID, Sellable],
    *,
    stands: bool | None = None,
) -> Priced:
    """The prices of a cart whose lines have been read; no statement where there are no promotions, else one to three.

    ``stands``: what was agreed to holds; by default it does unless the cart is open.
    """
    if stands is None:
        stands = cart.status not in (CartStatus.OPEN, CartStatus.PARKED)
    prices = {line.id: line.unit_price if stands else price_now(line, sellables) for line in cart.lines}
    shipping = _shipping_price(cart, channel, sellables, prices)
    taxes = await taxing.basis(reader, cart, channel, sellables)
    if stands:
        return Priced(
            sellables=sellables, agreed=cart.agreed or Agreed(), shipping_price=shipping, taxes=taxes
        )
    found = await promotions.offers(reader, _asking(cart, channel), _goods(cart, sellables))
    if not found.promotions:
        moved = _moved(cart, found, None, {})
        agreed = _discounted(cart, Agreed(), prices, sellables)
        return Priced(sellables=sellables, agreed=agreed, moved=moved, shipping_price=shipping, taxes=taxes)
    outcome = promotions.apply(found.lines, found.offers, shipping)
    agreed = _agreed(outcome, found)
    taken_off = {each.promotion: each.amount for each in agreed.promotions}
    is_same = all(line.unit_price == prices[line.id] for line in cart.lines)
    return Priced(
        sellables=sellables,
        agreed=_discounted(cart, agreed, prices, sellables),
        moved=_moved(cart, found, outcome, taken_off, amounts_tell=is_same),
        codes=_codes(found, outcome),
        gifts=[
            GiftView(
                promotion=UUID(each.promotion),
                name=each.name,
                variant=UUID(each.variant),
                quantity=each.quantity,
            )
            for each in outcome.gifts
        ],
        to_keep=[each for each in taken_off if each not in found.grants],
        shipping_price=shipping,
        taxes=taxes,
    )


def left_of(at_list: Mapping[UUID, int], steps: Mapping[UUID, Sequence[PriceStep]]) -> dict[UUID, int]:
    """What lines (by variant) still cost after steps."""
    return {
        variant: amount - sum(step.amount for step in steps.get(variant, ()))
        for variant, amount in at_list.items()
    }


def per_of(line: CartLine, sellables: Mapping[UUID, Sellable]) -> int:
    """A line's price is for so many of what its quantity counts."""
    return sellables[line.variant].sold_by.per if line.variant in sellables else 1


def _discounted(
    cart: Cart, agreed: Agreed, prices: Mapping[UUID, int], sellables: Mapping[UUID, Sellable]
) -> Agreed:
    """With what staff take off by hand, where the goods are handed over at a till."""
    if not cart.discounts or cart.delivery is not Delivery.CARRY_OUT:
        return agreed
    at_list = {
        line.variant: worth(prices[line.id], line.quantity, per_of(line, sellables)) for line in cart.lines
    }
    quantities = {line.variant: line.quantity for line in cart.lines}
    per = {line.variant: per_of(line, sellables) for line in cart.lines}
    found = discount_rules.steps(left_of(at_list, agreed.lines), quantities, cart.discounts, per)
    lines = {each: [*agreed.lines.get(each, []), *found.get(each, [])] for each in agreed.lines | found}
    return msgspec.structs.replace(agreed, lines=lines)


def with_tax(
    cart: Cart,
    channel: Channel,
    priced: Priced,
    prices: Mapping[UUID, tuple[int, int]],
    by: Basis | None = None,
) -> TaxedCart:
    """What a cart comes to with its tax (``by`` other rules than those of now), at (price, price before) by line."""
    return taxing.taxed(
        cart,
        channel,
        by or priced.taxes or Basis(decisions={}),
        priced.sellables,
        prices,
        priced.agreed.lines,
        (priced.shipping_price, priced.agreed.shipping),
        priced.agreed.promotions,
    )


def _shipping_price(
    cart: Cart, channel: Channel, sellables: Mapping[UUID, Sellable], prices: Mapping[UUID, int]
) -> int:
    """What delivery costs, for lines at prices (by line)."""
    goods = 0
    for line in cart.lines:
        found = at_home(sellables.get(line.variant), prices[line.id], line.quantity)
        goods += sum(amount.total for _piece, amount in found)
    weight = rules.weight_of(cart.lines, sellables)
    return rules.shipping_price(cart, channel, goods=goods, weight=weight)


async def keep(tx: Tx, cart: Cart, priced: Priced, *, accept: bool = False) -> Priced:
    """Note what the buyer is shown by this change; what has gone since they last looked stays told until they agree.

    No statement where nothing about promotions changed.
    """
    lapsed = [] if accept else [each for each in priced.moved if each.reason != "changed"]
    agreed = msgspec.structs.replace(priced.agreed, lapsed=lapsed)
    if agreed != (cart.agreed or Agreed()):
        await store.set_fields(tx, cart.id, {"agreed": agreed})
    if priced.to_keep:
        await promotions.show(tx, priced.to_keep, holders(cart))
    return msgspec.structs.replace(priced, agreed=agreed, moved=lapsed)


def keep_new(tx: Tx, cart: Cart, priced: Priced) -> Cart:
    """The same for a cart that is still to be written, as it then is; nobody was shown anything before."""
    if priced.to_keep:
        promotions.show_later(tx, priced.to_keep, holders(cart))
    return msgspec.structs.replace(cart, agreed=None if priced.agreed == Agreed() else priced.agreed)


def _asking(cart: Cart, channel: Channel) -> promotions.Asking:
    return promotions.Asking(
        channel=channel,
        holders=[holder for holder, _ in holders(cart)],
        person=cart.customer,
        email=cart.email,
        customer_group=cart.customer_group,
    )


def _goods(cart: Cart, sellables: Mapping[UUID, Sellable]) -> list[promotions.Goods]:
    return [
        promotions.Goods(
            variant=line.variant,
            product=sellables[line.variant].product if line.variant in sellables else line.variant,
            price=price_now(line, sellables),
            quantity=line.quantity,
            per=per_of(line, sellables),
        )
        for line in cart.lines
        if line.plan is not None or not rules.price_stands(line, now())  # a quote is its own offer
    ]


def _agreed(outcome: Outcome, found: Offers) -> Agreed:
    applied = []
    for key, amount in outcome.applied.items():
        promotion = found.promotions[UUID(key)]
        grant = found.grants.get(promotion.id)
        applied.append(
            CartPromotion(
                promotion=promotion.id,
                name=promotion.name,
                amount=amount,
                code=grant.code if grant else None,
                code_id=grant.code_id if grant else None,
                once=promotion.each_customer is not None,
            )
        )
    return Agreed(
        promotions=applied,
        lines={UUID(key): _steps(steps) for key, steps in outcome.lines.items()},
        shipping=_steps(outcome.shipping),
    )


def _steps(steps: Sequence[Step]) -> list[PriceStep]:
    return [PriceStep(promotion=UUID(each.promotion), name=each.name, amount=each.amount) for each in steps]


def _moved(
    cart: Cart,
    found: Offers,
    outcome: Outcome | None,
    taken_off: Mapping[UUID, int],
    *,
    amounts_tell: bool = False,
) -> list[MovedPromotion]:
    """What takes off less than was last shown though the buyer did nothing about it.

    ``amounts_tell``: list prices are as agreed to, so that another amount is the promotion's own change.
    """
    before = cart.agreed or Agreed()
    shown: list[tuple[UUID, str, int, str | None]] = [
        (each.promotion, each.name, each.amount, None) for each in before.promotions
    ]
    shown += [(each.promotion, each.name, each.before, each.reason) for each in before.lapsed]
    moved = []
    for promotion, name, amount, told in shown:
        is_applied = promotion in taken_off
        if is_applied and (told is not None or taken_off[promotion] >= amount or not amounts_tell):
            continue
        reason = "changed" if is_applied else _why_gone(promotion, found, outcome)
        if told is not None or reason not in OWN_DOING:
            moved.append(
                MovedPromotion(
                    promotion=promotion,
                    name=name,
                    before=amount,
                    now=taken_off.get(promotion, 0),
                    reason=told or reason,
                )
            )
    return moved


def _why_gone(promotion: UUID, found: Offers, outcome: Outcome | None) -> str:
    if promotion not in found.promotions:
        return "ended"
    refused = {} if outcome is None else outcome.refused
    return found.unavailable.get(promotion) or refused.get(str(promotion), "ended")


def _codes(found: Offers, outcome: Outcome) -> list[CodeView]:
    return [
        CodeView(
            code=grant.code,
            promotion=grant.promotion,
            name=grant.name,
            reason=_why_gone(grant.promotion, found, outcome)
            if str(grant.promotion) not in outcome.applied
            else None,
        )
        for grant in found.grants.values()
        if grant.code is not None
    ]
