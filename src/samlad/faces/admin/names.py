"""Names of kinds, states and resources as people read them; translated where they are shown: ``_(names.kind[x])``."""

from collections.abc import Mapping

from samlad.kernel.i18n import marked
from samlad.orders.model import Order, OrderRow
from samlad.orders.rules import is_partly_cancelled

kind: Mapping[str, str] = {
    "store": marked("Store"),
    "webshop": marked("Web shop"),
    "app": marked("App"),
    "marketplace": marked("Marketplace"),
    "social": marked("Social media"),
    "phone": marked("Phone"),
    "mail_order": marked("Mail order"),
    "chat": marked("Chat"),
    "agent": marked("Shopping agents"),
}
kind_icon: Mapping[str, str] = {
    "store": "store",
    "webshop": "globe",
    "app": "products",
    "marketplace": "bag",
    "social": "image",
    "phone": "bell",
    "mail_order": "mail",
    "chat": "mail",
    "agent": "scan",
}
source_kind: Mapping[str, str] = {
    "browser": marked("Browsers and apps"),
    "server": marked("A server"),
    "ours": marked("This shop itself"),
}
device_class: Mapping[str, str] = {
    "personal": marked("People’s own"),
    "shared": marked("Shared by customers"),
    "staff": marked("Of staff"),
}
channel_status: Mapping[str, str] = {
    "active": marked("Open"),
    "paused": marked("Paused"),
    "closed": marked("Closed for good"),
}
resource: Mapping[str, str] = {
    "catalogue": marked("Catalogue"),
    "prices": marked("Prices"),
    "stock": marked("Stock"),
    "customers": marked("Customers"),
    "carts": marked("Carts"),
    "promotions": marked("Promotions"),
    "orders": marked("Orders"),
    "conversations": marked("Conversations"),
}
weekday: tuple[str, ...] = (
    marked("Monday"),
    marked("Tuesday"),
    marked("Wednesday"),
    marked("Thursday"),
    marked("Friday"),
    marked("Saturday"),
    marked("Sunday"),
)
language: Mapping[str, str] = {"en": "English", "sv": "Svenska", "nl": "Nederlands"}
role: Mapping[str, str] = {
    "owner": marked("Owner"),
    "manager": marked("Manager"),
    "store": marked("Store staff"),
    "support": marked("Customer service"),
    "marketing": marked("Marketing"),
    "developer": marked("Developer"),
}
role_text: Mapping[str, str] = {
    "owner": marked("May do everything, also invite other owners."),
    "manager": marked("Runs the shop day by day: goods, prices, orders, channels, staff."),
    "store": marked("Sells, counts and hands over, in the locations that they are bound to."),
    "support": marked("Helps customers: sees orders and customers, cancels and refunds."),
    "marketing": marked("Sees goods and customers, plans what is offered."),
    "developer": marked("Makes API keys and looks after the machinery."),
}
staff_status: Mapping[str, str] = {
    "active": marked("Active"),
    "invited": marked("Invited"),
    "disabled": marked("Disabled"),
}

vat_check: Mapping[str, str] = {
    "format": marked("Not checked yet"),
    "valid": marked("Checked"),
    "invalid": marked("Not known to VIES"),
}
vat_check_kind: Mapping[str, str] = {"format": "warning", "valid": "success", "invalid": "danger"}
document_kind: Mapping[str, str] = {"invoice": marked("Invoice"), "credit_note": marked("Credit note")}

# -- orders and stock ---------------------------------------------------------------------------------------------------

order_status: Mapping[str, str] = {
    "placed": marked("Placed"),
    "paid": marked("Paid, to hand over"),
    "partially_fulfilled": marked("Partly handed over"),
    "fulfilled": marked("Handed over"),
    "cancelled": marked("Cancelled"),
    "called_off": marked("Cancelled in parts"),
    "returned": marked("Returned"),
}
order_status_kind: Mapping[str, str] = {
    "placed": "info",
    "paid": "accent",
    "partially_fulfilled": "warning",
    "fulfilled": "success",
    "cancelled": "",
    "called_off": "",
    "returned": "",
}


def state_of(order: Order | OrderRow) -> str:
    """What is said of an order: some of it may have come back, and the rest never have left."""
    partly = order.is_partly_cancelled if isinstance(order, OrderRow) else is_partly_cancelled(order)
    return marked("Partly cancelled, the rest returned") if partly else order_status[order.status]


payment_status: Mapping[str, str] = {
    "unpaid": marked("Unpaid"),
    "pending": marked("Payment pending"),
    "authorized": marked("Reserved"),
    "paid": marked("Paid"),
    "refunded": marked("Refunded"),
}
payment_status_kind: Mapping[str, str] = {
    "unpaid": "warning",
    "pending": "info",
    "authorized": "info",
    "paid": "success",
    "refunded": "",
}
payment: Mapping[str, str] = {
    "pending": marked("Pending"),
    "authorized": marked("Reserved"),
    "captured": marked("Received"),
    "voided": marked("Let go"),
    "declined": marked("Declined"),
}
payment_kind: Mapping[str, str] = {
    "pending": "warning",
    "authorized": "info",
    "captured": "success",
    "voided": "",
    "declined": "danger",
}
provider: Mapping[str, str] = {
    "exchange": marked("Exchanged goods"),
    "cash": marked("Cash"),
    "test": marked("Test payment"),
    "stripe": marked("Card"),
    "terminal": marked("Card terminal (simulated)"),
    "bank_transfer": marked("Bank transfer"),
    "invoice": marked("Invoice"),
    "on_delivery": marked("Payment on delivery"),
    "gift_card": marked("Gift card"),
    "store_credit": marked("Store credit"),
    "till_card": marked("Card, at a terminal of its own"),
    "till_other": marked("Other, at the till"),
    "marketplace": marked("Marketplace"),
    "history": marked("Before it was imported"),
}
refund_status: Mapping[str, str] = {
    "pending": marked("on its way back"),
    "done": marked("went back"),
    "failed": marked("could not be given back"),
}
card_status: Mapping[str, str] = {
    "waiting": marked("Waits for its payment"),
    "active": marked("Pays"),
    "blocked": marked("Blocked"),
    "replaced": marked("Replaced"),
    "cancelled": marked("Cancelled"),
}
card_status_kind: Mapping[str, str] = {
    "waiting": "info",
    "active": "success",
    "blocked": "danger",
    "replaced": "",
    "cancelled": "",
}
card_origin: Mapping[str, str] = {
    "sold": marked("Sold"),
    "given": marked("Given"),
    "reward": marked("Reward for points"),
    "replacement": marked("In place of a lost one"),
}
reward_kind: Mapping[str, str] = {
    "store_credit": marked("Store credit"),
    "gift_card": marked("Gift card"),
}
entry: Mapping[str, str] = {
    "issue": marked("Came onto the card"),
    "top_up": marked("Topped up"),
    "grant": marked("Given"),
    "redeem": marked("Paid with it"),
    "refund": marked("Money back"),
    "void": marked("Payment let go"),
    "transfer": marked("Moved to another card"),
    "expire": marked("Expired"),
    "cancel": marked("Order called off"),
    "earn": marked("Earned"),
    "release": marked("Can be spent now"),
    "take_back": marked("Taken back with goods"),
    "reward": marked("Turned into a reward"),
}
account: Mapping[str, str] = {
    "gift_card": marked("Gift card"),
    "store_credit": marked("Store credit"),
    "points": marked("Points"),
    "pending": marked("Pending points"),
}
order_kind: Mapping[str, str] = {
    "sale": marked("Sale"),
    "return": marked("Return"),
    "adjustment": marked("Adjustment"),
}
delivery: Mapping[str, str] = {
    "ship": marked("To be shipped"),
    "pickup": marked("To be picked up"),
    "carry_out": marked("Carried out of the store"),
}
cause: Mapping[str, str] = {
    "receipt": marked("Goods came in"),
    "sale": marked("Sold"),
    "return": marked("Came back"),
    "count": marked("Counted"),
    "damage": marked("Broken"),
    "transfer_out": marked("Sent to another place"),
    "transfer_in": marked("Came from another place"),
    "correction": marked("Corrected"),
    "revaluation": marked("Valued anew"),
    "supplier_return": marked("Sent back to its supplier"),
    "loss": marked("Lost on the way"),
}
supplier_return_status: Mapping[str, str] = {
    "sent": marked("Credit awaited"),
    "credited": marked("Credited"),
    "closed": marked("Closed"),
}
supplier_return_status_kind: Mapping[str, str] = {"sent": "warning", "credited": "success", "closed": ""}
supplier_return_reason: Mapping[str, str] = {
    "faulty": marked("Faulty"),
    "wrong": marked("Not what was ordered"),
    "too_many": marked("Too many came"),
    "unsold": marked("Unsold"),
    "recall": marked("Recalled"),
    "other": marked("Something else"),
}
purchase_status: Mapping[str, str] = {
    "draft": marked("Draft"),
    "ordered": marked("Ordered"),
    "partially_received": marked("Partly here"),
    "received": marked("All here"),
    "cancelled": marked("Cancelled"),
}
purchase_status_kind: Mapping[str, str] = {
    "draft": "",
    "ordered": "info",
    "partially_received": "warning",
    "received": "success",
    "cancelled": "",
}
excluded: Mapping[str, str] = {
    "inactive": marked("not in use"),
    "channel": marked("does not serve this channel"),
}
count_status: Mapping[str, str] = {
    "open": marked("Being counted"),
    "submitted": marked("To be approved"),
    "closed": marked("Booked"),
    "cancelled": marked("Cancelled"),
}
transfer_status: Mapping[str, str] = {
    "in_transit": marked("Under way"),
    "received": marked("Arrived"),
    "cancelled": marked("Cancelled"),
    "lost": marked("Lost on the way"),
}


def came_of(texts: Mapping[str, str], status: str, received: int) -> str:
    """What is said of a purchase order or a transfer of which so many units have come: what came before it ended is not called off."""
    return marked("Rest called off") if status == "cancelled" and received else texts[status]


location_kind: Mapping[str, str] = {
    "store": marked("Store"),
    "warehouse": marked("Warehouse"),
    "supplier": marked("Supplier"),
    "marketplace": marked("Marketplace"),
}
product_status: Mapping[str, str] = {
    "draft": marked("Draft"),
    "active": marked("On sale"),
    "archived": marked("Archived"),
}
measure: Mapping[str, str] = {
    "piece": marked("Piece"),
    "weight": marked("Kilogram"),
    "length": marked("Metre"),
    "volume": marked("Litre"),
}
variant_status: Mapping[str, str] = {"active": marked("On sale"), "archived": marked("Archived")}
voucher_kind: Mapping[str, str] = {
    "order": marked("Sale or return"),
    "payment": marked("Payment"),
    "refund": marked("Refund"),
    "receipt": marked("Unmatched money"),
    "credit": marked("Gift card or credit"),
    "stock": marked("Cost of goods"),
    "till": marked("Drawer"),
    "closing": marked("Day closed"),
    "reversal": marked("Reversal"),
    "supplier_return": marked("Return to a supplier"),
    "tip": marked("Tip"),
}
recognition: Mapping[str, str] = {
    "paid": marked("When it is paid or handed over, whichever comes first"),
    "handed_over": marked("When it is handed over; paid before that it is a prepayment"),
}
till_reason: Mapping[str, str] = {
    "change": marked("Change from or to the safe"),
    "petty_cash": marked("Petty cash"),
    "bank_deposit": marked("Deposit at the bank"),
    "correction": marked("Correction"),
    "tips": marked("Tips paid out to the staff"),
}
tips_means: Mapping[str, str] = {
    "drawer": marked("Cash, out of a drawer"),
    "bank": marked("By the bank"),
    "wages": marked("With the wages"),
}
identifier: Mapping[str, str] = {
    "customer": marked("Customer"),
    "login": marked("Login"),
    "external_id": marked("Your number for them"),
    "loyalty": marked("Loyalty card"),
    "email": marked("E-mail"),
    "phone": marked("Phone"),
    "handle": marked("Name in a network"),
    "device": marked("Device"),
    "anonymous": marked("Browser"),
}
identifier_state: Mapping[str, str] = {
    "live": marked("Links"),
    "quarantined": marked("On too many people"),
    "blocked": marked("Nobody's own"),
}
auth: Mapping[str, str] = {
    "claimed": marked("anybody could have sent it"),
    "authenticated": marked("from a server or from staff"),
    "verified": marked("proved by the person"),
}
decision: Mapping[str, str] = {
    "same": marked("Merged"),
    "apart": marked("Taken apart"),
    "block": marked("Blocked"),
    "release": marked("Released"),
}
identity_cause: Mapping[str, str] = {
    "observed": marked("by what was seen"),
    "decided": marked("by a decision"),
    "rules": marked("by other rules"),
}
profile_field: Mapping[str, str] = {
    "name": marked("Name"),
    "email": marked("E-mail"),
    "phone": marked("Phone"),
    "country": marked("Country"),
    "locale": marked("Language"),
    "group_name": marked("Group"),
}
cart_kind: Mapping[str, str] = {
    "cart": marked("Cart"),
    "saved": marked("Saved for later"),
    "wish": marked("Wish list"),
    "quote": marked("Quote"),
}
grant_source: Mapping[str, str] = {
    "code": marked("by a code"),
    "link": marked("by a link"),
    "shown": marked("was shown it"),
    "staff": marked("given by staff"),
}
return_state: Mapping[str, str] = {
    "requested": marked("Announced"),
    "received": marked("Arrived"),
    "inspected": marked("Looked at"),
    "settled": marked("Settled"),
    "cancelled": marked("Cancelled"),
    "returned": marked("Returned"),
}
moment_kind: Mapping[str, str] = {
    "orders": marked("Orders"),
    "payments": marked("Payments"),
    "carts": marked("Carts"),
    "promotions": marked("Promotions"),
    "credit": marked("Credit and points"),
    "subscriptions": marked("Subscriptions"),
    "documents": marked("Documents"),
    "customer": marked("Details and notes"),
    "appointments": marked("Appointments"),
    "conversations": marked("Conversations"),
    "questions": marked("Questions about products"),
    "service": marked("Service in the store"),
    "identity": marked("Who is who"),
    "browsing": marked("On pages and in apps"),
}
moment_icon: Mapping[str, str] = {
    "orders": "orders",
    "payments": "card",
    "carts": "bag",
    "promotions": "tag",
    "credit": "gift",
    "subscriptions": "clock",
    "documents": "receipt",
    "customer": "customers",
    "appointments": "calendar",
    "conversations": "mail",
    "questions": "question",
    "service": "store",
    "identity": "customers",
    "browsing": "globe",
}
happened: Mapping[str, str] = {
    "appointment.booked": marked("Booked an appointment"),
    "appointment.cancelled": marked("Cancelled an appointment"),
    "appointment.due": marked("Was reminded of an appointment"),
    "appointment.kept": marked("Came to an appointment"),
    "appointment.missed": marked("Did not come to an appointment"),
    "appointment.moved": marked("Moved an appointment"),
    "appointment.reopened": marked("An appointment is open again"),
    "cart.created": marked("Began a cart"),
    "cart.line_changed": marked("Changed what is in the cart"),
    "cart.line_changed.wish": marked("Changed a wish list"),
    "cart.line_changed.saved": marked("Changed what is saved for later"),
    "cart.line_changed.quote": marked("Changed a quote"),
    "cart.checkout_started": marked("Went to the checkout"),
    "cart.abandoned": marked("Gave a cart up"),
    "cart.joined": marked("Opened the cart on another device"),
    "cart.merged": marked("Two carts became one"),
    "client.assigned": marked("A clerk looks after them"),
    "client.recommended": marked("A clerk recommended something"),
    "client.released": marked("No clerk looks after them any more"),
    "conversation.answered": marked("Got an answer"),
    "conversation.assigned": marked("Somebody looks after a conversation"),
    "conversation.begun": marked("A conversation began"),
    "conversation.changed": marked("A conversation was changed"),
    "conversation.closed": marked("A conversation is done"),
    "conversation.merged": marked("Two conversations became one"),
    "conversation.noted": marked("A note was written in a conversation"),
    "conversation.reopened": marked("A conversation is open again"),
    "conversation.snoozed": marked("A conversation was put off"),
    "conversation.split": marked("Conversations were taken apart"),
    "conversation.written": marked("Wrote again"),
    "customer.changed": marked("Details were changed"),
    "customer.created": marked("Became a customer"),
    "customer.note_added": marked("A note was written"),
    "customer.note_changed": marked("A note was changed"),
    "customer.note_deleted": marked("A note was deleted"),
    "customer.note_restored": marked("A note was brought back"),
    "customer.tagged": marked("Was tagged"),
    "customer.untagged": marked("A tag was taken off"),
    "follow_up.done": marked("A follow-up is done"),
    "follow_up.made": marked("A follow-up was planned"),
    "follow_up.reopened": marked("A follow-up is open again"),
    "gift_card.issued": marked("Got a gift card"),
    "household.joined": marked("Joined a household"),
    "household.left": marked("Left a household"),
    "identity.merged": marked("Found to be the same person as another"),
    "loyalty.earned": marked("Earned points"),
    "loyalty.expired": marked("Points expired"),
    "loyalty.joined": marked("Became a member"),
    "loyalty.released": marked("Points can be spent"),
    "loyalty.rewarded": marked("Turned points into a reward"),
    "loyalty.taken_back": marked("Points were taken back"),
    "profile.split": marked("Found to be another person"),
    "promotion.granted": marked("Got a promotion"),
    "promotion.used": marked("Used a promotion"),
    "store_credit.granted": marked("Got store credit"),
    "store_credit.redeemed": marked("Paid with store credit"),
    "subscription.started": marked("Began a subscription"),
    "subscription.cancelled": marked("Ended a subscription"),
    "subscription.paused": marked("Paused a subscription"),
    "subscription.resumed": marked("Went on with a subscription"),
}
till_sale_state: Mapping[str, str] = {
    "ordered": marked("Is an order"),
    "done": marked("Done here, too"),
    "kept": marked("Waits for a decision"),
    "training": marked("Training"),
    "written_off": marked("Written off"),
}
till_sale_kind: Mapping[str, str] = {
    "ordered": "success",
    "done": "success",
    "kept": "warning",
    "training": "",
    "written_off": "danger",
}
till_key_state: Mapping[str, str] = {
    "good": marked("In use"),
    "replaced": marked("Replaced"),
    "revoked": marked("Taken back"),
}
till_key_kind: Mapping[str, str] = {"good": "success", "replaced": "", "revoked": "danger"}
till_device_state: Mapping[str, str] = {
    "heard": marked("All right"),
    "stuck": marked("Does not send"),
    "silent": marked("Silent, with unsent sales"),
    "quiet": marked("Quiet for a day"),
    "put-away": marked("Put away"),
}
till_device_kind: Mapping[str, str] = {
    "heard": "success",
    "stuck": "warning",
    "silent": "danger",
    "quiet": "",
    "put-away": "",
}
till_entry_kind: Mapping[str, str] = {
    "sale": marked("Sale"),
    "return": marked("Goods that came back"),
    "return-unknown": marked("Goods without a receipt"),
    "pick-up": marked("Handed over"),
    "drawer-open": marked("Drawer opened"),
    "drawer-move": marked("Cash in or out"),
    "drawer-close": marked("Drawer counted"),
    "other": marked("Unknown"),
}
till_tender: Mapping[str, str] = {
    "cash": marked("Cash"),
    "card": marked("Card"),
    "other": marked("Other"),
}
