"""What the worker cleans up again and again."""

from samlad.kernel.sweepers import Sweeper
from samlad.stock.holds import sweep
from samlad.stock.lots import judge

SWEEP_SECONDS = 10.0
"""Between two sweeps. Until then an expired hold is still released by whoever needs its units."""

JUDGE_SECONDS = 60.0
"""Between two looks at the dates of lots. A new day begins at each location at its own time, so once a day will not do."""

SWEEPERS = [
    Sweeper("expired-holds", SWEEP_SECONDS, sweep),
    Sweeper("expired-lots", JUDGE_SECONDS, judge),
]
