"""Static lists: people by import and by picking. What could not be used is told row by row."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from samlad.access import audit
from samlad.audiences import list_files, segments, store
from samlad.audiences.events import SegmentListed
from samlad.audiences.list_files import Rows
from samlad.audiences.model import ListOutcome, Segment, SegmentKind, Unmatched
from samlad.audiences.permissions import CHANGE
from samlad.identity import normalising
from samlad.kernel import log
from samlad.kernel.database import Tx
from samlad.kernel.problems import Conflict, InvalidInput

MOST_ROWS = 100_000
SHORTEST = 9
"""Digits of a phone number with its country's code."""
TOLD = 1_000
"""Rows that an answer tells of; how many there are beyond them is the difference of the numbers."""


async def add(tx: Tx, segment: UUID, names: Sequence[str]) -> ListOutcome:
    """Put people on a list by e-mail address, phone number, external id or id. Who is on it stays on it.

    Raises:
        NotFound: no such segment.
        Conflict: it is no list.
        InvalidInput: more rows than 100,000.
    """
    tx.actor.require(CHANGE)
    found = await _list(tx, segment)
    return await _add(tx, found, [(number, [name]) for number, name in enumerate(names, 1)])


async def import_csv(tx: Tx, segment: UUID, body: bytes) -> ListOutcome:
    """Put the people of a CSV file on a list. Any of the columns e-mail, phone, external_id and id say who it is, the first
    that leads to somebody.

    Raises:
        InvalidInput: it cannot be read, has no such column, or more rows than 100,000.
    """
    tx.actor.require(CHANGE)
    found = await _list(tx, segment)
    return await _add(tx, found, list_files.rows_of(body))


async def import_text(tx: Tx, segment: UUID, text: str) -> ListOutcome:
    """Put people on a list as somebody types them, one in each line or with commas between.

    Raises:
        InvalidInput: more than 100,000.
    """
    tx.actor.require(CHANGE)
    found = await _list(tx, segment)
    return await _add(tx, found, list_files.names_of(text))


async def _list(tx: Tx, segment: UUID) -> Segment:
    found = await segments.get(tx, segment)
    if found.kind is not SegmentKind.LIST:
        raise Conflict("This segment has its people by conditions; only lists have them by name.")
    return found


async def _add(tx: Tx, segment: Segment, rows: Rows) -> ListOutcome:
    if len(rows) > MOST_ROWS:
        raise InvalidInput.at("file", f"has {len(rows)} rows; {MOST_ROWS} at most in one go")
    cells = [(number, [_plain(cell) for cell in row if _plain(cell)]) for number, row in rows]
    country = await store.country_of(tx, segment.pool)
    phones = {cell: _number(cell, country) for _, row in cells for cell in row}
    matches = await store.match(
        tx, segment.pool, list(phones), sorted({phone for phone in phones.values() if phone})
    )
    by_text: dict[str, dict[UUID, UUID]] = defaultdict(dict)
    for match in matches:
        by_text[match.text][match.person] = match.customer
    people: dict[UUID, UUID] = {}
    unmatched, repeated = [], 0
    for number, row in cells:
        who, reason = _who(row, by_text, phones)
        if reason is not None:
            unmatched.append(Unmatched(row=number, value=", ".join(row)[:200], reason=reason))
        repeated += len(who.keys() & people.keys())
        people |= who
    before = await store.listed(tx, segment.id, sorted(people))
    added = await store.put_on_list(tx, segment.id, [people[each] for each in sorted(people.keys() - before)])
    _tell(tx, segment, added=added)
    return ListOutcome(
        rows=len(rows),
        added=added,
        already=len(people) - added,
        repeated=repeated,
        unmatched_rows=len(unmatched),
        unmatched=unmatched[:TOLD],
    )


def _plain(cell: str) -> str:
    """A cell without what spreadsheets put around it: blanks, also those that do not break, and the apostrophe of a text."""
    return cell.strip().removeprefix("'").strip()


def _number(cell: str, country: str | None) -> str | None:
    """A phone number; also one whose plus a spreadsheet took away."""
    found = normalising.phone(cell, country)
    return found or (normalising.phone(f"+{cell}") if cell.isdecimal() and len(cell) >= SHORTEST else None)


def _who(
    row: Sequence[str], by_text: dict[str, dict[UUID, UUID]], phones: dict[str, str | None]
) -> tuple[dict[UUID, UUID], str | None]:
    """Whom a row names, with the customer row that says so; or nobody, and why."""
    if not row:
        return {}, "empty"
    for cell in row:
        found = by_text.get(cell, {}) | by_text.get(phones[cell] or "", {})
        if len(found) == 1:
            return found, None
        if found:
            return {}, "several"
    return {}, "unknown"


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
