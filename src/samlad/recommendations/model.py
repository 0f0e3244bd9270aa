"""What recommendations are made of."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec


class Companion(msgspec.Struct, frozen=True):
    """A product that is bought with another. ``orders`` hold both; ``score`` 0 to 1 is how much that says (cosine)."""

    product: UUID
    orders: int
    score: float


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """A size that somebody had: of which brand and category, how many they kept and sent back, and why."""

    size: str
    brand: str | None
    category: str | None
    kept: int
    returned: int
    reasons: tuple[str, ...] = ()
    at: datetime


class SizeAdvice(msgspec.Struct, frozen=True, kw_only=True):
    """A size and why.

    Attributes:
        basis: ``kept``: they kept it. ``smaller`` or ``larger``: what they had before was too large or too small.
            ``measured``: their measures are in it. ``between``: they lie between two sizes, and this is the larger.
        tried: the size that says so, of ``brand`` (None: of goods of the same kind, of whatever brand).
        measure: by which measure it was decided, where measures decided.
    """

    size: str
    basis: Literal["kept", "smaller", "larger", "measured", "between"]
    tried: str | None = None
    brand: str | None = None
    measure: str | None = None
