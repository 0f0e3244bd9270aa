"""A point has another worth: the debt of all points in a book is brought to it, some customers a transaction."""

from datetime import UTC, datetime
from uuid import UUID

from samlad.books import posting, store
from samlad.books.posting import Cause
from samlad.kernel import jobs
from samlad.kernel.clock import now
from samlad.kernel.database import Database, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.jobs import JobContext, job

JOB, BATCH = "books.revalue-points", 200


async def defer(tx: Tx, book: UUID) -> None:
    """Have it done after the commit."""
    await jobs.defer(tx, JOB, {"book": book, "at": now().isoformat()})


@job(JOB)
async def revalue(ctx: JobContext, book: UUID, at: str) -> None:
    """Bring every customer's points to the worth that the book has now. Twice books nothing."""
    await revalue_all(ctx.database, book, datetime.fromisoformat(at).astimezone(UTC))


async def revalue_all(database: Database, book: UUID, at: datetime) -> None:
    """The same, as of a moment."""
    last: UUID | None = None
    while chunk := await store.holders(database, book, last, BATCH):
        await database.transaction(lambda tx, each=chunk: _revalue(tx, each, at))  # type: ignore[misc]
        last = chunk[-1]


async def _revalue(tx: Tx, customers: list[UUID], at: datetime) -> None:
    for customer in customers:
        cause = Cause(key=f"worth:{new_id()}", at=at, actor=tx.actor.label)
        await posting.settle_points(tx, customer, cause)
