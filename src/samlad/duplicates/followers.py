"""Whoever is new or whose details change is compared in process, within a second: trainings come once in a while."""

from collections.abc import Sequence
from uuid import UUID

from samlad import identity
from samlad.channels import Resource
from samlad.duplicates import pair_store, running, scoring, store
from samlad.kernel import jobs
from samlad.kernel.database import Tx
from samlad.kernel.followers import Follower
from samlad.kernel.jobs import JobContext, job
from samlad.kernel.log import Event

STRIDE = 200
COMPARED = ("name", "email", "phone")
"""Who is made without any of these cannot be compared yet."""


async def follow(tx: Tx, event: Event) -> None:
    """Keep an event for the end of the transaction, when all are looked at together. May be told twice, or late."""
    tx.collect(_look, event)


async def _look(tx: Tx, events: Sequence[Event]) -> None:
    details: set[UUID] = set()
    moved: set[UUID] = set()
    for event in events:
        details |= _whose(event)
        if event.type == "identity.customers_led":
            moved |= {UUID(each) for each in event.payload["customers"]}
        elif event.type == "profile.split" and event.payload.get("pin"):
            await _decided_elsewhere(tx, UUID(event.payload["pin"]))
        elif event.type == "customer.imported":
            pool = event.payload["pool"]
            await jobs.defer(
                tx, CATCH_UP, {"pool": pool}, queueing_lock=f"{CATCH_UP} {pool}", lock=f"{CATCH_UP} {pool}"
            )
        elif event.type == "pool.moved" and event.payload["resource"] == Resource.CUSTOMERS:
            await _moved(tx, event)
    if details:
        await scoring.refresh(tx, details)
    if moved:
        await scoring.rescore(tx, moved)


def _whose(event: Event) -> set[UUID]:
    """Whose details may be others than before."""
    if event.type == "order.placed":
        customer = event.payload.get("customer")
        return {UUID(customer)} if customer else set()
    if event.type == "privacy.erased":
        return {UUID(each) for each in event.payload["ids"]}
    is_customer = event.type == "customer.changed" or (
        event.type == "customer.created" and any(event.payload.get(field) for field in COMPARED)
    )
    return {event.subject} if is_customer and event.subject is not None else set()


async def _decided_elsewhere(tx: Tx, pin: UUID) -> None:
    """A person was taken apart on another page: by a decision, or by taking one back."""
    decision = await identity.decision(tx, pin)
    if decision is None:
        return
    if decision.retracted_at is not None:
        await pair_store.reopen_undone(tx, [pin])
    elif decision.kind == "apart":
        await pair_store.settle_apart(tx, pin, decision.actor, decision.left, decision.right)


async def _moved(tx: Tx, event: Event) -> None:
    """A channel's customers are among others now: they are compared with those by the model that is there.

    In a pool that no channel uses any more there is nobody left to compare.
    """
    pools = {UUID(event.payload["old"]), UUID(event.payload["new"])}
    for pool in sorted(await store.open_pools(tx, pools)):
        model = (await store.models_of(tx, [pool]))[pool].id
        await running.order(tx, pool, model)


CATCH_UP = "duplicates.catch-up"


@job(CATCH_UP)
async def catch_up(ctx: JobContext, pool: UUID) -> None:
    """Compare the customers of a large import, a stride a transaction: a long one would hold all followers up."""

    async def stride(tx: Tx) -> bool:
        await store.hold_pools(tx, [pool])
        raw = await store.without_card(tx, pool, None, STRIDE)
        await scoring.rescore(tx, await scoring.keep(tx, raw))
        return bool(raw)

    while await ctx.database.transaction(stride, ctx.context):
        pass


FOLLOWERS = [
    Follower(
        name="duplicates",
        handle=follow,
        types=(
            "customer.created",
            "customer.changed",
            "customer.imported",
            "order.placed",
            "identity.customers_led",
            "profile.split",
            "pool.moved",
            "privacy.erased",
        ),
        batch=50,
    )
]
