"""Who waits too long is told by the channel's own clock: nights, weekends and holidays do not count."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import msgspec
from hypothesis import given
from hypothesis import strategies as st
from test_conversations import begin, change, say

from samlad import channels, conversations
from samlad.channels import Channel, ChannelChange, Interval, OpeningHours, hours
from samlad.channels.model import ExceptionalDay
from samlad.conversations import targets
from samlad.kernel.clock import now
from samlad.kernel.context import SYSTEM
from samlad.kernel.database import Database
from trade import build

WEEK = OpeningHours(
    weekly=[[Interval("09:00", "17:00")]] * 5 + [[], []],
    exceptions=[ExceptionalDay(date=date(2026, 11, 26), intervals=[])],
)
FRIDAY = datetime(2026, 11, 27, 10, 0, tzinfo=UTC)  # 11:00 in Stockholm; the Thursday before it was closed


async def test_only_opening_hours_count(db: Database) -> None:
    trade = await build(db)
    shop = msgspec.structs.replace(trade.web, opening_hours=WEEK, time_zone="Europe/Stockholm")

    def since(minutes: int, moment: datetime = FRIDAY) -> datetime | None:
        return hours.open_since(shop, moment, minutes * 60)

    assert since(60) == FRIDAY - timedelta(hours=1)
    assert since(120) == datetime(2026, 11, 27, 8, 0, tzinfo=UTC)
    assert since(180) == datetime(2026, 11, 25, 15, 0, tzinfo=UTC), "Wednesday at four"
    assert since(60, datetime(2026, 11, 29, 12, 0, tzinfo=UTC)) == datetime(2026, 11, 27, 15, 0, tzinfo=UTC)
    assert since(30 * 24 * 60) is None, "it is not open so long in so many days"
    always = msgspec.structs.replace(shop, opening_hours=None)
    assert hours.open_since(always, FRIDAY, 3_600) == FRIDAY - timedelta(hours=1)
    never = msgspec.structs.replace(shop, opening_hours=OpeningHours(weekly=[[]] * 7))
    assert hours.open_since(never, FRIDAY, 60) is None
    _holds(shop, FRIDAY, 600)


def _holds(shop: Channel, moment: datetime, minutes: int) -> None:
    """Counted minute by minute from there on, it was open for exactly so long."""
    since = hours.open_since(shop, moment, minutes * 60)
    if since is not None:
        steps = int((moment - since).total_seconds() // 60)
        assert sum(hours.is_open(shop, since + timedelta(minutes=n)) for n in range(steps)) == minutes


async def test_who_waits_too_long_is_seen(db: Database, api: httpx.AsyncClient) -> None:
    trade = await build(db)
    made, other = await begin(trade), await begin(trade, email="lo@example.org", subject="Other")

    async def overdue() -> int:
        return (await conversations.counts(db, SYSTEM)).overdue

    await db.rows(
        "UPDATE conversation SET waiting_since = now() - interval '3 hours' WHERE id = $1 RETURNING 1",
        made.id,
    )
    assert await overdue() == 0, "nobody promised anything"
    settings: dict[str, Any] = {"answer_minutes": 120}
    await db.transaction(
        lambda tx: channels.change(tx, trade.web.id, ChannelChange(settings=settings, opening_hours=None))
    )
    assert await overdue() == 1
    assert trade.web.id in await targets.cutoffs(db), "and those that inherit it"
    page = (await api.get("/admin/conversations?state=open")).text
    assert page.count("Too long") == 1
    assert "1 longer than promised" in (await api.get("/admin/overview/hints")).text
    assert (await api.get("/api/conversations/counts")).json()["overdue"] == 1
    # Put off, nobody waits; an answer ends it; a shop that was closed meanwhile had no time to answer.
    await change(trade, made, snoozed_until=now() + timedelta(hours=1))
    assert await overdue() == 0
    await change(trade, made, state="open")
    assert await overdue() == 0, "since when they wait is counted anew from what was said"
    await db.rows(
        "UPDATE conversation SET waiting_since = now() - interval '3 hours' WHERE id = $1 RETURNING 1",
        other.id,
    )
    assert await overdue() == 1
    closed = OpeningHours(weekly=[[]] * 7)
    await db.transaction(lambda tx: channels.change(tx, trade.web.id, ChannelChange(opening_hours=closed)))
    assert await overdue() == 0
    await db.transaction(lambda tx: channels.change(tx, trade.web.id, ChannelChange(opening_hours=None)))
    await say(trade, other, "Sorry for that.")
    assert await overdue() == 0


CLOCK = st.integers(0, 47).map(lambda half: f"{half // 2:02}:{half % 2 * 30:02}")


@given(
    st.lists(st.lists(st.builds(Interval, CLOCK, CLOCK), max_size=1), min_size=7, max_size=7),
    st.integers(0, 7 * 24 * 4),
    st.integers(1, 40).map(lambda quarters: quarters * 15),
)
def test_it_was_open_for_exactly_so_long(weekly: list[list[Interval]], quarters: int, minutes: int) -> None:
    moment = datetime(2026, 10, 26, tzinfo=UTC) + timedelta(minutes=15 * quarters)
    spans = OpeningHours(weekly=weekly)
    since = hours.since(spans, "Europe/Stockholm", moment, minutes * 60)
    if since is not None:
        steps = int((moment - since).total_seconds() // 60)
        open_minutes = sum(
            hours.is_within(spans, "Europe/Stockholm", since + timedelta(minutes=n))
            for n in range(0, steps, 15)
        )
        assert open_minutes * 15 == minutes
