"""What a transaction writes last, in one statement: rows that nobody reads before, its events, the answer of a request
with an Idempotency-Key."""

import re
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

if TYPE_CHECKING:
    from samlad.kernel.database import Tx


class PendingEvent(msgspec.Struct):
    """An event on its way into the log."""

    id: UUID
    type: str
    occurred_at: datetime
    channel: UUID | None
    profile: UUID | None
    subject: UUID | None
    actor: str
    request: UUID
    payload: dict[str, Any]
    personal: dict[str, Any] | None


class KeptAnswer(msgspec.Struct, frozen=True):
    """The answer to a request with an Idempotency-Key, as it is given again to the same request.

    ``request`` is a hash of what was asked, ``about`` the ids in its path: by these, and by those of its events, erasure
    finds it.
    """

    scope: str
    key: str
    request: bytes
    status: int
    headers: dict[str, str]
    body: bytes
    about: list[UUID]


Statement = tuple[str, Sequence[Any]]
"""SQL, and its arguments."""

_EVENTS = """
INSERT INTO event (id, type, occurred_at, channel, profile, subject, actor, request, payload, personal)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[],
                     $8::uuid[], $9::jsonb[], $10::jsonb[])
"""
_ANSWER = """
INSERT INTO idempotency (scope, key, request, status, headers, body, about) VALUES ($1, $2, $3, $4, $5, $6, $7)
"""


async def write(
    tx: "Tx", later: Sequence[Statement], events: Sequence[PendingEvent], answer: KeptAnswer | None
) -> None:
    """Insert what was left for the end, events in their order, and the answer if there is one.

    Raises:
        UniqueViolationError: of ``idempotency_pkey``: a twin has answered meanwhile.
    """
    statements = [*later]
    if answer is not None:
        about = {each for event in events for each in (event.profile, event.subject) if each is not None}
        answer = msgspec.structs.replace(answer, about=sorted(about.union(answer.about)))
        statements.append((_ANSWER, msgspec.structs.astuple(answer)))
    if events:
        columns = [[getattr(event, name) for event in events] for name in PendingEvent.__struct_fields__]
        statements.append((_EVENTS, columns))
    if statements:
        sql = _as_one(tuple((sql, len(args)) for sql, args in statements))
        await tx.execute(sql, *(each for _, args in statements for each in args))


@lru_cache(maxsize=256)
def _as_one(statements: tuple[tuple[str, int], ...]) -> str:
    """Statements that only write, as (SQL, number of its arguments), as one with the arguments of all."""
    parts, first = [], 0
    for sql, count in statements:
        parts.append(_numbered(sql, first))
        first += count
    *before, last = parts
    if not before:
        return last
    return f"WITH {', '.join(f'w{n} AS ({sql})' for n, sql in enumerate(before))} {last}"


def _numbered(sql: str, first: int) -> str:
    return re.sub(r"\$(\d+)", lambda found: f"${int(found[1]) + first}", sql)
