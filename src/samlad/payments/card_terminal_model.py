"""What a card terminal of a location is."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from samlad.kernel.problems import Conflict

TerminalName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=60,
        pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*(?!\n)$",
        examples=["Till 1"],
    ),
]
Reference = Annotated[
    str,
    Meta(
        max_length=120,
        pattern=r"^[^\x00-\x1f\x7f]*(?!\n)$",
        description="What the provider calls it",
        examples=["S1F2-000158215132"],
    ),
]


class CardTerminalInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A card terminal to list. The same ``id`` again is the same one."""

    location: UUID
    name: TerminalName
    reference: Reference = ""
    id: UUID | None = None


class CardTerminalChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is left out stays as it is."""

    name: TerminalName | UnsetType = UNSET
    reference: Reference | UnsetType = UNSET


class CardTerminal(msgspec.Struct, frozen=True, kw_only=True):
    """A card terminal.

    ``busy``: for how much (minor units of ``currency``) it waits for a card, of the payment ``busy_with``; null: it is free.
    ``used_at``: when a payment was begun at it last.
    """

    id: UUID
    location: UUID
    name: str
    reference: str
    is_active: bool
    version: int
    busy: int | None = None
    currency: str | None = None
    busy_with: UUID | None = None
    used_at: datetime | None = None


class TerminalNameTaken(Conflict):
    """Another card terminal of this location has the name."""

    code, title = "card-terminal-name-taken", "There is a card terminal of this name"


class TerminalBusy(Conflict):
    """The card terminal (``terminal``) waits for the card of another payment: wait for that, or take another one. Nothing was begun."""

    code, title = "card-terminal-busy", "This card terminal is busy with another payment"
