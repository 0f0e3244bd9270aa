"""What is printed besides receipts: a test page, the kick of a drawer, and the questions that printers answer (ESC/POS)."""

from samlad.documents import Paper
from samlad.printers.model import Printer

ASK_OFFLINE = b"\x10\x04\x02"
"""`DLE EOT 2`: cover, feed button, paper end, error."""
ASK_PAPER = b"\x10\x04\x04"
"""`DLE EOT 4`: paper near its end, paper end."""
TELL_WHEN_DONE = b"\x1dr\x01"
"""`GS r 1`: answered once everything before it is done."""
LETTERS = "ÅÄÖ åäö éèë ïü ß ñ ç € £ łżő"


def kick(sheet: Paper) -> bytes:
    """Open the drawer, print nothing."""
    from samlad.documents.escpos_receipt import started  # loads the printers' library

    made: bytes = started(sheet).output
    return made


def test_page(printer: Printer, sheet: Paper) -> bytes:
    """How wide it prints, which letters it has, whether it cuts."""
    from samlad.documents.escpos_receipt import ended, plain, started

    page = started(sheet)
    page.set(align="center", bold=True)
    page.textln(plain(printer.name)[: sheet.columns])
    page.set(align="left", bold=False)
    page.textln(plain(f"{printer.host}:{printer.port}")[: sheet.columns])
    page.textln("1234567890" * (sheet.columns // 10) + "1234567890"[: sheet.columns % 10])
    page.textln(f"{sheet.columns} letters, {sheet.code_page}")
    page.textln(LETTERS)
    page.textln(f"{'1.00':>{sheet.columns}}")
    page.qr("SAMLAD", size=6, native=True)
    page.ln()
    return ended(page, sheet)
