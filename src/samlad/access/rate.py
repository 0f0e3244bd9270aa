"""Rate limits: over all processes in the database, and a cheap one inside a process for anonymous reads."""

import time
from collections import OrderedDict

from samlad.kernel.database import Tx
from samlad.kernel.problems import TooMany


async def limit(tx: Tx, bucket: str, key: str, *, per: int, max: int) -> None:  # noqa: A002 - reads best at the call
    """Count one use of ``bucket`` by ``key``; at most ``max`` in a window of ``per`` seconds. One statement.

    The count rolls back with ``tx``: to limit failures (wrong codes), call it in a transaction of its own first.

    Raises:
        TooMany: with ``retry_after`` in seconds.
    """
    row = await tx.row(
        """
        INSERT INTO rate_window AS w (bucket, key, started_at, ends_at, used)
        VALUES ($1, $2, now(), now() + make_interval(secs => $3), 1)
        ON CONFLICT (bucket, key) DO UPDATE SET
            used = CASE WHEN w.ends_at <= now() THEN 1 ELSE least(w.used, 2000000000) + 1 END,
            started_at = CASE WHEN w.ends_at <= now() THEN now() ELSE w.started_at END,
            ends_at = CASE WHEN w.ends_at <= now() THEN now() + make_interval(secs => $3) ELSE w.ends_at END
        RETURNING used, ceil(extract(epoch FROM ends_at - now()))::int AS seconds
        """,
        bucket,
        key,
        float(per),
    )
    assert row is not None
    if row["used"] > max:
        raise TooMany(f"At most {max} in {per} seconds.", retry_after=min(per, row["seconds"]) or 1)


async def forget_old(tx: Tx) -> None:
    """Remove windows that are over."""
    await tx.execute("DELETE FROM rate_window WHERE ends_at < now()")


class LocalLimit:
    """A token bucket per key inside one process, in microseconds and bounded memory.

    Each key may burst ``burst`` uses and then gets ``per_second``. With several processes the true limit is a
    multiple: this protects the machine, `limit` protects a secret.
    """

    def __init__(self, *, per_second: float, burst: int, keys: int = 20_000) -> None:
        self._rate = per_second
        self._burst = float(burst)
        self._keys = keys
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def check(self, key: str) -> None:
        """Count one use.

        Raises:
            TooMany: with ``retry_after`` in seconds.
        """
        moment = time.monotonic()
        tokens, since = self._buckets.get(key, (self._burst, moment))
        tokens = min(self._burst, tokens + (moment - since) * self._rate)
        allowed = tokens >= 1
        self._buckets[key] = (tokens - 1 if allowed else tokens, moment)
        self._buckets.move_to_end(key)
        if len(self._buckets) > self._keys:
            self._buckets.popitem(last=False)
        if not allowed:
            raise TooMany("Slow down a little.", retry_after=max(1, round((1 - tokens) / self._rate)))
