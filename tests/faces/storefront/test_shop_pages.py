"""Looking around: front, lists, product page, what machines read."""

import json
import re

import httpx
import pytest
from market import Market, text_of

from samlad.access.rate import LocalLimit
from samlad.faces.storefront import limits

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
