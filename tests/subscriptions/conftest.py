"""A shop with a selling plan for each test, and a clock that tests can set."""

import pytest
from subscribing import Clock, Shop, open_shop

from samlad.kernel.database import Database


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the program, which moves only when a test says so."""
    clock = Clock()
    monkeypatch.setattr("samlad.kernel.clock.datetime", clock.kind)
    return clock


@pytest.fixture
async def shop(db: Database, clock: Clock) -> Shop:
    """A webshop with a customer and a monthly plan."""
    return await open_shop(db, clock)
