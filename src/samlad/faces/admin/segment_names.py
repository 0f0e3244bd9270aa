"""What segments and their conditions are called on pages, and the templates that one can begin with."""

from collections.abc import Mapping
from typing import Any

from samlad.kernel.i18n import marked

kind: Mapping[str, str] = {"live": marked("By conditions"), "list": marked("By list")}
cause: Mapping[str, str] = {
    "data": marked("Something happened"),
    "clock": marked("Time has passed"),
    "identity": marked("Who is who changed"),
    "definition": marked("Other conditions"),
    "list": marked("The list changed"),
    "rfm": marked("New scores"),
}
condition: Mapping[str, str] = {
    "orders": marked("Orders and spending"),
    "order_date": marked("First or last order"),
    "returns": marked("Returns"),
    "promotion": marked("Promotion used"),
    "trait": marked("Details of the customer"),
    "customer_since": marked("Customer since"),
    "event": marked("Tracked event"),
    "cart": marked("Open cart"),
    "wanted": marked("Wanted goods in stock"),
    "points": marked("Points"),
    "tier": marked("Loyalty tier"),
    "tagged": marked("Tag"),
    "consent": marked("Consent"),
    "subscription": marked("Subscription"),
    "rfm": marked("RFM group"),
    "segment": marked("Other segment"),
    "other": marked("Another condition"),
}
grouping: Mapping[str, str] = {
    "all": marked("All of these hold"),
    "any": marked("At least one of these holds"),
    "not": marked("None of these holds"),
}
consent: Mapping[str, str] = {"granted": marked("agreed"), "denied": marked("said no")}
inside: Mapping[str, str] = {
    **condition,
    "all": marked("All of these"),
    "any": marked("Any of these"),
    "not": marked("Not this"),
    "listed": marked("On the list"),
}
orders_measure: Mapping[str, str] = {
    "count": marked("Number of orders"),
    "sum": marked("Money spent"),
    "average": marked("Average order"),
}
returns_measure: Mapping[str, str] = {
    "count": marked("Number of returns"),
    "sum": marked("Money returned"),
    "rate": marked("Percent of pieces returned"),
}
wanted_on: Mapping[str, str] = {
    "anywhere": marked("On a list or in the cart"),
    "wish": marked("On a wish list"),
    "saved": marked("Saved for later"),
    "cart": marked("In the cart"),
}
wanted_stock: Mapping[str, str] = {"in_stock": marked("In stock now"), "sold_out": marked("Sold out now")}
which: Mapping[str, str] = {"last": marked("Last order"), "first": marked("First order")}
field: Mapping[str, str] = {
    "country": marked("Country"),
    "language": marked("Language"),
    "group": marked("Customer group"),
    "name": marked("Name"),
    "email": marked("E-mail"),
    "phone": marked("Phone"),
    "external_id": marked("Number"),
}
op: Mapping[str, str] = {
    "is": marked("is one of"),
    "contains": marked("contains"),
    "starts_with": marked("begins with"),
    "ends_with": marked("ends with"),
    "is_known": marked("is known"),
}
property_op: Mapping[str, str] = {
    "is": marked("is"),
    "is_not": marked("is not"),
    "contains": marked("contains"),
    "is_known": marked("is known"),
    "at_least": marked("is at least"),
    "at_most": marked("is at most"),
}
state: Mapping[str, str] = {
    "active": marked("Active"),
    "paused": marked("Paused"),
    "cancelled": marked("Cancelled"),
}
group: Mapping[str, str] = {
    "champions": marked("Champions"),
    "loyal": marked("Loyal"),
    "potential": marked("Could become loyal"),
    "new": marked("New"),
    "promising": marked("Promising"),
    "need_attention": marked("Need attention"),
    "about_to_sleep": marked("About to fall asleep"),
    "cant_lose": marked("Must not be lost"),
    "at_risk": marked("At risk"),
    "hibernating": marked("Asleep"),
}
reason: Mapping[str, str] = {
    "empty": marked("The row is empty."),
    "unknown": marked("No customer has this address, number or id."),
    "several": marked("Several customers have it: say which by another column."),
}


def _not(condition_: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "not", "of": condition_}


TEMPLATES: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    (
        "new",
        marked("New customers"),
        marked("Ordered for the first time in the last 30 days."),
        {"kind": "all", "of": [{"kind": "order_date", "which": "first", "within": {"days": 30}}]},
    ),
    (
        "vip",
        marked("Best customers"),
        marked("At least five orders in a year, the last one not long ago."),
        {
            "kind": "all",
            "of": [
                {"kind": "orders", "at_least": 5, "within": {"days": 365}},
                {"kind": "order_date", "which": "last", "within": {"days": 90}},
            ],
        },
    ),
    (
        "lapsing",
        marked("Lapsing regulars"),
        marked("At least two orders in a year, but none in the last 90 days."),
        {
            "kind": "all",
            "of": [
                {"kind": "orders", "at_least": 2, "within": {"days": 365}},
                _not({"kind": "order_date", "which": "last", "within": {"days": 90}}),
            ],
        },
    ),
    (
        "once",
        marked("Bought once"),
        marked("One order, more than 30 days ago."),
        {
            "kind": "all",
            "of": [
                {"kind": "orders", "at_least": 1, "at_most": 1},
                _not({"kind": "order_date", "which": "last", "within": {"days": 30}}),
            ],
        },
    ),
    (
        "cart",
        marked("Left their cart"),
        marked("Goods in the cart, untouched for a day, and no order since yesterday."),
        {
            "kind": "all",
            "of": [
                {"kind": "cart", "idle_hours": 24},
                _not({"kind": "order_date", "which": "last", "within": {"days": 1}}),
            ],
        },
    ),
    (
        "wished",
        marked("Wished for, and there"),
        marked("Something on their wish list is in stock now."),
        {"kind": "all", "of": [{"kind": "wanted", "on": "wish", "stock": "in_stock"}]},
    ),
    (
        "returners",
        marked("Big returners"),
        marked("At least three orders in a year, and half of the pieces came back."),
        {
            "kind": "all",
            "of": [
                {"kind": "orders", "at_least": 3, "within": {"days": 365}},
                {"kind": "returns", "measure": "rate", "at_least": 50, "within": {"days": 365}},
            ],
        },
    ),
)
"""Key, name, what they are, and the conditions."""
