"""Payments: how money comes in for an order and goes back. Never a card number.

The public face; `docs/concepts/payments.md` explains. Most verbs are parts of the verbs of orders, whose permissions
guard them.
"""

from samlad.payments import (  # noqa: F401 - they register themselves
    manual,
    otherwise,
    settlements,
    stored_value,
    stripe,
    stripe_disputes,
    terminal,
)
from samlad.payments.accounts import coin_of, is_offered, offered
from samlad.payments.at_till import OWN_TERMINAL, TAKEN, taken_at_till
from samlad.payments.attempts import begin, begun, claim, claim_sold, leave_all, leave_begun, shown
from samlad.payments.card_terminal_model import CardTerminal, TerminalBusy
from samlad.payments.card_terminal_store import names_of as card_terminal_names
from samlad.payments.card_terminal_store import of_location as card_terminals_of
from samlad.payments.elsewhere import HISTORY, adopt, history, paid_elsewhere
from samlad.payments.elsewhere import NAME as MARKETPLACE
from samlad.payments.kept import KEPT, KeptCard, away_token
from samlad.payments.kept import of_customer as kept_cards
from samlad.payments.kept import remove as remove_kept
from samlad.payments.manual import forget_rest
from samlad.payments.model import (
    Action,
    Attempt,
    NotClaimable,
    NotRefundable,
    Outcome,
    Payment,
    PaymentDeclined,
    PaymentDisputed,
    PaymentInput,
    PaymentPending,
    PaymentStatus,
    Refund,
    RefundStatus,
    StartInput,
    Way,
)
from samlad.payments.operations import keep_reserved, lock_ticket, to_place, trouble_of
from samlad.payments.providers import (
    NetworkProvider,
    PaymentProvider,
    comes_by_itself,
    is_network,
    pays_alone,
    provider,
    register,
)
from samlad.payments.pursuit import action_of, pursue_payment
from samlad.payments.rules import Coin, due_amounts, round_cash, with_amounts
from samlad.payments.service import add, authorize, capture, keep, owe, refund, void
from samlad.payments.store import lock_of_order, of_order, refunds_of, taken_at
from samlad.payments.store import read as read_payment

__all__ = [
    "HISTORY",
    "KEPT",
    "MARKETPLACE",
    "OWN_TERMINAL",
    "TAKEN",
    "Action",
    "Attempt",
    "CardTerminal",
    "Coin",
    "KeptCard",
    "NetworkProvider",
    "NotClaimable",
    "NotRefundable",
    "Outcome",
    "Payment",
    "PaymentDeclined",
    "PaymentDisputed",
    "PaymentInput",
    "PaymentPending",
    "PaymentProvider",
    "PaymentStatus",
    "Refund",
    "RefundStatus",
    "StartInput",
    "TerminalBusy",
    "Way",
    "action_of",
    "add",
    "adopt",
    "authorize",
    "away_token",
    "begin",
    "begun",
    "capture",
    "card_terminal_names",
    "card_terminals_of",
    "claim",
    "claim_sold",
    "coin_of",
    "comes_by_itself",
    "due_amounts",
    "forget_rest",
    "history",
    "is_network",
    "is_offered",
    "keep",
    "keep_reserved",
    "kept_cards",
    "leave_all",
    "leave_begun",
    "lock_of_order",
    "lock_ticket",
    "of_order",
    "offered",
    "owe",
    "paid_elsewhere",
    "pays_alone",
    "provider",
    "pursue_payment",
    "read_payment",
    "refund",
    "refunds_of",
    "register",
    "remove_kept",
    "round_cash",
    "shown",
    "taken_at",
    "taken_at_till",
    "to_place",
    "trouble_of",
    "void",
    "with_amounts",
]
