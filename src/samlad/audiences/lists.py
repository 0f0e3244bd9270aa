"""Static lists: people by import and by picking. What could not be used is told row by row."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from samlad.access import audit
from samlad.audiences import segments, store
from samlad.audiences.events import SegmentListed
from samlad.audiences.model import ListOutcome, Segment, SegmentKind, Unmatched
from samlad.audiences.permissions import CHANGE
from samlad.identity import normalising
from samlad.kernel import log
from samlad.kernel.database import Tx
from samlad.kernel.problems import Conflict, InvalidInput

MOST_ROWS = 100_000
TOLD = 1_000
"""Rows that an answer tells of; how many there are beyond them is the difference of the numbers."""
COLUMNS = ("email", "e-mail", "phone", "external_id", "number", "id", "customer")
"""Titles of columns that are read, in any case; without any of them the first column is."""


async def add(tx: Tx, segment: UUID, names: Sequence[str]) -> ListOutcome:
    """Put people on a list by e-mail address, phone number, external id or id. Who is on it stays on it.

    Raises:
        NotFound: no such segment.
        Conflict: it is no list.
        InvalidInput: more rows than 100,000.
    """
    tx.actor.require(CHANGE)
    found = await _list(tx, segment)
    return await _add(tx, found, [[name] for name in names])


async def import_csv(tx: Tx, segment: UUID, body: bytes) -> ListOutcome:
    """Put the people of a CSV file on a list. Any of the columns e-mail, phone, external_id and id say who it is, the first
    that leads to somebody.

    Raises:
        InvalidInput: it cannot be read as UTF-8, or has more rows than 100,000.
    """
    tx.actor.require(CHANGE)
    found = await _list(tx, segment)
    return await _add(tx, found, rows_of(body))


def rows_of(body: bytes) -> list[list[str]]:
    """The cells of a CSV file that may say who it is, by row; with or without titles, and with commas, semicolons or tabs.

    Raises:
        InvalidInput: it cannot be read.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput.at("file", f"is not UTF-8 at byte {error.start}: save it as “CSV UTF-8”") from None
    if "\0" in text:
        raise InvalidInput.at("file", "may not contain the character NUL")
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error as error:
        raise InvalidInput.at("file", f"cannot be read as CSV: {error}") from None
    titles = [cell.strip().lower() for cell in rows[0]] if rows else []
    places = [place for place, title in enumerate(titles) if title in COLUMNS]
    if places:
        return [[row[place] for place in places if place < len(row)] for row in rows[1:] if any(row)]
    return [row[:1] for row in rows if any(row)]


async def _list(tx: Tx, segment: UUID) -> Segment:
    found = await segments.get(tx, segment)
    if found.kind is not SegmentKind.LIST:
        raise Conflict("This segment has its people by conditions; only lists have them by name.")
    return found


async def _add(tx: Tx, segment: Segment, rows: Sequence[Sequence[str]]) -> ListOutcome:
    if len(rows) > MOST_ROWS:
        raise InvalidInput.at("file", f"has {len(rows)} rows; {MOST_ROWS} at most in one go")
    cells = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    country = await store.country_of(tx, segment.pool)
    phones = {cell: normalising.phone(cell, country) for row in cells for cell in row}
    matches = await store.match(
        tx, segment.pool, list(phones), sorted({phone for phone in phones.values() if phone})
    )
    by_text: dict[str, set[UUID]] = defaultdict(set)
    for match in matches:
        by_text[match.text].add(match.customer)
    people: set[UUID] = set()
    unmatched = []
    for number, row in enumerate(cells, 1):
        who, reason = _who(row, by_text, phones)
        if reason is not None:
            unmatched.append(Unmatched(row=number, value=", ".join(row)[:200], reason=reason))
        people |= who
    added = await store.put_on_list(tx, segment.id, sorted(people))
    _tell(tx, segment, added=added)
    return ListOutcome(
        rows=len(rows),
        added=added,
        already=len(people) - added,
        unmatched_rows=len(unmatched),
        unmatched=unmatched[:TOLD],
    )


def _who(
    row: Sequence[str], by_text: dict[str, set[UUID]], phones: dict[str, str | None]
) -> tuple[set[UUID], str | None]:
    """Whom a row names; or nobody, and why."""
    if not row:
        return set(), "empty"
    for cell in row:
        found = by_text.get(cell, set()) | by_text.get(phones[cell] or "", set())
        if len(found) == 1:
            return found, None
        if found:
            return set(), "several"
    return set(), "unknown"


def _tell(tx: Tx, segment: Segment, *, added: int = 0, removed: int = 0) -> None:
    if added or removed:
        log.append(tx, SegmentListed(pool=segment.pool, added=added, removed=removed), subject=segment.id)
        audit.record(tx, "segment.listed", "segment", segment.id, after={"added": added, "removed": removed})


async def pick(tx: Tx, segment: UUID, customers: Iterable[UUID]) -> int:
    """Put customers on a list by id; how many were not on it.

    Raises:
        InvalidInput: one of them is no customer of the pool.
    """
    tx.actor.require(CHANGE)
    found = await _list(tx, segment)
    wanted = sorted(set(customers))
    missing = set(wanted) - await store.in_pool(tx, found.pool, wanted)
    if missing:
        raise InvalidInput.at("customers", f"{min(missing)} is no customer of this pool")
    added = await store.put_on_list(tx, segment, wanted)
    _tell(tx, found, added=added)
    return added


async def remove(tx: Tx, segment: UUID, customers: Iterable[UUID]) -> int:
    """Take people off a list; how many rows were removed. Who is not on it is not missed."""
    tx.actor.require(CHANGE)
    found = await _list(tx, segment)
    removed = await store.take_off_list(tx, segment, sorted(set(customers)))
    _tell(tx, found, removed=removed)
    return removed
