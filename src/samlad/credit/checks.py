"""What ``samlad doctor`` looks at in the book of gift cards, store credit and points. What it finds is never normal."""

from samlad.kernel.checks import Check, Finding
from samlad.kernel.database import Database

SHOWN = 5

# By name: what holds, and the view that is empty as long as it does.
_RULES = {
    "credit-balanced": ("The entries of every transaction come to zero", "credit_unbalanced"),
    "credit-balances": ("Balances are the sums of their entries", "credit_balance_difference"),
    "credit-held": ("What is held of accounts is held for payments", "credit_held_difference"),
    "credit-payments": ("What payments took and gave back is in the book", "credit_payment_difference"),
    "credit-points": ("Balances of points are what is left of their lots", "loyalty_lot_difference"),
}


def _check(name: str, description: str, view: str) -> Check:
    async def look(database: Database) -> Finding:
        rows = await database.rows(
            f"SELECT account, kind, unit, kept, truth FROM {view} ORDER BY account LIMIT 50"
        )
        if not rows:
            return Finding("ok", "all of them")
        told = "; ".join(
            f"{row['kind']} {row['account']}: {row['kept']} {row['unit']}, should be {row['truth']}"
            for row in rows[:SHOWN]
        )
        advice = "Nothing mends this by itself: docs/concepts/credit.md says what each number means"
        return Finding("failed", f"{len(rows)}: {told}", advice)

    return Check(name, description, look)


CHECKS = [_check(name, description, view) for name, (description, view) in _RULES.items()]
"""The checks of credit."""
