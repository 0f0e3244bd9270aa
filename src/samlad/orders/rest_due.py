"""Reminders of the rest of an order with a deposit: before the day by which it is to be paid, and twice after it.

Each is an event; the mail follows from that (`samlad.documents.order_mails`). What a bank transfer or an invoice promises has
reminders of its own (`samlad.payments.manual.remind`).
"""

from datetime import date, timedelta

from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.database import Database, Tx
from samlad.kernel.jobs import JobContext, job, periodic
from samlad.orders import events, store

DAYS = (-3, 1, 8)
"""When they are reminded: so many days after the day by which it is to be paid."""
BATCH = 100


@job("orders.remind_of_rest")
@periodic("20 6 * * *")
async def remind(ctx: JobContext) -> None:
    """Each morning."""
    await remind_of(ctx.database, now().date())


async def remind_of(database: Database, today: date) -> int:
    """Tell of every rest whose reminder is due on a day; how many. What is late is told once, not once for each day."""

    async def work(tx: Tx) -> int:
        late = await store.remind_of_rest(tx, today, DAYS, BATCH)
        for each in late:
            assert each.rest_due_on is not None
            fact = events.OrderRestDue(
                number=each.number,
                due=each.total - each.called_off - each.paid,
                currency=each.currency,
                due_on=each.rest_due_on,
                reminder=sum(today >= each.rest_due_on + timedelta(days=days) for days in DAYS),
            )
            log.append(tx, fact, subject=each.id, channel=each.channel, profile=each.customer)
        return len(late)

    total = 0
    while found := await database.transaction(work):
        total += found
    return total
