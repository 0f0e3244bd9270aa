"""Orders that were placed and paid elsewhere and arrive here: a marketplace's, through its connector.

The marketplace has agreed the prices and has the money, so nothing is priced or charged again. The goods are claimed
like those of any other order: of several channels that sell the last piece one gets it, and the connector is told
*sold out* and calls the order off where it came from.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID, uuid5

import msgspec

from samlad import catalog, channels, delivery, payments, stock
from samlad.carts import Address, Delivery
from samlad.catalog import Measure, Sellable
from samlad.channels import Channel, Resource
from samlad.kernel import cards, log
from samlad.kernel.clock import local_day, now
from samlad.kernel.context import Actor
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.money import allocate
from samlad.kernel.problems import Conflict, FieldError, InvalidInput, NotFound
from samlad.orders import events, fulfilment_plan, order_page, routing, rules, sets, store
from samlad.orders.fulfilment_model import Method
from samlad.orders.model import LineKind, LineQuantity, Order, OrderKind, OrderLine
from samlad.orders.permissions import ARRIVE
from samlad.orders.placement import tell_placed
from samlad.stock import Hold, HoldKind, HoldLine, ShortLine, SoldOut
from samlad.tax import Treatment, amounts, plain_category

LARGEST_PRICE = 10**12
AHEAD = timedelta(minutes=5)
"""Clocks elsewhere may be this much fast."""

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Price = Annotated[int, msgspec.Meta(ge=0, le=LARGEST_PRICE, examples=[19_900])]


class ArrivedDifferently(Conflict):
    """An order of this name has arrived before with something else in it: ``order`` and ``number`` say which."""

    code, title = "arrived-differently", "It has arrived before, and was another"


class NamedLine(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Units of a variant, which is named by SKU, GTIN or id."""

    code: Annotated[Text, msgspec.Meta(description="SKU or GTIN", examples=["KETTLE-RED"])] | None = None
    variant: UUID | None = None
    quantity: LineQuantity = 1


class ArrivedLine(NamedLine, forbid_unknown_fields=True, kw_only=True):
    """A line as it was sold there: which variant, and what one (a kilogram, metre or litre) cost."""

    unit_price: Annotated[
        Price, msgspec.Meta(description="Minor units, with or without tax as the channel's prices are kept")
    ]
    tax_rate: (
        Annotated[
            int,
            msgspec.Meta(
                ge=0, le=10_000, description="Basis points; without it the channel's rate for the goods"
            ),
        ]
        | None
    ) = None
    title: Annotated[Text, msgspec.Meta(description="What it was called there")] | None = None


class Arrival(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An order of a marketplace. ``paid`` is what the buyer has paid there, without it everything."""

    channel: UUID
    external_id: Annotated[Text, msgspec.Meta(description="Its number there", examples=["302-7781234-55"])]
    placed_at: Annotated[datetime, msgspec.Meta(tz=True, examples=["2026-11-25T20:15:00+01:00"])]
    lines: Annotated[list[ArrivedLine], msgspec.Meta(min_length=1, max_length=500)]
    shipping: Annotated[Price, msgspec.Meta(description="As prices are kept")] = 0
    total: (
        Annotated[Price, msgspec.Meta(description="What it comes to there; another sum is refused")] | None
    ) = None
    paid: Price | None = None
    email: Annotated[str, msgspec.Meta(max_length=254, pattern=r"^[^@\s\x00]+@[^@\s\x00]+$")] | None = None
    name: Text | None = None
    phone: Text | None = None
    address: Address | None = None
    is_sent: Annotated[
        bool,
        msgspec.Meta(
            description="It was sent from there, out of stock that is not ours: nothing is held, and it is history here"
        ),
    ] = False


class WantedArrival(msgspec.Struct, frozen=True):
    """An order that is about to arrive, and the scope and key under which an answer would be kept."""

    data: Arrival
    key: tuple[str, str] | None = None


def owner_of(channel: UUID, external_id: str) -> UUID:
    """For whom the goods of an order are held that is not paid on its marketplace yet: made of the name that it has there."""
    return uuid5(channel, external_id)


def check(actor: Actor, data: Arrival) -> None:
    """What is asked first of whoever hands an order over.

    Raises:
        Forbidden: this actor may not.
        InvalidInput: it holds the number of a card, or was placed at a moment to come.
    """
    actor.require(ARRIVE)
    cards.refuse(data)
    if data.placed_at > now() + AHEAD:
        raise InvalidInput.at("placed_at", "is in the future")


async def arrive(tx: Tx, data: Arrival) -> Order:
    """Take over an order that was placed elsewhere. One of the same name again is the order that it became.

    Raises:
        ArrivedDifferently: it has arrived before with something else in it.
        SoldOut: the goods are not there (any more); nothing was done.
        InvalidInput: an unknown variant, a moment to come, a total that is not the lines'.
        NotFound: no such channel.
    """
    check(tx.actor, data)
    channel = await channels.cached(tx, data.channel)
    order_id, content = new_id(), sha256(msgspec.json.encode(data, order="sorted")).digest()
    if not await store.claim_name(tx, channel.id, data.external_id, order_id, content):
        return await _known(tx, channel, data.external_id, content)
    # What was held for it until it is paid is its own: those units stay locked by us until they are held for the order.
    await stock.release(tx, owner_of(channel.id, data.external_id))
    variants = await _variants(tx, channel, data.lines)
    if not data.is_sent:
        await _refuse_gone(tx, channel, data.lines, variants)
    sold = await catalog.sellables(tx, channel, variants)
    lines = _lines(channel, data, variants, sold)
    total = sum(line.total for line in lines)
    if data.total is not None and data.total != total:
        raise InvalidInput.at("total", f"the lines come to {total}")
    paid = total if data.paid is None else data.paid
    if paid > total:
        raise InvalidInput.at("paid", f"at most {total}")
    held = [] if data.is_sent else await _hold(tx, channel, lines, data.address, order_id)
    taken = payments.paid_elsewhere(order_id, paid, channel.currency, reference=data.external_id)
    state = rules.payment_state(total, taken)
    order = Order(
        id=order_id,
        pool=channel.pools[Resource.ORDERS],
        channel=channel.id,
        number="",
        kind=OrderKind.SALE,
        status=rules.status_of(lines, state),
        payment_status=state,
        email=data.email,
        name=data.name or (data.address.name if data.address else None),
        phone=data.phone,
        address=data.address,
        country=data.address.country if data.address else channel.country,
        currency=channel.currency,
        delivery=Delivery.SHIP,
        items=rules.goods_of(lines),
        tax=sum(line.tax for line in lines),
        total=total,
        paid=paid,
        is_held=bool(held),
        imported=payments.MARKETPLACE if data.is_sent else None,  # it moved no stock here
        placed_at=data.placed_at,
        local_day=local_day(data.placed_at, channel.time_zone),
        lines=lines,
        payments=taken,
    )
    return await _write(tx, channel, order, held, sold, data.external_id)


async def _refuse_gone(
    tx: Tx, channel: Channel, lines: Sequence[ArrivedLine], variants: Sequence[UUID]
) -> None:
    """Say at once that something is sold out, before anything is priced or locked; taking would say the same.

    Raises:
        SoldOut: with what there is.
    """
    if await stock.gone(tx, variants, channel=channel) and (
        short := await _short(tx, channel, lines, variants)
    ):
        raise SoldOut(short)


async def _short(
    reader: Reader, channel: Channel, lines: Sequence[ArrivedLine], variants: Sequence[UUID]
) -> list[ShortLine]:
    """Of what there is not enough for these lines, as taking would say it now."""
    held = await _in_parts(reader, lines, variants)
    return await stock.short(reader, held, channel=channel)


async def goods_of(reader: Reader, channel: Channel, lines: Sequence[NamedLine]) -> list[HoldLine]:
    """What there must be of stock for lines that are named, each variant once, of sets their parts.

    Raises:
        InvalidInput: an unknown variant.
    """
    return await _in_parts(reader, lines, await _variants(reader, channel, lines))


async def _in_parts(reader: Reader, lines: Sequence[NamedLine], variants: Sequence[UUID]) -> list[HoldLine]:
    parts = await stock.parts_of(reader, variants)
    wanted: Counter[UUID] = Counter()
    for line, variant in zip(lines, variants, strict=True):
        for part, each in parts.get(variant, {variant: 1}).items():
            wanted[part] += each * line.quantity
    return [HoldLine(variant, units) for variant, units in sorted(wanted.items())]


async def gone_among(database: Database, wanted: Sequence[WantedArrival]) -> list[SoldOut | None]:
    """What taking over each order would be refused for now, where of something in it nothing at all is left; else None.

    An order that has arrived before, one whose answer is kept or whose goods are held until it is paid, and one that cannot be
    read or was sent from there hear None:
    taking it over says what is so. Those of one channel that want the same are looked at together, in a statement or two.
    """
    beside = await database.beside()
    verdicts: list[SoldOut | None] = [None] * len(wanted)
    alike: defaultdict[tuple[UUID, bytes], list[int]] = defaultdict(list)
    for place, each in enumerate(wanted):
        if not each.data.is_sent:
            what = [(line.code, line.variant, line.quantity) for line in each.data.lines]
            alike[each.data.channel, msgspec.json.encode(what)].append(place)
    for (channel_id, _), places in alike.items():
        lines = wanted[places[0]].data.lines
        try:
            channel = await channels.cached(database, channel_id)
            variants = await _variants(beside, channel, lines)
        except (NotFound, InvalidInput):
            continue
        those = [(wanted[place].data.external_id, wanted[place].key) for place in places]
        owners = [owner_of(channel.id, name) for name, _ in those]
        pool = channel.pools[Resource.STOCK]
        gone = await store.gone_among(beside, channel.id, pool, variants, those, owners)
        short = await _short(beside, channel, lines, variants) if gone else []
        if short:
            for number in gone:
                verdicts[places[number]] = SoldOut(short)
    return verdicts


async def _write(
    tx: Tx, channel: Channel, order: Order, held: Sequence[Hold], sold: dict[UUID, Sellable], name: str
) -> Order:
    digital = sets.digital(sold.values())
    parts = (
        await fulfilment_plan.at_placing(tx, channel, Method.SHIP, order.lines, held, digital=digital)
        if held
        else []
    )
    number = await store.insert(tx, order, channel.setting("number_prefix"), parts)
    order = msgspec.structs.replace(order, number=number)
    if order.imported is not None:
        await store.update(tx, order.id, {"imported": order.imported})
    tell_placed(tx, order)
    fact = events.OrderArrived(number=number, external_id=name)
    log.append(tx, fact, subject=order.id, channel=channel.id)
    fulfilment_plan.tell_opened(tx, order, parts)
    await payments.keep(tx, order.payments, channel=channel.id)
    return order


async def _known(tx: Tx, channel: Channel, name: str, content: bytes) -> Order:
    order, sent = await store.arrival(tx, channel.id, name)
    known = await order_page.read(tx, order)
    if sent != content:
        raise ArrivedDifferently(f"It is order {known.number}.", order=str(order), number=known.number)
    return known


async def _variants(reader: Reader, channel: Channel, lines: Sequence[NamedLine]) -> list[UUID]:
    """The variant of each line."""
    pool = channel.pools[Resource.CATALOGUE]
    by_id = await catalog.by_ids(reader, [line.variant for line in lines if line.variant is not None])
    found: list[UUID] = []
    errors: list[FieldError] = []
    for index, line in enumerate(lines):
        if (line.code is None) is (line.variant is None):
            errors.append(FieldError(f"lines/{index}", "either code or variant"))
        elif line.variant is not None:
            if line.variant not in by_id:
                errors.append(FieldError(f"lines/{index}/variant", "there is no such variant"))
            found.append(line.variant)
        else:
            known = await catalog.variant_by_code(reader, pool, line.code or "")
            if known is None:
                errors.append(FieldError(f"lines/{index}/code", f"there is no SKU or GTIN “{line.code}”"))
            else:
                found.append(known.id)
    if errors:
        raise InvalidInput("Some lines are not right.", errors=tuple(errors))
    return found


def _lines(
    channel: Channel, data: Arrival, variants: Sequence[UUID], sold: dict[UUID, Sellable]
) -> list[OrderLine]:
    included = bool(channel.setting("prices_include_tax"))
    whole: list[tuple[OrderLine, Sellable | None]] = []
    for position, (line, variant) in enumerate(zip(data.lines, variants, strict=True), 1):
        known = sold.get(variant)
        if line.tax_rate is None and known is None:
            raise InvalidInput.at(f"lines/{position - 1}/tax_rate", "is needed: the channel does not sell it")
        rate = line.tax_rate if line.tax_rate is not None else known.tax_rate if known else 0
        sold_by = known.sold_by if known else Measure.PIECE
        comes_to = amounts(line.unit_price, line.quantity, rate, tax_included=included, per=sold_by.per)
        bought = OrderLine(
            position=position,
            kind=LineKind.ITEM,
            variant=variant,
            sku=known.sku if known else line.code,
            title=line.title or (known.title if known else line.code or str(variant)),
            options=known.options if known else "",
            quantity=line.quantity,
            unit_price=line.unit_price,
            sold_by=sold_by,
            tax_included=included,
            tax=comes_to.tax,
            total=comes_to.total,
            fulfilled=line.quantity if data.is_sent else 0,
            **_taxed_at(channel, rate, is_ours=line.tax_rate is None),
        )
        whole.append((bought, known))

    def parting(line: OrderLine, sold: Sellable) -> Sequence[sets.Part]:
        if data.lines[line.position - 1].tax_rate is not None:
            return sets.as_told(line, sold)
        return sets.taxed_by(lambda part: _taxed_at(channel, part.tax_rate, is_ours=True))(line, sold)

    lines = sets.in_parts(whole, parting)
    return [*lines, *_shipping(channel, data, lines)]


def _shipping(channel: Channel, data: Arrival, goods: Sequence[OrderLine]) -> list[OrderLine]:
    """What sending it cost, shared among the rates of the goods by what they come to."""
    included = bool(channel.setting("prices_include_tax"))
    is_ours = all(line.tax_rate is None for line in data.lines)
    worth: dict[int, int] = {}
    for line in goods:
        worth[line.tax_rate] = worth.get(line.tax_rate, 0) + line.total
    rates = sorted(worth, key=lambda rate: (-worth[rate], -rate))
    shares = allocate(data.shipping, [worth[rate] for rate in rates])
    parts = [(part, rate) for part, rate in zip(shares, rates, strict=True) if part]
    comes_to = [amounts(part, 1, rate, tax_included=included) for part, rate in parts]
    return [
        OrderLine(
            position=position,
            kind=LineKind.SHIPPING,
            title="Shipping",
            quantity=1,
            unit_price=part,
            tax_included=included,
            tax=each.tax,
            total=each.total,
            **_taxed_at(channel, rate, is_ours=is_ours),
        )
        for position, (each, (part, rate)) in enumerate(zip(comes_to, parts, strict=True), len(goods) + 1)
    ]


def _taxed_at(channel: Channel, rate: int, *, is_ours: bool) -> dict[str, Any]:
    """How a line is taxed as far as it is known: whose return a rate belongs to that was decided there, nobody has said."""
    known = {"tax_rate": rate, "tax_category": plain_category(rate)}
    return known | ({"tax_treatment": Treatment.DOMESTIC, "tax_country": channel.country} if is_ours else {})


async def _hold(
    tx: Tx, channel: Channel, lines: Sequence[OrderLine], address: Address | None, order: UUID
) -> list[Hold]:
    """Claim the goods where the channel's routing sends them, and count them on the places' days."""
    goods = routing.to_route(lines)
    routed = await routing.live_rules(tx, channel)
    if routed is not None:
        held = await routing.hold_routed(tx, channel, goods, address, order, routed, [])
    else:
        wanted = [HoldLine(line.variant, line.quantity) for line in goods]
        held = await stock.take_together(tx, wanted, channel=channel, kind=HoldKind.ORDER, owner=order)
    parts: dict[UUID, int] = {}
    for hold in held:
        parts[hold.location] = parts.get(hold.location, 0) + hold.quantity
    await delivery.count_order(tx, order, parts, None)
    return held
