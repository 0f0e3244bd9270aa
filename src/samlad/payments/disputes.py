"""Disputes: a customer has their bank take a payment back. What the provider says of one is kept, whatever comes first.

A signed webhook is kept as it is, then the provider is asked how the dispute stands: so nothing is lost while it is silent, and the order in
which webhooks come does not matter. Each hour open disputes are asked for again, and those that no webhook told of are found. The money that
left for one, and came back, are entries of the provider's account (`samlad.payments.settlements`): each is booked once, whoever tells of it.
"""

import asyncio
from datetime import datetime

import msgspec
import structlog

from samlad.kernel import cards, log
from samlad.kernel.clock import now
from samlad.kernel.database import Database, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.jobs import JobContext, job, periodic
from samlad.kernel.problems import NotFound, Problem
from samlad.payments import dispute_store, events, operations, settlements, store
from samlad.payments.dispute_model import OPEN, Dispute, DisputeSource, SaidDispute
from samlad.payments.model import Payment
from samlad.payments.providers import ProviderSilent

logger = structlog.get_logger("samlad.payments")

PATIENCE_SECONDS = 20.0
MOST_OPEN = 500
"""Open disputes of a provider that are asked for in one go."""

_SOURCES: dict[str, DisputeSource] = {}


def register(provider: str, source: DisputeSource) -> None:
    """Make it known whom to ask about a provider's disputes."""
    _SOURCES[provider] = source


async def keep(tx: Tx, provider: str, said: SaidDispute, as_of: datetime) -> Dispute:
    """Keep what a provider said of a dispute as of a moment, with an event for what is new. What is older than what is known changes
    nothing; entries of its account are facts at any age."""
    if said.entries:
        await settlements.keep(tx, provider, said.entries)
    found = await operations.find(tx, provider, said.payment_reference, None)
    payment = None if found is None else await store.lock(tx, found)
    made = _dispute(provider, said, as_of, payment)
    if await dispute_store.add(tx, made):
        _tell(tx, events.PaymentDisputed, made, payment, occurred_at=made.opened_at)
        if made.closed_at is not None:
            _tell(tx, events.DisputeClosed, made, payment)
        return await _counted(tx, made)
    known = await dispute_store.lock(tx, provider, said.reference)
    assert known is not None
    if payment is None and known.payment is not None:
        payment = await store.read(tx, known.payment)
    entries = sorted({*known.entries, *made.entries})
    if as_of < known.said_at:
        if entries != known.entries:
            await dispute_store.change(tx, msgspec.structs.replace(known, entries=entries))
        return known
    changed = msgspec.structs.replace(
        made,
        id=known.id,
        payment=made.payment or known.payment,
        channel=made.channel or known.channel,
        payment_reference=made.payment_reference or known.payment_reference,
        opened_at=known.opened_at,
        closed_at=known.closed_at or made.closed_at if made.closed_at else None,
        entries=entries,
    )
    await dispute_store.change(tx, changed)
    if changed.status != known.status and changed.closed_at is not None:
        _tell(tx, events.DisputeClosed, changed, payment)
    elif _news(changed) != _news(known):
        _tell(tx, events.DisputeChanged, changed, payment)
    return await _counted(tx, changed)


def _news(dispute: Dispute) -> tuple[object, ...]:
    """What of a dispute is worth an event."""
    return (
        dispute.payment,
        dispute.amount,
        dispute.reason,
        dispute.status,
        dispute.is_inquiry,
        dispute.evidence_due_at,
    )


def _dispute(provider: str, said: SaidDispute, as_of: datetime, payment: Payment | None) -> Dispute:
    return Dispute(
        id=new_id(),
        provider=provider,
        reference=said.reference,
        payment=None if payment is None else payment.id,
        payment_reference=said.payment_reference,
        channel=None if payment is None else payment.channel,
        amount=said.amount,
        currency=said.currency,
        reason=said.reason,
        status=said.status,
        is_inquiry=said.is_inquiry,
        evidence_due_at=said.evidence_due_at,
        url=said.url,
        entries=sorted(entry.reference for entry in said.entries),
        opened_at=said.opened_at,
        closed_at=None if said.status in OPEN else max(as_of, said.opened_at),
        said_at=as_of,
    )


async def _counted(tx: Tx, dispute: Dispute) -> Dispute:
    if dispute.payment is not None:
        await dispute_store.count_on(tx, dispute.payment)
    return dispute


def _tell(
    tx: Tx,
    kind: type[events.DisputeFact],
    dispute: Dispute,
    payment: Payment | None,
    *,
    occurred_at: datetime | None = None,
) -> None:
    fact = kind(
        dispute=dispute.id,
        provider=dispute.provider,
        reference=dispute.reference,
        payment=dispute.payment,
        order=None if payment is None else payment.order_id,
        amount=dispute.amount,
        currency=dispute.currency,
        reason=dispute.reason,
        status=dispute.status,
        is_inquiry=dispute.is_inquiry,
        evidence_due_at=dispute.evidence_due_at,
    )
    subject = None if payment is None else payment.order_id or payment.cart
    log.append(tx, fact, subject=subject or dispute.id, channel=dispute.channel, occurred_at=occurred_at)


# -- asking ------------------------------------------------------------------------------------------------------------


async def ask(
    database: Database, provider: str, reference: str, *, patience: float = PATIENCE_SECONDS
) -> bool:
    """Ask a provider how a dispute stands, and keep the answer; whether there was one."""
    moment = now()
    try:
        async with asyncio.timeout(patience):
            said = await _SOURCES[provider].dispute(database, reference)
    except (ProviderSilent, TimeoutError, Problem) as error:
        logger.warning("a dispute is not known", provider=provider, reason=cards.redact(str(error)))
        return False
    await database.transaction(lambda tx: keep(tx, provider, said, moment))
    return True


async def look(database: Database) -> int:
    """Ask every provider for disputes that are new, and for those that are open; how many it told of."""
    told = 0
    for name, source in _SOURCES.items():
        moment = now()
        try:
            found = await source.disputes(database, await _since(database, name))
        except NotFound:
            continue  # nobody has set it up
        except ProviderSilent as silence:
            logger.warning("disputes are not known", provider=name, reason=cards.redact(str(silence)))
            continue
        for said in found:
            await database.transaction(lambda tx, n=name, s=said, m=moment: keep(tx, n, s, m))  # type: ignore[misc]
        heard = {said.reference for said in found}
        for reference in await dispute_store.open_at(database, name, MOST_OPEN):
            if reference not in heard and await ask(database, name, reference):
                heard.add(reference)
        told += len(heard)
    return told


async def _since(database: Database, provider: str) -> datetime:
    """As of entries of its account (`settlements`): some days before the one that was opened last."""
    last = await dispute_store.newest(database, provider)
    return now() - settlements.FIRST if last is None else last.opened_at - settlements.OVERLAP


@job("payments.disputes")
@periodic("40 * * * *")
async def look_hourly(ctx: JobContext) -> None:
    """Each hour: what customers dispute."""
    await look(ctx.database)
