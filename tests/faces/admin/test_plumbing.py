"""What all pages share: languages, messages after a redirect, undo, problems as pages, forms that keep what was typed."""

import html
import re
from typing import Annotated

import httpx
import msgspec
import pytest

from samlad.channels.settings import SETTINGS
from samlad.faces.admin import setting_names
from samlad.faces.form import Form, spoken
from samlad.faces.page import local_path
from samlad.kernel.context import GUEST, Actor
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, InvalidInput, NotFound

PEOPLE = {"accept": "text/html,application/xhtml+xml"}
HOSTILE = '<img src=x onerror="alert(1)">{{ 7*7 }}</script>'
RIGHT_TO_LEFT = "متجر القهوة ‮abc"
CHANNEL = {
    "name": "Web",
    "code": "web",
    "kind": "webshop",
    "country": "GB",
    "locale": "en-GB",
    "currency": "GBP",
    "time_zone": "Europe/London",
}


async def make_channel(api: httpx.AsyncClient, **fields: str) -> str:
    answer = await api.post("/admin/channels/new", data={**CHANNEL, **fields})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


# -- who may, and in which language -----------------------------------------------------------------------------------


async def test_strangers_are_led_to_the_door_and_back(api_as) -> None:
    async with api_as(GUEST) as guest:
        answer = await guest.get("/admin/channels?q=x", headers=PEOPLE)
        assert answer.status_code == 303
        assert answer.headers["location"] == "/admin/sign-in?next=%2Fadmin%2Fchannels%3Fq%3Dx"
        assert (await guest.get("/admin/channels")).status_code == 401  # a program gets the problem document
        piece = await guest.get("/admin/channels", headers={"hx-request": "true"})
        assert piece.headers["hx-redirect"] == "/admin/sign-in"


async def test_who_lacks_the_permission_is_told_so_on_a_page(api_as) -> None:
    nobody = Actor(kind="staff", id=new_id(), name="Nora New")
    async with api_as(nobody) as client:
        answer = await client.get("/admin/channels", headers=PEOPLE)
        assert answer.status_code == 403
        assert "not for your role" in answer.text
        home = await client.get("/admin/channels/new", headers=PEOPLE)
        assert home.status_code == 403


async def test_the_language_is_chosen_and_kept(api) -> None:
    assert '<html lang="sv"' in (await api.get("/admin/channels", headers={"accept-language": "sv-SE"})).text
    switched = await api.get("/language/nl?next=/admin/channels")
    assert switched.status_code == 303
    assert switched.headers["location"] == "/admin/channels"
    assert '<html lang="nl"' in (await api.get("/admin/channels", headers={"accept-language": "sv-SE"})).text
    assert "locale=" not in (await api.get("/language/xx")).headers.get("set-cookie", "")


@pytest.mark.parametrize(
    "bad", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\nb", "", None]
)
def test_nobody_is_led_elsewhere(bad: str | None) -> None:
    assert local_path(bad, "/admin") == "/admin"
    assert local_path("/admin/orders?q=1#x") == "/admin/orders?q=1#x"


async def test_the_theme_of_the_cookie_is_sent(api) -> None:
    assert 'data-theme="dark"' in (await api.get("/admin/channels", headers={"cookie": "theme=dark"})).text
    assert (
        "data-theme"
        not in (await api.get("/admin/channels", headers={"cookie": "theme=x"})).text.split("<body")[0]
    )


async def test_problems_are_pages_for_people_and_documents_for_programs(api) -> None:
    page = await api.get(f"/admin/channels/{new_id()}", headers=PEOPLE)
    assert page.status_code == 404
    assert "There is nothing at this address" in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'self'")
    document = await api.get(f"/admin/channels/{new_id()}")
    assert document.headers["content-type"].startswith("application/problem+json")
    assert (await api.get("/nowhere", headers=PEOPLE)).status_code == 404
    assert "json" in (await api.get("/api/nowhere", headers=PEOPLE)).headers["content-type"]


async def test_a_clash_says_its_own_cause_and_the_way_on(api, monkeypatch: pytest.MonkeyPatch) -> None:
    await make_channel(api)
    ours = {**PEOPLE, "referer": str(api.base_url).rstrip("/") + "/admin/rfm?channel=web"}
    sent = {"_once": "a"}
    assert (await api.post("/admin/rfm", data=sent, headers=ours)).status_code == 303
    twice = await api.post("/admin/rfm", data=sent, headers=ours)
    assert twice.status_code == 409
    assert "This is done already" in twice.text
    assert "Nothing was done twice." in twice.text
    assert "Back to the form" not in twice.text, "nothing is to be sent again"

    async def refuse(*_: object) -> None:
        raise Conflict("It is closed already.")

    monkeypatch.setattr("samlad.faces.admin.segment_people.rfm.compute", refuse)
    clash = await api.post("/admin/rfm", data={"_once": "b"}, headers={**ours, "accept-language": "sv"})
    assert clash.status_code == 409
    assert "It is closed already." not in clash.text, "a refusal is said in the reader's language"
    assert "Det här går inte ihop" in clash.text
    assert 'href="/admin/rfm?channel=web"' in clash.text
    elsewhere = {**PEOPLE, "referer": "https://elsewhere.example/admin/rfm"}
    other = await api.post("/admin/rfm", data={"_once": "c"}, headers=elsewhere)
    assert "It is closed already." in other.text
    assert "See how it is now" not in other.text


async def test_tips_as_amounts_are_numbers(api) -> None:
    href = await make_channel(api)
    form = {"version": "1", "name": "Web", "settings/tip_amounts": "100, 200"}
    done = await api.post(href, data=form)
    assert done.status_code == 303, done.text
    assert 'value="100, 200"' in (await api.get(href)).text


def test_every_setting_has_a_name_for_people() -> None:
    assert [name for name in SETTINGS if name not in setting_names.setting] == []


# -- messages and undo --------------------------------------------------------------------------------------------------


async def test_a_message_is_shown_once(api) -> None:
    href = await make_channel(api)
    assert "The channel is there." in (await api.get(href)).text
    assert "The channel is there." not in (await api.get(href)).text


async def test_a_forged_message_is_not_shown(api) -> None:
    page = await api.get("/admin/channels", headers={"cookie": "flash=W3sidGV4dCI6ImhhIn1d.AAAA"})
    assert page.status_code == 200
    assert 'class="notice' not in page.text


async def test_a_change_can_be_taken_back_once(api, api_as) -> None:
    href = await make_channel(api)
    changed = await api.post(
        href, data={"version": "1", "name": "Renamed", "status": "paused", "settings/buffer": "7"}
    )
    assert changed.status_code == 303
    page = (await api.get(href)).text
    assert "<h1>Renamed</h1>" in page
    undo = re.search(r'action="(/admin/undo/[^"]+)"', page)[1]
    assert (await api.post(undo)).headers["location"] == href
    page = (await api.get(href)).text
    assert "<h1>Web</h1>" in page
    assert "Taken back." in page
    again = await api.post(undo)
    assert again.headers["location"] == "/admin"
    assert "<h1>Web</h1>" in (await api.get(href)).text
    other = Actor(
        kind="staff", id=new_id(), name="Else", permissions=frozenset({"channels.change", "channels.read"})
    )
    async with api_as(other) as somebody:
        await somebody.post(undo)
        assert "Only who made the change" in (await somebody.get("/admin/channels")).text
    broken = await api.post(undo[:-4] + "AAAA")
    assert broken.status_code == 303
    assert "too late" in (await api.get("/admin/channels")).text


# -- forms -----------------------------------------------------------------------------------------------------------------


async def test_a_form_keeps_what_was_typed_and_says_what_is_wrong(api) -> None:
    answer = await api.post("/admin/channels/new", data={**CHANNEL, "name": HOSTILE, "currency": "XXY"})
    assert answer.status_code == 422
    assert html.escape(HOSTILE, quote=False).split("{{")[0][:20] in answer.text
    assert HOSTILE not in answer.text
    assert 'id="f-currency-error"' in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert 'href="#f-currency"' in answer.text


async def test_hostile_and_right_to_left_names_are_only_names(api) -> None:
    await make_channel(api, name=HOSTILE, code="a")
    href = await make_channel(api, name=RIGHT_TO_LEFT, code="b")
    for path in ("/admin/channels", "/admin/channels?view=sharing", "/admin/channels/new", href):
        page = (await api.get(path)).text
        assert HOSTILE not in page
        assert "49" not in re.sub(
            r"[0-9a-f-]{36}|v=\w+|&#\d+;|\d{2,}[^<]", "", page.split("<title>")[1].split("</title>")[0]
        )
        assert RIGHT_TO_LEFT in page


async def test_somebody_was_quicker(api) -> None:
    href = await make_channel(api)
    await api.post(href, data={"version": "1", "name": "First"})
    second = await api.post(href, data={"version": "1", "name": "Second"})
    assert second.status_code == 412
    assert 'value="Second"' in second.text
    assert "<h1>First</h1>" in second.text


async def test_opening_hours_are_edited(api) -> None:
    href = await make_channel(api)
    fields = {
        "version": "1",
        "hours": "1",
        "own-hours": "1",
        "day-0-opens": ["09:00", "13:00"],
        "day-0-closes": ["12:00", "18:00"],
    }
    fields |= {
        "date": ["2026-12-24", ""],
        "date-hours": ["10:00–14:00", ""],
        "date-note": ["Christmas Eve", ""],
    }
    assert (await api.post(href, data=fields)).status_code == 303
    channel = (await api.get(f"/api{href.removeprefix('/admin')}")).json()
    assert channel["opening_hours"]["weekly"][0] == [
        {"opens": "09:00", "closes": "12:00"},
        {"opens": "13:00", "closes": "18:00"},
    ]
    assert channel["opening_hours"]["weekly"][1] == []
    assert channel["opening_hours"]["exceptions"][0]["note"] == "Christmas Eve"
    page = (await api.get(href)).text
    assert 'value="13:00"' in page
    assert "10:00–14:00" in page
    wrong = await api.post(
        href, data={**fields, "version": "2", "day-0-opens": ["25:00"], "day-0-closes": ["12:00"]}
    )
    assert wrong.status_code == 422
    assert 'href="#f-day-0-opens"' in wrong.text
    assert (await api.post(href, data={"version": "2", "hours": "1"})).status_code == 303
    assert (await api.get(f"/api{href.removeprefix('/admin')}")).json()["opening_hours"] is None


def test_forms_read_numbers_as_people_write_them() -> None:
    form = Form({"a": ["1 234,50"], "b": ["1,234.50"], "c": ["−3"], "d": ["x"], "e": [" "], "f": ["12.345"]})
    assert form.amount("a", "SEK") == form.amount("b", "SEK") == 123450
    assert form.amount("c", "JPY") == form.whole("c") == -3
    assert form.whole("e") is None
    for call in (
        lambda: form.whole("d"),
        lambda: form.amount("d", "SEK"),
        lambda: form.amount("f", "SEK"),
        lambda: form.whole("a"),
    ):
        with pytest.raises(InvalidInput):
            call()


def test_faults_of_structs_are_said_as_people_speak() -> None:
    class Thing(msgspec.Struct):
        name: str
        lines: list[int] = []

    with pytest.raises(InvalidInput) as caught:
        Form({}).into(Thing)
    assert caught.value.errors[0].field == "name"
    assert caught.value.errors[0].message == "Please fill this in."
    with pytest.raises(InvalidInput) as caught:
        Form({"name": ["x"]}).into(Thing, lines=[1, "y"])
    assert caught.value.errors[0].field == "lines/1"
    assert spoken("Expected `str` of length <= 3", str) == "This is too long: at most 3 characters."
    with pytest.raises(NotFound):
        Form({}).failed(NotFound("gone"))
    twice = Form({}).failed(InvalidInput.at("filters", "more than 10,000 orders fit; narrow the filters"))
    assert twice.in_one_line() == "More than 10,000 orders fit; narrow the filters."


@pytest.mark.parametrize(
    ("typed", "currency", "said"),
    [
        ("-1", "SEK", "0.01 or more"),
        ("0", "JPY", "1 or more"),
        ("101", "SEK", "100.00 or less"),
    ],
)
def test_limits_of_amounts_are_said_as_they_are_typed(typed: str, currency: str, said: str) -> None:
    class Top(msgspec.Struct):
        amount: Annotated[int, msgspec.Meta(ge=1, le=10_000)]

    form = Form({"amount": [typed]})
    with pytest.raises(InvalidInput) as caught:
        form.into(Top, amount=form.amount("amount", currency))
    assert [(each.field, each.message) for each in caught.value.errors] == [
        ("amount", f"Please write {said}.")
    ]
