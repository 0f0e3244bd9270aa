"""The import: look at everything first, then write in chunks of whole products.

1. *Look.* The whole source is read, planned against the database without writing a product, and staged by COPY. Broken
   file: nothing was written. Refused lines: nothing is written either, unless ``skip_refused`` says to leave them out.
2. *Write.* Chunks of staged products go through the same `products.apply` as the API, each in a transaction of its own.
   Killed in the middle, the next run finds what is there unchanged and goes on; running twice changes nothing.
3. *Bundles* last, when all of their parts are there.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from uuid import UUID

import msgspec

from samlad.access import audit
from samlad.catalog import attributes, categories, prices, product_store, products
from samlad.catalog.imports import own, shopify
from samlad.catalog.imports.parsed import Parsed
from samlad.catalog.imports.report import ImportReport, LineReport, Outcome
from samlad.catalog.imports.source import begins_json, lines_of, open_text, table
from samlad.catalog.model import Measure, ProductRow, VariantInput
from samlad.catalog.permissions import CHANGE
from samlad.catalog.planning import AttributeRule, Known, Plan, Refused, handle_base, plan
from samlad.channels import Channel, Resource
from samlad.kernel.clock import now
from samlad.kernel.context import BACKGROUND, Context
from samlad.kernel.database import Database, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import InvalidInput

LOOK_CHUNK = 1000
WRITE_CHUNK = 500
WRITERS = 2
"""Chunks written at once: while one waits for the database, the other is planned."""
STALE_DAYS = 1

Progress = Callable[[str, int, int | None], None]
"""Called with the phase (``look``, ``write``), how many products are done, and how many there are if that is known."""


class ImportOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to import. ``price_list`` is where prices without a list go (Shopify's); it is made when it is missing."""

    channel: Channel
    dry_run: bool = False
    skip_refused: bool = False
    price_list: str = "base"


class _Session(msgspec.Struct):
    """One import under way."""

    database: Database
    options: ImportOptions
    context: Context
    progress: Progress
    report: ImportReport
    definitions: own.Definitions
    run: UUID
    handles: dict[str, int] = {}
    skus: dict[str, int] = {}
    parts: list[tuple[int, str]] = []  # place in the report, SKU of a part
    bundles: list[ProductRow] = []
    missing_paths: set[str] = set()
    path_names: dict[str, str] = {}
    uses_default_list: bool = False

    @property
    def pool(self) -> UUID:
        return self.options.channel.pools[Resource.CATALOGUE]

    @property
    def price_pool(self) -> UUID:
        return self.options.channel.pools[Resource.PRICES]


def _silent(_phase: str, _done: int, _total: int | None) -> None:
    return None


async def run_file(
    database: Database,
    path: Path,
    options: ImportOptions,
    *,
    context: Context = BACKGROUND,
    progress: Progress = _silent,
) -> ImportReport:
    """Import a file: Shopify's product CSV, our CSV, or our JSON Lines; which one it is, the file says.

    Raises:
        BrokenFile: the file cannot be read as a whole; nothing was imported.
    """
    context.actor.require(CHANGE)
    file, encoding = await asyncio.to_thread(open_text, path)
    definitions = own.Definitions()
    with file:
        if begins_json(file):
            report = ImportReport("jsonl", encoding)
            return await _run(
                database,
                own.read_jsonl(lines_of(file), definitions),
                options,
                context,
                progress,
                report,
                definitions,
            )
        opened = table(file)
        if shopify.is_shopify(opened.columns):
            report = ImportReport(
                "shopify", encoding, unknown_columns=shopify.unknown_columns(opened.columns)
            )
            source = shopify.read(opened, currency=options.channel.currency, price_list=options.price_list)
        else:
            known = await _names(database, options.channel)
            columns = own.columns_of(opened.columns, known.attributes)
            report = ImportReport("csv", encoding, unknown_columns=columns.unknown)
            currencies = await _currencies(database, options)
            source = own.read_csv(opened, columns, currencies)
        return await _run(database, source, options, context, progress, report, definitions)


async def run(
    database: Database,
    rows: Iterable[ProductRow],
    options: ImportOptions,
    *,
    context: Context = BACKGROUND,
    progress: Progress = _silent,
) -> ImportReport:
    """Import products from records: the same as from a file. A record's “line” is its number, from 1."""
    context.actor.require(CHANGE)

    def parsed() -> Iterator[Parsed]:
        for number, row in enumerate(rows, 1):
            handle = row.handle if isinstance(row.handle, str) else None
            lines = [number] * max(len(row.variants), 1)
            yield Parsed(lines, row, handle, [v.sku for v in row.variants])

    report = ImportReport("records")
    return await _run(database, parsed(), options, context, progress, report, own.Definitions())


async def _run(
    database: Database,
    source: Iterator[Parsed],
    options: ImportOptions,
    context: Context,
    progress: Progress,
    report: ImportReport,
    definitions: own.Definitions,
) -> ImportReport:
    started = time.monotonic()
    report.is_dry_run = options.dry_run
    session = _Session(database, options, context, progress, report, definitions, new_id())
    try:
        total = await _look(session, source)
        await _check_parts(session)
        report.count()
        if not options.dry_run and (options.skip_refused or not report.refused):
            await _write(session, total)
            report.is_done = True
    finally:
        await database.transaction(lambda tx: _clean(tx, session.run))
    report.count()
    report.seconds = round(time.monotonic() - started, 3)
    return report


async def _clean(tx: Tx, run_id: UUID) -> None:
    await tx.execute(
        "DELETE FROM import_row WHERE run = $1 OR staged_at < now() - make_interval(days => $2)",
        run_id,
        STALE_DAYS,
    )


# -- look --------------------------------------------------------------------------------------------------------------


async def _look(session: _Session, source: Iterator[Parsed]) -> int:
    """Read, plan and stage everything; how many products were staged."""
    names = await _names(session.database, session.options.channel)
    total = looked = 0
    while chunk := list(islice(source, LOOK_CHUNK)):
        usable = await _plan_chunk(session, names, chunk)
        if usable and not session.options.dry_run:
            records = [(session.run, total + n, msgspec.json.encode(row)) for n, row in enumerate(usable)]
            await session.database.transaction(
                lambda tx, records=records: tx.copy("import_row", ("run", "number", "data"), records)  # type: ignore[misc]
            )
        total += len(usable)
        looked += len(chunk)
        session.progress("look", looked, None)
    session.report.products = total
    return total


async def _names(database: Database, channel: Channel) -> Known:
    """What rows may refer to by name, all of it."""
    known = Known(channel.pools[Resource.CATALOGUE])
    paths = [c.path for c in await categories.tree(database, known.pool)]
    lists = await prices.all_lists(database, channel.pools[Resource.PRICES])
    codes = [each.code for each in lists]
    await product_store.load_names(database, known, paths, channel.pools[Resource.PRICES], codes)
    return known


async def _currencies(database: Database, options: ImportOptions) -> dict[str, str]:
    lists = await prices.all_lists(database, options.channel.pools[Resource.PRICES])
    return {options.price_list: options.channel.currency} | {each.code: each.currency for each in lists}


async def _plan_chunk(session: _Session, names: Known, chunk: list[Parsed]) -> list[ProductRow]:
    """Plan a chunk against the database as it is and report on each line; the rows that can be written."""
    rows = [parsed.row for parsed in chunk if parsed.row is not None]
    known = await product_store.load_known(
        session.database,
        session.pool,
        [row.handle for row in rows if isinstance(row.handle, str)],
        [v.sku for row in rows for v in row.variants],
    )
    known.attributes, known.tax_classes = names.attributes, names.tax_classes
    known.categories, known.price_lists = names.categories, names.price_lists
    unnamed = [row for row in rows if not isinstance(row.handle, str) and isinstance(row.title, str)]
    bases = sorted({handle_base(row.title) for row in unnamed})  # type: ignore[arg-type]
    known.taken = await product_store.taken_handles(session.database, session.pool, bases) if bases else set()
    known.taken |= session.handles.keys()
    _define(session, known, chunk)
    await product_store.load_prices(session.database, known)
    moment, usable = now(), []
    for parsed in chunk:
        made = None
        if parsed.row is not None and _is_first(session, parsed):
            try:
                made = plan(known, parsed.row, moment)
            except Refused as refused:
                parsed.problems = [f"{e.field}: {e.message}" for e in refused.errors]
        if made is not None and made.is_new:  # later rows neither mean it nor get its handle
            session.handles.setdefault(made.product.handle, parsed.lines[0])
            known.taken.add(made.product.handle)
        _tell(session, parsed, made)
        if made is not None and parsed.row is not None:
            usable.append(_staged(session, parsed.row, made))
    return usable


def _define(session: _Session, known: Known, chunk: list[Parsed]) -> None:
    """Count as known what the import will make before it writes: definitions, missing categories, the price list."""
    for each in session.definitions.attributes:
        known.attributes.setdefault(each.code, AttributeRule(each.type, each.choices))
    for chosen in session.definitions.price_lists:
        known.price_lists.setdefault(chosen.code, new_id())
    default = session.options.price_list
    if default not in known.price_lists:
        known.price_lists[default] = new_id()
        session.uses_default_list = True
    paths = {c.path: c.name for c in session.definitions.categories}
    for parsed in chunk:
        session.path_names.update(parsed.category_names)
        if parsed.row is not None and isinstance(parsed.row.category, str):
            paths.setdefault(parsed.row.category, "")
    for path in paths.keys() - known.categories.keys():
        if categories.is_path(path):
            known.categories[path] = new_id()
            session.missing_paths.add(path)


def _is_first(session: _Session, parsed: Parsed) -> bool:
    """Whether handle and SKUs come up for the first time; a file that says two things of one product is refused."""
    where = parsed.lines[0]
    if parsed.handle is not None:
        before = session.handles.setdefault(parsed.handle, where)
        if before != where:
            parsed.problems.append(
                f"handle: the lines of “{parsed.handle}” must stand together; it began in {before}"
            )
    for sku, line in zip(parsed.skus, parsed.lines, strict=False):
        before = session.skus.setdefault(sku, line)
        if before != line:
            parsed.problems.append(f"sku: “{sku}” is in line {before} already")
    return not parsed.problems


def _tell(session: _Session, parsed: Parsed, made: Plan | None) -> None:
    """One line of the report for each variant (or for the product when it names none)."""
    named = made.named if made is not None else []
    priced = {write.variant for write in made.prices} if made is not None else set()
    touched = made is not None and (made.product_changed or made.media is not None)
    if made is not None and made.media is not None:
        session.report.images += sum(m.status == "pending" for m in made.media)
    for index, line in enumerate(parsed.lines):
        sku = parsed.skus[index] if index < len(parsed.skus) else None
        if made is None:
            outcome = Outcome.REFUSED
        elif index < len(named) and named[index].id in made.new_variants:
            outcome = Outcome.CREATED
        elif (touched and index == 0) or (
            index < len(named)
            and (
                named[index].id in made.changed_variants
                or named[index].id in priced
                or named[index].id in made.components
            )
        ):
            outcome = Outcome.UPDATED
        else:
            outcome = Outcome.UNCHANGED
        is_head = index == 0
        session.report.lines.append(
            LineReport(
                line,
                outcome,
                made.product.handle if made is not None else parsed.handle,
                sku,
                parsed.problems if is_head else [],
                parsed.notes if is_head else [],
            )
        )


def _staged(session: _Session, row: ProductRow, made: Plan) -> ProductRow:
    """The row as it is written: with the handle that was found or made, and without parts, which come last."""
    row = msgspec.structs.replace(row, handle=made.product.handle)
    plain = [msgspec.structs.replace(v, components=msgspec.UNSET) for v in row.variants]
    bundled = [v for v, n in zip(row.variants, made.named, strict=True) if n.id in made.components]
    if not bundled:
        return msgspec.structs.replace(row, variants=plain)
    place = len(session.report.lines) - 1
    session.parts += [(place, c.sku) for v in bundled for c in v.components]  # type: ignore[union-attr]
    only = [VariantInput(sku=v.sku, components=v.components) for v in bundled]
    session.bundles.append(ProductRow(handle=row.handle, variants=only))
    return msgspec.structs.replace(row, variants=plain)


async def _check_parts(session: _Session) -> None:
    """Parts of bundles must be in the file or the database, and not be bundles themselves."""
    if not session.parts:
        return
    made_here = {v.sku for row in session.bundles for v in row.variants if v.components}
    known = await product_store.load_known(
        session.database, session.pool, [], sorted({sku for _, sku in session.parts})
    )
    nested = {v.sku for v in known.by_sku.values() if known.components.get(v.id)}
    loose = {v.sku for v in known.by_sku.values() if v.sold_by is not Measure.PIECE}
    for place, sku in session.parts:
        is_there = sku in session.skus or sku in known.by_sku
        if not is_there or sku in made_here or sku in nested or sku in loose:
            line = session.report.lines[place]
            reason = "is not sold by the piece" if sku in loose else "is a bundle itself"
            reason = reason if is_there else "does not exist"
            problem = f"components: “{sku}” {reason}"
            session.report.lines[place] = msgspec.structs.replace(
                line, outcome=Outcome.REFUSED, problems=[*line.problems, problem]
            )


# -- write -------------------------------------------------------------------------------------------------------------


async def _write(session: _Session, total: int) -> None:
    database, context = session.database, session.context
    await database.transaction(lambda tx: _make_names(tx, session), context)
    starts = iter(range(0, total, WRITE_CHUNK))
    done = 0

    async def writer() -> None:
        nonlocal done
        for start in starts:  # shared: each chunk goes to whichever writer is free
            done += await _write_chunk(session, start, min(WRITE_CHUNK, total - start))
            session.progress("write", done, total)

    writers = [asyncio.create_task(writer()) for _ in range(WRITERS)]
    try:
        await asyncio.gather(*writers)
    finally:  # when one fails the others stop too: each chunk is whole or not there
        for task in writers:
            task.cancel()
        await asyncio.gather(*writers, return_exceptions=True)
    for start in range(0, len(session.bundles), WRITE_CHUNK):
        await _apply(session, session.bundles[start : start + WRITE_CHUNK])
    await database.transaction(lambda tx: _note(tx, session), context)


async def _note(tx: Tx, session: _Session) -> None:
    """One line of the audit log for the whole import."""
    report = session.report
    told = {name: getattr(report, name) for name in ("format", "created", "updated", "unchanged", "refused")}
    audit.record(tx, "products.imported", "pool", session.pool, after=told)


async def _write_chunk(session: _Session, start: int, count: int) -> int:
    rows = await session.database.rows(
        "SELECT data FROM import_row WHERE run = $1 AND number >= $2 AND number < $3 ORDER BY number",
        session.run,
        start,
        start + count,
    )
    if len(rows) < count:
        raise InvalidInput(
            "The database was restarted in the middle of the import. Run it again to complete it."
        )
    await _apply(session, [_decode(row["data"]) for row in rows])
    return count


_decode = msgspec.json.Decoder(ProductRow).decode


async def _apply(session: _Session, rows: list[ProductRow]) -> None:
    async def work(tx: Tx) -> list[Plan | Refused]:
        return await products.apply(tx, session.pool, rows, price_pool=session.price_pool)

    outcomes = await session.database.transaction(work, session.context)
    for row, outcome in zip(rows, outcomes, strict=True):
        if isinstance(outcome, Refused):
            problems = [f"changed meanwhile; {e.field}: {e.message}" for e in outcome.errors]
            handle = row.handle if isinstance(row.handle, str) else None
            session.report.lines.append(LineReport(0, Outcome.REFUSED, handle, None, problems))


async def _make_names(tx: Tx, session: _Session) -> None:
    """Make what the products refer to and is not there yet."""
    channel, definitions = session.options.channel, session.definitions
    present = {each.code for each in await prices.all_lists(tx, session.price_pool)}
    for chosen in definitions.price_lists:
        if chosen.code not in present:
            await prices.create_list(tx, session.price_pool, chosen)
            present.add(chosen.code)
    if session.uses_default_list and session.options.price_list not in present and session.report.lines:
        await prices.create_list(
            tx,
            session.price_pool,
            prices.PriceListInput(
                code=session.options.price_list,
                name=session.options.price_list.replace("-", " ").capitalize(),
                currency=channel.currency,
                tax_included=bool(channel.setting("prices_include_tax")),
            ),
        )
    known = await tx.value("SELECT array_agg(code) FROM attribute WHERE pool = $1", session.pool)
    for attribute in definitions.attributes:
        if attribute.code not in (known or []):
            await attributes.create(tx, session.pool, attribute)
    await categories.restore(tx, session.pool, {c.path: c for c in definitions.categories})
    await categories.ensure(tx, session.pool, session.missing_paths, session.path_names)
