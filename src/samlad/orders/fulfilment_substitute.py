"""Something else instead of what is not there: with the customer's word, and never for more money."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from samlad import catalog, channels, customers, delivery, payments, stock
from samlad.carts import PriceStep
from samlad.catalog import Sellable
from samlad.catalog.model import Measure
from samlad.channels import Resource
from samlad.kernel import log
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.kernel.money import allocate, share, worth
from samlad.kernel.problems import InvalidInput
from samlad.orders import fulfilment_store as rows
from samlad.orders import store
from samlad.orders.fulfilment_access import again, enter
from samlad.orders.fulfilment_events import FulfilmentSubstituted
from samlad.orders.fulfilment_model import Fulfilment, FulfilmentState, SubstituteInput
from samlad.orders.fulfilment_short import give_up
from samlad.orders.model import OrderHead, OrderLine, OrderPayment, WrongState
from samlad.stock import HoldKind, HoldLine
from samlad.stock.scanning import read
from samlad.tax import amounts

S = FulfilmentState


async def substitute(
    tx: Tx, fulfilment_id: UUID, data: SubstituteInput, *, version: int | None = None
) -> Fulfilment:
    """Give another thing for units of a line. It costs what it costs, at most what was ordered; the rest goes back.

    The other thing is in the hand (its code was scanned), so its units count as picked.

    Raises:
        InvalidInput: no such line or so many of it, or a part of what is weighed; an unknown code, the same thing, no
            price here, another tax or measure.
        SoldOut: the place has not so many of it free.
        Outdated: somebody changed it since ``version``. WrongState: nobody is picking it; or a part of the line came back or was called off.
    """
    found, head, lines = await enter(tx, fulfilment_id, (S.PICKING, S.PICKED), version=version)
    line = _line(found, lines, data)
    other = await _other(tx, found, line, data)
    place = found.location
    assert place is not None
    assert line.variant is not None
    channel = await channels.cached(tx, head.channel)
    wanted = [HoldLine(variant=other.variant, quantity=data.quantity, location=place)]
    await stock.take(tx, wanted, channel=channel, kind=HoldKind.ORDER, owner=head.id, expires_at=None)
    await delivery.count_more(tx, head.id, {place: data.quantity})  # the place makes it ready all the same
    await give_up(tx, head, found, [(line.position, line.variant, data.quantity)], data.reason)
    kept, given = parted(line, data.quantity, other, max(each.position for each in lines) + 1)
    await rows.take_off(tx, found.id, [(line.position, data.quantity)])
    await store.replace_line(tx, head.id, kept or given)
    if kept is not None:
        await store.insert_line(tx, head.id, given)
    await rows.put_line(tx, found.id, given.position, other.variant, data.quantity)
    await rows.note_picked(tx, found.id)
    before = line.total - (kept.total if kept else 0)
    taxed = line.tax - (kept.tax if kept else 0)
    refunded = await _reprice(tx, head, given.total - before, given.tax - taxed)
    fact = FulfilmentSubstituted(
        number=head.number,
        fulfilment=found.id,
        sku=line.sku or "",
        by_sku=other.sku,
        units=data.quantity,
        refunded=refunded,
        currency=head.currency,
    )
    log.append(tx, fact, subject=head.id, channel=head.channel, profile=head.customer)
    return await again(tx, found.id)


def _line(found: Fulfilment, lines: list[OrderLine], data: SubstituteInput) -> OrderLine:
    here = next((line for line in found.lines if line.position == data.position), None)
    if here is None:
        raise InvalidInput.at("position", "there is no such line")
    if data.quantity > here.quantity:
        raise InvalidInput.at("quantity", f"at most {here.quantity}")
    line = next(line for line in lines if line.position == data.position)
    if line.sold_by is not Measure.PIECE and data.quantity < line.quantity:
        # Two lines of it would count as two of the order's items, and one was bought.
        raise InvalidInput.at(
            "quantity", f"all {line.quantity}: what is weighed or measured is replaced as a whole"
        )
    if line.returned or line.cancelled:
        raise WrongState("A part of this line came back or was called off; refund the rest instead.")
    if line.concessions:
        raise WrongState("Money was given back on this line before; refund the rest instead.")
    return line


async def _other(tx: Tx, found: Fulfilment, line: OrderLine, data: SubstituteInput) -> Sellable:
    channel = await channels.cached(tx, found.channel)
    ref = await catalog.variant_by_code(tx, channel.pools[Resource.CATALOGUE], read(data.code).code)
    if ref is None:
        raise InvalidInput.at("code", "nothing has this code")
    if ref.id == line.variant:
        raise InvalidInput.at("code", "this is what was ordered")
    sold = (await catalog.sellables(tx, channel, [ref.id])).get(ref.id)
    if sold is None or sold.price is None or sold.currency != channel.currency:
        raise InvalidInput.at("code", "this has no price here")
    if sold.parts:
        raise InvalidInput.at("code", "this is a set; give one of its parts, or sell the set")
    if sold.sold_by is not line.sold_by:
        raise InvalidInput.at("code", "this is sold by another measure")
    if sold.tax_rate != line.tax_rate:
        raise InvalidInput.at("code", "this is taxed otherwise; refund the one and sell the other")
    return sold


def parted(
    line: OrderLine, quantity: int, other: Sellable, position: int
) -> tuple[OrderLine | None, OrderLine]:
    """A line without some units (None: without all of it), and the line of what is given for them.

    The amounts of both are those of the line to the minor unit, unless the other thing costs less; so are the steps of both.
    """
    left = line.quantity - quantity
    kept = msgspec.structs.replace(
        line,
        quantity=left,
        total=share(line.total, left, line.quantity),
        tax=share(line.tax, left, line.quantity),
    )
    steps = [step.amount for step in line.reductions]
    kept_steps = allocate(worth(line.unit_price, left, line.sold_by.per) - quoted(kept), steps)
    given = msgspec.structs.replace(
        line,
        position=position if left else line.position,
        variant=other.variant,
        sku=other.sku,
        title=other.title,
        options=other.options,
        quantity=quantity,
        total=line.total - kept.total,
        tax=line.tax - kept.tax,
        fulfilled=0,
        substitutes=line.substitutes or line.sku,
        reductions=_steps(line, [whole - mine for whole, mine in zip(steps, kept_steps, strict=True)]),
    )
    kept = msgspec.structs.replace(kept, reductions=_steps(line, kept_steps))
    return (kept if left else None), _no_dearer(line, given, other)


def _no_dearer(line: OrderLine, given: OrderLine, other: Sellable) -> OrderLine:
    """What is given at what it costs, if that is less: at its own price, or by one more step where promotions led to the line's."""
    assert other.price is not None
    costs = amounts(
        other.price, given.quantity, other.tax_rate, tax_included=other.tax_included, per=other.sold_by.per
    )
    if costs.total >= given.total:
        return given
    cheaper = msgspec.structs.replace(given, total=costs.total, tax=costs.tax)
    if not given.reductions:
        return msgspec.structs.replace(cheaper, unit_price=other.price, tax_included=other.tax_included)
    step = PriceStep(
        promotion=new_id(),
        name=f"{line.sku} → {other.sku}",
        amount=quoted(given) - quoted(cheaper),
        by_hand=True,
    )
    return msgspec.structs.replace(cheaper, reductions=[*given.reductions, step])


def quoted(line: OrderLine) -> int:
    """What a line comes to as its prices are quoted, with or without tax (minor units)."""
    return line.total if line.tax_included else line.total - line.tax


def _steps(line: OrderLine, amounts_: Sequence[int]) -> list[PriceStep]:
    """The steps of a line with other amounts, without those that are nothing."""
    return [
        msgspec.structs.replace(step, amount=amount)
        for step, amount in zip(line.reductions, amounts_, strict=True)
        if amount
    ]


async def _reprice(tx: Tx, head: OrderHead, change: int, tax: int) -> int:
    """Take a change of its lines (minor units, not above 0) into an order's sums; what went back of what was paid."""
    if change == 0 and tax == 0:
        return 0
    left = head.paid - head.refunded - head.credited
    refund = max(0, min(-change, left)) if head.payment_status is OrderPayment.PAID else 0
    if refund:  # what their bank takes back is not given back a second time
        refund = min(refund, sum(p.refundable for p in await payments.lock_of_order(tx, head.id)))
    await payments.refund(tx, head.id, refund, channel=head.channel, reason="substitute")
    values = {"total": head.total + change, "tax": head.tax + tax, "refunded": head.refunded + refund}
    await store.update(tx, head.id, values)
    if await store.change_revenue(tx, head.id, change) and head.customer is not None:
        spend = customers.Spend(
            customer=head.customer,
            currency=head.currency,
            orders=0,
            spent=change,
            last_order_at=head.placed_at,
        )
        await customers.book_spend(tx, [spend])
    return refund
