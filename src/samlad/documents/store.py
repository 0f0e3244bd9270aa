"""SQL of legal entities, number series, documents and printed receipts."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from samlad.documents.model import Document, DocumentRow, Entity, Kind
from samlad.kernel.database import Reader, Tx
from samlad.kernel.listing import Filter, Listing, Sort, at_start, texts, uuids

ENTITY_FIELDS = (
    "name",
    "trading_name",
    "line1",
    "line2",
    "postal_code",
    "city",
    "country",
    "registration_number",
    "vat_number",
    "email",
    "phone",
    "website",
    "iban",
    "bic",
    "bank_account",
    "endpoint",
    "currency",
    "legal_text",
    "logo",
    "invoice_prefix",
    "credit_prefix",
    "number_digits",
    "is_yearly",
    "year_begins",
)
"""Columns of a legal entity that are given."""
_ENTITY = ", ".join(
    ("id", "pool", "code", "is_default", *ENTITY_FIELDS, "version", "created_at", "updated_at")
)
_DOCUMENT = """d.id, d.entity, d.kind, d.number, d.order_id, d.cause, d.invoice, d.channel, d.customer, d.currency,
               d.net, d.tax, d.rounding, d.total, d.rates, d.issued_at, d.issued_on, d.due_on, d.actor, d.sha256"""


LISTING = Listing(
    row=DocumentRow,
    select="""d.id, d.kind, d.number, e.code AS entity, d.order_id AS order, o.number AS order_number, c.code AS channel,
              coalesce(d.payload::jsonb -> 'buyer' ->> 'name', '') AS buyer, d.issued_on, d.due_on, d.currency, d.net,
              d.tax, d.rounding, d.total, i.number AS of, d.sha256""",
    source="""document d JOIN legal_entity e ON e.id = d.entity JOIN orders o ON o.id = d.order_id
              JOIN channel c ON c.id = d.channel LEFT JOIN document i ON i.id = d.invoice""",
    key="d.id",
    sorts={
        "issued_at": Sort("d.issued_at", "timestamptz"),
        "number": Sort("d.number"),
        "total": Sort("d.total", "bigint"),
    },
    default_sort="-issued_at",
    filters={
        "kind": Filter("d.kind = ANY({})", texts),
        "entity": Filter("e.code = ANY({})", texts),
        "channel": Filter("c.code = ANY({})", texts),
        "location": Filter("o.location = ANY({}::uuid[])", uuids),
        "order": Filter("d.order_id = ANY({}::uuid[])", uuids),
        "from": Filter("d.issued_on >= {}", date.fromisoformat),
        "to": Filter("d.issued_on <= {}", date.fromisoformat),
        "q": Filter("d.number LIKE {0} OR o.number LIKE {0}", at_start),
    },
)
"""All documents, latest first. ``q`` is the beginning of a document's or an order's number."""


# -- legal entities --------------------------------------------------------------------------------------------------------


async def insert_entity(
    tx: Tx, entity: UUID, pool: UUID, code: str, values: dict[str, Any], *, is_default: bool
) -> Entity | None:
    """Add a legal entity; None if its code is taken, or the pool has a default already."""
    names = ", ".join(values)
    places = ", ".join(f"${number}" for number in range(5, 5 + len(values)))
    return await tx.one(
        Entity,
        f"""INSERT INTO legal_entity (id, pool, code, is_default, {names}) VALUES ($1, $2, $3, $4, {places})
            ON CONFLICT DO NOTHING RETURNING {_ENTITY}""",
        entity,
        pool,
        code,
        is_default,
        *values.values(),
    )


async def update_entity(tx: Tx, entity: UUID, values: dict[str, Any]) -> Entity:
    """Set columns of a locked legal entity and count its version up; names are ours."""
    assignments = ", ".join(f"{name} = ${number}" for number, name in enumerate(values, 2))
    found = await tx.one(
        Entity,
        f"""UPDATE legal_entity SET {assignments}, version = version + 1, updated_at = now()
            WHERE id = $1 RETURNING {_ENTITY}""",
        entity,
        *values.values(),
    )
    assert found is not None
    return found


async def entity(reader: Reader, entity_id: UUID) -> Entity | None:
    """A legal entity, or None."""
    return await reader.one(Entity, f"SELECT {_ENTITY} FROM legal_entity WHERE id = $1", entity_id)


async def lock_entity(tx: Tx, entity_id: UUID) -> Entity | None:
    """A legal entity, held against changes until the transaction ends, or None."""
    return await tx.one(Entity, f"SELECT {_ENTITY} FROM legal_entity WHERE id = $1 FOR UPDATE", entity_id)


async def hold_entity(tx: Tx, entity_id: UUID) -> Entity:
    """A legal entity that is there, kept as it is until the transaction ends; others may issue for it meanwhile."""
    found = await tx.one(Entity, f"SELECT {_ENTITY} FROM legal_entity WHERE id = $1 FOR SHARE", entity_id)
    assert found is not None
    return found


async def default_entity(reader: Reader, pool: UUID) -> Entity | None:
    """Who sells the orders of a pool where no channel says otherwise, or None yet."""
    return await reader.one(
        Entity, f"SELECT {_ENTITY} FROM legal_entity WHERE pool = $1 AND is_default", pool
    )


async def all_entities(reader: Reader) -> list[Entity]:
    """Every legal entity, by code."""
    return await reader.all(Entity, f"SELECT {_ENTITY} FROM legal_entity ORDER BY code, id")


# -- numbers ---------------------------------------------------------------------------------------------------------------


async def next_number(tx: Tx, entity_id: UUID, kind: Kind, year: int) -> tuple[int, datetime]:
    """The next number of a series, and the moment at which it was taken.

    The row stays locked until the transaction ends: who comes after waits, and gets the same number if this one rolls
    back or dies. So nothing else may be waited for afterwards. The moment is read behind the lock: numbers and moments
    have one order.
    """
    row = await tx.row(
        """
        INSERT INTO document_series AS s (entity, kind, year, last) VALUES ($1, $2, $3, 1)
        ON CONFLICT (entity, kind, year) DO UPDATE SET last = s.last + 1
        RETURNING last, clock_timestamp() AS at
        """,
        entity_id,
        kind,
        year,
    )
    assert row is not None
    return row["last"], row["at"]


async def is_used(reader: Reader, entity_id: UUID, kind: Kind, pattern: str) -> bool:
    """Whether a document of a kind has a number of this pattern (POSIX)."""
    return bool(
        await reader.value(
            "SELECT EXISTS (SELECT FROM document WHERE entity = $1 AND kind = $2 AND number ~ $3)",
            entity_id,
            kind,
            pattern,
        )
    )


# -- documents -------------------------------------------------------------------------------------------------------------


class Stored(msgspec.Struct, frozen=True):
    """A document's row and its content as it is stored."""

    document: Document
    payload: bytes


async def insert(
    tx: Tx,
    document: Document,
    *,
    year: int,
    sequence: int,
    payload: str,
    returns: Sequence[UUID] = (),
) -> None:
    """Add a document, and say which returns it has in it. One statement."""
    await tx.execute(
        """
        WITH issued AS (
            INSERT INTO document (id, entity, kind, year, sequence, number, order_id, cause, invoice, channel, customer,
                                  currency, net, tax, rounding, total, rates, issued_at, issued_on, due_on, actor, payload,
                                  sha256)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)
            RETURNING id
        )
        INSERT INTO document_return (return_id, document) SELECT unnest($24::uuid[]), id FROM issued
        """,
        document.id,
        document.entity,
        document.kind,
        year,
        sequence,
        document.number,
        document.order_id,
        document.cause,
        document.invoice,
        document.channel,
        document.customer,
        document.currency,
        document.net,
        document.tax,
        document.rounding,
        document.total,
        msgspec.to_builtins(document.rates),
        document.issued_at,
        document.issued_on,
        document.due_on,
        document.actor,
        payload,
        document.sha256,
        list(returns),
    )


async def of_order(reader: Reader, order: UUID) -> list[Document]:
    """The documents of an order in the order in which they were issued."""
    return await reader.all(
        Document,
        f"SELECT {_DOCUMENT} FROM document d WHERE d.order_id = $1 ORDER BY d.issued_at, d.id",
        order,
    )


async def contents_of_order(reader: Reader, order: UUID) -> list[Stored]:
    """The documents of an order with their contents, in the order in which they were issued."""
    rows = await reader.rows(
        f"SELECT {_DOCUMENT}, d.payload FROM document d WHERE d.order_id = $1 ORDER BY d.issued_at, d.id",
        order,
    )
    return [_stored(row) for row in rows]


async def told_returns(reader: Reader, order: UUID) -> set[UUID]:
    """The returns of a sale that its documents have told already."""
    rows = await reader.rows(
        """SELECT r.return_id FROM document_return r JOIN document d ON d.id = r.document WHERE d.order_id = $1""",
        order,
    )
    return {row["return_id"] for row in rows}


async def stored(reader: Reader, document: UUID) -> Stored | None:
    """A document with its content, or None."""
    row = await reader.row(f"SELECT {_DOCUMENT}, d.payload FROM document d WHERE d.id = $1", document)
    return None if row is None else _stored(row)


def _stored(row: Any) -> Stored:
    values = dict(row.items())
    payload = values.pop("payload")
    return Stored(msgspec.convert(values, Document, strict=False), payload.encode())


async def ids_of_period(
    reader: Reader,
    first: date,
    last: date,
    *,
    kind: str | None,
    entity_code: str | None,
    places: Collection[UUID] | None,
    limit: int,
) -> list[UUID]:
    """The documents that were issued from one day to another, by entity, kind and number; at most ``limit``."""
    rows = await reader.rows(
        """
        SELECT d.id FROM document d JOIN legal_entity e ON e.id = d.entity JOIN orders o ON o.id = d.order_id
        WHERE d.issued_on BETWEEN $1 AND $2 AND ($3::text IS NULL OR d.kind = $3)
          AND ($4::text IS NULL OR e.code = $4) AND ($6::uuid[] IS NULL OR o.location = ANY ($6))
        ORDER BY e.code, d.kind, d.year, d.sequence LIMIT $5
        """,
        first,
        last,
        kind,
        entity_code,
        limit,
        None if places is None else list(places),
    )
    return [row["id"] for row in rows]


# -- receipts --------------------------------------------------------------------------------------------------------------


async def note_print(tx: Tx, order: UUID) -> int:
    """Count a printed receipt; how many there were before: 0 is the original."""
    before: int = await tx.value(
        """
        INSERT INTO receipt_print AS p (order_id) VALUES ($1)
        ON CONFLICT (order_id) DO UPDATE SET copies = p.copies + 1
        RETURNING copies
        """,
        order,
    )
    return before


async def note_mail(tx: Tx, key: UUID, order: UUID) -> bool:
    """Note that a receipt is mailed; False if this key was used before."""
    return bool(
        await tx.execute(
            "INSERT INTO receipt_mail (id, order_id, sent_by) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING",
            key,
            order,
            tx.actor.label,
        )
    )


async def mails_of(reader: Reader, order: UUID) -> int:
    """How often a receipt was mailed."""
    found: int = await reader.value("SELECT count(*) FROM receipt_mail WHERE order_id = $1", order)
    return found
