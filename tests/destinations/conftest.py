"""A retailer for each test, its segments, and receivers of them."""

import pytest

from audience import Audience
from samlad.kernel.database import Database
from trade import build


@pytest.fixture
async def audience(db: Database, monkeypatch: pytest.MonkeyPatch) -> Audience:
    """A webshop and two stores, their customers, and a clock that can be put forward."""
    made = Audience(db, await build(db))
    monkeypatch.setattr("samlad.kernel.clock.now", made.now)
    return made
