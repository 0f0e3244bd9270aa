"""What tax is made of. Rates are basis points (2500 is 25 %), amounts minor units."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from samlad.channels.model import Code

Country = Annotated[
    str, Meta(pattern=r"^[A-Z]{2}(?!\n)$", description="ISO 3166-1 alpha-2", examples=["SE"], max_length=2)
]
Region = Annotated[
    str,
    Meta(
        max_length=40,
        pattern=r"^[^\x00-\x1f\x7f]*$",
        description="ISO 3166-2 (`PT-30`), or the state as addresses name it (`NY`); empty: the whole country",
        examples=[""],
    ),
]
TaxClassCode = Annotated[
    str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}(?!\n)$", description="Tax class", examples=["standard", "food"])
]
Title = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Line = Annotated[str, Meta(max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")]
BasisPoints = Annotated[int, Meta(ge=0, le=10_000, description="Basis points: 2500 is 25 %", examples=[2500])]
VatNumber = Annotated[
    str,
    Meta(
        max_length=30,
        pattern=r"^[^\x00-\x1f\x7f]*$",
        description="VAT number with its country in front, as EU numbers are written",
        examples=["NL004495445B01"],
    ),
]


class Category(StrEnum):
    """Why a line bears the tax that it bears: EN 16931, code list UNTDID 5305."""

    STANDARD = "S"
    ZERO = "Z"
    EXEMPT = "E"
    REVERSE_CHARGE = "AE"
    INTRA_EU = "K"
    EXPORT = "G"
    OUTSIDE = "O"


RateCategory = Annotated[
    Literal["S", "Z", "E", "O"],
    Meta(description="EN 16931: S taxed, Z taxed at 0 %, E exempt, O outside the scope of VAT"),
]


class Treatment(StrEnum):
    """Which rule a supply is taxed by.

    ``domestic``: where the seller is. ``registered``: where it goes, by a registration there. ``oss``: where it goes,
    told in the one-stop shop. ``origin``: a distance sale below the threshold, taxed where the seller is.
    ``intra_eu``: goods to a business in another member state, exempt here. ``reverse_charge``: services to one.
    ``margin``: second-hand goods, art or antiques, taxed at home on the seller's margin alone, which no invoice shows.
    ``ioss``: small parcels from outside the EU to consumers, told in the import one-stop shop.
    ``export``: it leaves the VAT area. ``exempt`` by the law of the country or the seller's scheme. ``outside``: no
    supply that VAT knows.
    """

    DOMESTIC = "domestic"
    REGISTERED = "registered"
    OSS = "oss"
    ORIGIN = "origin"
    INTRA_EU = "intra_eu"
    REVERSE_CHARGE = "reverse_charge"
    MARGIN = "margin"
    IOSS = "ioss"
    EXPORT = "export"
    EXEMPT = "exempt"
    OUTSIDE = "outside"


class Rounding(StrEnum):
    """Where tax is rounded: once a line, or once a rate and then shared among its lines."""

    LINE = "line"
    TOTAL = "total"


class NumberStatus(StrEnum):
    """``format``: the number can be right; VIES has not said yet whether it is."""

    FORMAT = "format"
    VALID = "valid"
    INVALID = "invalid"


class TaxClass(msgspec.Struct, frozen=True):
    """What is taxed alike."""

    code: TaxClassCode
    name: str
    description: str


class TaxRate(msgspec.Struct, frozen=True, kw_only=True):
    """What a country takes of a class, from a day on until another (exclusive; None: until further notice).

    Without a ``pool`` it is the law as shipped; with one (of prices) the shopkeeper's word for the channels of that pool.
    """

    id: UUID
    pool: UUID | None
    country: str
    region: str
    tax_class: str
    rate_bp: int
    category: str
    valid_from: date
    valid_to: date | None
    name: str
    version: int


class TaxRateInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A new rate. It may not overlap another of its pool, country, region and class."""

    country: Country
    region: Region = ""
    tax_class: TaxClassCode
    rate_bp: BasisPoints
    category: RateCategory | UnsetType = UNSET
    valid_from: date
    valid_to: Annotated[date | None, Meta(description="First day on which it no longer holds")] = None
    name: Annotated[Title, Meta(examples=["Moms 25 %"])]
    channel: Annotated[
        Code | None, Meta(description="Only for the channels that share this one's prices; null: for all")
    ] = None


class TaxRateChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change of a rate: normally the day on which it ends."""

    rate_bp: BasisPoints | UnsetType = UNSET
    category: RateCategory | UnsetType = UNSET
    valid_from: date | UnsetType = UNSET
    valid_to: date | UnsetType | None = UNSET
    name: Title | UnsetType = UNSET


class TaxClassInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A class of goods that some country taxes differently."""

    code: TaxClassCode
    name: Title
    description: Line = ""


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """A VAT number of the seller. It holds for the channel and those that inherit from it."""

    id: UUID
    channel: UUID
    country: str
    number: str
    valid_from: date
    valid_to: date | None
    version: int


class RegistrationInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A country where the seller is registered for VAT."""

    channel: Annotated[Code, Meta(description="Code of the channel that it holds for, with its children")]
    country: Annotated[
        str,
        Meta(
            pattern=r"^[A-Z]{2}(?!\n)$",
            max_length=2,
            description="Country of the return; XI for Northern Ireland",
            examples=["DE"],
        ),
    ]
    number: Annotated[VatNumber, Meta(min_length=2, examples=["DE136695976"])]
    valid_from: date
    valid_to: Annotated[date | None, Meta(description="First day on which it no longer holds")] = None


class RegistrationChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change of a registration: normally the day on which it ends."""

    number: Annotated[str, Meta(min_length=2, max_length=30, pattern=r"^[^\x00-\x1f\x7f]*$")] | UnsetType = (
        UNSET
    )
    valid_from: date | UnsetType = UNSET
    valid_to: date | UnsetType | None = UNSET


class SchemeKind(StrEnum):
    """A scheme beside the ordinary rules."""

    SECOND_HAND = "margin_second_hand"
    ART = "margin_art"
    ANTIQUES = "margin_antiques"
    IOSS = "ioss"


class Scheme(msgspec.Struct, frozen=True, kw_only=True):
    """A scheme that a channel, and those that inherit from it, sells by: a class of goods under the margin scheme, or
    parcels of at most ``most`` (net, minor units) under the import one-stop shop's ``number``."""

    id: UUID
    channel: UUID
    scheme: SchemeKind
    tax_class: str | None
    number: str
    most: int | None
    valid_from: date
    valid_to: date | None
    version: int


class SchemeInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Use a scheme from a day on."""

    channel: Annotated[Code, Meta(description="Code of the channel that it holds for, with its children")]
    scheme: SchemeKind
    tax_class: Annotated[
        TaxClassCode | None, Meta(description="Goods under the margin scheme; none for the import scheme")
    ] = None
    number: Annotated[
        str,
        Meta(
            max_length=12, pattern=r"^[^\x00-\x1f\x7f]*$", description="Of the import scheme", examples=[""]
        ),
    ] = ""
    most: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=2**52,
                description="Import scheme: what 150 euros are, if the channel sells in another currency",
            ),
        ]
        | None
    ) = None
    valid_from: date
    valid_to: Annotated[date | None, Meta(description="First day on which it no longer holds")] = None


class SchemeChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change of a scheme's use: normally the day on which it ends."""

    valid_from: date | UnsetType = UNSET
    valid_to: date | UnsetType | None = UNSET


class NumberCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a customer's VAT number. ``consultation`` is VIES's proof that it was asked."""

    number: str
    status: NumberStatus
    name: str | None = None
    address: str | None = None
    consultation: str | None = None
    checked_at: datetime | None = None


class Territory(msgspec.Struct, frozen=True):
    """A part of the world that is one for VAT.

    ``area`` names it: supplies within one area are domestic. ``country`` is whose return and whose rates, ``region``
    the part with rates of its own. ``number`` is how its VAT numbers begin. ``in_eu``: goods move there within the EU;
    ``services_in_eu`` the same for what is no goods (not Northern Ireland).
    """

    area: str
    country: str
    region: str = ""
    in_eu: bool = False
    services_in_eu: bool = False
    return_country: str = ""

    @property
    def files_in(self) -> str:
        """The country whose return it belongs to, XI for Northern Ireland."""
        return self.return_country or self.country


class Seller(msgspec.Struct, frozen=True, kw_only=True):
    """Who sells: at home where, registered in which other countries (of returns), and by which scheme.

    ``margin``: the note for invoices by tax class that is sold under the margin scheme; ``ioss_most``: up to which net
    value (minor units) a parcel is told in the import one-stop shop.
    """

    home: Territory
    registered: frozenset[str] = frozenset()
    oss: bool = False
    small_business: bool = False
    margin: dict[str, str] = {}
    ioss_most: int | None = None


class Buyer(msgspec.Struct, frozen=True, kw_only=True):
    """Who buys. ``number_country`` is that of a VAT number that counts (checked, or trusted unchecked); None: a consumer."""

    number_country: str | None = None


CONSUMER = Buyer()


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """How something is taxed. ``note`` is the key of the text that the law wants on the invoice (`samlad.tax.texts`).

    ``country`` is the one whose return it belongs to: XI for Northern Ireland, None where it belongs to none.
    """

    rate: int
    category: Category
    treatment: Treatment
    country: str | None
    note: str | None = None


class Amounts(msgspec.Struct, frozen=True):
    """What a line comes to, minor units: ``net + tax = total``."""

    net: int
    tax: int
    total: int


class Taxable(msgspec.Struct, frozen=True):
    """What is to be taxed: an amount as quoted, with tax in it if ``included``, and its rate."""

    quoted: int
    rate: int
    included: bool
