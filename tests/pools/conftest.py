"""A retailer with a silo for each test."""

import pytest
from silo import Silo, build_silo

from samlad.kernel.database import Database
from trade import build


@pytest.fixture
async def silo(db: Database) -> Silo:
    """A webshop and two stores that share everything, and a marketplace that shares goods and prices with them."""
    return await build_silo(await build(db))
