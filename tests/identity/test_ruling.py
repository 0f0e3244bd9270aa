"""Rules are data: tried on everything that was seen, put in force, put back."""

import httpx
import pytest
from meeting import Meeting

from samlad.identity import ruling
from samlad.identity.model import AuthLevel, Kind, Rules, RulesInput, RulesVersion
from samlad.kernel.problems import Conflict


async def draft(met: Meeting, rules: Rules) -> RulesVersion:
    given = RulesInput(channel=met.trade.web.id, rules=rules)
    return await met.db.transaction(lambda tx: ruling.draft(tx, given))


async def test_what_rules_would_do_is_what_they_do(met: Meeting) -> None:
    await met.see("external_id:A", "email:kim@example.org")
    await met.see("loyalty:L", "email:kim+shop@example.org")
    for n in "ABC":
        await met.see(f"login:{n}", "device:d")
    await met.observe(met.tablet("anonymous:t", "login:A"), met.tablet("anonymous:t"))
    before = await met.people()
    made = await draft(
        met,
        Rules(plus_domains=["*"], fan_out={Kind.DEVICE: 2}, trust={Kind.LOGIN: {AuthLevel.CLAIMED: "never"}}),
    )
    tried = await ruling.dry_run(met.db, made.id)
    assert await met.people() == before, "trying changes nothing"
    assert (tried.merged, tried.merged_into, tried.split, tried.quarantined) == (2, 1, 1, 1)
    assert [
        sorted(name for names in e.profiles.values() for name in names) for e in tried.merge_examples
    ] == [
        sorted(
            ["external_id:A", "loyalty:L", "email:kim@example.org", "email:kim+shop@example.org"]
            + [f"customer:{row['id']}" for row in await met.db.rows("SELECT id FROM customer")]
        )
    ]
    assert tried.moments == 1
    await met.db.transaction(lambda tx: ruling.activate(tx, made.id))
    assert await met.profile("external_id:A") == await met.profile("loyalty:L")
    assert await met.people() == await met.from_scratch()
    again = await ruling.dry_run(met.db, made.id)
    assert (again.merged, again.split, again.quarantined, again.moments) == (0, 0, 0, 0)
    with pytest.raises(Conflict):
        await met.db.transaction(lambda tx: ruling.activate(tx, made.id))
    back = await draft(met, Rules())
    await met.db.transaction(lambda tx: ruling.activate(tx, back.id))
    assert await met.people() == before
    assert [told["version"] for told in await met.told("identity.rules_changed")] == [1, 2]


async def test_rules_over_http(met: Meeting, api: httpx.AsyncClient) -> None:
    first = (await api.get(f"/api/identity/channels/{met.trade.web.id}/rules")).json()
    assert [(rules["version"], rules["status"]) for rules in first] == [(0, "active")]
    refused = await api.post(
        "/api/identity/rules", json={"channel": str(met.trade.web.id), "rules": {"limits": {"email": 0}}}
    )
    assert refused.status_code == 422
    made = await api.post(
        "/api/identity/rules", json={"channel": str(met.trade.web.id), "rules": {"idle_minutes": 5}}
    )
    assert made.status_code == 201, made.text
    assert (await api.get(f"/api/identity/rules/{made.json()['id']}/dry-run")).json()["merged"] == 0
    active = await api.post(f"/api/identity/rules/{made.json()['id']}/activate")
    assert active.json()["status"] == "active"
    now = (await api.get(f"/api/identity/channels/{met.trade.web.id}/rules")).json()
    assert [(rules["version"], rules["status"]) for rules in now] == [(1, "active"), (0, "retired")]
