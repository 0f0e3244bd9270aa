"""The pages of the website: writing, publishing, brands, menus, old addresses."""

import io
import re

import httpx
from market import hidden, open_market, text_of
from PIL import Image

from samlad.content import brands, pages, store
from samlad.content.brand_model import Brand, Palette
from samlad.content.model import MenuPlace
from samlad.kernel.database import Database


def undo_of(page: str) -> str:
    return re.search(r'action="(/admin/undo/[^"]+)"', page)[1]


def fields(html: str) -> dict[str, str | list[str]]:
    """What the editor's form would send."""
    form = html.split('id="page-form"')[1].split("</form>")[0]
    found: dict[str, str | list[str]] = {"block": re.findall(r'name="block" value="([^"]+)"', form)}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and name[1] != "block":
            found[name[1]] = value[1] if value else ""
    for name, text in re.findall(r'<textarea[^>]*name="([^"]*)"[^>]*>(.*?)</textarea>', form, re.DOTALL):
        found[name] = text.strip()
    for name, options in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    return found


async def test_a_page_is_written_block_by_block_and_published(api: httpx.AsyncClient, db: Database) -> None:
    shop = await open_market(db)
    assert "No pages yet" in (await api.get("/admin/content")).text
    made = await api.post("/admin/content", data={"kind": "page", "channel": "web", "handle": "about"})
    here = made.headers["location"]
    assert (await api.post("/admin/content", data={"channel": "web", "handle": "about"})).status_code == 409
    assert (await api.post("/admin/content", data={"channel": "web"})).status_code == 422

    async def act(what: str, **typed: str) -> httpx.Response:
        sent = fields((await api.get(here)).text) | {"act": what} | typed
        return await api.post(here, data=sent)

    await act("add:hero", **{"title-en": "About us"})
    added = await act("add:text")
    text_id = added.headers["location"].rpartition("#edit-")[2]
    await act(f"up:{text_id}", **{f"b-{text_id}-text-en": "We are **two**"})
    page = await pages.get(db, (await store.page_at(db, shop.web.id, "about")))
    assert [block.kind for block in page.draft.blocks] == ["text", "hero"], "nothing typed is lost by a move"
    assert page.draft.blocks[0].text.en == "We are **two**"
    preview = await api.get(f"{here}/preview")
    assert "<strong>two</strong>" in preview.text
    assert "frame-ancestors 'self'" in preview.headers["content-security-policy"]
    typed = fields((await api.get(here)).text) | {f"b-{text_id}-text-en": "Only typed"}
    assert "Only typed" in (await api.post(f"{here}/preview", data=typed)).text

    unfinished = await api.post(f"{here}/publish", data={})
    assert unfinished.status_code == 422, "an opening that says nothing"
    hero = page.draft.blocks[1].id
    assert f'href="#f-b-{hero}-text-en"' in unfinished.text
    removed = await act(f"remove:{hero}")
    await api.post(undo_of((await api.get(removed.headers["location"])).text))
    assert [b.kind for b in (await pages.get(db, page.id)).draft.blocks] == ["text", "hero"]
    await act(f"remove:{hero}")
    bad = await act("save", **{f"b-{text_id}-text-sv": "x" * 20_001})
    assert bad.status_code == 422
    assert f'href="#f-b-{text_id}-text-sv"' in bad.text

    draft = fields((await api.get(here)).text)
    version = hidden((await api.get(here)).text, "version")
    published = await api.post(f"{here}/publish", data={"version": version})
    assert published.status_code == 303
    assert "two" in (await api.get("/page/about")).text
    stale = await api.post(here, data=draft | {"title-en": "Mine", "act": "save"})
    assert stale.status_code == 412
    assert "Somebody else changed this page" in text_of(stale.text)
    assert 'value="Mine"' in stale.text, "what was typed is still there"
    over = re.search(r'name="over" value="(\d+)"', stale.text)[1]
    assert (await api.post(here, data=draft | {"title-en": "Mine", "over": over})).status_code == 303

    planned = {"shown_from": "2030-12-01T08:00", "shown_until": "2030-12-26T08:00"}
    await api.post(f"{here}/publish", data=planned)
    assert (await api.post(f"{here}/publish", data={"shown_until": "2001-01-01T08:00"})).status_code == 422
    listed = (await api.get(here)).text
    await api.post(f"{here}/versions/1/withdraw")
    assert (await api.get("/page/about")).status_code == 404
    await api.post(undo_of((await api.get(here)).text))
    assert (await api.get("/page/about")).status_code == 200
    assert "2030" in listed
    await api.post(f"{here}/versions/1/restore")
    assert (await pages.get(db, page.id)).draft.title.en == "About us"
    start = await api.post("/admin/content", data={"kind": "start", "channel": "web"})
    again = await api.post("/admin/content", data={"kind": "start", "channel": "web"})
    assert start.headers["location"] == again.headers["location"]


async def test_brand_menus_pictures_and_old_addresses(api: httpx.AsyncClient, db: Database) -> None:
    await open_market(db)
    here = (await api.get("/admin/content/brand")).headers["location"]
    assert here == "/admin/content/brand/web"
    held = io.BytesIO()
    Image.new("RGB", (30, 30), "#123456").save(held, "PNG")
    sent = await api.post("/admin/content/pictures", files={"file": ("logo.png", held.getvalue())})
    assert sent.status_code == 303
    assert (
        await api.post("/admin/content/pictures", files={"file": ("x.svg", b"<svg/>")})
    ).status_code == 422
    key = re.search(r"/media/([0-9a-f]{64}\.png)", (await api.get("/admin/content/pictures")).text)[1]
    typed = {"name": "Hemma", "logo": key, "light-accent": "7A1F4B", "radius": "large", "version": "0"}
    pale = await api.post(here, data=typed | {"light-accent": "#ffd500"})
    assert pale.status_code == 422
    assert "4.5 : 1" in text_of(pale.text)
    assert (await api.post(here, data=typed | {"light-text": "green"})).status_code == 422
    preview = await api.post(f"{here}/preview", data=typed | {"light-accent": "#ffd500"})
    assert "would do" in preview.text
    theme = re.search(r'href="(/admin/content/brand/web/theme.css[^"]+)"', preview.text)[1].replace(
        "&amp;", "&"
    )
    assert "#ffd500" in (await api.get(theme)).text
    assert (await api.post(here, data=typed)).status_code == 303
    kit = await brands.kit_of(db, "web")
    assert kit.own == Brand(name="Hemma", logo=key, light=Palette(accent="#7a1f4b"), radius="large")
    await api.post(undo_of((await api.get(here)).text))
    assert (await brands.kit_of(db, "web")).own == Brand()

    menu = {"channel": "web", "place": "footer", "version": "0", "row": ["n0", "n1"],
            "text-n0-en": "Help", "text-n1-en": "Write", "href-n1": "/page/write"}  # fmt: skip
    moved = await api.post("/admin/content/menus", data=menu | {"act": "up:n1"})
    assert re.findall(r'name="row" value="(n\d)"', moved.text)[:2] == ["n1", "n0"]
    assert (
        await api.post("/admin/content/menus", data=menu | {"href-n1": "javascript:1"})
    ).status_code == 422
    assert (await api.post("/admin/content/menus", data=menu)).status_code == 303
    assert len((await brands.menu_of(db, "web", MenuPlace.FOOTER)).items) == 2
    await api.post(undo_of((await api.get("/admin/content/menus?place=footer")).text))
    assert (await brands.menu_of(db, "web", MenuPlace.FOOTER)).items == []

    base = "/admin/content/redirects"
    one = {"channel": "web", "source": "/old", "target": "/search", "is_permanent": "1"}
    assert (await api.post(base, data=one)).status_code == 303
    loop = await api.post(base, data=one | {"source": "/search", "target": "/old"})
    assert loop.status_code == 422
    assert 'href="#f-target"' in loop.text
    many = {"file": ("r.csv", b"source;target\n/a;/b\n/b;/c\n")}
    assert (await api.post(base, data={"channel": "web"}, files=many)).status_code == 303
    listed = (await api.get(base)).text
    ids = re.findall(r'name="id" value="([^"]+)"', listed)
    assert len(ids) == 3
    await api.post(f"{base}/remove", data={"id": ids})
    after = (await api.get(base)).text
    assert "No old addresses yet" in after
    await api.post(undo_of(after))
    assert (await api.get("/old")).headers["location"] == "/search"


async def test_a_menu_of_nobody_is_no_error(api: httpx.AsyncClient, db: Database) -> None:
    assert (await api.get("/admin/content/menus")).headers["location"] == "/admin/channels/new"
    assert "No pages yet" in (await api.get("/admin/content")).text
