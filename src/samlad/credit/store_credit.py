"""The verbs of store credit: what a customer has with the shop, in a currency, on every channel of the pool."""

from collections.abc import Sequence
from uuid import UUID

from samlad import customers
from samlad.access import audit
from samlad.credit import book, events
from samlad.credit.book import Leg
from samlad.credit.model import AccountKind, Balance, GrantInput
from samlad.credit.permissions import GRANT
from samlad.kernel import cards, log
from samlad.kernel.database import Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.money import currencies
from samlad.kernel.problems import InvalidInput, NotFound


async def grant(tx: Tx, customer: UUID, data: GrantInput) -> list[Balance]:
    """Give a customer store credit, with a reason; with ``order`` as the refund of that. The same key twice: once.

    Raises:
        NotFound: no such customer. InvalidInput: no such currency.
    """
    tx.actor.require(GRANT)
    cards.refuse(data.reason, "reason")
    if data.currency not in currencies():
        raise InvalidInput.at("currency", "not an ISO 4217 currency code such as EUR")
    source = AccountKind.REFUNDED if data.order else AccountKind.GIVEN
    key = f"grant:{data.key or new_id()}"
    if await _book(tx, customer, data.amount, data.currency, source, key, data.reason, data.order):
        after = {"amount": data.amount, "currency": data.currency, "reason": data.reason, "order": data.order}
        audit.record(tx, "store-credit.granted", "customer", customer, after=after)
    return await of_customer(tx, customer)


async def refund_to_credit(
    tx: Tx, customer: UUID, amount: int, currency: str, *, refund: UUID, order: UUID, reason: str = ""
) -> bool:
    """A refund that becomes store credit in place of the tender it came from. Part of the verbs of orders.

    ``refund`` is the idempotency key (False: it was booked before). Whoever calls it does not give the same money
    back through `payments.refund`.
    """
    return await _book(
        tx, customer, amount, currency, AccountKind.REFUNDED, f"credit-refund:{refund}", reason, order
    )


async def of_customer(reader: Reader, customer: UUID) -> list[Balance]:
    """What a person has, by currency, over all customers that they are."""
    return await book.balances(reader, customer, AccountKind.STORE_CREDIT)


async def add(
    tx: Tx,
    pool: UUID,
    customer: UUID,
    amount: int,
    currency: str,
    reward: str,
    key: str,
    points: Sequence[Leg],
) -> bool:
    """Points (their entries) become store credit: one transaction, in two units. Part of the verbs of loyalty."""
    legs = [
        *points,
        Leg(AccountKind.STORE_CREDIT, amount, currency, customer),
        Leg(AccountKind.GIVEN, -amount, currency),
    ]
    return await book.post(tx, pool, "reward", key, legs, reason=reward)


async def _book(
    tx: Tx,
    customer: UUID,
    amount: int,
    currency: str,
    source: AccountKind,
    key: str,
    reason: str,
    order: UUID | None,
) -> bool:
    found = await customers.get(tx, customer)
    if found is None:
        raise NotFound("There is no such customer.")
    legs = [
        Leg(AccountKind.STORE_CREDIT, amount, currency, customer),
        Leg(source, -amount, currency),
    ]
    kind = "refund" if source is AccountKind.REFUNDED else "grant"
    if not await book.post(tx, found.pool, kind, key, legs, reference=order, reason=reason):
        return False
    held = {one.unit: one.balance for one in await of_customer(tx, customer)}
    fact = events.StoreCreditGranted(
        source=source, amount=amount, currency=currency, balance=held[currency], reason=reason, order=order
    )
    log.append(tx, fact, subject=customer, profile=customer)
    return True
