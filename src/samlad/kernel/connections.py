"""Connections to PostgreSQL: how they are opened, what each is told when it begins, and how it is seen that nobody answers."""

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import asyncpg
import msgspec

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


class _Connection(asyncpg.Connection):
    """Nobody changes session state, so there is nothing to reset on release: one round trip saved."""

    def get_reset_query(self) -> str:
        return ""


async def prepare_connection(connection: asyncpg.Connection) -> None:
    """Codecs of every connection: ``jsonb`` by msgspec, in binary form."""
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: b"\x01" + _encode_json(value),
        decoder=lambda data: _decode_json(memoryview(data)[1:]),
        format="binary",
    )


async def _prepare_pooled(connection: asyncpg.Connection, *, is_ours: bool) -> None:
    await prepare_connection(connection)
    if is_ours and hasattr(os, "setpriority") and (niceness := os.nice(0)) > 0:
        # Of who gives way, the process on the other side of the connection gives way, too.
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, connection.get_server_pid(), niceness)


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


def make_pool(dsn: str, settings: Settings) -> asyncpg.Pool:
    """A pool that opens connections when they are wanted."""
    return asyncpg.create_pool(
        dsn,
        min_size=0,
        max_size=settings.pool_size,
        max_inactive_connection_lifetime=300,
        connection_class=_Connection,
        init=partial(_prepare_pooled, is_ours=settings.database_url is None),
        server_settings=connection_options(settings),
        timeout=10,
    )
