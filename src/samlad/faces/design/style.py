"""What the living style page (`/admin/style`) shows: every component with plausible things in it. Names of goods and people are data, not texts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

_GOODS = (
    ("Copper kettle, 1.5 l", "KTL-150-CU", 8995, 42),
    ("Stoneware mug, moss", "MUG-032-MO", 1450, 318),
    ("Linen tea towel, set of two", "LIN-TT2-NA", 2200, 0),
    ("Cast iron casserole, 4.7 l", "CAS-470-BK", 18900, 7),
    ("Beeswax candle, tall", "CND-TAL-BW", 950, 126),
    ("Oak chopping board", "BRD-OAK-L", 5400, 23),
    ("Glass carafe with stopper", "CRF-100-GL", 3650, 64),
    ("Wool throw, heather", "THR-WOL-HE", 11900, 3),
)


def nav() -> list[dict[str, Any]]:
    """Sections as the admin layout takes them; here the page itself is the only place."""
    places = [
        ("Overview", "home"), ("Orders", "orders"), ("Products", "products"), ("Stock", "stock"), ("Customers", "customers"),
    ]  # fmt: skip
    settings = [("Channels", "channels"), ("Staff", "shield"), ("Settings", "settings")]

    def item(text: str, icon: str) -> dict[str, Any]:
        return {"text": text, "href": f"#{icon}", "icon": icon, "current": text == "Products"}

    first = [item(*place) for place in places]
    first[1]["count"] = 12
    return [
        {"title": None, "items": first},
        {"title": "Samlad", "items": [item(*place) for place in settings]},
    ]


def goods() -> list[dict[str, Any]]:
    """Products as `ui.product_card` takes them."""
    products: list[dict[str, Any]] = [
        {"title": title, "sku": sku, "price": price, "currency": "GBP", "href": f"#{sku}", "stock": stock}
        for title, sku, price, stock in _GOODS
    ]
    products[0] |= {"price": 6995, "reduced_from": 8995, "lowest_30": 7495, "badge": ("−22 %", "danger")}
    products[3] |= {"price": 15900, "reduced_from": 18900, "lowest_30": 16900, "badge": ("−16 %", "danger")}
    return products


def style_context(now: datetime | None = None) -> dict[str, Any]:
    """Everything that `design/style.html` needs; `now` (aware) stands still in tests."""
    now = now or datetime.now(UTC)
    return {
        "shop_name": "Samlad",
        "user": {"name": "Kim Åberg", "email": "kim@example.com"},
        "csrf_token": "style-page",
        "nav": nav(),
        "goods": goods(),
        "orders": [
            {
                "number": f"W-{10482 - i}",
                "customer": who,
                "at": now - timedelta(minutes=11 * i * i + 2),
                "total": total,
                "channel": channel,
            }
            for i, (who, total, channel) in enumerate(
                [
                    ("Aiko Tanaka", 12445, "Web"),
                    ("Lars Öberg", 1450, "Leeds"),
                    ("Femke de Vries", 37890, "Web"),
                    ("Maya Okafor", 8995, "York"),
                    ("Tom Hughes", 2200, "Web"),
                ]
            )
        ],
        "events": [
            {
                "icon": "check",
                "kind": "success",
                "key": "paid",
                "at": now - timedelta(minutes=3),
                "by": "Kim Åberg",
            },
            {"icon": "stock", "kind": "accent", "key": "held", "at": now - timedelta(minutes=3), "by": None},
            {
                "icon": "cart",
                "kind": "",
                "key": "placed",
                "at": now - timedelta(hours=2),
                "by": "Aiko Tanaka",
            },
        ],
        "hours": [f"{hour:02}:00" for hour in range(8, 20)],
        "today": [120, 340, 410, 620, 910, 1140, 860, 720, 990, 1310, 1220, 640],
        "last_week": [150, 280, 390, 580, 700, 960, 900, 680, 820, 1010, 1080, 590],
        "spark": [14, 18, 16, 22, 19, 26, 24, 31, 28, 36],
        "now": now,
    }
