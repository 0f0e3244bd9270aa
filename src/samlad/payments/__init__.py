"""Payments: how money comes in for an order and goes back. Never a card number.

The public face. The verbs are parts of the verbs of orders, whose permissions guard them.
"""

from samlad.payments import stored_value  # noqa: F401 - registers its providers
from samlad.payments.model import (
    NotRefundable,
    Outcome,
    Payment,
    PaymentDeclined,
    PaymentInput,
    PaymentStatus,
)
from samlad.payments.providers import PaymentProvider, provider, register
from samlad.payments.rules import due_amounts, round_cash
from samlad.payments.service import add, authorize, capture, keep, refund, void
from samlad.payments.store import lock_of_order, of_order

__all__ = [
    "NotRefundable",
    "Outcome",
    "Payment",
    "PaymentDeclined",
    "PaymentInput",
    "PaymentProvider",
    "PaymentStatus",
    "add",
    "authorize",
    "capture",
    "due_amounts",
    "keep",
    "lock_of_order",
    "of_order",
    "provider",
    "refund",
    "register",
    "round_cash",
    "void",
]
