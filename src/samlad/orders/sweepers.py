"""What the worker does about orders again and again."""

from samlad.kernel.sweepers import Sweeper
from samlad.orders.fulfilment_short import retry_waiting

RETRY_SECONDS = 60.0
"""Between two looks for goods that customers wait for."""

SWEEPERS = [Sweeper("waiting-fulfilments", RETRY_SECONDS, retry_waiting)]
