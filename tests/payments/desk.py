"""Short ways to act in the tests of payments on the network."""

from typing import Any
from uuid import UUID

from fake_bank import FakeBank
from samlad import orders
from samlad.carts import CartView, paying
from samlad.kernel.context import SYSTEM
from samlad.kernel.database import Database, Tx
from samlad.orders import CancelInput, Order, PlaceOrder
from samlad.payments import Attempt, PaymentInput, StartInput
from samlad.payments.sweepers import reconcile
from trade import Trade


class Desk:
    """A cart of one kettle, and what happens to its payments."""

    def __init__(self, trade: Trade, bank: FakeBank) -> None:
        self.trade, self.bank, self.db = trade, bank, trade.db

    async def cart(self, price: int = 19_900) -> CartView:
        return await self.trade.cart((await self.trade.kettle(price), 1))

    async def begin(
        self, cart: UUID, token: str = "ok", provider: str = "fakebank", **fields: Any
    ) -> Attempt:
        data = StartInput(provider=provider, token=token, **fields)
        begun = await self.db.transaction(lambda tx: paying.begin(tx, cart, data))
        return await self.look(cart, begun.id)

    async def look(self, cart: UUID, payment: UUID) -> Attempt:
        await hurry(self.db)
        return await paying.look(self.db, SYSTEM, cart, payment)

    async def place(self, cart: UUID, *attempts: Attempt, **fields: Any) -> Order:
        wanted = [PaymentInput(provider=each.provider, payment=each.id) for each in attempts]
        data = PlaceOrder(cart=cart, payments=[*wanted, *fields.pop("more", [])], **fields)
        return await self.db.transaction(lambda tx: orders.place(tx, data))

    async def cancel(self, order: UUID) -> Order:
        return await self.db.transaction(lambda tx: orders.cancel(tx, order, CancelInput()))

    async def settle(self) -> None:
        """Let the reconciler and the followers work until there is nothing left to ask for."""
        before: list[tuple[object, ...]] = []
        for _ in range(60):
            await self.settle_once()
            now = await self.db.rows(
                "SELECT o.id, o.kind, o.status, o.reason, p.status AS state FROM payment_operation o"
                " JOIN payment p ON p.id = o.payment ORDER BY o.id"
            )
            after = [tuple(row) for row in now]
            busy = [r for r in now if r["status"] == "open" and (r["reason"] or r["kind"] != "authorize")]
            if after == before and not busy:
                return  # what is open waits for a customer
            before = after
        raise AssertionError(f"never settled: {before}")

    async def settle_once(self) -> None:
        """One round of the reconciler."""
        await hurry(self.db)
        await reconcile(self.db)
        await self.trade.follow()

    async def expire(self) -> None:
        """The time of what nobody claimed is over."""
        await self.db.rows(
            "UPDATE payment SET expires_at = now() - interval '1 minute' WHERE order_id IS NULL RETURNING 1"
        )

    async def order(self, order: UUID) -> Order:
        return await orders.read(self.db, order)

    async def sound(self) -> None:
        """What the bank keeps is what our books say, nothing twice, nothing hanging; and the doctor agrees."""
        row = await self.db.row(
            "SELECT coalesce(sum(captured - refunded), 0)::bigint AS kept FROM payment WHERE provider = $1",
            self.bank.name,
        )
        assert row is not None
        assert self.bank.kept == row["kept"]
        assert all(account.captures <= 1 for account in self.bank.accounts.values())
        await self.trade.sound()


async def hurry(db: Database) -> None:
    """The clock jumps: whatever waits is due."""

    async def work(tx: Tx) -> None:
        await tx.execute(
            "UPDATE payment_operation SET next_at = now() - interval '1 s' WHERE status = 'open'"
        )
        await tx.execute(
            "UPDATE payment SET asked_at = asked_at - interval '1 minute' WHERE asked_at IS NOT NULL"
        )

    await db.transaction(work)
