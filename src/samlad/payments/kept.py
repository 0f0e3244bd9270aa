"""Cards that customers let a provider keep: listed, paid with, forgotten. Never a number: that is the provider's.

The provider says in its answer to a payment what it has kept (`Outcome.kept`). What its owner removes cannot pay from that
moment; the provider is told after the commit, as often as it takes.
"""

import asyncio
from datetime import date
from uuid import UUID

import msgspec
import structlog

from samlad.kernel import cards
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import InvalidInput, NotFound, Problem
from samlad.payments.model import KeptMethod, Payment, PaymentStatus
from samlad.payments.providers import ProviderSilent, keeps, registered

KEPT, HERE = "kept:", "here:"
"""What a customer names a card by; and how its provider hears that the customer is there to answer the bank."""
PATIENCE_SECONDS = 20.0
_COLUMNS = "id, provider, customer, reference, brand, last_four, expires_on"

logger = structlog.get_logger("samlad.payments")


class KeptCard(msgspec.Struct, frozen=True, kw_only=True):
    """A card that a provider keeps for a customer. ``reference`` is the provider's."""

    id: UUID
    provider: str
    customer: UUID
    reference: str
    brand: str
    last_four: str
    expires_on: date | None


async def of_customer(reader: Reader, customer: UUID) -> list[KeptCard]:
    """The cards that a person can pay with, the newest first; those that have expired are left out."""
    return await reader.all(
        KeptCard,
        f"""SELECT {_COLUMNS} FROM payment_kept
            WHERE customer = ANY (customer_members(ARRAY[$1::uuid])) AND removed_at IS NULL
                  AND (expires_on IS NULL OR expires_on >= current_date) ORDER BY created_at DESC, id""",
        customer,
    )


async def token_for(tx: Tx, provider: str, token: str) -> str:
    """What the provider is told for a card that the customer who acts, and is there, names by ``kept:`` and its id.

    Raises:
        InvalidInput: there is none, it is somebody else's, or of another provider.
    """
    return HERE + await away_token(tx, provider, token)


async def away_token(tx: Tx, provider: str, token: str) -> str:
    """The same for what is charged later, while the customer is not there.

    Raises:
        InvalidInput: as `token_for`.
    """
    try:
        wanted = UUID(token.removeprefix(KEPT))
    except ValueError:
        raise InvalidInput.at("token", "no such card is kept") from None
    mine = await of_customer(tx, tx.actor.id) if tx.actor.kind == "customer" and tx.actor.id else []
    found = next((each for each in mine if each.id == wanted and each.provider == provider), None)
    reference = None if found is None else await customer_at(tx, provider, found.customer)
    if found is None or reference is None:
        raise InvalidInput.at("token", "no such card is kept")
    return f"{reference}:{found.reference}"


async def customer_at(reader: Reader, provider: str, customer: UUID) -> str | None:
    """What a provider calls a customer, or None."""
    found: str | None = await reader.value(
        "SELECT reference FROM payment_customer WHERE provider = $1 AND customer = $2", provider, customer
    )
    return found


async def set_customer_at(tx: Tx, provider: str, customer: UUID, reference: str) -> None:
    """Note what a provider calls a customer; what was noted first stands."""
    await tx.execute(
        "INSERT INTO payment_customer (provider, customer, reference) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        provider,
        customer,
        reference,
    )


async def note(tx: Tx, payment: Payment, kept: KeptMethod | None) -> None:
    """Keep what a provider says that it keeps, if the customer asked for it and the payment is good. Twice it is one."""
    good = payment.status in (PaymentStatus.AUTHORIZED, PaymentStatus.CAPTURED)
    if kept is None or not payment.keeps or payment.customer is None or not good:
        return
    await tx.execute(
        """INSERT INTO payment_kept (id, provider, customer, reference, brand, last_four, expires_on)
           VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING""",
        new_id(),
        payment.provider,
        payment.customer,
        kept.reference,
        kept.brand,
        kept.last_four,
        kept.expires_on,
    )


async def remove(tx: Tx, customer: UUID, card: UUID) -> None:
    """Its owner does not want it kept any more. Twice does no harm.

    Raises:
        NotFound: it is not theirs.
    """
    if not await tx.value(
        """UPDATE payment_kept SET removed_at = coalesce(removed_at, now())
           WHERE id = $1 AND customer = ANY (customer_members(ARRAY[$2::uuid])) RETURNING true""",
        card,
        customer,
    ):
        raise NotFound("No such card is kept.")


async def forget_removed(database: Database, limit: int = 20) -> int:
    """Have providers forget what was removed; how many did. One that is silent is asked again at the next sweep."""
    rows = await database.rows(
        """SELECT id, provider, reference FROM payment_kept WHERE removed_at IS NOT NULL AND detached_at IS NULL
           ORDER BY removed_at LIMIT $1""",
        limit,
    )
    done = 0
    for row in rows:
        through = registered().get(row["provider"])
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                if through is not None and keeps(through):
                    await through.forget(database, row["reference"])
        except (ProviderSilent, TimeoutError, Problem) as error:
            logger.warning(
                "a card is not forgotten yet", provider=row["provider"], reason=cards.redact(str(error))
            )
            continue
        await database.rows(
            "UPDATE payment_kept SET detached_at = now() WHERE id = $1 RETURNING 1", row["id"]
        )
        done += 1
    return done
