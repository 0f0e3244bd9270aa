"""The verbs of whoever picks and packs: take, pick, pack, make ready, label, ship, hand over.

What goes wrong on the way (not found, nobody came) is in `fulfilment_short`.
"""

import hmac
import secrets
from datetime import timedelta
from uuid import UUID

from msgspec import UNSET

from samlad import channels
from samlad.access import audit, rate
from samlad.kernel import cards, log
from samlad.kernel.clock import now
from samlad.kernel.context import Context
from samlad.kernel.database import Database, Tx
from samlad.kernel.problems import Conflict, InvalidInput, NotFound
from samlad.orders import fulfilment_carriers as carriers
from samlad.orders import fulfilment_events as facts
from samlad.orders import fulfilment_leave as leave
from samlad.orders import fulfilment_lots as lots
from samlad.orders import fulfilment_store as rows
from samlad.orders.fulfilment_access import again, enter, line_and_lot, line_of, look, not_now
from samlad.orders.fulfilment_model import (
    COLLECTED,
    UNENDED,
    Fulfilment,
    FulfilmentChange,
    FulfilmentHead,
    FulfilmentState,
    HandOverInput,
    LabelInput,
    Method,
    PackInput,
    PickInput,
    ShipInput,
    TakeInput,
)
from samlad.orders.model import WrongState
from samlad.orders.permissions import CHANGE

S = FulfilmentState
CODE_TRIES, CODE_SECONDS = 30, 600
"""Codes that one clerk may try at one place in so many seconds: far too few to find one by guessing."""
_CODES_DRAWN = 8


async def take(tx: Tx, fulfilment_id: UUID, data: TakeInput) -> Fulfilment:
    """Begin to pick. Of two who try at once one gets it, the other is told who; asked again by the same it stays theirs.

    Raises:
        WrongState: somebody else has it (``taken_by``), or there is nothing to pick any more.
    """
    seen = await look(tx, fulfilment_id)
    if not await rows.begin(tx, fulfilment_id, tx.actor.label, _name(tx), take_over=data.take_over):
        raise not_now(await look(tx, fulfilment_id))
    if seen.taken_by != tx.actor.label or seen.state is not S.PICKING:
        fact = facts.FulfilmentTaken(number=seen.number, fulfilment=seen.id, location=_at(seen), by=_name(tx))
        log.append(tx, fact, subject=seen.order_id, channel=seen.channel)
    return await again(tx, fulfilment_id)


async def give_back(tx: Tx, fulfilment_id: UUID) -> Fulfilment:
    """Let a colleague do it: what was picked stays counted. Raises WrongState when nobody is picking it."""
    found, _head, _lines = await enter(tx, fulfilment_id, (S.PICKING,))
    values = {"state": S.OPEN, "taken_by": None, "taken_name": None, "batch": None, "slot": None}
    await rows.update(tx, found.id, values)
    return await again(tx, fulfilment_id)


async def pick(tx: Tx, fulfilment_id: UUID, data: PickInput) -> Fulfilment:
    """Something is in the hand: one more by its code, or so many of a line in all. With the last it is ``picked``.

    A GS1 code also says of which lot it is: that lot is the customer's then. Without, the lots leave whose turn it is.

    Raises:
        InvalidInput: it is not in this order. Conflict: there are enough of it already, or no more of this lot.
        WrongState: nobody is picking this, or somebody else.
    """
    seen = await look(tx, fulfilment_id)
    if not await rows.touch(tx, fulfilment_id, (S.PICKING, S.PICKED)):
        raise not_now(await look(tx, fulfilment_id))
    found = await again(tx, fulfilment_id)
    if found.taken_by != tx.actor.label:
        raise not_now(found)
    lot = None
    if data.code is not None:
        line, lot = await line_and_lot(tx, found, data.code)
        position, quantity = line.position, None
    elif data.position is not None and data.quantity is not None:
        position, quantity = data.position, data.quantity
        if position not in {line.position for line in found.lines}:
            raise InvalidInput.at("position", "there is no such line")
    else:
        raise InvalidInput.at("code", "a code, or a position with a quantity")
    if not await rows.set_picked(tx, fulfilment_id, position, quantity):
        raise Conflict.at("code" if quantity is None else "quantity", "there are enough of it already")
    if lot is not None and not await lots.claim(tx, fulfilment_id, position, line.variant, lot, _at(found)):
        raise Conflict.at("code", "this place has no more of this lot that may be sold")
    if quantity is not None:
        await lots.forget_beyond(tx, fulfilment_id, position, quantity)
    if found.state is S.PICKED and quantity is not None:
        await rows.update(tx, fulfilment_id, {"state": S.PICKING})
    if await rows.note_picked(tx, fulfilment_id) and found.state is S.PICKING:
        fact = facts.FulfilmentPicked(number=seen.number, fulfilment=seen.id, location=_at(seen))
        log.append(tx, fact, subject=seen.order_id, channel=seen.channel)
    return await again(tx, fulfilment_id)


async def pack(tx: Tx, fulfilment_id: UUID, data: PackInput) -> Fulfilment:
    """Into the parcel: each piece scanned, so that what is wrong is found here; or all of it without scanning.

    Raises:
        InvalidInput: it does not belong into this parcel. Conflict: there are enough of it already.
        WrongState: it is not picked yet.
    """
    seen = await look(tx, fulfilment_id)
    if not await rows.touch(tx, fulfilment_id, (S.PICKED,)):
        raise not_now(await look(tx, fulfilment_id))
    if data.code is not None:
        line = await line_of(tx, await again(tx, fulfilment_id), data.code, packing=True)
        if not await rows.set_packed(tx, fulfilment_id, line.position):
            raise Conflict.at("code", "there are enough of it already")
        found = await again(tx, fulfilment_id)
        if any(each.packed < each.quantity for each in found.lines):
            return found
    await rows.update(tx, fulfilment_id, {"state": S.PACKED})
    fact = facts.FulfilmentPacked(
        number=seen.number, fulfilment=seen.id, location=_at(seen), is_verified=data.code is not None
    )
    log.append(tx, fact, subject=seen.order_id, channel=seen.channel)
    return await again(tx, fulfilment_id)


async def make_ready(tx: Tx, fulfilment_id: UUID) -> Fulfilment:
    """It lies in the store for the customer, who sees a code of six digits on the order's page from now on.

    Raises:
        WrongState: it is not picked, or nobody comes for it.
    """
    found, head, _lines = await enter(tx, fulfilment_id, (S.PICKED, S.PACKED))
    if found.method not in COLLECTED:
        raise WrongState("Nobody comes for this; it is sent.", state=found.state)
    channel = await channels.cached(tx, head.channel)
    until = now() + timedelta(days=channel.setting("pickup_days"))
    codes = [f"{secrets.randbelow(10**6):06d}" for _ in range(_CODES_DRAWN)]
    if await rows.give_code(tx, found.id, _at(found), codes, until) is None:
        raise Conflict("There are too many parcels in this store. Try again.")
    fact = facts.FulfilmentReady(
        number=head.number, fulfilment=found.id, location=_at(found), pick_up_by=until
    )
    log.append(tx, fact, subject=head.id, channel=head.channel, profile=head.customer)
    return await again(tx, fulfilment_id)


async def label(tx: Tx, fulfilment_id: UUID, data: LabelInput) -> Fulfilment:
    """Tell a carrier of the parcel, which gives it a number. A parcel that has one keeps it.

    Raises:
        InvalidInput: no such carrier, or the order has no address. WrongState: it is not picked, or not sent.
    """
    found, head, _lines = await enter(tx, fulfilment_id, (S.PICKED, S.PACKED))
    if found.method not in (Method.SHIP, Method.SAME_DAY):
        raise WrongState("This is not sent; it needs no label.", state=found.state)
    if found.tracking is not None and found.carrier == data.carrier:
        return found
    parcel = await carriers.parcel_of(tx, found, head)
    number = carriers.carrier(data.carrier).book(parcel)
    await rows.update(tx, found.id, {"carrier": data.carrier, "tracking": number})
    fact = facts.FulfilmentLabelled(
        number=head.number, fulfilment=found.id, carrier=data.carrier, tracking=number
    )
    log.append(tx, fact, subject=head.id, channel=head.channel, profile=head.customer)
    return await again(tx, fulfilment_id)


async def ship(tx: Tx, fulfilment_id: UUID, data: ShipInput, *, version: int | None = None) -> Fulfilment:
    """The parcel leaves the place: its goods are out of stock now.

    Raises:
        WrongState: it is not picked, or it is not sent. NotHeld: the place has lost what it should give.
    """
    found, head, _lines = await enter(tx, fulfilment_id, (S.PICKED, S.PACKED), version=version)
    if found.method not in (Method.SHIP, Method.SAME_DAY):
        raise WrongState("This is handed over, not sent.", state=found.state)
    if data.tracking is not None:
        other = await rows.by_tracking(tx, data.carrier or found.carrier or "other", data.tracking)
        if other is not None and other.id != found.id:
            raise Conflict.at("tracking", f"order {other.number} has this number")
    carrier = data.carrier or found.carrier or ("other" if data.tracking else None)
    await leave.depart(tx, head, [leave.all_of(found)], carrier=carrier, tracking=data.tracking)
    return await again(tx, fulfilment_id)


async def hand_over(
    tx: Tx, fulfilment_id: UUID, data: HandOverInput, *, version: int | None = None
) -> Fulfilment:
    """The customer has it: by the code, which ends with that, or by what else was checked (kept in the audit log).

    Count tries with `count_try` before, in a transaction of its own.

    Raises:
        InvalidInput: the code is another one, or nothing was checked.
        WrongState: it is not picked yet, or it is sent.
    """
    cards.refuse(data.note, "note")
    found, head, _lines = await enter(tx, fulfilment_id, (S.READY, S.PICKED, S.PACKED), version=version)
    if found.method in (Method.SHIP, Method.SAME_DAY):
        raise WrongState("This is sent, not handed over.", state=found.state)
    if data.code is not None:
        code = (await rows.codes_of(tx, head.id)).get(found.id)
        if code is None or not hmac.compare_digest(code, data.code):
            raise InvalidInput.at("code", "this is another code")
    elif not data.note.strip():
        raise InvalidInput.at("note", "without a code, say how it is known that it is theirs")
    else:
        audit.record(tx, "fulfilment.handed-over", "fulfilment", found.id, after={"without_code": data.note})
    proof = "code" if data.code is not None else data.note
    await leave.depart(tx, head, [leave.all_of(found)], proof=proof)
    return await again(tx, fulfilment_id)


async def deliver_digital(tx: Tx, fulfilment_id: UUID) -> Fulfilment:
    """What is no thing is delivered without picking. Raises WrongState for things."""
    found, head, _lines = await enter(tx, fulfilment_id, (S.OPEN, S.PICKING, S.PICKED, S.PACKED))
    if found.method is not Method.DIGITAL:
        raise WrongState("This is a thing; it is picked first.", state=found.state)
    await leave.depart(tx, head, [leave.all_of(found)], proof="digital")
    return await again(tx, fulfilment_id)


async def change(
    tx: Tx, fulfilment_id: UUID, data: FulfilmentChange, *, version: int | None = None
) -> Fulfilment:
    """Another way to the customer (to the kerb, today), or another time until when it is to be picked.

    Raises:
        WrongState: it has left, or its code is with the customer.
    """
    states = tuple(state for state in UNENDED if state is not S.READY)
    found, head, _lines = await enter(tx, fulfilment_id, states, version=version)
    before = {"method": found.method, "due_at": found.due_at}
    after = {
        "method": found.method if data.method is UNSET else data.method,
        "due_at": found.due_at if data.due_at is UNSET else data.due_at,
    }
    if after["method"] in (Method.SHIP, Method.SAME_DAY) and head.address is None:
        raise InvalidInput.at("method", "the order has no address to send it to")
    if after != before:
        await rows.update(tx, found.id, after)
        audit.record(tx, "fulfilment.changed", "fulfilment", found.id, before=before, after=after)
    return await again(tx, fulfilment_id)


async def by_code(tx: Tx, location: UUID, code: str) -> Fulfilment:
    """What a customer's code means at a place. Count tries with `count_try` before.

    Raises:
        NotFound: nothing that waits here has this code.
    """
    tx.actor.require(CHANGE, location=location)
    found = await rows.by_code(tx, location, code)
    if found is None:
        raise NotFound("Nothing that waits here has this code.")
    return await again(tx, found)


async def count_try(database: Database, context: Context, location: UUID) -> None:
    """Count one try of a code, also if what comes after fails.

    Raises:
        TooMany: with ``retry_after`` in seconds.
    """
    context.actor.require(CHANGE, location=location)
    key = f"{context.actor.label} {location}"
    await database.transaction(
        lambda tx: rate.limit(tx, "pick-up code", key, per=CODE_SECONDS, max=CODE_TRIES), context
    )


def _name(tx: Tx) -> str:
    return tx.actor.name or tx.actor.label


def _at(fulfilment: FulfilmentHead) -> UUID:
    assert fulfilment.location is not None
    return fulfilment.location
