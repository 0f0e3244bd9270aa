"""Checking customers' VAT numbers with VIES: at once when one is given, and again and again while VIES is silent."""

from datetime import timedelta

import structlog

from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.database import Database, Tx
from samlad.kernel.jobs import JobContext, job, periodic
from samlad.tax import store
from samlad.tax.events import TaxNumberChecked
from samlad.tax.model import NumberCheck, NumberStatus
from samlad.tax.numbers import EU_PREFIXES, customer_number
from samlad.tax.setup import current
from samlad.tax.store import Answered
from samlad.tax.territories import country_of_number, number_prefix
from samlad.tax.vies import RestVies, Vies, ViesAnswer, ViesSilent

GOOD_FOR = timedelta(hours=24)
"""How long an answer stands; then the number is asked for anew when somebody uses it."""
LEASE, BATCH = timedelta(minutes=2), 20
FIRST_SECONDS, LONGEST_SECONDS, TRIES = 60.0, 6 * 3600.0, 40
"""Silent VIES is asked again after a minute, then after twice as long each time up to six hours, for about a week."""

_clients: list[Vies] = [RestVies()]
logger = structlog.get_logger("samlad.tax")


def use(client: Vies) -> Vies:
    """Ask somebody else from now on; who was asked before."""
    before = _clients[0]
    _clients[0] = client
    return before


async def check(database: Database, text: str, *, field: str = "vat_number") -> NumberCheck:
    """What is known of a VAT number; VIES is asked unless it answered in the last day.

    Never inside a transaction. Silent VIES is no error: the number is then ``format`` and asked for again later.

    Raises:
        InvalidInput: it cannot be a VAT number.
    """
    number = customer_number(text, field)
    known = await store.number_check(database, number)
    if known is not None and known.checked_at is not None and now() - known.checked_at < GOOD_FOR:
        return known
    await _ask(database, number)
    found = await store.number_check(database, number)
    return found or NumberCheck(number=number, status=NumberStatus.FORMAT)


async def note(tx: Tx, number: str) -> None:
    """Remember a number that somebody buys with, so that it is checked. One statement."""
    await store.note_number(tx, number, next_at=now())


@job("tax.check-numbers")
@periodic("* * * * *")
async def check_numbers(ctx: JobContext) -> None:
    """Ask VIES for the numbers that are due."""
    await check_due(ctx.database)


async def check_due(database: Database) -> int:
    """Ask for what is due, each number once; how many answers there were. Several may do it at once."""
    answers = 0
    numbers = await database.transaction(lambda tx: store.lease_numbers(tx, now() + LEASE, BATCH))
    for number in numbers:
        answers += await _ask(database, number)
    return answers


async def _ask(database: Database, number: str) -> bool:
    """Ask VIES and keep the answer; whether there was one."""
    requester = await _requester(database)
    try:
        answer = await _clients[0].check(number, requester)
    except ViesSilent as silence:
        logger.info("VIES is silent", country=number[:2], reason=str(silence))
        await database.transaction(lambda tx: _later(tx, number))
        return False
    await database.transaction(lambda tx: _keep(tx, number, answer))
    return True


async def _keep(tx: Tx, number: str, answer: ViesAnswer) -> None:
    status = NumberStatus.VALID if answer.is_valid else NumberStatus.INVALID
    answered = Answered(
        number=number,
        status=status,
        name=answer.name,
        address=answer.address,
        consultation=answer.consultation,
        checked_at=now(),
    )
    if await store.keep_answer(tx, answered):
        log.append(tx, TaxNumberChecked(country=country_of_number(number), status=status))


async def _later(tx: Tx, number: str) -> None:
    await store.note_number(tx, number, next_at=now() + timedelta(seconds=FIRST_SECONDS))
    await store.try_later(
        tx, number, first_seconds=FIRST_SECONDS, longest_seconds=LONGEST_SECONDS, most=TRIES
    )


async def _requester(database: Database) -> str | None:
    """A number of our own: only who says who asks gets a consultation number."""
    day = now().date()
    for each in (each for found in (await current(database)).registrations.values() for each in found):
        is_now = each.valid_from <= day and (each.valid_to is None or day < each.valid_to)
        if is_now and number_prefix(each.country) in EU_PREFIXES:
            return each.number
    return None
