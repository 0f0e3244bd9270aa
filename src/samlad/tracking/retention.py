"""How long events are kept, and forgetting single ones."""

from uuid import UUID

from samlad.access import audit
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.database import Database, Tx
from samlad.kernel.problems import NotFound
from samlad.kernel.sweepers import Sweeper
from samlad.tracking import retention_store as store
from samlad.tracking.events import EventDeleted, EventsForgotten, RetentionRemoved, RetentionSet
from samlad.tracking.model import RetentionInput, RetentionRule
from samlad.tracking.permissions import CHANGE, DELETE

BATCH = 2_000


async def set_rule(tx: Tx, data: RetentionInput) -> RetentionRule:
    """Say how long events of a type and name are kept; again replaces it. The rule that names most holds."""
    tx.actor.require(CHANGE)
    rule, is_changed = await store.set_rule(tx, data)
    if is_changed:
        log.append(tx, RetentionSet(type=rule.type, name=rule.name, days=rule.days), subject=rule.id)
        audit.record(tx, "tracking_retention.set", "tracking_retention", rule.id, after=rule)
    return rule


async def remove_rule(tx: Tx, rule: UUID) -> None:
    """Keep such events as long as the other rules say.

    Raises:
        NotFound: there is no such rule.
    """
    tx.actor.require(CHANGE)
    removed = await store.delete_rule(tx, rule)
    if removed is None:
        raise NotFound("There is no such rule.")
    log.append(tx, RetentionRemoved(type=removed.type, name=removed.name), subject=rule)
    audit.record(tx, "tracking_retention.removed", "tracking_retention", rule, before=removed)


async def delete_event(tx: Tx, event: UUID) -> None:
    """Forget one event. Its message is never taken again, whenever a client sends it once more.

    Raises:
        NotFound: there is no such event (any more).
    """
    tx.actor.require(DELETE)
    gone = await store.delete_event(tx, event)
    if gone is None:
        raise NotFound("There is no such event.")
    fact = EventDeleted(type=gone.type, name=gone.name, identity=gone.identity)
    log.append(tx, fact, subject=event)
    audit.record(tx, "tracked_event.deleted", "tracked_event", event, after={"type": gone.type})


async def sweep(database: Database) -> int:
    """Forget events whose time is over, those first that are oldest; how many."""

    async def work(tx: Tx) -> int:
        gone = await store.forget(tx, now(), BATCH)
        for each in gone:
            fact = EventsForgotten(events=each.events, names=tuple(each.names), has_others=each.has_others)
            log.append(tx, fact, subject=each.rule)
            told = {"events": each.events}
            audit.record(tx, "tracking_retention.forgotten", "tracking_retention", each.rule, after=told)
        return sum(each.events for each in gone)

    total = 0
    while True:
        count = await database.transaction(work)
        total += count
        if count < BATCH:
            return total


SWEEPERS = [Sweeper("tracking.retention", 3_600, sweep)]
