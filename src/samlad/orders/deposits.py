"""Deposits: a part of an order is paid at once, the rest before its goods leave, in as many parts as it takes, at any till.

What came in before is a debt of the shop and no sale yet (`samlad.books.rules`), of which the tax is due at once. Called off, all that
was paid goes back, as of any order.
"""

from collections.abc import Sequence
from datetime import date, timedelta

import msgspec

from samlad.carts import Cart, Delivery
from samlad.channels import Channel
from samlad.kernel.problems import Conflict, Forbidden, InvalidInput
from samlad.orders.model import OrderHead, OrderPayment, PlaceOrder
from samlad.payments import PaymentInput


class BalanceDue(Conflict):
    """A deposit was paid for this order, and the rest (``due``, minor units) before its goods leave."""

    code, title = "balance-due", "The rest of this order is paid first"


def least_of(total: int, channel: Channel) -> int:
    """The least that a channel takes as a deposit of a total (minor units)."""
    percent: int = channel.setting("deposit_percent")
    return -(-total * percent // 100)


def offered(channel: Channel, delivery: Delivery | None, total: int) -> int | None:
    """What customers may pay now of a total instead of all of it (minor units); None where the channel does not offer that."""
    if not channel.setting("deposit_offered") or delivery is Delivery.CARRY_OUT:
        return None
    amount = least_of(total, channel)
    return amount if 0 < amount < total else None


def settled(data: PlaceOrder, channel: Channel, cart: Cart, total: int, kind: str) -> PlaceOrder:
    """An order as it was wanted by an actor of a ``kind``, with the deposit that is agreed and can be.

    What staff take of an order whose rest is paid later is its deposit, however little the channel would want.

    Raises:
        Forbidden: a customer wants one where the channel offers none.
        InvalidInput: it is all of it, or less than the channel wants; its goods leave at once; there is a tip.
    """
    if not data.pay_later:
        deposit = _agreed(data.deposit, channel, cart, total, kind)
        _check(deposit, total, cart, tip=data.tip, least=least_of(total, channel))
        return msgspec.structs.replace(data, deposit=deposit)
    if data.tip or data.deposit:
        raise InvalidInput.at("pay_later", "neither with a tip nor with a deposit")
    if not data.payments:
        return data
    part = part_of(total, data.payments)
    deposit = part if part < total else None
    _check(deposit, total, cart, tip=0, least=0)
    return msgspec.structs.replace(data, pay_later=False, deposit=deposit)


def _agreed(wanted: int | None, channel: Channel, cart: Cart, total: int, kind: str) -> int | None:
    """What is paid now of an order (minor units): what somebody says with it, else what its buyer chose in the cart. Staff and
    programs say it themselves."""
    offer = offered(channel, cart.delivery, total)
    if wanted is not None and offer is None and kind in ("guest", "customer"):
        raise Forbidden("Only staff can agree on a deposit here.")
    if wanted is None and cart.pays_deposit and kind in ("guest", "customer", "system"):
        return offer
    return wanted


def _check(deposit: int | None, total: int, cart: Cart, *, tip: int, least: int) -> None:
    if deposit is None:
        return
    if cart.delivery is Delivery.CARRY_OUT:
        raise InvalidInput.at("deposit", "what is carried out is paid at once")
    if tip:
        raise InvalidInput.at("tip", "a tip is given with the whole sum")
    if deposit >= total:
        raise InvalidInput.at("deposit", f"less than the total of {total} (minor units)")
    if deposit < least:
        raise InvalidInput.at("deposit", f"at least {least} (minor units)")


def due_day(channel: Channel, day: date) -> date | None:
    """By when the rest of an order of a day is to be paid; None where no day is agreed."""
    days = channel.setting("deposit_days")
    return day + timedelta(days=days) if days else None


def part_of(due: int, payments: Sequence[PaymentInput]) -> int:
    """What some payments are to come to (minor units) that pay a part of what is due.

    Raises:
        InvalidInput: one says no amount, or they come to more than is due.
    """
    for index, payment in enumerate(payments):
        if payment.amount is None:
            raise InvalidInput.at(f"payments/{index}/amount", "say how much of it is paid now")
    amount = sum(payment.amount or 0 for payment in payments)
    if amount > due:
        raise InvalidInput.at("payments", f"come to {amount}, but {due} is due")
    return amount


def check_coins(rounding: int) -> None:
    """Only what pays all of an order is rounded: a part is an amount that coins can pay.

    Raises:
        InvalidInput: it is not.
    """
    if rounding:
        raise InvalidInput.at("payments", "a part that is paid in cash is an amount that coins can pay")


def check_paid(head: OrderHead) -> None:
    """Nothing of an order with a deposit leaves before all of it is paid, or reserved.

    Raises:
        BalanceDue.
    """
    settled = (OrderPayment.PAID, OrderPayment.AUTHORIZED, OrderPayment.REFUNDED)
    if head.deposit is not None and head.payment_status not in settled:
        due = head.total - head.called_off - head.paid
        raise BalanceDue("The rest of it is paid before it leaves.", due=due)
