"""What an export says, for people to read: names of columns in their language, moments, amounts, and what lies in it."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import msgspec
from litestar import Response

from samlad.conversations import enclosed
from samlad.faces.page import AnyRequest, words
from samlad.kernel.i18n import marked
from samlad.privacy import Excerpt

MOST_ROWS = 200
"""Of one part on the page; the rest is in the JSON file."""

FIRST = ("customer", "account", "account_address", "orders", "order_line", "document", "consent_entry")
"""Tables that people look for, in this order before all others: exports have them as they are erased."""

FIELDS: Mapping[str, str] = {
    "actions": marked("What was done"), "actor_name": marked("Who did it"), "added_at": marked("Added"), "address": marked("Address"),
    "after": marked("After"), "agent": marked("Browser"), "alias": marked("Another name"), "amount": marked("Amount"),
    "anonymous_id": marked("Id of the browser"), "answer": marked("Answer"), "answered_at": marked("Answered"), "asked_at": marked("Asked"),
    "at": marked("When"), "attachments": marked("Files"), "author": marked("Written as"), "author_name": marked("Written by"),
    "before": marked("Before"), "begun_at": marked("Begun"), "body": marked("Text"), "booked_at": marked("Made"),
    "bounced_at": marked("Came back"), "brand": marked("Brand"), "carrier": marked("Carrier"), "cart": marked("Cart"),
    "channel": marked("Channel"), "chart": marked("Size chart"), "clerk_name": marked("Clerk"), "code": marked("Code"),
    "consent": marked("What they agreed to"), "country": marked("Country"), "created_at": marked("Created"), "currency": marked("Currency"),
    "customer": marked("Customer"), "destination": marked("Destination"), "device_class": marked("Kind of device"), "difference": marked("Difference"),
    "digest": marked("Hash"), "discounts": marked("Discounts"), "done_at": marked("Done"), "due_on": marked("Due"),
    "email": marked("E-mail"), "ends_at": marked("Ends"), "entered": marked("Came in"), "entered_at": marked("In since"),
    "entry": marked("Entry"), "event_id": marked("Id of the event"), "evidence": marked("Evidence"), "expires_at": marked("Valid until"),
    "expires_on": marked("Valid until"), "external_id": marked("Number"), "field": marked("Field"), "first_at": marked("First time"),
    "first_seen": marked("First seen"), "frequency": marked("Frequency"), "gift_note": marked("Card that goes with it"), "giver": marked("From whom"), "group_id": marked("Group"),
    "height": marked("Height"), "id": marked("Id"), "input": marked("What was chosen"), "is_delivery": marked("For deliveries"),
    "is_invoice": marked("For invoices"), "joined_at": marked("Joined"), "kind": marked("Kind"), "label": marked("Label"),
    "language": marked("Language"), "last_at": marked("Last time"), "last_four": marked("Last four digits"), "last_seen": marked("Last seen"),
    "last_used": marked("Last used"), "level": marked("Who stands behind it"), "locale": marked("Language"), "location": marked("Location"),
    "made_at": marked("Made"), "marks": marked("Marks"), "means": marked("Way"), "medium": marked("Way"),
    "message_id": marked("Id of the message"), "monetary": marked("Monetary value"), "name": marked("Name"), "note": marked("Note"),
    "number": marked("Number"), "objections": marked("Objections"), "observed_at": marked("Seen"), "occurred_at": marked("When"),
    "one": marked("One of them"), "order_id": marked("Order"), "other": marked("The other one"), "override": marked("Exception"),
    "payload": marked("Content"), "person": marked("Person"), "personal": marked("Content"), "phone": marked("Phone"),
    "photos": marked("Photographs"), "place": marked("Place"), "placed_at": marked("Placed"), "preview": marked("What it came to"),
    "previous_id": marked("Former id"), "product": marked("Product"), "provider": marked("Provider"), "purpose": marked("Purpose"),
    "quantity": marked("Quantity"), "question": marked("Question"), "reason": marked("Reason"), "received_at": marked("Received"),
    "message": marked("Greeting"), "recency": marked("Recency"), "recipient": marked("Recipient"), "reductions": marked("Discounts"), "payment_reference": marked("Payment"), "reference": marked("Reference"),
    "remote": marked("Network address"), "reply": marked("Answer of the shop"), "reported_at": marked("Reported"), "retracted_why": marked("Why it was taken back"),
    "review": marked("Review"), "row": marked("Entry"), "said_at": marked("Said"), "segment": marked("Segment"),
    "send_on": marked("To be sent on"), "sender": marked("Sender"), "sent_at": marked("Sent"), "session": marked("Session"), "signed_in_at": marked("Signed in"),
    "since": marked("Since"), "size": marked("Size"), "sku": marked("SKU"), "source": marked("Source"),
    "staff_name": marked("Clerk"), "stars": marked("Stars"), "starts_at": marked("Begins"), "state": marked("State"),
    "status": marked("Status"), "store": marked("Store"), "stored_as": marked("Name of the file"), "subject": marked("Subject"),
    "tag": marked("Tag"), "tagged_at": marked("Tagged"), "text": marked("Text"), "times": marked("How often"),
    "title": marked("Title"), "told_at": marked("Told"), "topic": marked("Topic"), "total": marked("Total"),
    "tracking": marked("Tracking number"), "traits": marked("Traits"), "type": marked("Type"), "until": marked("Until"),
    "used_at": marked("Used"), "user_id": marked("Id of the account"), "value": marked("Value"), "variant": marked("Variant"),
    "vat_consultation": marked("Number of the check"), "vat_number": marked("VAT number"), "verb": marked("What happened"), "violations": marked("Not as planned"),
    "voted_at": marked("Voted"), "voter": marked("Who voted"), "was_reason": marked("Former reason"), "way": marked("Direction"),
    "width": marked("Width"), "written_at": marked("Written"),
    "company": marked("Company"), "line1": marked("Street and number"), "line2": marked("Further address line"),
    "postal_code": marked("Postal code"), "city": marked("City"), "region": marked("Region"),
}  # fmt: skip
"""Columns of exports, and parts of addresses, as people call them. A test finds what is missing."""

_CODES: Mapping[str, str] = {
    "granted": marked("Yes"),
    "denied": marked("No"),
    "placed": marked("Placed"),
    "paid": marked("Paid"),
    "fulfilled": marked("Done"),
    "partially_fulfilled": marked("Partly sent"),
    "cancelled": marked("Cancelled"),
    "called_off": marked("Cancelled"),
    "returned": marked("Sent back"),
    "active": marked("Active"),
    "open": marked("Open"),
    "closed": marked("Done"),
    "waiting": marked("Waits"),
    "done": marked("Done"),
    "approved": marked("Shown"),
    "published": marked("Shown"),
}
"""What is said of codes in the columns that have any."""
_CODED = {"answer", "state", "status"}
_AMOUNTS = {"amount", "total"}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A value as a template shows it.

    Attributes:
        kind: text, moment, day, money, nested (``value`` has more of these), or list (``value`` has unnamed ones).
        currency: of money, which is in its minor units.
    """

    kind: str
    label: str = ""
    value: Any = None
    currency: str = ""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What one table holds: the rows that are shown, each with its file if it has one, how many are not, and where those are."""

    about: str
    kept: str | None
    rows: list[tuple[list[Shown], str | None]]
    more: int
    more_href: str


class Place(msgspec.Struct, frozen=True):
    """Which page of an export is asked for: of all parts the first rows, or of one those after so many."""

    part: int | None = None
    after: int = 0


def place_of(request: AnyRequest) -> Place:
    """What the address asks for; what cannot be is the first page."""
    part, after = (request.query_params.get(name, "") for name in ("part", "after"))
    if not (part.isascii() and part.isdecimal() and len(part) < 5):
        return Place()
    return Place(int(part), int(after) if after.isascii() and after.isdecimal() and len(after) < 10 else 0)


def readable(request: AnyRequest, export: Excerpt) -> list[Part]:
    """An export as a page shows it, in the language of whoever reads it."""
    _, after = words(request), place_of(request).after
    place = {table: number for number, table in enumerate(FIRST)}
    return [
        Part(
            about=_(part.about),
            kept=_(part.kept) if part.kept else None,
            rows=[(_row(_, row), row.get("file")) for row in part.rows],
            more=part.more,
            more_href=f"?part={part.number}&after={after + len(part.rows)}",
        )
        for part in sorted(export.parts, key=lambda part: place.get(part.table, len(place)))
    ]


def _row(_: Any, row: Mapping[str, Any]) -> list[Shown]:
    currency = row.get("currency")
    found = []
    for name, value in row.items():
        if name == "file" or value is None or value in ("", [], {}):
            continue
        if name in _AMOUNTS and isinstance(value, int) and isinstance(currency, str):
            found.append(Shown(kind="money", label=label(_, name), value=value, currency=currency))
        else:
            found.append(_shown(_, name, value))
    return found


def _shown(_: Any, name: str, value: Any) -> Shown:
    named = label(_, name) if name else ""
    if isinstance(value, Mapping):
        return Shown(kind="nested", label=named, value=_row(_, value))
    if isinstance(value, list):
        return Shown(kind="list", label=named, value=[_shown(_, "", each) for each in value])
    if isinstance(value, bool):
        return Shown(kind="text", label=named, value=_("Yes") if value else _("No"))
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        return Shown(kind="moment", label=named, value=datetime.fromisoformat(value))
    if isinstance(value, str) and _DAY.fullmatch(value):
        return Shown(kind="day", label=named, value=date.fromisoformat(value))
    if name in _CODED and value in _CODES:
        return Shown(kind="text", label=named, value=_(_CODES[value]))
    return Shown(kind="text", label=named, value=str(value))


def label(_: Any, name: str) -> str:
    """A column as people call it; what lies in what programs sent goes by the name that it came with."""
    return _(FIELDS[name]) if name in FIELDS else name.replace("_", " ")


def reasons(request: AnyRequest, reason: str) -> list[str]:
    """Why somebody cannot be erased yet, in the reader's language: ``reason`` names kinds of things, each with its numbers."""
    _ = words(request)
    pairs = [part.partition(": ") for part in reason.split("; ") if part]
    return [f"{_(about)}: {numbers}" for about, _colon, numbers in pairs]


def handed_out(folder: str, name: str, content: bytes) -> Response[bytes]:
    """A photograph of an export, which we drew; any other file is as somebody sent it, and only to be saved."""
    if folder != "photograph":
        return Response(content, media_type=enclosed.UNKNOWN, headers=enclosed.headers(name))
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    return Response(content, media_type="image/webp", headers=headers)
