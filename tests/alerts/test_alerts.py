"""Somebody is told once when something is there again."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from account_people import Post
from samlad import alerts, stock
from samlad.alerts import AlertInput, sweepers
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Database
from samlad.kernel.problems import InvalidInput, NotFound, TooMany
from samlad.kernel.settings import Settings
from trade import Trade, build

GUEST = Context(actor=Actor(kind="guest"), remote="192.0.2.9")


async def ask(trade: Trade, variant: UUID, email: str | None, context: Context = GUEST) -> None:
    data = AlertInput(channel=trade.web.id, variant=variant, email=email, language="sv", consent="Ja")
    await trade.db.transaction(lambda tx: alerts.ask(tx, data), context)


async def due(db: Database) -> list[Any]:
    rows = await db.rows(
        "SELECT personal ->> 'email' AS email FROM event WHERE type = 'stock_alert.due' ORDER BY 1"
    )
    return [row["email"] for row in rows]


async def test_whoever_waits_is_told_once(db: Database, api_as: Any) -> None:
    trade = await build(db)
    kettle, other = await trade.kettle(quantity=0), await trade.kettle(quantity=0)
    await asyncio.gather(
        *(ask(trade, kettle, each) for each in ("Kim@example.org", "kim@example.org", "robin@example.org"))
    )
    await ask(trade, other, "kim@example.org")
    assert await db.value("SELECT count(*) FROM stock_alert") == 3, "asked twice it is kept once"
    assert await sweepers.sweep(db) == 0
    assert await due(db) == []

    await db.transaction(lambda tx: stock.receive(tx, trade.warehouse.id, [(kettle, 1)]))
    told = await asyncio.gather(*(sweepers.sweep(db) for _ in range(3)))
    assert sum(told) == 2
    assert await due(db) == ["kim@example.org", "robin@example.org"]
    assert await db.value("SELECT count(*) FROM stock_alert WHERE told_at IS NOT NULL AND email IS NULL") == 2
    assert await sweepers.sweep(db) == 0

    await ask(trade, kettle, "kim@example.org")  # whoever asks again waits again
    assert await sweepers.sweep(db) == 1
    waiting = await db.value("SELECT id FROM stock_alert WHERE ended_at IS NULL")
    stranger = Context(actor=Actor(kind="customer", id=uuid4()))
    with pytest.raises(NotFound):
        await db.transaction(lambda tx: alerts.end(tx, waiting), stranger)
    for _ in range(2):
        await db.transaction(lambda tx: alerts.end(tx, waiting))
    await db.transaction(lambda tx: stock.receive(tx, trade.warehouse.id, [(other, 1)]))
    assert await sweepers.sweep(db) == 0
    async with api_as() as owner, api_as(Actor(kind="guest")) as guest:
        assert len((await owner.get("/api/stock-alerts?waiting=false")).json()["items"]) == 4
        assert (await guest.get("/api/stock-alerts")).status_code == 401
        body = {"channel": str(trade.web.id), "variant": str(other), "language": "sv"}
        assert (await guest.post("/api/stock-alerts", json=body)).status_code == 422
        assert (
            await guest.post("/api/stock-alerts", json={**body, "email": "a@example.org"})
        ).status_code == 204


@pytest.mark.parametrize("goes_out", [True, False])
async def test_the_mail_goes_out_once_in_their_language(
    db: Database, settings: Settings, *, goes_out: bool
) -> None:
    trade = await build(db)
    db.settings = msgspec.structs.replace(
        settings, mail_to_log=goes_out, public_url="https://shop.example.org"
    )
    kettle = await trade.kettle(quantity=0)
    await ask(trade, kettle, "kim@example.org")
    await db.transaction(lambda tx: stock.receive(tx, trade.warehouse.id, [(kettle, 1)]))
    for _ in range(2):
        await sweepers.sweep(db)
        await trade.follow()
    told = await Post(db, db.settings, trade.web).mails()
    if not goes_out:
        assert told == []
        return
    [told_once] = told
    assert told_once.to == "kim@example.org"
    assert "Tillbaka igen: Kettle" in told_once.subject
    assert "https://shop.example.org/p/" in told_once.text
    assert "?variant=" in told_once.text


async def test_what_cannot_be_asked(db: Database) -> None:
    trade = await build(db)
    kettle = await trade.kettle(quantity=0)
    with pytest.raises(InvalidInput):
        await ask(trade, kettle, None)
    with pytest.raises(NotFound):
        await ask(trade, uuid4(), "kim@example.org")
    asked = [ask(trade, kettle, f"k{number}@example.org") for number in range(30)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert 0 < sum(isinstance(each, TooMany) for each in answers) < 30
