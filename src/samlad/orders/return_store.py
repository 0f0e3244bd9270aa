"""SQL of the tables ``return_request`` and ``return_request_line``, and the list of announced returns."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from samlad.channels import Resource
from samlad.kernel import sealing
from samlad.kernel.database import Reader, Tx
from samlad.kernel.listing import Filter, Listing, Sort, texts, uuids
from samlad.kernel.sealing import SealedColumn
from samlad.orders.return_model import (
    OPEN,
    AnnouncedLine,
    Request,
    RequestHead,
    RequestLine,
    RequestRow,
    UnknownPrice,
)
from samlad.stock.reach import belongs

SEALED = SealedColumn(
    table="return_request",
    owner="order_id",
    purpose="orders.return-note",
    sealed="sealed_note",
    text="note",
    emptied="''",
)
_OPEN = [str(state) for state in OPEN]
SETTLED_DAYS = 60
"""So long after the day on which it was due the rest of an exchange that was settled is charged by itself."""
_EXCHANGE = "CASE WHEN e.status <> 'cancelled' THEN r.exchange END"
"""The sale that went out before; one that was called off is paid by nobody, and its old goods come back as any others."""
_HEAD = f"""r.id, r.order_id, o.number AS order_number, r.number, r.state, {_EXCHANGE} AS exchange, r.due_on,
           r.state = 'requested' AND r.due_on < current_date AS is_overdue, r.location, r.settled_by, r.note, r.photos,
           r.actor, r.agreed, r.charging, r.claimed_at, r.received_at, r.created_at, r.version"""
_JOINS = "JOIN orders o ON o.id = r.order_id LEFT JOIN orders e ON e.id = r.exchange"
_FROM = f"return_request r {_JOINS}"


class _Row(RequestHead, frozen=True, kw_only=True):
    """As it is stored. ``note``: of before texts were sealed."""

    sealed_note: bytes | None


async def insert(
    tx: Tx,
    request: UUID,
    order: UUID,
    lines: Sequence[AnnouncedLine],
    *,
    due_on: date,
    exchange: UUID | None,
    note: str,
    photos: Sequence[str],
    agreed: tuple[str | None, bytes | None] = (None, None),
) -> str:
    """Add an announced return; its number, the next there is."""
    number: str = await tx.value(
        """
        WITH made AS (
            INSERT INTO return_request (id, order_id, number, state, exchange, due_on, sealed_note, photos, actor,
                                        agreed, agreed_token)
            VALUES ($1, $2, 'R' || nextval('return_request_number'), 'requested', $3, $4, $5, $6, $7, $11, $12)
            RETURNING number
        ), lines AS (
            INSERT INTO return_request_line (request, position, quantity, reason)
            SELECT $1, * FROM unnest($8::smallint[], $9::int[], $10::text[])
        )
        SELECT number FROM made
        """,
        request,
        order,
        exchange,
        due_on,
        await sealing.seal(tx, order, SEALED.purpose, note) if note else None,
        list(photos),
        tx.actor.label,
        [line.position for line in lines],
        [line.quantity for line in lines],
        [line.reason for line in lines],
        *agreed,
    )
    return number


async def read(reader: Reader, request: UUID, *, lock: bool = False) -> Request | None:
    """An announced return with its lines, or None; with ``lock`` held until the transaction ends."""
    end = " FOR UPDATE OF r" if lock else ""
    found = await reader.one(
        _Row, f"SELECT {_HEAD}, r.sealed_note FROM {_FROM} WHERE r.id = $1{end}", request
    )
    if found is None:
        return None
    if found.sealed_note is not None:
        [note] = await sealing.unseal(reader, SEALED.purpose, [(found.order_id, found.sealed_note)])
        found = msgspec.structs.replace(found, note=note)
    lines = await reader.all(
        RequestLine,
        """SELECT n.position, l.title, l.sku, n.quantity, n.reason, n.condition, n.received
           FROM return_request_line n JOIN return_request r ON r.id = n.request
           JOIN order_line l ON l.order_id = r.order_id AND l.position = n.position
           WHERE n.request = $1 ORDER BY n.position""",
        request,
    )
    return Request(**{name: getattr(found, name) for name in RequestHead.__struct_fields__}, lines=lines)


async def of_exchange(reader: Reader, sale: UUID) -> UUID | None:
    """The announced return of goods whose exchange has gone out as this sale."""
    found: UUID | None = await reader.value("SELECT id FROM return_request WHERE exchange = $1", sale)
    return found


async def goes_to(reader: Reader, order: UUID) -> UUID | None:
    """Where goods of an order are sent back to: the place that the first of them had left from."""
    found: UUID | None = await reader.value(
        """SELECT location FROM fulfilment WHERE order_id = $1 AND location IS NOT NULL
           ORDER BY left_at NULLS LAST, id LIMIT 1""",
        order,
    )
    return found


async def order_of(reader: Reader, request: UUID) -> UUID | None:
    """The order of an announced return, which is locked before it."""
    order: UUID | None = await reader.value("SELECT order_id FROM return_request WHERE id = $1", request)
    return order


async def lock_id(tx: Tx, return_id: UUID) -> None:
    """Whoever uses the same id for a return without a receipt waits until this transaction ends."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1::text, 13))", str(return_id))


async def update(tx: Tx, request: UUID, values: dict[str, Any]) -> None:
    """Set columns of an announced return that the caller has locked; names are ours."""
    sets = "".join(f"{name} = ${number}, " for number, name in enumerate(values, 2))
    await tx.execute(
        f"UPDATE return_request SET {sets} version = version + 1, changed_at = now() WHERE id = $1",
        request,
        *values.values(),
    )


async def set_lines(tx: Tx, request: UUID, lines: Sequence[tuple[int, int, str | None]]) -> None:
    """Say of lines (position) how many are here, and their condition where somebody has looked."""
    await tx.execute(
        """UPDATE return_request_line l SET received = n.received, condition = coalesce(n.condition, l.condition)
           FROM unnest($2::smallint[], $3::int[], $4::text[]) AS n (position, received, condition)
           WHERE l.request = $1 AND l.position = n.position""",
        request,
        [position for position, _, _ in lines],
        [received for _, received, _ in lines],
        [condition for _, _, condition in lines],
    )


async def announced(
    reader: Reader, order: UUID, *, exchanges: bool = False, without: UUID | None = None
) -> dict[int, int]:
    """How many units of each line (position) are announced and not here yet; only of exchanges if so asked, and without
    those for one sale."""
    found = await reader.rows(
        """SELECT n.position, sum(n.quantity)::int AS units
           FROM return_request r JOIN return_request_line n ON n.request = r.id LEFT JOIN orders e ON e.id = r.exchange
           WHERE r.order_id = $1 AND r.state = ANY($2) AND (NOT $3::bool OR e.status <> 'cancelled')
             AND ($4::uuid IS NULL OR r.exchange IS DISTINCT FROM $4) GROUP BY 1""",
        order,
        _OPEN,
        exchanges,
        without,
    )
    return {row["position"]: row["units"] for row in found}


async def overdue(tx: Tx, limit: int) -> list[RequestHead]:
    """Announced returns that should have come and were not told of yet, locked and marked as told."""
    return await tx.all(
        RequestHead,
        f"""WITH late AS (
                UPDATE return_request SET reminded_at = now() WHERE id IN (
                    SELECT id FROM return_request WHERE state = 'requested' AND due_on < current_date
                    AND reminded_at IS NULL ORDER BY due_on LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING *
            ) SELECT {_HEAD} FROM late r {_JOINS} ORDER BY r.due_on, r.id""",
        limit,
    )


async def unclaimed(reader: Reader, limit: int) -> list[UUID]:
    """Announced returns whose goods should have come, and which went out before them; not charged yet.

    Those that are settled, too, if what came was worth less than what went out: for `SETTLED_DAYS`, then a person decides.
    """
    rows = await reader.rows(
        """SELECT r.id FROM return_request r JOIN orders e ON e.id = r.exchange
           WHERE r.state IN ('requested', 'settled') AND r.exchange IS NOT NULL AND r.claimed_at IS NULL AND r.due_on < current_date
             AND e.status <> 'cancelled' AND (r.state = 'requested' OR (
                 r.due_on > current_date - $2::int AND e.status IN ('fulfilled', 'partially_fulfilled')
                 AND e.total - e.called_off - e.paid > 0))
           ORDER BY r.due_on, r.id LIMIT $1""",
        limit,
        SETTLED_DAYS,
    )
    return [row["id"] for row in rows]


async def agreed(reader: Reader, request: UUID) -> tuple[str | None, bytes | None]:
    """How new goods are paid if the old ones never come: the provider, and what it is asked with, sealed."""
    row = await reader.row("SELECT agreed, agreed_token FROM return_request WHERE id = $1", request)
    assert row is not None
    return row["agreed"], row["agreed_token"]


async def charged_by(reader: Reader, payment: UUID) -> UUID | None:
    """The announced return that a payment was begun for, or None."""
    found: UUID | None = await reader.value("SELECT id FROM return_request WHERE charging = $1", payment)
    return found


async def lowest_prices(
    reader: Reader, variants: Sequence[UUID], pool: UUID, channel: UUID, currency: str, days: int
) -> dict[UUID, UnknownPrice]:
    """The lowest price that each variant had in a channel within some days, as the price history keeps it."""
    found = await reader.all(
        UnknownPrice,
        """SELECT DISTINCT ON (variant) variant, amount, tax_included FROM price_history
           WHERE variant = ANY($1) AND pool = $2 AND (channel IS NULL OR channel = $3) AND currency = $4
             AND applied_from <= now() AND coalesce(applied_to > now() - make_interval(days => $5), true)
           ORDER BY variant, amount""",
        list(variants),
        pool,
        channel,
        currency,
        days,
    )
    return {price.variant: price for price in found}


LISTING = Listing(
    row=RequestRow,
    select="""r.id, r.number, r.order_id, o.number AS order_number, r.state, r.due_on,
              (r.state = 'requested' AND r.due_on < current_date) AS is_overdue,
              (SELECT coalesce(sum(quantity), 0)::int FROM return_request_line n WHERE n.request = r.id) AS units,
              o.name, o.email, p.code AS location, """
    f"""{_EXCHANGE} AS exchange, e.number AS exchange_number,
              CASE WHEN e.status <> 'cancelled' THEN greatest(e.total - e.called_off - e.paid, 0) ELSE 0 END::bigint
                  AS open_amount, o.currency, r.claimed_at, r.created_at""",
    source="""return_request r JOIN orders o ON o.id = r.order_id LEFT JOIN orders e ON e.id = r.exchange
              LEFT JOIN location p ON p.id = r.location""",
    key="r.id",
    sorts={
        "created_at": Sort("r.created_at", "timestamptz"),
        "due_on": Sort("r.due_on", "date"),
        "number": Sort("r.number"),
    },
    default_sort="-created_at",
    filters={
        "state": Filter("r.state = ANY({})", texts),
        "order": Filter("r.order_id = ANY({}::uuid[])", uuids),
        "place": Filter("o.location = ANY({0}::uuid[]) OR r.location = ANY({0}::uuid[])", uuids),
        "overdue": Filter("({} = 'true') = (r.state = 'requested' AND r.due_on < current_date)"),
        "q": Filter("starts_with(r.number, {0}) OR starts_with(o.number, {0})", str.strip),
    },
)
"""All announced returns, the latest first. ``overdue`` is true or false; ``q`` the beginning of a number."""

belongs(
    ("request_id", "return_id"),
    Resource.ORDERS,
    "SELECT o.pool FROM return_request r JOIN orders o ON o.id = r.order_id WHERE r.id = $1",
)
