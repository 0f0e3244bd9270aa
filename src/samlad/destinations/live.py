"""Followers and jobs: who came, went, agreed, said no, changed or was erased is looked at, and what is due is sent."""

from uuid import UUID

from samlad.audiences import touched
from samlad.destinations import service, store, syncing
from samlad.kernel import clock
from samlad.kernel.database import Tx
from samlad.kernel.followers import Follower
from samlad.kernel.jobs import JobContext, job, periodic
from samlad.kernel.log import Event
from samlad.kernel.vault import Vault

MEMBERS = ("segment.entered", "segment.left")
WHOLE = ("segment.deleted", "segment.restored")
PEOPLE = ("consent.recorded", "customer.changed", "privacy.erased", *touched.IDENTITY)
"""A merge brings the *no* of one to the other, who stays in the segment; taking them apart gives each their own."""
PURPOSE = "consent.purpose-changed"


async def follow(tx: Tx, event: Event) -> None:
    """Keep an event for the end of the transaction, when all are looked at together."""
    tx.collect(_look, event)


async def _look(tx: Tx, events: list[Event]) -> None:
    hit: set[UUID] = set()
    by_segment: dict[UUID, set[UUID]] = {}
    for event in events:
        if event.type in MEMBERS and event.subject is not None:
            people = {UUID(each) for each in event.payload["people"]}
            by_segment.setdefault(event.subject, set()).update(people)
        elif event.type in WHOLE and event.subject is not None:
            for each in await store.of_segment(tx, event.subject):
                await store.mark_everybody(tx, each)
                hit.add(each)
    if any(event.type == PURPOSE for event in events):
        for each in await store.open_ones(tx):
            await store.mark_everybody(tx, each)
            hit.add(each)
    for segment, people in sorted(by_segment.items()):
        hit |= set(await store.mark_segment(tx, segment, sorted(people)))
    others = [event for event in events if event.type in PEOPLE]
    if others:
        found = await touched.people(tx, others, set())
        about = set().union(*found.values()) if found else set()
        if about:
            hit |= set(await store.mark_people(tx, sorted(about)))
    await service.wake(tx, sorted(hit))


FOLLOWERS = [
    Follower(name="destinations", handle=follow, types=(*MEMBERS, *WHOLE, *PEOPLE, PURPOSE), batch=200)
]


@job("destinations.sync")
async def sync(ctx: JobContext, destination: UUID) -> None:
    """Send what is due to one receiver. Failures wait in the table, not in the queue: they are on the page."""
    await syncing.sync(ctx.database, Vault.of(ctx.settings), ctx.settings.home, destination)


@job("destinations.due")
@periodic("* * * * *")
async def due(ctx: JobContext) -> None:
    """Each minute: whoever waits and may be tried again. A slow receiver holds up no other: each has a job of its own."""
    ready = await store.ready(ctx.database, clock.now())
    await ctx.database.transaction(lambda tx: service.wake(tx, ready))


@job("destinations.nightly")
@periodic("40 2 * * *")
async def nightly(ctx: JobContext) -> None:
    """Each night everybody is looked at: consents end by the clock, and nobody tells."""
    for each in await store.open_ones(ctx.database):
        await ctx.database.transaction(lambda tx, one=each: store.mark_everybody(tx, one))  # type: ignore[misc]
