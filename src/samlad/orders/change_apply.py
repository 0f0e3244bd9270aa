"""The two verbs of the change engine: what a change would come to, and making it so."""

from uuid import UUID

import msgspec

from samlad.kernel import cards
from samlad.kernel.context import Actor
from samlad.kernel.database import Database, Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, InvalidInput, NotFound
from samlad.orders import change_facts, change_make, change_plan, change_sale, changes, return_store, store
from samlad.orders import change_store as rows
from samlad.orders.change_execute import Done, execute, keep
from samlad.orders.change_model import Changed, ChangeInput, Preview
from samlad.orders.model import CancelInput, OrderHead
from samlad.orders.order_page import read
from samlad.orders.permissions import CHANGE
from samlad.orders.return_announce import announce_exchange


async def preview(reader: Database | Tx, actor: Actor, order_id: UUID, data: ChangeInput) -> Preview:
    """What a change would come to now. Nothing is written and nothing is locked.

    Raises:
        NotFound, Forbidden: no such order, or not at this actor's place. WrongState: it is too far for this.
        InvalidInput: at the action that cannot be done as it says.
    """
    found = await store.read(reader, order_id)
    if found is None:
        actor.require(CHANGE)
        raise NotFound("There is no such order.")
    await change_facts.require(reader, actor, found, data)
    change_facts.check_state(found)
    change_facts.check_actions(found, data)
    facts = await change_facts.gather(reader, actor, found, found.lines, data)
    said = change_plan.plan(found, found.lines, facts, data).preview
    apart = await change_sale.slot_notices(reader, found, facts.channel, said.added)
    return msgspec.structs.replace(said, notices=[*said.notices, *apart]) if apart else said


def refuse_cards(data: ChangeInput) -> None:
    """Refuse what looks like the number of a card, wherever somebody may write. Raises InvalidInput."""
    cards.refuse([data.note, data.override, *data.photos], "note")
    cards.refuse([getattr(action, "text", None) for action in data.actions], "actions")


async def apply(
    tx: Tx, order_id: UUID, data: ChangeInput, *, version: int | None = None, toward: UUID | None = None
) -> Changed:
    """Make a change: exactly what `preview` says, as a whole or not at all. The same ``id`` twice is done once.

    ``toward``: a sale that was placed before, which what comes back pays for.

    Raises:
        NotFound, Forbidden, Outdated. WrongState, InvalidInput: it cannot be done (so).
        ChangeDiffers: it would come to something else than the preview that was agreed to.
        NeedsOverride: a window is over or a limit passed, and the actor may not go on, or has given no reason.
        SoldOut, PaymentDeclined: new goods are gone, or were not paid; nothing was changed.
    """
    refuse_cards(data)
    found = await store.lock(tx, order_id)
    if found is None:
        tx.actor.require(CHANGE)
        raise NotFound("There is no such order.")
    head, lines = found
    await change_facts.require(tx, tx.actor, head, data)
    before = await rows.read(tx, data.id) if data.id else None
    if before is not None:
        if before.order_id != order_id:
            raise Conflict("This id was used for a change of another order.")
        awaited = await return_store.of_exchange(tx, before.placed) if before.placed else None
        return await _answer(
            tx, before.id, before.preview, head, before.came_back, before.called_off, before.placed, awaited
        )
    check_version(version, head.version)
    change_facts.check_state(head)
    change_facts.check_actions(head, data)
    if not data.actions and data.cart is None:
        raise InvalidInput.at("actions", "nothing is to be changed")
    facts, planned = await change_make.planned(tx, head, lines, data, toward=toward)
    change_make.check_agreed(data, planned)
    change_make.check_override(tx, head, data.override, planned.preview.needs_override)
    if planned.cancels_all:
        await changes.cancel_locked(tx, head, list(lines), CancelInput(reason=data.note))
        gone = Done(id=data.id or new_id())
        await keep(tx, head, planned.preview, data, gone)
        return await _answer(tx, gone.id, planned.preview, head)
    done = await execute(tx, head, facts, planned, data, toward=toward)
    request = None
    if planned.follows:
        request = await announce_exchange(tx, head, facts.channel, planned.follows, data, done.placed)
    back, off = done.came_back, done.called_off
    return await _answer(
        tx,
        done.id,
        planned.preview,
        head,
        back.id if back else None,
        off.id if off else None,
        done.placed,
        request,
    )


async def _answer(
    tx: Tx,
    change: UUID,
    preview: Preview,
    head: OrderHead,
    back: UUID | None = None,
    off: UUID | None = None,
    placed: UUID | None = None,
    request: UUID | None = None,
) -> Changed:
    return Changed(
        id=change,
        preview=preview,
        order=await read(tx, head.id),
        came_back=back,
        called_off=off,
        placed=placed,
        request=request,
    )
