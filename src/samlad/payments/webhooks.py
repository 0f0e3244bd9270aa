"""Webhooks of payment providers: a signed knock at the door. What a payment's state is, the provider is asked.

So it does not matter whether a webhook comes before the browser's confirmation, after it, twice, out of order or never:
it only makes us ask sooner. A dispute is kept as its webhook says it, too: it may be about a payment that nobody here knows.
Signatures are verified over the raw body (Stripe's scheme ``v1``: HMAC-SHA256 of ``timestamp.body``), at most five minutes old.
"""

import hmac
import time
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, post

from samlad.kernel.clock import now
from samlad.kernel.database import Database
from samlad.kernel.http import database_of
from samlad.kernel.problems import Malformed, NotFound, Unauthenticated
from samlad.payments import accounts, disputes, operations, refunds_there, stripe_disputes
from samlad.payments.accounts import StripeKeys
from samlad.payments.providers import ProviderSilent
from samlad.payments.pursuit import pursue, refresh
from samlad.payments.stripe import METADATA

TOLERANCE_SECONDS = 300
ASK_SECONDS = 8.0
"""A webhook is answered in time whatever the provider says now; the sweeper asks again."""


class NotSigned(Unauthenticated):
    """The webhook's signature is missing, wrong or too old. Is the webhook secret the one of this endpoint?"""

    code, title = "webhook-signature", "The webhook is not signed by whom it says"


def verify(secret: str, header: str, body: bytes, *, at: float | None = None) -> None:
    """Raises NotSigned unless a ``Stripe-Signature`` header (``t=…,v1=…``) signs this very body, now."""
    moment, given = "", []
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        if name == "t":
            moment = value
        elif name == "v1":
            given.append(value)
    if not moment.isdecimal() or len(moment) > 12 or not given:
        raise NotSigned("There is no signature of the scheme v1.")
    wanted = hmac.new(secret.encode(), moment.encode() + b"." + body, sha256).hexdigest()
    if not any(hmac.compare_digest(wanted.encode(), each.encode()) for each in given):
        raise NotSigned("The signature does not fit the body.")
    if abs((time.time() if at is None else at) - int(moment)) > TOLERANCE_SECONDS:
        raise NotSigned("The signature is too old.")


class _Object(msgspec.Struct):
    id: str = ""
    object: str = ""
    payment_intent: str | None = None
    metadata: dict[str, Any] | None = None


class _Data(msgspec.Struct):
    object: msgspec.Raw = msgspec.Raw(b"{}")


class _Event(msgspec.Struct):
    type: str = ""
    created: int = 0
    data: _Data = msgspec.field(default_factory=_Data)


@post("/webhooks/in/stripe", include_in_schema=False, status_code=200)
async def stripe_webhook(request: Request[Any, Any, Any]) -> Response[dict[str, bool]]:
    """Something happened at Stripe: look at the payment that it is about. Unknown ones are somebody else's: 200."""
    database = database_of(request)
    try:
        keys = await accounts.keys(database, "stripe", StripeKeys)
    except NotFound:
        raise NotSigned("Stripe is not set up here.") from None
    body = await request.body()
    verify(keys.webhook_secret, request.headers.get("stripe-signature", ""), body)
    try:
        event = msgspec.json.decode(body, type=_Event)
        if event.type.startswith("charge.dispute."):
            await _look_at_dispute(database, event)
        else:
            await look(database, "stripe", msgspec.json.decode(event.data.object, type=_Object))
    except msgspec.MsgspecError:
        raise Malformed("This is no event of Stripe.") from None
    return Response({"received": True})


async def _look_at_dispute(database: Database, event: _Event) -> None:
    """Keep what it says, as of when it was written, and ask how the dispute stands by now."""
    document = msgspec.json.decode(event.data.object, type=dict[str, Any])
    try:
        said = stripe_disputes.said(document)
    except ProviderSilent:
        raise Malformed("This is no dispute of Stripe.") from None
    as_of = min(now(), datetime.fromtimestamp(event.created, UTC))
    await database.transaction(lambda tx: disputes.keep(tx, "stripe", said, as_of))
    await disputes.ask(database, "stripe", said.reference, patience=ASK_SECONDS)


async def look(database: Database, provider: str, what: _Object) -> None:
    """Ask the provider about the payment or refund that a webhook names, now and if need be again."""
    reference = what.payment_intent if what.object in ("charge", "refund") else what.id
    payment = await operations.find(
        database, provider, reference or None, _uuid((what.metadata or {}).get(METADATA))
    )
    if payment is None:
        return
    known: UUID = payment
    await database.transaction(lambda tx: operations.hurry(tx, known))
    asked = await operations.open_of(database, known)
    for operation in asked:
        await pursue(database, operation, patience=ASK_SECONDS)
    if not asked:
        await refresh(database, known, patience=ASK_SECONDS)
    if what.object == "refund" and what.id:
        await refunds_there.look(database, known, what.id, patience=ASK_SECONDS)


def _uuid(text: Any) -> UUID | None:
    try:
        return UUID(text) if isinstance(text, str) else None
    except ValueError:
        return None


routes = [Router(path="/", route_handlers=[stripe_webhook])]
