"""What a process shows first: it has asked for nothing yet, and its first page is as right as its thousandth."""

import re

from market import open_market

PEOPLE = {"accept": "text/html", "accept-language": "en"}
AMERICAN = re.compile(r"\b[A-Z][a-z]{2} \d{1,2}, \d{4}")
OF_THE_WORLD = re.compile(r"\b\d{1,2} [A-Z][a-z]{2,3} \d{4}")


async def test_days_are_written_as_in_the_shops_country(api_as, shop) -> None:
    order = await shop.buy("MUG-032")
    rows = await shop.db.rows(
        "SELECT f.id, l.code FROM fulfilment f JOIN location l ON l.id = f.location WHERE f.order_id = $1",
        order.id,
    )
    slip = f"/pos/work/{rows[0]['code']}/{rows[0]['id']}/slip"
    for path in ("/admin/audit", "/admin/stock/movements", slip):
        async with api_as() as client:  # a process of its own, which has seen no channel
            page = (await client.get(path, headers=PEOPLE)).text
        assert AMERICAN.findall(page) == [], path
        assert OF_THE_WORLD.search(page), path


async def test_a_process_that_looked_before_the_first_channel_was_opened(api, db) -> None:
    assert AMERICAN.findall((await api.get("/admin/audit", headers=PEOPLE)).text) == []
    await open_market(db)
    page = (await api.get("/admin/audit", headers=PEOPLE)).text
    assert AMERICAN.findall(page) == []
    assert OF_THE_WORLD.search(page)
