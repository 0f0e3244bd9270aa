"""What somebody asks to be told of."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from samlad.catalog.model import NO_CONTROL

Email = Annotated[
    str, Meta(max_length=254, pattern=r"^[^\s@\x00]+@[^\s@\x00]+$", examples=["kim@example.org"])
]


class AlertInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Tell somebody when a variant can be bought in a channel again. A signed-in customer need not give an address."""

    channel: UUID
    variant: UUID
    email: Email | None = None
    language: Annotated[str, Meta(pattern="^[a-z]{2}$", examples=["sv"])]
    consent: Annotated[
        str,
        Meta(
            max_length=500, pattern=NO_CONTROL, description="The words that they agreed to, as they read them"
        ),
    ] = ""


class StockAlert(msgspec.Struct, frozen=True, kw_only=True):
    """Who waits for what. ``told_at``: it was there again; ``ended_at``: that, or they gave it up."""

    id: UUID
    channel: UUID
    variant: UUID
    sku: str
    customer: UUID | None
    email: str | None
    language: str
    asked_at: datetime
    told_at: datetime | None
    ended_at: datetime | None
