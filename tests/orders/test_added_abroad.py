"""Goods that come into an order which goes abroad: each is taxed by its own class there, whatever its first line is."""

from typing import Any

from changing import make, preview
from test_mixed_sets import GERMAN, settings

from mixed_sets import breakfast, by_rate
from samlad import orders
from samlad.orders import FulfilInput, Order
from trade import BUYER, Trade


def taxed(order: Order) -> list[tuple[int, str | None, str | None, str | None]]:
    return [
        (line.tax_rate, line.tax_category, line.tax_treatment, line.tax_country)
        for line in order.lines
        if line.kind == "item"
    ]


def adding(variant: Any, quantity: int = 1) -> dict[str, Any]:
    return {"kind": "add", "variant": str(variant), "quantity": quantity}


async def test_what_is_added_has_the_rate_of_its_own_class_there(trade: Trade) -> None:
    await settings(trade, tax_oss=True)
    _box, _jam, book, bowl = await breakfast(trade)
    order = await trade.place((await trade.cart((book, 1), **GERMAN)).id)
    assert taxed(order) == [(700, "S", "oss", "DE")]
    changed = await make(trade, order, adding(bowl), pay_later=True)
    assert taxed(changed.order) == [(700, "S", "oss", "DE"), (1_900, "S", "oss", "DE")]
    again = await make(
        trade, changed.order, {"kind": "quantity", "position": 1, "quantity": 2}, pay_later=True
    )
    assert taxed(again.order)[-1] == (700, "S", "oss", "DE")
    await trade.follow()
    await trade.sound()


async def test_an_added_set_is_taxed_there_by_its_parts(trade: Trade) -> None:
    await settings(trade, tax_oss=True)
    box, _jam, _book, bowl = await breakfast(trade)
    order = await trade.place((await trade.cart((bowl, 1), **GERMAN)).id)
    said = await preview(trade, order, adding(box), pay_later=True)
    assert {line.tax_rate for line in said.added} == {700, 1_900}
    assert all((line.tax_treatment, line.tax_country) == ("oss", "DE") for line in said.added)


async def test_where_net_prices_stay_it_costs_what_it_costs_in_a_cart(trade: Trade) -> None:
    await settings(trade, tax_oss=True, tax_foreign_price="net")
    box, jam, book, bowl = await breakfast(trade)
    order = await trade.place((await trade.cart((book, 1), **GERMAN)).id)
    for variant in (bowl, jam, box):
        cart = await trade.cart((variant, 2), **GERMAN)
        said = await preview(trade, order, adding(variant, 2), pay_later=True)
        (wanted,) = cart.lines
        assert sum(line.total for line in said.added) == wanted.total
        if variant != box:  # a set's price is shared by what its parts cost at home
            assert sum(line.tax for line in said.added) == wanted.tax


async def test_exports_stay_exports_and_what_is_at_home_is_at_home(trade: Trade) -> None:
    _box, _jam, book, bowl = await breakfast(trade)
    norway = {
        **GERMAN,
        "address": {**GERMAN["address"], "country": "NO", "postal_code": "0150", "city": "Oslo"},
    }
    export = await trade.place((await trade.cart((book, 1), **norway)).id)
    changed = await make(trade, export, adding(bowl), pay_later=True)
    assert taxed(changed.order)[1] == (0, "G", "export", "SE")
    home = await trade.place((await trade.cart((book, 1), **BUYER)).id)
    changed = await make(trade, home, adding(bowl), pay_later=True)
    assert taxed(changed.order)[1] == (2_500, "S", "domestic", "SE")


async def test_what_is_given_instead_over_the_counter_is_taxed_in_the_store(trade: Trade) -> None:
    await settings(trade, tax_oss=True)
    _box, _jam, book, bowl = await breakfast(trade)
    order = await trade.place((await trade.cart((bowl, 1), **GERMAN)).id)
    order = await trade.db.transaction(lambda tx: orders.fulfil(tx, order.id, FulfilInput()))
    swap = {
        "kind": "exchange", "position": 1, "quantity": 1, "variant": str(book), "instant": False, "keep_price": False,
        "reason": "changed_mind",
    }  # fmt: skip
    sent = await preview(trade, order, swap, pay_later=True)
    assert {(line.tax_rate, line.tax_country) for line in sent.sold} == {(700, "DE")}
    here = await preview(trade, order, swap, location=trade.at_malmo.id, hand_over=True, pay_later=True)
    assert {(line.tax_rate, line.tax_country) for line in here.sold} == {(600, "SE")}
    assert by_rate(order).keys() == {1_900}
