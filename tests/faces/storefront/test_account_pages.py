"""The pages of an account, as somebody without scripts sees them."""

import io
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
from market import hidden, text_of
from PIL import Image

from account_people import Post
from samlad import accounts, appointments, catalog, channels, credit, customers, orders, stock, subscriptions
from samlad.access.permissions import Role, permissions_of
from samlad.appointments import BookInput, ServiceInput
from samlad.carts import Address
from samlad.catalog import ProductChange
from samlad.catalog.model import ProductStatus
from samlad.channels import ChannelChange, Resource
from samlad.channels.model import Interval, OpeningHours
from samlad.credit import GrantInput, IssueInput, PointsInput, ProgrammeInput, Rate, Reward
from samlad.customers import PersonInput
from samlad.kernel.clock import local_day, now
from samlad.kernel.context import GUEST, SYSTEM, Actor, Context
from samlad.kernel.database import Database, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.settings import Settings, load
from samlad.kernel.vault import Vault
from samlad.orders import FulfilInput, Order, order_address
from samlad.privacy import running
from samlad.subscriptions import ChangeInput, LineInput, PlanInput, StartInput
from samlad.subscriptions import sweepers as subscription_sweepers
from trade import Trade, build

KIM, ROBIN = "kim@example.org", "robin@example.org"
PAGES = [
    "",
    "/orders",
    "/subscriptions",
    "/conversations",
    "/appointments",
    "/lists",
    "/points",
    "/addresses",
    "/preferences",
    "/security",
    "/data",
]


@pytest.fixture
def settings(dsn: str, tmp_path: Any) -> Settings:
    """A developer's: mails can be asked for. Nobody works here, so they stay in the outbox."""
    return load({}, home=tmp_path, database_url=dsn, pool_size=8, mail_to_log=True)


@pytest.fixture
async def trade(db: Database) -> Trade:
    return await build(db)


@pytest.fixture
def post(db: Database, settings: Settings, trade: Trade) -> Post:
    return Post(db, settings, trade.web)


@pytest.fixture
async def browser(api_as: Any, trade: Trade) -> AsyncIterator[httpx.AsyncClient]:
    async with api_as(GUEST, accept="text/html", **{"accept-language": "en"}) as client:
        yield client


async def come_in(browser: httpx.AsyncClient, post: Post, email: str = KIM, **more: str) -> httpx.Response:
    """Ask for a link and follow it in the same browser; the answer to the link."""
    asked = await browser.post("/account/sign-in/link", data={"email": email, **more})
    assert asked.status_code == 303, asked.text
    return await browser.get(f"/account/link/{(await post.tokens(email))[0]}")


async def bought(trade: Trade, variant: UUID, *, channel: Any = None) -> Order:
    """Kim has it in hand."""
    made = await trade.buy((variant, 2), channel=channel)
    if channel is None:
        await trade.db.transaction(lambda tx: orders.fulfil(tx, made.id, FulfilInput()))
    await trade.follow()
    return made


async def test_a_link_signs_in_where_it_was_asked_for(
    browser: httpx.AsyncClient, post: Post, api_as: Any
) -> None:
    for path in PAGES:
        turned = await browser.get(f"/account{path}")
        assert turned.status_code == 303, path
        assert turned.headers["location"].startswith("/account/sign-in?next=")
    page = await browser.get("/account/sign-in")
    assert page.status_code == 200
    assert "Send me a link" in page.text
    assert (await browser.post("/account/sign-in/link", data={"email": "kim"})).status_code == 422
    known = await browser.post("/account/sign-in/link", data={"email": KIM, "next": "//evil.test"})
    assert (await browser.get(known.headers["location"])).status_code == 200
    token = (await post.tokens(KIM))[0]
    async with api_as(GUEST, accept="text/html") as other:  # another browser: only a button
        looked = await other.get(f"/account/link/{token}")
        assert looked.status_code == 200
        assert KIM in looked.text
        assert "samlad_customer" not in other.cookies
    own = await browser.get(f"/account/link/{token}")
    assert (own.status_code, own.headers["location"]) == (303, "/account"), "nobody is led elsewhere"
    cookie = next(each for each in own.headers.get_list("set-cookie") if "samlad_customer" in each)
    assert "httponly" in cookie.lower()
    assert "samesite=lax" in cookie.lower()
    for path in PAGES:
        shown = await browser.get(f"/account{path}")
        assert shown.status_code == 200, (path, shown.text[:500])
        assert shown.headers["cache-control"] == "no-store"
    assert (await browser.get(f"/account/link/{token}")).status_code == 410
    assert (await browser.post("/account/sign-out")).status_code == 303
    assert (await browser.get("/account")).status_code == 303
    # A wrong password is not told apart from an address that nobody has.
    await browser.get("/account/sign-in")
    answers = {
        (answer.status_code, re.sub(r'value="[^"]*"', "", answer.text.partition("<main")[2]))
        for email in (KIM, "nobody@example.org")
        for answer in [
            await browser.post("/account/sign-in/password", data={"email": email, "password": "x"})
        ]
    }
    assert [status for status, _text in answers] == [401]


async def test_the_cart_comes_along_with_undo(browser: httpx.AsyncClient, post: Post, trade: Trade) -> None:
    kettle, mug = await trade.kettle(), await trade.kettle(5_000)
    await come_in(browser, post)
    await browser.post("/cart/lines", data={"variant": str(kettle), "quantity": "1"})
    # A cart that was filled while signed in is the person's when they pay.
    assert (await browser.post("/checkout/start")).headers["location"] == "/checkout"
    assert f'value="{KIM}"' in (await browser.get("/checkout")).text
    owner = await post.db.value("SELECT customer FROM cart WHERE status = 'checkout'")
    assert owner == await post.db.value("SELECT customer FROM account")
    await browser.post("/account/sign-out")
    assert "cart" not in browser.cookies
    # Somewhere else, as a guest, and then signed in: both are together, and apart again.
    await browser.post("/cart/lines", data={"variant": str(mug), "quantity": "2"})
    await post.db.rows(
        "UPDATE cart SET status = 'open', checkout_until = NULL WHERE status = 'checkout' RETURNING 1"
    )
    answer = await come_in(browser, post)
    home = await browser.get(answer.headers["location"])
    undo = re.search(r'action="(/account/cart/[^"]+/undo)"', home.text)
    assert undo is not None, home.text
    count = (
        "SELECT count(*) FROM cart_line l JOIN cart c ON c.id = l.cart WHERE c.status = 'open' GROUP BY c.id"
    )
    assert [row["count"] for row in await post.db.rows(count)] == [2]
    assert (await browser.post(undo[1])).status_code == 303
    assert [row["count"] for row in await post.db.rows(count)] == [1, 1]
    assert (await browser.get("/cart")).text.count("data-line") <= 2
    # Signed in on a new device, the cart of the person is there.
    browser.cookies.delete("cart")
    browser.cookies.delete("samlad_customer")
    await come_in(browser, post)
    assert browser.cookies.get("cart") is not None
    lists = await browser.get("/account/lists")
    assert "Kettle" in lists.text


def pieces(browser: httpx.AsyncClient) -> str:
    """What the badge of the cart says on every page."""
    return browser.cookies["cart"].rsplit(".", 1)[1]


async def test_carts_that_were_taken_apart_stay_two(
    browser: httpx.AsyncClient, post: Post, trade: Trade, api_as: Any
) -> None:
    kettle, mug = await trade.kettle(), await trade.kettle(5_000)
    await come_in(browser, post)
    await browser.post("/cart/lines", data={"variant": str(kettle), "quantity": "3"})
    async with api_as(GUEST, accept="text/html", **{"accept-language": "en"}) as phone:
        await phone.post("/cart/lines", data={"variant": str(mug), "quantity": "2"})
        home = await phone.get((await come_in(phone, post)).headers["location"])
        undo = re.search(r'action="(/account/cart/[^"]+/undo)"', home.text)
        assert undo
        for _twice in range(2):
            await phone.post(undo[1])
            assert pieces(phone) == "2"
        # Shopping goes on in the one that the browser has, and the other one is offered there.
        await phone.post("/cart/lines", data={"variant": str(mug), "quantity": "1"})
        page = text_of((await phone.get("/cart")).text)
        assert "Your cart 3 pieces" in page.replace("You have another cart here with 3 pieces", "")
        assert "You have another cart here with 3 pieces" in page
        assert "597.00" not in page
        assert (await phone.post("/checkout/start")).headers["location"] == "/checkout"
        assert f'value="{KIM}"' in (await phone.get("/checkout")).text
        assert "3 pieces" in text_of((await browser.get("/cart")).text), "the other one is as it was"


async def test_who_signs_in_while_paying_is_offered_the_other_cart(
    browser: httpx.AsyncClient, post: Post, trade: Trade, api_as: Any
) -> None:
    kettle, mug = await trade.kettle(), await trade.kettle(5_000)
    await come_in(browser, post)
    await browser.post("/cart/lines", data={"variant": str(kettle), "quantity": "3"})
    async with api_as(GUEST, accept="text/html", **{"accept-language": "en"}) as phone:
        await phone.post("/cart/lines", data={"variant": str(mug), "quantity": "2"})
        await phone.post("/checkout/start")
        answer = await come_in(phone, post, next="/checkout")
        assert answer.headers["location"] == "/checkout"
        page = (await phone.get("/checkout")).text
        assert f'value="{KIM}"' in page
        assert (hidden(page, "total"), pieces(phone)) == ("10000", "2"), "nothing came in by itself"
        assert "You have another cart here with 3 pieces" in text_of(page)
        assert (await phone.post("/cart/before/add")).headers["location"] == "/cart"
        assert "5 pieces" in text_of((await phone.get("/cart")).text)


async def test_what_was_saved_for_later_is_on_every_device(
    browser: httpx.AsyncClient, post: Post, trade: Trade, api_as: Any
) -> None:
    await come_in(browser, post)
    for variant in (await trade.kettle(), await trade.kettle(5_000)):
        await browser.post("/cart/lines", data={"variant": str(variant)})
    save = re.search(r"/cart/lines/[0-9a-f-]{36}/save", (await browser.get("/cart")).text)
    assert save
    await browser.post(save[0])
    async with api_as(GUEST, accept="text/html", **{"accept-language": "en"}) as phone:
        await come_in(phone, post)
        page = (await phone.get("/cart")).text
        assert "Saved for later" in page
        back = page.split("Saved for later")[1]
        put = re.search(r'action="(/cart/lines/[0-9a-f-]{36}/save)"', back)
        assert put
        await phone.post(put[1], data={"from": hidden(back, "from")})
        assert "2 pieces" in text_of((await phone.get("/cart")).text)
    async with api_as(GUEST, accept="text/html", **{"accept-language": "en"}) as other:
        await browser.post(save[0].replace(save[0].split("/")[3], await first_line(browser)))
        code = re.search(r"(\d{3} \d{3})</output>", (await browser.post("/cart/share")).text)
        assert code
        await come_in(other, post, ROBIN)
        await other.post("/cart/continue", data={"code": code[1]})
        page = (await other.get("/cart")).text
        assert "1 piece" in text_of(page)
        assert "Saved for later" not in page, "a cart that is shared shares no lists"


async def first_line(browser: httpx.AsyncClient) -> str:
    """The id of the first line of the cart."""
    found = re.search(r'id="line-([0-9a-f-]{36})"', (await browser.get("/cart")).text)
    assert found
    return found[1]


async def test_orders_of_all_channels_and_nobody_elses(
    browser: httpx.AsyncClient, post: Post, trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    kettle = await trade.kettle(quantity=20)
    await trade.kettle()  # something else in the shop
    order = await bought(trade, kettle)
    signed = await post.sign_in(KIM)
    at_store = await trade.cart(
        (await trade.kettle(at=trade.at_malmo), 1), channel=trade.malmo, customer=str(signed.customer.id)
    )
    in_store = await trade.place(at_store.id)
    await trade.follow()
    await come_in(browser, post)
    listed = (await browser.get("/account/orders")).text
    assert order.number in listed
    assert in_store.number in listed
    assert order.number not in (await browser.get("/account/orders?status=cancelled")).text
    page = await browser.get(f"/account/orders/{order.id}")
    assert page.status_code == 200
    assert "Send back or exchange" in page.text
    # The same again, as far as it is there.
    again = await browser.post(f"/account/orders/{order.id}/again")
    assert again.headers["location"] == "/cart"
    assert (
        await post.db.value(
            "SELECT sum(quantity) FROM cart_line l JOIN cart c ON c.id = l.cart WHERE c.status = 'open'"
        )
        == 2
    )
    # What comes back is seen before it is announced; twice announced it is once.
    here = f"/account/orders/{order.id}/return"
    assert (await browser.get(here)).status_code == 200
    position = next(line.position for line in order.lines if line.variant == kettle)
    given = {
        f"back-{position}": "1",
        f"reason-{position}": "changed_mind",
        f"instead-{position}": "same",
        "way": "store",
    }
    assert (await browser.post(here, data={f"back-{position}": "0"})).status_code == 422
    assert (await browser.post(here, data={**given, f"back-{position}": "3"})).status_code == 422
    photo = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    Image.new("RGB", (3000, 40), "red").save(photo, "JPEG", exif=exif)
    sent = {"photos": ("a.jpg", photo.getvalue(), "image/jpeg")}
    looked = await browser.post(here, data=given, files=sent)
    assert looked.status_code == 200, looked.text
    assert "It costs you nothing" in looked.text
    given["photo"] = re.search(r'name="photo" value="([^"]+)"', looked.text)[1]  # type: ignore[index]
    wrong = await browser.post(here, data=given, files={"photos": ("a.jpg", b"MZ", "image/jpeg")})
    assert "it is not a JPEG" in wrong.text
    assert await post.db.value("SELECT count(*) FROM return_request") == 0
    made = await browser.post(here, data={**given, "do": "1"})
    assert made.status_code == 303, made.text
    shown = await browser.get(made.headers["location"])
    assert "The same again" in shown.text
    assert "Goes back then" in shown.text
    seen = await browser.get(f"/media/photo/{given['photo']}")
    assert (seen.headers["content-type"], b"secret" in seen.content) == ("image/webp", False)
    assert max(Image.open(io.BytesIO(seen.content)).size) == 1600
    label = await browser.get(f"{made.headers['location']}/label.pdf")
    assert (label.headers["content-type"], label.content[:5]) == ("application/pdf", b"%PDF-")
    assert (await browser.post(here, data={**given, f"back-{position}": "2", "do": "1"})).status_code == 422
    actor = await post.db.value("SELECT actor FROM event WHERE type = 'return.requested'")
    assert actor == f"customer:{signed.customer.id}"
    # Robin sees none of it, whatever address they know.
    kims = [f"/account/orders/{order.id}", here, made.headers["location"]]
    browser.cookies.clear()
    await come_in(browser, post, ROBIN)
    for path in kims:
        assert (await browser.get(path)).status_code == 404, path
    for path in (f"/account/orders/{order.id}/again", here, f"{made.headers['location']}/cancel"):
        assert (await browser.post(path, data={**given, "do": "1"})).status_code == 404, path
    # Called off by who announced it, twice; then too late to send anything back.
    browser.cookies.clear()
    await come_in(browser, post, KIM)
    for _ in range(2):
        assert (await browser.post(f"{made.headers['location']}/cancel")).status_code == 303
    assert await post.db.value("SELECT state FROM return_request") == "cancelled"
    # The shop lets customers exchange at once: the new one is ordered, the old one is awaited, twice pressed it is one.
    assert (await browser.get(f"{made.headers['location']}/label.pdf")).status_code == 404
    change = ChannelChange(settings={"instant_exchange": True})
    await post.db.transaction(lambda tx: channels.change(tx, trade.web.id, change))
    # Found on a walk: what was sold out was offered to leave at once, and refused then.
    free = "SELECT location, variant, on_hand - held AS units FROM level WHERE on_hand > held"
    there = [(row["location"], [(row["variant"], row["units"])]) for row in await post.db.rows(free)]
    for place, goods in there:
        less = [(variant, -units) for variant, units in goods]
        await post.db.transaction(
            lambda tx, place=place, less=less: stock.correct(tx, place, less, reason="gone")
        )
    assert 'value="exchange"' not in (await browser.post(here, data=given)).text
    for place, goods in there:
        await post.db.transaction(lambda tx, place=place, goods=goods: stock.receive(tx, place, goods))
    at_once = await browser.post(here, data=given)
    assert 'value="exchange"' in at_once.text
    now_id, mark = (re.search(rf'name="{n}" value="([^"]+)"', at_once.text)[1] for n in ("id", "fingerprint"))  # type: ignore[index]
    for _ in range(2):
        done = await browser.post(here, data={**given, "id": now_id, "fingerprint": mark, "do": "exchange"})
        assert done.status_code == 303, done.text
    assert "Label for the parcel" in (await browser.get(done.headers["location"])).text
    assert await post.db.value("SELECT count(*) FROM orders WHERE changes = $1", order.id) == 1
    await post.db.rows(
        "UPDATE orders SET placed_at = placed_at - interval '400 days', local_day = local_day - 400 RETURNING 1"
    )
    await post.db.rows(
        "UPDATE fulfilment SET left_at = left_at - interval '400 days' WHERE left_at IS NOT NULL RETURNING 1"
    )
    late = await browser.post(here, data={**given, "do": "1"})
    assert late.status_code == 422
    assert "is over" in late.text


async def test_what_somebody_keeps(browser: httpx.AsyncClient, post: Post, trade: Trade) -> None:
    await come_in(browser, post)
    address = {
        "name": "Kim Berg",
        "line1": "Storgatan 1",
        "postal_code": "211 34",
        "city": "Malmö",
        "country": "SE",
    }
    key = {"key": "7f0c3f3e-8a3f-4a55-9d5f-0a6f5f1d2c3b"}
    assert (await browser.post("/account/addresses", data={"name": "Kim"})).status_code == 422
    for _ in range(2):
        assert (await browser.post("/account/addresses", data={**address, **key})).status_code == 303
    second = {**address, "line1": "Lillgatan 2", "is_delivery": "1"}
    assert (await browser.post("/account/addresses", data=second)).status_code == 303
    rows = await post.db.rows(
        "SELECT id, address ->> 'line1' AS line, is_delivery, is_invoice FROM account_address ORDER BY 2"
    )
    assert [(row["line"], row["is_delivery"], row["is_invoice"]) for row in rows] == [
        ("Lillgatan 2", True, False),
        ("Storgatan 1", False, True),
    ]
    one = rows[0]["id"]
    assert (await browser.get(f"/account/addresses/{one}")).status_code == 200
    stale = await browser.post(f"/account/addresses/{one}", data={**second, "city": "Lund", "version": "7"})
    assert stale.status_code == 412
    gone = await browser.post(f"/account/addresses/{one}/remove")
    undo = re.search(
        r'action="(/account/addresses/restore/[^"]+)"', (await browser.get(gone.headers["location"])).text
    )
    assert undo is not None
    for _ in range(2):
        assert (await browser.post(undo[1])).status_code == 303
    assert await post.db.value("SELECT count(*) FROM account_address") == 2
    kettle = await trade.kettle()
    await browser.post("/cart/lines", data={"variant": str(kettle), "quantity": "1"})
    await browser.post("/checkout/start")
    assert "Lillgatan 2" in (await browser.get("/checkout")).text
    # Language, store and what one wants to hear.
    places = {"language": "nl", "store": str(trade.at_lund.id)}
    assert (
        await browser.post(
            "/account/preferences", data={**places, "store": str(trade.warehouse.id), "language": "xx"}
        )
    ).status_code == 422
    assert (await browser.post("/account/preferences", data=places)).status_code == 303
    assert "Voorkeuren" in (await browser.get("/account/preferences")).text
    await browser.get("/language/en")
    assert (await browser.post("/account/consent", data={"purpose": "email_marketing"})).status_code == 303
    page = (await browser.get("/account/preferences")).text
    assert re.search(r'value="email_marketing"[^>]* checked', page)


async def test_points_and_gift_cards(browser: httpx.AsyncClient, post: Post, trade: Trade) -> None:
    await come_in(browser, post)
    robin = await post.sign_in(ROBIN)
    made = await post.db.transaction(
        lambda tx: credit.issue(tx, IssueInput(channel=trade.web.id, amount=50_000, note="A prize"))
    )
    looked = await browser.post("/account/points/card", data={"code": made.code.lower()})
    assert f"On the card ···· {made.card.last_four}" in looked.text
    assert await post.db.value("SELECT customer FROM gift_card") is None
    for _ in range(2):
        kept = await browser.post("/account/points/card", data={"code": made.code, "keep": "1"})
        assert kept.status_code == 303
    assert made.card.last_four in (await browser.get("/account/points")).text
    assert (await browser.post("/account/points/card", data={"code": "NO-SUCH-CARD"})).status_code == 422
    await post.db.rows("UPDATE gift_card SET customer = $1 RETURNING 1", robin.customer.id)
    assert (
        await browser.post("/account/points/card", data={"code": made.code, "keep": "1"})
    ).status_code == 422
    # Without a programme there is nothing to join; with one there is a code to scan.
    assert (await browser.post("/account/points/join")).status_code == 303
    programme = ProgrammeInput(
        channel=trade.web.id, name="Friends", rates=[Rate(currency="SEK", spend=1000, points=1)]
    )
    await post.db.transaction(lambda tx: credit.set_programme(tx, programme))
    for _ in range(2):
        assert (await browser.post("/account/points/join")).status_code == 303
    page = await browser.get("/account/points")
    assert await post.db.value("SELECT code FROM loyalty_member") in page.text
    assert "<svg" in page.text


async def test_devices_data_and_another_person(
    browser: httpx.AsyncClient, post: Post, trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "SETTLE_SECONDS", 0)
    keys = Vault.of(post.settings)
    await come_in(browser, post)
    other = await post.sign_in(KIM)
    robin = await post.sign_in(ROBIN)
    assert "Sign out everywhere else" in (await browser.get("/account/security")).text
    assert (await browser.post(f"/account/devices/{robin.session.id}/end")).status_code == 404
    assert (await browser.post("/account/devices/end")).status_code == 303
    assert await post.who(other) is None
    assert (await browser.post("/account/password", data={"password": "short"})).status_code == 422
    assert (
        await browser.post("/account/password", data={"password": "seven grey otters swim"})
    ).status_code == 303
    # All of it as a file, but only one's own.
    assert (await browser.post("/account/data/export")).status_code == 303
    request = await post.db.value("SELECT id FROM privacy_request")
    await running.collect(post.db, keys, request)
    listed = await browser.get("/account/data")
    assert "Download as JSON" in listed.text
    assert f'href="/account/data/{request}"' in listed.text
    known = await browser.get(f"/account/data/{request}")
    assert KIM in text_of(known.text)
    assert ROBIN not in known.text
    assert known.headers["cache-control"] == "no-store"
    file = await browser.get(f"/account/data/{request}/file.json")
    assert KIM in file.text
    assert ROBIN not in file.text
    kims = dict(browser.cookies)
    browser.cookies.clear()
    await come_in(browser, post, ROBIN)
    for path in ("", "/file.json", "/archive.zip"):
        assert (await browser.get(f"/account/data/{request}{path}")).status_code == 404, path
    assert (await browser.post(f"/account/data/{request}/cancel")).status_code == 404
    # Deletion waits and is taken back; long after signing in one must sign in once more first.
    browser.cookies.clear()
    browser.cookies.update(kims)
    assert (await browser.post("/account/data/erase")).status_code == 303
    erasure = await post.db.value("SELECT id FROM privacy_request WHERE kind = 'erasure'")
    assert "No, keep everything" in (await browser.get("/account/data")).text
    assert (await browser.post(f"/account/data/{erasure}/cancel")).status_code == 303
    await post.db.rows("UPDATE account_session SET created_at = now() - interval '1 hour' RETURNING 1")
    turned = await browser.post("/account/data/erase")
    assert turned.headers["location"] == "/account/sign-in?again=1&next=%2Faccount%2Fdata"
    assert "once more" in (await browser.get(turned.headers["location"])).text
    assert await post.db.value("SELECT count(*) FROM privacy_request WHERE kind = 'erasure'") == 1


async def test_without_mail_there_is_no_link_and_no_foreign_host_gets_one(
    browser: httpx.AsyncClient, post: Post, trade: Trade
) -> None:
    """The address in a mail is the shop's own, whatever the request says it was sent to."""
    await post.db.rows(
        """UPDATE channel SET settings = settings || '{"storefront_host": "shop.example"}' WHERE code = 'web' RETURNING 1"""
    )
    for host in ("shop.example", "evil.test"):
        await browser.post("/account/sign-in/link", data={"email": KIM}, headers={"host": host})
    assert {re.findall(r"https?://[^/\s]+", each.text)[0] for each in await post.mails()} == {
        "http://shop.example"
    }
    kim = await post.db.transaction(
        lambda tx: customers.find_or_create(
            tx, trade.web.pools[Resource.CUSTOMERS], PersonInput(external_id="K-1")
        )
    )
    clerk = Context(actor=Actor(kind="staff", id=UUID(int=7), permissions=frozenset({accounts.HELP})))
    code = await post.db.transaction(lambda tx: accounts.show(tx, kim.id, trade.malmo), clerk)
    assert (await browser.get(code.path)).status_code == 200
    wrong = await browser.post("/account/sign-in/code", data={"whose": "K-2", "code": code.code})
    assert wrong.status_code == 401
    assert (await browser.post(code.path)).headers["location"] == "/account"
    assert (await browser.get("/account")).status_code == 200
    assert (await browser.post(code.path)).status_code == 410


async def test_a_member_pays_with_what_is_theirs(
    browser: httpx.AsyncClient, post: Post, trade: Trade
) -> None:
    kettle = await trade.kettle()
    signed = await post.sign_in(KIM)
    kim, home = (
        signed.customer.id,
        Address(name="Kim", line1="Dam 1", postal_code="1012 JS", city="Amsterdam", country="NL"),
    )
    reward = Reward(code="fifty", name="50 kr", points=500, amount=5_000, currency="SEK")
    programme = ProgrammeInput(channel=trade.web.id, name="Club", rewards=[reward])

    async def prepare(tx: Tx) -> None:
        await credit.set_programme(tx, programme)
        await credit.enrol(tx, kim)
        await credit.adjust(tx, kim, PointsInput(points=1_200, reason="Hello"))
        await credit.grant(tx, kim, GrantInput(amount=3_000, currency="SEK", reason="Sorry"))
        await credit.issue(tx, IssueInput(channel=trade.web.id, amount=4_000, customer=kim, note="Hi"))
        await accounts.add_address(tx, signed, home, delivery=True, invoice=True)

    await post.db.transaction(prepare)
    await come_in(browser, post)
    await browser.post("/cart/lines", data={"variant": str(kettle), "quantity": "1"})
    await browser.post("/checkout/start")
    page = (await browser.get("/checkout")).text
    card, address = (
        await post.db.value("SELECT id FROM gift_card"),
        await post.db.value("SELECT id FROM account_address"),
    )
    for text in (
        "Dam 1",
        "Gift card ···· ",
        "Store credit: SEK",
        "1,000 points for SEK",
        f'value="{address}" checked',
    ):
        assert text in page, text
    form = {
        name: re.search(rf'name="{name}" value="([^"]*)"', page)[1] for name in ("cart", "total", "reserved")
    }  # type: ignore[index]
    form |= {"email": KIM, "name": "Kim Berg", "delivery": "ship", "token": "ok", "saved": str(address)}
    form |= {
        "gift_card": str(card),
        "credit": "1",
        "points-fifty": "2",
        "note": "Ring twice",
        "gift_note": "For Robin",
    }
    looked = (await browser.post("/checkout/look", data=form)).text
    assert "Still to pay" in looked
    assert await post.db.value("SELECT count(*) FROM credit_hold") == 0, "nothing is held for a look"
    declined = await browser.post("/checkout", data=form | {"token": "decline"})
    assert "The card was declined" in declined.text
    assert await post.db.value("SELECT count(*) FROM credit_hold WHERE status <> 'voided'") == 0
    bought = await browser.post("/checkout", data=form)
    assert bought.status_code == 303, bought.text
    order = await orders.read(post.db, await post.db.value("SELECT id FROM orders"))
    paid = [(p.provider, p.amount) for p in order.payments]
    assert paid[:3] == [("gift_card", 4_000), ("store_credit", 3_000), ("store_credit", 10_000)]
    assert (order.address, order.note, order.gift_note) == (home, "Ring twice", "For Robin")
    shown = (await browser.get(bought.headers["location"])).text
    assert "Ring twice" in shown
    loyalty = await credit.view(post.db, kim)
    assert loyalty is not None
    assert loyalty.points == 200
    await trade.sound()


async def test_what_a_guest_wishes_for_is_on_the_list_once_they_have_signed_in(
    browser: httpx.AsyncClient, post: Post, trade: Trade
) -> None:
    kettle = await trade.kettle()
    asked = await browser.post("/account/wishes", data={"variant": str(kettle)})
    where = asked.headers["location"]
    assert where == "/account/sign-in?next=/account/lists"
    answer = await come_in(browser, post, next=hidden((await browser.get(where)).text, "next"))
    assert answer.headers["location"] == "/account/lists"
    assert "Wish list" in text_of((await browser.get("/account/lists")).text)
    wished = "SELECT l.variant FROM cart c JOIN cart_line l ON l.cart = c.id WHERE c.kind = 'wish'"
    assert [row["variant"] for row in await post.db.rows(wished)] == [kettle]
    assert "wish" not in browser.cookies
    await browser.post("/account/sign-out")
    await browser.post("/account/wishes", data={"variant": str(new_id())})
    assert (await come_in(browser, post)).status_code == 303, "what there is not stops nobody"


async def test_a_wish_list_is_shared_by_a_link(browser: httpx.AsyncClient, post: Post, trade: Trade) -> None:
    kettle = await trade.kettle()
    assert (
        (await browser.post("/account/wishes", data={"variant": str(kettle)}))
        .headers["location"]
        .startswith("/account/sign-in")
    )
    await come_in(browser, post)
    for _ in range(2):  # pressed twice it is there once
        assert (await browser.post("/account/wishes", data={"variant": str(kettle)})).status_code == 303
    page = (await browser.get("/account/lists")).text
    link = re.search(r'value="http[^"]+(/wishes/[^"]+)"', page)[1]  # type: ignore[index]
    [line] = await post.db.rows(
        "SELECT l.id, l.cart, l.quantity FROM cart_line l JOIN cart c ON c.id = l.cart WHERE c.kind = 'wish'"
    )
    assert line["quantity"] == 1
    browser.cookies.clear()
    shared = (await browser.get(link)).text
    assert "Kettle" in shared
    assert KIM not in shared
    assert (await browser.get(link + "x")).status_code == 404
    assert (
        (await browser.post(f"/account/wishes/{line['cart']}/{line['id']}/remove"))
        .headers["location"]
        .startswith("/account/sign-in")
    )
    await come_in(browser, post)
    for _ in range(2):
        assert (await browser.post(f"/account/wishes/{line['cart']}/{line['id']}/remove")).status_code == 303
    assert "Nothing here yet" in (await browser.get(link)).text


async def test_a_subscription_is_changed_after_it_was_seen_what_that_costs(
    browser: httpx.AsyncClient, post: Post, trade: Trade
) -> None:
    jam = await trade.kettle(price=10_000, quantity=40)
    plans = []
    for code, terms in (
        ("monthly", {}),
        ("weekly", {"every": 1, "unit": "week", "prices": [{"percent_off": 2000}]}),
    ):
        data = {"code": code, "name": code.title(), "channels": ["web"], "terms": terms}
        given = msgspec.convert(data, PlanInput)
        plans.append(await trade.db.transaction(lambda tx, given=given: subscriptions.create_plan(tx, given)))
    await come_in(browser, post)
    kim = await trade.db.value("SELECT id FROM customer WHERE email = $1", KIM)
    address = {
        "name": "Kim",
        "line1": "Storgatan 1",
        "postal_code": "211 34",
        "city": "Malmö",
        "country": "SE",
    }
    later = local_day(now(), trade.web.time_zone) + timedelta(days=20)
    begun = {
        "plan": plans[0].id,
        "channel": trade.web.id,
        "customer": kim,
        "lines": [{"variant": jam, "quantity": 1}],
    }
    start = msgspec.convert(
        begun | {"address": address, "first_on": later, "payment": {"provider": "test"}}, StartInput
    )
    made = await trade.db.transaction(lambda tx: subscriptions.start(tx, start))
    here = f"/account/subscriptions/{made.id}"
    page = await browser.get(here)
    assert page.status_code == 200, page.text
    assert "100.00" in page.text
    form = {"version": str(made.version), f"quantity-{jam}": "3", "plan": str(plans[1].id)}
    looked = await browser.post(here, data=form)
    assert "What it comes to from then on" in looked.text
    assert hidden(looked.text, "total") == "24000", "three at 80"
    assert (await subscriptions.read(trade.db, SYSTEM, made.id)).version == made.version, (
        "a look changes nothing"
    )

    dearer = await browser.post(here, data=form | {"do": "save", "total": "1000"})
    assert "It costs something else by now" in dearer.text
    for _ in range(2):  # pressed twice
        saved = await browser.post(here, data=form | {"do": "save", "total": "24000"})
    assert (await subscriptions.read(trade.db, SYSTEM, made.id)).lines[0].quantity == 3
    changed = await subscriptions.read(trade.db, SYSTEM, made.id)
    assert (changed.plan, changed.terms.unit) == (plans[1].id, "week")
    assert saved.status_code in (303, 409), "the second found nothing to do, or an older page"

    day = (changed.next_on + timedelta(days=3)).isoformat()
    moved = {"version": str(changed.version), "next_on": day, "once": "1"}
    total = hidden((await browser.post(here, data=moved)).text, "total")
    assert (await browser.post(here, data=moved | {"do": "save", "total": total})).status_code == 303
    changed = await subscriptions.read(trade.db, SYSTEM, made.id)
    assert changed.next_on.isoformat() == day
    tea = await trade.kettle(price=5_000, quantity=40, title="Tea")
    both = ChangeInput(lines=[LineInput(variant=jam), LineInput(variant=tea)])
    changed = await trade.db.transaction(lambda tx: subscriptions.change(tx, made.id, both))
    product = (await catalog.by_ids(trade.db, [tea]))[tea].product
    gone = ProductChange(status=ProductStatus.ARCHIVED)
    await trade.db.transaction(lambda tx: catalog.change(tx, product, gone))
    assert "Not sold any more: Tea" in text_of((await browser.get(here)).text)

    none = {f"quantity-{each}": "0" for each in (jam, tea)}
    nothing = await browser.post(here, data={"version": str(changed.version)} | none)
    assert nothing.status_code == 422
    assert "At least one thing has to be left" in nothing.text
    assert (await browser.post(here, data={"next_on": "soon"})).status_code == 422

    ended = {"version": str(changed.version), "why": "price", "reason": "Sorry"}
    await browser.post(f"{here}/cancel", data=ended)
    changed = await subscriptions.read(trade.db, SYSTEM, made.id)
    assert changed.is_ending
    assert changed.reason == "It costs too much · Sorry"
    # Found on a walk: it could be kept only as long as the message with the undo was there, and nobody said until when it comes.
    said = text_of((await browser.get("/account/subscriptions")).text)
    assert "It ends on" in said
    assert "Until then nothing comes any more." in said
    assert "Leave the next one out" not in said, "there is none to come"
    assert "Let it go on" in said
    again = {"version": str(changed.version)}
    assert (await browser.post(f"{here}/reactivate", data=again)).status_code == 303
    assert "The next one comes on" in text_of((await browser.get("/account/subscriptions")).text)
    await come_in(browser, post, ROBIN)
    assert (await browser.get(here)).status_code == 404, "somebody else's is not there"
    assert (await browser.post(here, data=form)).status_code == 404


async def test_a_guest_finds_an_order_by_mail_and_sends_something_back(
    browser: httpx.AsyncClient, post: Post, trade: Trade
) -> None:
    kettle = await trade.kettle(quantity=20)
    order, other = await bought(trade, kettle), await bought(trade, kettle)
    email = order.email or ""
    assert "Find my order" in (await browser.get("/")).text
    told = {}
    wrongs = [{"number": "W-9", "email": email}, {"number": order.number, "email": "eve@example.org"}]
    for given in (*wrongs, {"number": f" {order.number.lower()} ", "email": email.upper()}):
        asked = await browser.post("/order", data=given)
        told[given["number"]] = (asked.status_code, asked.headers["location"], len(asked.content))
    assert len(set(told.values())) == 1, "nobody learns which of them there is"
    letters = [each for each in await post.mails() if "/order/" in each.text and each.kind != "order"]
    assert [each.to for each in letters] == [email]
    for given in ({"number": "", "email": email}, {"number": order.number, "email": "nobody"}):
        assert (await browser.post("/order", data=given)).status_code == 422
    for _ in range(8):
        last = await browser.post("/order", data={"number": order.number, "email": email})
    assert last.status_code == 429, "mails to one address are counted"

    link = re.search(r"(/order/\S+)", letters[0].text)[1]  # type: ignore[index]
    assert f'href="{link}/return"' in (await browser.get(link)).text
    position = next(line.position for line in order.lines if line.variant == kettle)
    given = {f"back-{position}": "1", f"reason-{position}": "changed_mind", f"instead-{position}": "money"}
    looked = await browser.post(f"{link}/return", data=given)
    assert "You get back" in looked.text
    made = await browser.post(f"{link}/return", data={**given, "do": "announce"})
    assert made.headers["location"].startswith(f"{link}/returns/"), made.text
    shown = await browser.get(made.headers["location"])
    assert "Return R" in shown.text or "We expect it" in shown.text
    assert shown.headers["referrer-policy"] == "no-referrer"
    label = await browser.get(f"{made.headers['location']}/label.pdf")
    assert label.content[:5] == b"%PDF-"
    assert await post.db.value("SELECT actor FROM event WHERE type = 'return.requested'") == "guest"
    # Another order's link opens no return of this one, a forged one none at all, and a member sees it as well.
    of_other = order_address.path(Vault.of(post.settings), other.id)
    assert (await browser.get(made.headers["location"].replace(link, of_other))).status_code == 404
    assert (
        await browser.post(f"{link[:-4]}AAAA/return", data={**given, "do": "announce"})
    ).status_code == 404
    for _ in range(2):
        assert (await browser.post(f"{made.headers['location']}/cancel")).status_code == 303
    assert await post.db.value("SELECT state FROM return_request") == "cancelled"


async def test_appointments_to_come_and_before(browser: httpx.AsyncClient, post: Post, trade: Trade) -> None:
    hours = OpeningHours(weekly=[[Interval("09:00", "17:00")]] * 7)
    owner = Context(actor=Actor(kind="staff", id=new_id(), permissions=permissions_of(Role.OWNER)))
    await trade.db.transaction(
        lambda tx: channels.change(tx, trade.malmo.id, ChannelChange(opening_hours=hours))
    )
    offer = ServiceInput(location=trade.at_malmo.id, code="fitting", name="Fitting", minutes=30)
    service = await trade.db.transaction(lambda tx: appointments.set_service(tx, offer), owner)
    day = local_day(now(), trade.at_malmo.time_zone) + timedelta(days=2)
    free = [slot.starts_at for slot in (await appointments.slots(trade.db, service.id, day, 1)).slots]
    await come_in(browser, post)
    here = "/account/appointments"
    assert "No appointment" in (await browser.get(here)).text
    for at in free[:2]:
        given = {"id": str(new_id()), "starts_at": at.isoformat(), "name": "Kim", "email": KIM}
        booked = await browser.post(f"/appointments/{service.id}", data=given)
        assert booked.status_code == 303, booked.text
    robin = BookInput(service=service.id, starts_at=free[3], name="Robin", email=ROBIN)
    await trade.db.transaction(lambda tx: appointments.book(tx, robin), Context(actor=GUEST))
    rows = await trade.db.rows("SELECT id, email FROM appointment ORDER BY starts_at")
    mine, second, robins = (row["id"] for row in rows)
    page = (await browser.get(here)).text
    assert page.count("/change") == 2
    assert "9:00" in page, "the time of the store, not of the server"
    link = re.search(r'href="(/appointment/[^"/]+)/change"', page)[1]  # type: ignore[index]
    assert f'href="{here}"' in (await browser.get(link)).text
    moved = await browser.post(f"{link}/change", data={"starts_at": free[5].isoformat()})
    assert moved.headers["location"] == link
    for _ in range(2):
        assert (await browser.post(f"{here}/{second}/cancel")).headers["location"] == here
    assert (await browser.post(f"{here}/{robins}/cancel")).status_code == 404
    page = (await browser.get(here)).text
    assert page.count("/change") == 1
    assert page.index("Before") < page.index("Cancelled")
    states = await trade.db.rows(
        "SELECT state FROM appointment WHERE id = ANY($1) ORDER BY id", [second, robins]
    )
    assert sorted(row["state"] for row in states) == ["booked", "cancelled"]
    await trade.db.rows(
        "UPDATE appointment SET state = 'done', starts_at = starts_at - interval '9 days', ends_at = ends_at - interval '9 days' WHERE id = $1 RETURNING 1",
        mine,
    )
    page = (await browser.get(here)).text
    assert "You came" in page
    assert "/change" not in page


async def test_whose_subscription_was_declined_chooses_another_way_to_pay(
    browser: httpx.AsyncClient, post: Post, trade: Trade
) -> None:
    jam = await trade.kettle(price=10_000, quantity=40)
    given = msgspec.convert(
        {"code": "monthly", "name": "Monthly", "channels": ["web"], "terms": {}}, PlanInput
    )
    plan = await trade.db.transaction(lambda tx: subscriptions.create_plan(tx, given))
    await come_in(browser, post)
    kim = await trade.db.value("SELECT id FROM customer WHERE email = $1", KIM)
    address = {
        "name": "Kim",
        "line1": "Storgatan 1",
        "postal_code": "211 34",
        "city": "Malmö",
        "country": "SE",
    }
    start = msgspec.convert(
        {
            "plan": plan.id,
            "channel": trade.web.id,
            "customer": kim,
            "lines": [{"variant": jam, "quantity": 1}],
            "address": address,
            "payment": {"provider": "test", "token": "decline"},
        },
        StartInput,
    )
    made = await trade.db.transaction(lambda tx: subscriptions.start(tx, start))
    await subscription_sweepers.sweep(trade.db)
    here = f"/account/subscriptions/{made.id}"
    page = await browser.get(here)
    assert "The next order could not be paid" in page.text
    assert "decline" not in page.text, "what pays is never told again"
    nothing = await browser.post(
        f"{here}/payment", data={"way": "gift_card", "version": hidden(page.text, "version")}
    )
    assert nothing.status_code == 303
    assert "Write the code of the gift card." in (await browser.get(here)).text
    form = {"way": "test", "version": hidden(page.text, "version")}
    assert (await browser.post(f"{here}/payment", data=form)).status_code == 303
    await subscription_sweepers.sweep(trade.db)
    found = await subscriptions.read(trade.db, SYSTEM, made.id)
    assert (found.orders, found.trouble) == (1, None)
    foreign = {"way": f"stripe:kept:{made.id}", "version": str(found.version)}
    assert (await browser.post(f"{here}/payment", data=foreign)).status_code == 303
    assert (await subscriptions.read(trade.db, SYSTEM, made.id)).provider == "test", (
        "no card of somebody else's"
    )


async def test_the_list_says_of_a_pre_order_that_it_waits_for_goods(
    browser: httpx.AsyncClient, post: Post, trade: Trade
) -> None:
    kettle = await trade.kettle()
    waits = await trade.buy((kettle, 1))
    await trade.follow()
    await come_in(browser, post)
    for address in ("/account", "/account/orders"):
        assert "Being packed" in (await browser.get(address)).text
    await trade.db.rows(
        "INSERT INTO order_expected (order_id, variant) VALUES ($1, $2) RETURNING 1", waits.id, kettle
    )
    for address in ("/account", "/account/orders"):
        assert "Waits for goods" in (await browser.get(address)).text
