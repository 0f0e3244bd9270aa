"""E-invoices: a document as EN 16931 in UBL 2.1, and as Peppol BIS Billing 3 where both have an address in the network.

The library `factur-x` writes the XML from the terms of the norm (BT-1 …); what is here says which of our facts is which
term. The rules that the tests hold it against are those of CEN and OpenPeppol themselves (`tests/oracles`).
"""

from typing import Any

import msgspec
from facturx.generate_xml import generate_ubl_xml
from lxml import etree

from samlad.catalog import Measure
from samlad.documents import rules
from samlad.documents.model import EInvoiceIncomplete, Kind, Party, Printed, PrintedLine, RateTotal
from samlad.documents.writing import LINES, Writer
from samlad.kernel.money import decimal_text, exponent
from samlad.kernel.problems import FieldError
from samlad.tax import Category
from samlad.tax.texts import NOTE_OF_CATEGORY

PEPPOL = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
PEPPOL_PROCESS = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
TYPES = {Kind.INVOICE: "380", Kind.CREDIT_NOTE: "381"}
"""UNTDID 1001 (BT-3)."""
PREPAYMENT = "386"
"""The same of an invoice for a prepayment."""
UNITS = {Measure.PIECE: "C62", Measure.WEIGHT: "GRM", Measure.LENGTH: "MMT", Measure.VOLUME: "MLT"}
"""What quantities count, by their code of UN/ECE recommendation 20."""
"""Unit of quantities (UNECE Recommendation 20): one."""
OUTSIDE = Category.OUTSIDE
_CBC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"


def ubl(printed: Printed) -> bytes:
    """A document as an e-invoice: Peppol BIS Billing 3 if seller and buyer have an endpoint, else plain EN 16931.

    Raises:
        EInvoiceIncomplete: seller or buyer lack what the norm asks for; it says which terms.
    """
    printed = _in_scope(printed)
    _check(printed)
    is_peppol = bool(printed.seller.endpoint and printed.buyer.endpoint)
    terms = _terms(printed)
    if is_peppol:
        terms["BT-23"] = PEPPOL_PROCESS
    made = generate_ubl_xml(terms, level="en16931", check_xsd=True, check_schematron=None)
    return _finished(made, printed, is_peppol=is_peppol)


def _in_scope(printed: Printed) -> Printed:
    """A document whose codes may stand beside each other, and whose parties have the numbers that may stand beside them.

    "Not subject to VAT" (O) is said of a whole invoice, one without VAT numbers (BR-O-02, -11, -12). A voucher or a deposit
    beside what is taxed is exempt there (E), and the reason says what it is: outside the scope.
    """
    if OUTSIDE not in {rate.category for rate in printed.rates}:
        return printed
    replace = msgspec.structs.replace
    if all(rate.category == OUTSIDE for rate in printed.rates):
        return replace(
            printed,
            seller=replace(printed.seller, vat_number=""),
            buyer=replace(printed.buyer, vat_number=""),
        )
    lines = [
        replace(line, category=Category.EXEMPT, note=line.note or NOTE_OF_CATEGORY[OUTSIDE])
        if line.category == OUTSIDE
        else line
        for line in printed.lines
    ]
    return replace(printed, lines=lines, rates=rules.rate_totals(lines))


def _finished(made: bytes, printed: Printed, *, is_peppol: bool) -> bytes:
    """What the library (7.8) leaves to do: the profile of Peppol, and the currency of the rounding amount."""
    root = etree.fromstring(made)
    version = root.find(f"{_CBC}UBLVersionID")
    root.remove(version)  # not part of the norm (UBL-CR-001)
    if is_peppol:
        root.find(f"{_CBC}CustomizationID").text = PEPPOL
    for rounding in root.iter(f"{_CBC}PayableRoundingAmount"):
        rounding.set("currencyID", printed.currency)
    finished: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return finished


def _check(printed: Printed) -> None:
    seller, buyer = printed.seller, printed.buyer
    wanted = [
        ("seller/name", seller.name, "the seller's name (BT-27)"),
        ("seller/country", seller.country, "the seller's country (BT-40)"),
        ("buyer/name", buyer.name, "the buyer's name (BT-44)"),
        ("buyer/country", buyer.country, "the buyer's country (BT-55)"),
    ]
    if any(rate.category == OUTSIDE for rate in printed.rates):
        wanted.append(
            (
                "seller/registration_number",
                seller.registration_number,
                "the seller's registration number (BT-30)",
            )
        )
    else:
        wanted.append(("seller/vat_number", seller.vat_number, "the seller's VAT number (BT-31)"))
    if any(rate.category in ("AE", "K") for rate in printed.rates):
        wanted.append(("buyer/vat_number", buyer.vat_number, "the buyer's VAT number (BT-48)"))
    if any(rate.category == "K" for rate in printed.rates):
        where = printed.ship_to or buyer
        wanted.append(("ship_to/country", where.country, "the country of delivery (BT-80)"))
    missing = [FieldError(field, f"is missing: {text}") for field, value, text in wanted if not value]
    if exponent(printed.currency) > 2:
        missing.append(
            FieldError("currency", "amounts of EN 16931 have two decimals, this currency has more")
        )
    if missing:
        raise EInvoiceIncomplete("Say it of the legal entity, or of the buyer when the invoice is issued.",
                                 errors=tuple(missing))  # fmt: skip


def _terms(printed: Printed) -> dict[str, Any]:
    """The document by terms of EN 16931, amounts as decimal text."""
    writer = Writer.of(printed)
    rates = printed.rates
    taxes = [rules.tax_of_norm(rate) for rate in rates]
    tax = sum(taxes)
    # What is paid stays what was printed: what the norm rounds otherwise is rounding.
    rounding = printed.total - printed.net - tax
    terms: dict[str, Any] = {
        "BT-1": printed.number,
        "BT-2": printed.issued_on,
        "BT-3": PREPAYMENT if printed.is_prepayment else TYPES[Kind(printed.kind)],
        "BT-5": printed.currency,
        "BT-9": printed.due_on,
        "BT-10": printed.buyer_reference or printed.order_number,
        "BT-13": printed.order_number,
        "BT-20": printed.legal_text.strip() or None,
        "BT-72": printed.delivered_on or (printed.issued_on if _needs_day(rates) else None),
        "BG-4": _party(printed.seller),
        "BG-7": _party(printed.buyer),
        "BG-13": _ship_to(printed),
        "BG-23": [_rate(rate, tax, printed, writer) for rate, tax in zip(rates, taxes, strict=True)],
        "BG-25": [_line(number, line, printed, writer) for number, line in enumerate(printed.lines, 1)],
        "BT-106": _amount(printed.net, printed),
        "BT-109": _amount(printed.net, printed),
        "BT-110": _amount(tax, printed),
        "BT-112": _amount(printed.net + tax, printed),
        "BT-113": _amount(printed.paid, printed) if printed.paid else None,
        "BT-114": _amount(rounding, printed) if rounding else None,
        "BT-115": _amount(printed.total - printed.paid, printed),
    }
    if printed.of:
        terms["BG-3"] = [{"BT-25": printed.of, "BT-26": printed.of_date}]
    if printed.kind == Kind.INVOICE and printed.bank.iban and printed.total > printed.paid:
        terms |= {
            "BT-81": "30",
            "BT-83": printed.bank.reference,
            "BT-84": printed.bank.iban,
            "BT-85": printed.seller.name,
            "BT-86": printed.bank.bic or None,
        }
    return {name: value for name, value in terms.items() if value is not None}


def _needs_day(rates: list[RateTotal]) -> bool:
    """Whether the day of delivery must be told: what goes to another country of the Union (BR-IC-11)."""
    return any(rate.category == "K" for rate in rates)


def _amount(minor: int, printed: Printed) -> str:
    return decimal_text(minor, printed.currency)


def _percent(rate: RateTotal | PrintedLine) -> str:
    basis_points = rate.rate if isinstance(rate, RateTotal) else rate.tax_rate
    return f"{basis_points / 100:g}"


def _party(party: Party) -> dict[str, Any]:
    scheme, _, identifier = party.endpoint.partition(":")
    values: dict[str, Any] = {
        "name": party.name,
        "biz_name": party.trading_name,
        "addr_l1": party.line1,
        "addr_l2": party.line2,
        "city": party.city,
        "postcode": party.postal_code,
        "country_subdivision": party.region,
        "country_code": party.country,
        "legal_identifier": party.registration_number,
        "legal_identifier_schemeid": scheme if scheme == "0007" else "",
        "vat_identifier": party.vat_number,
        "einvoicing_addr": identifier,
        "einvoicing_addr_schemeid": scheme if identifier else "",
    }
    if party.email or party.phone:
        values["contacts"] = [{"name": party.name, "phone": party.phone, "email": party.email}]
    return {name: value for name, value in values.items() if value}


def _ship_to(printed: Printed) -> dict[str, Any] | None:
    where = printed.ship_to or (printed.buyer if _needs_day(printed.rates) else None)
    if where is None:
        return None
    kept = ("name", "addr_l1", "addr_l2", "city", "postcode", "country_subdivision", "country_code")
    return {name: value for name, value in _party(where).items() if name in kept}


def _rate(rate: RateTotal, tax: int, printed: Printed, writer: Writer) -> dict[str, Any]:
    values: dict[str, Any] = {
        "BT-116": _amount(rate.net, printed),
        "BT-117": _amount(tax, printed),
        "BT-118": rate.category,
    }
    if rate.category != OUTSIDE:
        values["BT-119"] = _percent(rate)
    if rate.category in NOTE_OF_CATEGORY:
        values["BT-120"] = " ".join(writer.translate(each) for each in rules.reasons(rate, printed.lines))
    return values


def _line(number: int, line: PrintedLine, printed: Printed, writer: Writer) -> dict[str, Any]:
    """A line: quantity times price is its net, exactly. Where a price a piece would be rounded, it is that of all."""
    title = writer.translate(LINES[line.kind]) if line.kind in ("shipping", "prepayment") else line.title
    pieces = abs(line.quantity) or 1
    price = abs(line.net)
    values: dict[str, Any] = {
        "BT-126": str(number),
        "BT-129": str(line.quantity or 1),
        "BT-130": UNITS[line.sold_by],
        "BT-131": _amount(line.net, printed),
        "BT-146": _amount(price // pieces if price % pieces == 0 else price, printed),
        "BT-151": line.category,
        "BT-153": title,
        "BT-154": line.options or None,
        "BT-155": line.sku or None,
    }
    if price % pieces:
        values["BT-149"] = str(pieces)
    if line.category != OUTSIDE:
        values["BT-152"] = _percent(line)
    return {name: value for name, value in values.items() if value is not None}
