"""Labels of 4 × 6 inches: as PDF for any printer, as ZPL for label printers. Code 128 and QR hold the number."""

import io
import unicodedata

from reportlab.graphics import renderPDF
from reportlab.graphics.barcode.code128 import Code128
from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.units import inch, mm
from reportlab.pdfgen.canvas import Canvas

from samlad.orders.fulfilment_model import Label

WIDTH, HEIGHT = 4 * inch, 6 * inch
_MARGIN = 6 * mm
_DOTS = 203
"""Of an inch on the usual label printer."""
_ROOM = 4 * _DOTS - 80
_LONGEST = 60
"""Letters of a line that are written."""


def pdf(label: Label) -> bytes:
    """One page of 4 × 6 inches; the same label is the same bytes."""
    out = io.BytesIO()
    page = Canvas(out, pagesize=(WIDTH, HEIGHT), invariant=1)
    page.setTitle(f"{label.order_number} {label.number}")
    page.setAuthor(plain(label.sender[0]) if label.sender else "")
    y = HEIGHT - _MARGIN
    y = _write(page, label.sender, y, "Helvetica", 8)
    page.line(_MARGIN, y, WIDTH - _MARGIN, y)
    y = _write(page, label.recipient[:1], y - 8 * mm, "Helvetica-Bold", 15)
    _write(page, label.recipient[1:], y, "Helvetica", 13)
    _qr(page, label.number)
    page.setFont("Helvetica", 9)
    page.drawString(_MARGIN, 44 * mm, f"{plain(label.order_number)}  ({label.units})")
    bars = Code128(label.number, barHeight=22 * mm, barWidth=1.05, humanReadable=False)
    bars.drawOn(page, max(0.0, (WIDTH - bars.width) / 2), 14 * mm)
    page.setFont("Courier-Bold", 13)
    page.drawCentredString(WIDTH / 2, 7 * mm, label.number)
    page.showPage()
    page.save()
    return out.getvalue()


def _write(page: Canvas, lines: list[str], y: float, font: str, size: float) -> float:
    """Lines below each other; a long one in smaller letters. Where the next would begin."""
    room = WIDTH - 2 * _MARGIN
    for line in lines:
        text = plain(line)[:_LONGEST]
        width = page.stringWidth(text, font, size)
        page.setFont(font, size if width <= room else max(5.0, size * room / width))
        y -= size * 1.25
        page.drawString(_MARGIN, y, text)
    return y - 6.0


def _qr(page: Canvas, number: str) -> None:
    side = 28 * mm
    code = QrCodeWidget(number, barLevel="M")
    left, bottom, right, top = code.getBounds()
    drawing = Drawing(side, side, transform=[side / (right - left), 0, 0, side / (top - bottom), 0, 0])
    drawing.add(code)
    renderPDF.draw(drawing, page, WIDTH - _MARGIN - side, 46 * mm)


def plain(text: str) -> str:
    """Text in the letters of PDF's own fonts (Windows-1252); others without their accents, or a question mark."""
    written = []
    for letter in text:
        try:
            letter.encode("cp1252")
            written.append(letter)
        except UnicodeEncodeError:
            bare = (
                unicodedata.normalize("NFKD", _STROKES.get(letter, letter)).encode("ascii", "ignore").decode()
            )
            written.append(bare or "?")
    return "".join(written)


_STROKES = {
    "ł": "l",
    "Ł": "L",
    "đ": "d",
    "Đ": "D",
    "ħ": "h",
    "ı": "i",
    "ő": "ö",
    "Ő": "Ö",
    "ű": "ü",
    "Ű": "Ü",
}
"""Letters that Unicode does not take apart, or whose nearest is not the bare one."""


def zpl(label: Label) -> bytes:
    """The same label in ZPL II, UTF-8."""
    # Letters of font 0 are about half as wide as high; a long line is written smaller.
    y, parts = 30, ["^XA^CI28", f"^PW{4 * _DOTS}^LL{6 * _DOTS}"]
    for line in label.sender:
        parts.append(f"^FO40,{y}^A0N,26,26^FH^FD{field(line)}^FS")
        y += 32
    parts.append(f"^FO40,{y + 6}^GB{_ROOM},3,3^FS")
    y += 50
    for index, line in enumerate(label.recipient):
        size = min(52 if index == 0 else 44, 2 * _ROOM // max(1, len(line[:_LONGEST])))
        parts.append(f"^FO40,{y}^A0N,{size},{size}^FH^FD{field(line)}^FS")
        y += size + 12
    parts += [
        f"^FO40,{6 * _DOTS - 400}^A0N,30,30^FH^FD{field(label.order_number)} ({label.units})^FS",
        f"^FO{4 * _DOTS - 260},{6 * _DOTS - 560}^BQN,2,8^FH^FDMA,{field(label.number)}^FS",
        f"^FO60,{6 * _DOTS - 320}^BY3^BCN,180,N,N,N^FH^FD{field(label.number)}^FS",
        f"^FO60,{6 * _DOTS - 110}^A0N,40,40^FH^FD{field(label.number)}^FS",
        "^PQ1^XZ",
    ]
    return "\n".join(parts).encode()


def field(text: str) -> str:
    """Text of a field: what ZPL reads as a command is written as its hexadecimal code (``^FH``)."""
    kept = "".join(letter for letter in text[:_LONGEST] if letter.isprintable())
    return kept.replace("_", "_5F").replace("^", "_5E").replace("~", "_7E").replace("\\", "_5C")
