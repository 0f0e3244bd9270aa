"""What a transaction writes last: its events, and the answer of a request with an Idempotency-Key. One statement."""

from datetime import datetime
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


_EVENTS = """
INSERT INTO event (id, type, occurred_at, channel, profile, subject, actor, request, payload, personal)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[],
                     $8::uuid[], $9::jsonb[], $10::jsonb[])
"""
_EVENTS_AND_ANSWER = f"""
WITH answered AS (
    INSERT INTO idempotency (scope, key, request, status, headers, body, about)
    VALUES ($11, $12, $13, $14, $15, $16, $17)
) {_EVENTS}"""


async def write(tx: "Tx", events: list[PendingEvent], answer: KeptAnswer | None) -> None:
    """Insert events in their order, and the answer if there is one.

    Raises:
        UniqueViolationError: of ``idempotency_pkey``: a twin has answered meanwhile.
    """
    columns = [[getattr(event, name) for event in events] for name in PendingEvent.__struct_fields__]
    if answer is None:
        await tx.execute(_EVENTS, *columns)
    else:
        about = {each for event in events for each in (event.profile, event.subject) if each is not None}
        answer = msgspec.structs.replace(answer, about=sorted(about.union(answer.about)))
        await tx.execute(_EVENTS_AND_ANSWER, *columns, *msgspec.structs.astuple(answer))
