"""Sets whose parts are taxed at different rates, on invoices, credit notes and e-invoices."""

import sys
from pathlib import Path

import pytest
from paper import Paper

from mixed_sets import breakfast
from samlad.documents import einvoice
from samlad.documents.model import Kind, Printed

sys.path.append(str(Path(__file__).parents[1] / "oracles"))
peppol = pytest.importorskip("peppol", reason="the rules of Peppol and Saxon are development dependencies")

RATES = [("S", 2_500, 18_000, 4_500), ("S", 1_200, 6_696, 804), ("S", 600, 28_302, 1_698)]
"""What two boxes come to: category, rate, net, tax."""


def told(printed: Printed) -> list[tuple[str, int, int, int]]:
    return [(each.category, each.rate, each.net, each.tax) for each in printed.rates]


async def test_each_rate_has_its_row_and_the_e_invoice_is_accepted(paper: Paper) -> None:
    await paper.seller()
    box, _jam, book, _bowl = await breakfast(paper.trade)
    placed = await paper.trade.buy((box, 2))
    await paper.fulfil(placed.id)
    buyer = {"name": "Kafé Kim AB", "endpoint": "0007:5560360793"}
    (invoice,) = await paper.issue(placed.id, **buyer)
    (first,) = await paper.of(placed.id)
    assert told(first.printed) == RATES
    assert (invoice.net + invoice.tax, invoice.tax) == (60_000, 7_002)
    assert [line.set_of.title for line in first.printed.lines if line.set_of] == ["Breakfast"] * 3
    assert peppol.complaints(einvoice.ubl(first.printed), peppol=True) == []
    # The book of one of the boxes comes back: what was paid for it, at its rate.
    place = next(line.position for line in placed.lines if line.variant == book)
    await paper.take_back(placed.id, (place, 1))
    await paper.settle(placed.id)
    credit = (await paper.of(placed.id))[-1]
    assert credit.kind is Kind.CREDIT_NOTE
    assert told(credit.printed) == [("S", 600, 14_151, 849)]
    assert peppol.complaints(einvoice.ubl(credit.printed), peppol=True) == []
    await paper.sound()
