"""An exchange that costs more, paid by its customer while they are away from any till: begun, paid, made.

What was agreed to waits as a row whose id is that of the change that it becomes. The new goods are held for it, payments
are begun for its id as they are for a cart, and as soon as what is reserved comes to the difference the change is made in
one transaction, whoever sees it first: the customer's browser, or the log when the browser is gone (`on_payment`).
Whatever cannot be made lets go of goods and money (docs/decisions/exchanges-paid-online.md).
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID

import msgspec
import structlog

from samlad import channels, payments, stock
from samlad.channels import Channel
from samlad.content import photograph_store
from samlad.kernel.clock import now
from samlad.kernel.context import SYSTEM, Context
from samlad.kernel.database import Database, Tx
from samlad.kernel.followers import Follower
from samlad.kernel.log import Event
from samlad.kernel.problems import Conflict, InvalidInput, NotFound, Problem
from samlad.orders import change_apply, change_facts, change_make, exchange_store, store
from samlad.orders.balance import AT_TILL
from samlad.orders.change_model import Changed, ChangeInput, ExchangeAction
from samlad.orders.change_planned import Facts, Planned
from samlad.orders.exchange_store import ExchangeState, ExchangeToPay
from samlad.orders.model import OrderHead, OrderLine
from samlad.payments import (
    Attempt,
    NotClaimable,
    Payment,
    PaymentInput,
    PaymentPending,
    PaymentStatus,
    StartInput,
)
from samlad.stock import HoldKind, HoldLine

HELD_FOR = timedelta(minutes=30)
"""So long the new goods are held while their customer pays."""
PATIENCE = timedelta(hours=1)
"""A payment that was begun in the last of those minutes may still be answered; after that nobody waits any more."""
PATIENCE_SECONDS = 10.0
"""So long a customer waits for a provider; then they are told that it takes longer, and it is asked again."""
BATCH = 100
RESERVED = (PaymentStatus.AUTHORIZED, PaymentStatus.CAPTURED)

logger = structlog.get_logger("samlad.orders")


class ExchangeEnded(Conflict):
    """Nothing came of this exchange: somebody gave it up, or the goods were gone. Nothing was charged; begin a new one."""

    code, title = "exchange-ended", "This exchange was not made"


async def begin(tx: Tx, order_id: UUID, data: ChangeInput) -> ExchangeToPay:
    """Agree to an exchange that costs more, and hold its new goods until it is paid. The same ``id`` twice is begun once.

    Another one of the same order that waits for its money is given up.

    Raises:
        NotFound, Forbidden, WrongState, InvalidInput, ChangeDiffers, NeedsOverride: as `orders.apply_change`.
        InvalidInput: it has no id, is no exchange whose new goods leave first, or costs nothing.
        SoldOut: the new goods are gone.
    """
    head, lines, known = await lock_for(tx, order_id, data)
    if known is not None:
        return known
    change_facts.check_state(head)
    if not data.actions or not all(isinstance(a, ExchangeAction) and a.instant for a in data.actions):
        raise InvalidInput.at("actions", "only exchanges whose new goods leave before the old ones are back")
    facts, planned = await plan(tx, head, lines, data)
    if planned.preview.to_pay <= 0:
        raise InvalidInput.at("actions", "it costs nothing more; it can be made at once")
    return await wait(tx, head, data, planned, channel=facts.sold_in, sold_in=facts.sold_in)


async def lock_for(
    tx: Tx, order_id: UUID, data: ChangeInput
) -> tuple[OrderHead, list[OrderLine], ExchangeToPay | None]:
    """The order of a change whose money comes first, held, and what was begun under its id already.

    Raises:
        NotFound, Forbidden: as `orders.apply_change`. InvalidInput: it has no id, or the number of a card in it.
        Conflict: the id was used for another order.
    """
    change_apply.refuse_cards(data)
    if data.id is None:
        raise InvalidInput.at("id", "is needed: payments are begun for it")
    found = await store.lock(tx, order_id)
    if found is None:
        raise NotFound("There is no such order.")
    head, lines = found
    await change_facts.require(tx, tx.actor, head, data)
    known = await exchange_store.read(tx, data.id, lock=True)
    if known is not None and known.order_id != order_id:
        raise Conflict("This id was used for an exchange of another order.")
    return head, lines, known


async def plan(tx: Tx, head: OrderHead, lines: list[OrderLine], data: ChangeInput) -> tuple[Facts, Planned]:
    """What a change would do, agreed to and allowed. Raises InvalidInput, ChangeDiffers, NeedsOverride."""
    facts, planned = await change_make.planned(tx, head, lines, data)
    change_make.check_agreed(data, planned)
    change_make.check_override(tx, head, data.override, planned.preview.needs_override)
    return facts, planned


async def wait(
    tx: Tx, head: OrderHead, data: ChangeInput, planned: Planned, *, channel: Channel, sold_in: Channel
) -> ExchangeToPay:
    """Let a change wait for its money in a channel, with its new goods held where they are sold; another one of the order is given up.

    Raises:
        SoldOut: the new goods are gone.
    """
    assert data.id is not None  # `lock_for`
    before = await exchange_store.open_of(tx, head.id)
    if before is not None:
        await _end(tx, before, "another-begun")
    asked = ExchangeToPay(
        id=data.id,
        order_id=head.id,
        channel=channel.id,
        input=data,
        amount=planned.preview.to_pay,
        currency=head.currency,
        expires_at=now() + HELD_FOR,
    )
    place = data.location if data.hand_over else None
    wanted = [
        HoldLine(line.variant, line.quantity, location=place)
        for line in planned.preview.sold
        if line.variant is not None
    ]
    if wanted:
        await stock.take(
            tx, wanted, channel=sold_in, kind=HoldKind.CHECKOUT, owner=asked.id, expires_at=asked.expires_at
        )
    await exchange_store.insert(tx, asked)
    return asked


async def begin_payments(tx: Tx, exchange_id: UUID, wanted: Sequence[StartInput]) -> list[Payment]:
    """Begin payments for an exchange that waits; those on the network are asked after the commit (`look`).

    One that is under way and the same as the only one wanted is gone on with; others that are are let go.

    Raises:
        ExchangeEnded: it waits no more. Those of `payments.begin`.
    """
    asked = await _waiting(tx, exchange_id)
    channel = await channels.cached(tx, asked.channel)
    for each in await payments.begun(tx, exchange_id):
        if each.status is not PaymentStatus.PENDING or each.order_id is not None:
            continue
        if len(wanted) == 1 and _is_same(each, wanted[0]):
            found = await payments.read_payment(tx, each.id)
            assert found is not None
            return [found]
        await payments.leave_begun(tx, exchange_id, each.id)
    return [
        await payments.begin(tx, exchange_id, channel, asked.amount, each, until=asked.expires_at)
        for each in (msgspec.structs.replace(one, place=False) for one in wanted)  # there is no cart to place
    ]


def _is_same(begun: Attempt, wanted: StartInput) -> bool:
    is_plain = wanted.token is None and not wanted.keep
    return is_plain and begun.provider == wanted.provider and wanted.amount in (None, begun.amount)


async def leave(tx: Tx, exchange_id: UUID, payment_id: UUID) -> None:
    """The customer does not want to pay this way after all.

    Raises:
        NotFound: it was not begun for this one. NotClaimable: it has paid it. ExchangeEnded: it waits no more.
    """
    await _waiting(tx, exchange_id)
    await payments.leave_begun(tx, exchange_id, payment_id)


async def look(database: Database, exchange_id: UUID, payment_id: UUID) -> Attempt:
    """How a payment that was begun for an exchange stands; its provider is asked if that is not settled.

    Raises:
        NotFound: it was not begun for this one.
    """
    await _of_exchange(database, exchange_id, payment_id)
    action = await payments.pursue_payment(database, payment_id, patience=PATIENCE_SECONDS)
    payment = await _of_exchange(database, exchange_id, payment_id)
    if action is None:
        action = await payments.action_of(database, payment, patience=PATIENCE_SECONDS)
    return payments.shown(payment, action if payment.status is PaymentStatus.PENDING else None)


async def _of_exchange(database: Database, exchange_id: UUID, payment_id: UUID) -> Payment:
    payment = await payments.read_payment(database, payment_id)
    if payment is None or payment.cart != exchange_id:
        raise NotFound("No such payment was begun for this exchange.")
    return payment


async def complete(tx: Tx, exchange_id: UUID, more: Sequence[PaymentInput] = ()) -> Changed | None:
    """Make the exchange with what is reserved for it, and with ``more`` that is paid now; None while that is too little.

    Made before, it is answered again: two at once make it once.

    Raises:
        NotFound: there is none. ExchangeEnded: it waits no more.
        PaymentDeclined, PaymentPending, NotClaimable: it is not paid; it waits on.
        Those of `orders.apply_change`: it cannot be made (so) any more.
    """
    head, asked = await lock(tx, exchange_id)
    if asked.state is ExchangeState.MADE:
        return await change_apply.apply(tx, head.id, asked.input)
    if asked.state is ExchangeState.ENDED:
        raise ExchangeEnded("Nothing came of it and nothing was charged.", reason=asked.reason)
    known = await payments.begun(tx, exchange_id)
    if not more and reserved(known) < asked.amount:
        return None
    ready = [PaymentInput(provider=each.provider, payment=each.id) for each in known if is_reserved(each)]
    await stock.release(tx, exchange_id)
    paid = msgspec.structs.replace(asked.input, payments=[*ready, *more])
    done = await change_apply.apply(tx, head.id, paid)
    await exchange_store.end(tx, exchange_id, ExchangeState.MADE)
    await payments.leave_all(tx, exchange_id)
    if done.request is not None:
        await photograph_store.move(tx, exchange_id, done.request)
    return done


def is_reserved(begun: Attempt) -> bool:
    """Whether its money waits to be claimed."""
    return begun.order_id is None and begun.status in RESERVED


def reserved(begun: Sequence[Attempt]) -> int:
    """What of payments that were begun for an exchange is reserved so far, minor units."""
    return sum(each.amount for each in begun if is_reserved(each))


async def give_up(tx: Tx, exchange_id: UUID, reason: str) -> None:
    """Nothing comes of it: goods and money are free again. Of one that was made, or given up before, nothing changes.

    Raises:
        NotFound: there is none.
    """
    await lock(tx, exchange_id)
    await _end(tx, exchange_id, reason)


async def _end(tx: Tx, exchange_id: UUID, reason: str) -> None:
    if await exchange_store.end(tx, exchange_id, ExchangeState.ENDED, reason):
        await stock.release(tx, exchange_id)
        await payments.leave_all(tx, exchange_id)
        await photograph_store.remove(tx, exchange_id)


async def _waiting(tx: Tx, exchange_id: UUID) -> ExchangeToPay:
    _head, asked = await lock(tx, exchange_id)
    if asked.state is not ExchangeState.OPEN:
        raise ExchangeEnded(f"It is {asked.state}.", reason=asked.reason)
    return asked


async def lock(tx: Tx, exchange_id: UUID) -> tuple[OrderHead, ExchangeToPay]:
    """An exchange and its order, both held, the order first.

    Raises:
        NotFound: there is none.
    """
    order = await exchange_store.order_of(tx, exchange_id)
    locked = None if order is None else await store.lock(tx, order)
    found = await exchange_store.read(tx, exchange_id, lock=True)
    if locked is None or found is None:
        raise NotFound("There is no such exchange.")
    return locked[0], found


async def on_payment(tx: Tx, event: Event) -> None:
    """The follower: money is reserved for an exchange, and its browser may be gone. Twice does no harm.

    In a transaction of its own, so that a refusal leaves nothing; the follower's has locked nothing yet (``batch=1``).
    """
    begun_for = event.payload.get("cart")
    if begun_for is None or event.payload.get("order") is not None or event.payload["provider"] == AT_TILL:
        return  # what a terminal reserves is taken by the page of its till (`exchange_at_till`)
    exchange = UUID(begun_for)
    if await exchange_store.order_of(tx, exchange) is None:
        return  # a cart, or a return that is charged
    context = Context(actor=SYSTEM, channel=event.channel)
    try:
        await tx.database.transaction(lambda inner: complete(inner, exchange), context)
    except (PaymentPending, NotClaimable):
        return  # it moved in this very moment, and says so itself
    except ExchangeEnded:
        await payments.leave_all(tx, exchange)
    except Problem as problem:
        logger.warning("a paid exchange could not be made", exchange=str(exchange), problem=problem.code)
        await give_up(tx, exchange, problem.code)


async def end_stale(database: Database) -> int:
    """Give up what nobody paid in time; how many."""
    found = await exchange_store.stale(database, PATIENCE, BATCH)
    for exchange in found:
        await database.transaction(partial(give_up, exchange_id=exchange, reason="expired"))
    return len(found)


FOLLOWERS = [
    Follower(
        name="paid-exchanges",
        handle=on_payment,
        types=("payment.authorized", "payment.captured"),
        batch=1,
    )
]
