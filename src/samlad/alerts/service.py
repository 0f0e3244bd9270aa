"""The verbs of alerts. Whether something is there again is asked of stock, whatever brought it back: goods that came, a hold
that ended, a lease given back, a buffer that was lowered."""

from collections.abc import Sequence
from uuid import UUID

from samlad import catalog, channels, stock
from samlad.access import rate
from samlad.alerts import events, store
from samlad.alerts.model import AlertInput, StockAlert
from samlad.alerts.permissions import CHANGE
from samlad.channels import Channel
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import InvalidInput, NotFound

ASKS_AN_HOUR = 20
"""Of one address."""


async def ask(tx: Tx, data: AlertInput) -> None:
    """Somebody wants to be told, once, when a variant is there again. Asked twice it is kept once, and nobody learns which.

    Raises:
        NotFound: no such variant. InvalidInput: nobody to be told. TooMany: from this address.
    """
    if tx.actor.kind in ("guest", "customer"):
        await rate.limit(tx, "alerts.ask", tx.context.remote or tx.actor.label, per=3600, max=ASKS_AN_HOUR)
    customer = tx.actor.id if tx.actor.kind == "customer" else None
    email = data.email.strip().lower() if data.email else None
    if customer is None and email is None:
        raise InvalidInput.at("email", "Write the address that is to be told.")
    channel = await channels.cached(tx, data.channel)
    if data.variant not in await catalog.sellables(tx, channel, [data.variant]):
        raise NotFound("There is no such variant in this channel.")
    alert = new_id()
    values = {
        "id": alert,
        "channel": channel.id,
        "variant": data.variant,
        "customer": customer,
        "email": email,
        "language": data.language,
        "consent": data.consent,
        "asked_at": now(),
        "looked_at": "-infinity",
    }
    if await store.insert(tx, values):
        fact = events.AlertAsked(variant=data.variant, email=email)
        log.append(tx, fact, subject=alert, channel=channel.id, profile=customer)


async def end(tx: Tx, alert: UUID) -> None:
    """A customer does not wait any more, or staff take an alert away. Again is no error.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    whose = tx.actor.id if tx.actor.kind == "customer" else None
    if whose is None:
        tx.actor.require(CHANGE)
    if not await store.exists(tx, alert, whose):
        raise NotFound("There is no such alert.")
    ended = await store.end(tx, alert)
    if ended is not None:
        fact = events.AlertEnded(variant=ended.variant)
        log.append(tx, fact, subject=alert, channel=ended.channel, profile=ended.customer)


async def tell_of(tx: Tx, channel: Channel, variants: Sequence[UUID]) -> list[StockAlert]:
    """Tell whoever waits for what of some variants is there now; each alert once, then it is over."""
    there = {
        p.variant: p.available for p in await stock.promises(tx, channel, list(variants)) if p.available > 0
    }
    sold = await catalog.sellables(tx, channel, list(there))
    back = sorted(v for v in there if v in sold and sold[v].is_available)
    rest = sorted(set(variants) - set(back))
    if rest:
        await store.look(tx, channel.id, rest)
    told = await store.tell(tx, channel.id, back) if back else []
    for each in told:
        fact = events.AlertDue(
            variant=each.variant,
            sku=each.sku,
            language=each.language,
            available=there[each.variant],
            email=each.email,
        )
        log.append(tx, fact, subject=each.id, channel=channel.id, profile=each.customer)
    return told
