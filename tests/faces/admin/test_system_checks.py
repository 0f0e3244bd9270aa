"""The page of the machinery does not wait for the checks: they read all there is, and are looked at beside it."""

import asyncio
import re
from datetime import timedelta

import pytest

from samlad import app
from samlad.faces.admin import system_checks
from samlad.kernel import checks
from samlad.kernel.checks import Result

PEOPLE = {"accept": "text/html"}
PIECE = "/admin/system/checks"


class Slow:
    """In place of `checks.run`: every run waits until it may go on, and is counted."""

    def __init__(self) -> None:
        self.runs = 0
        self.may_go_on = asyncio.Event()

    async def __call__(self, _database, _known) -> list[Result]:
        self.runs += 1
        await self.may_go_on.wait()
        return [
            Result("fine", "ok", "all of it"),
            Result("broken", "failed", f"in run {self.runs}", "mend it"),
        ]


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    made = Slow()
    monkeypatch.setattr(checks, "run", made)
    monkeypatch.setattr(system_checks, "WAIT_SECONDS", 0.05)
    return made


async def test_the_page_is_there_while_the_checks_are_looked_at(api, slow: Slow) -> None:
    page = await api.get("/admin/system", headers=PEOPLE)
    assert f'hx-get="{PIECE}" hx-trigger="load"' in page.text
    assert slow.runs == 0
    waiting = await asyncio.gather(*(api.get(PIECE, headers=PEOPLE) for _ in range(3)))
    assert all(f'hx-get="{PIECE}" hx-trigger="load"' in answer.text for answer in waiting), "it asks again"
    slow.may_go_on.set()
    found = (await api.get(PIECE, headers=PEOPLE)).text
    assert slow.runs == 1, "one run for all who ask"
    assert re.findall(r"<code>(\w+)</code>", found) == ["broken", "fine"], "what is not well first"
    assert "mend it" in found
    assert "hx-trigger" not in found
    assert "in run 1" in (await api.get("/admin/system", headers=PEOPLE)).text


async def test_they_are_looked_at_again_when_asked_or_old(api, slow: Slow, monkeypatch) -> None:
    slow.may_go_on.set()
    await api.get(PIECE)
    await api.get(PIECE)
    assert slow.runs == 1
    assert "in run 2" in (await api.get(f"{PIECE}?again=true")).text
    later = checks.now() + timedelta(seconds=system_checks.FRESH_SECONDS + 1)
    monkeypatch.setattr(system_checks, "now", lambda: later)
    assert "in run 2" not in (await api.get("/admin/system", headers=PEOPLE)).text
    assert "in run 3" in (await api.get(PIECE)).text


async def test_all_checks_of_the_doctor_are_looked_at(api) -> None:
    found = (await api.get(PIECE, headers=PEOPLE)).text
    names = set(re.findall(r'class="main"><code>([^<]+)</code>', found))
    assert names == {check.name for check in app.CHECKS}
    assert "could not be checked" not in found
