"""Drafts of purchase orders: called off before anything was ordered, which can be taken back."""

from uuid import UUID

from samlad.access import audit
from samlad.kernel import log
from samlad.kernel.database import Tx
from samlad.kernel.problems import Conflict
from samlad.stock import purchases, purchases_store
from samlad.stock.events import PurchaseChanged
from samlad.stock.permissions import PURCHASE
from samlad.stock.purchase_model import Purchase, PurchaseStatus


async def call_off(tx: Tx, purchase: UUID) -> Purchase:
    """Call a draft off. One that is called off already stays so.

    Raises:
        Conflict: it is ordered: who calls that off looks at its page first, because others count on what is to come.
    """
    old = await _held(tx, purchase)
    if old.status is PurchaseStatus.CANCELLED:
        return old
    if old.status is not PurchaseStatus.DRAFT:
        raise Conflict("It is no draft any more: call it off on its own page.")
    return await purchases.cancel(tx, purchase, version=old.version)


async def restore(tx: Tx, purchase: UUID) -> Purchase:
    """Let a draft that was called off be a draft again. One that is a draft already stays so.

    Raises:
        Conflict: it was ordered once.
    """
    old = await _held(tx, purchase)
    if old.status is PurchaseStatus.DRAFT:
        return old
    if old.status is not PurchaseStatus.CANCELLED or old.ordered_at is not None:
        raise Conflict("It was ordered once; write a new one.")
    new = await purchases_store.set_status(tx, purchase, PurchaseStatus.DRAFT)
    audit.record(tx, "purchase.restored", "purchase", purchase, after={"number": new.number})
    fact = PurchaseChanged(
        purchase=new.id,
        number=new.number,
        status=new.status,
        supplier=new.supplier,
        location=new.location,
        receipt=None,
        lines=[],
    )
    log.append(tx, fact, subject=new.id)
    return new


async def _held(tx: Tx, purchase: UUID) -> Purchase:
    found = await purchases_store.lock(tx, purchase)
    tx.actor.require(PURCHASE, location=found.location)
    return found
