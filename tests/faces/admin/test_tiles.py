"""What the overview counts is what the list that it leads to shows: for owners, and for staff who are bound to a store."""

import re
from html import unescape
from typing import Any
from uuid import UUID

import msgspec
import pytest

from samlad import channels, orders, stock
from samlad.access.permissions import Role, permissions, permissions_of
from samlad.channels import ChannelInput, ChannelKind
from samlad.conversations import BeginInput
from samlad.conversations import service as conversations
from samlad.kernel.context import Actor
from samlad.kernel.ids import new_id

PEOPLE = {"accept": "text/html", "accept-language": "en"}
_LINE = re.compile(r'<li class="split"><a href="(/admin/[^"]+)">(.*?)</a>(.*?)</li>', re.DOTALL)
_TO_GIVE = re.compile(r'<p class="big"><a href="([^"]+)">(\d+) order')
_TILE = r'href="([^"]+)"[^>]*id="{}">.*?class="value">([^<]+)<'


async def rows(client: Any, href: str) -> int:
    """How many rows the list behind a link has."""
    answer = await client.get(unescape(href), headers=PEOPLE, follow_redirects=True)
    assert answer.status_code == 200, href
    found = re.search(r'<nav class="pages"[^>]*><p>(\d+)', answer.text)
    return int(found[1]) if found else 0


def amount(text: str) -> float:
    return sum(float(one.replace(",", "")) for one in re.findall(r"[\d,]+\.\d\d", text))


async def sold_and_listed(client: Any) -> tuple[float, float]:
    """What the overview says that was sold, and the sum of the list behind it."""
    page = (await client.get("/admin", headers=PEOPLE)).text
    ((href, told),) = re.findall(_TILE.format("sales-SEK"), page, re.DOTALL)
    listed = (await client.get(unescape(href), headers=PEOPLE)).text
    return amount(told), amount(listed[listed.index("<tbody") : listed.index("</tbody>")])


async def differing(client: Any) -> tuple[dict[str, tuple[int, int]], list[str]]:
    """The links of the overview whose number is not that of the rows behind it, and all that were followed."""
    wrong, followed = {}, []
    page = (await client.get("/admin", headers=PEOPLE)).text
    hints = (await client.get("/admin/overview/hints", headers=PEOPLE)).text
    counted = [(href, int(count)) for href, count in _TO_GIVE.findall(hints)]
    for href, text, rest in _LINE.findall(hints):
        numbers = re.findall(r"\d+", re.sub(r"<[^>]+>", " ", text if re.match(r"\s*\d", text) else rest))
        if numbers:
            counted.append((href, sum(map(int, numbers)) if "location=" in href else int(numbers[0])))
    counted += [
        (href, int(count)) for href, count in re.findall(_TILE.format("orders-today"), page, re.DOTALL)
    ]
    for href, count in counted:
        there = await rows(client, href)
        followed.append(unescape(href))
        if there != count:
            wrong[unescape(href)] = (count, there)
    return wrong, followed


async def _fill(shop: Any) -> None:
    """Something for every tile, at a store and elsewhere, in two time zones, with what must not be counted beside it."""
    trade = shop.trade
    some = [(shop.variants["MUG-032"], 20)]
    for place in (trade.at_malmo, trade.warehouse):
        await shop.db.transaction(lambda tx, p=place: stock.receive(tx, p.id, some))
    far = ChannelInput(code="tokyo", name="Tokyo", kind=ChannelKind.WEBSHOP, country="JP", locale="en", currency="SEK",
                       time_zone="Asia/Tokyo")  # fmt: skip
    made = await shop.db.transaction(lambda tx: channels.create(tx, far))
    for channel in (None, trade.malmo):
        for cancelled in (False, True):
            order = await shop.buy("MUG-032", 1, **({"channel": channel} if channel else {}))
            if cancelled:
                await shop.db.transaction(lambda tx, o=order: orders.cancel(tx, o.id, orders.CancelInput()))
        late = await shop.buy("MUG-032", 1, pay_later=True, **({"channel": channel} if channel else {}))
        await shop.db.rows(
            "UPDATE fulfilment SET due_at = now() - interval '1 hour' WHERE order_id = $1 RETURNING 1",
            late.id,
        )
    empty = await shop.buy("MUG-032", 1)
    await shop.db.rows("UPDATE orders SET items = 0 WHERE id = $1 RETURNING 1", empty.id)
    # One of each of two days in Tokyo that are one day in Sweden, or the other way round.
    for shift in (-9, 9):
        there = await shop.buy("MUG-032", 1)
        await shop.db.rows(
            f"""UPDATE orders SET channel = $2, placed_at = now() + interval '{shift} hours',
                       local_day = ((now() + interval '{shift} hours') AT TIME ZONE 'Asia/Tokyo')::date WHERE id = $1 RETURNING 1""",
            there.id,
            made.id,
        )
    given = {"id": new_id(), "channel": trade.web.id, "name": "Ada", "email": "ada@w.example", "subject": "Open?",
             "body": "Is it open?", "topic": "other"}  # fmt: skip
    await shop.db.transaction(lambda tx: conversations.begin(tx, msgspec.convert(given, BeginInput)))
    await shop.db.rows(
        """INSERT INTO inbound_mail (id, key, sender, name, subject, body, state, reason, received_at)
           SELECT gen_random_uuid(), decode(md5(s), 'hex'), s || '@example.org', s, 'About', 'Hello', s, 'no-thread', now()
           FROM unnest(ARRAY['waiting', 'dismissed']) AS s"""
    )
    await shop.db.rows(
        f"""WITH asked AS (
                INSERT INTO question (id, product, variant, channel, language, text, status, asked_at)
                SELECT gen_random_uuid(), v.product, v.id, '{trade.web.id}', 'en', s, s, now()
                FROM (SELECT * FROM variant LIMIT 1) v, unnest(ARRAY['waiting', 'published', 'declined']) AS s RETURNING id, status)
            INSERT INTO question_answer (id, question, kind, channel, language, text, status, written_at)
            SELECT gen_random_uuid(), id, 'buyer', '{trade.web.id}', 'en', n::text, 'waiting', now() FROM asked, generate_series(1, 2) n
            WHERE status = 'published'"""
    )


@pytest.fixture
def at_malmo(shop: Any) -> Actor:
    place: UUID = shop.trade.at_malmo.id
    return Actor(kind="staff", id=new_id(), name="Sam", permissions=permissions_of(Role.STORE), locations=frozenset({place}))  # fmt: skip


async def test_each_number_is_that_of_the_list_behind_it(api, api_as, shop, at_malmo: Actor) -> None:
    await _fill(shop)
    wrong, followed = await differing(api)
    assert not wrong
    told, listed = await sold_and_listed(api)
    assert told == listed > 0
    for part in (
        "kind=sale",
        "late=true",
        "payment=unpaid",
        "state=open&sort",
        "mails?state=waiting",
        "offered=true",
    ):
        assert any(part in href for href in followed), part
    everything = Actor(kind="staff", id=new_id(), name="Sam", permissions=frozenset(permissions()), locations=at_malmo.locations)  # fmt: skip
    for actor in (at_malmo, everything):
        async with api_as(actor) as client:
            wrong, followed = await differing(client)
            assert not wrong
            assert any("day=today" in href for href in followed)
            told, listed = await sold_and_listed(client)
            assert told == listed > 0
