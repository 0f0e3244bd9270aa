"""How the settings of a channel are called, what they are for, and what their choices say."""

from collections.abc import Mapping

from samlad.kernel.i18n import marked

setting: Mapping[str, tuple[str, str]] = {
    "prices_include_tax": (
        marked("Prices include tax"),
        marked("Prices are kept and shown with tax in them."),
    ),
    "hold_policy": (
        marked("When stock is held"),
        marked("The later, the more is on sale, and the more often a sale is refused late."),
    ),
    "checkout_hold_seconds": (
        marked("How long a checkout holds its stock, in seconds"),
        marked("Then it is on sale again."),
    ),
    "cart_hold_seconds": (
        marked("How long a cart holds its stock, in seconds"),
        marked("Counted from its last change, where stock is held in carts."),
    ),
    "parked_hold_seconds": (
        marked("How long a parked sale holds its stock, in seconds"),
        marked("0: it holds nothing."),
    ),
    "marketplace_hold_seconds": (
        marked("How long an unpaid order of a marketplace holds its stock, in seconds"),
        marked("Then it is on sale again, unless the order has come. 0: it holds nothing."),
    ),
    "till_lease_seconds": (
        marked("How long a till keeps leased stock, in seconds"),
        marked("What a till may sell without network is on sale elsewhere again after that."),
    ),
    "till_gift_card_limit": (
        marked("What a till may take of a gift card without network"),
        marked("Of a card that was looked up in its store before. 0: nothing."),
    ),
    "till_lock_seconds": (
        marked("After how many seconds without a touch a till locks itself"),
        marked("Until a clerk's PIN or badge. 0: never."),
    ),
    "till_pins": (
        marked("Which PINs a till knows without network"),
        marked(
            "Whoever takes a till apart can try four digits through in an hour. Badges always work; a kiosk never knows short PINs."
        ),
    ),
    "till_lease_percent": (
        marked("How much of its store's free stock a till leases, in percent"),
        marked("Of what is sold there most. 0: nothing."),
    ),
    "kiosk_idle_seconds": (
        marked("When a kiosk asks whether somebody is still there, in seconds"),
        marked("Half a minute later it clears the basket and the customer, and begins anew."),
    ),
    "kiosk_staff_categories": (
        marked("What a kiosk sells only after staff have looked"),
        marked(
            "Paths of categories with commas, for example drinks/wine: staff show their badge or PIN there."
        ),
    ),
    "till_customer_months": (
        marked("Which members tills know without network, in months"),
        marked("Those who bought in the store in so many months. 0: nobody."),
    ),
    "till_customer_days": (
        marked("After how many days without contact a till forgets customers"),
        marked("It gets them again when it has a network."),
    ),
    "handover_seconds": (
        marked("How long a cart's link or code is good, in seconds"),
        marked("The one that opens a cart on another device, once."),
    ),
    "cart_merge": (
        marked("When a guest turns out to be a customer with a cart"),
        marked("While they browse; it can always be undone."),
    ),
    "cart_merge_paying": (
        marked("The same in a checkout and at a till"),
        marked("Nothing comes in by itself if this cart is kept and the rest offered."),
    ),
    "tax_oss": (
        marked("One-stop shop (OSS)"),
        marked("Consumers in other EU countries pay their own country's tax, told in one return."),
    ),
    "tax_distance_threshold": (
        marked("Threshold of distance sales"),
        marked("Net a calendar year. 0: what the law says, 10,000 EUR for all other EU countries together."),
    ),
    "tax_scheme": (
        marked("Tax scheme"),
        marked("Small businesses that their country exempts take no tax, and their invoices say so."),
    ),
    "tax_foreign_price": (
        marked("Prices where another tax is due"),
        marked("Of prices with tax in them, where goods go to a country with another tax, or without."),
    ),
    "tax_rounding": (
        marked("Where tax is rounded"),
        marked("Sums never differ from their lines, whichever it is."),
    ),
    "tax_vat_number": (
        marked("VAT number in the checkout"),
        marked("For businesses in other EU countries, who then buy without tax."),
    ),
    "tax_unchecked_number": (
        marked("While a VAT number is not checked"),
        marked("VIES, the EU's register, is sometimes silent. It is asked again until it answers."),
    ),
    "tax_engine": (
        marked("Tax engine"),
        marked("Our own, or the name of an outside one that this installation has."),
    ),
    "tax_engine_silent": (
        marked("When an outside tax engine is silent"),
        marked("Our own engine decides then, or the sale waits."),
    ),
    "shipping_flat": (
        marked("What shipping an order costs"),
        marked("In the channel's currency, with or without tax as its prices are."),
    ),
    "buffer": (
        marked("Pieces kept back"),
        marked("So many of each variant are not promised here; they are kept for the other channels."),
    ),
    "routing": (
        marked("Routing rules"),
        marked(
            "The id of the rules that say which location sends an order; empty: own store first, then by priority."
        ),
    ),
    "number_prefix": (marked("Order numbers begin with"), marked("Capital letters, digits and hyphens.")),
    "pick_minutes": (
        marked("Minutes until an order is picked"),
        marked("The target of this store, in minutes of its opening hours. What is later is marked late."),
    ),
    "pickup_days": (
        marked("Days that an order waits for its customer"),
        marked("Then it goes back to the shelf, and the money goes back."),
    ),
    "payment_providers": (
        marked("Ways to pay"),
        marked(
            "With commas, in their order: test, stripe, invoice, bank_transfer, on_delivery, cash, terminal, till_card."
        ),
    ),
    "payment_capture": (
        marked("When reserved money is taken"),
        marked("A card's money is reserved when the order is placed."),
    ),
    "discount_limit": (
        marked("Discount by hand without a manager, in percent"),
        marked("Of the whole ticket. Beyond it a manager approves with their PIN; 0: always."),
    ),
    "scale_codes": (
        marked("Codes of scales"),
        marked(
            "With commas: se, gb, de, plain, or a layout such as 21IIIIIWWWWWC.3. Print one on the scale and scan it here."
        ),
    ),
    "cash_step": (
        marked("Smallest coin, in minor units"),
        marked("What is paid in cash is rounded to it. 0: as the country does; 1: nothing is rounded."),
    ),
    "payment_days": (
        marked("Days to pay an invoice or bank transfer"),
        marked("After that the customer is reminded."),
    ),
    "gift_card_shop_limit": (
        marked("What a gift card that is bought in the shop may be worth at most"),
        marked(
            "It goes to its recipient by mail, on the day that the buyer chooses. 0: the shop sells none."
        ),
    ),
    "gift_card_months": (
        marked("How long gift cards pay, in months"),
        marked("0: for ever. Where the law of the country says longer, that holds."),
    ),
    "subscription_hour": (
        marked("Hour at which repeat orders are placed"),
        marked("On the channel's own clock, 0 to 23."),
    ),
    "subscription_notice_days": (
        marked("Days before a repeat order on which its customer is told"),
        marked("With what it will cost."),
    ),
    "subscription_price_notice_days": (
        marked("Days before which a higher price of a repeat order is told"),
        marked("Until then the old price stands. 0: it costs more at once."),
    ),
    "subscription_retry_days": (
        marked("Days on which a declined payment of a repeat order is tried again"),
        marked("Counted from the first try, with commas between them."),
    ),
    "subscription_exhausted": (
        marked("When the last of these tries was declined too"),
        marked("What becomes of the subscription."),
    ),
    "subscription_stock_days": (
        marked("Days that a repeat order waits for goods"),
        marked("Then it is skipped. Only where its plan waits."),
    ),
    "return_days": (
        marked("Days in which goods may come back"),
        marked("From hand-over. What is sold at a distance in the EU can be returned for 14 days at least."),
    ),
    "return_opened": (marked("Opened goods that come back"), marked("What becomes of them.")),
    "return_damaged": (marked("Damaged goods that come back"), marked("What becomes of them.")),
    "return_defective": (marked("Defective goods that come back"), marked("What becomes of them.")),
    "return_shipping": (
        marked("What sending back costs"),
        marked("For customers who pay for it, by the reason. With tax."),
    ),
    "return_limit": (
        marked("What staff may give back alone"),
        marked("Above it a manager says why. 0: any amount."),
    ),
    "goodwill_limit": (
        marked("What staff may give as goodwill alone"),
        marked("For goods that stay with the customer. Above it a manager says why."),
    ),
    "exchange_days": (
        marked("Days until an announced return is overdue"),
        marked("Also for goods whose exchange has left already."),
    ),
    "exchange_patience": (
        marked("Days until an exchange whose goods never came is charged"),
        marked("Counted from the day on which they were due: as was agreed, else by invoice."),
    ),
    "no_receipt_days": (
        marked("Days that count without a receipt"),
        marked("Goods are then worth their lowest price of so many days."),
    ),
    "signal_days": (
        marked("Days that signs of misused returns look back"),
        marked("They are shown; nothing is refused for them."),
    ),
    "signal_returns": (marked("Returns of a customer to point out"), marked("So many in that time.")),
    "signal_share": (
        marked("Share of what comes back to point out, in percent"),
        marked("Of what a customer bought in that time."),
    ),
    "signal_score": (
        marked("From how many points of signs a manager agrees to a return"),
        marked("Each sign has its points, shown in the manual. 0: never."),
    ),
    "storefront_open": (
        marked("The web shop is open"),
        marked("If not, visitors read that it opens soon, and only staff see it."),
    ),
    "setup_later": (
        marked("Steps of setting up that were put off"),
        marked("They can be taken up again on the page “Set up the shop”."),
    ),
    "storefront_host": (
        marked("Host name of the web shop"),
        marked("Where browsers find it, for example shop.example.com."),
    ),
    "answer_minutes": (
        marked("Answers to customers within (minutes)"),
        marked(
            "Only opening hours of the channel count. Who waits longer is marked in the conversations. 0: no target."
        ),
    ),
    "script_origins": (
        marked("Where scripts of others may come from"),
        marked(
            "With commas, for example https://cdn.example.com: https, without * and without a path. They run in pages of goods and texts, once a visitor has agreed; never in account, checkout, till or admin."
        ),
    ),
    "instant_exchange": (
        marked("New goods before the old ones are back"),
        marked("For customers who exchange by themselves, where what is new costs no more."),
    ),
    "terms_href": (
        marked("Page with the terms"),
        marked("The checkout links to it, for example /pages/terms."),
    ),
    "content_attribute": (
        marked("Attribute for the price of a unit"),
        marked(
            "Its code. It says how much a piece holds, like 500 g or 6 x 33 cl; price tags have the price of a unit by it."
        ),
    ),
    "order_mails": (
        marked("Mails of orders"),
        marked(
            "Buyers hear by mail that their order is placed, on its way or cancelled, of what they send back and of money that goes back. "
            "Turn it off where another system writes them."
        ),
    ),
    "contact_email": (marked("E-mail for customers"), marked("Where they write to.")),
    "legal_entity": (
        marked("Who sells"),
        marked("The id of the legal entity that documents of this channel name; empty: the default one."),
    ),
    "invoice_when": (
        marked("When an order gets its invoice"),
        marked("Say who sells before you let it happen by itself: numbers cannot be taken back."),
    ),
    "deposit_percent": (
        marked("Least deposit, in percent"),
        marked("Of orders whose rest is paid before the goods leave. 0 leaves it to whoever agrees on it."),
    ),
    "deposit_offered": (
        marked("Deposits in the checkout"),
        marked("Customers may pay only the least deposit now, and the rest before the goods leave."),
    ),
    "deposit_days": (
        marked("Days to pay the rest after a deposit"),
        marked("They are reminded by mail before that day and after it. 0 agrees on no day."),
    ),
    "tips": (
        marked("Customers may give a tip at a till"),
        marked("They are asked when they pay. Off is usual in shops."),
    ),
    "tip_percents": (
        marked("Tips that a till offers, in percent"),
        marked("With commas between them, for example 5, 10, 15."),
    ),
    "tip_amounts": (
        marked("Tips that a till offers, as amounts in cents"),
        marked("With commas between them, for example 100, 200. Empty: percentages only."),
    ),
    "cookie_banner": (
        marked("Visitors are asked for cookie categories"),
        marked("Before any script runs that needs one. The shop itself needs none."),
    ),
    "receipt_footer": (marked("Last line of receipts"), marked("A thank you, or how to return things.")),
}
hold_policy: Mapping[str, str] = {
    "none": marked("Never"),
    "cart": marked("In the cart"),
    "checkout": marked("At the checkout"),
    "order": marked("When the order is placed"),
}
till_pins: Mapping[str, str] = {
    "long": marked("Those of six digits and more"),
    "all": marked("All, short ones too"),
    "none": marked("None: badges only"),
}
payment_capture: Mapping[str, str] = {
    "placed": marked("As soon as the order is placed"),
    "manual": marked("When somebody says so"),
}
cart_merge: Mapping[str, str] = {
    "larger": marked("Put both together, with the larger quantity of the same"),
    "add": marked("Put both together, added up"),
    "keep": marked("Keep this one and offer the rest"),
}
tax_scheme: Mapping[str, str] = {
    "normal": marked("Normal"),
    "small_business": marked("Small business, exempt"),
}
tax_foreign_price: Mapping[str, str] = {
    "gross": marked("The price stays, another part of it is tax"),
    "net": marked("The price without tax stays"),
    "net_if_untaxed": marked("The price stays; without tax where none is due"),
}
tax_rounding: Mapping[str, str] = {
    "country": marked("As the country does"),
    "line": marked("Once a line"),
    "total": marked("Once a rate, over the whole order"),
}
tax_vat_number: Mapping[str, str] = {"off": marked("Not asked for"), "optional": marked("May be given")}
tax_unchecked_number: Mapping[str, str] = {
    "consumer": marked("Sell with tax, as to a consumer"),
    "business": marked("Trust the number, and sell without"),
}
tax_engine_silent: Mapping[str, str] = {
    "own": marked("Decide by our own engine"),
    "refuse": marked("Refuse the sale for now"),
}
return_goods: Mapping[str, str] = {
    "sell": marked("Sold again"),
    "quarantine": marked("Put aside to look at"),
    "scrap": marked("Thrown away"),
}
invoice_when: Mapping[str, str] = {
    "request": marked("When somebody asks for it"),
    "paid": marked("Once it is paid"),
    "fulfilled": marked("Once all of it has left"),
}
choices: Mapping[str, Mapping[str, str]] = {
    "tax_scheme": tax_scheme,
    "tax_foreign_price": tax_foreign_price,
    "tax_rounding": tax_rounding,
    "tax_vat_number": tax_vat_number,
    "tax_unchecked_number": tax_unchecked_number,
    "tax_engine_silent": tax_engine_silent,
    "subscription_exhausted": {
        "pause": marked("It is paused"),
        "cancel": marked("It is cancelled"),
    },
    "return_opened": return_goods,
    "return_damaged": return_goods,
    "return_defective": return_goods,
    "till_pins": till_pins,
    "hold_policy": hold_policy,
    "cart_merge": cart_merge,
    "cart_merge_paying": cart_merge,
    "payment_capture": payment_capture,
    "invoice_when": invoice_when,
}
"""Settings of a channel that take one of a few values."""
