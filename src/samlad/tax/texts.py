"""Tax in words: what the law wants on invoices, and how rules are called."""

from collections.abc import Mapping

from samlad.kernel.i18n import marked

NOTES: Mapping[str, str] = {
    "intra-eu": marked("Intra-Community supply, exempt under article 138 of Directive 2006/112/EC."),
    "reverse-charge": marked(
        "Reverse charge: the customer owes the VAT, article 196 of Directive 2006/112/EC."
    ),
    "margin-second-hand": marked(
        "Margin scheme, second-hand goods (article 226(14) of Directive 2006/112/EC). No VAT can be deducted."
    ),
    "margin-art": marked(
        "Margin scheme, works of art (article 226(14) of Directive 2006/112/EC). No VAT can be deducted."
    ),
    "margin-antiques": marked(
        "Margin scheme, collector's items and antiques (article 226(14) of Directive 2006/112/EC)."
        " No VAT can be deducted."
    ),
    "export": marked("Export, exempt from VAT under article 146 of Directive 2006/112/EC."),
    "small-business": marked("No VAT is charged: the seller uses the exemption for small businesses."),
    "exempt": marked("Exempt from VAT."),
    "outside-scope": marked("Outside the scope of VAT."),
}
"""By the key that order lines keep (``tax_note``)."""

NOTE_OF_CATEGORY: Mapping[str, str] = {
    "AE": NOTES["reverse-charge"],
    "K": NOTES["intra-eu"],
    "G": NOTES["export"],
    "E": NOTES["exempt"],
    "O": NOTES["outside-scope"],
}
"""By category of EN 16931, for sales that kept no key."""

TREATMENTS: Mapping[str, str] = {
    "domestic": marked("At home"),
    "registered": marked("Registered there"),
    "oss": marked("One-stop shop"),
    "origin": marked("Below the threshold"),
    "intra_eu": marked("Business in the EU"),
    "reverse_charge": marked("Reverse charge"),
    "margin": marked("Margin scheme"),
    "ioss": marked("Import one-stop shop"),
    "export": marked("Export"),
    "exempt": marked("Exempt"),
    "outside": marked("Outside VAT"),
}
"""How the rules are called on pages."""
