"""The people of a segment for ad platforms: e-mail addresses and phone numbers hashed as Google and Meta want them.

Nobody's address leaves the house in clear. What the platform has hashed the same way it can recognise; the rest tells it
nothing. A person whose customer rows have several addresses is a line for each.
"""

import csv
import io
from collections.abc import AsyncIterator
from typing import Literal
from uuid import UUID

from samlad.access import audit
from samlad.audiences import rules, segments
from samlad.audiences.events import SegmentExported
from samlad.audiences.model import Segment
from samlad.audiences.permissions import EXPORT
from samlad.identity import normalising
from samlad.kernel import log
from samlad.kernel.database import Database, Tx

Platform = Literal["google", "meta"]

TITLES: dict[Platform, tuple[str, ...]] = {
    "google": ("Email", "Phone", "Country"),
    "meta": ("email", "phone", "country"),
}
STEP = 2_000


async def note(tx: Tx, segment: UUID, form: str) -> Segment:
    """Note that the people of a segment leave the house, before they do.

    Raises:
        NotFound: no such segment.
    """
    tx.actor.require(EXPORT)
    found = await segments.get(tx, segment)
    log.append(tx, SegmentExported(pool=found.pool, form=form, size=found.size), subject=segment)
    audit.record(tx, "segment.exported", "segment", segment, after={"form": form, "size": found.size})
    return found


async def hashed(database: Database, segment: UUID, platform: Platform) -> AsyncIterator[bytes]:
    """A CSV file for a platform, streamed from one snapshot. Who has neither address nor number is left out."""
    async with database.pool.acquire() as connection, connection.transaction(readonly=True):
        buffer = io.StringIO()
        writer = csv.writer(buffer)
        writer.writerow(TITLES[platform])
        cursor = connection.cursor(
            """SELECT c.email, c.phone, c.country FROM segment_member m JOIN customer c
                   ON c.id = ANY (customer_members(ARRAY[m.person]))
               WHERE m.segment = $1 AND (c.email IS NOT NULL OR c.phone IS NOT NULL) ORDER BY c.id""",
            segment,
            prefetch=STEP,
        )
        count = 0
        async for row in cursor:
            line = line_for(platform, row["email"], row["phone"], row["country"])
            if line is not None:
                writer.writerow(line)
            count += 1
            if count % STEP == 0:
                yield _taken(buffer)
        yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()


def line_for(
    platform: Platform, email: str | None, phone: str | None, country: str | None
) -> tuple[str, str, str] | None:
    """The cells of a line: hashed address, hashed number, and the country, which Google takes in clear and Meta hashed."""
    is_google = platform == "google"
    address = rules.hashed(rules.email_for_ads(email, is_google=is_google)) if email else ""
    number = normalising.phone(phone, country) if phone else None
    called = rules.hashed(rules.phone_for_ads(number, is_google=is_google)) if number else ""
    if not address and not called:
        return None
    place = country or ""
    return address, called, place if is_google or not place else rules.hashed(place.lower())
