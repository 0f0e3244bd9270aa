"""Plan a change of an order that the caller holds, look whether it may be, and make it: the part that every verb shares."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from samlad import payments
from samlad.access import audit
from samlad.kernel.database import Tx
from samlad.orders import change_facts, change_plan, change_rules
from samlad.orders.change_execute import Done, execute
from samlad.orders.change_model import ChangeDiffers, ChangeInput, NeedsOverride, Notice
from samlad.orders.change_planned import Facts, Planned
from samlad.orders.model import OrderHead, OrderLine
from samlad.orders.permissions import OVERRIDE


async def planned(
    tx: Tx, head: OrderHead, lines: Sequence[OrderLine], data: ChangeInput, *, toward: UUID | None = None
) -> tuple[Facts, Planned]:
    """What a change of a locked order comes to; its payments are locked from now on. ``toward`` as in `gather`."""
    if not await payments.lock_of_order(tx, head.id) and head.imported is not None:
        for payment in await change_facts.paid_by(tx, head):
            await payments.adopt(tx, payment, channel=head.channel)
    facts = await change_facts.gather(tx, tx.actor, head, lines, data, toward=toward)
    return facts, change_plan.plan(head, lines, facts, data)


async def make(
    tx: Tx,
    head: OrderHead,
    lines: Sequence[OrderLine],
    data: ChangeInput,
    *,
    frees: bool = True,
    is_bound: bool = True,
) -> tuple[Planned, Done]:
    """Plan and make a change. ``is_bound`` False: limits of staff do not hold, because it is no decision of theirs.

    Raises:
        InvalidInput, WrongState, NeedsOverride.
    """
    facts, found = await planned(tx, head, lines, data)
    if is_bound:
        check_override(tx, head, data.override, found.preview.needs_override)
    return found, await execute(tx, head, facts, found, data, frees=frees)


def check_agreed(data: ChangeInput, found: Planned) -> None:
    """Refuse what differs from the preview that somebody agreed to.

    Raises:
        ChangeDiffers: with what differs.
    """
    if data.fingerprint is None:
        return
    changed = change_rules.differences(data.fingerprint, found.preview)
    if changed:
        told = ", ".join(f"{each['what']} was {each['was']} and is {each['is']}" for each in changed)
        raise ChangeDiffers(f"Look at it again: {told}.", changed=changed)


def check_override(tx: Tx, head: OrderHead, reason: str, needed: Sequence[Notice]) -> None:
    """Beyond a window or a limit only somebody who may, with a reason that is kept.

    Raises:
        NeedsOverride: the actor may not, or has given no reason.
    """
    if not needed:
        return
    told = [msgspec.to_builtins(notice) for notice in needed]
    if not tx.actor.may(OVERRIDE):
        raise NeedsOverride(" ".join(notice.text for notice in needed), notices=told)
    if not reason.strip() and tx.actor.kind != "system":
        raise NeedsOverride("Say why in “override”. " + " ".join(n.text for n in needed), notices=told)
    audit.record(tx, "order.change-overridden", "order", head.id, after={"reason": reason, "notices": told})


def owed_by(head: OrderHead) -> int:
    """What of a sale is still to be paid (minor units)."""
    return max(0, head.total - head.called_off - head.paid)
