"""Pages, brands, menus, redirects and pictures against the database and over HTTP."""

import asyncio
import base64
import io
from datetime import timedelta

import httpx
import msgspec
import pytest
from market import Market, open_market
from PIL import Image, ImageFile

from horizon import passed
from samlad import content
from samlad.access.permissions import permissions
from samlad.content import brands, pages, pictures, redirects, rules, setup, store
from samlad.content.brand_model import Brand, Palette
from samlad.content.model import (
    Document,
    Link,
    MenuPlace,
    PageInput,
    PictureInput,
    Prose,
    Publishing,
    Recommend,
    RedirectInput,
    RedirectsInput,
    Text,
    Words,
)
from samlad.kernel.clock import now
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Database
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, Forbidden, InvalidInput, Outdated

OWNER = Actor(kind="staff", id=new_id(), name="Olivia Owner", permissions=frozenset(permissions()))
STAFF = Context(actor=OWNER)


@pytest.fixture
async def shop(db: Database) -> Market:
    """A webshop with two stores below it."""
    return await open_market(db)


def png(width: int = 40, height: int = 20, colour: str = "#0a6353") -> bytes:
    held = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(held, "PNG")
    return held.getvalue()


def saying(text: str) -> Document:
    return Document(title=Words(en=text), blocks=[Text(id="a", text=Prose(en=text))])


async def do(db: Database, work):
    return await db.transaction(work, STAFF)


async def types_of(db: Database) -> list[str]:
    await passed(db)
    rows = await db.rows(
        "SELECT type FROM event WHERE type LIKE 'content.%' OR type LIKE 'brand.%' ORDER BY id"
    )
    return [row["type"] for row in rows]


async def test_a_page_from_draft_to_published_planned_and_taken_back(db: Database, shop: Market) -> None:
    line = [shop.stores[0].id, shop.web.id]

    async def seen() -> str | None:
        found = await store.live(db, line, "about")
        return found and found.document.title.en

    page = await do(
        db, lambda tx: pages.create(tx, PageInput(channel="web", handle="about", document=saying("one")))
    )
    assert (page.version, page.shown, await seen()) == (1, None, None)
    with pytest.raises(Conflict):
        await do(db, lambda tx: pages.create(tx, PageInput(channel="web", handle="about")))
    page = await do(db, lambda tx: pages.publish(tx, page.id, Publishing(), version=1))
    assert (page.shown, page.version, await seen()) == (1, 2, "one")
    again = await do(db, lambda tx: pages.publish(tx, page.id, Publishing()))
    assert (again.last_number, again.version) == (1, 2), "twice is once"

    page = await do(db, lambda tx: pages.save_draft(tx, page.id, saying("two"), version=2))
    assert (page.version, await seen()) == (3, "one"), "a draft is nobody's business"
    with pytest.raises(Outdated):
        await do(db, lambda tx: pages.save_draft(tx, page.id, saying("mine"), version=2))
    soon = now() + timedelta(days=3)
    page = await do(
        db,
        lambda tx: pages.publish(
            tx, page.id, Publishing(shown_from=soon, shown_until=soon + timedelta(days=1))
        ),
    )
    assert (page.shown, await seen()) == (1, "one")
    for moment in (now(), soon, soon + timedelta(hours=1), soon + timedelta(days=1)):
        by_rule = rules.shown(page.versions, moment)
        by_sql = await store.live(db, line, "about", moment)
        assert by_rule is not None
        assert by_sql.number == by_rule.number
    with pytest.raises(InvalidInput):
        await do(db, lambda tx: pages.publish(tx, page.id, Publishing(shown_until=now())))

    page = await do(db, lambda tx: pages.publish(tx, page.id, Publishing()))
    assert (page.shown, await seen()) == (3, "two")
    page = await do(db, lambda tx: pages.withdraw(tx, page.id, 3))
    page = await do(db, lambda tx: pages.withdraw(tx, page.id, 3))
    assert (page.shown, await seen()) == (1, "one")
    page = await do(db, lambda tx: pages.show_again(tx, page.id, 3))
    assert await seen() == "two"
    page = await do(db, lambda tx: pages.restore(tx, page.id, 1))
    assert (page.draft.title.en, await seen()) == ("one", "two")

    own = await do(
        db, lambda tx: pages.create(tx, PageInput(channel="soder", handle="about", document=saying("store")))
    )
    assert await seen() == "two", "an unpublished page of its own hides nothing"
    await do(db, lambda tx: pages.publish(tx, own.id, Publishing()))
    assert await seen() == "store"
    assert await store.live_handles(db, [shop.web.id]) == [("about", page.versions[0].published_at)]
    found = await types_of(db)
    assert found.count("content.page_published") == 4
    assert found.count("content.page_withdrawn") == 1

    broken = Document(blocks=[Text(id="a")])
    kept = await do(db, lambda tx: pages.save_draft(tx, page.id, broken))
    with pytest.raises(InvalidInput):
        await do(db, lambda tx: pages.publish(tx, kept.id, Publishing()))
    clerk = Context(
        actor=msgspec.structs.replace(OWNER, permissions=frozenset({"content.change", "content.read"}))
    )
    with pytest.raises(Forbidden):
        await db.transaction(lambda tx: pages.publish(tx, page.id, Publishing()), clerk)


async def test_of_two_who_edit_at_once_one_is_told(db: Database, shop: Market) -> None:
    page = await do(db, lambda tx: pages.create(tx, PageInput(channel="web", document=saying("0"))))
    tries = [
        do(db, lambda tx, n=n: pages.save_draft(tx, page.id, saying(str(n)), version=1)) for n in range(1, 6)
    ]
    ended = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(each, Outdated) for each in ended) == 4
    both = [do(db, lambda tx: pages.publish(tx, page.id, Publishing(), version=2)) for _ in range(3)]
    ended = await asyncio.gather(*both, return_exceptions=True)
    assert sum(isinstance(each, Outdated) for each in ended) == 2
    assert (await pages.get(db, page.id)).last_number == 1


async def test_a_brand_is_inherited_and_must_be_readable(db: Database, shop: Market, tmp_path) -> None:
    logo = await do(db, lambda tx: pictures.add(tx, tmp_path, PictureInput(name="logo.png", content=png())))
    same = await do(db, lambda tx: pictures.add(tx, tmp_path, PictureInput(name="other.png", content=png())))
    assert (same.key, same.name, logo.width, logo.height) == (logo.key, "logo.png", 40, 20)
    own = Brand(name="Hemma & Co", logo=logo.key, light=Palette(accent="#7a1f4b", canvas="#fffaf0"))
    kit = await do(db, lambda tx: brands.set_kit(tx, "web", own, version=0))
    assert kit.version == 1
    look = await content.look_of(db, shop.stores[0])
    assert (look.brand.name, look.brand.light.accent) == ("Hemma & Co", "#7a1f4b")
    assert "--accent: light-dark(#7a1f4b," in look.sheet
    assert look.printed.startswith("data:image/png;base64,")
    with pytest.raises(Outdated):
        await do(db, lambda tx: brands.set_kit(tx, "web", Brand(), version=0))

    pale = Brand(light=Palette(accent="#ffd500"))
    with pytest.raises(InvalidInput) as caught:
        await do(db, lambda tx: brands.set_kit(tx, "soder", pale))
    [error] = caught.value.errors
    assert error.field == "light/accent"
    assert "4.5" in error.message
    child = await do(db, lambda tx: brands.set_kit(tx, "soder", Brand(light=Palette(text="#333333"))))
    assert (child.brand.light.text, child.brand.light.accent) == ("#333333", "#7a1f4b")
    dark = msgspec.structs.replace(
        own, light=Palette(accent="#ff9fd0", canvas="#111111", surface="#000000", text="#ffffff")
    )
    with pytest.raises(InvalidInput) as caught:  # dark ground here would hide what the store below sets
        await do(db, lambda tx: brands.set_kit(tx, "web", dark))
    assert "Hemma Soder" in caught.value.errors[0].message
    with pytest.raises(InvalidInput):
        await do(db, lambda tx: brands.set_kit(tx, "web", Brand(icon="0" * 64 + ".png")))
    assert await types_of(db) == ["content.picture_added", "brand.changed", "brand.changed"]

    ImageFile.LOAD_TRUNCATED_IMAGES = True  # as whoever prints a document leaves it
    for bad in (b"<svg/>", b"\x89PNG\r\n\x1a\n" + b"0" * 50, png(9000, 1), png()[:60]):
        with pytest.raises(InvalidInput):
            pictures.read(bad, "x")
    assert pictures.icon(tmp_path, logo.key, "H", "#7a1f4b", 192)[:8] == b"\x89PNG\r\n\x1a\n"
    assert Image.open(io.BytesIO(pictures.icon(tmp_path, "", "H", "#7a1f4b", 512))).size == (512, 512)


async def test_menus_are_inherited(db: Database, shop: Market) -> None:
    items = [Link(Words(en="About", sv="Om oss"), "/page/about")]
    made = await do(db, lambda tx: brands.set_menu(tx, "web", MenuPlace.HEADER, items, version=0))
    assert made.version == 1
    same = await do(db, lambda tx: brands.set_menu(tx, "web", MenuPlace.HEADER, items))
    assert same.version == 1
    assert (await setup.look_of(db, shop.stores[1])).menus == {MenuPlace.HEADER: items}
    with pytest.raises(InvalidInput):
        await do(db, lambda tx: brands.set_menu(tx, "web", MenuPlace.HEADER, [Link(Words(), "")]))
    await do(db, lambda tx: brands.set_menu(tx, "web", MenuPlace.HEADER, []))
    assert (await setup.look_of(db, shop.stores[1])).menus == {}


async def test_redirects_lead_on_are_counted_and_never_go_round(
    db: Database, shop: Market, api: httpx.AsyncClient
) -> None:
    def given(*pairs: tuple[str, str], channel: str = "web") -> RedirectsInput:
        return RedirectsInput(
            channel=channel, redirects=[RedirectInput(source=a, target=b) for a, b in pairs]
        )

    async def add(*pairs: tuple[str, str]) -> int:
        return (await do(db, lambda tx: redirects.add(tx, given(*pairs)))).saved

    assert await add(("/old/ä b", "/search?sort=newest"), ("/a", "/b"), ("/b", "/c#d")) == 3
    assert await add(("/a", "/b")) == 0
    for loop in (
        [("/c", "/a?x=1")],
        [("/x", "/x#y")],
        [("/y", "/z"), ("/z", "/y")],
        [("/api/x", "/")],
        [("/q", "/"), ("/q", "/a")],
    ):
        with pytest.raises(InvalidInput):
            await add(*loop)
    chain = [(f"/n{number}", f"/n{number + 1}") for number in range(25)]
    with pytest.raises(InvalidInput):
        await add(*chain)
    halves = [do(db, lambda tx, p=p: redirects.add(tx, given(p))) for p in (("/l", "/r"), ("/r", "/l"))]
    ended = await asyncio.gather(*halves, return_exceptions=True)
    assert sum(isinstance(each, InvalidInput) for each in ended) == 1, (
        "two that are right each are a loop together"
    )

    answer = await api.get("/old/%C3%A4%20b?utm=1", headers={"accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (301, "/search?sort=newest")
    answer = await api.get("/a?utm=1")
    assert answer.headers["location"] == "/b?utm=1"
    assert (await api.get("/nowhere")).status_code == 404
    assert (await api.post("/a")).status_code in (404, 405)
    listed = (await api.get("/api/redirects?sort=-hits&channel=web")).json()["items"]
    assert sum(each["hits"] for each in listed) == 2
    gone = await api.delete(f"/api/redirects/{listed[0]['id']}")
    assert len(gone.json()) == 1
    assert (await api.delete(f"/api/redirects/{listed[0]['id']}")).json() == []


async def test_the_api_of_pages(api: httpx.AsyncClient, shop: Market) -> None:
    document = {"title": {"en": "About"}, "blocks": [{"type": "text", "id": "a", "text": {"en": "Hi"}}]}
    sent = {"channel": "web", "handle": "about", "document": document}
    made = await api.post("/api/content/pages", json=sent, headers={"idempotency-key": "one"})
    twice = await api.post("/api/content/pages", json=sent, headers={"idempotency-key": "one"})
    assert (made.status_code, twice.json()["id"]) == (201, made.json()["id"])
    here = f"/api/content/pages/{made.json()['id']}"
    saved = await api.put(
        f"{here}/draft", json=document | {"title": {"sv": "Om"}}, headers={"if-match": '"1"'}
    )
    assert saved.headers["etag"] == '"2"'
    late = await api.put(f"{here}/draft", json=document, headers={"if-match": '"1"'})
    assert late.status_code == 412
    assert (await api.post(f"{here}/publish", json={})).json()["shown"] == 1
    assert (await api.get(f"{here}/versions/1")).json()["title"] == {"sv": "Om"}
    assert (await api.get(f"{here}/versions/9")).status_code == 404
    assert (await api.post(f"{here}/versions/9/withdraw")).status_code == 404
    [row] = (await api.get("/api/content/pages?channel=web")).json()["items"]
    assert (row["title"], row["state"]) == ("Om", "shown")
    bad = document | {"blocks": [{"type": "script", "id": "a"}]}
    assert (await api.put(f"{here}/draft", json=bad)).status_code == 422
    body = {"name": "a.png", "content": base64.b64encode(png()).decode()}
    picture = await api.post("/api/content/pictures", json=body)
    assert (await api.get(f"/media/{picture.json()['key']}")).headers["content-type"] == "image/png"
    assert [each["name"] for each in (await api.get("/api/content/pictures")).json()["items"]] == ["a.png"]
    kit = await api.put(
        "/api/brand-kits/web", json={"logo": picture.json()["key"], "light": {"accent": "#ffff00"}}
    )
    assert kit.status_code == 422
    assert kit.json()["errors"][0]["field"] == "light/accent"
    assert (await api.put("/api/brand-kits/web", json={"voice": "Plain"})).json()["brand"]["voice"] == "Plain"
    assert (await api.get("/api/brand-kits/nowhere")).status_code == 404
    assert (
        await api.put("/api/menus/web/footer", json={"items": [{"text": {"en": "Help"}}]})
    ).status_code == 200
    assert (await api.get("/api/menus/web/footer")).headers["etag"] == '"1"'


def test_recommendations_are_blocks_that_need_no_words() -> None:
    rules.check_document(Document(blocks=[Recommend(id="a", what="last_seen")]))
