"""The job behind a request. It can die anywhere: what is done is noted in the transaction that does it.

An erasure takes its person down once, sealed with a key of its own, because what finds the person is what it erases. With the
last table that key is destroyed, and so is that of every export of theirs: copies of those in backups are noise from then on.
"""

import asyncio
from datetime import timedelta
from uuid import UUID

import msgspec

from samlad import customers
from samlad.access import audit
from samlad.kernel import log, personal, remembering, vault
from samlad.kernel.clock import now
from samlad.kernel.database import Database, Tx
from samlad.kernel.jobs import JobContext, job
from samlad.kernel.personal import Holding, Person
from samlad.kernel.sweepers import Sweeper
from samlad.kernel.vault import Vault
from samlad.privacy import archive, people, pieces, store
from samlad.privacy.events import Collected, Erased, Refused
from samlad.privacy.holdings import BLOCKERS, HOLDINGS
from samlad.privacy.model import PrivacyRequest, RequestKind, RequestState
from samlad.privacy.pieces import secret_name
from samlad.privacy.service import JOB

EXPORT_KEPT = timedelta(days=30)
SETTLE_SECONDS = 5
"""Other processes know tombstones after two seconds (`samlad.tracking.known`), and events land within one."""
STEP_SECONDS = 600
"""A table may take this long: what has no index for a person is read from end to end."""


@job(JOB)
async def run(ctx: JobContext, request: UUID) -> None:
    """Do what a request asks for; from where it was if it had begun."""
    keys = Vault.of(ctx.settings)
    found = await store.get(ctx.database, request)
    if found is None or found.state not in (RequestState.WAITING, RequestState.RUNNING):
        return
    if found.kind == RequestKind.ACCESS:
        await collect(ctx.database, keys, request)
    elif await _begin(ctx.database, keys, request) is not None:
        # Until every process knows the tombstones, and what came in before them has landed.
        await asyncio.sleep(SETTLE_SECONDS)
        await erase(ctx.database, keys, request)


# -- access ------------------------------------------------------------------------------------------------------------


async def collect(database: Database, keys: Vault, request: UUID) -> None:
    """Put everything that is known of a person into one export."""

    async def work(tx: Tx) -> None:
        await tx.execute(f"SET LOCAL statement_timeout = '{STEP_SECONDS}s'")
        held = await store.lock(tx, request)
        if held is None or held.state not in (RequestState.WAITING, RequestState.RUNNING):
            return
        person = await people.find(tx, held.person)
        made_at = now()
        shown = [holding for holding in HOLDINGS if holding.is_shown]
        keeping = pieces.Keeping(tx, request)
        packed = await archive.pack(tx, shown, person, made_at, keeping.put)
        expires_at = made_at + EXPORT_KEPT
        await store.set_state(
            tx,
            request,
            state="done",
            steps=held.total,
            counts=packed.counts,
            kept=packed.kept,
            sealed=await keeping.end(keys),
            ended_at=made_at,
            expires_at=expires_at,
        )
        counts = packed.counts
        fact = Collected(expires_at=expires_at, rows=sum(counts.values()))
        log.append(tx, fact, subject=request, profile=held.person)
        audit.record(tx, "privacy.collected", "privacy_request", request, after={"tables": sorted(counts)})

    await database.transaction(work)


# -- erasure -----------------------------------------------------------------------------------------------------------


async def erase(database: Database, keys: Vault, request: UUID) -> None:
    """Take a person out of every table, one transaction each, and then forget who it was."""
    person = await erase_steps(database, keys, request, len(HOLDINGS))
    if person is not None:
        await database.transaction(lambda tx: _end(tx, request, person))
        remembering.forget_all()


async def erase_steps(database: Database, keys: Vault, request: UUID, until: int) -> Person | None:
    """Take a person out of the first tables, as far as that is not done; None: there is nothing to do."""
    person = await _begin(database, keys, request)
    found = await store.get(database, request)
    if person is None or found is None:
        return None
    for place in range(found.steps, until):
        await _step(database, request, place, HOLDINGS[place], person)
    return person


async def _begin(database: Database, keys: Vault, request: UUID) -> Person | None:
    """Find out who it is, before anything is erased, and let nothing of theirs come in again."""

    async def work(tx: Tx) -> Person | None:
        await tx.execute(f"SET LOCAL statement_timeout = '{STEP_SECONDS}s'")
        held = await store.lock(tx, request)
        if held is None or held.state not in (RequestState.WAITING, RequestState.RUNNING):
            return None
        if held.state == RequestState.RUNNING:
            sealed = await store.sealed_of(tx, request)
            assert sealed is not None
            own = await vault.get(tx, keys, secret_name(request))
            return msgspec.json.decode(Vault([own]).open(secret_name(request), sealed), type=_Sealed).person()
        person = await people.find(tx, held.person)
        reasons = []
        for blocker in BLOCKERS:
            under_way = await personal.blocked(tx, blocker, person)
            if under_way:
                reasons.append(f"{blocker.about}: {', '.join(under_way[:20])}")
        if reasons:
            await _refuse(tx, held, "; ".join(reasons))
            return None
        sealed = await pieces.seal(tx, keys, request, msgspec.json.encode(person))
        await store.set_state(tx, request, state="running", sealed=sealed)
        await customers.tombstones.bury(tx, person.texts)
        return person

    return await database.transaction(work)


class _Sealed(msgspec.Struct):
    """A `Person` as JSON has it."""

    ids: list[UUID]
    texts: list[str]
    needles: list[str]
    things: list[UUID]

    def person(self) -> Person:
        return Person(ids=self.ids, texts=self.texts, needles=self.needles, things=self.things)


async def _refuse(tx: Tx, held: PrivacyRequest, reason: str) -> None:
    await store.set_state(tx, held.id, state="refused", reason=reason, ended_at=now())
    log.append(tx, Refused(kind=held.kind), subject=held.id, profile=held.person)
    audit.record(tx, "privacy.erasure_refused", "privacy_request", held.id, after={"reason": reason})


async def _step(database: Database, request: UUID, place: int, holding: Holding, person: Person) -> None:
    async def work(tx: Tx) -> None:
        await tx.execute(f"SET LOCAL statement_timeout = '{STEP_SECONDS}s'")
        held = await store.lock(tx, request)
        if held is None or held.state != RequestState.RUNNING or held.steps != place:
            return  # another worker was here
        if holding.erase is None:
            kept = await personal.count(tx, holding, person)
            await store.step(tx, request, place, {}, {holding.table: kept} if kept else {})
            return
        gone = await personal.erase(tx, holding, person)
        await store.step(tx, request, place, {holding.table: gone} if gone else {}, {})

    await database.transaction(work)


async def _end(tx: Tx, request: UUID, person: Person) -> None:
    held = await store.lock(tx, request)
    if held is None or held.state != RequestState.RUNNING:
        return
    for export in await store.exports_of(tx, person.ids):
        await pieces.forget(tx, export)
    await vault.remove(tx, secret_name(request))
    after = await store.set_state(tx, request, state="done", sealed=None, ended_at=now())
    fact = Erased(counts=after.counts, kept=after.kept, ids=person.ids)
    log.append(tx, fact, subject=request, profile=held.person)
    audit.record(
        tx, "privacy.erased", "privacy_request", request, after={"rows": after.counts, "kept": after.kept}
    )


# -- exports are kept for a while --------------------------------------------------------------------------------------


async def sweep(database: Database) -> int:
    """Forget exports that are kept no longer; how many."""
    old = await store.expired(database, now())

    async def work(tx: Tx) -> None:
        for request in old:
            if await store.lock(tx, request) is not None:
                await pieces.forget(tx, request)

    if old:
        await database.transaction(work)
    return len(old)


SWEEPERS = [Sweeper("privacy", 3_600, sweep)]
