"""Whoever is seen, in any order, whatever is decided between: the projection is what all of it says, and a decision
that is taken back leaves nothing. Beside the shop there is one that is told the same in another order and decides nothing."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from meeting import MORNING, Meeting, identifier

from samlad import channels, identity
from samlad.channels import ChannelInput, ChannelKind
from samlad.identity import deciding
from samlad.identity.model import AuthLevel, DeviceClass, Sighting
from samlad.identity.views import Decision, MergeInput, SplitInput
from samlad.kernel.database import Tx, open_database
from samlad.kernel.embedded import Embedded
from samlad.kernel.problems import Conflict, InvalidInput
from samlad.kernel.settings import load
from trade import build
from warm import Databases, apart

IDENTIFIERS = [
    *(f"{kind}:{n}" for kind in ("login", "external_id", "loyalty") for n in "ABCD"),
    *(f"email:{n}@gmail.com" for n in ("kim", "lo", "info", "kim+a", "k.im", "mo", "jo")),
    *(f"{kind}:{n}" for kind in ("anonymous", "device") for n in "xyz"),
    "phone:+46701234567",
]
FIELDS: dict[str, Any] = {
    "identifiers": st.lists(st.sampled_from(IDENTIFIERS), min_size=1, max_size=4, unique=True),
    "auth": st.sampled_from(AuthLevel),
    "device_class": st.sampled_from([DeviceClass.PERSONAL, DeviceClass.PERSONAL, DeviceClass.SHARED]),
    "minute": st.integers(0, 200),
    "ends_session": st.booleans(),
    "source": st.sampled_from(["web", "app"]),
}
WHO = st.integers(0, 10_000)


class Shop(RuleBasedStateMachine):
    """A shop in which people are seen and decisions are made, and its twin."""

    databases: Databases
    folder: Path
    loop: asyncio.AbstractEventLoop

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Sighting] = []
        self.kept: list[UUID | None] = []
        self.decisions: list[Decision] = []

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    @initialize()
    def start(self) -> None:
        async def begin() -> None:
            dsn = await self.databases.clean()
            trade = await build(
                await open_database(dsn, load({}, home=self.folder, database_url=dsn, pool_size=2))
            )
            self.met = Meeting(trade.db, trade)
            data = ChannelInput(
                code="alone",
                name="Alone",
                kind=ChannelKind.WEBSHOP,
                currency="SEK",
                country="SE",
                locale="sv",
                time_zone="Europe/Stockholm",
            )
            alone = await trade.db.transaction(lambda tx: channels.create(tx, data))
            self.twin = Meeting(trade.db, msgspec.structs.replace(trade, web=alone))

        self.do(begin())
        assert self.twin.pool != self.met.pool

    def teardown(self) -> None:
        if hasattr(self, "twin"):
            self.nothing_is_left_of_what_is_taken_back()
            self.do(self.met.db.close())

    @rule(told=st.lists(st.fixed_dictionaries(FIELDS), min_size=1, max_size=4))
    def are_seen(self, told: list[dict[str, Any]]) -> None:
        made = []
        for one in told:
            number = len(self.seen) + len(made)
            at = MORNING + timedelta(minutes=one["minute"])
            made.append(
                Sighting(
                    pool=self.met.pool,
                    event_id=f"e{number}",
                    observed_at=at,
                    received_at=at,
                    identifiers=[identifier(text) for text in one["identifiers"]],
                    **{name: one[name] for name in ("auth", "device_class", "ends_session", "source")},
                )
            )
        self.kept += self.do(self.met.observe(*made))
        self.seen += made

    @rule(data=st.data())
    def are_told_again(self, data: st.DataObject) -> None:
        if self.seen:
            again = data.draw(st.lists(st.integers(0, len(self.seen) - 1), min_size=1, max_size=3))
            kept = self.do(self.met.observe(*(self.seen[n] for n in again)))
            assert kept == [self.kept[n] for n in again] or self.states_changed()

    def states_changed(self) -> bool:
        """What was cut off since then is not what later events are kept under."""
        return bool(self.do(self.met.db.value("SELECT count(*) FROM identity_node WHERE state <> 'live'")))

    def people(self) -> list[UUID]:
        rows = self.do(
            self.met.db.rows(
                "SELECT id FROM identity_node WHERE pool = $1 AND kind <> 'sighting' ORDER BY kind, value",
                self.met.pool,
            )
        )
        return [row["id"] for row in rows]

    def decide(self, verb: Any) -> None:
        try:
            self.decisions.append(self.do(self.met.db.transaction(verb)))
        except (Conflict, InvalidInput):
            return

    @rule(one=WHO, other=WHO)
    def are_merged(self, one: int, other: int) -> None:
        ids = self.people()
        if ids:
            given = MergeInput(profiles=[ids[one % len(ids)], ids[other % len(ids)]], reason="the same")
            self.decide(lambda tx: deciding.merge(tx, given))

    @rule(one=WHO, other=WHO, takes_along=st.booleans())
    def are_taken_apart(self, one: int, other: int, takes_along: bool) -> None:
        ids = self.people()
        if ids:
            given = SplitInput(
                profile=ids[one % len(ids)],
                identifiers=[ids[other % len(ids)]],
                takes_along=takes_along,
                reason="another",
            )
            self.decide(lambda tx: deciding.split(tx, given))

    @rule(one=WHO, is_blocked=st.booleans())
    def is_blocked_or_released(self, one: int, is_blocked: bool) -> None:
        ids = self.people()
        if ids:
            verb = deciding.block if is_blocked else deciding.release
            self.decide(lambda tx: verb(tx, ids[one % len(ids)], "a reason"))

    @rule(one=WHO)
    def is_undone(self, one: int) -> None:
        if self.decisions:
            decision = self.decisions.pop(one % len(self.decisions))
            self.do(self.met.db.transaction(lambda tx: deciding.undo(tx, decision.id, "a mistake")))

    @invariant()
    def the_projection_is_what_was_seen_and_decided(self) -> None:
        if hasattr(self, "twin"):
            assert self.do(self.met.people()) == self.do(self.met.from_scratch())
            wrong = self.do(
                self.met.db.value(
                    """SELECT count(*) FROM customer c JOIN identity_node n ON n.id = c.id
                       WHERE coalesce(c.survivor, c.id) <> n.profile"""
                )
            )
            assert wrong == 0

    def nothing_is_left_of_what_is_taken_back(self) -> None:
        for decision in self.decisions:
            self.do(self.met.db.transaction(lambda tx, d=decision: deciding.undo(tx, d.id, "all of it")))
        # The twin hears it backwards, one by one, and never decided anything.
        for sighting in reversed(self.seen):
            self.do(self.twin.observe(msgspec.structs.replace(sighting, pool=self.twin.pool)))
        assert self.do(self.met.people()) == self.do(self.twin.people())
        kept = [each for each in self.kept if each is not None]
        assert self.do(identity.current(self.met.db, kept)).keys() == set(kept), "no id is lost"


def test_whatever_happens_people_are_what_was_seen(postgres: Embedded, template: str, tmp_path: Path) -> None:
    Shop.folder = tmp_path
    with apart(postgres, template) as (Shop.loop, Shop.databases):
        run_state_machine_as_test(
            Shop,
            settings=settings(
                max_examples=12,
                stateful_step_count=20,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )


async def test_fifty_merges_between_sightings_leave_nothing(met: Meeting) -> None:
    """Merges and what is seen interleave; then everything is taken back, in another order."""
    made: list[Decision] = []

    def merging(one: UUID, other: UUID) -> Any:
        return lambda tx: deciding.merge(tx, MergeInput(profiles=[one, other], reason="the same"))

    people = [await met.see(f"external_id:p{n}", f"email:p{n}@example.org") for n in range(51)]
    for n in range(50):
        made.append(await met.db.transaction(merging(people[n], people[n + 1])))
        await met.see(f"external_id:p{n}", f"anonymous:d{n}", auth=AuthLevel.CLAIMED)
    assert len(set((await identity.current(met.db, people)).values())) == 1

    async def undo_all(tx: Tx) -> None:
        for decision in made[::2] + made[1::2]:
            await deciding.undo(tx, decision.id, "all of it")

    await met.db.transaction(undo_all)
    assert await met.people() == {
        frozenset({f"external_id:p{n}", f"email:p{n}@example.org", *([f"anonymous:d{n}"] if n < 50 else [])})
        for n in range(51)
    }
    assert await met.people() == await met.from_scratch()
    assert await met.db.value("SELECT count(*) FROM customer WHERE survivor IS NOT NULL") == 0
