"""What payment providers keep for themselves and pay out to the bank: the entries of their own accounts, each once.

A provider that can be asked has a method ``fees`` (`FeeSource`); what others send as a file comes by `record`. Charges
and refunds are booked by our own payments; of their entries only the fee is news.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Protocol, runtime_checkable
from uuid import UUID

import msgspec
import structlog
from msgspec import Meta

from samlad.kernel import cards, log
from samlad.kernel.clock import now
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.jobs import JobContext, job, periodic
from samlad.kernel.listing import Filter, Listing, Sort, texts
from samlad.kernel.money import currencies
from samlad.kernel.problems import FieldError, InvalidInput, NotFound
from samlad.payments import events
from samlad.payments.permissions import RECEIVE
from samlad.payments.providers import ProviderSilent, registered

logger = structlog.get_logger("samlad.payments")

FIRST, OVERLAP = timedelta(days=30), timedelta(days=3)
"""How far back the first question goes, and how much each later one asks again: entries can come late."""

Minor = Annotated[int, Meta(ge=-(2**52), le=2**52, description="Minor units")]
Text = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class SettlementKind(StrEnum):
    """What an entry is: money of a customer, its refund, something the provider charges, another correction (a dispute),
    or money that went to the bank."""

    CHARGE = "charge"
    REFUND = "refund"
    FEE = "fee"
    ADJUSTMENT = "adjustment"
    PAYOUT = "payout"


class SettlementInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An entry of a provider's account: ``amount`` below zero left it there (a refund, a payout), ``fee`` is what the
    provider kept of it. ``payment_reference`` is the provider's name of the payment, if it is about one."""

    reference: Annotated[Text, Meta(description="The provider's own id of it", examples=["txn_1N2b"])]
    kind: SettlementKind
    amount: Minor
    fee: Minor = 0
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$", max_length=3, examples=["SEK"])]
    happened_at: Annotated[datetime, Meta(tz=True, examples=["2026-11-25T20:15:00+01:00"])]
    payment_reference: Text | None = None


class SettlementsInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Entries of one provider's account."""

    provider: Annotated[str, Meta(pattern="^[a-z][a-z0-9_-]{0,39}$", max_length=40, examples=["stripe"])]
    entries: Annotated[list[SettlementInput], Meta(min_length=1, max_length=1000)]


class Recorded(msgspec.Struct, frozen=True):
    """How many of the entries are new here."""

    recorded: int
    known: int


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of a provider's account, as it is kept. Minor units."""

    id: UUID
    provider: str
    reference: str
    kind: SettlementKind
    amount: int
    fee: int
    currency: str
    payment: UUID | None
    channel: UUID | None
    happened_at: datetime


@runtime_checkable
class FeeSource(Protocol):
    """A provider that can be asked what it took and paid out."""

    name: str

    async def fees(self, database: Database, since: datetime) -> Sequence[SettlementInput]:
        """The entries of its account since a moment, in any order.

        Raises:
            ProviderSilent: no answer. NotFound: its keys are not set.
        """
        ...


_COLUMNS = "id, provider, reference, kind, amount, fee, currency, payment, channel, happened_at"

SETTLEMENTS = Listing(
    row=Settlement,
    select=_COLUMNS,
    source="payment_settlement",
    key="id",
    sorts={"happened_at": Sort("happened_at", "timestamptz"), "amount": Sort("amount", "bigint")},
    default_sort="-happened_at",
    filters={
        "provider": Filter("provider = ANY({})", texts),
        "kind": Filter("kind = ANY({})", texts),
        "payment": Filter("payment = {}", UUID),
    },
)


async def record(tx: Tx, data: SettlementsInput) -> Recorded:
    """Keep entries of a provider's account, each once whoever sends it how often.

    Raises:
        InvalidInput: an unknown provider or currency, the same entry twice.
    """
    tx.actor.require(RECEIVE)
    cards.refuse(data)
    if data.provider not in registered():
        raise InvalidInput.at("provider", f"one of {', '.join(sorted(registered()))}")
    faults, seen = [], set()
    for index, entry in enumerate(data.entries):
        if entry.currency not in currencies():
            faults.append(
                FieldError(f"entries/{index}/currency", "not an ISO 4217 currency code such as EUR")
            )
        if entry.reference in seen:
            faults.append(FieldError(f"entries/{index}/reference", "is there twice"))
        seen.add(entry.reference)
    if faults:
        raise InvalidInput("Some entries are not right.", errors=tuple(faults))
    made = await keep(tx, data.provider, data.entries)
    return Recorded(recorded=made, known=len(data.entries) - made)


async def keep(tx: Tx, provider: str, entries: Sequence[SettlementInput]) -> int:
    """Keep entries that are new, with an event each; how many. One statement."""
    rows = await tx.rows(
        """
        INSERT INTO payment_settlement (id, provider, reference, kind, amount, fee, currency, happened_at, source, payment,
                                        channel)
        SELECT n.id, $1, n.reference, n.kind, n.amount, n.fee, n.currency, n.happened_at, n.source, p.id, p.channel
        FROM unnest($2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::text[], $8::timestamptz[],
                    $9::text[]) AS n (id, reference, kind, amount, fee, currency, happened_at, source)
        LEFT JOIN LATERAL (SELECT id, channel FROM payment WHERE provider = $1 AND reference = n.source
                           ORDER BY id LIMIT 1) p ON true
        ORDER BY n.reference
        ON CONFLICT (provider, reference) DO NOTHING RETURNING id, kind, amount, fee, currency, payment, channel,
                                                               happened_at
        """,
        provider,
        [new_id() for _ in entries],
        [entry.reference for entry in entries],
        [str(entry.kind) for entry in entries],
        [entry.amount for entry in entries],
        [entry.fee for entry in entries],
        [entry.currency for entry in entries],
        [entry.happened_at for entry in entries],
        [entry.payment_reference for entry in entries],
    )
    for row in rows:
        fact = events.PaymentSettled(
            provider=provider,
            settlement=row["id"],
            kind=row["kind"],
            amount=row["amount"],
            fee=row["fee"],
            currency=row["currency"],
            payment=row["payment"],
        )
        log.append(tx, fact, subject=row["id"], channel=row["channel"], occurred_at=row["happened_at"])
    return len(rows)


async def fetch(database: Database) -> int:
    """Ask every provider that can be asked what it took and paid out; how many entries were new."""
    made = 0
    for name, through in registered().items():
        if not isinstance(through, FeeSource):
            continue
        try:
            entries = await through.fees(database, await _since(database, name))
        except NotFound:
            continue  # nobody has set it up
        except ProviderSilent as silence:
            logger.warning("fees are not known", provider=name, error=str(silence))
            continue
        for first in range(0, len(entries), 500):
            chunk = entries[first : first + 500]
            made += await database.transaction(lambda tx, n=name, c=chunk: keep(tx, n, c))  # type: ignore[misc]
    return made


async def _since(reader: Reader, provider: str) -> datetime:
    last: datetime | None = await reader.value(
        "SELECT max(happened_at) FROM payment_settlement WHERE provider = $1", provider
    )
    return now() - FIRST if last is None else last - OVERLAP


@job("payments.fees")
@periodic("25 * * * *")
async def fetch_hourly(ctx: JobContext) -> None:
    """Each hour: what providers took and paid out."""
    await fetch(ctx.database)
