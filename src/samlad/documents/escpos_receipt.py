"""Receipts as bytes for till printers (ESC/POS), by python-escpos: text, amounts at the edge, a native QR code.

The printer is told its code page (858: Western Europe with the euro); what that has not got is looked for in the other
pages that printers have, letter by letter, and is a question mark where none has it. What could be a command is never
printed: names come from strangers.
"""

import textwrap
import unicodedata

from escpos.constants import QR_ECLEVEL_M
from escpos.printer import Dummy

from samlad.documents.model import Columns, Paper, Printed
from samlad.documents.rendering import tax_notes
from samlad.documents.writing import LINES, Writer
from samlad.kernel.i18n import marked, translator

COPY = marked("COPY")
SERIAL = marked("Serial number")
CHECKED_SIZE = 4
"""Dots of a module of the code of a signed receipt: some 60 modules, which paper of 58 mm has room for."""
_SPACES = dict.fromkeys(map(ord, "\u00a0\u202f\u2009\u2007"), " ")
_SIGNS = _SPACES | {ord("\u2212"): "-", ord("\u2013"): "-", ord("\u2019"): "'"}


def receipt(
    printed: Printed, *, columns: Columns = 42, is_copy: bool = False, paper: Paper | None = None
) -> bytes:
    """The bytes of a receipt for paper of so many letters a line; a copy says so at both ends.

    ``paper`` says more of a printer than how wide it prints, and then says that, too.
    """
    page = _Page(printed, paper or Paper(columns=columns))
    page.head(is_copy=is_copy)
    page.lines()
    page.sums()
    page.foot(is_copy=is_copy)
    return page.bytes()


class Sheet:
    """What is written for a printer, line by line. ``printer`` sets what letters look like."""

    def __init__(self, paper: Paper) -> None:
        self.paper, self.columns = paper, paper.columns
        self.printer = started(paper)

    def bytes(self) -> bytes:
        """All of it, with the cut."""
        return ended(self.printer, self.paper)

    def rule(self) -> None:
        """A line across."""
        self.printer.textln("-" * self.columns)

    def text(self, words: str) -> None:
        """Words, broken where the paper ends."""
        indent = " " * (len(words) - len(words.lstrip(" ")))
        told = plain(words).lstrip(" ")
        for line in textwrap.wrap(told, self.columns, initial_indent=indent, subsequent_indent=indent):
            self.printer.textln(line)

    def pair(self, words: str, amount: str) -> None:
        """Words on the left, an amount at the right edge; long words take lines of their own."""
        amount = plain(amount)
        lines = textwrap.wrap(plain(words), max(8, self.columns - len(amount) - 1)) or [""]
        for line in lines[:-1]:
            self.printer.textln(line)
        self.printer.textln(f"{lines[-1]}{amount:>{max(len(amount), self.columns - len(lines[-1]))}}")


class _Page(Sheet):
    def __init__(self, printed: Printed, paper: Paper) -> None:
        super().__init__(paper)
        self.p = printed
        self.w = Writer.of(printed)

    def head(self, *, is_copy: bool) -> None:
        """Who sells, where and when."""
        p, seller = self.p, self.p.seller
        brand = seller.trading_name or p.place or seller.name
        self.printer.set(align="center", bold=True, double_height=True)
        self.text(brand)
        self.printer.set(align="center", bold=False, normal_textsize=True)
        if seller.name != brand:
            self.text(seller.name)
        for line in p.place_lines or self.w.address(seller):
            self.text(line)
        if seller.registration_number:
            self.text(f"{self.w.translate('Registration number')} {seller.registration_number}")
        if seller.vat_number:
            self.text(f"{self.w.translate('VAT number')} {seller.vat_number}")
        self.copy(is_copy=is_copy)
        self.text(f"{self.w.translate('Receipt')} {p.number}")
        self.text(self.w.moment(p.placed_at))
        self.printer.set(align="left")

    def lines(self) -> None:
        """What was sold."""
        self.rule()
        group = None
        for line in self.p.lines:
            before, group = group, line.set_of.group if line.set_of else None
            if line.set_of and group != before:
                told = ", ".join(part for part in (line.set_of.title, line.set_of.options) if part)
                self.text(f"{told} x {self.w.number(line.set_of.quantity)}")
            title = self.w.translate(LINES["shipping"]) if line.kind == "shipping" else line.title
            told = ", ".join(part for part in (title, line.options) if part)
            self.pair(f"- {told}" if line.set_of else told, self.w.money(line.total))
            if times := self.w.times(line):
                self.text(f"  {times.replace('×', 'x')}")
            for step in line.reductions:
                self.text(f"  {step.name} {self.w.money(-step.amount)}")
            if line.serials:
                self.text(f"  {self.w.translate(SERIAL)} {', '.join(line.serials)}")

    def sums(self) -> None:
        """The total, its tax, and how it was paid."""
        p, w = self.p, self.w
        self.rule()
        if p.rounding:
            self.pair(w.translate("Rounding"), w.money(p.rounding))
        self.printer.set(bold=True, double_height=True)
        self.pair(w.translate("Total"), w.money(p.total))
        self.printer.set(bold=False, normal_textsize=True)
        for rate in p.rates:
            if rate.tax:
                shape = w.translate("of which tax %(rate)s on %(net)s")
                self.pair(shape % {"rate": w.rate(rate.rate), "net": w.money(rate.net)}, w.money(rate.tax))
        if p.tip:
            self.pair(w.translate("Tip"), w.money(p.tip))
        self.rule()
        for payment in p.payments:
            paid = payment.amount if payment.tendered is None else payment.tendered
            self.pair(w.provider(payment.provider), w.money(paid))
            if payment.change_due:
                self.pair(w.translate("Change given"), w.money(-payment.change_due))

    def foot(self, *, is_copy: bool) -> None:
        """The last line, and the number for whoever takes goods back."""
        self.printer.set(align="center")
        self.printer.ln()
        for note in tax_notes(self.p, self.w):
            self.text(note)
        self.text(self.p.footer or self.w.translate("Thank you, and welcome back."))
        self.copy(is_copy=is_copy)
        self.printer.ln()
        self.printer.qr(
            self.p.check or plain(self.p.number),
            ec=QR_ECLEVEL_M,
            size=CHECKED_SIZE if self.p.check else 6,
            native=True,
        )
        self.printer.ln()

    def copy(self, *, is_copy: bool) -> None:
        """Nobody takes a copy for the original."""
        if is_copy:
            self.printer.set(bold=True, double_height=True, double_width=True)
            self.text(translator(self.p.locale).gettext(COPY))
            self.printer.set(bold=False, normal_textsize=True)


def started(paper: Paper) -> Dummy:
    """A printer that was told its letters, and has opened its drawer if it is to: the change is counted while it prints."""
    printer = Dummy(profile="default")
    printer.hw("INIT")
    if paper.opens_pin:
        printer.cashdraw(paper.opens_pin)
    printer.magic.write_with_encoding(paper.code_page, None)
    return printer


def ended(printer: Dummy, paper: Paper) -> bytes:
    """What was written, with the cut; without a cutter so far out that it can be torn off."""
    if paper.has_cutter:
        printer.cut()
    else:
        printer.print_and_feed(6)
    made: bytes = printer.output
    return made


def plain(text: str) -> str:
    """Text without what a printer would obey or could not write: control characters, narrow spaces, ideographs."""
    written = []
    for letter in unicodedata.normalize("NFC", text).translate(_SIGNS):
        if not letter.isprintable():
            continue
        written.append("?" if ord(letter) > 0x2E80 else letter)
    return "".join(written)
