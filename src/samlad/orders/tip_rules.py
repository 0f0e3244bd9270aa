"""How much a tip is, as a till offers it. The till without network has the same (`faces/pos/static/rules/tips.js`)."""

from collections.abc import Sequence

from samlad.kernel.money import exponent, share


def offered(
    total: int, percents: Sequence[int], amounts: Sequence[int], currency: str
) -> list[tuple[int, int]]:
    """Tips to choose from, as pairs (percent or 0, minor units), each amount once, the smallest first.

    Parts of the total are in whole units of a currency that has cents, halves up, and at least one: nobody tips 1.37.
    """
    unit = 10 ** exponent(currency)
    found: dict[int, int] = {}
    for percent in percents:
        found.setdefault(max(unit, share(share(total, percent, 100), 1, unit) * unit), percent)
    for amount in amounts:
        found.setdefault(amount, 0)
    return [(percent, amount) for amount, percent in sorted(found.items()) if amount > 0 and total > 0]
