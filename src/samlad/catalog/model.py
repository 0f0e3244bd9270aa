"""What the catalogue's things are."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from samlad.tax.model import Country, TaxClassCode

NO_CONTROL = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
"""Texts may have line breaks and tabs, and no other control character (PostgreSQL cannot keep NUL)."""
ONE_LINE = r"^[^\x00-\x1f\x7f]*(?!\n)$"
"""The look-ahead is there because ``$`` alone lets a last line feed pass."""

Language = Literal["en", "sv", "nl"]
LANGUAGES: tuple[Language, ...] = ("en", "sv", "nl")
"""Languages that texts are translated to and that search has stemming for."""

Title = Annotated[
    str,
    Meta(min_length=1, max_length=300, pattern=ONE_LINE, examples=["Enamel kettle 1.5 l"]),
]
Line = Annotated[str, Meta(max_length=300, pattern=ONE_LINE)]
Text = Annotated[str, Meta(max_length=100_000, pattern=NO_CONTROL)]
Handle = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=255,
        pattern=r"^[^\s/?#%\x00-\x1f\x7f]+(?!\n)$",
        description="Name in addresses, unique in the pool",
        examples=["enamel-kettle"],
    ),
]
Sku = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=100,
        pattern=r"^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?(?!\n)$",
        description="Stock keeping unit, unique in the pool",
        examples=["KETTLE-RED"],
    ),
]
Gtin = Annotated[
    str,
    Meta(
        pattern=r"^([0-9]{8}|[0-9]{12,14})(?!\n)$",
        description="GTIN-8, -12 (UPC), -13 (EAN) or -14 with a right check digit",
        examples=["7310865004703"],
    ),
]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}(?!\n)$", description="ISO 4217", examples=["SEK"])]
Amount = Annotated[int, Meta(ge=0, le=2**53, description="Minor units of the currency", examples=[1999])]
Whole = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Position = Annotated[int, Meta(ge=0, le=2**31 - 1, description="Order among its siblings, 0 first")]
Quantity = Annotated[int, Meta(ge=1, le=2**31 - 1, examples=[1])]
Tags = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=100, pattern=ONE_LINE)]], Meta(max_length=250)
]
AttributeCode = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,62}(?!\n)$", examples=["material"])]
AttributeValues = Annotated[
    dict[AttributeCode, Any],
    Meta(
        max_length=500,
        description="Values by attribute code; each must fit its attribute",
        examples=[{"material": "steel"}],
    ),
]


Word = Annotated[str, Meta(min_length=1, max_length=200, pattern=ONE_LINE)]
Words = Annotated[dict[Word, Word], Meta(max_length=5000)]


class ProductStatus(StrEnum):
    """``draft`` is not sold yet, ``archived`` is sold no more; neither is found by customers."""

    DRAFT = "draft"
    ACTIVE = "active"
    ARCHIVED = "archived"


class VariantStatus(StrEnum):
    """Variants are never deleted: old orders point to them."""

    ACTIVE = "active"
    ARCHIVED = "archived"


class Tracking(StrEnum):
    """Whose units stock keeps apart: all are the same, by ``lot``, by lot with an ``expiry`` date, each by its number."""

    NONE = "none"
    LOT = "lot"
    EXPIRY = "expiry"
    SERIAL = "serial"


class Texts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The texts of a product in another language. What is missing stays in the retailer's own language."""

    title: Title | None = None
    description: Text | None = None
    seo_title: Line | None = None
    seo_description: Annotated[str, Meta(max_length=2000, pattern=NO_CONTROL)] | None = None
    options: Annotated[
        Words, Meta(description="Names and values of options", examples=[{"Colour": "Färg", "Red": "Röd"}])
    ] = {}


Translations = Annotated[
    dict[Language, Texts],
    Meta(description="Texts by language", examples=[{"sv": {"title": "Emaljerad kittel 1,5 l"}}]),
]


class NamedTexts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The texts of a category, collection, attribute or size chart in another language."""

    name: Title | None = None
    description: Text | None = None
    seo_title: Line | None = None
    seo_description: Annotated[str, Meta(max_length=2000, pattern=NO_CONTROL)] | None = None
    words: Annotated[
        Words, Meta(description="Translations of choices or measures", examples=[{"steel": "stål"}])
    ] = {}


NamedTranslations = Annotated[
    dict[Language, NamedTexts], Meta(description="Texts by language", examples=[{"sv": {"name": "Kittlar"}}])
]


class Option(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that variants differ in, and its values in the order in which they are shown."""

    name: Annotated[str, Meta(min_length=1, max_length=100, pattern=ONE_LINE, examples=["Colour"])]
    values: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=200, pattern=ONE_LINE)]],
        Meta(max_length=2000, examples=[["Red", "Blue"]]),
    ]


class MediaInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A picture or film: where it is, and what it shows for those who cannot see it."""

    url: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=2000,
            pattern=r"^(https?://|/)[^\s\x00-\x1f\x7f]+(?!\n)$",
            examples=["https://cdn.example.com/kettle.jpg"],
        ),
    ]
    alt: Line = ""
    sku: Annotated[str | None, Meta(description="The variant that it shows; null: the product")] = None


class Media(msgspec.Struct, frozen=True):
    """A picture of a product. ``pending``: to be fetched by a job; ``storage_key`` is our own copy at ``/media/``.

    ``problem`` says why it is not there: for good when ``failed``, else it is tried again.
    """

    id: UUID
    product: UUID
    variant: UUID | None
    url: str
    storage_key: str | None
    alt: str
    position: int
    status: Literal["pending", "ready", "failed"]
    problem: str | None = None


class ComponentInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a bundle."""

    sku: Sku
    quantity: Quantity = 1


class Component(msgspec.Struct, frozen=True):
    """A part of a bundle: stock is the component's."""

    bundle: UUID
    component: UUID
    sku: str
    quantity: int


class PriceInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A price of a variant in a price list; ``amount`` null takes it away."""

    price_list: Annotated[str, Meta(max_length=100, description="Code of the price list", examples=["base"])]
    amount: Amount | None
    compare_at: (
        Annotated[int, Meta(ge=0, le=2**53, description="Former or recommended price, struck through")] | None
    ) = None
    min_quantity: Quantity = 1


class Measure(StrEnum):
    """What a quantity of a variant counts, in stock, carts and orders: pieces, grams, millimetres or millilitres."""

    PIECE = "piece"
    WEIGHT = "weight"
    LENGTH = "length"
    VOLUME = "volume"

    @property
    def per(self) -> int:
        """A price is for so many of what a quantity counts: one piece, or a kilogram, metre or litre."""
        return 1 if self is Measure.PIECE else 1_000

    def pieces(self, quantity: int) -> int:
        """How many pieces a quantity is to whoever counts pieces: what is weighed is one (negative: it came back)."""
        return quantity if self is Measure.PIECE or quantity == 0 else 1 if quantity > 0 else -1


class VariantFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What can be said of a variant; what is left out stays as it is, null empties it."""

    gtin: Gtin | UnsetType | None = UNSET
    options: (
        Annotated[
            dict[Word, Word], Meta(max_length=10, description="Value by option", examples=[{"Colour": "Red"}])
        ]
        | UnsetType
    ) = UNSET
    status: VariantStatus | UnsetType = UNSET
    position: Position | UnsetType = UNSET
    weight_g: Annotated[int, Meta(ge=0, le=2**31 - 1, description="Grams")] | UnsetType | None = UNSET
    length_mm: Annotated[int, Meta(ge=0, le=2**31 - 1, description="Millimetres")] | UnsetType | None = UNSET
    width_mm: Annotated[int, Meta(ge=0, le=2**31 - 1, description="Millimetres")] | UnsetType | None = UNSET
    height_mm: Annotated[int, Meta(ge=0, le=2**31 - 1, description="Millimetres")] | UnsetType | None = UNSET
    hs_code: (
        Annotated[
            str,
            Meta(
                pattern=r"^[0-9]{4,6}(\.?[0-9]{2}){0,3}(?!\n)$",
                max_length=16,
                description="Harmonised System code for customs",
                examples=["7323.94"],
            ),
        ]
        | UnsetType
        | None
    ) = UNSET
    origin_country: Country | UnsetType | None = UNSET
    requires_shipping: bool | UnsetType = UNSET
    sold_by: (
        Annotated[
            Measure,
            Meta(
                description="How it is sold, which stays: quantities are pieces, grams, millimetres or millilitres; "
                "prices are for a piece, kilogram, metre or litre"
            ),
        ]
        | UnsetType
    ) = UNSET
    attributes: AttributeValues | UnsetType = UNSET
    components: (
        Annotated[list[ComponentInput], Meta(max_length=100, description="Makes it a bundle of these")]
        | UnsetType
    ) = UNSET
    prices: Annotated[list[PriceInput], Meta(max_length=1000)] | UnsetType = UNSET


class VariantInput(VariantFields, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A variant by its SKU: new, or what is to change of one that is there."""

    sku: Sku


class VariantChange(VariantFields, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change of a variant; what is left out stays."""

    sku: Sku | UnsetType = UNSET


class ProductFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What can be said of a product; what is left out stays as it is, null empties it."""

    handle: Handle | UnsetType = UNSET
    title: Title | UnsetType = UNSET
    description: (
        Annotated[str, Meta(max_length=100_000, pattern=NO_CONTROL, description="HTML")] | UnsetType
    ) = UNSET
    status: ProductStatus | UnsetType = UNSET
    category: (
        Annotated[str, Meta(max_length=1000, description="Path of a category", examples=["kitchen/kettles"])]
        | UnsetType
        | None
    ) = UNSET
    brand: Line | UnsetType | None = UNSET
    supplier: Line | UnsetType | None = UNSET
    tags: Tags | UnsetType = UNSET
    options: Annotated[list[Option], Meta(max_length=10)] | UnsetType = UNSET
    attributes: AttributeValues | UnsetType = UNSET
    tax_class: TaxClassCode | UnsetType = UNSET
    tracking: Annotated[Tracking, Meta(description="What stock asks for of its units")] | UnsetType = UNSET
    min_days_left: (
        Annotated[
            int,
            Meta(ge=0, le=3650, description="Days before its date from which it is not sold", examples=[14]),
        ]
        | UnsetType
    ) = UNSET
    seo_title: Line | UnsetType | None = UNSET
    seo_description: Annotated[str, Meta(max_length=2000, pattern=NO_CONTROL)] | UnsetType | None = UNSET
    translations: Translations | UnsetType = UNSET
    media: Annotated[list[MediaInput], Meta(max_length=250)] | UnsetType = UNSET


class ProductRow(ProductFields, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A product with variants as an import brings them: found by handle, or without one by its variants' SKUs.

    Variants that it does not name stay as they are. Fields that are left out stay; null empties.
    """

    variants: Annotated[list[VariantInput], Meta(max_length=2000)] = []


class ProductInput(ProductFields, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A new product with its variants. Without a handle it gets one from its title."""

    title: Title
    variants: Annotated[
        list[VariantInput],
        Meta(
            min_length=1,
            max_length=2000,
            examples=[[{"sku": "KETTLE-RED", "options": {"Colour": "Red"}, "weight_g": 900}]],
        ),
    ]


class ProductChange(ProductFields, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change of a product; what is left out stays. Named variants are changed or added by SKU."""

    variants: Annotated[list[VariantInput], Meta(max_length=2000)] = []


class Variant(msgspec.Struct, frozen=True):
    """What is sold, counted and priced. Sizes in millimetres, weight in grams. ``sold_by``: what its quantities count."""

    id: UUID
    product: UUID
    sku: str
    gtin: str | None
    status: VariantStatus
    options: dict[str, str]
    option_text: str
    position: int
    weight_g: int | None
    length_mm: int | None
    width_mm: int | None
    height_mm: int | None
    hs_code: str | None
    origin_country: str | None
    requires_shipping: bool
    attributes: dict[str, Any]
    version: int
    created_at: datetime
    updated_at: datetime
    sold_by: Measure = Measure.PIECE


class Product(msgspec.Struct, frozen=True):
    """What is described and shown; sold are its variants."""

    id: UUID
    pool: UUID
    handle: str
    title: str
    description: str
    status: ProductStatus
    category: UUID | None
    brand: str | None
    supplier: str | None
    tags: list[str]
    options: list[Option]
    attributes: dict[str, Any]
    tax_class: str
    seo_title: str | None
    seo_description: str | None
    translations: dict[str, Texts]
    version: int
    created_at: datetime
    updated_at: datetime
    tracking: Tracking = Tracking.NONE
    min_days_left: int = 0


class ProductView(Product, frozen=True):
    """A product with all that belongs to it."""

    category_path: str | None = None
    variants: list[Variant] = []
    media: list[Media] = []
    components: list[Component] = []


class VariantRef(msgspec.Struct, frozen=True):
    """Enough to name a variant. ``title`` has the option values: “Enamel kettle, Red”."""

    id: UUID
    product: UUID
    sku: str
    title: str


class Codes(msgspec.Struct, frozen=True):
    """What a variant is scanned by."""

    id: UUID
    sku: str
    gtin: str | None


class Sellable(msgspec.Struct, frozen=True):
    """A variant as a channel sells it at one moment.

    ``price``, ``compare_at`` and ``reference_price`` are minor units of ``currency`` with or without tax as
    ``tax_included`` says; ``price`` is None when no list has one. ``reference_price`` is the lowest price of the
    30 days before a reduction (None when the price is not reduced). ``tax_rate`` is in basis points,
    that of the channel's country: a cart may go elsewhere; a set is taxed by its parts (``tax_rates``). ``weight`` is in grams. ``is_available`` says that it may be sold here now; stock is another question.
    """

    variant: UUID
    product: UUID
    sku: str
    title: str
    options: str
    image: str | None
    price: int | None
    compare_at: int | None
    reference_price: int | None
    currency: str
    tax_included: bool
    tax_rate: int
    tax_class: str
    is_available: bool
    weight: int | None
    requires_shipping: bool
    handle: str
    price_until: datetime | None = None
    """When the list ends that the price is of; None: it has no end."""
    sold_by: Measure = Measure.PIECE
    """What its quantity counts; ``price`` is for `Measure.per` of it."""
    parts: "tuple[SetPart, ...]" = ()
    """What a set is made of: its stock is theirs, and it is taxed as they are."""

    @property
    def tax_rates(self) -> list[int]:
        """The rates at which it is taxed at home: its own, of a set those of its parts; each once, the highest first."""
        return sorted({part.sold.tax_rate for part in self.parts} or {self.tax_rate}, reverse=True)


class SetPart(msgspec.Struct, frozen=True):
    """A part of a set as it is sold on its own (perhaps it is not), and how many are in one set."""

    sold: Sellable
    quantity: int
