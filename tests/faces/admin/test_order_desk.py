"""The order desk over HTTP: filters, views with undo, the panel, acts on many, words on an order, files that are what one sees."""

import csv
import io
import re

from market import hidden, text_of

from samlad import orders
from samlad.orders import bulk, tagging

PEOPLE = {"accept": "text/html"}
BASE = "/admin/orders"


def numbers(html: str) -> list[str]:
    return re.findall(r'data-order="([^"]+)"', html)


def undo_of(page: str) -> str:
    return re.search(r'action="(/admin/undo/[^"]+)"', page)[1]


async def test_filters_panel_and_file_say_the_same(api, shop) -> None:
    small, big = await shop.buy("MUG-032", 1), await shop.buy("KTL-150", 2)
    store = await shop.buy("MUG-032", 1, channel=shop.trade.malmo)
    await shop.db.transaction(lambda tx: tagging.tag(tx, big.id, ["gift"]))
    await shop.db.rows(
        "UPDATE fulfilment SET due_at = now() - interval '1 hour' WHERE order_id = $1 RETURNING 1", small.id
    )
    await shop.db.transaction(lambda tx: orders.fulfil(tx, big.id, orders.FulfilInput()))
    await shop.db.transaction(
        lambda tx: orders.take_back(
            tx,
            big.id,
            orders.ReturnInput(
                lines=[orders.LineSelection(position=1, quantity=1)], location=shop.trade.warehouse.id
            ),
        )
    )
    sales = "kind=sale&"
    for asked, found in {
        "tag=Gift": [big],
        f"{sales}from_amount=1000": [big],
        f"{sales}to_amount=1000,50": [small, store],
        "late=true": [small],
        "returned=true": [big],
        f"{sales}channel=malmo&day=today": [store],
        f"{sales}day=yesterday": [],
        f"place={shop.trade.warehouse.code}&part=open": [small],
        f"{sales}delivery=carry_out": [store],
        f"{sales}currency=SEK&payment=paid,refunded": [small, big, store],
        f"{sales}last=2001-01-01": [],
        f"q={big.number}": [big],
    }.items():
        page = (await api.get(f"{BASE}?{asked}", headers=PEOPLE)).text
        assert set(numbers(page)) == {order.number for order in found}, asked
        file = (await api.get(f"{BASE}/export.csv?{asked}")).text
        assert {row["number"] for row in csv.DictReader(io.StringIO(file))} == {o.number for o in found}, (
            asked
        )
    opened = await api.get(f"{BASE}?open={big.id}&columns=tags,total&sort=total", headers=PEOPLE)
    assert "gift" in opened.text
    assert f'data-panel-of="{big.id}"' in opened.text
    assert "Customer</th>" not in opened.text
    assert (
        await api.get(f"{BASE}?open=rubbish&view=rubbish&from_amount=x", headers=PEOPLE)
    ).status_code == 200


async def test_views_are_kept_opened_renamed_and_brought_back(api, shop) -> None:
    order = await shop.buy("MUG-032", 1)
    await shop.buy("KTL-150", 1)
    asked = f"q={order.number}&sort=-total"
    page = (await api.get(f"{BASE}?{asked}", headers=PEOPLE)).text
    form = {
        "selection": hidden(page, "selection").replace("&amp;", "&"),
        "id": re.search(r'name="id" value="([0-9a-f-]{36})"><div', page)[1],
        "name": "Only <b>this</b>",
        "column": ["tags", "total"],
        "default": "1",
        "shared": "1",
    }
    for _ in range(2):  # sent twice it is kept once
        kept = await api.post(f"{BASE}/views", data=form, headers=PEOPLE)
        assert kept.status_code == 303
    desk = await api.get(BASE, headers=PEOPLE, follow_redirects=True)  # the desk opens with it
    assert numbers(desk.text) == [order.number]
    assert "Only &lt;b&gt;this&lt;/b&gt;" in desk.text
    assert desk.text.count("<b>this</b>") == 0
    assert len(numbers((await api.get(f"{BASE}?view=all", headers=PEOPLE)).text)) == 2
    act = re.search(r'action="(/admin/orders/views/[0-9a-f-]+)"', desk.text)[1]
    version = re.search(r'name="version" value="(\d+)"><div class="body stack"><p>', desk.text)[1]
    change = {**form, "act": "change", "name": "Mine", "version": version}
    assert (await api.post(act, data=change, headers=PEOPLE)).status_code == 303
    again = await api.post(act, data=change, headers=PEOPLE, follow_redirects=True)
    assert "changed" in text_of(again.text).lower()  # somebody was quicker: it is said
    long = await api.post(act, data={**change, "name": "9" * 400, "version": "2"}, headers=PEOPLE)
    assert long.status_code == 303  # told above the desk
    assert "Mine" in (await api.get(f"{BASE}?view=all", headers=PEOPLE)).text
    gone = await api.post(
        act, data={**form, "act": "delete", "version": "2"}, headers=PEOPLE, follow_redirects=True
    )
    assert "“Mine” is deleted." in text_of(gone.text)
    back = await api.post(undo_of(gone.text), headers=PEOPLE, follow_redirects=True)
    assert numbers(back.text) == [order.number]


async def test_acts_on_many_are_watched_and_taken_back(api, shop) -> None:
    placed = [await shop.buy("MUG-032", 1) for _ in range(3)]
    await shop.db.transaction(lambda tx: tagging.tag(tx, placed[0].id, ["gift"]))
    page = (await api.get(f"{BASE}?kind=sale", headers=PEOPLE)).text
    form = {
        "selection": hidden(page, "selection"),
        "bulk": hidden(page, "bulk"),
        "act": "tag",
        "tags": "gift, Fragile",
    }
    nothing = await api.post(f"{BASE}/bulk", data=form, headers=PEOPLE, follow_redirects=True)
    assert "Choose at least one order." in nothing.text
    addresses = set()
    for _ in range(2):
        begun = await api.post(f"{BASE}/bulk", data={**form, "everything": "1"}, headers=PEOPLE)
        addresses.add(begun.headers["location"])
    assert len(addresses) == 1
    (address,) = addresses
    watched = (await api.get(address, headers=PEOPLE)).text
    assert "0 / 3" in text_of(watched)
    await bulk.run(shop.db, address.rpartition("/")[2])
    done = (await api.get(address, headers=PEOPLE)).text
    assert "every 1s" not in done
    assert set(re.findall(r'href="/admin/orders/([0-9a-f-]{36})"', done)) == {
        str(order.id) for order in placed
    }
    assert len(numbers((await api.get(f"{BASE}?tag=fragile", headers=PEOPLE)).text)) == 3
    back = await api.post(f"{address}/back", headers=PEOPLE)
    await bulk.run(shop.db, back.headers["location"].rpartition("/")[2])
    assert numbers((await api.get(f"{BASE}?tag=fragile", headers=PEOPLE)).text) == []
    kept = numbers((await api.get(f"{BASE}?tag=gift", headers=PEOPLE)).text)
    assert kept == [placed[0].number], "the tag that it had before stays"
    slips = await api.post(
        f"{BASE}/print", data={"id": [str(placed[0].id), str(placed[1].id)]}, headers=PEOPLE
    )
    assert slips.text.count("<article") == 2
    assert "kr" not in slips.text[slips.text.index("<article") :]  # no prices


async def test_words_on_an_order_say_who_wrote_and_can_be_taken_back(api, shop) -> None:
    order = await shop.buy("MUG-032", 1)
    here = f"{BASE}/{order.id}"
    await api.post(f"{here}/words/note", data={"text": "<i>Call</i> first"}, headers=PEOPLE)
    tagged = await api.post(
        f"{here}/words/tag", data={"tags": "gift"}, headers={**PEOPLE, "hx-request": "true"}
    )
    assert "gift" in tagged.text
    assert "&lt;i&gt;Call&lt;/i&gt; first" in tagged.text
    off = await api.post(f"{here}/words/untag", data={"tag": "gift"}, headers=PEOPLE, follow_redirects=True)
    back = await api.post(undo_of(off.text), headers=PEOPLE, follow_redirects=True)
    assert "gift" in back.text
    odd = await api.post(f"{here}/words/unnote", data={"note": "a@b", "version": "1"}, headers=PEOPLE)
    assert odd.status_code < 500
    stale = await api.post(
        f"{here}/words/unnote",
        data={"note": re.search(r'name="note" value="([^"]+)"', back.text)[1], "version": "7"},
        headers={**PEOPLE, "hx-request": "true"},
    )
    assert stale.status_code == 412
    assert "Call" in stale.text
    empty = await api.post(f"{here}/words/tag", data={"tags": " "}, headers={**PEOPLE, "hx-request": "true"})
    assert empty.status_code == 422
