"""Who has a conversation open is told to the others, and forgotten when they close it."""

from uuid import uuid4

import httpx
import pytest
from test_conversations import OWNER, SAM, begin

from samlad.conversations import presence, sweepers
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Database
from samlad.kernel.problems import Forbidden
from trade import build


async def test_colleagues_see_each_other_until_they_leave(db: Database) -> None:
    trade = await build(db)
    made, other = await begin(trade), await begin(trade, email="lo@example.org")

    async def here(of: object, who: Context) -> list[str]:
        return await db.transaction(lambda tx: presence.here(tx, of), who)  # type: ignore[arg-type]

    assert await here(made.id, OWNER) == []
    assert await here(made.id, SAM) == ["Bo"]
    assert await here(made.id, OWNER) == ["Sam"]
    assert await here(other.id, OWNER) == []
    assert await here(uuid4(), SAM) == []
    assert await db.value("SELECT count(*) FROM conversation_viewer") == 3
    await db.rows(
        "UPDATE conversation_viewer SET seen_at = now() - interval '1 minute' WHERE name = 'Bo' RETURNING 1"
    )
    assert await here(made.id, SAM) == []
    await db.rows("UPDATE conversation_viewer SET seen_at = now() - interval '2 hours' RETURNING 1")
    await sweepers.forget_old(db)
    assert await db.value("SELECT count(*) FROM conversation_viewer") == 0
    with pytest.raises(Forbidden):
        await here(made.id, Context(actor=Actor(kind="staff", id=uuid4(), name="Eve")))


async def test_a_page_hears_of_it_only_when_it_changes(db: Database, api: httpx.AsyncClient) -> None:
    trade = await build(db)
    made = await begin(trade)
    path = f"/admin/conversations/{made.id}/here"
    assert (await api.post(path)).status_code == 204
    await db.transaction(lambda tx: presence.here(tx, made.id), SAM)
    told = await api.post(path)
    assert "Sam has this open, too." in told.text
    assert (await api.post(path, data={"known": "Sam"})).status_code == 204
    await db.rows("UPDATE conversation_viewer SET seen_at = now() - interval '1 minute' RETURNING 1")
    gone = await api.post(path, data={"known": "Sam"})
    assert gone.status_code == 200
    assert "open, too" not in gone.text
