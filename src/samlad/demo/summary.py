"""What the database says of the demo's history, beside what the source file says. A difference is a fault of ours."""

import msgspec

from samlad import channels, orders
from samlad.demo import retail
from samlad.demo.build import SOURCE
from samlad.demo.places import WEBSHOP
from samlad.demo.proof import Check
from samlad.kernel.database import Reader
from samlad.kernel.money import decimal_text


class Summary(msgspec.Struct, frozen=True):
    """The imported history as the database has it. ``revenue`` is decimal text in pounds."""

    invoices: int
    lines: int
    customers: int
    revenue: str
    checks: list[Check]


async def summarise(reader: Reader) -> Summary:
    """Count in the database and compare with the file."""
    facts = retail.facts()
    channel = await channels.by_code(reader, WEBSHOP)
    found = await orders.imported(reader, channel.id, SOURCE)
    pairs = {
        "invoices": (found.orders, facts.invoices),
        "lines": (found.lines, facts.lines),
        "customers": (found.customers, facts.customers),
        "revenue in pence": (found.total, facts.revenue_minor),
    }
    checks = [
        Check(
            f"{name} as in the file",
            ours == theirs,
            f"{ours:,}" if ours == theirs else f"{ours:,}, the file has {theirs:,}",
        )
        for name, (ours, theirs) in pairs.items()
    ]
    return Summary(found.orders, found.lines, found.customers, decimal_text(found.total, "GBP"), checks)
