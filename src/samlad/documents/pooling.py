"""What documents have in pools: legal entities. Documents name theirs for ever, so that these stay."""

from samlad.channels import Resource
from samlad.channels.pooling import Example, Finding, Level, Move, Pooling
from samlad.kernel.database import Reader
from samlad.kernel.i18n import marked


async def look(reader: Reader, move: Move) -> list[Finding]:
    """Who will be named as the seller."""
    rows = await reader.rows(
        """SELECT pool, name, coalesce(vat_number, '') AS vat_number FROM legal_entity
           WHERE is_default AND pool = ANY ($1::uuid[])""",
        [move.old, move.new],
    )
    by_pool = {row["pool"]: row for row in rows}
    old, new = by_pool.get(move.old), by_pool.get(move.new)
    if old is None or (
        new is not None and (old["name"], old["vat_number"]) == (new["name"], new["vat_number"])
    ):
        return []
    return [
        Finding(
            code="documents-seller",
            level=Level.WARNING,
            text=marked(
                "Receipts and invoices will name another seller, unless the channel's settings name one"
            ),
            advice=marked("Name the legal entity in the channel's settings if it is to stay the same."),
            count=1,
            examples=[Example(label=old["name"], here=old["name"], there="" if new is None else new["name"])],
        )
    ]


POOLING = Pooling(
    order=90,
    stays={"legal_entity": "documents that were issued name it; a channel's setting may go on naming it"},
    look={Resource.ORDERS: look},
)
