"""A return came before the sale that it is of: another till had that in its journal still. It is booked when the sale is an order."""

from uuid import UUID

from samlad import channels, stock
from samlad.kernel import jobs
from samlad.kernel.database import Tx
from samlad.kernel.followers import Follower
from samlad.kernel.jobs import JobContext, job
from samlad.kernel.log import Event
from samlad.tills import acts, journal, rules, signed_returns, store
from samlad.tills.desk import Desk
from samlad.tills.entries import TakenBack
from samlad.tills.model import KeptSale, Objection, SaleState

JOB, WAITS, BATCH = "tills.book-return", "receipt-waits", 20


async def follow(tx: Tx, event: Event) -> None:
    """A sale of a till is an order: have the returns booked that wait for it."""
    reference = str(event.payload["reference"])
    await signed_returns.lock(tx, reference)
    for entry in await store.waiting_returns(tx, reference):
        await jobs.defer(tx, JOB, {"entry": entry}, lock=f"till-receipt:{reference}")


@job(JOB)
async def book(ctx: JobContext, entry: UUID) -> None:
    """Book one that waited; if it does not go, it says why, and still waits for a manager. Done twice it is done once."""
    try:
        await ctx.database.transaction(lambda tx: _book(tx, entry))
    except acts.NotDone as refused:
        why = refused.objection
        await ctx.database.transaction(lambda tx: _say(tx, entry, why))


async def _waiting(tx: Tx, entry: UUID) -> KeptSale | None:
    found = await store.lock(tx, entry)
    if found is None or found.state is not SaleState.KEPT:
        return None
    return found if any(each.code == WAITS for each in found.objections) else None


async def _book(tx: Tx, entry: UUID) -> None:
    found = await _waiting(tx, entry)
    back = None if found is None else rules.read(found.body)
    if found is None or not isinstance(back, TakenBack):
        return
    desk = Desk(await channels.get(tx, found.channel_id), await stock.location(tx, found.location))
    before = [each for each in found.objections if each.code != WAITS]
    await journal.do_act(tx, desk, entry, back, before)


async def _say(tx: Tx, entry: UUID, why: Objection) -> None:
    found = await _waiting(tx, entry)
    if found is not None:
        others = [each for each in found.objections if each.code != WAITS]
        await store.note(tx, entry, [*others, why])


FOLLOWERS = [Follower(name="tills", handle=follow, types=("till_sale.recorded",), batch=BATCH)]
