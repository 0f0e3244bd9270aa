"""Goods of an order in its reader's language: kept in the channel's own, said in theirs."""

from uuid import UUID

import msgspec

from samlad import customers, orders, stock
from samlad.catalog import ProductInput, products
from samlad.channels import Resource
from samlad.customers import PersonInput
from samlad.documents import snapshot
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from trade import BUYER, Trade


async def apron(trade: Trade) -> UUID:
    """A variant that has names in two languages besides the one that it was named in first."""
    data = msgspec.convert(
        {
            "title": "Apron",
            "handle": "apron",
            "status": "active",
            "options": [{"name": "Size", "values": ["Small"]}],
            "variants": [
                {
                    "sku": "A-S",
                    "options": {"Size": "Small"},
                    "prices": [{"price_list": "base", "amount": 9900}],
                }
            ],
            "translations": {
                "sv": {"title": "Förkläde", "options": {"Small": "Liten"}},
                "nl": {"title": "Schort", "options": {"Small": "Klein"}},
            },
        },
        ProductInput,
    )

    async def work(tx: Tx) -> UUID:
        pools = trade.web.pools
        made = await products.create(tx, pools[Resource.CATALOGUE], data, price_pool=pools[Resource.PRICES])
        await stock.receive(tx, trade.warehouse.id, [(made.variants[0].id, 9)])
        return made.variants[0].id

    return await trade.db.transaction(work)


def names(order: orders.Order) -> list[str]:
    return [f"{line.title} {line.options}".strip() for line in order.lines if line.variant is not None]


async def test_an_order_keeps_the_names_of_its_channel_and_says_them_to_others_in_theirs(
    trade: Trade,
) -> None:
    kettle = await trade.kettle(title="Kettle")
    order = await trade.buy((await apron(trade), 1), (kettle, 1))
    assert trade.web.locale.startswith("sv")
    assert names(order) == ["Förkläde Liten", "Kettle"]

    async def counted(tx: Tx) -> tuple[orders.Order, int]:
        before = tx.statements
        return await orders.spoken(tx, order, "sv"), tx.statements - before

    same, statements = await trade.db.transaction(counted)
    assert (same is order, statements) == (True, 0), "in its own language nothing is asked"
    assert names(await orders.spoken(trade.db, order, "nl-BE")) == ["Schort Klein", "Kettle"]
    assert names(await orders.spoken(trade.db, order, "en")) == ["Apron Small", "Kettle"]


async def test_a_set_and_its_parts_are_named_as_well_and_unknown_goods_stay(trade: Trade) -> None:
    part = await apron(trade)
    whole = await trade.set_of(19_900, (part, 2))
    order = await trade.buy((whole, 1))
    spoken = await orders.spoken(trade.db, order, "nl")
    assert names(spoken) == ["Schort Klein"]
    lost = msgspec.structs.replace(
        order, lines=[msgspec.structs.replace(line, variant=UUID(int=7)) for line in order.lines]
    )
    assert names(await orders.spoken(trade.db, lost, "nl")) == ["Förkläde Liten"]


async def test_what_is_written_to_a_customer_names_goods_in_their_language(trade: Trade) -> None:
    """Found on the way: a Dutch customer of a Swedish shop read a Dutch mail about a “Förkläde”."""
    bought = await apron(trade)
    person = PersonInput(email="kim@example.org", name="Kim", locale="nl")
    pool = trade.web.pools[Resource.CUSTOMERS]
    kim = await trade.db.transaction(
        lambda tx: customers.find_or_create(tx, pool, person, channel=trade.web.id)
    )
    for customer, said in ((None, "Förkläde Liten"), (str(kim.id), "Schort Klein")):
        cart = await trade.cart((bought, 1), **BUYER, customer=customer)
        order = await trade.place(cart.id)
        printed = await snapshot.printed_order(trade.db, order, "receipt", None, now())
        assert f"{printed.lines[0].title} {printed.lines[0].options}" == said
