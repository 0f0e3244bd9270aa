"""The people of a segment for ad platforms: e-mail addresses and phone numbers hashed as Google and Meta want them.

Nobody's address leaves the house in clear. What the platform has hashed the same way it can recognise; the rest tells it
nothing. A person whose customer rows have several addresses is a line for each.
"""

import csv
import io
from collections.abc import AsyncIterator
from typing import Literal
from uuid import UUID

import msgspec

from samlad import consent
from samlad.access import audit
from samlad.audiences import rules, segments
from samlad.audiences.compiling import compiled
from samlad.audiences.conditions import Consented
from samlad.audiences.events import SegmentExported
from samlad.audiences.model import Segment
from samlad.audiences.permissions import EXPORT
from samlad.identity import normalising
from samlad.kernel import clock, log
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.problems import InvalidInput

Platform = Literal["google", "meta"]

TITLES: dict[Platform, tuple[str, ...]] = {
    "google": ("Email", "Phone", "Country"),
    "meta": ("email", "phone", "country"),
}
STEP = 2_000
WITHOUT = "none"
"""For what needs no consent: nothing is sent and nobody else gets it. It stands in the audit log."""


class Leaving(msgspec.Struct, frozen=True):
    """Who of a segment may leave the house for a purpose. ``people`` None: all, as no consent is needed."""

    segment: Segment
    purpose: str | None
    people: list[UUID] | None
    left_out: int

    def named(self) -> str | None:
        """Them as a filter of the list; None: no filter. Nobody is a filter too."""
        return None if self.people is None else ",".join(map(str, (UUID(int=0), *self.people)))


async def leaving(reader: Reader, segment: UUID, purpose: str, channel: UUID | None = None) -> Leaving:
    """Who of a segment has agreed to what they are exported for, as it holds now; and how many have not.

    Raises:
        NotFound: no such segment.
        InvalidInput: no such purpose, or one that nobody is asked for: that would be everybody.
    """
    found = await segments.get(reader, segment)
    if purpose == WITHOUT:
        return Leaving(found, None, None, 0)
    known = [each.code for each in await consent.asked_for(reader)]
    if purpose not in known:
        raise InvalidInput.at("purpose", f"must be one of {', '.join(known)}, or {WITHOUT}")
    wanted = Consented(purpose=purpose, channel=channel)
    with_, args = compiled(wanted, found.pool, clock.now(), found.time_zone)
    rows = await reader.rows(
        f"""WITH {with_} SELECT m.person, coalesce(t.is_in, false) AS may
            FROM segment_member m LEFT JOIN truth t ON t.person = m.person WHERE m.segment = ${len(args) + 1}""",
        *args,
        segment,
    )
    people = [row["person"] for row in rows if row["may"]]
    return Leaving(found, purpose, people, len(rows) - len(people))


async def note(
    tx: Tx, segment: UUID, form: str, purpose: str = WITHOUT, channel: UUID | None = None
) -> Leaving:
    """Note that people of a segment leave the house for a purpose, before they do; who they are.

    Raises:
        NotFound: no such segment.
        InvalidInput: no such purpose.
    """
    tx.actor.require(EXPORT)
    found = await leaving(tx, segment, purpose, channel)
    size = found.segment.size
    fact = SegmentExported(
        pool=found.segment.pool, form=form, size=size, purpose=found.purpose, left_out=found.left_out
    )
    log.append(tx, fact, subject=segment)
    after = {"form": form, "size": size, "purpose": found.purpose, "left_out": found.left_out}
    audit.record(tx, "segment.exported", "segment", segment, after=after)
    return found


async def hashed(database: Database, leaving: Leaving, platform: Platform) -> AsyncIterator[bytes]:
    """A CSV file for a platform, streamed from one snapshot. Who has neither address nor number is left out."""
    async with database.pool.acquire() as connection, connection.transaction(readonly=True):
        buffer = io.StringIO()
        writer = csv.writer(buffer)
        writer.writerow(TITLES[platform])
        cursor = connection.cursor(
            """SELECT c.email, c.phone, c.country FROM unnest($2::uuid[]) AS p (person)
               JOIN segment_member m ON m.segment = $1 AND m.person = p.person
               JOIN customer c ON c.id = p.person OR c.survivor = p.person
               WHERE c.email IS NOT NULL OR c.phone IS NOT NULL ORDER BY c.id""",
            leaving.segment.id,
            leaving.people or [],
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
