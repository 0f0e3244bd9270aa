"""Discounts by hand: of a line, of the sale, up to a limit and beyond it, on the order, in the books and when goods come back."""

from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cart_people import CLERK
from samlad import carts, channels, orders
from samlad.access import pins, staff
from samlad.access.permissions import Role, permissions_of
from samlad.access.problems import ApprovalRefused
from samlad.access.staff import StaffInput
from samlad.carts import CartView, Discount, DiscountInput, DiscountKind, NeedsApproval, discount_rules
from samlad.carts.permissions import DISCOUNT_ANY
from samlad.channels import ChannelChange
from samlad.kernel.clock import now
from samlad.kernel.context import Actor, Context
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Forbidden, InvalidInput, TooMany
from samlad.orders import LineSelection, ReturnInput
from samlad.payments import PaymentInput
from trade import Trade

MANAGER = Context(
    actor=Actor(kind="staff", id=new_id(), name="Ada", permissions=permissions_of(Role.MANAGER))
)
SUPPORT = Context(actor=Actor(kind="staff", id=new_id(), name="Bo", permissions=permissions_of(Role.SUPPORT)))
VARIANTS = [UUID(int=number) for number in range(1, 5)]


async def give(
    trade: Trade,
    cart: CartView,
    kind: str,
    value: int,
    line: int | None = None,
    who: Context = CLERK,
    **fields: Any,
) -> CartView:
    of = None if line is None else cart.lines[line].id
    data = DiscountInput(line=of, kind=DiscountKind(kind), value=value, reason="Scratched")
    return await trade.db.transaction(lambda tx: carts.give_discount(tx, cart.id, data, **fields), who)


async def test_a_line_and_the_sale_for_less_are_on_the_order_and_come_back_in_part(trade: Trade) -> None:
    kettle, pot = await trade.kettle(10_000, at=trade.at_malmo), await trade.kettle(5_000, at=trade.at_malmo)
    cart = await trade.cart((kettle, 2), (pot, 1), channel=trade.malmo)
    seen = await give(trade, cart, "percent", 500, line=0)
    assert (seen.lines[0].total, seen.totals.total, seen.totals.reduced) == (19_000, 24_000, 1_000)
    step = seen.lines[0].steps[0]
    assert (step.name, step.amount, step.by_hand) == ("Scratched", 1_000, True)
    again = await give(trade, cart, "price", 9_500, line=0)
    assert [each.kind for each in again.discounts] == ["price"], "it takes the place of the one before"
    both = await give(trade, again, "amount", 1_201)
    assert both.totals.total == 22_799
    assert both.lines[0].unit_price == 10_000, "what was the price before is kept"
    order = await trade.place(cart.id, PaymentInput(provider="cash"), total=22_799)
    assert [sum(step.amount for step in line.reductions) for line in order.lines[:2]] == [1_951, 250]
    assert order.total == 22_800, "cash is rounded"
    back = ReturnInput(lines=[LineSelection(position=1, quantity=1)], location=trade.at_malmo.id)
    await trade.db.transaction(lambda tx: orders.take_back(tx, order.id, back))
    await trade.agree()
    facts = await trade.db.rows("SELECT payload FROM event WHERE type = 'cart.discounted' ORDER BY id")
    assert [row["payload"]["kind"] for row in facts] == ["percent", "price", "amount"]
    assert await trade.db.value("SELECT count(*) FROM audit_entry WHERE verb = 'cart.discounted'") == 3


async def test_what_was_approved_does_not_grow_and_goes_with_its_line(trade: Trade) -> None:
    kettle = await trade.kettle(10_000, at=trade.at_malmo)
    cart = await trade.cart((kettle, 1), channel=trade.malmo)
    seen = await give(trade, cart, "percent", 1_000, line=0)

    async def change(quantity: int) -> CartView:
        line = cart.lines[0].id
        return await trade.db.transaction(lambda tx: carts.change_line(tx, cart.id, line, quantity), CLERK)

    assert (await change(9)).totals.reduced == 1_000
    taken = await trade.db.transaction(
        lambda tx: carts.take_discount_back(tx, cart.id, seen.discounts[0].id), CLERK
    )
    assert (taken.discounts, taken.totals.reduced) == ([], 0)
    twice = await trade.db.transaction(
        lambda tx: carts.take_discount_back(tx, cart.id, seen.discounts[0].id), CLERK
    )
    assert twice.discounts == []
    await give(trade, cart, "amount", 500, line=0)
    assert (await change(0)).discounts == []


async def test_beyond_the_limit_a_manager_approves_with_a_pin(trade: Trade) -> None:
    kettle = await trade.kettle(10_000, at=trade.at_malmo)
    cart = await trade.cart((kettle, 1), channel=trade.malmo)
    with pytest.raises(NeedsApproval) as told:
        await give(trade, cart, "percent", 1_001)
    assert told.value.extra == {"allowed": 1_000, "amount": 1_001}
    with pytest.raises(Forbidden):
        await give(trade, cart, "percent", 100, who=SUPPORT)
    with pytest.raises(InvalidInput, match="nothing"):
        await give(trade, cart, "price", 10_000, line=0)
    assert (await give(trade, cart, "percent", 5_000, who=MANAGER)).totals.total == 5_000

    wanted = StaffInput(email="ada@example.org", name="Ada", roles=[Role.MANAGER])
    ada = await trade.db.transaction(lambda tx: staff.add(tx, wanted, "active"))
    own = Context(actor=Actor(kind="staff", id=ada.id, name="Ada"))
    for easy in ("1234", "0000", "987654", "12", "12a4"):
        with pytest.raises(InvalidInput):
            await pins.set_pin(trade.db, own, easy)
    await pins.set_pin(trade.db, own, "4071")
    assert await pins.has_pin(trade.db, ada.id)

    async def approve(
        pin: str, email: str = "Ada@example.org", permission: str = DISCOUNT_ANY
    ) -> pins.Approver:
        return await pins.approve(trade.db, CLERK, email, pin, permission, trade.at_malmo.id)

    for wrong in (
        approve("4072"),
        approve("4071", "eve@example.org"),
        approve("4071", permission="staff.none"),
    ):
        with pytest.raises(ApprovalRefused):
            await wrong
    approved = await approve("4071")
    seen = await give(trade, cart, "percent", 3_000, approved=approved)
    assert (seen.totals.total, seen.discounts[0].reason) == (7_000, "Scratched")
    kept = await trade.db.value("SELECT discounts::text FROM cart WHERE id = $1", cart.id)
    assert str(ada.id) in kept
    shown = msgspec.json.encode(seen).decode()
    assert str(ada.id) not in shown, "customers are not told who works here"
    assert str(CLERK.actor.id) not in shown
    for _ in range(5):
        with pytest.raises(ApprovalRefused):
            await approve("5555")
    with pytest.raises(TooMany):
        await approve("4071")
    change = ChannelChange(settings={**trade.malmo.own.settings, "discount_limit": 60})
    await trade.db.transaction(lambda tx: channels.change(tx, trade.malmo.id, change))
    assert (await give(trade, cart, "percent", 6_000)).totals.total == 4_000


def discounts() -> st.SearchStrategy[list[Discount]]:
    one = st.builds(
        Discount,
        id=st.uuids(),
        variant=st.none() | st.sampled_from(VARIANTS),
        kind=st.sampled_from(DiscountKind),
        value=st.integers(0, 10_000),
        most=st.integers(1, 50_000),
        reason=st.just("Scratched"),
        given_at=st.just(now()),
    )
    return st.lists(one, max_size=5, unique_by=lambda each: each.variant)


@given(st.dictionaries(st.sampled_from(VARIANTS), st.integers(0, 90_000)), st.integers(1, 9), discounts())
def test_no_line_falls_below_zero_and_no_discount_passes_its_most(
    left: dict[UUID, int], quantity: int, given_: list[Discount]
) -> None:
    found = discount_rules.steps(left, dict.fromkeys(left, quantity), given_)
    by_id: dict[UUID, int] = {}
    for variant, steps in found.items():
        assert 0 < sum(step.amount for step in steps) <= left[variant]
        for step in steps:
            by_id[step.promotion] = by_id.get(step.promotion, 0) + step.amount
    assert all(by_id.get(each.id, 0) <= each.most for each in given_)
