"""Which price applies, and what it may be compared with: pure, and the same as the SQL in `sellables` and `prices`.

Which price applies to a variant in a channel
    Candidates are the prices of the lists in the channel's price pool that are active, in the channel's currency, for
    every channel or for this one, for everybody or for the customer's group, whose time it is
    (``valid_from <= at < valid_to``) and whose minimum quantity is reached. The one in the list with the highest
    priority wins; then the more specific list (one that names the channel or the group before one that does not, both
    before one); then the largest minimum quantity; then the lowest amount; then the list's id.

What a reduction is compared with (directive 98/6/EC, article 6a, as amended by 2019/2161)
    A price is announced as reduced when its list is a *sale* or when it has a ``compare_at`` above it. The prior price
    to indicate is the lowest that applied during the 30 days before the price that now applies began to apply without
    a break. It is of the same channel, for everybody and a single piece, in the same currency and with or without tax
    alike. A further reduction is a new one (the derogation of paragraph 5 is not used), so what is shown is lawful
    in every member state. When nothing applied in those 30 days there is no prior price, and none may be claimed.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

REFERENCE_PERIOD = timedelta(days=30)


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A price with what its list says."""

    price_list: UUID
    amount: int
    priority: int = 0
    min_quantity: int = 1
    channel: UUID | None = None
    customer_group: str | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """That an amount stood in a list from one moment to another; ``applied_to`` None: still."""

    price_list: UUID
    amount: int
    applied_from: datetime
    applied_to: datetime | None = None
    priority: int = 0
    channel: UUID | None = None


def choose(
    candidates: Sequence[Candidate],
    *,
    channel: UUID,
    quantity: int,
    at: datetime,
    customer_group: str | None = None,
) -> Candidate | None:
    """The price that applies, or None."""
    fitting = [
        c
        for c in candidates
        if c.channel in (None, channel)
        and (c.customer_group is None or c.customer_group == customer_group)
        and (c.valid_from is None or c.valid_from <= at)
        and (c.valid_to is None or at < c.valid_to)
        and c.min_quantity <= quantity
    ]

    def rank(c: Candidate) -> tuple[int, int, int, int, UUID]:
        specific = (c.channel is not None) + (c.customer_group is not None)
        return (-c.priority, -specific, -c.min_quantity, c.amount, c.price_list)

    return min(fitting, key=rank, default=None)


def applied_amount(history: Sequence[Applied], channel: UUID, at: datetime) -> int | None:
    """What a single piece cost everybody in a channel at a moment."""
    standing = [
        h
        for h in history
        if h.channel in (None, channel)
        and h.applied_from <= at
        and (h.applied_to is None or at < h.applied_to)
    ]
    chosen = min(
        standing,
        key=lambda h: (-h.priority, h.channel is None, h.amount, h.price_list),
        default=None,
    )
    return None if chosen is None else chosen.amount


def reference_price(history: Sequence[Applied], channel: UUID, at: datetime) -> int | None:
    """The lowest price of the 30 days before the amount that applies at ``at`` began to apply; None without one."""
    now = applied_amount(history, channel, at)
    turns = sorted({t for h in history for t in (h.applied_from, h.applied_to) if t is not None and t <= at})
    if now is None:
        return None
    began = at
    for turn in reversed(turns):
        if applied_amount(history, channel, turn) != now:
            break
        began = turn
    window = [began - REFERENCE_PERIOD, *(t for t in turns if began - REFERENCE_PERIOD < t < began)]
    amounts = [applied_amount(history, channel, t) for t in window]
    return min((amount for amount in amounts if amount is not None), default=None)
