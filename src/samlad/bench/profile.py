"""``profile``: everything about a customer of 5,000 events in one call, the timeline's newest, and the customer's page."""

import time
from functools import partial
from uuid import UUID

from samlad import customers, profile
from samlad.access import sessions, staff
from samlad.access.permissions import Role
from samlad.access.staff import StaffInput
from samlad.bench import shop as shops
from samlad.bench.benchmark import Benchmark, Bound, Figures
from samlad.bench.meter import milliseconds
from samlad.bench.server import Server, fresh_shop
from samlad.bench.shop import Shop
from samlad.bench.wire import Connection, request
from samlad.channels import Resource
from samlad.customers import PersonInput
from samlad.identity.model import AuthLevel, Identifier, Kind, Sighting
from samlad.identity.observing import observe
from samlad.kernel.clock import now
from samlad.kernel.context import SYSTEM
from samlad.kernel.database import Tx

EVENTS = 5_000
ORDERS = 300
READS = 200
WARM_UP = 20


async def run(events: int = EVENTS, orders: int = ORDERS, reads: int = READS) -> Figures:
    """Reads one after the other over HTTP: all parts of one customer, the newest 50 of the timeline, and the page."""
    async with fresh_shop() as runtime:
        shop = await shops.open_shop(runtime)
        kim = await runtime.database.transaction(partial(_person, shop=shop, events=events, orders=orders))
        cookie = await runtime.database.transaction(_owner)
        await shops.settle(runtime)
        async with Server(runtime.settings.home, worker=False) as server:
            [connection] = await server.connect(1)
            call = request("GET", f"/api/customers/{kim}", key=shop.key)
            newest = request("GET", f"/api/customers/{kim}/timeline?limit=50", key=shop.key)
            signed_in = {"accept": "text/html", "accept-language": "en", "cookie": f"samlad_session={cookie}"}
            shown = request("GET", f"/admin/customers/{kim}", headers=signed_in)
            whole = await _waits(connection, call, reads)
            moments = await _waits(connection, newest, reads)
            page = await _waits(connection, shown, reads)
            connection.close()
        statements = await runtime.database.transaction(partial(_statements, kim=kim))
    others = {
        f"{what}_{name}": value
        for what, waits in (("timeline", moments), ("page", page))
        for name, value in milliseconds(waits, 50, 95).items()
    }
    return {**milliseconds(whole, 50, 95, 99), **others, "statements": statements, "events": events}


async def _waits(connection: Connection, data: bytes, reads: int) -> list[float]:
    waits = []
    for number in range(reads + WARM_UP):
        began = time.perf_counter()
        answer = await connection.ask(data)
        if answer.status != 200:
            raise RuntimeError(f"refused with {answer.status}: {answer.body.decode()}")
        if number >= WARM_UP:
            waits.append(time.perf_counter() - began)
    return waits


async def _owner(tx: Tx) -> str:
    """The session of somebody who looks at the page."""
    owner = StaffInput(email="bench@example.com", name="Olivia Owner", roles=[Role.OWNER])
    person = await staff.add(tx, owner, "active")
    return (await sessions.open_session(tx, person.id, "signed-in", "password", "bench")).token


async def _statements(tx: Tx, kim: UUID) -> int:
    before = tx.statements
    await profile.read(tx, SYSTEM, kim)
    return tx.statements - before


async def _person(tx: Tx, shop: Shop, events: int, orders: int) -> UUID:
    """Somebody who is known by a few identifiers, with orders and with events on the log."""
    pool = shop.channel.pools[Resource.CUSTOMERS]
    kim = await customers.find_or_create(tx, pool, PersonInput(email="kim@example.org", name="Kim Berg"))
    moment = now()
    sightings = [
        Sighting(
            pool=pool,
            observed_at=moment,
            received_at=moment,
            identifiers=[Identifier(Kind.CUSTOMER, str(kim.id)), Identifier(Kind.ANONYMOUS, f"browser-{n}")],
            auth=AuthLevel.AUTHENTICATED,
            source="bench",
            event_id=f"seen-{n}",
        )
        for n in range(20)
    ]
    await observe(tx, sightings)
    await tx.execute(
        """INSERT INTO event (id, type, occurred_at, channel, profile, subject, actor, request, payload)
           SELECT gen_random_uuid(), (ARRAY['cart.line_changed', 'order.paid', 'promotion.used'])[1 + n % 3],
                  now() - make_interval(mins => n), $2, $1, $1, 'bench', gen_random_uuid(), jsonb_build_object('n', n)
           FROM generate_series(1, $3::int) AS n""",
        kim.id,
        shop.channel.id,
        events,
    )
    await tx.execute(
        """WITH placed AS (
               INSERT INTO orders (id, pool, channel, number, kind, status, payment_status, customer, currency, items,
                                   tax, total, placed_at, local_day, actor, counted)
               SELECT gen_random_uuid(), $3, $2, 'B' || n, 'sale', 'fulfilled', 'paid', $1, 'SEK', 2, 0, 1000 + n,
                      now() - make_interval(hours => n), current_date - n / 24, 'bench', true
               FROM generate_series(1, $4::int) AS n RETURNING id)
           INSERT INTO order_line (order_id, position, kind, title, quantity, unit_price, total)
           SELECT id, p, 'item', 'Kettle', 1, 500, 500 FROM placed, generate_series(1, 2) AS p""",
        kim.id,
        shop.channel.id,
        shop.channel.pools[Resource.ORDERS],
        orders,
    )
    return kim.id


BENCHMARK = Benchmark(
    "profile",
    "Everything about a customer of 5,000 events in one call",
    (
        Bound("p95_ms", most=40),
        Bound("timeline_p95_ms", most=40),
        Bound("page_p95_ms", most=100),
        Bound("statements", most=16),
    ),
    run,
)
