"""Connections to PostgreSQL: how they are opened, what each is told when it begins, and how it is seen that nobody answers."""

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any

import asyncpg
import msgspec

from samlad.kernel.priority import give_way
from samlad.kernel.problems import Busy
from samlad.kernel.settings import Settings

EXTENSIONS_SCHEMA = "extensions"
"""Where extensions live: shared by all retailers of one database."""

UNREACHABLE = (
    OSError,
    asyncpg.CannotConnectNowError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.ConnectionFailureError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InternalClientError,  # the connection is dying: the server's last word was read, its end was not
)

_encode_json = msgspec.json.Encoder().encode
_decode_json = msgspec.json.Decoder().decode


FIRST_OWN_TYPE = 16384
"""Below it are PostgreSQL's own types, which are the same in every database of every version."""
ARRAYS = (271, 1000, 1001, 1005, 1007, 1016, 1022, 1182, 1185, 1231, 2951, 3807)
"""Their arrays that we use: xid8, bool, bytea, int2, int4, int8, float8, date, timestamptz, numeric, uuid, jsonb."""

_known_types: dict[int, asyncpg.Record] = {}
"""What PostgreSQL has said of its own types."""


class _Connection(asyncpg.Connection):
    """A connection that asks no more than it must."""

    def get_reset_query(self) -> str:
        """Nobody changes session state, so there is nothing to reset on release: one round trip saved."""
        return ""

    async def _introspect_types(self, typeoids: Collection[int], timeout: float) -> tuple[Any, Any]:  # noqa: ASYNC109 - as asyncpg calls it
        """What types are, asked once a process for all of PostgreSQL's own that we use.

        asyncpg asks on each connection for each type that it meets, which costs a new connection more than its first order.
        """
        asked = set(typeoids)
        if not asked <= _known_types.keys():
            wanted = asked | set(ARRAYS) if max(asked) < FIRST_OWN_TYPE else asked
            found, statement = await super()._introspect_types(wanted, timeout)  # type: ignore[misc]
            _known_types.update((row["oid"], row) for row in found if row["oid"] < FIRST_OWN_TYPE)
            return found, statement
        return [_known_types[oid] for oid in asked], _REMEMBERED


_REMEMBERED = SimpleNamespace(name="remembered")
"""Stands for the statement that was not sent: it has put no other one away."""


async def prepare_connection(connection: asyncpg.Connection) -> None:
    """Codecs of every connection: ``jsonb`` by msgspec, in binary form."""
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: b"\x01" + _encode_json(value),
        decoder=lambda data: _decode_json(memoryview(data)[1:]),
        format="binary",
    )


async def _prepare_pooled(connection: asyncpg.Connection, *, niceness: int) -> None:
    await prepare_connection(connection)
    give_way(connection.get_server_pid(), niceness)


def search_path(settings: Settings) -> str:
    """Where unqualified names are looked up: the retailer's schema, then the extensions."""
    return f"{settings.schema},{EXTENSIONS_SCHEMA}"


def connection_options(settings: Settings) -> dict[str, str]:
    """Session settings: schema, time limits; short statements gain nothing from just-in-time compilation."""
    return {
        "search_path": search_path(settings),
        "statement_timeout": str(settings.statement_seconds * 1000),
        "lock_timeout": str(settings.lock_seconds * 1000),
        "idle_in_transaction_session_timeout": str((settings.statement_seconds + 30) * 1000),
        "application_name": "samlad",
        "timezone": "UTC",
        "jit": "off",
    }


async def connect(dsn: str, settings: Settings) -> asyncpg.Connection:
    """One connection outside the pool, for LISTEN, migrations and long COPYs. The caller closes it.

    Raises:
        Busy: as `open_database`.
    """
    with refusals():
        connection: asyncpg.Connection = await asyncpg.connect(
            dsn, server_settings=connection_options(settings), timeout=10
        )
    await prepare_connection(connection)
    return connection


@contextmanager
def refusals() -> Iterator[None]:
    """What the server says, or that it says nothing, as one problem."""
    try:
        yield
    except UNREACHABLE as error:
        raise Busy(f"PostgreSQL does not answer: {error}") from error
    except asyncpg.PostgresError as error:
        raise Busy(f"PostgreSQL refuses the connection: {error}") from error


def make_pool(dsn: str, settings: Settings, *, niceness: int = 0) -> asyncpg.Pool:
    """A pool that opens connections when they are wanted.

    Where PostgreSQL is ours, the processes on the other side of the connections give way to others as this process does,
    and at least by ``niceness``.
    """
    is_ours = settings.database_url is None and hasattr(os, "nice")
    return asyncpg.create_pool(
        dsn,
        min_size=0,
        max_size=settings.pool_size,
        max_inactive_connection_lifetime=300,
        connection_class=_Connection,
        init=partial(_prepare_pooled, niceness=max(niceness, os.nice(0)) if is_ours else 0),
        server_settings=connection_options(settings),
        timeout=10,
    )
