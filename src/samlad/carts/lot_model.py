"""Which lots somebody has in hand at a till."""

from typing import Annotated
from uuid import UUID

import msgspec


class ChosenLot(msgspec.Struct, frozen=True, kw_only=True):
    """Units of a lot that will leave with a ticket; of goods by serial number the one piece that bears it."""

    variant: UUID
    lot: UUID
    code: str
    quantity: int


class ChooseLot(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """So many units of a lot for a line; 0: none of it, null: as many as the line still needs and are here."""

    lot: Annotated[UUID, msgspec.Meta(description="Id of the lot, as `GET /api/stock/lots` lists them")]
    quantity: Annotated[int, msgspec.Meta(ge=0, le=9_999, examples=[1])] | None = None
