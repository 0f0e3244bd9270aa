"""Who moves the money: one interface, a registry, and two providers that need nobody else.

A provider that talks to somebody over the network has ``is_local`` False and is never called inside a transaction:
`samlad.payments.service` says how it is called instead.
"""

from typing import Protocol
from uuid import UUID

from samlad.kernel.database import Tx
from samlad.kernel.problems import InvalidInput
from samlad.payments.model import Outcome, PaymentStatus, Request


class PaymentProvider(Protocol):
    """What a provider can do inside somebody's transaction. Every call is idempotent: the same id twice moves the
    money once. ``tx`` is for those whose money is in our own database (gift cards); the others leave it alone.

    ``authorize`` may answer *pending* (a webhook or a later `check` tells the end), *authorized*, *captured* (it
    does both at once) or *declined* with a reason; it does not raise for a refusal.
    """

    name: str
    is_local: bool
    """It answers at once, from this process: it may be called inside a transaction, which may run it again."""
    staff_only: bool
    """Only staff can take such a payment: cash is handed over in person."""

    async def authorize(self, tx: Tx, request: Request) -> Outcome:
        """Reserve or take the money."""
        ...

    async def capture(self, tx: Tx, payment: UUID, reference: str | None, amount: int) -> Outcome:
        """Take what was authorised."""
        ...

    async def refund(self, tx: Tx, refund: UUID, reference: str | None, amount: int) -> Outcome:
        """Give back part or all of what was captured; ``refund`` is the idempotency key."""
        ...

    async def void(self, tx: Tx, payment: UUID, reference: str | None) -> Outcome:
        """Let go of what was authorised or is pending."""
        ...


class Cash:
    """Coins and notes at a till. Whoever stands there takes and gives them; we only keep the account."""

    name, is_local, staff_only = "cash", True, True

    async def authorize(self, tx: Tx, request: Request) -> Outcome:  # noqa: ARG002
        """Taken at once if what was handed over is enough."""
        if request.tendered is not None and request.tendered < request.amount:
            return Outcome(status=PaymentStatus.DECLINED, reason="not-enough-cash")
        return Outcome(status=PaymentStatus.CAPTURED, reference=f"cash-{request.payment}")

    async def capture(self, tx: Tx, payment: UUID, reference: str | None, amount: int) -> Outcome:  # noqa: ARG002
        """It is in the drawer already."""
        return Outcome(status=PaymentStatus.CAPTURED, reference=reference)

    async def refund(self, tx: Tx, refund: UUID, reference: str | None, amount: int) -> Outcome:  # noqa: ARG002
        """Out of the drawer."""
        return Outcome(status=PaymentStatus.CAPTURED, reference=f"cash-{refund}")

    async def void(self, tx: Tx, payment: UUID, reference: str | None) -> Outcome:  # noqa: ARG002
        """Nothing is held."""
        return Outcome(status=PaymentStatus.VOIDED, reference=reference)


DECLINING_CENTS = 13
"""Amounts that end in these two digits are declined by the test provider, whatever the token."""


class Test:
    """A provider for trying things out. It never moves money. The token says what it does:

    ``ok`` or none: captured at once · ``authorize``: authorised, captured later · ``pending``: stays pending ·
    ``decline`` or ``decline:REASON``: declined. Amounts whose last two digits are 13 are declined.
    """

    name, is_local, staff_only = "test", True, False

    async def authorize(self, tx: Tx, request: Request) -> Outcome:  # noqa: ARG002
        """What the token says."""
        token, _, reason = (request.token or "ok").partition(":")
        if request.amount % 100 == DECLINING_CENTS:
            return Outcome(status=PaymentStatus.DECLINED, reason="amount-ends-in-13")
        status = {
            "ok": PaymentStatus.CAPTURED,
            "authorize": PaymentStatus.AUTHORIZED,
            "pending": PaymentStatus.PENDING,
        }.get(token, PaymentStatus.DECLINED)
        if status is PaymentStatus.DECLINED:
            known = reason or "card-declined" if token == "decline" else "unknown-token"  # noqa: S105
            return Outcome(status=status, reason=known)
        return Outcome(status=status, reference=f"test-{request.payment}")

    async def capture(self, tx: Tx, payment: UUID, reference: str | None, amount: int) -> Outcome:  # noqa: ARG002
        """Always captured."""
        return Outcome(status=PaymentStatus.CAPTURED, reference=reference)

    async def refund(self, tx: Tx, refund: UUID, reference: str | None, amount: int) -> Outcome:  # noqa: ARG002
        """Always given back."""
        return Outcome(status=PaymentStatus.CAPTURED, reference=f"test-{refund}")

    async def void(self, tx: Tx, payment: UUID, reference: str | None) -> Outcome:  # noqa: ARG002
        """Always let go."""
        return Outcome(status=PaymentStatus.VOIDED, reference=reference)


_PROVIDERS: dict[str, PaymentProvider] = {}


def register(provider: PaymentProvider) -> None:
    """Make a provider known by its name."""
    _PROVIDERS[provider.name] = provider


def provider(name: str, *, field: str = "provider") -> PaymentProvider:
    """The provider of this name.

    Raises:
        InvalidInput: there is none.
    """
    found = _PROVIDERS.get(name)
    if found is None:
        raise InvalidInput.at(field, f"there is no “{name}”; there are {', '.join(sorted(_PROVIDERS))}")
    return found


register(Cash())
register(Test())
