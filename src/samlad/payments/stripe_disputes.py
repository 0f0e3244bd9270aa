"""What Stripe says of disputes (its API reference: the object Dispute, and the endpoints to read one and to list them)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from samlad.kernel.database import Database
from samlad.payments import accounts, disputes
from samlad.payments.accounts import StripeKeys
from samlad.payments.dispute_model import DisputeStatus, SaidDispute
from samlad.payments.providers import ProviderSilent
from samlad.payments.stripe import MOST_PAGES, Refused, call, settled

PAGES = "https://dashboard.stripe.com"
_STATUS = {
    "needs_response": DisputeStatus.NEEDS_RESPONSE,
    "warning_needs_response": DisputeStatus.NEEDS_RESPONSE,
    "under_review": DisputeStatus.UNDER_REVIEW,
    "warning_under_review": DisputeStatus.UNDER_REVIEW,
    "won": DisputeStatus.WON,
    "lost": DisputeStatus.LOST,
    "warning_closed": DisputeStatus.CLOSED,
    "prevented": DisputeStatus.CLOSED,
}
_INQUIRY = "warning_"


class StripeDisputes:
    """Disputes of the account whose keys are set."""

    async def dispute(self, database: Database, reference: str) -> SaidDispute:
        """How one stands now."""
        keys = await accounts.keys(database, "stripe", StripeKeys)
        try:
            return said(await call(keys, "GET", f"/v1/disputes/{reference}"))
        except Refused as refusal:  # another account's keys, or test data that was deleted
            raise ProviderSilent(f"Stripe does not know {reference}: {refusal.code}") from None

    async def disputes(self, database: Database, since: datetime) -> Sequence[SaidDispute]:
        """Those that were opened since a moment."""
        keys = await accounts.keys(database, "stripe", StripeKeys)
        query = {"created[gte]": str(int(since.timestamp())), "limit": "100"}
        found: list[SaidDispute] = []
        for _page in range(MOST_PAGES):
            try:
                page = await call(keys, "GET", "/v1/disputes", query)
            except Refused as refusal:
                raise ProviderSilent(f"Stripe does not list disputes: {refusal.code}") from None
            entries = page.get("data") or []
            found += [said(entry) for entry in entries]
            if not entries or not page.get("has_more"):
                break
            query = query | {"starting_after": str(entries[-1]["id"])}
        return found


def said(document: dict[str, Any]) -> SaidDispute:
    """A dispute as Stripe writes it, in an answer or a webhook. A status that is not known is one that is still open.

    Raises:
        ProviderSilent: it is no dispute.
    """
    try:
        status, reference = str(document["status"]), str(document["id"])
        about = _id(document.get("payment_intent"))
        due = (document.get("evidence_details") or {}).get("due_by")
        return SaidDispute(
            reference=reference,
            status=_STATUS.get(status, DisputeStatus.UNDER_REVIEW),
            is_inquiry=status.startswith(_INQUIRY),
            amount=int(document["amount"]),
            currency=str(document["currency"]).upper(),
            opened_at=datetime.fromtimestamp(int(document["created"]), UTC),
            reason=str(document.get("reason") or "")[:100],
            evidence_due_at=datetime.fromtimestamp(int(due), UTC) if due else None,
            payment_reference=about,
            url=f"{PAGES}{'' if document.get('livemode') else '/test'}/disputes/{reference}",
            entries=tuple(
                msgspec.structs.replace(settled(entry), payment_reference=about)
                for entry in document.get("balance_transactions") or []
            ),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ProviderSilent("Stripe says nothing of a dispute that could be read") from None


def _id(thing: Any) -> str | None:
    """Stripe names a thing by its id, or writes all of it where that was asked for."""
    found = thing.get("id") if isinstance(thing, dict) else thing
    return str(found) if found else None


disputes.register("stripe", StripeDisputes())
