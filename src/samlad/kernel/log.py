"""The event log: facts, appended in the transaction that makes them true.

A package declares its facts once, as structs in its ``events.py``::

    @declare("stock.moved")
    class StockMoved(Fact):
        '''Something came to or went from a location.'''
        location: UUID
        quantity: int

and a verb appends them: ``log.append(tx, StockMoved(...), subject=variant)``. The transaction writes all of its
events in one statement before it commits. Followers (`samlad.kernel.followers`) read them in commit order.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import asyncpg
import msgspec

from samlad.kernel.clock import now
from samlad.kernel.connections import connect
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.outbox import PendingEvent
from samlad.kernel.problems import Busy

LATEST_AMONG = 2000
"""Events that `latest` looks through."""

NOTIFY_CHANNEL = "samlad_event"
"""PostgreSQL channel that wakes followers; qualified with the schema by `wake_channel`."""

F = TypeVar("F", bound="Fact")

_DECLARED: dict[str, type["Fact"]] = {}


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """The base of all payloads; `declare` gives each its type."""

    event_type: ClassVar[str] = ""
    personal: ClassVar[frozenset[str]] = frozenset()


def declare(event_type: str, *, personal: Iterable[str] = ()) -> Callable[[type[F]], type[F]]:
    """Class decorator: this fact is the payload of events of this type.

    Fields named in ``personal`` are stored apart from the rest, so that erasing a person really erases them.
    """

    def decorate(fact: type[F]) -> type[F]:
        known = _DECLARED.get(event_type)
        if known is not None and (known.__module__, known.__qualname__) != (
            fact.__module__,
            fact.__qualname__,
        ):
            raise TypeError(
                f"the event type {event_type} is declared twice: {known.__qualname__}, {fact.__qualname__}"
            )
        fact.event_type = event_type
        fact.personal = frozenset(personal)
        _DECLARED[event_type] = fact
        return fact

    return decorate


def declared() -> dict[str, type[Fact]]:
    """Every event type that the loaded packages declare, by name."""
    return dict(sorted(_DECLARED.items()))


class Position(msgspec.Struct, frozen=True, order=True):
    """A place in the log. Everything at or before it has been read. As text ``xid-seq``, for ``Last-Event-ID``."""

    xid: int
    seq: int

    def __str__(self) -> str:
        return f"{self.xid}-{self.seq}"

    @classmethod
    def parse(cls, text: str) -> "Position":
        """Raises ValueError when the text is not a position."""
        xid, _, seq = text.partition("-")
        return cls(int(xid), int(seq))


BEGINNING = Position(0, 0)


class Event(msgspec.Struct, frozen=True):
    """An event as it was recorded. ``payload`` has the personal fields merged in unless they were erased."""

    xid: int
    seq: int
    id: UUID
    type: str
    occurred_at: datetime
    recorded_at: datetime
    channel: UUID | None
    profile: UUID | None
    subject: UUID | None
    actor: str
    request: UUID
    payload: dict[str, Any]

    @property
    def position(self) -> Position:
        """Where it is in the log."""
        return Position(self.xid, self.seq)

    def fact(self) -> Fact:
        """The payload as the struct that was declared for this type.

        Raises:
            KeyError: no loaded package declares the type.
            msgspec.ValidationError: the payload does not fit (it was written by another version).
        """
        return msgspec.convert(self.payload, _DECLARED[self.type], strict=False)


def append(
    tx: Tx,
    fact: Fact,
    *,
    subject: UUID | None = None,
    channel: UUID | None = None,
    profile: UUID | None = None,
    occurred_at: datetime | None = None,
    event_id: UUID | None = None,
) -> UUID:
    """Append a fact to the log as part of the caller's transaction; the event's id.

    ``channel`` defaults to the request's own, ``occurred_at`` to now (give it for history and for offline sales).
    Give ``event_id`` (`new_id`) when rows that are written before refer to the event.
    """
    if not fact.event_type:
        raise TypeError(f"{type(fact).__name__} has no event type")
    payload = msgspec.to_builtins(fact)
    personal = {name: payload.pop(name) for name in fact.personal if name in payload} or None
    event = PendingEvent(
        id=event_id or new_id(),
        type=fact.event_type,
        occurred_at=occurred_at or now(),
        channel=channel or tx.context.channel,
        profile=profile,
        subject=subject,
        actor=tx.actor.label,
        request=tx.context.request_id,
        payload=payload,
        personal=personal,
    )
    tx.events.append(event)
    return event.id


_COLUMNS = """seq, xid, id, type, occurred_at, recorded_at, channel, profile, subject, actor, request,
              CASE WHEN personal IS NULL THEN payload ELSE payload || personal END AS payload"""

_HORIZON = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"


async def read(
    reader: Reader, after: Position, *, limit: int = 100, types: Sequence[str] | None = None
) -> tuple[list[Event], Position]:
    """The next events in commit order, and the position up to which the log has now been read.

    Never passes a transaction that is still open: an event whose transaction commits late is not missed, it is
    waited for. ``types`` are exact names; None for all.
    """
    rows = await reader.rows(
        f"""
        WITH horizon AS MATERIALIZED (SELECT {_HORIZON} AS xid),
             found AS (SELECT {_COLUMNS} FROM event
                       WHERE (event.xid, seq) > ($1, $2) AND event.xid < (SELECT xid FROM horizon)
                         AND ($4::text[] IS NULL OR type = ANY($4))
                       ORDER BY event.xid, seq LIMIT $3)
        SELECT horizon.xid AS horizon, found.* FROM horizon LEFT JOIN found ON true ORDER BY found.xid, found.seq
        """,
        after.xid,
        after.seq,
        limit,
        None if types is None else list(types),
    )
    events = [_event(row) for row in rows if row["seq"] is not None]
    if len(events) == limit:
        return events, events[-1].position
    return events, max(after, Position(rows[0]["horizon"] - 1, 2**63 - 1))


async def beside(reader: Reader, event: Event, types: Sequence[str]) -> list[Event]:
    """The events of these types that one transaction wrote, ``event``'s own, in the order in which it did. Of requests that
    shared one (`samlad.kernel.together`), those of its request."""
    rows = await reader.rows(
        f"""SELECT {_COLUMNS} FROM event
            WHERE xid = $1 AND recorded_at = $2 AND type = ANY($3) AND request = $4 ORDER BY seq""",
        event.xid,
        event.recorded_at,
        list(types),
        event.request,
    )
    return [_event(row) for row in rows]


async def end(reader: Reader) -> Position:
    """The position after everything that is committed and behind no open transaction."""
    return Position(await reader.value(f"SELECT {_HORIZON}") - 1, 2**63 - 1)


async def types_after(reader: Reader, after: Position) -> tuple[set[str], Position]:
    """The types of everything that `read` would answer, and the position up to which that is."""
    row = await reader.row(
        f"""
        WITH horizon AS MATERIALIZED (SELECT {_HORIZON} AS xid)
        SELECT horizon.xid, (SELECT array_agg(DISTINCT type) FROM event
                             WHERE (event.xid, seq) > ($1, $2) AND event.xid < horizon.xid) AS types FROM horizon
        """,
        after.xid,
        after.seq,
    )
    assert row is not None
    return set(row["types"] or ()), max(after, Position(row["xid"] - 1, 2**63 - 1))


async def is_held_back(reader: Reader) -> bool:
    """Whether something is committed that `read` does not tell yet, because an older transaction is still open."""
    return bool(
        await reader.value(
            f"""
            WITH horizon AS MATERIALIZED (SELECT {_HORIZON} AS xid)
            SELECT EXISTS (SELECT 1 FROM event WHERE event.xid >= (SELECT xid FROM horizon))
            """
        )
    )


async def of_subject(reader: Reader, subject: UUID, *, limit: int = 200) -> list[Event]:
    """What happened to one thing, oldest first."""
    rows = await reader.rows(
        f"SELECT {_COLUMNS} FROM event WHERE subject = $1 ORDER BY seq DESC LIMIT $2", subject, limit
    )
    return [_event(row) for row in reversed(rows)]


async def latest(
    reader: Reader, types: Sequence[str], *, limit: int, among: int = LATEST_AMONG
) -> list[Event]:
    """The latest events of some types, newest first, of those that were appended last.

    Only the last ``among`` events are looked through, so that a type that is rare costs no more than one that is not.
    """
    rows = await reader.rows(
        f"""SELECT {_COLUMNS} FROM (SELECT * FROM event ORDER BY id DESC LIMIT $3) e WHERE type = ANY ($1)
            ORDER BY id DESC LIMIT $2""",
        list(types),
        limit,
        among,
    )
    return [_event(row) for row in rows]


async def by_id(reader: Reader, event_id: UUID) -> Event | None:
    """One event, or None."""
    row = await reader.row(f"SELECT {_COLUMNS} FROM event WHERE id = $1", event_id)
    return None if row is None else _event(row)


def _event(row: asyncpg.Record) -> Event:
    return Event(**{name: row[name] for name in Event.__struct_fields__})


def wake_channel(database: Database) -> str:
    """The NOTIFY channel of one retailer."""
    return f"{NOTIFY_CHANNEL}_{database.settings.schema}"


class Poker:
    """Wakes the followers of every process after commits: NOTIFY on a connection of its own, debounced.

    Inside the business transaction NOTIFY takes a global lock at commit and halves the rate; here it costs nothing.
    The first commit after a pause is told at once; in a rush, when each poke would cost about as much as a statement
    of every order, one speaks for all of ``debounce_seconds``. A lost poke is harmless, because followers also poll.
    """

    def __init__(self, database: Database, *, debounce_seconds: float = 0.02) -> None:
        self._database = database
        self._debounce = debounce_seconds
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to listen to this process's commits."""
        self._database.on_events = self._wanted.set
        self._task = asyncio.create_task(self._run(), name="log-poker")

    async def stop(self) -> None:
        """Stop; a poke that waits is not sent."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        connection: asyncpg.Connection | None = None
        statement = f'NOTIFY "{wake_channel(self._database)}"'
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                if connection is None or connection.is_closed():
                    connection = await connect(self._database.dsn, self._database.settings)
                await connection.execute(statement)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, Busy):
                connection = None  # followers poll meanwhile
                await asyncio.sleep(0.5)
            await asyncio.sleep(self._debounce)
