"""A retailer for each test."""

import pytest

from samlad.kernel.database import Database
from trade import Trade, build


@pytest.fixture
async def trade(db: Database) -> Trade:
    """A webshop and two stores."""
    return await build(db)
