"""The journals of tills come in: each entry becomes an order, once, or is kept with what was wrong.

A sale that has happened is never refused. What the server objects to is written beside its order for the manager; only
what cannot be an order at all waits for a person. Each entry is a transaction of its own: what one is like harms no
other, and whatever happens to the answer, the same entry may be sent again.
"""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import msgspec
import structlog

from samlad import carts, catalog, customers, orders, promotions
from samlad.access import staff
from samlad.carts import PriceStep
from samlad.channels import Resource
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.context import Context
from samlad.kernel.database import Database, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Busy, NotFound, OutcomeUnknown
from samlad.orders.happened import HappenedLine, HappenedSale
from samlad.payments.at_till import Tendered
from samlad.stock import Sold
from samlad.tills import events, rules, store
from samlad.tills.desk import Desk
from samlad.tills.model import Objection, Sale, SaleState, SoldLine, SoldTender, Verdict
from samlad.tills.permissions import RECORD

logger = structlog.get_logger("samlad.tills")

PROVIDERS = {"cash": "cash", "card": "till_card", "other": "till_other"}


async def record_batch(
    database: Database, context: Context, desk: Desk, entries: Sequence[dict[str, Any]]
) -> list[Verdict]:
    """Take in entries of a store's tills, in their order. Nothing is raised for what is in them."""
    context.actor.require(RECORD, location=desk.location.id)
    return [await _record_one(database, context, desk, raw) for raw in entries]


async def _record_one(database: Database, context: Context, desk: Desk, raw: dict[str, Any]) -> Verdict:
    try:
        return await database.transaction(lambda tx: record(tx, desk, raw), context)
    except (Busy, OutcomeUnknown):
        return _later(raw)
    except Exception as error:
        name = type(error).__name__
        logger.exception("a till's sale could not be recorded", error=name)
    try:
        why = Objection(code="not-understood", there=name, blocks=True)
        return await database.transaction(lambda tx: record(tx, desk, raw, because=why), context)
    except Exception as error:
        logger.exception("a till's sale could not be kept", error=type(error).__name__)
        return _later(raw)


def _later(raw: dict[str, Any]) -> Verdict:
    return Verdict(id=_said(raw), verdict="later")


def _said(raw: dict[str, Any]) -> str | None:
    """The id as it was sent, short enough to keep and to answer."""
    return None if raw.get("id") is None else str(rules.to_keep(str(raw["id"])))[:100]


async def record(tx: Tx, desk: Desk, raw: dict[str, Any], *, because: Objection | None = None) -> Verdict:
    """Take in one entry. ``because``: keep it without a try to make an order of it.

    The same entry again has the same answer. Another one of the same id is kept beside it as a conflict.
    """
    tx.actor.require(RECORD, location=desk.location.id)
    content, sale = rules.digest(raw), rules.read(raw)
    new = _new(desk, raw, content, sale)
    if not await store.claim(tx, new):
        if await store.digest_of(tx, new.id) == content:
            return await _known(tx, new.id, raw)
        new = msgspec.structs.replace(new, id=rules.beside(new.id, content), conflicts_with=new.id)
        if not await store.claim(tx, new):
            return await _known(tx, new.id, raw)
        because = Objection(code="conflict", here=str(new.conflicts_with), blocks=True)
    if isinstance(sale, str):
        because = because or Objection(code="unreadable", there=sale, blocks=True)
    elif sale.training and because is None:
        await store.conclude(tx, new.id, SaleState.TRAINING, None, [], looks=False)
        return Verdict(id=_said(raw), verdict="training")
    elif because is None:
        return await _judge(tx, desk, new.id, sale, raw)
    return await _keep(tx, new, [because], raw)


def _new(desk: Desk, raw: dict[str, Any], content: bytes, sale: Sale | str) -> store.NewSale:
    name, is_read = rules.name_of(raw, content), not isinstance(sale, str)
    return store.NewSale(
        id=name,
        entry=_said(raw),
        digest=content,
        conflicts_with=None,
        till_id=sale.till if isinstance(sale, Sale) else None,
        channel=desk.channel.id,
        location=desk.location.id,
        sequence=sale.sequence if isinstance(sale, Sale) else None,
        reference=sale.reference if isinstance(sale, Sale) else f"?-{name.hex[-6:]}",
        happened_at=rules.when(sale, now())[0] if isinstance(sale, Sale) else now(),
        total=rules.total_of(raw),
        currency=sale.currency if isinstance(sale, Sale) else desk.channel.currency,
        clerk_name=sale.clerk_name if isinstance(sale, Sale) else "",
        body=rules.to_keep(raw) if is_read else {"unread": rules.to_keep(raw)},
    )


async def _known(tx: Tx, sale: UUID, raw: dict[str, Any]) -> Verdict:
    found = await store.read(tx, sale)
    assert found is not None, "it was there"
    verdict = "recorded" if found.order_id else "training" if found.state is SaleState.TRAINING else "kept"
    return Verdict(
        id=_said(raw),
        verdict="conflict" if found.conflicts_with else verdict,  # type: ignore[arg-type]
        is_known=True,
        order=found.order_id,
        number=found.order_number,
        objections=found.objections,
    )


async def _keep(tx: Tx, new: store.NewSale, objections: Sequence[Objection], raw: dict[str, Any]) -> Verdict:
    await store.conclude(tx, new.id, SaleState.KEPT, None, objections, looks=True)
    fact = events.SaleKept(
        till=new.till_id,
        location=new.location,
        reference=new.reference,
        total=new.total,
        currency=new.currency,
        objections=[each.code for each in objections],
    )
    log.append(tx, fact, subject=new.id, channel=new.channel)
    verdict = "conflict" if new.conflicts_with else "kept"
    return Verdict(id=_said(raw), verdict=verdict, objections=list(objections))  # type: ignore[arg-type]


async def _judge(tx: Tx, desk: Desk, sale_id: UUID, sale: Sale, raw: dict[str, Any]) -> Verdict:
    objections, order_id = await objections_to(tx, desk, sale_id, sale), new_id()
    is_refused = any(each.blocks for each in objections)
    has_cart = sale.cart is not None and not is_refused and await carts.take_for(tx, sale.cart, order_id)
    if sale.cart is not None and not is_refused and not has_cart:
        before = await carts.order_of(tx, sale.cart)
        if (
            before is not None
        ):  # the same sale, most likely: the network failed after the server had placed it
            objections.append(Objection(code="cart-ordered", here=str(before), blocks=True))
            is_refused = True
    if is_refused:
        new = _new(desk, raw, b"", sale)
        return await _keep(tx, msgspec.structs.replace(new, id=sale_id), objections, raw)
    order, objections = await make_order(tx, desk, sale_id, sale, objections, order_id, has_cart=has_cart)
    return Verdict(
        id=_said(raw), verdict="recorded", order=order.id, number=order.number, objections=list(objections)
    )


async def objections_to(tx: Tx, desk: Desk, sale_id: UUID, sale: Sale) -> list[Objection]:
    """Everything that the server would have said to this sale, had it been asked."""
    channel = desk.channel
    at, objections = rules.when(sale, now())
    if sale.currency != channel.currency:
        objections.append(Objection(code="currency", here=channel.currency, there=sale.currency, blocks=True))
    wanted = {line.variant: line.quantity for line in sale.lines}
    known = set(await catalog.by_ids(tx, list(wanted)))
    sold = await catalog.sellables(tx, channel, list(wanted), at=at, quantities=wanted)
    objections += rules.against(sale.lines, sold, known)
    objections += rules.sums(sale, tax_included=bool(channel.setting("prices_include_tax")))[1]
    if await store.is_used(tx, sale.till, sale.sequence, sale_id):
        objections.append(Objection(code="number-used", there=str(sale.sequence)))
    if sale.customer is not None and await _customer(tx, desk, sale.customer) is None:
        objections.append(Objection(code="customer", there=str(sale.customer)))
    return objections + await _about_clerk(tx, sale)


async def _about_clerk(tx: Tx, sale: Sale) -> list[Objection]:
    if sale.clerk is None:
        return []
    try:
        found = await staff.get(tx, sale.clerk)
    except NotFound:
        is_known = tx.actor.id == sale.clerk  # somebody of another system, by OpenID Connect
        return [] if is_known else [Objection(code="clerk", there=sale.clerk_name or str(sale.clerk))]
    return [] if found.status == "active" else [Objection(code="clerk", there=found.name)]


async def _customer(tx: Tx, desk: Desk, customer: UUID) -> UUID | None:
    found = await customers.get(tx, customer)
    is_ours = found is not None and found.pool == desk.channel.pools[Resource.CUSTOMERS]
    return found.id if found is not None and is_ours else None


def _tendered(tender: SoldTender) -> Tendered:
    """Less handed over than was taken is a slip of the till: what was taken counts."""
    handed = tender.tendered if (tender.tendered or 0) >= tender.amount else None
    return Tendered(PROVIDERS[tender.kind], tender.amount, handed)


def _line(line: SoldLine, there: set[UUID], *, is_known: bool) -> HappenedLine:
    """A line as the order has it. ``there`` are the promotions that we know: what else was taken off is by hand."""
    return HappenedLine(
        variant=line.variant if is_known else None,
        sku=line.sku,
        title=line.title or line.sku or str(line.variant),
        options=line.options,
        quantity=line.quantity,
        unit_price=line.unit_price,
        reductions=[
            PriceStep(
                promotion=step.promotion,
                name=step.name,
                amount=step.amount,
                by_hand=step.promotion not in there,
            )
            for step in line.reductions
        ],
        tax_rate=line.tax_rate,
        tax=line.tax,
        total=line.total,
    )


def _lacking(sale: Sale, sold: Sold, unknown: Collection[int | None]) -> list[Objection]:
    """An objection for each line of which the books had fewer than were sold."""
    lacked = {found.variant: found.quantity for found in sold.found}
    return [
        Objection(
            code="stock",
            line=place,
            here=str(line.quantity - lacked[line.variant]),
            there=str(line.quantity),
        )
        for place, line in enumerate(sale.lines, 1)
        if line.variant in lacked and place not in unknown
    ]


async def make_order(
    tx: Tx,
    desk: Desk,
    sale_id: UUID,
    sale: Sale,
    objections: Sequence[Objection],
    order_id: UUID,
    *,
    has_cart: bool,
) -> tuple[orders.Order, list[Objection]]:
    """Make the order of a sale, whatever was said against it; what its stock lacked is one more objection.

    Goods that nobody knows are lines without a variant: what they were called and cost is in the order.
    """
    channel = desk.channel
    at, _ = rules.when(sale, now())
    difference, _ = rules.sums(sale, tax_included=bool(channel.setting("prices_include_tax")))
    unknown = {each.line for each in objections if each.code == "unknown-goods"}
    given = rules.promotions_of(sale)
    there = await promotions.known(tx, [use.promotion for use in given]) if given else set()
    happened = HappenedSale(
        id=order_id,
        cart=sale.cart if has_cart else None,
        lease=sale.till,
        location=desk.location.id,
        happened_at=at,
        reference=sale.reference,
        lines=[_line(line, there, is_known=place not in unknown) for place, line in enumerate(sale.lines, 1)],
        tenders=[_tendered(each) for each in sale.tenders],
        rounding=sale.rounding,
        difference=difference,
        customer=None if sale.customer is None else await _customer(tx, desk, sale.customer),
    )
    order, sold = await orders.record_happened(tx, channel, happened)
    over = [use for use in given if use.promotion not in there]
    counted = [use for use in given if use.promotion in there]
    over += await promotions.note(tx, order.id, counted, channel=channel, customer=order.customer)
    objections = [
        *objections,
        *(Objection(code="promotion", there=each.name) for each in over),
        *_lacking(sale, sold, unknown),
    ]
    await store.conclude(tx, sale_id, SaleState.ORDERED, order.id, objections, looks=bool(objections))
    fact = events.SaleRecorded(
        till=sale.till,
        location=desk.location.id,
        reference=sale.reference,
        order=order.id,
        number=order.number,
        total=order.total,
        currency=order.currency,
        objections=[each.code for each in objections],
    )
    log.append(tx, fact, subject=sale_id, channel=channel.id, profile=order.customer, occurred_at=at)
    return order, objections
