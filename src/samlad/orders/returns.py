"""What becomes of an announced return: its goods come, somebody looks at them, money goes back; or it never comes."""

from collections.abc import Sequence
from uuid import UUID

from samlad.kernel import cards, log
from samlad.kernel.clock import now
from samlad.kernel.database import Database, Tx
from samlad.kernel.http import check_version
from samlad.kernel.problems import FieldError, InvalidInput, NotFound
from samlad.orders import change_facts, change_make, events, return_claim, return_store, rules, store
from samlad.orders.change_apply import apply
from samlad.orders.change_model import Changed, ChangeInput, ReturnAction
from samlad.orders.model import OrderHead, WrongState
from samlad.orders.permissions import CHANGE
from samlad.orders.return_model import (
    OPEN,
    EndInput,
    InspectInput,
    ReceivedLine,
    ReceiveInput,
    Request,
    ReturnState,
    SettleInput,
)

OVERDUE_BATCH = 100


async def receive(tx: Tx, request: UUID, data: ReceiveInput, *, version: int | None = None) -> Request:
    """Goods are here, at any place of the shop: all that were announced, or what is said of each line.

    Raises:
        WrongState: it was settled or cancelled. InvalidInput: a line that was not announced, or more of it.
    """
    head, found = await _enter(tx, request, version)
    tx.actor.require(CHANGE, location=data.location)
    await change_facts.require(tx, tx.actor, head, ChangeInput(location=data.location))
    lines = data.lines
    if lines is None:
        lines = [ReceivedLine(position=line.position, quantity=line.quantity) for line in found.lines]
    _check(found, lines)
    await return_store.set_lines(tx, request, [(n.position, n.quantity, n.condition) for n in lines])
    values = {"state": ReturnState.RECEIVED, "location": data.location, "received_at": now()}
    await return_store.update(tx, request, values)
    fact = events.ReturnReceived(
        number=found.number, request=request, location=data.location, lines=[_told(line) for line in lines]
    )
    log.append(tx, fact, subject=head.id, channel=head.channel, profile=head.customer)
    return await again(tx, request)


async def inspect(tx: Tx, request: UUID, data: InspectInput, *, version: int | None = None) -> Request:
    """Say how goods are that came, and how many are accepted.

    Raises:
        WrongState: nothing is here yet, or it is done. InvalidInput: a line that was not announced, or more of it.
    """
    head, found = await _enter(tx, request, version)
    if found.state is ReturnState.REQUESTED or found.location is None:
        raise WrongState("Nothing of it is here yet.", state=found.state)
    tx.actor.require(CHANGE, location=found.location)
    _check(found, data.lines)
    await return_store.set_lines(tx, request, [(n.position, n.quantity, n.condition) for n in data.lines])
    await return_store.update(tx, request, {"state": ReturnState.INSPECTED})
    fact = events.ReturnInspected(
        number=found.number, request=request, lines=[_told(line) for line in data.lines]
    )
    log.append(tx, fact, subject=head.id, channel=head.channel, profile=head.customer)
    return await again(tx, request)


async def settle(tx: Tx, request: UUID, data: SettleInput, *, version: int | None = None) -> Changed:
    """Book in what came and give its money back, or pay with it for what went out instead. Done once.

    Raises:
        WrongState: nothing is here, or it is done. InvalidInput, NeedsOverride: as any change of the order.
        LotNeeded: the order got several lots of something, and ``lots`` does not say which came.
    """
    head, found = await _enter(tx, request, version)
    came = [line for line in found.lines if line.received]
    if found.state is ReturnState.REQUESTED or not came:
        raise WrongState("Nothing of it is here yet.", state=found.state)
    change = ChangeInput(
        actions=[
            ReturnAction(
                position=line.position, quantity=units, reason=line.reason, condition=line.condition, lot=lot
            )
            for line in came
            for lot, units in rules.by_lot(
                line.received,
                [(each.lot, each.quantity) for each in data.lots if each.position == line.position],
            )
        ],
        location=found.location,
        refund_to=data.refund_to,
        sent_in=data.sent_in,
        waive_fees=data.waive_fees,
        note=data.note,
        photos=found.photos,
        override=data.override,
    )
    done = await apply(tx, head.id, change, toward=found.exchange)
    await return_store.update(tx, request, {"state": ReturnState.SETTLED, "settled_by": done.id})
    fact = events.ReturnSettled(
        number=found.number,
        request=request,
        change=done.id,
        worth=done.preview.worth,
        refunded=done.preview.refunded,
        credited=done.preview.credited,
        transferred=done.preview.transferred,
        currency=head.currency,
    )
    log.append(tx, fact, subject=head.id, channel=head.channel, profile=head.customer)
    return done


async def end(tx: Tx, request: UUID, data: EndInput, *, version: int | None = None) -> Request:
    """It will not come. What went out instead is charged, unless it was before.

    Raises:
        WrongState: it is done already.
    """
    cards.refuse(data.reason, "reason")
    head, found = await _enter(tx, request, version)
    tx.actor.require(CHANGE)
    if found.exchange is not None and found.claimed_at is None:
        await return_claim.charge(tx, head, found)
    await return_store.update(tx, request, {"state": ReturnState.CANCELLED})
    fact = events.ReturnCancelled(number=found.number, request=request, reason=data.reason)
    log.append(tx, fact, subject=head.id, channel=head.channel, profile=head.customer)
    return await again(tx, request)


async def tell_overdue(database: Database) -> int:
    """Tell once of each announced return that should have come; how many."""
    return await database.transaction(_tell_overdue)


async def _tell_overdue(tx: Tx) -> int:
    late = await return_store.overdue(tx, OVERDUE_BATCH)
    for found in late:
        head = await store.head(tx, found.order_id)
        sale = await store.head(tx, found.exchange) if found.exchange else None
        assert head is not None
        fact = events.ReturnOverdue(
            number=found.number,
            request=found.id,
            due_on=found.due_on,
            exchange=found.exchange,
            due=change_make.owed_by(sale) if sale else 0,
        )
        log.append(tx, fact, subject=head.id, channel=head.channel, profile=head.customer)
    return len(late)


async def again(tx: Tx, request: UUID) -> Request:
    """An announced return as it is now."""
    found = await return_store.read(tx, request)
    assert found is not None
    return found


async def _enter(tx: Tx, request: UUID, version: int | None) -> tuple[OrderHead, Request]:
    """An announced return that is not over, and its order; both held, the order first.

    Raises:
        NotFound, Outdated. WrongState: it is over.
    """
    tx.actor.require(CHANGE)
    order = await return_store.order_of(tx, request)
    if order is None:
        raise NotFound("There is no such return.")
    locked = await store.lock(tx, order)
    found = await return_store.read(tx, request, lock=True)
    assert locked is not None
    assert found is not None
    check_version(version, found.version)
    if found.state not in OPEN:
        raise WrongState(f"It is {found.state}.", state=found.state)
    return locked[0], found


def _check(found: Request, lines: Sequence[ReceivedLine]) -> None:
    most = {line.position: line.quantity for line in found.lines}
    errors = []
    for index, line in enumerate(lines):
        if line.position not in most:
            errors.append(FieldError(f"lines/{index}/position", "this was not announced"))
        elif line.quantity > most[line.position]:
            errors.append(FieldError(f"lines/{index}/quantity", f"at most {most[line.position]}"))
    if errors:
        raise InvalidInput("Some lines are not right.", errors=tuple(errors))


def _told(line: ReceivedLine) -> dict[str, object]:
    return {"position": line.position, "quantity": line.quantity, "condition": line.condition}
