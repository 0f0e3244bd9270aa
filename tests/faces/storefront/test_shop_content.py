"""What the shop says for itself, and what machines read of it."""

import io
import json
import re
from xml.etree import ElementTree as ET

import httpx
import pytest
from market import Market, hidden
from PIL import Image

from samlad import consent
from samlad.content import brands, pages, pictures
from samlad.content.brand_model import Brand, Face, Palette
from samlad.content.model import (
    Categories,
    Document,
    Hero,
    Link,
    MenuPlace,
    Newsletter,
    PageInput,
    PictureInput,
    PictureText,
    Prose,
    Publishing,
    Recommend,
    Shelf,
    Stores,
    Text,
    Words,
)
from samlad.faces.storefront import brand, machines
from samlad.kernel.settings import Settings


def png(width: int = 60, height: int = 30) -> bytes:
    held = io.BytesIO()
    Image.new("RGB", (width, height), "#7a1f4b").save(held, "PNG")
    return held.getvalue()


async def publish(market: Market, document: Document, handle: str = "") -> None:
    async def work(tx):
        page = await pages.create(tx, PageInput(channel="web", handle=handle, document=document))
        await pages.publish(tx, page.id, Publishing())

    await market.db.transaction(work)


async def test_the_start_page_is_made_of_blocks(
    guest: httpx.AsyncClient, market: Market, settings: Settings
) -> None:
    for number in range(5):
        await market.product(
            title=f"Pan {number}", sku=f"PAN-{number}", handle=f"pan-{number}", category="kok", stock=(3,)
        )
    picture = await market.db.transaction(
        lambda tx: pictures.add(tx, settings.home, PictureInput(name="a.png", content=png()))
    )
    blocks = [
        Hero(id="h", title=Words(en="Warm autumn", sv="Varm höst"), text=Prose(en="**Cook** more"), button=Words(en="Look"), href="/search"),
        Shelf(id="s", title=Words(en="For the kitchen"), source="category", goods="kok", count=2),
        Shelf(id="g", title=Words(en="Gone"), source="collection", goods="nowhere"),
        Text(id="t", text=Prose(en="# About\n\n<script>alert(1)</script> [here](/page/about)")),
        PictureText(id="p", picture=picture.key, alt=Words(en="A pan"), title=Words(en="Made here")),
        Recommend(id="n", title=Words(en="Newest")),
        Recommend(id="m", title=Words(en="Most sold"), what="most_sold"),
        Recommend(id="l", title=Words(en="Seen"), what="last_seen"),
        Categories(id="c", title=Words(en="Categories")),
        Stores(id="o", title=Words(en="Stores")),
        Newsletter(id="w", title=Words(en="Letters")),
    ]  # fmt: skip
    await publish(market, Document(title=Words(en="Hemma"), blocks=blocks))
    html = (await guest.get("/")).text
    assert html.count("<h1") == 1
    assert "<h1>Warm autumn</h1>" in html
    assert "<strong>Cook</strong>" in html
    assert "<script>alert" not in html
    assert 'id="block-g"' not in html, "a shelf of nothing is left out"
    assert 'id="block-m"' not in html, "nothing is sold yet"
    assert len(re.findall('class="product"', html.split('id="block-s"')[1].split("</section>")[0])) == 2
    assert f'src="/media/{picture.key}" alt="A pan" width="60" height="30"' in html
    assert 'data-last-seen="8"' in html
    kinds = [json.loads(each)["@type"] for each in re.findall(r'ld\+json">(.*?)</script>', html)]
    assert kinds == ["OnlineStore", "WebSite"]
    assert '<meta name="description" content="Cook more">' in html
    swedish = (await guest.get("/", headers={"accept-language": "sv"})).text
    assert "<h1>Varm höst</h1>" in swedish
    assert "For the kitchen" in swedish, "what has no Swedish text is shown all the same"

    piece = await guest.get("/last-seen?handles=pan-3,nowhere,pan-1&count=2", headers={"hx-request": "true"})
    assert re.findall(r'href="(/p/[^"]+)"', piece.text) == ["/p/pan-3", "/p/pan-1"]

    form = {"_csrf": hidden(html, "_csrf"), "email": "kim@example.com", "back": "/"}
    refused = await guest.post("/newsletter", data=form)
    assert refused.status_code == 303
    assert await market.db.value("SELECT count(*) FROM consent_entry") == 0
    assert "Tick the box" in (await guest.get("/")).text
    await guest.post("/newsletter", data=form | {"agree": "1"})
    assert "open the mail" in (await guest.get("/")).text
    assert await market.db.value("SELECT count(*) FROM event WHERE type = 'consent.asked'") == 1
    assert await market.db.value("SELECT text FROM consent_entry") is None, "in words of the page itself"
    words = consent.TextInput(language="en", text="Yes, a letter each month.")
    ours = await market.db.transaction(lambda tx: consent.add_text(tx, "email_marketing", words))
    html = (await guest.get("/")).text
    assert "Yes, a letter each month." in html
    await guest.post("/newsletter", data=form | {"agree": "1", "wording": hidden(html, "wording")})
    assert (
        await market.db.value("SELECT text FROM consent_entry ORDER BY recorded_at DESC LIMIT 1") == ours.id
    )
    await guest.post("/newsletter", data=form | {"agree": "1", "email": "nobody"})
    assert "no e-mail address" in (await guest.get("/")).text


async def test_pages_menus_and_addresses_where_nothing_is(guest: httpx.AsyncClient, market: Market) -> None:
    await market.product(title="Copper kettle", sku="KTL", handle="kettle")
    about = Document(title=Words(en="About us"), blocks=[Text(id="a", text=Prose(en="We are two."))])
    await publish(market, about, "about")
    header = [Link(Words(en="About"), "/page/about")]
    footer = [Link(Words(en="Help")), Link(Words(en="Write"), "mailto:a@example.com")]
    await market.db.transaction(lambda tx: brands.set_menu(tx, "web", MenuPlace.HEADER, header))
    await market.db.transaction(lambda tx: brands.set_menu(tx, "web", MenuPlace.FOOTER, footer))
    html = (await guest.get("/page/about")).text
    assert "<h1>About us</h1>" in html
    assert '<a href="/page/about" aria-current="page">About</a>' in html
    assert '<a href="mailto:a@example.com">Write</a>' in html
    assert json.loads(re.search(r'ld\+json">(.*?)</script>', html)[1])["@type"] == "BreadcrumbList"
    assert (await guest.get("/page/nowhere")).status_code == 404
    lost = await guest.get("/products/copper-kettle")
    assert lost.status_code == 404
    assert 'value="copper kettle"' in lost.text
    assert 'href="/search?q=copper%20kettle"' in lost.text


async def test_a_brand_is_a_style_sheet_a_manifest_and_icons(
    guest: httpx.AsyncClient, market: Market, settings: Settings
) -> None:
    plain = await guest.get("/theme.css")
    assert plain.headers["cache-control"] == "no-cache"
    logo = await market.db.transaction(
        lambda tx: pictures.add(tx, settings.home, PictureInput(name="logo.png", content=png()))
    )
    own = Brand(
        name="Hemma & Co",
        logo=logo.key,
        light=Palette(accent="#7a1f4b"),
        heading_face=Face.SLAB,
        theme="autumn",
    )
    await market.db.transaction(lambda tx: brands.set_kit(tx, "web", own))
    html = (await guest.get("/")).text
    assert 'alt="Hemma &amp; Co" width="60" height="30"' in html
    href = re.search(r'href="(/theme\.css\?v=\w+)"', html)[1]
    theme = await guest.get(href)
    assert "immutable" in theme.headers["cache-control"]
    assert "--accent: light-dark(#7a1f4b" in theme.text
    assert "Rockwell" in theme.text
    same = await guest.get(href, headers={"if-none-match": theme.headers["etag"]})
    assert same.status_code == 304
    manifest = (await guest.get("/manifest.webmanifest")).json()
    assert (manifest["name"], manifest["scope"]) == ("Hemma & Co", "/")
    for each in manifest["icons"]:
        made = await guest.get(each["src"])
        assert "x".join(map(str, Image.open(io.BytesIO(made.content)).size)) == each["sizes"]
    worker = await guest.get("/sw.js")
    others = re.search(r"OTHERS = /(.*)/;", worker.text)[1].replace(r"\/", "/")
    for path in ("/pos", "/pos/x", "/admin", "/cart", "/checkout", "/order/1", "/account"):
        assert re.match(others, path), path
    for path in ("/", "/p/kettle", "/posters", "/cartoons"):
        assert not re.match(others, path), path
    for path in re.findall(r'"(/static/[^"]+)"', worker.text):
        assert (await guest.get(path)).status_code == 200
    assert "no network" in (await guest.get("/offline")).text

    folder = settings.home / "themes/autumn/templates/storefront"
    folder.mkdir(parents=True)
    (folder / "stores.html").write_text(
        '{% extends "storefront/frame.html" %}{% block title %}Ours{% endblock %}'
        "{% block content %}<h1>Autumn {{ stores | length }}</h1>{% endblock %}"
    )
    assert "<h1>Autumn 2</h1>" in (await guest.get("/stores")).text
    (folder / "stores.html").write_text('{% extends "storefront/frame.html" %}{% block title %}x{% endblock %}'
        "{% block content %}{{ shop_name.__class__.__mro__ }}{% endblock %}")  # fmt: skip
    broken = await guest.get("/stores")
    assert broken.status_code == 500
    assert "mro" not in broken.text


def test_the_name_under_an_icon_is_of_whole_words() -> None:
    known = {
        "The Gift Shop": "The Gift",
        "Hemma": "Hemma",
        "Möbelvaruhuset": "Möbelvaruhus",
        "A to Z and more": "A to Z and",
    }
    assert {name: brand.short_name(name) for name in known} == known


async def test_sitemaps_have_parts_and_say_other_languages(
    guest: httpx.AsyncClient, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machines, "PART", 2)
    monkeypatch.setattr(machines, "STEP", 1)
    for number in range(5):
        await market.product(title=f"Pan {number}", sku=f"PAN-{number}", handle=f"pan-{number}")
    await market.product(title="Draft", sku="D", handle="draft", status="draft")
    index = ET.fromstring((await guest.get("/sitemap.xml")).text)
    parts = [
        each.text.removeprefix("http://samlad.test") for each in index.iter() if each.tag.endswith("loc")
    ]
    assert len(parts) == 4
    found = []
    for part in parts[1:]:
        tree = ET.fromstring((await guest.get(part)).text)
        found += [each.text for each in tree.iter() if each.tag.endswith("loc")]
    assert sorted(found) == [f"http://samlad.test/p/pan-{number}" for number in range(5)]


KETTLE = {
    "title": "Copper <kettle>", "handle": "kettle", "brand": "Gense", "category": "kok",
    "description": "<p>Boils\tfast &amp; well.</p>",
    "variants": [
        {"sku": "K-RED", "gtin": "7350053850019", "options": {"Colour": "Red"}, "weight_g": 900,
         "prices": [{"price_list": "base", "amount": 49900, "compare_at": 69900}]},
        {"sku": "K-BLUE", "options": {"Colour": "Blue"}, "prices": [{"price_list": "base", "amount": 49900}]},
    ],
    "options": [{"name": "Colour", "values": ["Red", "Blue"]}],
}  # fmt: skip


async def test_feeds_and_codes_on_packets(guest: httpx.AsyncClient, market: Market) -> None:
    made = await market.product(**KETTLE)
    red = next(v.id for v in made.variants if v.sku == "K-RED")
    await market.put([red], market.places[0], 3)
    tree = ET.fromstring((await guest.get("/feeds/google.xml")).text)
    items = {}
    for item in tree.iter("item"):
        values = {each.tag.rpartition("}")[2]: each.text for each in item}
        items[values["id"]] = values
    assert set(items) == {"K-RED", "K-BLUE"}
    assert items["K-RED"] == {
        "id": "K-RED", "title": "Copper <kettle>, Red", "description": "Boils fast & well.",
        "link": "http://samlad.test/p/kettle?variant=K-RED", "availability": "in_stock",
        "price": "699.00 SEK", "sale_price": "499.00 SEK", "condition": "new", "brand": "Gense",
        "gtin": "7350053850019", "item_group_id": "kettle", "product_type": "Kök",
        "shipping_weight": "900 g", "color": "Red",
    }  # fmt: skip
    assert items["K-BLUE"]["availability"] == "out_of_stock"
    assert items["K-BLUE"]["mpn"] == "K-BLUE"
    for name in ("google.tsv", "meta.tsv"):
        head, *lines = (await guest.get(f"/feeds/{name}")).text.rstrip("\n").split("\n")
        columns = head.split("\t")
        assert [len(line.split("\t")) for line in lines] == [len(columns)] * 2
    meta = dict(zip(columns, lines[0].split("\t"), strict=True))
    assert (meta["availability"], meta["image_link"]) == ("in stock", "")
    row = json.loads((await guest.get("/feeds/openai.jsonl")).text.split("\n")[0])
    needed = {"item_id", "title", "description", "url", "brand", "seller_name", "availability", "price"}
    assert needed <= set(row)
    assert (row["is_eligible_search"], row["is_eligible_checkout"]) == ("true", "false")
    assert (await guest.get("/feeds/nothing.xml")).status_code == 404

    page = await guest.get("/01/7350053850019")
    assert (page.status_code, page.headers["location"]) == (307, "http://samlad.test/p/kettle?variant=K-RED")
    lot = await guest.get("/01/07350053850019/10/A1/21/77?17=271231")
    assert lot.headers["location"] == page.headers["location"]
    for accept, query in (("application/linkset+json", ""), ("*/*", "?linkType=all")):
        links = await guest.get(f"/01/07350053850019{query}", headers={"accept": accept})
        assert links.headers["content-type"].startswith("application/linkset+json")
        [context] = links.json()["linkset"]
        assert context["https://gs1.org/voc/pip"][0]["href"] == page.headers["location"]
    assert (await guest.get("/01/7350053850018")).status_code == 422
    assert (await guest.get("/01/4006381333931")).status_code == 404
    assert (await guest.get("/01/7350053850019/21/77/10/A1")).status_code == 404
    assert (await guest.get("/.well-known/gs1resolver")).json()["supportedPrimaryKeys"] == ["01"]
