"""What the worker does about orders again and again."""

from samlad.kernel.sweepers import Sweeper
from samlad.orders.fulfilment_short import retry_waiting
from samlad.orders.returns import tell_overdue

RETRY_SECONDS = 60.0
"""Between two looks for goods that customers wait for."""

OVERDUE_SECONDS = 3600.0
"""Between two looks for announced returns that have not come."""

SWEEPERS = [
    Sweeper("waiting-fulfilments", RETRY_SECONDS, retry_waiting),
    Sweeper("overdue-returns", OVERDUE_SECONDS, tell_overdue),
]
