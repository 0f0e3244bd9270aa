"""What Python clients send, as PyPI has them: python send.py CLIENT URL KEY COUNT [REQUESTS AT ONCE]"""

import sys
from datetime import UTC, datetime, timedelta
from typing import Any

client, url, key, count, *more = sys.argv[1:]
at_once = int(more[0]) if more else 1
traits = {"email": "kim@example.org", "plan": "gold"}
start = datetime.now(UTC) - timedelta(minutes=10)


def at(number: int) -> datetime:
    return start + timedelta(seconds=number * 20)


def send(analytics: Any) -> None:
    analytics.identify("kim", traits, timestamp=at(0))
    for number in range(1, int(count) + 1):
        analytics.track("kim", "Product Added", {"n": number}, timestamp=at(number))
    analytics.page("kim", name="Front")
    analytics.group("kim", "acme", {"size": 3})
    analytics.alias("anon-1", "kim")
    analytics.flush()
    analytics.shutdown()


if client == "segment":
    from segment.analytics import Client

    send(
        Client(
            key,
            host=url,
            upload_size=5,
            upload_interval=0.1,
            thread=at_once,
            on_error=lambda *error: sys.exit(str(error)),
        )
    )
else:
    from rudderstack.analytics import Client as RudderClient

    send(RudderClient(key, host=url, upload_size=5, upload_interval=0.1, thread=at_once))
