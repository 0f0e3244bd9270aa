"""The command palette: pages, acts, settings and things with names, found with slips, only those that one may open."""

import html
import re

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from samlad import channels, credit, customers
from samlad.access.permissions import Role, permissions, permissions_of
from samlad.channels.model import ChannelChange
from samlad.credit import IssueInput
from samlad.faces.admin import palette, routes, search
from samlad.faces.admin.palette import Named
from samlad.faces.admin.shell import MORE_PLACES, NAVIGATION
from samlad.kernel.context import Actor
from samlad.kernel.i18n import LOCALES, translator
from samlad.kernel.ids import new_id

PEOPLE = {"accept": "text/html"}
WORDS = st.text("abcdeåö", max_size=9)
PLACES = [place for _title, places in NAVIGATION for place in places] + list(MORE_PLACES)
APART = {
    "/admin/confirm", "/admin/sign-in", "/admin/sign-in/code", "/admin/search", "/admin/search/options",
    "/admin/overview/hints", "/admin/overview/ticker", "/admin/orders/export.csv", "/admin/products/export.csv", "/admin/system/events.csv", "/admin/books/days/report",
    "/admin/books/tips/pay", "/admin/duplicates/next", "/admin/rfm/people", "/admin/appointments/new", "/admin/destinations/new",
    "/admin/stock/supplier-returns/new", "/admin/tax/schemes/new", "/admin/start/shop/guess", "/admin/system/checks",
    "/admin/tax/report",
}  # fmt: skip
"""Pieces, files, doors, and what needs to know of what."""


@given(WORDS, WORDS)
def test_slips_are_a_distance(one: str, other: str) -> None:
    found = palette.slips(one, other, 20)
    assert found == palette.slips(other, one, 20)
    assert (found == 0) == (one == other)
    assert abs(len(one) - len(other)) <= found <= max(len(one), len(other))
    for most in range(4):
        assert (
            palette.slips(one, other, most) == found
            if found <= most
            else palette.slips(one, other, most) > most
        )


@given(st.sampled_from(["Kundgrupper", "Presentkort", "Personuppgifter", "Öppettider"]), st.data())
def test_one_slip_in_a_longer_word_is_forgiven(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(1, 3))
    typed = text[:at] + text[at + 1 :]
    found = palette.find(typed, [Named("Other", "/o", ""), Named(text, "/x", "")], 5)
    assert "/x" in [one.href for one in found]


def test_the_best_comes_first_and_every_word_counts() -> None:
    among = [
        Named("Create product", "/new", ""),
        Named("Products", "/p", ""),
        Named("Import products", "/i", ""),
    ]
    assert palette.find("products", among, 5)[0].href == "/p"
    assert [one.href for one in palette.find("prod new", among, 5)] == []
    assert [one.href for one in palette.find("prodcut cre", among, 5)] == ["/new"]
    assert palette.find(" ", among, 5) == []


def hits_of(page: str) -> list[str]:
    """Addresses of what was found."""
    return [html.unescape(href) for href in re.findall(r'role="option"[^>]* href="([^"]+)"', page)]


async def test_every_page_is_found_by_its_title_in_every_language(api) -> None:
    pages = {
        route.path_format
        for router in routes.routes
        for route in router.routes
        if "GET" in getattr(route, "methods", ()) and "{" not in route.path_format
    }
    missing = sorted(pages - APART - {place.href for place in PLACES})
    assert missing == [], "give it a Place in samlad.faces.admin.shell, or say here why not"
    owner = Actor(kind="staff", id=new_id(), name="Owner", permissions=frozenset(permissions()))
    for locale in LOCALES:
        said = translator(locale).gettext
        named = search.named_places(said, owner)
        for place in PLACES:
            for asked in (said(place.text), place.text):
                found = [one.href for one in palette.find(asked, named, 5)]
                assert place.href in found, (locale, asked, found)
    answer = await api.get("/admin/search/options", params={"q": "lager"}, headers={"accept-language": "sv"})
    assert "/admin/stock" in hits_of(answer.text)


async def test_things_with_names_are_found_by_who_may_see_them(api, api_as, shop) -> None:
    order = await shop.buy("MUG-032", 1)
    await shop.trade.follow()
    number = f"W-{order.number}"
    await shop.db.rows("UPDATE orders SET number = $2 WHERE id = $1 RETURNING 1", order.id, number)
    settings = ChannelChange(settings={"number_prefix": "W-"})
    await shop.db.transaction(lambda tx: channels.change(tx, shop.trade.web.id, settings))
    digits, order = order.number, msgspec.structs.replace(order, number=number)
    given = IssueInput(channel=shop.trade.web.id, amount=1_000, note="Thanks")
    card = await shop.db.transaction(lambda tx: credit.issue(tx, given))
    person = customers.PersonInput(name="Anna Svensson", email="anna@x.example", phone="+46701234567")
    pool = shop.trade.web.pools["customers"]
    anna = (await shop.db.transaction(lambda tx: customers.find_or_create(tx, pool, person))).id
    for asked, expected in {
        order.number.lower(): f"/admin/orders/{order.id}",
        "kettel": f"/admin/products/{shop.products['KTL-150']}",
        "MUG-032": f"/admin/products/{shop.products['MUG-032']}",
        "kim@exam": "/admin/customers/",
        "Malmo": f"/admin/channels/{shop.trade.malmo.id}",
        shop.trade.warehouse.code: f"/admin/stock/locations/{shop.trade.warehouse.id}",
        "When stock is held": f"/admin/channels/{shop.trade.web.id}#f-hold_policy",
        "nwe product": None,
        "open shift": "/pos",
        "example kim": "/admin/customers/",
        f"order {digits}": f"/admin/orders/{order.id}",
        digits: f"/admin/orders/{order.id}",
        f"W-{digits}": f"/admin/orders/{order.id}",
        card.card.last_four.lower(): f"/admin/gift-cards/{card.card.id}",
        card.code: f"/admin/gift-cards/{card.card.id}",
        "070-123 45 67": f"/admin/customers/{anna}",
        "svensson anna": f"/admin/customers/{anna}",
        "ANNA Sven": f"/admin/customers/{anna}",
    }.items():
        found = hits_of((await api.get("/admin/search/options", params={"q": asked})).text)
        if expected is not None:
            assert any(href.startswith(expected) for href in found), (asked, found)
    for strange in ("%", "_", "'", "\\", "a\x00b", "💡", "x" * 300):
        assert (await api.get("/admin/search/options", params={"q": strange})).status_code == 200
    clerk = Actor(
        kind="staff",
        id=new_id(),
        name="Sam",
        permissions=permissions_of(Role.STORE),
        locations=frozenset({shop.trade.at_lund.id}),
    )
    async with api_as(clerk) as client:
        assert hits_of((await client.get("/admin/search/options", params={"q": order.number})).text) == []
        found = hits_of((await client.get("/admin/search/options", params={"q": "staff"})).text)
        assert "/admin/staff" not in found
    named = {one.href for one in search.named_places(str, clerk)}
    for place in PLACES:
        assert (
            place.permission is None
            or clerk.may(place.permission)
            or place.href not in named
            or place.href == "/pos"
        )
