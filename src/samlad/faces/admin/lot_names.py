"""What lots, and goods that are put aside, are called on pages."""

from collections.abc import Mapping

from samlad.kernel.i18n import marked

tracking: Mapping[str, str] = {
    "none": marked("No: one piece is like the other"),
    "lot": marked("By lot"),
    "expiry": marked("By lot, with a date until when it is good"),
    "serial": marked("Each piece by its serial number"),
}
state: Mapping[str, str] = {
    "for_sale": marked("For sale"),
    "expiring": marked("Too few days left"),
    "expired": marked("Expired"),
    "blocked": marked("Recalled"),
}
state_kind: Mapping[str, str] = {
    "for_sale": "success",
    "expiring": "warning",
    "expired": "danger",
    "blocked": "danger",
}
verdict: Mapping[str, str] = {
    "release": marked("Back for sale"),
    "write_off": marked("Write it off"),
    "return_to_supplier": marked("Back to the supplier"),
}
strategy: Mapping[str, str] = {
    "fefo": marked("What expires first"),
    "fifo": marked("What came first"),
}
