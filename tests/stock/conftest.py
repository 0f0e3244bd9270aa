"""Fixtures of the stock tests."""

import pytest
from stock_shop import Shop, build_shop

from samlad.kernel.database import Database


@pytest.fixture
async def shop(db: Database) -> Shop:
    """A webshop, two stores and a warehouse over one pool."""
    return await build_shop(db)
