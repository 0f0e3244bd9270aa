"""What we take Stripe's contract to be, in memory: written from its API reference, **not** proven against Stripe.

For what localstripe lacks: idempotency keys, declined cards, 3-D Secure on the client's side, refunds that take time,
silence. Payment methods are Stripe's own test ids. ``silent`` holds what happens to the next calls: ``before`` (nothing
was done and no answer came) or ``after`` (it was done and no answer came).
"""

import hmac
import json
import time
from collections import deque
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl

import httpx

SECRET, WEBHOOK = "sk_test_contract_fake", "whsec_contract_fake"
KEYS = {"secret_key": SECRET, "publishable_key": "pk_test_contract_fake", "webhook_secret": WEBHOOK}


class FakeStripe:
    def __init__(self) -> None:
        self.intents: dict[str, dict[str, Any]] = {}
        self.refunds: dict[str, dict[str, Any]] = {}
        self.answers: dict[str, tuple[str, int, dict[str, Any]]] = {}
        self.silent: deque[str] = deque()
        self.requests: list[tuple[str, str, str | None]] = []
        self.refund_status = "succeeded"
        self.detached: list[str] = []
        self.balance: list[dict[str, Any]] = []
        self.disputes: dict[str, dict[str, Any]] = {}

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        key = request.headers.get("idempotency-key")
        self.requests.append((request.method, request.url.path, key))
        when = self.silent.popleft() if self.silent else ""
        if when == "before":
            raise httpx.ReadTimeout("silence", request=request)
        status, body = self._once(request, key)
        if when == "after":
            raise httpx.ReadTimeout("silence", request=request)
        return httpx.Response(status, json=body)

    def _once(self, request: httpx.Request, key: str | None) -> tuple[int, dict[str, Any]]:
        if request.headers.get("authorization") != f"Bearer {SECRET}":
            return 401, _error("invalid_request_error", "api_key_invalid")
        asked = f"{request.url.path} {request.content.decode()}"
        if key is not None and key in self.answers:
            before, status, body = self.answers[key]
            return (
                (status, body)
                if before == asked
                else (400, _error("idempotency_error", "idempotency_key_in_use"))
            )
        form = dict(
            parse_qsl(request.content.decode() if request.method == "POST" else request.url.query.decode())
        )
        status, body = self._answer(request.method, request.url.path.removeprefix("/v1/").split("/"), form)
        body = json.loads(json.dumps(body))
        if key is not None:
            self.answers[key] = (asked, status, body)
        return status, body

    def _answer(self, method: str, path: list[str], form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        match (method, path):
            case ("POST", ["payment_intents"]):
                return self._create(form)
            case ("GET", ["payment_intents", "search"]):
                return 200, {
                    "data": [
                        i for i in self.intents.values() if i["metadata"]["samlad_payment"] in form["query"]
                    ]
                }
            case ("GET", ["payment_intents", intent]):
                return _known(self.intents, intent)
            case ("POST", ["payment_intents", intent, "capture"]):
                return self._act(
                    intent, "requires_capture", "succeeded", received=int(form["amount_to_capture"])
                )
            case ("POST", ["payment_intents", intent, "cancel"]):
                waiting = (
                    "requires_payment_method",
                    "requires_action",
                    "requires_capture",
                    "requires_confirmation",
                )
                return self._act(intent, waiting, "canceled")
            case ("POST", ["customers"]):
                return 200, {"id": f"cus_{form['metadata[samlad_customer]'][-12:]}", "object": "customer"}
            case ("POST", ["payment_methods", method, "detach"]):
                self.detached.append(method)
                return 200, {"id": method}
            case ("GET", ["balance_transactions"]):
                known = [each["id"] for each in self.balance]
                first = known.index(form["starting_after"]) + 1 if "starting_after" in form else 0
                page = self.balance[first : first + 2]
                return 200, {"data": page, "has_more": first + 2 < len(self.balance)}
            case ("POST", ["refunds"]):
                return self._refund(form)
            case ("GET", ["disputes", *which]):
                return self._disputes(which, form)
            case ("GET", ["refunds", *which]):
                return self._refunds(which, form)
        return 404, _error("invalid_request_error", "url_invalid")

    def _refunds(self, which: list[str], form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if which:
            return _known(self.refunds, which[0])
        of = form["payment_intent"]
        return 200, {"data": [r for r in self.refunds.values() if r["payment_intent"] == of]}

    def _disputes(self, which: list[str], form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if which:
            return _known(self.disputes, which[0])
        found = [d for d in self.disputes.values() if d["created"] >= int(form["created[gte]"])]
        first = [d["id"] for d in found].index(form["starting_after"]) + 1 if "starting_after" in form else 0
        return 200, {"data": found[first : first + 1], "has_more": first + 1 < len(found)}

    def _create(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        made = {
            "id": f"pi_{len(self.intents) + 1}",
            "object": "payment_intent",
            "amount": int(form["amount"]),
            "amount_received": 0,
            "currency": form["currency"],
            "status": "requires_payment_method",
            "client_secret": f"pi_{len(self.intents) + 1}_secret_x",
            "last_payment_error": None,
            "metadata": {"samlad_payment": form["metadata[samlad_payment]"]},
            "customer": form.get("customer"),
            "off_session": form.get("off_session") == "true",
        }
        assert form["capture_method"] == "manual"
        self.intents[made["id"]] = made
        if form.get("confirm") == "true":
            return self.confirm(made["id"], form["payment_method"])
        return 200, made

    def confirm(self, intent: str, method: str) -> tuple[int, dict[str, Any]]:
        """What Stripe's own script does in the customer's browser."""
        found = self.intents[intent]
        if method == "pm_card_threeDSecure2Required":
            found["status"] = "requires_action"
        elif method == "pm_card_authenticationRequired" and found["off_session"]:
            error = _error("card_error", "authentication_required")
            error["error"] |= {"payment_intent": found}
            return 402, error
        elif method == "pm_card_chargeDeclined":
            found["status"], found["last_payment_error"] = (
                "requires_payment_method",
                {"code": "card_declined"},
            )
            error = _error("card_error", "card_declined") | {}
            error["error"] |= {"decline_code": "generic_decline", "payment_intent": found}
            return 402, error
        else:
            found["status"], found["last_payment_error"] = "requires_capture", None
            card = {"brand": "visa", "last4": "4242", "exp_month": 2, "exp_year": 2031}
            found["payment_method"] = {"id": method, "type": "card", "card": card}
        return 200, found

    def authenticate(self, intent: str, *, succeeds: bool) -> None:
        """The customer at their bank's page."""
        assert self.intents[intent]["status"] == "requires_action"
        if succeeds:
            self.intents[intent]["status"] = "requires_capture"
        else:
            self.intents[intent] |= {
                "status": "requires_payment_method",
                "last_payment_error": {"code": "payment_intent_authentication_failure"},
            }

    def _act(
        self, intent: str, allowed: str | tuple[str, ...], becomes: str, received: int = 0
    ) -> tuple[int, dict[str, Any]]:
        found = self.intents[intent]
        if found["status"] not in allowed:
            return 400, _error("invalid_request_error", "payment_intent_unexpected_state")
        found |= {"status": becomes, "amount_received": received}
        return 200, found

    def _refund(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        intent, amount = self.intents[form["payment_intent"]], int(form["amount"])
        if any(
            d["payment_intent"] == intent["id"] and d["status"] in ("needs_response", "under_review", "lost")
            for d in self.disputes.values()
        ):
            return 400, _error("invalid_request_error", "charge_disputed")
        before = sum(r["amount"] for r in self.refunds.values() if r["payment_intent"] == intent["id"])
        if before + amount > intent["amount_received"]:
            return 400, _error("invalid_request_error", "charge_already_refunded")
        made = {
            "id": f"re_{len(self.refunds) + 1}",
            "object": "refund",
            "amount": amount,
            "currency": intent["currency"],
            "payment_intent": intent["id"],
            "status": self.refund_status,
            "metadata": {"samlad_refund": form["metadata[samlad_refund]"]},
        }
        self.refunds[made["id"]] = made
        return 200, made

    def dispute(self, intent: str, status: str = "needs_response", **fields: Any) -> dict[str, Any]:
        """A customer goes to their bank, which takes the money unless it only asks."""
        made: dict[str, Any] = {
            "id": f"dp_{len(self.disputes) + 1}",
            "object": "dispute",
            "amount": self.intents[intent]["amount_received"] if intent in self.intents else 5_000,
            "currency": "sek",
            "charge": f"ch_{intent}",
            "payment_intent": intent,
            "created": int(time.time()) - 60,
            "livemode": False,
            "reason": "fraudulent",
            "status": status,
            "evidence_details": {"due_by": int(time.time()) + 7 * 86_400, "has_evidence": False},
            "balance_transactions": [],
            "metadata": {},
        } | fields
        self.disputes[made["id"]] = made
        if not status.startswith("warning_"):
            self.move(made["id"], -made["amount"], fee=15_000)
        return made

    def move(self, dispute: str, amount: int, *, fee: int = 0) -> None:
        """The bank takes the money of a dispute, or gives it back."""
        entry = {
            "id": f"txn_d{len(self.balance) + 1}",
            "object": "balance_transaction",
            "type": "adjustment",
            "amount": amount,
            "fee": fee,
            "currency": "sek",
            "created": int(time.time()),
            "source": dispute,
        }
        self.disputes[dispute]["balance_transactions"].append(entry)
        self.balance.append(entry | {"source": self.disputes[dispute]})

    def decide(self, dispute: str, status: str) -> dict[str, Any]:
        """The bank decides."""
        found = self.disputes[dispute]
        found["status"] = status
        if status == "won":
            self.move(dispute, found["amount"])
        return found

    @property
    def kept(self) -> int:
        """What the shop has in the end."""
        return sum(i["amount_received"] for i in self.intents.values()) - sum(
            r["amount"] for r in self.refunds.values()
        )


def _error(kind: str, code: str) -> dict[str, Any]:
    return {"error": {"type": kind, "code": code, "message": "…"}}


def _known(things: dict[str, dict[str, Any]], reference: str) -> tuple[int, dict[str, Any]]:
    found = things.get(reference)
    return (200, found) if found else (404, _error("invalid_request_error", "resource_missing"))


def signed(
    thing: dict[str, Any],
    kind: str = "payment_intent.updated",
    *,
    at: float | None = None,
    created: float | None = None,
    secret: str = WEBHOOK,
) -> tuple[bytes, dict[str, str]]:
    """A webhook about a thing as Stripe would send it: raw body and headers."""
    moment = int(time.time() if at is None else at)
    written = int(moment if created is None else created)
    event = {"id": "evt_1", "type": kind, "created": written, "data": {"object": thing}}
    body = json.dumps(event).encode()
    signature = hmac.new(secret.encode(), f"{moment}.".encode() + body, sha256).hexdigest()
    return body, {"stripe-signature": f"t={moment},v1={signature}", "content-type": "application/json"}
