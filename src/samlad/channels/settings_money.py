"""Settings of tips, cash, credit and tax. Part of `samlad.channels.settings`."""

from typing import Annotated, Literal

from msgspec import Meta

from samlad.channels.setting import Setting

_SCALE = r"^(?:se|gb|de|plain|2\dI{2,7}V?(?:P{4,5}|W{4,5})C\.[0-3])(?!\n)$"

MONEY = (
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
        "gift_card_shop_limit",
        Annotated[int, Meta(ge=0, le=100_000_000)],
        0,
        "What a gift card that is bought in the shop may be worth at most (minor units); 0: the shop sells none",
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
)
