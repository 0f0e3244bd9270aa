"""Bringing a receiver in line: who is due is looked at, what differs is noted, sent, and confirmed.

What is to be added is written down before it is sent: whoever is killed in the middle leaves behind what the receiver may
have, so that it can be removed. Consent is asked in the transaction that makes the batch.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog

from samlad.audiences.compiling import compiled
from samlad.audiences.conditions import Consented
from samlad.destinations import rules, store
from samlad.destinations.events import DestinationSent
from samlad.destinations.model import Changes, Destination, Entry, State
from samlad.destinations.secrets import forget_secrets, whole_config
from samlad.destinations.strategies import STRATEGIES, Act, OutsideError, Refused, Sending
from samlad.kernel import clock, log
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.outside import PUBLIC, Gate
from samlad.kernel.vault import CannotOpen, Vault

PEOPLE = 1_000
"""In a batch; receivers take ten times as many."""
LEASE = timedelta(minutes=2)
MOST_TURNS = 50
"""Batches of one job: the next job goes on."""

logger = structlog.get_logger("samlad.destinations")


async def sync(database: Database, vault: Vault, home: Path, destination: UUID, gate: Gate = PUBLIC) -> bool:
    """Send what is due, batch by batch; whether more is waiting."""
    for _ in range(MOST_TURNS):
        if not await _turn(database, vault, home, destination, gate):
            return False
    return True


async def _turn(database: Database, vault: Vault, home: Path, this: UUID, gate: Gate) -> bool:
    """One batch; False if nothing is waiting, another sends, or it failed."""
    who, batch = new_id(), new_id()
    if not await database.transaction(lambda tx: store.lease(tx, this, who, clock.now(), LEASE)):
        return False
    destination = await store.get(database, this)
    assert destination is not None
    marks = await store.due(database, this, PEOPLE)
    if not marks:
        await database.transaction(lambda tx: _rest(tx, destination, who))
        return False
    people = [each.person for each in marks]
    changes = await database.transaction(lambda tx: _prepare(tx, destination, batch, people))
    reference, error, retry_after = None, None, None
    try:
        sending = Sending(this, batch, await whole_config(database, vault, destination), home, gate)
        reference = await _send(database, sending, destination, changes)
    except (Refused, OutsideError) as caught:
        error, retry_after = caught.reason[:500], getattr(caught, "retry_after", None)
    except CannotOpen as caught:
        error = str(caught)[:500]
    failures = 0 if error is None else destination.failures + 1
    now = clock.now()
    next_at = None if error is None else now + rules.pause(failures, retry_after, now)

    async def finish(tx: Tx) -> None:
        if error is None:
            await store.forget(tx, this, changes.held)
            await store.done(tx, this, marks)
        if changes.adds or changes.removes:
            await store.end_batch(tx, batch, error, reference)
            if error is None:
                fact = DestinationSent(batch=batch, added=len(changes.adds), removed=len(changes.removes))
                log.append(tx, fact, subject=this)
        await store.release(tx, this, who, error=error, failures=failures, next_at=next_at)

    await database.transaction(finish)
    if error is not None:
        logger.warning("an audience was not taken", destination=str(this), error=error, failures=failures)
    return error is None


async def _rest(tx: Tx, destination: Destination, who: UUID) -> None:
    await store.release(tx, destination.id, who, error=None, failures=0, next_at=None)
    if destination.state is State.ENDING and await store.close(tx, destination.id):
        await forget_secrets(tx, destination.id)


async def _prepare(tx: Tx, destination: Destination, batch: UUID, people: list[UUID]) -> Changes:
    changes = await changes_of(tx, destination, people)
    await store.intend(tx, destination.id, changes.adds)
    if changes.adds or changes.removes:
        await store.note_batch(tx, batch, destination.id, len(changes.adds), len(changes.removes))
    return changes


async def _send(
    database: Database, sending: Sending, destination: Destination, changes: Changes
) -> str | None:
    """Removals first: they are what somebody may be waiting for."""
    strategy, reference = STRATEGIES[destination.strategy], None
    acts: tuple[tuple[Act, list[Entry]], ...] = (("remove", changes.removes), ("add", changes.adds))
    for act, entries in acts:
        if entries:
            reference = await strategy.send(sending, act, entries)
            verb = store.forget if act == "remove" else store.confirm
            await database.transaction(lambda tx, v=verb, e=entries: v(tx, destination.id, e))  # type: ignore[misc]
    return reference


async def changes_of(reader: Reader, destination: Destination, people: list[UUID]) -> Changes:
    """What would bring the receiver in line for these people, as things are now."""
    style = STRATEGIES[destination.strategy].style
    wanted: dict[UUID, rules.Digests] = {}
    without_consent = 0
    if destination.state is not State.ENDING:
        rows = await _contacts(reader, destination, people)
        for row in rows:
            if row["may"]:
                mine = rules.digests(row["email"], row["phone"], row["country"], style)
                wanted.setdefault(row["person"], set()).update(mine)
        without_consent = len({row["person"] for row in rows if not row["may"]})
    without_contact = sum(not each for each in wanted.values())
    sent = await store.sent(reader, destination.id, people)
    gone = [digest for have in sent.values() for _, digest in have]
    elsewhere = await store.elsewhere(reader, destination.id, people, gone) if gone else set()
    return rules.changes(
        wanted, sent, elsewhere, without_consent=without_consent, without_contact=without_contact
    )


async def _contacts(reader: Reader, destination: Destination, people: list[UUID]) -> list[Any]:
    """Addresses and numbers of those who are in the segment, and whether they have agreed, as it holds now.

    To what nobody is asked for nobody has agreed.
    """
    consent = Consented(purpose=destination.purpose, channel=destination.channel)
    with_, args = compiled(consent, destination.pool, clock.now(), "UTC", people=people)
    number = len(args)
    return await reader.rows(
        f"""WITH {with_}
            SELECT m.person, coalesce(t.is_in, false) AND NOT q.is_always AS may, c.email, c.phone, c.country
            FROM segment_member m JOIN segment s ON s.id = m.segment AND s.deleted_at IS NULL
                 JOIN consent_purpose q ON q.code = ${number + 3}
                 LEFT JOIN truth t ON t.person = m.person
                 JOIN customer c ON c.id = ANY (customer_members(ARRAY[m.person]))
            WHERE m.segment = ${number + 1} AND m.person = ANY (${number + 2})""",
        *args,
        destination.segment,
        people,
        destination.purpose,
    )
