"""The set-up path of a new shop: every step by its form, from an empty database to an order; what visitors see meanwhile."""

import asyncio
from zoneinfo import ZoneInfo

import httpx
import pytest
from babel.numbers import get_currency_name
from hypothesis import given
from hypothesis import strategies as st

from samlad import channels
from samlad.access import first_start
from samlad.access.permissions import Role, permissions_of
from samlad.channels.rules import check_values
from samlad.faces.admin.start import guesses, steps
from samlad.faces.admin.start.steps import Facts
from samlad.kernel.context import GUEST, Actor
from samlad.kernel.database import Database
from samlad.kernel.ids import new_id

PEOPLE = {"accept": "text/html,application/xhtml+xml", "accept-language": "sv-SE,sv;q=0.9"}
ENGLISH = {"accept": "text/html", "accept-language": "en"}


# -- guesses -----------------------------------------------------------------------------------------------------------


@given(st.sampled_from(sorted(guesses.countries_known())))
def test_every_country_has_a_guess_that_a_channel_takes(country: str) -> None:
    found = guesses.for_country(country)
    assert found.country == country
    check_values(
        {"country": country, "currency": found.currency, "locale": found.locale, "time_zone": found.time_zone}
    )
    assert ZoneInfo(found.time_zone)
    assert get_currency_name(found.currency)
    assert guesses.typical(found.currency, 4.9) > 0


@pytest.mark.parametrize(
    ("header", "locale", "country"),
    [
        ("sv-SE,sv;q=0.9,en;q=0.8", "en", "SE"), ("nl", "en", "NL"), ("en-GB", "en", "GB"), (None, "sv", "SE"),
        ("xx-YY;q=zz,,", "nl", "NL"), ("*", "xx", "SE"),
    ],
)  # fmt: skip
def test_the_country_is_guessed_from_the_browser(header: str | None, locale: str, country: str) -> None:
    assert guesses.country_of(header, locale) == country


def test_guesses_of_countries_that_people_know() -> None:
    assert guesses.for_country("SE") == guesses.Guess("SE", "SEK", "sv", "Europe/Stockholm")
    assert guesses.for_country("be").locale == "nl"
    assert guesses.for_country("US") == guesses.Guess("US", "USD", "en-US", "America/New_York")
    assert guesses.typical("SEK", 4.9) == 4900
    assert guesses.typical("EUR", 4.9) == 490
    assert guesses.typical("JPY", 4.9) == 735


def test_the_next_step_is_the_first_that_is_neither_done_nor_put_off() -> None:
    nobody = Actor(kind="staff", id=new_id(), name="N", permissions=frozenset())
    everybody = Actor(
        kind="staff",
        id=new_id(),
        name="E",
        permissions=frozenset(p for s in steps.STEPS for p in s.permissions),
    )
    empty = steps.standings(Facts(), everybody)
    assert steps.next_step(empty).step.key == "shop"  # nothing else can be done without it
    assert steps.next_step(steps.standings(Facts(), nobody)) is None


# -- the path ------------------------------------------------------------------------------------------------------------


async def _answer(api: httpx.AsyncClient, key: str, **values: str | list[str]) -> str:
    answer = await api.post(f"/admin/start/{key}", data=values)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].rpartition("/")[2]


async def test_from_nothing_to_an_order(api_as, db: Database) -> None:
    async with api_as(GUEST) as guest, api_as(**PEOPLE) as api:
        overview = await api.get("/admin")
        assert "data-start-card" in overview.text
        assert "/admin/start/shop" in overview.text
        assert (await api.get("/admin/start/product")).headers["location"] == "/admin/start/shop"
        form = (await api.get("/admin/start/shop")).text
        assert 'value="SEK"' in form
        assert 'value="Europe/Stockholm"' in form

        # A browser without scripts sends the guesses of Sweden with the country of the Netherlands.
        sent = {"name": "Hemma", "country": "NL", "guessed": "SE", "currency": "SEK", "locale": "sv",
                "time_zone": "Europe/Stockholm", "email": "hej@example.com"}  # fmt: skip
        first, second = await asyncio.gather(_answer(api, "shop", **sent), _answer(api, "shop", **sent))
        assert {first, second} == {"place"}
        (shop,) = await channels.all_channels(db)
        assert (shop.currency, shop.locale, shop.time_zone) == ("EUR", "nl", "Europe/Amsterdam")

        closed = await guest.get("/", headers=ENGLISH)
        assert (closed.status_code, closed.headers["location"]) == (303, "/opening")
        soon = await guest.get("/opening", headers=ENGLISH)
        assert "Hemma opens soon" in soon.text
        assert "hej@example.com" in soon.text
        assert (await guest.get("/sitemap.xml")).status_code == 503
        assert (await guest.get("/theme.css")).status_code == 200
        assert (
            "/admin/start/open" in (await api.get("/", headers=ENGLISH)).text
        )  # staff see it, and are told so

        place = {"kind": "store", "name": "Hemma Utrecht", "line1": "Oudegracht 1", "city": "Utrecht",
                 "postal_code": "3511 AB", "weekday_opens": "10:00", "weekday_closes": "18:00"}  # fmt: skip
        assert await _answer(api, "place", **place) == "product"
        again = await api.post("/admin/start/place", data=place)
        assert again.status_code == 409
        store = await channels.by_code(db, "hemma-utrecht")
        assert [len(day) for day in store.opening_hours.weekly] == [1, 1, 1, 1, 1, 0, 0]

        wrong = await api.post("/admin/start/product", data={"title": "Ketel", "price": "x"}, headers=ENGLISH)
        assert wrong.status_code == 422
        assert "Ketel" in wrong.text
        assert await _answer(api, "product", title="Ketel", price="49,50", quantity="3") == "payment"
        assert await _answer(api, "payment", ways=["invoice", "test"]) == "delivery"
        assert await _answer(api, "delivery", sent="1", price="4,90", pickup="1") == "seller"
        assert (
            await _answer(api, "delivery", sent="1", price="9,90", pickup="1") == "seller"
        )  # once is enough
        seller = (await api.get("/admin/start/seller")).text
        assert "Oudegracht 1" in seller  # guessed from the first place
        assert await _answer(api, "seller", name="Hemma BV", line1="Oudegracht 1", city="Utrecht") == "tax"
        taxes = (await api.get("/admin/start/tax")).text
        assert "21" in taxes
        bad = await api.post("/admin/start/tax", data={"scheme": "normal", "number": "NL1"})
        assert bad.status_code == 422
        sent = {"scheme": "normal", "number": "NL004495445B01", "prices_include_tax": "yes"}
        assert await _answer(api, "tax", **sent) == "brand"
        assert await _answer(api, "tax", **sent) == "brand"
        assert await _answer(api, "brand", accent="#7a1f3d", version="0") == "till"
        assert "/pos/hemma-utrecht" in (await api.get("/admin/start/till")).text
        assert (await api.post("/admin/start/till/later")).headers["location"] == "/admin/start/staff"
        link = await api.post(
            "/admin/start/staff/invite", data={"name": "Kim", "email": "kim@example.com", "role": "store"}
        )
        assert link.status_code == 201
        assert "/admin/link/" in link.text

        sale = (await api.get("/admin/start/sale", headers=ENGLISH)).text
        assert "/pos/hemma-utrecht/offline" in sale
        assert "Something is missing" not in sale
        found = {one.step.key: one for one in steps.standings(await steps.facts_of(db), _owner())}
        assert [key for key, one in found.items() if not one.is_done] == ["till", "staff", "sale", "open"]
        assert found["till"].is_later

        for step in steps.KEYS:
            assert (await api.get(f"/admin/start/{step}")).status_code == 200, step
        opened = await api.post("/admin/start/door/yes")
        assert opened.headers["location"] == "/admin/start"
        shown = await guest.get("/", headers=ENGLISH)
        assert shown.status_code == 200
        assert "Ketel" in shown.text
        assert (await guest.get("/opening", headers=ENGLISH)).headers["location"] == "/"
        await api.post("/admin/start/door/no")
        assert (await guest.get("/", headers=ENGLISH)).status_code == 303


def _owner() -> Actor:
    return Actor(kind="staff", id=new_id(), name="O", permissions=permissions_of(Role.OWNER))


HOSTILE = ("-5", "10000000000000000000", "x" * 5000)


async def test_what_does_not_fit_is_said_at_every_step(api_as, db: Database) -> None:
    right: dict[str, dict[str, str]] = {
        "shop": {"name": "Hemma", "country": "SE", "guessed": "SE", "currency": "SEK", "locale": "sv",
                 "time_zone": "Europe/Stockholm", "email": "hej@example.com"},
        "place": {"kind": "store", "name": "Källaren", "line1": "Storgatan 1", "city": "Umeå", "postal_code": "903 26",
                  "weekday_opens": "10:00", "weekday_closes": "18:00"},
        "product": {"title": "Kittel", "price": "49", "quantity": "3", "sku": "K"},
        "payment": {"ways": "stripe", "secret_key": "x", "publishable_key": "x", "webhook_secret": "x"},
        "delivery": {"sent": "1", "price": "49"},
        "seller": {"name": "Hemma AB", "line1": "Storgatan 1", "postal_code": "903 26", "city": "Umeå",
                   "registration_number": "1", "email": "hej@example.com"},
        "tax": {"scheme": "normal", "number": "SE556036079301", "prices_include_tax": "yes"},
        "brand": {"accent": "#7a1f3d", "version": "0"},
    }  # fmt: skip
    async with api_as(**ENGLISH) as api:
        for key in ("shop", "place"):
            await _answer(api, key, **right[key])
        wrong = []
        for key, values in right.items():
            for name in values:
                for value in HOSTILE:
                    answer = await api.post(f"/admin/start/{key}", data={**values, name: value})
                    if answer.status_code not in (303, 409, 412, 422):
                        wrong.append(f"{answer.status_code} {key} {name} {value[:20]!r}")
                    elif (
                        answer.status_code == 422
                        and 'class="error"' not in answer.text
                        and "notice" not in answer.text
                    ):
                        wrong.append(f"nothing is said: {key} {name} {value[:20]!r}")
        assert wrong == []


async def test_examples_come_and_go_in_one_act(api_as, db: Database) -> None:
    async with api_as(**ENGLISH) as api:
        await _answer(
            api, "shop", name="Hemma", country="SE", guessed="SE", currency="SEK", locale="sv",
            time_zone="Europe/Stockholm",
        )  # fmt: skip
        await _answer(api, "place", kind="warehouse", name="Källaren", city="Umeå")
        await api.post("/admin/start/product/examples")
        await api.post("/admin/start/product/examples")  # twice is once
        page = (await api.get("/")).text
        assert "Copper kettle" in page
        assert await db.value("SELECT sum(on_hand) FROM level") == 6 * 12
        await api.post("/admin/start/product/examples/remove")
        await api.post("/admin/start/product/examples/remove")
        assert "Copper kettle" not in (await api.get("/")).text
        assert await db.value("SELECT sum(on_hand) FROM level") == 0
        await api.post("/admin/start/product/examples")
        assert await db.value("SELECT sum(on_hand) FROM level") == 6 * 12
        assert await db.value("SELECT count(*) FROM product") == 6


async def test_who_may_not_is_shown_nothing_to_do(api_as) -> None:
    nobody = Actor(kind="staff", id=new_id(), name="Nora New", permissions=frozenset())
    async with api_as(nobody, **ENGLISH) as api:
        assert "data-start-card" not in (await api.get("/admin")).text
        assert (await api.get("/admin/start/shop")).status_code == 403
        assert (await api.post("/admin/start/shop", data={"name": "X"})).status_code == 403
        assert (await api.post("/admin/start/door/yes")).status_code == 403
        assert (await api.post("/admin/start/till/later")).status_code == 403
        assert (await api.get("/admin/start/nothing")).status_code == 404


async def test_who_opens_a_shop_in_swedish_goes_on_in_swedish(api_as, db: Database) -> None:
    link = await db.transaction(lambda tx: first_start(tx, "http://samlad.test"))
    assert link is not None
    async with api_as(GUEST, **PEOPLE) as guest:
        password = "en lång och stilla å 7"
        mine = {"email": "olle@example.se", "name": "Olle Ek", "password": password, "again": password}
        came = await guest.post(link, data=mine)
        assert came.status_code == 303, came.text
        assert guest.cookies.get("locale") == "sv"
    assert await db.value("SELECT locale FROM staff") == "sv"
