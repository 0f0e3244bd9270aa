"""The documents of a period as one ZIP of PDFs, made while it is sent: as large as it gets, it is never in memory."""

import io
import zipfile
from collections.abc import AsyncIterator, Collection, Sequence
from datetime import date
from uuid import UUID

from samlad.documents import issuing, printing, rendering, store
from samlad.documents.model import DocumentContent
from samlad.kernel.database import Database
from samlad.kernel.problems import InvalidInput

MOST = 10_000
"""Documents of one archive; who has more takes a shorter period."""


async def wanted(
    database: Database,
    first: date,
    last: date,
    *,
    kind: str | None,
    entity: str | None,
    places: Collection[UUID] | None = None,
) -> list[UUID]:
    """The documents of a period, in the order of their numbers; ``places``: only those of orders of these locations.

    Raises:
        InvalidInput: more than fit into one archive, or the period ends before it begins. PdfUnavailable.
    """
    if last < first:
        raise InvalidInput.at("to", "is before the first day")
    await rendering.pdf("<p></p>")  # what cannot be made is told before the answer begins
    found = await store.ids_of_period(
        database, first, last, kind=kind, entity_code=entity, places=places, limit=MOST + 1
    )
    if len(found) > MOST:
        raise InvalidInput.at("from", f"more than {MOST} documents; take a shorter period")
    return found


async def stream(database: Database, documents: Sequence[UUID]) -> AsyncIterator[bytes]:
    """The archive, piece by piece."""
    sink = Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for document in documents:
            content = await issuing.read(database, document)
            made = await printing.document_file(content, "pdf")
            entry = zipfile.ZipInfo(_name(content), content.issued_at.timetuple()[:6])
            archive.writestr(entry, made)
            yield sink.take()
    yield sink.take()


def _name(document: DocumentContent) -> str:
    seller = str(document.entity)[:8]
    number = document.number.replace("/", "-")
    return f"{seller}/{document.issued_on:%Y-%m}/{document.kind}-{number}.pdf"


class Sink(io.RawIOBase):
    """Where the archive is written to: what was not taken yet."""

    def __init__(self) -> None:
        self._kept = bytearray()

    def writable(self) -> bool:
        """It is written to, never read or sought in: the archive then needs no way back."""
        return True

    def write(self, data: object) -> int:
        """Keep some bytes."""
        piece = bytes(data)  # type: ignore[call-overload]
        self._kept += piece
        return len(piece)

    def take(self) -> bytes:
        """What was written since the last time."""
        piece = bytes(self._kept)
        self._kept.clear()
        return piece
