"""Labels that somebody asks for: which goods, made once by a job, read by whoever may."""

import asyncio
import io
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pypdf
import pytest

from samlad import labels
from samlad.access.permissions import permissions
from samlad.catalog import prices
from samlad.catalog.prices import PriceSetting
from samlad.kernel.context import Actor, Context
from samlad.kernel.ids import new_id
from samlad.kernel.jobs import JobContext
from samlad.kernel.problems import Forbidden, InvalidInput
from samlad.labels import LabelRun, LabelRunInput, NoFile, Pick, RunState, making, rules, store
from trade import Trade

WHO = Context(actor=Actor(kind="staff", id=new_id(), name="Ann", permissions=frozenset(permissions())))


async def ask(trade: Trade, **fields: Any) -> LabelRun:
    data = LabelRunInput(channel=trade.malmo.id, **fields)
    return await trade.db.transaction(lambda tx: labels.ask(tx, data), WHO)


async def made(trade: Trade, run: LabelRun) -> LabelRun:
    await making.make(JobContext(trade.db, trade.db.settings, 1, "labels.make", 1, Context()), run.id)
    found = await labels.run(trade.db, run.id)
    assert found is not None
    return found


async def reprice(trade: Trade, variant: UUID, amount: int, compare_at: int | None = None) -> None:
    base = await trade.db.value("SELECT price_list FROM price WHERE variant = $1", variant)
    wanted = PriceSetting(variant=variant, amount=amount, compare_at=compare_at)
    await trade.db.transaction(lambda tx: prices.set_prices(tx, base, [wanted]))


async def sku_of(trade: Trade, variant: Any) -> str:
    return str(await trade.db.value("SELECT sku FROM variant WHERE id = $1", variant))


async def test_labels_of_codes_are_made_once(trade: Trade) -> None:
    kettle = await trade.kettle(price=19_900)
    sku = await sku_of(trade, kettle)
    key = new_id()
    asked = [await ask(trade, id=key, picks=[Pick(sku, 2), Pick("NOBODY")], copies=2) for _ in range(2)]
    assert {each.id for each in asked} == {key}
    assert (
        await trade.db.value("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'labels.make'") == 1
    )
    with pytest.raises(NoFile):
        await labels.content(trade.db, key)
    found = await made(trade, asked[0])
    assert (found.state, found.labels, found.missing) == (RunState.READY, 4, ["NOBODY"])
    _run, content = await labels.content(trade.db, key)
    assert content.startswith(b"%PDF")
    assert found.size == len(content)
    assert (await made(trade, asked[0])).ended_at == found.ended_at, "a job that runs again changes nothing"
    assert await trade.db.value("SELECT count(*) FROM event WHERE type = 'labels.made'") == 1


async def test_many_labels_are_drawn_in_parts_and_go_on_after_a_crash(
    trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "A_PART", 24)
    kettle = await trade.kettle(price=19_900)
    run = await ask(trade, picks=[Pick(await sku_of(trade, kettle), 60)], skip=4)
    drawn, counted = store.drawn, iter(range(9))

    async def dies(*args: Any, **fields: Any) -> None:
        if next(counted) == 1:
            raise RuntimeError("killed")
        await drawn(*args, **fields)

    with monkeypatch.context() as patch:
        patch.setattr(store, "drawn", dies)
        with pytest.raises(RuntimeError):
            await made(trade, run)
    half = await labels.run(trade.db, run.id)
    assert half is not None
    assert (half.state, half.labels, half.total) == (RunState.WAITING, 20, 60)
    await reprice(trade, kettle, 14_900)  # what they say was written down
    await asyncio.gather(*(made(trade, run) for _ in range(2)))
    found, content = await labels.content(trade.db, run.id)
    assert (found.state, found.labels, found.size) == (RunState.READY, 60, len(content))
    pages = pypdf.PdfReader(io.BytesIO(content)).pages
    assert [page.extract_text().count("199,00") for page in pages] == [20, 24, 16]
    assert await trade.db.value("SELECT count(*) FROM label_part") == 0
    assert await trade.db.value("SELECT count(*) FROM event WHERE type = 'labels.made'") == 1


async def test_tags_say_what_the_law_asks_for(trade: Trade) -> None:
    kettle = await trade.kettle(price=19_900)
    await trade.db.rows(
        """UPDATE product SET attributes = '{"net_content": "500 g"}' WHERE id =
           (SELECT product FROM variant WHERE id = $1) RETURNING 1""",
        kettle,
    )
    await trade.db.rows("UPDATE variant SET gtin = '7310865004703' WHERE id = $1 RETURNING 1", kettle)
    await trade.db.rows(
        "UPDATE price_history SET applied_from = now() - interval '40 days' WHERE variant = $1 RETURNING 1",
        kettle,
    )
    await reprice(trade, kettle, 14_900, 24_900)
    (tag,) = await making.tags(trade.db, trade.malmo, {kettle: 3})
    assert (tag.gtin, tag.code, tag.copies) == ("7310865004703", "7310865004703", 3)
    assert tag.price.replace("\xa0", " ") == "149,00 kr"
    assert tag.unit_price.replace("\xa0", " ") == "298,00 kr/kg"
    assert "199,00" in tag.lowest
    assert tag.link.endswith("/01/7310865004703")


async def test_goods_whose_price_changed(trade: Trade) -> None:
    kettle, mug = await trade.kettle(), await trade.kettle()
    await trade.db.rows("UPDATE price_history SET applied_from = now() - interval '9 days' RETURNING 1")
    since = datetime.now(UTC) - timedelta(days=1)
    data = LabelRunInput(channel=trade.malmo.id, changed_since=since, copies=2)
    assert await making.chosen(trade.db, trade.malmo, data) == ({}, [])
    nothing = await made(trade, await ask(trade, changed_since=since))
    assert (nothing.state, nothing.reason) == (RunState.FAILED, making.NOTHING)
    await reprice(trade, mug, 14_900)
    assert await making.chosen(trade.db, trade.malmo, data) == ({mug: 2}, [])
    await trade.db.rows(
        "UPDATE product SET brand = 'Best' WHERE id = (SELECT product FROM variant WHERE id = $1) RETURNING 1",
        kettle,
    )
    best = LabelRunInput(channel=trade.malmo.id, brand="Best")
    assert await making.chosen(trade.db, trade.malmo, best) == ({kettle: 1}, [])


async def test_what_is_wrong_is_said(trade: Trade) -> None:
    for wrong, field in (
        ({}, "picks"),
        ({"picks": [Pick("A")], "form": "zpl"}, "form"),
        ({"picks": [Pick("A")], "skip": 24}, "skip"),
    ):
        with pytest.raises(InvalidInput) as caught:
            await ask(trade, **wrong)
        assert caught.value.errors[0].field == field
    nobody = Context(actor=Actor(kind="staff", id=new_id(), name="Nobody"))
    data = LabelRunInput(channel=trade.malmo.id, brand="x")
    with pytest.raises(Forbidden):
        await trade.db.transaction(lambda tx: labels.ask(tx, data), nobody)
