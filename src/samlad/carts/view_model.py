"""What is shown of a cart: its lines and totals with the prices and taxes of this moment."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec

from samlad.carts.discount_model import DiscountView
from samlad.carts.lot_model import ChosenLot
from samlad.carts.model import (
    Address,
    CartKind,
    CartPromotion,
    CartStatus,
    Delivery,
    LineNews,
    MovedPromotion,
    PriceStep,
    Totals,
)
from samlad.catalog.model import Measure
from samlad.delivery import Promised
from samlad.tax import NumberStatus


class CodeView(msgspec.Struct, frozen=True, kw_only=True):
    """A code that was typed. ``reason`` says why it takes nothing off now: ``minimum``, ``goods``, ``used-up``, …"""

    code: str
    promotion: UUID
    name: str
    reason: str | None


class GiftView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that may be put in for nothing."""

    promotion: UUID
    name: str
    variant: UUID
    quantity: int


class TaxNews(msgspec.Struct, frozen=True, kw_only=True):
    """Tax that is another one than when the cart was last changed, ``since`` that day, in minor units.

    ``reason``: ``rate`` (a country changed a rate) or ``vat-number`` (it was checked meanwhile).
    """

    since: date
    reason: Literal["rate", "vat-number"]
    tax_before: int
    tax: int
    total_before: int
    total: int


class LineTax(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a line's amounts that is taxed in one way; the fields are those of `LineView`."""

    tax_rate: int
    tax_category: str
    tax_treatment: str
    tax_country: str | None
    tax_note: str | None
    net: int
    tax: int
    total: int


class LineView(msgspec.Struct, frozen=True, kw_only=True):
    """A line as its buyer sees it. Amounts in minor units.

    ``price_before`` is the price that was last agreed to where it differs from ``unit_price`` now. ``available`` is
    how many could be promised now (null in checkout: they are held), this cart's own holds among them. ``problem``
    says why it cannot be bought as it stands: ``not-available`` or ``short``. ``news`` is what has changed since the
    buyer was last told: the ``price``, one of these problems, or that it is ``back``. ``added_by`` and ``changed_by``
    are who did so last: ``guest``, ``customer``, ``staff``, ``key`` or ``system``. ``price_until``: the price is a
    quote's and stands till then. ``steps`` lead from ``unit_price`` times ``quantity`` to what is paid.
    ``tax_category`` is its EN 16931 code, ``tax_treatment`` the rule that it is taxed by, ``tax_country`` the one whose
    return it belongs to, ``tax_note`` the key of a text that belongs on the invoice. Of a set whose parts are taxed
    in several ways they are those of its largest part, and ``taxes`` has what it comes to in each. ``plan``: it is bought by this
    selling plan, again and again. ``sold_by``: what ``quantity`` counts; ``unit_price`` is for a piece, kilogram, metre or litre.
    """

    id: UUID
    variant: UUID
    product: UUID
    handle: str
    sku: str
    title: str
    options: str
    image: str | None
    quantity: int
    unit_price: int
    price_before: int | None
    tax_included: bool
    tax_rate: int
    net: int
    tax: int
    total: int
    available: int | None
    problem: str | None
    version: int
    steps: list[PriceStep] = []
    news: list[LineNews] = []
    added_by: str = "guest"
    changed_by: str = "guest"
    gift_note: str | None = None
    price_until: datetime | None = None
    tax_category: str = "O"
    tax_treatment: str = "outside"
    tax_country: str | None = None
    tax_note: str | None = None
    plan: UUID | None = None
    sold_by: Measure = Measure.PIECE
    taxes: list[LineTax] = []


class CartView(msgspec.Struct, frozen=True, kw_only=True):
    """A cart as its buyer sees it, with prices of this moment (in checkout: the ones that stand).

    ``moved_promotions`` are those that take off less than was last shown; they are agreed to like changed prices.
    ``held_until``: its goods are put aside till then. ``is_current``: of its customer's carts it is the one meant.
    ``vat_check`` says how far the VAT number is known to be right. ``tax_notes`` are keys of what the law wants said
    (``reverse-charge``, ``export``, …). ``tax_news``: tax has changed since the buyer was last told.
    ``tax_is_provisional``: the channel's tax engine is silent, our own stands in. ``note`` is for the shop; ``promise``
    is what was promised for the chosen delivery method when its checkout began. ``pays_deposit``: the rest is paid before the goods
    leave.
    """

    id: UUID
    channel: UUID
    currency: str
    status: CartStatus
    customer: UUID | None
    email: str | None
    name: str | None
    phone: str | None
    address: Address | None
    delivery: Delivery | None
    delivery_method: str | None = None
    location: UUID | None
    checkout_until: datetime | None
    order_id: UUID | None
    lines: list[LineView]
    totals: Totals
    version: int
    updated_at: datetime
    promotions: list[CartPromotion] = []
    moved_promotions: list[MovedPromotion] = []
    shipping_steps: list[PriceStep] = []
    codes: list[CodeView] = []
    gifts: list[GiftView] = []
    discounts: list[DiscountView] = []
    lots: list[ChosenLot] = []
    kind: CartKind = CartKind.CART
    label: str | None = None
    is_current: bool = True
    gift_note: str | None = None
    held_until: datetime | None = None
    quoted_until: datetime | None = None
    vat_number: str | None = None
    vat_check: NumberStatus | None = None
    tax_notes: list[str] = []
    tax_news: TaxNews | None = None
    tax_is_provisional: bool = False
    note: str | None = None
    promise: Promised | None = None
    pays_deposit: bool = False


class NewCart(CartView, frozen=True, kw_only=True):
    """A cart that was just made or joined. ``token`` opens it without signing in; it is told only this once."""

    token: str | None
