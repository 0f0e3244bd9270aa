"""What a till has done beside selling is done here, too: goods are taken back, orders handed over, drawers counted.

It has happened: what does not fit is said beside it. What cannot be done (the order was handed over elsewhere, the drawer is
closed) waits for a manager with everything that the till said.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import singledispatch
from uuid import UUID

from samlad import books, orders
from samlad.books import By, OpenTillInput, TillMovementInput
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.problems import NotFound, Problem
from samlad.orders import LineSelection, Order, ReturnInput, fulfilment
from samlad.tills import rules, store
from samlad.tills.desk import Desk
from samlad.tills.entries import DrawerClosed, DrawerMoved, DrawerOpened, PickedUp, TakenBack
from samlad.tills.model import Entry, Objection

Done = tuple[UUID, list[Objection]]
"""What it made or is about, and what is odd about it."""


class NotDone(Exception):
    """It cannot be done as it stands; ``objection`` says why."""

    def __init__(self, objection: Objection) -> None:
        self.objection = objection
        super().__init__(objection.code)


async def do(tx: Tx, desk: Desk, entry: Entry) -> Done:
    """Do what a till has done.

    Raises:
        NotDone: it does not go; the transaction is to be given up.
    """
    try:
        return await _do(entry, tx, desk)
    except Problem as problem:
        why = Objection(code="not-done", there=(problem.detail or problem.title)[:300], blocks=True)
        raise NotDone(why) from problem


def by(tx: Tx, entry: Entry) -> By:
    """Who did it, and when, by our clock: the clerk at the till, not whoever sent it."""
    label = tx.actor.label if entry.clerk is None else f"staff:{entry.clerk}"
    return By(label, entry.clerk_name or tx.actor.name, when(entry))


def when(entry: Entry) -> datetime:
    """The moment by our clock."""
    return rules.when(entry, now())[0]


@singledispatch
async def _do(entry: Entry, tx: Tx, desk: Desk) -> Done:  # noqa: ARG001
    raise TypeError(type(entry).__name__)


@_do.register
async def _take_back(entry: TakenBack, tx: Tx, desk: Desk) -> Done:
    order = await _sold(tx, desk, entry)
    before = {refund.id for refund in order.refunds}
    data = ReturnInput(
        lines=_chosen(order, entry), location=desk.location.id, reason=entry.note or entry.reason
    )
    back = await orders.take_back(tx, order.id, data)
    after = await orders.read(tx, order.id)
    ways = {payment.id: payment.provider for payment in after.payments}
    fresh = [refund for refund in after.refunds if refund.id not in before]
    who = by(tx, entry)
    await books.note_told(tx, [refund.id for refund in fresh], entry.shift, who.actor, who.at)
    in_cash = sum(refund.amount for refund in fresh if ways.get(refund.payment) == "cash")
    objections = []
    if in_cash != entry.total:
        objections.append(Objection(code="paid", here=str(in_cash), there=str(entry.total)))
    return back.id, objections


async def _sold(tx: Tx, desk: Desk, entry: TakenBack) -> Order:
    """The order that the goods are of.

    Raises:
        NotDone: nobody knows it.
    """
    order_id = entry.order
    if order_id is None and entry.sale is not None:
        order_id = await store.order_of(tx, entry.sale)
    try:
        if order_id is None:
            raise NotFound
        order = await orders.read(tx, order_id)
    except NotFound:
        raise NotDone(Objection(code="unknown-receipt", there=entry.receipt, blocks=True)) from None
    if order.currency != entry.currency or order.channel != desk.channel.id:
        raise NotDone(Objection(code="unknown-receipt", here=order.number, there=entry.receipt, blocks=True))
    return order


def _chosen(order: Order, entry: TakenBack) -> list[LineSelection]:
    """Lines by their position in the order. The lines of a till's sale are the first of its order, in their order; a set is
    all of its parts."""
    there = {line.position for line in order.lines}
    sold = orders.as_sold(order.lines)
    found: dict[int, int] = {}
    for line in entry.lines:
        if line.position is not None:
            parts = [(line.position, 1)] if line.position in there else []
        else:
            parts = sold[line.line - 1] if line.line is not None and line.line <= len(sold) else []
        if not parts:
            raise NotDone(Objection(code="unknown-receipt", here=order.number, blocks=True))
        for position, each in parts:
            found[position] = found.get(position, 0) + line.quantity * each
    return [LineSelection(position=position, quantity=units) for position, units in sorted(found.items())]


@_do.register
async def _pick_up(entry: PickedUp, tx: Tx, desk: Desk) -> Done:
    done = await fulfilment.hand_over(tx, entry.fulfilment, entry.proof())
    objections = []
    if done.location != desk.location.id:
        objections.append(Objection(code="elsewhere", here=done.number))
    return done.id, objections


@_do.register
async def _open(entry: DrawerOpened, tx: Tx, desk: Desk) -> Done:
    data = OpenTillInput(
        location=desk.location.id, till=entry.drawer, float_amount=entry.amount, id=entry.shift
    )
    return (await books.open_till(tx, data, who=by(tx, entry))).shift.id, []


@_do.register
async def _move(entry: DrawerMoved, tx: Tx, desk: Desk) -> Done:  # noqa: ARG001
    data = TillMovementInput(amount=entry.amount, reason=entry.reason, note=entry.note, id=entry.id)
    return (await books.move_cash(tx, entry.shift, data, who=by(tx, entry))).shift.id, []


@_do.register
async def _close(entry: DrawerClosed, tx: Tx, desk: Desk) -> Done:  # noqa: ARG001
    return (await books.close_till(tx, entry.shift, entry.count, who=by(tx, entry))).shift.id, []


async def tell_drawer(tx: Tx, entry: Entry, payments: Sequence[UUID]) -> None:
    """In which drawer the money of a sale is, and since when."""
    who = by(tx, entry)
    await books.note_told(tx, payments, entry.shift, who.actor, who.at)
