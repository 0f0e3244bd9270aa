"""Bulk acts of the other lists: reviews, questions, levels, staff, gift cards, purchase orders, mails and saved replies.

What each changes is taken back exactly; who refuses is named, and does not keep the others.
"""

import re
import time
from typing import Any
from uuid import UUID, uuid4

import pytest

from samlad import credit
from samlad.access import staff as people
from samlad.access.permissions import Role, permissions
from samlad.access.staff import StaffInput
from samlad.app import CHECKS
from samlad.conversations import ReplyInput, saved
from samlad.credit import IssueInput
from samlad.faces.admin import bulk
from samlad.faces.page import MOST_FLASHED
from samlad.kernel import mailboxes
from samlad.kernel.bounces import Bounce
from samlad.kernel.context import Actor
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.kernel.mailboxes import Sent
from samlad.stock import purchases, suppliers
from samlad.stock.purchase_model import SupplierInput, WantedLine

FORMS = {
    "/admin/reviews/decisions": "approved",
    "/admin/questions/decisions": "published",
    "/admin/stock/bulk": "low_at",
    "/admin/staff/bulk": "enable",
    "/admin/gift-cards/bulk": "block",
    "/admin/stock/purchases/bulk": "cancel",
    "/admin/mail/bulk": "stop",
    "/admin/conversations/mails/bulk": "dismiss",
    "/admin/conversations/replies/bulk": "delete",
}


async def done(api: Any, path: str, data: dict[str, Any]) -> str:
    """The page that is shown after an act."""
    answer = await api.post(path, data=data)
    assert answer.status_code == 303, answer.text
    return (await api.get(answer.headers["location"])).text


async def take_back(api: Any, page: str) -> None:
    found = re.search(r'action="(/admin/undo/[^"]+)"', page)
    assert found, "nothing to take it back by"
    for _ in range(2):  # twice is once
        assert (await api.post(found[1])).status_code == 303


async def rows(shop: Any, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in await shop.db.rows(sql)]


async def ids(shop: Any, sql: str) -> list[str]:
    return [str(row[0]) for row in await rows(shop, sql)]


@pytest.mark.parametrize("path", FORMS)
async def test_what_cannot_be_meant_is_told(api, shop, path: str) -> None:
    ids = [str(uuid4()) for _ in range(bulk.MOST + 1)]
    if path == "/admin/stock/bulk":
        ids = [f"{one}/{one}" for one in ids]
    for chosen in ([], ["x"], ids):
        assert "Pick" in await done(api, path, {"act": FORMS[path], "id": chosen})
    assert "Please say what" in await done(api, path, {"act": "explode", "id": ids[:1]})
    told = await done(api, path, {"act": FORMS[path], "id": ids[:2], "next": path.rpartition("/")[0]})
    assert "Changed: 0. Refused: 2." in told
    assert "/admin/undo/" not in told
    evil = await api.post(path, data={"act": FORMS[path], "next": "//evil.example"})
    assert evil.headers["location"].startswith("/admin/")


async def test_ten_thousand_are_answered_at_once_with_the_limit(api, shop) -> None:
    chosen = [str(uuid4()) for _ in range(10_000)]
    began = time.process_time()
    answer = await api.post("/admin/reviews/decisions", data={"act": "approved", "id": chosen})
    assert answer.status_code == 400
    assert "too many fields" in answer.text
    some = await done(api, "/admin/reviews/decisions", {"act": "approved", "id": chosen[:4_900]})
    assert f"Pick at most {bulk.MOST} at once." in some
    assert time.process_time() - began < 5, "nothing is looked up for what is refused as a whole"


async def _reviews(api: Any, shop: Any) -> list[str]:
    """Four: one waits, one is shown and was reported, one is refused, one was taken back."""
    order = await shop.buy("MUG-032")
    await shop.db.rows(
        f"""INSERT INTO review (id, product, variant, order_id, channel, language, stars, status, title, written_at)
            SELECT gen_random_uuid(), v.product, v.id, '{order.id}', c.id, 'en', 4, 'waiting', v.sku, now()
            FROM variant v, channel c WHERE c.id = '{shop.trade.web.id}' AND v.sku LIKE '%-%'"""
    )
    found = await ids(shop, "SELECT id FROM review ORDER BY title")
    for one, decision in (
        (found[1], {"status": "approved"}),
        (found[2], {"status": "refused", "reason": "It is advertising."}),
    ):
        assert (await api.post(f"/api/reviews/{one}/decision", json=decision)).status_code == 200
    await shop.db.rows(f"UPDATE review SET reports = 2 WHERE id = '{found[1]}'")
    await shop.db.rows(f"UPDATE review SET status = 'withdrawn' WHERE id = '{found[3]}'")
    return found


@pytest.mark.parametrize("act", ["approved", "refused", "waiting"])
async def test_reviews_are_decided_together_and_stand_as_before(api, shop, act: str) -> None:
    found = await _reviews(api, shop)
    look = "SELECT id, status, reason, reports, decided_at, decided_by FROM review ORDER BY title"
    before = await rows(shop, look)
    totals = "SELECT product, fours FROM review_total WHERE fours > 0 ORDER BY product"
    counted = await rows(shop, totals)
    assert [row[1] for row in counted] == [1]
    data = {"act": act, "reason": "Not fit", "id": found, "next": "/admin/reviews?sort=-written_at"}
    page = await done(api, "/admin/reviews/decisions", data)
    assert "Refused: 1." in page
    title = await shop.db.value(f"SELECT title FROM review WHERE id = '{found[3]}'")
    assert f"{title}: Who wrote this review took it back." in page
    after = [row[1] for row in await rows(shop, look)]
    assert after == [*[act] * 3, "withdrawn"]
    again = await done(api, "/admin/reviews/decisions", {**data, "id": found[:2]})
    assert "Changed: 0." in again
    await take_back(api, page)
    assert await rows(shop, look) == before
    assert await rows(shop, totals) == counted
    [check] = [each for each in CHECKS if each.name.startswith("review")]
    assert (await check.look(shop.db)).status == "ok"


async def test_what_was_decided_or_written_anew_since_is_left(api, shop) -> None:
    found = await _reviews(api, shop)
    page = await done(api, "/admin/reviews/decisions", {"act": "approved", "id": found[:3]})
    one = await api.post(
        f"/api/reviews/{found[0]}/decision", json={"status": "refused", "reason": "Ours to say"}
    )
    assert one.status_code == 200
    await take_back(api, page)
    states = [row[0] for row in await rows(shop, "SELECT status FROM review ORDER BY title")]
    assert states == ["refused", "approved", "refused", "withdrawn"]
    assert "Please say why" in await done(api, "/admin/reviews/decisions", {"act": "refused", "id": found})


async def test_a_review_waits_again_by_its_page_and_the_api(api, shop) -> None:
    found = await _reviews(api, shop)
    page = (await api.get(f"/admin/reviews/{found[1]}")).text
    assert "Let it wait again" in page
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version
    sent = {"status": "waiting", "version": version[1]}
    assert (await api.post(f"/admin/reviews/{found[1]}/decision", data=sent)).status_code == 303
    assert await shop.db.value(
        f"SELECT (status, reports) = ('waiting', 2) FROM review WHERE id = '{found[1]}'"
    )
    answer = await api.post(f"/api/reviews/{found[2]}/decision", json={"status": "waiting"})
    assert (answer.json()["status"], answer.json()["decided_by"]) == ("waiting", None)
    twice = await api.post(f"/api/reviews/{found[2]}/decision", json={"status": "waiting"})
    assert twice.json()["version"] == answer.json()["version"]


@pytest.mark.parametrize("act", ["published", "declined", "waiting"])
async def test_questions_are_decided_together_and_stand_as_before(api, shop, act: str) -> None:
    await shop.db.rows(
        f"""INSERT INTO question (id, product, variant, channel, language, text, status, reports, asked_at, decided_at, decided_by)
            SELECT gen_random_uuid(), v.product, v.id, c.id, 'en', s.status, s.status, s.reports, now(), s.at, s.by
            FROM (SELECT * FROM variant LIMIT 1) v, channel c, (VALUES ('waiting', 0, NULL, NULL),
                ('published', 3, now() - interval '1 day', 'Ada'), ('declined', 0, now(), 'Bo'),
                ('withdrawn', 0, NULL, NULL)) AS s (status, reports, at, by)
            WHERE c.id = '{shop.trade.web.id}'"""
    )
    found = await ids(shop, "SELECT id FROM question ORDER BY text")
    look = "SELECT text, status, reason, reports, decided_at, decided_by FROM question ORDER BY text"
    before = await rows(shop, look)
    data = {"act": act, "reason": "Not fit", "id": found, "next": "/admin/questions?sort=-asked_at"}
    page = await done(api, "/admin/questions/decisions", data)
    assert "Refused: 1. withdrawn: Who asked this took it back." in page
    assert {row[0]: row[1] for row in await rows(shop, look)} == {
        "waiting": act, "published": act, "declined": act, "withdrawn": "withdrawn"
    }  # fmt: skip
    await take_back(api, page)
    assert await rows(shop, look) == before


@pytest.mark.parametrize("what", ["reorder_point", "reorder_quantity", "low_at"])
async def test_levels_get_a_threshold_and_each_its_own_back(api, shop, what: str) -> None:
    places = await ids(shop, "SELECT id FROM location ORDER BY id")
    await shop.db.rows(
        """INSERT INTO level (location, variant, low_at, reorder_point, reorder_quantity)
            SELECT l.id, v.id, 1 + row_number() OVER (), nullif(row_number() OVER () % 4, 0), row_number() OVER ()
            FROM location l, variant v ON CONFLICT (location, variant) DO UPDATE SET low_at = 9"""
    )  # fmt: skip
    look = f"SELECT location, variant, {what} FROM level ORDER BY location, variant"
    every = "SELECT location, variant, low_at, reorder_point, reorder_quantity, on_hand, held FROM level ORDER BY 1, 2"
    before, keys = await rows(shop, every), [f"{row[0]}/{row[1]}" for row in await rows(shop, look)]
    missing = f"{places[0]}/{uuid4()}"
    page = await done(api, "/admin/stock/bulk", {"act": what, "pieces": "7", "id": [*keys[:6], missing]})
    assert "Refused: 1. There is no such level." in page
    after = await rows(shop, look)
    assert [row[2] for row in after[:6]] == [7] * 6
    assert [row[2] for row in after[6:]] == [getattr_of(row, what) for row in before[6:]]
    await done(api, "/admin/stock/bulk", {"act": what, "pieces": "8", "id": keys[:1]})
    await take_back(api, page)
    left = await rows(shop, every)
    assert left[1:] == before[1:]
    assert getattr_of(left[0], what) == 8, "what somebody has set since is theirs"
    for text in ("-1", "many", "99999999999"):
        told = await done(api, "/admin/stock/bulk", {"act": what, "pieces": text, "id": keys[:1]})
        assert "Changed" not in told
    page = await done(api, "/admin/stock/bulk", {"act": what, "id": keys[:2]})
    emptied = [row[2] for row in (await rows(shop, look))[:2]]
    assert emptied == ([0, 0] if what == "low_at" else [None, None])


def getattr_of(row: tuple[Any, ...], what: str) -> Any:
    return row[("low_at", "reorder_point", "reorder_quantity").index(what) + 2]


async def test_who_is_bound_to_a_store_sets_only_its_levels(api_as, shop) -> None:
    keys = await rows(shop, "SELECT location, variant FROM level ORDER BY 1, 2")
    own = keys[0][0]
    other = next(row for row in keys if row[0] != own)
    sam = await _person(shop, "sam", locations=[own])
    bound = Actor(
        kind="staff", id=sam, name="Sam", permissions=frozenset(permissions()), locations=frozenset([own])
    )
    async with api_as(bound) as client:
        chosen = [f"{keys[0][0]}/{keys[0][1]}", f"{other[0]}/{other[1]}"]
        page = await done(client, "/admin/stock/bulk", {"act": "reorder_point", "pieces": "3", "id": chosen})
    assert "Changed: 1. Refused: 1." in page
    sku = await shop.db.value(f"SELECT sku FROM variant WHERE id = '{other[1]}'")
    assert f"{sku} (" in page


async def _person(shop: Any, name: str, role: Role = Role.OWNER, locations: list[UUID] | None = None) -> UUID:
    given = StaffInput(email=f"{name}@staff.example", name=name, roles=[role], locations=locations or [])

    async def work(tx: Tx) -> UUID:
        made = await people.add(tx, given, "active")
        await tx.execute("UPDATE staff SET password_hash = 'x' WHERE id = $1", made.id)
        return made.id

    return await shop.db.transaction(work)


async def test_staff_are_shut_out_together_never_oneself_nor_the_last_owner(api_as, shop) -> None:
    sam, ada = await _person(shop, "sam"), await _person(shop, "ada")
    bo, cy = await _person(shop, "bo", Role.STORE), await _person(shop, "cy", Role.STORE)
    await shop.db.transaction(lambda tx: people.disable(tx, cy))
    look = "SELECT name, status FROM staff ORDER BY name"
    before = await rows(shop, look)
    actor = Actor(kind="staff", id=sam, name="Sam", permissions=frozenset(permissions()))
    everybody = [str(one) for one in (sam, ada, bo, cy)]
    async with api_as(actor) as client:
        page = await done(client, "/admin/staff/bulk", {"act": "disable", "id": everybody})
        assert "Changed: 2. Refused: 1. sam: Nobody can shut themselves out" in page
        assert [row[1] for row in await rows(shop, look)] == ["disabled", "disabled", "disabled", "active"]
        await take_back(client, page)
        assert await rows(shop, look) == before
        page = await done(client, "/admin/staff/bulk", {"act": "enable", "id": everybody})
        assert "Changed: 1." in page
        await take_back(client, page)
        assert await rows(shop, look) == before
    # Somebody who is no owner, but may do all that one may: the last owner stays.
    await shop.db.transaction(lambda tx: people.disable(tx, ada))
    other = Actor(kind="staff", id=bo, name="bo", permissions=frozenset(permissions()))
    async with api_as(other) as client:
        page = await done(client, "/admin/staff/bulk", {"act": "disable", "id": [str(sam)]})
        assert "Changed: 0. Refused: 1. sam: Make somebody else an owner first." in page
        assert (await client.post(f"/api/staff/{bo}/disable")).status_code == 409


async def test_gift_cards_are_blocked_together_and_pay_again(api, api_as, shop) -> None:
    data = IssueInput(channel=shop.trade.web.id, amount=1_000, note="Thanks")
    made = [(await shop.db.transaction(lambda tx: credit.issue(tx, data))).card for _ in range(3)]
    chosen = [str(one.id) for one in made]
    await shop.db.transaction(lambda tx: credit.replace(tx, made[2].id))
    look = "SELECT status FROM gift_card WHERE id = ANY(ARRAY['{}', '{}', '{}']::uuid[]) ORDER BY created_at, id".format(
        *chosen
    )
    before = await rows(shop, look)
    page = await done(api, "/admin/gift-cards/bulk", {"act": "block", "id": chosen})
    assert f"Refused: 1. ···· {made[2].last_four}: Only a card that pays can be blocked." in page
    assert sorted(await rows(shop, look))[:2] == [("blocked",)] * 2
    await take_back(api, page)
    assert await rows(shop, look) == before
    sam = await _person(shop, "sam")
    only = Actor(kind="staff", id=sam, name="Sam", permissions=frozenset({"credit.read", "credit.issue"}))
    async with api_as(only) as client:
        page = await done(client, "/admin/gift-cards/bulk", {"act": "block", "id": chosen[:1]})
        assert "Changed: 1." in page
        assert "/admin/undo/" not in page, "who may not let a card pay is not offered it"
        assert (
            await client.post("/admin/gift-cards/bulk", data={"act": "unblock", "id": chosen})
        ).status_code == 403


async def test_drafts_are_called_off_together_and_are_drafts_again(api, shop) -> None:
    async def work(tx: Tx) -> list[Any]:
        supplier = await suppliers.create(tx, SupplierInput(code="bodum", name="Bodum"))
        place = await tx.value("SELECT id FROM location ORDER BY id LIMIT 1")
        line = [WantedLine(shop.variants["MUG-032"], 4, 100)]
        drafts = [await purchases.draft(tx, supplier, place, line) for _ in range(3)]
        await purchases.order(tx, drafts[2].id)
        return drafts

    drafts = await shop.db.transaction(work)
    look = "SELECT number, status FROM purchase_order ORDER BY number"
    before, lines = (
        await rows(shop, look),
        await rows(shop, "SELECT * FROM purchase_order_line ORDER BY 1, 2"),
    )
    data = {"act": "cancel", "id": [str(one.id) for one in drafts]}
    page = await done(api, "/admin/stock/purchases/bulk", data)
    assert f"Changed: 2. Refused: 1. Purchase {drafts[2].number}: It is no draft any more" in page
    assert [row[1] for row in await rows(shop, look)] == ["cancelled", "cancelled", "ordered"]
    await take_back(api, page)
    assert await rows(shop, look) == before
    assert await rows(shop, "SELECT * FROM purchase_order_line ORDER BY 1, 2") == lines
    # One that was drafted, called off and made again, and ordered since, is left as it is: the whole is told.
    page = await done(api, "/admin/stock/purchases/bulk", {**data, "id": [str(drafts[0].id)]})
    await take_back(api, page)
    await shop.db.transaction(lambda tx: purchases.order(tx, drafts[0].id))
    found = re.search(r'action="(/admin/undo/[^"]+)"', page)
    assert found
    told = await api.post(found[1])
    assert told.status_code == 303
    assert "could not be taken back" in (await api.get(told.headers["location"])).text
    assert await shop.db.value(f"SELECT status FROM purchase_order WHERE id = '{drafts[0].id}'") == "ordered"


async def test_addresses_are_written_to_again_together(api, shop) -> None:
    for name in ("ada", "bo"):
        sent = Sent(recipient=f"{name}@example.org", person=None, channel=None, kind="order")
        bounce = Bounce(mail=new_id(), is_permanent=name == "ada", status="5.1.1", code=550, answer="")
        await shop.db.transaction(lambda tx, s=sent, b=bounce: mailboxes.mark(tx, s, b))
    look = "SELECT address, is_stopped FROM mail_bounce ORDER BY address"
    before, chosen = await rows(shop, look), await ids(shop, "SELECT id FROM mail_bounce ORDER BY address")
    assert [row[1] for row in before] == [True, False]
    for act, states in (("write", [False, False]), ("stop", [True, True])):
        page = await done(api, "/admin/mail/bulk", {"act": act, "id": chosen})
        assert "Changed: 1." in page
        assert [row[1] for row in await rows(shop, look)] == states
        await take_back(api, page)
        assert await rows(shop, look) == before


async def test_mails_are_put_aside_together_and_wait_again(api, shop) -> None:
    await shop.db.rows(
        """INSERT INTO inbound_mail (id, key, sender, name, subject, body, state, reason, received_at)
           SELECT gen_random_uuid(), decode(md5(s), 'hex'), s || '@example.org', s, 'About ' || s, 'Hello', 'waiting',
                  'no-thread', now() FROM unnest(ARRAY['ada', 'bo', 'cy']) AS s"""
    )
    look, chosen = (
        "SELECT sender, state FROM inbound_mail ORDER BY sender",
        await ids(shop, "SELECT id FROM inbound_mail ORDER BY sender"),
    )
    before = await rows(shop, look)
    listed = (await api.get("/admin/conversations/mails")).text
    assert listed.count("data-pick ") == 3
    page = await done(api, "/admin/conversations/mails/bulk", {"act": "dismiss", "id": chosen[:2]})
    assert "Changed: 2." in page
    assert [row[1] for row in await rows(shop, look)] == ["dismissed", "dismissed", "waiting"]
    began = await api.post(
        f"/admin/conversations/mails/{chosen[2]}", data={"act": "begin", "channel": str(shop.trade.web.id)}
    )
    assert began.headers["location"].startswith("/admin/conversations/")
    told = await done(api, "/admin/conversations/mails/bulk", {"act": "dismiss", "id": chosen[2:]})
    assert "Changed: 0. Refused: 1." in told
    await take_back(api, page)
    assert (await rows(shop, look))[-2:] == before[:2]


async def test_saved_replies_are_deleted_together_and_come_back(api, shop) -> None:
    for name in ("Thanks", "Opening hours"):
        data = ReplyInput(name=name, language="en", body=f"{name}.")
        await shop.db.transaction(lambda tx, d=data: saved.put(tx, d))
    look = "SELECT name, deleted_at IS NULL FROM saved_reply ORDER BY name"
    chosen = await ids(shop, "SELECT id FROM saved_reply ORDER BY name")
    page = await done(api, "/admin/conversations/replies/bulk", {"act": "delete", "id": chosen})
    assert "Changed: 2." in page
    assert await rows(shop, look) == [("Opening hours", False), ("Thanks", False)]
    await take_back(api, page)
    assert await rows(shop, look) == [("Opening hours", True), ("Thanks", True)]


async def test_fifty_levels_of_fifty_values_still_fit_the_cookie(api, shop) -> None:
    """The largest undo: two ids a row, each with another value, from a page with a long address."""
    async with shop.db.pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")  # places that are not there
        await connection.execute(
            """INSERT INTO level (location, variant, reorder_point)
               SELECT gen_random_uuid(), v.id, 100000 + n
               FROM generate_series(1, 50) AS n, (SELECT id FROM variant LIMIT 1) v"""
        )
    keys = await rows(
        shop, "SELECT location, variant, reorder_point FROM level WHERE reorder_point > 100000 ORDER BY 1, 2"
    )
    back = "/admin/stock?" + "&".join(f"q={uuid4()}" for _ in range(30))
    data = {"act": "reorder_point", "pieces": "5", "id": [f"{row[0]}/{row[1]}" for row in keys], "next": back}
    answer = await api.post("/admin/stock/bulk", data=data)
    cookie = answer.headers["set-cookie"].partition(";")[0]
    assert len(cookie) <= MOST_FLASHED + 20, "browsers drop a longer one"
    page = (await api.get("/admin/staff")).text
    assert "Changed: 50." in page
    await take_back(api, page)
    after = await rows(
        shop, "SELECT location, variant, reorder_point FROM level WHERE reorder_point > 100000 ORDER BY 1, 2"
    )
    assert after == keys


async def test_only_who_may_acts_on_many(api_as, shop) -> None:
    sam = await _person(shop, "sam", Role.STORE)
    nobody = Actor(kind="staff", id=sam, name="Sam", permissions=frozenset({"reviews.read"}))
    async with api_as(nobody) as client:
        for path, act in FORMS.items():
            assert (await client.post(path, data={"act": act})).status_code == 403, path
