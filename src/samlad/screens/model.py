"""A screen that faces customers."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta


class PairInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The code that a screen shows, where it stands, and what it is called."""

    code: Annotated[str, Meta(pattern=r"^[0-9]{6}(?!\n)$", examples=["402913"])]
    location: UUID
    name: Annotated[
        str, Meta(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+(?!\n)$", examples=["Till 1"])
    ]


class Screen(msgspec.Struct, frozen=True, kw_only=True):
    """A screen, and what it shows: a ticket, thanks for a sale, or neither."""

    id: UUID
    location: UUID
    channel: UUID
    name: str
    cart: UUID | None
    order_id: UUID | None
    shown_at: datetime
    paired_at: datetime
    revoked_at: datetime | None
