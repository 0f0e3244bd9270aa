"""A retailer with sources of events for each test."""

import pytest

from samlad.kernel.database import Database
from tracked import Tracked, open_tracked


@pytest.fixture
async def tracked(db: Database) -> Tracked:
    """A webshop with a source for browsers, one for servers, and one for a tablet in a store."""
    return await open_tracked(db)
