"""A receipt by mail: to the address that a customer says at the till. It is kept nowhere and tells nobody who they are."""

import re
from collections.abc import Sequence
from uuid import UUID

from samlad import channels, orders
from samlad.catalog import Measure
from samlad.documents import printing, store
from samlad.documents.events import ReceiptMailed
from samlad.documents.model import Printed, PrintedLine, Slip
from samlad.documents.permissions import READ
from samlad.documents.writing import LINES, Writer
from samlad.kernel import log, mail
from samlad.kernel.database import Tx
from samlad.kernel.i18n import marked
from samlad.kernel.mail import Mail
from samlad.kernel.problems import Conflict, InvalidInput
from samlad.kernel.vault import Vault

_ADDRESS = re.compile(r"^[^\s@\x00]+@[^\s@\x00]+\.[^\s@\x00]+$")
LONGEST = 254
SUBJECT = marked("Your receipt %(number)s from %(shop)s")
ON_THE_WEB = marked("Your receipt on the web:")
CHECK_IT = marked("Check that this receipt is ours:")
MOST = 20
"""Mails of one receipt: a till is no way to fill somebody's inbox."""


class MailsOff(Conflict):
    """This server sends no mails."""

    code, title = "mail-off", "No mail server is set up"


async def mail_receipt(tx: Tx, order_id: UUID, to: str, *, key: UUID, link: str = "") -> bool:
    """Mail the receipt of an order; ``link`` leads to it on the web. False if this ``key`` was used before.

    Raises:
        NotFound: no such order. InvalidInput: no address, or it was mailed too often. MailsOff.
    """
    tx.actor.require(READ)
    settings, address = tx.database.settings, to.strip()
    order = await orders.read(tx, order_id)
    if order.location is not None:
        tx.actor.require(READ, location=order.location)
    if len(address) > LONGEST or not _ADDRESS.match(address):
        raise InvalidInput.at("email", "an address like kim@example.com")
    if not mail.is_set(settings):
        raise MailsOff("Set SAMLAD_SMTP_HOST and SAMLAD_MAIL_FROM.")
    if not await store.note_mail(tx, key, order_id):
        return False
    if await store.mails_of(tx, order_id) > MOST:
        raise InvalidInput.at("email", f"this receipt was mailed {MOST} times already")
    printed = await printing.slip_of(tx, order, Slip.RECEIPT)
    writer = Writer.of(printed)
    channel = await channels.cached(tx, order.channel)
    subject = writer.translate(SUBJECT) % {
        "number": printed.number,
        "shop": channel.name,
    }
    letter = Mail(to=address, sender=channel.name, subject=subject, text=text_of(printed, writer, link))
    await mail.send(tx, Vault.of(settings), letter)
    log.append(tx, ReceiptMailed(), subject=order_id, channel=order.channel)
    return True


def text_of(p: Printed, w: Writer, link: str) -> str:
    """A receipt in plain text."""
    seller = p.seller
    head = [seller.trading_name or p.place or seller.name, *(p.place_lines or w.address(seller))]
    if seller.vat_number:
        head.append(f"{w.translate('VAT number')} {seller.vat_number}")
    head += ["", f"{w.translate('Receipt')} {p.number}", w.moment(p.placed_at), ""]
    head += [*lines_text(p.lines, w), "", *sums_text(p, w)]
    if p.check:
        head += ["", w.translate(CHECK_IT), p.check]
    if link:
        head += ["", w.translate(ON_THE_WEB), link]
    head += ["", p.footer or w.translate("Thank you, and welcome back.")]
    return "\n".join(head)


def lines_text(lines: Sequence[PrintedLine], w: Writer, *, prices: bool = True) -> list[str]:
    """Lines of a document in plain text, with what is taken off; parts of a set under the set."""
    told: list[str] = []
    group = None
    for line in lines:
        if line.set_of is not None and line.set_of.group != group:
            told.append(f"{w.number(line.set_of.quantity)} × {line.set_of.title}")
        group = None if line.set_of is None else line.set_of.group
        title = w.translate(LINES["shipping"]) if line.kind == "shipping" else line.title
        words = ", ".join(part for part in (title, line.options) if part)
        pieces = "" if abs(line.quantity) == 1 and line.sold_by is Measure.PIECE else f"{w.quantity(line)} × "
        inset = "  " if line.set_of is not None else ""
        told.append(f"{inset}{pieces}{words}" + (f": {w.money(line.total)}" if prices else ""))
        if prices:
            told += [f"{inset}  {step.name}: {w.money(-step.amount)}" for step in line.reductions]
        if line.serials:
            told.append(f"{inset}  {w.translate('Serial number')} {', '.join(line.serials)}")
    return told


def sums_text(p: Printed, w: Writer) -> list[str]:
    """What a document comes to and how it was paid, in plain text."""
    told = [f"{w.translate('Rounding')}: {w.money(p.rounding)}"] if p.rounding else []
    told.append(f"{w.translate('Total')}: {w.money(p.total)}")
    shape = w.translate("of which tax %(rate)s on %(net)s")
    told += [
        f"{shape % {'rate': w.rate(rate.rate), 'net': w.money(rate.net)}}: {w.money(rate.tax)}"
        for rate in p.rates
        if rate.tax
    ]
    if p.tip:
        told.append(f"{w.translate('Tip')}: {w.money(p.tip)}")
    told += [f"{w.provider(paid.provider)}: {w.money(paid.amount)}" for paid in p.payments]
    return told
