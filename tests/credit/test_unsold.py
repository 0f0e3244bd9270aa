"""Gift cards that wait: printed and not sold, or loaded and not paid; staff take back what will not be sold."""

import asyncio
from uuid import UUID

import pytest
from credit_shop import books_are_sound, given

from samlad import credit
from samlad.access.permissions import Role, permissions_of
from samlad.credit import UNSOLD, CardState, CardStatus, TakeBackInput, TakenBack
from samlad.credit.at_till import PrepareInput, prepare, sell
from samlad.kernel.context import Actor, Context
from samlad.kernel.ids import new_id
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import Forbidden, InvalidInput, NotFound
from samlad.orders import CancelInput, cancel
from trade import Trade


async def printed(trade: Trade, count: int = 2) -> list[UUID]:
    data = PrepareInput(channel=trade.malmo.id, count=count, note="Box 7")
    made = await trade.db.transaction(lambda tx: prepare(tx, data))
    found = [await credit.find(trade.db, code) for code in made.codes]
    return [card.id for card in found if card]


async def take_back(
    trade: Trade, *cards: UUID, reason: str = "Misprinted", who: Context | None = None
) -> TakenBack:
    data = TakeBackInput(cards=list(cards), reason=reason)
    context = () if who is None else (who,)
    return await trade.db.transaction(lambda tx: credit.take_back_unsold(tx, data), *context)


async def waiting(trade: Trade, **filters: str) -> list[tuple[str, bool]]:
    page = await UNSOLD.page(trade.db, ListQuery(limit=50, filters=filters))
    return [(row.note, row.order is not None) for row in page.items]


async def test_printed_cards_are_seen_and_taken_back_once(trade: Trade) -> None:
    first, second = await printed(trade)
    await given(trade, 10_000)  # it pays, so it does not wait
    assert await waiting(trade) == [("Box 7", False)] * 2
    assert await waiting(trade, q="box") == [("Box 7", False)] * 2
    assert await waiting(trade, q="cellar") == []
    nobody = Context(
        actor=Actor(kind="staff", id=new_id(), name="Mo", permissions=permissions_of(Role.MARKETING))
    )
    with pytest.raises(Forbidden):
        await take_back(trade, first, who=nobody)
    with pytest.raises(NotFound):  # all or none
        await take_back(trade, first, new_id())
    with pytest.raises(InvalidInput):  # the number of somebody's bank card is no reason
        await take_back(trade, first, reason="4111 1111 1111 1111")
    assert len(await waiting(trade)) == 2
    assert await take_back(trade, first) == TakenBack(1)
    both = await asyncio.gather(*(take_back(trade, second, first) for _ in range(2)))
    assert sorted(each.count for each in both) == [0, 1]
    assert await waiting(trade) == []
    events = await trade.db.rows(
        "SELECT payload FROM event WHERE type = 'gift_card.status_changed' ORDER BY id"
    )
    assert [each["payload"]["after"] for each in events] == ["cancelled", "cancelled"]
    assert await trade.db.value("SELECT count(*) FROM audit_entry WHERE verb = 'gift-card.taken-back'") == 2
    await books_are_sound(trade.db)


async def test_a_card_that_was_taken_back_gets_nothing_at_a_till(trade: Trade) -> None:
    [card] = await printed(trade, 1)
    await take_back(trade, card)
    code = await trade.db.row("SELECT code_hash, last_four FROM gift_card WHERE id = $1", card)
    assert code is not None
    odd = await trade.db.transaction(
        lambda tx: sell(tx, new_id(), code["code_hash"], code["last_four"], 5_000, trade.malmo, new_id())
    )
    assert odd == "gift-card-unusable"
    assert (await credit.get(trade.db, card)).balance == 0


async def test_a_card_of_an_order_goes_with_that_order(trade: Trade) -> None:
    cart = await trade.cart((await trade.kettle(19_900), 1))
    order = await trade.place(cart.id)
    made = await given(trade, 10_000, order=order.id)
    assert await waiting(trade, **{"for": "payment"}) == [("Welcome", True)]
    assert await waiting(trade, **{"for": "sale"}) == []
    with pytest.raises(CardState):
        await take_back(trade, made.card.id)
    await trade.db.transaction(lambda tx: cancel(tx, order.id, CancelInput()))
    await trade.follow()
    assert await waiting(trade) == []
    assert (await credit.get(trade.db, made.card.id)).status is CardStatus.CANCELLED
    assert await take_back(trade, made.card.id) == TakenBack(0)
    paid = await given(trade, 10_000)
    with pytest.raises(CardState):
        await take_back(trade, paid.card.id)
