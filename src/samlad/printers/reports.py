"""X and Z reports on the paper of a till: what a drawer has done, as it was when somebody asked."""

from datetime import datetime
from uuid import UUID

import msgspec

from samlad import books, channels, stock
from samlad.books import ShiftView, TillReport
from samlad.documents import Paper
from samlad.documents.writing import Writer
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.i18n import marked
from samlad.kernel.ids import new_id
from samlad.kernel.problems import InvalidInput
from samlad.printers import queue, store
from samlad.printers.model import PrintJob, PrintKind, PrintReportInput
from samlad.printers.permissions import PRINT
from samlad.printers.service import locked

Z, X = marked("Z report"), marked("X report")
WORDS = {
    "drawer": marked("Drawer"),
    "opened": marked("Opened"),
    "closed": marked("Closed"),
    "printed": marked("Printed"),
    "clerks": marked("Worked at it"),
    "sales": marked("Sales"),
    "back": marked("Given back"),
    "tips": marked("Tips for"),
    "float": marked("In it when it was opened"),
    "moved": marked("Put in and taken out"),
    "expected": marked("Should be in it"),
    "counted": marked("Counted"),
    "difference": marked("Difference"),
    "taken": marked("Taken out at the count"),
}


class PrintedReport(msgspec.Struct, frozen=True, kw_only=True):
    """A report as it goes onto paper. Amounts are minor units."""

    place: str
    locale: str
    time_zone: str
    country: str = ""
    at: datetime
    view: ShiftView
    report: TillReport


async def print_report(tx: Tx, shift_id: UUID, data: PrintReportInput) -> PrintJob:
    """Print the X report of an open drawer, or the Z report of one that was counted. The same ``id`` is the same paper.

    Raises:
        InvalidInput: the printer stands elsewhere, or ``id`` prints something else. NotFound, Forbidden.
    """
    tx.actor.require(PRINT)
    printer = await locked(tx, data.printer, PRINT)
    view = await books.view(tx, shift_id)
    if view.shift.location != printer.location:
        raise InvalidInput.at("printer", "it stands in another place")
    job_id = data.id or new_id()
    if data.id is not None and (known := await store.job(tx, data.id)) is not None:
        if known.kind is not PrintKind.REPORT:
            raise InvalidInput.at("id", "it prints something else")
        return known
    report = view.report or await books.x_report(tx, shift_id)
    place = await stock.location(tx, view.shift.location)
    assert place.channel is not None, "a drawer is opened in a store"
    channel = await channels.get(tx, place.channel)
    printed = PrintedReport(
        place=channel.name,
        locale=channel.locale,
        time_zone=channel.time_zone,
        country=channel.country,
        at=now(),
        view=view,
        report=report,
    )
    values = {
        "id": job_id,
        "printer": printer.id,
        "kind": PrintKind.REPORT.value,
        "report": msgspec.to_builtins(printed),
    }
    if not await store.add(tx, values, queue.PAPER_LASTS):
        return await queue.read(tx, job_id)
    return await queue.asked(tx, printer, job_id, PrintKind.REPORT)


def page(printed: PrintedReport, sheet: Paper) -> bytes:
    """The bytes of a report for a printer."""
    from samlad.documents.escpos_receipt import Sheet  # loads the printers' library

    shift, report = printed.view.shift, printed.report
    w, out = Writer(printed.locale, printed.time_zone, shift.currency, printed.country), Sheet(sheet)
    say = {name: w.translate(text) for name, text in WORDS.items()}
    out.printer.set(align="center", bold=True, double_height=True)
    out.text(printed.place)
    out.text(f"{w.translate(Z)} {shift.number}" if shift.number else w.translate(X))
    out.printer.set(align="left", bold=False, normal_textsize=True)
    out.pair(say["drawer"], shift.till_name)
    out.pair(say["opened"], f"{w.moment(shift.opened_at)} {shift.opened_name}")
    if shift.closed_at is not None:
        out.pair(say["closed"], f"{w.moment(shift.closed_at)} {shift.closed_name or ''}".rstrip())
    if shift.clerks:
        out.pair(say["clerks"], ", ".join(shift.clerks))
    out.rule()
    out.pair(say["sales"], w.number(report.sales))
    for one in report.tenders:
        out.pair(w.provider(one.tender), w.money(one.taken))
        if one.given_back:
            out.pair(f"  {say['back']}", w.money(-one.given_back))
    out.rule()
    for rate in report.rates:
        out.pair(f"{w.rate(rate.tax_rate)}  {w.money(rate.net)}", w.money(rate.tax))
    if report.tips:
        out.rule()
        for tip in report.tips:
            out.pair(f"{say['tips']} {tip.name}".rstrip(), w.money(tip.amount))
    out.rule()
    out.pair(say["float"], w.money(shift.float))
    out.pair(say["moved"], w.money(report.moved))
    out.pair(say["expected"], w.money(report.expected))
    if shift.counted is not None:
        out.pair(say["counted"], w.money(shift.counted))
        out.printer.set(bold=True)
        out.pair(say["difference"], w.money(printed.view.difference or 0))
        out.printer.set(bold=False)
        out.pair(say["taken"], w.money(shift.taken))
    out.rule()
    out.pair(say["printed"], w.moment(printed.at))
    out.printer.ln()
    return out.bytes()
