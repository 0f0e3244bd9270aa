"""What a till writes into its journal beside sales: goods that came back, orders that were picked up, its drawer."""

from typing import Annotated
from uuid import UUID

import msgspec

from samlad.books import CloseTillInput, TillReason
from samlad.orders.change_model import Position, ReasonCode
from samlad.orders.fulfilment_model import HandOverInput
from samlad.tills.lot_model import Lots
from samlad.tills.model import Entry, Paid, Price, Sale, Text

Currency = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]


class BackLine(msgspec.Struct, frozen=True, kw_only=True):
    """Units of a line of a receipt that came back. Without ``position`` it is a sale of a till, whose lines are in their order;
    ``line`` is its place there, from 1. With neither it is a ``variant`` of a signed receipt whose lines the till did not know.
    ``amount`` is what the till gave back for all of them, with tax. ``lots``: which they are, as far as they were scanned or chosen."""

    position: Position | None = None
    line: Annotated[int, msgspec.Meta(ge=1, le=500)] | None = None
    variant: UUID | None = None
    quantity: Annotated[int, msgspec.Meta(ge=1, le=9_999)]
    amount: Price
    lots: Lots = []


class TakenBack(Entry, frozen=True, kw_only=True):
    """Goods of a receipt came back, and cash went out of the drawer. ``sale`` is the entry that sold them, ``order`` the order;
    ``signed`` the text of a receipt that a till has signed, where this till knew neither."""

    order: UUID | None = None
    sale: UUID | None = None
    signed: Annotated[str, msgspec.Meta(max_length=800)] | None = None
    receipt: Text = ""
    lines: Annotated[list[BackLine], msgspec.Meta(min_length=1, max_length=500)]
    total: Paid
    currency: Currency
    reason: ReasonCode = "other"
    note: Text = ""


class UnknownBack(msgspec.Struct, frozen=True, kw_only=True):
    """Units of a variant that nobody had a receipt for, and of which lot they are, as far as their code said."""

    variant: UUID
    quantity: Annotated[int, msgspec.Meta(ge=1, le=9_999)]
    lots: Lots = []


class TakenUnknown(Entry, frozen=True, kw_only=True):
    """Goods came back that nobody has a receipt for, or none that could be checked (``receipt``, as far as it was read). Nothing was
    given for them: they become store credit of ``customer``, at what the server says that they are worth. ``note`` is why."""

    customer: UUID
    lines: Annotated[list[UnknownBack], msgspec.Meta(min_length=1, max_length=50)]
    receipt: Text = ""
    note: Annotated[str, msgspec.Meta(min_length=1, max_length=300, pattern=r"^[^\x00]*$")]


class PickedUp(Entry, frozen=True, kw_only=True):
    """A customer has what waited for them: by ``code``, or by what else was checked (``note``)."""

    fulfilment: UUID
    code: Annotated[str, msgspec.Meta(pattern=r"^\d{6}$")] | None = None
    note: Text = ""

    def proof(self) -> HandOverInput:
        """As the verb wants it."""
        return HandOverInput(code=self.code, note=self.note)


class DrawerOpened(Entry, frozen=True, kw_only=True):
    """A drawer was opened with so much in it; ``shift`` is the shift's id to be."""

    shift: UUID
    drawer: Annotated[str, msgspec.Meta(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f]+(?!\n)$")]
    amount: Price


class DrawerMoved(Entry, frozen=True, kw_only=True):
    """Cash went into a drawer (above zero) or out of it."""

    shift: UUID
    amount: Annotated[int, msgspec.Meta(ge=-(2**52), le=2**52)]
    reason: TillReason
    note: Annotated[str, msgspec.Meta(max_length=120, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""


class DrawerClosed(Entry, frozen=True, kw_only=True):
    """A drawer was counted."""

    shift: UUID
    count: CloseTillInput


KINDS: dict[str, type[Entry]] = {
    "sale": Sale,
    "return": TakenBack,
    "return-unknown": TakenUnknown,
    "pick-up": PickedUp,
    "drawer-open": DrawerOpened,
    "drawer-move": DrawerMoved,
    "drawer-close": DrawerClosed,
}
"""By the entry's ``kind``; without one it is a sale."""
