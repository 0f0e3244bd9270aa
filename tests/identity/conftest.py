"""A retailer for each test, and people who are seen."""

import pytest
from meeting import Meeting

from samlad.kernel.database import Database
from trade import build


@pytest.fixture
async def met(db: Database) -> Meeting:
    """A webshop and two stores, and whoever comes by."""
    trade = await build(db)
    return Meeting(db, trade)
