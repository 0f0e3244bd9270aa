"""Who takes which tax: the decision as one table, and what must hold for every sale there could be."""

import csv
from datetime import date
from importlib.resources import files
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samlad.tax import Buyer, Category, Seller, Treatment, decide, territory
from samlad.tax.model import CONSUMER, TaxRate
from samlad.tax.rules import Rates
from samlad.tax.territories import EU

DAY = date(2026, 6, 1)


def shipped() -> list[TaxRate]:
    rows = []
    text = files("samlad.tax").joinpath("rates.csv").read_text("utf-8")
    for number, row in enumerate(csv.DictReader(text.splitlines())):
        rows.append(
            TaxRate(
                id=UUID(int=number), pool=None, country=row["country"], region=row["region"],
                tax_class=row["tax_class"], rate_bp=int(row["rate_bp"]), category=row["category"],
                valid_from=date.fromisoformat(row["valid_from"]),
                valid_to=date.fromisoformat(row["valid_to"]) if row["valid_to"] else None, name=row["name"], version=1,
            )
        )  # fmt: skip
    return rows


RATES = Rates(shipped())
SWEDE = Seller(home=territory("SE"))
WITH_OSS = Seller(home=territory("SE"), oss=True)
ALSO_IN_GERMANY = Seller(home=territory("SE"), oss=True, registered=frozenset({"SE", "DE"}))
BRITON = Seller(home=territory("GB"))
DUTCH_FIRM, SWEDISH_FIRM = Buyer(number_country="NL"), Buyer(number_country="SE")


@pytest.mark.parametrize(
    ("seller", "place", "buyer", "tax_class", "expected"),
    [
        (SWEDE, ("SE",), CONSUMER, "standard", (2_500, "S", "domestic", "SE", None)),
        (SWEDE, ("SE",), CONSUMER, "food", (600, "S", "domestic", "SE", None)),
        (SWEDE, ("SE",), SWEDISH_FIRM, "standard", (2_500, "S", "domestic", "SE", None)),
        (SWEDE, ("SE",), CONSUMER, "zero", (0, "O", "outside", None, "outside-scope")),
        (SWEDE, ("DE",), CONSUMER, "standard", (2_500, "S", "origin", "SE", None)),
        (WITH_OSS, ("DE",), CONSUMER, "standard", (1_900, "S", "oss", "DE", None)),
        (WITH_OSS, ("DE",), CONSUMER, "books", (700, "S", "oss", "DE", None)),
        (WITH_OSS, ("IE",), CONSUMER, "food", (0, "Z", "oss", "IE", None)),
        (ALSO_IN_GERMANY, ("DE",), CONSUMER, "standard", (1_900, "S", "registered", "DE", None)),
        (ALSO_IN_GERMANY, ("DE",), DUTCH_FIRM, "standard", (0, "K", "intra_eu", "SE", "intra-eu")),
        (WITH_OSS, ("NL",), DUTCH_FIRM, "standard", (0, "K", "intra_eu", "SE", "intra-eu")),
        (WITH_OSS, ("NL",), SWEDISH_FIRM, "standard", (2_100, "S", "oss", "NL", None)),
        (SWEDE, ("SE",), DUTCH_FIRM, "standard", (2_500, "S", "domestic", "SE", None)),
        (WITH_OSS, ("NO",), CONSUMER, "standard", (0, "G", "export", "SE", "export")),
        (WITH_OSS, ("US", "NY"), CONSUMER, "standard", (0, "G", "export", "SE", "export")),
        (WITH_OSS, ("ES", None, "35001"), CONSUMER, "standard", (0, "G", "export", "SE", "export")),
        (WITH_OSS, ("ES", None, "28001"), CONSUMER, "standard", (2_100, "S", "oss", "ES", None)),
        (WITH_OSS, ("FI", None, "22100"), CONSUMER, "standard", (0, "G", "export", "SE", "export")),
        (WITH_OSS, ("GB", None, "BT1 5GS"), CONSUMER, "standard", (2_000, "S", "oss", "XI", None)),
        (WITH_OSS, ("GB", None, "SW1A 1AA"), CONSUMER, "standard", (0, "G", "export", "SE", "export")),
        (WITH_OSS, ("PT", None, "9000-001"), CONSUMER, "standard", (2_200, "S", "oss", "PT", None)),
        (WITH_OSS, ("MC", None, "98000"), CONSUMER, "standard", (2_000, "S", "oss", "FR", None)),
        (BRITON, ("GB", None, "BT1 5GS"), CONSUMER, "standard", (2_000, "S", "domestic", "XI", None)),
        (BRITON, ("DE",), CONSUMER, "standard", (0, "G", "export", "GB", "export")),
        (Seller(home=territory("US")), ("DE",), CONSUMER, "standard", (0, "O", "outside", None, "outside-scope")),
        (Seller(home=territory("NO"), registered=frozenset({"GB"})), ("GB",), CONSUMER, "standard",
         (2_000, "S", "registered", "GB", None)),
        (Seller(home=territory("DE"), small_business=True), ("FR",), CONSUMER, "standard",
         (0, "E", "exempt", "DE", "small-business")),
    ],
)  # fmt: skip
def test_how_a_sale_is_taxed(
    seller: Seller,
    place: tuple[str, ...],
    buyer: Buyer,
    tax_class: str,
    expected: tuple[int, str, str, str | None, str | None],
) -> None:
    found = decide(seller, territory(*place), buyer, tax_class, DAY, RATES)
    assert (found.rate, found.category, found.treatment, found.country, found.note) == expected


def test_services_to_a_firm_are_taxed_by_it_and_abroad_not_at_all() -> None:
    firm = decide(WITH_OSS, territory("NL"), DUTCH_FIRM, "standard", DAY, RATES, is_goods=False)
    assert (firm.category, firm.note) == (Category.REVERSE_CHARGE, "reverse-charge")
    ulster = decide(
        WITH_OSS, territory("GB", None, "BT1 1AA"), CONSUMER, "standard", DAY, RATES, is_goods=False
    )
    assert ulster.treatment is Treatment.OUTSIDE, "Northern Ireland is with the EU for goods alone"


def test_what_is_handed_over_is_taxed_there_whoever_takes_it() -> None:
    found = decide(WITH_OSS, territory("DK"), DUTCH_FIRM, "standard", DAY, RATES, is_handed_over=True)
    assert (found.rate, found.treatment, found.country) == (2_500, Treatment.DOMESTIC, "DK")


def test_a_rate_holds_from_its_first_day_on() -> None:
    def food(day: date) -> int:
        return decide(SWEDE, territory("SE"), CONSUMER, "food", day, RATES).rate

    assert [food(date(2026, 3, 31)), food(date(2026, 4, 1)), food(date(2028, 1, 1))] == [1_200, 600, 1_200]


def test_the_shopkeepers_rate_goes_before_the_laws() -> None:
    own = TaxRate(
        id=UUID(int=1), pool=UUID(int=2), country="SE", region="", tax_class="food", rate_bp=300, category="S",
        valid_from=date(2026, 1, 1), valid_to=date(2026, 7, 1), name="Own", version=1,
    )  # fmt: skip
    rates = Rates([*shipped(), own])
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 7, 1)]
    assert [rates.find("SE", "", "food", day).rate_bp for day in days] == [1_200, 300, 600]  # type: ignore[union-attr]


def test_exempt_and_unknown_are_no_zero_rates() -> None:
    row = TaxRate(
        id=UUID(int=1), pool=None, country="DE", region="", tax_class="standard", rate_bp=0, category="E",
        valid_from=date(2020, 1, 1), valid_to=None, name="Steuerfrei", version=1,
    )  # fmt: skip
    exempt = decide(Seller(home=territory("DE")), territory("DE"), CONSUMER, "standard", DAY, Rates([row]))
    assert (exempt.category, exempt.note) == (Category.EXEMPT, "exempt")
    nowhere = decide(Seller(home=territory("BR")), territory("BR"), CONSUMER, "standard", DAY, RATES)
    assert (nowhere.rate, nowhere.category) == (0, Category.OUTSIDE)


COUNTRIES = [*sorted(EU), "GB", "NO", "CH", "US", "JP", "MC", "IM"]
sellers = st.builds(
    Seller,
    home=st.sampled_from(COUNTRIES).map(territory),
    registered=st.frozensets(st.sampled_from([*COUNTRIES, "XI"]), max_size=4),
    oss=st.booleans(),
    small_business=st.booleans(),
)
places = st.builds(
    territory,
    st.sampled_from(COUNTRIES),
    st.none() | st.sampled_from(["ES-CN", "PT-20", "NY", "FI-01"]),
    st.none() | st.sampled_from(["BT1 1AA", "35001", "9500-001", "22100", "11122"]),
)
buyers = st.builds(Buyer, number_country=st.none() | st.sampled_from([*sorted(EU), "XI"]))
classes = st.sampled_from(["standard", "food", "books", "zero", "bicycles"])


@given(
    sellers,
    places,
    buyers,
    classes,
    st.booleans(),
    st.booleans(),
    st.dates(date(2020, 1, 1), date(2030, 1, 1)),
)
def test_every_sale_there_could_be(
    seller: Seller, place: object, buyer: Buyer, tax_class: str, goods: bool, handed: bool, day: date
) -> None:
    found = decide(
        seller, place, buyer, tax_class, day, RATES, is_goods=goods, is_handed_over=handed  # type: ignore[arg-type]
    )  # fmt: skip
    assert (found.category is Category.STANDARD) == (found.rate > 0), "EN 16931, BR-S-05 and its kin"
    if found.category in (Category.INTRA_EU, Category.REVERSE_CHARGE, Category.EXPORT, Category.EXEMPT):
        assert found.note is not None, "BR-AE-10, BR-IC-10, BR-G-10, BR-E-10: the reason must be said"
    if found.rate:
        assert found.country is not None, "tax that is taken belongs to somebody"
    if found.treatment is Treatment.OSS:
        assert seller.oss
        assert found.country != seller.home.files_in
    if buyer == CONSUMER:
        assert found.category not in (Category.INTRA_EU, Category.REVERSE_CHARGE)
    if handed and not seller.small_business and tax_class != "zero":
        assert found.treatment in (Treatment.DOMESTIC, Treatment.OUTSIDE)


# -- schemes ---------------------------------------------------------------------------------------------------------------


def test_the_margin_scheme_holds_at_home_and_within_the_eu_only() -> None:
    seller = Seller(home=territory("SE"), oss=True, margin={"second_hand": "margin-second-hand"})
    for to in ("SE", "NL"):
        found = decide(seller, territory(to), CONSUMER, "second_hand", DAY, RATES)
        assert (found.rate, found.category, found.treatment, found.country) == (0, "E", "margin", "SE")
        assert found.note == "margin-second-hand"
    business = decide(seller, territory("NL"), Buyer(number_country="NL"), "second_hand", DAY, RATES)
    assert business.treatment == "margin", "no exempt supply to a business"
    assert decide(seller, territory("NO"), CONSUMER, "second_hand", DAY, RATES).treatment == "export"
    assert decide(seller, territory("SE"), CONSUMER, "standard", DAY, RATES).treatment == "domestic"


@pytest.mark.parametrize(
    ("home", "to", "parcel", "treatment"),
    [
        ("NO", "SE", 15_000, "ioss"),
        ("NO", "SE", 15_001, "export"),
        ("NO", "SE", 0, "export"),
        ("NO", "GB", 9_000, "export"),
        ("SE", "NL", 9_000, "origin"),
    ],
)
def test_small_parcels_from_outside(home: str, to: str, parcel: int, treatment: str) -> None:
    seller = Seller(home=territory(home), ioss_most=15_000)
    found = decide(seller, territory(to), CONSUMER, "standard", DAY, RATES, parcel=parcel)
    assert found.treatment == treatment
    if treatment == "ioss":
        assert (found.rate, found.country) == (2_500, "SE")
    business = decide(seller, territory(to), Buyer(number_country=to), "standard", DAY, RATES, parcel=parcel)
    assert business.treatment != "ioss"
