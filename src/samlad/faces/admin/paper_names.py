"""What papers of many orders are called."""

from collections.abc import Mapping

from samlad.kernel.i18n import marked

CHOICES: Mapping[str, str] = {
    "invoices.pdf": marked("Invoices as PDF"),
    "invoices.zip": marked("Invoices as ZIP"),
    "packing_slips.pdf": marked("Packing slips as PDF"),
    "labels.pdf": marked("Parcel labels as PDF"),
    "labels.zip": marked("Parcel labels as ZIP"),
}
"""What one can have of chosen orders, and in which form."""
WHAT: Mapping[str, str] = {
    "invoices": marked("Invoices"),
    "packing_slips": marked("Packing slips"),
    "labels": marked("Parcel labels"),
}
STATES: Mapping[str, tuple[str, str]] = {
    "running": (marked("Being made"), "info"),
    "ready": (marked("Ready"), "success"),
    "stopped": (marked("Stopped"), "warning"),
    "failed": (marked("Not made"), "danger"),
}
"""The text and the kind of badge."""
EXPLAINED: Mapping[str, str] = {
    "invoices": marked(
        "With the credit notes of these orders. Invoices are issued on the page of an order, or by themselves."
    ),
    "packing_slips": marked("Of what has not left yet."),
    "labels": marked("Of parcels that have not left and have a number of a carrier."),
}
