"""A shop whose customers may be there twice."""

import pytest
from twice import Twice

from samlad.kernel.database import Database
from trade import build


@pytest.fixture
async def twice(db: Database) -> Twice:
    """A webshop, and whoever is its customer."""
    return Twice(db, await build(db))
