"""The overview answers how the shop is today: against a week ago, what waits, what happens, each with a link that opens."""

import re
from datetime import timedelta

import pytest

from samlad import channels, orders
from samlad.access.permissions import Role, permissions_of
from samlad.channels import ChannelInput, ChannelKind
from samlad.kernel.clock import now
from samlad.kernel.context import Actor
from samlad.kernel.database import Database
from samlad.kernel.ids import new_id
from samlad.orders import ReturnInput
from samlad.stock import pace

PEOPLE = {"accept": "text/html"}


def text_of(html: str) -> str:
    """What a reader sees."""
    return re.sub(
        r"\s+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"<(script|svg)\b.*?</\1>", " ", html, flags=re.DOTALL))
    )


async def test_today_is_compared_and_every_number_leads_to_its_list(api, shop) -> None:
    week_ago = await shop.buy("MUG-032", 1)
    moved = now() - timedelta(days=7, minutes=1)
    await shop.db.rows(
        "UPDATE orders SET placed_at = $2, local_day = local_day - 7 WHERE id = $1 RETURNING 1",
        week_ago.id,
        moved,
    )
    sold = await shop.buy("MUG-032", 3)
    unpaid = await shop.buy("KTL-150", 1, pay_later=True)
    await shop.db.rows(
        "UPDATE fulfilment SET due_at = now() - interval '1 hour' WHERE order_id = $1 RETURNING 1", unpaid.id
    )
    await shop.db.transaction(lambda tx: orders.fulfil(tx, sold.id, orders.FulfilInput()))
    await shop.db.transaction(
        lambda tx: orders.take_back(
            tx,
            sold.id,
            ReturnInput(
                lines=[orders.LineSelection(position=1, quantity=1)], location=shop.trade.warehouse.id
            ),
        )
    )
    await shop.trade.follow()
    await pace.refresh(shop.db)
    page = (await api.get("/admin", headers=PEOPLE)).text
    text = text_of(page)
    assert "100 % more than a week ago" in text, text[:3000]
    assert "a week ago until the same time" in text
    assert text.count("Nothing sold yet today") == 2  # the two stores say so
    assert f"Goods of {sold.number} came back" in text
    assert "is a customer now" in text
    hints = (await api.get("/admin/overview/hints", headers=PEOPLE)).text
    told = text_of(hints)
    assert "Late to pick" in told
    assert "Unpaid orders" in told
    assert "Sold last" in told
    assert "Stoneware mug" not in told  # lasts for years
    main = page[page.index("<main") : page.index("</main>")]
    hrefs = set(re.findall(r'href="(/admin[^"#]*)"', main + hints))
    assert len(hrefs) > 15
    for href in sorted(hrefs):
        answer = await api.get(href.replace("&amp;", "&"), headers=PEOPLE, follow_redirects=True)
        assert answer.status_code == 200, href
    assert week_ago.number not in (await api.get("/admin/orders?day=today", headers=PEOPLE)).text
    late = (await api.get("/admin/fulfilments?late=true&state=open,picking", headers=PEOPLE)).text
    assert unpaid.number in late
    assert sold.number not in late


async def test_the_ticker_tells_only_what_one_may_know(api_as, shop) -> None:
    at_store = await shop.buy("MUG-032", 1, channel=shop.trade.malmo)
    online = await shop.buy("MUG-032", 1)
    await shop.trade.follow()
    bound = Actor(
        kind="staff",
        id=new_id(),
        name="Sam",
        permissions=permissions_of(Role.STORE),
        locations=frozenset({shop.trade.at_malmo.id}),
    )
    async with api_as(bound) as client:
        told = (await client.get("/admin/overview/ticker", headers=PEOPLE)).text
        assert at_store.number in told
        assert online.number not in told
    nobody = Actor(kind="staff", id=new_id(), name="Sam", permissions=frozenset())
    async with api_as(nobody) as client:
        told = (await client.get("/admin/overview/ticker", headers=PEOPLE)).text
        assert at_store.number not in told
        assert "Nothing has happened yet" in told


async def _open(db: Database, code: str, zone: str) -> None:
    data = ChannelInput(
        code=code,
        name=code,
        kind=ChannelKind.WEBSHOP,
        country="SE",
        locale="sv",
        currency="SEK",
        time_zone=zone,
    )
    await db.transaction(lambda tx: channels.create(tx, data))


async def test_more_channels_and_orders_take_no_more_statements(wire, api, shop) -> None:
    async def counted() -> list[str]:
        for path in ("/admin", "/admin/overview/hints"):
            await api.get(path, headers=PEOPLE)  # what processes remember
        wire.clear()
        for path in ("/admin", "/admin/overview/hints"):
            assert (await api.get(path, headers=PEOPLE)).status_code == 200
        return [
            sql for sql in wire if "FROM follower f" not in sql
        ]  # one each, as many as there are followers

    await shop.buy("MUG-032", 1)
    few = await counted()
    for index, zone in enumerate(("Asia/Tokyo", "America/New_York", "Europe/Amsterdam", "Asia/Kathmandu")):
        await _open(shop.db, f"more-{index}", zone)
    for _ in range(5):
        await shop.buy("MUG-032", 1)
    many = await counted()
    assert len(many) == len(few), "\n".join(sorted({" ".join(sql.split())[:90] for sql in many}))
    assert len(many) <= 27, "\n".join(" ".join(sql.split())[:90] for sql in many)


@pytest.mark.parametrize(
    "path", ["/admin", "/admin/overview/hints", "/admin/overview/ticker", "/admin/stock/running-out"]
)
async def test_a_new_shop_is_told_what_will_be_here(api, path: str) -> None:
    assert (await api.get(path, headers=PEOPLE)).status_code == 200
