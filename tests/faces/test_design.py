"""The design system: its pages in a real browser without an accessibility violation, its assets, its headers, its speed."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from babel.dates import format_date, format_time
from babel.numbers import format_currency
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from litestar import Litestar, get
from litestar.testing import TestClient
from playwright.sync_api import Browser, Page, Route, sync_playwright

from samlad.faces.design import Pages, asset, formats, security_headers, static_router
from samlad.faces.design.art import icon, initials, placeholder_art, sparkline
from samlad.faces.design.security import POLICY
from samlad.faces.design.style import goods, style_context
from samlad.kernel.i18n import LOCALES, PSEUDO, PSEUDO_RTL

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "src/samlad/faces/design/static"
AXE = ROOT / "node_modules/axe-core/axe.min.js"
CHROMIUM = Path(os.environ.get("SAMLAD_CHROMIUM", "/usr/bin/chromium"))
CHROMIUM_ARGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip
NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
SHOP = {"shop_name": "Samlad", "csrf_token": "x"}
FOOTER = [{"title": "Help", "links": [("Delivery", "#delivery"), ("Returns", "#returns")]}]

pages = Pages()


# -- in the browser ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    lacking = [str(path) for path in (CHROMIUM, AXE) if not path.exists()]
    if lacking and os.environ.get("CI") != "true":
        pytest.skip(f"{' and '.join(lacking)} missing: apt-get install chromium; npm ci")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_ARGS)
        yield running
        running.close()


class Shown:
    """A page of ours in the browser, served with our headers, and what the browser complained about."""

    def __init__(self, browser: Browser, html: str, width: int, scheme: str = "light") -> None:
        self.complaints: list[str] = []
        self._html = html
        self.context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
        )
        self.page: Page = self.context.new_page()
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type in {"error", "warning"} else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.route("**/*", self._answer)
        self.page.goto("http://samlad.test/", wait_until="load")

    def _answer(self, route: Route) -> None:
        path = urlsplit(route.request.url).path
        if path.startswith("/static/"):
            route.fulfill(path=STATIC / path.removeprefix("/static/"))
            return
        policy = "; ".join(f"{name} {value}" for name, value in POLICY.items())
        route.fulfill(
            body=self._html, content_type="text/html; charset=utf-8", headers={"content-security-policy": policy}
        )

    def violations(self) -> list[str]:
        """What axe-core finds, WCAG 2.2 A and AA and its good practices, as readable lines."""
        self.page.evaluate(AXE.read_text() + "; 0")  # by the debugger: the policy of the page would refuse a script tag
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{problem['id']}: {problem['help']}: {node['html'][:160]} {node['failureSummary'][:300]}"
            for problem in found["violations"]
            for node in problem["nodes"]
        ]


@pytest.fixture
def show(browser: Browser) -> Iterator[Any]:
    open_pages: list[Shown] = []

    def shown(html: str, width: int = 1440, scheme: str = "light") -> Shown:
        open_pages.append(Shown(browser, html, width, scheme))
        return open_pages[-1]

    yield shown
    for one in open_pages:
        one.context.close()


def style_page(locale: str = "en", **more: Any) -> str:
    return pages.render("design/style.html", locale=locale, time_zone="Europe/London", **{**style_context(NOW), **more})


LAYOUTS = {
    "style": lambda: style_page(),
    "shop": lambda: pages.environment("en")
    .from_string(
        '{% extends "design/shop.html" %}{% block title %}x{% endblock %}{% block content %}<section class="hero"><h1>Made to be used</h1>'
        '<p>Things for the kitchen.</p></section><h2>Goods</h2><div class="shelf">{% for p in goods %}{{ ui.product_card(p) }}{% endfor %}</div>{% endblock %}'
    )
    .render(**SHOP, locale="en", direction="ltr", theme=None, goods=goods(), cart_count=3, footer=FOOTER,
            announcement="Free delivery over £40", languages=[("en", "English", "/en"), ("sv", "Svenska", "/sv")],
            categories=[{"text": "Kitchen", "href": "#k", "current": True}, {"text": "Table", "href": "#t"}]),  # fmt: skip
    "till": lambda: pages.environment("en")
    .from_string(
        '{% extends "design/till.html" %}{% block title %}x{% endblock %}{% block goods %}<h1 class="visually-hidden">Till</h1>{{ ui.search("#", "Scan or search") }}'
        '<div class="till-keys">{% for p in goods %}<button class="till-key" type="button">{{ p.title }}<small>{{ money(p.price, p.currency) }}</small></button>{% endfor %}</div>{% endblock %}'
        '{% block ticket_head %}<div class="split"><h2>Ticket</h2>{{ ui.button("Park", icon_name="pause") }}</div>{% endblock %}'
        '{% block ticket %}{% call ui.table([{"title": "Article"}, {"title": "Pieces"}, {"title": "Sum", "end": true}], "Lines", cards=false) %}{% for p in goods[:3] %}<tr><td>{{ p.title }}</td>'
        '<td>{{ ui.stepper("n" ~ loop.index, "Pieces of " ~ p.title, 1) }}</td><td class="end">{{ money(p.price, p.currency) }}</td></tr>{% endfor %}{% endcall %}{% endblock %}'
        '{% block ticket_foot %}<p class="till-total"><span>To pay</span><span>£137.40</span></p>{{ ui.button("Pay", "primary large full", icon_name="card") }}{% endblock %}'
    )
    .render(**SHOP, locale="en", direction="ltr", theme=None, store_name="Leeds", register="Till 1", clerk="Kim Åberg", goods=goods()),
    "problem": lambda: pages.render("design/problem.html", locale="en", status=404, request_id="01J8", **SHOP),
    "bare": lambda: pages.environment("en")
    .from_string(
        '{% extends "design/bare.html" %}{% block title %}x{% endblock %}{% block content %}<h1>Sign in</h1>'
        '{% call ui.form("/in", csrf_token) %}{{ ui.field("email", "E-mail", type="email", autocomplete="username") }}{{ ui.button("Sign in", "primary full", "submit") }}{% endcall %}{% endblock %}'
    )
    .render(**SHOP, locale="en", direction="ltr", theme=None, flashes=[{"text": "You have signed out."}]),
}  # fmt: skip


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_pages_are_accessible_and_silent_under_the_strict_policy(show: Any, layout: str, width: int, scheme: str) -> None:
    shown = show(LAYOUTS[layout](), width, scheme)
    if folder := os.environ.get("SAMLAD_PICTURES"):
        shown.page.screenshot(path=Path(folder) / f"design-{layout}-{width}-{scheme}.png", full_page=True)
    assert shown.violations() == []
    assert shown.complaints == []
    overflow = shown.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0, "the page scrolls sideways"
