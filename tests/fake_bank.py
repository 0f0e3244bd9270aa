"""A payment provider in memory that keeps to the contract of `NetworkProvider`, and whose line is bad.

It is our own, so it proves nothing about any real provider; it proves that whatever a provider does within the contract,
money in equals money out. ``plan`` says what happens to the next calls: ``ok``, ``lost`` (not done, no answer),
``deaf`` (done, but the answer is lost), ``slow`` (an answer of a moment ago: pending). After the plan everything is ok.
"""

from collections import deque
from uuid import UUID

import msgspec

from samlad.kernel.database import Database
from samlad.payments.model import Action, Operation, Outcome, Payment, PaymentStatus, Request
from samlad.payments.providers import ProviderSilent


class Account(msgspec.Struct):
    """A payment at the bank."""

    amount: int
    status: str
    captured: int = 0
    captures: int = 0
    refunds: dict[UUID, int] = msgspec.field(default_factory=dict)

    @property
    def kept(self) -> int:
        return self.captured - sum(self.refunds.values())


class FakeBank:
    name, is_local, staff_only, needs_offer = "fakebank", False, False, True

    def __init__(self) -> None:
        self.plan: deque[str] = deque()
        self.accounts: dict[UUID, Account] = {}
        self.calls: list[str] = []

    def customer(self, payment: UUID, does: str) -> None:
        """The customer confirms, fails or has their bank cancel."""
        account = self.accounts[payment]
        if account.status == "waiting":
            account.status = {"confirm": "authorized", "fail": "declined"}[does]

    @property
    def kept(self) -> int:
        return sum(account.kept for account in self.accounts.values())

    @property
    def reserved(self) -> int:
        return sum(a.amount for a in self.accounts.values() if a.status == "authorized")

    def _begin(self, what: str) -> str:
        self.calls.append(what)
        step = self.plan.popleft() if self.plan else "ok"
        if step == "lost":
            raise ProviderSilent("the line is dead")
        return step

    def _end(self, step: str, payment: UUID) -> Outcome:
        if step == "deaf":
            raise ProviderSilent("the answer was lost")
        if step == "slow":
            return Outcome(status=PaymentStatus.PENDING, reference=f"bank-{payment}")
        return self._seen(payment)

    def _seen(self, payment: UUID) -> Outcome:
        account = self.accounts[payment]
        status = {
            "waiting": PaymentStatus.PENDING,
            "authorized": PaymentStatus.AUTHORIZED,
            "captured": PaymentStatus.CAPTURED,
            "voided": PaymentStatus.VOIDED,
            "declined": PaymentStatus.DECLINED,
        }[account.status]
        return Outcome(
            status=status,
            reference=f"bank-{payment}",
            captured=account.captured or None,
            reason="declined-by-bank" if status is PaymentStatus.DECLINED else None,
            action=Action(kind="redirect", url="https://bank.example/3ds")
            if status is PaymentStatus.PENDING
            else None,
        )

    async def authorize(self, database: Database, request: Request, operation: Operation) -> Outcome:
        step = self._begin("authorize")
        status = {"ok": "authorized", "decline": "declined"}.get(request.token or "", "waiting")
        self.accounts.setdefault(request.payment, Account(request.amount, status))
        return self._end(step, request.payment)

    async def status(self, database: Database, payment: Payment) -> Outcome:
        return self._end(self._begin("status"), payment.id)

    async def capture(self, database: Database, payment: Payment, operation: Operation) -> Outcome:
        step, account = self._begin("capture"), self.accounts[payment.id]
        if account.status == "authorized":
            account.status, account.captured = "captured", operation.amount
            account.captures += 1
        return self._end(step, payment.id)

    async def void(self, database: Database, payment: Payment, operation: Operation) -> Outcome:
        step, account = self._begin("void"), self.accounts[payment.id]
        if account.status in ("waiting", "authorized"):
            account.status = "voided"
        return self._end(step, payment.id)

    async def refund(self, database: Database, payment: Payment, operation: Operation) -> Outcome:
        step, account = self._begin("refund"), self.accounts[payment.id]
        if operation.id not in account.refunds:
            if account.kept < operation.amount:
                return Outcome(status=PaymentStatus.DECLINED, reason="more-than-captured")
            account.refunds[operation.id] = operation.amount
        if step == "deaf":
            raise ProviderSilent("the answer was lost")
        status = PaymentStatus.PENDING if step == "slow" else PaymentStatus.CAPTURED
        return Outcome(status=status, reference=f"bank-{operation.id}")
