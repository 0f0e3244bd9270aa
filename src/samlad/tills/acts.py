"""What a till has done beside selling is done here, too: goods are taken back, orders handed over, drawers counted.

It has happened: what does not fit is said beside it. What cannot be done (the order was handed over elsewhere, the drawer is
closed) waits for a manager with everything that the till said.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import singledispatch
from uuid import UUID

from samlad import books, orders, payments
from samlad.books import By, OpenTillInput, TillMovementInput
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.problems import NotFound, Problem
from samlad.orders import LineSelection, Order, OrderLine, ReturnInput, fulfilment, return_unknown
from samlad.orders.return_model import UnknownInput
from samlad.tills import lots, rules, signed_returns, store
from samlad.tills.desk import Desk
from samlad.tills.entries import (
    BackLine,
    DrawerClosed,
    DrawerMoved,
    DrawerOpened,
    PickedUp,
    TakenBack,
    TakenUnknown,
)
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
    order, odd = await _sold(tx, desk, entry)
    before = {refund.id for refund in order.refunds}
    chosen = _chosen(order, entry)
    data = ReturnInput(lines=_in_all(chosen), location=desk.location.id, reason=entry.note or entry.reason)
    coming = [(place, position, entry.lines[place - 1].lots) for place, position, _ in chosen]
    by_lot, others = await lots.coming_back(tx, order, coming)
    odd += others
    back = await orders.take_back(tx, order.id, data, lots=by_lot)
    after = await orders.read(tx, order.id)
    ways = {payment.id: payment.provider for payment in after.payments}
    fresh = [refund for refund in after.refunds if refund.id not in before]
    who = by(tx, entry)
    await books.note_told(tx, [refund.id for refund in fresh], entry.shift, who.actor, who.at)
    in_cash = sum(refund.amount for refund in fresh if ways.get(refund.payment) == "cash")
    # What the goods are worth is what the till writes down; it gave coins for it, as the smallest allows.
    given = payments.round_cash(entry.total, payments.coin_of(desk.channel, entry.currency))
    if in_cash != given:
        odd.append(Objection(code="paid", here=str(in_cash), there=str(given)))
    return back.id, odd


@_do.register
async def _take_unknown(entry: TakenUnknown, tx: Tx, desk: Desk) -> Done:
    data = UnknownInput(
        id=entry.id,
        location=desk.location.id,
        customer=entry.customer,
        lines=await lots.of_unknown(tx, entry.lines),
        override=entry.note,
        note=entry.receipt,
    )
    return (await return_unknown.take_unknown(tx, data)).id, []


async def _sold(tx: Tx, desk: Desk, entry: TakenBack) -> tuple[Order, list[Objection]]:
    """The order that the goods are of, and what is odd about how it is known.

    Raises:
        NotDone: nobody knows it, or its sale has not come yet.
    """
    order_id, odd = entry.order, list[Objection]()
    if order_id is None and entry.sale is not None:
        order_id = await store.order_of(tx, entry.sale)
    elif order_id is None and entry.signed is not None:
        order_id, odd = await _of_signed(tx, entry)
    try:
        if order_id is None:
            raise NotFound
        order = await orders.read(tx, order_id)
    except NotFound:
        raise NotDone(Objection(code="unknown-receipt", there=entry.receipt, blocks=True)) from None
    if order.currency != entry.currency or order.channel != desk.channel.id:
        raise NotDone(Objection(code="unknown-receipt", here=order.number, there=entry.receipt, blocks=True))
    return order, odd


async def _of_signed(tx: Tx, entry: TakenBack) -> tuple[UUID | None, list[Objection]]:
    found = await signed_returns.checked(tx, entry)
    if found is None:
        return None, []
    if found.is_awaited:
        raise NotDone(Objection(code="receipt-waits", there=found.receipt.number, blocks=True))
    odd = []
    if found.standing in ("revoked", "revoked-later"):
        odd.append(Objection(code="receipt-key", there=found.key.kid))
    if found.came is not None and not found.is_same:
        here, there = found.came.total, found.receipt.total
        odd.append(Objection(code="receipt-differs", here=str(here), there=str(there)))
    return found.came.order if found.came else None, odd


def _chosen(order: Order, entry: TakenBack) -> list[tuple[int, int, int]]:
    """Lines by their position in the order: (place in the entry, position, units). The lines of a till's sale are the first of its
    order, in their order; a set is all of its parts."""
    there = {line.position for line in order.lines}
    sold = orders.as_sold(order.lines)
    found: dict[int, int] = {}
    chosen: list[tuple[int, int, int]] = []
    for place, line in enumerate(entry.lines, 1):
        if line.variant is not None and line.position is None and line.line is None:
            for position, units in _of_variant(order, place, line, found):
                found[position] = found.get(position, 0) + units
                chosen.append((place, position, units))
            continue
        if line.position is not None:
            parts = [(line.position, 1)] if line.position in there else []
        else:
            parts = sold[line.line - 1] if line.line is not None and line.line <= len(sold) else []
        if not parts:
            raise NotDone(Objection(code="unknown-receipt", here=order.number, blocks=True))
        for position, each in parts:
            found[position] = found.get(position, 0) + line.quantity * each
            chosen.append((place, position, line.quantity * each))
    return chosen


def _in_all(chosen: Sequence[tuple[int, int, int]]) -> list[LineSelection]:
    found = Counter[int]()
    for _place, position, units in chosen:
        found[position] += units
    return [LineSelection(position=position, quantity=units) for position, units in sorted(found.items())]


def _of_variant(order: Order, place: int, line: BackLine, taken: Mapping[int, int]) -> list[tuple[int, int]]:
    """Units of a variant, on the lines that sold it: what is left of each first, all that is too many on the last."""
    there = {each.position: each for each in order.lines}
    of_it = [
        parts for parts in orders.as_sold(order.lines) if _variant_of(there[parts[0][0]]) == line.variant
    ]
    if not of_it:
        raise NotDone(Objection(code="unknown-goods", line=place, here=order.number, blocks=True))
    rest, found = line.quantity, []
    for parts in of_it:
        left = min(
            (there[at].quantity - there[at].returned - there[at].cancelled - taken.get(at, 0)) // each
            for at, each in parts
        )
        units = rest if parts is of_it[-1] else min(rest, max(0, left))
        found += [(at, units * each) for at, each in parts if units]
        rest -= units
    return found


def _variant_of(line: OrderLine) -> UUID | None:
    return line.set_of.variant if line.set_of else line.variant


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
