"""The job that sends: what waits goes to its printer over TCP, and how it went is written down.

Nothing is sent twice by itself. Before the first byte all can be tried again; once bytes flow the paper may have them, so
a connection that breaks then, or a worker that dies, leaves it unsure, and a person looks.
"""

import asyncio
import contextlib
from uuid import UUID

import msgspec
import structlog

from samlad import documents
from samlad.access import audit
from samlad.documents import Paper
from samlad.kernel import log
from samlad.kernel.database import Database, Tx
from samlad.kernel.i18n import marked
from samlad.kernel.jobs import JobContext, Retry, job
from samlad.kernel.outside import OutsideError, connect
from samlad.kernel.sweepers import Sweeper
from samlad.printers import events, paper, reports, rules, store
from samlad.printers.model import Printer, PrintJob, PrintKind, PrintState
from samlad.printers.queue import SEND_JOB
from samlad.printers.reports import PrintedReport
from samlad.printers.service import gate_of

RETRY = Retry(attempts=8, first_seconds=2, longest_seconds=60)
DRAIN_SECONDS = 10.0
STATUS_SECONDS = 1.0
DONE_SECONDS = 20.0
"""How long a printer that tells its status may take to print a receipt."""
BROKE = marked("The connection broke while it was sent. Look at the paper before you print it again.")
NO_WORD = marked("It was sent, but the printer does not say that it is done. Look at the paper.")
TOO_LATE = marked("The printer could not be reached in time.")
NO_ANSWER = marked("Nobody answers at its address. Is it on, and in the network?")
REFUSED = marked("Its address may not be reached: see the settings printer_networks and printer_ports.")
GONE = marked("The printer is not used any more.")

logger = structlog.get_logger("samlad.printers")


class NotReady(Exception):
    """Nothing was sent: nobody answers, or the printer lacks something."""


@job(SEND_JOB, queue="printers", retry=RETRY)
async def send(ctx: JobContext, job: UUID) -> None:
    """Send something that waits. What ended before is left alone; what another worker died over is unsure."""
    database = ctx.database
    found = await store.job(database, job)
    if found is None:
        return
    if found.state is PrintState.SENDING:
        await _end(database, found, PrintState.UNSURE, BROKE)
        return
    if found.state is not PrintState.WAITING:
        return
    printer = await store.printer(database, found.printer)
    if printer is None or not printer.is_active:
        await _end(database, found, PrintState.FAILED, GONE)
        return
    try:
        await _deliver(database, found, printer)
    except NotReady as failure:
        reason = str(failure)
        is_last = ctx.attempt >= RETRY.attempts or found.kind is PrintKind.DRAWER
        if is_last:
            await _end(database, found, PrintState.FAILED, reason)
            return
        await database.transaction(lambda tx: store.put_off(tx, job, reason))
        raise


async def _deliver(database: Database, found: PrintJob, printer: Printer) -> None:
    content = await _content(database, found, printer)
    try:
        reader, writer = await connect(printer.host, printer.port, gate_of(database.settings))
    except OutsideError as failure:
        logger.warning("a printer was not reached", printer=printer.name, reason=failure.reason)
        if failure.is_final:
            await _end(database, found, PrintState.FAILED, REFUSED)
            return
        raise NotReady(NO_ANSWER) from None
    try:
        if printer.tells_status:
            await _ready(reader, writer)
        if not await database.transaction(lambda tx: store.begin(tx, found.id)):
            await _end(database, found, PrintState.FAILED, TOO_LATE)
            return
        await _transmit(database, found, printer, content, (reader, writer))
    finally:
        writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                await writer.wait_closed()


async def _transmit(
    database: Database,
    found: PrintJob,
    printer: Printer,
    content: bytes,
    wire: tuple[asyncio.StreamReader, asyncio.StreamWriter],
) -> None:
    reader, writer = wire
    try:
        writer.write(content + (paper.TELL_WHEN_DONE if printer.tells_status else b""))
        async with asyncio.timeout(DRAIN_SECONDS):
            await writer.drain()
    except (OSError, TimeoutError):
        await _end(database, found, PrintState.UNSURE, BROKE)
        return
    if printer.tells_status and not await _byte(reader, DONE_SECONDS):
        await _end(database, found, PrintState.UNSURE, NO_WORD)
        return
    await _end(database, found, PrintState.PRINTED, "")


async def _ready(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Ask for paper and cover before anything is begun.

    Raises:
        NotReady: it lacks something, or does not answer though it should.
    """
    answers = []
    for question in (paper.ASK_OFFLINE, paper.ASK_PAPER):
        try:
            writer.write(question)
            await writer.drain()
        except OSError:
            raise NotReady(NO_ANSWER) from None
        answers.append(await _byte(reader, STATUS_SECONDS))
    if not all(answers):
        raise NotReady(rules.OUT_OF_ORDER)
    lacking = rules.lacks(answers[0][0], answers[1][0])
    if lacking is not None:
        raise NotReady(lacking)


async def _byte(reader: asyncio.StreamReader, seconds: float) -> bytes:
    """One byte of an answer, or none."""
    try:
        async with asyncio.timeout(seconds):
            return await reader.read(1)
    except (OSError, TimeoutError):
        return b""


async def _content(database: Database, found: PrintJob, printer: Printer) -> bytes:
    """The bytes of a job for its printer."""
    sheet = Paper(
        columns=printer.columns,
        code_page=printer.code_page,
        has_cutter=printer.has_cutter,
        opens_pin=printer.drawer_pin if found.opens_drawer else 0,
    )
    if found.kind is PrintKind.DRAWER:
        return paper.kick(sheet)
    if found.kind is PrintKind.REPORT:
        return reports.page(msgspec.convert(await store.report(database, found.id), PrintedReport), sheet)
    if found.kind is PrintKind.TEST or found.order_id is None:
        return paper.test_page(printer, sheet)
    return await documents.receipt_for(database, found.order_id, sheet, is_copy=found.is_copy)


async def _end(database: Database, found: PrintJob, state: PrintState, reason: str) -> None:
    """Write down how it went; a drawer that opened is on the log, also where nobody knows."""
    before = [PrintState.WAITING, PrintState.SENDING]
    if state is PrintState.PRINTED:
        before.append(PrintState.UNSURE)  # another worker took this one for dead

    async def work(tx: Tx) -> None:
        if not await store.end(tx, found.id, before, state, reason):
            return
        fact = events.PrintEnded(
            printer=found.printer, location=found.location, kind=found.kind, state=state, order=found.order_id
        )
        log.append(tx, fact, subject=found.id)
        if found.opens_drawer and state is not PrintState.FAILED:
            opened = events.DrawerOpened(
                printer=found.printer,
                location=found.location,
                by=found.asked_by,
                order=found.order_id,
                why=found.why,
            )
            log.append(tx, opened, subject=found.id)
            after = {"by": found.asked_name, "order": found.order_id, "why": found.why}
            audit.record(tx, "drawer.opened", "printer", found.printer, after=after)

    await database.transaction(work)


SWEEPERS = [Sweeper("printers.forget-jobs", 3600, store.forget_old)]
