"""Every page that there is: the application's own routes, each with real ids from a database.

A GET route is in one of three tables: `WHOLE` needs nothing, `FILLED` says by SQL what fills the holes of its address, and
`NO_PAGES` says why it is none. A route that is in none of them is found by `test_every_page.py`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from samlad import app
from samlad.demo import kim
from samlad.kernel.database import Reader

Who = str
"""``staff`` (an owner), ``customer`` (signed in to the shop), ``visitor`` (with something in the cart)."""


class PageAt(msgspec.Struct, frozen=True):
    """A page to look at: which route it is of, where it is, of which face, and who looks."""

    template: str
    path: str
    face: str
    who: Who


_PIECE = "a piece of a page, which htmx fetches"
_SECRET = "needs a secret that is shown once; its own tests open it"
_FILE = "a file for programs"
_LEADS_ON = "leads on to another page"

NO_PAGES: Mapping[str, str] = {
    "/static/{path}": _FILE, "/language/{locale}": _LEADS_ON, "/api/docs/openapi.json": _FILE,
    "/admin/link/{token}": _SECRET, "/admin/sign-in/code": "only between password and code",
    "/admin/overview/hints": _PIECE, "/admin/system/checks": _PIECE, "/admin/start/shop/guess": _PIECE, "/admin/search/options": _PIECE,
    "/admin/duplicates/next": _LEADS_ON, "/admin/system/events/{event}/facts.json": _FILE, "/admin/content/brand": _LEADS_ON,
    "/admin/content/brand/{code}/theme.css": _FILE, "/admin/privacy/{request_id}/export": _SECRET, "/admin/privacy/{request_id}/files/{folder}/{name}": _FILE,
    "/admin/conversations/{conversation_id}/files/{file_id}": _FILE, "/admin/conversations/mails/{mail_id}/files/{file_id}": _FILE,
    "/account/conversations/{conversation_id}/files/{file_id}": _FILE, "/conversation/{link}/files/{file_id}": _FILE,
    "/theme.css": _FILE, "/icon-180.png": _FILE, "/icon-192.png": _FILE, "/icon-512.png": _FILE,
    "/manifest.webmanifest": _FILE, "/sw.js": _FILE, "/search/suggest": _PIECE, "/last-seen": _PIECE,
    "/gift-card": "only of a shop that sells gift cards; `test_gift_card_by_mail.py` looks at it",
    "/opening": "only of a shop that is closed; `test_start_in_browser.py` looks at it",
    "/cart/count": _PIECE, "/o/{token}": _LEADS_ON, "/cart/continue/{secret}": _SECRET,
    "/quote/{cart_id}/{token}": _SECRET, "/checkout/pay/{payment_id}": "needs a provider on the network",
    "/conversation/{link}": _SECRET, "/appointment/{link}": _SECRET, "/appointment/{link}/change": _SECRET, "/appointment/{link}/calendar.ics": _FILE,
    "/order/{link}": _SECRET, "/order/{link}/reviews/{product_id}": _SECRET, "/order/{link}/return": _SECRET,
    "/order/{link}/returns/{return_id}": _SECRET, "/order/{link}/returns/{return_id}/label.pdf": _FILE,
    "/order/{link}/documents/{document_id}/file.pdf": _FILE, "/preferences/{link}": _SECRET, "/preferences/{link}/unsubscribe": _SECRET,
    "/order/{link}/exchanges/{exchange_id}": _SECRET,
    "/order/{link}/exchanges/{exchange_id}/pay/{payment_id}": _SECRET,
    "/order/{link}/pay": _SECRET, "/order/{link}/pay/{payment_id}": _SECRET,
    "/account/orders/{order_id}/pay": "only while something of an order is to be paid; `test_balance.py` looks at it",
    "/account/orders/{order_id}/pay/{payment_id}": "needs a provider on the network",
    "/account/exchanges/{exchange_id}": "only while an exchange waits for its money",
    "/account/exchanges/{exchange_id}/pay/{payment_id}": "needs a provider on the network",
    "/confirm/{link}": _SECRET, "/mail/o/{text}": _SECRET, "/mail/c/{text}": _SECRET, "/robots.txt": _FILE, "/sitemap.xml": _FILE, "/sitemaps/pages.xml": _FILE, "/sitemaps/questions.xml": _FILE,
    "/sitemaps/products/{part}": _FILE, "/feeds/{name}": _FILE, "/01/{gtin}": _LEADS_ON,
    "/01/{gtin}/{qualifiers}": _LEADS_ON, "/.well-known/gs1resolver": _FILE, "/account/link/{token}": _SECRET,
    "/account/code/{secret}": _SECRET, "/account/mail/{token}": _SECRET,
    "/account/data/{request_id}": "of somebody's own export; `test_account_pages.py` looks at it",
    "/account/data/{request_id}/files/{folder}/{name}": _FILE, "/account/data/{request_id}/archive.zip": _FILE,
    "/account/data/{request_id}/file.json": _FILE, "/pos/sw.js": _FILE, "/pos/{code}/offline/here": _FILE, "/pos/work/{code}/phone/here": _FILE, "/pos/work/{code}/phone/tasks": _FILE,
    "/pos/{code}/ticket": _PIECE, "/pos/{code}/find": _PIECE, "/pos/{code}/pay": "needs a ticket at the till",
    "/pos/{code}/discount": "needs a ticket at the till", "/pos/{code}/deposit": "needs a ticket at the till",
    "/pos/{code}/deposit/terminal/{payment_id}": "needs a payment at a terminal",
    "/pos/{code}/weigh": "needs something that is sold by weight",
    "/pos/{code}/pay/terminal/{payment_id}": "needs a payment at a terminal",
    "/pos/{code}/orders/{order_id}/pay/terminal/{payment_id}": "needs a payment at a terminal",
    "/pos/{code}/returns/{order_id}/terminal/{exchange_id}": "needs an exchange at a terminal",
    "/pos/{code}/elsewhere/{variant}": _PIECE, "/.well-known/samlad-receipts": _FILE,
    "/pos/{code}/clerks": "of a browser that was signed in; `test_till_clerks.py` looks at it",
    "/pos/{code}/kiosk": "of a device that customers serve themselves at; `test_kiosk.py` looks at it",
    "/pos/{code}/kiosk/receipt/{entry}": _FILE, "/pos/{code}/kiosk/card/{ticket}/{payment}": _FILE,
    "/pos/unlock": "goes on to the names of a till that is locked",
    "/question/{link}": _SECRET,
    "/p/{handle}/review": "only for a customer who bought it",
    "/account/orders/{order_id}/receipt.pdf": _FILE, "/account/returns/{return_id}/label.pdf": _FILE,
    "/receipt/{token}": "only with the code of a signed receipt; `test_signed_receipts.py` looks at it",
    "/wishes/{signed_list}": _SECRET, "/admin/orders/{order_id}/panel": _PIECE, "/admin/overview/ticker": _PIECE,
    "/admin/orders/papers/{run_id}/file": _FILE, "/admin/orders/export.csv": _FILE, "/admin/system/events.csv": _FILE, "/admin/orders/new/{cart_id}/customers": _PIECE, "/admin/orders/new/{cart_id}/times": _PIECE, "/admin/products/export.csv": _FILE, "/screen/theme.css": _FILE, "/screen/now": _PIECE,
    "/admin/books/tips/pay": "of somebody whom tips are owed to, whom the list of tips leads to",
    "/admin/books/days/report": "of a day and a place, which the list of days leads to",
}  # fmt: skip
"""Routes that are no page to look at, each with the reason."""

_TALKED_OF = """SELECT handle FROM product p WHERE status = 'active'
    ORDER BY (SELECT count(*) FROM review r WHERE r.product = p.id) DESC, handle DESC LIMIT 1"""
_ASKED_ABOUT = """SELECT {} FROM question q JOIN product p ON p.id = q.product WHERE q.status = 'published' AND p.status = 'active'
    ORDER BY q.id DESC LIMIT 1"""
_OF_KIM = (
    "SELECT {} FROM {} o JOIN customer c ON c.id = o.customer WHERE lower(c.email) = '"
    + kim.EMAIL
    + "' ORDER BY o.id DESC LIMIT 1"
)
_TILL = "SELECT c.code FROM channel c JOIN location l ON l.channel = c.id WHERE c.kind = 'store' ORDER BY c.created_at LIMIT 1"
_AT_TILL = "SELECT c.code, {0} FROM {1} JOIN channel c ON c.id = {2} WHERE c.kind = 'store' ORDER BY {3} DESC LIMIT 1"


def _last(table: str, hole: str, column: str = "id", where: str = "true") -> str:
    # ids rise with time, so the last is the newest; codes and handles just need to be any.
    return f"SELECT {column} AS {hole} FROM {table} WHERE {where} ORDER BY {column} DESC LIMIT 1"


FILLED: Mapping[str, str] = {
    "/admin/start/{key}": "SELECT unnest(ARRAY['place', 'product', 'payment', 'delivery', 'tax', 'sale', 'open']) AS key",
    "/admin/orders/{order_id}": _last("orders", "order_id"),
    "/admin/orders/new/{cart_id}": _last("cart", "cart_id", where="status = 'open' AND kind = 'cart'"),
    "/admin/orders/{order_id}/announce": _last("orders", "order_id", where="status = 'fulfilled'"),
    "/admin/orders/{order_id}/change": _last("orders", "order_id"),
    "/admin/orders/bulk/{bulk_id}": _last("order_bulk", "bulk_id"),
    "/admin/bulk/{bulk_id}": _last("bulk_act", "bulk_id"),
    "/admin/orders/papers/{run_id}": _last("paper_run", "run_id"),
    "/admin/routing/{routing_id}": _last("routing", "routing_id"),
    "/admin/keys/clients/{client_id}": _last("oauth_client", "client_id"),
    "/admin/labels/{run_id}": _last("label_run", "run_id"),
    "/admin/tracking/plan/{schema_id}": _last("tracking_schema", "schema_id"),
    "/admin/return-settings/reasons/{code}": _last("return_reason", "code", "code"),
    "/admin/returns/{request_id}": _last("return_request", "request_id"),
    "/admin/till-sales/{sale_id}": _last("till_sale", "sale_id"),
    "/admin/till-devices/{device_id}": _last("till_device", "device_id"),
    "/admin/till-keys/{kid}": "SELECT kid FROM till_key ORDER BY created_at DESC LIMIT 1",
    "/admin/store-work/{entry_id}": _last("store_work", "entry_id"),
    "/admin/subscriptions/{subscription_id}": _last("subscription", "subscription_id"),
    "/admin/selling-plans/{plan_id}": _last("selling_plan", "plan_id"),
    "/admin/legal-entities/{entity_id}": _last("legal_entity", "entity_id"),
    "/admin/products/import/{import_id}": "SELECT NULL AS import_id WHERE false",
    "/admin/products/{product_id}": _last("product", "product_id"),
    "/admin/variants/{variant_id}/prices": _last("variant", "variant_id"),
    "/admin/stock/counts/{count_id}": _last("stock_count", "count_id"),
    "/admin/stock/transfers/{transfer_id}": _last("stock_transfer", "transfer_id"),
    "/admin/stock/purchases/{purchase_id}": _last("purchase_order", "purchase_id"),
    "/admin/tax/schemes/{scheme_id}": _last("tax_scheme", "scheme_id"),
    "/admin/stock/supplier-returns/{return_id}": _last("supplier_return", "return_id"),
    "/admin/stock/locations/{location_id}": _last("location", "location_id"),
    "/admin/stock/levels/{location_id}/{variant_id}": "SELECT location AS location_id, variant AS variant_id FROM level LIMIT 1",
    "/admin/stock/recalls/{recall_id}": _last("stock_recall", "recall_id"),
    "/admin/customers/{customer_id}": _last("customer", "customer_id"),
    "/admin/customers/{customer_id}/privacy": _last("customer", "customer_id"),
    "/admin/identity/quarantine/{node_id}": "SELECT NULL AS node_id WHERE false",
    "/admin/identity/rules/{rules_id}": _last("identity_rules", "rules_id"),
    "/admin/duplicates/{pair_id}": _last("duplicate_pair", "pair_id"),
    "/admin/destinations/{destination_id}": _last("destination", "destination_id"),
    "/admin/segments/{segment_id}": _last("segment", "segment_id"),
    "/admin/segments/{segment_id}/edit": _last("segment", "segment_id"),
    "/admin/segments/{segment_id}/changes": _last("segment", "segment_id"),
    "/admin/segments/{segment_id}/export": _last("segment", "segment_id"),
    "/admin/segments/{segment_id}/people/{customer_id}": "SELECT segment AS segment_id, person AS customer_id FROM segment_member LIMIT 1",
    "/admin/gift-cards/{card_id}": _last("gift_card", "card_id"),
    "/admin/privacy/{request_id}": _last("privacy_request", "request_id"),
    "/admin/books/vouchers/{voucher_id}": _last("voucher", "voucher_id"),
    "/admin/books/accounts": "SELECT FROM book LIMIT 1", "/admin/books/settings": "SELECT FROM book LIMIT 1",
    "/admin/books/days/{closing_id}": _last("day_closing", "closing_id"),
    "/admin/books/tips/payouts/{payout_id}": _last("tip_payout", "payout_id"),
    "/admin/books/shifts/{shift_id}": _last("till_shift", "shift_id"),
    "/admin/promotions/{promotion_id}": _last("promotion", "promotion_id"),
    "/admin/reviews/{review_id}": _last("review", "review_id"),
    "/admin/questions/{question_id}": _last("question", "question_id"),
    "/admin/channels/{channel_id}": _last("channel", "channel_id"),
    "/admin/channels/{channel_id}/pairs": "SELECT c.id AS channel_id FROM channel c JOIN channel_pool u ON u.channel = c.id AND u.resource = 'catalogue' WHERE NOT EXISTS (SELECT FROM channel_pool o WHERE o.pool = u.pool AND o.channel <> c.id) AND EXISTS (SELECT FROM channel o WHERE o.id <> c.id) ORDER BY c.created_at LIMIT 1",
    "/admin/channels/{channel_id}/pools/{resource}": "SELECT id AS channel_id, 'stock' AS resource FROM channel ORDER BY created_at LIMIT 1",
    "/admin/content/pages/{page_id}": _last("content_page", "page_id"),
    "/admin/content/pages/{page_id}/preview": _last("content_page", "page_id"),
    "/admin/content/brand/{code}": _last("channel", "code", "code", "kind = 'webshop'"),
    "/admin/content/brand/{code}/preview": _last("channel", "code", "code", "kind = 'webshop'"),
    "/admin/delivery/{method_id}": _last("delivery_method", "method_id"),
    "/admin/delivery/locations/{location_id}": _last("location", "location_id"),
    "/admin/tax/registrations/{registration_id}": _last("tax_registration", "registration_id"),
    "/admin/tax/rates/{rate_id}": _last("tax_country_rate", "rate_id"),
    "/admin/tracking/parked/{parked_id}": _last("tracking_parked", "parked_id"),
    "/admin/tracking/{source_id}": _last("tracking_source", "source_id"),
    "/admin/payments/terminals/{terminal_id}": _last("card_terminal", "terminal_id", where="is_active"),
    "/admin/staff/{staff_id}": _last("staff", "staff_id"),
    "/page/{handle}": _last("content_page", "handle", "handle", "handle <> ''"),
    "/c/{path}": _last("category", "path", "path"),
    "/p/{handle}": _TALKED_OF,
    "/p/{handle}/reviews": _TALKED_OF,
    "/p/{handle}/questions": _ASKED_ABOUT.format("p.handle"),
    "/p/{handle}/questions/{question_id}": _ASKED_ABOUT.format("p.handle, q.id AS question_id"),
    "/account/questions/{question_id}": _OF_KIM.format("o.id AS question_id", "question"),
    "/account/orders/{order_id}": _OF_KIM.format("o.id AS order_id", "orders"),
    "/account/orders/{order_id}/return": _OF_KIM.format("o.id AS order_id", "orders"),
    "/account/subscriptions/{subscription}": _OF_KIM.format("o.id AS subscription", "subscription"),
    "/account/returns/{return_id}": "SELECT NULL AS return_id WHERE false",
    "/account/addresses/{address_id}": "SELECT NULL AS address_id WHERE false",
    "/pos/{code}": _TILL, "/pos/{code}/offline": _TILL, "/pos/{code}/parked": _TILL, "/pos/{code}/customers": _TILL, "/pos/{code}/customers/new": _TILL,
    "/pos/{code}/day": _TILL, "/pos/{code}/returns": _TILL, "/pos/{code}/returns/without-receipt": _TILL,
    "/pos/{code}/orders/{order_id}/pay": f"SELECT t.code, o.id AS order_id FROM ({_TILL}) t, orders o WHERE o.kind = 'sale' AND o.imported IS NULL ORDER BY o.payment_status = 'unpaid' DESC, o.id DESC LIMIT 1",
    "/pos/{code}/drawer": _TILL, "/pos/{code}/labels": _TILL,
    "/pos/{code}/terminals": _TILL, "/pos/{code}/printers": _TILL, "/pos/{code}/screens": _TILL, "/pos/{code}/kiosks": _TILL,
    "/pos/{code}/labels/{run_id}": f"SELECT t.code, r.id AS run_id FROM ({_TILL}) t, label_run r ORDER BY r.id DESC LIMIT 1",
    "/pos/{code}/printers/{printer_id}": "SELECT l.code, p.id AS printer_id FROM printer p JOIN location l ON l.id = p.location ORDER BY p.id DESC LIMIT 1",
     "/pos/work/{code}": _TILL, "/pos/work/{code}/phone": _TILL,
    "/pos/{code}/clients": _TILL, "/pos/{code}/appointments": _TILL,
    "/pos/{code}/appointments/new/{service_id}": "SELECT p.code, s.id AS service_id FROM appointment_service s JOIN location p ON p.id = s.location LIMIT 1",
    "/appointments/{service_id}": _last("appointment_service", "service_id", where="is_active"),
    "/admin/appointments/{service_id}": _last("appointment_service", "service_id"),
    "/admin/conversations/{conversation_id}": _last("conversation", "conversation_id"),
    "/admin/conversations/replies/{reply_id}": _last("saved_reply", "reply_id"),
    "/account/conversations/{conversation_id}": _OF_KIM.format("o.id AS conversation_id", "conversation"),
    "/pos/{code}/customers/{customer_id}/advise": f"SELECT t.code, c.id AS customer_id FROM ({_TILL}) t, customer c ORDER BY c.id DESC LIMIT 1",
    "/pos/{code}/customers/{customer_id}/share": f"SELECT t.code, c.customer AS customer_id FROM ({_TILL}) t, cart c WHERE c.kind = 'wish' AND c.customer IS NOT NULL LIMIT 1",
    "/pos/{code}/customers/{customer_id}": f"SELECT t.code, c.id AS customer_id FROM ({_TILL}) t, customer c ORDER BY c.id DESC LIMIT 1",
    "/pos/{code}/sales/{order_id}": _AT_TILL.format("o.id AS order_id", "orders o", "o.channel", "o.id"),
    "/pos/{code}/returns/{order_id}": _AT_TILL.format("o.id AS order_id", "orders o", "o.channel", "o.id"),
    "/pos/{code}/drawer/{shift_id}": "SELECT l.code, s.id AS shift_id FROM till_shift s JOIN till t ON t.id = s.till JOIN location l ON l.id = t.location ORDER BY s.id DESC LIMIT 1",
    "/pos/work/{code}/{fulfilment_id}": "SELECT l.code, f.id AS fulfilment_id FROM fulfilment f JOIN location l ON l.id = f.location ORDER BY f.id DESC LIMIT 1",
    "/pos/work/{code}/{fulfilment_id}/slip": "SELECT l.code, f.id AS fulfilment_id FROM fulfilment f JOIN location l ON l.id = f.location ORDER BY f.id DESC LIMIT 1",
    "/pos/work/{code}/walks/{batch_id}": "SELECT l.code, b.id AS batch_id FROM pick_batch b JOIN location l ON l.id = b.location ORDER BY b.id DESC LIMIT 1",
}  # fmt: skip
"""What fills the holes of an address, by SQL: a row a page. No row: this database has nothing to show there."""

QUERIES: Mapping[str, tuple[str, ...]] = {
    "/admin/search": ("?q=a",), "/search": ("", "?q=a"),
    "/admin/products/{product_id}": tuple(f"?tab={tab}" for tab in ("details", "variants", "stock", "channels", "languages")),
    "/admin/rfm/people": ("?recency=5&frequency=5",), }  # fmt: skip
"""Queries that show more than the page without."""

_VISITORS = ("/admin/sign-in", "/account/sign-in", "/account/sign-in/sent")


def templates() -> dict[str, Any]:
    """The address of every GET route of the faces, with its handler."""
    return dict(_templates())


def _templates() -> Iterator[tuple[str, Any]]:
    for router in app.FACES:
        for route in router.routes:  # type: ignore[union-attr]
            for handler in route.route_handlers:
                if "GET" in handler.http_methods:
                    yield route.path_format, handler


def face_of(template: str) -> str:
    """Whose page it is."""
    for prefix, face in (
        ("/admin", "admin"),
        ("/pos", "till"),
        ("/account", "account"),
        ("/api", "reference"),
    ):
        if template == prefix or template.startswith(f"{prefix}/"):
            return face
    return "shop"


def _who(template: str) -> Who:
    if template in _VISITORS:
        return "visitor"
    return {"admin": "staff", "till": "staff", "account": "customer"}.get(face_of(template), "visitor")


async def pages(reader: Reader) -> list[PageAt]:
    """Every page that this database has something for, in the order of their addresses."""
    found = []
    for template in sorted(templates()):
        if template in NO_PAGES:
            continue
        rows = await reader.rows(FILLED[template]) if template in FILLED else [{}]
        for row in rows:
            path = template
            for hole, value in dict(row).items():
                path = path.replace(f"{{{hole}}}", str(value).lstrip("/"))
            found += [
                PageAt(template, path + query, face_of(template), _who(template))
                for query in QUERIES.get(template, ("",))
            ]
    return found
