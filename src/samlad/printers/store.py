"""SQL of printers and their queue."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.jobs import delete_in_batches
from samlad.kernel.listing import Filter, Listing, Sort, texts, uuids
from samlad.printers.model import Printer, PrintJob, PrintState

_PRINTER = ", ".join(f"p.{name}" for name in Printer.__struct_fields__)
_JOINED = {"printer_name": "p.name AS printer_name", "location": "p.location"}
_JOB = ", ".join(_JOINED.get(name, f"j.{name}") for name in PrintJob.__struct_fields__)

PRINTERS = Listing(
    row=Printer,
    select=_PRINTER,
    source="printer p WHERE p.is_active AND ($1::uuid[] IS NULL OR p.location = ANY($1))",
    key="p.id",
    sorts={"name": Sort("p.name", "text")},
    default_sort="name",
    filters={"location": Filter("p.location = ANY({})", uuids)},
)
"""Scope: the locations of whoever asks, None for all."""

JOBS = Listing(
    row=PrintJob,
    select=_JOB,
    source="print_job j JOIN printer p ON p.id = j.printer WHERE ($1::uuid[] IS NULL OR p.location = ANY($1))",
    key="j.id",
    sorts={"asked_at": Sort("j.asked_at", "timestamptz")},
    default_sort="-asked_at",
    filters={
        "location": Filter("p.location = ANY({})", uuids),
        "printer": Filter("j.printer = ANY({})", uuids),
        "order": Filter("j.order_id = ANY({})", uuids),
        "state": Filter("j.state = ANY({})", texts),
    },
)
"""Scope: the locations of whoever asks, None for all."""


async def printer(reader: Reader, printer_id: UUID) -> Printer | None:
    """A printer by its id."""
    return await reader.one(Printer, f"SELECT {_PRINTER} FROM printer p WHERE p.id = $1", printer_id)


async def of_location(reader: Reader, location: UUID) -> list[Printer]:
    """The printers that are used at a location, by name."""
    return await reader.all(
        Printer,
        f"SELECT {_PRINTER} FROM printer p WHERE p.location = $1 AND p.is_active ORDER BY lower(p.name)",
        location,
    )


async def insert(tx: Tx, values: Mapping[str, Any]) -> Printer | None:
    """A new printer; None if another of its location has the name."""
    names = ", ".join(values)
    places = ", ".join(f"${place}" for place in range(1, len(values) + 1))
    return await tx.one(
        Printer,
        f"""INSERT INTO printer AS p ({names}) VALUES ({places})
            ON CONFLICT (location, lower(name)) WHERE is_active DO NOTHING RETURNING {_PRINTER}""",
        *values.values(),
    )


async def lock(tx: Tx, printer_id: UUID) -> Printer | None:
    """A printer that is used, held until the transaction ends."""
    return await tx.one(
        Printer,
        f"SELECT {_PRINTER} FROM printer p WHERE p.id = $1 AND p.is_active FOR UPDATE",
        printer_id,
    )


async def name_is_free(tx: Tx, location: UUID, name: str, but: UUID) -> bool:
    """Whether no other printer of a location has a name; the unique index has the last word."""
    return not await tx.value(
        """SELECT EXISTS (SELECT FROM printer WHERE location = $1 AND lower(name) = lower($2) AND is_active
                          AND id <> $3)""",
        location,
        name,
        but,
    )


async def update(tx: Tx, printer_id: UUID, values: Mapping[str, Any]) -> Printer:
    """Write what changed; the caller holds the printer."""
    setters = ", ".join(f"{name} = ${place}" for place, name in enumerate(values, 2))
    found = await tx.one(
        Printer,
        f"UPDATE printer p SET {setters}, version = version + 1 WHERE p.id = $1 RETURNING {_PRINTER}",
        printer_id,
        *values.values(),
    )
    assert found is not None
    return found


async def job(reader: Reader, job_id: UUID) -> PrintJob | None:
    """Something to print, by its id."""
    return await reader.one(
        PrintJob,
        f"SELECT {_JOB} FROM print_job j JOIN printer p ON p.id = j.printer WHERE j.id = $1",
        job_id,
    )


async def report(reader: Reader, job_id: UUID) -> Any:
    """What a report's job says, as plain values."""
    return await reader.value("SELECT report FROM print_job WHERE id = $1", job_id)


async def jobs_of_order(reader: Reader, order: UUID) -> list[PrintJob]:
    """What was printed of an order, the last first."""
    return await reader.all(
        PrintJob,
        f"""SELECT {_JOB} FROM print_job j JOIN printer p ON p.id = j.printer
            WHERE j.order_id = $1 ORDER BY j.asked_at DESC, j.id DESC""",
        order,
    )


async def original(reader: Reader, order: UUID) -> UUID | None:
    """The job that prints the original of a receipt."""
    found: UUID | None = await reader.value(
        "SELECT id FROM print_job WHERE order_id = $1 AND kind = 'receipt' AND NOT is_copy", order
    )
    return found


async def has_kicked(reader: Reader, order: UUID) -> bool:
    """Whether a drawer was asked to open for an order."""
    return bool(
        await reader.value(
            "SELECT EXISTS (SELECT FROM print_job WHERE order_id = $1 AND opens_drawer)", order
        )
    )


async def add(tx: Tx, values: Mapping[str, Any], lasts: timedelta) -> bool:
    """Put something into the queue, good for so long; False if it is there already."""
    row = {**values, "asked_by": tx.actor.label, "asked_name": tx.actor.name}
    names = ", ".join(row)
    places = ", ".join(f"${place}" for place in range(2, len(row) + 2))
    return bool(
        await tx.execute(
            f"""INSERT INTO print_job ({names}, good_until) VALUES ({places}, now() + $1)
                ON CONFLICT DO NOTHING""",
            lasts,
            *row.values(),
        )
    )


async def wait_again(tx: Tx, job_id: UUID, printer_id: UUID, lasts: timedelta, *, as_copy: bool) -> bool:
    """Something that failed, or of which nobody knows, waits once more; False if it is in another state by now."""
    return bool(
        await tx.execute(
            """UPDATE print_job SET state = 'waiting', reason = '', attempts = 0, ended_at = NULL, printer = $2,
                      is_copy = is_copy OR $4, good_until = now() + $3
               WHERE id = $1 AND state IN ('failed', 'unsure')""",
            job_id,
            printer_id,
            lasts,
            as_copy,
        )
    )


async def begin(tx: Tx, job_id: UUID) -> bool:
    """From now on bytes flow; False if it does not wait (any more), or has become too old."""
    return bool(
        await tx.execute(
            """UPDATE print_job SET state = 'sending', attempts = attempts + 1
               WHERE id = $1 AND state = 'waiting' AND good_until >= now()""",
            job_id,
        )
    )


async def put_off(tx: Tx, job_id: UUID, reason: str) -> bool:
    """It could not be begun, and is tried again."""
    return bool(
        await tx.execute(
            """UPDATE print_job SET reason = $2, attempts = attempts + 1 WHERE id = $1 AND state = 'waiting'""",
            job_id,
            reason,
        )
    )


async def end(tx: Tx, job_id: UUID, states: list[PrintState], state: PrintState, reason: str) -> bool:
    """It ended; False if it was not in one of these states."""
    return bool(
        await tx.execute(
            "UPDATE print_job SET state = $3, reason = $4, ended_at = now() WHERE id = $1 AND state = ANY($2)",
            job_id,
            [str(each) for each in states],
            str(state),
            reason,
        )
    )


async def forget_old(database: Database) -> None:
    """Forget copies, tests and drawers of long ago; originals stay: they are why a reprint is a copy."""
    await delete_in_batches(
        database,
        """DELETE FROM print_job WHERE id IN (
               SELECT id FROM print_job WHERE ended_at < now() - interval '90 days' AND (kind <> 'receipt' OR is_copy)
               ORDER BY ended_at LIMIT 5000)""",
    )
