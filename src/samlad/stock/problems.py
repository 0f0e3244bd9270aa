"""What can go wrong with stock."""

from typing import ClassVar
from uuid import UUID

import msgspec

from samlad.kernel.problems import Problem


class ShortLine(msgspec.Struct, frozen=True):
    """A line that could not be held: what was wanted and what there is."""

    variant: UUID
    wanted: int
    available: int


class SoldOut(Problem):
    """There are not enough units. ``lines`` says for each variant what was ``wanted`` and what is ``available``.

    Nothing was held: take less, or leave the line out. ``of_stock`` says the same of what stock lacks, which for sets are
    their parts.
    """

    code, status, title = "sold-out", 409, "Not enough in stock"

    def __init__(self, lines: list[ShortLine], of_stock: list[ShortLine] | None = None) -> None:
        self.lines = lines
        self.of_stock = lines if of_stock is None else of_stock
        super().__init__(
            f"{len(lines)} of the wanted variants cannot be had in that quantity.",
            lines=[msgspec.to_builtins(line) for line in lines],
        )


class NotHeld(Problem):
    """Fewer units are held for this owner than were to be released or shipped; a hold may have expired."""

    code: ClassVar[str] = "not-held"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "These units are not held"


class LotNeeded(Problem):
    """Which units they are must be said. ``variant`` says of what, ``lots`` which it can be, if that is known."""

    code, status, title = "lot-needed", 409, "Say which lot"

    def __init__(self, variant: UUID | None = None, lots: list[str] | None = None) -> None:
        known = [code for code in lots or [] if code]
        text = f" It is one of {', '.join(known)}." if known else ""
        super().__init__(
            f"These goods are kept by lot: say which one.{text}",
            variant=None if variant is None else str(variant),
            lots=known,
        )


class NotInStock(Problem):
    """Units were to leave a location that are not there, or that are held for others."""

    code, status, title = "not-in-stock", 409, "These units are not there"
