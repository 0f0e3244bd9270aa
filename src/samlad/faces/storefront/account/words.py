"""How things of an account are called, for the person whose they are."""

from collections.abc import Mapping

from samlad.faces.page import AnyRequest, words
from samlad.kernel.i18n import marked

ORDERS: Mapping[str, tuple[str, str]] = {
    "placed": (marked("Placed"), "info"),
    "paid": (marked("Being packed"), "accent"),
    "partially_fulfilled": (marked("Partly sent"), "accent"),
    "fulfilled": (marked("Done"), "success"),
    "cancelled": (marked("Cancelled"), "danger"),
    "called_off": (marked("Cancelled"), "danger"),
    "returned": (marked("Sent back"), "warning"),
}
WAITS = (marked("Waits for goods"), "info")
"""An order that is paid, and some of it is not there yet."""
RETURNS: Mapping[str, str] = {
    "requested": marked("We expect it"),
    "received": marked("It has arrived"),
    "inspected": marked("It has arrived"),
    "settled": marked("Done"),
    "cancelled": marked("Cancelled"),
}
CART_KINDS: Mapping[str, str] = {
    "cart": marked("Cart"),
    "saved": marked("Saved for later"),
    "wish": marked("Wish list"),
    "quote": marked("Quote"),
}
HISTORY: Mapping[str, str] = {
    "earn": marked("Earned"),
    "confirm": marked("Earned"),
    "grant": marked("Given"),
    "redeem": marked("Used"),
    "capture": marked("Used"),
    "refund": marked("Given back"),
    "expire": marked("Run out"),
    "take_back": marked("Taken back"),
}
SUBSCRIPTIONS: Mapping[str, tuple[str, str]] = {
    "active": (marked("It comes"), "success"),
    "paused": (marked("Paused"), "warning"),
    "cancelled": (marked("Ended"), ""),
}
CYCLES: Mapping[str, str] = {
    "ordered": marked("ordered"),
    "skipped": marked("left out"),
    "out_of_stock": marked("not to be had"),
}
ENDING_REASONS: Mapping[str, str] = {
    "enough": marked("I have enough of it"),
    "price": marked("It costs too much"),
    "elsewhere": marked("I buy it elsewhere"),
    "unhappy": marked("I am not happy with it"),
    "other": marked("Another reason"),
}
REASONS: Mapping[str, str] = {
    "changed_mind": marked("I changed my mind"),
    "wrong_size": marked("Wrong size"),
    "damaged": marked("Damaged on the way"),
    "defective": marked("Does not work"),
    "wrong_item": marked("Not what was ordered"),
    "late": marked("Came too late"),
    "other": marked("Another reason"),
}


def state_of(request: AnyRequest, status: str, *, waits: bool) -> tuple[str, str]:
    """Text and colour of an order in a list; ``waits``: some of it is not there yet."""
    text, kind = WAITS if waits and status == "paid" else ORDERS[status]
    return words(request)(text), kind


def order_words(request: AnyRequest) -> dict[str, tuple[str, str]]:
    """Text and colour of an order's status."""
    _ = words(request)
    return {status: (_(text), kind) for status, (text, kind) in ORDERS.items()}
