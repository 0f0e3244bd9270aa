"""Audiences at receivers: what they have is who is in and has agreed, whatever fails on the way."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from receivers import KEY, Receivers, sha

from audience import Audience
from samlad import privacy
from samlad.destinations import service, sweepers, syncing
from samlad.destinations.model import Entry
from samlad.destinations.strategies import STRATEGIES, Google, Meta, Sending
from samlad.kernel import outside
from samlad.kernel.settings import Settings
from samlad.kernel.vault import Vault
from samlad.privacy import running

WHO = {
    "google": {"account": "1234567890", "audience": "42", "client_id": "c", "client_secret": "s", "refresh_token": "refresh"},
    "meta": {"audience": "4711", "token": "secret-token"},
    "webhook": {"url": "https://hook.example/hook", "secret": f"whsec_{KEY}"},
}  # fmt: skip


@pytest.fixture
async def receivers(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Receivers]:
    async with Receivers() as found:
        monkeypatch.setitem(STRATEGIES, "google", Google(f"{found.base}/google", f"{found.base}/token"))
        monkeypatch.setitem(STRATEGIES, "meta", Meta(f"{found.base}/meta"))
        yield found


class Desk:
    """A segment of everybody, its destinations, and people who agree or not."""

    def __init__(
        self, audience: Audience, api: httpx.AsyncClient, settings: Settings, there: Receivers
    ) -> None:
        self.audience, self.api, self.settings, self.there = audience, api, settings, there
        self.vault = Vault.of(settings)

    async def begin(self, *strategies: str) -> dict[str, str]:
        made = await self.audience.segment("Everybody", {"kind": "customer_since", "within": {"days": 9}})
        self.segment = made.id
        found = {}
        for each in strategies:
            data = {"segment": str(made.id), "strategy": each, "name": each, "config": WHO[each]}
            answer = await self.api.post("/api/destinations", json=data)
            assert answer.status_code == 201, answer.text
            assert "secret-token" not in answer.text + str(
                await self.audience.db.rows("SELECT * FROM destination")
            )
            found[each] = answer.json()["id"]
        # The fake has no certificate: what the form would refuse is put in its place.
        await self.audience.db.rows(
            """UPDATE destination SET config = jsonb_set(config, '{url}', to_jsonb($1::text))
               WHERE strategy = 'webhook' RETURNING 1""",
            f"{self.there.base}/hook",
        )
        return found

    async def answers(self, person: UUID, answer: str) -> None:
        said = {"purpose": "ads", "answer": answer, "event_id": uuid4().hex}
        told = await self.api.post(f"/api/consent/people/{person}", json={"answers": [said]})
        assert told.status_code == 201, told.text

    async def sync(self, destination: str) -> None:
        await self.audience.follow()
        await syncing.sync(
            self.audience.db, self.vault, self.settings.home, UUID(destination), self.there.gate
        )
        assert self.there.faults == []


@pytest.fixture
async def desk(audience: Audience, api: httpx.AsyncClient, settings: Settings, receivers: Receivers) -> Desk:
    return Desk(audience, api, settings, receivers)


async def test_receivers_have_who_is_in_and_has_agreed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three receivers, each with its own hashes; leaving, a no, a new address and an erasure take people out."""
    audience, there = desk.audience, desk.there
    ids = await desk.begin("google", "meta", "webhook")
    kim = await audience.person(email="Kim.Lee+x@Gmail.com", phone="+46701234567", name="Kim")
    sam = await audience.person(email="sam@example.org")
    lou = await audience.person(email="lou@example.org")
    nobody = await audience.person(email=None, external_id="N1", name="Nobody", phone="12")
    await audience.follow()
    for each in (kim, sam, nobody):
        await desk.answers(each, "granted")
    await audience.follow()
    tried = (await desk.api.get(f"/api/destinations/{ids['meta']}/dry-run")).json()
    assert (tried["adds"], tried["without_consent"]) == (2, 1)
    assert there.asked == []
    for each in ids.values():
        await desk.sync(each)
    assert there.has["google"] == {sha("kimlee@gmail.com"), sha("+46701234567"), sha("sam@example.org")}
    assert there.has["meta"] == {sha("kim.lee+x@gmail.com"), sha("46701234567"), sha("sam@example.org")}
    assert there.has["webhook"] == {sha("kim.lee+x@gmail.com"), sha("+46701234567"), sha("sam@example.org")}
    asked = len(there.asked)
    for each in ids.values():
        await desk.sync(each)
    assert len(there.asked) == asked, "nothing changed, nothing is sent"

    await desk.answers(lou, "granted")
    await desk.answers(sam, "denied")
    changed = await desk.api.patch(
        f"/api/customers/{kim}", json={"email": "new@example.org"}, headers={"If-Match": "*"}
    )
    assert changed.status_code == 200, changed.text
    await desk.sync(ids["meta"])
    assert there.has["meta"] == {sha("new@example.org"), sha("46701234567"), sha("lou@example.org")}

    monkeypatch.setattr(running, "SETTLE_SECONDS", 0)
    data = privacy.RequestInput(kind=privacy.RequestKind.ERASURE, person=kim, after_minutes=0)
    request = await audience.db.transaction(lambda tx: privacy.ask(tx, data))
    await running.erase(audience.db, desk.vault, request.id)
    for each in ids.values():
        await desk.sync(each)
    assert there.has == {name: {sha("lou@example.org")} for name in there.has}
    assert await audience.db.value("SELECT count(*) FROM destination_sent WHERE person = $1", kim) == 0

    gone = await desk.api.delete(f"/api/destinations/{ids['google']}", headers={"If-Match": "*"})
    assert gone.status_code == 204, gone.text
    await desk.sync(ids["google"])
    await desk.sync(ids["google"])
    assert there.has["google"] == set()
    assert (await desk.api.get(f"/api/destinations/{ids['google']}")).json()["state"] == "ended"
    assert (
        await audience.db.value("SELECT count(*) FROM secret WHERE name = $1", f"destination/{ids['google']}")
        == 0
    )
    batches = (await desk.api.get(f"/api/destinations/{ids['meta']}/batches")).json()["items"]
    assert {each["state"] for each in batches} == {"sent"}


async def test_what_fails_is_tried_again_and_nobody_is_left_behind(desk: Desk, settings: Settings) -> None:
    """Refusals with a pause that is kept, a lost answer, a kill between sending and noting, two senders at once, a shared
    address, and a host inside our own network."""
    audience, there = desk.audience, desk.there
    this = (await desk.begin("webhook"))["webhook"]
    destination = UUID(this)
    kim = await audience.person(email="home@example.org")
    await audience.follow()
    await desk.answers(kim, "granted")
    there.moods = [(429, "120")]
    await desk.sync(this)
    shown = (await desk.api.get(f"/api/destinations/{this}")).json()
    assert shown["failures"] == 1
    assert "429" in shown["last_error"]
    await desk.sync(this)
    assert there.has["webhook"] == set(), "the pause is kept"
    await _now(desk, destination)
    there.moods = [("cut", None)]
    await desk.sync(this)
    assert there.has["webhook"] == {sha("home@example.org")}, "taken, though we do not know it"
    # Before it is confirmed the person says no: what the receiver may have is removed all the same.
    await desk.answers(kim, "denied")
    await _now(desk, destination)
    await desk.sync(this)
    assert there.has["webhook"] == set()
    assert await audience.db.value("SELECT count(*) FROM destination_sent") == 0

    sam = await audience.person(phone="+46701234567", email=None, external_id="S1")
    lou = await audience.person(phone="+46701234567", email="lou@example.org")
    for each in (sam, lou):
        await audience.follow()
        await desk.answers(each, "granted")
    await desk.sync(this)
    assert there.has["webhook"] == {sha("+46701234567"), sha("lou@example.org")}
    await desk.answers(sam, "denied")
    if await _may(desk, lou):  # unless identity has made one person of the two
        await desk.sync(this)
        assert there.has["webhook"] == {sha("+46701234567"), sha("lou@example.org")}, (
            "the other still has the number"
        )

    await desk.answers(kim, "granted")
    await audience.follow()
    sender = syncing.sync(audience.db, desk.vault, settings.home, destination, there.gate)
    twin = syncing.sync(audience.db, desk.vault, settings.home, destination, there.gate)
    before = len(there.asked)
    await asyncio.gather(sender, twin)
    assert len(there.asked) == before + 1
    assert sha("home@example.org") in there.has["webhook"]

    await audience.db.transaction(lambda tx: service.everybody(tx, destination))
    await desk.answers(kim, "denied")
    await audience.follow()
    await syncing.sync(audience.db, desk.vault, settings.home, destination, outside.PUBLIC)
    shown = (await desk.api.get(f"/api/destinations/{this}")).json()
    assert "not allowed" in shown["last_error"], "no way into our own network"
    assert sha("home@example.org") in there.has["webhook"]
    await _now(desk, destination)
    await desk.sync(this)
    assert sha("home@example.org") not in there.has["webhook"]


async def _now(desk: Desk, destination: UUID) -> None:
    await desk.audience.db.rows(
        "UPDATE destination SET next_at = NULL WHERE id = $1 RETURNING 1", destination
    )


async def _may(desk: Desk, person: UUID) -> bool:
    survivor: Any = await desk.audience.db.value("SELECT survivor FROM customer WHERE id = $1", person)
    return survivor is None


async def test_files_are_dropped_whole(desk: Desk, settings: Settings) -> None:
    made = await desk.audience.segment("All", {"kind": "customer_since", "within": {"days": 9}})
    bad = {"segment": str(made.id), "strategy": "file", "name": "F", "config": {"folder": "../up"}}
    refused = await desk.api.post("/api/destinations", json=bad)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "config.folder"
    assert (await desk.api.post("/api/destinations", json={**bad, "strategy": "pigeon"})).status_code == 422
    for purpose in ("nothing", "necessary"):
        refused = await desk.api.post("/api/destinations", json={**bad, "purpose": purpose})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "purpose")
    made_there = await desk.api.post("/api/destinations", json={**bad, "config": {"folder": "agency"}})
    again = await desk.api.post("/api/destinations", json={**bad, "config": {"folder": "agency"}})
    assert (made_there.status_code, again.status_code) == (201, 409)
    kim = await desk.audience.person(email="kim@example.org")
    await desk.audience.follow()
    await desk.answers(kim, "granted")
    await desk.sync(made_there.json()["id"])
    (path,) = (settings.home / "drops" / "agency").iterdir()
    assert path.read_text().splitlines() == [
        "action,email_sha256,phone_sha256",
        f"add,{sha('kim@example.org')},",
    ]


async def test_a_merge_and_stricter_rules_of_consent_take_people_out_at_once(desk: Desk) -> None:
    """Who stays in the segment may be denied all the same: by the no of whoever turns out to be the same person, or because
    a yes needs more behind it. What nobody is asked for has nobody's yes."""
    audience, there = desk.audience, desk.there
    this = (await desk.begin("webhook"))["webhook"]
    kim, lou = [await audience.person(email=f"{name}@example.org") for name in ("kim", "lou")]
    await audience.follow()
    await desk.answers(lou, "denied")
    await desk.answers(kim, "granted")
    await desk.sync(this)
    assert there.has["webhook"] == {sha("kim@example.org")}
    merged = await audience.merge(kim, lou)
    await desk.sync(this)
    assert await audience.db.value("SELECT survivor FROM customer WHERE id = $1", kim) is None
    assert there.has["webhook"] == set()
    await audience.undo(merged.id)
    await desk.sync(this)
    assert there.has["webhook"] == {sha("kim@example.org")}
    changed = await desk.api.patch("/api/consent/purposes/ads", json={"least": 2}, headers={"If-Match": "*"})
    assert changed.status_code == 200, changed.text
    await desk.sync(this)
    assert there.has["webhook"] == set()
    as_of_before = "UPDATE destination SET purpose = 'necessary' WHERE id = $1 RETURNING 1"
    await audience.db.rows(as_of_before, UUID(this))
    await audience.db.transaction(lambda tx: service.everybody(tx, UUID(this)))
    await desk.sync(this)
    assert there.has["webhook"] == set()


TROUBLE: dict[str, list[tuple[int | str, str | None]]] = {
    "429": [(429, "30")],
    "answered 500": [(500, None)],
    "answered 503": [(503, "Fri, 27 Nov 2026 08:00:00 GMT")],
    "no complete answer": [("hang", None)],
    "no answer": [("cut", None)],
}


@pytest.mark.parametrize("strategy", ["google", "meta", "webhook"])
async def test_whatever_a_receiver_answers_it_has_who_is_in_afterwards(desk: Desk, strategy: str) -> None:
    """Too many, broken, too busy, silent, gone: it is said on the page, waits, and is sent again; nobody twice, nobody less."""
    audience, there = desk.audience, desk.there
    there.gate = msgspec.structs.replace(there.gate, seconds=1)
    this = (await desk.begin(strategy))[strategy]
    trouble = dict(TROUBLE)
    if strategy != "webhook":  # a webhook's answer is its status alone
        trouble["no JSON"] = [("page", None)]
    expected = set()
    for number, (said, moods) in enumerate(trouble.items()):
        email = f"kim{number}@example.org"
        kim = await audience.person(email=email)
        await audience.follow()
        await desk.answers(kim, "granted")
        there.moods = list(moods)
        await desk.sync(this)
        shown = (await desk.api.get(f"/api/destinations/{this}")).json()
        assert (shown["failures"], said in shown["last_error"]) == (1, True), shown["last_error"]
        assert shown["next_at"] is not None
        await _now(desk, UUID(this))
        await desk.sync(this)
        expected.add(sha(email))
        assert there.has[strategy] == expected, said
        assert (await desk.api.get(f"/api/destinations/{this}")).json()["failures"] == 0
    asked = len(there.asked)
    await desk.sync(this)
    assert len(there.asked) == asked


async def test_somebody_with_many_addresses_is_several_at_google(
    receivers: Receivers, tmp_path: Path
) -> None:
    """A member of an audience has at most ten identifiers there."""
    emails, phones = [sha(f"{n}@example.org") for n in range(13)], [sha(str(n)) for n in range(9)]
    sending = Sending(uuid4(), uuid4(), WHO["google"], tmp_path, receivers.gate)
    for act in ("add", "remove"):
        await STRATEGIES["google"].send(sending, act, [Entry(uuid4(), emails, phones)])  # type: ignore[arg-type]
        assert receivers.has["google"] == ({*emails, *phones} if act == "add" else set())
    assert receivers.faults == []


async def test_dropped_files_are_not_kept_for_ever(desk: Desk, settings: Settings) -> None:
    folder = settings.home / "drops" / "agency"
    folder.mkdir(parents=True)
    old, new, other = folder / "old-add.csv", folder / "new-add.csv", folder / "note.txt"
    for path in (old, new, other):
        path.write_text("x")
    for path in (old, other):
        os.utime(path, times=(time.time() - 31 * 86_400,) * 2)
    assert await sweepers.tidy(desk.audience.db) == 1
    assert sorted(folder.iterdir()) == [new, other]
