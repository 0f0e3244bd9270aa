"""SQL of the tables ``client`` and ``follow_up``. Read over all customers that are one person."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from samlad.clienteling.model import Client, FollowUp
from samlad.kernel import inserts
from samlad.kernel.database import Reader, Tx
from samlad.kernel.listing import Filter, Listing, Sort, uuids

_MEMBERS = "ANY (customer_members(ARRAY[$1::uuid]))"
_HERE = "($1::uuid[] IS NULL OR {0}.location = ANY ($1)) AND ($2::uuid IS NULL OR {0}.staff = $2)"

CLIENTS = Listing(
    row=Client,
    select="""k.customer, c.name, c.email, c.phone, k.location, p.name AS location_name, k.staff, k.staff_name, k.since,
              (SELECT min(f.due_on) FROM follow_up f WHERE f.customer = ANY (customer_members(ARRAY[k.customer]))
               AND f.location = k.location AND f.done_at IS NULL) AS due_on""",
    source=f"""client k JOIN location p ON p.id = k.location JOIN customer a ON a.id = k.customer
               JOIN customer c ON c.id = coalesce(a.survivor, a.id) WHERE {_HERE.format("k")}
               AND NOT EXISTS (SELECT FROM client o WHERE o.customer = ANY (customer_members(ARRAY[k.customer]))
                   AND o.location = k.location AND (o.since, o.customer) > (k.since, k.customer))""",
    key="k.customer",
    sorts={"since": Sort("k.since", "timestamptz"), "name": Sort("coalesce(lower(c.name), '')")},
    default_sort="-since",
    filters={
        "staff": Filter("k.staff = ANY({}::uuid[])", uuids),
        "location": Filter("k.location = ANY({}::uuid[])", uuids),
        "customer": Filter("k.customer = ANY(customer_members({}::uuid[]))", uuids),
    },
)
"""Whom clerks look after; scoped to locations (null: all) and to one clerk (null: all).

Of customers that are one person each store has one line, whose clerk is as `clerk_of` says; taken apart each has their own again.
"""

_TASK = """f.id, f.customer, c.name AS customer_name, f.location, p.name AS location_name, f.staff, f.staff_name, f.text,
           f.due_on, f.made_at, f.done_at, f.done_by"""
_TASKS = """follow_up f JOIN location p ON p.id = f.location JOIN customer a ON a.id = f.customer
            JOIN customer c ON c.id = coalesce(a.survivor, a.id)"""

FOLLOW_UPS = Listing(
    row=FollowUp,
    select=_TASK,
    source=f"{_TASKS} WHERE {_HERE.format('f')}",
    key="f.id",
    sorts={"due_on": Sort("f.due_on", "date"), "made_at": Sort("f.made_at", "timestamptz")},
    default_sort="due_on",
    filters={
        "staff": Filter("f.staff = ANY({}::uuid[])", uuids),
        "location": Filter("f.location = ANY({}::uuid[])", uuids),
        "customer": Filter("f.customer = ANY(customer_members({}::uuid[]))", uuids),
        "open": Filter("(f.done_at IS NULL) = ({} = 'true')"),
        "due": Filter("f.due_on <= {}", date.fromisoformat),
    },
)
"""Tasks, what is due first first; scoped as `CLIENTS`."""


async def assign(tx: Tx, customer: UUID, location: UUID, channel: UUID, staff: UUID, name: str) -> bool:
    """Let a clerk look after a person in a store; False if they do already. Whoever did before does not any more."""
    await tx.execute(
        f"DELETE FROM client WHERE customer = {_MEMBERS} AND customer <> $1 AND location = $2",
        customer,
        location,
    )
    return bool(
        await tx.execute(
            """INSERT INTO client AS k (customer, location, channel, staff, staff_name) VALUES ($1, $2, $3, $4, $5)
               ON CONFLICT (customer, location)
               DO UPDATE SET staff = excluded.staff, staff_name = excluded.staff_name, since = now()
               WHERE k.staff <> excluded.staff""",
            customer,
            location,
            channel,
            staff,
            name,
        )
    )


async def release(tx: Tx, customer: UUID, location: UUID, staff: UUID | None) -> bool:
    """Let nobody look after a person in a store; with ``staff`` only if it is they. False if nobody did."""
    return bool(
        await tx.execute(
            f"DELETE FROM client WHERE customer = {_MEMBERS} AND location = $2 AND ($3::uuid IS NULL OR staff = $3)",
            customer,
            location,
            staff,
        )
    )


async def release_all(tx: Tx, ids: Sequence[UUID]) -> list[tuple[UUID, list[UUID]]]:
    """Let nobody look after customers with these ids: those whom somebody did, and in which stores."""
    rows = await tx.rows(
        """WITH gone AS (DELETE FROM client WHERE customer = ANY ($1) RETURNING customer, location)
           SELECT customer, array_agg(location ORDER BY location) AS locations FROM gone GROUP BY 1 ORDER BY 1""",
        list(ids),
    )
    return [(row["customer"], row["locations"]) for row in rows]


async def clerk_of(reader: Reader, customer: UUID, location: UUID) -> tuple[UUID, str] | None:
    """Who looks after a person in a store: id and name, or None."""
    row = await reader.row(
        f"""SELECT staff, staff_name FROM client WHERE customer = {_MEMBERS} AND location = $2
            ORDER BY since DESC, customer DESC LIMIT 1""",
        customer,
        location,
    )
    return None if row is None else (row["staff"], row["staff_name"])


async def add_task(tx: Tx, values: dict[str, Any]) -> None:
    """Keep a task."""
    await inserts.insert(tx, "follow_up", values)


async def task(reader: Reader, task_id: UUID) -> FollowUp | None:
    """A task, or None."""
    return await reader.one(FollowUp, f"SELECT {_TASK} FROM {_TASKS} WHERE f.id = $1", task_id)


async def finish(tx: Tx, task_id: UUID, by: str) -> bool:
    """Note that a task is done; False if it was."""
    return bool(
        await tx.execute(
            "UPDATE follow_up SET done_at = now(), done_by = $2 WHERE id = $1 AND done_at IS NULL",
            task_id,
            by,
        )
    )


async def reopen(tx: Tx, task_id: UUID) -> bool:
    """Note that a task is not done; False if it was not."""
    return bool(
        await tx.execute(
            "UPDATE follow_up SET done_at = NULL, done_by = NULL WHERE id = $1 AND done_at IS NOT NULL",
            task_id,
        )
    )
