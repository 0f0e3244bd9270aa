"""Goods that came back at a till without network with a receipt that another till has signed, and perhaps not sent.

Such a return has the signed text (`samlad.tills.signed`), and names goods by variant: its till did not know the lines. While the sale is not
here the return waits; `samlad.tills.waiting_returns` books it when the sale has come.
"""

from samlad import orders
from samlad.kernel.database import Tx
from samlad.tills import keys, signed
from samlad.tills.desk import Desk
from samlad.tills.entries import TakenBack
from samlad.tills.keys import Checked
from samlad.tills.model import Objection


async def lock(tx: Tx, reference: str) -> None:
    """Whoever looks whether the sale of a receipt is here, or which returns wait for it, does so one after the other."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 29))", f"till-receipt {reference}")


async def checked(tx: Tx, entry: TakenBack) -> Checked | None:
    """The receipt of a return; None if none of our tills has signed it."""
    token = signed.code_in(entry.signed or "")
    return None if token is None else await keys.check(tx, token)


async def awaits(tx: Tx, desk: Desk, entry: TakenBack) -> Objection | None:
    """Why a return waits: its receipt is ours, and the sale has not come. Whoever brings the sale then sees the return."""
    if entry.signed is None or entry.order is not None or entry.sale is not None:
        return None
    if not tx.actor.may(orders.CHANGE, desk.location.id):
        return None  # it is refused as any return of theirs, and a manager looks at it
    token = signed.code_in(entry.signed)
    said = None if token is None else signed.said(token)
    if said is None:
        return None
    await lock(tx, said.number)
    found = await checked(tx, entry)
    if found is None or not found.is_awaited:
        return None
    return Objection(code="receipt-waits", there=said.number, blocks=True)
