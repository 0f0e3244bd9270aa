"""Documents as HTML and PDF, both from one set of templates: `templates/documents`, one a kind.

The HTML stands alone: its style is in it, and its pictures. PDFs are made of it by WeasyPrint, which needs the system's
Pango; a server without has no PDFs and says so.
"""

import asyncio
import base64
import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from samlad.content.theme import Colours
from samlad.documents import rules
from samlad.documents.model import PdfUnavailable, Printed
from samlad.documents.writing import LINES, REASONS, TITLES, Writer, spaced
from samlad.kernel import qr
from samlad.kernel.i18n import direction, translator
from samlad.orders import Order
from samlad.orders.fulfilment_model import Fulfilment

if TYPE_CHECKING:
    from samlad.documents.letters import Letter

_TEMPLATES = Path(__file__).parent / "templates"
STYLE = (_TEMPLATES / "documents" / "document.css").read_text()
CONTENT_POLICY = (
    "default-src 'none'; img-src data:; frame-ancestors 'none'; base-uri 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    + "'"
)
"""The Content-Security-Policy of a document: its own style and pictures, nothing else."""

T = TypeVar("T")

# One at a time: a long PDF takes a second of a core, and the server has other things to do.
_threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pdf")


def html(printed: Printed, *, is_copy: bool = False, is_paged: bool = False) -> str:
    """A document as a page that stands alone; ``is_paged`` as one that `pdf` is made of."""
    writer = Writer.of(printed)
    template = f"documents/{printed.kind.replace('-', '_')}.html"
    return (
        _environment(printed.locale)
        .get_template(template)
        .render(
            p=printed,
            w=writer,
            title=writer.translate(TITLES["prepayment" if printed.is_prepayment else printed.kind]),
            reason=writer.translate(REASONS[printed.reason]) if printed.reason in REASONS else "",
            notes=tax_notes(printed, writer),
            line_titles={kind: writer.translate(text) for kind, text in LINES.items()},
            is_copy=is_copy,
            is_paged=is_paged,
            **_common(printed.locale),
        )
    )


def letter(written: "Letter", printed: Printed, writer: Writer, colours: Colours) -> str:
    """A mail of an order's way as HTML: each element has its own style, and nothing is fetched."""
    return (
        _environment(printed.locale)
        .get_template("documents/letter.html")
        .render(
            letter=written,
            p=printed,
            w=writer,
            c=colours,
            line_titles={kind: writer.translate(text) for kind, text in LINES.items()},
            **_common(printed.locale),
        )
    )


def packing_slip(
    work: Fulfilment,
    order: Order,
    *,
    locale: str,
    time_zone: str,
    country: str,
    shop: str,
    place: str,
    sender: list[str],
    lots: Mapping[int, Sequence[tuple[str, int]]],
) -> str:
    """What is in a parcel, for whom. It has no prices: parcels may be gifts.

    ``lots`` are codes and units by the line's position.
    """
    writer = Writer(locale, time_zone, order.currency, country)
    return (
        _environment(locale)
        .get_template("documents/packing_slip.html")
        .render(
            work=work,
            order=order,
            w=writer,
            shop=shop,
            place=place,
            sender=sender,
            lots=lots,
            gift_notes={line.position: line.gift_note for line in order.lines if line.gift_note},
            code=Markup(qr.svg(order.number, border=0)),  # noqa: S704 - our own drawing
            title=writer.translate("Packing slip"),
            **_common(locale),
        )
    )


def tax_notes(printed: Printed, writer: Writer) -> list[str]:
    """What the law wants to read of rates that bear no tax."""
    notes = [note for rate in printed.rates for note in rules.reasons(rate, printed.lines)]
    return [writer.translate(note) for note in dict.fromkeys(notes)]


async def pdf(page: str) -> bytes:
    """A page as PDF, without holding up who else is served.

    Raises:
        PdfUnavailable: this server has not got what it takes.
    """
    return await apart(make_pdf, page)


async def apart(work: Callable[[T], bytes], given: T) -> bytes:
    """Do what takes long in a thread of its own, one after the other."""
    return await asyncio.get_running_loop().run_in_executor(_threads, work, given)


def make_pdf(page: str) -> bytes:
    """`pdf`, in this thread."""
    try:
        import weasyprint

        logging.getLogger("weasyprint").setLevel(logging.CRITICAL)  # it warns of what is for screens
    except OSError as error:
        raise PdfUnavailable(
            "The library Pango is not installed (apt-get install libpango-1.0-0 libpangoft2-1.0-0)."
        ) from error
    # Documents have all in them: nothing is ever fetched, from the network or from the disk.
    fetcher = weasyprint.URLFetcher(allowed_protocols=("data",))
    made: bytes = weasyprint.HTML(string=page, url_fetcher=fetcher).write_pdf()
    return made


def _common(locale: str) -> dict[str, Any]:
    return {"locale": locale, "direction": direction(locale), "style": Markup(STYLE), "spaced": spaced}  # noqa: S704


@lru_cache(maxsize=8)
def _environment(locale: str) -> Environment:
    env = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    env.policies["ext.i18n.trimmed"] = True
    env.install_gettext_translations(translator(locale), newstyle=True)  # type: ignore[attr-defined]
    return env
