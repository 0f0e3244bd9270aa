"""Customers that are one person: they have everything together, and each its own again when they come apart."""

import asyncio
import random
from typing import Any
from uuid import UUID

import pytest
from credit_shop import books_are_sound, given, person, programme

from samlad import carts, credit, customers
from samlad.carts import merging
from samlad.credit import CARDS, GrantInput, NotEnoughPoints, PointsInput, RedeemInput, loyalty_store
from samlad.credit.model import AccountKind
from samlad.kernel.ids import new_id
from samlad.kernel.listing import ListQuery
from samlad.promotions import granting
from samlad.promotions import service as promotions
from samlad.promotions import store as promotion_store
from samlad.promotions.model import PromotionGone, PromotionInput
from trade import Trade


async def stand(trade: Trade, survivors: dict[UUID, UUID]) -> None:
    await trade.db.transaction(lambda tx: customers.stand_for(tx, survivors))


async def own(trade: Trade, customer: UUID, kind: AccountKind) -> int:
    """What is on a customer's own account, whoever else they are."""
    found = await trade.db.value(
        "SELECT balance - held FROM credit_account WHERE holder = $1 AND kind = $2", customer, kind
    )
    return found or 0


class Accounts:
    """What each customer's own accounts should hold, and verbs that change both the real ones and this."""

    def __init__(self, trade: Trade, people: list[UUID], draw: random.Random) -> None:
        self.trade, self.people, self.draw = trade, sorted(people), draw
        self.money = dict.fromkeys(people, 0)
        self.lots: list[list[Any]] = []
        self.taken: dict[UUID, list[tuple[UUID, int]]] = {}
        self.survivor = {each: each for each in people}

    def same(self, each: UUID) -> list[UUID]:
        return [one for one in self.people if self.survivor[one] == self.survivor[each]]

    def points(self, of: list[UUID]) -> int:
        return sum(lot[1] for lot in self.lots if lot[0] in of)

    async def do(self, verb: Any, *args: Any) -> Any:
        return await self.trade.db.transaction(lambda tx: verb(tx, *args))

    async def add(self, each: UUID) -> None:
        amount, points = self.draw.randint(1, 900), self.draw.randint(10, 60)
        await self.do(credit.grant, each, GrantInput(amount=amount, currency="SEK", reason="Late"))
        await self.do(credit.adjust, each, PointsInput(points=points, reason="Late"))
        self.money[each] += amount
        self.lots.append([each, points])

    async def pay(self, each: UUID) -> None:
        amount, payment = self.draw.randint(1, 1_500), new_id()
        held = await self.do(credit.hold_credit, payment, each, amount, "SEK")
        assert (held is not None) == (amount <= sum(self.money[one] for one in self.same(each)))
        end = self.draw.choice(["void", "capture", "part"])
        if held is None:
            return
        if end == "void":
            await self.do(credit.void, payment)
            return
        amount = amount if end == "capture" else max(1, amount // 2)
        for _ in range(2):
            assert await self.do(credit.capture, payment, amount)
        self.taken[payment] = []
        for one in self.same(each):
            part = min(self.money[one], amount)
            self.money[one] -= part
            amount -= part
            self.taken[payment].append((one, part))

    async def give_back(self, _: UUID) -> None:
        if not self.taken:
            return
        payment, parts = self.taken.popitem()
        refund, total = new_id(), sum(part for _, part in parts)
        for _n in range(2):
            assert await self.do(credit.refund, payment, refund, total)
        for one, part in parts:
            self.money[one] += part

    async def take(self, each: UUID) -> None:
        mine, points = self.same(each), self.draw.randint(1, 80)
        less = PointsInput(points=-points, reason="By hand")
        if points > self.points(mine):
            with pytest.raises(NotEnoughPoints):
                await self.do(credit.adjust, each, less)
            return
        await self.do(credit.adjust, each, less)
        for lot in self.lots:
            part = min(lot[1], points) if lot[0] in mine else 0
            lot[1] -= part
            points -= part

    async def change(self, _: UUID) -> None:
        """Others are one person, or nobody is."""
        together = self.draw.sample(self.people, self.draw.choice([0, 2, 3]))
        self.survivor = {each: min(together) if each in together else each for each in self.people}
        await stand(self.trade, self.survivor)


@pytest.mark.parametrize("seed", range(3))
async def test_used_together_each_has_its_own_when_they_come_apart(trade: Trade, seed: int) -> None:
    """A model of the accounts beside the real ones, whatever happens: merging and splitting move nothing."""
    draw = random.Random(seed)
    await programme(trade, tiers=[])
    people = [await person(trade, f"p{number}@example.org") for number in range(3)]
    for each in people:
        await trade.db.transaction(lambda tx, each=each: credit.enrol(tx, each))
    have = Accounts(trade, people, draw)
    verbs = [have.add, have.add, have.pay, have.pay, have.give_back, have.take, have.change]
    for _ in range(24):
        await draw.choice(verbs)(draw.choice(people))
    for each in people:
        together = await credit.of_customer(trade.db, each)
        assert sum(one.available for one in together) == sum(have.money[one] for one in have.same(each))
        seen = await credit.view(trade.db, each)
        assert seen is not None
        assert seen.points == have.points(have.same(each))
    await stand(trade, {each: each for each in people})
    for each in people:
        assert await own(trade, each, AccountKind.STORE_CREDIT) == have.money[each]
        assert await own(trade, each, AccountKind.POINTS) == have.points([each])
    await books_are_sound(trade.db)


async def test_points_and_credit_of_a_person_are_never_spent_twice(trade: Trade) -> None:
    await programme(trade, tiers=[])
    kim, also = [await person(trade, f"{name}@example.org") for name in ("kim", "also")]
    for each in (kim, also):
        await trade.db.transaction(lambda tx, each=each: credit.enrol(tx, each))
        points = PointsInput(points=75, reason="Welcome")
        await trade.db.transaction(lambda tx, each=each, points=points: credit.adjust(tx, each, points))
        data = GrantInput(amount=1_000, currency="SEK", reason="Late")
        await trade.db.transaction(lambda tx, each=each, data=data: credit.grant(tx, each, data))
    card = await given(trade, customer=also)
    await stand(trade, {kim: kim, also: kim})
    redeem = RedeemInput(reward="card", channel=trade.web.id)
    tries = [
        trade.db.transaction(lambda tx, each=each: credit.redeem(tx, each, redeem))
        for each in (kim, also) * 5
    ]
    holds = [
        trade.db.transaction(lambda tx, each=each: credit.hold_credit(tx, new_id(), each, 600, "SEK"))
        for each in (also, kim) * 3
    ]
    rewards, held = await asyncio.gather(
        asyncio.gather(*tries, return_exceptions=True), asyncio.gather(*holds)
    )
    assert sum(isinstance(each, NotEnoughPoints) for each in rewards) == 3, "150 points are seven cards"
    assert sum(isinstance(each, credit.Rewarded) for each in rewards) == 7
    assert sum(each is not None for each in held) == 3, "2000 are three times 600, one of them of both"
    cards = await CARDS.page(trade.db, ListQuery(filters={"customer": str(kim)}))
    assert card.card.id in {each.id for each in cards.items}
    assert len(cards.items) == 8
    assert (await trade.db.transaction(lambda tx: credit.enrol(tx, also))).customer == also
    assert await loyalty_store.member(trade.db, kim) is not None
    await books_are_sound(trade.db)


async def test_promotions_and_carts_are_the_persons(trade: Trade) -> None:
    kim, also = [await person(trade, f"{name}@example.org") for name in ("kim", "also")]
    await stand(trade, {kim: kim, also: kim})
    terms = {"effect": {"kind": "percent", "percent": 1_000}}
    fields = {
        "channel": trade.web.id,
        "name": "Once",
        "terms": terms,
        "limit_customer": 1,
        "is_automatic": False,
    }
    data = promotions.msgspec.convert(promotions.msgspec.to_builtins(fields), PromotionInput)
    made = await trade.db.transaction(lambda tx: promotions.create(tx, data))
    await trade.db.transaction(lambda tx: promotions.give(tx, made.id, also))
    assert [each.promotion for each in await promotion_store.grants_of(trade.db, kim)] == [made.id]
    use = [granting.Use(promotion=made.id, name=made.name, amount=100)]
    orders = [new_id() for _ in range(4)]
    told = await asyncio.gather(
        *(
            trade.db.transaction(
                lambda tx, order=order, who=who: granting.use(
                    tx, order, use, channel=trade.web, customer=who, stands=False
                )
            )
            for order, who in zip(orders, (kim, also) * 2, strict=True)
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(each, PromotionGone) for each in told) == 3, "once for each person"
    facts = await promotion_store.facts(trade.db, promotion_store.Wanted([kim], kim, []))
    assert (facts.customer_uses, [each.promotion for each in facts.grants]) == ({made.id: 1}, [made.id])
    used = orders[next(index for index, each in enumerate(told) if each is None)]
    await trade.db.transaction(lambda tx: granting.release(tx, used, channel=trade.web.id))
    again = new_id()
    await trade.db.transaction(
        lambda tx: granting.use(tx, again, use, channel=trade.web, customer=also, stands=False)
    )

    cart = await trade.cart((await trade.kettle(), 1), customer=str(also))
    attached = await trade.db.transaction(lambda tx: merging.attach(tx, cart.id, kim))
    assert attached.how == "already", "it is the same person's"
    live = carts.sharing_store.live_of
    pool = cart.pool if hasattr(cart, "pool") else trade.web.pools["carts"]
    assert await live(trade.db, kim, pool) == cart.id
    await stand(trade, {kim: kim, also: also})
    assert await live(trade.db, kim, pool) is None
    assert await live(trade.db, also, pool) == cart.id
