"""Mails of what comes back: a return is announced (with its label), it is here, and money goes back.

One mail for each change that gives something back, whatever it was: a return, units that will not come, a claim, goodwill, other
goods for less, money that was too much. Each says what, how much, to which tender and when to expect it.
"""

from collections.abc import Sequence

import msgspec

from samlad import channels, orders
from samlad.channels import Channel, ChannelKind
from samlad.documents import letters, money_back, printing, rules, snapshot
from samlad.documents.letters import Letter
from samlad.documents.model import Printed, PrintedLine, Slip
from samlad.documents.writing import Writer
from samlad.kernel import log, mail
from samlad.kernel.database import Tx
from samlad.kernel.i18n import marked
from samlad.kernel.log import Event
from samlad.kernel.problems import NotFound
from samlad.orders import Order, OrderKind, return_store
from samlad.orders.events import OrderChanged, ReturnReceived, ReturnRequested
from samlad.orders.return_model import Request, ReturnState
from samlad.payments.events import PaidOtherwise

TOLD_ELSEWHERE = ("order.changed", "order.cancelled", "fulfilment.substituted", "order.tip_returned")
"""Where one of these is in the same transaction, a refund is no news of its own."""
TYPES = (
    "order.changed",
    "fulfilment.substituted",
    "payment.refund_begun",
    "payment.paid_otherwise",
    "return.requested",
    "return.received",
)

MONEY_BACK = marked("Order %(number)s: %(amount)s goes back")
MONEY_GOES_BACK = marked("%(amount)s of your order %(number)s goes back to you.")
PAID_OTHERWISE = marked(
    "%(amount)s of your order %(number)s could not go back the way that you paid. You get it in another way."
)
NOT_PAID_YET = marked("This had not been paid yet")
PAYS_FOR = marked("Pays for other goods")
ANNOUNCED = marked("Return %(number)s: what to do now")
SEND_IT = marked(
    "Your return %(number)s of order %(order)s is noted. Send the goods with the label, or bring them to any of our stores, by "
    "%(day)s."
)
LABEL = marked("Label for the parcel (PDF)")
SEE_RETURN = marked("See the return")
ARRIVED = marked("Return %(number)s is here")
IS_HERE = marked(
    "What you sent back as %(number)s is here. We look at it, and write to you as soon as the money goes back."
)


async def follow(tx: Tx, event: Event) -> None:
    """Write to the buyer, if their address is known, mails go out, and it is so still."""
    if not mail.is_set(tx.database.settings) or event.subject is None:
        return
    fact = event.fact()
    if event.type == "payment.refund_begun" and not await _is_alone(tx, event):
        return
    try:
        order = await orders.read(tx, event.subject)
    except NotFound:
        return
    channel = await channels.cached(tx, order.channel)
    if not hears(order, channel, fact):
        return
    printed = await printing.slip_of(tx, order, Slip.CONFIRMATION)
    writer, link = Writer.of(printed), letters.link_of(tx, order, channel)
    if isinstance(fact, ReturnRequested | ReturnReceived):
        request = await return_store.read(tx, fact.request)
        state = ReturnState.REQUESTED if isinstance(fact, ReturnRequested) else ReturnState.RECEIVED
        if request is None or request.state is not state:  # it has gone on meanwhile
            return
        letter = (announced if isinstance(fact, ReturnRequested) else received)(
            printed, writer, request, link
        )
    elif isinstance(fact, PaidOtherwise):
        printed, letter = paid_otherwise(printed, writer, fact, link)
    else:
        found = await _money(tx, event, fact, order, printed, writer, link)
        if found is None:
            return
        printed, letter = found
    await letters.send(tx, letter, printed, writer, order, channel)


def hears(order: Order, channel: Channel, fact: log.Fact) -> bool:
    """Whether this order's buyer hears by mail of what comes back. Who stands at a till has the receipt of it."""
    place = getattr(fact, "location", None)
    return (
        order.email is not None
        and order.kind is OrderKind.SALE
        and channel.kind is not ChannelKind.MARKETPLACE
        and bool(channel.setting("order_mails"))
        and not (order.delivery == "carry_out" and place is not None)
    )


async def _is_alone(tx: Tx, event: Event) -> bool:
    """Whether a refund is the first of its transaction, and nothing else there tells of it."""
    found = await log.beside(tx, event, (*TOLD_ELSEWHERE, *money_back.REFUNDS))
    first = [each.id for each in found if each.type == "payment.refund_begun"][:1]
    return first == [event.id] and not any(each.type in TOLD_ELSEWHERE for each in found)


async def _money(
    tx: Tx, event: Event, fact: log.Fact, order: Order, p: Printed, w: Writer, link: str
) -> tuple[Printed, Letter] | None:
    """The letter of money that goes back, beside what is printed of it; None: nothing does."""
    back = await money_back.of_event(tx, event, order)
    change = fact if isinstance(fact, OrderChanged) else None
    credited = change.credited if change else 0
    if not back and not credited:
        return None
    of = [each for each in (change.came_back, change.called_off) if each] if change else []
    causes = [f"return:{each}" for each in of] if change else ["changed:"]
    notes = await money_back.credit_notes(tx, order, *causes) if causes else []
    if change is None:
        notes = notes[-1:]
    lines, rounding = [], 0
    for each in of:
        own = (await orders.read(tx, each)).lines
        lines += [rules.negated(line) for line in rules.printed_lines(own, source=each)]
        rounding -= rules.rounding_of(own)
    of_lines = snapshot.sums(lines, rounding)
    p = msgspec.structs.replace(p, lines=lines, rounding=rounding, payments=[], tip=0, **of_lines)
    letter = money_letter(p, w, sum(each.amount for each in back) + credited, link)
    facts = money_back.facts(back, w, credited=credited) + ([] if change is None else _beside(change, w))
    links = money_back.links(notes, link, w)
    return p, msgspec.structs.replace(letter, lines=lines, sums=bool(lines), facts=facts, links=links)


def paid_otherwise(p: Printed, w: Writer, fact: PaidOtherwise, link: str) -> tuple[Printed, Letter]:
    """The letter of money that its provider refused to give back and that goes back in another way."""
    said = {"number": p.number, "amount": w.money(fact.amount)}
    letter = msgspec.structs.replace(
        money_letter(p, w, fact.amount, link),
        greeting=w.translate(PAID_OTHERWISE) % said,
        facts=money_back.facts([money_back.otherwise(fact)], w),
    )
    return msgspec.structs.replace(p, lines=[], payments=[]), letter


def _beside(change: OrderChanged, w: Writer) -> list[tuple[str, Sequence[str]]]:
    """What of a change's worth does not go back."""
    parts = ((NOT_PAID_YET, change.forgiven), (PAYS_FOR, change.transferred))
    return [(w.translate(name), [w.money(amount)]) for name, amount in parts if amount]


def money_letter(p: Printed, w: Writer, amount: int, link: str) -> Letter:
    """How much goes back (minor units)."""
    _, said = w.translate, {"number": p.number, "amount": w.money(amount)}
    return Letter(
        subject=_(MONEY_BACK) % said,
        greeting=_(MONEY_GOES_BACK) % said,
        link=link,
        button=_(letters.READ),
        notes=letters.closing(p, w)[-1:],
    )


def announced(p: Printed, w: Writer, request: Request, link: str) -> Letter:
    """What goes back, by when, and the label for the parcel."""
    _, page = w.translate, f"{link}/returns/{request.id}"
    said = {"number": request.number, "order": p.number, "day": w.day(request.due_on)}
    return Letter(
        subject=_(ANNOUNCED) % said,
        greeting=_(SEND_IT) % said,
        links=[(_(LABEL), f"{page}/label.pdf")],
        lines=_units(p, {line.position: line.quantity for line in request.lines}),
        link=page,
        button=_(SEE_RETURN),
        notes=letters.closing(p, w)[-1:],
    )


def received(p: Printed, w: Writer, request: Request, link: str) -> Letter:
    """What of it is here."""
    _, said = w.translate, {"number": request.number}
    return Letter(
        subject=_(ARRIVED) % said,
        greeting=_(IS_HERE) % said,
        lines=_units(p, {line.position: line.received for line in request.lines if line.received}),
        link=f"{link}/returns/{request.id}",
        button=_(SEE_RETURN),
        notes=letters.closing(p, w)[-1:],
    )


def _units(p: Printed, units: dict[int, int]) -> list[PrintedLine]:
    return [
        msgspec.structs.replace(line, quantity=units[line.position])
        for line in p.lines
        if line.position in units
    ]
