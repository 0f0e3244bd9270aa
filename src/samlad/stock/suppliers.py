"""Who we buy from."""

from typing import Any
from uuid import UUID

from msgspec import UNSET, structs

from samlad.access import audit
from samlad.kernel import log
from samlad.kernel.database import Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, Outdated
from samlad.stock import purchases_store
from samlad.stock.events import SupplierSet
from samlad.stock.permissions import PURCHASE
from samlad.stock.purchase_model import Supplier, SupplierChange, SupplierInput


async def create(tx: Tx, data: SupplierInput) -> Supplier:
    """Make a supplier. Raises Conflict if the code is taken."""
    tx.actor.require(PURCHASE)
    made = await purchases_store.insert_supplier(
        tx, new_id(), data.code, data.name, data.email, data.lead_days
    )
    if made is None:
        raise Conflict.at("code", f"“{data.code}” is taken")
    _tell(tx, made)
    audit.record(tx, "supplier.created", "supplier", made.id, after=data)
    return made


async def change(tx: Tx, supplier_id: UUID, data: SupplierChange, *, version: int | None = None) -> Supplier:
    """Change what is given. ``version`` is the one that the caller saw.

    Raises:
        NotFound: there is none.
        Outdated: somebody changed it since ``version``.
    """
    tx.actor.require(PURCHASE)
    old = await purchases_store.supplier(tx, supplier_id)
    check_version(version, old.version)
    given: dict[str, Any] = {k: v for k, v in structs.asdict(data).items() if v is not UNSET}
    before = {name: getattr(old, name) for name in given if getattr(old, name) != given[name]}
    if not before:
        return old
    after = {name: given[name] for name in before}
    new = await purchases_store.update_supplier(tx, supplier_id, old.version, after)
    if new is None:
        raise Outdated("Somebody changed this supplier at the same moment.")
    _tell(tx, new)
    audit.record(tx, "supplier.changed", "supplier", supplier_id, before=before, after=after)
    return new


def _tell(tx: Tx, supplier: Supplier) -> None:
    fact = SupplierSet(
        code=supplier.code, name=supplier.name, lead_days=supplier.lead_days, is_active=supplier.is_active
    )
    log.append(tx, fact, subject=supplier.id)
