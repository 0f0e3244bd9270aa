"""The retailer of these tests, and a VIES of their own."""

from collections.abc import AsyncIterator

import pytest
from fake_vies import FakeVies

from samlad.kernel.database import Database
from samlad.tax import checking
from trade import Trade, build


@pytest.fixture
async def trade(db: Database) -> Trade:
    """A webshop in Sweden that sells to all of the EU by one-stop shop and takes VAT numbers, and two stores."""
    return await build(db, tax_oss=True, tax_vat_number="optional")


@pytest.fixture
async def vies() -> AsyncIterator[FakeVies]:
    """VIES over HTTP; every number is valid until the test says otherwise."""
    async with FakeVies() as fake:
        before = checking.use(fake.client())
        yield fake
        checking.use(before)
