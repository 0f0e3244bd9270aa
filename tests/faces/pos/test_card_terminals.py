"""Card terminals of a location: listed, named, removed; one payment at a time each."""

import asyncio
from importlib.resources import files
from typing import Any

import httpx
import pytest
from market import Market

from samlad import channels, payments
from samlad.access.permissions import Role, permissions_of
from samlad.channels import ChannelChange
from samlad.kernel.context import Actor, Context
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Forbidden, InvalidInput
from samlad.payments import StartInput, TerminalBusy, card_terminal_store, card_terminals
from samlad.payments.card_terminal_model import CardTerminalInput


@pytest.fixture(autouse=True)
async def terminal_in_the_store(market: Market) -> None:
    change = ChannelChange(settings={"payment_providers": ["cash", "terminal"]})
    await market.db.transaction(lambda tx: channels.change(tx, market.stores[0].id, change))


async def begun(market: Market, **more: object) -> payments.Payment:
    store = await channels.cached(market.db, market.stores[0].id)
    wanted = StartInput(provider="terminal", amount=5_000, **more)  # type: ignore[arg-type]
    return await market.db.transaction(lambda tx: payments.begin(tx, new_id(), store, 5_000, wanted))


async def test_a_store_that_has_listed_none_has_one(market: Market) -> None:
    tried = await asyncio.gather(*(begun(market) for _ in range(4)), return_exceptions=True)
    assert [type(each) for each in tried if not isinstance(each, payments.Payment)] == [TerminalBusy] * 3
    [one] = await payments.card_terminals_of(market.db, market.places[0].id)
    assert (one.name, one.busy, one.currency) == ("Kortterminal", 5_000, "SEK")
    [paid] = [each for each in tried if isinstance(each, payments.Payment)]
    assert paid.terminal == one.id
    await market.db.transaction(lambda tx: payments.leave_all(tx, paid.cart))  # type: ignore[arg-type]
    assert (await begun(market)).terminal == one.id, "it is free as soon as that is called off"


async def test_another_payment_lists_it_between_two_looks(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = card_terminal_store.had_any

    async def somebody_was_quicker(*args: Any) -> bool:
        monkeypatch.setattr(card_terminal_store, "had_any", looks)
        await begun(market)
        return await looks(*args)

    monkeypatch.setattr(card_terminal_store, "had_any", somebody_was_quicker)
    with pytest.raises(TerminalBusy):
        await begun(market)


async def test_they_are_listed_named_and_removed(api: httpx.AsyncClient, market: Market) -> None:
    place = str(market.places[0].id)
    sent = {"id": str(new_id()), "location": place, "name": "Till 1", "reference": "SN-1"}
    made = await api.post("/api/card-terminals", json=sent)
    assert made.status_code == 201, made.text
    assert (await api.post("/api/card-terminals", json=sent)).json() == made.json(), "twice it is one"
    taken = await api.post("/api/card-terminals", json={"location": place, "name": "TILL 1"})
    assert (taken.status_code, taken.json()["type"]) == (409, "/problems/card-terminal-name-taken")
    card = await api.post("/api/card-terminals", json={"location": place, "name": "4111 1111 1111 1111"})
    assert (card.status_code, card.json()["type"]) == (422, "/problems/card-number")
    here = f"/api/card-terminals/{sent['id']}"
    named = await api.patch(here, json={"name": "Desk"}, headers={"If-Match": '"1"'})
    assert (named.json()["name"], named.json()["reference"]) == ("Desk", "SN-1")
    assert (await api.patch(here, json={"name": "Door"}, headers={"If-Match": '"1"'})).status_code == 412
    payment = await begun(market)
    [listed] = (await api.get("/api/card-terminals", params={"location": place})).json()["items"]
    assert (listed["name"], listed["busy"]) == ("Desk", 5_000)
    asked = await api.delete(here)
    assert (asked.status_code, asked.json()["type"]) == (409, "/problems/card-terminal-busy")
    assert (await api.delete(here, params={"anyway": "true"})).status_code == 204
    assert (await api.delete(here)).status_code == 204, "again is no error"
    assert (await api.delete(f"/api/card-terminals/{new_id()}")).status_code == 404
    found = (await api.get(f"/api/payments/{payment.id}")).json()
    assert (found["terminal"], found["status"]) == (sent["id"], "pending"), "what waits there goes on"
    with pytest.raises(InvalidInput) as refused:
        await begun(market)
    assert "no card terminal any more" in str(refused.value), "it is not listed anew by itself"
    kinds = await market.db.rows("SELECT type FROM event WHERE type LIKE 'card_terminal.%' ORDER BY id")
    assert [row["type"] for row in kinds] == [
        "card_terminal.added",
        "card_terminal.changed",
        "card_terminal.removed",
    ]


async def test_managers_of_a_store_manage_its_own(market: Market) -> None:
    manager = Actor(
        kind="staff",
        id=new_id(),
        name="Mio",
        permissions=permissions_of(Role.MANAGER),
        locations=frozenset({market.places[1].id}),
    )
    for place, is_theirs in ((market.places[0].id, False), (market.places[1].id, True)):
        data = CardTerminalInput(location=place, name="Till 1")
        adding = market.db.transaction(
            lambda tx, data=data: card_terminals.add(tx, data),
            Context(actor=manager),
        )
        if is_theirs:
            assert (await adding).name == "Till 1"
        else:
            with pytest.raises(Forbidden):
                await adding


async def test_a_page_asks_before_one_that_is_in_use_is_removed(
    api: httpx.AsyncClient, market: Market
) -> None:
    people, base = {"accept": "text/html", "accept-language": "en"}, "/admin/payments/terminals"
    place = str(market.places[0].id)
    assert "No card terminal is listed" in (await api.get(base, headers=people)).text
    empty = await api.post(base, data={"location": place, "name": " "}, headers=people)
    assert empty.status_code == 422
    assert (
        await api.post(base, data={"location": place, "name": "Till 1"}, headers=people)
    ).status_code == 303
    again = await api.post(base, data={"location": place, "name": "till 1"}, headers=people)
    assert again.status_code == 409
    assert "This place has a card terminal till 1 already" in again.text
    [one] = await payments.card_terminals_of(market.db, market.places[0].id)
    here = f"{base}/{one.id}"
    named = {"name": "Desk", "reference": "", "version": "1"}
    assert (await api.post(here, data=named, headers=people)).status_code == 303
    assert "Desk" in (await api.get(base, headers=people)).text
    await begun(market)
    asked = await api.post(f"{here}/remove", headers=people)
    assert asked.status_code == 409
    assert "Remove it anyway" in asked.text
    assert (await api.post(f"{here}/remove", data={"anyway": "1"}, headers=people)).status_code == 303
    assert (await api.get(here, headers=people)).status_code == 404


async def test_an_upgrade_lists_the_one_terminal_of_stores_that_have_it(market: Market) -> None:
    """Also of those that have it from their parent; not of those that take no cards so."""
    [listing] = (
        (files("samlad.payments") / "sql/0008_card_terminals.sql")
        .read_text()
        .split("-- Stores that take")[1:]
    )
    await market.db.rows(
        f"WITH RECURSIVE{listing.split('WITH RECURSIVE')[1].rstrip().rstrip(';')} RETURNING id"
    )
    rows = await market.db.rows("SELECT location, name FROM card_terminal")
    assert [tuple(row) for row in rows] == [(market.places[0].id, "Card terminal")]
    assert (await begun(market)).terminal is not None
