"""Issuing: bringing the documents of an order in line with it. docs/concepts/documents.md says when, docs/decisions/
unbroken-numbers.md how the numbers stay without gaps.

The first document is the invoice: all that was sold, less what came back before. Of a deposit there are prepayment invoices before
that one, which takes them off again. Then each return is a credit note of
its own, and what changed of the sale itself (called off, replaced, cheaper) one more. Asked again with nothing new it
issues nothing, so that it does not matter how often, in which order or how late events come.
"""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from samlad import channels, content, payments
from samlad.channels import Channel
from samlad.documents import entities, rules, snapshot, store
from samlad.documents.events import DocumentIssued
from samlad.documents.model import (
    PREPAID,
    BuyerInput,
    Document,
    DocumentContent,
    Entity,
    IssueInput,
    Kind,
    NothingToIssue,
    Party,
    Printed,
    PrintedLine,
)
from samlad.documents.permissions import ISSUE
from samlad.kernel import cards, log
from samlad.kernel.clock import local_day, now
from samlad.kernel.database import Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import NotFound
from samlad.orders import OrderHead, OrderKind, OrderLine, OrderPayment, OrderStatus, seeing
from samlad.orders import store as order_store

SETTING = "invoice_when"
"""A channel's setting: when the invoice of an order is issued by itself."""

_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(Printed).decode


class _Sale(msgspec.Struct, frozen=True):
    """A locked sale with all that its documents are made of. ``told``: what they have said, signed, by line;
    ``paid_told`` what they said was paid before (minor units)."""

    head: OrderHead
    lines: list[OrderLine]
    channel: Channel
    buyer: BuyerInput
    documents: list[Document]
    told: list[PrintedLine]
    rounding_told: int
    paid_told: int
    printed: Printed | None
    returns: list[OrderHead]
    told_returns: set[UUID]


class _Part(msgspec.Struct, frozen=True):
    """What the next document says: lines the way they are printed on it, and why it is issued. ``paid``: what of it came in before
    (minor units), None for what follows an invoice."""

    kind: Kind
    cause: str
    lines: list[PrintedLine]
    rounding: int = 0
    returns: tuple[UUID, ...] = ()
    paid: int | None = None


async def issue(tx: Tx, order: UUID, data: IssueInput) -> list[Document]:
    """Issue what is missing for an order: its invoice, or credit notes for what came after it.

    Raises:
        NotFound, Forbidden. NothingToIssue: its documents say all there is to say, or it is no sale of ours.
    """
    head = await order_store.head(tx, order)
    tx.actor.require(ISSUE, location=None if head is None else head.location)
    await seeing.check(tx, tx.actor, order)
    for value in msgspec.structs.astuple(data.buyer):
        cards.refuse(value, "buyer")
    issued = await settle(tx, order, data.buyer, on_request=True)
    if not issued:
        raise NothingToIssue("Its documents say all there is to say.")
    return issued


async def settle(
    tx: Tx,
    order: UUID,
    buyer: BuyerInput | None = None,
    *,
    on_request: bool = False,
    is_claim: bool = False,
) -> list[Document]:
    """Issue what an order's documents lack; nothing if they lack nothing. Without an invoice only when its time has come,
    which for a claim is now.

    The order is locked first, the series of numbers last.
    """
    sale = await _lock(tx, order, buyer, on_request=on_request)
    if sale is None:
        return []
    issued = []
    if not any(d.cause == "sale" for d in sale.documents):
        first = await _before_invoice(tx, sale, on_request=on_request, is_wanted=on_request or is_claim)
        if first is None:
            return []
        issued.append(await _issue(tx, sale, first, sale.documents[0] if sale.documents else None))
        return issued
    invoice = min(
        (d for d in sale.documents if d.kind is Kind.INVOICE), key=lambda each: each.cause != "sale"
    )
    for back in sale.returns:
        if back.id not in sale.told_returns:
            part = await _returned(tx, back)
            if part is not None:
                issued.append(await _issue(tx, sale, part, invoice))
    changed = await _changed(tx, sale)
    if changed is not None:
        issued.append(await _issue(tx, sale, changed, invoice))
    return issued


def is_due(head: OrderHead, channel: Channel, *, is_begun: bool = False) -> bool:
    """Whether an order without an invoice gets one by itself now. ``is_begun``: there are invoices for prepayments, which the last one
    takes off."""
    when = channel.setting(SETTING)
    if head.status is OrderStatus.CANCELLED:
        return False
    if when == "request" and is_begun:
        when = "paid"
    if when == "paid":
        return head.payment_status in (OrderPayment.PAID, OrderPayment.REFUNDED)
    if when == "fulfilled":
        return head.status in (OrderStatus.FULFILLED, OrderStatus.RETURNED)
    return False


async def read(reader: Reader, document: UUID) -> DocumentContent:
    """A document with all that is printed on it.

    Raises:
        NotFound: there is none.
    """
    found = await store.stored(reader, document)
    if found is None:
        raise NotFound("There is no such document.")
    values = {name: getattr(found.document, name) for name in Document.__struct_fields__}
    return DocumentContent(**values, printed=_decode(found.payload))


async def of_order(reader: Reader, order: UUID) -> list[Document]:
    """The documents of an order in the order in which they were issued."""
    return await store.of_order(reader, order)


# -- what there is to say --------------------------------------------------------------------------------------------------


async def _lock(tx: Tx, order: UUID, buyer: BuyerInput | None, *, on_request: bool) -> _Sale | None:
    """The sale, held until the transaction ends; None for what is no sale of ours.

    Raises:
        NotFound, NothingToIssue: when somebody asked for it.
    """
    found = await order_store.lock(tx, order)
    if found is None or found[0].kind is not OrderKind.SALE or found[0].imported is not None:
        if not on_request:
            return None
        if found is None:
            raise NotFound("There is no such order.")
        raise NothingToIssue(
            "It is no sale, or it is history that was imported: its documents are elsewhere."
        )
    head, lines = found
    stored = await store.contents_of_order(tx, order)
    printed = [_decode(each.payload) for each in stored]
    told: list[PrintedLine] = []
    rounding = 0
    for each, copy in zip(stored, printed, strict=True):
        is_credit = each.document.kind is Kind.CREDIT_NOTE
        told += [rules.negated(line) if is_credit else line for line in copy.lines if line.position]
        rounding += -copy.rounding if is_credit else copy.rounding
    return _Sale(
        head=head,
        lines=lines,
        channel=await channels.cached(tx, head.channel),
        buyer=buyer or BuyerInput(),
        documents=[each.document for each in stored],
        told=told,
        rounding_told=rounding,
        paid_told=sum(each.paid for each in printed),
        printed=printed[0] if printed else None,
        returns=await order_store.returns_of(tx, order),
        told_returns=await store.told_returns(tx, order),
    )


async def _before_invoice(tx: Tx, sale: _Sale, *, on_request: bool, is_wanted: bool) -> _Part | None:
    """What an order without its invoice lacks: that, one for a prepayment, or the credit note of those when it is called off."""
    head, begun = sale.head, bool(sale.documents)
    if head.status is OrderStatus.CANCELLED:
        return await _changed(tx, sale) if begun else None
    if head.deposit is not None and (begun or on_request or sale.channel.setting(SETTING) != "request"):
        money = await payments.of_order(tx, head.id)
        came_in = sum(each.captured - each.refunded for each in money) - head.credited
        if (
            sum(each.captured for each in money) < head.total - head.called_off
        ):  # as orders reckon what is due
            part = _prepaid(sale, came_in)
            if part is not None or not on_request:
                return part
    if not (is_wanted or is_due(head, sale.channel, is_begun=begun)):
        return None
    return await _first(tx, sale)


def _prepaid(sale: _Sale, came_in: int) -> _Part | None:
    """The invoice for what came in of a deposit (minor units) and was not told yet; a credit note if it is less by now."""
    lines = rules.difference(rules.prepaid_lines(sale.lines, came_in), sale.told)
    kind = rules.kind_of(lines)
    if kind is None:
        return None
    cause = f"{PREPAID}:{len(sale.documents)}"
    if kind is Kind.CREDIT_NOTE:
        return _Part(kind, cause, [rules.negated(line) for line in lines])
    return _Part(kind, cause, lines, paid=sum(line.total for line in lines))


async def _first(tx: Tx, sale: _Sale) -> _Part | None:
    """The invoice: what was sold less what came back before, and less what prepayments were told. None if nothing is left."""
    if sale.head.status is OrderStatus.CANCELLED:
        return None
    lines, rounding = rules.printed_lines(sale.lines), rules.rounding_of(sale.lines)
    for back in sale.returns:
        came = await order_store.lines_of(tx, back.id)
        lines += rules.printed_lines(came, source=back.id)
        rounding += rules.rounding_of(came)
    lines += rules.difference([], sale.told)
    kind, returns = rules.kind_of(lines), tuple(back.id for back in sale.returns)
    if sale.documents and kind is Kind.CREDIT_NOTE:  # more was prepaid than is left of it
        return _Part(kind, "sale", [rules.negated(line) for line in lines], -rounding, returns)
    if kind is not Kind.INVOICE:
        return None
    told = sum(line.total for line in sale.told)
    paid = sale.head.paid - sale.head.refunded - told
    total = sum(line.total for line in lines) + rounding
    return _Part(kind, "sale", lines, rounding, returns, max(0, min(paid, total)))


async def _returned(tx: Tx, back: OrderHead) -> _Part | None:
    """The credit note of a return; None for one that is worth nothing."""
    lines = await order_store.lines_of(tx, back.id)
    came = rules.printed_lines(lines, source=back.id)
    if rules.kind_of(came) is not Kind.CREDIT_NOTE:
        return None
    # What goes back in cash is rounded, too: the note comes to what was handed out.
    return _Part(
        Kind.CREDIT_NOTE,
        f"return:{back.id}",
        [rules.negated(line) for line in came],
        -rules.rounding_of(lines),
        returns=(back.id,),
    )


async def _changed(tx: Tx, sale: _Sale) -> _Part | None:
    """What the sale itself is other than its documents say: cancelled, replaced, cheaper, more."""
    is_off = sale.head.status is OrderStatus.CANCELLED
    target = [] if is_off else rules.printed_lines(sale.lines)
    lines = rules.difference(target, sale.told)
    kind = rules.kind_of(lines)
    if kind is None:
        return None
    rounding = (0 if is_off else rules.rounding_of(sale.lines)) - sale.rounding_told
    for back in sale.returns:
        if back.id in sale.told_returns:
            rounding += rules.rounding_of(await order_store.lines_of(tx, back.id))
    cause = f"{'cancelled' if is_off else 'changed'}:{len(sale.documents)}"
    if kind is Kind.CREDIT_NOTE:
        return _Part(kind, cause, [rules.negated(line) for line in lines], -rounding)
    return _Part(kind, cause, lines, rounding)


# -- the document ----------------------------------------------------------------------------------------------------------


async def _issue(tx: Tx, sale: _Sale, part: _Part, invoice: Document | None) -> Document:
    """Give the next number to what is to be said, and keep it as it is said. Nothing is read after the number."""
    head, channel = sale.head, sale.channel
    entity = await _seller(tx, sale, invoice)
    money = await payments.of_order(tx, head.id)
    draft = await _draft(tx, sale, part, entity, invoice)
    first_day = local_day(now(), channel.time_zone)
    year = rules.fiscal_year(first_day, entity.year_begins) if entity.is_yearly else 0
    sequence, moment = await store.next_number(tx, entity.id, part.kind, year)
    day = _day(moment, channel, entity, year, first_day)
    prefix = entity.invoice_prefix if part.kind is Kind.INVOICE else entity.credit_prefix
    number = rules.number_of(
        prefix, year or rules.fiscal_year(day, entity.year_begins), sequence, entity.number_digits
    )
    printed = msgspec.structs.replace(
        draft,
        number=number,
        issued_on=day,
        issued_at=moment,
        due_on=_due(part.kind, draft, money, channel, day),
        bank=snapshot.bank_of(entity, money, number) if part.kind is Kind.INVOICE else draft.bank,
    )
    payload = _encode(printed)
    document = _row(tx, sale, part, entity, printed, payload, invoice)
    await store.insert(
        tx, document, year=year, sequence=sequence, payload=payload.decode(), returns=part.returns
    )
    _tell(tx, document)
    return document


async def _seller(tx: Tx, sale: _Sale, invoice: Document | None) -> Entity:
    """Who issues: for what follows an invoice, who issued that. How numbers look stays as it is until the commit."""
    entity = invoice.entity if invoice is not None else (await entities.seller_of(tx, sale.channel)).id
    return await store.hold_entity(tx, entity)


async def _draft(tx: Tx, sale: _Sale, part: _Part, entity: Entity, invoice: Document | None) -> Printed:
    """All that is printed, but for what comes with the number."""
    head, channel = sale.head, sale.channel
    place, place_lines = await snapshot.place_of(tx, head.location)
    moment = now()
    first = part.paid is not None
    return Printed(
        kind=part.kind,
        number="",
        issued_on=local_day(moment, channel.time_zone),
        issued_at=moment,
        delivered_on=local_day(moment, channel.time_zone) if head.status is OrderStatus.FULFILLED else None,
        locale=await snapshot.locale_of(tx, head, channel),
        time_zone=channel.time_zone,
        currency=head.currency,
        seller=snapshot.seller_party(entity),
        buyer=_buyer(sale),
        ship_to=snapshot.ship_to_of(head),
        buyer_reference=sale.buyer.reference or (sale.printed.buyer_reference if sale.printed else ""),
        order=head.id,
        order_number=head.number,
        placed_at=head.placed_at,
        channel=channel.name,
        place=place,
        place_lines=place_lines,
        lines=part.lines,
        rounding=part.rounding,
        **snapshot.sums(part.lines, part.rounding),
        paid=part.paid or 0,
        payments=rules.paid_since(snapshot.paid_of(await payments.of_order(tx, head.id)), sale.paid_told)
        if first
        else [],
        of="" if invoice is None else invoice.number,
        of_date=None if invoice is None else invoice.issued_on,
        reason=part.cause.partition(":")[0],
        legal_text=entity.legal_text,
        footer=channel.setting("receipt_footer"),
        logo=entity.logo or await content.printed_logo(tx, channel),
    )


def _buyer(sale: _Sale) -> Party:
    """The buyer of the invoice on everything that follows it, unless something else was given."""
    if sale.printed is not None and sale.buyer == BuyerInput():
        return sale.printed.buyer
    return snapshot.buyer_party(sale.head, sale.buyer)


def _day(moment: datetime, channel: Channel, entity: Entity, year: int, before: date) -> date:
    """The day of a document: that of its moment, but never in another fiscal year than its number."""
    day = local_day(moment, channel.time_zone)
    if entity.is_yearly and rules.fiscal_year(day, entity.year_begins) != year:
        return before
    return day


def _due(
    kind: Kind, draft: Printed, money: Sequence[payments.Payment], channel: Channel, day: date
) -> date | None:
    """Until when an invoice is to be paid; None when nothing is left to pay."""
    if kind is Kind.CREDIT_NOTE or draft.total <= draft.paid:
        return None
    agreed = min((payment.due_on for payment in money if payment.due_on), default=None)
    return agreed or day + timedelta(days=channel.setting("payment_days"))


def _row(
    tx: Tx,
    sale: _Sale,
    part: _Part,
    entity: Entity,
    printed: Printed,
    payload: bytes,
    invoice: Document | None,
) -> Document:
    return Document(
        id=new_id(),
        entity=entity.id,
        kind=part.kind,
        number=printed.number,
        order_id=sale.head.id,
        cause=part.cause,
        invoice=invoice.id if invoice is not None and part.kind is Kind.CREDIT_NOTE else None,
        channel=sale.channel.id,
        customer=sale.head.customer,
        currency=printed.currency,
        net=printed.net,
        tax=printed.tax,
        rounding=printed.rounding,
        total=printed.total,
        rates=printed.rates,
        issued_at=printed.issued_at,
        issued_on=printed.issued_on,
        due_on=printed.due_on,
        actor=tx.actor.label,
        sha256=hashlib.sha256(payload).hexdigest(),
    )


def _tell(tx: Tx, document: Document) -> None:
    fact = DocumentIssued(
        document=document.id,
        kind=document.kind,
        number=document.number,
        entity=document.entity,
        cause=document.cause,
        currency=document.currency,
        net=document.net,
        tax=document.tax,
        rounding=document.rounding,
        total=document.total,
        issued_on=document.issued_on,
        due_on=document.due_on,
        invoice=document.invoice,
    )
    log.append(tx, fact, subject=document.order_id, channel=document.channel, profile=document.customer)
