"""What facts come to in the book, as pure functions: targets by entry, and the difference to what is booked.

A fact is booked by its target: what an order, a payment or a refund should have in the book as it is now. What is
missing to that becomes a voucher. So a fact that is told twice, late or out of order books nothing that is there already.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from uuid import UUID

import msgspec

from samlad.books.model import Entry, Recognition
from samlad.kernel.money import allocate, share

Amounts = dict[Entry, int]
"""Minor units by entry; debit is positive. They come to zero in each currency."""


class OrderLineFact(msgspec.Struct, frozen=True, kw_only=True):
    """What the book needs of an order's line. ``reduced`` is what promotions took off it, as quoted; ``cost_e4`` what its
    goods cost that have left (ten-thousandths), known where they are taxed on the margin."""

    kind: str
    quantity: int
    fulfilled: int
    cancelled: int
    tax_rate: int
    tax_included: bool
    tax: int
    total: int
    reduced: int
    tax_country: str | None = None
    tax_treatment: str | None = None
    is_taxable: bool = True
    cost_e4: int | None = None


MARKED = frozenset({"intra_eu", "reverse_charge", "export", "oss", "ioss", "margin"})
"""Rules of tax whose sales are booked under a purpose of their own, so that returns and lists for the tax office can be
made from the book."""


class OrderFact(msgspec.Struct, frozen=True, kw_only=True):
    """What the book needs of an order. ``margin_rate``: of tax on margins (basis points), where a line is taxed so.
    ``on_account``: what came in (less what went back) of one with a deposit, minor units."""

    id: UUID
    number: str
    channel: UUID
    location: UUID | None
    kind: str
    status: str
    payment_status: str
    delivery: str | None
    country: str | None
    currency: str
    local_day: date
    imported: str | None
    lines: list[OrderLineFact]
    margin_rate: int = 0
    on_account: int = 0

    @property
    def is_paid(self) -> bool:
        """Whether all of it was paid, also if it went back since."""
        return self.payment_status in ("paid", "refunded")


def tender_purpose(tender: str, location_code: str | None) -> str:
    """What money of a tender is: in a drawer, with a provider, or a debt of ours that is smaller now."""
    if tender == "cash":
        return f"cash:{location_code}" if location_code else "cash"
    if tender == "gift_card":
        return "gift_cards"
    if (
        tender == "exchange"
    ):  # what came back of another order and was not paid out: we owe it to the same customer
        return "receivables"
    return "store_credit" if tender == "store_credit" else f"clearing:{tender}"


def settlement_target(
    provider: str, kind: str, amount: int, fee: int, currency: str, channel: UUID
) -> Amounts:
    """An entry of a payment provider's account: what it kept, corrected or paid out. Customers' money is booked by its
    payments; here only the fee is news."""
    target: Amounts = {}

    def put(purpose: str, value: int) -> None:
        entry = Entry(purpose, currency, channel, None, provider)
        target[entry] = target.get(entry, 0) + value

    clearing = tender_purpose(provider, None)
    put("provider_fees", fee)
    put(clearing, -fee)
    if kind == "payout":
        put("bank", -amount)
        put(clearing, amount)
    elif kind == "adjustment":
        put("provider_adjustments", -amount)
        put(clearing, amount)
    return {entry: value for entry, value in target.items() if value}


class PointsFact(msgspec.Struct, frozen=True, kw_only=True):
    """Points of a customer: what they have, and what was ever given (less what was taken back), used and lost."""

    balance: int
    earned: int
    used: int
    expired: int


def points_target(points: PointsFact, worth: int, currency: str, channel: UUID) -> Amounts:
    """What a customer's points come to in the book; ``worth`` is that of a thousand, minor units.

    Each sum is rounded by itself. What they have is the debt, so that nobody without points is owed anything; what
    rounding leaves over is with what was given.
    """

    def value(count: int) -> int:
        return share(count * worth, 1, 1_000)

    debt, used, expired = value(points.balance), value(points.used), value(points.expired)
    named = {
        "loyalty_points": -debt,
        "loyalty_earned": debt + used + expired,
        "loyalty_used": -used,
        "loyalty_expired": -expired,
    }
    return {Entry(purpose, currency, channel): amount for purpose, amount in named.items() if amount}


def order_target(order: OrderFact, country: str, recognition: Recognition) -> Amounts:
    """What an order should have in the book: what is owed for it, its sales and its tax.

    A sale is booked when it is paid, or as far as it was handed over before that. With `Recognition.HANDED_OVER` the
    income of what was paid and is still to be handed over is a prepayment; its tax is due at the payment all the same.
    What was called off counts as handed over, because the return that takes it back does, too.

    What came in of an order with a deposit before that is a prepayment, a debt, and its tax is due with the money (Directive
    2006/112/EC, article 65).
    """
    target: Amounts = {}
    if order.status == "cancelled":
        return target
    items = [line for line in order.lines if line.kind == "item"]
    takes_back = order.kind != "sale" or order.imported is not None
    out = sum(line.fulfilled + line.cancelled for line in items)
    whole = takes_back or order.is_paid or (out > 0 and all(_out(line) == line.quantity for line in items))
    for line in order.lines:
        is_item = line.kind == "item"
        if is_item:
            booked = line.quantity if whole else _out(line)
            earned = booked if takes_back or recognition is Recognition.PAID else min(booked, _out(line))
        else:
            booked = 1 if whole or out > 0 else 0
            earned = booked if takes_back or recognition is Recognition.PAID or out > 0 or not items else 0
        pieces = line.quantity if is_item else 1
        _add_line(target, order, line, (booked, earned, pieces), line.tax_country or order.country or country)
    if order.on_account > 0 and not whole:
        _add_deposit(target, order, country, is_out=out > 0)
    return {entry: amount for entry, amount in target.items() if amount}


def _add_deposit(target: Amounts, order: OrderFact, country: str, *, is_out: bool) -> None:
    """What came in for what is still to be booked of an order: spread over its lines by what is left of each."""
    left = [
        0 if is_out and line.kind != "item" else line.total - share(line.total, _out(line), line.quantity)
        for line in order.lines
    ]
    weights = [max(0, amount) for amount in left]
    came_in = min(order.on_account, sum(weights))
    if came_in <= 0:
        return

    def put(purpose: str, amount: int, tax_rate: int | None = None) -> None:
        entry = Entry(purpose, order.currency, order.channel, order.location, None, tax_rate)
        target[entry] = target.get(entry, 0) + amount

    for line, part in zip(order.lines, allocate(came_in, weights), strict=True):
        if part == 0:
            continue
        # A margin is known when goods leave, and not before.
        tax = 0 if line.tax_treatment == "margin" else share(line.tax, part, line.total)
        narrow = f":{line.tax_rate}:{line.tax_country or order.country or country}"
        if line.tax_treatment in MARKED:
            narrow += f":{line.tax_treatment}"
        put("receivables", part)
        put("prepayments", tax - part, line.tax_rate)
        if tax:
            put(f"tax{narrow}", -tax, line.tax_rate)


def _out(line: OrderLineFact) -> int:
    return line.fulfilled + line.cancelled


def _add_line(
    target: Amounts, order: OrderFact, line: OrderLineFact, parts: tuple[int, int, int], country: str
) -> None:
    """Add what a line comes to; ``parts``: pieces that are booked, those of them that are earned, all of them."""
    booked, earned, pieces = parts
    if booked == 0:
        return

    def put(purpose: str, amount: int, tax_rate: int | None = None) -> None:
        entry = Entry(purpose, order.currency, order.channel, order.location, None, tax_rate)
        target[entry] = target.get(entry, 0) + amount

    total, tax = share(line.total, booked, pieces), share(line.tax, booked, pieces)
    put("receivables", total)
    narrow, rate = f":{line.tax_rate}:{country}", line.tax_rate
    if line.tax_treatment in MARKED:
        narrow += f":{line.tax_treatment}"
    for purpose, amount in _on_margin(order, line).items():
        put(f"{purpose}{narrow}", amount, rate)
    if tax:
        put(f"tax{narrow}", -tax, rate)
    if line.kind == "adjustment":
        put(_adjusts(order, line), -(total - tax), rate)
        return
    # From the parts that are not to be divided again: what is earned, and the rest.
    earned_net = share(line.total, earned, pieces) - share(line.tax, earned, pieces)
    if total - tax != earned_net:
        put("prepayments", -(total - tax - earned_net), rate)
    if line.kind == "discount":
        put("discounts", -earned_net, rate)
        return
    purpose = {"shipping": "shipping", "fee": "fees"}.get(line.kind, "sales")
    reduced = share(_without_tax(line), earned, pieces)
    if reduced:
        put("given_away" if line.total == 0 else "discounts", reduced, rate)
    put(f"{purpose}{narrow}", -(earned_net + reduced), rate)


def _adjusts(order: OrderFact, line: OrderLineFact) -> str:
    """What an adjustment is: of an imported order nobody knows, one that bears tax is goodwill, else cash was rounded."""
    if order.imported is not None:
        return "adjustments"
    return "discounts" if line.is_taxable else "rounding"


def _on_margin(order: OrderFact, line: OrderLineFact) -> dict[str, int]:
    """The tax on the margin of goods that have left (or came back), which is a part of what they were sold for."""
    if line.cost_e4 is None or not order.margin_rate:
        return {}
    sign, gone = (1, line.fulfilled) if order.kind == "sale" else (-1, line.quantity)
    margin = sign * (share(line.total, gone, line.quantity) - share(line.cost_e4, 1, 10_000))
    owed = sign * share(max(0, margin), order.margin_rate, 10_000 + order.margin_rate)
    return {"tax": -owed, "sales": owed} if owed else {}


def _without_tax(line: OrderLineFact) -> int:
    """What promotions took off a line, without tax."""
    if not line.tax_included:
        return line.reduced
    return line.reduced - share(line.reduced, line.tax_rate, 10_000 + line.tax_rate)


class PaymentFact(msgspec.Struct, frozen=True, kw_only=True):
    """What the book needs of a payment and of the order that it pays. ``location_code`` is that of the location."""

    id: UUID
    order_id: UUID | None
    number: str | None
    channel: UUID | None
    location: UUID | None
    location_code: str | None
    delivery: str | None
    provider: str
    currency: str
    captured: int


def payment_target(payment: PaymentFact) -> Amounts:
    """What came in by a payment: money against what is owed."""
    return _money(payment, payment.captured, tender_purpose(payment.provider, payment.location_code))


class RefundFact(msgspec.Struct, frozen=True, kw_only=True):
    """What the book needs of a refund, minor units. With ``way`` it went back in place of one that the provider refused; ``location`` is where its
    money is: of cash the place of the drawer."""

    payment: PaymentFact
    amount: int
    status: str
    way: str | None
    location: UUID | None
    location_code: str | None


def refund_target(refund: RefundFact) -> Amounts:
    """What goes back by a refund: done, on its way (a debt until the provider has answered), or failed (nothing).

    What went back otherwise left the bank or a drawer; the provider keeps what it did not give back, and pays it out. What became store credit
    is booked by that.
    """
    if refund.status == "failed" or refund.way == "store_credit":
        return {}
    payment = refund.payment
    if refund.way is not None:
        purpose = "bank" if refund.way == "bank_transfer" else tender_purpose("cash", refund.location_code)
        here = Entry(purpose, payment.currency, payment.channel, refund.location, refund.way)
        owed = Entry("receivables", payment.currency, payment.channel, payment.location)
        return {here: -refund.amount, owed: refund.amount}
    is_done = refund.status == "done"
    return _money(
        payment,
        -refund.amount,
        tender_purpose(payment.provider, payment.location_code) if is_done else "refunds_to_pay",
    )


def _money(payment: PaymentFact, amount: int, purpose: str) -> Amounts:
    if amount == 0:
        return {}
    dims = (payment.currency, payment.channel, payment.location)
    return {Entry(purpose, *dims, payment.provider): amount, Entry("receivables", *dims): -amount}


class TipFact(msgspec.Struct, frozen=True, kw_only=True):
    """What the book needs of a tip: ``amount`` less what went back, and the order whose payments brought it."""

    order_id: UUID
    number: str
    channel: UUID
    location: UUID
    currency: str
    amount: int


def tip_target(tip: TipFact) -> Amounts:
    """A tip is owed to the staff. Its order's payments brought more than the order comes to, by just that."""
    if tip.amount == 0:
        return {}
    dims = (tip.currency, tip.channel, tip.location)
    return {Entry("receivables", *dims): tip.amount, Entry("tips", *dims): -tip.amount}


def difference(target: Mapping[Entry, int], booked: Mapping[Entry, int]) -> Amounts:
    """What must be booked so that the book has the target, in a steady order."""
    found = {entry: target.get(entry, 0) - booked.get(entry, 0) for entry in target.keys() | booked.keys()}
    return {entry: found[entry] for entry in sorted(found, key=_order) if found[entry]}


def _order(entry: Entry) -> tuple[str, ...]:
    return tuple(str(value) for value in msgspec.structs.astuple(entry))


CREDIT_COUNTERS = {
    "sold": "gift_cards_sold",
    "given": "credit_given",
    "refunded": "receivables",
    "expired": "credit_expired",
}
"""What stands against the value of gift cards and store credit, by the house's account in the book of credit.

``redeemed`` is not here: what is paid with is booked by its payment."""


def credit_target(legs: Iterable[tuple[str, str, int]], dims: tuple[UUID | None, UUID | None]) -> Amounts:
    """A transaction of the book of credit, by (kind of account, unit, amount), in ours.

    There what a customer has is above zero; here it is a debt, so signs turn.
    """
    target: Amounts = {}
    legs = [leg for leg in legs if leg[1] != "points"]
    holders = [kind for kind, _, _ in legs if kind in ("gift_card", "store_credit")]
    for kind, unit, amount in legs:
        if kind in CREDIT_COUNTERS and holders:
            debt = "gift_cards" if holders[0] == "gift_card" else "store_credit"
            for purpose, part in ((CREDIT_COUNTERS[kind], -amount), (debt, amount)):
                entry = Entry(purpose, unit, *dims)
                target[entry] = target.get(entry, 0) + part
    return {entry: amount for entry, amount in target.items() if amount}


BOOKED_CAUSES = ("sale", "return", "damage", "count", "correction", "loss")
"""Movements of stock that change what the books say."""


def stock_target(moves: Iterable[tuple[UUID, str, str, int]], channel: UUID | None) -> Amounts:
    """What stock movements of one event are worth, by (location, currency, cause, value in ten-thousandths).

    Receipts are booked with the supplier's invoice, transfers change nothing; of the rest the stock's value moves.
    Each location's sum is rounded once, halves away from zero.
    """
    worth: dict[tuple[UUID, str, str], int] = {}
    for location, currency, cause, value in moves:
        purpose = {"sale": "cost_of_goods", "return": "cost_of_goods"}.get(cause, "stock_difference")
        if cause in BOOKED_CAUSES:
            key = (location, currency, purpose)
            worth[key] = worth.get(key, 0) + value
    target: Amounts = {}
    for (location, currency, purpose), value in worth.items():
        amount = share(value, 1, 10_000)
        for name, part in (("stock", amount), (purpose, -amount)):
            entry = Entry(name, currency, channel, location)
            target[entry] = target.get(entry, 0) + part
    return {entry: amount for entry, amount in target.items() if amount}


class SupplierReturnFact(msgspec.Struct, frozen=True, kw_only=True):
    """What the book needs of goods that went back to a supplier; ``value_e4`` is what they were worth in stock."""

    id: UUID
    number: int
    location: UUID
    status: str
    currency: str
    value_e4: int
    expected: int
    credited: int


def supplier_return_target(fact: SupplierReturnFact, channel: UUID) -> Amounts:
    """Goods that went back: out of stock, against what the supplier still is to credit and what was credited.

    What the credit is more or less than the goods were worth is a difference, from the day on that it is expected; what
    was expected and is not to come any more joins it.
    """
    worth = share(fact.value_e4, 1, 10_000)
    owed = max(0, fact.expected - fact.credited) if fact.status == "sent" else 0
    named = {
        "stock": -worth,
        "suppliers_owe": owed,
        "suppliers_credited": fact.credited,
        "supplier_difference": worth - owed - fact.credited,
    }
    return {
        Entry(purpose, fact.currency, channel, fact.location): amount
        for purpose, amount in named.items()
        if amount
    }
