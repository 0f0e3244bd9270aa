"""What every admin page has around it: who is signed in, where they may go, the shop's name and clock."""

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response

from samlad import channels
from samlad.access import staff as people
from samlad.channels import Channel, cached_all
from samlad.faces.page import AnyRequest, page, require, words
from samlad.kernel.context import Actor
from samlad.kernel.database import Database
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import NotFound


class Place(msgspec.Struct, frozen=True):
    """An entry of the navigation. ``permission`` None: for everybody who is signed in; ``go``: the letter after g."""

    text: str
    href: str
    icon: str
    permission: str | None = None
    go: str = ""


NAVIGATION: tuple[tuple[str | None, tuple[Place, ...]], ...] = (
    (
        None,
        (
            Place(marked("Overview"), "/admin", "home", None, "h"),
            Place(marked("Orders"), "/admin/orders", "orders", "orders.read", "o"),
            Place(marked("Products"), "/admin/products", "products", "catalog.read", "p"),
            Place(marked("Stock"), "/admin/stock", "stock", "stock.read", "s"),
            Place(marked("Customers"), "/admin/customers", "customers", "customers.read", "c"),
            Place(marked("Conversations"), "/admin/conversations", "mail", "conversations.read", "t"),
            Place(marked("Segments"), "/admin/segments", "filter", "audiences.read"),
            Place(marked("Invoices"), "/admin/documents", "receipt", "documents.read"),
            Place(marked("Subscriptions"), "/admin/subscriptions", "clock", "subscriptions.read"),
            Place(marked("Gift cards"), "/admin/gift-cards", "gift", "credit.read"),
            Place(marked("Promotions"), "/admin/promotions", "tag", "promotions.read", "m"),
            Place(marked("Website"), "/admin/content", "globe", "content.read"),
            Place(marked("Reviews"), "/admin/reviews", "star", "reviews.read"),
            Place(marked("Questions"), "/admin/questions", "question", "questions.read"),
            Place(marked("Appointments"), "/admin/appointments", "calendar", "appointments.read"),
            Place(marked("Books"), "/admin/books", "receipt", "books.read"),
            Place(marked("Channels"), "/admin/channels", "channels", "channels.read", "n"),
        ),
    ),
    (
        marked("Settings"),
        (
            Place(marked("Delivery"), "/admin/delivery", "truck", "delivery.read"),
            Place(marked("Who sends orders"), "/admin/routing", "truck", "orders.routing"),
            Place(marked("Ways to pay"), "/admin/payments", "card", "payments.read"),
            Place(marked("Tax"), "/admin/tax", "receipt", "tax.read"),
            Place(marked("Loyalty"), "/admin/loyalty", "tag", "credit.read"),
            Place(marked("Staff"), "/admin/staff", "user", "staff.read"),
            Place(marked("API keys"), "/admin/keys", "key", "key.read"),
            Place(marked("Sources of events"), "/admin/tracking", "chart", "tracking.read"),
            Place(marked("Consent"), "/admin/consent", "check", "consent.read"),
            Place(marked("Personal data"), "/admin/privacy", "shield", "privacy.read"),
            Place(marked("Audit log"), "/admin/audit", "shield", "audit.read"),
            Place(marked("System"), "/admin/system", "chart", "system.read"),
        ),
    ),
)
"""Where one can go. The first four are the bar at the bottom of a phone."""

MORE_PLACES = (
    Place(marked("Set up the shop"), "/admin/start", "check", "channels.change"),
    Place(marked("Write to somebody"), "/admin/conversations/new", "plus", "conversations.write"),
    Place(marked("Saved replies"), "/admin/conversations/replies", "edit", "conversations.read"),
    Place(marked("Mails to sort"), "/admin/conversations/mails", "mail", "conversations.read"),
    Place(marked("Create product"), "/admin/products/new", "plus", "catalog.change"),
    Place(marked("New customer"), "/admin/customers/new", "plus", "customers.change"),
    Place(marked("Import products"), "/admin/products/import", "upload", "catalog.change"),
    Place(marked("Price tags"), "/admin/labels", "tag", "labels.read"),
    Place(marked("New order"), "/admin/orders/new", "plus", "orders.place"),
    Place(marked("Orders to bring"), "/admin/fulfilments", "truck", "orders.read"),
    Place(marked("Sales of tills"), "/admin/till-sales", "till", "tills.read"),
    Place(marked("Tills and kiosks"), "/admin/till-devices", "till", "tills.read"),
    Place(marked("Keys of tills"), "/admin/till-keys", "key", "tills.read"),
    Place(marked("Store work of phones"), "/admin/store-work", "scan", "storework.resolve"),
    Place(marked("Returns"), "/admin/returns", "undo", "orders.read"),
    Place(marked("Return without a receipt"), "/admin/returns/without-receipt", "undo", "orders.override"),
    Place(marked("Return settings"), "/admin/return-settings", "settings", "orders.read"),
    Place(marked("Who sells"), "/admin/legal-entities", "store", "documents.read"),
    Place(marked("Keys of Stripe"), "/admin/payments/stripe", "key", "payments.read"),
    Place(marked("Fees and payouts"), "/admin/payments/settlements", "receipt", "payments.read"),
    Place(marked("Disputes"), "/admin/payments/disputes", "warning", "payments.read"),
    Place(marked("Card terminals"), "/admin/payments/terminals", "card", "payments.terminals"),
    Place(marked("Simulated terminal"), "/admin/payments/terminal", "till", "payments.read"),
    Place(marked("Selling plans"), "/admin/selling-plans", "tag", "subscriptions.read"),
    Place(marked("Create promotion"), "/admin/promotions/new", "plus", "promotions.change"),
    Place(marked("Brand"), "/admin/content/brand", "image", "content.read"),
    Place(marked("Menus"), "/admin/content/menus", "menu", "content.read"),
    Place(marked("Pictures"), "/admin/content/pictures", "image", "content.read"),
    Place(marked("Old addresses"), "/admin/content/redirects", "external", "content.read"),
    Place(marked("Receive goods"), "/admin/stock/receipts/new", "plus", "stock.adjust"),
    Place(marked("Stock movements"), "/admin/stock/movements", "stock", "stock.read"),
    Place(marked("Counts"), "/admin/stock/counts", "scan", "stock.read"),
    Place(marked("Transfers"), "/admin/stock/transfers", "truck", "stock.read"),
    Place(marked("Back to suppliers"), "/admin/stock/supplier-returns", "undo", "stock.purchase"),
    Place(marked("Tax schemes"), "/admin/tax/schemes", "receipt", "tax.read"),
    Place(marked("Gift cards that wait"), "/admin/gift-cards/waiting", "gift", "credit.read"),
    Place(marked("Issue gift card"), "/admin/gift-cards/new", "gift", "credit.issue"),
    Place(marked("Close a day"), "/admin/books/days", "check", "books.close"),
    Place(marked("Drawers"), "/admin/books/shifts", "till", "books.read"),
    Place(marked("Tips"), "/admin/books/tips", "gift", "books.read"),
    Place(marked("Payouts of tips"), "/admin/books/tips/payouts", "receipt", "books.read"),
    Place(marked("Event log"), "/admin/system/events", "clock", "system.read"),
    Place(marked("Invite somebody"), "/admin/staff/new", "plus", "staff.write"),
    Place(marked("Events live"), "/admin/tracking/events", "clock", "tracking.read"),
    Place(marked("How long events are kept"), "/admin/retention", "clock", "tracking.read"),
    Place(marked("Mails that came back"), "/admin/mail", "warning", "mail.read"),
    Place(marked("OAuth clients"), "/admin/keys/clients", "key", "key.read"),
    Place(marked("Tracking plan"), "/admin/tracking/plan", "check", "tracking.read"),
    Place(marked("What did not fit"), "/admin/tracking/plan/violations", "warning", "tracking.read"),
    Place(marked("Import a plan"), "/admin/tracking/plan/import", "upload", "tracking.change"),
    Place(marked("Parked events"), "/admin/tracking/parked", "warning", "tracking.read"),
    Place(marked("Papers"), "/admin/orders/papers", "receipt", "documents.read"),
    Place(marked("Create segment"), "/admin/segments/new", "plus", "audiences.change"),
    Place(marked("Compare segments"), "/admin/segments/overlap", "filter", "audiences.read"),
    Place(marked("Destinations of segments"), "/admin/destinations", "external", "destinations.read"),
    Place(marked("RFM grid"), "/admin/rfm", "chart", "audiences.read"),
    Place(marked("Probable duplicates"), "/admin/duplicates", "user", "identity.read"),
    Place(marked("Conflicts of identity"), "/admin/identity/conflicts", "warning", "identity.read"),
    Place(marked("Quarantine"), "/admin/identity/quarantine", "shield", "identity.read"),
    Place(marked("Rules of identity"), "/admin/identity/rules", "settings", "identity.read"),
    Place(marked("Create channel"), "/admin/channels/new", "plus", "channels.change"),
    Place(marked("Create delivery method"), "/admin/delivery/new", "plus", "delivery.change"),
    Place(marked("Tax rates"), "/admin/tax/rates", "receipt", "tax.read"),
    Place(marked("Create selling plan"), "/admin/selling-plans/new", "plus", "subscriptions.plans"),
    Place(marked("Create tax rate"), "/admin/tax/rates/new", "plus", "tax.change"),
    Place(marked("Register for tax in a country"), "/admin/tax/registrations/new", "plus", "tax.change"),
    Place(marked("Create return reason"), "/admin/return-settings/reasons/new", "plus", "orders.override"),
    Place(marked("Lots"), "/admin/stock/lots", "stock", "stock.read"),
    Place(marked("Recalls"), "/admin/stock/recalls", "warning", "stock.read"),
    Place(marked("Put aside"), "/admin/stock/quarantine", "warning", "stock.read"),
    Place(marked("Purchases"), "/admin/stock/purchases", "cart", "stock.adjust"),
    Place(marked("Create purchase"), "/admin/stock/purchases/new", "plus", "stock.purchase"),
    Place(marked("Buy again"), "/admin/stock/reorder", "cart", "stock.read"),
    Place(marked("Running out"), "/admin/stock/running-out", "clock", "stock.read"),
    Place(marked("Create transfer"), "/admin/stock/transfers/new", "plus", "stock.adjust"),
    Place(marked("Locations"), "/admin/stock/locations", "store", "stock.read"),
    Place(marked("Accounts of the books"), "/admin/books/accounts", "receipt", "books.read"),
    Place(marked("Settings of the books"), "/admin/books/settings", "settings", "books.read"),
    Place(marked("Create API key"), "/admin/keys/new", "plus", "key.write"),
    Place(marked("Create OAuth client"), "/admin/keys/clients/new", "plus", "key.write"),
    Place(marked("Add a company"), "/admin/legal-entities/new", "plus", "documents.entities"),
    Place(marked("New routing rules"), "/admin/routing/new", "plus", "orders.routing"),
    Place(marked("Plan an event"), "/admin/tracking/plan/new", "plus", "tracking.change"),
    Place(marked("Create source of events"), "/admin/tracking/new", "plus", "tracking.change"),
    Place(marked("Open shift"), "/pos", "till", "orders.place"),
    Place(marked("Till"), "/pos", "till", "orders.place"),
    Place(marked("Pick and pack"), "/pos/work", "scan", "orders.change"),
    Place(marked("My profile"), "/admin/profile", "user"),
    Place(marked("Style"), "/admin/style", "image"),
)
"""Places that only the command bar lists."""


def places_for(actor: Actor, places: tuple[Place, ...]) -> list[Place]:
    """Those of some places where the actor may go."""
    return [place for place in places if place.permission is None or actor.may(place.permission)]


async def main_channel(database: Database) -> Channel | None:
    """The channel that stands for the shop: the oldest without a parent. None in a shop without channels."""
    return main_of(await cached_all(database))


main_of = channels.main_of
"""See `main_channel`."""


_PEOPLE: dict[UUID, tuple[float, dict[str, str]]] = {}
_REMEMBER_SECONDS = 30.0
_MOST_PEOPLE = 1000


async def _person(request: AnyRequest) -> dict[str, str]:
    """Name and e-mail of who is signed in, at most half a minute old."""
    actor = actor_of(request)
    if actor.id is None:
        return {"name": actor.name, "email": ""}
    until, person = _PEOPLE.get(actor.id, (0.0, {}))
    if time.monotonic() < until:
        return person
    try:
        found = await people.get(database_of(request), actor.id)
        person = {"name": found.name, "email": found.email}
    except NotFound:  # somebody of another system, by OpenID Connect
        person = {"name": actor.name, "email": ""}
    if len(_PEOPLE) >= _MOST_PEOPLE:
        _PEOPLE.clear()
    _PEOPLE[actor.id] = (time.monotonic() + _REMEMBER_SECONDS, person)
    return person


def forget_person(staff: UUID) -> None:
    """Somebody's name or address changed in this process."""
    _PEOPLE.pop(staff, None)


async def admin_page(
    request: AnyRequest,
    template: str,
    *,
    status_code: int = 200,
    headers: dict[str, str] | None = None,
    time_zone: str | None = None,
    **context: Any,
) -> Response[Any]:
    """A page of the admin in its shell; the handler has called `require` with its permission before.

    Templates also get ``may(permission, location)``. Times are the main channel's unless ``time_zone`` is given.
    """
    require(request)
    _ = words(request)
    actor, main = actor_of(request), await main_channel(database_of(request))
    values = {
        "shop_name": main.name if main else "Samlad",
        "user": await _person(request),
        "user_links": [(_("My profile"), "/admin/profile")],
        "nav": _nav(_, actor, request.url.path),
        "commands": [_item(_, place) for place in places_for(actor, MORE_PLACES)],
        "command_source": "/admin/search/options",
        "may": actor.may,
        **context,
    }
    zone = time_zone or (main.time_zone if main else "UTC")
    return page(request, template, status_code=status_code, headers=headers, time_zone=zone, **values)


def _nav(translate: Callable[[str], str], actor: Actor, path: str) -> list[dict[str, Any]]:
    nav = []
    for title, places in NAVIGATION:
        allowed = places_for(actor, places)
        if allowed:
            items = [_item(translate, place) | {"current": _is_current(place, path)} for place in allowed]
            nav.append({"title": title and translate(title), "items": items})
    return nav


def _item(translate: Callable[[str], str], place: Place) -> dict[str, Any]:
    return {"text": translate(place.text), "href": place.href, "icon": place.icon, "go": place.go}


def _is_current(place: Place, path: str) -> bool:
    return path == place.href or (place.href != "/admin" and path.startswith(f"{place.href}/"))
