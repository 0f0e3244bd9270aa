"""What tax a cart bears: by whose rules it is decided, and what its lines and their delivery come to with it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from uuid import UUID

import msgspec

from samlad import delivery, tax
from samlad.carts import parcels, rules
from samlad.carts.model import Address, Cart, CartLine, CartPromotion, Delivery, PriceStep, Totals
from samlad.carts.parcels import UNKNOWN, Sent, TaxedParcel
from samlad.carts.pieces import Piece, at_home, pieces_of
from samlad.carts.quoting import TaxedLine, quoted, with_tax
from samlad.carts.view_model import TaxNews
from samlad.catalog import Sellable
from samlad.channels import Channel
from samlad.kernel.clock import local_day, now
from samlad.kernel.database import Database, Tx
from samlad.tax import (
    Buyer,
    Decision,
    NumberCheck,
    NumberStatus,
    Setup,
    Taxable,
    engines,
)
from samlad.tax.engines import Good, OwnEngine, Question, TaxEngineSilent


class Basis(msgspec.Struct, frozen=True, kw_only=True):
    """By what a cart is taxed. ``is_silent``: by our own engine, because the channel's does not answer."""

    decisions: Mapping[Good, Decision]
    check: NumberCheck | None = None
    before: "Basis | None" = None
    is_silent: bool = False

    def of(self, sold: Sellable | None) -> Decision:
        """How something is taxed."""
        return UNKNOWN if sold is None else self.decisions.get(_good(sold), UNKNOWN)


class Going(msgspec.Struct, frozen=True, kw_only=True):
    """Where goods go, to whom, and how many of what: all that their tax depends on beside who sells them.

    ``worth`` is what else goes there in the same parcel, net in minor units.
    """

    delivery: Delivery | None
    location: UUID | None
    address: Address | None
    buyer: Buyer
    units: Sequence[tuple[UUID, int]]
    worth: int = 0


class TaxedCart(msgspec.Struct, frozen=True, kw_only=True):
    """A cart with its tax; lines by id. ``parcels`` are what delivery costs, by each way in which it is taxed."""

    lines: Mapping[UUID, TaxedLine]
    shipping_steps: list[PriceStep]
    parcels: list[TaxedParcel]
    promotions: list[CartPromotion]
    totals: Totals


async def basis(
    reader: Database | Tx, cart: Cart, channel: Channel, sellables: Mapping[UUID, Sellable]
) -> Basis:
    """By what a cart is taxed today. No statement, but one for a VAT number and one where an outside engine decides."""
    check = None if cart.vat_number is None else await tax.number_check(reader, cart.vat_number)
    going = Going(
        delivery=cart.delivery,
        location=cart.location,
        address=cart.address,
        buyer=_buyer(check, channel),
        units=[(line.variant, line.quantity) for line in cart.lines],
    )
    question, own = await _question(reader, going, channel, sellables)
    found = await _answered(reader, channel, question, own)
    is_own = channel.setting("tax_engine") == engines.OWN
    before = _before(cart, channel, question, own, check) if is_own else None
    return msgspec.structs.replace(found, check=check, before=before)


async def basis_of(
    reader: Database | Tx, going: Going, channel: Channel, sellables: Mapping[UUID, Sellable]
) -> Basis:
    """By what goods are taxed today that come into an order, each by its own class.

    Raises:
        TaxEngineSilent: the channel's engine does not answer and our own may not stand in.
    """
    question, own = await _question(reader, going, channel, sellables)
    found = await _answered(reader, channel, question, own)
    refuse_silence(found, channel)
    return found


async def buyer_of(reader: Database | Tx, vat_number: str | None, channel: Channel) -> Buyer:
    """Who buys by a VAT number, as the register has said of it. One statement if there is one."""
    return _buyer(None if vat_number is None else await tax.number_check(reader, vat_number), channel)


async def _answered(reader: Database | Tx, channel: Channel, question: Question, own: OwnEngine) -> Basis:
    mine = own.answers(question)
    name = channel.setting("tax_engine")
    found: Sequence[Decision] | None = mine
    if name != engines.OWN and question.goods:
        if isinstance(reader, Tx):  # nobody waits for the network with rows locked
            found = await engines.known(reader, question)
        else:
            found = await engines.ask(reader, name, question)
    told = dict(zip(question.goods, mine if found is None else found, strict=True))
    return Basis(decisions=told, is_silent=found is None)


async def _question(
    reader: Database | Tx, going: Going, channel: Channel, sellables: Mapping[UUID, Sellable]
) -> tuple[Question, OwnEngine]:
    setup, day = await tax.current(reader), local_day(now(), channel.time_zone)
    place, postal_code = tax.territory(channel.country), None
    hands_over = going.delivery in (Delivery.PICKUP, Delivery.CARRY_OUT)
    if hands_over and going.location is not None:
        site = (await delivery.current(reader)).by_location.get(going.location)
        if site is not None and site.country:
            place, postal_code = tax.territory(site.country, None, site.postal_code), site.postal_code
    elif going.address is not None and not hands_over:
        to = going.address
        place, postal_code = tax.territory(to.country, to.region, to.postal_code), to.postal_code
    wanted = {
        _good(each)
        for variant, _quantity in going.units
        if variant in sellables
        for each in _taxed_by(sellables[variant])
    }
    seller = setup.seller(channel, day)
    question = Question(
        seller=seller,
        place=place,
        postal_code=postal_code,
        buyer=going.buyer,
        day=day,
        is_handed_over=hands_over,
        goods=sorted(wanted),
        parcel=0 if seller.ioss_most is None else _parcel(going, channel, setup, day, sellables),
    )
    return question, OwnEngine(setup.rates(channel))


def _parcel(
    going: Going, channel: Channel, setup: Setup, day: date, sellables: Mapping[UUID, Sellable]
) -> int:
    """What goods are worth at their list prices without tax (minor units), for the import scheme."""
    total = going.worth
    for variant, quantity in going.units:
        sold = sellables.get(variant)
        if sold is None or sold.price is None:
            continue
        for piece in pieces_of(sold, sold.price, quantity):
            if piece.sold is not None and piece.sold.requires_shipping:
                rate = setup.home_rate(channel, piece.sold.tax_class, day)
                total += tax.reckon([Taxable(piece.quoted, rate, sold.tax_included)])[0].net
    return total


def _taxed_by(sold: Sellable) -> list[Sellable]:
    """By whose classes something is taxed: its own, or those of its parts."""
    return [part.sold for part in sold.parts] or [sold]


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
    shown = [
        quoted(
            sellables.get(line.variant),
            prices[line.id],
            line.quantity,
            steps.get(line.variant, []),
            channel,
            by.of,
        )
        for line in cart.lines
    ]
    goods = [each for line in shown for each in line.taxables]
    sent = [
        (moved.piece.sold, Sent(moved.piece.home_rate, moved.decision, _at_home(moved.piece, line.included)))
        for line in shown
        for moved in line.pieces
    ]
    parts = parcels.shared(channel, _carried(sent), *(shipping if shown else (0, [])))
    amounts = tax.reckon([*goods, *parcels.taxables(parts, channel)], rounding)
    reckoned, delivered = amounts[: len(goods)], amounts[len(goods) :]
    each_amount = iter(reckoned)
    lines = [with_tax(line, [next(each_amount) for _ in line.ways]) for line in shown]
    parcel_steps = parcels.added([part.steps for part in parts])
    all_steps = [*(each.steps for each in lines), parcel_steps]
    return TaxedCart(
        lines={line.id: each for line, each in zip(cart.lines, lines, strict=True)},
        shipping_steps=parcel_steps,
        parcels=[
            TaxedParcel(part.price, part.steps, amount, part.decision)
            for part, amount in zip(parts, delivered, strict=True)
        ],
        promotions=_summed(promotions, all_steps),
        totals=rules.totals(
            [(_pieces(line, sellables), each.amounts) for line, each in zip(cart.lines, lines, strict=True)],
            tax.added(delivered),
            reduced=sum(step.amount for each in all_steps for step in each),
        ),
    )


def _pieces(line: CartLine, sellables: Mapping[UUID, Sellable]) -> int:
    sold = sellables.get(line.variant)
    return sold.sold_by.pieces(line.quantity) if sold else line.quantity


def shipping_shown(
    cart: Cart, channel: Channel, by: Basis, sellables: Mapping[UUID, Sellable]
) -> Callable[[int], int]:
    """How a price of delivery is quoted where the goods go; as in the shop unless net prices stay there."""
    sent = [
        (piece.sold, Sent(piece.home_rate, by.of(piece.sold), amount.total))
        for line in cart.lines
        for piece, amount in at_home(sellables.get(line.variant), line.unit_price, line.quantity)
    ]
    goods = _carried(sent)
    return lambda price: sum(part.price for part in parcels.shared(channel, goods, price, []))


def _at_home(piece: Piece, included: bool) -> int:
    return tax.reckon([Taxable(piece.quoted, piece.home_rate, included)])[0].total


def _carried(sent: Sequence[tuple[Sellable | None, Sent]]) -> list[Sent]:
    """What is sent: the goods among what is known, or all of that where there are none."""
    known = [(sold, each) for sold, each in sent if sold is not None]
    return [each for sold, each in known if sold.requires_shipping] or [each for _sold, each in known]


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
