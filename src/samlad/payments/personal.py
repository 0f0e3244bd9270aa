"""What this package knows of people: what staff wrote beside money. The payments themselves are in the books."""

from samlad.kernel.i18n import marked
from samlad.kernel.personal import Holding

_THEIRS = "payment IN (SELECT id FROM payment WHERE order_id = ANY({things}))"

HOLDINGS = [
    Holding(
        table="payment_kept",
        about=marked("Cards that the payment provider keeps"),
        whose="customer = ANY({ids})",
        personal=("brand", "last_four", "expires_on"),
        shown=("provider", "created_at"),
        # The row stays until the provider has forgotten the card too.
        erase="brand = '', last_four = '', expires_on = NULL, removed_at = coalesce(removed_at, now())",
    ),
    Holding(
        table="payment_customer",
        about=marked("What payment providers call them"),
        whose="customer = ANY({ids})",
        personal=("reference",),
        shown=("provider",),
        erase="DELETE",
    ),
    Holding(
        table="payment_receipt",
        about=marked("Money that came to the bank"),
        whose=_THEIRS,
        personal=("note",),
        shown=("reference", "currency"),
        erase="note = ''",
    ),
    Holding(
        table="refund",
        about=marked("Money that went back"),
        whose=_THEIRS,
        personal=("reason",),
        shown=("amount", "status", "way"),
        erase="reason = ''",
    ),
    Holding(
        table="payment_operation",
        about=marked("What payment providers answered"),
        whose=f"{_THEIRS} AND (reason IS NOT NULL OR token IS NOT NULL)",
        personal=("reason", "token"),
        withheld=("token",),
        shown=("kind", "status"),
        erase="reason = CASE WHEN reason IS NOT NULL THEN '' END, token = NULL",
    ),
    Holding(
        table="payment_dispute",
        about=marked("Payments that they disputed at their bank"),
        whose=_THEIRS,
        personal=("reason", "payment_reference"),
        shown=("reference", "amount", "currency", "status"),
        kept=marked("What was taken back by a bank, and why, is part of the books."),
    ),
    Holding(
        table="payment",
        about=marked("Payments"),
        whose="order_id = ANY({things})",
        personal=("reference",),
        shown=("provider", "amount", "currency", "status"),
        kept=marked(
            "What was paid and how is part of the books. The provider's reference leads to the payer only at the provider."
        ),
    ),
]
