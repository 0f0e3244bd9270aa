"""SQL of the tables ``privacy_request`` and ``privacy_piece``."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from samlad.kernel.database import Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.listing import Filter, Listing, Sort, texts, uuids
from samlad.privacy.model import PrivacyRequest, RequestKind

_REQUEST = ", ".join(PrivacyRequest.__struct_fields__)

LISTING = Listing(
    row=PrivacyRequest,
    select=_REQUEST,
    source="privacy_request",
    key="id",
    sorts={"created_at": Sort("created_at", "timestamptz"), "due_at": Sort("due_at", "timestamptz")},
    default_sort="-created_at",
    filters={
        "kind": Filter("kind = ANY({}::text[])", texts),
        "state": Filter("state = ANY({}::text[])", texts),
        "person": Filter(
            "person = ANY({0}::uuid[]) OR person IN (SELECT identity_known_as({0}::uuid[]::text[]))", uuids
        ),
    },
)
"""All requests, the latest first."""


async def insert(
    tx: Tx, kind: RequestKind, person: UUID, due_at: datetime, total: int, actor: str
) -> PrivacyRequest | None:
    """Add a request; None: there is one like it under way."""
    return await tx.one(
        PrivacyRequest,
        f"""INSERT INTO privacy_request (id, kind, person, due_at, total, actor) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (kind, person) WHERE state IN ('waiting', 'running') DO NOTHING RETURNING {_REQUEST}""",
        new_id(),
        kind,
        person,
        due_at,
        total,
        actor,
    )


async def under_way(reader: Reader, kind: RequestKind, person: UUID) -> PrivacyRequest | None:
    """The request like this that waits or runs."""
    return await reader.one(
        PrivacyRequest,
        f"""SELECT {_REQUEST} FROM privacy_request WHERE kind = $1 AND person = $2
            AND state IN ('waiting', 'running')""",
        kind,
        person,
    )


async def get(reader: Reader, request: UUID) -> PrivacyRequest | None:
    """One request, or None."""
    return await reader.one(PrivacyRequest, f"SELECT {_REQUEST} FROM privacy_request WHERE id = $1", request)


async def lock(tx: Tx, request: UUID) -> PrivacyRequest | None:
    """One request, held until the transaction ends, or None."""
    return await tx.one(
        PrivacyRequest, f"SELECT {_REQUEST} FROM privacy_request WHERE id = $1 FOR UPDATE", request
    )


async def sealed_of(reader: Reader, request: UUID) -> bytes | None:
    """What is sealed in a request."""
    found: bytes | None = await reader.value("SELECT sealed FROM privacy_request WHERE id = $1", request)
    return found


async def set_state(tx: Tx, request: UUID, **columns: Any) -> PrivacyRequest:
    """Set columns of a request that is locked."""
    names = sorted(columns)
    changed = await tx.one(
        PrivacyRequest,
        f"""UPDATE privacy_request SET {", ".join(f"{name} = ${n}" for n, name in enumerate(names, 2))}
            WHERE id = $1 RETURNING {_REQUEST}""",
        request,
        *(columns[name] for name in names),
    )
    assert changed is not None
    return changed


async def step(tx: Tx, request: UUID, step: int, counts: Mapping[str, int], kept: Mapping[str, int]) -> bool:
    """Note that a table is done; False if it was before."""
    return bool(
        await tx.execute(
            """UPDATE privacy_request SET steps = $2 + 1, counts = counts || $3, kept = kept || $4
               WHERE id = $1 AND steps = $2 AND state = 'running'""",
            request,
            step,
            dict(counts),
            dict(kept),
        )
    )


async def expired(reader: Reader, at: datetime) -> list[UUID]:
    """Exports that are to be forgotten."""
    rows = await reader.rows(
        "SELECT id FROM privacy_request WHERE sealed IS NOT NULL AND expires_at <= $1 LIMIT 100", at
    )
    return [row["id"] for row in rows]


async def exports_of(reader: Reader, ids: Sequence[UUID]) -> list[UUID]:
    """The exports of a person that are still kept, whoever of them it was asked for."""
    rows = await reader.rows(
        """SELECT id FROM privacy_request WHERE kind = 'access' AND sealed IS NOT NULL AND person = ANY($1)
           ORDER BY id FOR UPDATE""",
        list(ids),
    )
    return [row["id"] for row in rows]


async def add_piece(tx: Tx, request: UUID, number: int, sealed: bytes) -> None:
    """Keep a piece of an export."""
    sql = "INSERT INTO privacy_piece (request, number, sealed) VALUES ($1, $2, $3)"
    await tx.execute(sql, request, number, sealed)


async def piece(reader: Reader, request: UUID, number: int) -> bytes | None:
    """A piece of an export; None when it is not kept any more."""
    sql = "SELECT sealed FROM privacy_piece WHERE request = $1 AND number = $2"
    found: bytes | None = await reader.value(sql, request, number)
    return found


async def drop_pieces(tx: Tx, request: UUID) -> None:
    """Forget an export."""
    await tx.execute("DELETE FROM privacy_piece WHERE request = $1", request)
