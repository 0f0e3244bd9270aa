"""VAT numbers: by their digits, by VIES, and while VIES is silent."""

import asyncio
from datetime import date
from typing import Any

import httpx
import pytest
from fake_vies import FakeVies

from samlad.kernel.context import Actor
from samlad.kernel.database import Database
from samlad.kernel.problems import InvalidInput
from samlad.tax import NumberStatus, checking, service, store
from samlad.tax.model import RegistrationInput
from samlad.tax.numbers import customer_number, own_number
from samlad.tax.vies import ViesSilent
from trade import Trade

DUTCH = "NL004495445B01"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("NL 0044.95.445.B01", DUTCH),
        ("GR094259216", "EL094259216"),
        ("fr 61 954 506 077", "FR61954506077"),
        ("XI 432525179", "XI432525179"),
    ],
)
def test_a_number_is_kept_compact_and_with_its_country(text: str, number: str) -> None:
    assert customer_number(text) == number


@pytest.mark.parametrize(
    "text", ["NL004495446B01", "004495445B01", "US123456789", "NO995525828MVA", "SE", "", "NL\u0661"]
)
def test_what_cannot_be_one_says_where_and_why(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        customer_number(text)
    assert [error.field for error in caught.value.errors] == ["vat_number"]


def test_the_sellers_own_numbers_are_of_any_country() -> None:
    assert own_number("DE", "136695976") == "DE136695976"
    assert own_number("CH", "CHE-107.787.577 MWST") == "CHE107787577MWST"
    assert own_number("US", "12-3456789") == "12-3456789"
    with pytest.raises(InvalidInput):
        own_number("DE", "136695977")


async def test_vies_answers_once_a_day_with_its_proof(trade: Trade, vies: FakeVies) -> None:
    own = RegistrationInput(channel="web", country="SE", number="SE556012579001", valid_from=date(2020, 1, 1))
    await trade.db.transaction(lambda tx: service.register(tx, own))
    found = await checking.check(trade.db, DUTCH)
    assert (found.status, found.name, found.consultation) == (
        NumberStatus.VALID,
        "BOL.COM B.V.",
        "WAPIAAAAY1",
    )
    assert vies.asked == [
        {
            "countryCode": "NL",
            "vatNumber": "004495445B01",
            "requesterMemberStateCode": "SE",
            "requesterNumber": "556012579001",
        }
    ]
    assert await checking.check(trade.db, "nl 004495445b01") == found
    assert len(vies.asked) == 1, "an answer stands for a day"
    await trade.db.rows(
        "UPDATE tax_number_check SET checked_at = checked_at - interval '25 hours' RETURNING 1"
    )
    vies.invalid.add(DUTCH)
    assert (await checking.check(trade.db, DUTCH)).status is NumberStatus.INVALID
    told = await trade.db.rows("SELECT payload FROM event WHERE type = 'tax.number_checked' ORDER BY seq")
    assert [row["payload"]["status"] for row in told] == ["valid", "invalid"]
    assert DUTCH not in str(told), "a number may be a person's"


@pytest.mark.parametrize("mood", ["busy", "down", "slow", "html"])
async def test_silent_vies_is_asked_again_and_again(db: Database, vies: FakeVies, mood: str) -> None:
    before = checking.use(vies.client(seconds=0.3 if mood == "slow" else 20))
    try:
        vies.mood = mood
        assert (await checking.check(db, DUTCH)).status is NumberStatus.FORMAT
        assert await checking.check_due(db) == 0, "not before a minute has passed"
        assert len(vies.asked) == 1
        for tries in (1, 2):
            await db.rows("UPDATE tax_number_check SET next_at = now() RETURNING 1")
            assert await checking.check_due(db) == 0
            row = await db.row("SELECT tries, next_at - now() AS pause FROM tax_number_check")
            assert row is not None
            assert row["tries"] == tries
            assert 60 * 2 ** (tries - 1) - 5 < row["pause"].total_seconds() <= 60 * 2 ** (tries - 1)
        vies.mood = "ok"
        await db.rows("UPDATE tax_number_check SET next_at = now() RETURNING 1")
        assert await checking.check_due(db) == 1
        row = await db.row("SELECT status, tries, next_at FROM tax_number_check")
        assert row is not None
        assert tuple(row) == ("valid", 0, None)
    finally:
        checking.use(before)


async def test_two_workers_ask_once(db: Database, vies: FakeVies) -> None:
    await db.transaction(lambda tx: checking.note(tx, DUTCH))
    await db.transaction(lambda tx: checking.note(tx, DUTCH))
    assert sum(await asyncio.gather(checking.check_due(db), checking.check_due(db))) == 1
    assert len(vies.asked) == 1


async def test_an_older_answer_does_not_overwrite_a_later_one(db: Database, vies: FakeVies) -> None:
    await checking.check(db, DUTCH)
    late = store.Answered(
        number=DUTCH, status="invalid", name=None, address=None, consultation=None,
        checked_at=(await store.number_check(db, DUTCH)).checked_at.replace(year=2025),  # type: ignore[union-attr]
    )  # fmt: skip
    assert not await db.transaction(lambda tx: store.keep_answer(tx, late))
    assert (await checking.check(db, DUTCH)).status is NumberStatus.VALID


async def test_the_gate_lets_nobody_into_our_own_network() -> None:
    with pytest.raises(ViesSilent, match="not on the public internet"):
        await FakeVies.nowhere().check(DUTCH)


async def test_guests_learn_whether_and_not_who(api_as: Any, api: httpx.AsyncClient, vies: FakeVies) -> None:
    told = (await api.post("/api/vat-numbers/check", json={"number": DUTCH})).json()
    assert (told["status"], told["name"]) == ("valid", "BOL.COM B.V.")
    async with api_as(Actor(kind="guest")) as guest:
        answer = await guest.post("/api/vat-numbers/check", json={"number": DUTCH})
        assert answer.json()["status"] == "valid"
        assert (answer.json()["name"], answer.json()["consultation"]) == (None, None)
        wrong = await guest.post("/api/vat-numbers/check", json={"number": "NL1"})
        assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "number")
        for _ in range(30):
            answer = await guest.post("/api/vat-numbers/check", json={"number": DUTCH})
        assert answer.status_code == 429
