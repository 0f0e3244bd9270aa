"""What behaviour says of a person: each with its right value, in the one call and on the page."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from market import text_of

from account_people import Post
from cart_people import customer
from samlad import accounts, carts, identity, orders
from samlad.channels import Resource
from samlad.identity import AuthLevel, Identifier, Kind, Sighting
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.database import Database, Tx
from samlad.kernel.settings import Settings
from samlad.orders import FulfilInput, ReturnInput
from samlad.orders.events import OrderTipped
from trade import ADDRESS, BUYER, Trade, build

KIM = "kim@example.org"
FIRST, SECOND, LAST = (
    datetime(2026, 2, 2, 9, 10, tzinfo=UTC),  # in Stockholm ten past ten
    datetime(2026, 3, 2, 9, 40, tzinfo=UTC),
    datetime(2026, 3, 12, 17, 0, tzinfo=UTC),
)


class Life:
    """What Kim did, and when."""

    def __init__(self, trade: Trade, api: httpx.AsyncClient) -> None:
        self.trade, self.api, self.db = trade, api, trade.db

    async def of_category(self, title: str, variant: UUID) -> None:
        made = await self.api.post("/api/categories", json={"name": title})
        assert made.status_code == 201, made.text
        await self.db.rows(
            "UPDATE product SET category = $1 WHERE id = (SELECT product FROM variant WHERE id = $2) RETURNING 1",
            UUID(made.json()["id"]),
            variant,
        )

    async def bought(self, moment: datetime, cart: UUID) -> orders.Order:
        order = await self.trade.place(cart)
        await self.db.rows(
            "UPDATE orders SET placed_at = $2, local_day = $3 WHERE id = $1 RETURNING 1",
            order.id,
            moment,
            moment.date(),
        )
        return order

    async def at_malmo(self, moment: datetime, price: int, category: str | None = None) -> orders.Order:
        goods = await self.trade.kettle(price, at=self.trade.at_malmo)
        if category:
            await self.of_category(category, goods)
        cart = await self.trade.cart((goods, 1), channel=self.trade.malmo, email=KIM)
        return await self.bought(moment, cart.id)

    async def seen_on_a_phone(self) -> None:
        sighting = Sighting(
            pool=self.trade.web.pools[Resource.CUSTOMERS],
            source="test",
            event_id="1",
            observed_at=now() - timedelta(hours=1),
            received_at=now(),
            identifiers=[Identifier(Kind.EMAIL, KIM), Identifier(Kind.ANONYMOUS, "phone-of-kim")],
            auth=AuthLevel.AUTHENTICATED,
        )
        await self.db.transaction(lambda tx: identity.observe(tx, [sighting]))

    async def wears(self, settings: Settings, size: str) -> None:
        chart = {"name": "Shirts", "measures": ["chest"], "rows": [{"size": size, "values": [[92, 96]]}]}
        made = await self.api.post("/api/size-charts", json=chart)
        assert made.status_code == 201, made.text
        post = Post(self.db, settings, self.trade.web)
        signed = await post.who(await post.sign_in(KIM))
        assert signed is not None
        sizes = {UUID(made.json()["id"]): size}
        await self.db.transaction(
            lambda tx: accounts.set_preferences(
                tx, signed, self.trade.web, language="sv", favourite=self.trade.at_lund.id, sizes=sizes
            )
        )


async def test_every_trait_has_its_value_in_the_call_and_on_the_page(
    api: httpx.AsyncClient, db: Database, settings: Settings
) -> None:
    life = Life(await build(db), api)
    trade, began = life.trade, now()
    kettles = await trade.kettle(10_000)
    await life.of_category("Tea", kettles)
    await life.bought(FIRST, (await trade.cart((kettles, 2), **BUYER | {"email": KIM})).id)
    second = await life.at_malmo(SECOND, 7_000, "Lamps")
    await life.at_malmo(LAST, 5_000)
    neighbour = BUYER | {"email": "sam@example.org", "address": ADDRESS | {"line1": "STORGATAN 1."}}
    await trade.place((await trade.cart((await trade.kettle(), 1), **neighbour)).id)
    if second.status != "fulfilled":
        await db.transaction(lambda tx: orders.fulfil(tx, second.id, FulfilInput()))
    await db.transaction(lambda tx: orders.take_back(tx, second.id, ReturnInput()))
    await trade.follow()
    await life.seen_on_a_phone()
    await life.wears(settings, "M")
    await trade.follow()

    customer = await db.value("SELECT id FROM customer WHERE email = $1", KIM)
    days = (now() - LAST).days
    seen: dict[str, Any] = (await api.get(f"/api/customers/{customer}")).json()
    traits = seen["traits"]
    assert datetime.fromisoformat(traits["first_seen"]) == FIRST
    assert began <= datetime.fromisoformat(traits["last_seen"]) <= now()
    assert traits["recency_days"] in (days, days + 1)
    assert (traits["orders"], traits["interval_days"]) == (3, 19.2)
    assert traits["money"] == [{"currency": "SEK", "orders": 3, "spent": 25_000, "average_basket": 10_667}]
    assert [traits[f"favourite_{name}"]["name"] for name in ("category", "channel", "store")] == [
        "Tea",
        trade.malmo.name,
        trade.at_malmo.name,
    ]
    assert (traits["favourite_hour"], traits["return_rate"]) == (10, 0.25)
    assert [(each["name"], each["size"]) for each in seen["sizes"]] == [("Shirts", "M")]
    assert seen["preferences"] == {"language": "sv", "favourite_store": str(trade.at_lund.id)}
    assert [each["why"] for each in seen["household"]] == ["address"]
    assert [each["name"] for each in seen["stores"]] == [trade.at_malmo.name]
    assert "phone-of-kim" in {each["value"] for each in seen["devices"]}

    shown = text_of((await api.get(f"/admin/customers/{customer}")).text)
    shown = shown.replace("\xa0", "").replace("\u202f", "")
    expected = (
        "Spent in SEK SEK 250.00 a basket SEK 106.67",
        "Orders 3 every 19.2 days",
        f"Last order {traits['recency_days']} days ago 12 Mar 2026",
        "Came back 25 %",
        "First seen 2 Feb 2026",
        "Buys most Tea",
        f"Most often in {trade.malmo.name}",
        f"Store {trade.at_malmo.name}",
        "around 10:00",
        "Shirts M",
        f"Favourite store {trade.at_lund.name}",
        "same address",
        "phone-of-kim",
    )
    assert [said for said in expected if said not in shown] == [], shown[:6_000]


async def test_a_wish_is_no_cart_in_the_timeline(api: httpx.AsyncClient, db: Database) -> None:
    trade = await build(db)
    kim, kettle = await customer(trade, KIM), await trade.kettle()
    wished = await db.transaction(
        lambda tx: carts.wish(tx, trade.web.id, carts.LineInput(variant=kettle)), kim
    )
    await trade.follow()
    shown = text_of((await api.get(f"/admin/customers/{kim.actor.id}")).text)
    assert "Changed a wish list" in shown
    assert "Changed what is in the cart" not in shown
    assert wished.kind == "wish"


async def test_what_says_no_number_of_an_order_is_in_the_timeline(
    api: httpx.AsyncClient, db: Database
) -> None:
    """A tip is told of an order, but not with the order's number."""
    trade = await build(db)
    order = await trade.buy((await trade.kettle(), 1))
    tip = OrderTipped(amount=500, currency="SEK", location=trade.at_malmo.id)

    async def tell(tx: Tx) -> None:
        log.append(tx, tip, subject=order.id, channel=trade.web.id)

    await db.transaction(tell)
    await trade.follow()
    customer = await db.value("SELECT id FROM customer")
    shown = await api.get(f"/admin/customers/{customer}")
    assert (shown.status_code, "Gave a tip" in text_of(shown.text)) == (200, True), text_of(shown.text)[
        -2_000:
    ]
