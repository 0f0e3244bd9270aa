"""What our own customer rows say is seen too: that a number and an e-mail address belong to them.

Following instead of observing in their own transaction keeps placing an order at its number of statements.
"""

import hashlib
from uuid import UUID

import msgspec

from samlad import customers
from samlad.customers import Customer
from samlad.identity import decision_store, profile_store, store
from samlad.identity.evidence import Key
from samlad.identity.model import FIELDS, Kind, PinKind, Sighting
from samlad.identity.normalising import identifier
from samlad.identity.observing import observe
from samlad.identity.preparing import CUSTOMERS, sighting_of_customer
from samlad.identity.projecting import Cause, project
from samlad.identity.views import FieldValue
from samlad.kernel import jobs
from samlad.kernel.database import Tx
from samlad.kernel.followers import Follower
from samlad.kernel.jobs import JobContext, job
from samlad.kernel.log import Event

STRIDE, STRIDES = 500, 4
"""Customers at a time, and how many times in the follower's own transaction."""


async def follow(tx: Tx, event: Event) -> None:
    """Observe what an event says of a customer. May be told twice, or late."""
    if event.type == "customer.imported":
        pool = UUID(event.payload["pool"])
        if await _catch_up(tx, pool, STRIDES):
            await jobs.defer(
                tx, "identity.catch-up", {"pool": pool}, queueing_lock=f"identity.catch-up {pool}"
            )
        return
    tx.collect(_handle, event)


async def _handle(tx: Tx, events: list[Event]) -> None:
    """Observe what all of these say in one go, whatever came first: who is who does not depend on it."""
    events = [event for event in events if not _is_old_news(event)]
    if not events:
        return
    rows = await customers.get_many(tx, {event.subject for event in events if event.subject is not None})
    told = [(event, rows[event.subject]) for event in events if event.subject in rows]
    said = [_said(event) for event, _ in told]
    await observe(tx, [_sighting(row, event, of) for (event, row), of in zip(told, said, strict=True)])
    values = [value for (event, row), of in zip(told, said, strict=True) for value in _values(row, event, of)]
    await profile_store.add_values(tx, values)
    for (event, row), of in zip(told, said, strict=True):
        if event.type == "customer.changed" and "external_id" in of:
            await _renumber(
                tx, event, row, (event.payload.get("before") or {}).get("external_id"), of["external_id"]
            )


def _is_old_news(event: Event) -> bool:
    """Whether a row was made here, of what was seen, and says nothing else."""
    told = event.payload
    return bool(told.get("is_seen")) and not any(told.get(field) is not None for field in FIELDS)


def _said(event: Event) -> dict[str, str | None]:
    """The fields that an event tells, with their values."""
    told = event.payload if event.type == "customer.created" else event.payload.get("after") or {}
    return {name: told.get(name) for name in (*FIELDS, "external_id") if name in told}


def _sighting(row: Customer, event: Event, said: dict[str, str | None]) -> Sighting:
    as_told = msgspec.structs.replace(
        row, **{name: said.get(name) for name in ("external_id", "email", "phone")}
    )
    return sighting_of_customer(as_told, event.occurred_at, str(event.id))


def _values(row: Customer, event: Event, said: dict[str, str | None]) -> list[FieldValue]:
    return [
        FieldValue(
            customer=row.id,
            field=field,
            value=said[field],
            source=CUSTOMERS,
            event_id=str(event.id),
            channel=event.channel,
            observed_at=event.occurred_at,
        )
        for field in FIELDS
        if field in said and (said[field] is not None or event.type == "customer.changed")
    ]


async def _renumber(tx: Tx, event: Event, row: Customer, old: str | None, new: str | None) -> None:
    """Whose number was changed does not have the old one any more: that may be another's."""
    keys = {
        number: (row.pool, Key(Kind.EXTERNAL_ID, value))
        for number in (old, new)
        if number is not None and (value := identifier(Kind.EXTERNAL_ID, number)) is not None
    }
    nodes = await store.nodes_of(tx, keys.values())
    touched = {row.id}
    if new in keys and keys[new] in nodes:
        number = nodes[keys[new]].id
        await decision_store.retract_between(tx, PinKind.APART, row.id, number, "The number was given back.")
        touched.add(number)
    if old in keys and keys[old] in nodes:
        number = nodes[keys[old]].id
        pin = UUID(bytes=hashlib.blake2b(event.id.bytes, digest_size=16).digest())
        await decision_store.add(
            tx, pin, row.pool, PinKind.APART, [row.id], [number], "The customer got another number."
        )
        touched.add(number)
    await project(tx, row.pool, touched, cause=Cause("decided"))


async def _catch_up(tx: Tx, pool: UUID, strides: int) -> bool:
    """Observe customers of a pool that are not known here: imports tell only how many there were. Whether more wait."""
    for _ in range(strides):
        rows = await profile_store.unseen(tx, pool, STRIDE)
        if not rows:
            return False
        await observe(tx, [sighting_of_customer(row, row.created_at, str(row.id)) for row in rows])
        values = [
            FieldValue(
                customer=row.id,
                field=field,
                value=value,
                source=CUSTOMERS,
                event_id=str(row.id),
                channel=None,
                observed_at=row.created_at,
            )
            for row in rows
            for field in FIELDS
            if (value := getattr(row, field)) is not None
        ]
        await profile_store.add_values(tx, values)
    return True


@job("identity.catch-up")
async def catch_up(ctx: JobContext, pool: UUID) -> None:
    """Observe the customers of a large import, a stride a transaction: a long one would hold all followers up."""
    while await ctx.database.transaction(lambda tx: _catch_up(tx, pool, 1), ctx.context):
        pass


FOLLOWERS = [
    Follower(
        name="identity",
        handle=follow,
        types=("customer.created", "customer.changed", "customer.imported"),
        batch=500,
    )
]
