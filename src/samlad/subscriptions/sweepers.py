"""What the worker does about subscriptions again and again: whatever is due, in every worker, for ever."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, timedelta
from functools import partial
from uuid import UUID

import structlog

from samlad import channels
from samlad.channels import Channel, ChannelStatus
from samlad.kernel.clock import local_day, now
from samlad.kernel.context import SYSTEM, Context
from samlad.kernel.database import Database, Tx
from samlad.kernel.problems import Busy, OutcomeUnknown
from samlad.kernel.sweepers import Sweeper
from samlad.subscriptions import notices, renewals, rules, service, store
from samlad.subscriptions.dunning import LOOK_AGAIN
from samlad.subscriptions.model import Status

SECONDS = 20.0
BATCH = 100
CONTEXT = Context(actor=SYSTEM)

logger = structlog.get_logger("samlad.subscriptions")


async def sweep(database: Database) -> int:
    """Let go on what was paused until today, place what is due, and tell of what comes; how many it looked at.

    Channels that are not active order nothing: what becomes due there waits until they are.
    """
    open_now = [c for c in await channels.cached_all(database) if c.status is ChannelStatus.ACTIVE]
    if not open_now:
        return 0
    total = await _resume(database, open_now)
    total += await _renew(database, open_now)
    return total + await _tell(database, open_now)


async def _resume(database: Database, places: Sequence[Channel]) -> int:
    days = {place.id: local_day(now(), place.time_zone) for place in places}
    found = await store.to_resume(database, days, BATCH)
    return await _each(database, found, go_on)


async def go_on(tx: Tx, subscription: UUID) -> None:
    """A pause is over."""
    found = await store.lock(tx, subscription, if_free=True)
    if found is None or found.status is not Status.PAUSED or found.resume_on is None:
        return
    channel = await channels.cached(tx, found.channel)
    if found.resume_on <= local_day(now(), channel.time_zone):
        await service.go_on(tx, found, channel)


async def _tell(database: Database, places: Sequence[Channel]) -> int:
    today = {place.id: local_day(now(), place.time_zone) for place in places}
    rise: dict[UUID, tuple[date, date]] = {}
    comes: dict[UUID, date] = {}
    for place in places:
        ahead = int(place.setting("subscription_price_notice_days"))
        rise[place.id] = (today[place.id] + timedelta(days=2 * ahead), today[place.id])
        comes[place.id] = today[place.id] + timedelta(days=place.setting("subscription_notice_days"))
    total = await _each(database, await store.to_compare(database, rise, BATCH), notices.compare_prices)
    return total + await _each(database, await store.to_tell(database, comes, BATCH), notices.tell_upcoming)


async def _each(
    database: Database, found: Sequence[UUID], work: Callable[[Tx, UUID], Awaitable[None]]
) -> int:
    """Each in a transaction of its own, so that one that fails holds up no other."""
    for subscription in found:
        try:
            await database.transaction(partial(_with, work, subscription), CONTEXT)
        except (Busy, OutcomeUnknown):
            raise
        except Exception as error:  # noqa: BLE001 - the others go on
            logger.warning("a subscription failed", subscription=str(subscription), error=str(error))
    return len(found)


async def _with(work: Callable[[Tx, UUID], Awaitable[None]], subscription: UUID, tx: Tx) -> None:
    await work(tx, subscription)


async def _renew(database: Database, places: Sequence[Channel]) -> int:
    moment = now()
    days = {
        place.id: rules.due_day(moment, place.setting("subscription_hour"), place.time_zone)
        for place in places
    }
    found = await store.due(database, days, moment, BATCH)
    for subscription in found:
        try:
            await renewals.renew(database, subscription)
        except (Busy, OutcomeUnknown):
            raise
        except Exception as error:  # noqa: BLE001 - the others go on
            logger.warning("a renewal failed", subscription=str(subscription), error=str(error))
            # Nobody has foreseen this, so nothing was written down: it must not stand before the others for ever.
            later = {"retry_at": moment + LOOK_AGAIN}
            await database.transaction(partial(store.note, subscription=subscription, values=later), CONTEXT)
    return len(found)


SWEEPERS = [Sweeper("subscriptions", SECONDS, sweep)]
