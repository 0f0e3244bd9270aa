"""SQL of the tables ``delivery_method``, ``delivery_workday``, and of what counts on days and in slots."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from samlad.delivery.model import CapacityUnit, Method, SlotLoad, Workday
from samlad.delivery.promise import OpenSlot
from samlad.kernel.database import Reader, Tx, asked_once
from samlad.kernel.listing import Filter, Listing, Sort, texts
from samlad.kernel.problems import NotFound
from samlad.kernel.rows import into

_METHOD = """m.id, m.channel, m.code, m.kind, m.name, m.names, m.currency, m.zones, m.rate, m.calendar, m.pick_minutes,
             m.pack_minutes, m.cut_off, m.until, m.max_weight, m.position, m.is_active, m.version, m.created_at,
             m.updated_at, m.slots"""
_WORKDAY = "location, hours, holidays, pick_minutes, pack_minutes, capacity, capacity_unit, version"

METHODS: Listing[Method] = Listing(
    row=Method,
    select=_METHOD,
    source="delivery_method m",
    key="m.id",
    sorts={
        "position": Sort("m.position", "int"),
        "code": Sort("m.code"),
        "created_at": Sort("m.created_at", "timestamptz"),
    },
    default_sort="position",
    filters={
        "channel": Filter("m.channel = (SELECT id FROM channel WHERE code = {}::text)"),
        "kind": Filter("m.kind = ANY({}::text[])", texts),
        "code": Filter("m.code = ANY({}::text[])", texts),
        "q": Filter("strpos(lower(concat_ws(' ', m.code, m.name, m.names::text)), lower({})) > 0", str.strip),
    },
)


def document(value: Any) -> Any:
    """A struct as the builtins that ``jsonb`` takes."""
    return msgspec.to_builtins(value)


async def method(reader: Reader, method_id: UUID) -> Method:
    """A method. Raises NotFound."""
    found = await reader.one(Method, f"SELECT {_METHOD} FROM delivery_method m WHERE m.id = $1", method_id)
    if found is None:
        raise NotFound("There is no such delivery method.")
    return found


async def all_methods(reader: Reader) -> list[Method]:
    """Every method of every channel, switched-off ones too."""
    return await reader.all(
        Method, f"SELECT {_METHOD} FROM delivery_method m ORDER BY m.channel, m.position, m.code"
    )


async def insert_method(tx: Tx, values: Mapping[str, Any]) -> Method | None:
    """Add a method; None when the channel has one with this code."""
    names = ", ".join(values)
    places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
    return await tx.one(
        Method,
        f"""INSERT INTO delivery_method AS m ({names}) VALUES ({places}) ON CONFLICT (channel, code) DO NOTHING
            RETURNING {_METHOD}""",
        *values.values(),
    )


async def update_method(tx: Tx, method_id: UUID, version: int, values: Mapping[str, Any]) -> Method | None:
    """Set columns and count the version up; None when the version is not that any more."""
    sets = "".join(f"{name} = ${number}, " for number, name in enumerate(values, 3))
    return await tx.one(
        Method,
        f"""UPDATE delivery_method m SET {sets} version = version + 1, updated_at = now()
            WHERE m.id = $1 AND m.version = $2 RETURNING {_METHOD}""",
        method_id,
        version,
        *values.values(),
    )


async def workday(reader: Reader, location: UUID) -> Workday | None:
    """How a location works, if it has something of its own."""
    return await reader.one(Workday, f"SELECT {_WORKDAY} FROM delivery_workday WHERE location = $1", location)


async def all_workdays(reader: Reader) -> list[Workday]:
    """How every location works that has something of its own."""
    return await reader.all(Workday, f"SELECT {_WORKDAY} FROM delivery_workday")


async def put_workday(tx: Tx, value: Workday, version: int | None) -> Workday | None:
    """Set how a location works; None when it is not at ``version`` (0: nothing of its own; None: whatever it is)."""
    rows = await tx.rows(
        f"""INSERT INTO delivery_workday AS w (location, hours, holidays, pick_minutes, pack_minutes, capacity,
                                               capacity_unit)
            SELECT $1, $2, $3, $4, $5, $6, $7
            WHERE $8::int IS NULL OR $8 = 0 OR EXISTS (SELECT FROM delivery_workday WHERE location = $1)
            ON CONFLICT (location) DO UPDATE
            SET hours = excluded.hours, holidays = excluded.holidays, pick_minutes = excluded.pick_minutes,
                pack_minutes = excluded.pack_minutes, capacity = excluded.capacity,
                capacity_unit = excluded.capacity_unit, version = w.version + 1, updated_at = now()
            WHERE $8::int IS NULL OR w.version = $8
            RETURNING {_WORKDAY}""",
        value.location,
        None if value.hours is None else document(value.hours),
        value.holidays,
        value.pick_minutes,
        value.pack_minutes,
        value.capacity,
        value.capacity_unit,
        version,
    )
    return into(Workday, rows)[0] if rows else None


@asked_once
async def fingerprint(reader: Reader) -> int:
    """A number that grows with every change of what `samlad.delivery.setup` keeps."""
    return int(
        await reader.value(
            """SELECT (SELECT count(*) + coalesce(sum(version), 0) FROM delivery_method)
                    + (SELECT count(*) + coalesce(sum(version), 0) FROM delivery_workday)
                    + (SELECT count(*) + coalesce(sum(version), 0) FROM location)
                    + (SELECT count(*) + coalesce(sum(version), 0) FROM channel)"""
        )
    )


async def full_days(
    reader: Reader, places: Sequence[tuple[UUID, int, CapacityUnit]], units: int, since: date
) -> dict[UUID, frozenset[date]]:
    """The days from ``since`` on which locations, as (location, capacity, unit), have no room for so many units more."""
    rows = await reader.rows(
        """SELECT l.location, array_agg(l.day) AS days
           FROM unnest($1::uuid[], $2::int[], $3::bool[]) AS w (location, most, in_units)
           JOIN delivery_load l ON l.location = w.location AND l.day >= $4
           WHERE l.orders > 0 AND CASE WHEN w.in_units THEN l.units + $5 ELSE l.orders + 1 END > w.most
           GROUP BY l.location""",
        [location for location, _, _ in places],
        [most for _, most, _ in places],
        [unit is CapacityUnit.UNITS for _, _, unit in places],
        since,
        units,
    )
    return {row["location"]: frozenset(row["days"]) for row in rows}


async def take_capacity(
    tx: Tx, owner: UUID, location: UUID, days: Sequence[date], most: int, unit: CapacityUnit, units: int
) -> date:
    """Count an owner on the first of the days with room, on the last one whatever there is; the day. One statement."""
    day: date = await tx.value(
        "SELECT delivery_take($1, $2, $3, $4, $5, $6)",
        owner,
        location,
        list(days),
        most,
        unit is CapacityUnit.UNITS,
        units,
    )
    return day


async def lessen(tx: Tx, owner: UUID, location: UUID, units: int) -> list[tuple[date, int]]:
    """Let an owner count for fewer units at a location; (day, units) that are free there, if it counted at all."""
    rows = await tx.rows("SELECT day, units FROM delivery_lessen($1, $2, $3)", owner, location, units)
    return [(row["day"], row["units"]) for row in rows]


async def lock_share(tx: Tx, owner: UUID, location: UUID) -> tuple[date, int] | None:
    """(day, units) for which an owner counts at a location, locked; None: it does not."""
    row = await tx.row(
        "SELECT day, units FROM delivery_share WHERE owner = $1 AND location = $2 FOR UPDATE", owner, location
    )
    return None if row is None else (row["day"], row["units"])


async def lock_days(tx: Tx, location: UUID, days: Sequence[date]) -> None:
    """Lock what a location has to do on some days, the earliest first, as those do who count an order there."""
    await tx.execute(
        "SELECT FROM delivery_load WHERE location = $1 AND day = ANY($2::date[]) ORDER BY day FOR UPDATE",
        location,
        list(days),
    )


async def add_units(tx: Tx, owner: UUID, location: UUID, units: int) -> date | None:
    """Let an owner count for more units on the day on which it counts at a location already; None: it does on none."""
    day: date | None = await tx.value("SELECT delivery_add($1, $2, $3)", owner, location, units)
    return day


async def return_capacity(tx: Tx, owner: UUID) -> list[tuple[UUID, date, int]]:
    """Take an owner off the days on which it counts; (location, day, units) of each."""
    rows = await tx.rows("SELECT location, day, units FROM delivery_return($1)", owner)
    return [(row["location"], row["day"], row["units"]) for row in rows]


async def full_slots(
    reader: Reader, methods: Sequence[Method], since: date, holder: UUID | None = None
) -> frozenset[tuple[UUID, UUID, date, str]]:
    """The slots from a day on that have no room, as (method, location, day, start); what ``holder`` has is free for it. Nothing is
    asked where none has a limit.
    """
    limited = [
        (each.id, slot.start, slot.capacity) for each in methods for slot in each.slots if slot.capacity
    ]
    if not limited:
        return frozenset()
    rows = await reader.rows(
        """SELECT l.method, l.location, l.day, l.start FROM unnest($1::uuid[], $2::text[], $3::int[]) AS w (method, start, most)
           JOIN delivery_slot l ON l.method = w.method AND l.start = w.start AND l.day >= $4 AND l.orders >= w.most
           WHERE NOT EXISTS (SELECT FROM delivery_slot_share s WHERE s.owner = $5
                             AND (s.method, s.location, s.day, s.start) = (l.method, l.location, l.day, l.start))""",
        [method for method, _, _ in limited],
        [start for _, start, _ in limited],
        [most for _, _, most in limited],
        since,
        holder,
    )
    return frozenset((row["method"], row["location"], row["day"], row["start"]) for row in rows)


async def slot_loads(
    reader: Reader,
    method: UUID,
    at: datetime,
    *,
    days: int,
    most: int,
    locations: Collection[UUID] | None = None,
) -> list[SlotLoad]:
    """What places bring by a method in the slots of so many days from a moment's on, the soonest first; slots that nobody
    has are left out. ``locations``: only these; None: all. One statement."""
    return await reader.all(
        SlotLoad,
        """SELECT p.code, p.name, l.day, here.today, l.start, l.orders
           FROM delivery_slot l JOIN location p ON p.id = l.location,
                LATERAL (SELECT ($2::timestamptz AT TIME ZONE p.time_zone)::date AS today) here
           WHERE l.method = $1 AND l.orders > 0 AND l.day >= here.today AND l.day < here.today + $3::int
             AND l.day >= ($2::timestamptz AT TIME ZONE 'UTC')::date - 1
             AND ($4::uuid[] IS NULL OR l.location = ANY($4))
           ORDER BY l.day, l.start, p.name, p.id LIMIT $5""",
        method,
        at,
        days,
        None if locations is None else list(locations),
        most,
    )


async def take_slot(
    tx: Tx,
    owner: UUID,
    method: UUID,
    location: UUID,
    wanted: Sequence[OpenSlot],
    until: datetime | None = None,
) -> int | None:
    """Give an owner the first of some slots that has room, counted from 1; None: none has. One statement, two with ``until``."""
    number: int | None = await tx.value(
        "SELECT delivery_slot_take($1, $2, $3, $4::date[], $5::text[], $6::int[])",
        owner,
        method,
        location,
        [each.day for each in wanted],
        [each.slot.start for each in wanted],
        [each.slot.capacity for each in wanted],
    )
    if number is not None and until is not None:
        await tx.execute("UPDATE delivery_slot_share SET until = $2 WHERE owner = $1", owner, until)
    return number


_IS_ITS = "owner = $1 AND method = $2 AND location = $3 AND day || 'T' || start = $4 AND until IS NOT NULL"


async def hold_on(tx: Tx, cart: UUID, method: UUID, location: UUID, slot: str, until: datetime) -> bool:
    """Let a cart keep the slot that it has until then; False: it has another one, or none."""
    kept = f"UPDATE delivery_slot_share SET until = $5 WHERE {_IS_ITS}"
    return bool(await tx.execute(kept, cart, method, location, slot, until))


async def take_over(
    tx: Tx, cart: UUID, order: UUID, method: UUID, location: UUID, slot: str
) -> tuple[date, str] | None:
    """Make the slot that a cart has its order's; its (day, start), or None if it has another one, or none."""
    row = await tx.row(
        f"UPDATE delivery_slot_share SET owner = $5, until = NULL WHERE {_IS_ITS} RETURNING day, start",
        cart,
        method,
        location,
        slot,
        order,
    )
    return None if row is None else (row["day"], row["start"])


async def return_due_slots(tx: Tx, most: int) -> list[tuple[UUID, UUID, date, str]]:
    """Take carts off the slots whose time is over; (cart, location, day, start) of each."""
    rows = await tx.rows(
        """SELECT gone.* FROM (SELECT owner FROM delivery_slot_share WHERE until < now() ORDER BY method, day, location, start
                               LIMIT $1 FOR UPDATE SKIP LOCKED) AS due, delivery_slot_return(due.owner) AS gone""",
        most,
    )
    return [(row["owner"], row["location"], row["day"], row["start"]) for row in rows]


async def has_slot(reader: Reader, owner: UUID, location: UUID) -> bool:
    """Whether an owner has a slot of a location."""
    return bool(
        await reader.value(
            "SELECT EXISTS (SELECT FROM delivery_slot_share WHERE owner = $1 AND location = $2)",
            owner,
            location,
        )
    )


async def return_slot(tx: Tx, owner: UUID) -> list[tuple[UUID, date, str]]:
    """Take an owner off its slot; its (location, day, start), if it had one."""
    rows = await tx.rows("SELECT location, day, start FROM delivery_slot_return($1)", owner)
    return [(row["location"], row["day"], row["start"]) for row in rows]


async def move_slot(tx: Tx, owner: UUID, location: UUID) -> tuple[UUID, date, str] | None:
    """Count an owner's slot at another location; (location, day, start) as it was, None if nothing was to be done."""
    row = await tx.row("SELECT location, day, start FROM delivery_slot_move($1, $2)", owner, location)
    return None if row is None or row["day"] is None else (row["location"], row["day"], row["start"])
