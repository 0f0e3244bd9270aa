"""Discounts by hand: staff take something off a line or off the sale at a till, and say why.

Up to the channel's ``discount_limit`` who may give discounts gives them alone; beyond it somebody who may give any does,
or approves with their PIN (`samlad.access.pins`). List prices stay what they were: a discount is a step of its own.
"""

from uuid import UUID

import msgspec

from samlad.access import audit
from samlad.access.pins import Approver
from samlad.carts import discount_rules, events, pricing, store
from samlad.carts.cart_view import prices
from samlad.carts.discount_model import Discount, DiscountInput, DiscountKind, NeedsApproval
from samlad.carts.model import Cart, Delivery
from samlad.carts.opening import after_change, open_cart
from samlad.carts.permissions import DISCOUNT, DISCOUNT_ANY
from samlad.carts.view_model import CartView
from samlad.channels import Channel
from samlad.kernel import cards, log
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.i18n import marked
from samlad.kernel.ids import new_id
from samlad.kernel.money import share, worth
from samlad.kernel.problems import Conflict, InvalidInput, NotFound

WITHOUT_END = 2**62
NOTHING_OFF = marked("takes nothing off")


async def give(
    tx: Tx,
    cart_id: UUID,
    data: DiscountInput,
    *,
    approved: Approver | None = None,
    version: int | None = None,
) -> CartView:
    """Take something off a line, or off the sale; it takes the place of what was taken off there by hand before.

    Raises:
        NotFound, CartClosed, Outdated: no such cart, it is closed, or not the version that was seen.
        Conflict: nothing is handed over at a till. InvalidInput: no such line, or it takes nothing off.
        NeedsApproval: it is more than the actor may give alone.
    """
    cards.refuse(data.reason, "reason")
    cart, channel = await open_cart(tx, cart_id, None, version)
    tx.actor.require(DISCOUNT, location=cart.location)
    if cart.delivery is not Delivery.CARRY_OUT:
        raise Conflict("Only what is sold at a till is discounted by hand.")
    variant = _variant(cart, data)
    others = [each for each in cart.discounts if each.variant != variant]
    wanted = Discount(
        id=new_id(),
        variant=variant,
        kind=data.kind,
        value=data.value,
        most=WITHOUT_END,
        reason=data.reason.strip(),
        given_at=now(),
        given_by=tx.actor.id,
        approved_by=None if approved is None else approved.id,
    )
    made, worth, whole = await _reckoned(tx, cart, channel, others, wanted)
    allowed = share(whole, int(channel.setting("discount_limit")), 100)
    is_free = approved is not None or tx.actor.may(DISCOUNT_ANY, cart.location)
    if worth > allowed and not is_free:
        raise NeedsApproval("A manager has to approve so much.", allowed=allowed, amount=worth)
    kept = sorted([*others, made], key=lambda each: each.given_at)
    await store.set_fields(tx, cart.id, {"discounts": kept})
    fact = events.CartDiscounted(
        discount=made.id,
        variant=variant,
        kind=made.kind,
        value=made.value,
        most=made.most,
        reason=made.reason,
        approved_by=made.approved_by,
    )
    log.append(tx, fact, subject=cart.id, channel=cart.channel, profile=cart.customer)
    audit.record(tx, "cart.discounted", "cart", cart.id, after=made)
    return await after_change(tx, msgspec.structs.replace(cart, discounts=kept), channel)


async def take_back(tx: Tx, cart_id: UUID, discount: UUID, *, version: int | None = None) -> CartView:
    """Do without a discount; one that is gone already is no fault.

    Raises:
        NotFound, CartClosed, Outdated: no such cart, it is closed, or not the version that was seen.
    """
    cart, channel = await open_cart(tx, cart_id, None, version)
    tx.actor.require(DISCOUNT, location=cart.location)
    gone = [each for each in cart.discounts if each.id == discount]
    if gone:
        kept = [each for each in cart.discounts if each.id != discount]
        await store.set_fields(tx, cart.id, {"discounts": kept})
        fact = events.CartDiscountTakenBack(discount=discount, variant=gone[0].variant)
        log.append(tx, fact, subject=cart.id, channel=cart.channel, profile=cart.customer)
        audit.record(tx, "cart.discount-taken-back", "cart", cart.id, before=gone[0])
        cart = msgspec.structs.replace(cart, discounts=kept)
    return await after_change(tx, cart, channel)


def _variant(cart: Cart, data: DiscountInput) -> UUID | None:
    if data.line is None:
        if data.kind is DiscountKind.PRICE:
            raise InvalidInput.at("kind", "a price is that of a line; say which")
        return None
    found = next((line.variant for line in cart.lines if line.id == data.line), None)
    if found is None:
        raise NotFound("There is no such line in this cart.")
    return found


async def _reckoned(
    tx: Tx, cart: Cart, channel: Channel, others: list[Discount], wanted: Discount
) -> tuple[Discount, int, int]:
    """The discount with what it comes to; what all of them come to; what the lines cost at list prices."""
    sellables = await prices(tx, cart, channel)
    bare = msgspec.structs.replace(cart, discounts=[])
    agreed = (await pricing.price(tx, bare, channel, sellables)).agreed
    per = {line.variant: pricing.per_of(line, sellables) for line in cart.lines}
    at_list = {
        line.variant: worth(pricing.price_now(line, sellables), line.quantity, per[line.variant])
        for line in cart.lines
    }
    left = pricing.left_of(at_list, agreed.lines)
    quantities = {line.variant: line.quantity for line in cart.lines}
    found = discount_rules.steps(left, quantities, [*others, wanted], per)
    of_each = [step for each in found.values() for step in each]
    off = sum(step.amount for step in of_each if step.promotion == wanted.id)
    if off == 0:
        raise InvalidInput.at("value", NOTHING_OFF)
    made = msgspec.structs.replace(wanted, most=off)
    return made, sum(step.amount for step in of_each), sum(at_list.values())
