"""Mails of an order's way, for everybody who gave an address: it has been placed, its goods come on another day than was said,
a parcel is on its way, it is called off.

The first is what the law calls a durable medium: all that was bought, for how much, from whom, with no need to open a page.
Each follows from an event, once. Sales at a till have a receipt, marketplaces write to their own customers, and a channel
whose mails another system sends turns these off (setting ``order_mails``).
"""

from collections.abc import Sequence
from datetime import date

import msgspec

from samlad import channels, content, orders
from samlad.channels import Channel, ChannelKind
from samlad.consent import reporting
from samlad.content import theme
from samlad.documents import money_back, printing, rendering
from samlad.documents.mailing import lines_text, sums_text
from samlad.documents.model import Printed, PrintedLine, Slip
from samlad.documents.writing import Writer, spaced
from samlad.kernel import mail
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.i18n import marked
from samlad.kernel.log import Event
from samlad.kernel.mail import Mail
from samlad.kernel.problems import NotFound
from samlad.kernel.vault import Vault
from samlad.orders import Order, OrderKind, OrderStatus, fulfilment_store, order_address
from samlad.orders.events import ExpectedLine, OrderCancelled, OrderExpectedMoved, OrderPlaced
from samlad.orders.fulfilment_events import FulfilmentLeft
from samlad.orders.fulfilment_model import Fulfilment, FulfilmentState

TYPES = ("order.placed", "order.expected_moved", "fulfilment.left", "order.cancelled")


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """What is in such a mail. ``sums``: with prices; ``link`` is the order's page, ``button`` what leads there; ``links`` are
    other pages with what they are called."""

    subject: str
    greeting: str
    facts: Sequence[tuple[str, Sequence[str]]] = ()
    lines: Sequence[PrintedLine] = ()
    sums: bool = False
    link: str
    button: str
    links: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = ()


async def follow(tx: Tx, event: Event) -> None:
    """Write to the buyer, if their address is known and mails go out."""
    if not mail.is_set(tx.database.settings) or event.subject is None:
        return
    fact = event.fact()
    if isinstance(fact, FulfilmentLeft) and fact.state != FulfilmentState.SHIPPED:
        return
    try:
        order = await orders.read(tx, event.subject)
    except NotFound:
        return
    channel = await channels.cached(tx, order.channel)
    if not is_written_to(order, channel):
        return
    printed = await printing.slip_of(tx, order, Slip.CONFIRMATION)
    writer, link = Writer.of(printed), link_of(tx, order, channel)
    if isinstance(fact, OrderPlaced):
        letter = confirmation(printed, writer, order, link)
    elif isinstance(fact, OrderExpectedMoved):
        if order.status is OrderStatus.CANCELLED:
            return
        letter = another_day(printed, writer, order, fact, link)
    elif isinstance(fact, OrderCancelled):
        back = await money_back.of_event(tx, event, order)
        credit = await money_back.credit_notes(tx, order, "cancelled:")
        letter = called_off(printed, writer, fact, link)
        letter = msgspec.structs.replace(
            letter, facts=money_back.facts(back, writer), links=money_back.links(credit, link, writer)
        )
    else:
        assert isinstance(fact, FulfilmentLeft)
        parcel = await fulfilment_store.read(tx, fact.fulfilment)
        if parcel is None:
            return
        letter = on_its_way(printed, writer, parcel, link)
    await send(tx, letter, printed, writer, order, channel)


def link_of(tx: Tx, order: Order, channel: Channel) -> str:
    """The address of an order's page in its shop."""
    settings = tx.database.settings
    return channels.shop_address(settings, channel) + order_address.path(Vault.of(settings), order.id)


def is_written_to(order: Order, channel: Channel) -> bool:
    """Whether this order's buyer hears of it by mail from us."""
    return (
        order.email is not None
        and order.kind is OrderKind.SALE
        and order.imported is None
        and order.delivery != "carry_out"
        and channel.kind is not ChannelKind.MARKETPLACE
        and bool(channel.setting("order_mails"))
    )


async def send(tx: Tx, letter: Letter, p: Printed, w: Writer, order: Order, channel: Channel) -> None:
    """Write a letter to the buyer of an order, who has an address, as text and HTML."""
    assert order.email is not None
    kit = await content.kit_of(tx, channel.code)
    keys = Vault.of(tx.database.settings)
    written = Mail(
        to=order.email,
        sender=channel.name,
        subject=letter.subject,
        text=text_of(letter, p, w),
        html=rendering.letter(letter, p, w, theme.palettes(kit.brand)["light"]),
        channel=channel.id,
        kind="order",
    )
    written = await reporting.reported(
        tx, keys, channel, order.customer, "order", written, at=int(now().timestamp())
    )
    await mail.send(tx, keys, written)


ORDERED = marked("Order %(number)s: thank you")
THANKS = marked("Thank you for your order %(number)s. This is what you have bought from %(shop)s.")
SENT = marked("Order %(number)s is on its way")
LEFT = marked("This parcel of your order %(number)s has left us.")
LEFT_FOR_TODAY = marked("What you ordered as %(number)s is on its way to you.")
CALLED_OFF = marked("Order %(number)s is cancelled")
IS_CALLED_OFF = marked("Your order %(number)s is cancelled. Nothing more will be sent.")
GOES_BACK = marked("%(amount)s goes back the way that you paid.")
ANOTHER_DAY = marked("Order %(number)s: another day")
COMES_LATER = marked(
    "We are sorry: not all that you ordered as %(number)s comes on the day that we had said."
)
COMES_EARLIER = marked("Good news: what you ordered as %(number)s comes earlier than we had said.")
EXPECTED = marked("We expect it on %(day)s; we had said %(before)s.")
EXPECTED_NOW = marked("We expect it on %(day)s now; the day was not known before.")
EXPECTED_NO_MORE = marked(
    "The day is not known any more; we had said %(before)s. We write as soon as we know it."
)
NOTHING_TO_DO = marked("You need not do anything: you hear from us when it is ready or on its way.")
CHANGE_MIND = marked(
    "Have you changed your mind? On the order's page you can also cancel it or send things back."
)
DEPOSIT = marked("Deposit")
PAID_AND_LEFT = marked("%(paid)s is paid, %(rest)s is left.")
REST_FIRST = marked(
    "The rest is paid before you get the goods: on the order's page, or in any of our stores."
)
REST_BY = marked("By %(day)s at the latest.")
READ = marked("See the order")
WRITE_US = marked("Questions? Write to %(address)s.")


def confirmation(p: Printed, w: Writer, order: Order, link: str) -> Letter:
    """What was bought."""
    _ = w.translate
    facts: list[tuple[str, Sequence[str]]] = [(_("Order"), [p.number, w.moment(p.placed_at)])]
    if p.ship_to is not None:
        facts.append((_("It is sent to"), [p.ship_to.name, *w.address(p.ship_to, home=p.seller.country)]))
    elif p.place:
        facts.append((_("You fetch it at"), [p.place, *p.place_lines]))
    if p.promise:
        facts.append((_("Promised"), [p.promise]))
    if p.total > p.paid and (p.bank.iban or p.bank.account or p.due_on):
        facts.append((_("How to pay"), list(_to_pay(p, w))))
    if order.deposit is not None and p.total > p.paid:
        facts.append((_(DEPOSIT), list(_deposit(p, w, order.rest_due_on))))
    if order.gift_note:
        facts.append((_("Gift note"), [order.gift_note]))
    if p.note:
        facts.append((_("Note to the shop"), [p.note]))
    return Letter(
        subject=_(ORDERED) % {"number": p.number},
        greeting=_(THANKS) % {"number": p.number, "shop": p.channel},
        facts=facts,
        lines=p.lines,
        sums=True,
        link=link,
        button=_(READ),
        notes=[_(CHANGE_MIND), *closing(p, w)],
    )


def _deposit(p: Printed, w: Writer, until: date | None) -> list[str]:
    """What was paid of a deposit, what is left, and that it is paid before the goods leave, by a day if one was agreed."""
    said = {"paid": w.money(p.paid), "rest": w.money(p.total - p.paid)}
    found = [w.translate(PAID_AND_LEFT) % said, w.translate(REST_FIRST)]
    return found if until is None else [*found, w.translate(REST_BY) % {"day": w.day(until)}]


def _to_pay(p: Printed, w: Writer) -> list[str]:
    found = [f"{w.translate('Amount')}: {w.money(p.total - p.paid)}"]
    if p.due_on:
        found.append(f"{w.translate('At the latest')}: {w.day(p.due_on)}")
    if p.bank.reference:
        found.append(f"{w.translate('Reference')}: {p.bank.reference}")
    if p.bank.iban:
        found.append(f"IBAN: {spaced(p.bank.iban)}")
    if p.bank.bic:
        found.append(f"BIC: {p.bank.bic}")
    if p.bank.account:
        found.append(f"{w.translate('Account')}: {p.bank.account}")
    return found


def closing(p: Printed, w: Writer) -> list[str]:
    """What stands at the end of a letter: notes of tax, whom to ask, and last who sells."""
    address = p.seller.email
    mine = [p.seller.name, *w.address(p.seller), p.seller.registration_number, p.seller.vat_number]
    asked = [w.translate(WRITE_US) % {"address": address}] if address else []
    return [*rendering.tax_notes(p, w), *asked, p.legal_text, " · ".join(part for part in mine if part)]


def another_day(p: Printed, w: Writer, order: Order, fact: OrderExpectedMoved, link: str) -> Letter:
    """The days on which goods that were bought before they are there are expected now, and were before."""
    _, moved = w.translate, {line.variant: line for line in fact.lines}
    goods = {line.position: moved[line.variant] for line in order.lines if line.variant in moved}
    is_good = all(line.now and (line.before is None or line.now < line.before) for line in fact.lines)
    return Letter(
        subject=_(ANOTHER_DAY) % {"number": p.number},
        greeting=_(COMES_EARLIER if is_good else COMES_LATER) % {"number": p.number},
        facts=[
            (f"{line.title} {line.options}".strip(), [_expected(goods[line.position], w)])
            for line in p.lines
            if line.position in goods
        ],
        link=link,
        button=_(READ),
        notes=[_(NOTHING_TO_DO), *closing(p, w)[-1:]],
    )


def _expected(line: ExpectedLine, w: Writer) -> str:
    _, before = w.translate, line.before and w.day(line.before)
    if line.now is None:
        return _(EXPECTED_NO_MORE) % {"before": before}
    shape = EXPECTED_NOW if line.before is None else EXPECTED
    return _(shape) % {"day": w.day(line.now), "before": before}


def on_its_way(p: Printed, w: Writer, parcel: Fulfilment, link: str) -> Letter:
    """What is in the parcel that has left, who brings it and under which number."""
    _ = w.translate
    units = {line.position: line.quantity for line in parcel.lines}
    inside = [
        msgspec.structs.replace(line, quantity=units[line.position])
        for line in p.lines
        if line.position in units
    ]
    facts: list[tuple[str, Sequence[str]]] = []
    if parcel.carrier and parcel.tracking:
        facts.append((_("Parcel number"), [f"{parcel.carrier} {parcel.tracking}"]))
    if p.ship_to is not None:
        facts.append((_("It is sent to"), [p.ship_to.name, *w.address(p.ship_to, home=p.seller.country)]))
    return Letter(
        subject=_(SENT) % {"number": p.number},
        greeting=_(LEFT if parcel.carrier else LEFT_FOR_TODAY) % {"number": p.number},
        facts=facts,
        lines=inside,
        link=link,
        button=_(READ),
        notes=closing(p, w)[-1:],
    )


def called_off(p: Printed, w: Writer, fact: OrderCancelled, link: str) -> Letter:
    """It will not be sent, and what was paid goes back."""
    _ = w.translate
    back = [_(GOES_BACK) % {"amount": w.money(fact.refunded)}] if fact.refunded else []
    return Letter(
        subject=_(CALLED_OFF) % {"number": p.number},
        greeting=" ".join([_(IS_CALLED_OFF) % {"number": p.number}, *back]),
        link=link,
        button=_(READ),
        notes=closing(p, w)[-1:],
    )


def text_of(letter: Letter, p: Printed, w: Writer) -> str:
    """A letter in plain text."""
    parts = [letter.greeting]
    if letter.lines:
        parts.append("\n".join(lines_text(letter.lines, w, prices=letter.sums)))
    if letter.sums:
        parts.append("\n".join(sums_text(p, w)))
    parts += ["\n".join([f"{name}:", *rows]) for name, rows in letter.facts]
    parts += [f"{name}:\n{address}" for name, address in letter.links]
    parts.append(f"{letter.button}:\n{letter.link}")
    parts += letter.notes
    return "\n\n".join(part for part in parts if part)
