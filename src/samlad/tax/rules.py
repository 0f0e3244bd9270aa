"""Tax, decided without a database: which rate, by which rule, and what that comes to.

Place of supply is by directive 2006/112/EC: goods that are handed over, article 31; that are sent, articles 32 and 33
(distance sales to consumers: where they arrive) with the threshold of article 59c; goods to a business in another
member state are exempt by article 138; services to one are taxed by the customer, articles 44 and 196; electronic
services to consumers, article 58; exports, article 146. Goods under the margin scheme are taxed at home on the seller's
margin wherever in the EU they go (articles 313 ff. and 35); small parcels from outside, articles 369l ff. Category codes are those of EN 16931 (UNTDID 5305).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from samlad.kernel.money import allocate, share, worth
from samlad.tax.model import (
    CONSUMER,
    Amounts,
    Buyer,
    Category,
    Decision,
    Rounding,
    Seller,
    Taxable,
    TaxRate,
    Territory,
    Treatment,
)

WHOLE = 10_000
"""Basis points of the whole: 2000 is 20 %."""
STANDARD, NEVER = "standard", "zero"

ROUNDING: Mapping[str, Rounding] = {"IT": Rounding.TOTAL, "PL": Rounding.TOTAL}
"""Where the law reckons tax by the sum of a rate; elsewhere a shop may round line by line (CJEU C-484/06 leaves it to
the member states). Italy: FatturaPA, DatiRiepilogo by rate. Poland: ustawa o VAT, art. 106e(1)(14). The channel
setting ``tax_rounding`` says otherwise."""

THRESHOLDS: Mapping[str, int] = {"EUR": 1_000_000, "PLN": 4_200_000, "SEK": 9_968_000}
"""Article 59c in minor units: 10,000 EUR net a calendar year, and what member states made of it in their currency."""


class Rates:
    """The rates that hold for one pool: the shopkeeper's before those shipped."""

    def __init__(self, rows: Iterable[TaxRate]) -> None:
        self._rows: dict[tuple[str, str, str], list[TaxRate]] = {}
        for row in sorted(rows, key=lambda row: row.pool is None):
            self._rows.setdefault((row.country, row.region, row.tax_class), []).append(row)

    def find(self, country: str, region: str, tax_class: str, day: date) -> TaxRate | None:
        """The rate of a class on a day. A region's own before the country's, the class's before the standard one."""
        for part in (region, "") if region else ("",):
            for name in (tax_class, STANDARD):
                for row in self._rows.get((country, part, name), ()):
                    if row.valid_from <= day and (row.valid_to is None or day < row.valid_to):
                        return row
        return None

    def turns(self, after: date) -> list[date]:
        """The days after a day on which any rate begins or ends, in order."""
        days = {
            day
            for rows in self._rows.values()
            for row in rows
            for day in (row.valid_from, row.valid_to)
            if day is not None and day > after
        }
        return sorted(days)


def decide(
    seller: Seller,
    place: Territory,
    buyer: Buyer,
    tax_class: str,
    day: date,
    rates: Rates,
    *,
    is_goods: bool = True,
    is_handed_over: bool = False,
    parcel: int = 0,
) -> Decision:
    """How a supply of a class is taxed. ``place`` is where the goods arrive, or are handed over; ``parcel`` what all goods
    that go there together are worth, net in minor units."""
    home = seller.home
    if tax_class == NEVER:
        return _untaxed(Category.OUTSIDE, Treatment.OUTSIDE, "outside-scope")
    if seller.small_business:
        return _untaxed(Category.EXEMPT, Treatment.EXEMPT, "small-business", home.files_in)
    within = home.in_eu and place.in_eu if is_goods else home.services_in_eu and place.services_in_eu
    is_home = is_handed_over or place.area == home.area
    if is_goods and (is_home or within) and tax_class in seller.margin:
        return _untaxed(Category.EXEMPT, Treatment.MARGIN, seller.margin[tax_class], home.files_in)
    if is_home:
        return _taxed(place, Treatment.DOMESTIC, tax_class, day, rates)
    if not within:
        if is_goods and _is_small_import(seller, place, buyer, parcel):
            return _taxed(place, Treatment.IOSS, tax_class, day, rates)
        return _abroad(seller, place, tax_class, day, rates, is_goods=is_goods)
    if buyer.number_country not in (None, home.files_in):
        if is_goods:
            return _untaxed(Category.INTRA_EU, Treatment.INTRA_EU, "intra-eu", home.files_in)
        return _untaxed(Category.REVERSE_CHARGE, Treatment.REVERSE_CHARGE, "reverse-charge", home.files_in)
    if place.files_in in seller.registered:
        return _taxed(place, Treatment.REGISTERED, tax_class, day, rates)
    if seller.oss:
        return _taxed(place, Treatment.OSS, tax_class, day, rates)
    return _taxed(home, Treatment.ORIGIN, tax_class, day, rates)


def _is_small_import(seller: Seller, place: Territory, buyer: Buyer, parcel: int) -> bool:
    """Whether goods come from outside the EU to a consumer in a parcel of so small a value (article 369l)."""
    return (
        seller.ioss_most is not None
        and place.services_in_eu  # a member state: Northern Ireland has no import scheme
        and not seller.home.in_eu
        and buyer.number_country is None
        and place.files_in not in seller.registered
        and 0 < parcel <= seller.ioss_most
    )


def _abroad(
    seller: Seller, place: Territory, tax_class: str, day: date, rates: Rates, *, is_goods: bool
) -> Decision:
    """Over the border of the VAT area: taxed there if the seller is registered there, else not at all."""
    if {place.files_in, place.country} & seller.registered and place.area == place.country:
        return _taxed(place, Treatment.REGISTERED, tax_class, day, rates)
    at_home = rates.find(seller.home.country, seller.home.region, tax_class, day)
    if not is_goods or at_home is None or at_home.category == Category.OUTSIDE:
        return _untaxed(Category.OUTSIDE, Treatment.OUTSIDE, "outside-scope")
    return _untaxed(Category.EXPORT, Treatment.EXPORT, "export", seller.home.files_in)


def _taxed(place: Territory, treatment: Treatment, tax_class: str, day: date, rates: Rates) -> Decision:
    """By the rate of a place; nothing where none is known."""
    row = rates.find(place.country, place.region, tax_class, day)
    if row is None or row.category == Category.OUTSIDE:
        return _untaxed(Category.OUTSIDE, Treatment.OUTSIDE, None, place.files_in)
    if row.category == Category.EXEMPT:
        return _untaxed(Category.EXEMPT, Treatment.EXEMPT, "exempt", place.files_in)
    return Decision(
        rate=row.rate_bp, category=Category(row.category), treatment=treatment, country=place.files_in
    )


def _untaxed(
    category: Category, treatment: Treatment, note: str | None, country: str | None = None
) -> Decision:
    return Decision(rate=0, category=category, treatment=treatment, country=country, note=note)


def home_rate(seller: Seller, tax_class: str, day: date, rates: Rates) -> int:
    """The rate that is in the prices of a shop: that of its own country, for consumers."""
    return decide(seller, seller.home, CONSUMER, tax_class, day, rates).rate


def rounding_of(country: str, setting: str) -> Rounding:
    """Where tax is rounded: as the setting says, or (``country``) as the country does."""
    return ROUNDING.get(country, Rounding.LINE) if setting == "country" else Rounding(setting)


def plain_category(rate: int) -> Category:
    """The category of a rate (basis points) of which nobody has said more: taxed, or zero rated."""
    return Category.STANDARD if rate else Category.ZERO


def amounts(
    unit_price: int, quantity: int, tax_rate: int, *, tax_included: bool, reduction: int = 0, per: int = 1
) -> Amounts:
    """What a line comes to. ``reduction`` is what promotions take off it, as quoted; tax follows what is left. The
    price is for ``per`` of the quantity.

    Tax is rounded once a line, halves away from zero (as EU rules allow, and as receipts of most countries do), and
    never per unit: 3 × 0.99 is taxed as 2.97. What the price is quoted in is exact: with tax included the total is
    price × quantity less the reduction, without it the net is.
    """
    return _amounts(Taxable(worth(unit_price, quantity, per) - reduction, tax_rate, tax_included))


def _amounts(each: Taxable, tax: int | None = None) -> Amounts:
    if tax is None:
        tax = _tax(each.quoted, each.rate, included=each.included)
    return with_tax(each.quoted, tax, included=each.included)


def with_tax(quoted: int, tax: int, *, included: bool) -> Amounts:
    """An amount as quoted (minor units, with tax in it if ``included``) and its tax, as what it comes to."""
    return Amounts(quoted - tax, tax, quoted) if included else Amounts(quoted, tax, quoted + tax)


def added(parts: Sequence[Amounts]) -> Amounts:
    """What amounts come to together."""
    return Amounts(
        sum(each.net for each in parts), sum(each.tax for each in parts), sum(each.total for each in parts)
    )


def _tax(quoted: int, rate: int, *, included: bool) -> int:
    return share(quoted, rate, WHOLE + rate if included else WHOLE)


def reckon(lines: Sequence[Taxable], rounding: Rounding = Rounding.LINE) -> list[Amounts]:
    """What lines come to. Rounded by total, the tax of each rate is that of its sum, shared so that no unit is lost."""
    if rounding is Rounding.LINE:
        return [_amounts(line) for line in lines]
    groups: dict[tuple[int, bool], list[int]] = {}
    for index, line in enumerate(lines):
        groups.setdefault((line.rate, line.included), []).append(index)
    taxes = [0] * len(lines)
    for (rate, included), members in groups.items():
        quoted = [lines[index].quoted for index in members]
        whole = _tax(sum(quoted), rate, included=included)
        for index, part in zip(members, allocate(whole, quoted), strict=True):
            taxes[index] = part
    return [_amounts(line, tax) for line, tax in zip(lines, taxes, strict=True)]


def moved(amount: int, rate: int, to: int) -> int:
    """A price with tax of one rate in it as one with another rate in it: the net stays, but for rounding."""
    return amount if rate == to else share(amount, WHOLE + to, WHOLE + rate)


def keeps_net(setting: str, rate: int) -> bool:
    """Whether the net price stays where another tax than that at home is in it.

    ``gross``: never. ``net``: always. ``net_if_untaxed``: only where no tax is taken.
    """
    return setting == "net" or (setting == "net_if_untaxed" and rate == 0)
