"""Channel settings: one table of what there is, with types. What is not in it is refused."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from samlad.kernel.problems import FieldError, InvalidInput


class Setting(msgspec.Struct, frozen=True):
    """One setting: ``type`` is what msgspec converts to; ``default`` holds where no ancestor sets it."""

    name: str
    type: Any
    default: Any
    description: str


_Line = Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
_SCALE = r"^(?:se|gb|de|plain|2\dI{2,7}V?(?:P{4,5}|W{4,5})C\.[0-3])(?!\n)$"
_Host = Annotated[str, Meta(max_length=253, pattern=r"^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?)?$")]

_Label = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_Origin = Annotated[
    str,
    Meta(max_length=260, pattern=rf"^https://{_Label}(?:\.{_Label})+(?::[1-9]\d{{0,4}})?(?!\n)$"),
]

SETTINGS: dict[str, Setting] = {
    setting.name: setting
    for setting in (
        Setting("prices_include_tax", bool, True, "Prices are shown and kept with tax in them"),
        Setting(
            "hold_policy",
            Literal["none", "cart", "checkout", "order"],
            "checkout",
            "When stock is held: in the cart, at checkout, only when the order is placed, or never (then sales may be refused late)",
        ),
        Setting(
            "cart_hold_seconds",
            Annotated[int, Meta(ge=30, le=86_400)],
            1_800,
            "How long a cart holds its stock after its last change, where stock is held in carts (seconds)",
        ),
        Setting(
            "checkout_hold_seconds",
            Annotated[int, Meta(ge=30, le=86_400)],
            900,
            "How long a checkout holds its stock (seconds)",
        ),
        Setting(
            "parked_hold_seconds",
            Annotated[int, Meta(ge=0, le=7 * 86_400)],
            14_400,
            "How long a sale that is parked at a till holds its stock (seconds); 0: not at all",
        ),
        Setting(
            "till_lease_seconds",
            Annotated[int, Meta(ge=60, le=14 * 86_400)],
            86_400,
            "How long a till keeps the stock that it has leased to sell without network (seconds)",
        ),
        Setting(
            "till_gift_card_limit",
            Annotated[int, Meta(ge=0, le=100_000_000)],
            0,
            "What a till may take of a gift card without network, of one that was looked up in its store before (minor units); 0: nothing",
        ),
        Setting(
            "till_lock_seconds",
            Annotated[int, Meta(ge=0, le=86_400)],
            0,
            "After so many seconds without a touch a till locks itself until a clerk's PIN or badge; 0: never",
        ),
        Setting(
            "till_pins",
            Literal["long", "all", "none"],
            "long",
            "Which PINs a till knows without network: those of six digits and more, all, or none; badges always, and a kiosk no short ones",
        ),
        Setting(
            "kiosk_idle_seconds",
            Annotated[int, Meta(ge=30, le=1_800)],
            90,
            "After so many seconds without a touch a kiosk asks whether somebody is still there, and 30 seconds later begins anew",
        ),
        Setting(
            "kiosk_staff_categories",
            Annotated[
                list[Annotated[str, Meta(max_length=200, pattern=r"^[a-z0-9-]+(?:/[a-z0-9-]+)*(?!\n)$")]],
                Meta(max_length=50),
            ],
            [],
            "Categories (by their path, with all below them) whose goods a kiosk sells only after staff have looked at the customer",
        ),
        Setting(
            "till_lease_percent",
            Annotated[int, Meta(ge=0, le=100)],
            20,
            "How much of what is free in its store a till leases of what is sold there most (percent); 0: nothing",
        ),
        Setting(
            "till_customer_months",
            Annotated[int, Meta(ge=0, le=36)],
            12,
            "Members who bought in a store in so many months are on its tills without network; 0: nobody",
        ),
        Setting(
            "till_customer_days",
            Annotated[int, Meta(ge=1, le=30)],
            7,
            "After so many days without contact a till forgets the customers that it carries",
        ),
        Setting(
            "handover_seconds",
            Annotated[int, Meta(ge=30, le=3_600)],
            600,
            "How long a link or code that opens a cart on another device is good (seconds)",
        ),
        Setting(
            "cart_merge",
            Literal["larger", "add", "keep"],
            "larger",
            "When a guest turns out to be a customer with a cart: take the larger quantity, add up, or keep this and offer the rest",
        ),
        Setting(
            "cart_merge_paying",
            Literal["larger", "add", "keep"],
            "keep",
            "The same in the middle of a checkout and at a till",
        ),
        Setting(
            "shipping_flat",
            Annotated[int, Meta(ge=0, le=100_000_000)],
            0,
            "What shipping an order costs, in minor units of the channel's currency, taxed as prices are kept here",
        ),
        Setting(
            "buffer",
            Annotated[int, Meta(ge=0, le=1_000_000)],
            0,
            "Units of each variant that this channel does not promise, kept for the others",
        ),
        Setting(
            "routing",
            Annotated[
                str,
                Meta(
                    max_length=36,
                    pattern=r"^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})?(?!\n)$",
                ),
            ],
            "",
            "Id of the routing rules that say which location sends an order; empty: own store first, then by priority",
        ),
        Setting(
            "number_prefix",
            Annotated[str, Meta(max_length=12, pattern=r"^[A-Z0-9-]*$")],
            "",
            "What order numbers begin with",
        ),
        Setting(
            "pick_minutes",
            Annotated[int, Meta(ge=5, le=20_160)],
            120,
            "How soon a store or warehouse should have picked what was ordered (minutes of its opening hours)",
        ),
        Setting(
            "pickup_days",
            Annotated[int, Meta(ge=1, le=90)],
            7,
            "How many days an order waits in the store for whoever picks it up",
        ),
        Setting(
            "payment_providers",
            Annotated[
                list[Annotated[str, Meta(max_length=40, pattern=r"^[a-z][a-z0-9_-]*$")]], Meta(max_length=30)
            ],
            [],
            "Ways to pay that this channel offers, in their order; empty: those that give no credit and need no keys",
        ),
        Setting(
            "payment_capture",
            Literal["placed", "manual"],
            "placed",
            "When reserved money is taken: as soon as the order is placed, or when somebody says so",
        ),
        Setting(
            "discount_limit",
            Annotated[int, Meta(ge=0, le=100)],
            10,
            "What staff may take off by hand at a till without a manager, percent of the ticket",
        ),
        Setting(
            "deposit_percent",
            Annotated[int, Meta(ge=0, le=99)],
            0,
            "The least part of an order that is paid at once where a deposit is agreed, percent",
        ),
        Setting("tips", bool, False, "Customers may give something for the staff when they pay at a till"),
        Setting(
            "tip_percents",
            Annotated[list[Annotated[int, Meta(ge=1, le=100)]], Meta(max_length=6)],
            [5, 10, 15],
            "Tips that a till offers, percent of what is to be paid",
        ),
        Setting(
            "tip_amounts",
            Annotated[list[Annotated[int, Meta(ge=1, le=10_000_000)]], Meta(max_length=6)],
            [],
            "Tips that a till offers, minor units of the channel's currency",
        ),
        Setting(
            "scale_codes",
            Annotated[list[Annotated[str, Meta(max_length=15, pattern=_SCALE)]], Meta(max_length=20)],
            [],
            "How the store's scales print codes: se, gb, de, plain, or layouts such as 21IIIIIWWWWWC.3 (I article, W weight, P price, V its check digit, C the last one, then decimals)",
        ),
        Setting(
            "cash_step",
            Annotated[int, Meta(ge=0, le=100_000)],
            0,
            "What totals that are paid in cash are rounded to, minor units (5: to five cents; 1: not rounded); 0: as the country does",
        ),
        Setting(
            "payment_days",
            Annotated[int, Meta(ge=0, le=365)],
            14,
            "Days that customers have to pay an invoice or a bank transfer",
        ),
        Setting(
            "gift_card_months",
            Annotated[int, Meta(ge=0, le=1200)],
            0,
            "How long gift cards issued here pay, in months; 0 for ever. Where the law of the country says longer, that holds",
        ),
        Setting(
            "tax_oss",
            bool,
            False,
            "Consumers in other EU countries pay the tax of their own, told in the one-stop shop; false: below the threshold, they pay that of the seller's",
        ),
        Setting(
            "tax_distance_threshold",
            Annotated[int, Meta(ge=0, le=10**12)],
            0,
            "Net distance sales a calendar year up to which the seller's own tax is right, minor units of the channel's currency; 0: what the law says (10,000 EUR)",
        ),
        Setting(
            "tax_scheme",
            Literal["normal", "small_business"],
            "normal",
            "Small businesses that their country exempts take no tax; their invoices say so",
        ),
        Setting(
            "tax_foreign_price",
            Literal["gross", "net", "net_if_untaxed"],
            "gross",
            "Where another tax than at home is in a price with tax: it stays, its net stays, or its net stays only where no tax is taken",
        ),
        Setting(
            "tax_rounding",
            Literal["country", "line", "total"],
            "country",
            "Where tax is rounded: once a line, once a rate, or as the country does",
        ),
        Setting(
            "tax_vat_number",
            Literal["off", "optional"],
            "off",
            "Whether businesses can give a VAT number in the checkout",
        ),
        Setting(
            "tax_unchecked_number",
            Literal["consumer", "business"],
            "consumer",
            "How is sold to a VAT number that VIES has not answered for yet",
        ),
        Setting(
            "tax_engine",
            Annotated[str, Meta(max_length=40, pattern=r"^[a-z][a-z0-9_-]*$")],
            "own",
            "Which engine decides about tax: our own, or an outside one that this installation has",
        ),
        Setting(
            "tax_engine_silent",
            Literal["own", "refuse"],
            "own",
            "When an outside engine does not answer in time: our own decides, or nothing is sold",
        ),
        Setting(
            "return_days",
            Annotated[int, Meta(ge=0, le=3650)],
            14,
            "Days in which goods may come back, from hand-over; what is sold at a distance in the EU has 14 at least",
        ),
        Setting(
            "return_opened",
            Literal["sell", "quarantine", "scrap"],
            "quarantine",
            "What becomes of goods that come back and were opened: sold again, put aside, thrown away",
        ),
        Setting(
            "return_damaged",
            Literal["sell", "quarantine", "scrap"],
            "scrap",
            "What becomes of goods that come back and are damaged: sold again, put aside, thrown away",
        ),
        Setting(
            "return_defective",
            Literal["sell", "quarantine", "scrap"],
            "quarantine",
            "What becomes of goods that come back and do not work: sold again, put aside, thrown away",
        ),
        Setting(
            "return_shipping",
            Annotated[int, Meta(ge=0, le=100_000_000)],
            0,
            "What sending goods back costs a customer who pays for it, minor units with tax",
        ),
        Setting(
            "return_limit",
            Annotated[int, Meta(ge=0, le=2**52)],
            0,
            "What staff may give back at once without a manager, minor units; 0: any amount",
        ),
        Setting(
            "goodwill_limit",
            Annotated[int, Meta(ge=0, le=2**52)],
            10_000,
            "What staff may give back for goods that stay without a manager, minor units",
        ),
        Setting(
            "exchange_days",
            Annotated[int, Meta(ge=1, le=365)],
            14,
            "Days in which announced returns, and goods that were exchanged before they were back, are to come",
        ),
        Setting(
            "instant_exchange",
            bool,
            False,
            "Customers who exchange by themselves get the new goods before the old ones are back, if these cost no more",
        ),
        Setting(
            "exchange_patience",
            Annotated[int, Meta(ge=0, le=365)],
            7,
            "Days after that on which new goods are charged whose old ones never came",
        ),
        Setting(
            "no_receipt_days",
            Annotated[int, Meta(ge=1, le=3650)],
            90,
            "Without a receipt goods are worth their lowest price of so many days",
        ),
        Setting(
            "signal_days",
            Annotated[int, Meta(ge=1, le=3650)],
            90,
            "Over how many days signals of misused returns look back",
        ),
        Setting(
            "signal_returns",
            Annotated[int, Meta(ge=1, le=10_000)],
            5,
            "So many returns of a customer in that time are pointed out",
        ),
        Setting(
            "signal_share",
            Annotated[int, Meta(ge=1, le=100)],
            60,
            "When so much of what a customer bought in that time comes back it is pointed out (percent)",
        ),
        Setting(
            "signal_score",
            Annotated[int, Meta(ge=0, le=1_000)],
            0,
            "From so many points of signals on a manager agrees to a return, with a reason; 0: never",
        ),
        Setting(
            "subscription_hour",
            Annotated[int, Meta(ge=0, le=23)],
            6,
            "The hour of the day, on this channel's clock, at which the repeat orders of the day are placed",
        ),
        Setting(
            "subscription_notice_days",
            Annotated[int, Meta(ge=0, le=60)],
            3,
            "Days before a repeat order on which its customer is told that it comes",
        ),
        Setting(
            "subscription_price_notice_days",
            Annotated[int, Meta(ge=0, le=90)],
            14,
            "Days before which customers are told that a repeat order costs more than the one before; until then the old price stands. 0: it costs more at once",
        ),
        Setting(
            "subscription_retry_days",
            Annotated[list[Annotated[int, Meta(ge=1, le=60)]], Meta(max_length=10)],
            [1, 3, 5, 7],
            "Days after a payment that was declined on which it is tried again",
        ),
        Setting(
            "subscription_exhausted",
            Literal["pause", "cancel"],
            "pause",
            "What becomes of a subscription when the last of these tries was declined too",
        ),
        Setting(
            "subscription_stock_days",
            Annotated[int, Meta(ge=0, le=60)],
            7,
            "Days that a repeat order waits for goods before it is skipped, where its plan waits",
        ),
        Setting(
            "legal_entity",
            Annotated[
                str,
                Meta(
                    max_length=36,
                    pattern=r"^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})?(?!\n)$",
                ),
            ],
            "",
            "Id of the legal entity that sells here and issues documents; empty: the default one",
        ),
        Setting(
            "invoice_when",
            Literal["request", "paid", "fulfilled"],
            "request",
            "When an order gets its invoice: when somebody asks, once it is paid, or once all of it has left",
        ),
        Setting(
            "storefront_open",
            bool,
            True,
            "Everybody may come into the storefront; false: it says that it opens soon, and only staff see it",
        ),
        Setting(
            "setup_later",
            Annotated[
                list[Annotated[str, Meta(max_length=40, pattern=r"^[a-z][a-z-]*$")]], Meta(max_length=40)
            ],
            [],
            "Steps of setting up the shop that were put off",
        ),
        Setting("storefront_host", _Host, "", "Host name under which this channel's storefront answers"),
        Setting(
            "cookie_banner",
            bool,
            False,
            "Visitors are asked for cookie categories before any script runs that needs one; the shop itself needs none",
        ),
        Setting(
            "script_origins",
            Annotated[list[_Origin], Meta(max_length=20)],
            [],
            "Where scripts of others may come from and send to, such as https://cdn.example.com: https, no wildcard, no path. "
            "Only pages of the storefront that show goods and texts let them in; none of account, checkout, admin and till",
        ),
        Setting(
            "terms_href", _Line, "", "Page with the terms, which the checkout links to, such as /pages/terms"
        ),
        Setting(
            "content_attribute",
            Annotated[str, Meta(max_length=60, pattern=r"^[a-z0-9_-]*(?!\n)$")],
            "net_content",
            "Code of the attribute that says how much a piece holds (500 g, 6 x 33 cl); price tags say the price of a unit by it",
        ),
        Setting(
            "answer_minutes",
            Annotated[int, Meta(ge=0, le=30 * 24 * 60)],
            0,
            "Within so many minutes of opening hours who waits in a conversation is to have an answer; 0: no target",
        ),
        Setting("contact_email", _Line, "", "Where customers of this channel write to"),
        Setting(
            "order_mails",
            bool,
            True,
            "Buyers get mails of their orders: placed, a parcel on its way, cancelled, returns, money back; off where another system writes them",
        ),
        Setting("receipt_footer", _Line, "", "Last line of receipts"),
    )
}


def default_of(name: str) -> Any:
    """The declared default. Raises KeyError for a setting that is not declared."""
    return SETTINGS[name].default


def check_settings(values: dict[str, Any]) -> None:
    """Refuse settings that are not declared or whose value has the wrong type; null is allowed and means *inherit*.

    Raises:
        InvalidInput: with one error for each faulty setting.
    """
    errors = []
    for name, value in values.items():
        if name not in SETTINGS:
            errors.append(FieldError(f"settings/{name}", f"unknown; there are {', '.join(SETTINGS)}"))
        elif value is not None:
            try:
                msgspec.convert(value, SETTINGS[name].type)
            except msgspec.ValidationError as error:
                errors.append(FieldError(f"settings/{name}", str(error)))
    if errors:
        raise InvalidInput("Some settings are not right.", errors=tuple(errors))
