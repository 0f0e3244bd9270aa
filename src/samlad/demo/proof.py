"""The demo proves itself over HTTP: fetches its pages, sells one thing on each of two channels, looks at what came of it."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import msgspec

from samlad.demo.people import SignIn

PATIENCE_SECONDS = 120
"""A process of its own makes the OpenAPI document first, which takes a slow machine half a minute and more."""
PAGES_OF_GUESTS = ("/", "/search?q=lantern", "/cart", "/sitemap.xml", "/admin/sign-in", "/health/ready")
SHOWN = {
    "/p/hot-water-bottle-keep-calm": ("Warm all night", "Sorry for that", "/media/photo/"),
    "/p/potters-cotton-apron": ("Which size is mine?", "112–124"),
    "/p/strawberry-jam": ("Pantry, every month", "/ kg"),
    "/p/afternoon-tea-for-two": ("In this set", "You save"),
}
"""What pages of goods say: reviews with answers and pictures, a size chart, a plan and a unit price, a set."""
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
        self._client = httpx.Client(base_url=base_url, timeout=PATIENCE_SECONDS)
        self._owner = owner
        self.checks: list[Check] = []

    def run(self, webshop: str, store: str, bazaar: str) -> list[Check]:
        """Everything, with the codes of the two channels that sell, and of the one that stands apart."""
        with self._client:
            self._pages("page", PAGES_OF_GUESTS)
            for path, said in SHOWN.items():
                self._look(f"what {path} shows", lambda path=path, said=said: self._says(path, said))  # type: ignore[misc]
            self._look("sign in as the owner", self._sign_in)
            self._pages("page for staff", PAGES_OF_STAFF)
            self._look("plan the joining of what stands apart", lambda: self._plan(bazaar))
            self._look("lots, subscriptions and gift cards", self._kept)
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

    def _says(self, path: str, said: tuple[str, ...]) -> str:
        page = self._client.get(path).text
        missing = [each for each in said if each not in page]
        assert not missing, f"without {missing}"
        return f"{len(said)} things"

    def _kept(self) -> str:
        lots = [lot for lot in self._items("/api/stock/lots?limit=200") if lot["expires_on"]]
        states = sorted(each["status"] for each in self._items("/api/subscriptions?limit=50"))
        cards = self._items("/api/gift-cards?limit=50")
        assert len(lots) >= 2, "lots have last good days"
        assert {"active", "paused"} <= set(states), f"subscriptions are {states}"
        assert cards, "somebody has a gift card"
        return f"{len(lots)} lots with a day, {len(states)} subscriptions, {len(cards)} gift card"

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
        goods = self._call("GET", f"/api/channels/{channel['id']}/pools/catalogue/plan")
        kinds = {each["code"]: each["count"] for each in goods["findings"]}
        for code in ("gtin", "sku", "alone", "contrary"):
            assert kinds.get(f"catalogue-{code}", 0) > 0, f"some of its goods are {code}"
        lines = self._items(f"/api/channels/{channel['id']}/catalogue-pairs?limit=200")
        assert any(each["twin_price"] not in (None, each["price"]) for each in lines), "some prices differ"
        return (
            f"{found['customers']} customers, {found['customers-number']} of them known already; goods: "
            f"{kinds['catalogue-gtin']} the same by GTIN, {kinds['catalogue-sku']} by SKU, {kinds['catalogue-alone']} new, "
            f"{kinds['catalogue-contrary']} to decide"
        )

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
