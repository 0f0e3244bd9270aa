"""Documents made up for tests of how they look and what their e-invoice says."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from samlad.documents import rules
from samlad.documents.model import Bank, Paid, Party, Printed, PrintedLine, Step

SELLER = Party(
    name="Kök & Kaffe AB",
    trading_name="Kök & Kaffe",
    line1="Storgatan 1",
    postal_code="211 34",
    city="Malmö",
    country="SE",
    registration_number="5567212047",
    vat_number="SE556721204701",
    email="faktura@example.org",
    phone="+46 40 12 34 56",
    endpoint="0007:5567212047",
)
BUYER = Party(
    name="دار القهوة للتجارة",
    line1="Vasagatan 7",
    postal_code="411 24",
    city="Göteborg",
    country="SE",
    registration_number="5560001122",
    vat_number="SE556000112201",
    endpoint="0007:5560001122",
)
AT = datetime(2026, 11, 25, 14, 30, tzinfo=UTC)


def line(position: int, total: int, rate: int = 2_500, quantity: int = 1, **fields: Any) -> PrintedLine:
    """A line with tax in its price."""
    tax = round(total * rate / (10_000 + rate))
    values: dict[str, Any] = {
        "position": position,
        "kind": "item",
        "sku": f"KT-{position:04}",
        "title": f"Kettle no. {position}",
        "quantity": quantity,
        "unit_price": total // quantity,
        "tax_included": True,
        "tax_rate": rate,
        "category": "S" if rate else "Z",
        "net": total - tax,
        "tax": tax,
        "total": total,
    }
    return PrintedLine(**(values | fields))


LINES = [
    line(1, 59_700, quantity=3, title="Kopparkittel för induktion", options="2 l", reductions=[Step("Black Friday", 6_000)]),
    line(2, 12_900, rate=1_200, title="Kaffe, hela bönor", options="1 kg"),
    line(3, 4_900, kind="shipping", sku="", title="Shipping"),
]  # fmt: skip


def printed(lines: list[PrintedLine] | None = None, **fields: Any) -> Printed:
    """An invoice, unless ``kind`` says otherwise."""
    lines = LINES if lines is None else lines
    rates = rules.rate_totals(lines)
    net, tax = sum(rate.net for rate in rates), sum(rate.tax for rate in rates)
    values: dict[str, Any] = {
        "kind": "invoice",
        "number": "2026-000007",
        "issued_on": date(2026, 11, 25),
        "issued_at": AT,
        "due_on": date(2026, 12, 25),
        "locale": "en",
        "time_zone": "Europe/Stockholm",
        "currency": "SEK",
        "seller": SELLER,
        "buyer": BUYER,
        "order": UUID(int=7),
        "order_number": "W1007",
        "placed_at": AT,
        "channel": "Web",
        "lines": lines,
        "rates": rates,
        "net": net,
        "tax": tax,
        "total": net + tax + fields.get("rounding", 0),
        "bank": Bank(iban="SE4550000000058398257466", bic="ESSESESS", account="Bankgiro 123-4567", reference="RF3210001"),
        "legal_text": "Godkänd för F-skatt. Interest on late payment by law.",
        "footer": "Tack och välkommen åter!",
    }  # fmt: skip
    if fields.get("kind") == "credit_note":
        values |= {"of": "2026-000003", "of_date": date(2026, 11, 1), "reason": "return", "due_on": None}
    if fields.get("kind") in ("receipt", "order-confirmation"):
        values |= {"paid": values["total"], "payments": [Paid(provider="cash", amount=values["total"])]}
    return Printed(**(values | fields))
