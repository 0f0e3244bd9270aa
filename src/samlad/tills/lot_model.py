"""What a till says of lots and serial numbers: as its scanner read them, whatever the product asks for."""

from datetime import date
from typing import Annotated

import msgspec

_Code = Annotated[str, msgspec.Meta(max_length=300, pattern=r"^[^\x00]*$")]


class ScannedLot(msgspec.Struct, frozen=True, kw_only=True):
    """So many units, and what was in their code: lot (GS1 AI 10), serial number (AI 21), last good day (AI 17, else 15).

    The till does not know how the product is kept: both numbers are here where the code has both.
    """

    lot: _Code | None = None
    serial: _Code | None = None
    expires_on: date | None = None
    units: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1


Lots = Annotated[list[ScannedLot], msgspec.Meta(max_length=1_000)]
