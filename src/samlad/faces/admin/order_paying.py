"""What pays a part of an order that staff enter, as in the shop: a gift card by its code, and what its customer has: cards, store
credit, points. The chosen way pays the rest, or it is paid later.
"""

from typing import Any

import msgspec

from samlad import channels, credit
from samlad.carts import CartView
from samlad.faces.admin.order_caller import Caller
from samlad.faces.form import Form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import tenders
from samlad.faces.storefront.reductions import why
from samlad.faces.storefront.tenders import Own, Part
from samlad.kernel.http import actor_of, context_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import InvalidInput, Problem
from samlad.payments import PaymentInput
from samlad.promotions import BadCode

LATER = "later"
SEEN = "pays"
"""The field that says what the parts came to (minor units) when the page was shown."""
PROMOTION = "promotion"
LOOK = marked("Look at what is still to pay, then place the order once more.")


class Paying(msgspec.Struct, frozen=True, kw_only=True):
    """What could pay a part, what was chosen of it, and what is left then (minor units)."""

    own: Own
    choices: list[dict[str, Any]]
    parts: list[Part]
    rest: int


async def own_of(request: AnyRequest, cart: CartView, caller: Caller | None) -> Own:
    """What could pay: of a customer what the reader may see and use."""
    actor = actor_of(request)
    may_pay = actor.may(credit.READ) and actor.may(credit.PAY)
    channel = await channels.cached(database_of(request), cart.channel)
    return await tenders.own_of(
        database_of(request), channel, caller.customer.id if caller is not None and may_pay else None
    )


async def parts_of(request: AnyRequest, cart: CartView, caller: Caller | None, form: Form) -> list[Part]:
    """What was chosen, and what each pays of the total.

    Raises:
        InvalidInput: the gift card whose code was typed cannot pay here. TooMany: too many codes were tried.
    """
    own, channel = (
        await own_of(request, cart, caller),
        await channels.cached(database_of(request), cart.channel),
    )
    found = await tenders.parts(request, channel, own, form, cart.totals.total, by=context_of(request))
    return [_named(each, caller, form) for each in found]


def _named(part: Part, caller: Caller | None, form: Form) -> Part:
    """Staff say whose value pays, behind what a customer would say of their own."""
    if caller is None or (part.provider == "gift_card" and part.token == form.text(tenders.CODE)):
        return part
    token = ":".join(filter(None, (part.token, str(caller.customer.id))))
    return msgspec.structs.replace(part, token=token)


async def paying_of(request: AnyRequest, cart: CartView, caller: Caller | None, parts: list[Part]) -> Paying:
    """What the page shows."""
    own, total = await own_of(request, cart, caller), cart.totals.total
    return Paying(
        own=own,
        choices=tenders.choices(request, own, total, cart.currency),
        parts=parts,
        rest=total - sum(each.pays for each in parts),
    )


def check_seen(form: Form, parts: list[Part]) -> None:
    """What is left to pay was on the page when the order was placed: of a code and of points nobody knows it before.

    Raises:
        InvalidInput: it was not.
    """
    known = all(each.provider == "store_credit" and ":" not in (each.token or "") for each in parts)
    if not known and form.whole(SEEN) != sum(each.pays for each in parts):
        raise InvalidInput(form.translate(LOOK))


def payments_of(form: Form, parts: list[Part], total: int) -> list[PaymentInput]:
    """The parts, and the way that pays the rest of a total now; none for what is paid later."""
    paid, way = [each.as_input() for each in parts], form.get("pay") or LATER
    if total > sum(each.pays for each in parts) and way != LATER:
        paid.append(PaymentInput(provider=way))
    return paid


def refused(request: AnyRequest, form: Form, problem: Problem) -> None:
    """Say at its field why a code takes nothing off."""
    if isinstance(problem, BadCode):
        form.message = form.errors[PROMOTION] = why(request, str(problem.extra["reason"]))
