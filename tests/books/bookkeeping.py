"""Short ways to look at the money book."""

from uuid import UUID

from samlad import books
from samlad.books import Book, checks
from samlad.kernel.database import Database
from trade import Trade


async def book_of(db: Database) -> Book:
    """The only book."""
    (found,) = await books.books(db)
    return found


async def held(db: Database) -> dict[str, int]:
    """What the book holds by purpose, without what is zero."""
    rows = await db.rows(
        "SELECT purpose, sum(amount)::bigint AS amount FROM voucher_line GROUP BY 1 HAVING sum(amount) <> 0"
    )
    return {row["purpose"]: row["amount"] for row in rows}


async def accounts(db: Database) -> dict[str, int]:
    """What the book holds by account, without what is zero."""
    rows = await db.rows(
        "SELECT account, sum(amount)::bigint AS amount FROM voucher_line GROUP BY 1 HAVING sum(amount) <> 0"
    )
    return {row["account"]: row["amount"] for row in rows}


async def vouchers(db: Database, kind: str | None = None) -> list[str]:
    """Series and number of all vouchers, or of one kind, in their order."""
    rows = await db.rows(
        """SELECT series || number AS name FROM voucher WHERE $1::text IS NULL OR kind = $1
           ORDER BY series, year, number""",
        kind,
    )
    return [row["name"] for row in rows]


async def ids(db: Database, kind: str) -> list[UUID]:
    """The vouchers of a kind, in their order."""
    rows = await db.rows("SELECT id FROM voucher WHERE kind = $1 ORDER BY series, year, number", kind)
    return [row["id"] for row in rows]


async def is_sound(db: Database) -> None:
    """Every check of the book holds."""
    for check in checks.CHECKS:
        finding = await check.look(db)
        assert finding.status == "ok", f"{check.name}: {finding.message}"


async def settled(trade: Trade) -> dict[str, int]:
    """What the book holds by purpose once the followers have caught up; every check holds."""
    await trade.follow()
    await is_sound(trade.db)
    return await held(trade.db)
