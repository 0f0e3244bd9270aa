"""What the books have in pools: one book for each pool of orders. What was booked stays where it was booked."""

from samlad.channels import Resource
from samlad.channels.pooling import Example, Finding, Level, Move, Pooling
from samlad.kernel.database import Reader
from samlad.kernel.i18n import marked


async def look(reader: Reader, move: Move) -> list[Finding]:
    """That what is sold from now on is booked elsewhere."""
    names = {
        row["id"]: row["name"]
        for row in await reader.rows(
            "SELECT id, name FROM book WHERE id = ANY ($1::uuid[])", [move.old, move.new]
        )
    }
    if move.old not in names:
        return []
    return [
        Finding(
            code="books",
            level=Level.WARNING,
            text=marked("The book changes: what is sold from then on is booked in that of the new pool"),
            advice=marked("Move at the end of a business day. What was booked before stays where it is."),
            count=1,
            examples=[Example(label=names[move.old], here=names[move.old], there=names.get(move.new, ""))],
        )
    ]


POOLING = Pooling(
    order=90,
    stays={"book": "its id is the pool's; vouchers are never rewritten"},
    look={Resource.ORDERS: look},
)
