"""Settings of how goods are held, sold and handed over: prices, holds, tills, kiosks, carts, routing and payment. Part of `samlad.channels.settings`."""

from typing import Annotated, Literal

from msgspec import Meta

from samlad.channels.setting import Setting

SELLING = (
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
        "marketplace_hold_seconds",
        Annotated[int, Meta(ge=0, le=14 * 86_400)],
        86_400,
        "How long stock is held for an order that is not paid on its marketplace yet (seconds); 0: not at all",
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
    Setting(
        "deposit_offered",
        bool,
        False,
        "Customers may choose in the checkout to pay only the least deposit now, and the rest before the goods leave",
    ),
    Setting(
        "deposit_days",
        Annotated[int, Meta(ge=0, le=730)],
        0,
        "Within how many days after the order the rest of one with a deposit is to be paid; 0: no day is agreed, nobody is reminded",
    ),
)
