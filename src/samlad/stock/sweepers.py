"""What the worker cleans up again and again."""

from samlad.kernel.sweepers import Sweeper
from samlad.stock.holds import sweep

SWEEP_SECONDS = 10.0
"""Between two sweeps. Until then an expired hold is still released by whoever needs its units."""

SWEEPERS = [Sweeper("expired-holds", SWEEP_SECONDS, sweep)]
