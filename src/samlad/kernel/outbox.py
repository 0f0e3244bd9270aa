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


class Columns(list[Any]):
    """Arguments that are columns: lists of the same length, of which several may be put one after the other."""


_EVENTS = """
INSERT INTO event (id, type, occurred_at, channel, profile, subject, actor, request, payload, personal)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[],
                     $8::uuid[], $9::jsonb[], $10::jsonb[])
"""
# An array of arrays must have rows of one length, so the ids come as one text each.
_ANSWERS = """
INSERT INTO idempotency (scope, key, request, status, headers, body, about)
SELECT n.scope, n.key, n.request, n.status, n.headers, n.body, n.about::uuid[]
FROM unnest($1::text[], $2::text[], $3::bytea[], $4::int[], $5::jsonb[], $6::bytea[], $7::text[])
     AS n (scope, key, request, status, headers, body, about)
"""


async def write(
    tx: "Tx", later: Sequence[Statement], events: Sequence[PendingEvent], answers: Sequence[KeptAnswer]
) -> None:
    """Insert what was left for the end, events in their order, and the answers if there are any.

    Raises:
        UniqueViolationError: of ``idempotency_pkey``: a twin has answered meanwhile.
    """
    statements = _merged(later)
    if answers:
        columns = [[getattr(each, name) for each in answers] for name in KeptAnswer.__struct_fields__]
        columns[-1] = [f"{{{','.join(map(str, each.about))}}}" for each in answers]
        statements.append((_ANSWERS, columns))
    if events:
        columns = [[getattr(event, name) for event in events] for name in PendingEvent.__struct_fields__]
        statements.append((_EVENTS, columns))
    if statements:
        sql = _as_one(tuple((sql, len(args)) for sql, args in statements))
        await tx.execute(sql, *(each for _, args in statements for each in args))


def about_events(answer: KeptAnswer, events: Sequence[PendingEvent]) -> KeptAnswer:
    """The answer with the ids of what happened with it, by which erasure finds it."""
    about = {each for event in events for each in (event.profile, event.subject) if each is not None}
    return msgspec.structs.replace(answer, about=sorted(about.union(answer.about)))


def _merged(later: Sequence[Statement]) -> list[Statement]:
    """Rows of the same kind as one statement, where it stood first."""
    statements: list[Statement] = []
    places: dict[str, Columns] = {}
    for sql, args in later:
        if not isinstance(args, Columns):
            statements.append((sql, args))
        elif sql in places:
            for column, more in zip(places[sql], args, strict=True):
                column.extend(more)
        else:
            places[sql] = Columns([*column] for column in args)
            statements.append((sql, places[sql]))
    return statements


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
