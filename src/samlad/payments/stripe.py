"""Stripe: PaymentIntents with manual capture, and refunds, over its HTTP API.

With httpx rather than Stripe's library: it is seven calls, each with its key and its time limit in sight, and the
library's own retries, global state and generated types would stand between. Cards are typed into Stripe's own fields
(its script with the client secret); a card number never comes here. Facts used, all in Stripe's API reference: a
request again with the same ``Idempotency-Key`` gives the first answer, for at least 24 hours; statuses of a
PaymentIntent; ``amount_received``; metadata can be searched.
"""

import calendar
import contextlib
import re
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from samlad.kernel import cards
from samlad.kernel.clock import now
from samlad.kernel.database import Database
from samlad.kernel.money import exponent
from samlad.payments import accounts, kept
from samlad.payments.accounts import StripeKeys
from samlad.payments.kept import HERE
from samlad.payments.model import Action, KeptMethod, Operation, Outcome, Payment, PaymentStatus, Request
from samlad.payments.providers import ProviderSilent, register
from samlad.payments.refunds_there import SaidRefund
from samlad.payments.settlements import SettlementInput, SettlementKind

if TYPE_CHECKING:
    import httpx

VERSION = "2026-10-28.endive"
CALL_SECONDS = 15.0
MOST_PAGES = 200
"""Of a hundred balance transactions each, in one go; what is beyond comes with the next."""
KEY_HOURS = 23
"""Idempotency keys are kept for 24 hours; an older authorisation is searched for instead of repeated."""
_ZERO = (
    "BIF",
    "CLP",
    "DJF",
    "GNF",
    "JPY",
    "KMF",
    "KRW",
    "MGA",
    "PYG",
    "RWF",
    "VND",
    "VUV",
    "XAF",
    "XOF",
    "XPF",
)
_THREE = ("BHD", "JOD", "KWD", "OMR", "TND")
_DIGITS = dict.fromkeys(_ZERO, 0) | dict.fromkeys(_THREE, 3)
"""Digits of minor units by which Stripe counts a currency (its list of zero- and three-decimal ones; ISK and UGX are written with two)."""
METADATA = "samlad_payment"
REFUND_METADATA = "samlad_refund"

_STATUS = {
    "requires_payment_method": PaymentStatus.PENDING,
    "requires_confirmation": PaymentStatus.PENDING,
    "requires_action": PaymentStatus.PENDING,
    "processing": PaymentStatus.PENDING,
    "requires_capture": PaymentStatus.AUTHORIZED,
    "succeeded": PaymentStatus.CAPTURED,
    "canceled": PaymentStatus.VOIDED,
}
_CLIENT_MUST_ACT = ("requires_payment_method", "requires_confirmation", "requires_action")
_REFUND = {
    "succeeded": PaymentStatus.CAPTURED,
    "pending": PaymentStatus.PENDING,
    "requires_action": PaymentStatus.PENDING,
    "failed": PaymentStatus.DECLINED,
    "canceled": PaymentStatus.DECLINED,
}


WEBHOOKS = (
    "payment_intent.succeeded",
    "payment_intent.amount_capturable_updated",
    "payment_intent.payment_failed",
    "payment_intent.canceled",
    "charge.refunded",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
)
"""What Stripe is to tell us. More does no harm, less is found out by asking."""


class Trial(StrEnum):
    """What came of trying keys."""

    WORKS = "works"
    WRONG = "wrong"
    SILENT = "silent"


class Refused(Exception):
    """Stripe answered and said no: the same request again would be refused again."""

    def __init__(self, kind: str, code: str, intent: dict[str, Any] | None) -> None:
        super().__init__(code)
        self.kind, self.code, self.intent = kind, code, intent


class Stripe:
    """Payments by card and whatever else the account has, through Stripe."""

    name, is_local, staff_only, needs_offer, pays_alone = "stripe", False, False, True, True
    keys = StripeKeys

    @staticmethod
    def is_kept(token: str) -> bool:
        """Whether a token is a payment method that Stripe keeps for a customer: whoever buys may not name one."""
        return ":" in token

    async def authorize(self, database: Database, request: Request, operation: Operation) -> Outcome:
        """Make the PaymentIntent; with a token confirm it at once.

        A token is a payment method's id. One that Stripe keeps for a customer, ``cus_…:pm_…``, is charged while the
        customer is not there; a bank that insists on asking them declines it (``authentication_required``).
        """
        if not is_supported(request.currency):
            return Outcome(status=PaymentStatus.DECLINED, reason="currency-not-supported")
        keys = await accounts.keys(database, self.name, StripeKeys)
        if _is_old(operation):
            return await self._search(keys, request.payment)
        form = {
            "amount": str(request.amount),
            "currency": request.currency.lower(),
            "capture_method": "manual",
            f"metadata[{METADATA}]": str(request.payment),
        }
        try:
            if request.keeps_for is not None and not request.token:
                customer = await self._customer(database, keys, request.keeps_for)
                form |= {"customer": customer, "setup_future_usage": "on_session"}
                form["expand[]"] = "payment_method"
            if request.token:
                is_here, token = request.token.startswith(HERE), request.token.removeprefix(HERE)
                customer, _, method = token.rpartition(":")
                form |= {"payment_method": method, "confirm": "true"}
                if customer:
                    form["customer"] = customer
                if is_here:  # what needs a redirect is not kept: the bank's question comes by the script
                    form |= {
                        "automatic_payment_methods[enabled]": "true",
                        "automatic_payment_methods[allow_redirects]": "never",
                    }
                elif customer:
                    form["off_session"] = "true"
            intent = await call(keys, "POST", "/v1/payment_intents", form, key=request.payment)
        except Refused as refusal:
            reference = (refusal.intent or {}).get("id")
            return Outcome(status=PaymentStatus.DECLINED, reason=refusal.code, reference=reference)
        return _outcome(intent, keys)

    async def status(self, database: Database, payment: Payment) -> Outcome:
        """How the PaymentIntent stands."""
        keys = await accounts.keys(database, self.name, StripeKeys)
        try:
            return _outcome(await self._read(keys, payment), keys)
        except Refused as refusal:  # it is not there: another account's keys, or test data that was deleted
            raise ProviderSilent(f"Stripe does not know {payment.reference}: {refusal.code}") from None

    async def _customer(self, database: Database, keys: StripeKeys, customer: UUID) -> str:
        """What Stripe calls a customer of ours, who is made known to it without name or address. Its key makes it one."""
        known = await kept.customer_at(database, self.name, customer)
        if known is not None:
            return known
        made = await call(
            keys, "POST", "/v1/customers", {"metadata[samlad_customer]": str(customer)}, key=customer
        )
        reference = str(made["id"])
        await database.transaction(lambda tx: kept.set_customer_at(tx, self.name, customer, reference))
        return reference

    async def forget(self, database: Database, reference: str) -> None:
        """Detach a payment method; one that is gone is gone."""
        keys = await accounts.keys(database, self.name, StripeKeys)
        with contextlib.suppress(Refused):
            await call(keys, "POST", f"/v1/payment_methods/{reference}/detach", {})

    async def capture(self, database: Database, payment: Payment, operation: Operation) -> Outcome:
        """Capture an amount; Stripe lets go of the rest. If it says no, the PaymentIntent says why."""
        keys = await accounts.keys(database, self.name, StripeKeys)
        form = {"amount_to_capture": str(operation.amount)}
        return await self._act(keys, payment, "capture", form, operation)

    async def void(self, database: Database, payment: Payment, operation: Operation) -> Outcome:
        """Cancel. What was captured or cancelled meanwhile says so."""
        if payment.reference is None:
            return Outcome(status=PaymentStatus.VOIDED, reason="never-begun")
        keys = await accounts.keys(database, self.name, StripeKeys)
        return await self._act(keys, payment, "cancel", {}, operation)

    async def refund(self, database: Database, payment: Payment, operation: Operation) -> Outcome:
        """Refund an amount. Tried before, it is first looked for: its key may have been forgotten."""
        keys = await accounts.keys(database, self.name, StripeKeys)
        found = await self._refund_of(keys, payment, operation) if operation.tries > 1 else None
        if found is None:
            form = {
                "payment_intent": payment.reference or "",
                "amount": str(operation.amount),
                f"metadata[{REFUND_METADATA}]": str(operation.id),
            }
            try:
                found = await call(keys, "POST", "/v1/refunds", form, key=operation.id)
            except Refused as refusal:
                return Outcome(status=PaymentStatus.DECLINED, reason=refusal.code)
        status = _REFUND.get(str(found.get("status")), PaymentStatus.PENDING)
        return Outcome(status=status, reference=found.get("id"), reason=found.get("failure_reason"))

    async def refunded(self, database: Database, reference: str) -> SaidRefund:
        """How a refund stands, whoever made it."""
        keys = await accounts.keys(database, self.name, StripeKeys)
        try:
            found = await call(keys, "GET", f"/v1/refunds/{reference}")
            own = (found.get("metadata") or {}).get(REFUND_METADATA)
            return SaidRefund(
                reference=str(found["id"]),
                status=_REFUND.get(str(found.get("status")), PaymentStatus.PENDING),
                amount=int(found["amount"]),
                currency=str(found["currency"]).upper(),
                own=UUID(own) if own else None,
                reason=found.get("failure_reason"),
            )
        except Refused as refusal:
            raise ProviderSilent(f"Stripe does not know {reference}: {refusal.code}") from None
        except (KeyError, TypeError, ValueError):
            raise ProviderSilent("Stripe says nothing of a refund that could be read") from None

    async def fees(self, database: Database, since: datetime) -> list[SettlementInput]:
        """Its balance transactions since a moment: charges and refunds with Stripe's fee, other fees, disputes, payouts."""
        keys = await accounts.keys(database, self.name, StripeKeys)
        query = {"created[gte]": str(int(since.timestamp())), "limit": "100", "expand[]": "data.source"}
        found: list[SettlementInput] = []
        for _page in range(MOST_PAGES):
            try:
                page = await call(keys, "GET", "/v1/balance_transactions", query)
            except Refused as refusal:
                raise ProviderSilent(f"Stripe does not list its balance: {refusal.code}") from None
            entries = page.get("data") or []
            found += [settled(entry) for entry in entries]
            if not entries or not page.get("has_more"):
                break
            query = query | {"starting_after": str(entries[-1]["id"])}
        return found

    async def _act(
        self, keys: StripeKeys, payment: Payment, act: str, form: dict[str, str], operation: Operation
    ) -> Outcome:
        path = f"/v1/payment_intents/{payment.reference}/{act}"
        try:
            return _outcome(await call(keys, "POST", path, form, key=operation.id), keys)
        except Refused as refusal:
            try:
                return _outcome(await self._read(keys, payment), keys, reason=refusal.code)
            except Refused:
                raise ProviderSilent(f"Stripe refuses: {refusal.code}") from None

    async def _read(self, keys: StripeKeys, payment: Payment) -> dict[str, Any]:
        more = {"expand[]": "payment_method"} if payment.keeps else None
        return await call(keys, "GET", f"/v1/payment_intents/{payment.reference}", more)

    async def _search(self, keys: StripeKeys, payment: UUID) -> Outcome:
        query = {"query": f"metadata['{METADATA}']:'{payment}'"}
        try:
            found = await call(keys, "GET", "/v1/payment_intents/search", query)
        except Refused as refusal:
            raise ProviderSilent(f"Stripe cannot search: {refusal.code}") from None
        if not found.get("data"):
            return Outcome(status=PaymentStatus.VOIDED, reason="never-begun")
        return _outcome(found["data"][0], keys)

    async def _refund_of(
        self, keys: StripeKeys, payment: Payment, operation: Operation
    ) -> dict[str, Any] | None:
        query = {"payment_intent": payment.reference or "", "limit": "100"}
        try:
            known = await call(keys, "GET", "/v1/refunds", query)
        except Refused as refusal:
            raise ProviderSilent(f"Stripe does not list refunds: {refusal.code}") from None
        own = str(operation.id)
        return next(
            (
                each
                for each in known.get("data", [])
                if (each.get("metadata") or {}).get(REFUND_METADATA) == own
            ),
            None,
        )


_BALANCE = {
    "charge": SettlementKind.CHARGE,
    "payment": SettlementKind.CHARGE,
    "refund": SettlementKind.REFUND,
    "payment_refund": SettlementKind.REFUND,
    "refund_failure": SettlementKind.REFUND,
    "stripe_fee": SettlementKind.FEE,
    "network_cost": SettlementKind.FEE,
    "payout": SettlementKind.PAYOUT,
}
"""Types of balance transactions (Stripe's API reference); others (disputes) are corrections. A refund that failed
is booked by our own refund, too."""


def settled(entry: dict[str, Any]) -> SettlementInput:
    """A balance transaction as ours. What Stripe charges by itself it lists as an amount; for us that is the fee."""
    kind = _BALANCE.get(str(entry.get("type")), SettlementKind.ADJUSTMENT)
    amount, fee = int(entry.get("amount") or 0), int(entry.get("fee") or 0)
    if kind is SettlementKind.FEE:
        amount, fee = 0, fee - amount
    source = entry.get("source")
    about = source.get("payment_intent") if isinstance(source, dict) else None
    return SettlementInput(
        reference=str(entry["id"]),
        kind=kind,
        amount=amount,
        fee=fee,
        currency=str(entry.get("currency", "")).upper(),
        happened_at=datetime.fromtimestamp(int(entry["created"]), UTC),
        payment_reference=str(about) if about else None,
    )


def is_supported(currency: str) -> bool:
    """Whether Stripe counts a currency by the minor units that we do: else a mistake would be a hundredfold (RSD, ISK, LBP …)."""
    return exponent(currency) == _DIGITS.get(currency, 2)


def _is_old(operation: Operation) -> bool:
    return (now() - operation.created_at).total_seconds() > KEY_HOURS * 3600


def _outcome(intent: dict[str, Any], keys: StripeKeys, *, reason: str | None = None) -> Outcome:
    """What a PaymentIntent says. After a declined card it waits for another one, so that is not the end."""
    said = str(intent.get("status"))
    status = _STATUS.get(said, PaymentStatus.PENDING)
    failed = (intent.get("last_payment_error") or {}).get("code")
    action = None
    if said in _CLIENT_MUST_ACT and intent.get("client_secret"):
        action = Action(
            kind="next_action" if said == "requires_action" else "client_secret",
            client_secret=intent["client_secret"],
            publishable_key=keys.publishable_key,
        )
    return Outcome(
        status=status,
        reference=intent.get("id"),
        reason=reason or failed if status is not PaymentStatus.CAPTURED else None,
        captured=_received(intent) if status is PaymentStatus.CAPTURED else None,
        action=action,
        kept=_kept(intent),
    )


def _kept(intent: dict[str, Any]) -> KeptMethod | None:
    """The card that Stripe keeps for its customer, where the answer has it expanded."""
    method = intent.get("payment_method")
    if not isinstance(method, dict) or not intent.get("customer"):
        return None
    card = method.get("card") or {}
    try:
        month, year = int(card["exp_month"]), int(card["exp_year"])
        ends = date(year, month, calendar.monthrange(year, month)[1])
    except (KeyError, TypeError, ValueError):
        ends = None
    four = str(card.get("last4") or "")
    return KeptMethod(
        reference=str(method.get("id")),
        brand=str(card.get("brand") or method.get("type") or "")[:40],
        last_four=four if re.fullmatch(r"[0-9]{4}", four) else "",
        expires_on=ends,
    )


def _received(intent: dict[str, Any]) -> int | None:
    """What came in. `amount_received` is Stripe's word; a charge with its refund of the rest is localstripe's."""
    received = intent.get("amount_received")
    if isinstance(received, int):
        return received
    charges = (intent.get("charges") or {}).get("data") or []
    if not charges:
        return None
    return int(charges[0].get("amount", 0)) - int(charges[0].get("amount_refunded", 0))


async def try_keys(keys: StripeKeys) -> Trial:
    """Ask for something that costs nothing, with keys that are not kept yet. What they are is never told or logged."""
    try:
        await call(keys, "GET", "/v1/balance_transactions", {"limit": "1"})
    except Refused:
        return Trial.WRONG
    except ProviderSilent as silence:
        is_known = any(f"answered {status}" in str(silence) for status in (401, 403))
        return Trial.WRONG if is_known else Trial.SILENT
    return Trial.WORKS


def connect(keys: StripeKeys) -> "httpx.AsyncClient":
    """A connection to Stripe. Proxies of the environment see nothing of it."""
    import httpx  # late: it is slow to load, and most shops' processes never ask Stripe

    return httpx.AsyncClient(base_url=keys.base_url, timeout=CALL_SECONDS, trust_env=False)


async def call(
    keys: StripeKeys, method: str, path: str, values: dict[str, str] | None = None, *, key: UUID | None = None
) -> dict[str, Any]:
    """One call.

    Raises:
        Refused: Stripe understood and said no.
        ProviderSilent: no answer, or one by which it is not known what happened (5xx, 409, 429, wrong keys).
    """
    headers = {"Authorization": f"Bearer {keys.secret_key}", "Stripe-Version": VERSION}
    if key is not None:
        headers["Idempotency-Key"] = str(key)
    import httpx

    try:
        async with connect(keys) as client:
            answer = await client.request(
                method,
                path,
                headers=headers,
                data=values if method == "POST" else None,
                params=values if method == "GET" else None,
            )
            document = answer.json() if answer.content else {}
    except (httpx.HTTPError, ValueError) as error:
        raise ProviderSilent(f"Stripe: {type(error).__name__}") from None
    if answer.is_success and isinstance(document, dict):
        return document
    told = document.get("error") if isinstance(document, dict) else None
    told = told if isinstance(told, dict) else {}
    code = cards.redact(
        str(told.get("decline_code") or told.get("code") or told.get("type") or answer.status_code)
    )
    if answer.status_code in (400, 402, 404):
        raise Refused(str(told.get("type")), code[:100], told.get("payment_intent"))
    raise ProviderSilent(f"Stripe answered {answer.status_code}: {code[:100]}")


register(Stripe())
