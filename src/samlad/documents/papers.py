"""Papers of many orders, made by a job: chosen rows or everything under a filter, as PDF or ZIP, kept for three days.

Which orders are meant is written down at the start. Then the job makes part after part, each in one transaction that keeps its
files and notes what became of its orders: killed, it goes on with those that have no outcome, and no more than a part is ever in
memory. An order without such a paper is left out, with the reason beside it.
"""

import zipfile
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import structlog

from samlad import orders
from samlad.documents import issuing, papers_store, printing, rendering
from samlad.documents.archive import Sink
from samlad.documents.events import PapersAsked, PapersMade
from samlad.documents.joining import join
from samlad.documents.model import PdfUnavailable
from samlad.documents.papers_model import Made, NoPapers, PaperInput, PaperRun
from samlad.documents.permissions import READ
from samlad.kernel import jobs, log
from samlad.kernel.context import Actor
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.i18n import marked
from samlad.kernel.ids import new_id
from samlad.kernel.jobs import JobContext, Retry, job
from samlad.kernel.problems import Conflict, NotFound, Problem
from samlad.kernel.sweepers import Sweeper
from samlad.orders import bulk, fulfilment_carriers, fulfilment_store
from samlad.orders import store as order_store
from samlad.orders.fulfilment_model import Fulfilment, FulfilmentState

JOB = "documents.papers"
RETRY = Retry(attempts=3)
AT_ONCE = 50
"""Orders of one part."""
A_FILE = 500
"""Orders in one PDF: 20 MB of invoices, more than that nobody opens."""
NO_INVOICE = marked("No invoice was issued for it.")
NOTHING_TO_PACK = marked("Nothing of it is to be packed.")
NO_NUMBER = marked("No parcel of it that is still here has a number of a carrier.")
NOT_MADE = marked("It could not be made. It was logged.")
NO_PDF = marked("This server cannot make PDFs: the library Pango is not installed.")
BROKEN = marked("The papers could not be made. It was logged.")
_HERE = (
    FulfilmentState.OPEN,
    FulfilmentState.PICKING,
    FulfilmentState.PICKED,
    FulfilmentState.PACKED,
    FulfilmentState.READY,
)
"""Parts of orders that have not left."""

logger = structlog.get_logger("samlad.papers")


async def ask(tx: Tx, data: PaperInput) -> PaperRun:
    """Write down which orders are meant, and let the job begin after the commit. The same ``id`` again is the same run.

    Raises:
        InvalidInput: both orders and filters or neither, more than 10,000 orders. Conflict: none is chosen.
    """
    tx.actor.require(READ)
    _may(tx.actor, data.what)
    run = data.id or new_id()
    chosen = await bulk.chosen(tx, data.orders, data.filters)
    if not chosen:
        raise Conflict("None of these orders is there any more, or none fits the filters.")
    if await papers_store.insert(tx, run, data, chosen):
        log.append(tx, PapersAsked(what=data.what, form=data.form, total=len(chosen)), subject=run)
        await jobs.defer(tx, JOB, {"run": run}, lock=f"{JOB}:{run}")
    return await get(tx, tx.actor, run)


def _may(actor: Actor, what: str) -> None:
    """Labels are part of bringing orders; the rest only says what is there."""
    actor.require(orders.CHANGE if what == "labels" else orders.READ)


async def get(reader: Reader, actor: Actor, run: UUID) -> PaperRun:
    """How far a run is. Its own staff see it, and who may see documents anywhere.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    actor.require(READ)
    found = await papers_store.get(reader, run)
    if found is None or (actor.locations is not None and found.staff != actor.id):
        raise NotFound("There are no such papers.")
    _may(actor, found.what)
    return found


async def stop(tx: Tx, run: UUID) -> PaperRun:
    """Make no more of them; what is made can be had. Stopped twice, or ready, it stays so."""
    await get(tx, tx.actor, run)
    await _end(tx, run, "stopped")
    return await get(tx, tx.actor, run)


async def _end(tx: Tx, run: UUID, state: str, reason: str = "") -> None:
    if await papers_store.end(tx, run, state, reason):
        found = await papers_store.get(tx, run)
        assert found is not None
        made = PapersMade(what=found.what, state=state, done=found.done, left_out=found.left_out)
        log.append(tx, made, subject=run)


# -- having them -------------------------------------------------------------------------------------------------------


async def download(database: Database, actor: Actor, run: UUID) -> tuple[PaperRun, str, AsyncIterator[bytes]]:
    """What was made: its name, and the bytes piece by piece. One PDF as it is, several files as a ZIP.

    Raises:
        NotFound. NoPapers: they are being made, none came out of it, or they were made too long ago.
    """
    found = await get(database, actor, run)
    if found.state == "running":
        raise NoPapers("They are being made.", state=found.state)
    places = await papers_store.places(database, run)
    if not places:
        raise NoPapers("There is no file (any more). Ask for them anew.", state=found.state)
    name = f"{found.what.replace('_', '-')}-{found.created_at:%Y%m%d-%H%M}"
    if found.form == "pdf" and len(places) == 1:
        return found, f"{name}.pdf", _one(database, run, places[0])
    return found, f"{name}.zip", _zip(database, found, places)


async def _one(database: Database, run: UUID, where: tuple[int, int]) -> AsyncIterator[bytes]:
    file = await papers_store.file(database, run, *where)
    yield b"" if file is None else file.content


async def _zip(
    database: Database, found: PaperRun, places: Sequence[tuple[int, int]]
) -> AsyncIterator[bytes]:
    sink, taken = Sink(), set[str]()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for part, place in places:
            file = await papers_store.file(database, found.id, part, place)
            if file is None:
                continue  # forgotten meanwhile
            name = file.name if file.name not in taken else f"{part}-{place}-{file.name}"
            taken.add(name)
            archive.writestr(zipfile.ZipInfo(name, found.created_at.timetuple()[:6]), file.content)
            yield sink.take()
    yield sink.take()


# -- the job -----------------------------------------------------------------------------------------------------------


@job(JOB, retry=RETRY)
async def run_job(ctx: JobContext, run: UUID) -> None:
    """Go on with a run."""
    try:
        await go_on(ctx.database, run)
    except Exception:
        if ctx.attempt >= RETRY.attempts:
            await ctx.database.transaction(lambda tx: _end(tx, run, "failed", BROKEN))
        raise


async def go_on(database: Database, run: UUID) -> None:
    """Make what is missing of a run. Several may do it at once; again it goes on where it was."""
    found = await papers_store.get(database, run)
    if found is None or found.state != "running":
        return
    try:
        while waiting := await papers_store.next_rows(database, run, AT_ONCE):
            await _part(database, found, waiting)
    except PdfUnavailable:
        await database.transaction(lambda tx: _end(tx, run, "failed", NO_PDF))
        return
    if found.form == "pdf":
        await _join(database, run)
    await database.transaction(lambda tx: _end(tx, run, "ready"))


async def _part(database: Database, found: PaperRun, waiting: dict[int, UUID]) -> None:
    part, outcome, files = min(waiting), dict[int, str](), list[Made]()
    for position, order in waiting.items():
        made, outcome[position] = await _of_order(database, found, order)
        files += made
    if found.form == "pdf" and files:
        joined = await rendering.apart(join, [file.content for file in files])
        files = [Made(f"{found.what.replace('_', '-')}-{part:05}.pdf", joined)]
    await database.transaction(lambda tx: papers_store.keep(tx, found.id, part, outcome, files))


async def _of_order(database: Database, found: PaperRun, order: UUID) -> tuple[list[Made], str]:
    """The papers of one order, or why it has none."""
    try:
        if found.what == "invoices":
            return await _invoices(database, order)
        return await _of_parts(database, found, order)
    except PdfUnavailable:
        raise
    except Problem as problem:
        return [], problem.detail or problem.title
    except (
        ValueError,
        LookupError,
        TypeError,
        ArithmeticError,
    ):  # one that cannot be drawn holds up no other
        logger.exception("a paper could not be made", order=str(order), what=found.what)
        return [], NOT_MADE


async def _invoices(database: Database, order: UUID) -> tuple[list[Made], str]:
    made = []
    for each in await issuing.of_order(database, order):
        content = await issuing.read(database, each.id)
        name = f"{content.kind}-{content.number.replace('/', '-')}.pdf"
        made.append(Made(name, await printing.document_file(content, "pdf")))
    return made, "" if made else NO_INVOICE


async def _of_parts(database: Database, found: PaperRun, order: UUID) -> tuple[list[Made], str]:
    """Packing slips or labels of what has not left, at the locations of whoever asked."""
    head = await order_store.head(database, order)
    assert head is not None  # orders are never deleted
    made: list[Made] = []
    for part in await fulfilment_store.of_order(database, order):
        if part.state not in _HERE or (found.locations is not None and part.location not in found.locations):
            continue
        kind = "packing-slip" if found.what == "packing_slips" else "label"
        name = f"{kind}-{head.number.replace('/', '-')}-{len(made) + 1}.pdf"
        if kind == "packing-slip":
            made.append(Made(name, await printing.packing_slip(database, part.id, "pdf")))
        elif (content := await _label(database, part, head)) is not None:
            made.append(Made(name, content))
    return made, "" if made else NOTHING_TO_PACK if found.what == "packing_slips" else NO_NUMBER


async def _label(database: Database, part: Fulfilment, head: orders.OrderHead) -> bytes | None:
    if part.tracking is None or part.carrier not in fulfilment_carriers.CARRIERS:
        return None
    parcel = await fulfilment_carriers.parcel_of(database, part, head)
    return fulfilment_carriers.carrier(part.carrier).pdf(parcel, part.tracking)


async def _join(database: Database, run: UUID) -> None:
    """Make one PDF of the parts of so many orders."""
    book, inside = list[int](), 0
    for part, counted in await papers_store.parts(database, run):
        if book and inside + counted > A_FILE:
            await _bind(database, run, book)
            book, inside = [], 0
        book.append(part)
        inside += counted
    await _bind(database, run, book)


async def _bind(database: Database, run: UUID, book: Sequence[int]) -> None:
    if len(book) < 2:
        return
    files = [file for part in book if (file := await papers_store.file(database, run, part, 1))]
    if len(files) == len(book):
        made = Made(files[0].name, await rendering.apart(join, [file.content for file in files]))
        await database.transaction(lambda tx: papers_store.replace(tx, run, book, made))


SWEEPERS = [Sweeper("documents.forget-papers", 3600, papers_store.forget_old)]
