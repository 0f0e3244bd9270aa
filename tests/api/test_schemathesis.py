"""Whatever is sent to the API, right or wrong, gets an answer that the OpenAPI document promises; never a 500."""

import asyncio
import contextlib
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest
import schemathesis
import structlog
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from described import DOCUMENT, drawable
from samlad import credit, customers, subscriptions
from samlad.app import create
from samlad.bench import shop as shops
from samlad.carts import Address
from samlad.channels import Channel, Resource, cached_all
from samlad.customers import PersonInput
from samlad.kernel.database import Database, Tx, open_database
from samlad.kernel.embedded import Embedded
from samlad.kernel.ids import new_id
from samlad.kernel.live import Live
from samlad.kernel.openapi import METHODS
from samlad.kernel.runtime import Runtime
from samlad.kernel.settings import load
from samlad.kernel.telemetry import configure_logging
from samlad.orders import PlaceOrder, place
from samlad.payments import PaymentInput
from samlad.promotions.model import PromotionInput
from samlad.promotions.service import create as promote

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = 3
SOAK_EXAMPLES = 100


class Served:
    """The application; set once its database is there."""

    def __init__(self) -> None:
        self.application: Any = None
        self.key = ""
        """A key that may do everything."""
        self.ids: dict[str, list[str]] = {}
        """What exists, by the names of the fields and parameters that take it."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.application(scope, receive, send)


SERVED = Served()


def _schema() -> Any:
    loaded = schemathesis.openapi.from_dict(drawable())
    loaded.app = SERVED
    return loaded


SCHEMA = _schema()
OPERATIONS = [
    pytest.param(method, path, id=f"{method.upper()} {path}")
    for path, item in sorted(DOCUMENT["paths"].items())
    for method in METHODS
    if method in item
]


@pytest.fixture(scope="module")
def served(postgres: Embedded, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The application over a database of this module's own, with something of everything in it."""
    name = f"api_{new_id().hex}"

    async def admin(sql: str) -> None:
        connection = await asyncpg.connect(postgres.dsn)
        await connection.execute(sql)
        await connection.close()

    asyncio.run(admin(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy"))
    dsn = postgres.dsn.replace("/samlad?", f"/{name}?")
    chosen = load({}, home=tmp_path_factory.mktemp("api"), database_url=dsn, pool_size=4, log_level="error")
    configure_logging(chosen)
    SERVED.key, SERVED.ids = asyncio.run(_fill(dsn, chosen.home))
    SERVED.application = create(chosen)
    yield SERVED
    structlog.reset_defaults()
    asyncio.run(admin(f"DROP DATABASE {name} WITH (FORCE)"))


async def _fill(dsn: str, home: Path) -> tuple[str, dict[str, list[str]]]:
    chosen = load({}, home=home, database_url=dsn)
    database = await open_database(dsn, chosen)
    try:
        shop = await shops.open_shop(Runtime(chosen, database, Live(database)))
        goods = await shops.add_goods(shop, 3, units=100)
        ready = await shops.add_cart(shop, goods[:2], checked_out=True)
        data = PlaceOrder(cart=ready.id, payments=[PaymentInput(provider="test")])
        await database.transaction(lambda tx: place(tx, data))
        await shops.add_cart(shop, goods, checked_out=False)
        await database.transaction(lambda tx: _add_credit(tx, shop.channel))
        await _promote(database)
        await database.transaction(lambda tx: _subscribe(tx, shop.channel, goods[0]))
        return shop.key, await _ids(database)
    finally:
        await database.close()


async def _add_credit(tx: Tx, channel: Channel) -> None:
    """A member with points, and a gift card."""
    pool = channel.pools[Resource.CUSTOMERS]
    kim = await customers.find_or_create(tx, pool, PersonInput(email="kim@example.org"))
    await credit.set_programme(tx, credit.ProgrammeInput(channel=channel.id, name="Gathered"))
    await credit.enrol(tx, kim.id)
    await credit.adjust(tx, kim.id, credit.PointsInput(points=100, reason="Welcome"))
    await credit.issue(tx, credit.IssueInput(channel=channel.id, amount=10_000, note="Welcome"))


async def _subscribe(tx: Tx, channel: Channel, variant: UUID) -> None:
    """A plan, and somebody who gets something by it."""
    kim = await customers.find_or_create(
        tx, channel.pools[Resource.CUSTOMERS], PersonInput(email="kim@example.org")
    )
    plan = await subscriptions.create_plan(
        tx, subscriptions.PlanInput(code="monthly", name="Monthly", channels=[channel.code])
    )
    address = Address(name="Kim", line1="Storgatan 1", postal_code="111 22", city="Stockholm", country="SE")
    await subscriptions.start(
        tx,
        subscriptions.StartInput(
            plan=plan.id,
            channel=channel.id,
            customer=kim.id,
            lines=[subscriptions.LineInput(variant=variant)],
            address=address,
        ),
    )


async def _promote(database: Database) -> None:
    """A promotion that every cart has, and one by a code."""
    web = next(each for each in await cached_all(database) if each.kind == "webshop")
    percent = {"effect": {"kind": "percent", "percent": 1_000}}
    for codes in ([], ["SAVE10"]):
        values = {"channel": str(web.id), "name": "Offer", "terms": percent, "is_automatic": not codes}
        data = msgspec.convert(values | {"codes": codes}, PromotionInput)
        await database.transaction(lambda tx, data=data: promote(tx, data))


async def _ids(database: Database) -> dict[str, list[str]]:
    found = {}
    for table, names in {
        "channel": ("channel", "channel_id"),
        "product": ("product", "product_id"),
        "variant": ("variant", "variant_id"),
        "location": ("location", "location_id", "origin", "destination"),
        "cart": ("cart", "cart_id"),
        "cart_line": ("line_id",),
        "orders": ("order", "order_id"),
        "fulfilment": ("fulfilment_id",),
        "price_list": ("price_list", "list_id"),
        "customer": ("customer", "customer_id", "person", "any_id"),
        "gift_card": ("card_id",),
        "promotion": ("promotion_id",),
        "selling_plan": ("plan", "plan_id"),
        "subscription": ("subscription_id",),
    }.items():
        rows = await database.rows(f"SELECT id FROM {table} ORDER BY id")
        found |= {name: [str(row["id"]) for row in rows] for name in names}
    return found | {"code": ["web", "dc", "SAVE10"], "sku": ["THING-0"], "provider": ["test", "cash"]}


def _put_known(value: Any, dice: random.Random) -> Any:
    """The same with what exists in place of some made-up ids, so that there is something to act on."""
    if isinstance(value, list):
        return [_put_known(each, dice) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name: dice.choice(SERVED.ids[name])
        if isinstance(each, str) and SERVED.ids.get(name) and dice.random() < 0.7
        else _put_known(each, dice)
        for name, each in value.items()
    }


def _try(case: Any) -> None:
    dice = random.Random(repr((case.path_parameters, case.query, case.body)))
    case.path_parameters = _put_known(case.path_parameters, dice)
    case.query = _put_known(case.query, dice)
    with contextlib.suppress(TypeError):  # a body that is no JSON stays as it is
        case.body = _put_known(case.body, dice)
    case.call_and_validate(checks=CHECKS, headers={"Authorization": f"Bearer {SERVED.key}"})


def _try_many(method: str, path: str, examples: int) -> None:
    """Right and wrong requests alike. What has no parameters and no body cannot be asked wrongly."""
    operation = SCHEMA[path][method]
    described = DOCUMENT["paths"][path][method]
    modes = [GenerationMode.POSITIVE]
    if described.get("parameters") or "requestBody" in described:
        modes.append(GenerationMode.NEGATIVE)
    for mode in modes:

        @settings(
            max_examples=examples,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def attempt(case: Any) -> None:
            _try(case)

        attempt()


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_operation_answers_as_documented(method: str, path: str) -> None:
    _try_many(method, path, EXAMPLES)


@pytest.mark.soak
@pytest.mark.usefixtures("served")
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_operation_answers_as_documented_at_length(method: str, path: str) -> None:
    _try_many(method, path, SOAK_EXAMPLES)
