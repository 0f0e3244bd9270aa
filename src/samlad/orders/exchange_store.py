"""SQL of the table ``exchange_to_pay``: exchanges that were agreed to and are not paid yet."""

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import msgspec

from samlad.kernel import sealing
from samlad.kernel.database import Reader, Tx
from samlad.kernel.sealing import SealedColumn
from samlad.orders.change_model import ChangeInput, ExchangeAction
from samlad.orders.model import SoldWithReturn

SEALED = SealedColumn(
    table="exchange_to_pay",
    owner="order_id",
    purpose="orders.exchange-note",
    sealed="sealed_note",
    text="note",
)
_COLUMNS = "id, order_id, channel, input, amount, currency, state, reason, expires_at"


class ExchangeState(StrEnum):
    """``open``: it waits for its money; ``made``: it is a change of the order; ``ended``: nothing came of it."""

    OPEN = "open"
    MADE = "made"
    ENDED = "ended"


class ExchangeToPay(msgspec.Struct, frozen=True, kw_only=True):
    """An exchange that costs its customer ``amount`` (minor units) more. ``input`` is the change that was agreed to."""

    id: UUID
    order_id: UUID
    channel: UUID
    input: ChangeInput
    amount: int
    currency: str
    state: ExchangeState = ExchangeState.OPEN
    reason: str | None = None
    expires_at: datetime

    @property
    def is_at_till(self) -> bool:
        """Whether it is paid at a till, by a customer who stands there (`exchange_at_till`)."""
        data = self.input
        is_instant = all(isinstance(each, ExchangeAction) and each.instant for each in data.actions)
        return data.cart is not None or data.hand_over or not is_instant


async def insert(tx: Tx, asked: ExchangeToPay) -> None:
    """Add one that begins. Its note is sealed with the order's key."""
    note = asked.input.note
    await tx.execute(
        """INSERT INTO exchange_to_pay (id, order_id, channel, input, sealed_note, amount, currency, actor, expires_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)""",
        asked.id,
        asked.order_id,
        asked.channel,
        msgspec.to_builtins(msgspec.structs.replace(asked.input, note="")),
        await sealing.seal(tx, asked.order_id, SEALED.purpose, note) if note else None,
        asked.amount,
        asked.currency,
        tx.actor.label,
        asked.expires_at,
    )


async def read(reader: Reader, exchange: UUID, *, lock: bool = False) -> ExchangeToPay | None:
    """One with its note, or None; with ``lock`` held until the transaction ends."""
    end = " FOR UPDATE" if lock else ""
    row = await reader.row(
        f"SELECT {_COLUMNS}, sealed_note FROM exchange_to_pay WHERE id = $1{end}", exchange
    )
    if row is None:
        return None
    values = dict(row)
    sealed = values.pop("sealed_note")
    found = msgspec.convert(values, ExchangeToPay)
    if sealed is None:
        return found
    [note] = await sealing.unseal(reader, SEALED.purpose, [(found.order_id, sealed)])
    return msgspec.structs.replace(found, input=msgspec.structs.replace(found.input, note=note))


async def order_of(reader: Reader, exchange: UUID) -> UUID | None:
    """Whose it is, or None."""
    found: UUID | None = await reader.value("SELECT order_id FROM exchange_to_pay WHERE id = $1", exchange)
    return found


async def open_of(reader: Reader, order: UUID) -> UUID | None:
    """The one of an order that waits for its money."""
    found: UUID | None = await reader.value(
        "SELECT id FROM exchange_to_pay WHERE order_id = $1 AND state = 'open'", order
    )
    return found


async def open_with(reader: Reader, ticket: UUID, besides: UUID | None = None) -> tuple[UUID, UUID] | None:
    """The one that waits for its money with which a ticket is sold, and whose order that is; None if there is none (``besides`` one)."""
    row = await reader.row(
        """SELECT id, order_id FROM exchange_to_pay
           WHERE input ->> 'cart' = $1 AND state = 'open' AND id IS DISTINCT FROM $2::uuid""",
        str(ticket),
        besides,
    )
    return None if row is None else (row["id"], row["order_id"])


async def check_alone(tx: Tx, ticket: UUID, besides: UUID | None = None) -> None:
    """Raises SoldWithReturn where a ticket, whose cart is locked, waits to be sold with a return (other than ``besides``)."""
    waiting = await open_with(tx, ticket, besides)
    if waiting is not None:
        exchange, order = waiting
        raise SoldWithReturn(
            "A card terminal waits for it: finish that, or give it up.",
            exchange=str(exchange),
            order=str(order),
        )


async def end(tx: Tx, exchange: UUID, state: ExchangeState, reason: str | None = None) -> bool:
    """It is made, or nothing came of it; whether it was open. What was written to it is in the change, or nowhere."""
    return bool(
        await tx.execute(
            """UPDATE exchange_to_pay SET state = $2, reason = $3, ended_at = now(), sealed_note = NULL
               WHERE id = $1 AND state = 'open'""",
            exchange,
            state,
            reason,
        )
    )


async def stale(reader: Reader, age: timedelta, limit: int) -> list[UUID]:
    """Those whose goods have not been held for so long, the one that waits longest first."""
    rows = await reader.rows(
        """SELECT id FROM exchange_to_pay WHERE state = 'open' AND expires_at < now() - $1::interval
           ORDER BY expires_at LIMIT $2""",
        age,
        limit,
    )
    return [row["id"] for row in rows]
