"""Labels as PDF for sheets, as ZPL for label printers."""

import io
from collections.abc import Iterator

import segno
from reportlab.graphics import renderPDF
from reportlab.graphics.barcode.code128 import Code128
from reportlab.graphics.barcode.eanbc import Ean8BarcodeWidget, Ean13BarcodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from samlad.labels import rules
from samlad.labels.model import Tag, Template
from samlad.orders.fulfilment_labels import field, plain

PAD = 2.5 * mm
QUIET = 2.5 * mm
"""Between bars and the picture beside them."""
SMALLEST_BAR = 0.264 * mm
"""80 % of the nominal bar of an EAN (GS1 General Specifications): below it tills begin to miss."""
DOTS_A_MM = 8
"""Of the usual label printer, 203 dpi."""


def pdf(template: Template, tags: list[Tag], *, skip: int = 0, with_qr: bool = True) -> bytes:
    """Sheets of labels; ``skip`` places of the first are left empty. The same labels are the same bytes."""
    out = io.BytesIO()
    size = (template.page_width * mm, template.page_height * mm)
    page = Canvas(out, pagesize=size, invariant=1, pageCompression=1)
    page.setTitle("Labels")
    before = 0
    for index, tag in enumerate(_each(tags), skip):
        where = rules.place(template, index)
        if where.page != before:
            page.showPage()
            before = where.page
        page.saveState()
        page.translate(where.x * mm, where.y * mm)
        _Drawn(page, template, with_qr=with_qr).tag(tag)
        page.restoreState()
    page.showPage()
    page.save()
    return out.getvalue()


def _each(tags: list[Tag]) -> Iterator[Tag]:
    for tag in tags:
        yield from (tag for _ in range(tag.copies))


class _Drawn:
    """One label at the origin of a page."""

    def __init__(self, page: Canvas, template: Template, *, with_qr: bool) -> None:
        self.page = page
        self.width, self.height = template.width * mm, template.height * mm
        self.is_small = template.height < 30
        self.with_qr = with_qr and not self.is_small
        self.side = 0.0

    def tag(self, tag: Tag) -> None:
        """Name at the top, the price large, what the law wants below it, bars at the foot, the picture beside them."""
        side = self.side = min(self.height * 0.4, 26 * mm) if self.with_qr and tag.link else 0.0
        y = self.height - PAD
        size = 7.0 if self.is_small else min(12.0, self.height / 10)
        y = self._text(tag.title, y, size, bold=True)
        if tag.options and not self.is_small:
            y = self._text(tag.options, y, size * 0.85)
        price_size = 12.0 if self.is_small else min(34.0, self.height / 5)
        y = self._text(tag.price, y - 1, price_size, bold=True)
        small = max(5.0, size * 0.68)
        notes = [note for note in (tag.unit_price, tag.lowest) if note]
        for line in [" · ".join(notes)] if self.is_small else notes:
            if line:
                y = self._text(line, y, small)
        if side:
            self._qr(tag.link, self.width - PAD - side, PAD, side)
        self._bars(tag, self.width - 2 * PAD - (side + QUIET if side else 0), y - PAD)

    def _text(self, text: str, y: float, size: float, *, bold: bool = False) -> float:
        """A line; a long one in smaller letters, then cut. Where the next begins."""
        font, told = "Helvetica-Bold" if bold else "Helvetica", plain(text)
        is_beside = self.side > 0 and y - size < PAD + self.side + 2
        room = self.width - 2 * PAD - (self.side + QUIET if is_beside else 0)
        width = stringWidth(told, font, size)
        fitted = size if width <= room else max(size * 0.62, size * room / width)
        while told and stringWidth(told, font, fitted) > room:
            told = told[:-2].rstrip() + "…" if len(told) > 2 else ""
        self.page.setFont(font, fitted)
        self.page.drawString(PAD, y - size, told)
        return y - size * 1.18

    def _bars(self, tag: Tag, room: float, top: float) -> None:
        """Bars as high as there is room, never narrower than scanners read: a code too long for that is only written."""
        kind = rules.bars_of(tag.gtin)
        letters = 6.0
        height = max(4 * mm, min(top - 2, 14 * mm))
        if kind in ("ean13", "ean8"):
            quiet = 113 if kind == "ean13" else 81  # modules with the quiet zones
            bar = min(0.33 * mm, room / quiet)
            if bar >= SMALLEST_BAR:
                self._ean(tag.gtin or "", kind, bar, height)
                return
        height = max(4 * mm, height - letters)
        code = Code128(
            plain(tag.code), barHeight=height, barWidth=0.25 * mm, humanReadable=False, quiet=False
        )
        bar = min(0.33 * mm, 0.25 * mm * room / code.width)
        self.page.setFont("Helvetica", letters)
        self.page.drawString(PAD, PAD, plain(tag.code))
        if bar >= 0.15 * mm:
            drawn = Code128(plain(tag.code), barHeight=height, barWidth=bar, humanReadable=False, quiet=False)
            drawn.drawOn(self.page, PAD, PAD + letters + 1)

    def _ean(self, gtin: str, kind: str, bar: float, height: float) -> None:
        shape = Ean13BarcodeWidget if kind == "ean13" else Ean8BarcodeWidget
        value = rules.ean13(gtin) if kind == "ean13" else gtin
        widget = shape(value[:-1], barHeight=height, barWidth=bar, fontSize=6, humanReadable=True)
        drawing = Drawing(self.width, self.height)
        drawing.add(widget)
        renderPDF.draw(drawing, self.page, PAD, PAD + 1)

    def _qr(self, text: str, x: float, y: float, side: float) -> None:
        """A QR code as one path: what is black next to each other in a row is one rectangle."""
        rows = segno.make(text, error="m", micro=False).matrix
        cell = side / len(rows)
        path = self.page.beginPath()
        for number, row in enumerate(rows):
            start = None
            for column, dark in enumerate((*row, 0)):
                if dark and start is None:
                    start = column
                elif not dark and start is not None:
                    bottom = y + side - (number + 1) * cell
                    path.rect(x + start * cell, bottom, (column - start) * cell, cell)
                    start = None
        self.page.drawPath(path, stroke=0, fill=1)


def zpl(template: Template, tags: list[Tag], *, with_qr: bool = True) -> bytes:
    """The same in ZPL II, UTF-8: a label each, repeated by the printer."""
    width, height = round(template.width * DOTS_A_MM), round(template.height * DOTS_A_MM)
    parts: list[str] = []
    for tag in tags:
        parts.append(f"^XA^CI28^PW{width}^LL{height}")
        parts += _zpl_lines(tag, width)
        if with_qr and tag.link:
            parts.append(f"^FO{width - 120},{height - 128}^BQN,2,3^FH^FDMA,{_whole(tag.link)}^FS")
        kind = rules.bars_of(tag.gtin)
        where = f"^FO20,{height - 110}"
        if kind == "ean13":
            parts.append(f"{where}^BY2^BEN,60,Y,N^FD{rules.ean13(tag.gtin or '')[:12]}^FS")
        elif kind == "ean8":
            parts.append(f"{where}^BY2^B8N,60,Y,N^FD{(tag.gtin or '')[:7]}^FS")
        else:
            parts.append(f"{where}^BY1^BCN,60,Y,N,N^FH^FD{field(tag.code)}^FS")
        parts.append(f"^PQ{tag.copies}^XZ")
    return "\n".join(parts).encode()


def _zpl_lines(tag: Tag, width: int) -> list[str]:
    y, written = 14, []
    for text, size in (
        (tag.title, 28), (tag.options, 22), (tag.price, 58), (tag.unit_price, 18), (tag.lowest, 18),
    ):  # fmt: skip
        if text:
            fitted = max(14, min(size, 2 * (width - 40) // max(1, len(text))))
            written.append(f"^FO20,{y}^A0N,{fitted},{fitted}^FH^FD{field(text)}^FS")
            y += size + 6
    return written


def _whole(text: str) -> str:
    """An address in a field: whole, however long."""
    return "".join(field(text[at : at + 40]) for at in range(0, len(text), 40))
