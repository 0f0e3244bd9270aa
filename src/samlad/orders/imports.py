"""Orders of the past, in bulk: chunks of up to 2,000 orders by COPY, each chunk one transaction.

History moves no stock: what was sold then left then. An order that is in the channel already (by its number) is
skipped, so that an import that was killed is finished by running it again.
"""

import functools
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from uuid import UUID

import msgspec

from samlad import catalog, customers
from samlad.channels import Channel, Resource
from samlad.customers import PersonInput, Spend
from samlad.kernel import log
from samlad.kernel.clock import local_day
from samlad.kernel.context import BACKGROUND, Context
from samlad.kernel.database import Database, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import InvalidInput
from samlad.orders import import_store
from samlad.orders.events import OrdersImported
from samlad.orders.import_model import OrderInput, OrderLineInput, Report, faults_of, minor
from samlad.orders.model import LineKind, OrderKind
from samlad.orders.permissions import IMPORT

CHUNK_ORDERS, CHUNK_LINES = 2_000, 60_000


async def run(
    database: Database,
    channel: Channel,
    records: Iterable[OrderInput],
    *,
    source: str = "import",
    progress: Callable[[int], None] = lambda _orders: None,
    context: Context = BACKGROUND,
) -> Report:
    """Bring in orders, earliest first, a chunk a transaction; ``progress`` is told how many each chunk had.

    Raises:
        InvalidInput: an order that cannot be right; the chunks before it are in.
        Forbidden: without `orders.import`.
    """
    started = time.monotonic()
    report, seen = Report(), _Seen()
    for chunk in chunks(records):
        work = functools.partial(_import_chunk, channel=channel, chunk=chunk, source=source, seen=seen)
        await database.transaction(work, context)
        report.orders += seen.orders
        report.lines += seen.lines
        report.skipped += len(chunk) - seen.orders
        for currency, total in seen.totals.items():
            report.totals[currency] = report.totals.get(currency, 0) + total
        progress(len(chunk))
    report.customers = len(seen.customers)
    report.unknown_skus = sorted(sku for sku, variant in seen.variants.items() if variant is None)
    if report.orders:
        await database.transaction(import_store.analyse, context)
    report.seconds = round(time.monotonic() - started, 3)
    return report


class _Seen(msgspec.Struct):
    """What one import has learned so far, and what its last chunk brought (set anew by each attempt)."""

    variants: dict[str, UUID | None] = {}
    customers: set[str] = set()
    prices: dict[tuple[str, str], int] = {}
    orders: int = 0
    lines: int = 0
    totals: dict[str, int] = {}


def chunks(records: Iterable[OrderInput]) -> Iterator[list[OrderInput]]:
    """Cut a stream into chunks of at most 2,000 orders and about 60,000 lines."""
    chunk: list[OrderInput] = []
    lines = 0
    for record in records:
        chunk.append(record)
        lines += len(record.lines)
        if len(chunk) >= CHUNK_ORDERS or lines >= CHUNK_LINES:
            yield chunk
            chunk, lines = [], 0
    if chunk:
        yield chunk


async def _import_chunk(
    tx: Tx, channel: Channel, chunk: Sequence[OrderInput], source: str, seen: _Seen
) -> None:
    tx.actor.require(IMPORT)
    _check(chunk)
    asked = {record.number for record in chunk} | _returned_numbers(chunk)
    known = await import_store.ids_of(tx, channel.id, sorted(asked))
    fresh = [record for record in chunk if record.number not in known]
    seen.orders, seen.lines, seen.totals = len(fresh), sum(len(r.lines) for r in fresh), {}
    if not fresh:
        return
    people = await _people(tx, channel, fresh, seen)
    await _learn_variants(tx, channel, fresh, seen)
    ids = {record.number: new_id() for record in fresh}
    known.update(ids)
    days = {record.number: local_day(record.placed_at, channel.time_zone) for record in fresh}
    await import_store.copy_orders(
        tx,
        (
            _order_row(record, ids[record.number], channel, people, known, days[record.number], source, tx)
            for record in fresh
        ),
    )
    await import_store.copy_lines(tx, _line_rows(fresh, ids, known, seen))
    await import_store.came_back(tx, [ids[r.number] for r in fresh if r.kind == OrderKind.RETURN])
    await _sums(tx, channel, fresh, people, days)
    await import_store.add_quarters(tx, list(ids.values()))
    await import_store.number_beyond(tx, channel.id, _largest_number(fresh, channel))
    for record in fresh:
        seen.totals[record.currency] = seen.totals.get(record.currency, 0) + record.total_minor
    _tell(tx, channel, fresh, ids, source)


def _check(chunk: Sequence[OrderInput]) -> None:
    numbers: set[str] = set()
    for record in chunk:
        faults = faults_of(record)
        if record.number in numbers:
            faults.append("the number comes twice")
        numbers.add(record.number)
        if faults:
            raise InvalidInput.at(f"order {record.number}", "; ".join(faults))


def _returned_numbers(chunk: Sequence[OrderInput]) -> set[str]:
    numbers = {record.returns for record in chunk if record.returns}
    return numbers | {line.returns for record in chunk for line in record.lines if line.returns}


async def _people(tx: Tx, channel: Channel, fresh: Sequence[OrderInput], seen: _Seen) -> dict[str, UUID]:
    countries = {record.customer: record.country for record in fresh if record.customer}
    seen.customers.update(countries)
    wanted = [PersonInput(external_id=number, country=country) for number, country in countries.items()]
    return await customers.import_people(tx, channel.pools[Resource.CUSTOMERS], wanted, channel=channel.id)


async def _learn_variants(tx: Tx, channel: Channel, fresh: Sequence[OrderInput], seen: _Seen) -> None:
    skus = {line.sku for record in fresh for line in record.lines if line.sku} - seen.variants.keys()
    if not skus:
        return
    found = await catalog.by_skus(tx, channel.pools[Resource.CATALOGUE], sorted(skus))
    seen.variants.update({sku: found[sku].id if sku in found else None for sku in skus})


def _order_row(
    record: OrderInput,
    order: UUID,
    channel: Channel,
    people: dict[str, UUID],
    known: dict[str, UUID],
    day: date,
    source: str,
    tx: Tx,
) -> tuple[object, ...]:
    is_return = record.kind == OrderKind.RETURN
    return (
        order,
        channel.pools[Resource.ORDERS],
        channel.id,
        record.number,
        str(record.kind),
        "returned" if is_return else "fulfilled",
        "refunded" if is_return else "paid",
        people.get(record.customer) if record.customer else None,
        record.country,
        record.currency,
        _goods(record),
        0,
        record.total_minor,
        max(record.total_minor, 0),
        known.get(record.returns) if record.returns else None,
        source,
        record.placed_at,
        day,
        True,
        tx.actor.label,
    )


def _line_rows(
    fresh: Sequence[OrderInput], ids: dict[str, UUID], known: dict[str, UUID], seen: _Seen
) -> Iterator[tuple[object, ...]]:
    for record in fresh:
        order, is_sale = ids[record.number], record.kind == OrderKind.SALE
        for position, line in enumerate(record.lines, 1):
            went_out = is_sale and line.kind == LineKind.ITEM and line.quantity > 0
            yield (
                order,
                position,
                str(line.kind),
                seen.variants.get(line.sku) if line.sku else None,
                line.sku,
                line.title,
                line.quantity,
                _price(line, record.currency, seen),
                line.total_minor,
                line.quantity if went_out else 0,
                known.get(line.returns) if line.returns else None,
                line.stock_correction,
            )


def _price(line: OrderLineInput, currency: str, seen: _Seen) -> int:
    """The unit price in minor units; a shop has few different ones, so each is worked out once."""
    key = (line.unit_price, currency)
    price = seen.prices.get(key)
    if price is None:
        price = seen.prices[key] = minor(line.unit_price, currency)
    return price


class _Sum(msgspec.Struct):
    orders: int = 0
    total: int = 0
    items: int = 0
    last: datetime = datetime.min.replace(tzinfo=UTC)

    def add(self, record: OrderInput) -> None:
        self.orders += record.kind == OrderKind.SALE
        self.total += record.total_minor
        self.items += _goods(record)
        self.last = max(self.last, record.placed_at)


async def _sums(
    tx: Tx,
    channel: Channel,
    fresh: Sequence[OrderInput],
    people: dict[str, UUID],
    days: dict[str, date],
) -> None:
    """Bring the orders into the sums by day and by customer, as the follower does for those that are placed."""
    by_day: dict[tuple[date, str], _Sum] = defaultdict(_Sum)
    by_person: dict[tuple[UUID, str], _Sum] = defaultdict(_Sum)
    for record in fresh:
        by_day[days[record.number], record.currency].add(record)
        if record.customer:
            by_person[people[record.customer], record.currency].add(record)
    await import_store.add_days(
        tx, channel.id, [(day, currency, s.orders, s.total, s.items) for (day, currency), s in by_day.items()]
    )
    await customers.book_spend(
        tx,
        [
            Spend(customer=person, currency=currency, orders=s.orders, spent=s.total, last_order_at=s.last)
            for (person, currency), s in by_person.items()
        ],
    )


def _goods(record: OrderInput) -> int:
    """Units of goods, negative when they came back."""
    return sum(
        line.quantity for line in record.lines if line.kind == LineKind.ITEM and not line.stock_correction
    )


def _largest_number(fresh: Sequence[OrderInput], channel: Channel) -> int:
    """The largest number that the channel's own series could come to, 0 if none looks like one of its."""
    prefix = channel.setting("number_prefix")
    digits = (r.number.removeprefix(prefix) for r in fresh if r.number.startswith(prefix))
    return max((int(d) for d in digits if d.isascii() and d.isdigit() and len(d) < 16), default=0)


def _tell(tx: Tx, channel: Channel, fresh: Sequence[OrderInput], ids: dict[str, UUID], source: str) -> None:
    """One event for each currency of the chunk (there is nearly always one)."""
    by_currency: dict[str, list[OrderInput]] = {}
    for record in fresh:
        by_currency.setdefault(record.currency, []).append(record)
    for currency, records in by_currency.items():
        fact = OrdersImported(
            source=source,
            count=len(records),
            lines=sum(len(record.lines) for record in records),
            total=sum(record.total_minor for record in records),
            currency=currency,
            first=records[0].number,
            last=records[-1].number,
            orders=[ids[record.number] for record in records],
        )
        log.append(tx, fact, channel=channel.id)
