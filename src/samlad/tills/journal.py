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

from samlad import carts, catalog, orders, promotions
from samlad.access import identity, staff
from samlad.carts import PriceStep
from samlad.carts.permissions import DISCOUNT_ANY
from samlad.channels import Resource
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Database, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Busy, NotFound, OutcomeUnknown
from samlad.orders.happened import HappenedLine, HappenedSale, HappenedTax
from samlad.payments.at_till import Tendered
from samlad.stock import Sold
from samlad.tills import (
    acts,
    events,
    gap_store,
    gift_cards,
    handed_over,
    kiosk,
    lots,
    people,
    rules,
    signed_returns,
    store,
    terminals,
)
from samlad.tills.desk import Desk
from samlad.tills.entries import TakenBack
from samlad.tills.model import Entry, Objection, Sale, SaleState, SoldLine, SoldTender, Verdict
from samlad.tills.permissions import RECORD

logger = structlog.get_logger("samlad.tills")

_KNOWN = {SaleState.TRAINING: "training", SaleState.DONE: "done"}
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
    except acts.NotDone as refused:
        why = refused.objection
    except Exception as error:
        name = type(error).__name__
        logger.exception("a till's sale could not be recorded", error=name)
        why = Objection(code="not-understood", there=name, blocks=True)
    try:
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
    if new.till_id is not None and new.sequence is not None:
        await gap_store.came(tx, new.till_id, new.sequence)
    if not isinstance(sale, str) and tx.actor.kind == "kiosk":
        because = because or kiosk.against(sale)
    if isinstance(sale, TakenBack) and because is None and not sale.training:
        waits = await signed_returns.awaits(tx, desk, sale)
        if waits is not None:
            return await _keep(tx, new, [waits, *await odd_about(tx, desk, new.id, sale)], raw)
    if isinstance(sale, str):
        because = because or Objection(code="unreadable", there=sale, blocks=True)
    elif sale.training and because is None:
        await store.conclude(tx, new.id, SaleState.TRAINING, None, [], looks=False)
        return Verdict(id=_said(raw), verdict="training")
    elif because is None and isinstance(sale, Sale):
        return await _judge(tx, desk, new.id, await called_now(tx, desk, sale), raw)
    elif because is None:
        return await _act(tx, desk, new.id, sale, raw)
    return await _keep(tx, new, [because], raw)


def _new(desk: Desk, raw: dict[str, Any], content: bytes, entry: Entry | str) -> store.NewSale:
    name, is_read, numbered = rules.name_of(raw, content), isinstance(entry, Entry), rules.number_of(raw)
    return store.NewSale(
        id=name,
        entry=_said(raw),
        kind=rules.kind_of(raw),
        digest=content,
        conflicts_with=None,
        till_id=numbered[0] if numbered else None,
        channel=desk.channel.id,
        location=desk.location.id,
        sequence=numbered[1] if numbered else None,
        reference=entry.reference if isinstance(entry, Entry) else f"?-{name.hex[-6:]}",
        happened_at=rules.when(entry, now())[0] if isinstance(entry, Entry) else now(),
        total=rules.total_of(raw),
        currency=getattr(entry, "currency", desk.channel.currency),
        clerk_name=entry.clerk_name if isinstance(entry, Entry) else "",
        body=rules.to_keep(raw) if is_read else {"unread": rules.to_keep(raw)},
    )


async def _act(tx: Tx, desk: Desk, entry_id: UUID, entry: Entry, raw: dict[str, Any]) -> Verdict:
    """What is no sale is done here, too."""
    objections = await do_act(tx, desk, entry_id, entry, await odd_about(tx, desk, entry_id, entry))
    return Verdict(id=_said(raw), verdict="done", objections=objections)


async def do_act(
    tx: Tx, desk: Desk, entry_id: UUID, entry: Entry, before: Sequence[Objection]
) -> list[Objection]:
    """Do what a till has done and say so; all that is odd about it, ``before`` it was done and then.

    Raises:
        NotDone: it does not go as it stands.
    """
    subject, odd = await acts.do(tx, desk, entry)
    objections = [*before, *odd]
    await store.conclude(
        tx, entry_id, SaleState.DONE, None, objections, looks=bool(objections), subject=subject
    )
    fact = events.EntryDone(
        till=entry.till,
        location=desk.location.id,
        reference=entry.reference,
        kind=str(type(entry).__name__),
        about=subject,
        objections=[each.code for each in objections],
    )
    log.append(tx, fact, subject=entry_id, channel=desk.channel.id, occurred_at=acts.when(entry))
    return objections


async def odd_about(tx: Tx, desk: Desk, entry_id: UUID, entry: Entry) -> list[Objection]:
    """What is odd about an entry that is no sale, whatever it tells of."""
    _, objections = rules.when(entry, now())
    if await store.is_used(tx, entry.till, entry.sequence, entry_id):
        objections.append(Objection(code="number-used", there=str(entry.sequence)))
    return objections + (await _clerk(tx, desk, entry))[1]


async def _known(tx: Tx, sale: UUID, raw: dict[str, Any]) -> Verdict:
    found = await store.read(tx, sale)
    assert found is not None, "it was there"
    verdict = "recorded" if found.order_id else _KNOWN.get(found.state, "kept")
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


async def called_now(tx: Tx, desk: Desk, sale: Sale) -> Sale:
    """The sale with the names that its goods have here now: a till's pack may be of before catalogues were joined."""
    pool = desk.channel.pools[Resource.CATALOGUE]
    names = await catalog.called_now(tx, pool, [line.variant for line in sale.lines])
    if not names:
        return sale
    lines = [
        msgspec.structs.replace(line, variant=names.get(line.variant, line.variant)) for line in sale.lines
    ]
    return msgspec.structs.replace(sale, lines=lines)


async def objections_to(tx: Tx, desk: Desk, sale_id: UUID, sale: Sale) -> list[Objection]:
    """Everything that the server would have said to this sale, had it been asked."""
    channel = desk.channel
    at, objections = rules.when(sale, now())
    if sale.currency != channel.currency:
        objections.append(Objection(code="currency", here=channel.currency, there=sale.currency, blocks=True))
    wanted = {line.variant: line.quantity for line in sale.lines}
    known = set(await catalog.by_ids(tx, list(wanted)))
    sold = await catalog.sellables(tx, channel, list(wanted), at=at, quantities=wanted)
    objections += rules.against(sale.lines, await handed_over.there(tx, desk, sold, at), known)
    objections += rules.sums(sale, tax_included=bool(channel.setting("prices_include_tax")))[1]
    if await store.is_used(tx, sale.till, sale.sequence, sale_id):
        objections.append(Objection(code="number-used", there=str(sale.sequence)))
    by_hand = rules.by_hand(sale)
    clerk, said = await _clerk(tx, desk, sale)
    may_any = clerk is not None and clerk.may(DISCOUNT_ANY, desk.location.id)
    if by_hand > rules.whole(sale) * int(channel.setting("discount_limit")) // 100 and not may_any:
        objections.append(Objection(code="discount", here=str(by_hand), there=sale.allowed_by))
    objections += await people.against(tx, desk, sale)
    if tx.actor.kind == "kiosk":
        said += await kiosk.unchecked(tx, desk, sale)
    said += await terminals.against(tx, desk, sale)
    return objections + said


async def _clerk(tx: Tx, desk: Desk, entry: Entry) -> tuple[Actor | None, list[Objection]]:
    """Who was on, as an actor, and what is odd about that."""
    if entry.clerk is None:
        return None, []
    try:
        found = await staff.get(tx, entry.clerk)
    except NotFound:
        is_known = tx.actor.id == entry.clerk  # somebody of another system, by OpenID Connect
        return None, [] if is_known else [Objection(code="clerk", there=entry.clerk_name or str(entry.clerk))]
    if found.status != "active":
        return None, [Objection(code="clerk", there=found.name)]
    clerk = await identity.of_staff(tx, found.id)
    if not clerk.may(orders.PLACE, desk.location.id):
        return None, [Objection(code="clerk-rights", there=found.name)]
    return clerk, []


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
        sold_by=line.sold_by,
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
        taxes=[HappenedTax(each.rate, each.tax, each.total) for each in line.taxes],
        lots=lots.named(line.variant, line.lots),
    )


def _lacking(sale: Sale, order: orders.Order, sold: Sold, unknown: Collection[int | None]) -> list[Objection]:
    """An objection for each line of which the books had fewer than were sold; of a set by the part that lacked most."""
    lacked = {found.variant: found.quantity for found in sold.found}
    parts = orders.parts_of_sets(order.lines)
    objections = []
    for place, line in enumerate(sale.lines, 1):
        of = parts.get(line.variant, {line.variant: 1})
        less = max(-(-lacked.get(part, 0) // each) for part, each in of.items())
        if less and place not in unknown:
            here, there = str(max(0, line.quantity - less)), str(line.quantity)
            objections.append(Objection(code="stock", line=place, here=here, there=there))
    return objections


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
    by_card = await gift_cards.take(tx, channel, sale)
    by_terminal = await terminals.take(tx, sale, order_id)
    objections = [*objections, *by_card.objections, *by_terminal.objections]
    happened = HappenedSale(
        id=order_id,
        cart=sale.cart if has_cart else None,
        lease=sale.till,
        location=desk.location.id,
        happened_at=at,
        reference=sale.reference,
        lines=[
            *(_line(line, there, is_known=place not in unknown) for place, line in enumerate(sale.lines, 1)),
            *gift_cards.lines_of(sale),
        ],
        tenders=[_tendered(each) for each in sale.tenders if not (each.kind == "gift" or each.payment)]
        + by_card.tenders,
        claimed=by_terminal.payments,
        rounding=sale.rounding,
        difference=difference - by_card.lacking - by_terminal.lacking,
        tip=sale.tip,
        clerk=sale.clerk,
        clerk_name=sale.clerk_name,
        customer=await people.customer_of(tx, desk, sale_id, sale),
    )
    order, sold = await orders.record_happened(tx, channel, happened)
    await acts.tell_drawer(tx, sale, [payment.id for payment in order.payments])
    over = [use for use in given if use.promotion not in there]
    counted = [use for use in given if use.promotion in there]
    over += await promotions.note(tx, order.id, counted, channel=channel, customer=order.customer)
    objections = [
        *objections,
        *await gift_cards.sold(tx, channel, sale_id, sale, order.id),
        *(Objection(code="promotion", there=each.name) for each in over),
        *_lacking(sale, order, sold, unknown),
        *await lots.objections(tx, sold.odd, sale.lines),
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
