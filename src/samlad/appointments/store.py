"""SQL of appointments."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from samlad.appointments.model import Appointment, Service, Taken
from samlad.kernel import inserts
from samlad.kernel.database import Reader, Tx
from samlad.kernel.listing import Filter, Listing, Sort, anywhere_lowered, texts, uuids

_SERVICE = ", ".join(Service.__struct_fields__)
_ONE = """a.id, a.service, s.name AS service_name, a.location, p.name AS location_name, p.time_zone, a.channel, a.shop,
          a.customer, a.name, a.email, a.phone, a.language, a.note, a.starts_at, a.ends_at, a.staff, a.staff_name, a.state,
          a.source, a.sequence, a.booked_at, a.version"""
_JOINED = "appointment a JOIN appointment_service s ON s.id = a.service JOIN location p ON p.id = a.location"

SERVICES = Listing(
    row=Service,
    select=_SERVICE,
    source="appointment_service s WHERE ($1::uuid[] IS NULL OR s.location = ANY ($1))",
    key="s.id",
    sorts={"name": Sort("s.name"), "code": Sort("s.code")},
    default_sort="name",
    filters={
        "location": Filter("s.location = ANY({}::uuid[])", uuids),
        "active": Filter("s.is_active = ({} = 'true')"),
    },
)
"""What can be booked; scoped to locations (null: all)."""


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("say the time zone")
    return found


APPOINTMENTS = Listing(
    row=Appointment,
    select=_ONE,
    source=f"{_JOINED} WHERE ($1::uuid[] IS NULL OR a.location = ANY ($1))",
    key="a.id",
    sorts={"starts_at": Sort("a.starts_at", "timestamptz"), "booked_at": Sort("a.booked_at", "timestamptz")},
    default_sort="starts_at",
    filters={
        "location": Filter("a.location = ANY({}::uuid[])", uuids),
        "service": Filter("a.service = ANY({}::uuid[])", uuids),
        "customer": Filter("a.customer = ANY(customer_members({}::uuid[]))", uuids),
        "state": Filter("a.state = ANY({}::text[])", texts),
        "from": Filter("a.starts_at >= {}", _moment),
        "to": Filter("a.starts_at < {}", _moment),
        "q": Filter("lower(concat_ws(' ', a.name, a.email, a.phone)) LIKE {}", anywhere_lowered),
        "day": Filter("(a.starts_at AT TIME ZONE p.time_zone)::date = {}", date.fromisoformat),
    },
)
"""Appointments, what is next first; scoped to locations (null: all)."""


async def offered(reader: Reader, service_id: UUID) -> Service | None:
    """What can be booked, or None."""
    return await reader.one(Service, f"SELECT {_SERVICE} FROM appointment_service WHERE id = $1", service_id)


async def services_at(reader: Reader, locations: Sequence[UUID]) -> list[Service]:
    """What can be booked now in some stores, by name."""
    return await reader.all(
        Service,
        f"SELECT {_SERVICE} FROM appointment_service WHERE location = ANY ($1) AND is_active ORDER BY name, id",
        list(locations),
    )


async def insert_service(tx: Tx, values: Mapping[str, Any]) -> bool:
    """Keep a service; False if its code is taken in that store."""
    return await inserts.insert(tx, "appointment_service", values, unless="(location, code)")


async def update_service(tx: Tx, service_id: UUID, version: int | None, values: Mapping[str, Any]) -> bool:
    """Change a service, if it is at that version."""
    names = ", ".join(values)
    return bool(
        await tx.execute(
            f"""UPDATE appointment_service SET ({names}, version)
                    = (SELECT {names}, appointment_service.version + 1
                       FROM jsonb_populate_record(NULL::appointment_service, $3))
                WHERE id = $1 AND ($2::int IS NULL OR version = $2)""",
            service_id,
            version,
            dict(values),
        )
    )


async def taken(reader: Reader, wanted: Service, first: datetime, last: datetime) -> list[Taken]:
    """What is taken of a service and of those who can do it, between two moments."""
    return await reader.all(
        Taken,
        """SELECT service, seat, staff, lower(during) AS starts_at, upper(during) AS ends_at FROM appointment_claim
           WHERE (service = $1 OR staff = ANY ($2::uuid[])) AND during && tstzrange($3, $4)""",
        wanted.id,
        [each.id for each in wanted.staff],
        first,
        last,
    )


async def one(reader: Reader, appointment: UUID) -> Appointment | None:
    """An appointment, or None."""
    return await reader.one(Appointment, f"SELECT {_ONE} FROM {_JOINED} WHERE a.id = $1", appointment)


async def lock(tx: Tx, appointment: UUID) -> Appointment | None:
    """An appointment, held against changes, or None."""
    return await tx.one(
        Appointment, f"SELECT {_ONE} FROM {_JOINED} WHERE a.id = $1 FOR NO KEY UPDATE OF a", appointment
    )


async def insert(tx: Tx, values: dict[str, Any]) -> bool:
    """Keep an appointment; False if its id is known."""
    return await inserts.insert(tx, "appointment", values, unless="(id)")


_FREE = """
    FROM generate_series(1, $3::int) AS seat CROSS JOIN unnest($4::uuid[]) WITH ORDINALITY AS w (staff, place)
    WHERE NOT EXISTS (SELECT FROM appointment_claim c WHERE c.service = $2 AND c.seat = seat.seat
                      AND c.during && tstzrange($5, $6))
      AND NOT EXISTS (SELECT FROM appointment_claim c WHERE c.staff = w.staff AND c.during && tstzrange($5, $6))"""


async def claim(
    tx: Tx, appointment: UUID, wanted: Service, who: Sequence[UUID | None], starts: datetime, ends: datetime
) -> tuple[int, UUID | None] | None:
    """Take a free seat, and one of the staff; which, or None if nothing is free.

    The constraints decide. What another transaction took at the same time is tried elsewhere: each turn sees one more that
    is taken, so that there are no more turns than there are seats and people.
    """
    for _ in range(wanted.capacity + len(who) + 1):
        row = await tx.row(
            f"""WITH choice AS (SELECT seat.seat, w.staff, 1 AS one {_FREE}
                                ORDER BY w.place, seat.seat LIMIT 1),
                     made AS (INSERT INTO appointment_claim (appointment, service, seat, staff, during)
                              SELECT $1, $2, seat, staff, tstzrange($5, $6) FROM choice
                              ON CONFLICT DO NOTHING RETURNING seat, staff)
                SELECT (SELECT count(*) FROM choice) AS free, made.seat, made.staff
                FROM (SELECT 1) AS one LEFT JOIN made ON true""",
            appointment,
            wanted.id,
            wanted.capacity,
            list(who),
            starts,
            ends,
        )
        assert row is not None
        if row["seat"] is not None:
            return row["seat"], row["staff"]
        if not row["free"]:
            return None
    return None


async def unclaim(tx: Tx, appointment: UUID) -> None:
    """Give the time back."""
    await tx.execute("DELETE FROM appointment_claim WHERE appointment = $1", appointment)


async def change(tx: Tx, appointment: UUID, values: Mapping[str, Any]) -> None:
    """Set the named fields and count the version up."""
    names = list(values)
    sets = ", ".join(f"{name} = ${number}" for number, name in enumerate(names, 2))
    await tx.execute(
        f"UPDATE appointment SET {sets}, version = version + 1 WHERE id = $1",
        appointment,
        *(values[name] for name in names),
    )


async def due(tx: Tx, before: datetime, most: int) -> list[UUID]:
    """Mark who is to be reminded now: appointments before a moment that nobody was reminded of. Each once."""
    rows = await tx.rows(
        """UPDATE appointment a SET reminded_at = now() FROM (
               SELECT id FROM appointment WHERE state = 'booked' AND reminded_at IS NULL
               AND starts_at > now() AND starts_at < $1 ORDER BY starts_at LIMIT $2 FOR UPDATE SKIP LOCKED) AS w
           WHERE a.id = w.id RETURNING a.id""",
        before,
        most,
    )
    return sorted(row["id"] for row in rows)
