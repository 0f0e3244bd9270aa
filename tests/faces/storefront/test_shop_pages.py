"""Looking around: front, lists, product page, what machines read."""

import json
import re
from datetime import timedelta

import httpx
import msgspec
import pytest
from market import Market, text_of

from samlad import channels, stock
from samlad.access.rate import LocalLimit
from samlad.catalog import attributes
from samlad.channels import Resource
from samlad.faces.storefront import limits
from samlad.kernel.clock import local_day, now
from samlad.kernel.context import GUEST

OPTIONS = [{"name": "Colour", "values": ["Red", "Blue"]}, {"name": "Size", "values": ["S", "M"]}]


def shirt(*pairs: tuple[str, str]) -> list[dict[str, object]]:
    return [{"sku": f"{c}-{s}".upper(), "options": {"Colour": c, "Size": s}} for c, s in pairs]


async def test_the_front_shows_what_is_new(guest: httpx.AsyncClient, market: Market) -> None:
    await market.product(title="Copper kettle", sku="KTL", category="kok", stock=(3,))
    answer = await guest.get("/")
    assert answer.status_code == 200
    text = text_of(answer.text)
    assert "Copper kettle" in text
    assert "Kök 1 product" in text
    assert "one of our 2 stores" in text
    assert "SEK" in text or "kr" in text


async def test_without_a_webshop_there_is_a_page_that_says_so(api_as, settings) -> None:
    async with api_as(accept="text/html") as api:
        answer = await api.get("/")
    assert answer.status_code == 404
    assert "text/html" in answer.headers["content-type"]


async def test_search_finds_in_spite_of_a_typing_error_and_says_what_it_looked_for(
    guest: httpx.AsyncClient, market: Market
) -> None:
    await market.product(title="Copper kettle", sku="KTL")
    found = text_of((await guest.get("/search", params={"q": "kettel"})).text)
    assert "Copper kettle" in found
    assert "We looked for “kettle”" in found
    nothing = text_of((await guest.get("/search", params={"q": "zzzqqq"})).text)
    assert "Nothing found for “zzzqqq”" in nothing


async def test_filters_narrow_and_can_be_taken_away(guest: httpx.AsyncClient, market: Market) -> None:
    await market.product(title="Red pan", sku="A", handle="a", brand="Gense", price=1000)
    await market.product(title="Blue pan", sku="B", handle="b", brand="Ekelund", price=9000)
    both = await guest.get("/search?q=pan")
    assert "Gense" in both.text
    assert "Ekelund" in both.text
    one = await guest.get("/search?q=pan&brand=Gense")
    assert "Red pan" in one.text
    assert "Blue pan" not in one.text
    assert 'aria-label="Remove Gense"' in one.text
    cheap = await guest.get("/search?price_to=50")
    assert "Red pan" in cheap.text
    assert "Blue pan" not in cheap.text
    dear = await guest.get("/search?sort=-price")
    assert dear.text.index("Blue pan") < dear.text.index("Red pan")


async def test_a_category_page_and_one_that_is_not_there(guest: httpx.AsyncClient, market: Market) -> None:
    await market.product(title="Pan", category="kok")
    assert "Pan" in (await guest.get("/c/kok")).text
    lost = await guest.get("/c/nowhere")
    assert lost.status_code == 404
    assert "<title>There is nothing at this address · Hemma</title>" in lost.text
    assert "Hemma" in (await guest.get("/no/such/page")).text


async def test_pages_follow_each_other(guest: httpx.AsyncClient, market: Market) -> None:
    for number in range(30):
        await market.product(title=f"Mug number {number}", sku=f"MUG{number}", handle=f"mug-{number}")
    first = await guest.get("/search?q=mug")
    assert "1 to 24 of 30" in text_of(first.text)
    following = re.search(r'href="([^"]+)" rel="next"', first.text)
    assert following
    second = await guest.get(following[1].replace("&amp;", "&"))
    assert "25 to 30 of 30" in text_of(second.text)
    assert 'rel="prev"' in second.text


async def test_what_an_address_says_wrongly_is_left_out(guest: httpx.AsyncClient, market: Market) -> None:
    await market.product(title="Pan")
    for query in (
        "q=%00pan", "q=" + "x" * 5000, "from=-3", "from=99999", "from=9999999999", "sort=drop", "price_from=abc",
        "price_to=1e9", "brand=" + "y" * 500, "option.=x", "attribute.nope=%27;--", "q=%F0%9F%92%A9&sort=name", "q='%22<script>",
    ):  # fmt: skip
        answer = await guest.get(f"/search?{query}")
        assert answer.status_code in (200, 303), (query, answer.status_code)
        assert "<script>" not in answer.text.split("<main")[-1]


async def test_suggestions_while_typing(guest: httpx.AsyncClient, market: Market) -> None:
    await market.product(title="Copper kettle", sku="KTL")
    piece = await guest.get("/search/suggest?q=kett", headers={"hx-request": "true"})
    assert "Copper kettle" in piece.text
    assert "<html" not in piece.text
    assert (await guest.get("/search/suggest?q=k")).text == ""


async def test_variants_are_chosen_by_links(guest: httpx.AsyncClient, market: Market) -> None:
    made = await market.product(
        title="Shirt",
        handle="shirt",
        options=OPTIONS,
        variants=shirt(("Red", "S"), ("Red", "M"), ("Blue", "M")),
    )
    await market.put([v.id for v in made.variants if v.sku == "RED-M"], market.places[0], 2)
    page = await guest.get("/p/shirt?variant=RED-S")
    assert page.status_code == 200
    assert "Sold out" in text_of(page.text)
    assert 'href="/p/shirt?variant=BLUE-M"' in page.text  # there is no blue S: blue leads to the M
    chosen = text_of((await guest.get("/p/shirt?variant=RED-M")).text)
    assert "Only 2 left" in chosen
    assert "Add to cart" in chosen
    first = await guest.get("/p/shirt")  # without a choice the one that is there
    assert "Only 2 left" in text_of(first.text)


async def test_a_price_says_tax_and_a_reduction_its_lowest_price(
    guest: httpx.AsyncClient, market: Market
) -> None:
    await market.product(title="Pan", handle="pan", sku="PAN", price=9900, stock=(7,))
    text = text_of((await guest.get("/p/pan")).text)
    assert "Including 25% tax" in text.replace("\xa0", " ").replace("25 %", "25%")
    assert "Hemma Soder" in text
    assert "In stock" in text


async def test_search_engines_get_data_that_cannot_break_out(
    guest: httpx.AsyncClient, market: Market
) -> None:
    await market.product(title="Pan </script><script>alert(1)</script>", handle="pan", sku="PAN", stock=(1,))
    html = (await guest.get("/p/pan")).text
    blocks = re.findall(r'<script type="application/ld\+json">(.*?)</script>', html, flags=re.DOTALL)
    product, crumbs = map(json.loads, blocks)
    assert product["name"].startswith("Pan </script>")
    assert product["offers"][0] == {
        "@type": "Offer", "sku": "PAN", "url": "http://samlad.test/p/pan?variant=PAN", "price": "99.00",
        "priceCurrency": "SEK", "availability": "https://schema.org/InStock",
        "itemCondition": "https://schema.org/NewCondition",
        "shippingDetails": {
            "@type": "OfferShippingDetails",
            "shippingRate": {"@type": "MonetaryAmount", "value": "49.00", "currency": "SEK"},
            "shippingDestination": {"@type": "DefinedRegion", "addressCountry": "SE"},
        },
    }  # fmt: skip
    assert crumbs["itemListElement"][0]["name"] == "Hemma"
    assert "alert(1)</script>" not in html.replace("\\u003c", "<").split("ld+json")[0]


async def test_variants_are_told_as_a_group_in_the_words_of_the_page(market: Market, api_as) -> None:
    options = [{"name": "Färg", "values": ["Röd", "Blå"]}, {"name": "Doft", "values": ["Ros"]}]
    variants = [
        {"sku": each, "options": {"Färg": colour, "Doft": "Ros"}}
        for each, colour in (("R", "Röd"), ("B", "Blå"))
    ]
    english = {
        "title": "Candle",
        "description": "<p>Burns long</p>",
        "options": {"Färg": "Colour", "Röd": "Red"},
    }
    await market.product(
        title="Ljus",
        handle="ljus",
        options=options,
        variants=variants,
        stock=(2,),
        description="<p>Brinner länge</p>",
        translations={"en": english},
    )
    async with api_as(GUEST, accept="text/html", **{"accept-language": "en"}) as reader:
        html = (await reader.get("/p/ljus")).text
    told = json.loads(
        re.findall(r'<script type="application/ld\+json">(.*?)</script>', html, flags=re.DOTALL)[0]
    )
    assert (told["@type"], told["productGroupID"], told["name"]) == ("ProductGroup", "ljus", "Candle")
    assert told["description"] == "Burns long"
    assert told["variesBy"] == ["https://schema.org/color"]
    red, blue = told["hasVariant"]
    assert (red["@type"], red["sku"], red["color"], blue["color"]) == ("Product", "R", "Red", "Blå")
    assert red["additionalProperty"] == [{"@type": "PropertyValue", "name": "Doft", "value": "Ros"}]
    assert red["offers"]["url"] == "http://samlad.test/p/ljus?variant=R"
    assert "offers" not in told


async def test_what_is_known_of_a_product_is_said_in_the_readers_words(market: Market, api_as) -> None:
    """Names, choices, units, yes and no, days: no code of an attribute, and nothing as Python writes it."""
    given = [
        {"code": "net_content", "name": "Content", "type": "number", "unit": "g", "position": 2,
         "translations": {"sv": {"name": "Innehåll"}}},
        {"code": "shell", "name": "Shell", "type": "choice", "choices": ["steel", "wood"], "position": 1,
         "translations": {"sv": {"name": "Skal", "words": {"steel": "stål"}}}},
        {"code": "washable", "name": "Washable", "type": "boolean", "translations": {"sv": {"name": "Tvättbar"}}},
        {"code": "made_on", "name": "Made on", "type": "date"},
    ]  # fmt: skip
    pool = market.web.pools[Resource.CATALOGUE]
    for each in given:
        made = msgspec.convert(each, attributes.AttributeInput)
        await market.db.transaction(lambda tx, made=made: attributes.create(tx, pool, made))
    values = {"net_content": 1250.5, "shell": "steel", "washable": True, "made_on": "2026-11-22"}
    await market.product(title="Tin", handle="tin", sku="TIN", attributes=values)
    await market.product(
        title="Box", handle="box", sku="BOX", attributes=values | {"washable": False, "shell": "wood"}
    )
    async with api_as(GUEST, accept="text/html", **{"accept-language": "sv"}) as reader:
        page = text_of((await reader.get("/p/tin")).text).replace("\xa0", " ")
        facets = text_of((await reader.get("/search")).text).replace("\xa0", " ")
    assert "Tvättbar Ja" in page
    assert "Skal stål Innehåll 1 250,5 g" in page
    assert "Made on 22 nov. 2026" in page
    assert "net_content" not in page
    assert "Tvättbar" in facets
    assert "Ja 1" in facets
    assert "true" not in facets
    assert "stål 1" in facets


async def test_filters_of_options_and_prices_are_in_the_readers_words(market: Market, api_as) -> None:
    words = {"Colour": "Färg", "Red": "Röd", "Blue": "Blå"}
    await market.product(
        title="Shirt",
        handle="shirt",
        options=OPTIONS[:1],
        variants=[{"sku": each, "options": {"Colour": each}} for each in ("Red", "Blue")],
        translations={"sv": {"options": words}},
        price=123456,
    )
    async with api_as(GUEST, accept="text/html", **{"accept-language": "sv"}) as reader:
        page = (await reader.get("/search?option.Colour=Red&price_to=2000,50")).text
    assert 'name="option.Colour" value="Red"' in page
    assert "Färg" in text_of(page)
    assert "Röd" in text_of(page)
    assert ">Red<" not in page
    assert 'name="price_to" size="6" value="2000,50"' in page
    assert 'placeholder="1234,56"' in page
    assert "–2 000,50 kr" in text_of(page).replace("\xa0", " ")


async def test_drafts_and_unknown_products_are_not_there(guest: httpx.AsyncClient, market: Market) -> None:
    await market.product(title="Soon", handle="soon", status="draft")
    assert (await guest.get("/p/soon")).status_code == 404
    assert (await guest.get("/p/never")).status_code == 404


async def test_machines_find_what_is_sold_and_nothing_else(guest: httpx.AsyncClient, market: Market) -> None:
    await market.product(title="Pan & lid", handle="pan", category="kok")
    robots = await guest.get("/robots.txt")
    assert "Disallow: /checkout" in robots.text
    assert "Sitemap: http://samlad.test/sitemap.xml" in robots.text
    sitemap = await guest.get("/sitemap.xml")
    assert sitemap.headers["content-type"].startswith("application/xml")
    [pages, products] = re.findall(r"<loc>http://samlad.test([^<]+)</loc>", sitemap.text)
    assert "<loc>http://samlad.test/p/pan</loc>" in (await guest.get(products)).text
    assert "<loc>http://samlad.test/c/kok</loc>" in (await guest.get(pages)).text


async def test_pages_come_in_the_reader_s_language_and_are_not_kept_by_others(
    guest: httpx.AsyncClient, market: Market
) -> None:
    await market.product(title="Pan", handle="pan", translations={"sv": {"title": "Panna"}}, stock=(1,))
    swedish = await guest.get("/p/pan", headers={"accept-language": "sv"})
    assert '<html lang="sv"' in swedish.text
    assert "Panna" in swedish.text
    assert "private" in swedish.headers["cache-control"] or "no-store" in swedish.headers["cache-control"]
    assert "Cookie" in swedish.headers["vary"]


async def test_two_shops_answer_at_their_own_hosts(guest: httpx.AsyncClient, market: Market) -> None:
    import msgspec

    from samlad import channels

    data = {
        "code": "other",
        "name": "Annat",
        "kind": "webshop",
        "parent": "web",
        "settings": {"storefront_host": "annat.test"},
    }
    await market.db.transaction(lambda tx: channels.create(tx, msgspec.convert(data, channels.ChannelInput)))
    assert "Hemma" in (await guest.get("/")).text
    assert "Annat" in (await guest.get("/", headers={"host": "annat.test"})).text


async def test_searching_like_a_machine_is_slowed_down(
    guest: httpx.AsyncClient, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a busy machine 90 searches take so long that the limit lets them all through.
    monkeypatch.setattr(limits, "searches", LocalLimit(per_second=0.01, burst=60))
    answers = [(await guest.get("/search/suggest?q=x")).status_code for _ in range(90)]
    assert answers[:50] == [200] * 50
    assert answers[-1] == 429


async def test_stores_say_where_they_are(guest: httpx.AsyncClient, market: Market) -> None:
    text = text_of((await guest.get("/stores")).text)
    assert "Hemma Haga" in text
    assert "Storgatan 2" in text
    assert "Open now" in text


async def test_stores_say_their_week_the_days_that_differ_and_where_they_are(market: Market, api_as) -> None:
    today = local_day(now(), "Europe/Stockholm")
    day = [{"opens": "10:00", "closes": "18:30"}]
    hours = {
        "weekly": [day] * 5 + [[{"opens": "11:00", "closes": "24:00"}], []],
        "exceptions": [
            {"date": (today + timedelta(days=days)).isoformat(), "note": note}
            for days, note in ((60, "Much later"), (3, "Stocktaking"))
        ],
    }
    given = msgspec.convert({"opening_hours": hours}, channels.ChannelChange)
    await market.db.transaction(lambda tx: channels.change(tx, market.stores[0].id, given))
    place = msgspec.convert({"latitude": 59.3, "longitude": 18.1}, stock.LocationChange)
    await market.db.transaction(lambda tx: stock.change_location(tx, market.places[0].id, place))
    async with api_as(GUEST, accept="text/html", **{"accept-language": "sv"}) as reader:
        html = (await reader.get("/stores")).text
    page = text_of(html)
    assert "Måndag–fredag 10:00–18:30" in page
    assert "Lördag 11:00–00:00" in page
    assert "Söndag Stängt" in page
    assert "Stocktaking" in page
    assert "Much later" not in page
    assert 'href="https://www.openstreetmap.org/?mlat=59.3&amp;mlon=18.1#map=17/59.3/18.1"' in html
    blocks = re.findall(r'<script type="application/ld\+json">(.*?)</script>', html, flags=re.DOTALL)
    told = next(each for each in map(json.loads, blocks) if each.get("geo"))
    assert (told["@type"], told["geo"]["latitude"]) == ("Store", 59.3)
    hours_told = told["openingHoursSpecification"]
    assert hours_told[5]["dayOfWeek"] == "https://schema.org/Saturday"
    assert (hours_told[5]["opens"], hours_told[5]["closes"]) == ("11:00", "23:59")
    assert hours_told[6] == {
        "@type": "OpeningHoursSpecification",
        "opens": "00:00",
        "closes": "00:00",
        "validFrom": (today + timedelta(days=3)).isoformat(),
        "validThrough": (today + timedelta(days=3)).isoformat(),
    }
    assert len(hours_told) == 7
