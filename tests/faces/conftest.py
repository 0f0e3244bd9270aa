"""Faces are tried on a small retailer. That this file is here also lets tests import `market` and `browser` beside it."""

import pytest
from market import Market, open_market

from samlad.kernel.database import Database


@pytest.fixture
async def market(db: Database) -> Market:
    """A webshop and two stores over one stock."""
    return await open_market(db)
