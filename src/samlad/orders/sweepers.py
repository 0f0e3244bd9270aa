"""What the worker does about orders again and again."""

from samlad.kernel.database import Database
from samlad.kernel.sealing import seal_old
from samlad.kernel.sweepers import Sweeper
from samlad.orders import change_store, return_store, tagging_store
from samlad.orders.exchange_paying import end_stale
from samlad.orders.expected import look_again
from samlad.orders.fulfilment_short import retry_waiting
from samlad.orders.gift_card_sale import end_unpaid
from samlad.orders.return_claim import charge_overdue
from samlad.orders.returns import tell_overdue

RETRY_SECONDS = 60.0
"""Between two looks for goods that customers wait for."""

EXPECTED_SECONDS = 60.0
"""Between two looks at when what orders wait for is expected. Days that are set one after the other are one piece of news."""

OVERDUE_SECONDS = 3600.0
"""Between two looks for announced returns that have not come."""

UNPAID_SECONDS = 600.0
"""Between two looks for exchanges, and for gift cards, that nobody paid in time."""

SEAL_SECONDS = 600.0
"""Between two looks for notes of before texts were sealed."""


async def seal_notes(database: Database) -> int:
    """Seal notes of before texts were sealed, on orders, returns and changes; how many."""
    columns = (tagging_store.SEALED, return_store.SEALED, change_store.SEALED)
    return sum([await seal_old(database, column) for column in columns])


SWEEPERS = [
    Sweeper("waiting-fulfilments", RETRY_SECONDS, retry_waiting),
    Sweeper("expected-goods", EXPECTED_SECONDS, look_again),
    Sweeper("overdue-returns", OVERDUE_SECONDS, tell_overdue),
    Sweeper("overdue-exchanges", OVERDUE_SECONDS, charge_overdue),
    Sweeper("unpaid-exchanges", UNPAID_SECONDS, end_stale),
    Sweeper("unpaid-gift-cards", UNPAID_SECONDS, end_unpaid),
    Sweeper("sealed-notes-of-orders", SEAL_SECONDS, seal_notes),
]
