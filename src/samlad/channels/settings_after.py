"""Settings of what comes after a sale: returns, exchanges, signals of abuse, and subscriptions. Part of `samlad.channels.settings`."""

from typing import Annotated, Literal

from msgspec import Meta

from samlad.channels.setting import Setting

AFTER = (
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
)
