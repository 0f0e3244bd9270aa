"""New goods went out, and the old ones never came: the exchange is charged as it was agreed, or becomes a claim.

Until then the sale of the new goods is owed what the old ones are worth. After the day on which they were due, and some
days of patience (`exchange_patience`), it is charged by what was agreed with the customer; declined, or where nothing was
agreed, it is an invoice with a day to pay by and the reminders of every other invoice (`samlad.payments.manual`). Goods
that come all the same are settled as ever: their worth pays what is still open, or goes back. Were they worth less than what went
out (fewer came, a fee was taken off), the rest of it is charged in the same way at the same time. What went out and was
called off is paid by nobody.

A provider on the network is asked after the commit, as at a checkout; its answer comes by the log (`on_payment`).
"""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from samlad import channels, payments
from samlad.channels import Channel
from samlad.kernel import cards, log
from samlad.kernel.clock import local_day, now
from samlad.kernel.context import SYSTEM, Context
from samlad.kernel.database import Database, Tx
from samlad.kernel.followers import Follower
from samlad.kernel.http import check_version
from samlad.kernel.log import Event
from samlad.kernel.problems import Forbidden, InvalidInput, NotFound
from samlad.kernel.vault import Vault
from samlad.orders import events, return_store, settling, store
from samlad.orders.change_model import Agreed
from samlad.orders.model import OrderHead, OrderStatus, WrongState
from samlad.orders.permissions import CHANGE
from samlad.orders.return_model import OPEN, Request, ReturnState
from samlad.payments import Payment, PaymentDeclined, PaymentInput, PaymentStatus, StartInput

SEALED = "orders.exchange"
INVOICE = "invoice"
BATCH = 100


def agreed_columns(tx: Tx, channel: Channel, agreed: Agreed | None) -> tuple[str | None, bytes | None]:
    """How new goods are paid if the old ones never come, as it is kept: the provider, and its token sealed.

    Raises:
        InvalidInput: nobody can be charged so while they are away, or the channel does not offer it.
        Forbidden: a customer names what a provider keeps, which may be somebody else's.
        CardNumber: the token looks like one.
    """
    if agreed is None:
        return None, None
    cards.refuse(agreed, "if_not_back")
    through = payments.provider(agreed.provider, field="if_not_back/provider")
    if not payments.pays_alone(agreed.provider):
        raise InvalidInput.at("if_not_back/provider", f"{agreed.provider} needs the customer to be there")
    if payments.is_network(through) and tx.actor.kind == "customer":
        raise Forbidden("What a provider keeps of a customer is said by the shop.")
    if agreed.provider != INVOICE and not payments.is_offered(channel, through):
        raise InvalidInput.at("if_not_back/provider", f"“{channel.code}” does not offer {agreed.provider}")
    if agreed.token is None:
        return agreed.provider, None
    return agreed.provider, Vault.of(tx.database.settings).seal(SEALED, agreed.token.encode())


async def charge_overdue(database: Database) -> int:
    """Charge what went out for goods that did not come in time, each in a transaction of its own; how many."""
    done = 0
    for request in await return_store.unclaimed(database, BATCH):
        done += await database.transaction(partial(_charge_late, request=request))
    return done


async def _charge_late(tx: Tx, request: UUID) -> bool:
    """Whether it was charged: somebody may have been quicker, or the channel is more patient."""
    found = await _lock(tx, request)
    if found is None or not _is_chargeable(found[1]):
        return False
    head, asked = found
    channel = await channels.cached(tx, head.channel)
    late = (local_day(now(), channel.time_zone) - asked.due_on).days
    if late <= int(channel.setting("exchange_patience")):
        return False
    return await charge(tx, head, asked)


def _is_chargeable(asked: Request) -> bool:
    """Whether what went out is to be paid by somebody who was not charged yet: the goods did not come, or were worth less."""
    is_late = asked.state in OPEN and asked.received_at is None
    return (
        asked.exchange is not None
        and asked.claimed_at is None
        and (is_late or asked.state is ReturnState.SETTLED)
    )


async def charge_now(tx: Tx, request: UUID, *, version: int | None = None) -> Request:
    """Charge what went out now: the customer has said that the old goods will not come.

    Raises:
        NotFound, Outdated. WrongState: nothing went out for it, it was charged before, or its goods are here.
    """
    tx.actor.require(CHANGE)
    found = await _lock(tx, request)
    if found is None:
        raise NotFound("There is no such return.")
    head, asked = found
    check_version(version, asked.version)
    if asked.exchange is None:
        raise WrongState("Nothing went out before its goods were back.", state=asked.state)
    if asked.claimed_at is not None:
        raise WrongState("It was charged already.", state=asked.state)
    if not _is_chargeable(asked):
        raise WrongState(f"It is {asked.state}.", state=asked.state)
    if not await charge(tx, head, asked) and asked.state is ReturnState.SETTLED:
        raise WrongState("Nothing is due.", state=asked.state)
    again = await return_store.read(tx, request)
    assert again is not None
    return again


async def charge(tx: Tx, head: OrderHead, asked: Request) -> bool:
    """Charge what is open of the sale of the new goods; whether anything was. The caller holds order and return."""
    assert asked.exchange is not None
    locked = await store.lock(tx, asked.exchange)
    assert locked is not None
    sale = locked[0]
    if sale.status is OrderStatus.CANCELLED:  # in this very moment
        return False
    known = await payments.lock_of_order(tx, sale.id)
    due = sale.total - sale.called_off - sum(payment.promised for payment in known)
    if due <= 0:
        await return_store.update(tx, asked.id, {"claimed_at": now()})
        return False
    channel = await channels.cached(tx, sale.channel)
    provider, sealed = await return_store.agreed(tx, asked.id)
    if provider is None or not payments.is_offered(channel, payments.provider(provider)):
        await _invoice(tx, head, asked, sale, channel, due)
        return True
    token = None if sealed is None else Vault.of(tx.database.settings).open(SEALED, sealed).decode()
    if provider == "store_credit":
        token = str(sale.customer)
    if payments.is_network(payments.provider(provider)):
        asked_for = StartInput(provider=provider, token=token)
        payment = await payments.begin(tx, asked.id, channel, due, asked_for)
        await return_store.update(tx, asked.id, {"claimed_at": now(), "charging": payment.id})
        return True
    try:
        paid = [PaymentInput(provider=provider, token=token, amount=due)]
        taken = await payments.authorize(tx, sale.id, paid, [due], sale.currency, channel=channel)
    except PaymentDeclined:
        await _invoice(tx, head, asked, sale, channel, due)
        return True
    await _paid(tx, head, asked, sale, taken)
    return True


async def _invoice(
    tx: Tx, head: OrderHead, asked: Request, sale: OrderHead, channel: Channel, due: int
) -> None:
    """A claim: an invoice with a day, whether or not customers of the channel can choose to pay so."""
    taken = [await payments.owe(tx, sale.id, INVOICE, due, sale.currency, channel)]
    await _paid(tx, head, asked, sale, taken)


async def _paid(tx: Tx, head: OrderHead, asked: Request, sale: OrderHead, taken: Sequence[Payment]) -> None:
    """Keep the payments of a charge, bring the sale in line with them and tell of it."""
    await payments.keep(tx, taken, channel=sale.channel, profile=sale.customer)
    await payments.capture(tx, sale.id, channel=sale.channel)  # its goods have left
    await settling.settle_order(tx, sale.id)
    await return_store.update(tx, asked.id, {"claimed_at": now(), "charging": None})
    first = taken[0]
    fact = events.ReturnCharged(
        number=asked.number,
        request=asked.id,
        order=head.id,
        payment=first.id,
        provider=first.provider,
        amount=sum(payment.amount for payment in taken),
        currency=sale.currency,
        due_on=first.due_on,
    )
    log.append(tx, fact, subject=sale.id, channel=sale.channel, profile=sale.customer)


async def on_payment(tx: Tx, event: Event) -> None:
    """The follower: what a provider on the network answered. Declined, or let go, it becomes a claim."""
    request = await return_store.charged_by(tx, UUID(event.payload["payment"]))
    if request is not None:
        context = Context(actor=SYSTEM, channel=event.channel)
        await tx.database.transaction(lambda inner: _finish(inner, request), context)


async def _finish(tx: Tx, request: UUID) -> None:
    found = await _lock(tx, request)
    if found is None or found[1].charging is None:
        return
    head, asked = found
    assert asked.charging is not None
    if asked.exchange is None:  # it was called off while its provider was asked
        await payments.leave_begun(tx, asked.id, asked.charging)
        await return_store.update(tx, asked.id, {"charging": None})
        return
    payment = await payments.read_payment(tx, asked.charging)
    if payment is None or (payment.status is PaymentStatus.PENDING and not payment.is_leaving):
        return
    locked = await store.lock(tx, asked.exchange)
    assert locked is not None
    sale = locked[0]
    channel = await channels.cached(tx, sale.channel)
    if payment.is_leaving or payment.status not in (PaymentStatus.AUTHORIZED, PaymentStatus.CAPTURED):
        known = await payments.lock_of_order(tx, sale.id)
        due = sale.total - sale.called_off - sum(each.promised for each in known)
        if due > 0:
            await _invoice(tx, head, asked, sale, channel, due)
        return
    named = [PaymentInput(provider=payment.provider, payment=payment.id)]
    claimed = await payments.claim(tx, sale.id, asked.id, named, channel)
    await _paid(tx, head, asked, sale, list(claimed.values()))


async def _lock(tx: Tx, request: UUID) -> tuple[OrderHead, Request] | None:
    """A return and its order, both held, the order first; None if there is none."""
    order = await return_store.order_of(tx, request)
    if order is None:
        return None
    locked = await store.lock(tx, order)
    found = await return_store.read(tx, request, lock=True)
    return None if locked is None or found is None else (locked[0], found)


FOLLOWERS = [
    Follower(
        name="exchange-charges",
        handle=on_payment,
        types=("payment.authorized", "payment.captured", "payment.declined", "payment.voided"),
        batch=1,
    )
]
