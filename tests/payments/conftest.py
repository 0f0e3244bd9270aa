"""A retailer whose webshop offers a provider on the network that fails, repeats and delays at will."""

from collections.abc import Iterator

import pytest

from fake_bank import FakeBank
from samlad.kernel.database import Database
from samlad.payments import providers
from trade import Trade, build


@pytest.fixture
def bank() -> Iterator[FakeBank]:
    """The provider, registered for this test."""
    made = FakeBank()
    providers.register(made)
    yield made
    del providers._PROVIDERS[made.name]


@pytest.fixture
async def trade(db: Database) -> Trade:
    """A webshop that offers everything, and two stores."""
    offered = [
        "fakebank",
        "gift_card",
        "store_credit",
        "terminal",
        "test",
        "cash",
        "invoice",
        "bank_transfer",
        "on_delivery",
        "stripe",
    ]
    return await build(db, payment_providers=offered)
