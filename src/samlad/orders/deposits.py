"""Deposits: a part of an order is paid at once, the rest before its goods leave, in as many parts as it takes, at any till.

What came in before is a debt of the shop and no sale yet (`samlad.books.rules`), of which the tax is due at once. Called off, all that
was paid goes back, as of any order.
"""

from collections.abc import Sequence

from samlad.carts import Cart, Delivery
from samlad.channels import Channel
from samlad.kernel.problems import Conflict, InvalidInput
from samlad.orders.model import OrderHead, OrderPayment
from samlad.payments import PaymentInput


class BalanceDue(Conflict):
    """A deposit was paid for this order, and the rest (``due``, minor units) before its goods leave."""

    code, title = "balance-due", "The rest of this order is paid first"


def check(deposit: int | None, total: int, channel: Channel, cart: Cart, *, tip: int) -> None:
    """Whether so much of an order (minor units) can be its deposit.

    Raises:
        InvalidInput: it is all of it, or less than the channel wants; its goods leave at once; there is a tip.
    """
    if deposit is None:
        return
    if cart.delivery is Delivery.CARRY_OUT:
        raise InvalidInput.at("deposit", "what is carried out is paid at once")
    if tip:
        raise InvalidInput.at("tip", "a tip is given with the whole sum")
    if deposit >= total:
        raise InvalidInput.at("deposit", f"less than the total of {total} (minor units)")
    least = -(-total * channel.setting("deposit_percent") // 100)
    if deposit < least:
        raise InvalidInput.at("deposit", f"at least {least} (minor units)")


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
