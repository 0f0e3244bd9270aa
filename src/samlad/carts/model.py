"""What a cart is."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from samlad.carts.discount_model import Discount
from samlad.carts.lot_model import ChosenLot
from samlad.channels.model import Code
from samlad.customers.model import Email, Text
from samlad.delivery import Method, Promised
from samlad.kernel.problems import Conflict
from samlad.promotions.model import CodeText
from samlad.tax.model import VatNumber

LARGEST_QUANTITY = 9_999
MOST_LINES = 200

Quantity = Annotated[int, msgspec.Meta(ge=1, le=LARGEST_QUANTITY, examples=[2])]


Label = Annotated[
    str,
    msgspec.Meta(
        max_length=100, pattern=r"^[^\x00]*$", description="What its people call it", examples=["Office"]
    ),
]
GiftNote = Annotated[
    str,
    msgspec.Meta(
        max_length=500,
        pattern=r"^[^\x00]*$",
        description="What the card says that comes with it",
        examples=["Happy birthday!"],
    ),
]


BuyerNote = Annotated[
    str,
    msgspec.Meta(
        max_length=1000,
        pattern=r"^[^\x00]*$",
        description="What the buyer wants the shop to know",
        examples=["Please ring twice."],
    ),
]


class CartKind(StrEnum):
    """``saved`` (for later) and ``wish`` are lists: they are shared and change as carts do, and are not ordered.

    A ``quote`` is made by staff, with prices that stand until a date; accepting it makes it a cart.
    """

    CART = "cart"
    SAVED = "saved"
    WISH = "wish"
    QUOTE = "quote"


class CartStatus(StrEnum):
    """``checkout``: prices stand and stock is held for a while. ``parked``: put aside at a till.

    ``merged`` (into another cart), ``ordered`` and ``abandoned`` are the end.
    """

    OPEN = "open"
    CHECKOUT = "checkout"
    PARKED = "parked"
    MERGED = "merged"
    ORDERED = "ordered"
    ABANDONED = "abandoned"


OVER = frozenset({CartStatus.MERGED, CartStatus.ORDERED, CartStatus.ABANDONED})
"""In these a cart takes no change any more."""


class LineNews(StrEnum):
    """What has become of a line since its buyer was last told."""

    PRICE = "price"
    SHORT = "short"
    NOT_AVAILABLE = "not-available"
    BACK = "back"


class Delivery(StrEnum):
    """How the goods get to the customer."""

    SHIP = "ship"
    PICKUP = "pickup"
    CARRY_OUT = "carry_out"


class Address(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where to ship to."""

    name: Annotated[Text, msgspec.Meta(examples=["Kim Berg"])]
    line1: Annotated[Text, msgspec.Meta(description="Street and number", examples=["Storgatan 1"])]
    line2: Text | None = None
    postal_code: (
        Annotated[str, msgspec.Meta(max_length=20, pattern=r"^[^\x00]*$", examples=["111 22"])] | None
    ) = None
    city: Annotated[Text, msgspec.Meta(examples=["Stockholm"])]
    region: Annotated[
        Text | None, msgspec.Meta(description="State or province where it is part of addresses")
    ] = None
    country: Annotated[
        str,
        msgspec.Meta(pattern="^[A-Z]{2}$", max_length=2, description="ISO 3166-1 alpha-2", examples=["SE"]),
    ]


class LineInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Something to put into a cart."""

    variant: UUID
    quantity: Quantity = 1
    plan: Annotated[
        UUID | None,
        msgspec.Meta(description="Selling plan by which it is bought again and again; without it once"),
    ] = None


class DetailsInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Who buys and how they get it. What is left out stays, ``null`` empties."""

    email: Email | msgspec.UnsetType | None = msgspec.UNSET
    name: Text | msgspec.UnsetType | None = msgspec.UNSET
    phone: Text | msgspec.UnsetType | None = msgspec.UNSET
    address: Address | msgspec.UnsetType | None = msgspec.UNSET
    delivery: Delivery | msgspec.UnsetType | None = msgspec.UNSET
    delivery_method: Annotated[
        Code | msgspec.UnsetType | None,
        msgspec.Meta(
            description="Code of one of the channel's delivery methods; it decides `delivery`. Null or left out with a "
            "`delivery`: the channel's first that fits"
        ),
    ] = msgspec.UNSET
    location: Annotated[
        UUID | msgspec.UnsetType | None,
        msgspec.Meta(description="The location to pick up at, or that brings it the same day"),
    ] = msgspec.UNSET
    customer: Annotated[
        UUID | msgspec.UnsetType | None, msgspec.Meta(description="Whose cart it is; only staff may say so")
    ] = msgspec.UNSET
    label: Label | msgspec.UnsetType | None = msgspec.UNSET
    gift_note: GiftNote | msgspec.UnsetType | None = msgspec.UNSET
    note: BuyerNote | msgspec.UnsetType | None = msgspec.UNSET
    vat_number: VatNumber | msgspec.UnsetType | None = msgspec.UNSET
    pays_deposit: Annotated[
        bool | msgspec.UnsetType,
        msgspec.Meta(
            description="A deposit is paid now and the rest before the goods leave, where the channel offers that "
            "(`deposit_offered`)"
        ),
    ] = msgspec.UNSET


class CheckoutInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """How a checkout begins."""

    slot: (
        Annotated[
            str,
            msgspec.Meta(
                max_length=16,
                pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?!\n)$",
                description="Key of one of the `slots` of the chosen method's promise; without it the first with room",
                examples=["2026-11-27T17:00"],
            ),
        ]
        | None
    ) = None


class CartInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A new cart, perhaps with something in it already, and all that is known of who buys."""

    channel: Annotated[UUID, msgspec.Meta(description="Id of the channel that it is for")]
    lines: Annotated[list[LineInput], msgspec.Meta(max_length=MOST_LINES)] = []
    customer: Annotated[UUID | None, msgspec.Meta(description="Whose it is; only staff may say so")] = None
    kind: Annotated[
        Literal["cart", "wish"], msgspec.Meta(description="A cart, or a list of wishes", examples=["cart"])
    ] = "cart"
    label: Label | None = None
    details: Annotated[
        DetailsInput | None,
        msgspec.Meta(
            description="Who buys and how they get it, as in `PATCH /api/carts/{id}`; `customer` and `label` are the cart's own"
        ),
    ] = None


class CodeInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A code as somebody types it."""

    code: CodeText


class PriceStep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A step from the list price to what is paid: a promotion and what it takes off, in minor units as quoted.

    ``by_hand``: no promotion but a discount that staff gave; ``name`` is its reason.
    """

    promotion: UUID
    name: str
    amount: int
    by_hand: bool = False


class CartPromotion(msgspec.Struct, frozen=True, kw_only=True):
    """A promotion that a cart has: what it takes off in all, and the code that brought it.

    ``once`` says that customers may have it so many times only, so that it must be known who buys.
    """

    promotion: UUID
    name: str
    amount: int
    code: str | None = None
    code_id: UUID | None = None
    once: bool = False


class MovedPromotion(msgspec.Struct, frozen=True, kw_only=True):
    """A promotion that takes off less than was last shown: ``ended``, ``used-up``, ``changed``, …"""

    promotion: UUID
    name: str
    before: int
    now: int
    reason: str


class Agreed(msgspec.Struct, frozen=True, kw_only=True):
    """What was last shown of promotions. ``lines`` has the steps by variant; ``lapsed`` what has gone since."""

    promotions: list[CartPromotion] = []
    lines: dict[UUID, list[PriceStep]] = {}
    shipping: list[PriceStep] = []
    lapsed: list[MovedPromotion] = []


class CartLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line as stored. ``unit_price`` is as it was last shown and agreed to, in minor units.

    ``price_until``: a quote's price, which stands till then. ``problem`` is what the buyer was last told. ``plan`` is the
    selling plan by which it is bought.
    ``added_by`` and ``changed_by`` are kinds of actors. ``parts``: of a set, how many of which parts are in one; they are
    what is held for it.
    """

    id: UUID
    variant: UUID
    quantity: int
    unit_price: int
    version: int = 1
    added_by: str = "guest"
    changed_by: str = "guest"
    gift_note: str | None = None
    price_until: datetime | None = None
    problem: str | None = None
    plan: UUID | None = None
    parts: dict[UUID, int] | None = None


class Cart(msgspec.Struct, frozen=True, kw_only=True):
    """A cart as stored; ``lines`` in the order they were added, empty where they were not read.

    ``promise`` is what was last shown of the chosen method, while that is chosen.
    ``method`` is what ``delivery_method`` names, known where the cart came through `samlad.carts.delivery_choice`.
    """

    id: UUID
    pool: UUID
    channel: UUID
    customer: UUID | None
    customer_group: str | None = None
    currency: str
    status: CartStatus
    email: str | None
    name: str | None
    phone: str | None
    address: Address | None
    delivery: Delivery | None
    location: UUID | None
    checkout_until: datetime | None
    order_id: UUID | None
    version: int
    created_at: datetime
    updated_at: datetime
    delivery_method: UUID | None = None
    agreed: Agreed | None = None
    kind: CartKind = CartKind.CART
    label: str | None = None
    is_current: bool = True
    gift_note: str | None = None
    merged_into: UUID | None = None
    held_until: datetime | None = None
    quoted_until: datetime | None = None
    vat_number: str | None = None
    discounts: list[Discount] = []
    lots: list[ChosenLot] = []
    note: str | None = None
    promise: Promised | None = None
    pays_deposit: bool = False
    lines: list[CartLine] = []
    method: Method | None = None

    @property
    def promised(self) -> Promised | None:
        """The promise that was kept, if it is the chosen method's."""
        is_its = (
            self.promise is not None and self.method is not None and self.promise.method == self.method.code
        )
        return self.promise if is_its else None


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """What a cart or order comes to, minor units.

    ``subtotal`` is what the lines come to and ``shipping`` what it costs to send them, both with tax.
    ``total = subtotal + shipping``; ``tax`` is the part of the total that is tax. ``reduced`` is what promotions have
    taken off already, as prices are quoted.
    """

    items: int
    subtotal: int
    shipping: int
    shipping_tax: int
    tax: int
    total: int
    reduced: int = 0


class PriceChanged(Conflict):
    """Prices moved since the buyer last saw them. ``lines`` has each variant with its price before and now,
    ``promotions`` those that take off less, each with its name, its amounts and the reason.

    Show them, then accept with `POST /api/carts/{id}/prices` and go on.
    """

    code, title = "price-changed", "Some prices have changed"


class NotSellable(Conflict):
    """Something in the cart cannot be sold here (any more); ``lines`` names the variants."""

    code, title = "not-sellable", "Something in the cart cannot be sold here"


class CartClosed(Conflict):
    """The cart was ordered or given up; take a new one."""

    code, title = "cart-closed", "This cart is closed"


class LineChanged(Conflict):
    """Somebody changed this line after you saw it; ``line`` is how it is now. Show it, then decide.

    Send its ``version``, or none to have the last word.
    """

    code, title = "line-changed", "Somebody changed this line meanwhile"
