"""Who moves the money: one interface in two kinds, a registry, and two providers that need nobody else.

A provider that answers from this process is called inside the transaction (`PaymentProvider`). One that talks to
somebody over the network never is (`NetworkProvider`): `samlad.payments.pursuit` calls it before and after.
"""

from typing import Protocol, TypeGuard
from uuid import UUID

from samlad.kernel import cards
from samlad.kernel.database import Database, Tx
from samlad.kernel.problems import InvalidInput
from samlad.payments.model import Operation, Outcome, Payment, PaymentStatus, Request


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


class HoldingProvider(PaymentProvider, Protocol):
    """A local provider that can hold an amount for a cart before there is an order; ``holds`` is true."""

    holds: bool

    async def hold(self, tx: Tx, request: Request) -> Outcome:
        """Hold the amount: *authorized*, or *declined* with a reason."""
        ...


class ProviderSilent(Exception):
    """A provider did not answer, or not so that one could know what happened: ask again, with the same key."""


class NetworkProvider(Protocol):
    """What a provider on the network can do, outside of any transaction. Every call is idempotent by the operation's
    id, and may be repeated days later; whatever is not an answer is raised as `ProviderSilent`.

    An `Outcome` says how the *payment* stands at the provider after the call, so that it does not matter which of
    several answers and webhooks comes first. For `refund` *captured* means that the money went back, *pending* that it
    is on its way and *declined* that it will not.
    """

    name: str
    is_local: bool
    staff_only: bool

    async def authorize(self, database: Database, request: Request, operation: Operation) -> Outcome:
        """Reserve the money, or begin to: the outcome's `Action` is what the customer must do."""
        ...

    async def status(self, database: Database, payment: Payment) -> Outcome:
        """How a payment stands, and what the customer must do now."""
        ...

    async def capture(self, database: Database, payment: Payment, operation: Operation) -> Outcome:
        """Take ``operation.amount`` of what was authorised; the rest is let go."""
        ...

    async def void(self, database: Database, payment: Payment, operation: Operation) -> Outcome:
        """Let go of what was authorised or is pending. If it was captured meanwhile the outcome says so."""
        ...

    async def refund(self, database: Database, payment: Payment, operation: Operation) -> Outcome:
        """Give back ``operation.amount`` of what was captured."""
        ...


class KeepingProvider(NetworkProvider, Protocol):
    """A provider on the network that keeps cards for customers; its outcomes say what it has kept."""

    async def forget(self, database: Database, reference: str) -> None:
        """Forget a card. One that it does not know is forgotten."""
        ...


AnyProvider = PaymentProvider | NetworkProvider


def is_network(through: AnyProvider) -> TypeGuard[NetworkProvider]:
    """Whether a provider is to be called outside of transactions."""
    return not through.is_local


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

    name, is_local, staff_only, pays_alone = "test", True, False, True

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


_PROVIDERS: dict[str, AnyProvider] = {}


def register(provider: AnyProvider) -> None:
    """Make a provider known by its name."""
    _PROVIDERS[provider.name] = provider


def registered() -> dict[str, AnyProvider]:
    """Every provider, by name."""
    return dict(sorted(_PROVIDERS.items()))


def provider(name: str, *, field: str = "provider") -> AnyProvider:
    """The provider of this name.

    Raises:
        InvalidInput: there is none.
    """
    found = _PROVIDERS.get(name)
    if found is None:
        cards.refuse(name, field)
        raise InvalidInput.at(field, f"there is no “{name}”; there are {', '.join(sorted(_PROVIDERS))}")
    return found


def local(name: str, *, field: str = "provider") -> PaymentProvider:
    """The provider of this name, which can be called inside a transaction.

    Raises:
        InvalidInput: there is none, or it is on the network.
    """
    found = provider(name, field=field)
    if is_network(found):
        raise InvalidInput.at(
            field, "cannot be called while an order is placed; begin the payment for the cart first"
        )
    return found  # type: ignore[return-value]


def network(name: str, *, field: str = "provider") -> NetworkProvider:
    """The provider of this name, which is called outside of transactions.

    Raises:
        InvalidInput: there is none, or it is asked while the order is placed.
    """
    found = provider(name, field=field)
    if not is_network(found):
        raise InvalidInput.at(field, f"“{name}” pays while the order is placed; there is nothing to begin")
    return found


def beginnable(name: str) -> NetworkProvider | HoldingProvider:
    """The provider of this name, with which a payment can be begun before there is an order.

    Raises:
        InvalidInput: there is none, or it is asked while the order is placed.
    """
    found = provider(name)
    return found if getattr(found, "holds", False) else network(name)  # type: ignore[return-value]


def keeps(through: AnyProvider) -> TypeGuard[KeepingProvider]:
    """Whether a provider keeps cards for customers."""
    return hasattr(through, "forget")


def comes_by_itself(name: str) -> bool:
    """Whether payments with this provider move after their order was placed, without a verb of the order."""
    through = _PROVIDERS.get(name)
    return through is None or is_network(through) or bool(getattr(through, "comes_later", False))


def needs_offer(through: AnyProvider) -> bool:
    """Whether a channel must name it in its setting `payment_providers` before anybody can pay so: credit is given,
    or keys are needed."""
    return bool(getattr(through, "needs_offer", is_network(through)))


def pays_alone(name: str) -> bool:
    """Whether one can be charged with this provider while the customer is not there: by what it keeps, or on account."""
    return bool(getattr(_PROVIDERS.get(name), "pays_alone", False))


def is_kept(through: AnyProvider, token: str | None) -> bool:
    """Whether a token names what a provider keeps of some customer: only the shop itself may charge by that."""
    known = getattr(through, "is_kept", None)
    return token is not None and known is not None and bool(known(token))


register(Cash())
register(Test())
