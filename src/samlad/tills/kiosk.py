"""What a kiosk may sell: a till's device at which customers serve themselves, so nobody of staff has said yes to what it sends.

It runs the same code as a till, and its journal comes in the same way: what was sold is never refused, and never lost. But
what a kiosk cannot do by its own buttons is not done here either, whatever its entries say: it waits for a manager.
"""

from collections.abc import Sequence
from uuid import UUID

from samlad import catalog, orders
from samlad.access import identity, staff
from samlad.catalog import categories
from samlad.channels import Channel, Resource
from samlad.kernel.database import Reader, Tx
from samlad.kernel.problems import NotFound
from samlad.tills import rules
from samlad.tills.desk import Desk
from samlad.tills.model import Entry, Objection, Sale, SoldTender

TENDERS = ("card", "gift")
"""What a kiosk can take: nobody is there to count cash, or to say that something else was handed over. A card counts by what the
terminal said to the server, never by what is said at the kiosk."""


def against(entry: Entry) -> Objection | None:
    """Why an entry of a kiosk waits for a manager, or None: a sale that a kiosk may make."""
    said = None
    if not isinstance(entry, Sale):
        said = type(entry).__name__
    elif entry.training:
        said = "training"
    elif entry.cards:
        said = "cards"
    elif entry.clerk is not None or entry.shift is not None:
        said = "clerk"
    elif entry.cart is not None:
        said = "cart"
    elif rules.by_hand(entry) or entry.allowed_by:
        said = "discount"
    else:
        said = next((each.kind for each in entry.tenders if not _may_take(each)), None)
    return None if said is None else Objection(code="kiosk", there=said, blocks=True)


def _may_take(tender: SoldTender) -> bool:
    return tender.kind in TENDERS and (tender.kind != "card" or tender.payment is not None)


async def staff_categories(reader: Reader, channel: Channel) -> list[UUID]:
    """The categories of which a kiosk sells nothing before staff have looked; paths that nobody knows any more are none."""
    found = []
    for path in channel.setting("kiosk_staff_categories"):
        try:
            found.append((await categories.by_path(reader, channel.pools[Resource.CATALOGUE], path)).id)
        except NotFound:
            continue
    return found


def staff_marks(found: Sequence[UUID]) -> set[str]:
    """The marks of goods (`rules_pack.PackedGood`) that are in one of these categories."""
    return {f"category:{each}" for each in found}


async def unchecked(tx: Tx, desk: Desk, sale: Sale) -> list[Objection]:
    """An objection for each line that staff should have looked at first, where nobody who works here did."""
    asked = set(await staff_categories(tx, desk.channel))
    if not asked or await _works_here(tx, desk, sale.checked_by):
        return []
    variants = await catalog.by_ids(tx, [line.variant for line in sale.lines])
    belongs = await catalog.belonging(tx, [each.product for each in variants.values()])
    return [
        Objection(code="kiosk-unchecked", line=place, there=str(sale.checked_by or ""))
        for place, line in enumerate(sale.lines, 1)
        if line.variant in variants and asked & set(belongs[variants[line.variant].product].categories)
    ]


async def _works_here(tx: Tx, desk: Desk, who: UUID | None) -> bool:
    if who is None:
        return False
    try:
        found = await staff.get(tx, who)
    except NotFound:
        return False
    clerk = await identity.of_staff(tx, who)
    return found.status == "active" and clerk.may(orders.PLACE, desk.location.id)
