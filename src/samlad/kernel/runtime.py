"""What one process holds open: settings, database, log poker, live, vault. Shared by server, worker and commands."""

import contextlib
from collections.abc import AsyncIterator, Sequence

from samlad.kernel import migrations
from samlad.kernel.database import Database, open_database
from samlad.kernel.embedded import Embedded
from samlad.kernel.live import Live
from samlad.kernel.log import Poker
from samlad.kernel.settings import Settings
from samlad.kernel.vault import Vault


class Runtime:
    """The open parts of a process. Made by `open_runtime`. ``live`` only works where it was asked for."""

    def __init__(self, settings: Settings, database: Database, live: Live) -> None:
        self.settings = settings
        self.database = database
        self.live = live
        self._vault: Vault | None = None

    @property
    def vault(self) -> Vault:
        """The vault; the first use reads (at the very first start: makes) the key."""
        if self._vault is None:
            self._vault = Vault.of(self.settings)
        return self._vault


def server_of(settings: Settings) -> Embedded | None:
    """The embedded PostgreSQL if these settings need one, not started yet."""
    return None if settings.database_url else Embedded(settings.home)


def dsn_of(settings: Settings) -> str:
    """The database's URL: the setting, or the embedded server's."""
    return settings.database_url or Embedded(settings.home).dsn


@contextlib.asynccontextmanager
async def open_runtime(
    settings: Settings, *, packages: Sequence[str] = (), with_live: bool = False
) -> AsyncIterator[Runtime]:
    """Open everything a process needs, and close it in order.

    The embedded PostgreSQL is started, or shared if it runs: the last process that leaves stops it, whichever was
    killed before. With ``packages`` their migrations run first.
    """
    async with contextlib.AsyncExitStack() as stack:
        server = server_of(settings)
        if server is not None:
            stack.enter_context(server)
        dsn = dsn_of(settings)
        if packages:
            await migrations.migrate(dsn, settings, packages)
        database = await open_database(dsn, settings)
        stack.push_async_callback(database.close)
        poker = Poker(database)
        poker.start()
        stack.push_async_callback(poker.stop)
        live = Live(database)
        if with_live:
            live.start()
            stack.push_async_callback(live.stop)
        yield Runtime(settings, database, live)
