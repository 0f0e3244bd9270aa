"""A retailer that invoices what has left, and a desk where its documents are asked for."""

import pytest
from paper import Paper

from samlad.kernel.database import Database
from trade import build


@pytest.fixture
async def paper(db: Database) -> Paper:
    """A shop whose orders get their invoice when all of them has left."""
    return Paper(await build(db, invoice_when="fulfilled", contact_email="shop@example.org"))
