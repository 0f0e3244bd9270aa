"""What discounts by hand are."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec

from samlad.kernel.problems import Problem


class DiscountKind(StrEnum):
    """``percent`` of what is left (``value`` in basis points), an ``amount`` off, or a ``price`` for each piece."""

    PERCENT = "percent"
    AMOUNT = "amount"
    PRICE = "price"


class DiscountView(msgspec.Struct, frozen=True, kw_only=True):
    """What staff take off by hand: of a line (``variant``) or, without one, of the sale; as whoever has the cart sees it.

    ``value`` is basis points or minor units as prices are quoted; ``most`` what it came to when it was given: it never
    takes off more.
    """

    id: UUID
    variant: UUID | None
    kind: DiscountKind
    value: int
    most: int
    reason: str
    given_at: datetime


class Discount(DiscountView, frozen=True, kw_only=True):
    """The same with who gave it, and who approved it: for the audit log and the event, never for the customer."""

    given_by: UUID | None = None
    approved_by: UUID | None = None

    def shown(self) -> DiscountView:
        """Without who works here."""
        return DiscountView(**{name: getattr(self, name) for name in DiscountView.__struct_fields__})


class DiscountInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Something to take off by hand."""

    line: Annotated[UUID | None, msgspec.Meta(description="Id of a line; null: off the sale")] = None
    kind: Annotated[
        DiscountKind, msgspec.Meta(description="`percent`, `amount`, or `price` for each piece of a line")
    ]
    value: Annotated[
        int,
        msgspec.Meta(
            ge=0,
            le=2**42,
            description="Basis points (1000 is 10 %), or minor units as prices are quoted",
            examples=[1_000],
        ),
    ]
    reason: Annotated[
        str,
        msgspec.Meta(
            min_length=1,
            max_length=120,
            pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$",
            description="Why; it stands on the receipt and on the order. Nothing about a person",
            examples=["Scratched"],
        ),
    ]


class NeedsApproval(Problem):
    """A discount is more than this actor may give alone: ``allowed`` is what they may, ``amount`` what all come to.

    Send it again with ``approval``: the e-mail address and PIN of somebody who may give any.
    """

    code, status, title = "needs-approval", 403, "A manager has to approve this"
