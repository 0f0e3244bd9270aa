"""What one process holds open: settings, database, log poker. Shared by server, worker and commands."""

import contextlib
from collections.abc import AsyncIterator, Sequence

from samlad.kernel import migrations
from samlad.kernel.database import Database, open_database
from samlad.kernel.embedded import Embedded
from samlad.kernel.log import Poker
from samlad.kernel.settings import Settings


class Runtime:
    """The open parts of a process. Made by `open_runtime`."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.settings = settings
        self.database = database


def server_of(settings: Settings) -> Embedded | None:
    """The embedded PostgreSQL if these settings need one, not started yet."""
    return None if settings.database_url else Embedded(settings.home)


def dsn_of(settings: Settings) -> str:
    """The database's URL: the setting, or the embedded server's."""
    return settings.database_url or Embedded(settings.home).dsn


@contextlib.asynccontextmanager
async def open_runtime(
    settings: Settings, *, packages: Sequence[str] = (), start_server: bool = True
) -> AsyncIterator[Runtime]:
    """Open everything a process needs, and close it in order.

    With ``packages`` their migrations run first. With ``start_server=False`` the embedded PostgreSQL is expected
    to run already (a parent process holds it).
    """
    with contextlib.ExitStack() as stack:
        server = server_of(settings) if start_server else None
        if server is not None:
            stack.enter_context(server)
        dsn = dsn_of(settings)
        if packages:
            await migrations.migrate(dsn, settings, packages)
        database = await open_database(dsn, settings)
        poker = Poker(database)
        poker.start()
        try:
            yield Runtime(settings, database)
        finally:
            await poker.stop()
            await database.close()
