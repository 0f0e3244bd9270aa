"""Settings of who sells, of invoices, of the shop's pages, and of what is said to customers. Part of `samlad.channels.settings`."""

from typing import Annotated, Literal

from msgspec import Meta

from samlad.channels.setting import Setting

_Line = Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
_Host = Annotated[str, Meta(max_length=253, pattern=r"^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?)?$")]

_Label = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_Origin = Annotated[
    str,
    Meta(max_length=260, pattern=rf"^https://{_Label}(?:\.{_Label})+(?::[1-9]\d{{0,4}})?(?!\n)$"),
]

SITE = (
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
        Annotated[list[Annotated[str, Meta(max_length=40, pattern=r"^[a-z][a-z-]*$")]], Meta(max_length=40)],
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
