"""E-invoices, held against the rules of those who receive them."""

import sys
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from printed import BUYER, SELLER, line, printed

from samlad.documents import einvoice, rules
from samlad.documents.model import Bank, EInvoiceIncomplete, Party, Printed, RateTotal
from samlad.kernel.money import share

sys.path.append(str(Path(__file__).parents[1] / "oracles"))
peppol = pytest.importorskip("peppol", reason="the rules of Peppol and Saxon are development dependencies")

CBC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"
GERMAN = Party(
    name="Kaffeehaus GmbH", line1="Hauptstr. 1", postal_code="10115", city="Berlin", country="DE",
    vat_number="DE136695976", endpoint="9930:DE136695976",
)  # fmt: skip


def accepted(document: Printed, *, by_peppol: bool = True) -> etree._Element:
    xml = einvoice.ubl(document)
    assert peppol.complaints(xml, peppol=by_peppol) == []
    return etree.fromstring(xml)


def amount(root: etree._Element, name: str) -> str | None:
    return root.findtext(f"{{*}}LegalMonetaryTotal/{CBC}{name}")


def test_an_invoice_is_accepted_by_cen_and_peppol() -> None:
    root = accepted(printed())
    assert etree.QName(root).localname == "Invoice"
    assert root.findtext(f"{CBC}CustomizationID") == einvoice.PEPPOL
    assert amount(root, "PayableAmount") == "775.00"
    assert root.findtext(f"{{*}}PaymentMeans/{CBC}PaymentID") == "RF3210001"


def test_the_rules_find_what_is_wrong() -> None:
    wrong = einvoice.ubl(printed()).replace(b">143.02<", b">143.03<").replace(b">RF3210001<", b"><")
    assert {told.partition(":")[0] for told in peppol.complaints(wrong, peppol=True)} >= {"BR-CO-14"}


def test_a_credit_note_is_accepted_and_names_its_invoice() -> None:
    root = accepted(printed(kind="credit_note"))
    assert etree.QName(root).localname == "CreditNote"
    assert root.findtext(f"{{*}}BillingReference/{{*}}InvoiceDocumentReference/{CBC}ID") == "2026-000003"


def test_without_addresses_in_the_network_it_is_plain_en_16931() -> None:
    seller, buyer = (msgspec.structs.replace(party, endpoint="") for party in (SELLER, BUYER))
    root = accepted(printed(seller=seller, buyer=buyer), by_peppol=False)
    assert root.findtext(f"{CBC}CustomizationID") == "urn:cen.eu:en16931:2017"


def test_a_paid_invoice_has_nothing_to_pay() -> None:
    root = accepted(printed(paid=77_500, due_on=None))
    assert (amount(root, "PrepaidAmount"), amount(root, "PayableAmount")) == ("775.00", "0.00")


def test_cash_that_was_rounded_is_the_rounding_amount() -> None:
    root = accepted(printed([line(1, 19_960)], rounding=40, paid=20_000, due_on=None))
    assert amount(root, "PayableRoundingAmount") == "0.40"
    assert root.find(f"{{*}}LegalMonetaryTotal/{CBC}PayableRoundingAmount").get("currencyID") == "SEK"


@pytest.mark.parametrize(
    ("category", "fields"),
    [
        ("AE", {}),
        ("K", {"delivered_on": date(2026, 11, 25)}),
        (
            "G",
            {"buyer": msgspec.structs.replace(BUYER, country="NO", vat_number="", endpoint="0192:987654325")},
        ),
        ("E", {}),
        ("Z", {}),
    ],
)
def test_what_bears_no_tax_says_why(category: str, fields: dict[str, Any]) -> None:
    goods = [line(1, 10_000, rate=0, category=category)]
    root = accepted(printed(goods, **({"buyer": GERMAN} | fields)))
    assert root.findtext(f"{{*}}TaxTotal/{{*}}TaxSubtotal/{{*}}TaxCategory/{CBC}ID") == category


def categories(root: etree._Element) -> list[tuple[str | None, str | None]]:
    found = root.iterfind("{*}TaxTotal/{*}TaxSubtotal/{*}TaxCategory")
    return [(each.findtext(f"{CBC}ID"), each.findtext(f"{CBC}TaxExemptionReason")) for each in found]


@pytest.mark.parametrize("kind", ["invoice", "credit_note"])
def test_a_voucher_beside_what_is_taxed_is_exempt_with_its_reason(kind: str) -> None:
    # "Not subject to VAT" may stand only alone: BR-O-02, BR-O-11 and BR-O-12.
    goods = [line(1, 10_000), line(2, 500, rate=0, category="O"), line(3, 100, rate=0, category="Z")]
    root = accepted(printed(goods, kind=kind))
    assert categories(root) == [("S", None), ("E", "Outside the scope of VAT."), ("Z", None)]
    assert root.findtext(f"{{*}}AccountingSupplierParty/{{*}}Party/{{*}}PartyTaxScheme/{CBC}CompanyID")


def test_what_is_exempt_and_what_is_outside_are_told_as_one_sum() -> None:
    goods = [line(1, 10_000, rate=0, category="E"), line(2, 500, rate=0, category="O")]
    root = accepted(printed(goods))
    assert categories(root) == [("E", "Exempt from VAT. Outside the scope of VAT.")]
    assert root.findtext(f"{{*}}TaxTotal/{{*}}TaxSubtotal/{CBC}TaxableAmount") == "105.00"


def test_an_invoice_that_is_all_outside_has_no_vat_numbers() -> None:
    root = accepted(printed([line(1, 50_000, rate=0, category="O")]))
    assert categories(root) == [("O", "Outside the scope of VAT.")]
    assert not list(root.iter("{*}PartyTaxScheme"))
    with pytest.raises(EInvoiceIncomplete) as refused:
        einvoice.ubl(
            printed(
                [line(1, 50_000, rate=0, category="O")],
                seller=msgspec.structs.replace(SELLER, registration_number=""),
            )
        )
    assert [error.field for error in refused.value.errors] == ["seller/registration_number"]


def test_what_is_lacking_is_named_with_its_term() -> None:
    nobody = Party(name="", country="")
    with pytest.raises(EInvoiceIncomplete) as refused:
        einvoice.ubl(printed(seller=msgspec.structs.replace(SELLER, vat_number=""), buyer=nobody))
    told = {error.field: error.message for error in refused.value.errors}
    assert set(told) == {"seller/vat_number", "buyer/name", "buyer/country"}
    assert "BT-31" in told["seller/vat_number"]


def test_a_currency_with_three_decimals_is_refused() -> None:
    with pytest.raises(EInvoiceIncomplete) as refused:
        einvoice.ubl(printed(currency="KWD"))
    assert [error.field for error in refused.value.errors] == ["currency"]


def test_yen_have_no_decimals() -> None:
    root = accepted(printed([line(1, 1_000)], currency="JPY", bank=Bank()))
    assert amount(root, "TaxInclusiveAmount") == "1000"


_LINES = st.lists(
    st.tuples(
        st.integers(1, 500_000), st.sampled_from([0, 600, 1_200, 2_500]), st.integers(1, 99), st.booleans()
    ),
    min_size=1,
    max_size=30,
)


@settings(max_examples=15, deadline=None)
@given(_LINES, st.sampled_from(["invoice", "credit_note"]), st.integers(-49, 50))
def test_whatever_was_sold_is_accepted(parts: list[Any], kind: str, rounding: int) -> None:
    lines = [
        line(
            number,
            -total if back and number > 1 else total,
            rate,
            quantity=-pieces if back and number > 1 else pieces,
        )
        for number, (total, rate, pieces, back) in enumerate(parts, 1)
    ]
    if sum(each.total for each in lines) + rounding <= 0:
        lines = [each for each in lines if each.total > 0]
    accepted(printed(lines, kind=kind, rounding=rounding))


@given(st.integers(-(10**9), 10**9), st.integers(0, 5_000), st.integers(-10_000, 10_000))
def test_the_tax_of_a_rate_is_the_lines_unless_the_norm_refuses_it(net: int, rate: int, off: int) -> None:
    exact = share(net, rate, 10_000)
    said = rules.tax_of_norm(RateTotal(category="S", rate=rate, net=net, tax=exact + off))
    assert said == (exact + off if abs(off) < rules.TAX_TOLERANCE else exact)


def test_taxes_that_were_rounded_too_often_go_into_the_rounding_amount() -> None:
    # 300 lines of 0.02 that bear 0.01 each: 3.00, where 25 % of 6.00 is 1.50.
    lines = [line(number, 3, tax=1, net=2) for number in range(1, 301)]
    root = accepted(printed(lines))
    assert amount(root, "PayableAmount") == "9.00"
    assert root.findtext(f"{{*}}TaxTotal/{CBC}TaxAmount") == "1.50"
    assert amount(root, "PayableRoundingAmount") == "1.50"


def test_a_prepayment_is_386_and_the_last_invoice_takes_it_off() -> None:
    part = line(rules.PREPAID_POSITION, 5_000, kind=rules.PREPAID_KIND, title="Prepayment", sku="")
    root = accepted(printed([part], reason="prepaid", paid=5_000, due_on=None))
    assert root.findtext(f"{CBC}InvoiceTypeCode") == "386"
    assert amount(root, "PayableAmount") == "0.00"
    lines = [line(1, 19_900), rules.difference([], [part])[0]]
    last = accepted(printed(lines, reason="sale", of="2026-000006", of_date=date(2026, 11, 20)))
    assert last.findtext(f"{CBC}InvoiceTypeCode") == "380"
    assert amount(last, "TaxInclusiveAmount") == "149.00"
    assert last.findtext(f"{{*}}BillingReference/{{*}}InvoiceDocumentReference/{CBC}ID") == "2026-000006"
