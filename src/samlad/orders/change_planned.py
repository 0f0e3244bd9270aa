"""What planning a change is given, and what it gives."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

import msgspec

from samlad.carts.taxing import Basis
from samlad.catalog import Sellable
from samlad.channels import Channel
from samlad.orders.change_model import Disposition, Past, Preview, ReturnReason, Terms
from samlad.orders.model import Concession
from samlad.payments import Payment
from samlad.payments.rules import EXACT, Coin


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What new goods are taken from: who sells them, at which prices, and by what they are taxed where they go."""

    channel: Channel
    sellables: Mapping[UUID, Sellable]
    by: Basis


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known when a change is planned. ``sold_in`` is the channel that sells new goods; ``free`` is what it may
    still promise; ``adding`` is for the order itself, ``giving`` instead of what comes back; ``codes`` are the variants that scanned codes mean; ``cart_total`` what the ticket's cart costs. ``reserved`` are units
    whose exchange went out already; ``owed`` is what the sale costs that this pays for, placed before; ``coin`` is what can go back in
    cash; ``prices`` the lowest of the last days of what comes back; ``has_given_others``: goods of it were exchanged before."""

    channel: Channel
    sold_in: Channel
    today: date
    payments: Sequence[Payment]
    reasons: Mapping[str, ReturnReason]
    terms: Mapping[int, Terms]
    products: Mapping[UUID, UUID]
    adding: Offer
    giving: Offer
    free: Mapping[UUID, int]
    codes: Mapping[str, UUID | None]
    past: Past
    reserved: Mapping[int, int]
    owed: int = 0
    cart_total: int = 0
    coin: Coin = EXACT
    prices: Mapping[UUID, int] = {}
    has_given_others: bool = False


class BackUnit(msgspec.Struct, frozen=True, kw_only=True):
    """Units that come back, and what becomes of them. ``lots``: which one it may be, as somebody said or scanned."""

    position: int
    variant: UUID | None
    sku: str | None
    quantity: int
    disposition: Disposition
    location: UUID | None
    why: str
    lots: tuple[str, ...] = ()


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """A preview, and what only those need who do it."""

    preview: Preview
    back_units: list[BackUnit]
    off: dict[int, int]
    concessions: dict[int, list[Concession]]
    follows: dict[int, tuple[int, str]]
    cancels_all: bool
