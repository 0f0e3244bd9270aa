"""What tax a cart bears: by whose rules it is decided, and what its lines and their delivery come to with it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from uuid import UUID

import msgspec

from samlad import delivery, tax
from samlad.carts import rules
from samlad.carts.model import Cart, CartLine, CartPromotion, Delivery, PriceStep, TaxNews, Totals
from samlad.catalog import Sellable
from samlad.channels import Channel
from samlad.kernel.clock import local_day, now
from samlad.kernel.database import Database, Tx
from samlad.kernel.money import allocate, worth
from samlad.tax import (
    Amounts,
    Buyer,
    Category,
    Decision,
    NumberCheck,
    NumberStatus,
    Setup,
    Taxable,
    Treatment,
    engines,
)
from samlad.tax.engines import Good, OwnEngine, Question, TaxEngineSilent

UNKNOWN = Decision(rate=0, category=Category.OUTSIDE, treatment=Treatment.OUTSIDE, country=None)
"""Of what is not in the catalogue (any more): it cannot be bought as it stands."""


class Basis(msgspec.Struct, frozen=True, kw_only=True):
    """By what a cart is taxed. ``is_silent``: by our own engine, because the channel's does not answer."""

    decisions: Mapping[Good, Decision]
    check: NumberCheck | None = None
    before: "Basis | None" = None
    is_silent: bool = False

    def of(self, sold: Sellable | None) -> Decision:
        """How something is taxed."""
        return UNKNOWN if sold is None else self.decisions.get(_good(sold), UNKNOWN)


class TaxedLine(msgspec.Struct, frozen=True):
    """A line with its tax. Price and steps are as quoted where the goods go."""

    unit_price: int
    price_before: int
    steps: list[PriceStep]
    amounts: Amounts
    decision: Decision


class TaxedCart(msgspec.Struct, frozen=True, kw_only=True):
    """A cart with its tax; lines by id. Shipping is taxed as the largest part of the goods is."""

    lines: Mapping[UUID, TaxedLine]
    shipping_price: int
    shipping_steps: list[PriceStep]
    shipping: Decision
    promotions: list[CartPromotion]
    totals: Totals


async def basis(
    reader: Database | Tx, cart: Cart, channel: Channel, sellables: Mapping[UUID, Sellable]
) -> Basis:
    """By what a cart is taxed today. No statement, but one for a VAT number and one where an outside engine decides."""
    check = None if cart.vat_number is None else await tax.number_check(reader, cart.vat_number)
    question, own = await _question(reader, cart, channel, sellables, check)
    mine = own.answers(question)
    name = channel.setting("tax_engine")
    found: Sequence[Decision] | None = mine
    if name != engines.OWN and question.goods:
        if isinstance(reader, Tx):  # nobody waits for the network with rows locked
            found = await engines.known(reader, question)
        else:
            found = await engines.ask(reader, name, question)
    told = dict(zip(question.goods, mine if found is None else found, strict=True))
    return Basis(
        decisions=told,
        check=check,
        before=_before(cart, channel, question, own, check) if name == engines.OWN else None,
        is_silent=found is None,
    )


async def _question(
    reader: Database | Tx,
    cart: Cart,
    channel: Channel,
    sellables: Mapping[UUID, Sellable],
    check: NumberCheck | None,
) -> tuple[Question, OwnEngine]:
    setup, day = await tax.current(reader), local_day(now(), channel.time_zone)
    place, postal_code = tax.territory(channel.country), None
    hands_over = cart.delivery in (Delivery.PICKUP, Delivery.CARRY_OUT)
    if hands_over and cart.location is not None:
        site = (await delivery.current(reader)).by_location.get(cart.location)
        if site is not None and site.country:
            place, postal_code = tax.territory(site.country, None, site.postal_code), site.postal_code
    elif cart.address is not None and not hands_over:
        to = cart.address
        place, postal_code = tax.territory(to.country, to.region, to.postal_code), to.postal_code
    wanted = {_good(sellables[line.variant]) for line in cart.lines if line.variant in sellables}
    seller = setup.seller(channel, day)
    question = Question(
        seller=seller,
        place=place,
        postal_code=postal_code,
        buyer=_buyer(check, channel),
        day=day,
        is_handed_over=hands_over,
        goods=sorted(wanted),
        parcel=0 if seller.ioss_most is None else _parcel(cart, channel, setup, day, sellables),
    )
    return question, OwnEngine(setup.rates(channel))


def _parcel(cart: Cart, channel: Channel, setup: Setup, day: date, sellables: Mapping[UUID, Sellable]) -> int:
    """What the goods of a cart are worth at their list prices without tax (minor units), for the import scheme."""
    total = 0
    for line in cart.lines:
        sold = sellables.get(line.variant)
        if sold is not None and sold.requires_shipping and sold.price is not None:
            rate = setup.home_rate(channel, sold.tax_class, day)
            worth_it = tax.amounts(
                sold.price, line.quantity, rate, tax_included=sold.tax_included, per=sold.sold_by.per
            )
            total += worth_it.net
    return total


def _good(sold: Sellable) -> Good:
    return Good(sold.tax_class, sold.requires_shipping)


def _buyer(check: NumberCheck | None, channel: Channel) -> Buyer:
    """A business if its number is valid, or not checked yet and the channel trusts it."""
    if check is None or check.status is NumberStatus.INVALID:
        return tax.CONSUMER
    if check.status is NumberStatus.FORMAT and channel.setting("tax_unchecked_number") == "consumer":
        return tax.CONSUMER
    return Buyer(number_country=tax.country_of_number(check.number))


def _before(
    cart: Cart, channel: Channel, question: Question, own: OwnEngine, check: NumberCheck | None
) -> Basis | None:
    """By what it was taxed when it was last changed, if that may have been otherwise."""
    day = local_day(cart.updated_at, channel.time_zone)
    buyer = question.buyer
    if check is not None and check.checked_at is not None and check.checked_at > cart.updated_at:
        buyer = _buyer(msgspec.structs.replace(check, status=NumberStatus.FORMAT), channel)
    if (day, buyer) == (question.day, question.buyer):
        return None
    then = own.answers(msgspec.structs.replace(question, day=day, buyer=buyer))
    return Basis(decisions=dict(zip(question.goods, then, strict=True)), check=check)


def refuse_silence(by: Basis | None, channel: Channel) -> None:
    """Raises TaxEngineSilent where the channel's engine does not answer and our own may not stand in."""
    if by is not None and by.is_silent and channel.setting("tax_engine_silent") == "refuse":
        raise TaxEngineSilent("Nothing was done; try again in a moment.", retry_after=30)


def taxed(
    cart: Cart,
    channel: Channel,
    by: Basis,
    sellables: Mapping[UUID, Sellable],
    prices: Mapping[UUID, tuple[int, int]],
    steps: Mapping[UUID, list[PriceStep]],
    shipping: tuple[int, list[PriceStep]],
    promotions: list[CartPromotion],
) -> TaxedCart:
    """A cart with its tax, from (price, price before) by line, steps by variant, and shipping's price with its steps.

    All of them as the shop quotes them; they come back as they are quoted where the goods go (``tax_foreign_price``).
    """
    rounding = tax.rounding_of(channel.country, channel.setting("tax_rounding"))
    keep = channel.setting("tax_foreign_price")
    shown: list[tuple[int, int, list[PriceStep], Taxable, Decision]] = []
    at_home: list[tuple[int, int]] = []
    for line in cart.lines:
        sold = sellables.get(line.variant)
        decision, included = by.of(sold), sold.tax_included if sold else True
        home = sold.tax_rate if sold else 0
        price, before = prices[line.id]
        taken = steps.get(line.variant, [])
        to = _quoted_rate(channel, keep, decision, home) if included else home
        unit = tax.moved(price, home, to)
        per = sold.sold_by.per if sold else 1
        at_list, there = worth(price, line.quantity, per), worth(unit, line.quantity, per)
        moved = _moved_steps(taken, at_list, there, home, to)
        quoted = there - sum(step.amount for step in moved)
        shown.append(
            (unit, tax.moved(before, home, to), moved, Taxable(quoted, decision.rate, included), decision)
        )
        old = at_list - sum(step.amount for step in taken)
        at_home.append((tax.reckon([Taxable(old, home, included)])[0].total, home))
    goods = tax.reckon([each[3] for each in shown])
    carried = (
        tax.largest((amount.total, each[4]) for amount, each in zip(goods, shown, strict=True)) or UNKNOWN
    )
    parcel, parcel_steps, parcel_taxed = _shipping(
        channel, keep, carried, rules.shipping_rate(at_home), shipping if shown else (0, [])
    )
    *lines, delivered = tax.reckon([*(each[3] for each in shown), parcel_taxed], rounding)
    promotions = _summed(promotions, [*(each[2] for each in shown), parcel_steps])
    return TaxedCart(
        lines={
            line.id: TaxedLine(unit, before, moved, amount, decision)
            for line, amount, (unit, before, moved, _, decision) in zip(cart.lines, lines, shown, strict=True)
        },
        shipping_price=parcel,
        shipping_steps=parcel_steps,
        shipping=carried,
        promotions=promotions,
        totals=rules.totals(
            [(_pieces(line, sellables), amount) for line, amount in zip(cart.lines, lines, strict=True)],
            delivered,
            reduced=sum(
                step.amount for each in [*(each[2] for each in shown), parcel_steps] for step in each
            ),
        ),
    )


def _pieces(line: CartLine, sellables: Mapping[UUID, Sellable]) -> int:
    sold = sellables.get(line.variant)
    return sold.sold_by.pieces(line.quantity) if sold else line.quantity


def _quoted_rate(channel: Channel, keep: str, decision: Decision, home: int) -> int:
    """The rate that is in prices as they are shown: that at home, or where net prices stay the one that is due.

    What is taxed at home is quoted as it is, whatever the rate was on another day.
    """
    is_at_home = decision.country == channel.country and decision.rate > 0
    return decision.rate if tax.keeps_net(keep, decision.rate) and not is_at_home else home


def shipping_shown(
    cart: Cart, channel: Channel, by: Basis, sellables: Mapping[UUID, Sellable]
) -> Callable[[int], int]:
    """How a price of delivery is quoted where the goods go; as in the shop unless net prices stay there."""
    at_home, there = [], []
    for line in cart.lines:
        sold = sellables.get(line.variant)
        if sold is not None:
            total = tax.amounts(
                line.unit_price,
                line.quantity,
                sold.tax_rate,
                tax_included=sold.tax_included,
                per=sold.sold_by.per,
            ).total
            at_home.append((total, sold.tax_rate))
            there.append((total, by.of(sold)))
    carried, home = tax.largest(there) or UNKNOWN, rules.shipping_rate(at_home)
    keep = channel.setting("tax_foreign_price")
    return lambda price: _shipping(channel, keep, carried, home, (price, []))[0]


def _shipping(
    channel: Channel, keep: str, decision: Decision, home: int, shipping: tuple[int, list[PriceStep]]
) -> tuple[int, list[PriceStep], Taxable]:
    price, taken = shipping
    included = bool(channel.setting("prices_include_tax"))
    to = _quoted_rate(channel, keep, decision, home) if included else home
    there = tax.moved(price, home, to)
    moved = _moved_steps(taken, price, there, home, to)
    quoted = max(0, there - sum(step.amount for step in moved))
    return there, moved, Taxable(quoted, decision.rate, included)


def _moved_steps(taken: list[PriceStep], price: int, there: int, home: int, to: int) -> list[PriceStep]:
    """Steps as they are quoted where the goods go: what was free stays free, and nothing goes below that."""
    if home == to or not taken:
        return taken
    amounts = [step.amount for step in taken]
    off = there if sum(amounts) >= price else min(there, tax.moved(sum(amounts), home, to))
    return [
        msgspec.structs.replace(step, amount=amount)
        for step, amount in zip(taken, allocate(off, amounts), strict=True)
    ]


def _summed(promotions: list[CartPromotion], steps: list[list[PriceStep]]) -> list[CartPromotion]:
    """Promotions with what their steps come to."""
    sums: dict[UUID, int] = {}
    for step in (step for each in steps for step in each):
        sums[step.promotion] = sums.get(step.promotion, 0) + step.amount
    return [
        msgspec.structs.replace(each, amount=sums[each.promotion]) if each.promotion in sums else each
        for each in promotions
    ]


def news(cart: Cart, channel: Channel, by: Basis, now_taxed: Totals, before: Totals | None) -> TaxNews | None:
    """What is another tax than when the cart was last changed, if anything."""
    if by.before is None or before is None:
        return None
    if (before.tax, before.total) == (now_taxed.tax, now_taxed.total):
        return None
    checked = by.check is not None and by.check.checked_at is not None
    is_number = checked and by.check is not None and by.check.checked_at > cart.updated_at  # type: ignore[operator]
    return TaxNews(
        since=local_day(cart.updated_at, channel.time_zone),
        reason="vat-number" if is_number else "rate",
        tax_before=before.tax,
        tax=now_taxed.tax,
        total_before=before.total,
        total=now_taxed.total,
    )
