"""Keys of tills: named, replaced, taken back; and what is signed with them is checked."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from selling import AT_TILL, CLERK, Signer, Till, text

from samlad.access.permissions import Role, permissions, permissions_of
from samlad.kernel.clock import now
from samlad.kernel.context import Actor, Context
from samlad.kernel.problems import Forbidden, TooMany
from samlad.tills import TillKeyInput, check_receipt, code_in, name_key, revoke_keys_of_session, signed
from trade import Trade

ApiAs = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
async def http(trade: Trade, api_as: ApiAs) -> AsyncIterator[httpx.AsyncClient]:
    async with api_as(CLERK) as client:
        yield client


async def name(http: httpx.AsyncClient, signer: Signer, **fields: Any) -> httpx.Response:
    return await http.post("/api/till-keys", json=signer.named(**fields))


async def standing(trade: Trade, token: str) -> str | None:
    found = await check_receipt(trade.db, token)
    return None if found is None else found.standing


@given(st.integers(1, 2**53), st.integers(-(10**12), 10**12), st.text(max_size=200))
def test_what_a_key_signed_is_read_and_nothing_else(sequence: int, total: int, other: str) -> None:
    till = UUID(int=sequence)
    mine, theirs = Signer(till), Signer(till)
    token = mine.text_of(sequence, total, datetime(2026, 11, 27, tzinfo=UTC))
    assert code_in(f"https://shop.test/receipt/{token}\n") == token
    said = signed.said(token)
    assert said is not None
    assert (said.sequence, said.total, said.at.year) == (sequence, total, 2026)
    assert signed.is_signed(mine.raw, token)
    assert not signed.is_signed(theirs.raw, token)
    changed = theirs.text_of(sequence, total + 1).rpartition(".")[0] + "." + token.rpartition(".")[2]
    assert not signed.is_signed(mine.raw, changed)
    assert signed.said(other) is None
    assert not signed.is_signed(mine.raw, other)


async def test_a_key_is_named_once_and_its_receipt_is_known_before_its_sale(
    trade: Trade, http: httpx.AsyncClient
) -> None:
    till = Till(trade)
    signer = Signer(till.id)
    variant = await trade.kettle(at=trade.at_malmo)
    token = signer.text_of(1, 19_900)
    assert await check_receipt(trade.db, token) is None  # nobody knows the key yet
    first, again = await name(http, signer), await name(http, signer)
    assert (first.status_code, again.status_code) == (200, 200), first.text
    assert first.json() == again.json()
    assert first.json()["kid"] == signed.key_id(signer.raw)
    assert await trade.db.value("SELECT count(*) FROM event WHERE type = 'till.key_named'") == 1
    assert await trade.db.value("SELECT count(*) FROM audit_entry WHERE verb = 'till-key.named'") == 1
    found = await check_receipt(trade.db, token)
    assert found is not None
    assert (found.standing, found.came) == ("good", None)
    # Forged, of another till, and changed: nobody's.
    assert await check_receipt(trade.db, Signer(till.id).text_of(1, 19_900)) is None
    assert await check_receipt(trade.db, signer.text_of(1, 19_900, till=UUID(int=till.id.int ^ 1))) is None
    assert await check_receipt(trade.db, f"{token[:-4]}AAAA") is None
    # It comes, and is what the receipt says; another total is noticed.
    [verdict] = await till.send(till.sale((variant, 1), rounding=0))
    found = await check_receipt(trade.db, token)
    assert found is not None
    assert found.came is not None
    assert (found.came.order, found.is_same) == (verdict.order, True)
    dear = await check_receipt(trade.db, signer.text_of(1, 99_900))
    assert dear is not None
    assert (dear.standing, dear.is_same) == ("good", False)


async def test_a_key_that_was_replaced_or_taken_back(trade: Trade, http: httpx.AsyncClient) -> None:
    till = uuid4()
    old, new = Signer(till), Signer(till)
    assert (await name(http, old)).status_code == 200
    assert (await name(http, new)).json()["replaced_at"] is None
    assert (await name(http, old)).json()["replaced_at"] is not None  # it does not come back
    hour = timedelta(hours=1)
    assert await standing(trade, old.text_of(1, 100, now() - hour)) == "good"
    assert await standing(trade, old.text_of(2, 100, now() + hour)) == "replaced"
    assert await standing(trade, new.text_of(2, 100, now() + hour)) == "good"
    path = f"/api/till-keys/{signed.key_id(new.raw)}/revoke"
    answers = [await http.post(path, json={"reason": "stolen"}) for _ in range(2)]
    assert [each.status_code for each in answers] == [200, 200], answers[0].text
    assert answers[0].json() == answers[1].json()
    assert await trade.db.value("SELECT count(*) FROM event WHERE type = 'till.key_revoked'") == 1
    assert await standing(trade, new.text_of(3, 100, now() - hour)) == "revoked-later"
    assert await standing(trade, new.text_of(4, 100, now() + hour)) == "revoked"
    assert await standing(trade, old.text_of(1, 100, now() - hour)) == "good"
    assert (await http.post("/api/till-keys/0000000000000000/revoke", json={})).status_code == 404
    listed = (await http.get("/api/till-keys")).json()["items"]
    assert [(each["reason"], each["state"]) for each in listed] == [("stolen", "revoked"), ("", "replaced")]
    assert (await name(http, new)).json()["revoked_at"] is not None


async def test_a_key_that_was_taken_back_by_mistake(trade: Trade, http: httpx.AsyncClient) -> None:
    hour, till = timedelta(hours=1), uuid4()
    first, second = Signer(till), Signer(till)
    await name(http, first)
    path = f"/api/till-keys/{signed.key_id(first.raw)}"
    await http.post(f"{path}/revoke", json={"reason": "the wrong one"})
    answers = await asyncio.gather(
        *(http.post(f"{path}/restore", json={"reason": "found"}) for _ in range(3))
    )
    assert [each.status_code for each in answers] == [200] * 3, [each.text for each in answers]
    assert {each.json()["state"] for each in answers} == {"good"}
    assert await trade.db.value("SELECT count(*) FROM event WHERE type = 'till.key_restored'") == 1
    assert await trade.db.value("SELECT count(*) FROM audit_entry WHERE verb = 'till-key.restored'") == 1
    assert await standing(trade, first.text_of(1, 100, now() + hour)) == "good"
    assert (await name(http, first)).json()["revoked_at"] is None
    # Taken back, the till has made another, and only then somebody notices: it counts for what it signed until then.
    await http.post(f"{path}/revoke", json={"reason": "again"})
    await name(http, second)
    assert (await http.post(f"{path}/restore", json={})).json()["state"] == "replaced"
    assert await standing(trade, first.text_of(1, 100, now() - hour)) == "good"
    assert await standing(trade, first.text_of(2, 100, now() + hour)) == "replaced"
    assert await standing(trade, second.text_of(2, 100, now() + hour)) == "good"
    assert (await http.post("/api/till-keys/0000000000000000/restore", json={})).status_code == 404
    card = {"reason": "4111 1111 1111 1111"}
    assert (await http.post(f"{path}/restore", json=card)).status_code == 422


async def test_a_key_is_restored_while_its_till_names_another(trade: Trade, http: httpx.AsyncClient) -> None:
    till = uuid4()
    first, second = Signer(till), Signer(till)
    await name(http, first)
    path = f"/api/till-keys/{signed.key_id(first.raw)}"
    await http.post(f"{path}/revoke", json={})
    answers = await asyncio.gather(http.post(f"{path}/restore", json={}), name(http, second))
    assert [each.status_code for each in answers] == [200, 200], [each.text for each in answers]
    rows = await trade.db.rows("SELECT kid FROM till_key WHERE replaced_at IS NULL AND revoked_at IS NULL")
    assert [row["kid"] for row in rows] == [signed.key_id(second.raw)]


async def test_keys_are_listed_by_till_store_and_state(trade: Trade, http: httpx.AsyncClient) -> None:
    till, other = uuid4(), uuid4()
    old, new, theirs = Signer(till), Signer(till), Signer(other)
    for signer in (old, new, theirs):
        await name(http, signer)
    older = "UPDATE till_key SET used_at = used_at - interval '2 days'"
    await trade.db.transaction(lambda tx: tx.execute(older))
    await name(http, new)

    async def kids(**query: str) -> list[str]:
        answer = await http.get("/api/till-keys", params=query)
        assert answer.status_code == 200, answer.text
        return [each["kid"] for each in answer.json()["items"]]

    of = {
        name: signed.key_id(signer.raw) for name, signer in (("old", old), ("new", new), ("theirs", theirs))
    }
    assert await kids() == [of["theirs"], of["new"], of["old"]]
    assert await kids(till=str(till)) == [of["new"], of["old"]]
    assert (await kids(sort="-used_at"))[0] == of["new"]  # it was named again
    assert await kids(state="replaced") == [of["old"]]
    assert await kids(q=of["theirs"][:9]) == [of["theirs"]]
    assert set(await kids(q=till.hex[-4:].upper())) >= {of["new"], of["old"]}
    assert await kids(channel="nowhere") == []
    first = await http.get("/api/till-keys", params={"limit": 2})
    assert await kids(limit="2", cursor=first.json()["next_cursor"]) == [of["old"]]
    file = await http.get("/api/till-keys", params={"format": "csv", "state": "replaced"})
    head, row = file.text.strip().splitlines()
    assert head.startswith("kid,till,till_code,channel,")
    assert row.split(",")[0].strip("'") == of["old"]


async def test_keys_that_are_named_at_once(trade: Trade, http: httpx.AsyncClient) -> None:
    till = uuid4()
    mine, other = Signer(till), Signer(till)
    answers = await asyncio.gather(*(name(http, each) for each in (mine, other, mine, other, mine)))
    assert [each.status_code for each in answers] == [200] * 5, [each.text for each in answers]
    assert await trade.db.value("SELECT count(*) FROM event WHERE type = 'till.key_named'") == 2
    assert await trade.db.value("SELECT count(*) FROM till_key WHERE replaced_at IS NULL") == 1


async def test_who_may_name_a_key(trade: Trade, http: httpx.AsyncClient, api_as: ApiAs) -> None:
    signer = Signer(uuid4())
    for public in ("A" * 87, text(b"\x04" + bytes(64)), "x"):
        assert (await name(http, signer, public=public)).status_code in (400, 422)
    assert (await name(http, signer)).status_code == 200
    assert (await name(http, signer, till=str(uuid4()))).status_code == 409  # another till's
    key = Actor(kind="key", id=uuid4(), name="ERP", permissions=frozenset(permissions()))
    elsewhere = Actor(
        kind="staff",
        id=uuid4(),
        name="Elsa",
        permissions=permissions_of(Role.STORE),
        locations=frozenset({trade.warehouse.id}),
    )
    for actor in (key, elsewhere):
        data = TillKeyInput(channel="malmo", till=uuid4(), public=text(Signer(uuid4()).raw))
        with pytest.raises(Forbidden):
            await trade.db.transaction(lambda tx, data=data: name_key(tx, data), Context(actor=actor))
    async with api_as(elsewhere) as other:
        path = f"/api/till-keys/{signed.key_id(signer.raw)}/revoke"
        assert (await other.post(path, json={})).status_code == 403


async def test_a_till_has_not_many_keys_and_they_go_with_its_sign_in(trade: Trade) -> None:
    till, session = uuid4(), uuid4()
    last = Signer(till)
    for signer in [*(Signer(till) for _ in range(9)), last]:
        data = TillKeyInput(channel="malmo", till=till, public=text(signer.raw))
        await trade.db.transaction(lambda tx, data=data: name_key(tx, data, session), AT_TILL)
    one_more = TillKeyInput(channel="malmo", till=till, public=text(Signer(till).raw))
    with pytest.raises(TooMany):
        await trade.db.transaction(lambda tx: name_key(tx, one_more, session), AT_TILL)
    await trade.db.transaction(lambda tx: revoke_keys_of_session(tx, session), AT_TILL)
    assert await trade.db.value("SELECT count(*) FROM till_key WHERE revoked_at IS NULL") == 0
    assert await standing(trade, last.text_of(1, 100, now() - timedelta(hours=1))) == "revoked-later"
