"""The banner, the preferences by a link, double opt-in, one click."""

import re
from datetime import timedelta
from uuid import UUID

import httpx
import msgspec
import pytest
from browser import Site
from market import Market, put_in, text_of
from playwright.async_api import Route, expect

import horizon
from account_people import Post
from samlad import channels, consent, identity, privacy
from samlad.channels import ChannelChange, Resource
from samlad.consent import Answer, AnswerInput, Level, links, stamps
from samlad.consent import mails as consent_mails
from samlad.consent.links import Confirmation
from samlad.consent.model import PurposeChange
from samlad.consent.service import change_purpose
from samlad.identity import AuthLevel, Identifier, Kind, Sighting
from samlad.kernel import followers
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.problems import InvalidInput
from samlad.kernel.settings import Settings
from samlad.kernel.vault import Vault
from samlad.privacy import running
from samlad.tracking import own, resolving


async def somebody(market: Market) -> UUID:
    sighting = Sighting(
        pool=market.web.pools[Resource.CUSTOMERS],
        source="test",
        event_id="1",
        observed_at=now() - timedelta(hours=1),
        received_at=now(),
        identifiers=[Identifier(Kind.EMAIL, "kim@example.com")],
        auth=AuthLevel.AUTHENTICATED,
    )
    node = (await market.db.transaction(lambda tx: identity.observe(tx, [sighting])))[0]
    assert node is not None
    return node


async def test_a_link_confirms_changes_and_stops(
    guest: httpx.AsyncClient, market: Market, settings: Settings
) -> None:
    node, vault = await somebody(market), Vault.of(settings)

    async def holds(purpose: str = "email_marketing") -> bool:
        return node in await consent.allowed(market.db, [node], purpose, market.web.id)

    confirm = links.confirm_link(vault, Confirmation(node, "email_marketing", None))
    assert "News by e-mail" in text_of((await guest.get(confirm)).text)
    assert not await holds(), "a look is no answer"
    for _ in range(2):
        assert (await guest.post(confirm)).status_code == 200
    assert await holds()
    assert await market.db.value("SELECT count(*) FROM consent_entry") == 1

    address = links.preferences_link(vault, node)
    assert "News by e-mail" in text_of((await guest.get(address)).text)
    stop = {"List-Unsubscribe": "One-Click"}
    for _ in range(2):
        assert (await guest.post(f"{address}/unsubscribe", data=stop)).status_code == 200
    assert not await holds()
    assert await market.db.value("SELECT count(*) FROM consent_entry") == 2, "clicked twice it is one no"
    assert (await guest.post(f"{address}/unsubscribe?purpose=weather")).status_code == 404
    saved = await guest.post(address, data={"purpose": ["sms_marketing", "email_marketing", "nonsense"]})
    assert saved.status_code == 303
    assert await holds()
    assert await holds("sms_marketing")
    await guest.post(address, data={"purpose": "sms_marketing", "nothing": "1"})
    assert not await holds("sms_marketing")
    for wrong in (
        address[:-2],
        f"/preferences/{confirm.rsplit('/', 1)[1]}",
        f"/confirm/{address.rsplit('/', 1)[1]}",
    ):
        assert (await guest.get(wrong)).status_code == 404


async def test_a_link_that_was_used_asks_for_nothing_anew(
    guest: httpx.AsyncClient, market: Market, settings: Settings
) -> None:
    """A confirmation that was taken back since stays taken back, and says so; it shows the words that it was asked with."""
    node, vault = await somebody(market), Vault.of(settings)

    async def reword(text: str) -> UUID:
        data = consent.TextInput(language="en", text=text)
        return (await market.db.transaction(lambda tx: consent.add_text(tx, "email_marketing", data))).id

    then = await reword("Letters, once a month.")
    await reword("Letters, each day.")
    confirm = links.confirm_link(vault, Confirmation(node, "email_marketing", then))
    page = await guest.get(confirm)
    assert "once a month" in page.text
    assert "each day" not in page.text
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "it is confirmed" in (await guest.post(confirm)).text
    address = links.preferences_link(vault, node)
    # Programs that know nothing of one click open its address: that shows the page, and answers nothing.
    for opened in (f"{address}/unsubscribe?purpose=email_marketing", f"{address}/unsubscribe"):
        assert "News by e-mail" in text_of((await guest.get(opened)).text)
    assert node in await consent.allowed(market.db, [node], "email_marketing")
    assert (await guest.post(f"{address}/unsubscribe")).status_code == 200
    again = await guest.post(confirm)
    assert "took it back" in again.text
    assert "it is confirmed" not in again.text
    assert node not in await consent.allowed(market.db, [node], "email_marketing")
    fresh = links.confirm_link(vault, Confirmation(node, "email_marketing", None))
    assert "it is confirmed" in (await guest.post(fresh)).text
    entries = (await consent.given(market.db, node)).entries
    assert [each.text for each in entries] == [None, None, then]


async def test_an_old_tab_and_a_closed_shop_take_nothing_back(
    guest: httpx.AsyncClient, market: Market, settings: Settings
) -> None:
    node, vault = await somebody(market), Vault.of(settings)
    address = links.preferences_link(vault, node)

    async def holding() -> list[str]:
        standing = (await consent.given(market.db, node, market.web.id)).standing
        return [each.purpose for each in standing if each.is_allowed and each.purpose != "necessary"]

    def in_page(text: str) -> dict[str, list[str]]:
        """The form as a browser sends it, with what is ticked."""
        boxes = re.findall(r'<input[^>]*name="purpose"[^>]*>', text)
        ticked = [re.search(r'value="([^"]*)"', each)[1] for each in boxes if " checked" in each]  # type: ignore[index]
        hidden = {each: re.findall(rf'name="{each}" value="([^"]*)"', text) for each in ("seen", "wording")}
        return {"page": ["1"], "purpose": ticked, **hidden}

    async def reword(text: str) -> UUID:
        data = consent.TextInput(language="en", text=text)
        return (await market.db.transaction(lambda tx: consent.add_text(tx, "sms_marketing", data))).id

    await guest.post(address, data={"purpose": ["email_marketing"]})
    then = await reword("Texts, at most one a week.")
    tab = in_page((await guest.get(address)).text)
    assert tab["seen"] == tab["purpose"] == ["email_marketing"]
    await reword("Texts, as many as we like.")
    change = ChannelChange(settings={"storefront_open": False})
    await market.db.transaction(lambda tx: channels.change(tx, market.web.id, change))
    assert (await guest.get("/")).headers["location"] == "/opening"
    assert (await guest.post(f"{address}/unsubscribe")).status_code == 200
    assert await holding() == []
    await guest.post(address, data={**tab, "purpose": [*tab["purpose"], "sms_marketing"]})
    assert await holding() == ["sms_marketing"], "what was ticked in the tab, not what it had before"
    assert (await consent.given(market.db, node)).entries[0].text == then, "as it was shown"

    # Nothing at all: also what only waits for a confirmation, and what nobody asked for yet.
    waiting = AnswerInput(purpose="email_marketing", answer=Answer.GRANTED)
    elsewhere = AnswerInput(purpose="ads", answer=Answer.GRANTED, scope=market.stores[0].id)
    for answers, level in (([waiting], Level.CLAIMED), ([elsewhere], Level.VERIFIED)):
        await market.db.transaction(
            lambda tx, a=answers, at=level: consent.record(tx, node, a, level=at, source="test")  # type: ignore[misc]
        )
    page = (await guest.get(address)).text
    assert "Open the shop" not in page, "that is for staff"
    for _ in range(2):
        await guest.post(address, data={**in_page(page), "nothing": "1"})
    assert await holding() == []
    assert node not in await consent.allowed(market.db, [node], "ads", market.stores[0].id), "in any channel"
    rows = await market.db.rows(
        """SELECT purpose, count(*) FROM consent_entry WHERE source = 'preferences' AND answer = 'denied'
           GROUP BY purpose ORDER BY purpose"""
    )
    assert [(row["purpose"], row["count"]) for row in rows] == [
        (each, 1)
        for each in (
            "ads",
            "analytics",
            "email_marketing",
            "personal_advice",
            "personalisation",
            "sms_marketing",
        )
    ]


async def test_links_of_somebody_who_was_erased_bring_nobody_back(
    guest: httpx.AsyncClient, market: Market, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "SETTLE_SECONDS", 0)
    node, vault = await somebody(market), Vault.of(settings)
    address = links.preferences_link(vault, node)
    confirm = links.confirm_link(vault, Confirmation(node, "email_marketing", None))
    await guest.post(confirm)
    people = "SELECT id, email FROM customer"
    (kim,) = await market.db.rows(people)
    data = privacy.RequestInput(kind=privacy.RequestKind.ERASURE, person=kim["id"], after_minutes=0)
    request = await market.db.transaction(lambda tx: privacy.ask(tx, data))
    await running.erase(market.db, vault, request.id)
    entries = await market.db.value("SELECT count(*) FROM consent_entry")

    for method, path in (("GET", address), ("POST", address), ("GET", confirm), ("POST", confirm)):
        answer = await guest.request(method, path, data={"purpose": "ads"} if method == "POST" else None)
        assert (answer.status_code, "erased" in answer.text) == (404, True), (method, path)
    assert (await guest.post(f"{address}/unsubscribe")).status_code == 200, "they get nothing, as they want"
    assert await market.db.value("SELECT count(*) FROM consent_entry") == entries
    # What was told before may be heard of after it.
    await market.db.transaction(
        lambda tx: consent.withdraw(tx, node, ["email_marketing"], level=Level.VERIFIED, source="one-click")
    )
    every = [*own.FOLLOWERS, *resolving.FOLLOWERS]
    await followers.register(market.db, every)
    for _ in range(2):
        for each in every:
            await horizon.passed(market.db)
            while await followers.step(market.db, each):
                await horizon.passed(market.db)
    assert [row["id"] for row in await market.db.rows(people)] == [kim["id"]]


async def test_a_banner_is_kept_no_longer_than_its_yes_and_the_shop_heeds_it_too(
    guest: httpx.AsyncClient, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    monkeypatch.setattr(own, "viewed", lambda *_, name, **__: looked.append(name))
    change = ChannelChange(settings={"cookie_banner": True})
    await market.db.transaction(lambda tx: channels.change(tx, market.web.id, change))
    await market.db.transaction(lambda tx: change_purpose(tx, "performance", PurposeChange(days=30)))
    english = consent.TextInput(language="en", text="Counts who looks at what.")
    shown = await market.db.transaction(lambda tx: consent.add_text(tx, "performance", english))
    swedish = {"accept-language": "sv"}
    banner = (await guest.get("/", headers=swedish)).text
    assert "Counts who looks at what." in banner, "there is no Swedish text"
    assert f'data-consent-wordings="{shown.id}"' in banner
    kettle = await market.product(title="Kettle", handle="kettle", stock=(5,))
    await put_in(guest, kettle.variants[0].id)  # who has a cart is known to the shop

    await guest.get("/p/kettle")
    assert looked == [], "nobody has agreed"
    answer = await guest.post("/consent", data={"category": "functional"}, headers=swedish)
    assert "max-age=31536000" in answer.headers["set-cookie"].lower()
    await guest.get("/p/kettle")
    assert looked == []
    await market.db.transaction(
        lambda tx: consent.add_text(
            tx, "performance", consent.TextInput(language="en", text="Counts everything.")
        )
    )
    said = {"category": ["performance"], "wording": [str(shown.id), "nonsense"]}
    answer = await guest.post("/consent", data=said, headers=swedish)
    assert "max-age=2592000" in answer.headers["set-cookie"].lower()
    await guest.get("/p/kettle")
    assert looked == ["Product Viewed"]
    text = await market.db.value(
        "SELECT text FROM consent_entry WHERE purpose = 'performance' AND answer = 'granted'"
    )
    assert text == shown.id, "what was shown, not what is shown since"


async def test_who_asks_for_news_gets_one_mail_whose_link_says_yes(
    guest: httpx.AsyncClient, market: Market, settings: Settings
) -> None:
    market.db.settings = msgspec.structs.replace(settings, mail_to_log=True)
    node = await somebody(market)
    sweden = "sv-SE"

    async def ask(tx: Tx) -> None:
        await consent.ask_to_confirm(tx, node, "email_marketing", market.web.id, sweden)

    for _ in range(4):  # as often as somebody likes to type their address
        await market.db.transaction(ask)
    [follower] = consent_mails.FOLLOWERS
    await followers.register(market.db, [follower])
    await horizon.passed(market.db)
    while await followers.step(market.db, follower):
        await horizon.passed(market.db)
    mails = await Post(market.db, market.db.settings, market.web).mails()
    assert [each.to for each in mails] == ["kim@example.com"] * 2
    assert "bekräfta" in mails[0].text
    link = next(word for word in mails[0].text.split() if "/confirm/" in word)
    assert node not in await consent.allowed(market.db, [node], "email_marketing", market.web.id)
    assert (await guest.post("/confirm/" + link.rpartition("/confirm/")[2])).status_code == 200
    assert node in await consent.allowed(market.db, [node], "email_marketing", market.web.id)


@pytest.mark.browser
async def test_nothing_runs_before_it_is_agreed_to(site: Site, market: Market) -> None:
    change = ChannelChange(settings={"cookie_banner": True})
    await market.db.transaction(lambda tx: channels.change(tx, market.web.id, change))
    page = await site.visitor(width=390)
    await page.goto("/")
    banner = page.get_by_role("region", name="Cookies and what we measure")
    await expect(banner).to_be_visible()
    first = await page.evaluate("Array.from(window.dataLayer[0])")
    assert first[:2] == ["consent", "default"]
    assert {name: first[2][name] for name in stamps.GOOGLE} == dict.fromkeys(stamps.GOOGLE, "denied")
    await page.evaluate(
        """() => { for (const category of ["performance", "targeting"]) {
             const script = document.createElement("script");
             script.type = "text/plain"; script.dataset.consent = category; script.src = `/test-${category}.js`;
             document.head.append(script); } }"""
    )
    asked: list[str] = []
    await page.route(
        "**/test-*.js",
        lambda route: (
            asked.append(route.request.url),
            route.fulfill(body="", content_type="text/javascript"),
        )[1],
    )
    await site.fine(page)
    # By the keyboard alone: the banner comes first, after the link that skips to the content.
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await expect(banner.get_by_text("Choose yourself")).to_be_focused()
    await page.keyboard.press("Enter")
    await site.picture(page, "consent-banner")
    await banner.get_by_label("Statistics").focus()
    await page.keyboard.press("Space")
    assert asked == []
    await banner.get_by_role("button", name="Save my choice").focus()
    await page.keyboard.press("Enter")
    await expect(banner).to_be_hidden()
    await expect(page.locator('script[src="/test-performance.js"]:not([type])')).to_have_count(1)
    assert all("performance" in url for url in asked)
    last = await page.evaluate("Array.from(window.dataLayer.at(-1))")
    said = {name: "granted" if name == "analytics_storage" else "denied" for name in stamps.GOOGLE}
    assert last == ["consent", "update", said]
    rows = await market.db.rows("SELECT purpose, answer, source FROM consent_entry ORDER BY purpose")
    assert [(row["purpose"], row["answer"]) for row in rows] == [
        ("functional", "denied"),
        ("performance", "granted"),
        ("targeting", "denied"),
    ]
    await page.goto("/stores")
    await expect(page.locator("#consent")).to_be_hidden()
    await page.get_by_role("button", name="Cookies").click()
    async with page.expect_navigation():  # what runs already cannot be stopped: the page loads anew
        await page.get_by_role("button", name="Only what is needed").click()
    await expect(page.locator("#consent")).to_be_hidden()
    await site.fine(page)


MARKED = """<img data-consent="targeting" data-src="https://ads.example/pixel.gif" alt="">
<script type="text/plain" data-consent="performance" src="/marked-one.js"></script>
<script type="text/plain" data-consent="performance" src="/marked-two.js"></script>"""
BANNERS = {
    "en": ("Cookies and what we measure", "Allow all"),
    "sv": ("Kakor och vad vi mäter", "Tillåt alla"),
    "nl": ("Cookies en wat we meten", "Alles toestaan"),
}


@pytest.mark.browser
@pytest.mark.parametrize("language", BANNERS)
async def test_what_is_marked_in_a_page_is_not_asked_for_before(
    site: Site, market: Market, language: str
) -> None:
    change = ChannelChange(settings={"cookie_banner": True})
    await market.db.transaction(lambda tx: channels.change(tx, market.web.id, change))
    title, everything = BANNERS[language]
    page = await site.visitor(width=390, locale=language)
    asked: list[str] = []

    async def marked(route: Route) -> None:
        answer = await route.fetch()
        text = (await answer.text()).replace("</main>", f"{MARKED}</main>")
        await route.fulfill(response=answer, body=text)

    async def third(route: Route) -> None:
        asked.append(route.request.url.rpartition("/")[2])
        body = f"window.ran = [...(window.ran ?? []), '{asked[-1]}']"
        await route.fulfill(body=body, content_type="text/javascript")

    await page.route(f"{site.url}/", marked)
    await page.route("**/marked-*.js", third)
    await page.route("https://ads.example/*", third)
    await page.goto("/")
    banner = page.get_by_role("region", name=title)
    await expect(banner).to_be_visible()
    await page.wait_for_load_state("networkidle")
    assert asked == []
    await banner.get_by_role("button", name=everything, exact=True).click()
    await expect(banner).to_be_hidden()
    await page.wait_for_function("window.ran?.length === 2")
    assert await page.evaluate("window.ran") == ["marked-one.js", "marked-two.js"], "in their order"
    await expect(page.locator('img[src="https://ads.example/pixel.gif"]')).to_have_count(1)
    assert sorted(asked) == ["marked-one.js", "marked-two.js", "pixel.gif"]
    last = await page.evaluate("Array.from(window.dataLayer.at(-1))")
    assert last == ["consent", "update", dict.fromkeys(stamps.GOOGLE, "granted")]
    await page.goto("/")  # who has answered is not asked again, and has it at once
    await page.wait_for_function("window.ran?.length === 2")
    await expect(page.locator("#consent")).to_be_hidden()


@pytest.mark.browser
async def test_what_one_wants_to_hear_is_chosen_by_the_keyboard(
    site: Site, market: Market, settings: Settings
) -> None:
    node, vault = await somebody(market), Vault.of(market.db.settings)

    async def holds(purpose: str) -> bool:
        return node in await consent.allowed(market.db, [node], purpose, market.web.id)

    page = await site.visitor(width=390)
    await page.goto(links.confirm_link(vault, Confirmation(node, "email_marketing", None)))
    await page.get_by_role("button", name="Yes, I want this").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status").first).to_contain_text("Thank you")
    assert await holds("email_marketing")
    await site.fine(page)

    await page.goto(links.preferences_link(vault, node))
    news, texts = page.get_by_label("News by e-mail"), page.get_by_label("News by text message")
    await expect(news).to_be_checked()
    await site.fine(page)
    await site.picture(page, "preferences")
    await news.focus()
    await page.keyboard.press("Space")
    await page.keyboard.press("Tab")
    await expect(texts).to_be_focused()
    await page.keyboard.press("Space")
    await page.get_by_role("button", name="Save", exact=True).focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Saved. It holds from now on.")).to_be_visible()
    assert [await holds("email_marketing"), await holds("sms_marketing")] == [False, True]
    await page.get_by_role("button", name="Stop everything").focus()
    await page.keyboard.press("Enter")
    await expect(texts).not_to_be_checked()
    assert not await holds("sms_marketing")


ORIGIN = "https://cdn.measure.example"


async def test_only_origins_over_https_may_be_set(market: Market) -> None:
    async def put(*origins: str) -> None:
        change = ChannelChange(settings={"script_origins": list(origins)})
        await market.db.transaction(lambda tx: channels.change(tx, market.web.id, change))

    for wrong in (
        "http://cdn.measure.example", "https://*.measure.example", "https://*", "*", "https:", "https://localhost", "'unsafe-inline'",
        "https://cdn.measure.example/", "https://cdn.measure.example/x.js", "https://cdn.measure.example; default-src *",
        "https://cdn.measure.example https://other.example", "https://CDN.measure.example", "https://cdn.measure.example\n", "data:",
        "https://user@cdn.measure.example", "https://cdn.measure.example:0",
    ):  # fmt: skip
        with pytest.raises(InvalidInput):
            await put(wrong)
    await put(ORIGIN, "https://127.0.0.1:8443")
    kept = await market.db.value(
        "SELECT after FROM audit_entry WHERE verb = 'channel.changed' ORDER BY id DESC LIMIT 1"
    )
    assert ORIGIN in str(kept)


async def test_scripts_of_others_get_into_pages_of_goods_only(
    guest: httpx.AsyncClient, market: Market
) -> None:
    before = (await guest.get("/")).headers["content-security-policy"]
    change = ChannelChange(settings={"script_origins": [ORIGIN]})
    await market.db.transaction(lambda tx: channels.change(tx, market.web.id, change))
    product = (await market.product(title="Pan", sku="PAN", handle="pan")).handle
    for path in ("/", "/search", "/stores", "/cart", f"/p/{product}"):
        answer = await guest.get(path)
        assert answer.status_code == 200, path
        rules = dict(
            part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";")
        )
        assert rules["script-src"] == f"'self' {ORIGIN}", path
        assert rules["connect-src"] == f"'self' {ORIGIN}", path
        assert rules["object-src"] == "'none'", path
    for path in (
        "/checkout", "/account", "/account/sign-in", "/contact", "/admin", "/pos", "/conversation/x", "/preferences/x", "/confirm/x",
        f"/p/{product}/review", f"/p/{product}/questions", "/no-such-page", "/search/suggest?q=a", "/api/products",
    ):  # fmt: skip
        answer = await guest.get(path)
        assert ORIGIN not in answer.headers.get("content-security-policy", ""), path
    change = ChannelChange(settings={"script_origins": []})
    await market.db.transaction(lambda tx: channels.change(tx, market.web.id, change))
    assert (await guest.get("/")).headers["content-security-policy"] == before


@pytest.mark.browser
async def test_a_script_of_another_origin_runs_where_it_may_and_when_it_may(
    site: Site, market: Market
) -> None:
    settings = {"cookie_banner": True, "script_origins": [ORIGIN]}
    await market.db.transaction(
        lambda tx: channels.change(tx, market.web.id, ChannelChange(settings=settings))
    )
    page = await site.visitor()
    asked: list[str] = []
    scripts = "".join(
        f'<script type="text/plain" data-consent="performance" src="{origin}/count.js"></script>'
        for origin in ("https://evil.example", ORIGIN)
    )

    async def marked(route: Route) -> None:
        answer = await route.fetch()
        await route.fulfill(
            response=answer, body=(await answer.text()).replace("</main>", f"{scripts}</main>")
        )

    async def third(route: Route) -> None:
        asked.append(route.request.url)
        await route.fulfill(
            body="document.documentElement.dataset.counted = 1", content_type="text/javascript"
        )

    for path in ("/", "/contact"):
        await page.route(f"{site.url}{path}", marked)
    await page.route("https://*.example/*", third)
    await page.goto("/")
    banner = page.get_by_role("region", name="Cookies and what we measure")
    await expect(banner).to_be_visible()
    await page.wait_for_load_state("networkidle")
    assert asked == []
    await banner.get_by_role("button", name="Allow all").click()
    await expect(page.locator("html[data-counted]")).to_have_count(1)
    assert asked == [f"{ORIGIN}/count.js"], "the origin that the shop did not name stays out"
    # The same visitor, who has agreed, in a page where people type what is theirs.
    await page.goto("/contact")
    await expect(page.locator('script[src]:not([type="text/plain"])[src$="count.js"]')).to_have_count(2)
    await page.wait_for_load_state("networkidle")
    assert asked == [f"{ORIGIN}/count.js"]
    await expect(page.locator("html[data-counted]")).to_have_count(0)
