"""The demo proves itself over HTTP: fetches its pages, sells one thing on each of two channels, looks at what came of it."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import msgspec

from samlad.demo.people import SignIn

PAGES_OF_GUESTS = ("/", "/search?q=lantern", "/cart", "/sitemap.xml", "/admin/sign-in", "/health/ready")
PAGES_OF_STAFF = (
    "/admin",
    "/admin/products",
    "/admin/stock",
    "/admin/orders",
    "/admin/customers",
    "/admin/channels",
    "/admin/staff",
    "/pos",
    "/api/docs/openapi.json",
)


class Check(msgspec.Struct, frozen=True):
    """One thing that was looked at, and whether it was as it must be; ``detail`` says what was found."""

    name: str
    passed: bool
    detail: str = ""


class Proof:
    """A visitor of the running demo. `run` answers every check; a failed one does not stop the others."""

    def __init__(self, base_url: str, owner: SignIn) -> None:
        self._client = httpx.Client(base_url=base_url, timeout=30)
        self._owner = owner
        self.checks: list[Check] = []

    def run(self, webshop: str, store: str, bazaar: str) -> list[Check]:
        """Everything, with the codes of the two channels that sell, and of the one that stands apart."""
        with self._client:
            self._pages("page", PAGES_OF_GUESTS)
            self._look("sign in as the owner", self._sign_in)
            self._pages("page for staff", PAGES_OF_STAFF)
            self._look("plan the joining of what stands apart", lambda: self._plan(bazaar))
            self._look("sell in the web shop and at a till", lambda: self._sell_twice(webshop, store))
        return self.checks

    def _look(self, name: str, act: Callable[[], str]) -> None:
        try:
            self.checks.append(Check(name, passed=True, detail=act()))
        except (AssertionError, httpx.HTTPError, KeyError, IndexError) as error:
            self.checks.append(Check(name, passed=False, detail=f"{type(error).__name__}: {error}"))

    def _pages(self, title: str, paths: tuple[str, ...]) -> None:
        for path in paths:
            self._look(f"{title} {path}", lambda path=path: self._page(path))  # type: ignore[misc]

    def _page(self, path: str) -> str:
        answer = self._client.get(path, follow_redirects=True)
        assert answer.status_code == 200, f"HTTP {answer.status_code}"
        return f"{len(answer.content):,} bytes"

    def _sign_in(self) -> str:
        # A visitor has a cookie by now, so the sign-in needs the token that goes with it.
        self._client.headers["X-CSRF-Token"] = self._call("GET", "/api/session")["csrf_token"] or ""
        given = {"email": self._owner.email, "password": self._owner.password}
        me = self._call("POST", "/api/session", given)
        self._client.headers["X-CSRF-Token"] = me["csrf_token"]
        return str(me["name"])

    def _plan(self, bazaar: str) -> str:
        (channel,) = self._items(f"/api/channels?code={bazaar}")
        plan = self._call("GET", f"/api/channels/{channel['id']}/pools/customers/plan")
        found = {each["code"]: each["count"] for each in plan["findings"]}
        assert plan["is_ready"], "its customers can join those of the others"
        assert found["customers"] > found["customers-number"] > 0, "some are the same people, some are not"
        return f"{found['customers']} customers, {found['customers-number']} of them known already"

    def _sell_twice(self, webshop: str, store: str) -> str:
        channels = {c["code"]: c for c in self._items("/api/channels?limit=200")}
        level = self._something_in_stock(store)
        variant = level["variant"]
        before = self._on_hand(variant)
        address = {"name": "Kim Berg", "line1": "1 Station Road", "postal_code": "LE1 1AA", "city": "Leicester", "country": "GB"}  # fmt: skip
        details = {"email": "kim@example.com", "delivery": "ship", "address": address}
        web = self._buy(channels[webshop]["id"], variant, details, {"provider": "test", "token": "ok"})
        self._call("POST", f"/api/orders/{web['id']}/fulfil", {})
        till = self._buy(channels[store]["id"], variant, {"delivery": "carry_out"}, {"provider": "cash"})
        after = self._on_hand(variant)
        sold = sum(before.values()) - sum(after.values())
        assert sold == 2, f"two were sold, stock fell by {sold}"
        assert before[store] - after[store] == 1, "the till sells from its own store"
        desk = {o["number"] for o in self._items("/api/orders?sort=-placed_at&limit=20")}
        numbers = {web["number"], till["number"]}
        assert numbers <= desk, f"{numbers - desk} are not at the desk"
        return f"{level['sku']}: orders {web['number']} and {till['number']}, stock {sum(before.values())} → {sum(after.values())}"

    def _buy(
        self, channel: str, variant: str, details: dict[str, Any], payment: dict[str, Any]
    ) -> dict[str, Any]:
        cart = self._call(
            "POST", "/api/carts", {"channel": channel, "lines": [{"variant": variant, "quantity": 1}]}
        )
        self._call("PATCH", f"/api/carts/{cart['id']}", details)
        self._call("POST", f"/api/carts/{cart['id']}/checkout")
        order = {"cart": cart["id"], "payments": [payment]}
        key = str(uuid4())
        placed: dict[str, Any] = self._call("POST", "/api/orders", order, key=key)
        again = self._call("POST", "/api/orders", order, key=key)
        assert placed == again, "the same key gave another answer"
        return placed

    def _something_in_stock(self, store: str) -> dict[str, Any]:
        """A level of the store with more than one unit, of a variant that the warehouse has too."""
        for level in self._items(f"/api/stock/levels?location={store}&state=in&limit=50"):
            if level["available"] > 1 and len(self._on_hand(level["variant"])) > 1:
                return level
        raise AssertionError(f"nothing to sell in {store}")

    def _on_hand(self, variant: str) -> dict[str, int]:
        levels = self._items(f"/api/stock/levels?variant={variant}&limit=200")
        return {level["location_code"]: level["on_hand"] for level in levels if level["on_hand"]}

    def _items(self, path: str) -> list[dict[str, Any]]:
        answer = self._call("GET", path)
        items: list[dict[str, Any]] = answer["items"]
        return items

    def _call(self, method: str, path: str, body: Any = None, key: str | None = None) -> Any:
        headers = {"Idempotency-Key": key or str(uuid4())} if method != "GET" else {}
        answer = self._client.request(method, path, json=body, headers=headers)
        assert answer.is_success, f"{method} {path}: HTTP {answer.status_code} {answer.text[:300]}"
        return answer.json() if answer.content else None
