"""Tax: what a sale is taxed at, by which rule, in whose return. The public face; `docs/concepts/tax.md` explains."""

from samlad.tax.model import (
    CONSUMER,
    Amounts,
    Buyer,
    Category,
    Decision,
    NumberCheck,
    NumberStatus,
    Rounding,
    Seller,
    Taxable,
    Territory,
    Treatment,
)
from samlad.tax.rules import (
    WHOLE,
    Rates,
    amounts,
    decide,
    home_rate,
    keeps_net,
    largest,
    moved,
    plain_category,
    reckon,
    rounding_of,
)
from samlad.tax.setup import Setup, current
from samlad.tax.store import classes, number_check
from samlad.tax.territories import country_of_number, territory

__all__ = [
    "CONSUMER",
    "WHOLE",
    "Amounts",
    "Buyer",
    "Category",
    "Decision",
    "NumberCheck",
    "NumberStatus",
    "Rates",
    "Rounding",
    "Seller",
    "Setup",
    "Taxable",
    "Territory",
    "Treatment",
    "amounts",
    "classes",
    "country_of_number",
    "current",
    "decide",
    "home_rate",
    "keeps_net",
    "largest",
    "moved",
    "number_check",
    "plain_category",
    "reckon",
    "rounding_of",
    "territory",
]
