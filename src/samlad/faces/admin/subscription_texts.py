"""What subscriptions are called on the pages of staff; translated where it is shown."""

from collections.abc import Mapping

from samlad.kernel.i18n import marked

STATUSES: Mapping[str, str] = {
    "active": marked("Active"),
    "paused": marked("Paused"),
    "cancelled": marked("Cancelled"),
}
STATUS_KINDS: Mapping[str, str] = {"active": "success", "paused": "warning", "cancelled": ""}
TROUBLES: Mapping[str, str] = {
    "declined": marked("Payment declined"),
    "out_of_stock": marked("Not in stock"),
}
"""Any other is a problem's own code."""
CYCLE_STATES: Mapping[str, str] = {
    "ordered": marked("Ordered"),
    "skipped": marked("Skipped"),
    "out_of_stock": marked("Not in stock"),
}
OUT_OF_STOCK: Mapping[str, str] = {
    "wait": marked("Wait, and look again"),
    "skip": marked("Skip this order"),
    "rest": marked("Send what is there"),
}
UNITS: Mapping[str, str] = {"day": marked("days"), "week": marked("weeks"), "month": marked("months")}
TOLD: Mapping[str, tuple[str, str, str]] = {
    "subscription.started": (marked("Begun"), "plus", "accent"),
    "subscription.changed": (marked("Changed"), "edit", ""),
    "subscription.moved": (marked("The next order was moved"), "calendar", ""),
    "subscription.skipped": (marked("An order was skipped"), "close", "warning"),
    "subscription.unskipped": (marked("An order comes after all"), "undo", ""),
    "subscription.missed": (marked("Nothing was ordered on some days"), "warning", "warning"),
    "subscription.paused": (marked("Paused"), "clock", "warning"),
    "subscription.resumed": (marked("It goes on"), "check", "success"),
    "subscription.ending": (marked("It ends with its period"), "clock", "warning"),
    "subscription.cancelled": (marked("Cancelled"), "close", "danger"),
    "subscription.upcoming": (marked("The customer was told what comes"), "mail", ""),
    "subscription.price_rising": (marked("The customer was told of a higher price"), "mail", "warning"),
    "subscription.charging": (marked("Payment begun"), "card", ""),
    "subscription.renewed": (marked("Ordered"), "orders", "success"),
    "subscription.payment_failed": (marked("Payment declined"), "warning", "danger"),
    "subscription.out_of_stock": (marked("Not in stock"), "stock", "warning"),
    "subscription.failed": (marked("It could not be ordered"), "warning", "danger"),
}
"""What the history says of an event: text, icon, colour."""
