"""A store with a printer that listens."""

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from paper_printer import PaperPrinter
from samlad import printers
from samlad.kernel.database import Database, open_database
from samlad.kernel.settings import Settings, load
from samlad.printers import Printer, PrinterInput
from trade import Trade, build


@pytest.fixture
def settings(dsn: str, tmp_path: Any) -> Settings:
    """This machine's own loopback may be printed on."""
    return load(
        {},
        home=tmp_path,
        database_url=dsn,
        pool_size=8,
        printer_networks="127.0.0.0/8",
        printer_ports="1-65535",
    )


@pytest.fixture
async def db(settings: Settings) -> AsyncIterator[Database]:
    """An open database of this test's own."""
    database = await open_database(settings.database_url or "", settings)
    yield database
    await database.close()


@pytest.fixture
async def trade(db: Database) -> Trade:
    """A webshop and two stores."""
    return await build(db)


Connected = Callable[..., contextlib.AbstractAsyncContextManager[tuple[Printer, PaperPrinter]]]


@pytest.fixture
def connected(trade: Trade) -> Connected:
    """``async with connected(drawer_pin=2) as (printer, paper):`` a printer of the store in Malmö, and what it prints."""

    @contextlib.asynccontextmanager
    async def connect(**fields: Any) -> AsyncIterator[tuple[Printer, PaperPrinter]]:
        async with PaperPrinter.listening() as paper:
            values = {
                "location": trade.at_malmo.id,
                "name": "Till 1",
                "host": "127.0.0.1",
                "port": paper.port,
            }
            data = PrinterInput(**{**values, **fields})
            made = await trade.db.transaction(lambda tx: printers.create(tx, data))
            yield made, paper

    return connect
